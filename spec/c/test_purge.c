/* test_purge.c - the real DELETE is fenced by death, and retention takes what
** is old enough and nothing that is still needed. */
#include "kin.h"

static int64_t purged;

static tomb_status purge(tomb_query query, bool living) {
  tomb_purging how = {.living = living, .deletion = {.now = tick()}};
  return tomb_purge(&purged, db, &query, &how, &check_error);
}

static void open_both(void) {
  clock_now = INT64_C(1763880000000000);
  MUST(tomb_open_sqlite(&db, ":memory:", NULL, &check_error));
  define_posts();
  define_notes();
  MUST(tomb_create_tables(db, &check_error));
}

static const char *notes(void) {
  return ask("SELECT count(*) FROM note");
}

static const char *events(void) {
  return ask("SELECT count(*) FROM tombstone_event");
}

/* ---- purge -------------------------------------------------------- */

static void the_dead_go_and_the_living_stay(void) {
  open_both();
  six_posts();
  MUST(purge(tomb_deleted_objects(post), false));
  CHECK_INT(purged, 2);
  CHECK_INT(count_of(tomb_objects(post)), 4);
  MUST(purge(tomb_deleted_objects(post), false));
  CHECK_INT(purged, 0);
  close_db();
}

static void living_rows_must_be_meant(void) {
  open_both();
  six_posts();
  CHECK_STATUS(purge(tomb_objects(post), false), TOMB_MISUSE);
  CHECK_STATUS(purge(tomb_all_objects(post), false), TOMB_MISUSE);
  CHECK_INT(count_of(tomb_all_objects(post)), 6);
  MUST(purge(where(tomb_objects(post), "views__gt", tomb_integer(3)), true));
  CHECK_INT(purged, 2);
  MUST(purge(tomb_all_objects(post), true));
  CHECK_INT(purged, 4);
  CHECK_INT(count_of(tomb_all_objects(post)), 0);
  close_db();
}

/* A deletion changes the title that the query asks for. */
static void a_purge_of_the_living_takes_what_matched_before(void) {
  open_both();
  six_posts();
  MUST(purge(where(tomb_objects(post), "title", tomb_text("b")), true));
  CHECK_INT(purged, 1);
  CHECK_INT(count_of(tomb_all_objects(post)), 5);
  close_db();
}

static void what_others_point_to_stays(void) {
  open_both();
  six_posts();
  exec("CREATE TABLE child (post_id integer REFERENCES posts (id)); "
       "INSERT INTO child VALUES (1)");
  CHECK_STATUS(purge(tomb_deleted_objects(post), false), TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message,
             "Cannot purge records - a foreign key refuses it");
  CHECK_INT(purged, 0);
  CHECK_INT(count_of(tomb_deleted_objects(post)), 2);
  CHECK_STATUS(purge(tomb_all_objects(post), true), TOMB_INTEGRITY);
  CHECK_INT(count_of(tomb_objects(post)), 4);
  CHECK_INT(tomb_depth(db), 0);
  close_db();
}

/* ---- reports ------------------------------------------------------ */

static tomb_rows *report;

static void open_kin(void (*prepare)(void)) {
  clock_now = INT64_C(1763880000000000);
  MUST(tomb_open_sqlite(&db, ":memory:", NULL, &check_error));
  prepare();
  report = tomb_rows_new(db);
}

static void close_kin(void) {
  tomb_rows_free(report);
  close_db();
}

/* Of the model's lines of that kind; -1: there is none. */
static int64_t told(tomb_report_kind kind, const char *model) {
  int64_t n = -1;
  for (size_t i = 0; i < tomb_rows_count(report); i++) {
    size_t columns;
    const tomb_value *line = tomb_rows_at(report, i, &columns);
    CHECK_INT(columns, TOMB_REPORT_COLUMNS);
    if (line[TOMB_REPORT_KIND].as.integer != kind) continue;
    if (strcmp(line[TOMB_REPORT_MODEL].as.text.data, model) != 0) continue;
    n = line[TOMB_REPORT_COUNT].as.integer;
  }
  return n;
}

static void check_family(void) {
  CHECK_INT(told(TOMB_REPORT_ROWS, "Author"), 1);
  CHECK_INT(told(TOMB_REPORT_ROWS, "Book"), 2);
  CHECK_INT(told(TOMB_REPORT_ROWS, "Team"), -1);
  CHECK_INT(told(TOMB_REPORT_KEPT, "Memo"), 1);
  CHECK_INT(told(TOMB_REPORT_NEEDED, "Pin"), -1);
}

