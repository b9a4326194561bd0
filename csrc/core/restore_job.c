/*
** restore_job.c - restoring row by row, as far as that is needed.
**
** The rows are tried in their order, in spans that halve until one row stands
** alone before its conflict and double again behind it. So the outcome is that
** of restoring row by row, at a number of statements that grows with the
** conflicts and not with the rows. Where rows need parents, those whose parents
** live come first, and then the next generation. The rows of other models that
** come along are restored by jobs within this one where somebody is asked.
*/
#include "restore_job.h"

#include <string.h>

#include "error.h"
#include "keys.h"
#include "rows.h"

tomb_query tomb_job_span(const tomb_restore_job *job, size_t from, size_t to) {
  tomb_query query = tomb_deleted_objects(job->model);
  query.among = job->keys;
  query.among_from = from;
  query.among_to = to;
  /* what was done for rows before may have killed a parent */
  if (job->guarded) query.undoing = &job->undoing;
  return query;
}

static void skip_noted(tomb_restore_job *job) {
  job->undoing.skipped = job->skipped;
  job->undoing.skipped_of = job->model;
}

/* Rows whose parents live, in the query's order. */
static tomb_status select_guarded(tomb_restore_job *job,
                                  const tomb_query *query, tomb_error *err) {
  tomb_query dead = *query;
  job->undoing.strict = true;
  dead.undoing = &job->undoing;
  return tomb_select_dead(&job->keys, job->db, &dead, err);
}

/* Those whose parents have come back meanwhile; not again those skipped. */
static tomb_status next_generation(tomb_restore_job *job, tomb_error *err) {
  tomb_query dead = tomb_deleted_objects(job->model);
  tomb_keys_free(job->keys);
  job->keys = NULL;
  job->at = 0;
  tomb_status st = select_guarded(job, &dead, err);
  job->span = st == TOMB_OK ? tomb_keys_count(job->keys) : 0;
  return st;
}

/* The models above its own come first. */
static tomb_status open_reunion(tomb_restore_job *job, const tomb_query *query,
                                tomb_error *err) {
  job->phase = TOMB_JOB_ABOVE;
  job->wanted = *query;
  tomb_status st =
      tomb_reunion_open(&job->reunion, job->db, query, &job->how, err);
  job->reunion.steps = true;
  return st;
}

/* They are back: now the rows that were asked for, in their order. */
static tomb_status begin_own(tomb_restore_job *job, tomb_error *err) {
  job->phase = TOMB_JOB_OWN;
  job->undoing = job->reunion.undoing;
  skip_noted(job);
  tomb_query wanted =
      tomb_among(&job->wanted, TOMB_DEAD, tomb_reunion_keys(&job->reunion));
  tomb_status st = select_guarded(job, &wanted, err);
  if (st == TOMB_OK) job->span = tomb_keys_count(job->keys);
  return st;
}

static tomb_status select_rows(tomb_restore_job *job, const tomb_query *query,
                               tomb_error *err) {
  job->reunites = !tomb_is_undoing(query) && tomb_has_relatives(job->model);
  job->guarded =
      job->reunites ||
      (tomb_is_undoing(query) && !(query->undoing && query->undoing->settled));
  if (!job->guarded) return tomb_select_dead(&job->keys, job->db, query, err);
  job->skipped = tomb_keys_new(&job->db->allocator);
  if (job->skipped == NULL) return tomb_out_of_memory(err);
  if (job->reunites) return open_reunion(job, query, err);
  if (query->undoing != NULL) {
    job->undoing = *query->undoing;
  } else {
    job->event = tomb_integer(query->event);
    job->undoing.owners = query->owners;
    job->undoing.event = &job->event;
  }
  skip_noted(job);
  return select_guarded(job, query, err);
}

static void free_job(tomb_restore_job *job) {
  tomb_db *db = job->db;
  tomb_keys_free(job->keys);
  if (job->reunites) tomb_reunion_free(&job->reunion);
  tomb_keys_free(job->skipped);
  tomb_arena_free(&job->texts);
  tomb_rows_free(job->asked);
  tomb_release(&db->allocator, job, sizeof *job);
}

/* What `how` points to outlives the call that opened. */
static bool keep_strategies(tomb_restore_job *job) {
  size_t bytes = job->how.n_strategies * sizeof *job->how.strategies;
  if (bytes == 0) return true;
  tomb_strategy *copy = tomb_arena_take(&job->texts, bytes);
  if (copy == NULL) return false;
  memcpy(copy, job->how.strategies, bytes);
  job->how.strategies = copy;
  return true;
}

