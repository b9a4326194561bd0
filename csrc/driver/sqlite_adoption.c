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
#include <sqlite3.h>
#include <string.h>

#include "foreign.h"
#include "instant.h"
#include "mangle.h"
#include "sqlite.h"

static void answer_time(sqlite3_context *context, int64_t stamp) {
  char text[TOMB_TIME_SIZE];
  size_t size = tomb_time_format(text, stamp);
  sqlite3_result_text(context, text, (int)size, SQLITE_TRANSIENT);
}

/* Text that is there, or NULL; out of memory is told. */
static const char *text_of(sqlite3_context *context, sqlite3_value *value,
                           size_t *size) {
  if (sqlite3_value_type(value) != SQLITE_TEXT) return NULL;
  const char *text = (const char *)sqlite3_value_text(value);
  if (text == NULL) sqlite3_result_error_nomem(context);
  *size = (size_t)sqlite3_value_bytes(value);
  return text;
}

static void suffix(sqlite3_context *context, int n, sqlite3_value **args) {
  int64_t stamp;
  size_t size;
  char out[TOMB_SUFFIX_SIZE];
  (void)n; /* SQLite has checked it */
  const char *text = text_of(context, args[0], &size);
  if (text == NULL || !tomb_time_parse(text, size, &stamp)) return;
  sqlite3_result_text(context, out, (int)tomb_suffix(out, stamp),
                      SQLITE_TRANSIENT);
}

/* ---- times -------------------------------------------------------- */

static int64_t units_of(sqlite3_value *value, int64_t number) {
  int64_t units = sqlite3_value_int64(value);
  bool known =
      units == 1 || units == 1000 || units == 1000000 || units == 1000000000;
  return known ? units : tomb_units_in_second(number);
}

static bool of_integer(int64_t number, sqlite3_value *units, int64_t *stamp) {
  return tomb_time_of_units(number, units_of(units, number), stamp);
}

/* Whole units, and what is behind the point as far as it counts. */
static bool of_number(double number, sqlite3_value *units, int64_t *stamp) {
  if (!(number > -9e18 && number < 9e18)) return false;
  int64_t in_second = units_of(units, (int64_t)number);
  double micros = number * (1e6 / (double)in_second);
  if (!(micros > -9e18 && micros < 9e18)) return false;
  int64_t rounded = (int64_t)(micros < 0 ? micros - 0.5 : micros + 0.5);
  return tomb_time_of_units(rounded, 1000000, stamp);
}

static bool of_text(const char *text, size_t size, sqlite3_value *units,
                    int64_t *stamp) {
  int64_t number;
  if (tomb_number_read(text, size, &number)) {
    return of_integer(number, units, stamp);
  }
  return tomb_time_read(text, size, stamp);
}

static void time_of(sqlite3_context *context, int n, sqlite3_value **args) {
  int64_t stamp = 0;
  size_t size;
  bool found = false;
  const char *text;
  (void)n;
  switch (sqlite3_value_type(args[0])) {
  case SQLITE_INTEGER:
    found = of_integer(sqlite3_value_int64(args[0]), args[1], &stamp);
    break;
  case SQLITE_FLOAT:
    found = of_number(sqlite3_value_double(args[0]), args[1], &stamp);
    break;
  case SQLITE_TEXT:
    text = text_of(context, args[0], &size);
    if (text == NULL) return;
    found = of_text(text, size, args[1], &stamp);
    break;
  default: break;
  }
  if (found) answer_time(context, stamp);
}

static void units(sqlite3_context *context, int n, sqlite3_value **args) {
  int64_t stamp;
  size_t size;
  (void)n;
  const char *text = text_of(context, args[0], &size);
  if (text == NULL || !tomb_time_parse(text, size, &stamp)) return;
  int64_t in_second = sqlite3_value_int64(args[1]);
  if (in_second > 1000000) {
    int64_t part = in_second / 1000000;
    if (stamp > INT64_MAX / part || stamp < INT64_MIN / part) return;
    sqlite3_result_int64(context, stamp * part);
  } else if (in_second > 0) {
    int64_t part = 1000000 / in_second;
    sqlite3_result_int64(context, stamp / part - (stamp % part < 0 ? 1 : 0));
  }
}

/* ---- suffixes ----------------------------------------------------- */

static void unmarked(sqlite3_context *context, int n, sqlite3_value **args) {
  int64_t stamp;
  size_t size;
  (void)n;
  const char *text = text_of(context, args[0], &size);
  if (text == NULL) return;
  size_t left = tomb_unmarked_size(text, size, &stamp);
  if (left == size) return;
  sqlite3_result_text64(context, text, left, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void marked_at(sqlite3_context *context, int n, sqlite3_value **args) {
  int64_t stamp;
  size_t size;
  (void)n;
  const char *text = text_of(context, args[0], &size);
  if (text == NULL || tomb_unmarked_size(text, size, &stamp) == size) return;
  answer_time(context, stamp);
}

int tomb_sqlite_adoption(struct sqlite3 *db) {
  static const struct {
    const char *name;
    int arguments;
    void (*function)(sqlite3_context *, int, sqlite3_value **);
  } list[] = {
      {"tombstone_suffix", 1, suffix},
      {"tombstone_time", 2, time_of},
      {"tombstone_units", 2, units},
      {"tombstone_unmarked", 1, unmarked},
      {"tombstone_marked_at", 1, marked_at},
  };
  int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  int code = SQLITE_OK;
  for (size_t i = 0; code == SQLITE_OK && i < sizeof list / sizeof *list; i++) {
    code =
        sqlite3_create_function_v2(db, list[i].name, list[i].arguments, flags,
                                   NULL, list[i].function, NULL, NULL, NULL);
  }
  return code;
}
