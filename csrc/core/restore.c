/*
** restore.c - bringing dead rows back.
**
** The database decides: first one UPDATE for all of them. Where the unique
** index refuses it, restore_job.c goes through the rows in their order.
*/
#include "restore.h"

#include <string.h>

#include "error.h"
#include "plan.h"
#include "reunite.h"
#include "rows.h"

/* ---- one UPDATE --------------------------------------------------- */

static tomb_status revive(int64_t *restored, tomb_db *db,
                          const tomb_query *query, const tomb_assignment *also,
                          size_t n, tomb_error *err) {
  tomb_plan plan;
  tomb_plan_count count;
  tomb_plan_restore(&plan, query, also, n);
  tomb_status st = tomb_run_plan(&count, db, &plan, err);
  *restored = count.own;
  return st;
}

/* Rows that come back together with rows of their own table: whether one does
** depends on others, so that the parents of all are kept alive before. */
static bool needs_lock(const tomb_db *db, const tomb_query *query,
                       const tomb_undoing *undoing) {
  return !db->driver->dialect->writers_are_alone && tomb_is_undoing(query) &&
         tomb_needs_own_rows(query->model) && !undoing->strict &&
         !undoing->settled;
}

static tomb_status keep_parents(tomb_db *db, const tomb_model *model,
                                const tomb_undoing *undoing, tomb_error *err) {
  for (size_t i = 0; i < model->n_relations; i++) {
    const tomb_relation *relation = &model->relations[i];
    if (!tomb_needs_parent(relation)) continue;
    tomb_status st = tomb_store_start_write(db, err);
    if (st != TOMB_OK) return st;
    tomb_sql_keep_parents(&db->sql, relation, undoing);
    st = tomb_store_run(db, NULL, err);
    if (st != TOMB_OK) return st;
  }
  return TOMB_OK;
}

tomb_status tomb_revive(int64_t *restored, tomb_db *db, const tomb_query *query,
                        const tomb_assignment *also, size_t n,
                        tomb_error *err) {
  tomb_value event = tomb_integer(query->event);
  const tomb_undoing of_event = {.owners = query->owners, .event = &event};
  const tomb_undoing *undoing =
      query->undoing != NULL ? query->undoing : &of_event;
  *restored = 0;
  if (!needs_lock(db, query, undoing)) {
    return revive(restored, db, query, also, n, err);
  }
  tomb_status st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = keep_parents(db, query->model, undoing, err);
  if (st == TOMB_OK) st = revive(restored, db, query, also, n, err);
  st = tomb_store_leave(db, st, err);
  if (st != TOMB_OK) *restored = 0;
  return st;
}

bool tomb_is_conflict(tomb_status st, const tomb_error *err) {
  return st == TOMB_INTEGRITY && err->constraint == TOMB_CONSTRAINT_UNIQUE;
}

tomb_status tomb_check_restore(const tomb_query *query, tomb_error *err) {
  tomb_status st = tomb_need_soft_delete(query->model, "restore", err);
  if (st != TOMB_OK || query->scope != TOMB_LIVING) return st;
  tomb_fail(err, TOMB_MISUSE, "objects holds no deleted rows to restore");
  tomb_error_model(err, query->model->name);
  tomb_error_hint(err, "use deleted_objects or all_objects");
  return TOMB_MISUSE;
}

/* The rows that are dead now: those that "replace" kills are not among them.
** A slice is cut from the query's rows first, as a deletion of it would be. */
tomb_status tomb_select_dead(tomb_keys **out, tomb_db *db,
                             const tomb_query *query, tomb_error *err) {
  tomb_query dead = *query;
  tomb_keys *slice = NULL;
  *out = NULL;
  if (query->scope == TOMB_EVERY && tomb_is_sliced(query)) {
    tomb_status st = tomb_select_keys(&slice, db, query, err);
    if (st != TOMB_OK) return st;
    dead = tomb_among(query, TOMB_DEAD, slice);
  }
  dead.scope = TOMB_DEAD;
  tomb_status st = tomb_select_keys(out, db, &dead, err);
  tomb_keys_free(slice);
  return st;
}

