/* test_lost.c - all or nothing: commits and rollbacks that fail, transactions
** that the database ends by itself, answers that break off. */
#include "levels.h"

/* ---- commits that fail -------------------------------------------- */

static void a_commit_that_the_database_refuses_has_rolled_back(void) {
  open_posts();
  exec("CREATE TABLE child (post_id integer REFERENCES posts (id) DEFERRABLE "
       "INITIALLY DEFERRED)");
  MUST(begin());
  add_post("one", 1);
  exec("INSERT INTO child VALUES (4711)");
  CHECK_STATUS(commit(), TOMB_INTEGRITY);
  CHECK_INT(check_error.constraint, TOMB_CONSTRAINT_FOREIGN_KEY);
  CHECK_INT(tomb_depth(db), 0);
  CHECK_INT(posts(), 0);
  CHECK_TEXT(ask("SELECT count(*) FROM child"), "0");
  add_post("one", 1);
  close_db();
}

static void a_commit_that_breaks_has_rolled_back(void) {
  open_fake_posts();
  MUST(begin());
  add_post("one", 1);
  tomb_fake_fail(db, 1, &broken);
  CHECK_STATUS(commit(), TOMB_DATABASE);
  CHECK_INT(tomb_depth(db), 0);
  CHECK_INT(posts(), 0);
  add_post("one", 1);
  CHECK_INT(posts(), 1);
  close_db();
}

static void an_inner_commit_that_breaks_undoes_its_level(void) {
  open_fake_posts();
  MUST(begin());
  add_post("outer", 1);
  MUST(begin());
  add_post("inner", 1);
  tomb_fake_fail(db, 1, &broken);
  CHECK_STATUS(commit(), TOMB_DATABASE);
  CHECK_INT(tomb_depth(db), 1);
  MUST(commit());
  CHECK_INT(posts(), 1);
  close_db();
}

/* ---- rollbacks that fail ------------------------------------------ */

static void a_rollback_that_breaks_is_made_up_for(void) {
  open_fake_posts();
  MUST(begin());
  add_post("never", 1);
  tomb_fake_fail(db, 1, &broken);
  CHECK_STATUS(rollback(), TOMB_DATABASE);
  CHECK_INT(tomb_depth(db), 0);
  CHECK_INT(posts(), 0);
  add_post("one", 1);
  MUST(begin());
  add_post("two", 1);
  MUST(rollback());
  CHECK_INT(posts(), 1);
  close_db();
}

static void while_a_rollback_cannot_be_made_up_for_nothing_runs(void) {
  tomb_value row[FIELDS];
  open_fake_posts();
  MUST(begin());
  add_post("never", 1);
  tomb_fake_fail(db, 1, &broken);
  CHECK_STATUS(rollback(), TOMB_DATABASE);
  tomb_fake_fail(db, 1, &broken);
  empty_row(row);
  row[TITLE] = tomb_text("two");
  CHECK_STATUS(tomb_insert(db, post, row, tick(), &check_error), TOMB_DATABASE);
  CHECK_INT(posts(), 0);
  close_db();
}

/* The work of the inner level is still there, so that nothing around it may
** be kept either. */
static void an_inner_rollback_that_breaks_dooms_the_level_around(void) {
  open_fake_posts();
  MUST(begin());
  add_post("outer", 1);
  MUST(begin());
  add_post("middle", 1);
  MUST(begin());
  add_post("inner", 1);
  tomb_fake_fail(db, 1, &broken);
  CHECK_STATUS(rollback(), TOMB_DATABASE);
  CHECK_INT(tomb_depth(db), 2);
  CHECK_STATUS(try_exec("DELETE FROM posts"), TOMB_DATABASE);
  CHECK_STATUS(commit(), TOMB_DATABASE);
  CHECK_INT(tomb_depth(db), 1);
  MUST(commit());
  CHECK_INT(posts(), 1);
  CHECK_TEXT(ask("SELECT title FROM posts"), "outer");
  close_db();
}

/* ---- the database ends the transaction by itself ------------------ */

static void insert_or_rollback_ends_all_levels(void) {
  open_posts();
  add_post("taken", 1);
  MUST(begin());
  add_post("lost", 1);
  MUST(begin());
  CHECK_STATUS(try_exec("INSERT OR ROLLBACK INTO posts (title, views) "
                        "VALUES ('taken', 0)"),
               TOMB_INTEGRITY);
  CHECK_INT(tomb_depth(db), 2);
  check_gone();
  MUST(rollback());
  check_gone();
  CHECK_STATUS(commit(), TOMB_DATABASE);
  CHECK_INT(tomb_depth(db), 0);
  CHECK_INT(posts(), 1);
  close_db();
}

