/* test_events.c - deletions are events: their stamps, their ids that are never
** used twice, and the one event that many calls share. */
#include "posts.h"

static tomb_status try_delete(tomb_deleted *out, tomb_query query,
                              tomb_deletion how) {
  return tomb_delete(out, db, &query, &how, &check_error);
}

static tomb_deleted delete_at(int64_t id, int64_t now) {
  tomb_deleted out;
  MUST(try_delete(&out, of_key(tomb_objects(post), id),
                  (tomb_deletion){.now = now}));
  return out;
}

static int64_t undo(int64_t event) {
  int64_t restored = -1;
  tomb_restoration how = {.now = tick()};
  MUST(tomb_undo(&restored, db, event, &how, &check_error));
  return restored;
}

static const char *events(void) {
  return ask("SELECT count(*) FROM tombstone_event");
}

/* ---- stamps ------------------------------------------------------- */

static void stamps_increase_whatever_the_clock_says(void) {
  open_posts();
  int64_t before = 0;
  for (int i = 0; i < 5; i++) {
    char title[16];
    snprintf(title, sizeof title, "%d", i);
    tomb_deleted out = delete_at(add_post(title, 1), 1000 - i);
    CHECK(out.at > before);
    before = out.at;
  }
  CHECK_INT(before, 1004);
  close_db();
}

static void a_clock_before_1970_is_a_clock(void) {
  open_posts();
  int64_t id = add_post("old", 1);
  tomb_deleted out = delete_at(id, -1500000);
  CHECK_INT(out.at, -1500000);
  CHECK_TEXT(title_of(id), "old__deleted_-1.500000");
  CHECK_TEXT(ask("SELECT deleted_at FROM posts"), "1969-12-31 23:59:58.500000");
  CHECK_INT(undo(out.event), 1);
  CHECK_TEXT(title_of(id), "old");
  close_db();
}

/* A value that looks like the dead one makes the stamp move on. */
static void two_that_mangle_alike_are_told_apart(void) {
  open_posts();
  int64_t id = add_post("a", 1);
  add_post("a__deleted_5.000000", 1);
  add_post("a__deleted_5.000001", 1);
  tomb_deleted out = delete_at(id, 5000000);
  CHECK_INT(out.count, 1);
  CHECK_INT(out.at, 5000002);
  CHECK_TEXT(title_of(id), "a__deleted_5.000002");
  CHECK_TEXT(ask("SELECT at FROM tombstone_event"),
             "1970-01-01 00:00:05.000002");
  CHECK_INT(undo(out.event), 1);
  CHECK_TEXT(title_of(id), "a");
  close_db();
}

/* Of rows deleted together one may end up with the text of another. */
static void what_looks_like_its_neighbour_comes_back_too(void) {
  static const char *const titles[] = {"a__deleted_5.000000", "a"};
  for (int first = 0; first < 2; first++) {
    open_posts();
    add_post(titles[first], 1);
    add_post(titles[1 - first], 1);
    clock_now = 4000000; /* the deletion is stamped 5.000000 */
    int64_t event = delete_posts(tomb_objects(post));
    clock_now = INT64_C(1763880000000000);
    CHECK_INT(undo(event), 2);
    CHECK_TEXT(title_of(1), titles[first]);
    CHECK_TEXT(title_of(2), titles[1 - first]);
    close_db();
  }
}

static void an_index_of_others_that_refuses_is_told(void) {
  tomb_deleted out;
  open_posts();
  exec("CREATE UNIQUE INDEX one_dead ON posts (deleted_event IS NULL)");
  int64_t id = add_post("a", 1);
  delete_at(id, 5);
  id = add_post("b", 1);
  CHECK_STATUS(try_delete(&out, of_key(tomb_objects(post), id),
                          (tomb_deletion){.now = 5}),
               TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message,
             "Cannot delete records - index 'one_dead' is not unique");
  CHECK_INT(out.count, 0);
  CHECK(is_alive(id));
  CHECK_TEXT(events(), "1");
  close_db();
}

/* ---- what an event is --------------------------------------------- */

