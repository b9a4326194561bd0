/*
** restore.c - bringing dead rows back.
**
** The database decides: first one UPDATE for all of them. Where the unique
** index refuses it, the rows are tried in their order, in spans that halve
** until one row stands alone before its conflict and double again behind it.
** So the outcome is that of restoring row by row, at a number of statements
** that grows with the conflicts and not with the rows.
*/
#include "restore.h"

#include <string.h>

#include "error.h"
#include "keys.h"
#include "plan.h"
#include "rows.h"
#include "value.h"

struct tomb_restore_job {
  tomb_db *db;
  const tomb_model *model;
  tomb_restoration how;
  tomb_keys *keys;
  size_t at, span;  /* the next rows to try */
  bool asking;      /* the row at `at` waits for a word, */
  tomb_error why;   /* for this reason */
  tomb_rows *asked; /* its key */
  tomb_arena texts; /* how's, which outlive the call that opened */
  bool done;
  int64_t restored;
};

/* ---- one UPDATE --------------------------------------------------- */

tomb_status tomb_revive(int64_t *restored, tomb_db *db, const tomb_query *query,
                        const tomb_assignment *also, size_t n,
                        tomb_error *err) {
  tomb_plan plan;
  tomb_plan_restore(&plan, query, also, n);
  return tomb_run_plan(restored, db, &plan, err);
}

bool tomb_is_conflict(tomb_status st, const tomb_error *err) {
  return st == TOMB_INTEGRITY && err->constraint == TOMB_CONSTRAINT_UNIQUE;
}

static tomb_status check(const tomb_query *query, tomb_error *err) {
  tomb_status st = tomb_need_soft_delete(query->model, "restore", err);
  if (st != TOMB_OK || query->scope != TOMB_LIVING) return st;
  tomb_fail(err, TOMB_MISUSE, "objects holds no deleted rows to restore");
  tomb_error_model(err, query->model->name);
  tomb_error_hint(err, "use deleted_objects or all_objects");
  return TOMB_MISUSE;
}

/* ---- row by row --------------------------------------------------- */

static tomb_query span_query(const tomb_restore_job *job, size_t from,
                             size_t to) {
  tomb_query query = tomb_deleted_objects(job->model);
  query.among = job->keys;
  query.among_from = from;
  query.among_to = to;
  return query;
}

/* The rows that are dead now: those that "replace" kills are not among them.
** A slice is cut from the query's rows first, as a deletion of it would be. */
static tomb_status select_dead(tomb_keys **out, tomb_db *db,
                               const tomb_query *query, tomb_error *err) {
  tomb_query dead = *query;
  tomb_keys *slice = NULL;
  *out = NULL;
  if (query->scope == TOMB_EVERY && tomb_is_sliced(query)) {
    tomb_status st = tomb_select_keys(&slice, db, query, err);
    if (st != TOMB_OK) return st;
    dead = tomb_all_objects(query->model);
    dead.order = query->order;
    dead.n_order = query->n_order;
    dead.reversed = query->reversed;
    dead.among = slice;
    dead.among_to = tomb_keys_count(slice);
  }
  dead.scope = TOMB_DEAD;
  tomb_status st = tomb_select_keys(out, db, &dead, err);
  tomb_keys_free(slice);
  return st;
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
  tomb_status st = check(query, err);
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
  st = keep_text(job, &job->how.actor) && keep_text(job, &job->how.reason)
           ? select_dead(&job->keys, db, query, err)
           : tomb_out_of_memory(err);
  if (st != TOMB_OK) {
    tomb_arena_free(&job->texts);
    tomb_release(&db->allocator, job, sizeof *job);
    return tomb_store_leave(db, st, err);
  }
  job->span = tomb_keys_count(job->keys);
  *out = job;
  return TOMB_OK;
}

