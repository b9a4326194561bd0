/* test_mangle.c - the suffix of the dead goes on, and only it comes off. */
#include "check.h"

#include "instant.h"
#include "mangle.h"

#define STAMP INT64_C(1763880000123456)

static const char *suffix_of(int64_t stamp) {
  static char suffix[TOMB_SUFFIX_SIZE];
  size_t size = tomb_suffix(suffix, stamp);
  CHECK_INT(strlen(suffix), size);
  return suffix;
}

/* The length that is left, by a copy of exactly these bytes. */
static size_t left_of(const char *value, size_t size, int64_t stamp) {
  char *exact = malloc(size + 1);
  if (size > 0) memcpy(exact, value, size);
  exact = realloc(exact, size == 0 ? 1 : size);
  size_t left = tomb_original_size(exact, size, stamp);
  free(exact);
  return left;
}

static void check_left(const char *value, int64_t stamp, const char *wanted) {
  char text[256];
  size_t left = left_of(value, strlen(value), stamp);
  snprintf(text, sizeof text, "%.*s", (int)left, value);
  check_text(text, wanted, __FILE__, __LINE__);
}

static void a_suffix_is_seconds_and_six_digits(void) {
  CHECK_TEXT(suffix_of(STAMP), "__deleted_1763880000.123456");
  CHECK_TEXT(suffix_of(0), "__deleted_0.000000");
  CHECK_TEXT(suffix_of(1), "__deleted_0.000001");
  CHECK_TEXT(suffix_of(-1), "__deleted_-0.000001");
  CHECK_TEXT(suffix_of(-1500000), "__deleted_-1.500000");
  CHECK_TEXT(suffix_of(TOMB_TIME_MIN), "__deleted_-62135596800.000000");
  CHECK_TEXT(suffix_of(TOMB_TIME_MAX), "__deleted_253402300799.999999");
}

static void its_own_suffix_comes_off(void) {
  check_left("Hello__deleted_1763880000.123456", STAMP, "Hello");
  check_left("__deleted_1763880000.123456", STAMP, "");
  check_left("x__deleted_-0.000001", -1, "x");
}

static void only_the_last_suffix_comes_off(void) {
  check_left("a__deleted_1763880000.123456__deleted_1763880000.123456", STAMP,
             "a__deleted_1763880000.123456");
  check_left("a__deleted_b__deleted_1763880000.123456", STAMP, "a__deleted_b");
}

static bool ends_in(const char *value, int64_t stamp) {
  const char *suffix = suffix_of(stamp);
  return tomb_ends_in_suffix(value, strlen(value), suffix, strlen(suffix));
}

/* Under NOCASE and RTRIM such texts are the same. */
static void a_value_may_end_in_the_suffix_that_it_is_to_get(void) {
  CHECK(ends_in("a__deleted_1763880000.123456", STAMP));
  CHECK(ends_in("__deleted_1763880000.123456", STAMP));
  CHECK(ends_in("A__DELETED_1763880000.123456", STAMP));
  CHECK(ends_in("a__deleted_1763880000.123456  ", STAMP));
  CHECK(!ends_in("a__deleted_1763880000.123457", STAMP));
  CHECK(!ends_in("a__deleted_1763880000.123456b", STAMP));
  CHECK(!ends_in("_deleted_1763880000.123456", STAMP));
  CHECK(!ends_in("  ", STAMP));
  CHECK(!ends_in("", STAMP));
}

static void another_rows_suffix_stays(void) {
  check_left("a__deleted_1763880000.123458", STAMP,
             "a__deleted_1763880000.123458");
  check_left("a__deleted_1763880001.123456", STAMP,
             "a__deleted_1763880001.123456");
  check_left("a__deleted_-1763880000.123456", STAMP,
             "a__deleted_-1763880000.123456");
}

