/* test_statements.c - prepared statements are kept by text, lent one at a
** time, and the longest unused goes first. */
#include "posts.h"

#include "mem.h"
#include "statement.h"

/* ---- a driver that only counts ------------------------------------ */

struct tomb_stmt {
  char text[64];
  size_t columns;
};

static int prepared, finalized, resets;

static tomb_status stub_prepare(tomb_conn *conn, tomb_stmt **out,
                                const char *sql, size_t size, size_t *used,
                                tomb_error *err) {
  (void)conn;
  (void)err;
  *out = calloc(1, sizeof **out);
  memcpy((*out)->text, sql, size < 63 ? size : 63);
  (*out)->columns = 2;
  *used = size;
  prepared++;
  return TOMB_OK;
}

static void stub_finalize(tomb_stmt *stmt) {
  free(stmt);
  finalized++;
}

static void stub_reset(tomb_stmt *stmt) {
  (void)stmt;
  resets++;
}

static size_t stub_columns(tomb_stmt *stmt) {
  return stmt->columns;
}

static const tomb_driver stub = {.name = "stub",
                                 .prepare = stub_prepare,
                                 .finalize = stub_finalize,
                                 .reset = stub_reset,
                                 .columns = stub_columns};

static tomb_allocator allocator;
static tomb_statements all;

static void begin(size_t capacity) {
  tomb_allocator none = {NULL, NULL};
  allocator = tomb_allocator_or_malloc(none);
  memset(&all, 0, sizeof all);
  all.a = &allocator;
  all.driver = &stub;
  all.capacity = capacity;
  prepared = finalized = resets = 0;
}

static void end(void) {
  tomb_statements_free(&all);
  CHECK_INT(finalized, prepared);
  CHECK_INT(all.count, 0);
}

static tomb_prepared *take(const char *text) {
  tomb_prepared *p = NULL;
  CHECK_STATUS(tomb_statements_take(&p, &all, text, strlen(text), &check_error),
               TOMB_OK);
  return p;
}

static void use(const char *text) {
  tomb_statements_give_back(&all, take(text));
}

/* ---- the cache ---------------------------------------------------- */

static void a_text_is_prepared_once(void) {
  begin(4);
  tomb_prepared *first = take("SELECT 1");
  tomb_statements_give_back(&all, first);
  CHECK_INT(resets, 1);
  CHECK(take("SELECT 1") == first);
  tomb_statements_give_back(&all, first);
  CHECK_INT(prepared, 1);
  use("SELECT 2");
  CHECK_INT(prepared, 2);
  end();
}

static void a_statement_in_use_is_lent_to_nobody_else(void) {
  begin(4);
  tomb_prepared *first = take("SELECT 1"), *second = take("SELECT 1");
  CHECK(first != second);
  CHECK_INT(prepared, 2);
  tomb_statements_give_back(&all, first);
  CHECK(take("SELECT 1") == first);
  tomb_statements_give_back(&all, second);
  tomb_statements_give_back(&all, first);
  end();
}

static void the_longest_unused_goes_first(void) {
  begin(3);
  use("a");
  use("b");
  use("c");
  use("a");
  use("d"); /* b goes */
  CHECK_INT(finalized, 1);
  use("a");
  use("c");
  use("d");
  CHECK_INT(prepared, 4);
  use("b");
  CHECK_INT(prepared, 5);
  end();
}

static void what_is_in_use_is_not_dropped(void) {
  begin(2);
  tomb_prepared *a = take("a"), *b = take("b"), *c = take("c");
  CHECK_INT(all.count, 3);
  CHECK_INT(finalized, 0);
  tomb_statements_give_back(&all, a); /* one too many: it goes at once */
  CHECK_INT(all.count, 2);
  CHECK_INT(finalized, 1);
  tomb_statements_give_back(&all, b);
  tomb_statements_give_back(&all, c);
  CHECK_INT(all.count, 2);
  use("b");
  use("c");
  CHECK_INT(prepared, 3);
  end();
}

static void a_cache_of_one_works(void) {
  begin(1);
  for (int i = 0; i < 10; i++) use(i % 2 == 0 ? "a" : "b");
  CHECK_INT(prepared, 10);
  CHECK_INT(all.count, 1);
  end();
}

static void texts_that_share_a_beginning_are_apart(void) {
  char text[64];
  begin(400);
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < 300; i++) {
      snprintf(text, sizeof text, "SELECT %d", i);
      tomb_prepared *p = take(text);
      CHECK_TEXT(p->stmt->text, text);
      tomb_statements_give_back(&all, p);
    }
  }
  CHECK_INT(prepared, 300);
  end();
}

/* ---- with a database ---------------------------------------------- */

static tomb_status query(tomb_cursor *out, const char *sql) {
  return tomb_query_raw(out, db, sql, strlen(sql), NULL, 0, &check_error);
}

