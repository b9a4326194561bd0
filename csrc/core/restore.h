/* restore.h - the ways out of a conflict. Each restores the one row of
** `query`, or fails with the refusal in `err`, which it also reads. */
#ifndef TOMB_RESTORE_H
#define TOMB_RESTORE_H

#include "verbs.h"

/* True where a unique index refused what is in `err`. */
bool tomb_is_conflict(tomb_status st, const tomb_error *err);
/* The same, where the error names both rows. */
bool tomb_is_explained(tomb_status st, const tomb_error *err);
/* One UPDATE: the query's dead rows live again, with `also` set. */
tomb_status tomb_revive(int64_t *restored, tomb_db *db, const tomb_query *query,
                        const tomb_assignment *also, size_t n, tomb_error *err);

/* The strategy for the model; is there one that is not to fail, or to skip? */
tomb_on_conflict tomb_strategy_for(const tomb_restoration *how,
                                   const tomb_model *model);
bool tomb_has_strategy(const tomb_restoration *how);
bool tomb_may_skip(const tomb_restoration *how);
/* The same restoration with that one for all. */
tomb_restoration tomb_restoration_by(const tomb_restoration *how,
                                     tomb_on_conflict word);

/* Refuses what cannot be restored: no soft delete, living rows. */
tomb_status tomb_check_restore(const tomb_query *query, tomb_error *err);
/* The keys of the query's dead rows, as they are now. */
tomb_status tomb_select_dead(tomb_keys **out, tomb_db *db,
                             const tomb_query *query, tomb_error *err);
/* The query's rows by how->on_conflict, without a look at their relatives. */
tomb_status tomb_restore_rows(int64_t *restored, tomb_db *db,
                              const tomb_query *query,
                              const tomb_restoration *how, tomb_error *err);

/* With these values instead of its own; absent ones stay. */
tomb_status tomb_restore_with(tomb_db *db, const tomb_query *query,
                              const tomb_value *values, tomb_error *err);
/* Under the first free name of "x (restored)", "x (restored 2)" … */
tomb_status tomb_restore_renamed(tomb_db *db, const tomb_query *query,
                                 tomb_error *err);
/* After deleting the living rows in its way. */
tomb_status tomb_restore_replacing(tomb_db *db, const tomb_query *query,
                                   const tomb_restoration *how,
                                   tomb_error *err);

#endif
