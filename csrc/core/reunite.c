/* reunite.c - restores that reach further rows. */
#include "reunite.h"

#include <string.h>

#include "error.h"
#include "restore.h"

static tomb_graph graph_of(const tomb_db *db) {
  tomb_graph graph = {db->models, db->n_models, db->owners};
  return graph;
}

/* ---- owners ------------------------------------------------------- */

typedef void owner_statement(tomb_sql *sql, const tomb_model *model,
                             const tomb_undoing *undoing);

static tomb_status run(int64_t *changed, tomb_db *db, owner_statement *build,
                       const tomb_model *model, const tomb_undoing *undoing,
                       tomb_error *err) {
  tomb_status st = tomb_store_start_write(db, err);
  if (st != TOMB_OK) return st;
  build(&db->sql, model, undoing);
  st = tomb_store_run(db, NULL, err);
  *changed = st == TOMB_OK ? tomb_store_changes(db) : 0;
  return st;
}

/* Rows that another owner holds lose what is taken and stay dead. */
static tomb_status pass_on(const tomb_reunion *r, tomb_error *err) {
  tomb_status st = TOMB_OK;
  if (r->undoing.owners == NULL) return TOMB_OK;
  for (size_t i = 0; st == TOMB_OK && i < r->n; i++) {
    const tomb_model *model = r->list[i];
    int64_t n;
    if (model->roles[TOMB_ROLE_DELETED_EVENT] == NULL) continue;
    st = run(&n, r->db, tomb_sql_promote, model, &r->undoing, err);
    if (st == TOMB_OK && n > 0) {
      st = run(&n, r->db, tomb_sql_drop_promoted, model, &r->undoing, err);
    }
    if (st == TOMB_OK) {
      st = run(&n, r->db, tomb_sql_drop_taken, model, &r->undoing, err);
    }
  }
  return st;
}

/* Replacing rows, or a function, may have given some a further owner. */
static tomb_status pass_on_again(const tomb_reunion *r,
                                 const tomb_restoration *how, tomb_error *err) {
  return tomb_has_strategy(how) || r->steps ? pass_on(r, err) : TOMB_OK;
}

static tomb_status drop_owners(const tomb_reunion *r, tomb_error *err) {
  tomb_status st = TOMB_OK;
  int64_t n;
  if (r->undoing.owners == NULL) return TOMB_OK;
  for (size_t i = 0; st == TOMB_OK && i < r->n; i++) {
    st = run(&n, r->db, tomb_sql_drop_living, r->list[i], &r->undoing, err);
  }
  return st;
}

/* ---- coming back -------------------------------------------------- */

/* There is nobody to ask: who has somebody takes the steps of a job. */
static tomb_status one_comes_back(int64_t *restored, const tomb_reunion *r,
                                  size_t i, const tomb_restoration *how,
                                  tomb_error *err) {
  bool asks = tomb_strategy_for(how, r->list[i]) == TOMB_CONFLICT_ASK;
  tomb_restoration by = *how;
  if (asks) by = tomb_restoration_by(how, TOMB_CONFLICT_FAIL);
  tomb_query query = tomb_deleted_objects(r->list[i]);
  query.undoing = &r->undoing;
  return tomb_restore_rows(restored, r->db, &query, &by, err);
}

static tomb_status come_back(int64_t *restored, const tomb_reunion *r,
                             size_t from, size_t to,
                             const tomb_restoration *how, tomb_error *err) {
  *restored = 0;
  for (size_t i = from; i < to; i++) {
    int64_t n;
    tomb_status st = one_comes_back(&n, r, i, how, err);
    if (st != TOMB_OK) return st;
    *restored += n;
  }
  return TOMB_OK;
}

/* One UPDATE for a whole table sees a ring inside it; row by row nothing does,
** and nothing sees one across tables. */
static bool may_have_ring(const tomb_reunion *r, const tomb_restoration *how) {
  bool own = false;
  for (size_t i = 0; i < r->n; i++)
    own = own || tomb_needs_own_rows(r->list[i]);
  return r->ring || (own && (r->steps || tomb_has_strategy(how)));
}

