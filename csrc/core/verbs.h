/* verbs.h - what the verbs share: validation, refusals, events, conflicts. */
#ifndef TOMB_VERBS_H
#define TOMB_VERBS_H

#include "store.h"

/*
** Fits the values and checks them all in one pass; absent ones are fine when
** `complete` is false. Errors: validation, with a reason for each bad field.
*/
tomb_status tomb_validate(const tomb_model *model, tomb_value *values,
                          bool complete, tomb_error *err);
/* The same for one value; adds to `err` and answers false when it is bad. */
bool tomb_validate_value(const tomb_model *model, const tomb_field *field,
                         tomb_value *value, tomb_error *err);

/*
** Turns what the driver said of a violated constraint into words of the model:
** "Cannot <verb> - title with value 'x' already exists". `values`, by field,
** is the row that was refused, or NULL where it is not known; absent ones are
** not known. Answers the error's kind, which other kinds than integrity keep.
*/
tomb_status tomb_refused(tomb_db *db, const tomb_model *model, const char *verb,
                         const tomb_value *values, tomb_error *err);
/* The same for an edit of `row` (all fields; NULL: of rows that are not known):
** an expression's value is not known. */
tomb_status tomb_edit_refused(tomb_db *db, const tomb_model *model,
                              const char *verb, const tomb_value *row,
                              const tomb_assignment *assignments, size_t n,
                              tomb_error *err);
/* The same for a restore of the query's rows: finds the first conflict. */
tomb_status tomb_restore_refused(tomb_db *db, const tomb_query *query,
                                 tomb_error *err);
/* What to do about a conflict; `parents` come back as well. */
void tomb_hint_at_plan(tomb_error *err, bool parents);
/* True when what was refused is a text that a deletion mangled. */
bool tomb_refuses_mangling(const tomb_db *db, const tomb_model *model,
                           const tomb_error *err);

/* guard.c: a statement has written nothing: refuses it where a parent that it
** writes is dead or missing. */
tomb_status tomb_check_parents(tomb_db *db, const tomb_statement *statement,
                               const char *verb, tomb_error *err);

/* An UPDATE of many rows is about to run: refuses it where it would move one of
** them under a parent that is dead or missing. */
tomb_status tomb_check_moves(tomb_db *db, const tomb_statement *statement,
                             const char *verb, tomb_error *err);

/* db->sql counts rows that need what would go, and names one: refuses it where
** there are any, `also` adding to an error that tells of others. `verb` is
** "delete" or "purge". Errors: restricted. */
tomb_status tomb_refuse_needed(tomb_db *db, const tomb_relation *relation,
                               const char *verb, bool also, tomb_error *err);
/* Rows have been taken for a restore: refuses it where one of the model needs a
** dead parent that is not taken itself. Errors: parent_deleted. */
tomb_status tomb_check_taken_parents(tomb_db *db, const tomb_model *model,
                                     tomb_error *err);

/* What is in the way of the model's dead rows with these keys, which come back
** in that order. */
tomb_status tomb_conflicts_of(tomb_rows *out, tomb_db *db,
                              const tomb_model *model, const tomb_keys *keys,
                              tomb_error *err);

/* The dead rows that a restore of the query's needs, and those that they need:
** a model's name, a key, and false. */
tomb_status tomb_preview_parents(tomb_rows *out, tomb_db *db,
                                 const tomb_query *query, tomb_error *err);

/* Gives the defaults and checks; `values` are then what is inserted. */
tomb_status tomb_prepare_insert(const tomb_model *model, tomb_value *values,
                                int64_t now, tomb_error *err);
tomb_statement tomb_insertion(const tomb_query *query,
                              const tomb_value *values);
/* May these fields be set, and do the values fit? */
tomb_status tomb_check_assignments(const tomb_model *model,
                                   tomb_assignment *assignments, size_t n,
                                   tomb_error *err);

/* Reads all fields of one row, dead or alive, into rows; TOMB_DONE: none. */
tomb_status tomb_read_row(tomb_rows *out, tomb_db *db, const tomb_model *model,
                          const tomb_value *key, tomb_error *err);

/* Adds the keys that db->sql answers to `out`. */
tomb_status tomb_add_keys(tomb_keys *out, tomb_db *db, tomb_error *err);
/* Adds the query's rows to `out`. */
tomb_status tomb_read_rows(tomb_rows *out, tomb_db *db, const tomb_query *query,
                           tomb_error *err);

/* How many of the rows with these keys live. */
tomb_status tomb_count_living(int64_t *out, tomb_db *db,
                              const tomb_model *model, const tomb_keys *keys,
                              tomb_error *err);

/* Refuses an actor or a reason of its own within the event of many calls. */
tomb_status tomb_check_shared(const tomb_db *db, const tomb_model *model,
                              const char *verb, const char *actor,
                              const char *reason, tomb_error *err);

/* Refuses a verb of deletion on a model without soft delete. */
tomb_status tomb_need_soft_delete(const tomb_model *model, const char *verb,
                                  tomb_error *err);

#endif
