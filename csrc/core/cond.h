/* cond.h - conditions over the fields of a model. */
#ifndef TOMB_COND_H
#define TOMB_COND_H

#include "tombstone.h"

/* Where a key leads: ways to a model, and a field of it or none. */
typedef struct tomb_walk {
  const tomb_model *model;
  const tomb_way *way; /* the last one, NULL: none was taken */
  const tomb_field *field;
  size_t before, to; /* the ends of the ways before the last, and of all */
  size_t end;        /* of what was understood; a lookup may follow */
  bool many;         /* some way leads to many rows */
  int tables;        /* on the ways */
} tomb_walk;
/* Walks by names of annotations, fields and ways; refuses a first name that is
** none of them. */
tomb_status tomb_walk_key(tomb_walk *out, const tomb_query *query,
                          const char *key, size_t size, tomb_error *err);
/* SQLite joins at most 64 tables. A way leaves some for the statement around it;
** the lookups of one table that speak of one row are a sub-query of their own. */
#define TOMB_MOST_TABLES 60
#define TOMB_MOST_JOINED 64
/* How many tables these join at the most. */
int tomb_tables_joined(const tomb_model *model, const tomb_cond *all);
/* Refuses a way over more tables. */
tomb_status tomb_check_way(const tomb_query *query, const char *name,
                           size_t size, const tomb_walk *walk, tomb_error *err);
/* Refuses to add up what are no numbers. */
tomb_status tomb_check_aggregate(const tomb_model *model,
                                 const tomb_aggregate *a, tomb_error *err);
/* Finds the fields and lookups of `cond` and fits its values to them. */
tomb_status tomb_cond_check(const tomb_query *query, tomb_cond *cond,
                            tomb_error *err);
/* The same for an expression that `field` is set to or compared with. */
tomb_status tomb_expr_check(const tomb_model *model, const tomb_field *field,
                            tomb_expr *expr, tomb_error *err);
/* A checked condition of the engine's own; `value` already fits. */
tomb_cond tomb_cond_on(const tomb_field *field, tomb_lookup lookup,
                       tomb_value *value);
/* The condition itself, without all{} or any{} around it alone. */
const tomb_cond *tomb_cond_unwrap(const tomb_cond *cond);
/* True when the left side needs no brackets: a + b in (a + b) - c. */
bool tomb_expr_continues(const tomb_expr *expr);
/* True when the condition narrows nothing, like all{}. */
bool tomb_cond_is_trivial(const tomb_cond *cond);

#endif
