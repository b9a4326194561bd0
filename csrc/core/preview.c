/* preview.c - what a deletion would take, and which rows go along. */
#include "closure.h"
#include "erase.h"
#include "error.h"
#include "keys.h"
#include "report.h"
#include "reunite.h"
#include "rows.h"

/* ---- deletion ----------------------------------------------------- */

static tomb_status count(tomb_rows *report, const tomb_closure *d, size_t i,
                         tomb_error *err) {
  int64_t living;
  if (tomb_keys_count(d->keys[i]) == 0) return TOMB_OK;
  tomb_status st =
      tomb_count_living(&living, d->db, d->order[i], d->keys[i], err);
  if (st != TOMB_OK) return st;
  return tomb_report(report, TOMB_REPORT_ROWS, d->order[i], NULL, living, NULL,
                     err);
}

/* " AND" the child lives, and so does its parent: one that is dead already does
** not die. */
static void and_both_live(tomb_sql *sql, const tomb_relation *relation) {
  const tomb_model *child = relation->child, *parent = relation->parent;
  if (tomb_is_soft(child)) {
    tomb_sql_add(sql, " AND ");
    tomb_sql_field(sql, child->roles[TOMB_ROLE_DELETED_AT]);
    tomb_sql_add(sql, " IS NULL");
  }
  tomb_sql_add(sql, " AND ");
  tomb_sql_field(sql, relation->field);
  tomb_sql_add(sql, " IN (SELECT ");
  tomb_sql_field(sql, tomb_key_field(parent));
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, parent->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, parent->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NULL)");
}

static tomb_status foresee(tomb_rows *report, const tomb_closure *c,
                           const tomb_relation *relation, tomb_error *err) {
  int64_t needed;
  tomb_status st = tomb_erase_probe(c, relation, err);
  if (st != TOMB_OK) return st;
  and_both_live(&c->db->sql, relation);
  tomb_closure_but(&c->db->sql, c, relation->child);
  return tomb_report_counted(report, TOMB_REPORT_NEEDED, &needed, c->db,
                             relation->child, relation->field, err);
}

/* In the order in which a deletion looks for them. */
static tomb_status foresee_all(tomb_rows *report, const tomb_closure *c,
                               const tomb_model *root, const tomb_model **list,
                               tomb_error *err) {
  tomb_graph graph = {c->db->models, c->db->n_models, c->db->owners};
  size_t n = tomb_models_below(list, 0, &graph, root);
  tomb_parents_first(list, n, 1);
  for (size_t i = 0; i < n; i++) {
    const tomb_relation *r = NULL;
    if (tomb_keys_count(c->keys[tomb_closure_place(c, list[i])]) == 0) continue;
    while ((r = tomb_next_child(&graph, list[i], r)) != NULL) {
      if (r->on_delete != TOMB_RESTRICT) continue;
      tomb_status st = foresee(report, c, r, err);
      if (st != TOMB_OK) return st;
    }
  }
  return TOMB_OK;
}

static tomb_status foresee_refusal(tomb_rows *report, const tomb_closure *c,
                                   const tomb_model *root, tomb_error *err) {
  const tomb_model **list = tomb_realloc(&c->db->allocator, NULL, 0, c->bytes);
  if (list == NULL) return tomb_out_of_memory(err);
  tomb_status st = foresee_all(report, c, root, list, err);
  tomb_release(&c->db->allocator, list, c->bytes);
  return st;
}

tomb_status tomb_preview_delete(tomb_rows *report, tomb_db *db,
                                const tomb_query *query, tomb_error *err) {
  tomb_closure closure;
  tomb_query living = *query;
  tomb_status st = tomb_need_soft_delete(query->model, "delete", err);
  if (st != TOMB_OK || query->scope == TOMB_DEAD) return st;
  living.scope = TOMB_LIVING;
  st = tomb_closure_open(&closure, db, TOMB_CLOSURE_DELETE, err);
  if (st == TOMB_OK) st = tomb_closure_fill(&closure, &living, err);
  for (size_t i = 0; st == TOMB_OK && i < closure.n; i++) {
    st = count(report, &closure, i, err);
  }
  if (st == TOMB_OK) st = foresee_refusal(report, &closure, query->model, err);
  tomb_closure_free(&closure);
  return st;
}

/* ---- restore ------------------------------------------------------ */

tomb_status tomb_preview_undo(tomb_keys **out, tomb_db *db,
                              const tomb_model *model, int64_t event,
                              tomb_error *err) {
  tomb_closure c;
  *out = NULL;
  tomb_value id = tomb_integer(event);
  tomb_undoing undoing = {.event = &id};
  if (tomb_has_cascades(db)) undoing.owners = db->owners;
  tomb_status st = tomb_closure_open(&c, db, TOMB_CLOSURE_PARENTS, err);
  if (st == TOMB_OK) st = tomb_gather(&c, c.order, c.n, &undoing, err);
  if (st == TOMB_OK) {
    size_t i = tomb_closure_place(&c, model);
    *out = c.keys[i];
    c.keys[i] = NULL;
  }
  tomb_closure_free(&c);
  return st;
}

/* Above, and then all below that. */
static tomb_status fill_relatives(tomb_closure *c, tomb_db *db,
                                  const tomb_query *query, tomb_error *err) {
  tomb_closure above;
  tomb_status st = tomb_closure_open(&above, db, TOMB_CLOSURE_PARENTS, err);
  if (st == TOMB_OK) st = tomb_closure_fill(&above, query, err);
  for (size_t i = 0; st == TOMB_OK && i < above.n; i++) {
    tomb_closure_put(c, above.order[i], above.keys[i]);
    above.keys[i] = NULL;
  }
  tomb_closure_free(&above);
  return st == TOMB_OK ? tomb_closure_extend(c, err) : st;
}

tomb_status tomb_preview_along(tomb_keys **out, tomb_db *db,
                               const tomb_query *query, const tomb_model *model,
                               tomb_along which, tomb_error *err) {
  static const tomb_closure_kind kinds[] = {
      TOMB_CLOSURE_DELETE, TOMB_CLOSURE_PURGE, TOMB_CLOSURE_FORGET,
      TOMB_CLOSURE_DELETE};
  tomb_closure c;
  *out = NULL;
  tomb_status st = tomb_closure_open(&c, db, kinds[which], err);
  if (st == TOMB_OK) {
    st = which == TOMB_ALONG_RESTORE ? fill_relatives(&c, db, query, err)
                                     : tomb_closure_fill(&c, query, err);
  }
  if (st == TOMB_OK) {
    size_t i = tomb_closure_place(&c, model);
    *out = c.keys[i];
    c.keys[i] = NULL;
  }
  tomb_closure_free(&c);
  return st;
}
