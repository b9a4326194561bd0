/*
** sqlite.c - SQLite by the contract of driver.h.
*/
#include <limits.h>
#include <string.h>

#include "dialect.h"
#include "error.h"
#include "instant.h"
#include "sqlite_parts.h"

#define WIDE_CHANGES 3037000 /* the first with changes64 */

static tomb_status fail(tomb_stmt *stmt, tomb_error *err) {
  return tomb_sqlite_fail(err, stmt->conn);
}

/* ---- connections -------------------------------------------------- */

static tomb_status need_linked(const sqlite3_api_routines *sqlite,
                               tomb_error *err) {
  if (sqlite != NULL) return TOMB_OK;
  tomb_fail(err, TOMB_CONNECTION, "This build has no SQLite of its own");
  tomb_error_hint(err, "the host lends a connection: see tomb_borrow_sqlite");
  return TOMB_CONNECTION;
}

tomb_status tomb_sqlite_connect(tomb_conn **out, const char *path,
                                const tomb_options *options, tomb_error *err) {
  const sqlite3_api_routines *sqlite = tomb_sqlite_linked();
  *out = NULL;
  tomb_status status = need_linked(sqlite, err);
  if (status != TOMB_OK) return status;
  /* SQLite's memory, so that its limits and accounts see it */
  tomb_conn *conn = sqlite->malloc64(sizeof *conn);
  if (conn == NULL) return tomb_out_of_memory(err);
  memset(conn, 0, sizeof *conn);
  conn->sqlite = sqlite;
  status = tomb_sqlite_open_file(conn, path, options, err);
  if (status != TOMB_OK) {
    sqlite->free(conn);
    return status;
  }
  tomb_sqlite_guard(conn);
  *out = conn;
  return TOMB_OK;
}

tomb_status tomb_open_sqlite(tomb_db **out, const char *path,
                             const tomb_options *options, tomb_error *err) {
  tomb_conn *conn;
  *out = NULL;
  tomb_status status = tomb_sqlite_connect(&conn, path, options, err);
  if (status != TOMB_OK) return status;
  return tomb_db_new(out, &tomb_sqlite_driver, conn, options, err);
}

static void close_conn(tomb_conn *conn) {
  if (!tomb_sqlite_unguard(conn)) return; /* inherited */
  if (conn->loan != NULL) {
    tomb_sqlite_give_back(conn);
  } else {
    conn->sqlite->close_v2(conn->db); /* cannot fail, also with statements */
    conn->sqlite->free(conn);
  }
}

static int64_t changes(tomb_conn *conn) {
  const sqlite3_api_routines *sqlite = conn->sqlite;
  if (sqlite->libversion_number() < WIDE_CHANGES) {
    return sqlite->changes(conn->db);
  }
  return sqlite->changes64(conn->db);
}

static int64_t last_insert_id(tomb_conn *conn) {
  return conn->sqlite->last_insert_rowid(conn->db);
}

static bool in_transaction(tomb_conn *conn) {
  return conn->sqlite->get_autocommit(conn->db) == 0;
}

/* Such pragmas do their work when they are prepared. */
static tomb_status run_pragma(tomb_conn *conn, const char *sql, int *answer,
                              tomb_error *err) {
  const sqlite3_api_routines *sqlite = conn->sqlite;
  sqlite3_stmt *stmt = NULL;
  int code = sqlite->prepare_v2(conn->db, sql, -1, &stmt, NULL);
  if (code != SQLITE_OK) return tomb_sqlite_fail(err, conn);
  if (sqlite->step(stmt) == SQLITE_ROW) *answer = sqlite->column_int(stmt, 0);
  code = sqlite->finalize(stmt); /* as the step, if that failed */
  return code == SQLITE_OK ? TOMB_OK : tomb_sqlite_fail(err, conn);
}

static tomb_status overwrite(tomb_conn *conn, int *level, tomb_error *err) {
  static const char *const set[] = {"PRAGMA secure_delete = OFF",
                                    "PRAGMA secure_delete = ON",
                                    "PRAGMA secure_delete = FAST"};
  int before = 0, now = 0;
  tomb_status status = run_pragma(conn, "PRAGMA secure_delete", &before, err);
  if (status != TOMB_OK) return status;
  status = run_pragma(conn, set[*level], &now, err);
  *level = before;
  return status;
}

static const char *version(tomb_conn *conn) {
  return conn->sqlite->libversion();
}

