/* test_sql.c - the statements that reads run, word for word, with their
** values. A scripted database answers them. */
#include "scripted.h"

/* ---- SELECT ------------------------------------------------------- */

static void a_manager_says_who_is_alive(void) {
  CHECK_TEXT(select_of(tomb_objects(post)),
             "SELECT " LIVING_POSTS " WHERE " LIVING " ORDER BY \"id\"");
  CHECK_TEXT(select_of(tomb_all_objects(post)),
             "SELECT " POSTS " ORDER BY \"id\"");
  CHECK_TEXT(select_of(tomb_deleted_objects(post)),
             "SELECT " POSTS " WHERE " DEAD " ORDER BY \"id\"");
  CHECK_TEXT(select_of(tomb_objects(plain)),
             "SELECT \"id\", \"a\" FROM \"plain\" ORDER BY \"id\"");
  CHECK_TEXT(select_of(tomb_deleted_objects(plain)),
             "SELECT \"id\", \"a\" FROM \"plain\" WHERE 1 = 0 ORDER BY \"id\"");
}

static void check_lookup(const char *key, tomb_value value,
                         const char *wanted) {
  check_text(where_of(where(tomb_all_objects(post), key, value)), wanted,
             __FILE__, __LINE__);
}

static void lookups_compare(void) {
  check_lookup("views", tomb_integer(1), "\"views\" = ? | 1");
  check_lookup("views__eq", tomb_integer(1), "\"views\" = ? | 1");
  check_lookup("views__ne", tomb_integer(1), "\"views\" <> ? | 1");
  check_lookup("code__ne", tomb_integer(1), "\"code\" IS NOT ? | 1");
  check_lookup("views__lt", tomb_integer(1), "\"views\" < ? | 1");
  check_lookup("views__lte", tomb_integer(1), "\"views\" <= ? | 1");
  check_lookup("views__gt", tomb_integer(1), "\"views\" > ? | 1");
  check_lookup("views__gte", tomb_number(2.0), "\"views\" >= ? | 2");
  check_lookup("code", tomb_null(), "\"code\" IS NULL");
  check_lookup("code__ne", tomb_null(), "\"code\" IS NOT NULL");
  check_lookup("code__isnull", tomb_boolean(true), "\"code\" IS NULL");
  check_lookup("code__isnull", tomb_boolean(false), "\"code\" IS NOT NULL");
}

static void lookups_match_texts(void) {
  check_lookup("note__contains", tomb_text("A%"),
               "instr(\"note\", ?) > 0 "
               "| 'A%'");
  check_lookup("note__icontains", tomb_text("A%"),
               "instr(lower(\"note\"), ?) > 0 | 'a%'");
  check_lookup("note__startswith", tomb_text("ab"),
               "(\"note\" >= ? AND \"note\" < ? AND substr(\"note\", 1, "
               "length(?)) = ?) | 'ab' 'ac' 'ab' 'ab'");
  check_lookup("note__startswith", tomb_text("\xC3\xA9"),
               "(substr(\"note\", 1, length(?)) = ?) | '\xC3\xA9' '\xC3\xA9'");
  check_lookup("note__istartswith", tomb_text("Ab"),
               "substr(lower(\"note\"), 1, length(?)) = ? | 'ab' 'ab'");
  check_lookup("note__endswith", tomb_text("Ab"),
               "substr(\"note\", -length(?)) = ? | 'Ab' 'Ab'");
  check_lookup("note__iendswith", tomb_text("Ab"),
               "substr(lower(\"note\"), -length(?)) = ? | 'ab' 'ab'");
  check_lookup("note__iexact", tomb_text("Ab"), "lower(\"note\") = ? | 'ab'");
  check_lookup("note__like", tomb_text("a%b_c\\%*[?"),
               "+\"note\" GLOB ? | 'a*b?c%[*][[][?]'");
  check_lookup("note__contains", tomb_text(""), "\"note\" IS NOT NULL");
  check_lookup("note__original", tomb_text("x"), "\"note\" = ? | 'x'");
  check_lookup("title__original", tomb_text("x"),
               "tombstone_original(\"title\", \"deleted_at\") = ? | 'x'");
}

static void the_original_of_a_composite_is_of_its_last_text(void) {
  CHECK_TEXT(
      where_of(where(tomb_all_objects(pair), "a__original", tomb_text("x"))),
      "CASE WHEN \"b\" IS NULL THEN tombstone_original(\"a\", "
      "\"deleted_at\") ELSE \"a\" END = ? | 'x'");
  CHECK_TEXT(
      where_of(where(tomb_all_objects(pair), "b__original", tomb_text("x"))),
      "tombstone_original(\"b\", \"deleted_at\") COLLATE \"NOCASE\" = ? "
      "| 'x'");
}

static tomb_query in(const char *key, tomb_value *values, size_t n) {
  static tomb_cond cond;
  static tomb_filter_link link;
  tomb_query query, all = tomb_all_objects(post);
  cond = tomb_where_in(key, values, n);
  MUST(tomb_filter(&query, &all, &cond, false, &link, &check_error));
  return query;
}

