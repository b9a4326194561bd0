/* closure.c - rows and all that goes with them, by their keys. */
#include "closure.h"

#include <string.h>

#include "error.h"

size_t tomb_closure_place(const tomb_closure *c, const tomb_model *model) {
  size_t i = 0;
  while (c->order[i] != model) i++;
  return i;
}

void tomb_closure_free(tomb_closure *c) {
  if (c->db == NULL) return; /* memory ran out before it was opened */
  for (size_t i = 0; c->keys != NULL && i < c->n; i++) {
    tomb_keys_free(c->keys[i]);
  }
  tomb_release(&c->db->allocator, c->order, c->bytes);
  tomb_release(&c->db->allocator, c->keys, c->bytes);
}

tomb_status tomb_closure_open(tomb_closure *c, tomb_db *db,
                              tomb_closure_kind kind, tomb_error *err) {
  memset(c, 0, sizeof *c);
  c->db = db;
  c->kind = kind;
  c->bytes = db->n_models * sizeof(void *);
  c->order = tomb_realloc(&db->allocator, NULL, 0, c->bytes);
  c->keys = tomb_realloc(&db->allocator, NULL, 0, c->bytes);
  if (c->order == NULL || c->keys == NULL) return tomb_out_of_memory(err);
  memset(c->keys, 0, c->bytes);
  for (size_t i = 0; i < db->n_models; i++) {
    c->keys[i] = tomb_keys_new(&db->allocator);
    if (c->keys[i] == NULL) return tomb_out_of_memory(err);
    c->order[c->n++] = db->models[i];
  }
  c->ring = tomb_parents_first(c->order, c->n, 0);
  return TOMB_OK;
}

/* ---- as SQL ------------------------------------------------------- */

void tomb_closure_children(tomb_sql *sql, const tomb_closure *c,
                           const tomb_relation *relation, size_t from) {
  tomb_sql_add(sql, relation->child->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, relation->field);
  tomb_sql_among(sql, c->keys[tomb_closure_place(c, relation->parent)], from);
}

