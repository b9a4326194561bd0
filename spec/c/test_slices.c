/* test_slices.c - a query that is cut by limit and offset: what it counts, and
** which rows its writes reach. */
#include "posts.h"

/* ---- slices ------------------------------------------------------- */

static const char *ids_where(const char *condition) {
  char sql[200];
  snprintf(sql, sizeof sql,
           "SELECT ifnull(group_concat(id), '') FROM (SELECT "
           "id FROM posts WHERE %s ORDER BY id)",
           condition);
  return ask(sql);
}

/* By views downwards, then by key downwards: 8 4 7 3 10 6 2 9 5 1, of which
** 8, 9 and 10 are dead. */
static tomb_query sliced(tomb_query query, int64_t limit, int64_t offset) {
  static tomb_order order;
  order = (tomb_order){tomb_model_field(post, VIEWS), true};
  query.order = &order;
  query.n_order = 1;
  query.limit = limit;
  query.offset = offset;
  return query;
}

static void a_sliced_update_reaches_its_rows(void) {
  int64_t changed;
  open_ten();
  tomb_query living = tomb_objects(post);
  tomb_assignment a = {tomb_model_field(post, NOTE), tomb_text("set"), NULL};
  tomb_query query = sliced(living, 2, 1);
  MUST(tomb_update(&changed, db, &query, &a, 1, tick(), NULL, &check_error));
  CHECK_TEXT(ids_where("note = 'set'"), "3,7");
  query = sliced(living, -1, 5);
  MUST(tomb_update(&changed, db, &query, &a, 1, tick(), NULL, &check_error));
  CHECK_TEXT(ids_where("note = 'set'"), "1,3,5,7");
  query = sliced(living, 0, 0);
  MUST(tomb_update(&changed, db, &query, &a, 1, tick(), NULL, &check_error));
  CHECK_INT(changed, 0);
  close_db();
}

static void a_sliced_delete_reaches_the_living_of_its_rows(void) {
  open_ten();
  delete_posts(sliced(tomb_objects(post), 2, 1));
  CHECK_TEXT(ids_where("deleted_at IS NOT NULL"), "3,7,8,9,10");
  close_db();
  open_ten();
  delete_posts(sliced(tomb_all_objects(post), 3, 0));
  CHECK_TEXT(ids_where("deleted_at IS NOT NULL"), "4,7,8,9,10");
  close_db();
  open_ten();
  delete_posts(sliced(tomb_deleted_objects(post), 3, 0));
  CHECK_TEXT(ids_where("deleted_at IS NOT NULL"), "8,9,10");
  close_db();
}

static void a_sliced_restore_reaches_the_dead_of_its_rows(void) {
  for (int word = TOMB_CONFLICT_FAIL; word <= TOMB_CONFLICT_REPLACE; word++) {
    open_ten();
    CHECK_INT(restore_posts(sliced(tomb_deleted_objects(post), 1, 1),
                            (tomb_on_conflict)word),
              1);
    CHECK_TEXT(ids_where("deleted_at IS NOT NULL"), "8,9");
    close_db();
    open_ten();
    CHECK_INT(restore_posts(sliced(tomb_all_objects(post), 5, 0),
                            (tomb_on_conflict)word),
              2);
    CHECK_TEXT(ids_where("deleted_at IS NOT NULL"), "9");
    close_db();
  }
}

static int64_t purge(tomb_query query, bool living) {
  int64_t purged;
  tomb_purging how = {.living = living, .deletion = {.now = tick()}};
  MUST(tomb_purge(&purged, db, &query, &how, &check_error));
  return purged;
}

static void a_sliced_purge_reaches_its_rows(void) {
  open_ten();
  CHECK_INT(purge(sliced(tomb_deleted_objects(post), 1, 1), false), 1);
  CHECK_TEXT(ids_where("1"), "1,2,3,4,5,6,7,8,9");
  CHECK_INT(purge(sliced(tomb_objects(post), 2, 0), true), 2);
  CHECK_TEXT(ids_where("1"), "1,2,3,5,6,8,9");
  CHECK_INT(purge(sliced(tomb_all_objects(post), 3, 0), true), 3);
  CHECK_TEXT(ids_where("1"), "1,2,5,9");
  close_db();
}

static void slices_are_counted_and_met(void) {
  bool exists;
  open_ten();
  tomb_query query = sliced(tomb_objects(post), 3, 0);
  CHECK_INT(count_of(query), 3);
  query = sliced(tomb_objects(post), 3, 6);
  CHECK_INT(count_of(query), 1);
  MUST(tomb_exists(&exists, db, &query, &check_error));
  CHECK(exists);
  query = sliced(tomb_objects(post), 3, 7);
  CHECK_INT(count_of(query), 0);
  MUST(tomb_exists(&exists, db, &query, &check_error));
  CHECK(!exists);
  query = sliced(tomb_objects(post), 0, 0);
  MUST(tomb_exists(&exists, db, &query, &check_error));
  CHECK(!exists);
  close_db();
}

static void update_reaches_living_rows_only(void) {
  int64_t changed;
  open_ten();
  tomb_query query = tomb_all_objects(post);
  tomb_assignment a = {tomb_model_field(post, NOTE), tomb_text("set"), NULL};
  CHECK_STATUS(
      tomb_update(&changed, db, &query, &a, 1, tick(), NULL, &check_error),
      TOMB_MISUSE);
  query = tomb_objects(post);
  MUST(tomb_update(&changed, db, &query, &a, 1, tick(), NULL, &check_error));
  CHECK_INT(changed, 7);
  a.field = tomb_model_field(post, DELETED_AT);
  a.value = tomb_null();
  CHECK_STATUS(
      tomb_update(&changed, db, &query, &a, 1, tick(), NULL, &check_error),
      TOMB_MISUSE);
  a.field = tomb_model_field(post, ID);
  a.value = tomb_integer(99);
  CHECK_STATUS(
      tomb_update(&changed, db, &query, &a, 1, tick(), NULL, &check_error),
      TOMB_MISUSE);
  close_db();
}

int main(void) {
  RUN(a_sliced_update_reaches_its_rows);
  RUN(a_sliced_delete_reaches_the_living_of_its_rows);
  RUN(a_sliced_restore_reaches_the_dead_of_its_rows);
  RUN(a_sliced_purge_reaches_its_rows);
  RUN(slices_are_counted_and_met);
  RUN(update_reaches_living_rows_only);
  return check_done();
}
