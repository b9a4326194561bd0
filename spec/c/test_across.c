/* test_across.c - lookups, orders, values and annotations across relations, word
** for word. A post has an author, who may have a team and a boss, and tags; it
** speaks to a database that records. */
#include "scripted.h"

static const tomb_model *team, *person, *essay, *tag, *mark;

#define TO(relation_, back_, parent_)                                          \
  {                                                                            \
    .name = relation_ "_id", .type = TOMB_FIELD_INTEGER, .nullable = true,     \
    .relation_name = relation_, .related_name = back_, .references = parent_,  \
    .on_delete = TOMB_KEEP                                                     \
  }
#define FIELDS_OF(f) .fields = (f), .n_fields = sizeof(f) / sizeof *(f)

static void define_across(void) {
  const tomb_field_def named[] = {
      {.name = "name", .type = TOMB_FIELD_TEXT, .collate = "NOCASE"}};
  const tomb_field_def people[] = {
      {.name = "name", .type = TOMB_FIELD_TEXT},
      {.name = "karma", .type = TOMB_FIELD_INTEGER},
      TO("team", "members", "Team"),
      TO("boss", "staff", "Person")};
  const tomb_field_def essays[] = {{.name = "title", .type = TOMB_FIELD_TEXT},
                                   TO("author", "essays", "Person")};
  const tomb_field_def ends[] = {TO("essay", NULL, "Essay"),
                                 TO("tag", NULL, "Tag")};
  const tomb_link_def tags = {"tags", "essays", "Tag", "Mark", NULL, NULL};
  const tomb_model_def defs[] = {
      {.name = "Team", FIELDS_OF(named)},
      {.name = "Person", FIELDS_OF(people)},
      {.name = "Essay", FIELDS_OF(essays), .links = &tags, .n_links = 1},
      {.name = "Tag", FIELDS_OF(named), .soft_delete = TOMB_SOFT_DELETE_OFF},
      {.name = "Mark", FIELDS_OF(ends)}};
  const tomb_model **models[] = {&team, &person, &essay, &tag, &mark};
  MUST(tomb_open_fake(&db, NULL, NULL, &check_error));
  for (size_t i = 0; i < 5; i++) {
    MUST(tomb_define(models[i], db, &defs[i], &check_error));
  }
}

/* ---- lookups ------------------------------------------------------ */

static void check_where(tomb_query query, tomb_cond *cond, const char *wanted,
                        int line) {
  tomb_filter_link link;
  tomb_query filtered;
  MUST(tomb_filter(&filtered, &query, cond, false, &link, &check_error));
  check_text(where_of(filtered), wanted, __FILE__, line);
}

static void check_lookup(const tomb_model *model, const char *key,
                         tomb_value value, const char *wanted, int line) {
  tomb_cond cond = tomb_where(key, &value);
  check_where(tomb_all_objects(model), &cond, wanted, line);
}

#define LOOKUP(model, key, value, wanted)                                      \
  check_lookup(model, key, value, wanted, __LINE__)

static void a_way_is_one_in_of_joined_tables(void) {
  LOOKUP(essay, "author__karma__gt", tomb_integer(3),
         "\"author_id\" IN (SELECT \"author__\".\"id\" FROM \"person\" AS "
         "\"author__\" WHERE \"author__\".\"deleted_at\" IS NULL AND "
         "\"author__\".\"karma\" > ?) | 3");
  LOOKUP(person, "essays__title", tomb_text("x"),
         "\"id\" IN (SELECT \"essays__\".\"author_id\" FROM \"essay\" AS "
         "\"essays__\" WHERE \"essays__\".\"deleted_at\" IS NULL AND "
         "\"essays__\".\"title\" = ?) | 'x'");
  LOOKUP(essay, "author__team__name", tomb_text("x"),
         "\"author_id\" IN (SELECT \"author__\".\"id\" FROM \"person\" AS "
         "\"author__\" JOIN \"team\" AS \"author__team__\" ON "
         "\"author__team__\".\"id\" = \"author__\".\"team_id\" AND "
         "\"author__team__\".\"deleted_at\" IS NULL WHERE "
         "\"author__\".\"deleted_at\" IS NULL AND "
         "\"author__team__\".\"name\" = ?) | 'x'");
}

