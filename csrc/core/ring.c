/*
** ring.c - rows that need each other come back together.
**
** Each waits for a parent that waits in its turn, so that there is no first.
** All that are free are taken together, and those whose parent is neither alive
** nor among them are left out, until nothing changes.
*/
#include "error.h"
#include "restore.h"
#include "reunite.h"

typedef struct ring {
  tomb_db *db;
  const tomb_model *const *list;
  size_t n;
  tomb_undoing undoing;
  tomb_closure rows;
} ring;

static tomb_status select_again(int64_t *left_out, ring *r, size_t i,
                                tomb_error *err) {
  const tomb_model *model = r->list[i];
  size_t place = tomb_closure_place(&r->rows, model);
  size_t before = tomb_keys_count(r->rows.keys[place]);
  tomb_query dead = tomb_deleted_objects(model);
  tomb_keys *keys;
  dead.undoing = &r->undoing;
  tomb_status st = tomb_select_keys(&keys, r->db, &dead, err);
  if (st != TOMB_OK) return st;
  *left_out += (int64_t)before - (int64_t)tomb_keys_count(keys);
  tomb_closure_put(&r->rows, model, keys);
  return TOMB_OK;
}

static tomb_status select_all(int64_t *left_out, ring *r, tomb_error *err) {
  *left_out = 0;
  for (size_t i = 0; i < r->n; i++) {
    tomb_status st = select_again(left_out, r, i, err);
    if (st != TOMB_OK) return st;
  }
  return TOMB_OK;
}

static tomb_status gather(ring *r, tomb_error *err) {
  int64_t left_out;
  r->undoing.free = true;
  tomb_status st = select_all(&left_out, r, err);
  r->undoing.free = false;
  r->undoing.strict = true;
  r->undoing.coming = &r->rows;
  do {
    if (st == TOMB_OK) st = select_all(&left_out, r, err);
  } while (st == TOMB_OK && left_out > 0);
  return st;
}

static tomb_status come_back(int64_t *restored, const ring *r,
                             const tomb_restoration *how, tomb_error *err) {
  tomb_undoing settled = {.settled = true};
  for (size_t i = 0; i < r->n; i++) {
    int64_t n;
    tomb_query query = tomb_deleted_objects(r->list[i]);
    query.undoing = &settled;
    query.among = r->rows.keys[tomb_closure_place(&r->rows, r->list[i])];
    query.among_to = tomb_keys_count(query.among);
    if (query.among_to == 0) continue;
    tomb_status st = tomb_restore_rows(&n, r->db, &query, how, err);
    if (st != TOMB_OK) return st;
    *restored += n;
  }
  return TOMB_OK;
}

/* None of a ring can be left out, and the function has been asked for the row
** that was wanted. */
static tomb_restoration for_all(const tomb_restoration *how) {
  tomb_restoration all = *how;
  if (how->on_conflict == TOMB_CONFLICT_ASK ||
      how->on_conflict == TOMB_CONFLICT_SKIP) {
    all.on_conflict = TOMB_CONFLICT_FAIL;
  }
  all.returning = NULL;
  return all;
}

static tomb_status try_all(int64_t *restored, const ring *r,
                           const tomb_restoration *how, tomb_error *err) {
  tomb_restoration all = for_all(how);
  tomb_status st = tomb_store_enter(r->db, err);
  if (st != TOMB_OK) return st;
  st = tomb_store_leave(r->db, come_back(restored, r, &all, err), err);
  if (st != TOMB_OK) *restored = 0;
  return st == TOMB_INTEGRITY && how->on_conflict == TOMB_CONFLICT_SKIP
             ? TOMB_OK
             : st;
}

tomb_status tomb_ring_back(int64_t *restored, tomb_db *db,
                           const tomb_model *const *list, size_t n,
                           const tomb_undoing *undoing,
                           const tomb_restoration *how, tomb_error *err) {
  ring r = {.db = db, .list = list, .n = n, .undoing = *undoing};
  *restored = 0;
  tomb_status st = tomb_closure_open(&r.rows, db, TOMB_CLOSURE_PARENTS, err);
  if (st == TOMB_OK) st = gather(&r, err);
  if (st == TOMB_OK) st = try_all(restored, &r, how, err);
  tomb_closure_free(&r.rows);
  return st;
}
