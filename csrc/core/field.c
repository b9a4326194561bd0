/* field.c - asking a model for its fields. */
#include <string.h>

#include "model.h"

bool tomb_is_text(const tomb_field *field) {
  return field->type == TOMB_FIELD_CHAR || field->type == TOMB_FIELD_TEXT;
}

bool tomb_is_rewritable(const tomb_field *field) {
  return tomb_is_text(field) && field->role != TOMB_ROLE_KEY &&
         field->relation == NULL;
}

bool tomb_model_mangles(const tomb_model *model, size_t i) {
  return model->fields[i].mangled;
}

bool tomb_model_mangles_any(const tomb_model *model) {
  for (size_t i = 0; i < model->n_fields; i++) {
    if (model->fields[i].mangled) return true;
  }
  return false;
}

const char *tomb_model_name(const tomb_model *model) {
  return model->name;
}

const char *tomb_model_table(const tomb_model *model) {
  return model->table;
}

size_t tomb_model_fields(const tomb_model *model) {
  return model->n_fields;
}

const tomb_field *tomb_model_field(const tomb_model *model, size_t i) {
  return &model->fields[i];
}

const tomb_field *tomb_model_find(const tomb_model *model, const char *name,
                                  size_t size) {
  for (size_t i = 0; i < model->n_fields; i++) {
    const tomb_field *field = &model->fields[i];
    if (field->name_size == size && memcmp(field->name, name, size) == 0) {
      return field;
    }
  }
  return NULL;
}

const tomb_field *tomb_model_role(const tomb_model *model, tomb_role role) {
  return model->roles[role];
}

const tomb_relation *tomb_model_relation(const tomb_model *model, size_t i) {
  return i < model->n_relations ? &model->relations[i] : NULL;
}

int64_t tomb_model_keep(const tomb_model *model) {
  return model->keep;
}

tomb_status tomb_order_term(tomb_order *out, const tomb_model *model,
                            const char *term, size_t size, tomb_error *err) {
  out->descending = size > 0 && term[0] == '-';
  size_t skip = out->descending ? 1 : 0;
  return tomb_need_field(&out->field, model, term + skip, size - skip, err);
}