static void an_event_tells_who_and_why(void) {
  tomb_deleted out;
  tomb_value pk = tomb_integer(1);
  open_posts();
  add_post("a", 1);
  MUST(try_delete(
      &out, of_key(tomb_objects(post), 1),
      (tomb_deletion){.now = 5, .actor = "ana", .reason = "spam", .pk = &pk}));
  CHECK_TEXT(ask("SELECT model || pk || actor || reason || id FROM "
                 "tombstone_event WHERE undone_at IS NULL"),
             "Post1anaspam1");
  CHECK_INT(undo(out.event), 1);
  CHECK_TEXT(ask("SELECT count(*) FROM tombstone_event WHERE undone_at > at"),
             "1");
  CHECK_INT(undo(out.event), 0);
  close_db();
}

static void many_calls_have_one_actor(void) {
  tomb_deleted out;
  const tomb_deletion all = {.actor = "ana"};
  open_posts();
  add_post("a", 1);
  MUST(tomb_begin(db, &check_error));
  MUST(tomb_deletion_begin(db, &all, &check_error));
  tomb_deletion how = {.now = 6, .actor = "ben"};
  CHECK_STATUS(try_delete(&out, tomb_all_objects(post), how), TOMB_MISUSE);
  CHECK_TEXT(check_error.message,
             "Cannot delete records - the actor is 'ben', and the open "
             "deletion has the actor 'ana'");
  how.actor = "ana";
  how.reason = "x";
  CHECK_STATUS(try_delete(&out, tomb_all_objects(post), how), TOMB_MISUSE);
  how.reason = NULL;
  MUST(try_delete(&out, tomb_all_objects(post), how));
  CHECK_INT(out.count, 1);
  CHECK_INT(tomb_deletion_end(db), out.event);
  MUST(tomb_commit(db, &check_error));
  close_db();
}

static void nothing_taken_is_no_event(void) {
  tomb_deleted out;
  open_posts();
  int64_t id = add_post("a", 1);
  delete_at(id, 5);
  MUST(try_delete(&out, tomb_all_objects(post), (tomb_deletion){.now = 6}));
  CHECK_INT(out.count, 0);
  CHECK_INT(out.event, 0);
  CHECK_TEXT(events(), "1");
  close_db();
}

/* What cannot be written of an event is refused before a row is marked. */
static void a_wrong_event_is_refused_and_the_transaction_goes_on(void) {
  static const tomb_value no_text = {TOMB_TEXT, {.text = {"\xFF", 1}}};
  const tomb_deletion wrong[] = {
      {.now = 5, .actor = "\xFF"},
      {.now = 5, .reason = "\xC3"},
      {.now = 5, .pk = &no_text},
      {.now = INT64_C(253402300800000000)}, /* the year 10000 */
      {.now = INT64_MIN}};
  tomb_deleted out;
  open_posts();
  int64_t id = add_post("a", 1);
  MUST(tomb_begin(db, &check_error));
  add_post("b", 1);
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    CHECK_STATUS(try_delete(&out, tomb_objects(post), wrong[i]),
                 TOMB_VALIDATION);
    CHECK_INT(out.count, 0);
    CHECK(is_alive(id));
  }
  CHECK_STATUS(tomb_deletion_begin(db, &wrong[0], &check_error),
               TOMB_VALIDATION);
  MUST(tomb_commit(db, &check_error));
  CHECK_INT(count_of(tomb_objects(post)), 2);
  CHECK_INT(delete_at(id, 7000000).at, 7000000); /* the clock is right again */
  close_db();
}

static void there_is_no_event_to_undo(void) {
  int64_t restored;
  tomb_restoration how = {.now = 5};
  open_posts();
  CHECK_STATUS(tomb_undo(&restored, db, 99, &how, &check_error),
               TOMB_NOT_FOUND);
  CHECK_INT(tomb_depth(db), 0);
  close_db();
}

static void too_many_is_refused_and_nothing_is_taken(void) {
  tomb_deleted out;
  open_posts();
  for (int i = 0; i < 3; i++) add_post((const char *[]){"a", "b", "c"}[i], i);
  CHECK_STATUS(try_delete(&out, tomb_objects(post),
                          (tomb_deletion){.now = 5, .max_rows = 2}),
               TOMB_TOO_MANY);
  CHECK_INT(out.count, 0);
  CHECK_INT(out.event, 0);
  CHECK_INT(count_of(tomb_objects(post)), 3);
  CHECK_TEXT(events(), "0");
  MUST(try_delete(&out, tomb_objects(post),
                  (tomb_deletion){.now = 5, .max_rows = 3}));
  CHECK_INT(out.count, 3);
  close_db();
}

/* ---- ids ---------------------------------------------------------- */

