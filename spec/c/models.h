/* models.h - models in short words. */
#ifndef SPEC_MODELS_H
#define SPEC_MODELS_H

#include "posts.h"

#define TEXT(...)                                                              \
  { .type = TOMB_FIELD_TEXT, .name = __VA_ARGS__ }
#define INTEGER(...)                                                           \
  { .type = TOMB_FIELD_INTEGER, .name = __VA_ARGS__ }
#define MODEL(f)                                                               \
  { .name = "Post", .fields = f, .n_fields = sizeof f / sizeof f[0] }

static inline void open_empty(void) {
  MUST(tomb_open_sqlite(&db, ":memory:", NULL, &check_error));
}

static inline const tomb_model *define(const tomb_model_def *def) {
  const tomb_model *model;
  MUST(tomb_define(&model, db, def, &check_error));
  return model;
}

#endif
