/* test_value.c - values fit fields without loss, and errors hold them. */
#include "check.h"

#include <float.h>
#include <math.h>

#include "error.h"
#include "instant.h"
#include "value.h"

static tomb_field field_of(tomb_field_type type) {
  tomb_field field;
  memset(&field, 0, sizeof field);
  field.type = type;
  return field;
}

static bool fits(tomb_field_type type, tomb_value *value) {
  tomb_field field = field_of(type);
  return tomb_fit(&field, value);
}

static bool refuses(tomb_field_type type, tomb_value value) {
  return !fits(type, &value);
}

/* ---- fitting ------------------------------------------------------ */

static void nothing_and_null_fit_everywhere(void) {
  for (int type = 0; type < TOMB_FIELD_TYPES; type++) {
    tomb_value null = tomb_null(), absent = {TOMB_ABSENT, {0}};
    CHECK(fits((tomb_field_type)type, &null) && null.type == TOMB_NULL);
    CHECK(fits((tomb_field_type)type, &absent) && absent.type == TOMB_ABSENT);
  }
}

static void check_integer(double n, int64_t wanted) {
  tomb_value value = tomb_number(n);
  CHECK(fits(TOMB_FIELD_INTEGER, &value));
  CHECK_INT(value.type, TOMB_INTEGER);
  CHECK_INT(value.as.integer, wanted);
}

static void whole_numbers_are_integers(void) {
  check_integer(3.0, 3);
  check_integer(-0.0, 0);
  check_integer(-9223372036854775808.0, INT64_MIN);
  check_integer(9223372036854774784.0, INT64_C(9223372036854774784));
  CHECK(refuses(TOMB_FIELD_INTEGER, tomb_number(0.5)));
  CHECK(refuses(TOMB_FIELD_INTEGER, tomb_number(9223372036854775808.0)));
  CHECK(refuses(TOMB_FIELD_INTEGER, tomb_number(-9223372036854777856.0)));
  CHECK(refuses(TOMB_FIELD_INTEGER, tomb_number((double)NAN)));
  CHECK(refuses(TOMB_FIELD_INTEGER, tomb_number((double)INFINITY)));
  CHECK(refuses(TOMB_FIELD_INTEGER, tomb_text("3")));
  CHECK(refuses(TOMB_FIELD_INTEGER, tomb_boolean(true)));
}

static void numbers_are_finite(void) {
  tomb_value three = tomb_integer(3);
  CHECK(fits(TOMB_FIELD_NUMBER, &three));
  CHECK(three.type == TOMB_NUMBER && three.as.number == 3.0);
  CHECK(refuses(TOMB_FIELD_NUMBER, tomb_number((double)NAN)));
  CHECK(refuses(TOMB_FIELD_NUMBER, tomb_number(-(double)INFINITY)));
  CHECK(!refuses(TOMB_FIELD_NUMBER, tomb_number(DBL_MAX)));
  CHECK(refuses(TOMB_FIELD_NUMBER, tomb_text("1.5")));
}

static void check_time(double seconds, int64_t wanted) {
  tomb_value value = tomb_number(seconds);
  CHECK(fits(TOMB_FIELD_DATETIME, &value));
  CHECK_INT(value.type, TOMB_TIME);
  CHECK_INT(value.as.integer, wanted);
}

static void seconds_are_rounded_to_the_microsecond(void) {
  check_time(0, 0);
  check_time(1.5, 1500000);
  check_time(-0.000001, -1);
  check_time(0.9999996, 1000000);
  check_time(1763880000.123456, INT64_C(1763880000123456));
  check_time(-62135596800.0, TOMB_TIME_MIN);
  check_time(253402300799.0, TOMB_TIME_MAX - 999999);
}

static void times_lie_between_the_years_1_and_9999(void) {
  CHECK(refuses(TOMB_FIELD_DATETIME, tomb_number(-62135596800.1)));
  CHECK(refuses(TOMB_FIELD_DATETIME, tomb_number(253402300800.0)));
  CHECK(refuses(TOMB_FIELD_DATETIME, tomb_number(1e300)));
  CHECK(refuses(TOMB_FIELD_DATETIME, tomb_number((double)NAN)));
  CHECK(refuses(TOMB_FIELD_DATETIME, tomb_integer(INT64_MAX)));
  CHECK(refuses(TOMB_FIELD_DATETIME, tomb_time(TOMB_TIME_MAX + 1)));
  CHECK(refuses(TOMB_FIELD_DATETIME, tomb_time(INT64_MIN)));
  CHECK(!refuses(TOMB_FIELD_DATETIME, tomb_time(TOMB_TIME_MIN)));
}