static void a_report_says_what_went_and_what_would(void) {
  open_kin(kin_with_dead);
  tomb_purging how = {.living = true, .dry_run = true, .report = report};
  tomb_query one = of_key(tomb_all_objects(author), 1);
  MUST(tomb_purge(&purged, db, &one, &how, &check_error));
  CHECK_INT(purged, 1);
  check_family();
  CHECK_INT(count_of(tomb_all_objects(book)), 2);
  tomb_rows_clear(report);
  how.dry_run = false;
  how.deletion.now = tick();
  MUST(tomb_purge(&purged, db, &one, &how, &check_error));
  CHECK_INT(purged, 1);
  check_family();
  CHECK_INT(count_of(tomb_all_objects(book)), 0);
  close_kin();
}

static void a_look_ahead_names_who_is_in_the_way(void) {
  open_kin(pinned_kin);
  tomb_purging how = {.living = true, .dry_run = true, .report = report};
  tomb_query one = of_key(tomb_all_objects(author), 1);
  MUST(tomb_purge(&purged, db, &one, &how, &check_error));
  CHECK_INT(told(TOMB_REPORT_NEEDED, "Pin"), 1);
  how.dry_run = false;
  CHECK_STATUS(tomb_purge(&purged, db, &one, &how, &check_error),
               TOMB_RESTRICTED);
  CHECK_INT(purged, 0);
  close_kin();
}

static void what_is_forgotten_is_in_no_event(void) {
  open_kin(dead_kin); /* event 1 is about book 1, event 2 about the team */
  tomb_value key = tomb_integer(1);
  tomb_purging how = {.deletion = {.now = tick()}, .report = report};
  MUST(tomb_forget(&purged, db, author, &key, &how, &check_error));
  CHECK_INT(purged, 1);
  check_family();
  CHECK_INT(told(TOMB_REPORT_REMOVED, "TombstoneEvent"), 1);
  CHECK_INT(told(TOMB_REPORT_CLEARED, "TombstoneEvent"), -1);
  CHECK_TEXT(ask("SELECT group_concat(id) FROM tombstone_event"), "2");
  MUST(tomb_forget(&purged, db, author, &key, &how, &check_error));
  CHECK_INT(purged, 0);
  close_kin();
}

/* ---- retention ---------------------------------------------------- */

static void what_is_held_stays_and_the_next_goes(void) {
  int64_t left = 0;
  open_kin(held_kin);
  int64_t later = clock_now + 2 * DAY;
  MUST(tomb_purge_expired(&purged, &left, db, author, later, report,
                          &check_error));
  CHECK_INT(purged, 1);
  CHECK_INT(left, 1);
  CHECK_INT(told(TOMB_REPORT_ROWS, "Author"), 1);
  MUST(tomb_purge_expired(&purged, &left, db, author, later, report,
                          &check_error));
  CHECK_INT(purged, 0);
  CHECK_INT(left, 1);
  tomb_rows_clear(report);
  MUST(tomb_preview_expired(report, db, later, &check_error));
  CHECK_INT(told(TOMB_REPORT_LEFT, "Author"), 1);
  CHECK_INT(told(TOMB_REPORT_NEEDED, "Book"), 1);
  CHECK_INT(told(TOMB_REPORT_ROWS, "Author"), -1);
  close_kin();
}

/* How many of the kind a look ahead promises. */
static int64_t promised(tomb_report_kind kind, int64_t now) {
  int64_t n = 0;
  report = tomb_rows_new(db);
  MUST(tomb_preview_expired(report, db, now, &check_error));
  for (size_t i = 0; i < tomb_rows_count(report); i++) {
    const tomb_value *line = tomb_rows_at(report, i, NULL);
    if (line[TOMB_REPORT_KIND].as.integer != kind) continue;
    n += line[TOMB_REPORT_COUNT].as.integer;
  }
  tomb_rows_free(report);
  return n;
}

static int64_t expire(int64_t now, bool dry_run) {
  int64_t n = -1, left = 0;
  if (dry_run) return promised(TOMB_REPORT_ROWS, now);
  MUST(tomb_purge_expired(&n, &left, db, note, now, NULL, &check_error));
  CHECK_INT(left, 0);
  return n;
}