static void links_are_two_tables(void) {
  LOOKUP(essay, "tags__name", tomb_text("x"),
         "\"id\" IN (SELECT \"tags__link\".\"essay_id\" FROM \"mark\" AS "
         "\"tags__link\" JOIN \"tag\" AS \"tags__\" ON \"tags__\".\"id\" = "
         "\"tags__link\".\"tag_id\" WHERE \"tags__link\".\"deleted_at\" IS "
         "NULL AND \"tags__\".\"name\" = ?) | 'x'");
  LOOKUP(person, "essays__tags__name", tomb_text("x"),
         "\"id\" IN (SELECT \"essays__\".\"author_id\" FROM \"essay\" AS "
         "\"essays__\" JOIN (\"mark\" AS \"essays__tags__link\" JOIN \"tag\" "
         "AS \"essays__tags__\" ON \"essays__tags__\".\"id\" = "
         "\"essays__tags__link\".\"tag_id\") ON "
         "\"essays__tags__link\".\"essay_id\" = \"essays__\".\"id\" AND "
         "\"essays__tags__link\".\"deleted_at\" IS NULL WHERE "
         "\"essays__\".\"deleted_at\" IS NULL AND "
         "\"essays__tags__\".\"name\" = ?) | 'x'");
}

static void lookups_of_one_table_speak_of_one_row(void) {
  tomb_value title = tomb_text("x"), karma = tomb_integer(1),
             there = tomb_boolean(false);
  tomb_cond a = tomb_where("essays__title", &title);
  tomb_cond b = tomb_where("essays__author__karma", &karma);
  tomb_cond c = tomb_where("essays__isnull", &there);
  tomb_cond *parts[] = {&a, &b, &c};
  tomb_cond all = tomb_all(parts, 3);
  check_where(tomb_all_objects(person), &all,
              "(\"id\" IN (SELECT \"essays__\".\"author_id\" FROM \"essay\" AS "
              "\"essays__\" JOIN \"person\" AS \"essays__author__\" ON "
              "\"essays__author__\".\"id\" = \"essays__\".\"author_id\" AND "
              "\"essays__author__\".\"deleted_at\" IS NULL WHERE "
              "\"essays__\".\"deleted_at\" IS NULL AND "
              "\"essays__\".\"title\" = ? AND "
              "\"essays__author__\".\"karma\" = ?)) | 'x' 1",
              __LINE__);
}

static void what_null_satisfies_is_asked_backwards(void) {
  LOOKUP(essay, "author__karma__ne", tomb_integer(3),
         "(SELECT \"author__\".\"karma\" FROM \"person\" AS \"author__\" WHERE "
         "\"author__\".\"id\" = \"essay\".\"author_id\" AND "
         "\"author__\".\"deleted_at\" IS NULL) IS NOT ? | 3");
  LOOKUP(essay, "author__isnull", tomb_boolean(true),
         "NOT EXISTS (SELECT \"author__\".\"id\" FROM \"person\" AS "
         "\"author__\" WHERE \"author__\".\"id\" = \"essay\".\"author_id\" "
         "AND \"author__\".\"deleted_at\" IS NULL)");
  LOOKUP(essay, "tags__isnull", tomb_boolean(true),
         "NOT EXISTS (SELECT \"tags__\".\"id\" FROM \"mark\" AS "
         "\"tags__link\" JOIN \"tag\" AS \"tags__\" ON \"tags__\".\"id\" = "
         "\"tags__link\".\"tag_id\" WHERE \"tags__link\".\"essay_id\" = "
         "\"essay\".\"id\" AND \"tags__link\".\"deleted_at\" IS NULL)");
  LOOKUP(person, "essays__author__karma", tomb_null(),
         "\"id\" IN (SELECT \"essays__\".\"author_id\" FROM \"essay\" AS "
         "\"essays__\" WHERE \"essays__\".\"deleted_at\" IS NULL AND (SELECT "
         "\"essays__author__\".\"karma\" FROM \"person\" AS "
         "\"essays__author__\" WHERE \"essays__author__\".\"id\" = "
         "\"essays__\".\"author_id\" AND \"essays__author__\".\"deleted_at\" "
         "IS NULL) IS NULL)");
}

