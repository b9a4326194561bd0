/*
** erase.c - purging rows that others point to: with them go the dead that need
** them, children before parents; rows that are kept lose the link.
*/
#include "erase.h"
#include "closure.h"
#include "error.h"

/* ---- who stays ---------------------------------------------------- */

static tomb_status refuse(const tomb_relation *relation, int64_t count,
                          const tomb_value *pk, tomb_error *err) {
  tomb_fail(err, TOMB_RESTRICTED,
            "Cannot purge records - %lld of %s still need them",
            (long long)count, relation->child->name);
  tomb_error_model(err, relation->child->name);
  tomb_error_field(err, relation->field->name, "%s",
                   "points to what would be purged");
  tomb_error_hint(err, "purge or move the rows of %s first",
                  relation->child->name);
  if (err == NULL) return TOMB_RESTRICTED;
  err->has_live_pk = true;
  tomb_keep_value(&err->live_pk, pk);
  return TOMB_RESTRICTED;
}

static tomb_status probe(const tomb_closure *d, const tomb_relation *relation,
                         tomb_error *err) {
  tomb_sql *sql = &d->db->sql;
  tomb_cursor cursor;
  tomb_status st = tomb_store_start(d->db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(sql, "SELECT count(*), min(");
  tomb_sql_field(sql, tomb_key_field(relation->child));
  tomb_sql_add(sql, ") FROM ");
  tomb_closure_children(sql, d, relation, 0);
  tomb_closure_but(sql, d, relation->child);
  st = tomb_store_open(&cursor, d->db, err);
  if (st != TOMB_OK) return st;
  st = tomb_cursor_next(&cursor, err);
  if (st == TOMB_ROW) {
    int64_t count = cursor.values[0].as.integer;
    st = count == 0 ? TOMB_OK : refuse(relation, count, &cursor.values[1], err);
  }
  tomb_cursor_close(&cursor);
  return st;
}

static tomb_status unlink(const tomb_closure *d, const tomb_relation *relation,
                          tomb_error *err) {
  tomb_sql *sql = &d->db->sql;
  tomb_status st = tomb_store_start_write(d->db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(sql, "UPDATE ");
  tomb_sql_add(sql, relation->child->quoted);
  tomb_sql_add(sql, " SET ");
  tomb_sql_field(sql, relation->field);
  tomb_sql_add(sql, " = NULL WHERE ");
  tomb_sql_field(sql, relation->field);
  tomb_sql_among(sql, d->keys[tomb_closure_place(d, relation->parent)], 0);
  return tomb_store_run(d->db, NULL, err);
}

/* Living rows refuse the purge, kept ones lose the link. */
static tomb_status settle_children(const tomb_closure *d, tomb_error *err) {
  tomb_graph graph = {d->db->models, d->db->n_models, d->db->owners};
  for (size_t i = 0; i < d->n; i++) {
    const tomb_relation *r = NULL;
    if (tomb_keys_count(d->keys[i]) == 0) continue;
    while ((r = tomb_next_child(&graph, d->order[i], r)) != NULL) {
      tomb_status st =
          r->on_delete == TOMB_KEEP ? unlink(d, r, err) : probe(d, r, err);
      if (st != TOMB_OK) return st;
    }
  }
  return TOMB_OK;
}

/* ---- the end ------------------------------------------------------ */

static tomb_status erase(const tomb_closure *d, size_t i, tomb_error *err) {
  const tomb_model *model = d->order[i];
  tomb_sql *sql = &d->db->sql;
  tomb_status st = tomb_store_start_write(d->db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(sql, "DELETE FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_among(sql, d->keys[i], 0);
  st = tomb_store_run(d->db, NULL, err);
  return st == TOMB_INTEGRITY
             ? tomb_refused(d->db, model, "purge records", NULL, err)
             : st;
}

static tomb_status disown(const tomb_closure *d, size_t i, tomb_error *err) {
  tomb_sql *sql = &d->db->sql;
  tomb_value name = tomb_text(d->order[i]->name), json;
  tomb_status st = tomb_store_start_write(d->db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(sql, "DELETE FROM ");
  tomb_sql_add(sql, d->db->owners->quoted);
  tomb_sql_add(sql, " WHERE \"model\" = ");
  tomb_sql_value(sql, &name);
  tomb_sql_add(sql, " AND \"pk\" IN (SELECT CAST(tombstone_pk AS text) FROM ");
  if (!tomb_keys_json(&json, d->keys[i], 0, tomb_keys_count(d->keys[i]),
                      &sql->bytes)) {
    return tomb_out_of_memory(err);
  }
  sql->dialect->key_list(sql, &json);
  tomb_sql_add(sql, " AS k)");
  return tomb_store_run(d->db, NULL, err);
}

/* True where rows that go point to each other in a ring of tables. */
static bool needs_deferral(const tomb_closure *d) {
  for (size_t i = 0; d->ring && i < d->n; i++) {
    const tomb_model *model = d->order[i];
    if (tomb_keys_count(d->keys[i]) == 0) continue;
    for (size_t j = 0; j < model->n_relations; j++) {
      const tomb_model *parent = model->relations[j].parent;
      if (parent == NULL) continue;
      size_t place = tomb_closure_place(d, parent);
      if (place > i && tomb_keys_count(d->keys[place]) > 0) return true;
    }
  }
  return false;
}

static tomb_status erase_all(const tomb_closure *d, tomb_error *err) {
  tomb_status st = TOMB_OK;
  bool owned = tomb_has_cascades(d->db);
  if (needs_deferral(d)) {
    st = tomb_store_text(d->db, d->db->driver->dialect->defer_keys, err);
  }
  for (size_t i = d->n; st == TOMB_OK && i-- > 0;) {
    if (tomb_keys_count(d->keys[i]) == 0) continue;
    st = erase(d, i, err);
    if (st == TOMB_OK && owned) st = disown(d, i, err);
  }
  return st;
}

static tomb_status erase_below(int64_t *purged, tomb_closure *d,
                               const tomb_query *query, tomb_error *err) {
  size_t root = tomb_closure_place(d, query->model);
  tomb_status st = tomb_closure_fill(d, query, err);
  if (st == TOMB_OK) st = settle_children(d, err);
  if (st == TOMB_OK) st = erase_all(d, err);
  if (st == TOMB_OK) *purged = (int64_t)tomb_keys_count(d->keys[root]);
  return st;
}

tomb_status tomb_erase_family(int64_t *purged, tomb_db *db,
                              const tomb_query *query, tomb_error *err) {
  tomb_closure d;
  *purged = 0;
  tomb_status st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = tomb_closure_open(&d, db, TOMB_CLOSURE_PURGE, err);
  if (st == TOMB_OK) st = erase_below(purged, &d, query, err);
  tomb_closure_free(&d);
  st = tomb_store_leave(db, st, err);
  if (st != TOMB_OK) *purged = 0;
  return st;
}
