/* borrowed.h - a host with a connection of its own, and posts on it. */
#ifndef SPEC_BORROWED_H
#define SPEC_BORROWED_H

#include "posts.h"

#include "tombstone_sqlite.h"

static sqlite3 *host;
static sqlite3_api_routines host_routines;
/* NULL: the one copy; else its routines, as a host with another hands them. */
static const sqlite3_api_routines *host_copy;

static inline void host_exec(const char *sql) {
  char *why = NULL;
  int code = sqlite3_exec(host, sql, NULL, NULL, &why);
  check_that(code == SQLITE_OK, __FILE__, __LINE__, "%s: %s", sql,
             why == NULL ? "" : why);
  sqlite3_free(why);
}

/* The first value of the first row, as SQLite says it. */
static inline const char *host_ask(const char *sql) {
  static char text[256];
  sqlite3_stmt *stmt = NULL;
  snprintf(text, sizeof text, "%s", "(no row)");
  if (sqlite3_prepare_v2(host, sql, -1, &stmt, NULL) != SQLITE_OK) {
    snprintf(text, sizeof text, "%s", sqlite3_errmsg(host));
  } else if (sqlite3_step(stmt) == SQLITE_ROW) {
    const unsigned char *found = sqlite3_column_text(stmt, 0);
    snprintf(text, sizeof text, "%s", found ? (const char *)found : "NULL");
  }
  sqlite3_finalize(stmt);
  return text;
}

static inline tomb_status try_borrow(tomb_db **out,
                                     const tomb_options *options) {
  return tomb_borrow_sqlite(out, host, host_copy, options, &check_error);
}

static inline void host_opens(const char *path) {
  if (sqlite3_open(path, &host) != SQLITE_OK) exit(EXIT_FAILURE);
}

static inline void borrow_posts(void) {
  MUST(try_borrow(&db, NULL));
  define_posts();
}

static inline void open_borrowed(void) {
  host_opens(":memory:");
  borrow_posts();
  MUST(tomb_create_tables(db, &check_error));
}

static inline void host_closes(void) {
  CHECK_INT(sqlite3_close(host), SQLITE_OK);
  host = NULL;
}

static inline void close_borrowed(void) {
  close_db();
  host_closes();
}

/* Living posts, by the host's own statement. */
static inline const char *host_posts(void) {
  return host_ask("SELECT group_concat(title) FROM (SELECT title FROM posts "
                  "WHERE deleted_at IS NULL ORDER BY id)");
}

#endif
