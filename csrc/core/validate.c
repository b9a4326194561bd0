/* validate.c - are these values a row? One pass, every bad field. */
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "value.h"
#include "verbs.h"

static void bad(const tomb_model *model, const tomb_field *field,
                const char *reason, tomb_error *err) {
  if (err == NULL) return;
  if (err->n_fields == 0) {
    tomb_fail(err, TOMB_VALIDATION, "%s is not valid", model->name);
    tomb_error_model(err, model->name);
  }
  size_t used = strlen(err->message), room = sizeof err->message - used;
  const char *separator = err->n_fields == 0 ? " - " : ", ";
  snprintf(err->message + used, room, "%s%s %s", separator, field->name,
           reason);
  tomb_error_field(err, field->name, "%s", reason);
}

static bool is_choice(const tomb_field *field, const tomb_value *value) {
  for (size_t i = 0; i < field->n_choices; i++) {
    if (tomb_value_equal(&field->choices[i], value)) return true;
  }
  return field->n_choices == 0;
}

static bool is_text_type(const tomb_field *field) {
  return tomb_is_text(field) || field->type == TOMB_FIELD_JSON;
}

static bool text_is_fine(const tomb_field *field, const tomb_value *value,
                         char *reason, size_t size) {
  size_t characters;
  if (!tomb_utf8_check(value->as.text.data, value->as.text.size, &characters)) {
    snprintf(reason, size, "must be UTF-8 without NUL");
    return false;
  }
  if (field->max_length == 0 || characters <= field->max_length) return true;
  snprintf(reason, size, "has %zu characters, at most %zu are allowed",
           characters, field->max_length);
  return false;
}

bool tomb_validate_value(const tomb_model *model, const tomb_field *field,
                         tomb_value *value, tomb_error *err) {
  char reason[96] = "";
  if (value->type == TOMB_ABSENT) return true;
  if (value->type == TOMB_NULL) {
    if (field->nullable) return true;
    snprintf(reason, sizeof reason, "cannot be null");
  } else if (value->type == TOMB_REFUSED && value->as.text.size > 0) {
    snprintf(reason, sizeof reason, "%.*s", (int)value->as.text.size,
             value->as.text.data);
  } else if (!tomb_fit(field, value)) {
    snprintf(reason, sizeof reason, "must be %s",
             tomb_type_wanted(field->type));
  } else if (is_text_type(field) &&
             !text_is_fine(field, value, reason, sizeof reason)) {
    /* the reason is told */
  } else if (!is_choice(field, value)) {
    snprintf(reason, sizeof reason, "is not one of its choices");
  }
  if (reason[0] != '\0') bad(model, field, reason, err);
  return reason[0] == '\0';
}

static bool is_required(const tomb_field *field) {
  bool generated =
      field->role == TOMB_ROLE_KEY && field->type == TOMB_FIELD_INTEGER;
  return !field->nullable && !generated;
}

tomb_status tomb_validate(const tomb_model *model, tomb_value *values,
                          bool complete, tomb_error *err) {
  bool ok = true;
  tomb_error_clear(err);
  for (size_t i = 0; i < model->n_fields; i++) {
    const tomb_field *field = &model->fields[i];
    if (complete && values[i].type == TOMB_ABSENT && is_required(field)) {
      bad(model, field, "is required", err);
      ok = false;
    } else if (!tomb_validate_value(model, field, &values[i], err)) {
      ok = false;
    }
  }
  return ok ? TOMB_OK : TOMB_VALIDATION;
}
