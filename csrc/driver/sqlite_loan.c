/*
** sqlite_loan.c - connections of a host: what is taken with them, and how they
** are given back as they were.
**
** Statements that are kept for as long as the loan make sqlite3_close of the
** host answer SQLITE_BUSY, and keep the memory of a connection that
** sqlite3_close_v2 has ended; they are also those that undo our part of a
** transaction, so that this needs no memory.
*/
#include <string.h>

#include "error.h"
#include "sqlite_parts.h"
#include "tombstone_sqlite.h"

#define OLDEST 3035000       /* the first with RETURNING */
#define WITH_CHANGES 3037000 /* the first whose routines go on behind 3.35's */

/* What a connection was taught, for all who have borrowed it: SQLite keeps it
** as the data of a function that hands it out to those who know the way. */
struct lesson {
  tomb_sqlite_word word; /* that function */
  size_t borrowers;
  unsigned taught; /* a bit for each word that is not the host's own */
  tomb_commons commons;
};

struct tomb_loan {
  struct lesson *lesson;
  sqlite3_stmt *rollback, *rollback_to, *release;
};

/* ---- the lesson --------------------------------------------------- */

/* No text of SQL makes such a pointer, and no other version takes it. */
static const char kind_of_pointer[] = "tombstone loan " TOMB_VERSION;

static void hand_out(const sqlite3_api_routines *sqlite,
                     sqlite3_context *context, sqlite3_value **args) {
  struct lesson **out = sqlite->value_pointer(args[0], kind_of_pointer);
  if (out != NULL) *out = sqlite->user_data(context);
}

static int prepare(const tomb_conn *conn, sqlite3_stmt **out, const char *sql) {
  *out = NULL;
  return conn->sqlite->prepare_v2(conn->db, sql, -1, out, NULL);
}

/* A function that the connection does not know cannot be prepared: then the
** answer is SQLITE_ERROR, and others are failures. */
static int look_up(const tomb_conn *conn, const tomb_sqlite_word *word) {
  sqlite3_stmt *stmt;
  char sql[64] = "SELECT ";
  strcat(sql, word->name);
  strcat(sql, word->arguments == 1 ? "(1)" : "(1, 2)");
  int code = prepare(conn, &stmt, sql);
  conn->sqlite->finalize(stmt);
  return code;
}

/* The same for the lesson. Where that is known but not handed out, another copy
** or version of this library has borrowed the connection. */
static int find_lesson(const tomb_conn *conn, struct lesson **out) {
  const sqlite3_api_routines *sqlite = conn->sqlite;
  sqlite3_stmt *stmt;
  *out = NULL;
  int code = prepare(conn, &stmt, "SELECT tombstone_loan(?)");
  if (code != SQLITE_OK) return code;
  /* the name of the type must outlive the statement */
  code = sqlite->bind_pointer(stmt, 1, out, kind_of_pointer, NULL);
  if (code == SQLITE_OK) sqlite->step(stmt);
  int result = sqlite->finalize(stmt);
  return code == SQLITE_OK ? result : code;
}

static int new_lesson(const tomb_conn *conn, struct lesson **out) {
  struct lesson *made = conn->sqlite->malloc64(sizeof *made);
  *out = NULL;
  if (made == NULL) return SQLITE_NOMEM;
  memset(made, 0, sizeof *made);
  made->commons.lent = true;
  made->word.name = "tombstone_loan";
  made->word.arguments = 1;
  made->word.function = hand_out;
  /* frees it, also when it fails */
  int code = tomb_sqlite_teach(conn, &made->word, conn->sqlite->free);
  if (code == SQLITE_OK) *out = made;
  return code;
}

static int teach(const tomb_conn *conn, struct lesson *lesson) {
  const tomb_sqlite_word *word;
  for (size_t i = 0; (word = tomb_sqlite_word_at(i)) != NULL; i++) {
    int code = look_up(conn, word);
    if (code == SQLITE_OK) continue;
    if (code == SQLITE_ERROR) code = tomb_sqlite_teach(conn, word, NULL);
    if (code != SQLITE_OK) return code;
    lesson->taught |= 1u << i;
  }
  return SQLITE_OK;
}

/* While a statement of the host runs SQLite forgets nothing: then the words
** stay for the next borrower, or until the host closes. */
static void unteach(const tomb_conn *conn, struct lesson *lesson) {
  const tomb_sqlite_word *word;
  for (size_t i = 0; (word = tomb_sqlite_word_at(i)) != NULL; i++) {
    if ((lesson->taught & (1u << i)) == 0) continue;
    if (tomb_sqlite_unteach(conn, word) != SQLITE_OK) return;
    lesson->taught &= ~(1u << i);
  }
  tomb_sqlite_unteach(conn, &lesson->word);
}

