/* test_model.c - what is a model and what is refused, and the strategies that
** are settled. */
#include "models.h"

static void check_refused(const tomb_model_def *def, const char *message,
                          int line) {
  const tomb_model *model;
  tomb_status st = tomb_define(&model, db, def, &check_error);
  check_that(st == TOMB_MISUSE, __FILE__, line, "refused: %s", message);
  check_text(check_error.message, message, __FILE__, line);
  check_that(model == NULL, __FILE__, line, "no model");
}

#define REFUSED(def, message) check_refused(def, message, __LINE__)

/* ---- names -------------------------------------------------------- */

static void refuse_field(const char *name, const char *message) {
  const tomb_field_def fields[] = {{.name = name, .type = TOMB_FIELD_TEXT}};
  const tomb_model_def def = MODEL(fields);
  REFUSED(&def, message);
}

static void names_are_words(void) {
  open_empty();
  refuse_field("", "Post: a field cannot be called ''");
  refuse_field(NULL, "Post: a field cannot be called ''");
  refuse_field("a__b", "Post: a field cannot be called 'a__b'");
  refuse_field("_a", "Post: a field cannot be called '_a'");
  refuse_field("a_", "Post: a field cannot be called 'a_'");
  refuse_field("1a", "Post: a field cannot be called '1a'");
  refuse_field("a b", "Post: a field cannot be called 'a b'");
  refuse_field("deleted_at",
               "Post.deleted_at is a field that the model's options make");
  const tomb_model_def nameless = {.name = NULL};
  REFUSED(&nameless, "a model: a model cannot be called ''");
  close_db();
}

static void tables_and_columns_hold_no_dot_or_comma(void) {
  const tomb_field_def fields[] = {TEXT("a", .column = "a.b")};
  const tomb_field_def fine[] = {TEXT("a", .column = "we\"ird ' name")};
  open_empty();
  const tomb_model_def column = MODEL(fields);
  REFUSED(&column, "Post: a column cannot be called 'a.b'");
  const tomb_model_def table = {.name = "Post", .table = "a,b"};
  REFUSED(&table, "Post: a table cannot be called 'a,b'");
  const tomb_model_def weird = {
      .name = "Post", .table = "my \"posts\"", .fields = fine, .n_fields = 1};
  define(&weird);
  MUST(tomb_create_tables(db, &check_error));
  MUST(tomb_create_tables(db, &check_error));
  close_db();
}

static void a_name_is_declared_once(void) {
  const tomb_field_def twice[] = {TEXT("a"), TEXT("a")};
  const tomb_field_def columns[] = {TEXT("a", .column = "x"),
                                    TEXT("b", .column = "X")};
  const tomb_field_def marks[] = {TEXT("a", .column = "deleted_at")};
  const tomb_field_def key[] = {TEXT("a", .column = "id")};
  const tomb_field_def keys[] = {INTEGER("a", .primary_key = true),
                                 INTEGER("b", .primary_key = true)};
  const tomb_field_def one[] = {TEXT("gone")};
  open_empty();
  const tomb_model_def by_name = MODEL(twice);
  REFUSED(&by_name, "Post.a is declared twice");
  const tomb_model_def by_column = MODEL(columns);
  REFUSED(&by_column, "Post.b is declared twice");
  const tomb_model_def by_mark = MODEL(marks);
  REFUSED(&by_mark, "Post: two fields have the column 'deleted_at'");
  const tomb_model_def by_key = MODEL(key);
  REFUSED(&by_key, "Post: two fields have the column 'id'");
  const tomb_model_def by_keys = MODEL(keys);
  REFUSED(&by_keys, "Post.b is a second primary key");
  const tomb_model_def renamed = {
      .name = "Post", .fields = one, .n_fields = 1, .deleted_at = "Gone"};
  REFUSED(&renamed, "Post: two fields have the column 'Gone'");
  const tomb_model_def marked = {
      .name = "Post", .deleted_at = "x", .deleted_event = "x"};
  REFUSED(&marked, "Post: two fields have the column 'x'");
  const tomb_model_def fine = {.name = "Post"};
  define(&fine);
  REFUSED(&fine, "There is a model 'Post' already");
  const tomb_model_def reserved = {.name = "TombstoneEvent"};
  REFUSED(&reserved, "There is a model 'TombstoneEvent' already");
  close_db();
}

