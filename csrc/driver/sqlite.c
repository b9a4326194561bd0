/*
** sqlite.c - SQLite by the contract of driver.h. A statement of the driver is
** SQLite's own handle, so that preparing and stepping allocate nothing here.
*/
#include "sqlite.h"

#include <limits.h>
#include <sqlite3.h>
#include <string.h>

#include "dialect.h"
#include "error.h"
#include "instant.h"
#include "sqlite_limits.h"

static sqlite3_stmt *handle(tomb_stmt *stmt) {
  return (sqlite3_stmt *)stmt;
}

static tomb_status fail(tomb_stmt *stmt, tomb_error *err) {
  return tomb_sqlite_fail(err, sqlite3_db_handle(handle(stmt)));
}

/* ---- connections -------------------------------------------------- */

tomb_status tomb_sqlite_connect(tomb_conn **out, const char *path,
                                const tomb_options *options, tomb_error *err) {
  *out = NULL;
  /* SQLite's memory, so that its limits and accounts see it */
  tomb_conn *conn = sqlite3_malloc64(sizeof *conn);
  if (conn == NULL) return tomb_out_of_memory(err);
  tomb_status status = tomb_sqlite_open_file(&conn->db, path, options, err);
  if (status != TOMB_OK) {
    sqlite3_free(conn);
    return status;
  }
  conn->patience_ms = tomb_sqlite_patience(options);
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
  sqlite3_close_v2(conn->db); /* cannot fail, also with statements left */
  sqlite3_free(conn);
}

static int64_t changes(tomb_conn *conn) {
  return sqlite3_changes64(conn->db);
}

static int64_t last_insert_id(tomb_conn *conn) {
  return sqlite3_last_insert_rowid(conn->db);
}

static bool in_transaction(tomb_conn *conn) {
  return sqlite3_get_autocommit(conn->db) == 0;
}

/* Such pragmas do their work when they are prepared. */
static tomb_status run_pragma(tomb_conn *conn, const char *sql, int *answer,
                              tomb_error *err) {
  sqlite3_stmt *stmt = NULL;
  int code = sqlite3_prepare_v2(conn->db, sql, -1, &stmt, NULL);
  if (code != SQLITE_OK) return tomb_sqlite_fail(err, conn->db);
  if (sqlite3_step(stmt) == SQLITE_ROW) {
    *answer = sqlite3_column_int(stmt, 0);
  }
  code = sqlite3_finalize(stmt); /* as the step, if that failed */
  return code == SQLITE_OK ? TOMB_OK : tomb_sqlite_fail(err, conn->db);
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
  (void)conn;
  return sqlite3_libversion();
}

static bool has_wal_reset_bug(int number) {
  bool backported = (number >= 3044006 && number < 3045000) ||
                    (number >= 3050007 && number < 3051000);
  return number >= 3007000 && number < 3051003 && !backported;
}

static const char *warning(tomb_conn *conn) {
  (void)conn;
  if (!has_wal_reset_bug(sqlite3_libversion_number())) return NULL;
  return "this SQLite can lose or damage data when several connections write "
         "and checkpoint at once (sqlite.org/wal.html#walresetbug): use "
         "3.51.3, 3.50.7, 3.44.6 or later";
}

static tomb_status backup(tomb_conn *conn, const char *path, tomb_error *err) {
  return tomb_sqlite_backup(conn, path, err);
}

/* ---- statements --------------------------------------------------- */

static tomb_status prepare(tomb_conn *conn, tomb_stmt **out, const char *sql,
                           size_t size, size_t *used, tomb_error *err) {
  *out = NULL;
  *used = size;
  if (size == 0) return TOMB_OK;
  if (size > INT_MAX) {
    return tomb_sqlite_error(err, SQLITE_TOOBIG, "statement too long");
  }
  /* SQLite would end there and ignore the rest */
  if (memchr(sql, '\0', size) != NULL) {
    return tomb_fail(err, TOMB_MISUSE, "statement contains a zero byte");
  }
  sqlite3_stmt *stmt = NULL;
  const char *tail = NULL;
  int code = sqlite3_prepare_v3(conn->db, sql, (int)size,
                                SQLITE_PREPARE_PERSISTENT, &stmt, &tail);
  if (code != SQLITE_OK) return tomb_sqlite_fail(err, conn->db);
  if (stmt != NULL) *used = (size_t)(tail - sql);
  *out = (tomb_stmt *)stmt;
  return TOMB_OK;
}

static void finalize(tomb_stmt *stmt) {
  sqlite3_finalize(handle(stmt));
}

static void reset(tomb_stmt *stmt) {
  sqlite3_reset(handle(stmt));
}

static size_t parameters(tomb_stmt *stmt) {
  return (size_t)sqlite3_bind_parameter_count(handle(stmt));
}