static void a_value_compares_as_its_field_does(void) {
  LOOKUP(person, "team__name__ne", tomb_text("x"),
         "(SELECT \"team__\".\"name\" FROM \"team\" AS \"team__\" WHERE "
         "\"team__\".\"id\" = \"person\".\"team_id\" AND "
         "\"team__\".\"deleted_at\" IS NULL) COLLATE \"NOCASE\" IS NOT ? | "
         "'x'");
}

static void rows_are_their_keys(void) {
  LOOKUP(essay, "author", tomb_integer(1), "\"author_id\" = ? | 1");
  LOOKUP(essay, "author__team", tomb_integer(1),
         "\"author_id\" IN (SELECT \"author__\".\"id\" FROM \"person\" AS "
         "\"author__\" WHERE \"author__\".\"deleted_at\" IS NULL AND "
         "\"author__\".\"team_id\" = ?) | 1");
  LOOKUP(person, "essays", tomb_integer(1),
         "\"id\" IN (SELECT \"essays__\".\"author_id\" FROM \"essay\" AS "
         "\"essays__\" WHERE \"essays__\".\"deleted_at\" IS NULL AND "
         "\"essays__\".\"id\" = ?) | 1");
}

static void ways_that_show_the_dead_ask_nobody(void) {
  static const char *const shown[] = {"author"};
  tomb_value name = tomb_text("x");
  tomb_cond cond = tomb_where("author__name", &name);
  tomb_query query = tomb_all_objects(essay);
  query.shown = shown;
  query.n_shown = 1;
  check_where(query, &cond,
              "\"author_id\" IN (SELECT \"author__\".\"id\" FROM \"person\" AS "
              "\"author__\" WHERE \"author__\".\"name\" = ?) | 'x'",
              __LINE__);
}

/* ---- orders, values, annotations ---------------------------------- */

static const tomb_field *far_field(tomb_far_field *far, const tomb_query *query,
                                   const char *name, tomb_purpose purpose) {
  const tomb_field *field = NULL;
  MUST(tomb_find_field(&field, far, query, name, strlen(name), purpose,
                       &check_error));
  return field;
}

static void an_order_joins_outside_or_asks_many(void) {
  tomb_far_field far[2];
  tomb_query query = tomb_objects(person);
  tomb_order order[2];
  order[0].field = far_field(&far[0], &query, "boss__name", TOMB_FOR_LEAST);
  order[0].descending = false;
  order[1].field = far_field(&far[1], &query, "essays__title", TOMB_FOR_MOST);
  order[1].descending = true;
  query.order = order;
  query.n_order = 2;
  const char *sql = strstr(select_of(query), " FROM ");
  CHECK_TEXT(sql,
             " FROM \"person\" LEFT JOIN \"person\" AS \"boss__\" ON "
             "\"boss__\".\"id\" = \"person\".\"boss_id\" AND "
             "\"boss__\".\"deleted_at\" IS NULL WHERE "
             "\"person\".\"deleted_at\" IS NULL ORDER BY \"boss__\".\"name\", "
             "(SELECT max(\"essays__\".\"title\") FROM \"essay\" AS "
             "\"essays__\" WHERE \"essays__\".\"author_id\" = "
             "\"person\".\"id\" AND \"essays__\".\"deleted_at\" IS NULL) DESC, "
             "\"person\".\"id\" DESC");
}

