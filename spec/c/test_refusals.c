/* test_refusals.c - what the database refuses becomes words of the model, with
** the row in the way. */
#include "models.h"

#include "value.h"

static tomb_status insert(const tomb_model *model, tomb_value *row) {
  return tomb_insert(db, model, row, tick(), &check_error);
}

static tomb_status insert_post(int64_t id, const char *title) {
  tomb_value row[FIELDS];
  empty_row(row);
  if (id != 0) row[ID] = tomb_integer(id);
  row[TITLE] = tomb_text(title);
  return insert(post, row);
}

static void a_taken_value_names_who_has_it(void) {
  open_posts();
  int64_t id = add_post("a", 1);
  CHECK_STATUS(insert_post(0, "a"), TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message,
             "Cannot create record - title with value 'a' already exists");
  CHECK_INT(check_error.live_pk.value.as.integer, id);
  CHECK(check_error.has_live_pk && !check_error.has_dead_pk);
  CHECK_TEXT(check_error.fields[0], "title");
  CHECK_TEXT(check_error.details[0], "already exists");
  CHECK_TEXT(check_error.model, "Post");
  close_db();
}

static void the_key_of_a_dead_row_is_not_free(void) {
  open_posts();
  int64_t id = add_post("a", 1);
  delete_post(id);
  CHECK_STATUS(insert_post(id, "b"), TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message,
             "Cannot create record - id with value 1 belongs to a deleted row");
  CHECK_INT(check_error.dead_pk.value.as.integer, id);
  CHECK(!check_error.has_live_pk && check_error.has_dead_pk);
  close_db();
}

static void the_text_of_a_dead_row_is_its_own(void) {
  char mangled[1024];
  open_posts();
  int64_t id = add_post("a", 1);
  delete_post(id);
  snprintf(mangled, sizeof mangled, "%s", title_of(id));
  CHECK_STATUS(insert_post(0, mangled), TOMB_INTEGRITY);
  CHECK_INT(check_error.dead_pk.value.as.integer, id);
  CHECK_STATUS(insert_post(0, "a"), TOMB_OK); /* its original is free */
  close_db();
}

static void checks_and_keys_of_others_are_told(void) {
  const tomb_field_def fields[] = {INTEGER("views", .check = "views >= 0"),
                                   INTEGER("post")};
  const tomb_model_def def = {.name = "Visit", .fields = fields, .n_fields = 2};
  tomb_value row[5];
  open_posts();
  const tomb_model *visit = define(&def);
  exec("CREATE TABLE visit (id integer NOT NULL PRIMARY KEY, views integer "
       "NOT NULL CONSTRAINT views CHECK (views >= 0), post integer NOT NULL "
       "REFERENCES posts (id), other integer CONSTRAINT odd CHECK (post > 0), "
       "deleted_at datetime, deleted_event integer)");
  memset(row, 0, sizeof row);
  row[1] = tomb_integer(-1);
  row[2] = tomb_integer(1);
  CHECK_STATUS(insert(visit, row), TOMB_INTEGRITY);
  CHECK_INT(check_error.constraint, TOMB_CONSTRAINT_CHECK);
  CHECK_TEXT(check_error.message,
             "Cannot create record - views fails its check");
  row[1] = tomb_integer(1);
  CHECK_STATUS(insert(visit, row), TOMB_INTEGRITY);
  CHECK_INT(check_error.constraint, TOMB_CONSTRAINT_FOREIGN_KEY);
  row[2] = tomb_integer(0);
  CHECK_STATUS(insert(visit, row), TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message, "Cannot create record - odd fails its check");
  CHECK_INT(check_error.n_fields, 0);
  close_db();
}

static void a_column_that_the_model_does_not_know_is_told(void) {
  open_empty();
  define_posts();
  exec("CREATE TABLE posts (id integer NOT NULL PRIMARY KEY, title text NOT "
       "NULL, code integer, views integer NOT NULL, note text, deleted_at "
       "datetime, deleted_event integer, secret text NOT NULL)");
  CHECK_STATUS(insert_post(0, "a"), TOMB_INTEGRITY);
  CHECK_INT(check_error.constraint, TOMB_CONSTRAINT_NOT_NULL);
  CHECK_TEXT(check_error.message,
             "Cannot create record - posts.secret cannot be null");
  close_db();
}

/* The values of six long fields are more than a message holds. */
static void a_message_is_cut_between_characters(void) {
  static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
  tomb_field_def fields[6];
  tomb_value row[9];
  char text[121];
  size_t characters;
  memset(fields, 0, sizeof fields);
  for (size_t i = 0; i < 6; i++) {
    fields[i].name = names[i];
    fields[i].type = TOMB_FIELD_TEXT;
  }
  const tomb_group_def group = {names, 6, TOMB_UNIQUE_LIVE};
  const tomb_model_def def = {.name = "Wide",
                              .fields = fields,
                              .n_fields = 6,
                              .groups = &group,
                              .n_groups = 1};
  for (size_t i = 0; i < 120; i++) text[i] = "\xE2\x82\xAC"[i % 3];
  for (size_t shift = 0; shift < 4; shift++) {
    open_empty();
    const tomb_model *wide = define(&def);
    MUST(tomb_create_tables(db, &check_error));
    memset(row, 0, sizeof row);
    for (size_t i = 1; i < 7; i++) row[i] = tomb_text_of(text, 120);
    row[1] = tomb_text_of("aaaa", shift);
    CHECK_STATUS(insert(wide, row), TOMB_OK);
    row[0].type = TOMB_ABSENT;
    CHECK_STATUS(insert(wide, row), TOMB_INTEGRITY);
    CHECK(tomb_utf8_check(check_error.message, strlen(check_error.message),
                          &characters));
    close_db();
  }
}

/* ---- before the database is asked --------------------------------- */

static void all_bad_fields_are_told_at_once(void) {
  tomb_value row[FIELDS];
  open_posts();
  empty_row(row);
  row[CODE] = tomb_text("seven");
  row[VIEWS] = tomb_null();
  row[NOTE] = tomb_text_of("a\0b", 3);
  CHECK_STATUS(insert(post, row), TOMB_VALIDATION);
  CHECK_TEXT(check_error.message,
             "Post is not valid - title is required, code must be an integer, "
             "views cannot be null, note must be UTF-8 without NUL");
  CHECK_INT(check_error.n_fields, 4);
  close_db();
}

static void nobody_writes_the_marks_of_deletion(void) {
  tomb_value row[FIELDS];
  open_posts();
  for (int mark = DELETED_AT; mark <= DELETED_EVENT; mark++) {
    empty_row(row);
    row[TITLE] = tomb_text("a");
    row[mark] = mark == DELETED_AT ? tomb_time(1) : tomb_integer(1);
    CHECK_STATUS(insert(post, row), TOMB_MISUSE);
  }
  CHECK_INT(count_of(tomb_all_objects(post)), 0);
  close_db();
}

int main(void) {
  RUN(a_taken_value_names_who_has_it);
  RUN(the_key_of_a_dead_row_is_not_free);
  RUN(the_text_of_a_dead_row_is_its_own);
  RUN(checks_and_keys_of_others_are_told);
  RUN(a_column_that_the_model_does_not_know_is_told);
  RUN(a_message_is_cut_between_characters);
  RUN(all_bad_fields_are_told_at_once);
  RUN(nobody_writes_the_marks_of_deletion);
  return check_done();
}
