/* test_streams.c - rows in chunks, in any order, while others write. */
#include "posts.h"

#include "fake.h"

#define ROWS 700 /* some chunks */

static tomb_order by_views = {NULL, true};

static void fill(int64_t n) {
  tomb_value row[FIELDS];
  char title[32];
  MUST(tomb_begin(db, &check_error));
  for (int64_t i = 1; i <= n; i++) {
    empty_row(row);
    snprintf(title, sizeof title, "t%lld", (long long)i);
    row[TITLE] = tomb_text(title);
    row[VIEWS] = tomb_integer(i * 7 % 11);
    MUST(tomb_insert(db, post, row, 1, &check_error));
  }
  MUST(tomb_commit(db, &check_error));
}

static void open_rows(void) {
  open_posts();
  fill(ROWS);
  by_views.field = tomb_model_field(post, VIEWS);
}

/* The orders that a stream goes by: the key's, and others by noted keys. */
static tomb_query ordered(tomb_query query, int order) {
  static tomb_order by_key[2];
  by_key[0] = (tomb_order){tomb_model_field(post, ID), order == 2};
  by_key[1] = (tomb_order){tomb_model_field(post, VIEWS), false};
  if (order == 1 || order == 2) {
    query.order = by_key;
    query.n_order = (size_t)order;
  } else if (order == 3) {
    query.order = &by_views;
    query.n_order = 1;
  } else if (order == 4) {
    query.reversed = true;
  }
  return query;
}

#define ORDERS 5

static tomb_stream *stream;
static int64_t last_id;

static void open_stream(tomb_query query) {
  MUST(tomb_stream_open(&stream, db, &query, &check_error));
}

static tomb_status next(void) {
  const tomb_value *values;
  size_t n;
  tomb_status st = tomb_stream_next(stream, &values, &check_error);
  if (st != TOMB_ROW) return st;
  const tomb_field *const *fields = tomb_stream_fields(stream, &n);
  for (size_t i = 0; i < n; i++) {
    if (fields[i] == tomb_model_field(post, ID)) {
      last_id = values[i].as.integer;
    }
  }
  return st;
}

/* Streams the query and compares it with a plain read of it. */
static void check_same(tomb_query query) {
  tomb_cursor cursor;
  int64_t n = 0;
  open_stream(query);
  MUST(tomb_select(&cursor, db, &query, &check_error));
  while (tomb_cursor_next(&cursor, &check_error) == TOMB_ROW) {
    size_t key = query.only == NULL ? ID : 0;
    if (!CHECK_STATUS(next(), TOMB_ROW)) break;
    if (!CHECK_INT(last_id, cursor.values[key].as.integer)) break;
    n++;
  }
  CHECK_STATUS(next(), TOMB_DONE);
  CHECK_STATUS(next(), TOMB_DONE);
  tomb_cursor_close(&cursor);
  tomb_stream_free(stream);
  CHECK_INT(n, count_of(query));
}

static void a_stream_answers_what_a_read_answers(void) {
  static const int64_t slices[][2] = {
      {-1, 0},    {0, 0},    {1, 0},    {255, 0},  {256, 0}, {257, 0},
      {300, 250}, {-1, 255}, {-1, 256}, {-1, 700}, {5, 699}, {1000, 0}};
  open_rows();
  delete_posts(where(tomb_objects(post), "views", tomb_integer(3)));
  for (size_t i = 0; i < sizeof slices / sizeof slices[0]; i++) {
    for (int order = 0; order < ORDERS; order++) {
      tomb_query query = ordered(tomb_objects(post), order);
      query.limit = slices[i][0];
      query.offset = slices[i][1];
      check_same(query);
    }
  }
  check_same(ordered(tomb_all_objects(post), 3));
  check_same(ordered(tomb_deleted_objects(post), 3));
  check_same(
      where(ordered(tomb_objects(post), 3), "views__gt", tomb_integer(5)));
  close_db();
}

static void a_stream_of_some_columns_has_the_key(void) {
  open_rows();
  const tomb_field *only[] = {tomb_model_field(post, TITLE)};
  for (int order = 0; order < ORDERS; order++) {
    tomb_query query = ordered(tomb_objects(post), order);
    query.only = only;
    query.n_only = 1;
    check_same(query);
  }
  close_db();
}

static void an_empty_stream_is_done(void) {
  open_posts();
  by_views.field = tomb_model_field(post, VIEWS);
  for (int order = 0; order < ORDERS; order++) {
    open_stream(ordered(tomb_objects(post), order));
    CHECK_STATUS(next(), TOMB_DONE);
    tomb_stream_free(stream);
  }
  tomb_stream_free(NULL);
  close_db();
}

/* ---- while others write ------------------------------------------- */

static bool seen[4 * ROWS];

/* Marks the rows of the stream; none may come twice. */
static int64_t drain(void (*meanwhile)(int64_t n)) {
  int64_t n = 0;
  memset(seen, 0, sizeof seen);
  while (next() == TOMB_ROW) {
    if (!CHECK(last_id < 4 * ROWS && !seen[last_id])) break;
    seen[last_id] = true;
    if (meanwhile != NULL) meanwhile(++n);
  }
  tomb_stream_free(stream);
  return n;
}

static void touch(int64_t n) {
  int64_t changed;
  tomb_query row = of_key(tomb_objects(post), last_id);
  tomb_assignment a = {tomb_model_field(post, VIEWS), tomb_integer(n), NULL};
  MUST(tomb_update(&changed, db, &row, &a, 1, tick(), NULL, &check_error));
}

static void rows_that_move_in_the_order_come_once(void) {
  for (int order = 0; order < ORDERS; order++) {
    open_rows();
    open_stream(ordered(tomb_objects(post), order));
    CHECK_INT(drain(touch), ROWS);
    close_db();
  }
}