/* How many of these rows live. */
tomb_status tomb_count_living(int64_t *out, tomb_db *db,
                              const tomb_model *model, const tomb_keys *keys,
                              tomb_error *err) {
  tomb_query query = tomb_objects(model);
  query.among = keys;
  query.among_to = tomb_keys_count(keys);
  return tomb_count(out, db, &query, err);
}

/* ---- strategies --------------------------------------------------- */

tomb_on_conflict tomb_strategy_for(const tomb_restoration *how,
                                   const tomb_model *model) {
  for (size_t i = 0; i < how->n_strategies; i++) {
    if (how->strategies[i].model == model) {
      return how->strategies[i].on_conflict;
    }
  }
  return how->on_conflict;
}

/* Without a job nobody is asked. */
static tomb_on_conflict word_for(const tomb_restoration *how,
                                 const tomb_model *model) {
  tomb_on_conflict word = tomb_strategy_for(how, model);
  return word == TOMB_CONFLICT_ASK ? TOMB_CONFLICT_FAIL : word;
}

/* At once, rows of one table that need each other come back with the others;
** where the strategy for all is another one, they are left to it. */
static bool goes_at_once(const tomb_restoration *how, const tomb_model *model) {
  return word_for(how, model) == TOMB_CONFLICT_FAIL &&
         (how->on_conflict == TOMB_CONFLICT_FAIL ||
          how->on_conflict == TOMB_CONFLICT_ASK || !tomb_needs_own_rows(model));
}

bool tomb_has_strategy(const tomb_restoration *how) {
  bool has = how->on_conflict != TOMB_CONFLICT_FAIL;
  for (size_t i = 0; i < how->n_strategies; i++) {
    has = has || how->strategies[i].on_conflict != TOMB_CONFLICT_FAIL;
  }
  return has;
}

bool tomb_may_skip(const tomb_restoration *how) {
  bool may = how->on_conflict == TOMB_CONFLICT_SKIP;
  for (size_t i = 0; i < how->n_strategies; i++) {
    may = may || how->strategies[i].on_conflict == TOMB_CONFLICT_SKIP;
  }
  return may;
}

tomb_restoration tomb_restoration_by(const tomb_restoration *how,
                                     tomb_on_conflict word) {
  tomb_restoration by = *how;
  by.on_conflict = word;
  by.strategies = NULL;
  by.n_strategies = 0;
  return by;
}

/* ---- many rows ---------------------------------------------------- */

static tomb_status restore_in_order(int64_t *restored, tomb_db *db,
                                    const tomb_query *query,
                                    const tomb_restoration *how,
                                    tomb_error *err) {
  tomb_restore_job *job;
  tomb_value pk;
  tomb_status st = tomb_restore_open(&job, db, query, how, err);
  if (st != TOMB_OK) return st;
  st = tomb_restore_next(job, &pk, err);
  if (st == TOMB_DONE) return tomb_restore_close(job, restored, err);
  tomb_restore_close(job, restored, NULL);
  return st;
}

/* Rows are marked by their keys, so that this is the way back. */
static tomb_status restore_backwards(int64_t *restored, tomb_db *db,
                                     const tomb_query *query,
                                     const tomb_restoration *how,
                                     tomb_error *err) {
  tomb_keys *keys;
  tomb_order by_key = {tomb_key_field(query->model), true};
  tomb_status st = tomb_select_dead(&keys, db, query, err);
  if (st != TOMB_OK) return st;
  tomb_query back = tomb_deleted_objects(query->model);
  back.order = &by_key;
  back.n_order = 1;
  back.undoing = query->undoing;
  back.of_event = query->of_event;
  back.event = query->event;
  back.owners = query->owners;
  back.among = keys;
  back.among_to = tomb_keys_count(keys);
  st = restore_in_order(restored, db, &back, how, err);
  tomb_keys_free(keys);
  return st;
}

bool tomb_is_explained(tomb_status st, const tomb_error *err) {
  return tomb_is_conflict(st, err) && err->has_dead_pk && err->has_live_pk;
}

static bool is_unexplained(tomb_status st, const tomb_error *err) {
  return tomb_is_conflict(st, err) && !err->has_dead_pk;
}

