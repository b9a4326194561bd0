/*
** erase.c - purging rows that others point to: with them go the dead that need
** them, children before parents; rows that are kept lose the link.
*/
#include "erase.h"
#include "error.h"
#include "report.h"

/* ---- who stays ---------------------------------------------------- */

static const tomb_keys *keys_of(const tomb_closure *c,
                                const tomb_model *model) {
  return c->keys[tomb_closure_place(c, model)];
}

tomb_status tomb_erase_probe(const tomb_closure *c,
                             const tomb_relation *relation, tomb_error *err) {
  tomb_sql *sql = &c->db->sql;
  tomb_status st = tomb_store_start(c->db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(sql, "SELECT count(*), min(");
  tomb_sql_field(sql, tomb_key_field(relation->child));
  tomb_sql_add(sql, ") FROM ");
  tomb_closure_children(sql, c, relation, 0);
  return TOMB_OK;
}

static tomb_status probe(const tomb_closure *c, const tomb_relation *relation,
                         bool also, tomb_error *err) {
  tomb_status st = tomb_erase_probe(c, relation, err);
  if (st != TOMB_OK) return st;
  tomb_closure_but(&c->db->sql, c, relation->child);
  return tomb_refuse_needed(c->db, relation, "purge", also, err);
}

static tomb_status start_unlink(const tomb_closure *c,
                                const tomb_relation *relation,
                                tomb_error *err) {
  tomb_sql *sql = &c->db->sql;
  tomb_status st = tomb_store_start_write(c->db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(sql, "UPDATE ");
  tomb_sql_add(sql, relation->child->quoted);
  tomb_sql_add(sql, " SET ");
  tomb_sql_field(sql, relation->field);
  tomb_sql_add(sql, " = NULL WHERE ");
  tomb_sql_field(sql, relation->field);
  tomb_sql_among(sql, keys_of(c, relation->parent), 0);
  return TOMB_OK;
}

/* Rows that go as well, but later than what they point to. */
static tomb_status unlink_gone(const tomb_closure *c,
                               const tomb_relation *relation, tomb_error *err) {
  tomb_sql *sql = &c->db->sql;
  const tomb_keys *keys = keys_of(c, relation->child);
  size_t child = tomb_closure_place(c, relation->child);
  if (tomb_keys_count(keys) == 0) return TOMB_OK;
  if (child >= tomb_closure_place(c, relation->parent)) return TOMB_OK;
  tomb_status st = start_unlink(c, relation, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(sql, " AND ");
  tomb_sql_field(sql, tomb_key_field(relation->child));
  tomb_sql_among(sql, keys, 0);
  return tomb_store_run(c->db, NULL, err);
}

static tomb_status unlink(const tomb_closure *c, const tomb_relation *relation,
                          tomb_rows *report, tomb_error *err) {
  tomb_status st = start_unlink(c, relation, err);
  if (st != TOMB_OK) return st;
  tomb_closure_but(&c->db->sql, c, relation->child);
  st = tomb_store_run(c->db, NULL, err);
  if (st != TOMB_OK) return st;
  st = tomb_report_changes(report, TOMB_REPORT_KEPT, c->db, relation->child,
                           relation->field, err);
  return st == TOMB_OK ? unlink_gone(c, relation, err) : st;
}

static tomb_status foresee(const tomb_closure *c, const tomb_relation *relation,
                           tomb_rows *report, tomb_error *err) {
  int64_t count;
  tomb_report_kind kind =
      relation->on_delete == TOMB_KEEP ? TOMB_REPORT_KEPT : TOMB_REPORT_NEEDED;
  tomb_status st = tomb_erase_probe(c, relation, err);
  if (st != TOMB_OK) return st;
  tomb_closure_but(&c->db->sql, c, relation->child);
  return tomb_report_counted(report, kind, &count, c->db, relation->child,
                             relation->field, err);
}

/* What becomes of the children of rows that go: living ones refuse the purge, kept
** ones lose the link, unless it is refused already. */
static tomb_status settle(const tomb_closure *c, const tomb_relation *r,
                          bool refused, tomb_rows *report, tomb_error *err) {
  if (r->on_delete != TOMB_KEEP) return probe(c, r, refused, err);
  return refused ? TOMB_OK : unlink(c, r, report, err);
}

static tomb_status settle_children(const tomb_closure *c, bool dry_run,
                                   tomb_rows *report, tomb_error *err) {
  tomb_graph graph = {c->db->models, c->db->n_models, c->db->owners};
  bool refused = false;
  for (size_t i = 0; i < c->n; i++) {
    const tomb_relation *r = NULL;
    if (tomb_keys_count(c->keys[i]) == 0) continue;
    while ((r = tomb_next_child(&graph, c->order[i], r)) != NULL) {
      tomb_status st = dry_run ? foresee(c, r, report, err)
                               : settle(c, r, refused, report, err);
      if (st != TOMB_OK && st != TOMB_RESTRICTED) return st;
      refused = refused || st == TOMB_RESTRICTED;
    }
  }
  return refused ? TOMB_RESTRICTED : TOMB_OK;
}

/* ---- the end ------------------------------------------------------ */

static tomb_status erase(const tomb_closure *c, size_t i, tomb_error *err) {
  const tomb_model *model = c->order[i];
  tomb_sql *sql = &c->db->sql;
  tomb_status st = tomb_store_start_write(c->db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(sql, "DELETE FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_among(sql, c->keys[i], 0);
  st = tomb_store_run(c->db, NULL, err);
  return st == TOMB_INTEGRITY
             ? tomb_refused(c->db, model, "purge records", NULL, err)
             : st;
}

static tomb_status disown(const tomb_closure *c, size_t i, tomb_error *err) {
  tomb_sql *sql = &c->db->sql;
  tomb_status st = tomb_store_start_write(c->db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(sql, "DELETE FROM ");
  tomb_sql_add(sql, c->db->owners->quoted);
  tomb_sql_add(sql, " WHERE \"model\" = ");
  tomb_sql_name_of(sql, c->order[i]);
  tomb_sql_add(sql, " AND \"pk\"");
  tomb_sql_among_texts(sql, c->keys[i]);
  return tomb_store_run(c->db, NULL, err);
}

/* True where rows that go point to each other in a ring of tables. */
static bool needs_deferral(const tomb_closure *c) {
  for (size_t i = 0; c->ring && i < c->n; i++) {
    const tomb_model *model = c->order[i];
    if (tomb_keys_count(c->keys[i]) == 0) continue;
    for (size_t j = 0; j < model->n_relations; j++) {
      const tomb_model *parent = model->relations[j].parent;
      if (parent == NULL) continue;
      size_t place = tomb_closure_place(c, parent);
      if (place > i && tomb_keys_count(c->keys[place]) > 0) return true;
    }
  }
  return false;
}

static tomb_status erase_all(int64_t *purged, const tomb_closure *c,
                             const tomb_model *root, tomb_rows *report,
                             tomb_error *err) {
  tomb_status st = TOMB_OK;
  bool owned = tomb_has_cascades(c->db);
  for (size_t i = c->n; st == TOMB_OK && i-- > 0;) {
    if (tomb_keys_count(c->keys[i]) == 0) continue;
    st = erase(c, i, err);
    if (st != TOMB_OK) return st;
    if (c->order[i] == root) *purged = tomb_store_changes(c->db);
    st = tomb_report_changes(report, TOMB_REPORT_ROWS, c->db, c->order[i], NULL,
                             err);
    if (st == TOMB_OK && owned) st = disown(c, i, err);
  }
  return st;
}

static tomb_status are_deferred(int64_t *out, tomb_db *db, tomb_error *err) {
  *out = 1; /* until the end of the transaction, which is ours */
  if (!db->inside) return TOMB_OK;
  tomb_status st = tomb_store_start(db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(&db->sql, db->driver->dialect->keys_deferred);
  return tomb_store_integer(out, db, err);
}

static tomb_status erase_deferred(int64_t *purged, const tomb_closure *c,
                                  const tomb_model *root, tomb_rows *report,
                                  tomb_error *err) {
  const tomb_dialect *d = c->db->driver->dialect;
  int64_t before;
  tomb_status st = are_deferred(&before, c->db, err);
  if (st != TOMB_OK) return st;
  st = tomb_store_text(c->db, d->defer_keys, err);
  if (st == TOMB_OK) st = erase_all(purged, c, root, report, err);
  if (before == 0) tomb_store_text(c->db, d->defer_no_more, NULL);
  return st;
}

tomb_status tomb_erase_closure(int64_t *purged, const tomb_closure *c,
                               const tomb_model *model, tomb_rows *report,
                               tomb_error *err) {
  *purged = 0;
  tomb_status st = settle_children(c, false, report, err);
  if (st != TOMB_OK) return st;
  return needs_deferral(c) ? erase_deferred(purged, c, model, report, err)
                           : erase_all(purged, c, model, report, err);
}

tomb_status tomb_preview_closure(int64_t *purged, const tomb_closure *c,
                                 const tomb_model *model, tomb_rows *report,
                                 tomb_error *err) {
  tomb_status st = settle_children(c, true, report, err);
  for (size_t i = 0; st == TOMB_OK && i < c->n; i++) {
    int64_t count = (int64_t)tomb_keys_count(c->keys[i]);
    st = tomb_report(report, TOMB_REPORT_ROWS, c->order[i], NULL, count, NULL,
                     err);
  }
  *purged = st == TOMB_OK ? (int64_t)tomb_keys_count(keys_of(c, model)) : 0;
  return st;
}

tomb_status tomb_erase_family(int64_t *purged, tomb_db *db,
                              const tomb_query *query, tomb_rows *report,
                              tomb_error *err) {
  tomb_closure c;
  *purged = 0;
  tomb_status st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = tomb_closure_open(&c, db, TOMB_CLOSURE_PURGE, err);
  if (st == TOMB_OK) st = tomb_closure_fill(&c, query, err);
  if (st == TOMB_OK) {
    st = tomb_erase_closure(purged, &c, query->model, report, err);
  }
  tomb_closure_free(&c);
  st = tomb_store_leave(db, st, err);
  if (st != TOMB_OK) *purged = 0;
  return st;
}