static void kill_others(int64_t n) {
  if (n == 10) {
    delete_posts(where(tomb_objects(post), "id__gt", tomb_integer(600)));
  }
}

static void rows_that_die_in_time_do_not_come(void) {
  open_rows();
  open_stream(tomb_objects(post));
  CHECK_INT(drain(kill_others), 600);
  CHECK(!seen[601]);
  close_db();
  open_rows();
  open_stream(ordered(tomb_objects(post), 1));
  CHECK_INT(drain(kill_others), 600);
  close_db();
  open_rows();
  open_stream(ordered(tomb_objects(post), 3));
  int64_t n = drain(kill_others); /* some stood in the first chunk */
  CHECK(n >= 600 && n < ROWS);
  close_db();
}

static void add_another(int64_t n) {
  char title[32];
  if (n > 2 * ROWS) exit(EXIT_FAILURE); /* it would never end */
  snprintf(title, sizeof title, "new %lld", (long long)n);
  add_post(title, n);
}

static void rows_made_on_the_way_do_not_come(void) {
  for (int order = 0; order < ORDERS; order++) {
    open_rows();
    open_stream(ordered(tomb_objects(post), order));
    CHECK_INT(drain(add_another), ROWS);
    close_db();
  }
}

static void kill_and_purge_itself(int64_t n) {
  int64_t purged;
  tomb_purging how = {.living = true, .deletion = {.now = tick()}};
  tomb_query row = of_key(tomb_objects(post), last_id);
  (void)n;
  MUST(tomb_purge(&purged, db, &row, &how, &check_error));
  CHECK_INT(purged, 1);
}

static void each_row_may_be_purged_on_its_way(void) {
  for (int order = 0; order < ORDERS; order++) {
    open_rows();
    open_stream(ordered(tomb_objects(post), order));
    CHECK_INT(drain(kill_and_purge_itself), ROWS);
    CHECK_INT(count_of(tomb_all_objects(post)), 0);
    close_db();
  }
}

static void commit_now_and_then(int64_t n) {
  if (n % 100 == 0) {
    MUST(tomb_begin(db, &check_error));
    touch(n);
    MUST(n % 200 == 0 ? tomb_commit(db, &check_error)
                      : tomb_rollback(db, &check_error));
  }
}

static void transactions_come_and_go_between_rows(void) {
  for (int order = 0; order < ORDERS; order++) {
    open_rows();
    open_stream(ordered(tomb_objects(post), order));
    CHECK_INT(drain(commit_now_and_then), ROWS);
    CHECK_INT(tomb_depth(db), 0);
    close_db();
  }
}

/* ---- text keys ---------------------------------------------------- */

static void text_keys_go_on_behind_the_last(void) {
  const tomb_field_def field = {.name = "slug",
                                .type = TOMB_FIELD_TEXT,
                                .primary_key = true,
                                .collate = "NOCASE"};
  const tomb_model_def def = {.name = "Page", .fields = &field, .n_fields = 1};
  const tomb_model *page;
  const tomb_value *values;
  int64_t n = 0;
  open_posts();
  MUST(tomb_define(&page, db, &def, &check_error));
  MUST(tomb_create_tables(db, &check_error));
  exec("WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c LIMIT "
       "600) INSERT INTO page (slug) SELECT iif(i % 2, 'Key', 'kEY') || "
       "char(192 + i) || '\"' FROM c");
  for (int order = 0; order < 2; order++) {
    tomb_query query = tomb_objects(page);
    query.reversed = order == 1;
    open_stream(query);
    for (n = 0; tomb_stream_next(stream, &values, &check_error) == TOMB_ROW;) {
      n++;
    }
    tomb_stream_free(stream);
    CHECK_INT(n, 600);
  }
  close_db();
}

/* ---- failures ----------------------------------------------------- */

static void a_stream_that_fails_is_over(void) {
  const tomb_error broken = {.kind = TOMB_DATABASE, .message = "gone"};
  MUST(tomb_open_fake(&db, ":memory:", NULL, &check_error));
  define_posts();
  MUST(tomb_create_tables(db, &check_error));
  fill(ROWS);
  by_views.field = tomb_model_field(post, VIEWS);
  for (int order = 0; order < ORDERS; order++) {
    open_stream(ordered(tomb_objects(post), order));
    for (int i = 0; i < 256; i++) CHECK_STATUS(next(), TOMB_ROW);
    tomb_fake_fail(db, 3, &broken);
    CHECK_STATUS(next(), TOMB_DATABASE);
    CHECK_STATUS(next(), TOMB_DONE);
    tomb_stream_free(stream);
  }
  close_db();
}

static void a_closed_database_ends_its_streams(void) {
  open_rows();
  open_stream(tomb_objects(post));
  CHECK_STATUS(next(), TOMB_ROW);
  tomb_close(db);
  for (int i = 1; i < 256; i++) CHECK_STATUS(next(), TOMB_ROW);
  CHECK_STATUS(next(), TOMB_MISUSE);
  tomb_stream_free(stream);
  close_db();
}

int main(void) {
  RUN(a_stream_answers_what_a_read_answers);
  RUN(a_stream_of_some_columns_has_the_key);
  RUN(an_empty_stream_is_done);
  RUN(rows_that_move_in_the_order_come_once);
  RUN(rows_that_die_in_time_do_not_come);
  RUN(rows_made_on_the_way_do_not_come);
  RUN(each_row_may_be_purged_on_its_way);
  RUN(transactions_come_and_go_between_rows);
  RUN(text_keys_go_on_behind_the_last);
  RUN(a_stream_that_fails_is_over);
  RUN(a_closed_database_ends_its_streams);
  return check_done();
}
