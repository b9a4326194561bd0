/*
** ddl.c - the texts that make a model's table and indexes, and all of them for the
** models of a handle, in order.
*/
#include "error.h"
#include "rows.h"
#include "schema.h"

/* ---- CREATE TABLE ------------------------------------------------- */

static bool is_generated(const tomb_field *field) {
  return field->role == TOMB_ROLE_KEY && field->type == TOMB_FIELD_INTEGER;
}

static void type(tomb_sql *sql, const tomb_field *field) {
  tomb_sql_add(sql, sql->dialect->stored[field->type]);
  if (field->type == TOMB_FIELD_CHAR) {
    tomb_sql_add(sql, "(");
    tomb_buf_integer(&sql->text, (int64_t)field->max_length);
    tomb_sql_add(sql, ")");
  }
}

static void collation(tomb_sql *sql, const tomb_field *field) {
  if (field->collate == NULL) return;
  tomb_sql_add(sql, " COLLATE ");
  tomb_buf_name(&sql->text, field->collate);
}

/* Checks bind the living only. */
static void check(tomb_sql *sql, const tomb_model *model,
                  const tomb_field *field) {
  const tomb_field *stamp = model->roles[TOMB_ROLE_DELETED_AT];
  if (field->check == NULL) return;
  tomb_sql_add(sql, " CONSTRAINT ");
  tomb_buf_name(&sql->text, field->column);
  tomb_sql_add(sql, " CHECK (");
  if (stamp != NULL) {
    tomb_sql_field(sql, stamp);
    tomb_sql_add(sql, " IS NOT NULL OR ");
  }
  tomb_sql_add(sql, "(");
  tomb_sql_add(sql, field->check);
  tomb_sql_add(sql, "))");
}

/* NO ACTION: what a deletion means is the engine's business. */
static void reference(tomb_sql *sql, const tomb_relation *relation) {
  if (relation == NULL) return;
  tomb_sql_add(sql, " REFERENCES ");
  tomb_sql_add(sql, relation->parent->quoted);
  tomb_sql_add(sql, " (");
  tomb_sql_field(sql, tomb_key_field(relation->parent));
  tomb_sql_add(sql, ")");
}

static void column(tomb_sql *sql, const tomb_model *model,
                   const tomb_field *field) {
  tomb_sql_field(sql, field);
  tomb_sql_add(sql, " ");
  if (is_generated(field)) {
    tomb_sql_add(sql, sql->dialect->generated_key);
    return;
  }
  type(sql, field);
  if (!field->nullable) tomb_sql_add(sql, " NOT NULL");
  if (field->role == TOMB_ROLE_KEY) tomb_sql_add(sql, " PRIMARY KEY");
  if (field->role == TOMB_ROLE_COUNTER) tomb_sql_add(sql, " DEFAULT 0");
  collation(sql, field);
  check(sql, model, field);
  reference(sql, field->relation);
}

void tomb_sql_create_table(tomb_sql *sql, const tomb_model *model) {
  bool first = true;
  tomb_sql_add(sql, "CREATE TABLE ");
  tomb_sql_add(sql, model->quoted);
  for (size_t i = 0; i < model->n_fields; i++) {
    tomb_sql_join(sql, &first, " (", ", ");
    column(sql, model, &model->fields[i]);
  }
  tomb_sql_add(sql, ")");
}

/* ---- CREATE INDEX ------------------------------------------------- */

static void begin_index(tomb_sql *sql, const tomb_model *model,
                        const char *name, bool unique) {
  tomb_sql_add(sql, unique ? "CREATE UNIQUE INDEX IF NOT EXISTS "
                           : "CREATE INDEX IF NOT EXISTS ");
  tomb_buf_name(&sql->text, name);
  tomb_sql_add(sql, " ON ");
  tomb_sql_add(sql, model->quoted);
}

static void where_null(tomb_sql *sql, const tomb_field *field,
                       const char *how) {
  if (field == NULL) return;
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, field);
  tomb_sql_add(sql, how);
}

/* The key breaks ties in every order. A generated one ends each index anyway;
** another has to be told, or the planner finds a unique index of all rows that
** needs none, and walks through the dead. */
static bool wants_key(const tomb_model *model, const tomb_group *group) {
  const tomb_field *key = tomb_key_field(model);
  bool wants = group->unique == TOMB_NOT_UNIQUE && !is_generated(key);
  for (size_t i = 0; i < group->n; i++) {
    wants = wants && group->fields[i] != key;
  }
  return wants;
}

/* Every index is of the living, but for those that hold the dead to a value
** of their own. */
void tomb_sql_create_index(tomb_sql *sql, const tomb_model *model,
                           const tomb_group *group) {
  bool whole = group->unique == TOMB_UNIQUE_MANGLE ||
               group->unique == TOMB_UNIQUE_ALWAYS;
  bool first = true;
  begin_index(sql, model, group->index, group->unique != TOMB_NOT_UNIQUE);
  for (size_t i = 0; i < group->n; i++) {
    tomb_sql_join(sql, &first, " (", ", ");
    tomb_sql_field(sql, group->fields[i]);
  }
  if (wants_key(model, group)) {
    tomb_sql_add(sql, ", ");
    tomb_sql_field(sql, tomb_key_field(model));
  }
  tomb_sql_add(sql, ")");
  if (!whole && !group->of_all) {
    where_null(sql, model->roles[TOMB_ROLE_DELETED_AT], " IS NULL");
  }
}

