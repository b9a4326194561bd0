/* test_borrow.c - the connection of a host: it works, stays the host's, and its
** transaction is respected. All of it on one shared copy of SQLite, and through
** routines that are handed over: filled in, and as extensions get them. */
#include <stdlib.h>
#include <unistd.h>

#include "borrowed.h"

#include "fake.h"

static tomb_status begin(void) {
  return tomb_begin(db, &check_error);
}

static tomb_status commit(void) {
  return tomb_commit(db, &check_error);
}

static tomb_status rollback(void) {
  return tomb_rollback(db, &check_error);
}

static tomb_status try_add(const char *title) {
  tomb_value row[FIELDS];
  empty_row(row);
  row[TITLE] = tomb_text(title);
  return tomb_insert(db, post, row, tick(), &check_error);
}

/* ---- what works --------------------------------------------------- */

static void the_verbs_work(void) {
  open_borrowed();
  int64_t id = add_post("one", 1);
  delete_post(id);
  CHECK_TEXT(host_ask("SELECT title LIKE 'one__deleted_%' FROM posts"), "1");
  add_post("two", 2);
  restore_posts(of_key(tomb_deleted_objects(post), id), TOMB_CONFLICT_FAIL);
  CHECK_TEXT(host_posts(), "one,two");
  CHECK_TEXT(tomb_db_info(db).version, sqlite3_libversion());
  close_borrowed();
}

static void tables_of_the_host_stay(void) {
  host_opens(":memory:");
  host_exec("CREATE TABLE score (n)");
  host_exec("INSERT INTO score VALUES (7)");
  borrow_posts();
  MUST(tomb_create_tables(db, &check_error));
  CHECK_TEXT(ask("SELECT n FROM score"), "7");
  close_db();
  CHECK_TEXT(host_ask("SELECT n FROM score"), "7");
  host_closes();
}

static void a_handle_for_reading_reads(void) {
  char path[] = "borrow-XXXXXX";
  close(mkstemp(path));
  host_opens(path);
  borrow_posts();
  MUST(tomb_create_tables(db, &check_error));
  add_post("one", 1);
  close_borrowed();
  int code = sqlite3_open_v2(path, &host, SQLITE_OPEN_READONLY, NULL);
  CHECK_INT(code, SQLITE_OK);
  borrow_posts();
  CHECK_INT(count_of(tomb_objects(post)), 1);
  CHECK_STATUS(try_add("two"), TOMB_DATABASE);
  close_borrowed();
  unlink(path);
}

/* ---- what stays --------------------------------------------------- */

static const char *settings(void) {
  static char all[256];
  static const char *const names[] = {"journal_mode", "synchronous",
                                      "foreign_keys", "busy_timeout",
                                      "secure_delete"};
  all[0] = '\0';
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA %s", names[i]);
    strcat(all, host_ask(sql));
    strcat(all, " ");
  }
  strcat(all, host_ask("SELECT \"a string\"")); /* in double quotes */
  return all;
}

static void settings_stay(void) {
  char before[256];
  open_borrowed();
  close_db();
  host_exec("PRAGMA synchronous = OFF");
  host_exec("PRAGMA secure_delete = FAST");
  sqlite3_busy_timeout(host, 123);
  snprintf(before, sizeof before, "%s", settings());
  borrow_posts();
  delete_post(add_post("one", 1));
  tomb_value key = tomb_integer(1);
  tomb_purging how = {.deletion = {.now = tick()}};
  MUST(tomb_forget(&(int64_t){0}, db, post, &key, &how, &check_error));
  MUST(tomb_backup(db, "borrow.copy", &check_error));
  unlink("borrow.copy");
  CHECK_TEXT(settings(), before);
  /* nor does the host see extended codes */
  host_exec("CREATE TABLE u (a UNIQUE)");
  host_exec("INSERT INTO u VALUES (1)");
  CHECK_INT(sqlite3_exec(host, "INSERT INTO u VALUES (1)", NULL, NULL, NULL),
            SQLITE_CONSTRAINT);
  close_db();
  CHECK_TEXT(settings(), before);
  host_closes();
}

