/* closure.c - rows and all that goes with them, by their keys. */
#include "closure.h"

#include <string.h>

#include "error.h"

size_t tomb_closure_place(const tomb_closure *d, const tomb_model *model) {
  size_t i = 0;
  while (d->order[i] != model) i++;
  return i;
}

void tomb_closure_free(tomb_closure *d) {
  for (size_t i = 0; d->keys != NULL && i < d->n; i++) {
    tomb_keys_free(d->keys[i]);
  }
  tomb_release(&d->db->allocator, d->order, d->bytes);
  tomb_release(&d->db->allocator, d->keys, d->bytes);
}

tomb_status tomb_closure_open(tomb_closure *d, tomb_db *db,
                              tomb_closure_kind kind, tomb_error *err) {
  memset(d, 0, sizeof *d);
  d->db = db;
  d->kind = kind;
  d->bytes = db->n_models * sizeof(void *);
  d->order = tomb_realloc(&db->allocator, NULL, 0, d->bytes);
  d->keys = tomb_realloc(&db->allocator, NULL, 0, d->bytes);
  if (d->order == NULL || d->keys == NULL) return tomb_out_of_memory(err);
  memset(d->keys, 0, d->bytes);
  for (size_t i = 0; i < db->n_models; i++) {
    d->keys[i] = tomb_keys_new(&db->allocator);
    if (d->keys[i] == NULL) return tomb_out_of_memory(err);
    d->order[d->n++] = db->models[i];
  }
  d->ring = tomb_parents_first(d->order, d->n, 0);
  return TOMB_OK;
}

/* ---- as SQL ------------------------------------------------------- */

void tomb_closure_children(tomb_sql *sql, const tomb_closure *d,
                           const tomb_relation *relation, size_t from) {
  tomb_sql_add(sql, relation->child->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, relation->field);
  tomb_sql_among(sql, d->keys[tomb_closure_place(d, relation->parent)], from);
}

void tomb_closure_but(tomb_sql *sql, const tomb_closure *d,
                      const tomb_model *model) {
  const tomb_keys *keys = d->keys[tomb_closure_place(d, model)];
  if (tomb_keys_count(keys) == 0) return;
  tomb_sql_add(sql, " AND ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " NOT");
  tomb_sql_among(sql, keys, 0);
}

/* ---- filling it --------------------------------------------------- */

static tomb_status add_keys(tomb_keys *out, tomb_db *db, tomb_error *err) {
  tomb_cursor cursor;
  tomb_status st = tomb_store_open(&cursor, db, err);
  if (st != TOMB_OK) return st;
  while ((st = tomb_cursor_next(&cursor, err)) == TOMB_ROW) {
    if (!tomb_keys_add(out, &cursor.values[0])) {
      st = tomb_out_of_memory(err);
      break;
    }
  }
  tomb_cursor_close(&cursor);
  return st == TOMB_DONE ? TOMB_OK : st;
}

/* " AND" the children c are dead, where only those count */
static void and_dead(tomb_sql *sql, const tomb_closure *d,
                     const tomb_model *model, const char *alias) {
  if (d->kind == TOMB_CLOSURE_DELETE) return;
  tomb_sql_add(sql, " AND ");
  tomb_sql_add(sql, alias);
  tomb_sql_add(sql, ".");
  tomb_sql_field(sql, model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NOT NULL");
}

/* In its own table a relation is followed to its end at once. */
static void and_further(tomb_sql *sql, const tomb_closure *d,
                        const tomb_relation *relation) {
  const tomb_model *model = relation->child;
  const tomb_field *key = tomb_key_field(model);
  bool up = d->kind == TOMB_CLOSURE_PARENTS;
  tomb_sql_add(sql, " UNION SELECT c.");
  tomb_sql_field(sql, key);
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " AS c JOIN ");
  if (up) {
    tomb_sql_add(sql, model->quoted);
    tomb_sql_add(sql, " AS b ON c.");
    tomb_sql_field(sql, key);
    tomb_sql_add(sql, " = b.");
    tomb_sql_field(sql, relation->field);
    tomb_sql_add(sql, " JOIN tombstone_far ON b.");
    tomb_sql_field(sql, key);
  } else {
    tomb_sql_add(sql, "tombstone_far ON c.");
    tomb_sql_field(sql, relation->field);
  }
  tomb_sql_add(sql, " = tombstone_far.pk WHERE 1 = 1");
  and_dead(sql, d, model, "c");
}

static void open_far(tomb_sql *sql, const tomb_relation *relation) {
  if (relation->child != relation->parent) return;
  tomb_sql_add(sql, "WITH RECURSIVE tombstone_far(pk) AS (");
}

static void close_far(tomb_sql *sql, const tomb_closure *d,
                      const tomb_relation *relation) {
  const tomb_keys *keys = d->keys[tomb_closure_place(d, relation->parent)];
  if (relation->child != relation->parent) return;
  and_further(sql, d, relation);
  tomb_sql_add(sql, ") SELECT pk FROM tombstone_far WHERE pk NOT");
  tomb_sql_among(sql, keys, 0);
}

static tomb_status add_children(tomb_closure *d, const tomb_relation *relation,
                                size_t from, tomb_error *err) {
  const tomb_model *child = relation->child;
  tomb_sql *sql = &d->db->sql;
  tomb_status st = tomb_store_start(d->db, err);
  if (st != TOMB_OK) return st;
  open_far(sql, relation);
  tomb_sql_add(sql, "SELECT ");
  tomb_sql_field(sql, tomb_key_field(child));
  tomb_sql_add(sql, " FROM ");
  tomb_closure_children(sql, d, relation, from);
  and_dead(sql, d, child, child->quoted);
  tomb_closure_but(sql, d, child);
  close_far(sql, d, relation);
  return add_keys(d->keys[tomb_closure_place(d, child)], d->db, err);
}

/* A deletion takes what cascades, dead or alive; a purge all that is dead. */
static bool goes_along(const tomb_closure *d, const tomb_relation *relation) {
  return relation->on_delete == TOMB_CASCADE ||
         (d->kind == TOMB_CLOSURE_PURGE &&
          relation->on_delete == TOMB_RESTRICT &&
          tomb_is_soft(relation->child));
}

static void dead_parents(tomb_sql *sql, const tomb_closure *d,
                         const tomb_relation *relation, size_t from) {
  const tomb_model *child = relation->child, *parent = relation->parent;
  tomb_sql_add(sql, "SELECT ");
  tomb_sql_field(sql, tomb_key_field(parent));
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, parent->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, parent->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NOT NULL AND ");
  tomb_sql_field(sql, tomb_key_field(parent));
  tomb_sql_add(sql, " IN (SELECT c.");
  tomb_sql_field(sql, relation->field);
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, child->quoted);
  tomb_sql_add(sql, " AS c WHERE c.");
  tomb_sql_field(sql, tomb_key_field(child));
  tomb_sql_among(sql, d->keys[tomb_closure_place(d, child)], from);
  tomb_sql_add(sql, ")");
  tomb_closure_but(sql, d, parent);
}