/* ---- fields ------------------------------------------------------- */

static void what_contradicts_itself_is_refused(void) {
  static const struct {
    tomb_field_def field;
    const char *message;
  } wrong[] = {
      {{.name = "a", .type = TOMB_FIELD_CHAR},
       "Post.a is a char without max_length"},
      {{.name = "a", .type = TOMB_FIELD_INTEGER, .max_length = 3},
       "Post.a has max_length but is no text"},
      {{.name = "a", .type = TOMB_FIELD_NUMBER, .primary_key = true},
       "Post.a cannot be the primary key"},
      {{.name = "a",
        .type = TOMB_FIELD_TEXT,
        .primary_key = true,
        .nullable = true},
       "Post.a is the primary key, which is unique and not null"},
      {{.name = "a", .type = TOMB_FIELD_INTEGER, .unique = TOMB_UNIQUE_MANGLE},
       "Post.a is no text and cannot be mangled"},
      {{.name = "a", .type = TOMB_FIELD_JSON, .unique = TOMB_UNIQUE_MANGLE},
       "Post.a is no text and cannot be mangled"},
      {{.name = "a", .type = TOMB_FIELD_TEXT, .collate = "NO CASE"},
       "Post: a collation cannot be called 'NO CASE'"},
      {{.name = "a",
        .type = TOMB_FIELD_BOOLEAN,
        .default_value = {TOMB_INTEGER, {1}}},
       "Post.a has a default of the wrong type"},
  };
  open_empty();
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    const tomb_model_def def = {
        .name = "Post", .fields = &wrong[i].field, .n_fields = 1};
    REFUSED(&def, wrong[i].message);
    CHECK(check_error.hint[0] != '\0');
  }
  close_db();
}

static void check_group(const char *const *names, size_t n, tomb_unique unique,
                        const char *message) {
  const tomb_field_def fields[] = {TEXT("slug", .primary_key = true), TEXT("a"),
                                   INTEGER("n")};
  const tomb_group_def group = {
      .fields = names, .n_fields = n, .unique = unique};
  const tomb_model_def def = {.name = "Post",
                              .fields = fields,
                              .n_fields = 3,
                              .groups = &group,
                              .n_groups = 1};
  REFUSED(&def, message);
}

static void groups_name_fields_and_mangle_texts(void) {
  static const char *const none[] = {"a"};
  static const char *const unknown[] = {"a", "b"};
  static const char *const numbers[] = {"n"};
  static const char *const key[] = {"slug", "n"};
  static const char *const many[] = {"a", "n", "a", "n", "a", "n",
                                     "a", "n", "a", "n", "a", "n",
                                     "a", "n", "a", "n", "a"};
  open_empty();
  check_group(none, 0, TOMB_UNIQUE, "Post has an index of no fields");
  check_group(unknown, 2, TOMB_UNIQUE, "Post has no field 'b' to index");
  check_group(numbers, 1, TOMB_UNIQUE_MANGLE,
              "Post: unique fields without a text cannot be mangled");
  check_group(key, 2, TOMB_UNIQUE_MANGLE,
              "Post: unique fields without a text cannot be mangled");
  check_group(many, 17, TOMB_UNIQUE, "Post has an index of 17 fields");
  close_db();
}

static void an_order_names_fields(void) {
  static const char *const order[] = {"-nothing"};
  open_empty();
  const tomb_model_def def = {
      .name = "Post", .order_by = order, .n_order_by = 1};
  REFUSED(&def, "Post has no field '-nothing' to order by");
  close_db();
}

/* ---- what is settled ---------------------------------------------- */