static bool has_wal_reset_bug(int number) {
  bool backported = (number >= 3044006 && number < 3045000) ||
                    (number >= 3050007 && number < 3051000);
  return number >= 3007000 && number < 3051003 && !backported;
}

static const char *warning(tomb_conn *conn) {
  if (!has_wal_reset_bug(conn->sqlite->libversion_number())) return NULL;
  return "this SQLite can lose or damage data when several connections write "
         "and checkpoint at once (sqlite.org/wal.html#walresetbug): use "
         "3.51.3, 3.50.7, 3.44.6 or later";
}

/* ---- statements --------------------------------------------------- */

static tomb_status check_text(const char *sql, size_t size, tomb_error *err) {
  if (size > INT_MAX) {
    return tomb_sqlite_error(err, SQLITE_TOOBIG, "statement too long");
  }
  /* SQLite would end there and ignore the rest */
  if (memchr(sql, '\0', size) != NULL) {
    return tomb_fail(err, TOMB_MISUSE, "statement contains a zero byte");
  }
  return TOMB_OK;
}

static tomb_status wrap(tomb_conn *conn, tomb_stmt **out, sqlite3_stmt *handle,
                        tomb_error *err) {
  tomb_stmt *stmt = conn->sqlite->malloc64(sizeof *stmt);
  if (stmt == NULL) {
    conn->sqlite->finalize(handle);
    return tomb_out_of_memory(err);
  }
  stmt->sqlite = conn->sqlite;
  stmt->handle = handle;
  stmt->conn = conn;
  *out = stmt;
  return TOMB_OK;
}

static tomb_status prepare(tomb_conn *conn, tomb_stmt **out, const char *sql,
                           size_t size, size_t *used, tomb_error *err) {
  *out = NULL;
  *used = size;
  if (size == 0) return TOMB_OK;
  tomb_status status = check_text(sql, size, err);
  if (status != TOMB_OK) return status;
  sqlite3_stmt *handle = NULL;
  const char *tail = NULL;
  int code = conn->sqlite->prepare_v3(
      conn->db, sql, (int)size, SQLITE_PREPARE_PERSISTENT, &handle, &tail);
  if (code != SQLITE_OK) {
    if (tomb_sqlite_is_gone(conn)) return tomb_sqlite_say_gone(err);
    return tomb_sqlite_fail(err, conn);
  }
  if (handle == NULL) return TOMB_OK;
  *used = (size_t)(tail - sql);
  return wrap(conn, out, handle, err);
}

static void finalize(tomb_stmt *stmt) {
  const sqlite3_api_routines *sqlite = stmt->sqlite;
  sqlite->finalize(stmt->handle);
  sqlite->free(stmt);
}

static void reset(tomb_stmt *stmt) {
  stmt->sqlite->reset(stmt->handle);
}

static size_t parameters(tomb_stmt *stmt) {
  return (size_t)stmt->sqlite->bind_parameter_count(stmt->handle);
}

static size_t columns(tomb_stmt *stmt) {
  return (size_t)stmt->sqlite->column_count(stmt->handle);
}

static const char *column_name(tomb_stmt *stmt, size_t i) {
  const char *name = stmt->sqlite->column_name(stmt->handle, (int)i);
  return name != NULL ? name : "";
}

/* ---- values in ---------------------------------------------------- */

