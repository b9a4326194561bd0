/* model.h - the checked description of a table; it never changes. */
#ifndef TOMB_MODEL_H
#define TOMB_MODEL_H

#include "mem.h"

/*
** Fields that belong together: an index, or a constraint. A field's own
** `unique` and `index` are groups of one, so that nothing below here knows a
** difference.
*/
typedef struct tomb_group {
  const tomb_field **fields;
  size_t n;
  tomb_unique unique; /* NOT_UNIQUE: a plain index */
  const char *index;  /* the name of its index */
} tomb_group;

#define TOMB_ROLES 7

struct tomb_model {
  tomb_allocator allocator;
  tomb_arena arena; /* everything below */
  const char *name, *table;
  const char *quoted; /* the table as SQL writes it */
  tomb_field *fields;
  size_t n_fields;
  tomb_group *groups;
  size_t n_groups;
  const tomb_field *roles[TOMB_ROLES]; /* NULL where nobody plays it */
  tomb_order *order;
  size_t n_order;
  /* of the living keys, and of the dead by event; NULL: there is none */
  const char *living_index, *event_index;
  tomb_soft_delete soft_delete;
  int64_t keep;
};

/* Checks and copies `def`; tomb_model_free gives it back. */
tomb_status tomb_model_new(tomb_model **out, const tomb_allocator *a,
                           const tomb_model_def *def, tomb_error *err);
void tomb_model_free(tomb_model *model);

/* The definition of tombstone_event. */
extern const tomb_model_def tomb_event_def;

static inline const tomb_field *tomb_key_field(const tomb_model *model) {
  return model->roles[TOMB_ROLE_KEY];
}

bool tomb_is_text(const tomb_field *field);
/* A text that a deletion or a restore may rewrite: a key it may not. */
bool tomb_is_rewritable(const tomb_field *field);

/* ", did you mean 'title'?" or "", for a field that is not there. */
const char *tomb_suggest_field(char *out, size_t size, const tomb_model *model,
                               const char *wrong, size_t wrong_size);
/* Finds a field, or refuses with a suggestion. */
tomb_status tomb_need_field(const tomb_field **out, const tomb_model *model,
                            const char *name, size_t size, tomb_error *err);

#endif