static int64_t expire_events(int64_t now, bool dry_run) {
  int64_t n = -1;
  if (dry_run) return promised(TOMB_REPORT_REMOVED, now);
  MUST(tomb_purge_events(&n, db, now, &check_error));
  return n;
}

/* Three notes that died one after the other; the last at clock_now. */
static void only_what_is_older_than_its_keep_expires(void) {
  open_both();
  dead_notes();
  int64_t last = clock_now;
  CHECK_INT(expire(last, true), 0);
  CHECK_INT(expire(last + DAY, true), 2); /* the last is a day old exactly */
  CHECK_INT(expire(last + DAY + 1, true), 3);
  CHECK_TEXT(notes(), "3");
  CHECK_INT(expire(last + DAY, false), 2);
  CHECK_TEXT(notes(), "1");
  CHECK_INT(expire(last + DAY, false), 0);
  close_db();
}

static void without_a_keep_nothing_expires(void) {
  int64_t n, left = 0;
  open_both();
  six_posts();
  MUST(tomb_purge_expired(&n, &left, db, post, clock_now + 1000 * DAY, NULL,
                          &check_error));
  CHECK_INT(n, 0);
  CHECK_INT(count_of(tomb_deleted_objects(post)), 2);
  CHECK_INT(expire_events(clock_now + 1000 * DAY, false), 0);
  CHECK_TEXT(events(), "2");
  close_db();
}

static void expiry_goes_by_batches(void) {
  open_both();
  exec("WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT "
       "2500) INSERT INTO note (text, version, created_at, updated_at, "
       "deleted_at) SELECT i, 1, '2020-01-01 00:00:00', '2020-01-01 "
       "00:00:00', '2020-01-01 00:00:00' FROM c");
  CHECK_INT(expire(clock_now, true), 2500);
  CHECK_INT(expire(clock_now, false), 1000);
  CHECK_INT(expire(clock_now, false), 1000);
  CHECK_INT(expire(clock_now, false), 500);
  CHECK_INT(expire(clock_now, false), 0);
  close_db();
}

static void an_event_goes_when_it_holds_nothing(void) {
  open_both();
  dead_notes();
  int64_t later = clock_now + 2 * DAY;
  CHECK_INT(expire_events(later, true), 3); /* the rows would have gone */
  CHECK_INT(expire_events(later, false), 0);
  CHECK_TEXT(events(), "3");
  CHECK_INT(expire(later, false), 3);
  CHECK_INT(expire_events(later, false), 3);
  CHECK_TEXT(events(), "0");
  close_db();
}

/* An event of notes that took a post along holds that post. */
static void an_event_that_many_models_share_holds_them_all(void) {
  tomb_deletion how = {.actor = "ana"};
  open_both();
  six_posts();
  tomb_value row[7];
  memset(row, 0, sizeof row);
  row[1] = tomb_text("x");
  MUST(tomb_insert(db, note, row, tick(), &check_error));
  MUST(tomb_begin(db, &check_error));
  MUST(tomb_deletion_begin(db, &how, &check_error));
  delete_posts(tomb_objects(note));
  delete_post(4);
  tomb_deletion_end(db);
  MUST(tomb_commit(db, &check_error));
  int64_t later = clock_now + 2 * DAY;
  CHECK_INT(expire(later, false), 1);
  CHECK_INT(expire_events(later, false), 0);
  restore_posts(of_key(tomb_deleted_objects(post), 4), TOMB_CONFLICT_FAIL);
  CHECK_INT(expire_events(later, false), 1);
  close_db();
}

int main(void) {
  RUN(the_dead_go_and_the_living_stay);
  RUN(living_rows_must_be_meant);
  RUN(a_purge_of_the_living_takes_what_matched_before);
  RUN(what_others_point_to_stays);
  RUN(a_report_says_what_went_and_what_would);
  RUN(a_look_ahead_names_who_is_in_the_way);
  RUN(what_is_forgotten_is_in_no_event);
  RUN(what_is_held_stays_and_the_next_goes);
  RUN(only_what_is_older_than_its_keep_expires);
  RUN(without_a_keep_nothing_expires);
  RUN(expiry_goes_by_batches);
  RUN(an_event_goes_when_it_holds_nothing);
  RUN(an_event_that_many_models_share_holds_them_all);
  return check_done();
}
