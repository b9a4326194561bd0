/* test_queries.c - what queries match: complements, lists, texts, chains of
** conditions. */
#include "posts.h"

static tomb_value text(const char *t) {
  return tomb_text(t);
}

/* ---- complements -------------------------------------------------- */

static void check_complement(tomb_cond *cond, int64_t wanted, int line) {
  tomb_query all = tomb_all_objects(post);
  tomb_cond none = tomb_none(&cond, 1), any = tomb_any(&cond, 1);
  int64_t matched = count_of(filtered(all, cond, false));
  check_int(matched, wanted, __FILE__, line);
  check_int(count_of(filtered(all, cond, true)), 10 - wanted, __FILE__, line);
  check_int(count_of(filtered(all, &none, false)), 10 - wanted, __FILE__, line);
  check_int(count_of(filtered(all, &none, true)), wanted, __FILE__, line);
  check_int(count_of(filtered(all, &any, true)), 10 - wanted, __FILE__, line);
}

#define COMPLEMENT(key, value, n)                                              \
  check_complement(cond_of(key, value), n, __LINE__)

static void what_a_filter_leaves_out_is_what_exclude_takes(void) {
  open_ten();
  COMPLEMENT("code", tomb_integer(4), 1);
  COMPLEMENT("code__ne", tomb_integer(4), 9);
  COMPLEMENT("code", tomb_null(), 5);
  COMPLEMENT("code__ne", tomb_null(), 5);
  COMPLEMENT("code__lt", tomb_integer(4), 2);
  COMPLEMENT("code__lte", tomb_integer(4), 3);
  COMPLEMENT("code__gt", tomb_integer(4), 2);
  COMPLEMENT("code__gte", tomb_integer(4), 3);
  COMPLEMENT("code__isnull", tomb_boolean(true), 5);
  COMPLEMENT("code__isnull", tomb_boolean(false), 5);
  COMPLEMENT("note", text("Alpha"), 1);
  COMPLEMENT("note__ne", text("Alpha"), 9);
  COMPLEMENT("note__contains", text("lp"), 2);
  COMPLEMENT("note__contains", text(""), 7);
  COMPLEMENT("note__icontains", text("ALPH"), 2);
  COMPLEMENT("note__startswith", text("a"), 3);
  COMPLEMENT("note__istartswith", text("A"), 4);
  COMPLEMENT("note__endswith", text("b"), 2);
  COMPLEMENT("note__iendswith", text("PHA"), 2);
  COMPLEMENT("note__iexact", text("ALPHA"), 2);
  COMPLEMENT("note__like", text("a%"), 3);
  COMPLEMENT("note__original", text("alpha"), 1);
  COMPLEMENT("title__original", text("post 9"), 1);
  COMPLEMENT("title", text("post 9"), 0);
  close_db();
}

static void lists_and_ranges_have_complements(void) {
  tomb_value values[] = {tomb_integer(0), tomb_null(), tomb_integer(2)};
  open_ten();
  tomb_cond in = tomb_where_in("code", values, 3);
  check_complement(&in, 7, __LINE__);
  in = tomb_where_in("code", values, 1);
  check_complement(&in, 1, __LINE__);
  in = tomb_where_in("code__in", values + 1, 1);
  check_complement(&in, 5, __LINE__);
  in = tomb_where_in("code", values, 0);
  check_complement(&in, 0, __LINE__);
  values[1] = tomb_integer(4);
  in = tomb_where_in("code__range", values, 2);
  check_complement(&in, 3, __LINE__);
  close_db();
}

/* NULL is not equal to NULL, so ne is true of both. */
static void expressions_have_complements(void) {
  tomb_expr code = {.op = TOMB_EXPR_FIELD, .name = "code"};
  tomb_expr two = {.op = TOMB_EXPR_VALUE, .value = tomb_integer(2)};
  tomb_expr sum = {.op = TOMB_EXPR_ADD, .left = &code, .right = &two};
  open_ten();
  tomb_cond cond = tomb_where_in("code", NULL, 0);
  cond.expr = &code;
  check_complement(&cond, 5, __LINE__);
  cond = tomb_where_in("code__ne", NULL, 0);
  cond.expr = &code;
  check_complement(&cond, 5, __LINE__);
  cond = tomb_where_in("code__lt", NULL, 0);
  cond.expr = &sum;
  check_complement(&cond, 5, __LINE__);
  close_db();
}

