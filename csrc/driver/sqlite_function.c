/*
** sqlite_function.c - what SQL has no words for: tombstone_original(value,
** deleted_at) is a value as it was before a deletion at that time mangled it,
** which tombstone_mangled(value, suffix) does;
** tombstone_integer and tombstone_number let through what fits such a field.
*/
#include <math.h>
#include <sqlite3.h>
#include <string.h>

#include "instant.h"
#include "mangle.h"
#include "sqlite.h"

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

static void refuse(sqlite3_context *context) {
  sqlite3_result_error(context, "UNIQUE constraint failed: tombstone_mangled",
                       -1);
  sqlite3_result_error_code(context, SQLITE_CONSTRAINT_UNIQUE);
}

static void joined(sqlite3_context *context, const char *text, size_t size,
                   const char *suffix, size_t suffix_size) {
  char *made = sqlite3_malloc64(size + suffix_size);
  if (made == NULL) {
    sqlite3_result_error_nomem(context);
    return;
  }
  memcpy(made, text, size);
  memcpy(made + size, suffix, suffix_size);
  sqlite3_result_text64(context, made, size + suffix_size, sqlite3_free,
                        SQLITE_UTF8);
}

/* What || answers, NULL included, but for what must be refused. */
static void mangled(sqlite3_context *context, int n, sqlite3_value **args) {
  (void)n;
  if (sqlite3_value_type(args[0]) == SQLITE_NULL ||
      sqlite3_value_type(args[1]) == SQLITE_NULL) {
    return;
  }
  const char *text = (const char *)sqlite3_value_text(args[0]);
  const char *suffix = (const char *)sqlite3_value_text(args[1]);
  if (text == NULL || suffix == NULL) {
    sqlite3_result_error_nomem(context);
    return;
  }
  size_t size = (size_t)sqlite3_value_bytes(args[0]);
  size_t suffix_size = (size_t)sqlite3_value_bytes(args[1]);
  if (tomb_ends_in_suffix(text, size, suffix, suffix_size)) {
    refuse(context);
  } else {
    joined(context, text, size, suffix, suffix_size);
  }
}

/* SQLite goes on with a double where an integer overflows. */
static void integer(sqlite3_context *context, int n, sqlite3_value **args) {
  (void)n;
  if (sqlite3_value_type(args[0]) == SQLITE_FLOAT) {
    sqlite3_result_error(context, "integer overflow", -1);
  } else {
    sqlite3_result_value(context, args[0]);
  }
}

static void number(sqlite3_context *context, int n, sqlite3_value **args) {
  (void)n;
  if (sqlite3_value_type(args[0]) == SQLITE_FLOAT &&
      !isfinite(sqlite3_value_double(args[0]))) {
    sqlite3_result_error(context, "number overflow", -1);
  } else {
    sqlite3_result_value(context, args[0]);
  }
}

static int add(struct sqlite3 *db, const char *name, int arguments,
               void (*function)(sqlite3_context *, int, sqlite3_value **)) {
  /* innocuous: an index or a view of an untrusted schema may use it */
  int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  return sqlite3_create_function_v2(db, name, arguments, flags, NULL, function,
                                    NULL, NULL, NULL);
}

int tomb_sqlite_functions(struct sqlite3 *db) {
  int code = add(db, "tombstone_original", 2, original);
  if (code == SQLITE_OK) code = add(db, "tombstone_mangled", 2, mangled);
  if (code == SQLITE_OK) code = add(db, "tombstone_integer", 1, integer);
  if (code == SQLITE_OK) code = add(db, "tombstone_number", 1, number);
  return code == SQLITE_OK ? tomb_sqlite_adoption(db) : code;
}
