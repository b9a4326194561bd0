/*
** store.h - runs compiled statements through a driver, inside transactions.
** The verbs (read, write, delete, restore, purge) are built on this.
*/
#ifndef TOMB_STORE_H
#define TOMB_STORE_H

#include "driver.h"
#include "model.h"
#include "sql.h"
#include "statement.h"

/* The one event that many calls share. */
typedef struct tomb_shared_event {
  int depth;  /* of the transaction that it ends with; 0: none is open */
  int64_t id; /* 0 until something is taken */
  int born;   /* the depth whose rollback takes the event's row along */
  char *actor, *reason;
} tomb_shared_event;

struct tomb_db {
  tomb_allocator allocator;
  const tomb_driver *driver;
  tomb_conn *conn; /* NULL: closed */
  tomb_statements statements;
  tomb_sql sql; /* the statement being built */
  tomb_model **models;
  size_t n_models, models_capacity;
  const tomb_model *events, *owners;
  int depth;     /* of nested transactions */
  int lost;      /* the outermost level that can only be rolled back: the
                      database did so by itself, or a part of it is missing;
                      0: none */
  bool unended;  /* a rollback failed: it comes before anything else */
  bool swept;    /* and the transaction of others ended with it */
  bool borrowed; /* others use the connection too */
  bool inside;   /* the outermost level is a savepoint in their transaction */
  bool around;   /* that was open before the statement that is running */
  int cursors;   /* open; a close waits for them */
  int snapshots; /* of these, those that forbid writes */
  bool closing;
  bool read_only;       /* as told at open: the file may be so without */
  bool limited;         /* by tomb_limit_begin */
  bool event_ids_known; /* nobody else makes events in this transaction */
  tomb_shared_event shared;
  unsigned takings; /* a bit for each restore that has a table of them; the
                         connection has those of all its handles */
  bool logging;
  tomb_rows *log;
};

/* True where a row may have more owners than one. */
bool tomb_has_cascades(const tomb_db *db);
/* True in a process that has inherited the handle by a fork. */
bool tomb_is_inherited(const tomb_db *db);
/* The number of a table of takings that no restore on the connection has, on
** another handle either; 0: there are too many. */
unsigned tomb_take_takings(tomb_db *db);
/* The tables of takings with these bits are free for others. */
void tomb_drop_takings(tomb_db *db, unsigned which);
/* Ends the connection; no cursor is open. */
void tomb_close_now(tomb_db *db);

/* Begins a statement in db->sql; refuses when the handle is closed. */
tomb_status tomb_store_start(tomb_db *db, tomb_error *err);
/* The same for a statement that writes; a snapshot refuses it. */
tomb_status tomb_store_start_write(tomb_db *db, tomb_error *err);
/* Opens db->sql as a cursor. */
tomb_status tomb_store_open(tomb_cursor *out, tomb_db *db, tomb_error *err);
/* Runs db->sql to its end. Rows that it answers go to `rows`, if given. */
tomb_status tomb_store_run(tomb_db *db, tomb_rows *rows, tomb_error *err);
/* Runs a text without values. */
tomb_status tomb_store_text(tomb_db *db, const char *text, tomb_error *err);
int64_t tomb_store_changes(const tomb_db *db);
/* Refuses an answer of another width than was asked for. */
tomb_status tomb_other_columns(size_t n, size_t wanted, tomb_error *err);

/* Compiles and runs an UPDATE, INSERT or DELETE; `changed` may be NULL. */
tomb_status tomb_store_write(int64_t *changed, tomb_db *db,
                             const tomb_clause *clauses,
                             const tomb_statement *statement, tomb_rows *rows,
                             tomb_error *err);
/* The same for a statement whose refusal is not the end: afterwards the
** transaction goes on. */
tomb_status tomb_store_try(int64_t *changed, tomb_db *db,
                           const tomb_clause *clauses,
                           const tomb_statement *statement, tomb_rows *rows,
                           tomb_error *err);

/*
** All or nothing: what is done between enter and leave is one transaction or
** savepoint, committed when `st` is TOMB_OK and rolled back otherwise. Leave
** answers `st`, or why the commit failed.
*/
tomb_status tomb_store_enter(tomb_db *db, tomb_error *err);
tomb_status tomb_store_leave(tomb_db *db, tomb_status st, tomb_error *err);

/* Before raw SQL: notes whether a transaction of others is open. */
void tomb_store_look(tomb_db *db);
/* After raw SQL: transactions that the engine did not begin would nest under
** its own, so they are refused and rolled back. */
tomb_status tomb_store_settle(tomb_db *db, tomb_error *err);
/* Rolls back what an earlier rollback had to leave. */
tomb_status tomb_store_make_up(tomb_db *db, tomb_error *err);
/* Before the connection closes: undoes what is open. */
void tomb_store_abandon(tomb_db *db);

/*
** The same for a call whose first write undoes itself when it fails and after
** which hardly anything can: inside a transaction no savepoint is made, which
** would cost more than the call. Should it fail after it `wrote` all the same,
** the level around it cannot be kept.
*/
typedef struct tomb_step {
  bool own; /* the transaction is the call's own */
  bool wrote;
} tomb_step;
tomb_status tomb_step_begin(tomb_step *step, tomb_db *db, tomb_error *err);
tomb_status tomb_step_end(const tomb_step *step, tomb_db *db, tomb_status st,
                          tomb_error *err);

/* A stamp that is later than every earlier one of this connection. */
int64_t tomb_store_stamp(tomb_db *db, int64_t now);

/* The query of one row, by its key; `storage` outlives it. */
typedef struct tomb_row_query {
  tomb_query query;
  tomb_filter_link link;
  tomb_cond cond;
  tomb_value key;
} tomb_row_query;
const tomb_query *tomb_query_row(tomb_row_query *storage,
                                 const tomb_query *from, const tomb_value *key);
/* The same for any field. */
const tomb_query *tomb_query_where(tomb_row_query *storage,
                                   const tomb_query *from,
                                   const tomb_field *field, tomb_lookup lookup,
                                   const tomb_value *value);

/* A statement about `query`, otherwise empty. */
tomb_statement tomb_statement_on(const tomb_query *query);

/* Reads one integer. */
tomb_status tomb_store_integer(int64_t *out, tomb_db *db, tomb_error *err);

#endif
