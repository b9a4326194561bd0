/* test_limits.c - calls that are stopped: by time, by steps, by another thread. */
#include <pthread.h>
#include <time.h>

#include "borrowed.h"

static void fill(int n) {
  char title[32];
  MUST(tomb_begin(db, &check_error));
  for (int i = 0; i < n; i++) {
    snprintf(title, sizeof title, "post %d", i);
    add_post(title, i);
  }
  MUST(tomb_commit(db, &check_error));
}

static tomb_status delete_all(tomb_deleted *out) {
  tomb_query all = tomb_objects(post);
  tomb_deletion how = {.now = tick()};
  return tomb_delete(out, db, &all, &how, &check_error);
}

static tomb_status delete_within(int64_t timeout, int64_t steps) {
  tomb_span outer;
  tomb_deleted out;
  tomb_limits limits = {timeout, steps};
  MUST(tomb_limit_begin(&outer, db, &limits, &check_error));
  tomb_status st = delete_all(&out);
  tomb_limit_end(db, &outer);
  return st;
}

static void steps_stop_a_call_and_nothing_of_it_stays(void) {
  open_posts();
  fill(500);
  CHECK_STATUS(delete_within(0, 400), TOMB_INTERRUPTED);
  CHECK_TEXT(check_error.message,
             "The call was stopped - it took more than 400 steps");
  CHECK(check_error.hint[0] != '\0');
  CHECK_INT(count_of(tomb_objects(post)), 500);
  CHECK_STATUS(delete_within(0, 1000000), TOMB_OK);
  CHECK_INT(count_of(tomb_objects(post)), 0);
  close_db();
}

static void time_stops_a_call_and_nothing_of_it_stays(void) {
  open_posts();
  fill(500);
  CHECK_STATUS(delete_within(1, 0), TOMB_INTERRUPTED);
  CHECK_TEXT(check_error.message,
             "The call was stopped - it took longer than 0.001 ms");
  CHECK_INT(count_of(tomb_objects(post)), 500);
  CHECK_STATUS(delete_within(INT64_C(60000000), 0), TOMB_OK);
  close_db();
}

/* Whatever the budget: none of the rows or all of them. */
static void every_budget_leaves_all_or_nothing(void) {
  size_t stride = check_stride(40);
  open_posts();
  fill(20);
  bool done = false;
  for (int64_t steps = 1; !done; steps += (int64_t)stride) {
    tomb_status st = delete_within(0, steps);
    CHECK_INT(tomb_depth(db), 0);
    CHECK_INT(count_of(tomb_objects(post)), st == TOMB_OK ? 0 : 20);
    done = st != TOMB_INTERRUPTED || steps > 100000;
  }
  CHECK_INT(count_of(tomb_deleted_objects(post)), 20);
  CHECK_INT(count_of(tomb_objects(post)), 0);
  close_db();
}

static void a_span_is_shared_and_inner_ones_have_what_is_left(void) {
  tomb_span outer, inner;
  tomb_limits few = {0, 3000}, many = {0, 1000000};
  int64_t n = 0;
  int calls = 0;
  tomb_query all;
  open_posts();
  fill(100);
  all = tomb_objects(post);
  MUST(tomb_limit_begin(&outer, db, &few, &check_error));
  MUST(tomb_limit_begin(&inner, db, &many, &check_error));
  while (tomb_count(&n, db, &all, &check_error) == TOMB_OK) calls++;
  CHECK(calls > 0 && calls < 100);
  CHECK_TEXT(check_error.message,
             "The call was stopped - it took more than 3000 steps");
  tomb_limit_end(db, &inner);
  CHECK_STATUS(tomb_count(&n, db, &all, &check_error), TOMB_INTERRUPTED);
  tomb_limit_end(db, &outer);
  CHECK_INT(count_of(all), 100);
  close_db();
}

/* An interrupted write takes the transaction along; what was begun says so. */
static void a_transaction_that_lost_a_write_cannot_go_on(void) {
  open_posts();
  fill(200);
  MUST(tomb_begin(db, &check_error));
  add_post("of the transaction", 1);
  CHECK_STATUS(delete_within(0, 300), TOMB_INTERRUPTED);
  CHECK(tomb_commit(db, &check_error) != TOMB_OK);
  CHECK_INT(tomb_depth(db), 0);
  CHECK_INT(count_of(tomb_all_objects(post)), 200);
  close_db();
}