static tomb_status add_parents(tomb_closure *d, size_t i, size_t from,
                               tomb_error *err) {
  const tomb_model *model = d->order[i];
  for (size_t j = 0; j < model->n_relations; j++) {
    const tomb_relation *relation = &model->relations[j];
    if (!tomb_needs_parent(relation)) continue;
    tomb_status st = tomb_store_start(d->db, err);
    if (st != TOMB_OK) return st;
    open_far(&d->db->sql, relation);
    dead_parents(&d->db->sql, d, relation, from);
    close_far(&d->db->sql, d, relation);
    st = add_keys(d->keys[tomb_closure_place(d, relation->parent)], d->db, err);
    if (st != TOMB_OK) return st;
  }
  return TOMB_OK;
}

/* The children of the i-th model's rows from that one on. */
static tomb_status add_below(tomb_closure *d, size_t i, size_t from,
                             tomb_error *err) {
  tomb_graph graph = {d->db->models, d->db->n_models, d->db->owners};
  const tomb_relation *r = NULL;
  while ((r = tomb_next_child(&graph, d->order[i], r)) != NULL) {
    if (!goes_along(d, r)) continue;
    tomb_status st = add_children(d, r, from, err);
    if (st != TOMB_OK) return st;
  }
  return TOMB_OK;
}

/* Parents come first: one walk is enough, but for a ring or a tree, whose new
** rows are looked at in their turn. `seen` counts those looked at, by model. */
static tomb_status add_all(tomb_closure *d, size_t *seen, tomb_error *err) {
  bool news = true;
  while (news) {
    news = false;
    for (size_t i = 0; i < d->n; i++) {
      size_t from = seen[i], to = tomb_keys_count(d->keys[i]);
      if (from == to) continue;
      seen[i] = to;
      tomb_status st = d->kind == TOMB_CLOSURE_PARENTS
                           ? add_parents(d, i, from, err)
                           : add_below(d, i, from, err);
      if (st != TOMB_OK) return st;
      news = true;
    }
  }
  return TOMB_OK;
}

void tomb_closure_put(tomb_closure *d, const tomb_model *model,
                      tomb_keys *keys) {
  size_t i = tomb_closure_place(d, model);
  tomb_keys_free(d->keys[i]);
  d->keys[i] = keys;
}

tomb_status tomb_closure_extend(tomb_closure *d, tomb_error *err) {
  size_t bytes = d->n * sizeof(size_t);
  size_t *seen = tomb_realloc(&d->db->allocator, NULL, 0, bytes);
  if (seen == NULL) return tomb_out_of_memory(err);
  memset(seen, 0, bytes);
  tomb_status st = add_all(d, seen, err);
  tomb_release(&d->db->allocator, seen, bytes);
  return st;
}

tomb_status tomb_closure_fill(tomb_closure *d, const tomb_query *query,
                              tomb_error *err) {
  tomb_keys *keys;
  tomb_status st = tomb_select_keys(&keys, d->db, query, err);
  if (st != TOMB_OK) return st;
  tomb_closure_put(d, query->model, keys);
  return tomb_closure_extend(d, err);
}