static void our_functions_come_and_go(void) {
  static const char sql[] = "SELECT tombstone_original('a', NULL)";
  open_borrowed();
  CHECK_TEXT(host_ask(sql), "a");
  close_db();
  CHECK_TEXT(host_ask(sql), "no such function: tombstone_original");
  CHECK_TEXT(host_ask("SELECT count(*) FROM pragma_function_list WHERE name "
                      "LIKE 'tombstone%'"),
             "0");
  host_closes();
}

static void the_hosts(sqlite3_context *context, int n, sqlite3_value **args) {
  (void)n, (void)args;
  sqlite3_result_text(context, "the host's", -1, SQLITE_STATIC);
}

static void a_function_of_the_host_stays(void) {
  host_opens(":memory:");
  sqlite3_create_function(host, "tombstone_suffix", 1, SQLITE_UTF8, NULL,
                          the_hosts, NULL, NULL);
  borrow_posts();
  CHECK_TEXT(host_ask("SELECT tombstone_suffix(1)"), "the host's");
  CHECK_TEXT(host_ask("SELECT tombstone_integer(1)"), "1");
  close_db();
  CHECK_TEXT(host_ask("SELECT tombstone_suffix(1)"), "the host's");
  host_closes();
}

static void two_may_borrow_one_connection(void) {
  tomb_db *other;
  open_borrowed();
  MUST(try_borrow(&other, NULL));
  delete_post(add_post("one", 1));
  tomb_free(other);
  delete_post(add_post("one", 1));
  CHECK_TEXT(host_ask("SELECT count(*) FROM posts"), "2");
  close_db();
  CHECK_TEXT(host_ask("SELECT tombstone_integer(1)"),
             "no such function: tombstone_integer");
  host_closes();
}

/* Nobody but us may ask a connection who has borrowed it. */
static void no_text_of_sql_reaches_the_loan(void) {
  open_borrowed();
  CHECK_TEXT(host_ask("SELECT tombstone_loan(1)"), "NULL");
  CHECK_TEXT(host_ask("SELECT tombstone_loan('tombstone loan')"), "NULL");
  close_borrowed();
}

static void functions_stay_while_a_statement_of_the_host_runs(void) {
  sqlite3_stmt *stmt = NULL;
  host_opens(":memory:");
  host_exec("CREATE TABLE score (n)");
  host_exec("INSERT INTO score VALUES (1), (2), (3)");
  sqlite3_prepare_v2(host, "SELECT n FROM score", -1, &stmt, NULL);
  for (int i = 0; sqlite3_step(stmt) == SQLITE_ROW; i++) {
    borrow_posts();
    CHECK_TEXT(ask("SELECT tombstone_integer(1)"), "1");
    close_db();
  }
  sqlite3_finalize(stmt);
  CHECK_TEXT(host_ask("SELECT tombstone_integer(1)"), "1");
  borrow_posts();
  close_db();
  CHECK_TEXT(host_ask("SELECT tombstone_integer(1)"),
             "no such function: tombstone_integer");
  host_closes();
}

/* ---- the host's transaction --------------------------------------- */

static void the_host_decides_about_the_whole(void) {
  open_borrowed();
  host_exec("BEGIN");
  CHECK(tomb_in_transaction(db));
  CHECK_INT(tomb_depth(db), 0);
  int64_t id = add_post("one", 1);
  delete_post(id);
  MUST(begin());
  add_post("two", 1);
  MUST(commit());
  CHECK_TEXT(host_posts(), "two");
  host_exec("ROLLBACK");
  CHECK_TEXT(host_ask("SELECT count(*) FROM posts"), "0");
  CHECK_TEXT(host_ask("SELECT count(*) FROM tombstone_event"), "0");
  CHECK(!tomb_in_transaction(db));
  host_exec("BEGIN IMMEDIATE");
  delete_post(add_post("one", 1));
  host_exec("COMMIT");
  CHECK_TEXT(host_ask("SELECT count(*) FROM posts"), "1");
  close_borrowed();
}

static void our_rollback_undoes_our_part(void) {
  open_borrowed();
  host_exec("CREATE TABLE score (n)");
  host_exec("BEGIN");
  host_exec("INSERT INTO score VALUES (1)");
  add_post("kept", 1);
  MUST(begin());
  add_post("lost", 1);
  MUST(begin());
  add_post("lost too", 1);
  MUST(commit());
  MUST(rollback());
  CHECK_INT(sqlite3_get_autocommit(host), 0);
  host_exec("INSERT INTO score VALUES (2)");
  host_exec("COMMIT");
  CHECK_TEXT(host_posts(), "kept");
  CHECK_TEXT(host_ask("SELECT count(*) FROM score"), "2");
  close_borrowed();
}

