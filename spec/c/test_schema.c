/* test_schema.c - the tables and indexes that are made, and the tables that
** differ from their models. */
#include "models.h"

/* ---- tables ------------------------------------------------------- */

static const char *sql_of(const char *name) {
  char sql[200];
  snprintf(sql, sizeof sql, "SELECT sql FROM sqlite_master WHERE name = '%s'",
           name);
  return ask(sql);
}

static void a_table_has_its_columns_and_indexes(void) {
  open_posts();
  CHECK_TEXT(sql_of("posts"),
             "CREATE TABLE \"posts\" (\"id\" integer NOT NULL PRIMARY KEY "
             "AUTOINCREMENT, \"title\" varchar(30) NOT NULL, \"code\" integer, "
             "\"views\" integer NOT NULL, \"note\" text, \"deleted_at\" "
             "datetime, \"deleted_event\" integer)");
  CHECK_TEXT(sql_of("posts__title__key"),
             "CREATE UNIQUE INDEX \"posts__title__key\" ON \"posts\" "
             "(\"title\")");
  CHECK_TEXT(sql_of("posts__code__live"),
             "CREATE UNIQUE INDEX \"posts__code__live\" ON \"posts\" "
             "(\"code\") WHERE \"deleted_at\" IS NULL");
  CHECK_TEXT(sql_of("posts__views"),
             "CREATE INDEX \"posts__views\" ON \"posts\" (\"views\") WHERE "
             "\"deleted_at\" IS NULL");
  CHECK_TEXT(sql_of("posts__living"),
             "CREATE INDEX \"posts__living\" ON \"posts\" (\"id\", "
             "\"deleted_at\") WHERE \"deleted_at\" IS NULL");
  CHECK_TEXT(sql_of("posts__event"),
             "CREATE INDEX \"posts__event\" ON \"posts\" (\"deleted_event\") "
             "WHERE \"deleted_event\" IS NOT NULL");
  CHECK_TEXT(ask("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND "
                 "tbl_name = 'posts'"),
             "5");
  close_db();
}

static void checks_and_collations_are_in_the_table(void) {
  const tomb_field_def fields[] = {
      TEXT("name", .collate = "NOCASE", .check = "length(name) > 0")};
  open_empty();
  const tomb_model_def def = {.name = "Tag",
                              .fields = fields,
                              .n_fields = 1,
                              .soft_delete = TOMB_SOFT_DELETE_STAMP};
  define(&def);
  MUST(tomb_create_tables(db, &check_error));
  CHECK_TEXT(sql_of("tag"),
             "CREATE TABLE \"tag\" (\"id\" integer NOT NULL PRIMARY KEY "
             "AUTOINCREMENT, \"name\" text NOT NULL COLLATE \"NOCASE\" "
             "CONSTRAINT \"name\" CHECK (\"deleted_at\" IS NOT NULL OR "
             "(length(name) > 0)), \"deleted_at\" datetime)");
  close_db();
}

static const char *table_of(const char *name) {
  static char sql[200];
  const tomb_model_def def = {.name = name};
  open_empty();
  define(&def);
  MUST(tomb_create_tables(db, &check_error));
  snprintf(sql, sizeof sql, "%s",
           ask("SELECT name FROM sqlite_master WHERE type = 'table' AND name "
               "NOT LIKE '%tombstone%' AND name <> 'sqlite_sequence'"));
  close_db();
  return sql;
}

static void tables_are_called_in_snake_case(void) {
  CHECK_TEXT(table_of("Post"), "post");
  CHECK_TEXT(table_of("BlogPost"), "blog_post");
  CHECK_TEXT(table_of("HTTPServer"), "httpserver");
  CHECK_TEXT(table_of("Post2Tag"), "post2_tag");
  CHECK_TEXT(table_of("Blog_Post"), "blog_post");
}

/* A name of 63 bytes becomes a longer one. */
static void a_long_name_makes_a_longer_table(void) {
  char name[64], wanted[128];
  size_t n = 0;
  for (size_t i = 0; i < 63; i++) {
    bool upper = i % 2 == 0;
    name[i] = upper ? 'A' : 'b';
    if (upper && i > 0) wanted[n++] = '_';
    wanted[n++] = upper ? 'a' : 'b';
  }
  name[63] = wanted[n] = '\0';
  CHECK_TEXT(table_of(name), wanted);
}

