/* run.c - runs plans. */
#include "plan.h"
#include "verbs.h"

/* Two deletions that mangle to one text are told apart by a microsecond. */
#define MOST_RETRIES 1000

static tomb_status try_step(int64_t *changed, tomb_db *db,
                            const tomb_plan_step *step, tomb_error *err) {
  return tomb_store_try(changed, db,
                        tomb_plan_clauses(db->driver->dialect, step->verb),
                        &step->statement, NULL, err);
}

static tomb_status mark(int64_t *changed, tomb_db *db, tomb_plan *plan,
                        const tomb_plan_step *step, tomb_error *err) {
  const tomb_model *model = step->statement.model;
  tomb_status st = try_step(changed, db, step, err);
  for (int i = 1; i < MOST_RETRIES && st == TOMB_INTEGRITY &&
                  tomb_refuses_mangling(db, model, err);
       i++) {
    tomb_plan_stamp(plan, tomb_store_stamp(db, tomb_plan_stamped(plan)));
    st = try_step(changed, db, step, err);
  }
  return st;
}

static tomb_status probe(tomb_db *db, const tomb_plan_step *step, bool also,
                         tomb_error *err) {
  tomb_status st = tomb_store_start(db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_compile(&db->sql, tomb_plan_clauses(db->driver->dialect, step->verb),
                   &step->statement);
  return tomb_refuse_needed(db, step->statement.towards, "delete", also, err);
}

static const char *words(tomb_plan_verb verb) {
  switch (verb) {
  case TOMB_PLAN_MARK:
  case TOMB_PLAN_BELOW: return "delete records";
  case TOMB_PLAN_ERASE: return "purge records";
  default: return NULL; /* whoever asked for it has better ones */
  }
}

static tomb_status run_step(int64_t *changed, tomb_db *db, tomb_plan *plan,
                            const tomb_plan_step *step, tomb_error *err) {
  tomb_plan_verb verb = step->verb;
  tomb_status st;
  *changed = 0;
  st = verb == TOMB_PLAN_MARK || verb == TOMB_PLAN_BELOW
           ? mark(changed, db, plan, step, err)
           : try_step(changed, db, step, err);
  if (st == TOMB_OK) return st;
  *changed = 0;
  return st == TOMB_INTEGRITY && words(verb) != NULL
             ? tomb_refused(db, step->statement.model, words(verb), NULL, err)
             : st;
}

static bool is_last(const tomb_plan_step *step) {
  return step->verb == TOMB_PLAN_PROBE || step->verb == TOMB_PLAN_RECORD;
}

/* Once through the steps, from the i-th on; `*news` says whether one of those
** that are repeated in a ring has found something. */
static tomb_status run_round(tomb_plan_count *count, bool *news, tomb_db *db,
                             tomb_plan *plan, size_t from, tomb_error *err) {
  const tomb_model *root = plan->steps[0].statement.model;
  *news = false;
  for (size_t i = from; i < plan->n; i++) {
    const tomb_plan_step *step = &plan->steps[i];
    int64_t rows;
    if (is_last(step)) continue;
    tomb_status st = run_step(&rows, db, plan, step, err);
    if (st != TOMB_OK) return st;
    *news = *news || (i > 0 && rows > 0);
    if (step->verb == TOMB_PLAN_OWN) continue;
    count->all += rows;
    if (step->statement.model == root) count->own += rows;
    if (i == 0 && rows == 0) return TOMB_OK; /* nothing lies below nothing */
  }
  return TOMB_OK;
}

/* Who still needs what has died: all of them are named. */
static tomb_status run_probes(tomb_db *db, const tomb_plan *plan,
                              tomb_error *err) {
  bool needed = false;
  for (size_t i = 0; i < plan->n; i++) {
    if (plan->steps[i].verb != TOMB_PLAN_PROBE) continue;
    tomb_status st = probe(db, &plan->steps[i], needed, err);
    if (st != TOMB_OK && st != TOMB_RESTRICTED) return st;
    needed = needed || st == TOMB_RESTRICTED;
  }
  return needed ? TOMB_RESTRICTED : TOMB_OK;
}

/* And the event's row. */
static tomb_status finish(tomb_db *db, tomb_plan *plan, tomb_error *err) {
  tomb_status st = run_probes(db, plan, err);
  for (size_t i = 0; st == TOMB_OK && i < plan->n; i++) {
    int64_t rows;
    if (plan->steps[i].verb != TOMB_PLAN_RECORD) continue;
    st = run_step(&rows, db, plan, &plan->steps[i], err);
  }
  return st;
}

/* A child that came while a statement waited for its parent's lock is seen by the
** next one only. */
static bool repeats(const tomb_db *db, const tomb_plan *plan) {
  return plan->circular ||
         (plan->deep && !db->driver->dialect->writers_are_alone);
}

tomb_status tomb_run_plan(tomb_plan_count *count, tomb_db *db, tomb_plan *plan,
                          tomb_error *err) {
  bool news;
  count->own = count->all = 0;
  tomb_status st = run_round(count, &news, db, plan, 0, err);
  while (st == TOMB_OK && news && repeats(db, plan)) {
    st = run_round(count, &news, db, plan, 1, err);
  }
  if (st != TOMB_OK || count->own == 0) return st;
  return finish(db, plan, err);
}
