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

static tomb_status run_step(int64_t *changed, tomb_db *db, tomb_plan *plan,
                            const tomb_plan_step *step, tomb_error *err) {
  const tomb_model *model = step->statement.model;
  const char *verb = step->verb == TOMB_PLAN_MARK    ? "delete records"
                     : step->verb == TOMB_PLAN_ERASE ? "purge records"
                                                     : NULL;
  *changed = 0;
  tomb_status st = step->verb == TOMB_PLAN_MARK
                       ? mark(changed, db, plan, step, err)
                       : try_step(changed, db, step, err);
  if (st != TOMB_OK) *changed = 0;
  return st == TOMB_INTEGRITY && verb != NULL
             ? tomb_refused(db, model, verb, NULL, err)
             : st;
}

tomb_status tomb_run_plan(int64_t *changed, tomb_db *db, tomb_plan *plan,
                          tomb_error *err) {
  *changed = 0;
  for (size_t i = 0; i < plan->n; i++) {
    const tomb_plan_step *step = &plan->steps[i];
    int64_t rows;
    if (step->verb == TOMB_PLAN_RECORD && *changed == 0) continue;
    tomb_status st = run_step(&rows, db, plan, step, err);
    if (st != TOMB_OK) return st;
    if (step->verb != TOMB_PLAN_RECORD) *changed += rows;
  }
  return TOMB_OK;
}
