/*
** fake.h - a driver for tests. It records every statement that the engine
** runs and can fail any step of them. With a path it passes everything on to
** SQLite; without one it answers from a script and needs no database.
**
** These functions take a database of tomb_open_fake that is open.
*/
#ifndef TOMB_FAKE_H
#define TOMB_FAKE_H

#include "driver.h"

/* Opens a fake database: on the SQLite file `path`, or scripted when it is
** NULL. Errors: as tomb_open_sqlite. Free with tomb_free. */
tomb_status tomb_open_fake(tomb_db **out, const char *path,
                           const tomb_options *options, tomb_error *err);

/* On a connection of the host. Errors: as tomb_borrow_sqlite, with whose other
** arguments it is called. */
tomb_status tomb_borrow_fake(tomb_db **out, struct sqlite3 *db,
                             const struct sqlite3_api_routines *routines,
                             const tomb_options *options, tomb_error *err);

/* A scripted one whose statements are PostgreSQL's. */
tomb_status tomb_open_fake_postgres(tomb_db **out, const tomb_options *options,
                                    tomb_error *err);

/* Makes the `nth` next step (from 1; each row is a step) answer a copy of
** `failure` instead of doing anything, once. The transaction stays as it is.
** With 0 no step fails any more; `failure` may be NULL then. */
void tomb_fake_fail(tomb_db *db, size_t nth, const tomb_error *failure);

/* What a scripted statement answers. */
typedef struct tomb_fake_reply {
  size_t columns, rows;
  const tomb_value *values; /* rows × columns, row by row, as stored */
  int64_t changes;
  int64_t last_id;    /* 0: as it was */
  tomb_error failure; /* unless its kind is TOMB_OK: this, and nothing else */
} tomb_fake_reply;

/*
** Queues a copy of `reply` for a scripted database. Each statement that runs
** takes the next one, except BEGIN, COMMIT, END, ROLLBACK, SAVEPOINT, RELEASE
** and those whose first step fails. Without one it answers no rows and one
** change, and an INSERT the ids 1, 2, 3 … The engine asks for the columns of a
** text when it first prepares it, so queue a reply before that. Answers
** TOMB_OK or TOMB_NOMEM.
*/
tomb_status tomb_fake_answer(tomb_db *db, const tomb_fake_reply *reply);

/* How many statements have run since tomb_fake_forget, failed ones too. */
size_t tomb_fake_count(tomb_db *db);
/* The text of statement `i` (from 0) without its semicolon. Borrowed until
** tomb_fake_forget; NULL when there is none. */
const char *tomb_fake_sql(tomb_db *db, size_t i);
/* Its `*n` values as the engine bound them; texts end with a zero byte.
** Borrowed likewise. */
const tomb_value *tomb_fake_values(tomb_db *db, size_t i, size_t *n);
/* Clears the record; the script and a planned failure stay. */
void tomb_fake_forget(tomb_db *db);

#endif