/* ---- other threads ------------------------------------------------ */

static void *interrupt_soon(void *ud) {
  struct timespec soon = {0, 30000000};
  nanosleep(&soon, NULL);
  tomb_interrupt(ud);
  return NULL;
}

static void another_thread_interrupts_what_runs(void) {
  static const char *const slow =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
      "SELECT count(*) FROM n";
  pthread_t thread;
  int64_t changed;
  open_posts();
  CHECK_INT(pthread_create(&thread, NULL, interrupt_soon, db), 0);
  CHECK_STATUS(
      tomb_exec(&changed, db, slow, strlen(slow), NULL, 0, &check_error),
      TOMB_INTERRUPTED);
  CHECK_TEXT(check_error.message, "The call was interrupted");
  pthread_join(thread, NULL);
  add_post("after it", 1);
  CHECK_INT(count_of(tomb_objects(post)), 1);
  close_db();
}

static void where_nothing_runs_nothing_is_interrupted(void) {
  tomb_deleted out;
  open_posts();
  fill(10);
  tomb_interrupt(db);
  CHECK_INT(count_of(tomb_objects(post)), 10);
  tomb_interrupt(db);
  CHECK_STATUS(delete_all(&out), TOMB_OK);
  CHECK_INT(out.count, 10);
  close_db();
}

static void an_open_transaction_is_interrupted_at_its_next_statement(void) {
  tomb_value row[FIELDS];
  open_posts();
  MUST(tomb_begin(db, &check_error));
  add_post("one", 1);
  tomb_interrupt(db);
  empty_row(row);
  row[TITLE] = tomb_text("two");
  CHECK_STATUS(tomb_insert(db, post, row, tick(), &check_error),
               TOMB_INTERRUPTED);
  MUST(tomb_rollback(db, &check_error));
  CHECK_INT(count_of(tomb_objects(post)), 0);
  close_db();
}

/* ---- locks -------------------------------------------------------- */

static void with_a_locked_file(void (*body)(void)) {
  char folder[] = "/tmp/tombstone-limits-XXXXXX", path[64], other[80];
  tomb_db *holder;
  if (mkdtemp(folder) == NULL) exit(EXIT_FAILURE);
  snprintf(path, sizeof path, "%s/a.db", folder);
  MUST(tomb_open_sqlite(&db, path, NULL, &check_error));
  define_posts();
  MUST(tomb_create_tables(db, &check_error));
  fill(3);
  MUST(tomb_open_sqlite(&holder, path, NULL, &check_error));
  MUST(tomb_begin(holder, &check_error));
  body();
  tomb_free(holder);
  add_post("the lock is gone", 1);
  close_db();
  snprintf(other, sizeof other, "rm -r %s", folder);
  CHECK_INT(system(other), 0);
}

static void wait_with_a_limit(void) {
  int64_t began = tomb_now();
  CHECK_STATUS(delete_within(50000, 0), TOMB_INTERRUPTED);
  CHECK(tomb_now() - began < 3000000);
  CHECK_TEXT(check_error.message, "The call was stopped - it took longer than "
                                  "50 ms, waiting for a lock");
  CHECK_INT(count_of(tomb_objects(post)), 3);
}

static void wait_and_be_interrupted(void) {
  pthread_t thread;
  tomb_deleted out;
  int64_t began = tomb_now();
  CHECK_INT(pthread_create(&thread, NULL, interrupt_soon, db), 0);
  CHECK_STATUS(delete_all(&out), TOMB_INTERRUPTED);
  CHECK(tomb_now() - began < 3000000);
  CHECK_TEXT(check_error.message,
             "The call was interrupted, waiting for a lock");
  pthread_join(thread, NULL);
}

static void a_limit_bounds_the_wait_for_a_lock(void) {
  with_a_locked_file(wait_with_a_limit);
}

static void an_interrupt_ends_the_wait_for_a_lock(void) {
  with_a_locked_file(wait_and_be_interrupted);
}