/* "posts__event" is the index of the dead already. */
static void indexes_of_one_name_are_both_made(void) {
  static const char *const pair[] = {"a", "b"};
  const tomb_field_def fields[] = {
      INTEGER("event", .index = true), INTEGER("living", .index = true),
      TEXT("a"), TEXT("b"), TEXT("ab", .column = "a__b", .index = true)};
  const tomb_group_def group = {.fields = pair, .n_fields = 2};
  open_empty();
  const tomb_model_def def = {.name = "Visit",
                              .fields = fields,
                              .n_fields = 5,
                              .groups = &group,
                              .n_groups = 1};
  define(&def);
  MUST(tomb_create_tables(db, &check_error));
  MUST(tomb_create_tables(db, &check_error));
  CHECK_TEXT(ask("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND "
                 "tbl_name = 'visit'"),
             "6");
  CHECK_TEXT(sql_of("visit__event"),
             "CREATE INDEX \"visit__event\" ON \"visit\" (\"deleted_event\") "
             "WHERE \"deleted_event\" IS NOT NULL");
  close_db();
}

/* ---- counters ------------------------------------------------------ */

static void define_shelf(void) {
  const tomb_field_def fields[] = {INTEGER("size", .counts = "books")};
  const tomb_model_def def = {.name = "Shelf", .fields = fields, .n_fields = 1};
  define(&def);
}

static void define_book(tomb_soft_delete soft) {
  const tomb_field_def fields[] = {INTEGER("shelf_id", .references = "Shelf",
                                           .on_delete = TOMB_RESTRICT,
                                           .related_name = "books")};
  const tomb_model_def def = {
      .name = "Book", .fields = fields, .n_fields = 1, .soft_delete = soft};
  define(&def);
}

static void a_counter_has_a_column_and_triggers(void) {
  open_empty();
  define_shelf();
  define_book(TOMB_SOFT_DELETE_EVENTS);
  MUST(tomb_create_tables(db, &check_error));
  CHECK_TEXT(sql_of("shelf"),
             "CREATE TABLE \"shelf\" (\"id\" integer NOT NULL PRIMARY KEY "
             "AUTOINCREMENT, \"size\" integer NOT NULL DEFAULT 0, "
             "\"deleted_at\" datetime, \"deleted_event\" integer)");
  CHECK_TEXT(sql_of("tombstone_shelf.size.born"),
             "CREATE TRIGGER \"tombstone_shelf.size.born\" AFTER INSERT ON "
             "\"book\" BEGIN UPDATE \"shelf\" SET \"size\" = \"size\" + 1 "
             "WHERE \"id\" = NEW.\"shelf_id\" AND NEW.\"deleted_at\" IS "
             "NULL; END");
  CHECK_TEXT(sql_of("tombstone_shelf.size.gone"),
             "CREATE TRIGGER \"tombstone_shelf.size.gone\" AFTER DELETE ON "
             "\"book\" BEGIN UPDATE \"shelf\" SET \"size\" = \"size\" - 1 "
             "WHERE \"id\" = OLD.\"shelf_id\" AND OLD.\"deleted_at\" IS "
             "NULL; END");
  CHECK(strstr(sql_of("tombstone_shelf.size.moved"),
               "AFTER UPDATE OF \"shelf_id\", \"deleted_at\" ON \"book\" WHEN "
               "OLD.\"shelf_id\" IS NOT NEW.\"shelf_id\" OR "
               "(OLD.\"deleted_at\" IS NULL) <> (NEW.\"deleted_at\" IS NULL) "
               "BEGIN") != NULL);
  close_db();
}