/* The keys of the living, with the mark by which they are: so it answers a count
** by itself, or the planner counts by an index that children are found by, which
** holds the dead. */
static bool living_index(tomb_sql *sql, const tomb_model *model) {
  const tomb_field *stamp = model->roles[TOMB_ROLE_DELETED_AT];
  if (model->living_index == NULL) return false;
  begin_index(sql, model, model->living_index, false);
  tomb_sql_add(sql, " (");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, ", ");
  tomb_sql_field(sql, stamp);
  tomb_sql_add(sql, ")");
  where_null(sql, stamp, " IS NULL");
  return true;
}

static bool event_index(tomb_sql *sql, const tomb_model *model) {
  const tomb_field *event = model->roles[TOMB_ROLE_DELETED_EVENT];
  if (model->event_index == NULL) return false;
  begin_index(sql, model, model->event_index, false);
  tomb_sql_add(sql, " (");
  tomb_sql_field(sql, event);
  tomb_sql_add(sql, ")");
  where_null(sql, event, " IS NOT NULL");
  return true;
}

tomb_own_index *const tomb_own_indexes[TOMB_OWN_INDEXES] = {living_index,
                                                            event_index};

/* ---- all of them -------------------------------------------------- */

bool tomb_has_table(const tomb_db *db, const tomb_model *model) {
  return model != db->owners || tomb_has_cascades(db);
}

/* Keeps the statement that is built. */
static tomb_status keep(tomb_rows *out, tomb_db *db, tomb_error *err) {
  if (tomb_sql_failed(&db->sql)) return tomb_out_of_memory(err);
  tomb_value text = tomb_text(db->sql.text.data);
  return tomb_rows_add(out, &text, 1, err);
}

static tomb_status keep_own_index(tomb_rows *out, tomb_db *db,
                                  const tomb_model *model,
                                  tomb_own_index *index, tomb_error *err) {
  tomb_sql_clear(&db->sql);
  return index(&db->sql, model) ? keep(out, db, err) : TOMB_OK;
}

static tomb_status keep_table(tomb_rows *out, tomb_db *db,
                              const tomb_model *model, tomb_error *err) {
  tomb_status st = tomb_need_parents(model, err);
  if (st != TOMB_OK) return st;
  tomb_sql_clear(&db->sql);
  tomb_sql_create_table(&db->sql, model);
  st = keep(out, db, err);
  for (size_t i = 0; st == TOMB_OK && i < TOMB_OWN_INDEXES; i++) {
    st = keep_own_index(out, db, model, tomb_own_indexes[i], err);
  }
  for (size_t i = 0; st == TOMB_OK && i < model->n_groups; i++) {
    tomb_sql_clear(&db->sql);
    tomb_sql_create_index(&db->sql, model, &model->groups[i]);
    st = keep(out, db, err);
  }
  return st;
}

static tomb_status keep_counters(tomb_rows *out, tomb_db *db,
                                 const tomb_model *model, tomb_error *err) {
  const tomb_dialect *d = db->driver->dialect;
  tomb_status st = TOMB_OK;
  for (size_t i = 0; i < model->n_fields; i++) {
    if (model->fields[i].counts == NULL) continue;
    for (size_t j = 0; st == TOMB_OK && j < d->n_counter; j++) {
      tomb_sql_clear(&db->sql);
      d->counter(&db->sql, model, &model->fields[i], j);
      st = keep(out, db, err);
    }
  }
  return st;
}

const char *tomb_ddl_function(const tomb_db *db, size_t i) {
  const char *const *texts = db->driver->dialect->functions;
  return texts == NULL ? NULL : texts[i];
}

static tomb_status keep_functions(tomb_rows *out, tomb_db *db,
                                  tomb_error *err) {
  tomb_status st = TOMB_OK;
  const char *text;
  for (size_t i = 0; (text = tomb_ddl_function(db, i)) != NULL; i++) {
    tomb_value value = tomb_text(text);
    st = tomb_rows_add(out, &value, 1, err);
    if (st != TOMB_OK) break;
  }
  return st;
}

tomb_status tomb_ddl(tomb_rows *out, tomb_db *db, tomb_error *err) {
  tomb_status st = keep_functions(out, db, err);
  for (size_t i = 0; st == TOMB_OK && i < db->n_models; i++) {
    if (!tomb_has_table(db, db->models[i])) continue;
    st = keep_table(out, db, db->models[i], err);
  }
  for (size_t i = 0; st == TOMB_OK && i < db->n_models; i++) {
    st = keep_counters(out, db, db->models[i], err);
  }
  return st;
}
