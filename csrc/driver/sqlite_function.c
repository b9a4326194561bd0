/*
** sqlite_function.c - what SQL has no words for: tombstone_original(value,
** deleted_at) is a value as it was before a deletion at that time mangled it,
** which tombstone_mangled(value, suffix) does;
** tombstone_integer and tombstone_number let through what fits such a field.
*/
#include <math.h>
#include <string.h>

#include "instant.h"
#include "mangle.h"
#include "sqlite_parts.h"

/* The stamp in `deleted_at`, which is text in our format or no stamp. */
static bool stamp_of(const sqlite3_api_routines *sqlite,
                     sqlite3_value *deleted_at, int64_t *stamp) {
  if (sqlite->value_type(deleted_at) != SQLITE_TEXT) return false;
  const char *text = (const char *)sqlite->value_text(deleted_at);
  return text != NULL &&
         tomb_time_parse(text, (size_t)sqlite->value_bytes(deleted_at), stamp);
}

static void original(const sqlite3_api_routines *sqlite,
                     sqlite3_context *context, sqlite3_value **args) {
  int64_t stamp;
  if (sqlite->value_type(args[0]) != SQLITE_TEXT ||
      !stamp_of(sqlite, args[1], &stamp)) {
    sqlite->result_value(context, args[0]);
    return;
  }
  const char *text = (const char *)sqlite->value_text(args[0]);
  if (text == NULL) {
    sqlite->result_error_nomem(context);
    return;
  }
  size_t size = (size_t)sqlite->value_bytes(args[0]);
  sqlite->result_text64(context, text, tomb_original_size(text, size, stamp),
                        SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void refuse(const sqlite3_api_routines *sqlite,
                   sqlite3_context *context) {
  sqlite->result_error(context, "UNIQUE constraint failed: tombstone_mangled",
                       -1);
  sqlite->result_error_code(context, SQLITE_CONSTRAINT_UNIQUE);
}

static void joined(const sqlite3_api_routines *sqlite, sqlite3_context *context,
                   const char *text, size_t size, const char *suffix,
                   size_t suffix_size) {
  char *made = sqlite->malloc64(size + suffix_size);
  if (made == NULL) {
    sqlite->result_error_nomem(context);
    return;
  }
  memcpy(made, text, size);
  memcpy(made + size, suffix, suffix_size);
  sqlite->result_text64(context, made, size + suffix_size, sqlite->free,
                        SQLITE_UTF8);
}

/* What || answers, NULL included, but for what must be refused. */
static void mangled(const sqlite3_api_routines *sqlite,
                    sqlite3_context *context, sqlite3_value **args) {
  if (sqlite->value_type(args[0]) == SQLITE_NULL ||
      sqlite->value_type(args[1]) == SQLITE_NULL) {
    return;
  }
  const char *text = (const char *)sqlite->value_text(args[0]);
  const char *suffix = (const char *)sqlite->value_text(args[1]);
  if (text == NULL || suffix == NULL) {
    sqlite->result_error_nomem(context);
    return;
  }
  size_t size = (size_t)sqlite->value_bytes(args[0]);
  size_t suffix_size = (size_t)sqlite->value_bytes(args[1]);
  if (tomb_ends_in_suffix(text, size, suffix, suffix_size)) {
    refuse(sqlite, context);
  } else {
    joined(sqlite, context, text, size, suffix, suffix_size);
  }
}

/* SQLite goes on with a double where an integer overflows. */
static void integer(const sqlite3_api_routines *sqlite,
                    sqlite3_context *context, sqlite3_value **args) {
  if (sqlite->value_type(args[0]) == SQLITE_FLOAT) {
    sqlite->result_error(context, "integer overflow", -1);
  } else {
    sqlite->result_value(context, args[0]);
  }
}

static void number(const sqlite3_api_routines *sqlite, sqlite3_context *context,
                   sqlite3_value **args) {
  if (sqlite->value_type(args[0]) == SQLITE_FLOAT &&
      !isfinite(sqlite->value_double(args[0]))) {
    sqlite->result_error(context, "number overflow", -1);
  } else {
    sqlite->result_value(context, args[0]);
  }
}

const tomb_sqlite_word *tomb_sqlite_word_at(size_t i) {
  static const tomb_sqlite_word words[] = {
      {"tombstone_original", 2, original},
      {"tombstone_mangled", 2, mangled},
      {"tombstone_integer", 1, integer},
      {"tombstone_number", 1, number},
  };
  size_t n = sizeof words / sizeof *words;
  return i < n ? &words[i] : tomb_sqlite_adoption_word(i - n);
}
