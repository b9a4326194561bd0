/*
** forget.c - a row is erased with all that lies below it, from the trash and
** from the log of events as well.
*/
#include <string.h>

#include "erase.h"
#include "error.h"
#include "eventlog.h"
#include "plan.h"

typedef struct forgetting {
  tomb_db *db;
  const tomb_query *row;
  const tomb_purging *how;
  tomb_closure gone;
} forgetting;

static tomb_status gather(forgetting *f, tomb_error *err) {
  tomb_status st = tomb_closure_open(&f->gone, f->db, TOMB_CLOSURE_FORGET, err);
  return st == TOMB_OK ? tomb_closure_fill(&f->gone, f->row, err) : st;
}

/* A living row dies first, as everything that is purged. The event of that says
** nothing that is kept. */
static tomb_status bury(int64_t *event, const forgetting *f, tomb_error *err) {
  tomb_deletion silent = {.now = f->how->deletion.now};
  tomb_deleted deleted;
  *event = 0;
  if (!tomb_is_soft(f->row->model)) return TOMB_OK;
  tomb_status st = tomb_delete(&deleted, f->db, f->row, &silent, err);
  bool shared = f->db->shared.depth > 0;
  *event = shared ? 0 : deleted.event;
  return st;
}

static void put(tomb_value *values, const tomb_model *events, const char *name,
                tomb_value value) {
  values[tomb_model_find(events, name, strlen(name))->index] = value;
}

/* Who has asked for it, and why: an event that holds nothing. */
static tomb_status record(const forgetting *f, tomb_error *err) {
  const tomb_deletion *deletion = &f->how->deletion;
  const tomb_model *events = f->db->events;
  tomb_value values[TOMB_EVENT_FIELDS];
  if (deletion->actor == NULL && deletion->reason == NULL) return TOMB_OK;
  if (!tomb_is_logged(&f->gone)) return TOMB_OK;
  memset(values, 0, sizeof values);
  int64_t at = tomb_store_stamp(f->db, deletion->now);
  put(values, events, "at", tomb_time(at));
  put(values, events, "model", tomb_text(f->row->model->name));
  if (deletion->actor != NULL) {
    put(values, events, "actor", tomb_text(deletion->actor));
  }
  if (deletion->reason != NULL) {
    put(values, events, "reason", tomb_text(deletion->reason));
  }
  f->db->event_ids_known = false; /* the database gives this one out */
  return tomb_insert(f->db, events, values, at, err);
}

static tomb_status forget(int64_t *forgotten, forgetting *f, tomb_error *err) {
  tomb_rows *report = f->how->report;
  int64_t own;
  tomb_status st = bury(&own, f, err);
  if (st == TOMB_OK) st = gather(f, err);
  if (st == TOMB_OK) {
    st = tomb_forget_events(&f->gone, own, false, report, err);
  }
  if (st == TOMB_OK) {
    st = tomb_erase_closure(forgotten, &f->gone, f->row->model, report, err);
  }
  if (st == TOMB_OK) st = tomb_drop_event(f->db, own, err);
  return st == TOMB_OK ? record(f, err) : st;
}

/* What cannot be set back stays set: that is slower and safer. */
static tomb_status forget_bytes(int64_t *forgotten, forgetting *f,
                                tomb_error *err) {
  const tomb_driver *driver = f->db->driver;
  int level = 1;
  tomb_status st = driver->overwrite(f->db->conn, &level, err);
  if (st != TOMB_OK) return st;
  st = forget(forgotten, f, err);
  tomb_status back =
      driver->overwrite(f->db->conn, &level, st == TOMB_OK ? err : NULL);
  return st == TOMB_OK ? back : st;
}

static tomb_status preview(int64_t *forgotten, forgetting *f, tomb_error *err) {
  tomb_rows *report = f->how->report;
  tomb_status st = gather(f, err);
  if (st == TOMB_OK) st = tomb_forget_events(&f->gone, 0, true, report, err);
  if (st != TOMB_OK) return st;
  return tomb_preview_closure(forgotten, &f->gone, f->row->model, report, err);
}

tomb_status tomb_forget(int64_t *forgotten, tomb_db *db,
                        const tomb_model *model, const tomb_value *key,
                        const tomb_purging *how, tomb_error *err) {
  tomb_row_query storage;
  tomb_query every = tomb_all_objects(model);
  forgetting f = {.db = db, .how = how, .gone = {.db = db}};
  f.row = tomb_query_row(&storage, &every, key);
  *forgotten = 0;
  tomb_status st = TOMB_OK;
  if (!how->dry_run) st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = how->dry_run ? preview(forgotten, &f, err)
                    : forget_bytes(forgotten, &f, err);
  tomb_closure_free(&f.gone);
  if (!how->dry_run) st = tomb_store_leave(db, st, err);
  if (st != TOMB_OK) *forgotten = 0;
  return st;
}