static void a_refused_verb_leaves_the_hosts_transaction(void) {
  open_borrowed();
  host_exec("BEGIN");
  add_post("one", 1);
  CHECK_STATUS(try_add("one"), TOMB_INTEGRITY);
  add_post("two", 1);
  CHECK_INT(sqlite3_get_autocommit(host), 0);
  host_exec("COMMIT");
  CHECK_TEXT(host_posts(), "one,two");
  close_borrowed();
}

static void closing_undoes_our_part_alone(void) {
  open_borrowed();
  add_post("before", 1);
  host_exec("BEGIN");
  host_exec("UPDATE posts SET views = 7");
  MUST(begin());
  MUST(begin());
  add_post("lost", 1);
  tomb_free(db);
  CHECK_INT(sqlite3_get_autocommit(host), 0);
  host_exec("COMMIT");
  CHECK_TEXT(host_posts(), "before");
  CHECK_TEXT(host_ask("SELECT views FROM posts"), "7");
  borrow_posts();
  MUST(begin());
  add_post("lost", 1);
  tomb_free(db);
  db = NULL;
  CHECK_INT(sqlite3_get_autocommit(host), 1);
  CHECK_TEXT(host_posts(), "before");
  host_closes();
}

static void raw_sql_cannot_end_it(void) {
  open_borrowed();
  CHECK_STATUS(try_exec("BEGIN"), TOMB_MISUSE);
  CHECK_INT(sqlite3_get_autocommit(host), 1);
  host_exec("BEGIN");
  exec("INSERT INTO posts (title, views) VALUES ('x', 0)");
  CHECK_TEXT(ask("SELECT count(*) FROM posts"), "1");
  CHECK_INT(sqlite3_get_autocommit(host), 0);
  CHECK_STATUS(try_exec("COMMIT"), TOMB_MISUSE);
  CHECK_TEXT(check_error.hint, "the host's transaction is over now");
  CHECK_TEXT(host_posts(), "x"); /* what is committed cannot be taken back */
  close_borrowed();
}

/* ---- the host goes its own way ------------------------------------ */

static void a_host_that_ends_our_transaction_is_noticed(void) {
  static const char *const ends[] = {"COMMIT", "ROLLBACK"};
  for (size_t i = 0; i < 2; i++) {
    open_borrowed();
    host_exec("BEGIN");
    MUST(begin());
    add_post("one", 1);
    host_exec(ends[i]);
    CHECK_STATUS(try_add("two"), TOMB_DATABASE);
    CHECK_STATUS(commit(), TOMB_DATABASE);
    CHECK_INT(tomb_depth(db), 0);
    CHECK_TEXT(host_posts(), i == 0 ? "one" : "NULL");
    add_post("three", 1);
    close_borrowed();
  }
}

static void a_host_that_ends_our_savepoint_is_told(void) {
  static const char *const ends[] = {"ROLLBACK TO hers", "RELEASE hers",
                                     "RELEASE tombstone_0"};
  for (size_t i = 0; i < 3; i++) {
    open_borrowed();
    host_exec("BEGIN");
    host_exec("SAVEPOINT hers");
    MUST(begin());
    add_post("one", 1);
    host_exec(ends[i]);
    CHECK_STATUS(i == 0 ? commit() : rollback(), TOMB_MISUSE);
    CHECK_INT(tomb_depth(db), 0);
    CHECK_INT(sqlite3_get_autocommit(host), 0);
    add_post("two", 1);
    host_exec("COMMIT");
    CHECK_TEXT(host_posts(), i == 0 ? "two" : "one,two");
    close_borrowed();
  }
}

static void a_transaction_of_ours_that_the_host_ends_is_gone(void) {
  open_borrowed();
  MUST(begin());
  add_post("one", 1);
  host_exec("ROLLBACK");
  CHECK_STATUS(try_add("two"), TOMB_DATABASE);
  CHECK_STATUS(rollback(), TOMB_OK);
  CHECK_TEXT(host_posts(), "NULL");
  close_borrowed();
}

