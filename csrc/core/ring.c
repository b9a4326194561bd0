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
  tomb_closure rows;
} ring;

static tomb_status select_again(int64_t *changed, tomb_closure *rows,
                                const tomb_model *model,
                                const tomb_undoing *undoing, tomb_error *err) {
  const tomb_keys *before = rows->keys[tomb_closure_place(rows, model)];
  tomb_query dead = tomb_deleted_objects(model);
  tomb_keys *keys;
  dead.undoing = undoing;
  tomb_status st = tomb_select_keys(&keys, rows->db, &dead, err);
  if (st != TOMB_OK) return st;
  *changed += tomb_keys_count(before) != tomb_keys_count(keys);
  tomb_closure_put(rows, model, keys);
  return TOMB_OK;
}

static tomb_status select_all(int64_t *changed, tomb_closure *rows,
                              const tomb_model *const *list, size_t n,
                              const tomb_undoing *undoing, tomb_error *err) {
  *changed = 0;
  for (size_t i = 0; i < n; i++) {
    bool has_events = list[i]->roles[TOMB_ROLE_DELETED_EVENT] != NULL;
    if (undoing->event != NULL && !has_events) continue;
    tomb_status st = select_again(changed, rows, list[i], undoing, err);
    if (st != TOMB_OK) return st;
  }
  return TOMB_OK;
}

tomb_status tomb_gather(tomb_closure *rows, const tomb_model *const *list,
                        size_t n, const tomb_undoing *undoing,
                        tomb_error *err) {
  int64_t changed;
  tomb_undoing u = *undoing;
  u.free = true;
  tomb_status st = select_all(&changed, rows, list, n, &u, err);
  u.free = false;
  u.strict = true;
  u.coming = rows;
  while (st == TOMB_OK && changed > 0) {
    st = select_all(&changed, rows, list, n, &u, err);
  }
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
  bool fails = how->on_conflict == TOMB_CONFLICT_ASK ||
               how->on_conflict == TOMB_CONFLICT_SKIP;
  return tomb_restoration_by(how,
                             fails ? TOMB_CONFLICT_FAIL : how->on_conflict);
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
  ring r = {.db = db, .list = list, .n = n};
  tomb_undoing kept = *undoing;
  kept.keeps = true;
  *restored = 0;
  tomb_status st = tomb_closure_open(&r.rows, db, TOMB_CLOSURE_PARENTS, err);
  if (st == TOMB_OK) st = tomb_gather(&r.rows, list, n, &kept, err);
  if (st == TOMB_OK) st = try_all(restored, &r, how, err);
  tomb_closure_free(&r.rows);
  return st;
}
