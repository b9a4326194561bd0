/*
** test_faults.c - each verb, while the n-th step of its statements fails, for
** every n: nothing is half done, nothing stays open, and the same call does
** its work afterwards.
*/
#include "scenarios.h"

#include "fake.h"

static const tomb_error broken = {.kind = TOMB_DATABASE,
                                  .message = "disk I/O error"};

static void open_scenario(const scenario *s) {
  MUST(tomb_open_fake(&db, ":memory:", NULL, &check_error));
  prepare_scenario(s);
}

/* Was the failure met, or is it still to come? */
static bool is_pending(size_t nth) {
  int64_t n;
  tomb_query all = tomb_all_objects(db->events);
  for (size_t i = 0; i < nth; i++) {
    if (tomb_count(&n, db, &all, NULL) == TOMB_DATABASE) return true;
  }
  return false;
}

static void check_unchanged(const char *before, const scenario *s, size_t nth) {
  char *after = dump_database();
  check_that(strcmp(before, after) == 0, __FILE__, __LINE__,
             "'%s' left nothing half done at step %zu:\n%s---\n%s", s->name,
             nth, before, after);
  free(after);
}

static bool is_as_it_may_be(const scenario *s, tomb_status st, size_t nth) {
  return check_that(st == s->wanted || st == TOMB_DATABASE, __FILE__, __LINE__,
                    "'%s' at step %zu answered %s", s->name, nth,
                    tomb_status_name(st));
}

/* False when the whole scenario has fewer steps than `nth`. */
static bool fails_alone(const scenario *s, size_t nth) {
  tomb_error err;
  open_scenario(s);
  char *before = dump_database();
  tomb_fake_fail(db, nth, &broken);
  tomb_status st = s->run(&err);
  bool pending = st == s->wanted && is_pending(nth);
  tomb_fake_fail(db, 0, NULL);
  is_as_it_may_be(s, st, nth);
  if (st != TOMB_OK) {
    if (st == TOMB_DATABASE) CHECK_TEXT(err.message, broken.message);
    check_unchanged(before, s, nth);
    CHECK_STATUS(s->run(&err), s->wanted);
  }
  check_state(__LINE__);
  free(before);
  close_db();
  return !pending;
}

/* Inside a transaction of the caller, who keeps what he has. */
static bool fails_within(const scenario *s, size_t nth) {
  tomb_error err;
  open_scenario(s);
  char *before = dump_database();
  MUST(tomb_begin(db, &check_error));
  tomb_fake_fail(db, nth, &broken);
  tomb_status st = s->run(&err);
  bool pending = st == s->wanted && is_pending(nth);
  tomb_fake_fail(db, 0, NULL);
  CHECK_INT(tomb_depth(db), 1);
  is_as_it_may_be(s, st, nth);
  tomb_commit(db, NULL);
  if (st != TOMB_OK) {
    check_unchanged(before, s, nth);
    CHECK_STATUS(s->run(&err), s->wanted);
  }
  check_state(__LINE__);
  free(before);
  close_db();
  return !pending;
}

/* Two failures: the second meets the way out. */
static void fails_twice(const scenario *s, size_t nth) {
  tomb_error err;
  open_scenario(s);
  char *before = dump_database();
  MUST(tomb_begin(db, &check_error));
  tomb_fake_fail(db, nth, &broken);
  tomb_status st = s->run(&err);
  tomb_fake_fail(db, 1, &broken);
  tomb_rollback(db, NULL);
  tomb_fake_fail(db, 0, NULL);
  is_as_it_may_be(s, st, nth);
  check_unchanged(before, s, nth);
  CHECK_STATUS(s->run(&err), s->wanted);
  check_state(__LINE__);
  free(before);
  close_db();
}

static void whatever_step_fails_nothing_is_half_done(void) {
  for (size_t i = 0; i < SCENARIOS; i++) {
    size_t nth = 1;
    while (nth < 200 && fails_alone(&scenarios[i], nth)) {
      nth += check_stride(3);
    }
    CHECK(nth > 1 && nth < 200);
  }
}

static void inside_a_transaction_too(void) {
  for (size_t i = 0; i < SCENARIOS; i++) {
    size_t nth = 1;
    for (; nth < 200 && fails_within(&scenarios[i], nth);
         nth += check_stride(3)) {
      fails_twice(&scenarios[i], nth);
    }
  }
}

int main(void) {
  RUN(whatever_step_fails_nothing_is_half_done);
  RUN(inside_a_transaction_too);
  return check_done();
}