static void an_id_that_was_rolled_back_is_not_used_again(void) {
  open_posts();
  int64_t a = add_post("a", 1), b = add_post("b", 1);
  MUST(tomb_begin(db, &check_error));
  int64_t lost = delete_post(a);
  MUST(tomb_rollback(db, &check_error));
  int64_t kept = delete_post(b);
  CHECK(kept > lost);
  CHECK_INT(undo(kept), 1);
  CHECK_TEXT(events(), "1");
  close_db();
}

/* Two connections to one file, one of which lost ids by rollbacks. */
static void no_committed_id_is_given_out_twice(void) {
  const char *path = "test_events.db";
  remove(path);
  MUST(tomb_open_sqlite(&db, path, NULL, &check_error));
  define_posts();
  MUST(tomb_create_tables(db, &check_error));
  int64_t a = add_post("a", 1), b = add_post("b", 1);
  MUST(tomb_begin(db, &check_error));
  delete_post(a);
  MUST(tomb_rollback(db, &check_error));
  int64_t first = delete_post(a);
  exec("DELETE FROM tombstone_event"); /* retention */
  close_db();
  MUST(tomb_open_sqlite(&db, path, NULL, &check_error));
  define_posts();
  CHECK(delete_post(b) > first);
  close_db();
  remove(path);
  remove("test_events.db-wal");
  remove("test_events.db-shm");
}

/* ---- one event for many calls ------------------------------------- */

static void begin_deletion(const char *actor) {
  tomb_deletion how = {.actor = actor, .reason = "because"};
  MUST(tomb_deletion_begin(db, &how, &check_error));
}

static void many_calls_share_one_event(void) {
  open_posts();
  int64_t a = add_post("a", 1), b = add_post("b", 1);
  MUST(tomb_begin(db, &check_error));
  begin_deletion("ana");
  int64_t first = delete_post(a);
  CHECK_INT(delete_post(b), first);
  CHECK_INT(tomb_deletion_end(db), first);
  MUST(tomb_commit(db, &check_error));
  CHECK_TEXT(ask("SELECT count(*) || actor || reason FROM tombstone_event"),
             "1anabecause");
  int64_t c = add_post("c", 1);
  CHECK(delete_post(c) != first);
  CHECK_INT(undo(first), 2);
  close_db();
}

static void sharing_needs_a_transaction_and_is_one(void) {
  tomb_deletion how = {.now = 5};
  open_posts();
  CHECK_STATUS(tomb_deletion_begin(db, &how, &check_error), TOMB_MISUSE);
  MUST(tomb_begin(db, &check_error));
  begin_deletion("ana");
  CHECK_STATUS(tomb_deletion_begin(db, &how, &check_error), TOMB_MISUSE);
  CHECK_INT(tomb_deletion_end(db), 0);
  begin_deletion(NULL);
  MUST(tomb_rollback(db, &check_error)); /* ends it as well */
  MUST(tomb_begin(db, &check_error));
  begin_deletion("bob");
  MUST(tomb_commit(db, &check_error));
  close_db();
}

/* The event was made in a savepoint that is gone: the next call makes one. */
static void a_shared_event_survives_rollbacks_inside(void) {
  open_posts();
  int64_t a = add_post("a", 1), b = add_post("b", 1), c = add_post("c", 1);
  MUST(tomb_begin(db, &check_error));
  begin_deletion("ana");
  MUST(tomb_begin(db, &check_error));
  int64_t lost = delete_post(a);
  MUST(tomb_rollback(db, &check_error));
  CHECK(is_alive(a));
  int64_t kept = delete_post(b);
  CHECK(kept > lost);
  MUST(tomb_begin(db, &check_error));
  CHECK_INT(delete_post(a), kept);
  MUST(tomb_rollback(db, &check_error)); /* the event is older and stays */
  MUST(tomb_begin(db, &check_error));
  CHECK_INT(delete_post(c), kept);
  MUST(tomb_commit(db, &check_error));
  CHECK_INT(tomb_deletion_end(db), kept);
  MUST(tomb_commit(db, &check_error));
  CHECK_TEXT(events(), "1");
  CHECK_INT(undo(kept), 2);
  CHECK_INT(count_of(tomb_objects(post)), 3);
  close_db();
}