static void what_is_no_suffix_stays(void) {
  static const char *const texts[] = {"",
                                      "Hello",
                                      "__deleted_",
                                      "__deleted_.",
                                      "a__deleted_.5",
                                      "a__deleted_1763880000",
                                      "a__deleted_1763880000.",
                                      "a__deleted_1763880000.123456 ",
                                      "a__deleted_ 1763880000.123456",
                                      "a__deleted_+1763880000.123456",
                                      "a__deleted_1763880000.12345x",
                                      "a__deleted_1763880000.1234567890",
                                      "a__deleted_--1.0",
                                      "a__deleted_1763880000123456.0",
                                      "a_deleted_1763880000.123456",
                                      "a__DELETED_1763880000.123456",
                                      "__deleted_1763880000.123456x"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    check_left(texts[i], STAMP, texts[i]);
  }
}

/* Django writes a float: fewer digits, or one that rounds to a neighbour. */
static void the_articles_suffixes_come_off(void) {
  check_left("a__deleted_1763880000.0", INT64_C(1763880000000000), "a");
  check_left("a__deleted_1763880000.5", INT64_C(1763880000500000), "a");
  check_left("a__deleted_1763880000.123455", STAMP, "a");
  check_left("a__deleted_1763880000.123457", STAMP, "a");
  check_left("a__deleted_1763880000.1234567", STAMP, "a");
  check_left("a__deleted_1763880000.123456789", STAMP, "a");
}

static void any_stamp_is_safe_to_ask_for(void) {
  check_left("a__deleted_999999999999.999999999", INT64_MAX,
             "a__deleted_999999999999.999999999");
  check_left("a__deleted_-999999999999.999999999", INT64_MIN,
             "a__deleted_-999999999999.999999999");
}

/* ---- random texts: original back, byte for byte ------------------- */

/* Pieces that are markers, parts of markers, stamps, UTF-8 and noise. */
static size_t random_text(char *out, size_t room, uint64_t *state,
                          int64_t stamp) {
  static const char *const pieces[] = {"__deleted_",
                                       "__deleted",
                                       "_",
                                       "__",
                                       "deleted_",
                                       ".",
                                       "-",
                                       "0",
                                       "123456",
                                       "\xC3\xA9",
                                       "\xE2\x82\xAC",
                                       "\xF0\x9F\x98\x80",
                                       "A",
                                       " ",
                                       "1763880000",
                                       "1763880000.123456",
                                       "%",
                                       "\\"};
  size_t size = 0, n = check_random(state) % 8;
  for (size_t i = 0; i < n; i++) {
    uint64_t pick = check_random(state) % 20;
    const char *piece = pick < 18    ? pieces[pick]
                        : pick == 18 ? suffix_of(stamp)
                                     : suffix_of(stamp + 1);
    size_t piece_size = strlen(piece);
    if (size + piece_size + TOMB_SUFFIX_SIZE > room) break;
    memcpy(out + size, piece, piece_size);
    size += piece_size;
  }
  return size;
}

static int64_t random_stamp(uint64_t *state) {
  uint64_t span = (uint64_t)(TOMB_TIME_MAX - TOMB_TIME_MIN) + 1;
  if (check_random(state) % 2 == 0) return STAMP;
  return TOMB_TIME_MIN + (int64_t)(check_random(state) % span);
}

static void any_text_comes_back_byte_for_byte(void) {
  char text[512];
  uint64_t state = 3;
  int n = (int)(200000 * check_scale());
  for (int i = 0; i < n; i++) {
    int64_t stamp = random_stamp(&state);
    size_t size = random_text(text, sizeof text, &state, stamp);
    size_t mangled = size + tomb_suffix(text + size, stamp);
    if (!CHECK_INT(left_of(text, mangled, stamp), size)) return;
  }
}

/* ---- the same in SQL ---------------------------------------------- */

static tomb_db *db;

static void check_sql(const char *value, const char *deleted_at,
                      const char *wanted) {
  static const char sql[] = "SELECT tombstone_original(?, ?)";
  tomb_value args[] = {tomb_text(value), tomb_null()};
  tomb_cursor cursor;
  if (deleted_at != NULL) args[1] = tomb_text(deleted_at);
  MUST(tomb_query_raw(&cursor, db, sql, strlen(sql), args, 2, &check_error));
  CHECK_STATUS(tomb_cursor_next(&cursor, &check_error), TOMB_ROW);
  CHECK_INT(cursor.values[0].as.text.size, strlen(wanted));
  CHECK_TEXT(cursor.values[0].as.text.data, wanted);
  tomb_cursor_close(&cursor);
}

