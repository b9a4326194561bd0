/*
** sqlite_function.c - tombstone_original(value, deleted_at) for SQL: a value
** as it was before a deletion at that time mangled it.
*/
#include <sqlite3.h>

#include "sqlite.h"
#include "instant.h"

/* The stamp in `deleted_at`, which is text in our format or no stamp. */
static bool stamp_of(sqlite3_value *deleted_at, int64_t *stamp) {
  if (sqlite3_value_type(deleted_at) != SQLITE_TEXT) return false;
  const char *text = (const char *)sqlite3_value_text(deleted_at);
  return text != NULL &&
         tomb_time_parse(text, (size_t)sqlite3_value_bytes(deleted_at), stamp);
}

static void original(sqlite3_context *context, int n, sqlite3_value **args) {
  int64_t stamp;
  (void)n; /* SQLite has checked that they are two */
  if (sqlite3_value_type(args[0]) != SQLITE_TEXT ||
      !stamp_of(args[1], &stamp)) {
    sqlite3_result_value(context, args[0]);
    return;
  }
  const char *text = (const char *)sqlite3_value_text(args[0]);
  if (text == NULL) {
    sqlite3_result_error_nomem(context);
    return;
  }
  size_t size = (size_t)sqlite3_value_bytes(args[0]);
  sqlite3_result_text64(context, text, tomb_original_size(text, size, stamp),
                        SQLITE_TRANSIENT, SQLITE_UTF8);
}

int tomb_sqlite_functions(struct sqlite3 *db) {
  /* innocuous: an index or a view of an untrusted schema may use it */
  int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  return sqlite3_create_function_v2(db, "tombstone_original", 2, flags, NULL,
                                    original, NULL, NULL, NULL);
}