static tomb_status fail(const tomb_conn *conn, int code, tomb_error *err) {
  return tomb_sqlite_error(err, code, conn->sqlite->errstr(code));
}

static tomb_status refuse_stranger(tomb_error *err) {
  tomb_fail(err, TOMB_MISUSE,
            "Cannot borrow the connection - another copy of tombstone has");
  tomb_error_hint(err, "load one copy of the library, of one version");
  return TOMB_MISUSE;
}

static tomb_status learn(tomb_conn *conn, tomb_error *err) {
  struct lesson *found;
  int code = find_lesson(conn, &found);
  if (code == SQLITE_OK && found == NULL) return refuse_stranger(err);
  if (code == SQLITE_ERROR) code = new_lesson(conn, &found);
  if (code != SQLITE_OK) return fail(conn, code, err);
  found->borrowers++;
  conn->loan->lesson = found;
  code = teach(conn, found);
  return code == SQLITE_OK ? TOMB_OK : fail(conn, code, err);
}

tomb_commons *tomb_sqlite_commons(tomb_conn *conn) {
  return conn->loan == NULL ? &conn->commons : &conn->loan->lesson->commons;
}

/* ---- giving back -------------------------------------------------- */

static void finalize_all(const tomb_conn *conn) {
  struct tomb_loan *loan = conn->loan;
  conn->sqlite->finalize(loan->rollback);
  conn->sqlite->finalize(loan->rollback_to);
  conn->sqlite->finalize(loan->release); /* a closed connection ends here */
}

void tomb_sqlite_give_back(tomb_conn *conn) {
  const sqlite3_api_routines *sqlite = conn->sqlite;
  struct lesson *lesson = conn->loan->lesson;
  if (lesson != NULL && --lesson->borrowers == 0) unteach(conn, lesson);
  finalize_all(conn);
  sqlite->free(conn->loan);
  sqlite->free(conn);
}

static void run(const tomb_conn *conn, sqlite3_stmt *stmt) {
  conn->sqlite->step(stmt);
  conn->sqlite->reset(stmt);
}

void tomb_sqlite_abandon(tomb_conn *conn, bool inside) {
  if (conn->loan == NULL) return; /* closing undoes it */
  if (!inside) {
    run(conn, conn->loan->rollback);
    return;
  }
  run(conn, conn->loan->rollback_to);
  run(conn, conn->loan->release);
}

bool tomb_sqlite_is_gone(const tomb_conn *conn) {
  const sqlite3_api_routines *sqlite = conn->sqlite;
  if (conn->loan == NULL) return false;
  if ((sqlite->extended_errcode(conn->db) & 0xff) != SQLITE_MISUSE) {
    return false;
  }
  /* the last mistake of an open connection looks the same */
  sqlite3_stmt *stmt;
  int code = prepare(conn, &stmt, "SELECT 1");
  sqlite->finalize(stmt);
  return code == SQLITE_MISUSE;
}

tomb_status tomb_sqlite_say_gone(tomb_error *err) {
  tomb_fail(err, TOMB_CONNECTION, "The host has closed the connection");
  tomb_error_hint(err, "close what has borrowed a connection before it");
  return TOMB_CONNECTION;
}

/* ---- borrowing ---------------------------------------------------- */

static tomb_status refuse_option(tomb_error *err, const char *name) {
  tomb_fail(err, TOMB_MISUSE, "A borrowed connection takes no %s", name);
  tomb_error_hint(err, "the host sets up its connection itself");
  return TOMB_MISUSE;
}

static tomb_status check_options(const tomb_options *options, tomb_error *err) {
  if (options == NULL) return TOMB_OK;
  if (options->busy_timeout_ms != 0) return refuse_option(err, "busy_timeout");
  if (options->synchronous != TOMB_SYNC_FULL) {
    return refuse_option(err, "synchronous");
  }
  if (options->cache_kb != 0) return refuse_option(err, "cache_kb");
  return options->read_only ? refuse_option(err, "read_only") : TOMB_OK;
}

static bool is_complete(const sqlite3_api_routines *sqlite) {
#define IS_THERE(member, function) sqlite->member != NULL &&
  return TOMB_SQLITE_ROUTINES(IS_THERE)(
      sqlite->libversion_number() < WITH_CHANGES || sqlite->changes64 != NULL);
}