static void a_trigger_that_rolls_back_ends_the_transaction(void) {
  tomb_deleted out;
  tomb_deletion how = {.now = 1};
  tomb_query all;
  open_posts();
  exec("CREATE TRIGGER no_death BEFORE UPDATE OF deleted_at ON posts BEGIN "
       "SELECT RAISE(ROLLBACK, 'not today'); END");
  MUST(begin());
  add_post("lost", 1);
  all = tomb_objects(post);
  CHECK_STATUS(tomb_delete(&out, db, &all, &how, &check_error), TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message, "not today");
  check_gone();
  MUST(rollback());
  CHECK_INT(posts(), 0);
  /* without a transaction of ours it is the call's own that ends */
  add_post("kept", 1);
  CHECK_STATUS(tomb_delete(&out, db, &all, &how, &check_error), TOMB_INTEGRITY);
  CHECK_INT(tomb_depth(db), 0);
  CHECK_INT(out.count, 0);
  CHECK_INT(count_of(tomb_objects(post)), 1);
  CHECK_TEXT(ask("SELECT count(*) FROM tombstone_event"), "0");
  close_db();
}

/* A table of others may say it of the constraint. */
static void a_constraint_that_rolls_back_ends_the_transaction(void) {
  tomb_value row[FIELDS];
  MUST(tomb_open_sqlite(&db, ":memory:", NULL, &check_error));
  define_posts();
  exec("CREATE TABLE posts (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, "
       "title varchar(30) NOT NULL UNIQUE ON CONFLICT ROLLBACK, code integer, "
       "views integer NOT NULL, note text, deleted_at datetime, "
       "deleted_event integer)");
  add_post("taken", 1);
  MUST(begin());
  add_post("lost", 1);
  empty_row(row);
  row[TITLE] = tomb_text("taken");
  CHECK_STATUS(tomb_insert(db, post, row, tick(), &check_error),
               TOMB_INTEGRITY);
  CHECK_TEXT(check_error.fields[0], "title");
  CHECK_STATUS(commit(), TOMB_DATABASE);
  CHECK_INT(posts(), 1);
  close_db();
}

/* ---- writes that answer rows -------------------------------------- */

static tomb_status note_all(tomb_rows *returning) {
  int64_t changed = -1;
  tomb_query all = tomb_objects(post);
  tomb_assignment a = {tomb_model_field(post, NOTE), tomb_text("noted"), NULL};
  tomb_status st =
      tomb_update(&changed, db, &all, &a, 1, tick(), returning, &check_error);
  CHECK_INT(changed, st == TOMB_OK ? 3 : 0);
  return st;
}

static int64_t noted(void) {
  return count_of(where(tomb_objects(post), "note", tomb_text("noted")));
}

static void open_three_posts(void) {
  open_fake_posts();
  add_post("one", 1);
  add_post("two", 2);
  add_post("three", 3);
}

/* The rows are written by the first step, and told by those behind it. */
static void an_answer_that_breaks_off_undoes_its_write(void) {
  for (size_t nth = 1; nth < 7; nth++) {
    open_three_posts();
    tomb_rows *rows = tomb_rows_new(db);
    tomb_fake_fail(db, nth, &broken);
    CHECK_STATUS(note_all(rows), TOMB_DATABASE);
    tomb_fake_fail(db, 0, NULL);
    CHECK_INT(noted(), 0);
    CHECK_INT(tomb_depth(db), 0);
    tomb_rows_clear(rows);
    CHECK_STATUS(note_all(rows), TOMB_OK);
    CHECK_INT(tomb_rows_count(rows), 3);
    CHECK_INT(noted(), 3);
    tomb_rows_free(rows);
    close_db();
  }
}

static void inside_a_transaction_its_level_cannot_be_kept(void) {
  open_three_posts();
  tomb_rows *rows = tomb_rows_new(db);
  MUST(begin());
  add_post("four", 4);
  MUST(begin());
  tomb_fake_fail(db, 2, &broken);
  CHECK_STATUS(note_all(rows), TOMB_DATABASE);
  CHECK_STATUS(try_exec("DELETE FROM posts"), TOMB_DATABASE);
  CHECK_STATUS(commit(), TOMB_DATABASE);
  CHECK_INT(tomb_depth(db), 1);
  MUST(commit()); /* the level around is whole */
  CHECK_INT(noted(), 0);
  CHECK_INT(posts(), 4);
  tomb_rows_free(rows);
  close_db();
}

int main(void) {
  RUN(a_commit_that_the_database_refuses_has_rolled_back);
  RUN(a_commit_that_breaks_has_rolled_back);
  RUN(an_inner_commit_that_breaks_undoes_its_level);
  RUN(a_rollback_that_breaks_is_made_up_for);
  RUN(while_a_rollback_cannot_be_made_up_for_nothing_runs);
  RUN(an_inner_rollback_that_breaks_dooms_the_level_around);
  RUN(insert_or_rollback_ends_all_levels);
  RUN(a_trigger_that_rolls_back_ends_the_transaction);
  RUN(a_constraint_that_rolls_back_ends_the_transaction);
  RUN(an_answer_that_breaks_off_undoes_its_write);
  RUN(inside_a_transaction_its_level_cannot_be_kept);
  return check_done();
}
