/*
** sqlite_open.c - opening a file so that what is wrong with it shows at once,
** and setting up the connection.
*/
#include <errno.h>
#include <stdio.h>

#include "error.h"
#include "sqlite_parts.h"

#define NAP_MS 5

static int patience_of(const tomb_options *options) {
  if (options == NULL || options->busy_timeout_ms == 0) return 5000;
  return options->busy_timeout_ms > 0 ? options->busy_timeout_ms : 0;
}

bool tomb_sqlite_wait(const sqlite3_api_routines *sqlite, int code,
                      int *patience_ms) {
  int kind = code & 0xff;
  if (kind != SQLITE_BUSY && kind != SQLITE_LOCKED) return false;
  if (*patience_ms <= 0) return false;
  int slept = sqlite->sleep(*patience_ms < NAP_MS ? *patience_ms : NAP_MS);
  *patience_ms -= slept > 0 ? slept : NAP_MS;
  return true;
}

/* SQLite's busy handler does not wait where it fears a deadlock, as when two
** connections turn a new file to WAL: here we wait ourselves. */
static int run(const tomb_conn *conn, const char *sql, int *patience_ms) {
  int code;
  do {
    code = conn->sqlite->exec(conn->db, sql, NULL, NULL, NULL);
  } while (tomb_sqlite_wait(conn->sqlite, code, patience_ms));
  return code;
}

static int teach_all(const tomb_conn *conn) {
  const tomb_sqlite_word *word;
  int code = SQLITE_OK;
  for (size_t i = 0; (word = tomb_sqlite_word_at(i)) != NULL; i++) {
    code = tomb_sqlite_teach(conn, word, NULL);
    if (code != SQLITE_OK) break;
  }
  return code;
}

static int set(const tomb_conn *conn, int option, int value) {
  return conn->sqlite->db_config(conn->db, option, value, (int *)NULL);
}

static int configure(const tomb_conn *conn) {
  int code = conn->sqlite->extended_result_codes(conn->db, 1);
  /* "typo" in double quotes is an error, not a string */
  if (code == SQLITE_OK) code = set(conn, SQLITE_DBCONFIG_DQS_DML, 0);
  if (code == SQLITE_OK) code = set(conn, SQLITE_DBCONFIG_DQS_DDL, 0);
  if (code == SQLITE_OK) code = set(conn, SQLITE_DBCONFIG_ENABLE_FKEY, 1);
  return code == SQLITE_OK ? teach_all(conn) : code;
}

/* Reads the schema, because opening alone reads nothing, and sets how the
** file is written. */
static int prepare_file(const tomb_conn *conn, const tomb_options *options) {
  bool normal = options != NULL && options->synchronous == TOMB_SYNC_NORMAL;
  int left = conn->patience_ms;
  int code = run(conn, "SELECT 1 FROM sqlite_master LIMIT 1", &left);
  if (code != SQLITE_OK || conn->sqlite->db_readonly(conn->db, "main") != 0) {
    return code;
  }
  code = run(conn, "PRAGMA journal_mode=WAL", &left);
  if (code != SQLITE_OK) return code;
  return run(conn,
             normal ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL",
             &left);
}

/* Kilobytes are negative pages to SQLite. */
static int set_cache(const tomb_conn *conn, const tomb_options *options) {
  char sql[64];
  if (options == NULL || options->cache_kb <= 0) return SQLITE_OK;
  snprintf(sql, sizeof sql, "PRAGMA cache_size = -%lld",
           (long long)options->cache_kb);
  return conn->sqlite->exec(conn->db, sql, NULL, NULL, NULL);
}

static int open_handle(tomb_conn *conn, const char *path,
                       const tomb_options *options) {
  bool read_only = options != NULL && options->read_only;
  int flags = read_only ? SQLITE_OPEN_READONLY
                        : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  /* a tomb_db belongs to one thread at a time */
  flags |= SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
  int code = conn->sqlite->open_v2(path, &conn->db, flags, NULL);
  if (code == SQLITE_OK) code = configure(conn);
  if (code != SQLITE_OK) return code;
  code = prepare_file(conn, options);
  return code == SQLITE_OK ? set_cache(conn, options) : code;
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
static tomb_status refuse(tomb_error *err, const tomb_conn *conn, int code,
                          const char *path) {
  const sqlite3_api_routines *sqlite = conn->sqlite;
  const char *text = sqlite->errstr(code);
  int said = sqlite->extended_errcode(conn->db);
  if ((said & 0xff) == (code & 0xff)) { /* db_config says nothing */
    code = said;
    text = sqlite->errmsg(conn->db);
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
  hint_by_errno(err, sqlite->system_errno(conn->db));
  return TOMB_CONNECTION;
}

tomb_status tomb_sqlite_open_file(tomb_conn *conn, const char *path,
                                  const tomb_options *options,
                                  tomb_error *err) {
  if (path == NULL) return tomb_fail(err, TOMB_MISUSE, "No path was given");
  conn->patience_ms = patience_of(options);
  int code = open_handle(conn, path, options);
  if (code == SQLITE_OK) return TOMB_OK;
  tomb_status status = refuse(err, conn, code, path);
  conn->sqlite->close(conn->db);
  return status;
}