/* Where no row is found in the way, it may have been one of these, dead still
** but with a text that another has as its original: in their order they may
** come back, or in that of their deletion turned round. */
static tomb_status restore_at_once(int64_t *restored, tomb_db *db,
                                   const tomb_query *query,
                                   const tomb_restoration *how,
                                   tomb_error *err) {
  tomb_status st = tomb_revive(restored, db, query, NULL, 0, err);
  if (st != TOMB_INTEGRITY) return st;
  *restored = 0;
  st = tomb_restore_refused(db, query, err);
  if (is_unexplained(st, err)) {
    st = restore_in_order(restored, db, query, how, err);
  }
  if (is_unexplained(st, err)) {
    st = restore_backwards(restored, db, query, how, err);
  }
  return st;
}

tomb_status tomb_restore_rows(int64_t *restored, tomb_db *db,
                              const tomb_query *query,
                              const tomb_restoration *how, tomb_error *err) {
  return goes_at_once(how, query->model)
             ? restore_at_once(restored, db, query, how, err)
             : restore_in_order(restored, db, query, how, err);
}

static tomb_status reunite_at_once(int64_t *restored, tomb_reunion *reunion,
                                   const tomb_restoration *how,
                                   tomb_error *err) {
  tomb_query query = tomb_deleted_objects(reunion->model);
  query.undoing = &reunion->undoing;
  tomb_status st = tomb_reunion_parents(reunion, how, err);
  if (st == TOMB_OK) {
    st = restore_at_once(restored, reunion->db, &query, how, err);
  }
  if (st == TOMB_OK) st = tomb_reunion_rest(reunion, how, err);
  return st == TOMB_OK ? tomb_reunion_count(restored, reunion, err) : st;
}

/* It may be refused after owners have gone, so that a savepoint is needed. */
static tomb_status reunite(int64_t *restored, tomb_db *db,
                           const tomb_query *query, const tomb_restoration *how,
                           tomb_error *err) {
  tomb_reunion reunion;
  tomb_status st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = tomb_reunion_open(&reunion, db, query, how, err);
  if (st == TOMB_OK) st = reunite_at_once(restored, &reunion, how, err);
  tomb_reunion_free(&reunion);
  st = tomb_store_leave(db, st, err);
  if (st != TOMB_OK) *restored = 0;
  if (how->parents && tomb_is_explained(st, err)) tomb_hint_at_plan(err, true);
  return st;
}

static tomb_status restore(int64_t *restored, tomb_db *db,
                           const tomb_query *query, const tomb_restoration *how,
                           tomb_error *err) {
  bool alone = tomb_is_undoing(query) || !tomb_has_relatives(query->model) ||
               !goes_at_once(how, query->model);
  return alone ? tomb_restore_rows(restored, db, query, how, err)
               : reunite(restored, db, query, how, err);
}

/* The rows as they are afterwards belong to the call: it fails without them. */
static tomb_status restore_and_read(int64_t *restored, tomb_db *db,
                                    const tomb_query *query,
                                    const tomb_restoration *how,
                                    tomb_error *err) {
  tomb_step step;
  tomb_query every = *query;
  tomb_status st = tomb_step_begin(&step, db, err);
  if (st != TOMB_OK) return st;
  every.scope = TOMB_EVERY;
  st = restore(restored, db, query, how, err);
  if (st == TOMB_OK) {
    step.wrote = *restored > 0;
    st = tomb_read_rows(how->returning, db, &every, err);
  }
  st = tomb_step_end(&step, db, st, err);
  if (st != TOMB_OK) *restored = 0;
  return st;
}

tomb_status tomb_restore(int64_t *restored, tomb_db *db,
                         const tomb_query *query, const tomb_restoration *how,
                         tomb_error *err) {
  tomb_error own;
  if (err == NULL) err = &own;
  *restored = 0;
  tomb_status st = tomb_check_restore(query, err);
  if (st == TOMB_OK) {
    st = tomb_check_shared(db, query->model, "restore", how->actor, how->reason,
                           err);
  }
  if (st != TOMB_OK) return st;
  return how->returning == NULL
             ? restore(restored, db, query, how, err)
             : restore_and_read(restored, db, query, how, err);
}
