/* test_conflicts.c - who is in the way of a restore goes, or somebody is asked
** what to do. */
#include "trash.h"

/* ---- replace ------------------------------------------------------ */

static void the_living_twin_goes_in_an_event_of_its_own(void) {
  open_twins();
  int64_t living = add_post("twin", 9);
  CHECK_INT(restore_posts(of_key(dead(), 1), TOMB_CONFLICT_REPLACE), 1);
  CHECK_TEXT(all_posts(), "1 twin, 2 twin*, 3 single*, 4 twin*");
  CHECK(!is_alive(living));
  CHECK_TEXT(ask("SELECT model || pk FROM tombstone_event ORDER BY id DESC"),
             "Post4");
  close_db();
}

static void all_twins_in_the_way_go(void) {
  open_posts();
  delete_post(add_coded("a", 7));
  add_coded("a", 1);
  add_coded("b", 7);
  CHECK_INT(restore_posts(dead(), TOMB_CONFLICT_REPLACE), 1);
  CHECK_TEXT(all_posts(), "1 a, 2 a*, 3 b*");
  CHECK_TEXT(ask("SELECT count(*) FROM tombstone_event"), "3");
  close_db();
}

/* A key is copied whole: a prefix of it is the key of somebody else. */
static const tomb_model *define_pages(void) {
  const tomb_field_def fields[] = {
      {.name = "url", .type = TOMB_FIELD_TEXT, .primary_key = true},
      {.name = "title", .type = TOMB_FIELD_TEXT, .unique = TOMB_UNIQUE}};
  const tomb_model_def def = {.name = "Page", .fields = fields, .n_fields = 2};
  const tomb_model *page;
  open_posts();
  MUST(tomb_define(&page, db, &def, &check_error));
  MUST(tomb_create_tables(db, &check_error));
  return page;
}

static char long_key[400];

static void add_page(const tomb_model *page, size_t size, const char *title) {
  tomb_value row[4] = {tomb_text_of(long_key, size), tomb_text(title)};
  memset(long_key, 'x', sizeof long_key);
  MUST(tomb_insert(db, page, row, tick(), &check_error));
}

static void a_long_key_names_its_own_row(void) {
  const tomb_model *page = define_pages();
  add_page(page, 300, "a");
  delete_posts(tomb_objects(page));
  add_page(page, 255, "bystander");
  add_page(page, 254, "bystander too");
  add_page(page, 310, "a");
  CHECK_INT(restore_posts(tomb_deleted_objects(page), TOMB_CONFLICT_REPLACE),
            1);
  CHECK_TEXT(ask("SELECT group_concat(length(url)) FROM (SELECT url FROM page "
                 "WHERE deleted_at IS NULL ORDER BY url)"),
             "254,255,300");
  close_db();
}

/* ---- ask ---------------------------------------------------------- */

static tomb_restore_job *job;
static tomb_value asked;

static void open_job(tomb_query query) {
  tomb_restoration how = {.now = tick(), .on_conflict = TOMB_CONFLICT_ASK};
  MUST(tomb_restore_open(&job, db, &query, &how, &check_error));
}

static tomb_status next(void) {
  return tomb_restore_next(job, &asked, &check_error);
}

static tomb_status answer(tomb_on_conflict word, const tomb_value *values) {
  return tomb_restore_resolve(job, word, values, &check_error);
}

static void each_conflict_is_asked_about(void) {
  int64_t restored;
  open_twins();
  int64_t living = add_post("twin", 9);
  open_job(dead());
  CHECK_STATUS(next(), TOMB_ROW);
  CHECK_INT(asked.as.integer, 1);
  CHECK_INT(check_error.live_pk.value.as.integer, living);
  CHECK_STATUS(next(), TOMB_MISUSE);              /* first an answer */
  memset(&check_error, 0x5A, sizeof check_error); /* the job remembers */
  CHECK_STATUS(answer(TOMB_CONFLICT_REPLACE, NULL), TOMB_OK);
  CHECK_STATUS(answer(TOMB_CONFLICT_SKIP, NULL), TOMB_MISUSE);
  CHECK_STATUS(next(), TOMB_ROW);
  CHECK_INT(asked.as.integer, 2);
  CHECK_STATUS(answer(TOMB_CONFLICT_SKIP, NULL), TOMB_OK);
  CHECK_STATUS(next(), TOMB_DONE);
  MUST(tomb_restore_close(job, &restored, &check_error));
  CHECK_INT(restored, 2);
  CHECK_TEXT(all_posts(), "1 twin, 2 twin*, 3 single, 4 twin*");
  close_db();
}

static void new_values_are_an_answer(void) {
  tomb_value values[FIELDS];
  open_twins();
  add_post("twin", 9);
  open_job(of_key(dead(), 1));
  CHECK_STATUS(next(), TOMB_ROW);
  empty_row(values);
  values[TITLE] = tomb_text("mine");
  values[VIEWS] = tomb_integer(77);
  CHECK_STATUS(answer(TOMB_CONFLICT_ASK, values), TOMB_OK);
  CHECK_STATUS(next(), TOMB_DONE);
  MUST(tomb_restore_close(job, NULL, &check_error));
  CHECK_TEXT(ask("SELECT title || views FROM posts WHERE id = 1"), "mine77");
  close_db();
}