static void an_inner_commit_hands_the_event_to_its_parent(void) {
  open_posts();
  int64_t a = add_post("a", 1), b = add_post("b", 1);
  MUST(tomb_begin(db, &check_error));
  MUST(tomb_begin(db, &check_error));
  begin_deletion("ana");
  MUST(tomb_begin(db, &check_error));
  int64_t event = delete_post(a);
  MUST(tomb_commit(db, &check_error));
  CHECK_INT(delete_post(b), event);
  MUST(tomb_rollback(db, &check_error)); /* the level of the deletion */
  CHECK_INT(tomb_deletion_end(db), 0);
  CHECK(delete_post(a) > event);
  MUST(tomb_commit(db, &check_error));
  CHECK_TEXT(events(), "1");
  close_db();
}

static void a_call_that_takes_nothing_opens_no_shared_event(void) {
  open_posts();
  int64_t a = add_post("a", 1);
  MUST(tomb_begin(db, &check_error));
  begin_deletion("ana");
  delete_posts(where(tomb_objects(post), "title", tomb_text("none")));
  CHECK_TEXT(events(), "0");
  int64_t event = delete_post(a);
  CHECK_INT(tomb_deletion_end(db), event);
  MUST(tomb_commit(db, &check_error));
  CHECK_TEXT(events(), "1");
  close_db();
}

/* ---- models without events ---------------------------------------- */

static void a_stamp_alone_deletes_and_restores(void) {
  const tomb_field_def field = {
      .name = "title", .type = TOMB_FIELD_TEXT, .unique = TOMB_UNIQUE};
  const tomb_model_def def = {.name = "Note",
                              .fields = &field,
                              .n_fields = 1,
                              .soft_delete = TOMB_SOFT_DELETE_STAMP};
  const tomb_model *note;
  tomb_value row[3] = {{TOMB_ABSENT, {0}}};
  tomb_deleted out;
  int64_t restored;
  open_posts();
  MUST(tomb_define(&note, db, &def, &check_error));
  MUST(tomb_create_tables(db, &check_error));
  row[1] = tomb_text("Hello");
  MUST(tomb_insert(db, note, row, 1, &check_error));
  MUST(try_delete(&out, tomb_objects(note), (tomb_deletion){.now = 7000000}));
  CHECK_INT(out.count, 1);
  CHECK_INT(out.event, 0);
  CHECK_TEXT(ask("SELECT title FROM note"), "Hello__deleted_7.000000");
  CHECK_TEXT(events(), "0");
  MUST(try_restore(&restored, tomb_deleted_objects(note), TOMB_CONFLICT_FAIL));
  CHECK_TEXT(ask("SELECT title FROM note WHERE deleted_at IS NULL"), "Hello");
  close_db();
}

static void a_model_without_soft_delete_cannot(void) {
  const tomb_model_def def = {.name = "Log",
                              .soft_delete = TOMB_SOFT_DELETE_OFF};
  const tomb_model *log;
  tomb_deleted out;
  int64_t restored;
  open_posts();
  MUST(tomb_define(&log, db, &def, &check_error));
  CHECK_STATUS(try_delete(&out, tomb_objects(log), (tomb_deletion){.now = 7}),
               TOMB_MISUSE);
  CHECK_STATUS(
      try_restore(&restored, tomb_deleted_objects(log), TOMB_CONFLICT_FAIL),
      TOMB_MISUSE);
  close_db();
}

int main(void) {
  RUN(stamps_increase_whatever_the_clock_says);
  RUN(a_clock_before_1970_is_a_clock);
  RUN(two_that_mangle_alike_are_told_apart);
  RUN(what_looks_like_its_neighbour_comes_back_too);
  RUN(an_index_of_others_that_refuses_is_told);
  RUN(an_event_tells_who_and_why);
  RUN(many_calls_have_one_actor);
  RUN(nothing_taken_is_no_event);
  RUN(a_wrong_event_is_refused_and_the_transaction_goes_on);
  RUN(there_is_no_event_to_undo);
  RUN(too_many_is_refused_and_nothing_is_taken);
  RUN(an_id_that_was_rolled_back_is_not_used_again);
  RUN(no_committed_id_is_given_out_twice);
  RUN(many_calls_share_one_event);
  RUN(sharing_needs_a_transaction_and_is_one);
  RUN(a_shared_event_survives_rollbacks_inside);
  RUN(an_inner_commit_hands_the_event_to_its_parent);
  RUN(a_call_that_takes_nothing_opens_no_shared_event);
  RUN(a_stamp_alone_deletes_and_restores);
  RUN(a_model_without_soft_delete_cannot);
  return check_done();
}