static void texts_blobs_and_booleans_are_what_they_are(void) {
  tomb_value blob = tomb_text("bytes");
  CHECK(fits(TOMB_FIELD_BLOB, &blob) && blob.type == TOMB_BLOB);
  CHECK(refuses(TOMB_FIELD_BLOB, tomb_integer(1)));
  CHECK(refuses(TOMB_FIELD_TEXT, tomb_integer(1)));
  CHECK(refuses(TOMB_FIELD_CHAR, tomb_blob("x", 1)));
  CHECK(refuses(TOMB_FIELD_BOOLEAN, tomb_integer(1)));
  CHECK(!refuses(TOMB_FIELD_BOOLEAN, tomb_boolean(false)));
  CHECK(!refuses(TOMB_FIELD_JSON, tomb_text("{}")));
}

/* ---- what storage answers ----------------------------------------- */

static tomb_value unfitted(tomb_field_type type, tomb_value value) {
  tomb_field field = field_of(type);
  tomb_unfit(&field, &value);
  return value;
}

static void storage_becomes_the_fields_type(void) {
  CHECK_INT(unfitted(TOMB_FIELD_BOOLEAN, tomb_integer(1)).type, TOMB_BOOLEAN);
  CHECK_INT(unfitted(TOMB_FIELD_NUMBER, tomb_integer(1)).type, TOMB_NUMBER);
  tomb_value at =
      unfitted(TOMB_FIELD_DATETIME, tomb_text("1970-01-01 00:00:01"));
  CHECK_INT(at.type, TOMB_TIME);
  CHECK_INT(at.as.integer, 1000000);
}

static void what_does_not_fit_stays_as_it_is(void) {
  CHECK_INT(unfitted(TOMB_FIELD_BOOLEAN, tomb_integer(2)).type, TOMB_INTEGER);
  CHECK_INT(unfitted(TOMB_FIELD_NUMBER, tomb_text("x")).type, TOMB_TEXT);
  CHECK_INT(unfitted(TOMB_FIELD_DATETIME, tomb_text("today")).type, TOMB_TEXT);
  CHECK_INT(unfitted(TOMB_FIELD_DATETIME, tomb_integer(1)).type, TOMB_INTEGER);
  CHECK_INT(unfitted(TOMB_FIELD_INTEGER, tomb_null()).type, TOMB_NULL);
}

static bool equal(tomb_value a, tomb_value b) {
  return tomb_value_equal(&a, &b);
}

static void equality_is_of_type_and_bytes(void) {
  CHECK(equal(tomb_null(), tomb_null()));
  CHECK(equal(tomb_integer(3), tomb_integer(3)));
  CHECK(!equal(tomb_integer(1), tomb_boolean(true)));
  CHECK(!equal(tomb_integer(3), tomb_number(3)));
  CHECK(equal(tomb_text("a"), tomb_text_of("ab", 1)));
  CHECK(!equal(tomb_text("a"), tomb_blob("a", 1)));
  CHECK(equal(tomb_text_of(NULL, 0), tomb_text("")));
  CHECK(!equal(tomb_text_of("a\0b", 3), tomb_text_of("a\0c", 3)));
}

/* ---- UTF-8 -------------------------------------------------------- */

static void check_utf8(const char *text, size_t size, bool valid,
                       size_t characters) {
  size_t count = 0;
  char *exact = malloc(size + 1);
  memcpy(exact, text, size);
  exact = realloc(exact, size == 0 ? 1 : size);
  bool got = tomb_utf8_check(exact, size, &count);
  check_that(got == valid && (!valid || count == characters), __FILE__,
             __LINE__, "'%s': %s, %zu", text, got ? "valid" : "invalid", count);
  free(exact);
}