static tomb_unique settled(tomb_field_type type, tomb_unique wanted,
                           tomb_unique strategy, tomb_soft_delete soft) {
  const tomb_field_def field = {.name = "a", .type = type, .unique = wanted};
  const tomb_model_def def = {.name = "Post",
                              .fields = &field,
                              .n_fields = 1,
                              .strategy = strategy,
                              .soft_delete = soft};
  open_empty();
  tomb_unique unique = tomb_model_find(define(&def), "a", 1)->unique;
  close_db();
  return unique;
}

static void strategies_are_settled_by_type(void) {
  const tomb_soft_delete on = TOMB_SOFT_DELETE_EVENTS;
  const tomb_soft_delete off = TOMB_SOFT_DELETE_OFF;
  const tomb_field_type text = TOMB_FIELD_TEXT, integer = TOMB_FIELD_INTEGER;
  CHECK_INT(settled(text, TOMB_UNIQUE, 0, on), TOMB_UNIQUE_MANGLE);
  CHECK_INT(settled(integer, TOMB_UNIQUE, 0, on), TOMB_UNIQUE_LIVE);
  CHECK_INT(settled(TOMB_FIELD_JSON, TOMB_UNIQUE, 0, on), TOMB_UNIQUE_LIVE);
  CHECK_INT(settled(text, TOMB_UNIQUE, TOMB_UNIQUE_LIVE, on), TOMB_UNIQUE_LIVE);
  CHECK_INT(settled(integer, TOMB_UNIQUE, TOMB_UNIQUE_MANGLE, on),
            TOMB_UNIQUE_LIVE);
  CHECK_INT(settled(text, TOMB_UNIQUE_LIVE, TOMB_UNIQUE_MANGLE, on),
            TOMB_UNIQUE_LIVE);
  CHECK_INT(settled(text, TOMB_UNIQUE_ALWAYS, 0, on), TOMB_UNIQUE_ALWAYS);
  CHECK_INT(settled(text, TOMB_UNIQUE, 0, off), TOMB_UNIQUE_ALWAYS);
  CHECK_INT(settled(text, TOMB_NOT_UNIQUE, TOMB_UNIQUE_LIVE, on),
            TOMB_NOT_UNIQUE);
}

static void the_engines_fields_come_last(void) {
  const tomb_field_def fields[] = {TEXT("a")};
  static const char *const names[] = {
      "id",         "a",          "version",      "created_at",
      "updated_at", "deleted_at", "deleted_event"};
  open_empty();
  const tomb_model_def def = {.name = "BlogPost",
                              .fields = fields,
                              .n_fields = 1,
                              .timestamps = true,
                              .version = true,
                              .deleted_at = "removed"};
  const tomb_model *model = define(&def);
  CHECK_INT(tomb_model_fields(model), 7);
  for (size_t i = 0; i < 7; i++) {
    CHECK_TEXT(tomb_model_field(model, i)->name, names[i]);
    CHECK_INT(tomb_model_field(model, i)->index, i);
  }
  CHECK_TEXT(tomb_model_role(model, TOMB_ROLE_DELETED_AT)->column, "removed");
  CHECK(tomb_model_find(model, "titl", 4) == NULL);
  CHECK(tomb_model_named(db, "BlogPost") == model);
  CHECK(tomb_model_at(db, 3) == NULL);
  close_db();
}

static void a_model_is_a_copy_of_its_definition(void) {
  char name[] = "title", check[] = "length(title) > 0";
  tomb_field_def field = {
      .name = name, .type = TOMB_FIELD_TEXT, .check = check};
  open_empty();
  const tomb_model_def def = {.name = "Post", .fields = &field, .n_fields = 1};
  const tomb_model *model = define(&def);
  memset(name, 'x', 5);
  memset(check, 'x', 5);
  CHECK_TEXT(tomb_model_field(model, 1)->name, "title");
  CHECK_TEXT(tomb_model_field(model, 1)->check, "length(title) > 0");
  close_db();
}