static bool keep_text(tomb_restore_job *job, const char **text) {
  if (*text == NULL) return true;
  *text = tomb_arena_text(&job->texts, *text, strlen(*text));
  return *text != NULL;
}

tomb_status tomb_restore_open(tomb_restore_job **out, tomb_db *db,
                              const tomb_query *query,
                              const tomb_restoration *how, tomb_error *err) {
  *out = NULL;
  tomb_status st = tomb_check_restore(query, err);
  if (st == TOMB_OK) {
    st = tomb_check_shared(db, query->model, "restore", how->actor, how->reason,
                           err);
  }
  if (st == TOMB_OK) st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  tomb_restore_job *job = tomb_realloc(&db->allocator, NULL, 0, sizeof *job);
  if (job == NULL) {
    return tomb_store_leave(db, tomb_out_of_memory(err), err);
  }
  memset(job, 0, sizeof *job);
  job->db = db;
  job->model = query->model;
  job->how = *how;
  job->texts.a = &db->allocator;
  job->phase = TOMB_JOB_OWN;
  job->word = tomb_strategy_for(how, query->model);
  st = keep_strategies(job) && keep_text(job, &job->how.actor) &&
               keep_text(job, &job->how.reason)
           ? select_rows(job, query, err)
           : tomb_out_of_memory(err);
  if (st != TOMB_OK) {
    free_job(job);
    return tomb_store_leave(db, st, err);
  }
  if (job->phase == TOMB_JOB_OWN) job->span = tomb_keys_count(job->keys);
  *out = job;
  return TOMB_OK;
}

void tomb_job_advance(tomb_restore_job *job, size_t to) {
  job->at = to;
  job->asking = false;
  job->span = job->span == 0 ? 1 : job->span * 2;
}

/* TOMB_ROW: the row at job->at cannot come back, and err says why. */
static tomb_status try_span(tomb_restore_job *job, tomb_error *err) {
  size_t left = tomb_keys_count(job->keys) - job->at;
  if (job->span > left) job->span = left;
  size_t to = job->at + job->span;
  int64_t restored = 0;
  tomb_query query = tomb_job_span(job, job->at, to);
  tomb_status st = tomb_revive(&restored, job->db, &query, NULL, 0, err);
  if (st == TOMB_OK) {
    job->restored += restored;
    tomb_job_advance(job, to);
  } else if (!tomb_is_conflict(st, err)) {
    return tomb_refused(job->db, job->model, "restore record", NULL, err);
  } else if (job->span > 1) {
    job->span /= 2;
  } else {
    st = tomb_restore_refused(job->db, &query, err);
    return st == TOMB_INTEGRITY ? TOMB_ROW : st;
  }
  return TOMB_OK;
}

/* An error holds short texts only, and a key is needed whole. */
static tomb_status read_key(tomb_restore_job *job, tomb_error *err) {
  const tomb_field *key = tomb_key_field(job->model);
  tomb_query query = tomb_job_span(job, job->at, job->at + 1);
  tomb_cursor cursor;
  query.undoing = NULL;
  query.only = &key;
  query.n_only = 1;
  tomb_status st = tomb_select_values(&cursor, job->db, &query, err);
  if (st != TOMB_OK) return st;
  st = tomb_cursor_next(&cursor, err);
  if (st == TOMB_ROW) st = tomb_rows_add(job->asked, cursor.values, 1, err);
  tomb_cursor_close(&cursor);
  if (st != TOMB_DONE) return st;
  return tomb_fail(err, TOMB_NOT_FOUND, "Cannot restore record - it is gone");
}

tomb_status tomb_job_ask(tomb_restore_job *job, tomb_value *pk,
                         tomb_error *err) {
  if (job->asked == NULL) job->asked = tomb_rows_new(job->db);
  if (job->asked == NULL) return tomb_out_of_memory(err);
  tomb_rows_clear(job->asked);
  tomb_status st = read_key(job, err);
  if (st != TOMB_OK) return st;
  *pk = *tomb_rows_at(job->asked, 0, NULL);
  *err = job->why;
  return TOMB_ROW;
}

/* ---- rows of other models ----------------------------------------- */

static tomb_status open_inner(tomb_restore_job *job, const tomb_model *model,
                              tomb_error *err) {
  tomb_restoration how = tomb_restoration_by(&job->how, TOMB_CONFLICT_ASK);
  tomb_query query = tomb_deleted_objects(model);
  query.undoing = &job->reunion.undoing;
  return tomb_restore_open(&job->inner, job->db, &query, &how, err);
}

