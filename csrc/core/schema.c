/* schema.c - a model's tables and indexes: creating them, comparing them. */
#include <stdio.h>
#include <string.h>

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
static tomb_status create_living_index(tomb_db *db, const tomb_model *model,
                                       tomb_error *err) {
  const tomb_field *stamp = model->roles[TOMB_ROLE_DELETED_AT];
  if (model->living_index == NULL) return TOMB_OK;
  tomb_sql_clear(&db->sql);
  begin_index(&db->sql, model, model->living_index, false);
  tomb_sql_add(&db->sql, " (");
  tomb_sql_field(&db->sql, tomb_key_field(model));
  tomb_sql_add(&db->sql, ", ");
  tomb_sql_field(&db->sql, stamp);
  tomb_sql_add(&db->sql, ")");
  where_null(&db->sql, stamp, " IS NULL");
  return tomb_store_run(db, NULL, err);
}

static tomb_status create_event_index(tomb_db *db, const tomb_model *model,
                                      tomb_error *err) {
  const tomb_field *event = model->roles[TOMB_ROLE_DELETED_EVENT];
  if (model->event_index == NULL) return TOMB_OK;
  tomb_sql_clear(&db->sql);
  begin_index(&db->sql, model, model->event_index, false);
  tomb_sql_add(&db->sql, " (");
  tomb_sql_field(&db->sql, event);
  tomb_sql_add(&db->sql, ")");
  where_null(&db->sql, event, " IS NOT NULL");
  return tomb_store_run(db, NULL, err);
}

/* ---- what is there ------------------------------------------------ */

tomb_status tomb_catalogue(tomb_rows **out, tomb_db *db, const char *sql,
                           const char *name, tomb_error *err) {
  tomb_value asked = tomb_text(name);
  tomb_cursor cursor;
  *out = tomb_rows_new(db);
  if (*out == NULL) return tomb_out_of_memory(err);
  tomb_status st =
      tomb_query_raw(&cursor, db, sql, strlen(sql), &asked, 1, err);
  while (st == TOMB_OK && (st = tomb_cursor_next(&cursor, err)) == TOMB_ROW) {
    st = tomb_rows_add(*out, cursor.values, cursor.n, err);
  }
  tomb_cursor_close(&cursor);
  if (st == TOMB_DONE) return TOMB_OK;
  tomb_rows_free(*out);
  *out = NULL;
  return st;
}

static bool same_text(const tomb_value *value, const char *text) {
  return value->type == TOMB_TEXT && value->as.text.size == strlen(text) &&
         memcmp(value->as.text.data, text, value->as.text.size) == 0;
}

static tomb_status differs(const tomb_model *model, const char *what,
                           const char *name, tomb_error *err) {
  tomb_fail(err, TOMB_MIGRATION, "Table \"%s\" differs from %s - %s %s",
            model->table, model->name, name, what);
  tomb_error_model(err, model->name);
  tomb_error_hint(err, "migrate the table, or change the model");
  return TOMB_MIGRATION;
}

static const tomb_value *find_column(const tomb_rows *columns,
                                     const char *name) {
  for (size_t i = 0; i < tomb_rows_count(columns); i++) {
    const tomb_value *row = tomb_rows_at(columns, i, NULL);
    if (same_text(&row[0], name)) return row;
  }
  return NULL;
}

static tomb_status compare_column(const tomb_model *model,
                                  const tomb_field *field,
                                  const tomb_value *row, tomb_error *err) {
  bool not_null = row[2].as.integer != 0, in_key = row[3].as.integer != 0;
  if (field->role == TOMB_ROLE_KEY) {
    return in_key
               ? TOMB_OK
               : differs(model, "is no primary key there", field->column, err);
  }
  if (not_null != field->nullable) return TOMB_OK;
  return differs(model, field->nullable ? "is NOT NULL there" : "is NULL there",
                 field->column, err);
}

static tomb_status compare_columns(const tomb_model *model,
                                   const tomb_rows *columns, tomb_error *err) {
  for (size_t i = 0; i < model->n_fields; i++) {
    const tomb_field *field = &model->fields[i];
    const tomb_value *row = find_column(columns, field->column);
    if (row == NULL) {
      return differs(model, "is missing", field->column, err);
    }
    tomb_status st = compare_column(model, field, row, err);
    if (st != TOMB_OK) return st;
  }
  return TOMB_OK;
}

static bool has_column(const tomb_model *model, const tomb_value *name) {
  for (size_t i = 0; i < model->n_fields; i++) {
    if (same_text(name, model->fields[i].column)) return true;
  }
  return false;
}

/* A column that nobody fills keeps every row out. */
static tomb_status compare_others(const tomb_model *model,
                                  const tomb_rows *columns, tomb_error *err) {
  char name[TOMB_NAME_SIZE * 2];
  for (size_t i = 0; i < tomb_rows_count(columns); i++) {
    const tomb_value *row = tomb_rows_at(columns, i, NULL);
    bool needed = row[2].as.integer != 0 && row[4].as.integer == 0;
    if (!needed || has_column(model, &row[0])) continue;
    snprintf(name, sizeof name, "%.*s", (int)row[0].as.text.size,
             row[0].as.text.data);
    return differs(model, "is NOT NULL there and not in the model", name, err);
  }
  return TOMB_OK;
}

