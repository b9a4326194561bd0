/* test_links.c - many for many: which models of links are taken, and the ways
** that they open. */
#include "models.h"

#define TO(relation_, parent)                                                  \
  {                                                                            \
    .name = relation_ "_id", .type = TOMB_FIELD_INTEGER,                       \
    .relation_name = relation_, .references = parent,                          \
    .on_delete = TOMB_CASCADE                                                  \
  }
#define LINK(...)                                                              \
  { .name = "tags", .to = "Tag", .through = "Mark", __VA_ARGS__ }

static const tomb_field_def named[] = {TEXT("name")};
static const tomb_model_def tag = {
    .name = "Tag", .fields = named, .n_fields = 1};

#define POST(link_)                                                            \
  {                                                                            \
    .name = "Post", .fields = named, .n_fields = 1, .links = &(link_),         \
    .n_links = 1                                                               \
  }
#define MARK(fields_)                                                          \
  {                                                                            \
    .name = "Mark", .fields = (fields_),                                       \
    .n_fields = sizeof(fields_) / sizeof *(fields_)                            \
  }

static const tomb_field_def both[] = {TO("post", "Post"), TO("tag", "Tag")};

static void check_refused(const tomb_model_def *def, const char *message,
                          const char *hint, int line) {
  const tomb_model *model;
  size_t n = 0;
  while (tomb_model_at(db, n) != NULL) n++;
  tomb_status st = tomb_define(&model, db, def, &check_error);
  check_that(st == TOMB_MISUSE, __FILE__, line, "refused: %s", message);
  check_text(check_error.message, message, __FILE__, line);
  check_text(check_error.hint, hint, __FILE__, line);
  check_that(model == NULL, __FILE__, line, "no model");
  check_that(tomb_model_at(db, n) == NULL, __FILE__, line, "none was added");
}

#define REFUSED(def, message, hint) check_refused(def, message, hint, __LINE__)

static const tomb_way *way_of(const tomb_model *model, const char *name) {
  return tomb_model_way(model, name, strlen(name));
}

/* ---- opening ------------------------------------------------------ */

static void check_tags(const tomb_model *from, const tomb_model *to) {
  const tomb_way *tags = way_of(from, "tags"), *posts = way_of(to, "posts");
  CHECK(tags != NULL && posts != NULL);
  if (tags == NULL || posts == NULL) return;
  CHECK(tags->kind == TOMB_TO_LINKED && posts->kind == TOMB_TO_LINKED);
  CHECK(tomb_way_model(tags) == to && tomb_way_model(posts) == from);
  CHECK_TEXT(tags->near->field->name, "post_id");
  CHECK_TEXT(tags->far->field->name, "tag_id");
  CHECK(posts->near == tags->far && posts->far == tags->near);
}

static void ways_open_in_every_order(void) {
  static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                  {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  const tomb_link_def link = LINK(.related_name = "posts");
  const tomb_model_def page = POST(link), mark = MARK(both);
  const tomb_model_def *defs[] = {&page, &tag, &mark};
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
    open_empty();
    for (size_t j = 0; j < 3; j++) define(defs[orders[i][j]]);
    check_tags(tomb_model_named(db, "Post"), tomb_model_named(db, "Tag"));
    MUST(tomb_create_tables(db, &check_error));
    close_db();
  }
}

static void a_way_is_shut_while_a_model_is_missing(void) {
  const tomb_link_def link = LINK(.related_name = "posts");
  const tomb_model_def page = POST(link), mark = MARK(both);
  open_empty();
  const tomb_model *model = define(&page);
  CHECK(way_of(model, "tags") == NULL);
  define(&mark);
  CHECK(way_of(model, "tags") == NULL);
  check_tags(model, define(&tag));
  close_db();
}

static void the_first_of_two_leads_here(void) {
  const tomb_field_def two[] = {TO("one", "Post"), TO("other", "Post")};
  const tomb_link_def link = {
      .name = "next", .related_name = "last", .to = "Post", .through = "Mark"};
  const tomb_model_def page = POST(link), mark = MARK(two);
  open_empty();
  const tomb_model *model = define(&page);
  define(&mark);
  CHECK_TEXT(way_of(model, "next")->near->field->name, "one_id");
  CHECK_TEXT(way_of(model, "next")->far->field->name, "other_id");
  CHECK_TEXT(way_of(model, "last")->near->field->name, "other_id");
  close_db();
}

static void near_and_far_choose(void) {
  const tomb_field_def many[] = {TO("one", "Post"), TO("post", "Post"),
                                 TO("x", "Tag"), TO("tag", "Tag")};
  const tomb_link_def link =
      LINK(.related_name = "posts", .near = "post_id", .far = "tag_id");
  const tomb_model_def page = POST(link), mark = MARK(many);
  open_empty();
  const tomb_model *model = define(&page);
  define(&mark);
  check_tags(model, define(&tag));
  close_db();
}

