/* test_instant.c - one text for one instant, over ten thousand years. */
#include "check.h"

#include <time.h>

#include "instant.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

static const char *text_of(int64_t microseconds) {
  static char text[TOMB_TIME_SIZE];
  tomb_time_format(text, microseconds);
  return text;
}

static bool parses(const char *text) {
  int64_t micro;
  return tomb_time_parse(text, strlen(text), &micro);
}

static int64_t parsed(const char *text) {
  int64_t micro = -1;
  CHECK(tomb_time_parse(text, strlen(text), &micro));
  return micro;
}

static void known_instants_have_known_texts(void) {
  CHECK_TEXT(text_of(0), "1970-01-01 00:00:00");
  CHECK_TEXT(text_of(1), "1970-01-01 00:00:00.000001");
  CHECK_TEXT(text_of(-1), "1969-12-31 23:59:59.999999");
  CHECK_TEXT(text_of(500000), "1970-01-01 00:00:00.500000");
  CHECK_TEXT(text_of(1763880000123456), "2025-11-23 06:40:00.123456");
  CHECK_TEXT(text_of(TOMB_TIME_MIN), "0001-01-01 00:00:00");
  CHECK_TEXT(text_of(TOMB_TIME_MAX), "9999-12-31 23:59:59.999999");
}

static void the_length_is_answered(void) {
  char text[TOMB_TIME_SIZE];
  CHECK_INT(tomb_time_format(text, 0), 19);
  CHECK_INT(tomb_time_format(text, 10), 26);
}

/* What the C library says; it needs no fraction. */
static void check_by_library(int64_t seconds) {
  char wanted[64];
  struct tm tm;
  time_t t = (time_t)seconds;
  if (gmtime_r(&t, &tm) == NULL) return;
  snprintf(wanted, sizeof wanted, "%04d-%02d-%02d %02d:%02d:%02d",
           tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
           tm.tm_sec);
  CHECK_TEXT(text_of(seconds * SECOND), wanted);
  CHECK_INT(parsed(wanted), seconds * SECOND);
}

static void all_years_agree_with_the_c_library(void) {
  /* a step of 9 days less some seconds meets every month of every year */
  for (int64_t s = TOMB_TIME_MIN / SECOND; s <= TOMB_TIME_MAX / SECOND;
       s += 9 * 86400 - 7) {
    check_by_library(s);
  }
}

static void ends_of_months_agree_with_the_c_library(void) {
  for (int64_t day = -25568; day < 47482; day++) { /* 1900 to 2099 */
    check_by_library(day * 86400 - 1);
    check_by_library(day * 86400);
  }
}

static void any_instant_reads_back_as_itself(void) {
  uint64_t state = 1;
  uint64_t span = (uint64_t)(TOMB_TIME_MAX - TOMB_TIME_MIN) + 1;
  int n = (int)(200000 * check_scale());
  for (int i = 0; i < n; i++) {
    int64_t at = TOMB_TIME_MIN + (int64_t)(check_random(&state) % span);
    if (i % 4 == 0) at -= at % SECOND;
    if (!CHECK_INT(parsed(text_of(at)), at)) return;
  }
}

static void texts_sort_as_their_instants(void) {
  char before[TOMB_TIME_SIZE];
  uint64_t state = 2;
  for (int i = 0; i < 20000; i++) {
    int64_t at = (int64_t)(check_random(&state) % (uint64_t)(100 * DAY));
    int64_t later = at + 1 + (int64_t)(check_random(&state) % 3000000);
    tomb_time_format(before, at);
    if (!CHECK(strcmp(before, text_of(later)) < 0)) return;
  }
}

static void other_writers_fractions_are_read(void) {
  CHECK_INT(parsed("1970-01-01 00:00:00.5"), 500000);
  CHECK_INT(parsed("1970-01-01 00:00:00.123"), 123000);
  CHECK_INT(parsed("1970-01-01 00:00:00.123456789"), 123456);
  CHECK_INT(parsed("1970-01-01T00:00:01"), SECOND);
}

static void what_is_no_instant_is_refused(void) {
  static const char *const wrong[] = {"",
                                      "1970-01-01",
                                      "1970-01-01 00:00",
                                      "1970-01-01 00:00:0x",
                                      "1970-13-01 00:00:00",
                                      "1970-00-01 00:00:00",
                                      "1970-01-32 00:00:00",
                                      "1970-01-00 00:00:00",
                                      "1970-02-29 00:00:00",
                                      "1900-02-29 00:00:00",
                                      "0000-01-01 00:00:00",
                                      "1970-01-01 24:00:00",
                                      "1970-01-01 00:60:00",
                                      "1970-01-01 00:00:60",
                                      "1970-01-01 00:00:00.",
                                      "1970-01-01 00:00:00,5",
                                      "1970-01-01 00:00:00.1234567890",
                                      "1970-01-01 00:00:00.12x",
                                      "1970-01-01 00:00:00Z",
                                      "1970-01-01 00:00:00+00:00",
                                      "1970/01/01 00:00:00",
                                      "1970-01-01_00:00:00",
                                      "-970-01-01 00:00:00",
                                      " 970-01-01 00:00:00"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    check_that(!parses(wrong[i]), __FILE__, __LINE__, "refuses '%s'", wrong[i]);
  }
  CHECK(parses("2000-02-29 00:00:00"));
  CHECK(parses("2024-02-29 23:59:59"));
}

/* A text need not end with a terminator. */
static void only_the_given_bytes_are_read(void) {
  char *exact = malloc(19);
  int64_t micro = -1;
  memcpy(exact, "1970-01-01 00:00:02", 19);
  CHECK(tomb_time_parse(exact, 19, &micro));
  CHECK_INT(micro, 2 * SECOND);
  for (size_t size = 0; size < 19; size++) {
    CHECK(!tomb_time_parse(exact, size, &micro));
  }
  free(exact);
}

int main(void) {
  RUN(known_instants_have_known_texts);
  RUN(the_length_is_answered);
  RUN(all_years_agree_with_the_c_library);
  RUN(ends_of_months_agree_with_the_c_library);
  RUN(any_instant_reads_back_as_itself);
  RUN(texts_sort_as_their_instants);
  RUN(other_writers_fractions_are_read);
  RUN(what_is_no_instant_is_refused);
  RUN(only_the_given_bytes_are_read);
  return check_done();
}
