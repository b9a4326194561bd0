/*
** sqlite_error.c - what SQLite's refusals mean to the engine. Meanings come
** from codes; English is read only for the names behind "failed: ".
*/
#include <string.h>

#include "error.h"
#include "sqlite_parts.h"

static tomb_status kind_of(int code) {
  if (code == SQLITE_IOERR_NOMEM) return TOMB_NOMEM;
  switch (code & 0xff) {
  case SQLITE_CONSTRAINT: return TOMB_INTEGRITY;
  case SQLITE_BUSY:
  case SQLITE_PROTOCOL: /* a race for the lock of the WAL, lost too often */
  case SQLITE_LOCKED: return TOMB_BUSY;
  case SQLITE_INTERRUPT: return TOMB_INTERRUPTED;
  case SQLITE_NOMEM: return TOMB_NOMEM;
  case SQLITE_CANTOPEN:
  case SQLITE_NOTADB: return TOMB_CONNECTION;
  default: return TOMB_DATABASE;
  }
}

static tomb_constraint constraint_of(int code) {
  switch (code) {
  case SQLITE_CONSTRAINT_UNIQUE:
  case SQLITE_CONSTRAINT_PRIMARYKEY:
  case SQLITE_CONSTRAINT_ROWID: return TOMB_CONSTRAINT_UNIQUE;
  case SQLITE_CONSTRAINT_FOREIGNKEY: return TOMB_CONSTRAINT_FOREIGN_KEY;
  case SQLITE_CONSTRAINT_NOTNULL: return TOMB_CONSTRAINT_NOT_NULL;
  case SQLITE_CONSTRAINT_CHECK: return TOMB_CONSTRAINT_CHECK;
  default: return TOMB_NO_CONSTRAINT;
  }
}

static const char *remedy(int code, const char *text) {
  if (code == SQLITE_BUSY_SNAPSHOT) {
    return "another connection wrote since this transaction began to read: "
           "roll back and run it again";
  }
  switch (code & 0xff) {
  case SQLITE_BUSY:
    return "another connection holds the lock: try again, or wait longer "
           "with busy_timeout";
  case SQLITE_LOCKED:
    return "close the cursors that are open on this database and try again";
  case SQLITE_FULL: return "free space on the disk and try again";
  case SQLITE_READONLY:
    return "open the database for writing, and check the permissions of the "
           "file and its folder";
  case SQLITE_CORRUPT:
    return "restore a backup; PRAGMA integrity_check lists the damage";
  case SQLITE_NOTADB:
    return "the file is something else or is encrypted: check the path";
  case SQLITE_CANTOPEN:
    return "check the path and the permissions of the file and its folder";
  default: break;
  }
  bool no_table = strncmp(text, "no such table", 13) == 0;
  return no_table ? "create the tables with create_tables, or migrate" : "";
}

/* "UNIQUE constraint failed: posts.title": what stands behind the colon. Texts
** of RAISE are the schema's own and are left alone. */
static void copy_subject(tomb_error *err, const char *text) {
  const char *colon = strstr(text, "failed: ");
  if (err->constraint == TOMB_NO_CONSTRAINT || colon == NULL) return;
  const char *subject = colon + strlen("failed: ");
  size_t n = strlen(subject);
  if (n >= sizeof err->subject) {
    n = tomb_utf8_cut(subject, sizeof err->subject - 1);
  }
  memcpy(err->subject, subject, n);
  err->subject[n] = '\0';
}

static tomb_status ended_by_others(tomb_error *err, int code) {
  tomb_fail(err, TOMB_MISUSE, "Somebody else has ended the transaction");
  tomb_error_hint(err, "what tombstone has begun must end first");
  if (err != NULL) err->code = code;
  return TOMB_MISUSE;
}

tomb_status tomb_sqlite_error(tomb_error *err, int code, const char *text) {
  if (strncmp(text, "no such savepoint: tombstone_", 29) == 0) {
    return ended_by_others(err, code);
  }
  tomb_fail(err, kind_of(code), "%s", text);
  if (err == NULL) return kind_of(code);
  err->code = code;
  err->constraint = constraint_of(code);
  copy_subject(err, text);
  tomb_error_hint(err, "%s", remedy(code, text));
  return err->kind;
}

tomb_status tomb_sqlite_fail(tomb_error *err, const tomb_conn *conn) {
  const sqlite3_api_routines *sqlite = conn->sqlite;
  return tomb_sqlite_error(err, sqlite->extended_errcode(conn->db),
                           sqlite->errmsg(conn->db));
}

tomb_status tomb_sqlite_error_at(tomb_error *err, int code, const char *text,
                                 const char *verb, const char *path) {
  size_t n = strlen(path);
  const char *dots = "";
  if (n > 256) { /* leaves room for the text, which matters more */
    n = tomb_utf8_cut(path, 256);
    dots = "...";
  }
  tomb_status kind = tomb_sqlite_error(err, code, text);
  tomb_error_message(err, "Cannot %s \"%.*s%s\" - %s", verb, (int)n, path, dots,
                     text);
  return kind;
}