void tomb_closure_but(tomb_sql *sql, const tomb_closure *c,
                      const tomb_model *model) {
  const tomb_keys *keys = c->keys[tomb_closure_place(c, model)];
  if (tomb_keys_count(keys) == 0) return;
  tomb_sql_add(sql, " AND ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " NOT");
  tomb_sql_among(sql, keys, 0);
}

/* ---- filling it --------------------------------------------------- */

/* " AND" the children are dead, where only those count */
static void and_dead(tomb_sql *sql, const tomb_closure *c,
                     const tomb_relation *relation, const char *alias) {
  const tomb_model *model = relation->child;
  bool cascades = relation->on_delete == TOMB_CASCADE;
  if (c->kind == TOMB_CLOSURE_DELETE) return;
  if (c->kind == TOMB_CLOSURE_FORGET && cascades) return;
  const tomb_keys *dying = NULL;
  if (c->dying != NULL) {
    dying = c->dying->keys[tomb_closure_place(c->dying, model)];
    if (tomb_keys_count(dying) == 0) dying = NULL;
  }
  tomb_sql_add(sql, dying == NULL ? " AND " : " AND (");
  tomb_sql_field_of(sql, alias, model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NOT NULL");
  if (dying == NULL) return;
  tomb_sql_add(sql, " OR ");
  tomb_sql_field_of(sql, alias, tomb_key_field(model));
  tomb_sql_among(sql, dying, 0);
  tomb_sql_add(sql, ")");
}

/* In its own table a relation is followed to its end at once. */
static void and_further(tomb_sql *sql, const tomb_closure *c,
                        const tomb_relation *relation) {
  const tomb_model *model = relation->child;
  const tomb_field *key = tomb_key_field(model);
  bool up = c->kind == TOMB_CLOSURE_PARENTS;
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
  and_dead(sql, c, relation, "c");
}

static void open_far(tomb_sql *sql, const tomb_relation *relation) {
  if (relation->child != relation->parent) return;
  tomb_sql_add(sql, "WITH RECURSIVE tombstone_far(pk) AS (");
}

static void close_far(tomb_sql *sql, const tomb_closure *c,
                      const tomb_relation *relation) {
  const tomb_keys *keys = c->keys[tomb_closure_place(c, relation->parent)];
  if (relation->child != relation->parent) return;
  and_further(sql, c, relation);
  tomb_sql_add(sql, ") SELECT pk FROM tombstone_far WHERE pk NOT");
  tomb_sql_among(sql, keys, 0);
}

static tomb_status add_children(tomb_closure *c, const tomb_relation *relation,
                                size_t from, tomb_error *err) {
  const tomb_model *child = relation->child;
  tomb_sql *sql = &c->db->sql;
  tomb_status st = tomb_store_start(c->db, err);
  if (st != TOMB_OK) return st;
  open_far(sql, relation);
  tomb_sql_add(sql, "SELECT ");
  tomb_sql_field(sql, tomb_key_field(child));
  tomb_sql_add(sql, " FROM ");
  tomb_closure_children(sql, c, relation, from);
  and_dead(sql, c, relation, child->quoted);
  tomb_closure_but(sql, c, child);
  close_far(sql, c, relation);
  return tomb_add_keys(c->keys[tomb_closure_place(c, child)], c->db, err);
}

/* A deletion takes what cascades, dead or alive; a purge all that is dead. */
static bool goes_along(const tomb_closure *c, const tomb_relation *relation) {
  return relation->on_delete == TOMB_CASCADE ||
         (c->kind != TOMB_CLOSURE_DELETE &&
          relation->on_delete == TOMB_RESTRICT &&
          tomb_is_soft(relation->child));
}

static void dead_parents(tomb_sql *sql, const tomb_closure *c,
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
  tomb_sql_among(sql, c->keys[tomb_closure_place(c, child)], from);
  tomb_sql_add(sql, ")");
  tomb_closure_but(sql, c, parent);
}

static tomb_status add_parents(tomb_closure *c, size_t i, size_t from,
                               tomb_error *err) {
  const tomb_model *model = c->order[i];
  for (size_t j = 0; j < model->n_relations; j++) {
    const tomb_relation *relation = &model->relations[j];
    if (!tomb_needs_parent(relation)) continue;
    tomb_status st = tomb_store_start(c->db, err);
    if (st != TOMB_OK) return st;
    open_far(&c->db->sql, relation);
    dead_parents(&c->db->sql, c, relation, from);
    close_far(&c->db->sql, c, relation);
    st = tomb_add_keys(c->keys[tomb_closure_place(c, relation->parent)], c->db,
                       err);
    if (st != TOMB_OK) return st;
  }
  return TOMB_OK;
}

/* The children of the i-th model's rows from that one on. */
static tomb_status add_below(tomb_closure *c, size_t i, size_t from,
                             tomb_error *err) {
  tomb_graph graph = {c->db->models, c->db->n_models, c->db->owners};
  const tomb_relation *r = NULL;
  while ((r = tomb_next_child(&graph, c->order[i], r)) != NULL) {
    if (!goes_along(c, r)) continue;
    tomb_status st = add_children(c, r, from, err);
    if (st != TOMB_OK) return st;
  }
  return TOMB_OK;
}

/* Parents come first: one walk is enough, but for a ring or a tree, whose new
** rows are looked at in their turn. `seen` counts those looked at, by model. */
static tomb_status add_all(tomb_closure *c, size_t *seen, tomb_error *err) {
  bool news = true;
  while (news) {
    news = false;
    for (size_t i = 0; i < c->n; i++) {
      size_t from = seen[i], to = tomb_keys_count(c->keys[i]);
      if (from == to) continue;
      seen[i] = to;
      tomb_status st = c->kind == TOMB_CLOSURE_PARENTS
                           ? add_parents(c, i, from, err)
                           : add_below(c, i, from, err);
      if (st != TOMB_OK) return st;
      news = true;
    }
  }
  return TOMB_OK;
}

void tomb_closure_put(tomb_closure *c, const tomb_model *model,
                      tomb_keys *keys) {
  size_t i = tomb_closure_place(c, model);
  tomb_keys_free(c->keys[i]);
  c->keys[i] = keys;
}

tomb_status tomb_closure_extend(tomb_closure *c, tomb_error *err) {
  size_t bytes = c->n * sizeof(size_t);
  size_t *seen = tomb_realloc(&c->db->allocator, NULL, 0, bytes);
  if (seen == NULL) return tomb_out_of_memory(err);
  memset(seen, 0, bytes);
  tomb_status st = add_all(c, seen, err);
  tomb_release(&c->db->allocator, seen, bytes);
  return st;
}

tomb_status tomb_closure_fill(tomb_closure *c, const tomb_query *query,
                              tomb_error *err) {
  tomb_keys *keys;
  tomb_status st = tomb_select_keys(&keys, c->db, query, err);
  if (st != TOMB_OK) return st;
  tomb_closure_put(c, query->model, keys);
  return tomb_closure_extend(c, err);
}

size_t tomb_models_with_events(const tomb_model **list, const tomb_db *db) {
  size_t n = 0;
  for (size_t i = 0; i < db->n_models; i++) {
    const tomb_model *model = db->models[i];
    if (model->roles[TOMB_ROLE_DELETED_EVENT] != NULL) list[n++] = model;
  }
  return n;
}