/* ---- a connection of the host ------------------------------------- */

static int count_looks(void *ud) {
  (*(int *)ud)++;
  return 0;
}

static void a_borrowed_connection_keeps_its_hosts_handler(void) {
  tomb_span outer;
  tomb_limits some = {1000000, 0}, none = {0, 0};
  tomb_options options = {.cache_kb = 100};
  tomb_db *other;
  int looks = 0;
  host_opens(":memory:");
  sqlite3_progress_handler(host, 1, count_looks, &looks);
  borrow_posts();
  MUST(tomb_create_tables(db, &check_error));
  CHECK_STATUS(tomb_limit_begin(&outer, db, &some, &check_error), TOMB_MISUSE);
  CHECK_TEXT(check_error.message, "A borrowed connection takes no limits");
  MUST(tomb_limit_begin(&outer, db, &none, &check_error));
  add_post("one", 1);
  tomb_limit_end(db, &outer);
  int before = looks;
  add_post("two", 1);
  CHECK(before > 0 && looks > before);
  CHECK_STATUS(try_borrow(&other, &options), TOMB_MISUSE);
  CHECK_TEXT(check_error.message, "A borrowed connection takes no cache_kb");
  close_borrowed();
}

static void an_interrupt_reaches_what_runs_on_a_borrowed_one(void) {
  static const char *const slow =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
      "SELECT count(*) FROM n";
  pthread_t thread;
  int64_t changed;
  open_borrowed();
  host_exec("BEGIN");
  tomb_interrupt(db); /* nothing of ours runs */
  add_post("one", 1);
  CHECK_INT(pthread_create(&thread, NULL, interrupt_soon, db), 0);
  CHECK_STATUS(
      tomb_exec(&changed, db, slow, strlen(slow), NULL, 0, &check_error),
      TOMB_INTERRUPTED);
  pthread_join(thread, NULL);
  host_exec("COMMIT");
  CHECK_TEXT(host_posts(), "one");
  close_borrowed();
}

/* ---- memory ------------------------------------------------------- */

static void a_limit_of_memory_refuses_and_the_handle_goes_on(void) {
  static const char *const greedy =
      "SELECT length(group_concat(hex(zeroblob(1000)), '')) FROM (WITH "
      "RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) "
      "SELECT i FROM n)";
  int64_t changed;
  open_posts();
  fill(10);
  CHECK_INT(tomb_memory_limit(8000000), 0);
  CHECK_INT(tomb_memory_limit(-1), 8000000);
  CHECK_STATUS(
      tomb_exec(&changed, db, greedy, strlen(greedy), NULL, 0, &check_error),
      TOMB_NOMEM);
  CHECK_INT(count_of(tomb_objects(post)), 10);
  delete_posts(tomb_objects(post));
  CHECK_INT(tomb_memory_limit(0), 8000000);
  CHECK_STATUS(
      tomb_exec(&changed, db, greedy, strlen(greedy), NULL, 0, &check_error),
      TOMB_OK);
  close_db();
}

int main(void) {
  RUN(steps_stop_a_call_and_nothing_of_it_stays);
  RUN(time_stops_a_call_and_nothing_of_it_stays);
  RUN(every_budget_leaves_all_or_nothing);
  RUN(a_span_is_shared_and_inner_ones_have_what_is_left);
  RUN(a_transaction_that_lost_a_write_cannot_go_on);
  RUN(another_thread_interrupts_what_runs);
  RUN(where_nothing_runs_nothing_is_interrupted);
  RUN(an_open_transaction_is_interrupted_at_its_next_statement);
  RUN(a_limit_bounds_the_wait_for_a_lock);
  RUN(an_interrupt_ends_the_wait_for_a_lock);
  RUN(a_borrowed_connection_keeps_its_hosts_handler);
  RUN(an_interrupt_reaches_what_runs_on_a_borrowed_one);
  tomb_sqlite_routines(&host_routines);
  host_copy = &host_routines;
  RUN(a_borrowed_connection_keeps_its_hosts_handler);
  RUN(an_interrupt_reaches_what_runs_on_a_borrowed_one);
  RUN(a_limit_of_memory_refuses_and_the_handle_goes_on);
  return check_done();
}
