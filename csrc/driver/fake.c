/*
** fake.c - a driver that records what the engine does, replays a script or
** passes on to SQLite, and fails where a test wants it to.
*/
#include "fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect.h"
#include "error.h"
#include "fake_parts.h"
#include "sqlite.h"

typedef struct answer {
  struct answer *next;
  tomb_fake_reply reply;
  tomb_value *values; /* the reply's, owned */
} answer;

struct tomb_conn {
  tomb_conn *inner; /* SQLite's connection; NULL: scripted */
  tomb_fake_record record;
  size_t steps_to_failure; /* 0: none is planned */
  tomb_error failure;
  /* scripted only */
  answer *first, *last;
  size_t levels; /* BEGIN and the savepoints that are open */
  int64_t changes, last_id;
  tomb_commons commons;
};

typedef enum progress { FRESH, RUNNING, OVER } progress; /* since reset */

struct tomb_stmt {
  tomb_conn *conn;
  tomb_stmt *inner;
  char *sql;
  tomb_fake_word word;
  tomb_value *values;
  size_t n;
  progress progress;
  answer *answer;
  size_t next_row;
  char name[32];
};

static const tomb_driver *const sqlite = &tomb_sqlite_driver;

/* ---- the script --------------------------------------------------- */

static void free_answer(answer *a) {
  if (a == NULL) return;
  free(a->values);
  free(a);
}

static answer *take_answer(tomb_conn *conn) {
  answer *a = conn->first;
  if (a != NULL) conn->first = a->next;
  if (conn->first == NULL) conn->last = NULL;
  return a;
}

static void follow_transaction(tomb_conn *conn, tomb_fake_word word) {
  if (word == TOMB_FAKE_BEGIN || word == TOMB_FAKE_SAVEPOINT) conn->levels++;
  if (word == TOMB_FAKE_RELEASE && conn->levels > 0) conn->levels--;
  if (word == TOMB_FAKE_END) conn->levels = 0;
}

static bool takes_answer(const tomb_stmt *stmt) {
  return stmt->word == TOMB_FAKE_OTHER || stmt->word == TOMB_FAKE_INSERT;
}

static void play(tomb_stmt *stmt) {
  tomb_conn *conn = stmt->conn;
  if (!takes_answer(stmt)) {
    follow_transaction(conn, stmt->word);
    return;
  }
  free_answer(stmt->answer);
  stmt->answer = take_answer(conn);
  stmt->next_row = 0;
  if (stmt->answer != NULL) {
    conn->changes = stmt->answer->reply.changes;
    if (stmt->answer->reply.last_id != 0) {
      conn->last_id = stmt->answer->reply.last_id;
    }
  } else {
    conn->changes = 1;
    if (stmt->word == TOMB_FAKE_INSERT) conn->last_id++;
  }
}

/* The reply that the statement has, or will take when it runs. */
static const answer *reply_of(const tomb_stmt *stmt) {
  if (stmt->progress != FRESH) return stmt->answer;
  return takes_answer(stmt) ? stmt->conn->first : NULL;
}

/* ---- connections -------------------------------------------------- */

static void close_conn(tomb_conn *conn) {
  if (conn->inner != NULL) sqlite->close(conn->inner);
  tomb_fake_clear(&conn->record);
  while (conn->first != NULL) free_answer(take_answer(conn));
  free(conn);
}

static tomb_commons *commons(tomb_conn *conn) {
  return conn->inner != NULL ? sqlite->commons(conn->inner) : &conn->commons;
}

static void abandon(tomb_conn *conn, bool inside) {
  if (conn->inner != NULL) sqlite->abandon(conn->inner, inside);
}

static int64_t changes(tomb_conn *conn) {
  return conn->inner != NULL ? sqlite->changes(conn->inner) : conn->changes;
}

static int64_t last_insert_id(tomb_conn *conn) {
  return conn->inner != NULL ? sqlite->last_insert_id(conn->inner)
                             : conn->last_id;
}

static bool in_transaction(tomb_conn *conn) {
  return conn->inner != NULL ? sqlite->in_transaction(conn->inner)
                             : conn->levels > 0;
}

static const char *version(tomb_conn *conn) {
  return conn->inner != NULL ? sqlite->version(conn->inner) : "scripted";
}

static const char *warning(tomb_conn *conn) {
  return conn->inner != NULL ? sqlite->warning(conn->inner) : NULL;
}

static tomb_status backup(tomb_conn *conn, const char *path, tomb_error *err) {
  if (conn->inner != NULL) return sqlite->backup(conn->inner, path, err);
  return tomb_fail(err, TOMB_MISUSE, "a scripted database has no backup");
}

/* ---- statements --------------------------------------------------- */

static void reset(tomb_stmt *stmt) {
  if (stmt->inner != NULL) sqlite->reset(stmt->inner);
  stmt->progress = FRESH;
  free_answer(stmt->answer);
  stmt->answer = NULL;
}