static tomb_status next_model(tomb_restore_job *job, tomb_error *err) {
  size_t i = job->step++;
  const tomb_model *model = job->reunion.list[i];
  return tomb_strategy_for(&job->how, model) == TOMB_CONFLICT_ASK
             ? open_inner(job, model, err)
             : tomb_reunion_step(&job->reunion, i, &job->how, err);
}

static tomb_status go_on_inside(tomb_restore_job *job, tomb_value *pk,
                                tomb_error *err) {
  tomb_restore_job *inner = job->inner;
  tomb_status st = tomb_restore_next(inner, pk, err);
  if (st != TOMB_DONE) return st;
  job->inner = NULL;
  return tomb_restore_close(inner, NULL, err);
}

static tomb_status begin_below(tomb_restore_job *job, tomb_error *err) {
  job->phase = TOMB_JOB_BELOW;
  job->step = tomb_reunion_place(&job->reunion) + 1;
  job->reunion.undoing = job->undoing;
  job->reunion.undoing.strict = false; /* each model as a whole */
  return tomb_reunion_settle(&job->reunion, err);
}

static tomb_status end_below(tomb_restore_job *job, tomb_error *err) {
  tomb_status st = tomb_reunion_end(&job->reunion, &job->how, err);
  if (st == TOMB_OK) {
    st = tomb_reunion_count(&job->restored, &job->reunion, err);
  }
  if (st != TOMB_OK) return st;
  job->done = true;
  return TOMB_DONE;
}

/* ---- going on ----------------------------------------------------- */

/* The rows at hand are done: TOMB_OK where there are more. */
static tomb_status leave_rows(tomb_restore_job *job, tomb_error *err) {
  if (job->guarded && tomb_keys_count(job->keys) > 0) {
    tomb_status st = next_generation(job, err);
    if (st != TOMB_OK || tomb_keys_count(job->keys) > 0) return st;
  }
  if (job->reunites) return begin_below(job, err);
  job->done = true;
  return TOMB_DONE;
}

/* TOMB_ROW: somebody is asked. */
static tomb_status meet_conflict(tomb_restore_job *job, tomb_value *pk,
                                 tomb_error *err) {
  job->asking = true;
  if (job->how.parents) tomb_hint_at_plan(err, true);
  job->why = *err;
  return job->word == TOMB_CONFLICT_ASK
             ? tomb_job_ask(job, pk, err)
             : tomb_restore_resolve(job, job->word, NULL, err);
}

static tomb_status go_on(tomb_restore_job *job, tomb_value *pk,
                         tomb_error *err) {
  if (job->inner != NULL) return go_on_inside(job, pk, err);
  if (job->phase == TOMB_JOB_ABOVE) {
    return job->step < tomb_reunion_place(&job->reunion) ? next_model(job, err)
                                                         : begin_own(job, err);
  }
  if (job->phase == TOMB_JOB_BELOW) {
    return job->step < job->reunion.n ? next_model(job, err)
                                      : end_below(job, err);
  }
  if (job->at >= tomb_keys_count(job->keys)) return leave_rows(job, err);
  tomb_status st = try_span(job, err);
  return st == TOMB_ROW ? meet_conflict(job, pk, err) : st;
}

tomb_status tomb_restore_next(tomb_restore_job *job, tomb_value *pk,
                              tomb_error *err) {
  tomb_error own;
  if (err == NULL) err = &own;
  if (job->asking) {
    return tomb_fail(err, TOMB_MISUSE, "A conflict waits for an answer");
  }
  tomb_status st = TOMB_OK;
  while (st == TOMB_OK) st = go_on(job, pk, err);
  if (job->how.parents && tomb_is_explained(st, err)) {
    tomb_hint_at_plan(err, true);
  }
  return st;
}

const tomb_model *tomb_restore_model(const tomb_restore_job *job) {
  return job->inner != NULL ? job->inner->model : job->model;
}

/* ---- the end ------------------------------------------------------ */

tomb_status tomb_restore_close(tomb_restore_job *job, int64_t *restored,
                               tomb_error *err) {
  tomb_db *db = job->db;
  bool done = job->done;
  int64_t n = job->restored;
  if (job->inner != NULL) tomb_restore_close(job->inner, NULL, NULL);
  free_job(job);
  if (restored != NULL) *restored = 0;
  if (!tomb_is_open(db)) return TOMB_OK; /* closing has rolled back */
  if (!done) return tomb_rollback(db, err);
  tomb_status st = tomb_commit(db, err);
  if (st == TOMB_OK && restored != NULL) *restored = n;
  return st;
}