static void a_counter_counts_all_rows_of_what_is_not_soft(void) {
  open_empty();
  define_shelf();
  define_book(TOMB_SOFT_DELETE_OFF);
  MUST(tomb_create_tables(db, &check_error));
  CHECK_TEXT(sql_of("tombstone_shelf.size.moved"),
             "CREATE TRIGGER \"tombstone_shelf.size.moved\" AFTER UPDATE OF "
             "\"shelf_id\" ON \"book\" WHEN OLD.\"shelf_id\" IS NOT "
             "NEW.\"shelf_id\" BEGIN UPDATE \"shelf\" SET \"size\" = "
             "\"size\" - 1 WHERE \"id\" = OLD.\"shelf_id\"; UPDATE \"shelf\" "
             "SET \"size\" = \"size\" + 1 WHERE \"id\" = NEW.\"shelf_id\"; "
             "END");
  close_db();
}

static void check_no_counter(const tomb_field_def *field, const char *message) {
  const tomb_model *model;
  const tomb_model_def def = {.name = "Shelf", .fields = field, .n_fields = 1};
  open_empty();
  CHECK_STATUS(tomb_define(&model, db, &def, &check_error), TOMB_MISUSE);
  CHECK_TEXT(check_error.message, message);
  close_db();
}

static void a_counter_is_an_integer_and_nothing_else(void) {
  const char *refused = "Shelf.size is a counter, and more than an integer";
  const tomb_field_def fields[] = {
      TEXT("size", .counts = "books"),
      INTEGER("size", .counts = "books", .unique = TOMB_UNIQUE),
      INTEGER("size", .counts = "books", .nullable = true),
      INTEGER("size", .counts = "books", .check = "size < 3"),
      INTEGER("size", .counts = "books", .default_value = tomb_integer(1)),
      INTEGER("size", .counts = "books", .primary_key = true)};
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    check_no_counter(&fields[i], refused);
  }
}

/* ---- the statements alone ------------------------------------------ */

static void keep_text(char *to, size_t size, const tomb_value *text) {
  CHECK_INT(text->type, TOMB_TEXT);
  snprintf(to, size, "%.*s", (int)text->as.text.size, text->as.text.data);
}

/* SQLite keeps texts without IF NOT EXISTS. */
static const char *as_kept(const char *sql) {
  static char kept[2000];
  const char *words = strstr(sql, "IF NOT EXISTS ");
  size_t n = words == NULL ? strlen(sql) : (size_t)(words - sql);
  snprintf(kept, sizeof kept, "%.*s%s", (int)n, sql,
           words == NULL ? "" : words + strlen("IF NOT EXISTS "));
  return kept;
}

static void define_library(tomb_soft_delete soft) {
  open_empty();
  define_posts();
  define_shelf();
  define_book(soft);
}

/* The n-th CREATE statement of a database, from 0. */
static const char *nth_made(size_t n) {
  char sql[200];
  snprintf(sql, sizeof sql,
           "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT "
           "LIKE 'sqlite_%%' ORDER BY rowid LIMIT 1 OFFSET %d",
           (int)n);
  return ask(sql);
}

static void ddl_is_what_create_tables_runs(void) {
  static char texts[40][2000];
  define_library(TOMB_SOFT_DELETE_EVENTS);
  tomb_rows *rows = tomb_rows_new(db);
  CHECK(rows != NULL);
  MUST(tomb_ddl(rows, db, &check_error));
  size_t n = tomb_rows_count(rows);
  CHECK(n > 15 && n < 40);
  CHECK_TEXT(ask("SELECT count(*) FROM sqlite_master"), "0");
  for (size_t i = 0; i < n; i++) {
    keep_text(texts[i], sizeof texts[i], tomb_rows_at(rows, i, NULL));
  }
  tomb_rows_free(rows);
  MUST(tomb_create_tables(db, &check_error));
  for (size_t i = 0; i < n; i++) CHECK_TEXT(nth_made(i), as_kept(texts[i]));
  CHECK_TEXT(nth_made(n), "(none)");
  close_db();
}

static void ddl_needs_all_parents(void) {
  open_empty();
  define_book(TOMB_SOFT_DELETE_EVENTS);
  tomb_rows *rows = tomb_rows_new(db);
  CHECK(rows != NULL);
  CHECK_STATUS(tomb_ddl(rows, db, &check_error), TOMB_MISUSE);
  tomb_rows_free(rows);
  close_db();
}

/* ---- tables that are there ---------------------------------------- */

