/*
** sqlite.h - the SQLite driver: its connections, and the parts that its own
** files share. Only sqlite*.c know the client library.
*/
#ifndef TOMB_SQLITE_H
#define TOMB_SQLITE_H

#include "driver.h"

extern const tomb_driver tomb_sqlite_driver;

/* Opens `path` without an engine on top; NULL options are the defaults. Give
** it back with tomb_sqlite_driver.close. `*out` is NULL on failure. */
tomb_status tomb_sqlite_connect(tomb_conn **out, const char *path,
                                const tomb_options *options, tomb_error *err);

/* ---- between the files of this driver ----------------------------- */

struct sqlite3;

/* sqlite_open.c: a checked and configured handle. */
tomb_status tomb_sqlite_open_file(struct sqlite3 **out, const char *path,
                                  const tomb_options *options, tomb_error *err);
/* How long to wait for a lock, in milliseconds. */
int tomb_sqlite_patience(const tomb_options *options);
/* Sleeps a little if `code` is a lock of somebody else and patience is left;
** false means: give up. */
bool tomb_sqlite_wait(int code, int *patience_ms);

/* sqlite_function.c: registers our SQL functions; answers SQLite's code. */
int tomb_sqlite_functions(struct sqlite3 *db);
/* sqlite_adoption.c: those of them that migrations need. */
int tomb_sqlite_adoption(struct sqlite3 *db);

/* sqlite_backup.c */
tomb_status tomb_sqlite_backup(tomb_conn *conn, const char *path,
                               tomb_error *err);

/* sqlite_error.c: what SQLite's code and text mean to the engine. */
tomb_status tomb_sqlite_error(tomb_error *err, int code, const char *text);
/* The same for the last failure on `db`. */
tomb_status tomb_sqlite_fail(tomb_error *err, struct sqlite3 *db);
/* The same with `Cannot <verb> "<path>" - ` in front of the text. */
tomb_status tomb_sqlite_error_at(tomb_error *err, int code, const char *text,
                                 const char *verb, const char *path);

#endif
