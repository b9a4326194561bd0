/*
** sqlite_open.c - opening a file so that what is wrong with it shows at once,
** and setting up the connection.
*/
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>

#include "error.h"
#include "sqlite.h"

#define NAP_MS 5

int tomb_sqlite_patience(const tomb_options *options) {
  if (options == NULL || options->busy_timeout_ms == 0) return 5000;
  return options->busy_timeout_ms > 0 ? options->busy_timeout_ms : 0;
}

bool tomb_sqlite_wait(int code, int *patience_ms) {
  int kind = code & 0xff;
  if (kind != SQLITE_BUSY && kind != SQLITE_LOCKED) return false;
  if (*patience_ms <= 0) return false;
  int slept = sqlite3_sleep(*patience_ms < NAP_MS ? *patience_ms : NAP_MS);
  *patience_ms -= slept > 0 ? slept : NAP_MS;
  return true;
}

/* SQLite's busy handler does not wait where it fears a deadlock, as when two
** connections turn a new file to WAL: here we wait ourselves. */
static int run(sqlite3 *db, const char *sql, int *patience_ms) {
  int code;
  do {
    code = sqlite3_exec(db, sql, NULL, NULL, NULL);
  } while (tomb_sqlite_wait(code, patience_ms));
  return code;
}

static int configure(sqlite3 *db) {
  int code = sqlite3_extended_result_codes(db, 1);
  /* "typo" in double quotes is an error, not a string */
  if (code == SQLITE_OK) {
    code = sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, (int *)NULL);
  }
  if (code == SQLITE_OK) {
    code = sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)NULL);
  }
  if (code == SQLITE_OK) {
    code = sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 1, (int *)NULL);
  }
  return code == SQLITE_OK ? tomb_sqlite_functions(db) : code;
}

/* Reads the schema, because opening alone reads nothing, and sets how the
** file is written. */
static int prepare_file(sqlite3 *db, const tomb_options *options,
                        int patience_ms) {
  bool normal = options != NULL && options->synchronous == TOMB_SYNC_NORMAL;
  int left = patience_ms;
  int code = run(db, "SELECT 1 FROM sqlite_master LIMIT 1", &left);
  if (code != SQLITE_OK || sqlite3_db_readonly(db, "main") != 0) return code;
  code = run(db, "PRAGMA journal_mode=WAL", &left);
  if (code != SQLITE_OK) return code;
  return run(db,
             normal ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL",
             &left);
}

/* Kilobytes are negative pages to SQLite. */
static int set_cache(sqlite3 *db, const tomb_options *options) {
  char sql[64];
  if (options == NULL || options->cache_kb <= 0) return SQLITE_OK;
  snprintf(sql, sizeof sql, "PRAGMA cache_size = -%lld",
           (long long)options->cache_kb);
  return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int open_handle(sqlite3 **out, const char *path,
                       const tomb_options *options) {
  bool read_only = options != NULL && options->read_only;
  int flags = read_only ? SQLITE_OPEN_READONLY
                        : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  /* a tomb_db belongs to one thread at a time */
  flags |= SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
  int code = sqlite3_open_v2(path, out, flags, NULL);
  if (code == SQLITE_OK) code = configure(*out);
  if (code != SQLITE_OK) return code;
  int patience_ms = tomb_sqlite_patience(options);
  code = prepare_file(*out, options, patience_ms);
  return code == SQLITE_OK ? set_cache(*out, options) : code;
}

static void hint_by_errno(tomb_error *err, int number) {
  if (number == ENOENT || number == ENOTDIR) {
    tomb_error_hint(err, "the file or its folder is missing or closed to us: "
                         "check the path");
  } else if (number == EISDIR) {
    tomb_error_hint(err, "this is a folder: name a file");
  } else if (number == EACCES || number == EPERM) {
    tomb_error_hint(err, "check the permissions of the file and its folder");
  }
}

static bool is_connection(tomb_status kind) {
  return kind != TOMB_BUSY && kind != TOMB_NOMEM && kind != TOMB_INTERRUPTED;
}

/* Whatever keeps us from a usable file is a failure to connect. */
static tomb_status refuse(tomb_error *err, sqlite3 *db, int code,
                          const char *path) {
  const char *text = sqlite3_errstr(code);
  int said = sqlite3_extended_errcode(db);
  if ((said & 0xff) == (code & 0xff)) { /* sqlite3_db_config says nothing */
    code = said;
    text = sqlite3_errmsg(db);
  }
  tomb_status kind = tomb_sqlite_error_at(err, code, text, "open", path);
  if (!is_connection(kind)) return kind;
  if (err != NULL) err->kind = TOMB_CONNECTION;
  if ((code & 0xff) == SQLITE_READONLY) { /* a file in WAL mode */
    tomb_error_hint(err, "its folder must be open for writing, even to read; "
                         "where nobody writes the file, open "
                         "\"file:path?immutable=1\"");
    return TOMB_CONNECTION;
  }
  hint_by_errno(err, sqlite3_system_errno(db));
  return TOMB_CONNECTION;
}

tomb_status tomb_sqlite_open_file(sqlite3 **out, const char *path,
                                  const tomb_options *options,
                                  tomb_error *err) {
  *out = NULL;
  if (path == NULL) return tomb_fail(err, TOMB_MISUSE, "No path was given");
  sqlite3 *db = NULL;
  int code = open_handle(&db, path, options);
  if (code != SQLITE_OK) {
    tomb_status status = refuse(err, db, code, path);
    sqlite3_close(db);
    return status;
  }
  *out = db;
  return TOMB_OK;
}
