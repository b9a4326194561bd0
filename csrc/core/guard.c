/*
** guard.c - no row is created or moved under a dead parent.
**
** The statement that writes says so itself: it writes nothing where a parent
** does not live. Then it is asked which one.
*/
#include "error.h"
#include "undoing.h"
#include "value.h"
#include "verbs.h"

/* ---- as SQL ------------------------------------------------------- */

/* A parent that cannot die is the foreign key's business. */
static bool is_guarded(const tomb_relation *relation, const tomb_value *value) {
  return value != NULL && tomb_is_given(value) && relation->parent != NULL &&
         tomb_is_soft(relation->parent);
}

static const tomb_value *assigned(const tomb_statement *statement,
                                  const tomb_field *field) {
  for (size_t i = 0; i < statement->n_assignments; i++) {
    const tomb_assignment *a = &statement->assignments[i];
    if (a->field == field) return a->expr == NULL ? &a->value : NULL;
  }
  return NULL;
}

static void parent_lives(tomb_sql *sql, const tomb_model *parent,
                         const tomb_value *key) {
  tomb_sql_add(sql, "EXISTS (SELECT 1 FROM ");
  tomb_sql_add(sql, parent->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, tomb_key_field(parent));
  tomb_sql_add(sql, " = ");
  tomb_sql_value(sql, key);
  tomb_sql_add(sql, " AND ");
  tomb_sql_field(sql, parent->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NULL");
  tomb_sql_add(sql, sql->dialect->lock_parent);
  tomb_sql_add(sql, ")");
}

/* The living row that an upsert would update points there already, or is not
** told to. */
static void twin_is_there(tomb_sql *sql, const tomb_statement *statement,
                          const tomb_relation *relation,
                          const tomb_value *key) {
  const tomb_model *model = statement->model;
  const tomb_upsert *upsert = statement->upsert;
  const tomb_field *stamp = model->roles[TOMB_ROLE_DELETED_AT];
  tomb_sql_add(sql, "EXISTS (SELECT 1 FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " AS w WHERE 1 = 1");
  if (assigned(statement, relation->field) != NULL) {
    tomb_sql_add(sql, " AND w.");
    tomb_sql_field(sql, relation->field);
    tomb_sql_add(sql, " = ");
    tomb_sql_value(sql, key);
  }
  for (size_t i = 0; i < upsert->n_on; i++) {
    tomb_sql_add(sql, " AND w.");
    tomb_sql_field(sql, upsert->on[i]);
    tomb_sql_add(sql, " = ");
    tomb_sql_value(sql, &statement->values[upsert->on[i]->index]);
  }
  if (stamp != NULL) {
    tomb_sql_add(sql, " AND w.");
    tomb_sql_field(sql, stamp);
    tomb_sql_add(sql, " IS NULL");
  }
  tomb_sql_add(sql, sql->dialect->lock_twin);
  tomb_sql_add(sql, ")");
}

static const tomb_value *given(const tomb_statement *statement,
                               const tomb_relation *relation) {
  return statement->values == NULL ? assigned(statement, relation->field)
                                   : &statement->values[relation->field->index];
}

bool tomb_has_new_parents(const tomb_statement *statement) {
  const tomb_model *model = statement->model;
  bool has = false;
  for (size_t i = 0; i < model->n_relations; i++) {
    const tomb_relation *relation = &model->relations[i];
    has = has || is_guarded(relation, given(statement, relation));
  }
  return has;
}

void tomb_sql_new_parents_live(tomb_sql *sql, const tomb_statement *statement) {
  const tomb_model *model = statement->model;
  bool first = true;
  for (size_t i = 0; i < model->n_relations; i++) {
    const tomb_relation *relation = &model->relations[i];
    const tomb_value *key = given(statement, relation);
    if (!is_guarded(relation, key)) continue;
    tomb_sql_join(sql, &first, " WHERE ", " AND ");
    if (statement->upsert == NULL) {
      parent_lives(sql, relation->parent, key);
      continue;
    }
    tomb_sql_add(sql, "(");
    parent_lives(sql, relation->parent, key);
    tomb_sql_add(sql, " OR ");
    twin_is_there(sql, statement, relation, key);
    tomb_sql_add(sql, ")");
  }
}

/* A row may stay where it is: a parent that is kept may be dead. */
void tomb_sql_next_parents_live(tomb_sql *sql, const tomb_statement *statement,
                                bool *first) {
  const tomb_model *model = statement->model;
  for (size_t i = 0; i < model->n_relations; i++) {
    const tomb_relation *relation = &model->relations[i];
    const tomb_value *key = assigned(statement, relation->field);
    if (!is_guarded(relation, key)) continue;
    tomb_sql_join(sql, first, " WHERE ", " AND ");
    tomb_sql_add(sql, "(");
    tomb_sql_add(sql, model->quoted);
    tomb_sql_add(sql, ".");
    tomb_sql_field(sql, relation->field);
    tomb_sql_add(sql, " = ");
    tomb_sql_value(sql, key);
    tomb_sql_add(sql, " OR ");
    parent_lives(sql, relation->parent, key);
    tomb_sql_add(sql, ")");
  }
}

/* ---- in words ----------------------------------------------------- */

static tomb_status refuse_dead(const tomb_relation *relation,
                               const tomb_value *key, const char *verb,
                               tomb_error *err) {
  char shown[96];
  tomb_show_value(shown, sizeof shown, key);
  tomb_fail(err, TOMB_PARENT_DELETED, "Cannot %s - %s %s is deleted", verb,
            relation->parent->name, shown);
  tomb_error_hint(err, "restore %s %s first", relation->parent->name, shown);
  tomb_error_field(err, relation->field->name, "%s", "points to a deleted row");
  if (err == NULL) return TOMB_PARENT_DELETED;
  err->has_dead_pk = true;
  tomb_keep_value(&err->dead_pk, key);
  return TOMB_PARENT_DELETED;
}

static tomb_status refuse_missing(const tomb_relation *relation,
                                  const tomb_value *key, const char *verb,
                                  tomb_error *err) {
  char shown[96];
  tomb_show_value(shown, sizeof shown, key);
  tomb_fail(err, TOMB_INTEGRITY, "Cannot %s - there is no %s %s", verb,
            relation->parent->name, shown);
  tomb_error_field(err, relation->field->name, "%s", "points to no row");
  if (err != NULL) err->constraint = TOMB_CONSTRAINT_FOREIGN_KEY;
  return TOMB_INTEGRITY;
}

static tomb_status check_parent(tomb_db *db, const tomb_relation *relation,
                                const tomb_value *key, const char *verb,
                                tomb_error *err) {
  tomb_row_query storage;
  bool lives, is_there;
  tomb_query living = tomb_objects(relation->parent);
  tomb_query every = tomb_all_objects(relation->parent);
  tomb_status st =
      tomb_exists(&lives, db, tomb_query_row(&storage, &living, key), err);
  if (st != TOMB_OK || lives) return st;
  st = tomb_exists(&is_there, db, tomb_query_row(&storage, &every, key), err);
  if (st != TOMB_OK) return st;
  st = is_there ? refuse_dead(relation, key, verb, err)
                : refuse_missing(relation, key, verb, err);
  tomb_error_model(err, relation->child->name);
  tomb_error_value(err, key);
  return st;
}

tomb_status tomb_check_parents(tomb_db *db, const tomb_statement *statement,
                               const char *verb, tomb_error *err) {
  const tomb_model *model = statement->model;
  for (size_t i = 0; i < model->n_relations; i++) {
    const tomb_relation *relation = &model->relations[i];
    const tomb_value *key = given(statement, relation);
    if (!is_guarded(relation, key)) continue;
    tomb_status st = check_parent(db, relation, key, verb, err);
    if (st != TOMB_OK) return st;
  }
  return TOMB_OK;
}

static tomb_status exists_elsewhere(bool *exists, tomb_db *db,
                                    const tomb_query *query,
                                    const tomb_relation *relation,
                                    const tomb_value *key, tomb_error *err) {
  tomb_row_query storage;
  tomb_value to = *key;
  return tomb_exists(
      exists, db,
      tomb_query_where(&storage, query, relation->field, TOMB_NE, &to), err);
}

/* A row of the query that would be moved there; a slice is cut before. */
static tomb_status would_move(bool *moves, tomb_db *db, const tomb_query *query,
                              const tomb_relation *relation,
                              const tomb_value *key, tomb_error *err) {
  tomb_keys *keys;
  if (!tomb_is_sliced(query)) {
    return exists_elsewhere(moves, db, query, relation, key, err);
  }
  tomb_status st = tomb_select_keys(&keys, db, query, err);
  if (st != TOMB_OK) return st;
  tomb_query slice = tomb_objects(query->model);
  slice.among = keys;
  slice.among_to = tomb_keys_count(keys);
  st = exists_elsewhere(moves, db, &slice, relation, key, err);
  tomb_keys_free(keys);
  return st;
}

tomb_status tomb_check_moves(tomb_db *db, const tomb_statement *statement,
                             const char *verb, tomb_error *err) {
  const tomb_model *model = statement->model;
  for (size_t i = 0; i < model->n_relations; i++) {
    const tomb_relation *relation = &model->relations[i];
    const tomb_value *key = given(statement, relation);
    tomb_error why;
    bool moves;
    if (!is_guarded(relation, key)) continue;
    tomb_status st = check_parent(db, relation, key, verb, &why);
    if (st == TOMB_OK) continue;
    if (st == TOMB_PARENT_DELETED || st == TOMB_INTEGRITY) {
      st = would_move(&moves, db, statement->query, relation, key, err);
      if (st != TOMB_OK) return st;
      if (!moves) continue;
      st = why.kind;
    }
    if (err != NULL) *err = why;
    return st;
  }
  return TOMB_OK;
}
