/*
** sqlite_backup.c - copies a living database into a file, page by page, while
** other connections may write.
*/
#include <limits.h>
#include <sys/stat.h>

#include "error.h"
#include "sqlite_parts.h"

#define CHUNK_PAGES 1024

/* By the file itself: a link has another name but the same bytes. */
static bool same_file(const sqlite3_api_routines *sqlite, sqlite3 *a,
                      sqlite3 *b) {
  struct stat of_a, of_b;
  const char *path_a = sqlite->db_filename(a, "main");
  const char *path_b = sqlite->db_filename(b, "main");
  return path_a != NULL && path_b != NULL && stat(path_a, &of_a) == 0 &&
         stat(path_b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

/* Between chunks others may write, and then SQLite begins anew. Once that has
** happened the rest goes in one step, or the copy might never end. Answers
** SQLITE_INTERRUPT, with `err` filled, where the host wants no more. */
static int copy_pages(tomb_conn *conn, sqlite3_backup *backup,
                      tomb_error *err) {
  const sqlite3_api_routines *sqlite = conn->sqlite;
  int pages = CHUNK_PAGES, before = INT_MAX, patience_ms = conn->patience_ms;
  for (;;) {
    if (tomb_sqlite_go_on(conn, err) != TOMB_OK) return SQLITE_INTERRUPT;
    int code = sqlite->backup_step(backup, pages);
    if (code == SQLITE_OK) {
      int remaining = sqlite->backup_remaining(backup);
      if (remaining >= before) pages = -1;
      before = remaining;
    } else if (!tomb_sqlite_wait(sqlite, code, &patience_ms)) {
      return code;
    }
  }
}

static tomb_status copy(sqlite3 *target, tomb_conn *conn, const char *path,
                        tomb_error *err) {
  const sqlite3_api_routines *sqlite = conn->sqlite;
  sqlite3_backup *backup =
      sqlite->backup_init(target, "main", conn->db, "main");
  if (backup == NULL) {
    return tomb_sqlite_error_at(err, sqlite->extended_errcode(target),
                                sqlite->errmsg(target), "back up to", path);
  }
  int code = copy_pages(conn, backup, err);
  sqlite->backup_finish(backup);
  if (code == SQLITE_DONE) return TOMB_OK;
  if (code == SQLITE_INTERRUPT) return TOMB_INTERRUPTED;
  /* a lock leaves no message in the handle, so the text is the code's */
  return tomb_sqlite_error_at(err, code, sqlite->errstr(code), "back up to",
                              path);
}

static tomb_status check_target(sqlite3 *target, const tomb_conn *conn,
                                const char *path, tomb_error *err) {
  const char *name = conn->sqlite->db_filename(target, "main");
  if (name == NULL || name[0] == '\0') {
    tomb_fail(err, TOMB_MISUSE, "Cannot back up to \"%s\" - not a file", path);
  } else if (same_file(conn->sqlite, target, conn->db)) {
    tomb_fail(err, TOMB_MISUSE,
              "Cannot back up to \"%s\" - it is the database itself", path);
  } else {
    return TOMB_OK;
  }
  tomb_error_hint(err, "name another file");
  return TOMB_MISUSE;
}

static tomb_status copy_into(sqlite3 *target, int opened, tomb_conn *conn,
                             const char *path, tomb_error *err) {
  const sqlite3_api_routines *sqlite = conn->sqlite;
  if (opened != SQLITE_OK) {
    return tomb_sqlite_error_at(err, opened, sqlite->errstr(opened),
                                "back up to", path);
  }
  sqlite->extended_result_codes(target, 1);
  tomb_status status = check_target(target, conn, path, err);
  if (status != TOMB_OK) return status;
  if (conn->loan != NULL) return copy(target, conn, path, err);
  /* copy_pages waits; SQLite's own waiting on top would multiply */
  sqlite->busy_timeout(conn->db, 0);
  status = copy(target, conn, path, err);
  tomb_sqlite_wait_as_told(conn);
  return status;
}

tomb_status tomb_sqlite_backup(tomb_conn *conn, const char *path,
                               tomb_error *err) {
  const sqlite3_api_routines *sqlite = conn->sqlite;
  if (path == NULL) return tomb_fail(err, TOMB_MISUSE, "No path was given");
  if (sqlite->txn_state(conn->db, "main") == SQLITE_TXN_WRITE) {
    tomb_fail(err, TOMB_MISUSE, "Cannot back up inside a transaction");
    tomb_error_hint(err, "commit or roll back first");
    return TOMB_MISUSE;
  }
  sqlite3 *target = NULL;
  tomb_status status = tomb_sqlite_bounds.admit(conn, "", 0, err);
  if (status != TOMB_OK) return status;
  int opened = sqlite->open_v2(
      path, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
  status = copy_into(target, opened, conn, path, err);
  sqlite->close(target);
  return status;
}