static void advance(tomb_restore_job *job, size_t to) {
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
  tomb_query query = span_query(job, job->at, to);
  tomb_status st = tomb_revive(&restored, job->db, &query, NULL, 0, err);
  if (st == TOMB_OK) {
    job->restored += restored;
    advance(job, to);
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
  tomb_query query = span_query(job, job->at, job->at + 1);
  tomb_cursor cursor;
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

static tomb_status ask(tomb_restore_job *job, tomb_value *pk, tomb_error *err) {
  if (job->asked == NULL) job->asked = tomb_rows_new(job->db);
  if (job->asked == NULL) return tomb_out_of_memory(err);
  tomb_rows_clear(job->asked);
  tomb_status st = read_key(job, err);
  if (st != TOMB_OK) return st;
  *pk = *tomb_rows_at(job->asked, 0, NULL);
  *err = job->why;
  return TOMB_ROW;
}

tomb_status tomb_restore_next(tomb_restore_job *job, tomb_value *pk,
                              tomb_error *err) {
  tomb_error own;
  size_t n = tomb_keys_count(job->keys);
  if (err == NULL) err = &own;
  if (job->asking) {
    return tomb_fail(err, TOMB_MISUSE, "A conflict waits for an answer");
  }
  while (job->at < n) {
    tomb_status st = try_span(job, err);
    if (st == TOMB_ROW) {
      job->asking = true;
      job->why = *err;
      if (job->how.on_conflict == TOMB_CONFLICT_ASK) return ask(job, pk, err);
      st = tomb_restore_resolve(job, job->how.on_conflict, NULL, err);
    }
    if (st != TOMB_OK) return st;
  }
  job->done = true;
  return TOMB_DONE;
}

static tomb_status resolve_by(tomb_restore_job *job, tomb_on_conflict word,
                              const tomb_value *values, tomb_error *err) {
  tomb_query query = span_query(job, job->at, job->at + 1);
  if (values != NULL) {
    return tomb_restore_with(job->db, &query, values, err);
  }
  if (word == TOMB_CONFLICT_RENAME) {
    return tomb_restore_renamed(job->db, &query, err);
  }
  if (word == TOMB_CONFLICT_REPLACE) {
    return tomb_restore_replacing(job->db, &query, &job->how, err);
  }
  return TOMB_INTEGRITY; /* fail: err is the refusal itself */
}

tomb_status tomb_restore_resolve(tomb_restore_job *job, tomb_on_conflict word,
                                 const tomb_value *values, tomb_error *err) {
  tomb_error own;
  if (err == NULL) err = &own;
  if (!job->asking) {
    return tomb_fail(err, TOMB_MISUSE, "No conflict waits for an answer");
  }
  if (word == TOMB_CONFLICT_SKIP && values == NULL) {
    advance(job, job->at + 1);
    return TOMB_OK;
  }
  *err = job->why;
  tomb_status st = resolve_by(job, word, values, err);
  if (st != TOMB_OK) return st;
  job->restored++;
  advance(job, job->at + 1);
  return TOMB_OK;
}

tomb_status tomb_restore_close(tomb_restore_job *job, int64_t *restored,
                               tomb_error *err) {
  tomb_db *db = job->db;
  bool done = job->done;
  if (restored != NULL) *restored = done ? job->restored : 0;
  tomb_keys_free(job->keys);
  tomb_arena_free(&job->texts);
  tomb_rows_free(job->asked);
  tomb_release(&db->allocator, job, sizeof *job);
  if (!tomb_is_open(db)) return TOMB_OK; /* closing has rolled back */
  return done ? tomb_commit(db, err) : tomb_rollback(db, err);
}

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
  tomb_status st = select_dead(&keys, db, query, err);
  if (st != TOMB_OK) return st;
  tomb_query back = tomb_deleted_objects(query->model);
  back.order = &by_key;
  back.n_order = 1;
  back.among = keys;
  back.among_to = tomb_keys_count(keys);
  st = restore_in_order(restored, db, &back, how, err);
  tomb_keys_free(keys);
  return st;
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

static tomb_status restore(int64_t *restored, tomb_db *db,
                           const tomb_query *query, const tomb_restoration *how,
                           tomb_error *err) {
  return how->on_conflict == TOMB_CONFLICT_FAIL
             ? restore_at_once(restored, db, query, how, err)
             : restore_in_order(restored, db, query, how, err);
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
  tomb_status st = check(query, err);
  if (st != TOMB_OK) return st;
  return how->returning == NULL
             ? restore(restored, db, query, how, err)
             : restore_and_read(restored, db, query, how, err);
}
