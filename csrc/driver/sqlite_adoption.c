/*
** sqlite_adoption.c - the SQL functions of migrations:
** tombstone_suffix(deleted_at) is what a deletion at that time appends;
** tombstone_time(value, in_second) is a time of another program as we write it, a
** number with that many units in a second, or with those that its size says where
** that is NULL; tombstone_units(deleted_at, in_second) is the way back to a number;
** tombstone_unmarked(value) is a text without a suffix that another program
** has appended, tombstone_marked_at(value) the time in that.
** Where there is no answer, it is NULL.
*/
#include <string.h>

#include "foreign.h"
#include "instant.h"
#include "mangle.h"
#include "sqlite_parts.h"

static void answer_time(const sqlite3_api_routines *sqlite,
                        sqlite3_context *context, int64_t stamp) {
  char text[TOMB_TIME_SIZE];
  size_t size = tomb_time_format(text, stamp);
  sqlite->result_text(context, text, (int)size, SQLITE_TRANSIENT);
}

/* Text that is there, or NULL; out of memory is told. */
static const char *text_of(const sqlite3_api_routines *sqlite,
                           sqlite3_context *context, sqlite3_value *value,
                           size_t *size) {
  if (sqlite->value_type(value) != SQLITE_TEXT) return NULL;
  const char *text = (const char *)sqlite->value_text(value);
  if (text == NULL) sqlite->result_error_nomem(context);
  *size = (size_t)sqlite->value_bytes(value);
  return text;
}

static void suffix(const sqlite3_api_routines *sqlite, sqlite3_context *context,
                   sqlite3_value **args) {
  int64_t stamp;
  size_t size;
  char out[TOMB_SUFFIX_SIZE];
  const char *text = text_of(sqlite, context, args[0], &size);
  if (text == NULL || !tomb_time_parse(text, size, &stamp)) return;
  sqlite->result_text(context, out, (int)tomb_suffix(out, stamp),
                      SQLITE_TRANSIENT);
}

/* ---- times -------------------------------------------------------- */

static int64_t units_of(const sqlite3_api_routines *sqlite,
                        sqlite3_value *value, int64_t number) {
  int64_t units = sqlite->value_int64(value);
  bool known =
      units == 1 || units == 1000 || units == 1000000 || units == 1000000000;
  return known ? units : tomb_units_in_second(number);
}

static bool of_integer(const sqlite3_api_routines *sqlite, int64_t number,
                       sqlite3_value *units, int64_t *stamp) {
  return tomb_time_of_units(number, units_of(sqlite, units, number), stamp);
}

/* Whole units, and what is behind the point as far as it counts. */
static bool of_number(const sqlite3_api_routines *sqlite, double number,
                      sqlite3_value *units, int64_t *stamp) {
  if (!(number > -9e18 && number < 9e18)) return false;
  int64_t in_second = units_of(sqlite, units, (int64_t)number);
  double micros = number * (1e6 / (double)in_second);
  if (!(micros > -9e18 && micros < 9e18)) return false;
  int64_t rounded = (int64_t)(micros < 0 ? micros - 0.5 : micros + 0.5);
  return tomb_time_of_units(rounded, 1000000, stamp);
}

static bool of_text(const sqlite3_api_routines *sqlite, const char *text,
                    size_t size, sqlite3_value *units, int64_t *stamp) {
  int64_t number;
  if (tomb_number_read(text, size, &number)) {
    return of_integer(sqlite, number, units, stamp);
  }
  return tomb_time_read(text, size, stamp);
}

static void time_of(const sqlite3_api_routines *sqlite,
                    sqlite3_context *context, sqlite3_value **args) {
  int64_t stamp = 0;
  size_t size;
  bool found = false;
  const char *text;
  switch (sqlite->value_type(args[0])) {
  case SQLITE_INTEGER:
    found = of_integer(sqlite, sqlite->value_int64(args[0]), args[1], &stamp);
    break;
  case SQLITE_FLOAT:
    found = of_number(sqlite, sqlite->value_double(args[0]), args[1], &stamp);
    break;
  case SQLITE_TEXT:
    text = text_of(sqlite, context, args[0], &size);
    if (text == NULL) return;
    found = of_text(sqlite, text, size, args[1], &stamp);
    break;
  default: break;
  }
  if (found) answer_time(sqlite, context, stamp);
}

static void units(const sqlite3_api_routines *sqlite, sqlite3_context *context,
                  sqlite3_value **args) {
  int64_t stamp;
  size_t size;
  const char *text = text_of(sqlite, context, args[0], &size);
  if (text == NULL || !tomb_time_parse(text, size, &stamp)) return;
  int64_t in_second = sqlite->value_int64(args[1]);
  if (in_second > 1000000) {
    int64_t part = in_second / 1000000;
    if (stamp > INT64_MAX / part || stamp < INT64_MIN / part) return;
    sqlite->result_int64(context, stamp * part);
  } else if (in_second > 0) {
    int64_t part = 1000000 / in_second;
    sqlite->result_int64(context, stamp / part - (stamp % part < 0 ? 1 : 0));
  }
}

/* ---- suffixes ----------------------------------------------------- */

static void unmarked(const sqlite3_api_routines *sqlite,
                     sqlite3_context *context, sqlite3_value **args) {
  int64_t stamp;
  size_t size;
  const char *text = text_of(sqlite, context, args[0], &size);
  if (text == NULL) return;
  size_t left = tomb_unmarked_size(text, size, &stamp);
  if (left == size) return;
  sqlite->result_text64(context, text, left, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void marked_at(const sqlite3_api_routines *sqlite,
                      sqlite3_context *context, sqlite3_value **args) {
  int64_t stamp;
  size_t size;
  const char *text = text_of(sqlite, context, args[0], &size);
  if (text == NULL || tomb_unmarked_size(text, size, &stamp) == size) return;
  answer_time(sqlite, context, stamp);
}

const tomb_sqlite_word *tomb_sqlite_adoption_word(size_t i) {
  static const tomb_sqlite_word words[] = {
      {"tombstone_suffix", 1, suffix},
      {"tombstone_time", 2, time_of},
      {"tombstone_units", 2, units},
      {"tombstone_unmarked", 1, unmarked},
      {"tombstone_marked_at", 1, marked_at},
  };
  return i < sizeof words / sizeof *words ? &words[i] : NULL;
}
