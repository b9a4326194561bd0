/* schema.c - a model's table and indexes: creating what is missing, comparing
** what is there. */
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "rows.h"
#include "schema.h"

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
  tomb_status st = TOMB_OK;
  for (size_t i = 0; st == TOMB_OK && i < TOMB_OWN_INDEXES; i++) {
    tomb_sql_clear(&db->sql);
    if (!tomb_own_indexes[i](&db->sql, model)) continue;
    st = tomb_store_run(db, NULL, err);
  }
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
  if (db->read_only && st == TOMB_DATABASE) {
    st = differs(model, "is missing, and this handle only reads",
                 tomb_rows_count(columns) == 0 ? "it" : "an index", err);
    tomb_error_hint(err, "let create_tables run on a handle that writes, or "
                         "migrate the file");
  }
  tomb_rows_free(columns);
  tomb_rows_free(indexes);
  return st;
}

static tomb_status create_functions(tomb_db *db, tomb_error *err) {
  tomb_status st = TOMB_OK;
  const char *text;
  for (size_t i = 0; (text = tomb_ddl_function(db, i)) != NULL; i++) {
    st = tomb_store_text(db, text, err);
    if (st != TOMB_OK) break;
  }
  return st;
}

tomb_status tomb_create_tables(tomb_db *db, tomb_error *err) {
  tomb_status st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = create_functions(db, err);
  for (size_t i = 0; st == TOMB_OK && i < db->n_models; i++) {
    if (!tomb_has_table(db, db->models[i])) continue;
    st = create_table(db, db->models[i], err);
  }
  if (st == TOMB_OK) st = tomb_create_counters(db, err);
  return tomb_store_leave(db, st, err);
}
