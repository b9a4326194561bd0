/*
** foresight.c - what a restore or an undo would do.
**
** A look at a restore notes what would be taken out of which rows, as the
** restore itself does, and gathers those that could then live together.
*/
#include "error.h"
#include "report.h"
#include "restore.h"
#include "reunite.h"

typedef struct look {
  tomb_db *db;
  const tomb_model *const *list; /* the models that are touched */
  size_t n;
  tomb_undoing undoing;
  const tomb_closure
      *above;           /* the rows asked for and the dead above, or NULL */
  tomb_closure coming;  /* rows that would live */
  tomb_closure staying; /* that would not, though they lose an owner */
  tomb_foresight *out;
} look;

static tomb_keys **keys_of(tomb_closure *c, const tomb_model *model) {
  return &c->keys[tomb_closure_place(c, model)];
}

/* ---- who comes back, and who does not ----------------------------- */

static tomb_status find_staying(look *l, const tomb_model *model,
                                tomb_error *err) {
  tomb_keys *keys;
  tomb_undoing touched = l->undoing;
  tomb_query dead = tomb_deleted_objects(model);
  touched.touched = true;
  touched.skipped = *keys_of(&l->coming, model);
  touched.skipped_of = model;
  dead.undoing = &touched;
  tomb_status st = tomb_select_keys(&keys, l->db, &dead, err);
  if (st == TOMB_OK) tomb_closure_put(&l->staying, model, keys);
  return st;
}

static tomb_status report(look *l, tomb_report_kind kind, tomb_closure *rows,
                          const tomb_model *model, tomb_error *err) {
  int64_t n = (int64_t)tomb_keys_count(*keys_of(rows, model));
  return tomb_report(l->out->report, kind, model, NULL, n, NULL, err);
}

static tomb_status find_rows(look *l, tomb_error *err) {
  tomb_undoing ahead = l->undoing;
  ahead.assumed = l->above;
  tomb_status st = tomb_gather(&l->coming, l->list, l->n, &ahead, err);
  for (size_t i = 0; st == TOMB_OK && i < l->n; i++) {
    st = find_staying(l, l->list[i], err);
    if (st != TOMB_OK) break;
    st = report(l, TOMB_REPORT_ROWS, &l->coming, l->list[i], err);
    if (st != TOMB_OK) break;
    st = report(l, TOMB_REPORT_HELD, &l->staying, l->list[i], err);
  }
  return st;
}

/* ---- conflicts ---------------------------------------------------- */

/* Of the model's rows with these keys, the dead ones without some. */
static tomb_status select_but(tomb_keys **out, tomb_db *db,
                              const tomb_model *model, const tomb_keys *keys,
                              size_t from, const tomb_keys *some,
                              tomb_error *err) {
  tomb_undoing but = {.settled = true, .skipped = some, .skipped_of = model};
  tomb_query query = tomb_deleted_objects(model);
  query.undoing = &but;
  query.among = keys;
  query.among_from = from;
  query.among_to = tomb_keys_count(keys);
  return tomb_select_keys(out, db, &query, err);
}

/* All of those keys, and then these. */
static tomb_status join(tomb_keys **out, tomb_db *db, const tomb_keys *first,
                        const tomb_keys *then, tomb_error *err) {
  *out = tomb_keys_new(&db->allocator);
  if (*out != NULL && tomb_keys_join(*out, first) &&
      (then == NULL || tomb_keys_join(*out, then))) {
    return TOMB_OK;
  }
  tomb_keys_free(*out);
  *out = NULL;
  return tomb_out_of_memory(err);
}

/* Rows that were asked for have an order, and the others come behind them. */
static tomb_status put_in_order(look *l, const tomb_model *model,
                                const tomb_keys *asked, tomb_error *err) {
  tomb_keys *rest, *all;
  tomb_status st = select_but(&rest, l->db, model, *keys_of(&l->coming, model),
                              0, asked, err);
  if (st != TOMB_OK) return st;
  st = join(&all, l->db, asked, rest, err);
  tomb_keys_free(rest);
  if (st == TOMB_OK) tomb_closure_put(&l->coming, model, all);
  return st;
}

static tomb_status find_conflicts(look *l, tomb_error *err) {
  tomb_status st = TOMB_OK;
  for (size_t i = 0; st == TOMB_OK && i < l->n; i++) {
    const tomb_keys *keys = *keys_of(&l->coming, l->list[i]);
    if (tomb_keys_count(keys) == 0) continue;
    st = tomb_conflicts_of(l->out->conflicts, l->db, l->list[i], keys, err);
  }
  return st;
}