static void check_differs(const char *ddl, const char *message) {
  open_empty();
  define_posts();
  exec(ddl);
  CHECK_STATUS(tomb_create_tables(db, &check_error),
               message == NULL ? TOMB_OK : TOMB_MIGRATION);
  if (message != NULL) {
    CHECK_TEXT(check_error.message, message);
    CHECK_TEXT(sql_of("tombstone_event"), "(none)");
  }
  CHECK_INT(tomb_depth(db), 0);
  close_db();
}

#define COLUMNS                                                                \
  "CREATE TABLE posts (id integer NOT NULL PRIMARY KEY, title text NOT NULL, " \
  "code integer, views integer NOT NULL, note text, "

static void a_table_that_differs_is_refused(void) {
  check_differs(COLUMNS "deleted_at datetime, deleted_event integer)", NULL);
  check_differs(COLUMNS "deleted_at datetime)",
                "Table \"posts\" differs from Post - deleted_event is missing");
  check_differs(COLUMNS "deleted_at datetime NOT NULL, deleted_event integer)",
                "Table \"posts\" differs from Post - deleted_at is NOT NULL "
                "there");
  check_differs(COLUMNS "deleted_at datetime, deleted_event integer); "
                        "CREATE UNIQUE INDEX mine ON posts (code)",
                "Table \"posts\" differs from Post - code is unique among the "
                "dead too");
  check_differs(COLUMNS
                "deleted_at datetime, deleted_event integer); "
                "CREATE UNIQUE INDEX mine ON posts (title) WHERE views > 3",
                "Table \"posts\" differs from Post - title is unique among "
                "some rows only");
  check_differs(COLUMNS
                "deleted_at datetime, deleted_event integer); "
                "INSERT INTO posts (title, views) VALUES ('a', 1), ('a', 2)",
                "Table \"posts\" differs from Post - posts has rows that are "
                "not unique");
}

/* Any index on all rows holds the dead too, whichever is met first. */
static void one_index_of_several_is_enough_to_differ(void) {
  check_differs(COLUMNS
                "deleted_at datetime, deleted_event integer); "
                "CREATE UNIQUE INDEX mine ON posts (code); CREATE UNIQUE INDEX "
                "other ON posts (code) WHERE deleted_at IS NULL",
                "Table \"posts\" differs from Post - code is unique among the "
                "dead too");
  check_differs(COLUMNS
                "deleted_at datetime, deleted_event integer); "
                "CREATE UNIQUE INDEX mine ON posts (title); CREATE UNIQUE "
                "INDEX other ON posts (title) WHERE views > 3",
                NULL);
}

static void what_is_unique_already_gets_no_second_index(void) {
  open_empty();
  define_posts();
  exec("CREATE TABLE posts (id integer NOT NULL PRIMARY KEY, title text NOT "
       "NULL UNIQUE, code integer, views integer NOT NULL, note text, "
       "deleted_at datetime, deleted_event integer)");
  MUST(tomb_create_tables(db, &check_error));
  CHECK_TEXT(sql_of("posts__title__key"), "(none)");
  CHECK(sql_of("posts__code__live")[0] == 'C');
  add_post("a", 1);
  tomb_value row[FIELDS];
  empty_row(row);
  row[TITLE] = tomb_text("a");
  CHECK_STATUS(tomb_insert(db, post, row, tick(), &check_error),
               TOMB_INTEGRITY);
  CHECK_TEXT(check_error.fields[0], "title");
  close_db();
}

int main(void) {
  RUN(a_table_has_its_columns_and_indexes);
  RUN(checks_and_collations_are_in_the_table);
  RUN(tables_are_called_in_snake_case);
  RUN(a_long_name_makes_a_longer_table);
  RUN(indexes_of_one_name_are_both_made);
  RUN(a_counter_has_a_column_and_triggers);
  RUN(a_counter_counts_all_rows_of_what_is_not_soft);
  RUN(a_counter_is_an_integer_and_nothing_else);
  RUN(ddl_is_what_create_tables_runs);
  RUN(ddl_needs_all_parents);
  RUN(a_table_that_differs_is_refused);
  RUN(one_index_of_several_is_enough_to_differ);
  RUN(what_is_unique_already_gets_no_second_index);
  return check_done();
}
