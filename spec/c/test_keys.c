/* test_keys.c - ordered sets of keys, and the JSON that they are. */
#include "posts.h"

#include "keys.h"
#include "mem.h"

static tomb_allocator with_malloc;

static tomb_keys *new_keys(void) {
  tomb_allocator none = {NULL, NULL};
  with_malloc = tomb_allocator_or_malloc(none);
  tomb_keys *keys = tomb_keys_new(&with_malloc);
  if (keys == NULL) exit(EXIT_FAILURE);
  return keys;
}

static void add(tomb_keys *keys, tomb_value key) {
  CHECK(tomb_keys_add(keys, &key));
}

static void check_json(const tomb_keys *keys, size_t from, size_t to,
                       const char *wanted) {
  tomb_value json;
  char text[512];
  tomb_arena arena = {&with_malloc, NULL, 0};
  CHECK(tomb_keys_json(&json, keys, from, to, &arena));
  snprintf(text, sizeof text, "%.*s", (int)json.as.text.size,
           json.as.text.data);
  check_text(text, wanted, __FILE__, __LINE__);
  tomb_arena_free(&arena);
}

static void any_span_of_the_keys_is_an_array(void) {
  tomb_keys *keys = new_keys();
  check_json(keys, 0, 0, "[]");
  add(keys, tomb_integer(7));
  add(keys, tomb_integer(-12));
  add(keys, tomb_integer(INT64_MAX));
  CHECK_INT(tomb_keys_count(keys), 3);
  check_json(keys, 0, 3, "[7,-12,9223372036854775807]");
  check_json(keys, 0, 1, "[7]");
  check_json(keys, 1, 3, "[-12,9223372036854775807]");
  check_json(keys, 1, 1, "[]");
  check_json(keys, 3, 3, "[]");
  tomb_keys_free(keys);
}

static void keys_are_joined(void) {
  tomb_keys *keys = new_keys(), *more = new_keys();
  CHECK(tomb_keys_join(keys, more));
  check_json(keys, 0, 0, "[]");
  for (int i = 0; i < 40; i++) add(more, tomb_integer(i));
  CHECK(tomb_keys_join(keys, more));
  CHECK(tomb_keys_join(keys, more));
  CHECK_INT(tomb_keys_count(keys), 80);
  check_json(keys, 38, 42, "[38,39,0,1]");
  add(keys, tomb_text("end"));
  check_json(keys, 79, 81, "[39,\"end\"]");
  tomb_keys_free(keys);
  tomb_keys_free(more);
}

static void texts_are_escaped(void) {
  tomb_keys *keys = new_keys();
  add(keys, tomb_text("a\"b\\c\n,]"));
  add(keys, tomb_text_of(NULL, 0));
  add(keys, tomb_text("\xC3\xA9"));
  check_json(keys, 0, 3, "[\"a\\\"b\\\\c\\u000a,]\",\"\",\"\xC3\xA9\"]");
  check_json(keys, 1, 2, "[\"\"]");
  tomb_keys_free(keys);
}

/* A table of somebody else's may hold anything in its key. */
static void strange_keys_are_kept_apart(void) {
  tomb_keys *keys = new_keys();
  add(keys, tomb_null());
  add(keys, tomb_number(1.5));
  add(keys, tomb_boolean(true));
  check_json(keys, 0, 3, "[null,1.5,1]");
  tomb_keys_free(keys);
}

static void many_keys_keep_their_order(void) {
  tomb_keys *keys = new_keys();
  for (int i = 0; i < 5000; i++) add(keys, tomb_integer(i));
  CHECK_INT(tomb_keys_count(keys), 5000);
  check_json(keys, 4998, 5000, "[4998,4999]");
  check_json(keys, 99, 102, "[99,100,101]");
  tomb_keys_free(keys);
}

/* ---- keys of queries ---------------------------------------------- */

static void the_keys_of_a_query_come_in_its_order(void) {
  open_posts();
  for (int i = 0; i < 5; i++) {
    char title[16];
    snprintf(title, sizeof title, "t%d", i);
    add_post(title, 10 - i);
  }
  tomb_keys *keys;
  tomb_order by_views = {tomb_model_field(post, VIEWS), false};
  tomb_query query = tomb_objects(post);
  query.order = &by_views;
  query.n_order = 1;
  query.limit = 3;
  MUST(tomb_select_keys(&keys, db, &query, &check_error));
  check_json(keys, 0, tomb_keys_count(keys), "[5,4,3]");
  tomb_query among = tomb_objects(post);
  among.among = keys;
  among.among_from = 1;
  among.among_to = 3;
  CHECK_INT(count_of(among), 2);
  among.among_to = 1;
  CHECK_INT(count_of(among), 0);
  tomb_keys_free(keys);
  close_db();
}

static const tomb_model *define_pages(void) {
  const tomb_model *page;
  const tomb_field_def fields[] = {
      {.name = "slug", .type = TOMB_FIELD_TEXT, .primary_key = true},
      {.name = "body", .type = TOMB_FIELD_TEXT, .nullable = true}};
  const tomb_model_def def = {.name = "Page", .fields = fields, .n_fields = 2};
  MUST(tomb_define(&page, db, &def, &check_error));
  return page;
}

static void text_keys_find_their_rows_again(void) {
  static const char *const slugs[] = {"",         "1",    "a\"b", "a\\u0041",
                                      "\xC3\xA9", "a\nb", "]",    "null"};
  const size_t n = sizeof slugs / sizeof slugs[0];
  tomb_keys *keys;
  MUST(tomb_open_sqlite(&db, ":memory:", NULL, &check_error));
  const tomb_model *page = define_pages();
  MUST(tomb_create_tables(db, &check_error));
  for (size_t i = 0; i < n; i++) {
    tomb_value row[4] = {tomb_text(slugs[i])};
    MUST(tomb_insert(db, page, row, tick(), &check_error));
  }
  tomb_query query = tomb_objects(page);
  MUST(tomb_select_keys(&keys, db, &query, &check_error));
  for (size_t i = 0; i < n; i++) {
    query.among = keys;
    query.among_from = i;
    query.among_to = i + 1;
    CHECK_INT(count_of(query), 1);
  }
  tomb_keys_free(keys);
  close_db();
}

/* SQLite lets a key that is no integer be NULL, or of any type. */
static void tables_of_others_may_have_strange_keys(void) {
  tomb_keys *keys;
  MUST(tomb_open_sqlite(&db, ":memory:", NULL, &check_error));
  const tomb_model *page = define_pages();
  exec("CREATE TABLE page (slug PRIMARY KEY, body text, deleted_at datetime,"
       " deleted_event integer);"
       "INSERT INTO page (slug) VALUES (NULL), (1.5), (x'00ff'), ('x'), (7)");
  MUST(tomb_create_tables(db, &check_error));
  tomb_query query = tomb_objects(page);
  MUST(tomb_select_keys(&keys, db, &query, &check_error));
  CHECK_INT(tomb_keys_count(keys), 5);
  query.among = keys;
  query.among_to = 5;
  CHECK(count_of(query) >= 3);
  tomb_keys_free(keys);
  close_db();
}

int main(void) {
  RUN(any_span_of_the_keys_is_an_array);
  RUN(keys_are_joined);
  RUN(texts_are_escaped);
  RUN(strange_keys_are_kept_apart);
  RUN(many_keys_keep_their_order);
  RUN(the_keys_of_a_query_come_in_its_order);
  RUN(text_keys_find_their_rows_again);
  RUN(tables_of_others_may_have_strange_keys);
  return check_done();
}