static void finalize(tomb_stmt *stmt) {
  if (stmt == NULL) return;
  if (stmt->inner != NULL) sqlite->finalize(stmt->inner);
  free_answer(stmt->answer);
  free(stmt->values);
  free(stmt->sql);
  free(stmt);
}

static tomb_stmt *new_stmt(tomb_conn *conn, const char *sql, size_t size) {
  tomb_stmt *stmt = calloc(1, sizeof *stmt);
  if (stmt == NULL) return NULL;
  stmt->conn = conn;
  stmt->sql = tomb_fake_copy_text(sql, size);
  stmt->values = tomb_fake_copy_values(NULL, 0);
  if (stmt->sql == NULL || stmt->values == NULL) {
    finalize(stmt);
    return NULL;
  }
  stmt->word = tomb_fake_word_of(stmt->sql);
  return stmt;
}

static tomb_status prepare(tomb_conn *conn, tomb_stmt **out, const char *sql,
                           size_t size, size_t *used, tomb_error *err) {
  size_t begin = tomb_fake_blank(sql, 0, size);
  size_t end = tomb_fake_end(sql, begin, size);
  tomb_stmt *inner = NULL;
  *out = NULL;
  *used = end < size ? end + 1 : size;
  if (conn->inner != NULL) {
    tomb_status status =
        sqlite->prepare(conn->inner, &inner, sql, size, used, err);
    if (status != TOMB_OK || inner == NULL) return status;
    end = *used; /* SQLite also knows where a trigger ends */
    if (sql[end - 1] == ';') end--;
  } else if (begin == size) {
    return TOMB_OK;
  }
  *out = new_stmt(conn, sql + begin, end - begin);
  if (*out == NULL) {
    sqlite->finalize(inner);
    return tomb_out_of_memory(err);
  }
  (*out)->inner = inner;
  return TOMB_OK;
}

static size_t parameters(tomb_stmt *stmt) {
  if (stmt->inner != NULL) return sqlite->parameters(stmt->inner);
  return tomb_fake_parameters(stmt->sql, strlen(stmt->sql));
}

static size_t columns(tomb_stmt *stmt) {
  if (stmt->inner != NULL) return sqlite->columns(stmt->inner);
  const answer *a = reply_of(stmt);
  return a != NULL ? a->reply.columns : 0;
}

static const char *column_name(tomb_stmt *stmt, size_t i) {
  if (stmt->inner != NULL) return sqlite->column_name(stmt->inner, i);
  snprintf(stmt->name, sizeof stmt->name, "column%zu", i + 1);
  return stmt->name;
}

/* The script lets the statement fail: before it is asked how many columns it
** has, which a failure does not say. */
static bool refuses(const tomb_stmt *stmt) {
  const answer *a = stmt->inner == NULL ? reply_of(stmt) : NULL;
  return a != NULL && a->reply.failure.kind != TOMB_OK;
}

static tomb_status refuse(tomb_stmt *stmt, tomb_error *err) {
  tomb_conn *conn = stmt->conn;
  if (!tomb_fake_keep(&conn->record, stmt->sql, stmt->values, stmt->n)) {
    return tomb_out_of_memory(err);
  }
  answer *a = take_answer(conn);
  tomb_status kind = a->reply.failure.kind;
  if (err != NULL) *err = a->reply.failure;
  free_answer(a);
  return kind;
}

static tomb_status bind(tomb_stmt *stmt, const tomb_value *values, size_t n,
                        bool copy, tomb_error *err) {
  if (n != parameters(stmt)) {
    return tomb_fail(err, TOMB_MISUSE, "statement takes %zu values, got %zu",
                     parameters(stmt), n);
  }
  tomb_value *kept = tomb_fake_copy_values(values, n);
  if (kept == NULL) return tomb_out_of_memory(err);
  free(stmt->values);
  stmt->values = kept;
  stmt->n = n;
  if (refuses(stmt)) return refuse(stmt, err);
  if (stmt->inner == NULL) return TOMB_OK;
  return sqlite->bind(stmt->inner, values, n, copy, err);
}

static bool fails_now(tomb_conn *conn) {
  if (conn->steps_to_failure == 0) return false;
  return --conn->steps_to_failure == 0;
}

static tomb_status overwrite(tomb_conn *conn, int *level, tomb_error *err) {
  if (fails_now(conn)) {
    if (err != NULL) *err = conn->failure;
    return conn->failure.kind;
  }
  if (conn->inner == NULL) return TOMB_OK;
  return sqlite->overwrite(conn->inner, level, err);
}

static tomb_status fail(tomb_stmt *stmt, tomb_error *err) {
  reset(stmt); /* as after a real failure */
  if (err != NULL) *err = stmt->conn->failure;
  return stmt->conn->failure.kind;
}

static tomb_status next_scripted(tomb_stmt *stmt) {
  const answer *a = stmt->answer;
  if (a == NULL || stmt->next_row == a->reply.rows) return TOMB_DONE;
  stmt->next_row++;
  return TOMB_ROW;
}

