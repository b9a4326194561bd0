/* test_sql.c - the statements that the verbs run, word for word, with their
** values. A scripted database answers them. */
#include "posts.h"

#include "error.h"
#include "fake.h"
#include "store.h"

/* ---- what has run ---------------------------------------------------------------- */

static const tomb_model *article, *pair, *plain;

static void open_scripted(void) {
  static const char *const names[] = {"a", "b"};
  const tomb_field_def title[] = {
      {.name = "title", .type = TOMB_FIELD_TEXT},
      {.name = "price", .type = TOMB_FIELD_NUMBER, .nullable = true}};
  const tomb_field_def texts[] = {
      {.name = "a", .type = TOMB_FIELD_TEXT, .nullable = true},
      {.name = "b", .type = TOMB_FIELD_TEXT, .nullable = true,
       .collate = "NOCASE"}};
  const tomb_group_def group = {names, 2, TOMB_UNIQUE_MANGLE};
  const tomb_model_def articles = {.name = "Article", .fields = title,
                                   .n_fields = 2, .timestamps = true,
                                   .version = true};
  const tomb_model_def pairs = {.name = "Pair", .fields = texts,
                                .n_fields = 2, .groups = &group,
                                .n_groups = 1};
  const tomb_model_def plains = {.name = "Plain", .fields = texts,
                                 .n_fields = 1,
                                 .soft_delete = TOMB_SOFT_DELETE_OFF};
  MUST(tomb_open_fake(&db, NULL, NULL, &check_error));
  define_posts();
  MUST(tomb_define(&article, db, &articles, &check_error));
  MUST(tomb_define(&pair, db, &pairs, &check_error));
  MUST(tomb_define(&plain, db, &plains, &check_error));
}

static void append_value(char *out, size_t size, const tomb_value *value) {
  char shown[200];
  size_t used = strlen(out);
  tomb_show_value(shown, sizeof shown, value);
  snprintf(out + used, size - used, " %s", shown);
}

/* The i-th statement and its values: "SELECT ? | 1". */
static const char *ran(size_t i) {
  static char text[2048];
  size_t n = 0;
  const tomb_value *values = tomb_fake_values(db, i, &n);
  const char *sql = tomb_fake_sql(db, i);
  snprintf(text, sizeof text, "%s", sql == NULL ? "(nothing)" : sql);
  if (n > 0) strcat(text, " |");
  for (size_t v = 0; v < n; v++) append_value(text, sizeof text, &values[v]);
  return text;
}

static void check_ran(const char *const *wanted, size_t n, int line) {
  for (size_t i = 0; i < n; i++) {
    check_text(ran(i), wanted[i], __FILE__, line);
  }
  check_int((int64_t)tomb_fake_count(db), (int64_t)n, __FILE__, line);
  tomb_fake_forget(db);
}

#define RAN(...)                                                             \
  do {                                                                       \
    const char *const wanted[] = {__VA_ARGS__};                              \
    check_ran(wanted, sizeof wanted / sizeof wanted[0], __LINE__);           \
  } while (0)

static const char *select_of(tomb_query query) {
  static char text[2048];
  const char *sql;
  const tomb_value *values;
  size_t n;
  MUST(tomb_explain_sql(&sql, &values, &n, db, &query, &check_error));
  snprintf(text, sizeof text, "%s", sql);
  if (n > 0) strcat(text, " |");
  for (size_t v = 0; v < n; v++) append_value(text, sizeof text, &values[v]);
  return text;
}

/* What stands between WHERE and the order, which is the key's. */
static const char *where_of(tomb_query query) {
  static char text[2048];
  const char *sql = select_of(query), *begin = strstr(sql, " WHERE ");
  const char *end = strstr(sql, " ORDER BY \"id\"");
  if (begin == NULL || end == NULL) return "(none)";
  snprintf(text, sizeof text, "%.*s%s", (int)(end - begin) - 7, begin + 7,
           end + strlen(" ORDER BY \"id\""));
  return text;
}

/* The marks of the living are NULL, so that nobody asks for them. */
#define LIVING_POSTS                                                         \
  "\"id\", \"title\", \"code\", \"views\", \"note\" FROM \"posts\""
#define POSTS                                                                \
  "\"id\", \"title\", \"code\", \"views\", \"note\", \"deleted_at\", "         \
  "\"deleted_event\" FROM \"posts\""
#define RETURNING                                                            \
  " RETURNING \"id\", \"title\", \"code\", \"views\", \"note\", "              \
  "\"deleted_at\", \"deleted_event\""
#define LIVING "\"deleted_at\" IS NULL"
#define DEAD "\"deleted_at\" IS NOT NULL"

