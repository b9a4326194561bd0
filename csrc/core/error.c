/* error.c - filling the caller's tomb_error. */
#include "error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "instant.h"

const char *tomb_status_name(tomb_status status) {
  static const char *const names[] = {"ok",
                                      "row",
                                      "done",
                                      "integrity",
                                      "validation",
                                      "not_found",
                                      "multiple",
                                      "deleted",
                                      "parent_deleted",
                                      "restricted",
                                      "too_many",
                                      "stale",
                                      "busy",
                                      "interrupted",
                                      "connection",
                                      "commit_unknown",
                                      "database",
                                      "migration",
                                      "misuse",
                                      "memory"};
  return names[status];
}

const char *tomb_constraint_name(tomb_constraint constraint) {
  static const char *const names[] = {"", "unique", "foreign_key", "not_null",
                                      "check"};
  return names[constraint];
}

size_t tomb_utf8_cut(const char *data, size_t size) {
  size_t n = size;
  /* step back over continuation bytes to the character that `size` splits */
  while (n > 0 && size - n < 4 && ((unsigned char)data[n] & 0xC0) == 0x80) n--;
  return n;
}

static void one_line(char *text) {
  for (; *text != '\0'; text++) {
    if ((unsigned char)*text < ' ') *text = ' ';
  }
}

/* vsnprintf may have cut inside a character: then its beginning goes too. */
static void drop_half_character(char *text, size_t size) {
  size_t n = size;
  while (n > 0 && size - n < 3 && ((unsigned char)text[n - 1] & 0xC0) == 0x80) {
    n--;
  }
  if (n == 0) return;
  unsigned char lead = (unsigned char)text[n - 1];
  size_t whole = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (whole > size - n + 1) text[n - 1] = '\0';
}

static void print(char *out, size_t size, const char *format, va_list args) {
  int n = vsnprintf(out, size, format, args);
  if (n >= 0 && (size_t)n >= size) drop_half_character(out, size - 1);
  one_line(out);
}

static void clear(tomb_error *err, tomb_status kind) {
  err->kind = kind;
  err->constraint = TOMB_NO_CONSTRAINT;
  err->code = 0;
  err->message[0] = err->hint[0] = err->model[0] = err->subject[0] =
      err->sql[0] = '\0';
  err->n_fields = 0;
  err->has_value = err->has_live_pk = err->has_dead_pk = false;
  err->index = 0;
}

tomb_status tomb_fail(tomb_error *err, tomb_status kind, const char *format,
                      ...) {
  if (err == NULL) return kind;
  va_list args;
  va_start(args, format);
  clear(err, kind);
  print(err->message, sizeof err->message, format, args);
  va_end(args);
  return kind;
}

void tomb_error_clear(tomb_error *err) {
  if (err != NULL) clear(err, TOMB_OK);
}

void tomb_error_hint(tomb_error *err, const char *format, ...) {
  if (err == NULL) return;
  va_list args;
  va_start(args, format);
  print(err->hint, sizeof err->hint, format, args);
  va_end(args);
}

void tomb_error_message(tomb_error *err, const char *format, ...) {
  if (err == NULL) return;
  va_list args;
  va_start(args, format);
  print(err->message, sizeof err->message, format, args);
  va_end(args);
}

static void copy_name(char *out, const char *name) {
  size_t n = strlen(name);
  if (n >= TOMB_NAME_SIZE) n = tomb_utf8_cut(name, TOMB_NAME_SIZE - 1);
  memcpy(out, name, n);
  out[n] = '\0';
}

void tomb_error_model(tomb_error *err, const char *name) {
  if (err != NULL) copy_name(err->model, name);
}

void tomb_error_field(tomb_error *err, const char *name, const char *format,
                      ...) {
  if (err == NULL || err->n_fields == TOMB_MAX_ERROR_FIELDS) return;
  va_list args;
  va_start(args, format);
  copy_name(err->fields[err->n_fields], name);
  print(err->details[err->n_fields], sizeof err->details[0], format, args);
  err->n_fields++;
  va_end(args);
}

void tomb_keep_value(tomb_kept_value *out, const tomb_value *value) {
  out->value = *value;
  if (value->type != TOMB_TEXT && value->type != TOMB_BLOB) return;
  size_t n = value->as.text.size;
  if (n >= sizeof out->bytes) {
    n = tomb_utf8_cut(value->as.text.data, sizeof out->bytes - 1);
  }
  if (n > 0) memcpy(out->bytes, value->as.text.data, n);
  out->bytes[n] = '\0';
  out->value.as.text.size = n;
  /* the error may be copied, so that readers take the bytes, not a pointer */
  out->value.as.text.data = NULL;
}

void tomb_error_sql(tomb_error *err, const char *sql, size_t size) {
  if (err == NULL || sql == NULL) return;
  if (size >= sizeof err->sql) size = tomb_utf8_cut(sql, sizeof err->sql - 1);
  memcpy(err->sql, sql, size);
  err->sql[size] = '\0';
}

void tomb_error_value(tomb_error *err, const tomb_value *value) {
  if (err == NULL) return;
  err->has_value = true;
  tomb_keep_value(&err->value, value);
}

tomb_status tomb_out_of_memory(tomb_error *err) {
  return tomb_fail(err, TOMB_NOMEM, "Out of memory");
}

void tomb_show_value(char *out, size_t size, const tomb_value *value) {
  switch (value->type) {
  case TOMB_ABSENT:
  case TOMB_REFUSED:
  case TOMB_NULL: snprintf(out, size, "NULL"); break;
  case TOMB_BOOLEAN:
    snprintf(out, size, value->as.integer != 0 ? "true" : "false");
    break;
  case TOMB_INTEGER: snprintf(out, size, "%" PRId64, value->as.integer); break;
  case TOMB_TIME: {
    char text[TOMB_TIME_SIZE];
    tomb_time_format(text, value->as.integer);
    snprintf(out, size, "%s", text);
    break;
  }
  case TOMB_NUMBER: snprintf(out, size, "%.17g", value->as.number); break;
  case TOMB_BLOB:
    snprintf(out, size, "a blob of %zu bytes", value->as.text.size);
    break;
  case TOMB_TEXT: {
    size_t n = value->as.text.size;
    bool cut = n > size - 6; /* two quotes, an ellipsis, the terminator */
    if (cut) n = tomb_utf8_cut(value->as.text.data, size - 6);
    snprintf(out, size, "'%.*s%s'", (int)n, n > 0 ? value->as.text.data : "",
             cut ? "…" : "");
    break;
  }
  }
}