static tomb_status rings_come_back(int64_t *restored, const tomb_reunion *r,
                                   const tomb_restoration *how,
                                   tomb_error *err) {
  *restored = 0;
  if (!may_have_ring(r, how)) return TOMB_OK;
  tomb_restoration all = *how;
  bool undecided = how->on_conflict == TOMB_CONFLICT_FAIL ||
                   how->on_conflict == TOMB_CONFLICT_ASK;
  if (undecided && (r->skips || tomb_may_skip(how))) {
    all.on_conflict = TOMB_CONFLICT_SKIP;
  }
  return tomb_ring_back(restored, r->db, r->list, r->n, &r->undoing, &all, err);
}

/* ---- what is taken ------------------------------------------------ */

static tomb_status clear_takings(const tomb_reunion *r, tomb_error *err) {
  tomb_sql *sql = &r->db->sql;
  tomb_sql_clear(sql);
  tomb_sql_add(sql, sql->dialect->create_taken);
  tomb_buf_integer(&sql->text, r->undoing.taken);
  tomb_sql_add(sql, sql->dialect->taken_columns);
  tomb_status st = tomb_store_run(r->db, NULL, err);
  if (st != TOMB_OK) return st;
  tomb_sql_clear(sql);
  sql->taken = r->undoing.taken;
  tomb_sql_add(sql, "DELETE FROM ");
  tomb_sql_taken(sql);
  return tomb_store_run(r->db, NULL, err);
}

static tomb_status take(tomb_db *db, const tomb_model *model,
                        const tomb_keys *keys, tomb_error *err) {
  tomb_sql_clear(&db->sql);
  tomb_sql_take(&db->sql, model, keys);
  tomb_status st = tomb_store_run(db, NULL, err);
  if (st != TOMB_OK || !tomb_has_cascades(db)) return st;
  tomb_sql_clear(&db->sql);
  tomb_sql_take_owners(&db->sql, model, db->owners);
  return tomb_store_run(db, NULL, err);
}

static tomb_status take_below(int64_t *taken, tomb_db *db,
                              const tomb_model *parent, tomb_error *err) {
  tomb_graph graph = graph_of(db);
  const tomb_relation *r = NULL;
  while ((r = tomb_next_child(&graph, parent, r)) != NULL) {
    if (r->on_delete != TOMB_CASCADE) continue;
    tomb_sql_clear(&db->sql);
    tomb_sql_take_below(&db->sql, r);
    tomb_status st = tomb_store_run(db, NULL, err);
    if (st != TOMB_OK) return st;
    *taken += tomb_store_changes(db);
  }
  return TOMB_OK;
}

/* Several relations of a table to itself are a ring too. */
static tomb_status take_all_below(const tomb_reunion *r, tomb_error *err) {
  int64_t taken;
  r->db->sql.taken = r->undoing.taken;
  do {
    taken = 0;
    for (size_t i = 0; i < r->n; i++) {
      tomb_status st = take_below(&taken, r->db, r->list[i], err);
      if (st != TOMB_OK) return st;
    }
  } while (taken > 0);
  return TOMB_OK;
}

static tomb_status take_wanted(const tomb_reunion *r, tomb_error *err) {
  tomb_status st = clear_takings(r, err);
  for (size_t i = 0; st == TOMB_OK && i < r->wanted.n; i++) {
    if (tomb_keys_count(r->wanted.keys[i]) == 0) continue;
    st = take(r->db, r->wanted.order[i], r->wanted.keys[i], err);
  }
  return st;
}

/* ---- restore ------------------------------------------------------ */

static tomb_status list_models(tomb_reunion *r, tomb_error *err) {
  tomb_graph graph = graph_of(r->db);
  r->bytes = r->db->n_models * sizeof *r->list;
  r->list = tomb_realloc(&r->db->allocator, NULL, 0, r->bytes);
  if (r->list == NULL) return tomb_out_of_memory(err);
  r->n = tomb_models_below(r->list, 0, &graph, r->model);
  for (size_t i = 0; i < r->wanted.n; i++) {
    if (tomb_keys_count(r->wanted.keys[i]) == 0) continue;
    r->n = tomb_models_below(r->list, r->n, &graph, r->wanted.order[i]);
  }
  r->ring = tomb_parents_first(r->list, r->n, 0);
  return TOMB_OK;
}