static void two_cursors_of_one_text_do_not_meet(void) {
  tomb_cursor outer, inner;
  int64_t pairs = 0;
  open_posts();
  for (int i = 0; i < 3; i++) add_post((const char *[]){"a", "b", "c"}[i], i);
  tomb_query all_posts = tomb_objects(post);
  MUST(tomb_select(&outer, db, &all_posts, &check_error));
  while (tomb_cursor_next(&outer, &check_error) == TOMB_ROW) {
    MUST(tomb_select(&inner, db, &all_posts, &check_error));
    while (tomb_cursor_next(&inner, &check_error) == TOMB_ROW) pairs++;
    tomb_cursor_close(&inner);
  }
  tomb_cursor_close(&outer);
  CHECK_INT(pairs, 9);
  close_db();
}

static void no_statement_is_misuse(void) {
  tomb_cursor cursor;
  tomb_value one = tomb_integer(1);
  int64_t changed;
  open_posts();
  CHECK_STATUS(query(&cursor, ""), TOMB_MISUSE);
  CHECK_STATUS(query(&cursor, " -- nothing\n"), TOMB_MISUSE);
  CHECK_STATUS(query(&cursor, "/* nothing */ ;"), TOMB_MISUSE);
  CHECK_STATUS(tomb_exec(&changed, db, "", 0, &one, 1, &check_error),
               TOMB_MISUSE);
  CHECK_STATUS(tomb_exec(&changed, db, "", 0, NULL, 0, &check_error), TOMB_OK);
  close_db();
}

static void a_second_statement_is_misuse_but_a_comment_is_none(void) {
  tomb_cursor cursor;
  open_posts();
  CHECK_STATUS(query(&cursor, "SELECT 1; SELECT 2"), TOMB_MISUSE);
  CHECK_STATUS(query(&cursor, "SELECT 1; SELEC"), TOMB_MISUSE);
  CHECK_STATUS(query(&cursor, "SELECT 1; -- the first"), TOMB_OK);
  tomb_cursor_close(&cursor);
  CHECK_STATUS(query(&cursor, "SELECT 1; /* one */ ; \n"), TOMB_OK);
  tomb_cursor_close(&cursor);
  close_db();
}

static void the_number_of_values_must_be_right(void) {
  tomb_cursor cursor;
  tomb_value values[] = {tomb_integer(1), tomb_integer(2)};
  open_posts();
  CHECK_STATUS(
      tomb_query_raw(&cursor, db, "SELECT ?", 8, values, 2, &check_error),
      TOMB_MISUSE);
  CHECK_STATUS(tomb_query_raw(&cursor, db, "SELECT ?, ?, ?", 14, values, 2,
                              &check_error),
               TOMB_MISUSE);
  CHECK_STATUS(query(&cursor, "SELECT ?"), TOMB_MISUSE);
  close_db();
}

static size_t columns_of(const char *sql) {
  tomb_cursor cursor;
  MUST(query(&cursor, sql));
  CHECK_STATUS(tomb_cursor_next(&cursor, &check_error), TOMB_ROW);
  size_t n = cursor.n;
  CHECK(n < 5 || cursor.fields[4] == NULL);
  CHECK_TEXT(tomb_cursor_name(&cursor, n - 1), n == 3   ? "c"
                                               : n == 2 ? "b"
                                                        : "a");
  tomb_cursor_close(&cursor);
  return n;
}

/* SQLite prepares a kept statement anew by itself, with other columns. */
static void a_kept_statement_sees_the_table_change(void) {
  open_posts();
  exec("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2)");
  CHECK_INT(columns_of("SELECT * FROM t"), 2);
  exec("ALTER TABLE t ADD COLUMN c");
  CHECK_INT(columns_of("SELECT * FROM t"), 3);
  exec("ALTER TABLE t DROP COLUMN c; ALTER TABLE t DROP COLUMN b");
  CHECK_INT(columns_of("SELECT * FROM t"), 1);
  close_db();
}

static void closing_waits_for_the_last_cursor(void) {
  tomb_cursor one, two, three;
  open_posts();
  MUST(query(&one, "SELECT 1"));
  MUST(query(&two, "SELECT 2"));
  tomb_close(db);
  tomb_close(db);
  CHECK(!tomb_is_open(db));
  CHECK_STATUS(tomb_cursor_next(&one, &check_error), TOMB_MISUSE);
  CHECK_STATUS(query(&three, "SELECT 3"), TOMB_MISUSE);
  tomb_cursor_close(&one);
  tomb_cursor_close(&two);
  tomb_cursor_close(&two);
  close_db();
}

int main(void) {
  RUN(a_text_is_prepared_once);
  RUN(a_statement_in_use_is_lent_to_nobody_else);
  RUN(the_longest_unused_goes_first);
  RUN(what_is_in_use_is_not_dropped);
  RUN(a_cache_of_one_works);
  RUN(texts_that_share_a_beginning_are_apart);
  RUN(two_cursors_of_one_text_do_not_meet);
  RUN(no_statement_is_misuse);
  RUN(a_second_statement_is_misuse_but_a_comment_is_none);
  RUN(the_number_of_values_must_be_right);
  RUN(a_kept_statement_sees_the_table_change);
  RUN(closing_waits_for_the_last_cursor);
  return check_done();
}