static void lists_are_placeholders_or_one_array(void) {
  tomb_value values[20];
  for (int i = 0; i < 20; i++) values[i] = tomb_integer(i);
  CHECK_TEXT(where_of(in("views__in", values, 0)), "1 = 0");
  CHECK_TEXT(where_of(in("views", values, 1)), "\"views\" = ? | 0");
  CHECK_TEXT(where_of(in("views", values, 3)),
             "\"views\" IN (?, ?, ?) | 0 1 2");
  CHECK_TEXT(where_of(in("views", values, 17)),
             "\"views\" IN (SELECT value FROM json_each(?)) | "
             "'[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]'");
  CHECK_TEXT(where_of(in("views__range", values, 2)),
             "\"views\" BETWEEN ? AND ? | 0 1");
  values[1] = tomb_null();
  CHECK_TEXT(where_of(in("code", values, 2)),
             "(\"code\" IS NULL OR \"code\" IN (?)) | 0");
  CHECK_TEXT(where_of(in("code__in", values + 1, 1)),
             "(\"code\" IS NULL OR 1 = 0)");
}

/* SQLite would end a JSON text at its zero byte. */
static void a_zero_byte_does_not_go_into_an_array(void) {
  tomb_value values[17];
  for (int i = 0; i < 17; i++) values[i] = tomb_text_of("a\0b", 3);
  const char *sql = where_of(in("note", values, 17));
  CHECK(strncmp(sql, "\"note\" IN (?, ?", 15) == 0);
}

static void conditions_compose(void) {
  tomb_cond *parts[] = {cond_of("views", tomb_integer(1)),
                        cond_of("note", tomb_text("x"))};
  tomb_cond both = tomb_all(parts, 2), one = tomb_any(parts, 2);
  tomb_cond neither = tomb_none(parts, 2), nothing = tomb_any(parts, 0);
  tomb_query all = tomb_all_objects(post);
  CHECK_TEXT(where_of(filtered(all, &both, false)),
             "(\"views\" = ? AND \"note\" = ?) | 1 'x'");
  CHECK_TEXT(where_of(filtered(all, &one, false)),
             "(\"views\" = ? OR \"note\" = ?) | 1 'x'");
  CHECK_TEXT(where_of(filtered(all, &neither, false)),
             "((\"views\" = ? OR \"note\" = ?) IS NOT TRUE) | 1 'x'");
  CHECK_TEXT(where_of(filtered(all, &one, true)),
             "((\"views\" = ? OR \"note\" = ?) IS NOT TRUE) | 1 'x'");
  CHECK_TEXT(where_of(filtered(all, &nothing, false)), "1 = 0");
  all = filtered(tomb_objects(post), parts[0], false);
  CHECK_TEXT(where_of(filtered(all, parts[1], true)),
             LIVING " AND \"views\" = ? AND (\"note\" = ? IS NOT TRUE) "
                    "| 1 'x'");
}

static void expressions_name_fields(void) {
  tomb_expr views = {.op = TOMB_EXPR_FIELD, .name = "views"};
  tomb_expr code = {.op = TOMB_EXPR_FIELD, .name = "code"};
  tomb_expr two = {.op = TOMB_EXPR_VALUE, .value = tomb_integer(2)};
  tomb_expr sum = {.op = TOMB_EXPR_ADD, .left = &views, .right = &two};
  tomb_expr product = {.op = TOMB_EXPR_MUL, .left = &sum, .right = &code};
  tomb_cond cond = tomb_where_in("views__lt", NULL, 0);
  cond.expr = &product;
  CHECK_TEXT(where_of(filtered(tomb_all_objects(post), &cond, false)),
             "\"views\" < ((\"views\" + ?) * \"code\") | 2");
  cond = tomb_where_in("code__ne", NULL, 0);
  cond.expr = &views;
  CHECK_TEXT(where_of(filtered(tomb_all_objects(post), &cond, false)),
             "(\"code\" = \"views\" IS NOT TRUE)");
}

static void an_order_ends_with_the_key(void) {
  tomb_order order[2] = {{tomb_model_field(post, VIEWS), true},
                         {tomb_model_field(post, ID), false}};
  tomb_query query = tomb_all_objects(post);
  query.order = order;
  query.n_order = 1;
  CHECK_TEXT(select_of(query),
             "SELECT " POSTS " ORDER BY \"views\" DESC, \"id\" DESC");
  query.n_order = 2;
  CHECK_TEXT(select_of(query),
             "SELECT " POSTS " ORDER BY \"views\" DESC, \"id\"");
  query.reversed = true;
  CHECK_TEXT(select_of(query),
             "SELECT " POSTS " ORDER BY \"views\", \"id\" DESC");
  query.order = NULL;
  CHECK_TEXT(select_of(query), "SELECT " POSTS " ORDER BY \"id\" DESC");
}