static tomb_status step(tomb_stmt *stmt, tomb_error *err) {
  bool first = stmt->progress != RUNNING;
  if (first &&
      !tomb_fake_keep(&stmt->conn->record, stmt->sql, stmt->values, stmt->n)) {
    return tomb_out_of_memory(err);
  }
  if (fails_now(stmt->conn)) return fail(stmt, err);
  if (first && stmt->inner == NULL) play(stmt);
  tomb_status status = stmt->inner != NULL ? sqlite->step(stmt->inner, err)
                                           : next_scripted(stmt);
  stmt->progress = status == TOMB_ROW ? RUNNING : OVER;
  return status;
}

static bool row(tomb_stmt *stmt, tomb_value *values, size_t n) {
  if (stmt->inner != NULL) return sqlite->row(stmt->inner, values, n);
  const tomb_fake_reply *reply = &stmt->answer->reply;
  const tomb_value *at =
      stmt->answer->values + (stmt->next_row - 1) * reply->columns;
  for (size_t i = 0; i < n; i++) {
    values[i] = i < reply->columns ? at[i] : (tomb_value){.type = TOMB_NULL};
  }
  return true;
}

/* ---- what tests call ---------------------------------------------- */

#define FAKE_DRIVER(spelling)                                                  \
  {                                                                            \
    .name = "fake", .dialect = &(spelling), .close = close_conn,               \
    .commons = commons, .abandon = abandon, .prepare = prepare,                \
    .finalize = finalize, .parameters = parameters, .columns = columns,        \
    .column_name = column_name, .bind = bind, .step = step, .row = row,        \
    .reset = reset, .changes = changes, .last_insert_id = last_insert_id,      \
    .in_transaction = in_transaction, .overwrite = overwrite,                  \
    .version = version, .warning = warning, .backup = backup                   \
  }

static const tomb_driver fake_driver = FAKE_DRIVER(tomb_sqlite_dialect);
static const tomb_driver fake_postgres = FAKE_DRIVER(tomb_postgres_dialect);

static tomb_status finish(tomb_db **out, tomb_conn *conn, tomb_status st,
                          const tomb_options *options, tomb_error *err) {
  if (st == TOMB_OK) return tomb_db_new(out, &fake_driver, conn, options, err);
  close_conn(conn);
  return st;
}

tomb_status tomb_open_fake(tomb_db **out, const char *path,
                           const tomb_options *options, tomb_error *err) {
  tomb_status st = TOMB_OK;
  *out = NULL;
  tomb_conn *conn = calloc(1, sizeof *conn);
  if (conn == NULL) return tomb_out_of_memory(err);
  if (path != NULL) st = tomb_sqlite_connect(&conn->inner, path, options, err);
  return finish(out, conn, st, options, err);
}

tomb_status tomb_borrow_fake(tomb_db **out, struct sqlite3 *db,
                             const struct sqlite3_api_routines *routines,
                             const tomb_options *options, tomb_error *err) {
  *out = NULL;
  tomb_conn *conn = calloc(1, sizeof *conn);
  if (conn == NULL) return tomb_out_of_memory(err);
  tomb_status st = tomb_sqlite_borrow(&conn->inner, db, routines, options, err);
  return finish(out, conn, st, options, err);
}

tomb_status tomb_open_fake_postgres(tomb_db **out, const tomb_options *options,
                                    tomb_error *err) {
  *out = NULL;
  tomb_conn *conn = calloc(1, sizeof *conn);
  if (conn == NULL) return tomb_out_of_memory(err);
  return tomb_db_new(out, &fake_postgres, conn, options, err);
}

void tomb_fake_fail(tomb_db *db, size_t nth, const tomb_error *failure) {
  tomb_conn *conn = tomb_db_conn(db);
  conn->steps_to_failure = nth;
  if (nth > 0) conn->failure = *failure;
}

tomb_status tomb_fake_answer(tomb_db *db, const tomb_fake_reply *reply) {
  tomb_conn *conn = tomb_db_conn(db);
  answer *a = calloc(1, sizeof *a);
  if (a == NULL) return TOMB_NOMEM;
  a->reply = *reply;
  a->values =
      tomb_fake_copy_values(reply->values, reply->rows * reply->columns);
  if (a->values == NULL) {
    free(a);
    return TOMB_NOMEM;
  }
  if (conn->last != NULL) conn->last->next = a;
  if (conn->first == NULL) conn->first = a;
  conn->last = a;
  return TOMB_OK;
}

size_t tomb_fake_count(tomb_db *db) {
  return tomb_db_conn(db)->record.count;
}

const char *tomb_fake_sql(tomb_db *db, size_t i) {
  const tomb_fake_record *record = &tomb_db_conn(db)->record;
  return i < record->count ? record->entries[i].sql : NULL;
}

const tomb_value *tomb_fake_values(tomb_db *db, size_t i, size_t *n) {
  const tomb_fake_record *record = &tomb_db_conn(db)->record;
  bool found = i < record->count;
  *n = found ? record->entries[i].n : 0;
  return found ? record->entries[i].values : NULL;
}

void tomb_fake_forget(tomb_db *db) {
  tomb_fake_clear(&tomb_db_conn(db)->record);
}