static tomb_status check_routines(const sqlite3_api_routines *sqlite,
                                  tomb_error *err) {
  if (sqlite == NULL) {
    tomb_fail(err, TOMB_MISUSE, "This build has no SQLite of its own");
    tomb_error_hint(err, "hand over the routines of the host's SQLite with "
                         "the connection");
    return TOMB_MISUSE;
  }
  if (sqlite->libversion_number() < OLDEST) {
    tomb_fail(err, TOMB_CONNECTION, "The host's SQLite %s is too old",
              sqlite->libversion());
    tomb_error_hint(err, "use 3.35 or later");
    return TOMB_CONNECTION;
  }
  if (!is_complete(sqlite)) {
    tomb_fail(err, TOMB_CONNECTION, "The host's SQLite lacks routines");
    tomb_error_hint(err, "fill them with tomb_sqlite_routines, and build "
                         "SQLite without OMIT options");
    return TOMB_CONNECTION;
  }
  if (tomb_sqlite_entry_ready(sqlite)) return TOMB_OK;
  tomb_fail(err, TOMB_CONNECTION,
            "Connections of too many copies of SQLite were borrowed");
  tomb_error_hint(err, "keep the routines of a copy in one place");
  return TOMB_CONNECTION;
}

/* The lists of keys that statements take are JSON. */
static tomb_status check_connection(const tomb_conn *conn, tomb_error *err) {
  sqlite3_stmt *stmt;
  int code = prepare(conn, &stmt, "SELECT value FROM json_each('[]')");
  conn->sqlite->finalize(stmt);
  if (code == SQLITE_OK) return TOMB_OK;
  if (code == SQLITE_MISUSE) {
    tomb_fail(err, TOMB_CONNECTION,
              "Cannot borrow the connection - it is closed");
    tomb_error_hint(err, "lend one that is open");
    return TOMB_CONNECTION;
  }
  if (code != SQLITE_ERROR) return fail(conn, code, err);
  tomb_fail(err, TOMB_CONNECTION, "The host's SQLite lacks JSON functions");
  tomb_error_hint(err, "build it with them; they are built in since 3.38");
  return TOMB_CONNECTION;
}

static tomb_status hold(tomb_conn *conn, tomb_error *err) {
  struct tomb_loan *loan = conn->loan;
  int code = prepare(conn, &loan->rollback, "ROLLBACK");
  if (code == SQLITE_OK) {
    code = prepare(conn, &loan->rollback_to, "ROLLBACK TO tombstone_0");
  }
  if (code == SQLITE_OK) {
    code = prepare(conn, &loan->release, "RELEASE tombstone_0");
  }
  return code == SQLITE_OK ? TOMB_OK : fail(conn, code, err);
}

static tomb_conn *new_conn(const sqlite3_api_routines *sqlite, sqlite3 *db) {
  tomb_conn *conn = sqlite->malloc64(sizeof *conn);
  struct tomb_loan *loan = sqlite->malloc64(sizeof *loan);
  if (conn == NULL || loan == NULL) {
    sqlite->free(conn);
    sqlite->free(loan);
    return NULL;
  }
  memset(conn, 0, sizeof *conn);
  memset(loan, 0, sizeof *loan);
  conn->sqlite = sqlite;
  conn->db = db;
  conn->patience_ms = 5000; /* of a backup: statements wait as the host does */
  conn->loan = loan;
  return conn;
}

tomb_status tomb_sqlite_borrow(tomb_conn **out, struct sqlite3 *db,
                               const struct sqlite3_api_routines *routines,
                               const tomb_options *options, tomb_error *err) {
  const sqlite3_api_routines *sqlite =
      routines == NULL ? tomb_sqlite_linked() : routines;
  *out = NULL;
  if (db == NULL) return tomb_fail(err, TOMB_MISUSE, "No connection was given");
  tomb_status status = check_options(options, err);
  if (status == TOMB_OK) status = check_routines(sqlite, err);
  if (status != TOMB_OK) return status;
  tomb_conn *conn = new_conn(sqlite, db);
  if (conn == NULL) return tomb_out_of_memory(err);
  status = check_connection(conn, err);
  if (status == TOMB_OK) status = hold(conn, err);
  if (status == TOMB_OK) status = learn(conn, err);
  if (status != TOMB_OK) {
    tomb_sqlite_give_back(conn);
    return status;
  }
  tomb_sqlite_guard(conn);
  *out = conn;
  return TOMB_OK;
}

tomb_status tomb_borrow_sqlite(tomb_db **out, struct sqlite3 *db,
                               const struct sqlite3_api_routines *routines,
                               const tomb_options *options, tomb_error *err) {
  tomb_conn *conn;
  *out = NULL;
  tomb_status status = tomb_sqlite_borrow(&conn, db, routines, options, err);
  if (status != TOMB_OK) return status;
  return tomb_db_new(out, &tomb_sqlite_driver, conn, options, err);
}
