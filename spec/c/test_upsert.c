/* test_upsert.c - insert, or update the living row with the same unique
** values; the dead stay dead unless the call says so. */
#include "posts.h"

static tomb_rows *rows;

static tomb_status upsert(size_t field, const tomb_value *given,
                          tomb_on_deleted on_deleted) {
  const tomb_field *on[] = {tomb_model_field(post, field)};
  tomb_value values[FIELDS];
  tomb_assignment update = {tomb_model_field(post, VIEWS), given[VIEWS], NULL};
  const tomb_upsert how = {.on = on,
                           .n_on = 1,
                           .update = &update,
                           .n_update = 1,
                           .on_deleted = on_deleted};
  memcpy(values, given, sizeof values);
  tomb_rows_clear(rows);
  return tomb_upsert_row(db, post, values, &how, tick(), rows, &check_error);
}

static const tomb_value *post_of(const char *title, tomb_value code,
                                 int64_t views) {
  static tomb_value row[FIELDS];
  empty_row(row);
  row[TITLE] = tomb_text(title);
  row[CODE] = code;
  row[VIEWS] = tomb_integer(views);
  return row;
}

static int64_t answered_id(void) {
  return tomb_rows_count(rows) == 1 ? tomb_rows_at(rows, 0, NULL)[ID].as.integer
                                    : -1;
}

static void open_rows(void) {
  open_posts();
  rows = tomb_rows_new(db);
}

static void close_rows(void) {
  tomb_rows_free(rows);
  close_db();
}

static const char *all_posts(void) {
  return ask("SELECT group_concat(id || ' ' || tombstone_original(title, "
             "deleted_at) || ' ' || views || iif(deleted_at IS NULL, '', '*'), "
             "', ') FROM (SELECT * FROM posts ORDER BY id)");
}

/* ---- living rows -------------------------------------------------- */

static void it_inserts_and_then_updates(void) {
  open_rows();
  MUST(upsert(TITLE, post_of("a", tomb_integer(7), 1), TOMB_ON_DELETED_NEW));
  CHECK_INT(answered_id(), 1);
  MUST(upsert(TITLE, post_of("a", tomb_integer(8), 2), TOMB_ON_DELETED_NEW));
  CHECK_INT(answered_id(), 1);
  CHECK_TEXT(all_posts(), "1 a 2");
  MUST(upsert(CODE, post_of("b", tomb_integer(7), 3), TOMB_ON_DELETED_NEW));
  CHECK_INT(answered_id(), 1);
  MUST(upsert(CODE, post_of("b", tomb_integer(8), 4), TOMB_ON_DELETED_NEW));
  CHECK(answered_id() > 1); /* SQLite skips an id at each conflict */
  CHECK_TEXT(ask("SELECT group_concat(title || views) FROM posts"), "a3,b4");
  close_rows();
}

static void another_constraint_still_refuses(void) {
  open_rows();
  MUST(upsert(TITLE, post_of("a", tomb_integer(7), 1), TOMB_ON_DELETED_NEW));
  CHECK_STATUS(
      upsert(TITLE, post_of("b", tomb_integer(7), 2), TOMB_ON_DELETED_NEW),
      TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message,
             "Cannot upsert record - code with value 7 already exists");
  CHECK_INT(check_error.live_pk.value.as.integer, 1);
  CHECK_TEXT(all_posts(), "1 a 1");
  close_rows();
}

static void it_needs_a_unique_constraint_and_valid_values(void) {
  open_rows();
  CHECK_STATUS(upsert(VIEWS, post_of("a", tomb_null(), 1), TOMB_ON_DELETED_NEW),
               TOMB_MISUSE);
  CHECK_STATUS(
      upsert(TITLE,
             post_of("a title of more than thirty letters", tomb_null(), 1),
             TOMB_ON_DELETED_NEW),
      TOMB_VALIDATION);
  CHECK_TEXT(check_error.details[0],
             "has 35 characters, at most 30 are allowed");
  close_rows();
}

/* ---- dead rows ---------------------------------------------------- */

static void a_dead_twin_stays_dead(void) {
  for (int field = TITLE; field <= CODE; field++) {
    open_rows();
    delete_post(add_coded("a", 7));
    MUST(upsert((size_t)field, post_of("a", tomb_integer(7), 5),
                TOMB_ON_DELETED_NEW));
    CHECK_INT(answered_id(), 2);
    CHECK_TEXT(all_posts(), "1 a 0*, 2 a 5");
    close_rows();
  }
}

static void a_dead_twin_comes_back_when_asked_for(void) {
  for (int field = TITLE; field <= CODE; field++) {
    open_rows();
    delete_post(add_coded("a", 7));
    delete_post(add_coded("a", 7)); /* the one that died last */
    MUST(upsert((size_t)field, post_of("a", tomb_integer(7), 5),
                TOMB_ON_DELETED_RESTORE));
    CHECK_INT(answered_id(), 2);
    CHECK_TEXT(all_posts(), "1 a 0*, 2 a 5");
    MUST(upsert((size_t)field, post_of("a", tomb_integer(7), 6),
                TOMB_ON_DELETED_RESTORE)); /* now it lives */
    CHECK_TEXT(all_posts(), "1 a 0*, 2 a 6");
    close_rows();
  }
}

static void a_dead_twin_refuses_when_asked_for(void) {
  open_rows();
  delete_post(add_coded("a", 7));
  CHECK_STATUS(
      upsert(CODE, post_of("b", tomb_integer(7), 5), TOMB_ON_DELETED_REFUSE),
      TOMB_DELETED);
  CHECK_TEXT(check_error.message, "Cannot upsert record - code with value 7 "
                                  "belongs to a deleted row");
  CHECK_INT(tomb_depth(db), 0);
  MUST(upsert(CODE, post_of("b", tomb_integer(8), 5), TOMB_ON_DELETED_REFUSE));
  CHECK_TEXT(all_posts(), "1 a 0*, 2 b 5");
  close_rows();
}

