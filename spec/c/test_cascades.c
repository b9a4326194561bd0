/* test_cascades.c - deletions that reach the rows below. */
#include "family.h"

static int64_t t, a, b, p, q, c, d;

/* t has a and b; a has p and q; p has c, q has d. */
static void open_tree(void) {
  open_family();
  t = born(team, "t", 0);
  a = born(author, "a", t);
  b = born(author, "b", t);
  p = born(posting, "p", a);
  q = born(posting, "q", a);
  c = born(comment, "c", p);
  d = born(comment, "d", q);
}

static void a_deletion_takes_what_lies_below(void) {
  tomb_deleted out;
  open_tree();
  MUST(try_die(&out, author, a));
  CHECK_INT(out.count, 1);
  CHECK_INT(out.total, 5);
  CHECK_TEXT(living(), "b t");
  CHECK_TEXT(ask("SELECT group_concat(name) FROM comment"),
             "c__deleted_1763880008.000000,d__deleted_1763880008.000000");
  close_family();
}

static void no_row_is_born_under_a_dead_parent(void) {
  int64_t id;
  open_tree();
  die(author, a);
  CHECK(try_born(&id, posting, "x", a) == TOMB_PARENT_DELETED);
  CHECK_TEXT(check_error.message, "Cannot create record - Author 1 is deleted");
  CHECK(try_born(&id, note, "x", a) == TOMB_PARENT_DELETED);
  CHECK(try_born(&id, posting, "x", 99) == TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message,
             "Cannot create record - there is no Author 99");
  close_family();
}

static void a_living_row_restricts(void) {
  tomb_deleted out;
  open_tree();
  born(pin, "n", q);
  CHECK(try_die(&out, team, t) == TOMB_RESTRICTED);
  CHECK_TEXT(check_error.message,
             "Cannot delete records - 1 of Pin still need them");
  CHECK_INT(out.count, 0);
  CHECK_TEXT(living(), "a b c d n p q t");
  die(pin, 1);
  MUST(try_die(&out, team, t));
  CHECK_TEXT(living(), "");
  close_family();
}

static void check_line(const tomb_rows *report, size_t i, tomb_report_kind kind,
                       const char *model, int64_t count) {
  const tomb_value *line = tomb_rows_at(report, i, NULL);
  CHECK_INT(line[TOMB_REPORT_KIND].as.integer, kind);
  CHECK_TEXT(line[TOMB_REPORT_MODEL].as.text.data, model);
  CHECK_INT(line[TOMB_REPORT_COUNT].as.integer, count);
}

static void a_plan_foresees_what_restricts(void) {
  tomb_query teams;
  open_tree();
  teams = tomb_objects(team);
  born(pin, "m", p);
  int64_t first = born(pin, "n", q);
  die(posting, born(posting, "dead", a));
  die(pin, 1);
  born(pin, "o", q);
  tomb_rows *report = tomb_rows_new(db);
  MUST(tomb_preview_delete(report, db, &teams, &check_error));
  CHECK_INT((int64_t)tomb_rows_count(report), 5);
  check_line(report, 0, TOMB_REPORT_ROWS, "Team", 1);
  check_line(report, 1, TOMB_REPORT_ROWS, "Author", 2);
  check_line(report, 2, TOMB_REPORT_ROWS, "Post", 2);
  check_line(report, 3, TOMB_REPORT_ROWS, "Comment", 2);
  check_line(report, 4, TOMB_REPORT_NEEDED, "Pin", 2);
  const tomb_value *line = tomb_rows_at(report, 4, NULL);
  CHECK_TEXT(line[TOMB_REPORT_FIELD].as.text.data, "parent_id");
  CHECK_INT(line[TOMB_REPORT_KEY].as.integer, first);
  tomb_rows_free(report);
  CHECK_TEXT(living(), "a b c d n o p q t");
  close_family();
}

static void a_kept_row_lives_on(void) {
  open_tree();
  born(note, "n", a);
  die(author, a);
  CHECK_TEXT(living(), "b n t");
  close_family();
}