static size_t columns(tomb_stmt *stmt) {
  return (size_t)sqlite3_column_count(handle(stmt));
}

static const char *column_name(tomb_stmt *stmt, size_t i) {
  const char *name = sqlite3_column_name(handle(stmt), (int)i);
  return name != NULL ? name : "";
}

/* ---- values in ---------------------------------------------------- */

static int bind_time(sqlite3_stmt *stmt, int i, int64_t microseconds) {
  char text[TOMB_TIME_SIZE];
  size_t size = tomb_time_format(text, microseconds);
  return sqlite3_bind_text64(stmt, i, text, size, SQLITE_TRANSIENT,
                             SQLITE_UTF8);
}

/* SQLite takes a NULL pointer for NULL, but an empty text is a text. */
static const char *bytes_of(const tomb_value *value) {
  return value->as.text.size > 0 ? value->as.text.data : "";
}

static int bind_one(sqlite3_stmt *stmt, int i, const tomb_value *value,
                    sqlite3_destructor_type keep) {
  switch (value->type) {
  case TOMB_INTEGER:
  case TOMB_BOOLEAN: return sqlite3_bind_int64(stmt, i, value->as.integer);
  case TOMB_NUMBER: return sqlite3_bind_double(stmt, i, value->as.number);
  case TOMB_TIME: return bind_time(stmt, i, value->as.integer);
  case TOMB_TEXT:
    return sqlite3_bind_text64(stmt, i, bytes_of(value), value->as.text.size,
                               keep, SQLITE_UTF8);
  case TOMB_BLOB:
    return sqlite3_bind_blob64(stmt, i, bytes_of(value), value->as.text.size,
                               keep);
  case TOMB_ABSENT:
  case TOMB_REFUSED:
  case TOMB_NULL: break;
  }
  return sqlite3_bind_null(stmt, i);
}

static tomb_status bind(tomb_stmt *stmt, const tomb_value *values, size_t n,
                        bool copy, tomb_error *err) {
  sqlite3_destructor_type keep = copy ? SQLITE_TRANSIENT : SQLITE_STATIC;
  if (n != parameters(stmt)) {
    return tomb_fail(err, TOMB_MISUSE, "statement takes %zu values, got %zu",
                     parameters(stmt), n);
  }
  for (size_t i = 0; i < n; i++) {
    if (bind_one(handle(stmt), (int)i + 1, &values[i], keep) != SQLITE_OK) {
      tomb_status status = fail(stmt, err);
      sqlite3_clear_bindings(handle(stmt)); /* borrowed texts may go now */
      return status;
    }
  }
  return TOMB_OK;
}

/* ---- rows out ----------------------------------------------------- */

static tomb_status step(tomb_stmt *stmt, tomb_error *err) {
  int code = sqlite3_step(handle(stmt));
  if (code == SQLITE_ROW) return TOMB_ROW;
  if (code == SQLITE_DONE) return TOMB_DONE;
  tomb_status status = fail(stmt, err);
  reset(stmt); /* after the message is copied; frees the locks */
  return status;
}

static bool read_text(sqlite3_value *value, tomb_value *out) {
  const unsigned char *data = sqlite3_value_text(value);
  out->type = TOMB_TEXT;
  out->as.text.data = (const char *)data;
  out->as.text.size = (size_t)sqlite3_value_bytes(value);
  return data != NULL; /* also the empty text has a pointer */
}

static bool read_blob(sqlite3_value *value, tomb_value *out) {
  const void *data = sqlite3_value_blob(value);
  out->type = TOMB_BLOB;
  out->as.text.size = (size_t)sqlite3_value_bytes(value);
  out->as.text.data = data != NULL ? data : "";
  return data != NULL || out->as.text.size == 0;
}

/* One look for the column; its value may be asked since the connection has no
** mutex that would guard it. */
static bool read_one(sqlite3_value *value, tomb_value *out) {
  switch (sqlite3_value_type(value)) {
  case SQLITE_INTEGER:
    out->type = TOMB_INTEGER;
    out->as.integer = sqlite3_value_int64(value);
    return true;
  case SQLITE_FLOAT:
    out->type = TOMB_NUMBER;
    out->as.number = sqlite3_value_double(value);
    return true;
  case SQLITE_TEXT: return read_text(value, out);
  case SQLITE_BLOB: return read_blob(value, out);
  default: out->type = TOMB_NULL; return true;
  }
}

static bool row(tomb_stmt *stmt, tomb_value *values, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!read_one(sqlite3_column_value(handle(stmt), (int)i), &values[i])) {
      return false;
    }
  }
  return true;
}

const tomb_driver tomb_sqlite_driver = {
    .name = "sqlite",
    .bounds = &tomb_sqlite_bounds,
    .dialect = &tomb_sqlite_dialect,
    .close = close_conn,
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
    .backup = backup,
};