static void a_close_of_the_host_is_busy_until_ours(void) {
  host_opens(":memory:");
  MUST(try_borrow(&db, NULL)); /* has run nothing yet */
  CHECK_INT(sqlite3_close(host), SQLITE_BUSY);
  define_posts();
  MUST(tomb_create_tables(db, &check_error));
  add_post("one", 1);
  close_borrowed();
}

static void a_connection_that_was_closed_first_is_told(void) {
  open_borrowed();
  add_post("one", 1);
  CHECK_INT(sqlite3_close_v2(host), SQLITE_OK);
  CHECK_STATUS(try_add("two"), TOMB_CONNECTION); /* prepared before */
  CHECK_STATUS(try_exec("SELECT 2"), TOMB_CONNECTION);
  CHECK_STATUS(begin(), TOMB_CONNECTION);
  close_db();
  host = NULL;
}

static void a_connection_that_was_closed_in_our_transaction_is_told(void) {
  open_borrowed();
  MUST(begin());
  add_post("one", 1);
  CHECK_INT(sqlite3_close_v2(host), SQLITE_OK);
  CHECK_STATUS(commit(), TOMB_CONNECTION);
  tomb_free(db);
  db = NULL;
  host = NULL;
}

/* ---- what fails --------------------------------------------------- */

static const tomb_error broken = {.kind = TOMB_DATABASE,
                                  .message = "disk I/O error"};

static tomb_status add_and_delete(int64_t *added) {
  tomb_value row[FIELDS];
  tomb_deleted deleted;
  tomb_deletion how = {.now = tick()};
  empty_row(row);
  row[TITLE] = tomb_text("new");
  tomb_status st = begin();
  if (st != TOMB_OK) return st;
  st = tomb_insert(db, post, row, tick(), &check_error);
  tomb_query all = tomb_objects(post);
  if (st == TOMB_OK) st = tomb_delete(&deleted, db, &all, &how, &check_error);
  *added = row[ID].as.integer;
  if (st == TOMB_OK) return commit();
  rollback();
  return st;
}

/* What failed has left nothing, and the host's transaction goes on; where the
** undoing itself failed, it is made up for before anything else. */
static void check_all_or_nothing(tomb_status st) {
  CHECK_INT(tomb_depth(db), 0);
  CHECK_INT(count_of(tomb_all_objects(post)), st == TOMB_OK ? 2 : 1);
  CHECK_INT(count_of(tomb_objects(post)), st == TOMB_OK ? 0 : 1);
  CHECK_INT(sqlite3_get_autocommit(host), 0);
  CHECK_TEXT(host_ask("SELECT n FROM score"), "2");
}

static void each_step_may_fail(const char *begun) {
  tomb_status st = TOMB_DATABASE;
  int64_t id;
  for (size_t nth = 1; st != TOMB_OK && nth < 50; nth++) {
    host_opens(":memory:");
    host_exec("CREATE TABLE score (n)");
    host_exec("INSERT INTO score VALUES (1)");
    MUST(tomb_borrow_fake(&db, host, host_copy, NULL, &check_error));
    define_posts();
    MUST(tomb_create_tables(db, &check_error));
    add_post("old", 1);
    host_exec(begun);
    host_exec("UPDATE score SET n = 2");
    tomb_fake_fail(db, nth, &broken);
    st = add_and_delete(&id);
    tomb_fake_fail(db, 0, NULL);
    check_all_or_nothing(st);
    host_exec("ROLLBACK");
    CHECK_TEXT(host_posts(), "old");
    close_borrowed();
  }
  CHECK_STATUS(st, TOMB_OK);
}

static void a_step_that_fails_leaves_the_hosts_transaction(void) {
  each_step_may_fail("BEGIN");
  each_step_may_fail("BEGIN IMMEDIATE");
  each_step_may_fail("SAVEPOINT hers");
}

/* A rollback that fails is owed: as a savepoint, not as the host's whole. */
static void a_rollback_that_fails_is_made_up_for(void) {
  host_opens(":memory:");
  MUST(tomb_borrow_fake(&db, host, host_copy, NULL, &check_error));
  define_posts();
  MUST(tomb_create_tables(db, &check_error));
  host_exec("BEGIN");
  add_post("kept", 1);
  MUST(begin());
  add_post("lost", 1);
  tomb_fake_fail(db, 1, &broken);
  CHECK_STATUS(rollback(), TOMB_DATABASE);
  CHECK_INT(tomb_depth(db), 0);
  CHECK_TEXT(host_posts(), "kept,lost");
  add_post("more", 1);
  CHECK_TEXT(host_posts(), "kept,more");
  MUST(begin());
  add_post("lost", 1);
  tomb_fake_fail(db, 1, &broken);
  CHECK_STATUS(rollback(), TOMB_DATABASE);
  tomb_free(db); /* owes it still */
  db = NULL;
  CHECK_INT(sqlite3_get_autocommit(host), 0);
  host_exec("COMMIT");
  CHECK_TEXT(host_posts(), "kept,more");
  host_closes();
}

