/*
** sqlite_parts.h - what the files of the SQLite driver share.
**
** SQLite is called through the routines of a connection, since a host that
** lends its own may have a copy of its own.
*/
#ifndef TOMB_SQLITE_PARTS_H
#define TOMB_SQLITE_PARTS_H

#ifndef SQLITE_CORE
#define SQLITE_CORE 1 /* no macros: calls say through which routines they go */
#endif
#include <sqlite3ext.h>

#include "sqlite.h"
#include "sqlite_limits.h"

struct tomb_conn {
  const sqlite3_api_routines *sqlite;
  sqlite3 *db;
  int patience_ms;        /* as given at open: SQLite cannot be asked for it */
  struct tomb_loan *loan; /* the host's connection; NULL: our own */
  tomb_commons commons;   /* of our own; see driver.h */
  tomb_guard guard;
};

struct tomb_stmt {
  const sqlite3_api_routines *sqlite; /* the connection's, at hand */
  sqlite3_stmt *handle;
  tomb_conn *conn;
};

/* sqlite_linked.c: NULL in a build without one. */
const sqlite3_api_routines *tomb_sqlite_linked(void);

/* sqlite_open.c: opens conn->db, checked and configured. */
tomb_status tomb_sqlite_open_file(tomb_conn *conn, const char *path,
                                  const tomb_options *options, tomb_error *err);
/* Sleeps a little if `code` is a lock of somebody else and patience is left;
** false means: give up. */
bool tomb_sqlite_wait(const sqlite3_api_routines *sqlite, int code,
                      int *patience_ms);

/* ---- SQL functions ------------------------------------------------ */

/* A word that we add to SQL. */
typedef struct tomb_sqlite_word tomb_sqlite_word;
struct tomb_sqlite_word {
  const char *name;
  int arguments;
  void (*function)(const sqlite3_api_routines *sqlite, sqlite3_context *context,
                   sqlite3_value **args);
};

/* The i-th of all of them, or NULL: sqlite_function.c has what every
** statement may need, sqlite_adoption.c what migrations need besides. */
const tomb_sqlite_word *tomb_sqlite_word_at(size_t i);
const tomb_sqlite_word *tomb_sqlite_adoption_word(size_t i);

/* sqlite_entry.c: teaches the connection a word; answers SQLite's code.
** SQLite calls `drop` with the word when it forgets it; or NULL. */
int tomb_sqlite_teach(const tomb_conn *conn, const tomb_sqlite_word *word,
                      void (*drop)(void *));
/* Takes it off again. */
int tomb_sqlite_unteach(const tomb_conn *conn, const tomb_sqlite_word *word);
/* True when SQL functions can be told which copy of SQLite calls them. */
bool tomb_sqlite_entry_ready(const sqlite3_api_routines *sqlite);

/* ---- borrowed connections ----------------------------------------- */

/* sqlite_loan.c: True when the host has closed the connection, which lives on
** only for what we hold of it. */
bool tomb_sqlite_is_gone(const tomb_conn *conn);
tomb_status tomb_sqlite_say_gone(tomb_error *err);
/* Of our own connection, or of all who have borrowed it. */
tomb_commons *tomb_sqlite_commons(tomb_conn *conn);
/* Undoes our part of what is open: a transaction of ours, or with `inside`
** the savepoint in the host's. */
void tomb_sqlite_abandon(tomb_conn *conn, bool inside);
/* Gives the connection back; the host has it as it was. */
void tomb_sqlite_give_back(tomb_conn *conn);

/* sqlite_backup.c */
tomb_status tomb_sqlite_backup(tomb_conn *conn, const char *path,
                               tomb_error *err);

/* ---- errors ------------------------------------------------------- */

/* sqlite_error.c: what SQLite's code and text mean to the engine. */
tomb_status tomb_sqlite_error(tomb_error *err, int code, const char *text);
/* The same for the last failure on the connection. */
tomb_status tomb_sqlite_fail(tomb_error *err, const tomb_conn *conn);
/* The same with `Cannot <verb> "<path>" - ` in front of the text. */
tomb_status tomb_sqlite_error_at(tomb_error *err, int code, const char *text,
                                 const char *verb, const char *path);

#endif