static void the_dead_get_a_further_owner(void) {
  open_tree();
  die(posting, p);
  die(team, t);
  CHECK_TEXT(ask("SELECT group_concat(event || model || pk, ' ') FROM "
                 "tombstone_owner"),
             "2Post1 2Comment1");
  close_family();
}

static void a_tree_of_any_depth_is_one_deletion(void) {
  char name[16] = "n0";
  int64_t root, last;
  tomb_deleted out;
  open_family();
  root = last = born(node, name, 0);
  for (int i = 1; i < 300; i++) {
    snprintf(name, sizeof name, "n%d", i);
    last = born(node, name, last);
  }
  MUST(try_die(&out, node, root));
  CHECK_INT(out.count, 300);
  CHECK_TEXT(living(), "");
  close_family();
}

/* ---- the way back ------------------------------------------------- */

static void an_undo_brings_back_what_the_event_alone_held(void) {
  open_tree();
  int64_t first = die(posting, p), second = die(team, t);
  CHECK_INT(undo(second), 5);
  CHECK_TEXT(living(), "a b d q t");
  CHECK_TEXT(ask("SELECT 'no owners' WHERE NOT EXISTS (SELECT 1 FROM "
                 "tombstone_owner)"),
             "no owners");
  CHECK_INT(undo(first), 2);
  CHECK_TEXT(living(), "a b c d p q t");
  close_family();
}

static void events_may_be_undone_in_any_order(void) {
  open_tree();
  int64_t first = die(posting, p), second = die(author, a),
          third = die(team, t);
  CHECK_INT(undo(first), 0);
  CHECK_TEXT(living(), "");
  CHECK_INT(undo(third), 2);
  CHECK_TEXT(living(), "b t");
  CHECK_INT(undo(second), 5);
  CHECK_TEXT(living(), "a b c d p q t");
  close_family();
}

static void a_restore_takes_along_what_lies_below(void) {
  int64_t restored;
  open_tree();
  die(posting, p);
  die(author, a);
  CHECK(try_return(&restored, posting, p, false) == TOMB_PARENT_DELETED);
  CHECK_TEXT(check_error.message, "Cannot restore record - Post 1 belongs to "
                                  "Author 1, which is deleted");
  MUST(try_return(&restored, author, a, false));
  CHECK_INT(restored, 1);
  CHECK_TEXT(living(), "a b d q t");
  MUST(try_return(&restored, posting, p, false));
  CHECK_TEXT(living(), "a b c d p q t");
  close_family();
}

static void parents_can_be_brought_back_first(void) {
  int64_t restored;
  open_tree();
  die(comment, c);
  die(team, t);
  MUST(try_return(&restored, comment, c, true));
  CHECK_INT(restored, 1);
  CHECK_TEXT(living(), "a b c d p q t");
  close_family();
}

static void a_tree_comes_back_at_once(void) {
  char name[16] = "n0";
  int64_t ids[100], restored;
  open_family();
  ids[0] = born(node, name, 0);
  for (int i = 1; i < 100; i++) {
    snprintf(name, sizeof name, "n%d", i);
    ids[i] = born(node, name, ids[i - 1]);
  }
  int64_t middle = die(node, ids[50]), all = die(node, ids[0]);
  CHECK_INT(undo(all), 50);
  CHECK_INT(undo(middle), 50);
  die(node, ids[0]);
  MUST(try_return(&restored, node, ids[99], true));
  CHECK_TEXT(ask("SELECT count(*) || '' FROM node WHERE deleted_at IS NULL"),
             "100");
  close_family();
}

int main(void) {
  RUN(a_deletion_takes_what_lies_below);
  RUN(no_row_is_born_under_a_dead_parent);
  RUN(a_living_row_restricts);
  RUN(a_plan_foresees_what_restricts);
  RUN(a_kept_row_lives_on);
  RUN(the_dead_get_a_further_owner);
  RUN(a_tree_of_any_depth_is_one_deletion);
  RUN(an_undo_brings_back_what_the_event_alone_held);
  RUN(events_may_be_undone_in_any_order);
  RUN(a_restore_takes_along_what_lies_below);
  RUN(parents_can_be_brought_back_first);
  RUN(a_tree_comes_back_at_once);
  return check_done();
}