static tomb_status want(tomb_reunion *r, const tomb_query *query,
                        const tomb_restoration *how, tomb_error *err) {
  tomb_keys *keys;
  tomb_status st =
      tomb_closure_open(&r->wanted, r->db, TOMB_CLOSURE_PARENTS, err);
  if (st == TOMB_OK) st = tomb_select_dead(&keys, r->db, query, err);
  if (st != TOMB_OK) return st;
  tomb_closure_put(&r->wanted, r->model, keys);
  return how->parents ? tomb_closure_extend(&r->wanted, err) : TOMB_OK;
}

/* A conflict function may restore other rows: each restore under way has a table
** of takings of its own. */
static tomb_status take_number(tomb_reunion *r, tomb_error *err) {
  tomb_status st = tomb_check_open(r->db, err);
  if (st == TOMB_OK) r->undoing.taken = tomb_take_takings(r->db);
  if (st != TOMB_OK || r->undoing.taken > 0) return st;
  tomb_fail(err, TOMB_MISUSE, "Too many restores are under way");
  tomb_error_hint(err, "close those that ask, or do not nest them");
  return TOMB_MISUSE;
}

static tomb_status open_reunion(tomb_reunion *r, tomb_db *db,
                                const tomb_query *query,
                                const tomb_restoration *how, bool looks,
                                tomb_error *err) {
  memset(r, 0, sizeof *r);
  r->db = db;
  r->model = query->model;
  r->wanted.db = db;
  if (tomb_has_cascades(db)) r->undoing.owners = db->owners;
  tomb_status st = take_number(r, err);
  if (st == TOMB_OK) st = want(r, query, how, err);
  if (st == TOMB_OK) st = list_models(r, err);
  if (st == TOMB_OK) st = take_wanted(r, err);
  if (st == TOMB_OK && !looks) {
    st = tomb_check_taken_parents(r->db, r->model, err);
  }
  return st == TOMB_OK ? take_all_below(r, err) : st;
}

tomb_status tomb_reunion_open(tomb_reunion *r, tomb_db *db,
                              const tomb_query *query,
                              const tomb_restoration *how, tomb_error *err) {
  return open_reunion(r, db, query, how, false, err);
}

tomb_status tomb_reunion_look(tomb_reunion *r, tomb_db *db,
                              const tomb_query *query, bool parents,
                              tomb_error *err) {
  const tomb_restoration how = {.parents = parents};
  return open_reunion(r, db, query, &how, true, err);
}

void tomb_reunion_free(tomb_reunion *r) {
  if (r->db == NULL) return; /* memory ran out before it was opened */
  if (r->undoing.taken > 0) tomb_drop_takings(r->db, 1u << r->undoing.taken);
  tomb_closure_free(&r->wanted);
  tomb_release(&r->db->allocator, r->list, r->bytes);
}

const tomb_keys *tomb_reunion_keys(const tomb_reunion *r) {
  return r->wanted.keys[tomb_closure_place(&r->wanted, r->model)];
}

size_t tomb_reunion_place(const tomb_reunion *r) {
  size_t i = 0;
  while (r->list[i] != r->model) i++;
  return i;
}

tomb_status tomb_reunion_step(const tomb_reunion *r, size_t i,
                              const tomb_restoration *how, tomb_error *err) {
  int64_t n;
  return one_comes_back(&n, r, i, how, err);
}

tomb_status tomb_reunion_parents(const tomb_reunion *r,
                                 const tomb_restoration *how, tomb_error *err) {
  int64_t n;
  return come_back(&n, r, 0, tomb_reunion_place(r), how, err);
}

/* What hangs on a row that was skipped stays as it is. */
static tomb_status forget_skipped(const tomb_reunion *r, tomb_error *err) {
  const tomb_keys *skipped = r->undoing.skipped;
  if (skipped == NULL || tomb_keys_count(skipped) == 0) return TOMB_OK;
  r->db->sql.taken = r->undoing.taken;
  tomb_sql_clear(&r->db->sql);
  tomb_sql_forget(&r->db->sql, &r->wanted);
  tomb_status st = tomb_store_run(r->db, NULL, err);
  if (st != TOMB_OK) return st;
  tomb_sql_clear(&r->db->sql);
  tomb_sql_forget_skipped(&r->db->sql, r->model, skipped);
  st = tomb_store_run(r->db, NULL, err);
  return st == TOMB_OK ? take_all_below(r, err) : st;
}