static void characters_of_valid_utf8_are_counted(void) {
  check_utf8("", 0, true, 0);
  check_utf8("abc", 3, true, 3);
  check_utf8("\x7F", 1, true, 1);
  check_utf8("\xC2\x80\xDF\xBF", 4, true, 2);
  check_utf8("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF", 12, true, 4);
  check_utf8("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 8, true, 2);
}

static void what_is_not_utf8_is_refused(void) {
  check_utf8("a\0b", 3, false, 0);
  check_utf8("\x80", 1, false, 0);
  check_utf8("\xC0\x80", 2, false, 0);
  check_utf8("\xC1\xBF", 2, false, 0);
  check_utf8("\xE0\x9F\xBF", 3, false, 0);
  check_utf8("\xED\xA0\x80", 3, false, 0);
  check_utf8("\xF0\x8F\xBF\xBF", 4, false, 0);
  check_utf8("\xF4\x90\x80\x80", 4, false, 0);
  check_utf8("\xF5\x80\x80\x80", 4, false, 0);
  check_utf8("\xE2\x82", 2, false, 0);
  check_utf8("\xE2\x28\xA1", 3, false, 0);
  check_utf8("a\xC3", 2, false, 0);
}

static void a_prefix_holds_whole_characters(void) {
  const char *text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
  static const size_t sizes[] = {0, 1, 3, 6, 10, 11, 11};
  for (size_t n = 0; n < sizeof sizes / sizeof sizes[0]; n++) {
    CHECK_INT(tomb_utf8_prefix(text, strlen(text), n), sizes[n]);
  }
}

/* ---- errors ------------------------------------------------------- */

static tomb_error error;

static bool is_utf8(const char *text) {
  size_t characters;
  return tomb_utf8_check(text, strlen(text), &characters);
}

static void a_long_message_is_cut_between_characters(void) {
  char text[700];
  for (size_t shift = 0; shift < 4; shift++) {
    memset(text, 'a', sizeof text);
    for (size_t i = shift; i + 4 < sizeof text; i += 4) {
      memcpy(text + i, "\xF0\x9F\x98\x80", 4);
    }
    text[sizeof text - 1] = '\0';
    tomb_fail(&error, TOMB_DATABASE, "%s", text);
    CHECK(is_utf8(error.message));
    CHECK(strlen(error.message) >= sizeof error.message - 4);
    tomb_error_hint(&error, "%s", text);
    CHECK(is_utf8(error.hint));
    tomb_error_field(&error, "title", "%s", text);
    CHECK(is_utf8(error.details[0]));
  }
}

static void a_message_that_fits_is_not_cut(void) {
  char text[512];
  memset(text, 'a', sizeof text);
  memcpy(text + 507, "\xF0\x9F\x98\x80", 5);
  tomb_fail(&error, TOMB_DATABASE, "%s", text);
  CHECK_TEXT(error.message, text);
}

static void a_message_is_one_line(void) {
  tomb_fail(&error, TOMB_DATABASE, "%s", "a\nb\tc\r\n");
  CHECK_TEXT(error.message, "a b c  ");
}

static void a_failure_forgets_the_one_before(void) {
  tomb_value value = tomb_integer(1);
  memset(&error, 0x5A, sizeof error);
  tomb_fail(&error, TOMB_INTEGRITY, "%s", "x");
  tomb_error_value(&error, &value);
  tomb_error_field(&error, "title", "%s", "");
  tomb_error_hint(&error, "%s", "hint");
  error.has_dead_pk = error.has_live_pk = true;
  CHECK_STATUS(tomb_fail(&error, TOMB_BUSY, "%s", "y"), TOMB_BUSY);
  CHECK(!error.has_value && !error.has_dead_pk && !error.has_live_pk);
  CHECK_INT(error.n_fields, 0);
  CHECK_TEXT(error.hint, "");
  CHECK_TEXT(error.model, "");
  CHECK_TEXT(error.subject, "");
  CHECK_INT(error.constraint, TOMB_NO_CONSTRAINT);
  CHECK_INT(error.code, 0);
}

static void nobody_needs_an_error(void) {
  tomb_value value = tomb_integer(1);
  CHECK_STATUS(tomb_fail(NULL, TOMB_BUSY, "%s", ""), TOMB_BUSY);
  CHECK_STATUS(tomb_out_of_memory(NULL), TOMB_NOMEM);
  tomb_error_clear(NULL);
  tomb_error_hint(NULL, "%s", "");
  tomb_error_message(NULL, "%s", "");
  tomb_error_model(NULL, "");
  tomb_error_field(NULL, "", "%s", "");
  tomb_error_value(NULL, &value);
}

static void a_kept_value_outlives_its_text(void) {
  char text[300];
  memset(text, 'x', sizeof text);
  tomb_value value = tomb_text_of(text, 5);
  tomb_error_value(&error, &value);
  memset(text, 'y', sizeof text);
  CHECK_TEXT(error.value.bytes, "xxxxx");
  CHECK_INT(error.value.value.as.text.size, 5);
  CHECK(error.value.value.as.text.data == NULL);
}

static void a_long_value_is_cut_between_characters(void) {
  char text[400];
  for (size_t shift = 0; shift < 4; shift++) {
    memset(text, 'a', sizeof text);
    for (size_t i = shift; i + 4 <= sizeof text; i += 4) {
      memcpy(text + i, "\xF0\x9F\x98\x80", 4);
    }
    tomb_value value = tomb_text_of(text, sizeof text);
    tomb_error_value(&error, &value);
    CHECK(is_utf8(error.value.bytes));
    CHECK_INT(error.value.value.as.text.size, strlen(error.value.bytes));
  }
}

static void check_shown(tomb_value value, const char *wanted) {
  char shown[20];
  tomb_show_value(shown, sizeof shown, &value);
  check_text(shown, wanted, __FILE__, __LINE__);
}

static void values_are_shown_as_people_read_them(void) {
  check_shown(tomb_null(), "NULL");
  check_shown(tomb_integer(INT64_MIN), "-922337203685477580");
  check_shown(tomb_boolean(true), "true");
  check_shown(tomb_number(1.5), "1.5");
  check_shown(tomb_text(""), "''");
  check_shown(tomb_text_of(NULL, 0), "''");
  check_shown(tomb_text("Hello"), "'Hello'");
  check_shown(tomb_text("12345678901234"), "'12345678901234'");
  check_shown(tomb_text("123456789012345"), "'12345678901234…'");
  check_shown(tomb_text("1234567890123\xC3\xA9x"), "'1234567890123…'");
  check_shown(tomb_blob("abc", 3), "a blob of 3 bytes");
}

static void every_status_and_constraint_has_a_word(void) {
  CHECK_TEXT(tomb_status_name(TOMB_OK), "ok");
  CHECK_TEXT(tomb_status_name(TOMB_INTEGRITY), "integrity");
  CHECK_TEXT(tomb_status_name(TOMB_COMMIT_UNKNOWN), "commit_unknown");
  CHECK_TEXT(tomb_status_name(TOMB_MISUSE), "misuse");
  CHECK_TEXT(tomb_status_name(TOMB_NOMEM), "memory");
  CHECK_TEXT(tomb_constraint_name(TOMB_NO_CONSTRAINT), "");
  CHECK_TEXT(tomb_constraint_name(TOMB_CONSTRAINT_CHECK), "check");
}

int main(void) {
  RUN(nothing_and_null_fit_everywhere);
  RUN(whole_numbers_are_integers);
  RUN(numbers_are_finite);
  RUN(seconds_are_rounded_to_the_microsecond);
  RUN(times_lie_between_the_years_1_and_9999);
  RUN(texts_blobs_and_booleans_are_what_they_are);
  RUN(storage_becomes_the_fields_type);
  RUN(what_does_not_fit_stays_as_it_is);
  RUN(equality_is_of_type_and_bytes);
  RUN(characters_of_valid_utf8_are_counted);
  RUN(what_is_not_utf8_is_refused);
  RUN(a_prefix_holds_whole_characters);
  RUN(a_long_message_is_cut_between_characters);
  RUN(a_message_that_fits_is_not_cut);
  RUN(a_message_is_one_line);
  RUN(a_failure_forgets_the_one_before);
  RUN(nobody_needs_an_error);
  RUN(a_kept_value_outlives_its_text);
  RUN(a_long_value_is_cut_between_characters);
  RUN(values_are_shown_as_people_read_them);
  RUN(every_status_and_constraint_has_a_word);
  return check_done();
}