static void a_dead_twin_that_cannot_come_back_refuses(void) {
  open_rows();
  delete_post(add_coded("a", 7));
  add_coded("a", 8);
  CHECK_STATUS(
      upsert(CODE, post_of("b", tomb_integer(7), 5), TOMB_ON_DELETED_RESTORE),
      TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message, "Cannot restore record - title with value "
                                  "'a' already exists");
  CHECK_INT(tomb_depth(db), 0);
  CHECK_TEXT(all_posts(), "1 a 0*, 2 a 0");
  close_rows();
}

/* NULL is not equal to NULL: there is no twin. */
static void null_has_no_twin(void) {
  for (int word = TOMB_ON_DELETED_NEW; word <= TOMB_ON_DELETED_REFUSE; word++) {
    open_rows();
    delete_post(add_post("a", 1));
    MUST(upsert(CODE, post_of("b", tomb_null(), 5), (tomb_on_deleted)word));
    CHECK_INT(answered_id(), 2);
    CHECK_TEXT(all_posts(), "1 a 1*, 2 b 5");
    close_rows();
  }
}

static void the_key_of_a_dead_row_is_not_free(void) {
  tomb_value row[FIELDS];
  open_rows();
  delete_post(add_post("a", 1));
  memcpy(row, post_of("b", tomb_null(), 5), sizeof row);
  row[ID] = tomb_integer(1);
  CHECK_STATUS(upsert(ID, row, TOMB_ON_DELETED_NEW), TOMB_DELETED);
  CHECK_STATUS(upsert(ID, row, TOMB_ON_DELETED_REFUSE), TOMB_DELETED);
  CHECK_TEXT(all_posts(), "1 a 1*");
  MUST(upsert(ID, row, TOMB_ON_DELETED_RESTORE));
  CHECK_TEXT(all_posts(), "1 a 5");
  close_rows();
}

/* A value that looks like a dead one meets the row that has it. */
static void a_mangled_value_is_not_written_over(void) {
  open_rows();
  clock_now = INT64_C(1763880000000000);
  delete_post(add_post("a", 1));
  char mangled[1024];
  snprintf(mangled, sizeof mangled, "%s", title_of(1));
  CHECK_STATUS(
      upsert(TITLE, post_of(mangled, tomb_null(), 5), TOMB_ON_DELETED_NEW),
      TOMB_DELETED);
  CHECK_TEXT(all_posts(), "1 a 1*");
  close_rows();
}

/* ---- other fields ------------------------------------------------- */

static const tomb_model *define_tags(void) {
  const tomb_field_def field = {.name = "name",
                                .type = TOMB_FIELD_TEXT,
                                .unique = TOMB_UNIQUE,
                                .collate = "NOCASE"};
  const tomb_model_def def = {.name = "Tag",
                              .fields = &field,
                              .n_fields = 1,
                              .version = true,
                              .timestamps = true};
  const tomb_model *tag;
  open_rows();
  MUST(tomb_define(&tag, db, &def, &check_error));
  MUST(tomb_create_tables(db, &check_error));
  return tag;
}

static tomb_status upsert_tag(const tomb_model *tag, const char *name,
                              tomb_on_deleted on_deleted) {
  const tomb_field *on[] = {tomb_model_field(tag, 1)};
  tomb_value values[8];
  const tomb_upsert how = {.on = on, .n_on = 1, .on_deleted = on_deleted};
  memset(values, 0, sizeof values);
  values[1] = tomb_text(name);
  tomb_rows_clear(rows);
  return tomb_upsert_row(db, tag, values, &how, tick(), rows, &check_error);
}

static void without_an_update_the_row_is_found_as_it_is(void) {
  const tomb_model *tag = define_tags();
  MUST(upsert_tag(tag, "Lua", TOMB_ON_DELETED_NEW));
  CHECK_INT(answered_id(), 1);
  MUST(upsert_tag(tag, "LUA", TOMB_ON_DELETED_NEW));
  CHECK_INT(answered_id(), 1);
  CHECK_TEXT(ask("SELECT name || version || (created_at = updated_at) FROM "
                 "tag"),
             "Lua11");
  close_rows();
}

static void twins_are_found_in_any_case(void) {
  const tomb_model *tag = define_tags();
  MUST(upsert_tag(tag, "Lua", TOMB_ON_DELETED_NEW));
  delete_posts(tomb_objects(tag));
  CHECK_STATUS(upsert_tag(tag, "LUA", TOMB_ON_DELETED_REFUSE), TOMB_DELETED);
  MUST(upsert_tag(tag, "LUA", TOMB_ON_DELETED_RESTORE));
  CHECK_INT(answered_id(), 1);
  CHECK_TEXT(ask("SELECT count(*) FROM tag"), "1");
  close_rows();
}

int main(void) {
  RUN(it_inserts_and_then_updates);
  RUN(another_constraint_still_refuses);
  RUN(it_needs_a_unique_constraint_and_valid_values);
  RUN(a_dead_twin_stays_dead);
  RUN(a_dead_twin_comes_back_when_asked_for);
  RUN(a_dead_twin_refuses_when_asked_for);
  RUN(a_dead_twin_that_cannot_come_back_refuses);
  RUN(null_has_no_twin);
  RUN(the_key_of_a_dead_row_is_not_free);
  RUN(a_mangled_value_is_not_written_over);
  RUN(without_an_update_the_row_is_found_as_it_is);
  RUN(twins_are_found_in_any_case);
  return check_done();
}