tomb_status tomb_reunion_settle(const tomb_reunion *r, tomb_error *err) {
  tomb_status st = forget_skipped(r, err);
  return st == TOMB_OK ? pass_on(r, err) : st;
}

tomb_status tomb_reunion_end(const tomb_reunion *r, const tomb_restoration *how,
                             tomb_error *err) {
  int64_t n;
  tomb_status st = rings_come_back(&n, r, how, err);
  if (st == TOMB_OK) st = pass_on_again(r, how, err);
  return st == TOMB_OK ? drop_owners(r, err) : st;
}

tomb_status tomb_reunion_rest(const tomb_reunion *r,
                              const tomb_restoration *how, tomb_error *err) {
  int64_t n;
  tomb_status st = tomb_reunion_settle(r, err);
  if (st == TOMB_OK) {
    st = come_back(&n, r, tomb_reunion_place(r) + 1, r->n, how, err);
  }
  return st == TOMB_OK ? tomb_reunion_end(r, how, err) : st;
}

tomb_status tomb_reunion_count(int64_t *out, const tomb_reunion *r,
                               tomb_error *err) {
  return tomb_count_living(out, r->db, r->model, tomb_reunion_keys(r), err);
}

/* ---- undo --------------------------------------------------------- */

/* Every model with events; `id` outlives it. */
static tomb_status open_event(tomb_reunion *r, tomb_db *db,
                              const tomb_value *id, tomb_error *err) {
  memset(r, 0, sizeof *r);
  r->db = db;
  r->undoing.event = id;
  if (tomb_has_cascades(db)) r->undoing.owners = db->owners;
  r->bytes = db->n_models * sizeof *r->list;
  r->list = tomb_realloc(&db->allocator, NULL, 0, r->bytes);
  if (r->list == NULL) return tomb_out_of_memory(err);
  r->n = tomb_models_with_events(r->list, db);
  r->ring = tomb_parents_first(r->list, r->n, 0);
  return TOMB_OK;
}

static void close_event(tomb_reunion *r) {
  tomb_release(&r->db->allocator, r->list, r->bytes);
}

tomb_status tomb_leave_event(tomb_db *db, int64_t event, tomb_error *err) {
  tomb_reunion r;
  tomb_value id = tomb_integer(event);
  tomb_status st = open_event(&r, db, &id, err);
  if (st != TOMB_OK) return st;
  st = pass_on(&r, err);
  close_event(&r);
  return st;
}

tomb_status tomb_undo_order(const tomb_model **out, tomb_db *db, size_t i,
                            tomb_error *err) {
  tomb_reunion r;
  tomb_value id = tomb_integer(0);
  *out = NULL;
  tomb_status st = open_event(&r, db, &id, err);
  if (st != TOMB_OK) return st;
  if (i < r.n) *out = r.list[i];
  close_event(&r);
  return TOMB_OK;
}

/* What the steps could not bring back since it needs each other. */
tomb_status tomb_undo_end(int64_t *restored, tomb_db *db, int64_t event,
                          const tomb_restoration *how, tomb_error *err) {
  tomb_reunion r;
  tomb_value id = tomb_integer(event);
  *restored = 0;
  tomb_status st = open_event(&r, db, &id, err);
  if (st != TOMB_OK) return st;
  r.steps = true;
  st = rings_come_back(restored, &r, how, err);
  if (st == TOMB_OK) st = pass_on(&r, err);
  close_event(&r);
  return st;
}

tomb_status tomb_reunite_event(int64_t *restored, tomb_db *db, int64_t event,
                               const tomb_restoration *how, tomb_error *err) {
  tomb_reunion r;
  int64_t rings = 0;
  tomb_value id = tomb_integer(event);
  tomb_status st = open_event(&r, db, &id, err);
  if (st != TOMB_OK) return st;
  st = pass_on(&r, err);
  if (st == TOMB_OK) st = come_back(restored, &r, 0, r.n, how, err);
  if (st == TOMB_OK) st = rings_come_back(&rings, &r, how, err);
  if (st == TOMB_OK) st = pass_on_again(&r, how, err);
  *restored += rings;
  close_event(&r);
  return st;
}
