/*
** closure.h - rows and all that goes with them, by their keys: what a deletion
** would take, what a purge takes, which dead parents a restore needs. A few
** bytes a row; nothing is written.
*/
#ifndef TOMB_CLOSURE_H
#define TOMB_CLOSURE_H

#include "keys.h"
#include "verbs.h"

typedef enum tomb_closure_kind {
  TOMB_CLOSURE_DELETE, /* what cascades, dead or alive */
  TOMB_CLOSURE_PURGE,  /* what is dead and needs its parent */
  TOMB_CLOSURE_FORGET, /* both */
  TOMB_CLOSURE_PARENTS /* dead rows that are needed */
} tomb_closure_kind;

typedef struct tomb_closure {
  tomb_db *db;
  tomb_closure_kind kind;
  const tomb_model **order; /* all models, parents first */
  tomb_keys **keys;         /* of the models in that order */
  size_t n, bytes;
  bool ring; /* there is no such order */
  /* these rows count as dead; NULL: none */
  const struct tomb_closure *dying;
} tomb_closure;

/* Free it in every case. */
tomb_status tomb_closure_open(tomb_closure *c, tomb_db *db,
                              tomb_closure_kind kind, tomb_error *err);
void tomb_closure_free(tomb_closure *c);
/* Adds what goes with the keys that are there. */
tomb_status tomb_closure_extend(tomb_closure *c, tomb_error *err);
/* Puts these keys in the place of the model's; takes them. */
void tomb_closure_put(tomb_closure *c, const tomb_model *model,
                      tomb_keys *keys);
/* The query's rows, and what goes with them. */
tomb_status tomb_closure_fill(tomb_closure *c, const tomb_query *query,
                              tomb_error *err);
size_t tomb_closure_place(const tomb_closure *c, const tomb_model *model);

/* The relation's children WHERE they point to the closure's rows, from that
** place among their keys on. */
void tomb_closure_children(tomb_sql *sql, const tomb_closure *c,
                           const tomb_relation *relation, size_t from);
/* " AND" they are not in the closure themselves. */
void tomb_closure_but(tomb_sql *sql, const tomb_closure *c,
                      const tomb_model *model);

/* The models whose deletions are events, in the order of their declaration.
** `list` has room for all models; answers how many they are. */
size_t tomb_models_with_events(const tomb_model **list, const tomb_db *db);

#endif