static void compositions_have_complements(void) {
  tomb_cond *parts[] = {cond_of("code__gt", tomb_integer(3)),
                        cond_of("note", tomb_null())};
  open_ten();
  tomb_cond all = tomb_all(parts, 2), any = tomb_any(parts, 2);
  tomb_cond none = tomb_none(parts, 2);
  check_complement(&all, 1, __LINE__);
  check_complement(&any, 5, __LINE__);
  check_complement(&none, 5, __LINE__);
  tomb_cond *nested[] = {&none, &all};
  tomb_cond deep = tomb_any(nested, 2);
  check_complement(&deep, 6, __LINE__);
  tomb_cond nothing = tomb_any(parts, 0), everything = tomb_all(parts, 0);
  check_complement(&nothing, 0, __LINE__);
  check_complement(&everything, 10, __LINE__);
  close_db();
}

/* ---- texts and lists ---------------------------------------------- */

static int64_t notes_like(const char *key, const char *value) {
  return count_of(where(tomb_all_objects(post), key, text(value)));
}

static void patterns_match_by_character_and_case(void) {
  open_ten();
  CHECK_INT(notes_like("note__like", "%"), 7);
  CHECK_INT(notes_like("note__like", "alpha"), 1);
  CHECK_INT(notes_like("note__like", "_lpha"), 2);
  CHECK_INT(notes_like("note__like", "a\\%b"), 1);
  CHECK_INT(notes_like("note__like", "a\\_b"), 1);
  CHECK_INT(notes_like("note__like", "a_b"), 2);
  CHECK_INT(notes_like("note__like", "x[y]*?"), 1);
  CHECK_INT(notes_like("note__like", "_t_"), 1);
  CHECK_INT(notes_like("note__like", ""), 1);
  CHECK_INT(notes_like("note__startswith", "\xC3\xA9"), 1);
  CHECK_INT(notes_like("note__startswith", "\xC3\xA9t"), 1);
  CHECK_INT(notes_like("note__endswith", "t\xC3\xA9"), 1);
  CHECK_INT(notes_like("note__startswith", "Alphas"), 0);
  CHECK_INT(notes_like("note__endswith", "xAlpha"), 0);
  CHECK_INT(notes_like("note__iexact", "A%B"), 1);
  close_db();
}

static int64_t count_in(const char *key, tomb_value *values, size_t n) {
  tomb_cond in = tomb_where_in(key, values, n);
  return count_of(filtered(tomb_all_objects(post), &in, false));
}

static void long_lists_match_as_short_ones_do(void) {
  tomb_value values[40];
  open_posts();
  exec("INSERT INTO posts (title, views) VALUES ('1', -9223372036854775808),"
       "('a\"b\\', 9223372036854775807), ('\xC3\xA9', 0), ('', 1), ('a', 2)");
  for (int i = 0; i < 40; i++) values[i] = tomb_integer(1000 + i);
  values[3] = tomb_integer(INT64_MIN);
  values[30] = tomb_integer(INT64_MAX);
  CHECK_INT(count_in("views", values, 40), 2);
  for (int i = 0; i < 40; i++) values[i] = tomb_text("none");
  values[3] = tomb_text("1");
  values[9] = tomb_text("a\"b\\");
  values[20] = tomb_text("\xC3\xA9");
  values[30] = tomb_text("");
  CHECK_INT(count_in("title", values, 40), 4);
  values[31] = tomb_text_of("a\0b", 3); /* not "a" */
  CHECK_INT(count_in("title", values, 40), 4);
  close_db();
}

