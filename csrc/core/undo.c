/* undo.c - a whole event taken back, in every model. */
#include "error.h"
#include "reunite.h"

static tomb_status stamp_undone(tomb_db *db, int64_t event, int64_t now,
                                tomb_error *err) {
  const tomb_model *events = db->events;
  tomb_row_query storage;
  int64_t changed;
  tomb_value id = tomb_integer(event);
  tomb_query every = tomb_objects(events);
  tomb_assignment a = {tomb_model_find(events, "undone_at", 9), tomb_time(now),
                       NULL};
  tomb_status st =
      tomb_update(&changed, db, tomb_query_row(&storage, &every, &id), &a, 1,
                  now, NULL, err);
  if (st != TOMB_OK || changed > 0) return st;
  return tomb_fail(err, TOMB_NOT_FOUND, "There is no event %lld to undo",
                   (long long)event);
}

tomb_status tomb_undo_begin(tomb_db *db, int64_t event, int64_t now,
                            tomb_error *err) {
  if (db->depth == 0) {
    return tomb_fail(err, TOMB_MISUSE, "An undo in steps needs a transaction");
  }
  tomb_status st = stamp_undone(db, event, now, err);
  return st == TOMB_OK ? tomb_leave_event(db, event, err) : st;
}

tomb_status tomb_undo(int64_t *restored, tomb_db *db, int64_t event,
                      const tomb_restoration *how, tomb_error *err) {
  *restored = 0;
  tomb_status st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = stamp_undone(db, event, how->now, err);
  if (st == TOMB_OK) st = tomb_reunite_event(restored, db, event, how, err);
  st = tomb_store_leave(db, st, err);
  if (st != TOMB_OK) *restored = 0;
  return st;
}