/* ---- dead parents ------------------------------------------------- */

static tomb_status list_parents(tomb_rows *out, tomb_db *db,
                                const tomb_model *model, const tomb_keys *keys,
                                size_t from, bool below, tomb_error *err) {
  tomb_cursor cursor;
  tomb_value row[3] = {
      tomb_text(model->name), {TOMB_NULL, {0}}, tomb_boolean(below)};
  const tomb_field *key = tomb_key_field(model);
  tomb_query query = tomb_all_objects(model);
  query.among = keys;
  query.among_from = from;
  query.among_to = tomb_keys_count(keys);
  if (query.among_from >= query.among_to) return TOMB_OK;
  query.only = &key;
  query.n_only = 1;
  tomb_status st = tomb_select_values(&cursor, db, &query, err);
  if (st != TOMB_OK) return st;
  while ((st = tomb_cursor_next(&cursor, err)) == TOMB_ROW) {
    row[1] = cursor.values[0];
    st = tomb_rows_add(out, row, 3, err);
    if (st != TOMB_OK) break;
  }
  tomb_cursor_close(&cursor);
  return st == TOMB_DONE ? TOMB_OK : st;
}

/* All of the closure but the `own` first rows of the model. */
static tomb_status list_above(tomb_rows *out, const tomb_closure *above,
                              const tomb_model *model, size_t own,
                              tomb_error *err) {
  tomb_status st = TOMB_OK;
  for (size_t i = 0; st == TOMB_OK && i < above->n; i++) {
    size_t from = above->order[i] == model ? own : 0;
    st = list_parents(out, above->db, above->order[i], above->keys[i], from,
                      false, err);
  }
  return st;
}

/* The rows asked for, in their order, and all dead above. */
static tomb_status open_above(tomb_closure *above, size_t *own, tomb_db *db,
                              const tomb_query *query, tomb_error *err) {
  tomb_keys *keys;
  *own = 0;
  tomb_status st = tomb_closure_open(above, db, TOMB_CLOSURE_PARENTS, err);
  if (st == TOMB_OK) st = tomb_select_dead(&keys, db, query, err);
  if (st != TOMB_OK) return st;
  *own = tomb_keys_count(keys);
  tomb_closure_put(above, query->model, keys);
  return tomb_closure_extend(above, err);
}

tomb_status tomb_preview_parents(tomb_rows *out, tomb_db *db,
                                 const tomb_query *query, tomb_error *err) {
  tomb_closure above;
  size_t own;
  if (!tomb_has_relatives(query->model)) return TOMB_OK;
  tomb_status st = open_above(&above, &own, db, query, err);
  if (st == TOMB_OK) st = list_above(out, &above, query->model, own, err);
  tomb_closure_free(&above);
  return st;
}

/* Above rows that stay dead: not those known of anyway. */
static tomb_status list_holders_of(look *l, size_t i, size_t from,
                                   tomb_error *err) {
  const tomb_model *model = l->staying.order[i];
  const tomb_keys *above = l->above == NULL ? NULL : l->above->keys[i];
  tomb_keys *known, *holders;
  if (from == tomb_keys_count(l->staying.keys[i])) return TOMB_OK;
  tomb_status st = join(&known, l->db, l->coming.keys[i], above, err);
  if (st != TOMB_OK) return st;
  st = select_but(&holders, l->db, model, l->staying.keys[i], from, known, err);
  tomb_keys_free(known);
  if (st != TOMB_OK) return st;
  st = list_parents(l->out->parents, l->db, model, holders, 0, true, err);
  tomb_keys_free(holders);
  return st;
}

static tomb_status list_holders(look *l, tomb_error *err) {
  size_t bytes = l->staying.n * sizeof(size_t);
  size_t *own = tomb_realloc(&l->db->allocator, NULL, 0, bytes);
  if (own == NULL) return tomb_out_of_memory(err);
  for (size_t i = 0; i < l->staying.n; i++) {
    own[i] = tomb_keys_count(l->staying.keys[i]);
  }
  tomb_status st = tomb_closure_extend(&l->staying, err);
  for (size_t i = 0; st == TOMB_OK && i < l->staying.n; i++) {
    st = list_holders_of(l, i, own[i], err);
  }
  tomb_release(&l->db->allocator, own, bytes);
  return st;
}