/* ---- rows in a ring ----------------------------------------------- */

#define TO(parent)                                                             \
  {                                                                            \
    .name = "other_id", .type = TOMB_FIELD_INTEGER, .nullable = true,          \
    .references = parent, .on_delete = TOMB_CASCADE                            \
  }

static const tomb_model *define_ring(void) {
  static const tomb_field_def to_b[] = {TO("B")}, to_a[] = {TO("A")};
  const tomb_model *a, *b;
  MUST(tomb_define(
      &a, db, &(tomb_model_def){.name = "A", .fields = to_b, .n_fields = 1},
      &check_error));
  MUST(tomb_define(
      &b, db, &(tomb_model_def){.name = "B", .fields = to_a, .n_fields = 1},
      &check_error));
  MUST(tomb_create_tables(db, &check_error));
  return a;
}

/* Also where it fails before it has asked how they were. */
static void a_purge_that_fails_leaves_keys_deferred(void) {
  tomb_status st = TOMB_DATABASE;
  for (size_t nth = 1; st != TOMB_OK && nth < 50; nth++) {
    host_opens(":memory:");
    host_exec("PRAGMA foreign_keys = ON");
    MUST(tomb_borrow_fake(&db, host, host_copy, NULL, &check_error));
    tomb_query all = tomb_all_objects(define_ring());
    host_exec("BEGIN; PRAGMA defer_foreign_keys = ON");
    host_exec("INSERT INTO a (id, other_id) VALUES (1, 1)");
    host_exec("INSERT INTO b (id, other_id) VALUES (1, 1)");
    tomb_purging how = {.living = true, .deletion = {.now = tick()}};
    tomb_fake_fail(db, nth, &broken);
    st = tomb_purge(&(int64_t){0}, db, &all, &how, &check_error);
    tomb_fake_fail(db, 0, NULL);
    CHECK_TEXT(host_ask("PRAGMA defer_foreign_keys"), "1");
    CHECK_TEXT(host_ask("SELECT count(*) FROM a"), st == TOMB_OK ? "0" : "1");
    host_exec("COMMIT");
    close_borrowed();
  }
  CHECK_STATUS(st, TOMB_OK);
}

/* ---- what is refused ---------------------------------------------- */

static void refused(const tomb_options *options, const char *message) {
  tomb_db *none;
  CHECK_STATUS(try_borrow(&none, options), TOMB_MISUSE);
  CHECK(none == NULL);
  CHECK_TEXT(check_error.message, message);
}

static void options_that_open_a_file_are_refused(void) {
  host_opens(":memory:");
  refused(&(tomb_options){.busy_timeout_ms = 5},
          "A borrowed connection takes no busy_timeout");
  refused(&(tomb_options){.synchronous = TOMB_SYNC_NORMAL},
          "A borrowed connection takes no synchronous");
  refused(&(tomb_options){.read_only = true},
          "A borrowed connection takes no read_only");
  refused(&(tomb_options){.cache_kb = 100},
          "A borrowed connection takes no cache_kb");
  MUST(try_borrow(&db, &(tomb_options){.statement_cache = 2}));
  close_borrowed();
  refused(NULL, "No connection was given");
}

static int old_version(void) {
  return 3034001;
}

static void routines_that_do_not_do_are_refused(void) {
  sqlite3_api_routines routines = host_routines;
  tomb_db *none;
  host_opens(":memory:");
  routines.libversion_number = old_version;
  CHECK_STATUS(tomb_borrow_sqlite(&none, host, &routines, NULL, &check_error),
               TOMB_CONNECTION);
  CHECK_TEXT(check_error.hint, "use 3.35 or later");
  routines = host_routines;
  routines.backup_step = NULL;
  CHECK_STATUS(tomb_borrow_sqlite(&none, host, &routines, NULL, &check_error),
               TOMB_CONNECTION);
  CHECK_TEXT(check_error.message, "The host's SQLite lacks routines");
  host_closes();
}

