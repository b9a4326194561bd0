/*
** restore_job.c - restoring row by row, as far as that is needed.
**
** The rows are tried in their order, in spans that halve until one row stands
** alone before its conflict and double again behind it. So the outcome is that
** of restoring row by row, at a number of statements that grows with the
** conflicts and not with the rows. Where rows need parents, those whose parents
** live come first, and then the next generation.
*/
#include "restore.h"

#include <string.h>

#include "error.h"
#include "keys.h"
#include "reunite.h"
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
  tomb_undoing undoing; /* where the rows have relatives */
  tomb_value event;     /* that is undone */
  bool guarded, reunites;
  tomb_keys *skipped;
  tomb_reunion reunion; /* with their relatives */
};

static tomb_query span_query(const tomb_restore_job *job, size_t from,
                             size_t to) {
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

/* The rows that were asked for, with their relatives. */
static tomb_status select_wanted(tomb_restore_job *job, const tomb_query *query,
                                 tomb_error *err) {
  tomb_status st =
      tomb_reunion_open(&job->reunion, job->db, query, &job->how, err);
  if (st == TOMB_OK) st = tomb_reunion_parents(&job->reunion, &job->how, err);
  if (st != TOMB_OK) return st;
  job->undoing = job->reunion.undoing;
  skip_noted(job);
  tomb_query wanted =
      tomb_among(query, TOMB_DEAD, tomb_reunion_keys(&job->reunion));
  return select_guarded(job, &wanted, err);
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
  if (job->reunites) return select_wanted(job, query, err);
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
           ? select_rows(job, query, err)
           : tomb_out_of_memory(err);
  if (st != TOMB_OK) {
    free_job(job);
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

/* The rows at hand are done: TOMB_OK where there are more. */
static tomb_status go_on(tomb_restore_job *job, tomb_error *err) {
  if (job->guarded && tomb_keys_count(job->keys) > 0) {
    tomb_status st = next_generation(job, err);
    if (st != TOMB_OK || tomb_keys_count(job->keys) > 0) return st;
  }
  if (job->reunites) {
    job->reunion.undoing = job->undoing;
    tomb_status st = tomb_reunion_rest(&job->reunion, &job->how, err);
    if (st == TOMB_OK) {
      st = tomb_reunion_count(&job->restored, &job->reunion, err);
    }
    if (st != TOMB_OK) return st;
  }
  job->done = true;
  return TOMB_DONE;
}

tomb_status tomb_restore_next(tomb_restore_job *job, tomb_value *pk,
                              tomb_error *err) {
  tomb_error own;
  if (err == NULL) err = &own;
  if (job->asking) {
    return tomb_fail(err, TOMB_MISUSE, "A conflict waits for an answer");
  }
  tomb_status st = TOMB_OK;
  while (st == TOMB_OK) {
    bool more = job->at < tomb_keys_count(job->keys);
    st = more ? try_span(job, err) : go_on(job, err);
    if (st == TOMB_ROW) {
      job->asking = true;
      job->why = *err;
      if (job->how.on_conflict == TOMB_CONFLICT_ASK) return ask(job, pk, err);
      st = tomb_restore_resolve(job, job->how.on_conflict, NULL, err);
    }
  }
  return st;
}

static tomb_status note_skipped(tomb_restore_job *job, tomb_error *err) {
  tomb_value pk;
  tomb_error why = *err;
  if (!job->guarded) return TOMB_OK;
  tomb_status st = ask(job, &pk, err);
  if (st != TOMB_ROW) return st;
  *err = why;
  return tomb_keys_add(job->skipped, &pk) ? TOMB_OK : tomb_out_of_memory(err);
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
    tomb_status st = note_skipped(job, err);
    if (st != TOMB_OK) return st;
    advance(job, job->at + 1);
    return TOMB_OK;
  }
  *err = job->why;
  tomb_status st = resolve_by(job, word, values, err);
  if (st == TOMB_NOT_FOUND && job->guarded) {
    /* what was done for it has killed its parent, or given it an owner */
    st = note_skipped(job, err);
    if (st == TOMB_OK) advance(job, job->at + 1);
    return st;
  }
  if (st != TOMB_OK) return st;
  job->restored++;
  advance(job, job->at + 1);
  return TOMB_OK;
}

tomb_status tomb_restore_close(tomb_restore_job *job, int64_t *restored,
                               tomb_error *err) {
  tomb_db *db = job->db;
  bool done = job->done;
  int64_t n = job->restored;
  free_job(job);
  if (restored != NULL) *restored = 0;
  if (!tomb_is_open(db)) return TOMB_OK; /* closing has rolled back */
  if (!done) return tomb_rollback(db, err);
  tomb_status st = tomb_commit(db, err);
  if (st == TOMB_OK && restored != NULL) *restored = n;
  return st;
}