/* ---- ways, orders, collations ------------------------------------- */

static void ways_are_found_or_the_nearest_is_named(void) {
  const tomb_field_def author_fields[] = {TEXT("name")};
  const tomb_field_def post_fields[] = {{.name = "author_id",
                                         .references = "Author",
                                         .on_delete = TOMB_CASCADE,
                                         .relation_name = "author",
                                         .related_name = "posts"}};
  const tomb_model_def author_def = {
      .name = "Author", .fields = author_fields, .n_fields = 1};
  const tomb_model_def post_def = {
      .name = "Post", .fields = post_fields, .n_fields = 1};
  const tomb_way *way;
  open_empty();
  const tomb_model *author = define(&author_def), *child = define(&post_def);
  MUST(tomb_need_way(&way, child, "author", 6, &check_error));
  CHECK(way->kind == TOMB_TO_PARENT && tomb_way_model(way) == author);
  MUST(tomb_need_way(&way, author, "posts, and more", 5, &check_error));
  CHECK(way->kind == TOMB_TO_CHILDREN && tomb_way_model(way) == child);
  CHECK(tomb_need_way(&way, author, "post", 4, &check_error) == TOMB_MISUSE);
  CHECK(way == NULL);
  CHECK_TEXT(check_error.message, "Author has no relation 'post'");
  CHECK_TEXT(check_error.hint, "did you mean 'posts'?");
  CHECK(tomb_need_way(&way, author, "name", 4, NULL) == TOMB_MISUSE);
  close_db();
}

static void an_order_is_told_term_by_term(void) {
  static const char *const by[] = {"-b", "a"};
  const tomb_field_def fields[] = {TEXT("a"), TEXT("b")};
  open_empty();
  const tomb_model_def def = {.name = "Post",
                              .fields = fields,
                              .n_fields = 2,
                              .order_by = by,
                              .n_order_by = 2};
  const tomb_model *model = define(&def);
  CHECK_TEXT(tomb_model_order(model, 0)->field->name, "b");
  CHECK(tomb_model_order(model, 0)->descending);
  CHECK_TEXT(tomb_model_order(model, 1)->field->name, "a");
  CHECK(!tomb_model_order(model, 1)->descending);
  CHECK(tomb_model_order(model, 2) == NULL);
  close_db();
}

static void check_fold(const char *collate, const char *folded, int line) {
  tomb_field field;
  char text[] = "Ab\303\204 Z  ";
  memset(&field, 0, sizeof field);
  field.collate = collate;
  size_t size = tomb_fold_text(&field, text, strlen(text));
  check_that(size == strlen(folded) && memcmp(text, folded, size) == 0,
             __FILE__, line, "folds to '%s'", folded);
}

static void texts_fold_as_their_collation_compares(void) {
  tomb_field field;
  check_fold(NULL, "Ab\303\204 Z  ", __LINE__);
  check_fold("BINARY", "Ab\303\204 Z  ", __LINE__);
  check_fold("NOCASE", "ab\303\204 z  ", __LINE__);
  check_fold("RTRIM", "Ab\303\204 Z", __LINE__);
  memset(&field, 0, sizeof field);
  field.collate = "RTRIM";
  char blank[] = "   ";
  CHECK(tomb_fold_text(&field, blank, 3) == 0);
}

int main(void) {
  RUN(names_are_words);
  RUN(tables_and_columns_hold_no_dot_or_comma);
  RUN(a_name_is_declared_once);
  RUN(what_contradicts_itself_is_refused);
  RUN(groups_name_fields_and_mangle_texts);
  RUN(an_order_names_fields);
  RUN(strategies_are_settled_by_type);
  RUN(the_engines_fields_come_last);
  RUN(a_model_is_a_copy_of_its_definition);
  RUN(ways_are_found_or_the_nearest_is_named);
  RUN(an_order_is_told_term_by_term);
  RUN(texts_fold_as_their_collation_compares);
  return check_done();
}