static void any_case_is_one_where_the_field_says_so(void) {
  const tomb_field_def field = {.name = "name",
                                .type = TOMB_FIELD_TEXT,
                                .unique = TOMB_UNIQUE,
                                .collate = "NOCASE"};
  const tomb_model_def def = {.name = "Tag", .fields = &field, .n_fields = 1};
  const tomb_model *tag;
  tomb_deleted out;
  tomb_deletion how = {.now = 1};
  tomb_value row[4] = {{TOMB_ABSENT, {0}}};
  MUST(tomb_open_sqlite(&db, ":memory:", NULL, &check_error));
  MUST(tomb_define(&tag, db, &def, &check_error));
  MUST(tomb_create_tables(db, &check_error));
  row[1] = tomb_text("Lua");
  MUST(tomb_insert(db, tag, row, 1, &check_error));
  tomb_query all = tomb_all_objects(tag);
  CHECK_INT(count_of(where(all, "name", text("LUA"))), 1);
  CHECK_INT(count_of(where(all, "name__original", text("LUA"))), 1);
  MUST(tomb_delete(&out, db, &all, &how, &check_error));
  CHECK_INT(count_of(where(all, "name__original", text("LUA"))), 1);
  CHECK_INT(count_of(where(all, "name__original", text("LUAS"))), 0);
  close_db();
}

/* ---- what is refused ---------------------------------------------- */

static void check_misuse(const char *key, tomb_value value,
                         const char *message) {
  tomb_query query, all = tomb_all_objects(post);
  tomb_filter_link link;
  tomb_cond cond = tomb_where(key, &value);
  CHECK_STATUS(tomb_filter(&query, &all, &cond, false, &link, &check_error),
               TOMB_MISUSE);
  check_text(check_error.message, message, __FILE__, __LINE__);
}

static void what_makes_no_sense_is_refused_with_a_hint(void) {
  open_posts();
  check_misuse("titel", text("x"), "Post has no field 'titel'");
  CHECK_TEXT(check_error.hint, "did you mean 'title'?");
  check_misuse("title__contain", text("x"), "There is no lookup '__contain'");
  CHECK_TEXT(check_error.hint, "did you mean '__contains'?");
  check_misuse("", text("x"), "Post has no field ''");
  check_misuse("__", text("x"), "Post has no field ''");
  check_misuse("title__", text("x"), "There is no lookup '__'");
  check_misuse("title__lt__gt", text("x"), "There is no lookup '__lt__gt'");
  check_misuse("views", text("x"), "views takes an integer");
  check_misuse("views__lt", tomb_null(), "views__lt takes no null");
  check_misuse("views__contains", tomb_integer(1),
               "views__contains takes a char or text field");
  check_misuse("views__isnull", tomb_integer(1),
               "views__isnull takes true or false");
  check_misuse("views__range", tomb_integer(1),
               "views__range takes two values");
  close_db();
}

/* a | b | c … is any{any{any{a, b}, c}, …}. */
static void long_chains_are_flat(void) {
  static tomb_cond conds[200];
  static tomb_cond *parts[200][2];
  tomb_filter_link link;
  open_ten();
  tomb_query query, all = tomb_all_objects(post);
  for (int kind = TOMB_COND_ALL; kind <= TOMB_COND_ANY; kind++) {
    conds[0] = *cond_of("views", tomb_integer(1));
    for (int i = 1; i < 200; i++) {
      parts[i][0] = &conds[i - 1];
      parts[i][1] = cond_of("views", tomb_integer(1));
      conds[i] =
          kind == TOMB_COND_ALL ? tomb_all(parts[i], 2) : tomb_any(parts[i], 2);
    }
    MUST(tomb_filter(&query, &all, &conds[199], false, &link, &check_error));
    CHECK_INT(count_of(query), 3);
  }
  close_db();
}

static tomb_status nested(int depth, tomb_query *query) {
  static tomb_cond conds[400];
  static tomb_cond *parts[400][2];
  static tomb_filter_link link;
  tomb_query all = tomb_all_objects(post);
  conds[0] = *cond_of("views", tomb_integer(1));
  for (int i = 1; i < depth; i++) {
    parts[i][0] = cond_of("views", tomb_integer(7));
    parts[i][1] = &conds[i - 1];
    conds[i] = i % 3 == 0   ? tomb_none(parts[i], 2)
               : i % 3 == 1 ? tomb_all(parts[i], 2)
                            : tomb_any(parts[i], 2);
  }
  return tomb_filter(query, &all, &conds[depth - 1], false, &link,
                     &check_error);
}