static void sql_strips_what_c_strips(void) {
  MUST(tomb_open_sqlite(&db, ":memory:", NULL, &check_error));
  check_sql("a__deleted_1763880000.123456", "2025-11-23 06:40:00.123456", "a");
  check_sql("a__deleted_1763880000.123456", "2025-11-23 06:40:00.123458",
            "a__deleted_1763880000.123456");
  check_sql("a__deleted_1763880000.123456", NULL,
            "a__deleted_1763880000.123456");
  check_sql("a__deleted_1763880000.123456", "no stamp",
            "a__deleted_1763880000.123456");
  check_sql("", "2025-11-23 06:40:00.123456", "");
  tomb_free(db);
}

/* ---- which field of a row ----------------------------------------- */

enum { ID, A, B, N, C, DELETED_AT, DELETED_EVENT, FIELDS };

static const tomb_model *define_composites(void) {
  static const char *const pair[] = {"a", "b"};
  static const char *const mixed[] = {"c", "n"};
  const tomb_field_def fields[] = {
      {.name = "a", .type = TOMB_FIELD_TEXT, .nullable = true},
      {.name = "b", .type = TOMB_FIELD_TEXT, .nullable = true},
      {.name = "n", .type = TOMB_FIELD_INTEGER, .nullable = true},
      {.name = "c", .type = TOMB_FIELD_TEXT, .nullable = true}};
  const tomb_group_def groups[] = {
      {.fields = pair, .n_fields = 2, .unique = TOMB_UNIQUE_MANGLE},
      {.fields = mixed, .n_fields = 2, .unique = TOMB_UNIQUE_MANGLE}};
  const tomb_model_def def = {.name = "Pair",
                              .fields = fields,
                              .n_fields = 4,
                              .groups = groups,
                              .n_groups = 2};
  const tomb_model *model;
  MUST(tomb_define(&model, db, &def, &check_error));
  return model;
}

static void check_original(const tomb_model *model, const tomb_value *row,
                           size_t field, const char *wanted) {
  tomb_value value = tomb_original(model, tomb_model_field(model, field), row);
  CHECK_INT(value.as.text.size, strlen(wanted));
  CHECK(memcmp(value.as.text.data, wanted, strlen(wanted)) == 0);
}

static void a_composite_strips_its_last_text_that_is_not_null(void) {
  const char *marked = "x__deleted_1763880000.123456";
  tomb_value row[FIELDS] = {{TOMB_NULL, {0}}};
  MUST(tomb_open_sqlite(&db, ":memory:", NULL, &check_error));
  const tomb_model *model = define_composites();
  for (size_t i = 0; i < FIELDS; i++) row[i] = tomb_null();
  row[A] = row[B] = row[C] = tomb_text(marked);
  row[DELETED_AT] = tomb_time(STAMP);
  check_original(model, row, A, marked);
  check_original(model, row, B, "x");
  check_original(model, row, C, "x"); /* no text follows: always this one */
  row[B] = tomb_null();
  check_original(model, row, A, "x");
  row[DELETED_AT] = tomb_null();
  check_original(model, row, A, marked);
  tomb_free(db);
}

int main(void) {
  RUN(a_suffix_is_seconds_and_six_digits);
  RUN(its_own_suffix_comes_off);
  RUN(only_the_last_suffix_comes_off);
  RUN(a_value_may_end_in_the_suffix_that_it_is_to_get);
  RUN(another_rows_suffix_stays);
  RUN(what_is_no_suffix_stays);
  RUN(the_articles_suffixes_come_off);
  RUN(any_stamp_is_safe_to_ask_for);
  RUN(any_text_comes_back_byte_for_byte);
  RUN(sql_strips_what_c_strips);
  RUN(a_composite_strips_its_last_text_that_is_not_null);
  return check_done();
}