static void new_values_that_are_taken_too_are_named(void) {
  tomb_value values[FIELDS];
  open_twins();
  add_post("twin", 9);
  int64_t other = add_post("taken", 9);
  open_job(of_key(dead(), 1));
  CHECK_STATUS(next(), TOMB_ROW);
  empty_row(values);
  values[TITLE] = tomb_text("taken");
  CHECK_STATUS(answer(TOMB_CONFLICT_ASK, values), TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message, "Cannot restore record - title with value "
                                  "'taken' already exists");
  CHECK_INT(check_error.live_pk.value.as.integer, other);
  values[TITLE] = tomb_text("far too long for a title of thirty");
  CHECK_STATUS(answer(TOMB_CONFLICT_ASK, values), TOMB_VALIDATION);
  values[TITLE] = tomb_null();
  CHECK_STATUS(answer(TOMB_CONFLICT_ASK, values), TOMB_VALIDATION);
  MUST(tomb_restore_close(job, NULL, &check_error));
  CHECK_TEXT(all_posts(), "1 twin*, 2 twin*, 3 single*, 4 twin, 5 taken");
  close_db();
}

static void a_job_that_is_not_done_has_done_nothing(void) {
  int64_t restored;
  open_twins();
  add_post("twin", 9);
  open_job(dead());
  CHECK_STATUS(next(), TOMB_ROW);
  CHECK_STATUS(answer(TOMB_CONFLICT_RENAME, NULL), TOMB_OK);
  MUST(tomb_restore_close(job, &restored, &check_error));
  CHECK_INT(restored, 0);
  CHECK_INT(tomb_depth(db), 0);
  CHECK_TEXT(all_posts(), "1 twin*, 2 twin*, 3 single*, 4 twin");
  close_db();
}

static void the_key_that_is_asked_about_is_whole(void) {
  const tomb_model *page = define_pages();
  add_page(page, 300, "a");
  delete_posts(tomb_objects(page));
  add_page(page, 310, "a");
  open_job(tomb_deleted_objects(page));
  CHECK_STATUS(next(), TOMB_ROW);
  CHECK_INT(asked.type, TOMB_TEXT);
  CHECK_INT(asked.as.text.size, 300);
  CHECK(asked.as.text.data != NULL);
  MUST(tomb_restore_close(job, NULL, &check_error));
  close_db();
}

static void an_index_of_others_asks_too(void) {
  open_twins();
  exec("CREATE UNIQUE INDEX one_note ON posts (views / 10) WHERE deleted_at IS "
       "NULL");
  add_post("newcomer", 5);
  open_job(of_key(dead(), 3));
  CHECK_STATUS(next(), TOMB_ROW);
  CHECK_INT(asked.type, TOMB_INTEGER);
  CHECK_INT(asked.as.integer, 3);
  CHECK_STATUS(answer(TOMB_CONFLICT_REPLACE, NULL), TOMB_INTEGRITY);
  CHECK_STATUS(answer(TOMB_CONFLICT_RENAME, NULL), TOMB_INTEGRITY);
  CHECK_STATUS(answer(TOMB_CONFLICT_SKIP, NULL), TOMB_OK);
  CHECK_STATUS(next(), TOMB_DONE);
  MUST(tomb_restore_close(job, NULL, &check_error));
  CHECK_STATUS(restore(of_key(dead(), 3), TOMB_CONFLICT_FAIL), TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message,
             "Cannot restore record - index 'one_note' is not unique");
  close_db();
}

/* What a trigger writes elsewhere is not a field of ours. */
static void a_triggers_conflict_is_not_ours(void) {
  open_twins();
  exec("CREATE TABLE log (title UNIQUE); INSERT INTO log VALUES (1);"
       "CREATE TRIGGER logged AFTER UPDATE ON posts BEGIN INSERT INTO log "
       "VALUES (1); END");
  for (int word = TOMB_CONFLICT_FAIL; word < TOMB_CONFLICT_ASK; word++) {
    if (word == TOMB_CONFLICT_SKIP) continue;
    CHECK_STATUS(restore(of_key(dead(), 3), (tomb_on_conflict)word),
                 TOMB_INTEGRITY);
    CHECK_TEXT(check_error.message,
               "Cannot restore record - log.title is not unique");
  }
  CHECK_TEXT(all_posts(), "1 twin*, 2 twin*, 3 single*");
  close_db();
}

static void nobody_needs_an_error(void) {
  int64_t restored;
  tomb_value pk;
  open_twins();
  add_post("twin", 9);
  for (int word = TOMB_CONFLICT_FAIL; word < TOMB_CONFLICT_ASK; word++) {
    tomb_restoration how = {.now = tick(),
                            .on_conflict = (tomb_on_conflict)word};
    tomb_query query = dead();
    tomb_restore(&restored, db, &query, &how, NULL);
  }
  tomb_restoration ask_me = {.now = tick(), .on_conflict = TOMB_CONFLICT_ASK};
  tomb_query all = tomb_all_objects(post);
  delete_posts(tomb_objects(post));
  add_post("single", 9);
  MUST(tomb_restore_open(&job, db, &all, &ask_me, NULL));
  CHECK_STATUS(tomb_restore_next(job, &pk, NULL), TOMB_ROW);
  CHECK_STATUS(tomb_restore_resolve(job, TOMB_CONFLICT_RENAME, NULL, NULL),
               TOMB_OK);
  MUST(tomb_restore_close(job, NULL, NULL));
  close_db();
}

int main(void) {
  RUN(nobody_needs_an_error);
  RUN(the_living_twin_goes_in_an_event_of_its_own);
  RUN(all_twins_in_the_way_go);
  RUN(a_long_key_names_its_own_row);
  RUN(each_conflict_is_asked_about);
  RUN(new_values_are_an_answer);
  RUN(new_values_that_are_taken_too_are_named);
  RUN(a_job_that_is_not_done_has_done_nothing);
  RUN(the_key_that_is_asked_about_is_whole);
  RUN(an_index_of_others_asks_too);
  RUN(a_triggers_conflict_is_not_ours);
  return check_done();
}
