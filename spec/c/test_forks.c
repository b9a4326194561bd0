/*
** test_forks.c - a handle and a fork: the child is refused and touches nothing,
** the parent goes on as if there were no child.
*/
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "borrowed.h"

static char folder[] = "/tmp/tombstone-forks-XXXXXX";
static char path[64], wal[80];

static void open_file(void) {
  MUST(tomb_open_sqlite(&db, path, NULL, &check_error));
  define_posts();
  MUST(tomb_create_tables(db, &check_error));
}

/* Runs `body` in a child, whose checks count. */
static void in_child(void (*body)(void)) {
  int status;
  fflush(stderr);
  pid_t child = fork();
  if (child == 0) {
    check_failures = 0;
    body();
    _exit(check_failures == 0 ? 0 : 1); /* what is left is meant to be */
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static off_t size_of(const char *file) {
  struct stat about;
  return stat(file, &about) == 0 ? about.st_size : -1;
}

static void check_sound(int64_t posts) {
  tomb_cursor cursor;
  const char *const sql = "PRAGMA integrity_check";
  CHECK_INT(count_of(tomb_all_objects(post)), posts);
  MUST(tomb_query_raw(&cursor, db, sql, strlen(sql), NULL, 0, &check_error));
  CHECK_STATUS(tomb_cursor_next(&cursor, &check_error), TOMB_ROW);
  CHECK(cursor.values[0].as.text.size == 2);
  tomb_cursor_close(&cursor);
}

static void refused(tomb_status st) {
  CHECK_STATUS(st, TOMB_MISUSE);
  CHECK_TEXT(check_error.message, "The database was opened in another process");
  CHECK(check_error.hint[0] != '\0');
}

/* ---- what a child may not ----------------------------------------- */

static void call_everything(void) {
  tomb_query all = tomb_all_objects(post);
  tomb_cursor cursor;
  tomb_deleted out;
  tomb_span outer;
  tomb_limits limits = {1000, 0};
  tomb_deletion how = {.now = tick()};
  tomb_value row[FIELDS];
  int64_t n;
  empty_row(row);
  row[TITLE] = tomb_text("of the child");
  refused(tomb_check_open(db, &check_error));
  refused(tomb_count(&n, db, &all, &check_error));
  refused(tomb_select(&cursor, db, &all, &check_error));
  refused(tomb_insert(db, post, row, tick(), &check_error));
  refused(tomb_delete(&out, db, &all, &how, &check_error));
  refused(tomb_begin(db, &check_error));
  refused(tomb_create_tables(db, &check_error));
  refused(tomb_backup(db, "/dev/null", &check_error));
  refused(tomb_exec(&n, db, "SELECT 1", 8, NULL, 0, &check_error));
  refused(tomb_limit_begin(&outer, db, &limits, &check_error));
  CHECK(!tomb_is_open(db));
}

static void call_and_close(void) {
  call_everything();
  tomb_close(db);
  tomb_close(db);
  CHECK_STATUS(tomb_check_open(db, &check_error), TOMB_MISUSE);
  CHECK_TEXT(check_error.message, "The database is closed");
  tomb_free(db);
}

static void the_child_is_refused_and_the_parent_goes_on(void) {
  open_file();
  add_post("one", 1);
  off_t before = size_of(wal);
  CHECK(before > 0);
  in_child(call_and_close);
  CHECK_INT(size_of(wal), before); /* no checkpoint, no deletion */
  add_post("two", 2);
  delete_posts(where(tomb_objects(post), "title", tomb_text("one")));
  check_sound(2);
  close_db();
  CHECK_INT(size_of(wal), -1); /* the parent's own end does that */
}

/* ---- in the middle of something ----------------------------------- */

static void end_the_transaction(void) {
  call_everything();
  CHECK(tomb_commit(db, &check_error) == TOMB_MISUSE);
  CHECK(tomb_rollback(db, &check_error) == TOMB_MISUSE || tomb_depth(db) == 0);
  tomb_free(db);
}

static bool is_locked(void) {
  tomb_db *other;
  tomb_options options = {.busy_timeout_ms = -1};
  MUST(tomb_open_sqlite(&other, path, &options, &check_error));
  tomb_status st = tomb_begin(other, &check_error);
  tomb_free(other);
  return st == TOMB_BUSY;
}

static void a_transaction_that_is_open_stays_the_parents(void) {
  open_file();
  MUST(tomb_begin(db, &check_error));
  add_post("three", 3);
  in_child(end_the_transaction);
  CHECK(is_locked());
  add_post("four", 4);
  MUST(tomb_commit(db, &check_error));
  check_sound(4);
  close_db();
}

static tomb_cursor reading;

static void go_on_reading(void) {
  refused(tomb_cursor_next(&reading, &check_error));
  tomb_close(db); /* waits for the cursor, and ends with it */
  tomb_cursor_close(&reading);
  tomb_free(db);
}

static void a_cursor_that_is_open_stays_the_parents(void) {
  tomb_query all = tomb_all_objects(post);
  open_file();
  all = tomb_all_objects(post);
  MUST(tomb_select(&reading, db, &all, &check_error));
  CHECK_STATUS(tomb_cursor_next(&reading, &check_error), TOMB_ROW);
  in_child(go_on_reading);
  int rows = 1;
  while (tomb_cursor_next(&reading, &check_error) == TOMB_ROW) rows++;
  CHECK_INT(rows, 4);
  tomb_cursor_close(&reading);
  check_sound(4);
  close_db();
}

/* ---- handles of its own ------------------------------------------- */

static void open_and_write(void) {
  open_file();
  add_post("five", 5);
  close_db();
}

static void a_child_opens_what_its_parent_has_closed(void) {
  open_file();
  close_db();
  in_child(open_and_write);
  open_file();
  check_sound(5);
  close_db();
}

static void fork_again(void) {
  open_file();
  add_post("six", 6);
  in_child(call_and_close);
  add_post("seven", 7);
  close_db();
}

static void a_child_is_a_parent_to_its_own(void) {
  in_child(fork_again);
  open_file();
  check_sound(7);
  close_db();
}

static void a_borrowed_connection_stays_the_hosts(void) {
  host_opens(path);
  borrow_posts();
  host_exec("BEGIN IMMEDIATE");
  add_post("eight", 8);
  in_child(call_and_close);
  add_post("nine", 9);
  host_exec("COMMIT");
  check_sound(9);
  close_borrowed();
}

int main(void) {
  if (mkdtemp(folder) == NULL) return EXIT_FAILURE;
  snprintf(path, sizeof path, "%s/a.db", folder);
  snprintf(wal, sizeof wal, "%s-wal", path);
  RUN(the_child_is_refused_and_the_parent_goes_on);
  RUN(a_transaction_that_is_open_stays_the_parents);
  RUN(a_cursor_that_is_open_stays_the_parents);
  RUN(a_child_opens_what_its_parent_has_closed);
  RUN(a_child_is_a_parent_to_its_own);
  tomb_sqlite_routines(&host_routines);
  host_copy = &host_routines;
  RUN(a_borrowed_connection_stays_the_hosts);
  unlink(path);
  rmdir(folder);
  return check_done();
}
