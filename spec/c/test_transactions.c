/* test_transactions.c - transactions nest, and neither raw SQL nor a snapshot
** gets in their way. */
#include "levels.h"

/* ---- nesting ------------------------------------------------------ */

static void inner_levels_end_alone(void) {
  open_posts();
  MUST(begin());
  add_post("outer", 1);
  MUST(begin());
  CHECK_INT(tomb_depth(db), 2);
  add_post("lost", 1);
  MUST(begin());
  add_post("lost too", 1);
  MUST(commit());
  MUST(rollback());
  CHECK_INT(posts(), 1);
  MUST(begin());
  add_post("inner", 1);
  MUST(commit());
  MUST(commit());
  CHECK_INT(posts(), 2);
  close_db();
}

static void a_rollback_takes_all_levels_below(void) {
  open_posts();
  MUST(begin());
  MUST(begin());
  add_post("inner", 1);
  MUST(commit());
  MUST(rollback());
  CHECK_INT(posts(), 0);
  close_db();
}

static void there_is_nothing_to_end_outside(void) {
  open_posts();
  CHECK_STATUS(commit(), TOMB_MISUSE);
  CHECK_STATUS(rollback(), TOMB_MISUSE);
  tomb_close(db);
  CHECK_STATUS(begin(), TOMB_MISUSE);
  CHECK_STATUS(commit(), TOMB_MISUSE);
  close_db();
}

static void a_refused_write_leaves_the_transaction_usable(void) {
  tomb_value row[FIELDS];
  open_posts();
  MUST(begin());
  add_post("one", 1);
  empty_row(row);
  row[TITLE] = tomb_text("one");
  CHECK_STATUS(tomb_insert(db, post, row, tick(), &check_error),
               TOMB_INTEGRITY);
  add_post("two", 1);
  MUST(commit());
  CHECK_INT(posts(), 2);
  close_db();
}

static void a_row_that_is_being_read_does_not_keep_a_rollback(void) {
  tomb_cursor cursor;
  open_posts();
  add_post("one", 1);
  add_post("two", 1);
  MUST(begin());
  add_post("three", 1);
  tomb_query all = tomb_objects(post);
  MUST(tomb_select(&cursor, db, &all, &check_error));
  CHECK_STATUS(tomb_cursor_next(&cursor, &check_error), TOMB_ROW);
  MUST(rollback());
  tomb_cursor_close(&cursor);
  CHECK_INT(posts(), 2);
  close_db();
}

static void closing_rolls_back(void) {
  const char *path = "test_transactions.db";
  remove(path);
  MUST(tomb_open_sqlite(&db, path, NULL, &check_error));
  define_posts();
  MUST(tomb_create_tables(db, &check_error));
  MUST(begin());
  MUST(begin());
  add_post("never", 1);
  tomb_close(db);
  CHECK_INT(tomb_depth(db), 0);
  close_db();
  MUST(tomb_open_sqlite(&db, path, NULL, &check_error));
  define_posts();
  CHECK_INT(posts(), 0);
  close_db();
  remove(path);
}

/* ---- raw SQL does not touch transactions -------------------------- */

static tomb_status run_query(const char *sql) {
  tomb_cursor cursor;
  tomb_status st =
      tomb_query_raw(&cursor, db, sql, strlen(sql), NULL, 0, &check_error);
  if (st == TOMB_OK) st = tomb_cursor_next(&cursor, &check_error);
  tomb_cursor_close(&cursor);
  return st;
}

static void raw_sql_begins_nothing(void) {
  open_posts();
  CHECK_STATUS(try_exec("BEGIN"), TOMB_MISUSE);
  CHECK_STATUS(try_exec("SAVEPOINT mine"), TOMB_MISUSE);
  CHECK_STATUS(run_query("BEGIN"), TOMB_MISUSE);
  CHECK_STATUS(run_query("SAVEPOINT mine"), TOMB_MISUSE);
  MUST(begin());
  add_post("one", 1);
  MUST(commit());
  CHECK_INT(posts(), 1);
  close_db();
}

static void raw_sql_ends_nothing_unnoticed(void) {
  static const char *const ends[] = {"COMMIT", "ROLLBACK", "END"};
  for (size_t i = 0; i < 6; i++) {
    open_posts();
    MUST(begin());
    MUST(begin());
    CHECK_STATUS(i < 3 ? try_exec(ends[i]) : run_query(ends[i - 3]),
                 TOMB_MISUSE);
    check_gone();
    MUST(rollback());
    CHECK_STATUS(commit(), TOMB_DATABASE);
    CHECK_INT(tomb_depth(db), 0);
    add_post("one", 1);
    close_db();
  }
}

/* ---- snapshots ---------------------------------------------------- */

static void a_snapshot_refuses_what_writes(void) {
  tomb_cursor cursor;
  int64_t n;
  open_posts();
  add_post("one", 1);
  tomb_query all = tomb_objects(post);
  MUST(tomb_select_snapshot(&cursor, db, &all, &check_error));
  CHECK_STATUS(begin(), TOMB_MISUSE);
  CHECK_STATUS(try_exec("DELETE FROM posts"), TOMB_MISUSE);
  CHECK_STATUS(tomb_update(&n, db, &all,
                           &(tomb_assignment){tomb_model_field(post, VIEWS),
                                              tomb_integer(1), NULL},
                           1, tick(), NULL, &check_error),
               TOMB_MISUSE);
  CHECK_INT(posts(), 1);
  tomb_cursor_close(&cursor);
  add_post("two", 1);
  close_db();
}

int main(void) {
  RUN(inner_levels_end_alone);
  RUN(a_rollback_takes_all_levels_below);
  RUN(there_is_nothing_to_end_outside);
  RUN(a_refused_write_leaves_the_transaction_usable);
  RUN(a_row_that_is_being_read_does_not_keep_a_rollback);
  RUN(closing_rolls_back);
  RUN(raw_sql_begins_nothing);
  RUN(raw_sql_ends_nothing_unnoticed);
  RUN(a_snapshot_refuses_what_writes);
  return check_done();
}