/* ---- the whole ---------------------------------------------------- */

static tomb_status open_look(look *l, tomb_db *db, tomb_foresight *out,
                             tomb_error *err) {
  l->db = db;
  l->out = out;
  l->staying.db = db; /* to be freed */
  tomb_status st = tomb_closure_open(&l->coming, db, TOMB_CLOSURE_PARENTS, err);
  return st == TOMB_OK
             ? tomb_closure_open(&l->staying, db, TOMB_CLOSURE_PARENTS, err)
             : st;
}

static void close_look(look *l) {
  tomb_closure_free(&l->coming);
  tomb_closure_free(&l->staying);
}

static tomb_status look_below(look *l, const tomb_reunion *reunion,
                              tomb_error *err) {
  l->list = reunion->list;
  l->n = reunion->n;
  l->undoing = reunion->undoing;
  tomb_status st = find_rows(l, err);
  if (st == TOMB_OK) {
    st = put_in_order(l, reunion->model, tomb_reunion_keys(reunion), err);
  }
  if (st == TOMB_OK) st = find_conflicts(l, err);
  return st == TOMB_OK ? list_holders(l, err) : st;
}

static tomb_status look_around(tomb_foresight *out, tomb_db *db,
                               const tomb_query *query, bool parents,
                               const tomb_closure *above, tomb_error *err) {
  tomb_reunion reunion;
  look l = {.above = above};
  tomb_status st = tomb_reunion_look(&reunion, db, query, parents, err);
  if (st == TOMB_OK) {
    st = open_look(&l, db, out, err);
    if (st == TOMB_OK) st = look_below(&l, &reunion, err);
    close_look(&l);
  }
  tomb_reunion_free(&reunion);
  return st;
}

/* Nothing goes along with the rows. */
static tomb_status look_at_rows(tomb_foresight *out, tomb_db *db,
                                const tomb_query *query, tomb_error *err) {
  tomb_keys *keys;
  tomb_status st = tomb_select_dead(&keys, db, query, err);
  if (st != TOMB_OK) return st;
  st = tomb_report(out->report, TOMB_REPORT_ROWS, query->model, NULL,
                   (int64_t)tomb_keys_count(keys), NULL, err);
  if (st == TOMB_OK) {
    st = tomb_conflicts_of(out->conflicts, db, query->model, keys, err);
  }
  tomb_keys_free(keys);
  return st;
}

tomb_status tomb_foresee_restore(tomb_foresight *out, tomb_db *db,
                                 const tomb_query *query, bool parents,
                                 tomb_error *err) {
  tomb_closure above;
  size_t own;
  tomb_status st = tomb_need_soft_delete(query->model, "restore", err);
  if (st != TOMB_OK || query->scope == TOMB_LIVING) return st;
  if (tomb_is_undoing(query) || !tomb_has_relatives(query->model)) {
    return look_at_rows(out, db, query, err);
  }
  st = open_above(&above, &own, db, query, err);
  if (st == TOMB_OK) {
    st = list_above(out->parents, &above, query->model, own, err);
  }
  if (st == TOMB_OK) st = look_around(out, db, query, parents, &above, err);
  tomb_closure_free(&above);
  return st;
}

static tomb_status look_at_event(look *l, tomb_error *err) {
  tomb_status st = find_rows(l, err);
  if (st == TOMB_OK) st = find_conflicts(l, err);
  return st == TOMB_OK ? list_holders(l, err) : st;
}

tomb_status tomb_foresee_undo(tomb_foresight *out, tomb_db *db, int64_t event,
                              tomb_error *err) {
  const tomb_value id = tomb_integer(event);
  look l = {.undoing = {.event = &id}};
  size_t bytes = db->n_models * sizeof *l.list;
  const tomb_model **list = tomb_realloc(&db->allocator, NULL, 0, bytes);
  if (list == NULL) return tomb_out_of_memory(err);
  l.n = tomb_models_with_events(list, db);
  l.list = list;
  if (tomb_has_cascades(db)) l.undoing.owners = db->owners;
  tomb_status st = open_look(&l, db, out, err);
  if (st == TOMB_OK) st = look_at_event(&l, err);
  close_look(&l);
  tomb_release(&db->allocator, list, bytes);
  return st;
}