/* ---- SELECT ---------------------------------------------------------------------- */

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
  check_lookup("note__contains", tomb_text("A%"), "instr(\"note\", ?) > 0 "
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
  CHECK_TEXT(where_of(where(tomb_all_objects(pair), "a__original",
                            tomb_text("x"))),
             "CASE WHEN \"b\" IS NULL THEN tombstone_original(\"a\", "
             "\"deleted_at\") ELSE \"a\" END = ? | 'x'");
  CHECK_TEXT(where_of(where(tomb_all_objects(pair), "b__original",
                            tomb_text("x"))),
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
  CHECK_TEXT(where_of(in("views", values, 3)), "\"views\" IN (?, ?, ?) | 0 1 2");
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
  CHECK(strncmp(where_of(in("note", values, 17)), "\"note\" IN (?, ?", 15) == 0);
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

/* The next statement answers no row of so many columns. */
static void expect_columns(size_t n) {
  const tomb_fake_reply none = {.columns = n};
  MUST(tomb_fake_answer(db, &none));
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

/* ---- INSERT ---------------------------------------------------------------------- */

static void insert_says_what_is_given_and_what_is_default(void) {
  tomb_value row[FIELDS];
  empty_row(row);
  row[TITLE] = tomb_text("Hello");
  MUST(tomb_insert(db, post, row, 5, &check_error));
  RAN("INSERT INTO \"posts\" (\"title\", \"code\", \"views\", \"note\", "
      "\"deleted_at\", \"deleted_event\") VALUES (?, ?, ?, ?, ?, ?) | 'Hello' "
      "NULL 0 NULL NULL NULL");
  CHECK_INT(row[ID].as.integer, 1);
}

static void an_insert_is_stamped(void) {
  tomb_value row[8];
  memset(row, 0, sizeof row);
  row[1] = tomb_text("Hello");
  MUST(tomb_insert(db, article, row, 5, &check_error));
  RAN("INSERT INTO \"article\" (\"title\", \"price\", \"version\", "
      "\"created_at\", \"updated_at\", \"deleted_at\", \"deleted_event\") "
      "VALUES (?, ?, ?, ?, ?, ?, ?) | 'Hello' NULL 1 5 5 NULL NULL");
}

/* ---- UPDATE ---------------------------------------------------------------------- */

static void save_is_fenced_by_key_life_and_version(void) {
  tomb_value row[8];
  memset(row, 0, sizeof row);
  row[0] = tomb_integer(7);
  row[1] = tomb_text("Hello");
  row[3] = tomb_integer(2);
  MUST(tomb_save(db, article, row, 5, &check_error));
  RAN("UPDATE \"article\" SET \"title\" = ?, \"updated_at\" = ?, \"version\" = "
      "\"version\" + 1 WHERE " LIVING " AND \"id\" = ? AND \"version\" = ? "
      "| 'Hello' 5 7 2");
  CHECK_INT(row[3].as.integer, 3);
  CHECK_INT(row[5].as.integer, 5);
}

static void run_update(tomb_query query) {
  int64_t changed;
  tomb_assignment a = {tomb_model_field(post, VIEWS), tomb_integer(9), NULL};
  MUST(tomb_update(&changed, db, &query, &a, 1, 5, NULL, &check_error));
}

static void update_reaches_the_living(void) {
  run_update(where(tomb_objects(post), "views__lt", tomb_integer(3)));
  RAN("UPDATE \"posts\" SET \"views\" = ? WHERE " LIVING " AND \"views\" < ? "
      "| 9 3");
}

static void a_sliced_write_names_its_keys_by_a_query(void) {
  tomb_order order = {tomb_model_field(post, VIEWS), true};
  tomb_query query = where(tomb_objects(post), "views__lt", tomb_integer(3));
  query.order = &order;
  query.n_order = 1;
  query.limit = 2;
  query.offset = 1;
  run_update(query);
  RAN("UPDATE \"posts\" SET \"views\" = ? WHERE " LIVING " AND \"id\" IN "
      "(SELECT \"id\" FROM \"posts\" WHERE " LIVING " AND \"views\" < ? ORDER "
      "BY \"views\" DESC, \"id\" DESC LIMIT ? OFFSET ?) | 9 3 2 1");
}

static void a_write_that_answers_rows_is_a_transaction(void) {
  int64_t changed;
  tomb_assignment a = {tomb_model_field(post, VIEWS), tomb_integer(9), NULL};
  tomb_query query = of_key(tomb_objects(post), 7);
  tomb_rows *rows = tomb_rows_new(db);
  MUST(tomb_update(&changed, db, &query, &a, 1, 5, rows, &check_error));
  RAN("BEGIN IMMEDIATE",
      "UPDATE \"posts\" SET \"views\" = ? WHERE " LIVING " AND \"id\" = ?"
      RETURNING " | 9 7",
      "COMMIT");
  tomb_rows_free(rows);
}

/* ---- delete ---------------------------------------------------------------------- */

/* The script answers no id, so that they count from 1. */
#define NEXT_EVENT \
  "SELECT 1 + max(coalesce((SELECT max(id) FROM tombstone_event), 0), " \
  "coalesce((SELECT seq FROM sqlite_sequence WHERE name = " \
  "'tombstone_event'), 0))"

static void delete_is_an_update_and_an_event(void) {
  tomb_deleted out;
  tomb_value pk = tomb_integer(7);
  tomb_deletion how = {.now = 1500000, .actor = "ana", .pk = &pk};
  tomb_query query = of_key(tomb_objects(post), 7);
  MUST(tomb_delete(&out, db, &query, &how, &check_error));
  RAN("BEGIN IMMEDIATE", NEXT_EVENT,
      "UPDATE \"posts\" SET \"title\" = \"title\" || ?, \"deleted_at\" = ?, "
      "\"deleted_event\" = ? WHERE " LIVING " AND \"id\" = ? "
      "| '__deleted_1.500000' 1500000 1 7",
      "INSERT INTO \"tombstone_event\" (\"id\", \"at\", \"model\", \"pk\", "
      "\"actor\", \"reason\", \"undone_at\") VALUES (?, ?, ?, ?, ?, ?, ?) "
      "| 1 1500000 'Post' '7' 'ana' NULL NULL",
      "COMMIT");
  CHECK_INT(out.event, 1);
}

static void a_delete_that_takes_nothing_leaves_no_event(void) {
  const tomb_fake_reply no_id = {.changes = 0};
  const tomb_fake_reply none = {.changes = 0};
  tomb_deleted out;
  tomb_deletion how = {.now = 2500000};
  tomb_query query = tomb_all_objects(post);
  MUST(tomb_fake_answer(db, &no_id));
  MUST(tomb_fake_answer(db, &none));
  MUST(tomb_delete(&out, db, &query, &how, &check_error));
  RAN("BEGIN IMMEDIATE", NEXT_EVENT,
      "UPDATE \"posts\" SET \"title\" = \"title\" || ?, \"deleted_at\" = ?, "
      "\"deleted_event\" = ? WHERE " LIVING
      " | '__deleted_2.500000' 2500000 2",
      "COMMIT");
  CHECK_INT(out.event, 0);
}

static void inside_a_transaction_a_delete_asks_for_ids_once(void) {
  tomb_deleted out;
  tomb_deletion how = {.now = 2600000};
  tomb_query query = tomb_all_objects(post);
  MUST(tomb_begin(db, &check_error));
  MUST(tomb_delete(&out, db, &query, &how, &check_error));
  tomb_fake_forget(db);
  how.now = 2700000;
  MUST(tomb_delete(&out, db, &query, &how, &check_error));
  RAN("UPDATE \"posts\" SET \"title\" = \"title\" || ?, \"deleted_at\" = ?, "
      "\"deleted_event\" = ? WHERE " LIVING
      " | '__deleted_2.700000' 2700000 4",
      "INSERT INTO \"tombstone_event\" (\"id\", \"at\", \"model\", \"pk\", "
      "\"actor\", \"reason\", \"undone_at\") VALUES (?, ?, ?, ?, ?, ?, ?) "
      "| 4 2700000 'Post' NULL NULL NULL NULL");
  MUST(tomb_commit(db, &check_error));
  tomb_fake_forget(db);
}

static void a_composite_mangles_its_last_text(void) {
  tomb_deleted out;
  tomb_deletion how = {.now = 3500000};
  tomb_query query = tomb_objects(pair);
  MUST(tomb_delete(&out, db, &query, &how, &check_error));
  CHECK_TEXT(ran(2),
             "UPDATE \"pair\" SET \"a\" = CASE WHEN \"b\" IS NULL THEN \"a\" "
             "|| ? ELSE \"a\" END, \"b\" = \"b\" || ?, \"deleted_at\" = ?, "
             "\"deleted_event\" = ? WHERE " LIVING " | '__deleted_3.500000' "
             "'__deleted_3.500000' 3500000 5");
  tomb_fake_forget(db);
}

/* ---- restore --------------------------------------------------------------------- */

static void restore_is_one_update(void) {
  int64_t restored;
  MUST(try_restore(&restored, of_key(tomb_deleted_objects(post), 7),
                   TOMB_CONFLICT_FAIL));
  RAN("UPDATE \"posts\" SET \"title\" = tombstone_original(\"title\", "
      "\"deleted_at\"), \"deleted_at\" = NULL, \"deleted_event\" = NULL WHERE "
      DEAD " AND \"id\" = ? | 7");
}

static void a_sliced_restore_takes_its_keys_from_its_scope(void) {
  int64_t restored;
  tomb_query query = tomb_all_objects(post);
  query.limit = 2;
  MUST(try_restore(&restored, query, TOMB_CONFLICT_FAIL));
  RAN("UPDATE \"posts\" SET \"title\" = tombstone_original(\"title\", "
      "\"deleted_at\"), \"deleted_at\" = NULL, \"deleted_event\" = NULL WHERE "
      DEAD " AND \"id\" IN (SELECT \"id\" FROM \"posts\" ORDER BY \"id\" LIMIT "
      "?) | 2");
}

static void conflicts_are_asked_for_group_by_group(void) {
  tomb_value ids[] = {tomb_integer(7), tomb_integer(9)};
  const tomb_fake_reply keys = {.columns = 1, .rows = 2, .values = ids};
  tomb_query query = tomb_deleted_objects(post);
  tomb_rows *rows = tomb_rows_new(db);
  MUST(tomb_fake_answer(db, &keys));
  MUST(tomb_restore_conflicts(rows, db, &query, &check_error));
  RAN("SELECT \"id\" FROM \"posts\" WHERE " DEAD " ORDER BY \"id\"",
      "WITH d AS (SELECT tombstone_pos AS pos, \"id\" AS pk, "
      "tombstone_original(\"title\", \"deleted_at\") AS v0 FROM (SELECT key AS "
      "tombstone_pos, value AS tombstone_pk FROM json_each(?)) AS k JOIN "
      "\"posts\" ON \"id\" = tombstone_pk WHERE " DEAD ") SELECT d.pos, d.pk, "
      "l.\"id\", 1, d.v0 FROM d JOIN \"posts\" AS l ON l.\"title\" = d.v0 AND "
      "l.\"deleted_at\" IS NULL UNION ALL SELECT d.pos, d.pk, e.pk, 0, d.v0 "
      "FROM d JOIN (SELECT min(pos) AS pos, pk, v0 FROM d GROUP BY v0) AS e ON "
      "e.pos < d.pos AND e.v0 = d.v0 ORDER BY 1 | '[7,9]'",
      "WITH d AS (SELECT tombstone_pos AS pos, \"id\" AS pk, \"code\" AS v0 "
      "FROM (SELECT key AS tombstone_pos, value AS tombstone_pk FROM "
      "json_each(?)) AS k JOIN \"posts\" ON \"id\" = tombstone_pk WHERE " DEAD
      ") SELECT d.pos, d.pk, l.\"id\", 1, d.v0 FROM d JOIN \"posts\" AS l ON "
      "l.\"code\" = d.v0 AND l.\"deleted_at\" IS NULL UNION ALL SELECT d.pos, "
      "d.pk, e.pk, 0, d.v0 FROM d JOIN (SELECT min(pos) AS pos, pk, v0 FROM d "
      "GROUP BY v0) AS e ON e.pos < d.pos AND e.v0 = d.v0 ORDER BY 1 "
      "| '[7,9]'");
  CHECK_INT(tomb_rows_count(rows), 0);
  tomb_rows_free(rows);
}

static void undo_stamps_the_event_and_restores_each_model(void) {
  int64_t restored;
  tomb_restoration how = {.now = 5};
  MUST(tomb_undo(&restored, db, 7, &how, &check_error));
  CHECK_INT(restored, 3);
  CHECK_TEXT(ran(1), "UPDATE \"tombstone_event\" SET \"undone_at\" = ? WHERE "
                     "\"id\" = ? | 5 7");
  CHECK_TEXT(ran(2),
             "UPDATE \"posts\" SET \"title\" = tombstone_original(\"title\", "
             "\"deleted_at\"), \"deleted_at\" = NULL, \"deleted_event\" = NULL "
             "WHERE " DEAD " AND \"deleted_event\" = ? | 7");
  CHECK_INT(tomb_fake_count(db), 6);
  tomb_fake_forget(db);
}

/* ---- upsert ---------------------------------------------------------------------- */

static tomb_status upsert_by(size_t field, size_t n_update) {
  const tomb_field *on[] = {tomb_model_field(post, field)};
  tomb_value id = tomb_integer(7);
  const tomb_fake_reply row = {.columns = 1, .rows = 1, .values = &id};
  tomb_value values[FIELDS];
  tomb_assignment a = {tomb_model_field(post, VIEWS), tomb_integer(9), NULL};
  tomb_upsert upsert = {.on = on, .n_on = 1, .update = &a,
                        .n_update = n_update};
  tomb_rows *rows = tomb_rows_new(db);
  empty_row(values);
  values[TITLE] = tomb_text("Hello");
  values[CODE] = tomb_integer(3);
  if (field == ID) values[ID] = id;
  MUST(tomb_fake_answer(db, &row));
  tomb_status st = tomb_upsert_row(db, post, values, &upsert, 5, rows,
                                   &check_error);
  tomb_rows_free(rows);
  return st;
}

#define INSERT_POST                                                          \
  "INSERT INTO \"posts\" (\"title\", \"code\", \"views\", \"note\", "          \
  "\"deleted_at\", \"deleted_event\") VALUES (?, ?, ?, ?, ?, ?)"

static void upsert_repeats_the_predicate_of_its_index(void) {
  CHECK_STATUS(upsert_by(TITLE, 1), TOMB_OK);
  CHECK_TEXT(ran(1), INSERT_POST
             " ON CONFLICT (\"title\") DO UPDATE SET \"views\" = ? WHERE "
             "\"posts\"." LIVING RETURNING " | 'Hello' 3 0 NULL NULL NULL 9");
  tomb_fake_forget(db);
  CHECK_STATUS(upsert_by(CODE, 1), TOMB_OK);
  CHECK_TEXT(ran(1), INSERT_POST
             " ON CONFLICT (\"code\") WHERE " LIVING " DO UPDATE SET \"views\" "
             "= ? WHERE \"posts\"." LIVING RETURNING
             " | 'Hello' 3 0 NULL NULL NULL 9");
  tomb_fake_forget(db);
  CHECK_STATUS(upsert_by(ID, 1), TOMB_OK);
  CHECK(strstr(ran(1), " ON CONFLICT (\"id\") DO UPDATE SET ") != NULL);
  tomb_fake_forget(db);
  CHECK_STATUS(upsert_by(VIEWS, 1), TOMB_MISUSE);
  CHECK_INT(tomb_fake_count(db), 0);
}

static void upsert_without_an_update_keeps_the_row(void) {
  CHECK_STATUS(upsert_by(CODE, 0), TOMB_OK);
  CHECK_TEXT(ran(1), INSERT_POST
             " ON CONFLICT (\"code\") WHERE " LIVING " DO UPDATE SET \"code\" "
             "= \"posts\".\"code\" WHERE \"posts\"." LIVING RETURNING
             " | 'Hello' 3 0 NULL NULL NULL");
  tomb_fake_forget(db);
}

/* ---- purge ----------------------------------------------------------------------- */

static void purge_is_fenced_by_death(void) {
  int64_t purged;
  tomb_deletion how = {.now = 5};
  tomb_query query = of_key(tomb_deleted_objects(post), 7);
  MUST(tomb_purge(&purged, db, &query, false, &how, &check_error));
  RAN("DELETE FROM \"posts\" WHERE " DEAD " AND \"id\" = ? | 7");
  query = tomb_objects(plain);
  MUST(tomb_purge(&purged, db, &query, true, &how, &check_error));
  RAN("DELETE FROM \"plain\"");
  query = tomb_deleted_objects(plain);
  MUST(tomb_purge(&purged, db, &query, true, &how, &check_error));
  RAN("DELETE FROM \"plain\" WHERE 1 = 0");
}

/* ---- sizes: a statement does not grow with the rows ---------------------------------- */

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
  RUN(insert_says_what_is_given_and_what_is_default);
  RUN(an_insert_is_stamped);
  RUN(save_is_fenced_by_key_life_and_version);
  RUN(update_reaches_the_living);
  RUN(a_sliced_write_names_its_keys_by_a_query);
  RUN(a_write_that_answers_rows_is_a_transaction);
  RUN(delete_is_an_update_and_an_event);
  RUN(a_delete_that_takes_nothing_leaves_no_event);
  RUN(inside_a_transaction_a_delete_asks_for_ids_once);
  RUN(a_composite_mangles_its_last_text);
  RUN(restore_is_one_update);
  RUN(a_sliced_restore_takes_its_keys_from_its_scope);
  RUN(conflicts_are_asked_for_group_by_group);
  RUN(undo_stamps_the_event_and_restores_each_model);
  RUN(upsert_repeats_the_predicate_of_its_index);
  RUN(upsert_without_an_update_keeps_the_row);
  RUN(purge_is_fenced_by_death);
  RUN(long_lists_have_one_shape);
  close_db();
  return check_done();
}