static int bind_time(const tomb_stmt *stmt, int i, int64_t microseconds) {
  char text[TOMB_TIME_SIZE];
  size_t size = tomb_time_format(text, microseconds);
  return stmt->sqlite->bind_text64(stmt->handle, i, text, size,
                                   SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* SQLite takes a NULL pointer for NULL, but an empty text is a text. */
static const char *bytes_of(const tomb_value *value) {
  return value->as.text.size > 0 ? value->as.text.data : "";
}

static int bind_one(const tomb_stmt *stmt, int i, const tomb_value *value,
                    sqlite3_destructor_type keep) {
  const sqlite3_api_routines *sqlite = stmt->sqlite;
  sqlite3_stmt *handle = stmt->handle;
  switch (value->type) {
  case TOMB_INTEGER:
  case TOMB_BOOLEAN: return sqlite->bind_int64(handle, i, value->as.integer);
  case TOMB_NUMBER: return sqlite->bind_double(handle, i, value->as.number);
  case TOMB_TIME: return bind_time(stmt, i, value->as.integer);
  case TOMB_TEXT:
    return sqlite->bind_text64(handle, i, bytes_of(value), value->as.text.size,
                               keep, SQLITE_UTF8);
  case TOMB_BLOB:
    return sqlite->bind_blob64(handle, i, bytes_of(value), value->as.text.size,
                               keep);
  case TOMB_ABSENT:
  case TOMB_REFUSED:
  case TOMB_NULL: break;
  }
  return sqlite->bind_null(handle, i);
}

static tomb_status bind(tomb_stmt *stmt, const tomb_value *values, size_t n,
                        bool copy, tomb_error *err) {
  sqlite3_destructor_type keep = copy ? SQLITE_TRANSIENT : SQLITE_STATIC;
  if (tomb_sqlite_is_gone(stmt->conn)) return tomb_sqlite_say_gone(err);
  if (n != parameters(stmt)) {
    return tomb_fail(err, TOMB_MISUSE, "statement takes %zu values, got %zu",
                     parameters(stmt), n);
  }
  for (size_t i = 0; i < n; i++) {
    if (bind_one(stmt, (int)i + 1, &values[i], keep) != SQLITE_OK) {
      tomb_status status = fail(stmt, err);
      /* borrowed texts may go now */
      stmt->sqlite->clear_bindings(stmt->handle);
      return status;
    }
  }
  return TOMB_OK;
}

/* ---- rows out ----------------------------------------------------- */

static tomb_status step(tomb_stmt *stmt, tomb_error *err) {
  int code = stmt->sqlite->step(stmt->handle);
  if (code == SQLITE_ROW) return TOMB_ROW;
  if (code == SQLITE_DONE) return TOMB_DONE;
  tomb_status status = fail(stmt, err);
  reset(stmt); /* after the message is copied; frees the locks */
  return status;
}

static bool read_text(const sqlite3_api_routines *sqlite, sqlite3_value *value,
                      tomb_value *out) {
  const unsigned char *data = sqlite->value_text(value);
  out->type = TOMB_TEXT;
  out->as.text.data = (const char *)data;
  out->as.text.size = (size_t)sqlite->value_bytes(value);
  return data != NULL; /* also the empty text has a pointer */
}

static bool read_blob(const sqlite3_api_routines *sqlite, sqlite3_value *value,
                      tomb_value *out) {
  const void *data = sqlite->value_blob(value);
  out->type = TOMB_BLOB;
  out->as.text.size = (size_t)sqlite->value_bytes(value);
  out->as.text.data = data != NULL ? data : "";
  return data != NULL || out->as.text.size == 0;
}

/* One look for the column; its value may be asked since the connection has no
** mutex that would guard it. */
static bool read_one(const sqlite3_api_routines *sqlite, sqlite3_value *value,
                     tomb_value *out) {
  switch (sqlite->value_type(value)) {
  case SQLITE_INTEGER:
    out->type = TOMB_INTEGER;
    out->as.integer = sqlite->value_int64(value);
    return true;
  case SQLITE_FLOAT:
    out->type = TOMB_NUMBER;
    out->as.number = sqlite->value_double(value);
    return true;
  case SQLITE_TEXT: return read_text(sqlite, value, out);
  case SQLITE_BLOB: return read_blob(sqlite, value, out);
  default: out->type = TOMB_NULL; return true;
  }
}

static bool row(tomb_stmt *stmt, tomb_value *values, size_t n) {
  const sqlite3_api_routines *sqlite = stmt->sqlite;
  for (size_t i = 0; i < n; i++) {
    sqlite3_value *value = sqlite->column_value(stmt->handle, (int)i);
    if (!read_one(sqlite, value, &values[i])) return false;
  }
  return true;
}

const tomb_driver tomb_sqlite_driver = {
    .name = "sqlite",
    .bounds = &tomb_sqlite_bounds,
    .dialect = &tomb_sqlite_dialect,
    .close = close_conn,
    .commons = tomb_sqlite_commons,
    .abandon = tomb_sqlite_abandon,
    .prepare = prepare,
    .finalize = finalize,
    .parameters = parameters,
    .columns = columns,
    .column_name = column_name,
    .bind = bind,
    .step = step,
    .row = row,
    .reset = reset,
    .changes = changes,
    .last_insert_id = last_insert_id,
    .in_transaction = in_transaction,
    .overwrite = overwrite,
    .version = version,
    .warning = warning,
    .backup = tomb_sqlite_backup,
};
