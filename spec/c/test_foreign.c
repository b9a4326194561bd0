/* test_foreign.c - times and suffixes of other programs. */
#include "check.h"

#include "foreign.h"
#include "instant.h"
#include "mangle.h"

/* The time as we write it, read from a copy of exactly these bytes. */
static const char *read(const char *text) {
  static char out[TOMB_TIME_SIZE];
  size_t size = strlen(text);
  int64_t stamp;
  char *exact = malloc(size == 0 ? 1 : size);
  memcpy(exact, text, size);
  bool found = tomb_time_read(exact, size, &stamp);
  free(exact);
  if (!found) return "no";
  tomb_time_format(out, stamp);
  return out;
}

static void dates_and_times_are_read(void) {
  CHECK_TEXT(read("2025-11-23"), "2025-11-23 00:00:00");
  CHECK_TEXT(read("2025-11-23 12:34"), "2025-11-23 12:34:00");
  CHECK_TEXT(read("2025-11-23 12:34:56"), "2025-11-23 12:34:56");
  CHECK_TEXT(read("2025-11-23T12:34:56.5"), "2025-11-23 12:34:56.500000");
  CHECK_TEXT(read("2025-11-23 12:34:56,123456789012"),
             "2025-11-23 12:34:56.123456");
}

static void they_may_be_away_from_utc(void) {
  CHECK_TEXT(read("2025-11-23T12:34:56Z"), "2025-11-23 12:34:56");
  CHECK_TEXT(read("2025-11-23T12:34:56.000z"), "2025-11-23 12:34:56");
  CHECK_TEXT(read("2025-11-23 12:34:56 UTC"), "2025-11-23 12:34:56");
  CHECK_TEXT(read("2025-11-23 00:34:56+02:00"), "2025-11-22 22:34:56");
  CHECK_TEXT(read("2025-11-23 12:34:56-0330"), "2025-11-23 16:04:56");
  CHECK_TEXT(read("2025-11-23 12:34:56+02"), "2025-11-23 10:34:56");
  CHECK_TEXT(read("2025-11-23 12:34:56.123 +00:00"),
             "2025-11-23 12:34:56.123000");
  CHECK_TEXT(read("2025-11-23 12:34:56.123456789 +0000 UTC"),
             "2025-11-23 12:34:56.123456");
  CHECK_TEXT(read("2025-11-23 12:34:56 +0100 CET m=+0.5"),
             "2025-11-23 11:34:56");
}

static void all_else_is_refused(void) {
  static const char *const texts[] = {
      "",
      "2025",
      "0000-00-00 00:00:00",
      "2025-13-01",
      "2025-02-30",
      "2025-11-23x12:34:56",
      "2025-11-23 ",
      "2025-11-23 1:34:56",
      "2025-11-23 24:00:00",
      "2025-11-23 12:34:60",
      "2025-11-23 12:34:56.",
      "2025-11-23 12:34:56 CEST",
      "2025-11-23 12:34:56+2",
      "2025-11-23 12:34:56+24:00",
      "2025-11-23 12:34:56+02:00 5",
      "2025-11-23 12:34:56Z UTC",
      "0001-01-01 00:00:00+00:01",
      "9999-12-31 23:59:59-00:01",
      "23.11.2025 12:34",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    check_that(strcmp(read(texts[i]), "no") == 0, __FILE__, __LINE__, "%s",
               texts[i]);
  }
}

static void numbers_tell_their_unit(void) {
  CHECK_INT(tomb_units_in_second(0), 1);
  CHECK_INT(tomb_units_in_second(1763880000), 1);
  CHECK_INT(tomb_units_in_second(-1763880000), 1);
  CHECK_INT(tomb_units_in_second(INT64_C(1763880000123)), 1000);
  CHECK_INT(tomb_units_in_second(INT64_C(1763880000123456)), 1000000);
  CHECK_INT(tomb_units_in_second(INT64_C(1763880000123456789)), 1000000000);
  CHECK_INT(tomb_units_in_second(INT64_MIN), 1000000000);
}

static int64_t instant(int64_t number, int64_t in_second) {
  int64_t stamp;
  return tomb_time_of_units(number, in_second, &stamp) ? stamp : -999;
}

static void units_are_instants(void) {
  CHECK_INT(instant(1763880000, 1), INT64_C(1763880000000000));
  CHECK_INT(instant(INT64_C(1763880000123), 1000), INT64_C(1763880000123000));
  CHECK_INT(instant(1999, 1000000000), 1);
  CHECK_INT(instant(-1, 1000000000), -1);
  CHECK_INT(instant(-1, 1), -1000000);
  CHECK_INT(instant(INT64_MAX, 1), -999);
  CHECK_INT(instant(INT64_MIN, 1), -999);
  CHECK_INT(instant(INT64_C(253402300800), 1), -999);
}

/* What is left, and the seconds of the suffix. */
static void check_unmarked(const char *value, const char *wanted,
                           int64_t wanted_stamp) {
  int64_t stamp = -1;
  char text[128];
  size_t left = tomb_unmarked_size(value, strlen(value), &stamp);
  snprintf(text, sizeof text, "%.*s", (int)left, value);
  CHECK_TEXT(text, wanted);
  if (left < strlen(value)) CHECK_INT(stamp, wanted_stamp);
}

static void suffixes_come_off_whatever_their_digits(void) {
  int64_t stamp = INT64_C(1763880000000000);
  check_unmarked("a__deleted_1763880000", "a", stamp);
  check_unmarked("a__deleted_1763880000.0", "a", stamp);
  check_unmarked("a__deleted_1763880000123", "a", stamp + 123000);
  check_unmarked("a__deleted_1763880000.1234567", "a", stamp + 123456);
  check_unmarked("__deleted_0", "", 0);
  check_unmarked("a__deleted_b__deleted_1", "a__deleted_b", 1000000);
}

static void what_is_no_suffix_stays(void) {
  static const char *const values[] = {
      "",
      "a",
      "a__deleted_",
      "a__deleted_1 ",
      "a__deleted_1__deleted_",
      "a__deleted_1.",
      "a__deleted_-",
      "a__deleted_x",
      "a__DELETED_1",
      "a__deleted_1234567890123456789",
      "a__deleted_999999999999.5",
  };
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    check_unmarked(values[i], values[i], 0);
  }
}

int main(void) {
  RUN(dates_and_times_are_read);
  RUN(they_may_be_away_from_utc);
  RUN(all_else_is_refused);
  RUN(numbers_tell_their_unit);
  RUN(units_are_instants);
  RUN(suffixes_come_off_whatever_their_digits);
  RUN(what_is_no_suffix_stays);
  return check_done();
}
