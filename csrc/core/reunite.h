/*
** reunite.h - restores that reach further rows: their further owners, what lies
** below them, the parents that they need.
*/
#ifndef TOMB_REUNITE_H
#define TOMB_REUNITE_H

#include "closure.h"
#include "undoing.h"

typedef struct tomb_reunion {
  tomb_db *db;
  const tomb_model *model;
  tomb_undoing undoing;
  tomb_closure wanted; /* the rows asked for; with how->parents theirs too */
  const tomb_model **list; /* the models that are touched, parents first */
  size_t n, bytes;
  bool ring;  /* some of them need each other */
  bool steps; /* somebody else has gone through the rows */
  bool skips; /* and has skipped some */
} tomb_reunion;

/* Notes what is taken out of which events when the query's dead rows come back.
** Errors: parent_deleted. Free it in every case. */
tomb_status tomb_reunion_open(tomb_reunion *r, tomb_db *db,
                              const tomb_query *query,
                              const tomb_restoration *how, tomb_error *err);
/* The same where nothing will be restored, so that dead parents are no error. */
tomb_status tomb_reunion_look(tomb_reunion *r, tomb_db *db,
                              const tomb_query *query, bool parents,
                              tomb_error *err);
void tomb_reunion_free(tomb_reunion *r);
/* The keys of the rows of its own model that were asked for. */
const tomb_keys *tomb_reunion_keys(const tomb_reunion *r);
/* The rows of models that come before its own are back. */
tomb_status tomb_reunion_parents(const tomb_reunion *r,
                                 const tomb_restoration *how, tomb_error *err);
/* Its own are back: so are the others, rows that need each other included, and
** what was taken is out of the rows that others hold. */
tomb_status tomb_reunion_rest(const tomb_reunion *r,
                              const tomb_restoration *how, tomb_error *err);
/* The same in steps: the i-th model's rows are back; its own is the one at that
** place; what is between its own and those behind it; the end. */
size_t tomb_reunion_place(const tomb_reunion *r);
tomb_status tomb_reunion_step(const tomb_reunion *r, size_t i,
                              const tomb_restoration *how, tomb_error *err);
tomb_status tomb_reunion_settle(const tomb_reunion *r, tomb_error *err);
tomb_status tomb_reunion_end(const tomb_reunion *r, const tomb_restoration *how,
                             tomb_error *err);
/* How many of those asked for live. */
tomb_status tomb_reunion_count(int64_t *out, const tomb_reunion *r,
                               tomb_error *err);

/* One event is taken out of the rows that others hold too. */
tomb_status tomb_leave_event(tomb_db *db, int64_t event, tomb_error *err);
/* One event is taken out of all rows, and those that nobody else holds come
** back; `restored` counts them. */
tomb_status tomb_reunite_event(int64_t *restored, tomb_db *db, int64_t event,
                               const tomb_restoration *how, tomb_error *err);

/* ring.c: the rows that can live together: all that are free, without those that
** need a parent which is neither alive nor among them. */
tomb_status tomb_gather(tomb_closure *rows, const tomb_model *const *list,
                        size_t n, const tomb_undoing *undoing, tomb_error *err);
/* What is free to live but for parents that are so too, in the models
** of the list. */
tomb_status tomb_ring_back(int64_t *restored, tomb_db *db,
                           const tomb_model *const *list, size_t n,
                           const tomb_undoing *undoing,
                           const tomb_restoration *how, tomb_error *err);

#endif