static int version_without_changes64(void) {
  return 3036000;
}

/* An older SQLite has a shorter table: what lies behind it is not touched. */
static void older_routines_do(void) {
  static sqlite3_api_routines routines;
  routines = host_routines;
  routines.libversion_number = version_without_changes64;
  routines.changes64 = NULL;
  host_copy = &routines;
  open_borrowed();
  add_post("one", 1);
  add_post("two", 1);
  int64_t n;
  MUST(tomb_exec(&n, db, "UPDATE posts SET views = 3", 26, NULL, 0,
                 &check_error));
  CHECK_INT(n, 2);
  close_borrowed();
  host_copy = NULL;
}

/* Each copy of SQLite is remembered by its routines, of which there are few. */
static void routines_have_one_place(void) {
  static sqlite3_api_routines places[5];
  tomb_status st = TOMB_OK;
  for (size_t i = 0; i < 5; i++) {
    places[i] = host_routines;
    host_copy = &places[i];
    host_opens(":memory:");
    tomb_status last = st;
    st = try_borrow(&db, NULL);
    if (st == TOMB_OK) {
      CHECK_STATUS(last, TOMB_OK); /* refused once, refused for ever */
      close_db();
    } else {
      CHECK_TEXT(check_error.hint, "keep the routines of a copy in one place");
    }
    host_closes();
  }
  CHECK_STATUS(st, TOMB_CONNECTION);
  host_copy = &host_routines; /* who was there before is served as ever */
  open_borrowed();
  delete_post(add_post("one", 1));
  close_borrowed();
  host_copy = NULL;
}

/* ---- all of it, each way ------------------------------------------ */

/* What SQLite hands its extensions. */
static const sqlite3_api_routines *given;

static int note_routines(sqlite3 *handle, char **message,
                         const sqlite3_api_routines *routines) {
  (void)handle, (void)message;
  given = routines;
  return SQLITE_OK;
}

static void ask_for_routines(void) {
  union {
    int (*note)(sqlite3 *, char **, const sqlite3_api_routines *);
    void (*entry)(void);
  } as = {note_routines};
  sqlite3_auto_extension(as.entry);
  host_opens(":memory:");
  host_closes();
  sqlite3_cancel_auto_extension(as.entry);
  CHECK(given != NULL && given != &host_routines);
}

static void run_all(void) {
  RUN(the_verbs_work);
  RUN(tables_of_the_host_stay);
  RUN(a_handle_for_reading_reads);
  RUN(settings_stay);
  RUN(our_functions_come_and_go);
  RUN(a_function_of_the_host_stays);
  RUN(two_may_borrow_one_connection);
  RUN(no_text_of_sql_reaches_the_loan);
  RUN(functions_stay_while_a_statement_of_the_host_runs);
  RUN(the_host_decides_about_the_whole);
  RUN(our_rollback_undoes_our_part);
  RUN(a_refused_verb_leaves_the_hosts_transaction);
  RUN(closing_undoes_our_part_alone);
  RUN(raw_sql_cannot_end_it);
  RUN(a_host_that_ends_our_transaction_is_noticed);
  RUN(a_host_that_ends_our_savepoint_is_told);
  RUN(a_transaction_of_ours_that_the_host_ends_is_gone);
  RUN(a_close_of_the_host_is_busy_until_ours);
  RUN(a_connection_that_was_closed_first_is_told);
  RUN(a_connection_that_was_closed_in_our_transaction_is_told);
  RUN(a_step_that_fails_leaves_the_hosts_transaction);
  RUN(a_rollback_that_fails_is_made_up_for);
  RUN(a_purge_that_fails_leaves_keys_deferred);
  RUN(options_that_open_a_file_are_refused);
}

int main(void) {
  tomb_sqlite_routines(&host_routines);
#ifndef SPEC_OWN_SQLITE /* of the library: then that is not the host's */
  run_all();
#endif
  host_copy = &host_routines;
  run_all();
  ask_for_routines();
  host_copy = given;
  run_all();
  host_copy = NULL;
  RUN(routines_that_do_not_do_are_refused);
  RUN(older_routines_do);
  RUN(routines_have_one_place);
  return check_done();
}