/* "a,b", as the catalogue joins the columns of an index. */
static bool has_columns(const tomb_value *joined, const tomb_group *group) {
  const char *at = joined->as.text.data;
  size_t left = joined->type == TOMB_TEXT ? joined->as.text.size : 0;
  for (size_t i = 0; i < group->n; i++) {
    size_t n = strlen(group->fields[i]->column);
    if (left < n || memcmp(at, group->fields[i]->column, n) != 0) return false;
    at += n;
    left -= n;
    if (i + 1 == group->n) break;
    if (left == 0 || *at != ',') return false;
    at++;
    left--;
  }
  return left == 0;
}

/* Of the unique indexes on these fields: is there one of that kind? */
static bool has_unique(const tomb_group *group, const tomb_rows *indexes,
                       bool partial) {
  for (size_t i = 0; i < tomb_rows_count(indexes); i++) {
    const tomb_value *row = tomb_rows_at(indexes, i, NULL);
    if ((row[1].as.integer != 0) == partial && has_columns(&row[2], group)) {
      return true;
    }
  }
  return false;
}

static tomb_status compare_unique(const tomb_model *model,
                                  const tomb_group *group,
                                  const tomb_rows *indexes, tomb_error *err) {
  bool whole = has_unique(group, indexes, false);
  if (group->unique == TOMB_UNIQUE_LIVE && whole) {
    return differs(model, "is unique among the dead too",
                   group->fields[0]->column, err);
  }
  if (group->unique != TOMB_UNIQUE_LIVE && !whole &&
      has_unique(group, indexes, true)) {
    return differs(model, "is unique among some rows only",
                   group->fields[0]->column, err);
  }
  return TOMB_OK; /* what is missing is made below */
}

static tomb_status compare(const tomb_model *model, const tomb_rows *columns,
                           const tomb_rows *indexes, tomb_error *err) {
  tomb_status st = compare_columns(model, columns, err);
  if (st == TOMB_OK) st = compare_others(model, columns, err);
  for (size_t i = 0; st == TOMB_OK && i < model->n_groups; i++) {
    if (model->groups[i].unique == TOMB_NOT_UNIQUE) continue;
    st = compare_unique(model, &model->groups[i], indexes, err);
  }
  return st;
}

/* ---- create_tables ------------------------------------------------ */

/* A column may have been declared UNIQUE: a second index would only cost. */
static bool has_index(const tomb_group *group, const tomb_rows *indexes) {
  bool whole = group->unique == TOMB_UNIQUE_MANGLE ||
               group->unique == TOMB_UNIQUE_ALWAYS;
  return whole && has_unique(group, indexes, false);
}

static tomb_status create_indexes(tomb_db *db, const tomb_model *model,
                                  const tomb_rows *indexes, tomb_error *err) {
  tomb_status st = create_living_index(db, model, err);
  if (st == TOMB_OK) st = create_event_index(db, model, err);
  for (size_t i = 0; st == TOMB_OK && i < model->n_groups; i++) {
    if (has_index(&model->groups[i], indexes)) continue;
    tomb_sql_clear(&db->sql);
    tomb_sql_create_index(&db->sql, model, &model->groups[i]);
    st = tomb_store_run(db, NULL, err);
  }
  return st;
}

static tomb_status create_missing(tomb_db *db, const tomb_model *model,
                                  const tomb_rows *columns,
                                  const tomb_rows *indexes, tomb_error *err) {
  tomb_status st = TOMB_OK;
  if (tomb_rows_count(columns) > 0) {
    st = compare(model, columns, indexes, err);
  } else {
    tomb_sql_clear(&db->sql);
    tomb_sql_create_table(&db->sql, model);
    st = tomb_store_run(db, NULL, err);
  }
  if (st == TOMB_OK) st = create_indexes(db, model, indexes, err);
  return st == TOMB_INTEGRITY
             ? differs(model, "has rows that are not unique", model->table, err)
             : st;
}

static tomb_status create_table(tomb_db *db, const tomb_model *model,
                                tomb_error *err) {
  const tomb_dialect *d = db->driver->dialect;
  tomb_rows *columns, *indexes = NULL;
  tomb_status st = tomb_need_parents(model, err);
  if (st != TOMB_OK) return st;
  st = tomb_catalogue(&columns, db, d->columns, model->table, err);
  if (st == TOMB_OK) {
    st = tomb_catalogue(&indexes, db, d->unique_indexes, model->table, err);
  }
  if (st == TOMB_OK) st = create_missing(db, model, columns, indexes, err);
  tomb_rows_free(columns);
  tomb_rows_free(indexes);
  return st;
}

static tomb_status create_functions(tomb_db *db, tomb_error *err) {
  const char *const *text = db->driver->dialect->functions;
  tomb_status st = TOMB_OK;
  for (; text != NULL && *text != NULL && st == TOMB_OK; text++) {
    st = tomb_store_text(db, *text, err);
  }
  return st;
}

tomb_status tomb_create_tables(tomb_db *db, tomb_error *err) {
  tomb_status st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = create_functions(db, err);
  for (size_t i = 0; st == TOMB_OK && i < db->n_models; i++) {
    if (db->models[i] == db->owners && !tomb_has_cascades(db)) continue;
    st = create_table(db, db->models[i], err);
  }
  if (st == TOMB_OK) st = tomb_create_counters(db, err);
  return tomb_store_leave(db, st, err);
}