/* What is let through, the database can parse, in a sliced write too. */
static void depth_is_bounded(void) {
  tomb_query query;
  int depth = 1;
  open_posts();
  CHECK_STATUS(nested(390, &query), TOMB_MISUSE);
  while (nested(depth, &query) == TOMB_OK) depth++;
  CHECK_TEXT(check_error.message, "A condition is nested more than 12 deep");
  CHECK(depth > 12);
  MUST(nested(depth - 1, &query));
  query.limit = 3;
  restore_posts(query, TOMB_CONFLICT_FAIL);
  close_db();
}

static tomb_status compared(int depth, bool left, tomb_query *query) {
  static tomb_expr exprs[400];
  static tomb_cond cond;
  static tomb_filter_link link;
  tomb_query all = tomb_all_objects(post);
  exprs[0] = (tomb_expr){.op = TOMB_EXPR_FIELD, .name = "views"};
  for (int i = 1; i <= depth; i++) {
    tomb_expr *inner = &exprs[i - 1], *one = &exprs[0];
    exprs[i] = (tomb_expr){.op = i % 2 == 0 ? TOMB_EXPR_ADD : TOMB_EXPR_SUB,
                           .left = left ? inner : one,
                           .right = left ? one : inner};
  }
  cond = tomb_where_in("views", NULL, 0);
  cond.expr = &exprs[depth];
  return tomb_filter(query, &all, &cond, false, &link, &check_error);
}

static void arithmetic_is_bounded_and_goes_on_to_the_right(void) {
  tomb_query query;
  int depth = 1;
  open_posts();
  add_post("three", 3);
  MUST(compared(150, true, &query)); /* 3 - 3 + 3 - 3 … */
  CHECK_INT(count_of(query), 1);
  CHECK_STATUS(compared(390, true, &query), TOMB_MISUSE);
  while (compared(depth, false, &query) == TOMB_OK) depth++;
  CHECK_TEXT(check_error.message, "An expression is nested more than 12 deep");
  CHECK(depth > 12);
  MUST(compared(depth - 1, false, &query));
  query.limit = 3;
  restore_posts(query, TOMB_CONFLICT_FAIL);
  close_db();
}

static void filters_are_bounded_and_all_of_them_work(void) {
  static tomb_filter_link links[501];
  tomb_cond *cond;
  open_posts();
  add_post("a", 1);
  tomb_query query = tomb_all_objects(post);
  cond = cond_of("views", tomb_integer(1));
  for (int i = 0; i < 500; i++) {
    MUST(
        tomb_filter(&query, &query, cond, i % 2 == 1, &links[i], &check_error));
  }
  CHECK_INT(count_of(query), 0);
  tomb_query more;
  CHECK_STATUS(
      tomb_filter(&more, &query, cond, false, &links[500], &check_error),
      TOMB_MISUSE);
  close_db();
}

static void a_model_without_stamps_has_no_past(void) {
  open_ten();
  tomb_query query = tomb_all_objects(post);
  query.has_as_of = true;
  query.as_of = clock_now - 1; /* a second later the three died */
  CHECK_INT(count_of(query), 10);
  query.as_of = clock_now;
  CHECK_INT(count_of(query), 7);
  close_db();
}

int main(void) {
  RUN(what_a_filter_leaves_out_is_what_exclude_takes);
  RUN(lists_and_ranges_have_complements);
  RUN(expressions_have_complements);
  RUN(compositions_have_complements);
  RUN(patterns_match_by_character_and_case);
  RUN(long_lists_match_as_short_ones_do);
  RUN(any_case_is_one_where_the_field_says_so);
  RUN(what_makes_no_sense_is_refused_with_a_hint);
  RUN(long_chains_are_flat);
  RUN(depth_is_bounded);
  RUN(arithmetic_is_bounded_and_goes_on_to_the_right);
  RUN(filters_are_bounded_and_all_of_them_work);
  RUN(a_model_without_stamps_has_no_past);
  return check_done();
}