static void an_annotation_is_a_sub_query(void) {
  tomb_far_field far;
  tomb_query query = tomb_objects(team);
  const tomb_field *only = &far.field;
  MUST(tomb_annotate(&far, &query, "n", TOMB_COUNT, true, "members__essays",
                     strlen("members__essays"), &check_error));
  query.annotations = &only;
  query.n_annotations = 1;
  CHECK_TEXT(select_of(query),
             "SELECT \"id\", \"name\", (SELECT count(DISTINCT "
             "\"members__essays__\".\"id\") FROM \"person\" AS \"members__\" "
             "JOIN \"essay\" AS \"members__essays__\" ON "
             "\"members__essays__\".\"author_id\" = \"members__\".\"id\" AND "
             "\"members__essays__\".\"deleted_at\" IS NULL WHERE "
             "\"members__\".\"team_id\" = \"team\".\"id\" AND "
             "\"members__\".\"deleted_at\" IS NULL) FROM \"team\" WHERE "
             "\"deleted_at\" IS NULL ORDER BY \"id\"");
}

/* ---- names -------------------------------------------------------- */

static void a_path_ends_at_a_model_or_nowhere(void) {
  CHECK(tomb_path_end(essay, "author", 6) == person);
  CHECK(tomb_path_end(essay, "author__team", 12) == team);
  CHECK(tomb_path_end(essay, "author__boss__staff__essays__tags", 33) == tag);
  CHECK(tomb_path_end(essay, "author__name", 12) == NULL);
  CHECK(tomb_path_end(essay, "author__", 8) == NULL);
  CHECK(tomb_path_end(essay, "", 0) == NULL);
  CHECK(tomb_model_way(essay, "autho", 5) == NULL);
}

static void check_refused(tomb_status st, const char *message, const char *hint,
                          int line) {
  check_that(st == TOMB_MISUSE, __FILE__, line, "refused: %s", message);
  check_text(check_error.message, message, __FILE__, line);
  check_text(check_error.hint, hint, __FILE__, line);
}

#define REFUSED(st, message, hint) check_refused(st, message, hint, __LINE__)

static tomb_status filter_by(const char *key) {
  tomb_value value = tomb_text("x");
  tomb_cond cond = tomb_where(key, &value);
  tomb_filter_link link;
  tomb_query from = tomb_objects(person), out;
  return tomb_filter(&out, &from, &cond, false, &link, &check_error);
}

static tomb_status group_by(const char *name) {
  tomb_far_field far;
  const tomb_field *field;
  tomb_query query = tomb_objects(person);
  return tomb_find_field(&field, &far, &query, name, strlen(name),
                         TOMB_FOR_GROUPS, &check_error);
}

static void what_leads_nowhere_is_refused(void) {
  char far[61 * 6 + 8] = "";
  REFUSED(filter_by("bos__name"), "Person has no field 'bos'",
          "did you mean 'boss'?");
  REFUSED(filter_by("boss__karm"), "Person has no field 'karm'",
          "did you mean 'karma'?");
  REFUSED(filter_by("boss__gt"), "boss__gt compares rows",
          "name a field of theirs, or use ne, in or isnull");
  REFUSED(group_by("staff__name"), "staff__name leads to many rows",
          "annotate computes over them, row by row");
  REFUSED(group_by("boss"), "boss leads to rows",
          "name a field of theirs behind it, as in author__name");
  for (int i = 0; i < 61; i++) strcat(far, "boss__");
  strcat(far, "name");
  CHECK_STATUS(filter_by(far), TOMB_MISUSE);
  CHECK_TEXT(check_error.hint, "a way takes up to 60 tables");
  CHECK_STATUS(filter_by(far + strlen("boss__")), TOMB_OK);
}

int main(void) {
  define_across();
  RUN(a_way_is_one_in_of_joined_tables);
  RUN(links_are_two_tables);
  RUN(lookups_of_one_table_speak_of_one_row);
  RUN(what_null_satisfies_is_asked_backwards);
  RUN(a_value_compares_as_its_field_does);
  RUN(rows_are_their_keys);
  RUN(ways_that_show_the_dead_ask_nobody);
  RUN(an_order_joins_outside_or_asks_many);
  RUN(an_annotation_is_a_sub_query);
  RUN(a_path_ends_at_a_model_or_nowhere);
  RUN(what_leads_nowhere_is_refused);
  close_db();
  return check_done();
}