static void a_slice_is_bound(void) {
  tomb_query query = tomb_all_objects(post);
  query.limit = 5;
  CHECK_TEXT(select_of(query), "SELECT " POSTS " ORDER BY \"id\" LIMIT ? | 5");
  query.offset = 2;
  CHECK_TEXT(select_of(query),
             "SELECT " POSTS " ORDER BY \"id\" LIMIT ? OFFSET ? | 5 2");
  query.limit = -1;
  CHECK_TEXT(select_of(query),
             "SELECT " POSTS " ORDER BY \"id\" LIMIT ? OFFSET ? | -1 2");
}

static void only_takes_along_what_a_row_needs(void) {
  const tomb_field *only[] = {tomb_model_find(article, "title", 5)};
  tomb_query query = tomb_objects(article);
  query.only = only;
  query.n_only = 1;
  CHECK_TEXT(select_of(query),
             "SELECT \"id\", \"version\", \"deleted_at\", \"title\" FROM "
             "\"article\" WHERE " LIVING " ORDER BY \"id\"");
}

static void run_values(tomb_query query) {
  tomb_cursor cursor;
  expect_columns(query.only == NULL ? FIELDS - 2 : query.n_only);
  MUST(tomb_select_values(&cursor, db, &query, &check_error));
  CHECK_STATUS(tomb_cursor_next(&cursor, &check_error), TOMB_DONE);
  tomb_cursor_close(&cursor);
}

static void values_are_what_was_asked_for(void) {
  const tomb_field *only[] = {tomb_model_field(post, VIEWS)};
  tomb_query query = tomb_objects(post);
  tomb_fake_forget(db);
  run_values(query);
  RAN("SELECT " LIVING_POSTS " WHERE " LIVING " ORDER BY \"id\"");
  query.only = only;
  query.n_only = 1;
  run_values(query);
  RAN("SELECT \"views\" FROM \"posts\" WHERE " LIVING " ORDER BY \"id\"");
  query.distinct = true;
  run_values(query);
  RAN("SELECT DISTINCT \"views\" FROM \"posts\" WHERE " LIVING
      " ORDER BY \"views\"");
}

static void run_sum(tomb_query query) {
  tomb_cursor cursor;
  const tomb_aggregate sums[] = {{TOMB_SUM, tomb_model_field(post, VIEWS), 0},
                                 {TOMB_COUNT, NULL, false}};
  expect_columns(query.n_groups + 2);
  MUST(tomb_select_aggregates(&cursor, db, &query, sums, 2, &check_error));
  tomb_cursor_next(&cursor, &check_error);
  tomb_cursor_close(&cursor);
}

static void aggregates_are_of_the_rows_asked_for(void) {
  const tomb_field *title[] = {tomb_model_field(post, TITLE)};
  tomb_query query = tomb_objects(post);
  tomb_fake_forget(db);
  run_sum(query);
  RAN("SELECT sum(\"views\"), count(*) FROM \"posts\" WHERE " LIVING);
  query.groups = title;
  query.n_groups = 1;
  run_sum(query);
  RAN("SELECT \"title\", sum(\"views\"), count(*) FROM \"posts\" WHERE " LIVING
      " GROUP BY \"title\" ORDER BY \"title\"");
  query.n_groups = 0;
  query.limit = 3;
  query.only = title;
  query.n_only = 1;
  run_sum(query);
  RAN("SELECT sum(\"views\"), count(*) FROM (SELECT " POSTS " WHERE " LIVING
      " ORDER BY \"id\" LIMIT ?) AS slice | 3");
}

/* ---- sizes: a statement does not grow with the rows --------------- */

static size_t size_of_list(size_t n) {
  tomb_value *values = calloc(n, sizeof *values);
  for (size_t i = 0; i < n; i++) values[i] = tomb_integer((int64_t)i);
  const char *sql;
  const tomb_value *args;
  size_t n_args;
  tomb_query query = in("views", values, n);
  MUST(tomb_explain_sql(&sql, &args, &n_args, db, &query, &check_error));
  size_t size = strlen(sql);
  CHECK(n <= 16 || n_args == 1);
  free(values);
  return size;
}

static void long_lists_have_one_shape(void) {
  CHECK_INT(size_of_list(17), size_of_list(10000));
  CHECK(size_of_list(16) < 300);
}

int main(void) {
  open_scripted();
  RUN(a_manager_says_who_is_alive);
  RUN(lookups_compare);
  RUN(lookups_match_texts);
  RUN(the_original_of_a_composite_is_of_its_last_text);
  RUN(lists_are_placeholders_or_one_array);
  RUN(a_zero_byte_does_not_go_into_an_array);
  RUN(conditions_compose);
  RUN(expressions_name_fields);
  RUN(an_order_ends_with_the_key);
  RUN(a_slice_is_bound);
  RUN(only_takes_along_what_a_row_needs);
  RUN(values_are_what_was_asked_for);
  RUN(aggregates_are_of_the_rows_asked_for);
  RUN(long_lists_have_one_shape);
  close_db();
  return check_done();
}