/* ---- refusing ----------------------------------------------------- */

#define BOTH "it must point to both models with belongs_to"
#define NAME "name the fields with near and far"

static void refuse_mark(const tomb_link_def *link, const tomb_field_def *fields,
                        size_t n, const char *message, const char *hint) {
  const tomb_model_def page = POST(*link);
  const tomb_model_def mark = {.name = "Mark", .fields = fields, .n_fields = n};
  open_empty(); /* the model of the links comes last */
  define(&tag);
  define(&page);
  REFUSED(&mark, message, hint);
  close_db();
  open_empty(); /* the model with the link */
  define(&tag);
  define(&mark);
  REFUSED(&page, message, hint);
  close_db();
}

static void a_model_of_links_points_to_both(void) {
  const tomb_link_def link = LINK(.related_name = "posts");
  refuse_mark(&link, both, 1, "Post.tags: Mark has no relation to Tag", BOTH);
  refuse_mark(&link, both + 1, 1, "Post.tags: Mark has no relation to Post",
              BOTH);
  refuse_mark(&link, named, 1, "Post.tags: Mark has no relation to Post", BOTH);
}

static void one_of_several_must_be_named(void) {
  const tomb_field_def near[] = {TO("post", "Post"), TO("other", "Post"),
                                 TO("tag", "Tag")};
  const tomb_field_def far[] = {TO("post", "Post"), TO("tag", "Tag"),
                                TO("other", "Tag")};
  const tomb_link_def link = LINK(.related_name = "posts");
  const tomb_link_def wrong = LINK(.near = "tag_id");
  const tomb_link_def strange = LINK(.far = "tag");
  refuse_mark(&link, near, 3,
              "Post.tags: Mark has more than one relation to Post", NAME);
  refuse_mark(&link, far, 3,
              "Post.tags: Mark has more than one relation to Tag", NAME);
  refuse_mark(&wrong, near, 3, "Post.tags: Mark.tag_id is no relation to Post",
              "near and far name fields, as in near = \"post_id\"");
  refuse_mark(&strange, both, 2, "Post.tags: Mark.tag is no relation to Tag",
              "near and far name fields, as in near = \"post_id\"");
}

static void a_model_linked_to_itself_is_pointed_to_twice(void) {
  const tomb_field_def fields[] = {TO("a", "Post"), TO("b", "Post"),
                                   TO("c", "Post")};
  const tomb_link_def link = {.name = "next", .to = "Post", .through = "Mark"};
  refuse_mark(&link, fields, 1, "Post.next: Mark has only one relation to Post",
              "it must point to it twice, with belongs_to");
  refuse_mark(&link, fields, 3,
              "Post.next: Mark has more than one relation to Post", NAME);
}

static void a_name_is_of_a_field_or_of_a_link(void) {
  const tomb_link_def link = {.name = "name", .to = "Tag", .through = "Mark"};
  const tomb_link_def bad = {.name = "a__b", .to = "Tag", .through = "Mark"};
  const tomb_model_def page = POST(link), other = POST(bad);
  open_empty();
  REFUSED(&page, "Post.name is a field and a relation",
          "give one of them another name");
  CHECK(tomb_define(NULL, db, &other, &check_error) == TOMB_MISUSE);
  CHECK_TEXT(check_error.message, "Post: a relation cannot be called 'a__b'");
  close_db();
}

/* ---- checking only ------------------------------------------------ */

static void a_definition_can_be_checked_only(void) {
  const tomb_link_def link = LINK(.related_name = "posts");
  const tomb_model_def page = POST(link), mark = MARK(both);
  open_empty();
  define(&page);
  MUST(tomb_define(NULL, db, &tag, &check_error));
  CHECK(tomb_model_named(db, "Tag") == NULL);
  MUST(tomb_define(NULL, db, &mark, &check_error));
  CHECK(tomb_model_named(db, "Mark") == NULL);
  CHECK(tomb_define(NULL, db, &page, &check_error) == TOMB_MISUSE);
  CHECK_TEXT(check_error.message, "There is a model 'Post' already");
  define(&mark);
  check_tags(tomb_model_named(db, "Post"), define(&tag));
  close_db();
}

int main(void) {
  RUN(ways_open_in_every_order);
  RUN(a_way_is_shut_while_a_model_is_missing);
  RUN(the_first_of_two_leads_here);
  RUN(near_and_far_choose);
  RUN(a_model_of_links_points_to_both);
  RUN(one_of_several_must_be_named);
  RUN(a_model_linked_to_itself_is_pointed_to_twice);
  RUN(a_name_is_of_a_field_or_of_a_link);
  RUN(a_definition_can_be_checked_only);
  return check_done();
}
