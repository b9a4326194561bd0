/* save.c - writing one living row back, and why that may fail. */
#include "error.h"
#include "rows.h"
#include "value.h"
#include "verbs.h"

tomb_status tomb_read_row(tomb_rows *out, tomb_db *db, const tomb_model *model,
                          const tomb_value *key, tomb_error *err) {
  tomb_row_query storage;
  tomb_cursor cursor;
  tomb_query every = tomb_all_objects(model);
  tomb_status st =
      tomb_select(&cursor, db, tomb_query_row(&storage, &every, key), err);
  if (st != TOMB_OK) return st;
  st = tomb_cursor_next(&cursor, err);
  if (st == TOMB_ROW) st = tomb_rows_add(out, cursor.values, cursor.n, err);
  tomb_cursor_close(&cursor);
  return st;
}

static tomb_status refuse_dead(const tomb_model *model, const tomb_value *key,
                               tomb_error *err) {
  char shown[96];
  tomb_show_value(shown, sizeof shown, key);
  tomb_fail(err, TOMB_DELETED, "Cannot save record - %s %s is deleted",
            model->name, shown);
  tomb_error_model(err, model->name);
  tomb_error_hint(err, "restore it first, or reload it");
  return TOMB_DELETED;
}

static tomb_status refuse_stale(const tomb_model *model, const tomb_value *key,
                                tomb_error *err) {
  char shown[96];
  tomb_show_value(shown, sizeof shown, key);
  tomb_fail(err, TOMB_STALE,
            "Cannot save record - %s %s was changed by somebody else",
            model->name, shown);
  tomb_error_model(err, model->name);
  tomb_error_hint(err, "reload it and make the change again");
  return TOMB_STALE;
}

static bool is_newer(const tomb_model *model, const tomb_value *row,
                     const tomb_value *values) {
  const tomb_field *version = model->roles[TOMB_ROLE_VERSION];
  return version != NULL && tomb_is_given(&values[version->index]) &&
         !tomb_value_equal(&row[version->index], &values[version->index]);
}

/* The row is there: what is wrong with it, if anything is? */
static tomb_status explain_row(tomb_db *db, const tomb_statement *statement,
                               const tomb_value *row, const tomb_value *values,
                               tomb_error *err) {
  const tomb_model *model = statement->model;
  const tomb_value *key = &values[tomb_key_field(model)->index];
  const tomb_field *stamp = model->roles[TOMB_ROLE_DELETED_AT];
  if (stamp != NULL && row[stamp->index].type != TOMB_NULL) {
    return refuse_dead(model, key, err);
  }
  if (is_newer(model, row, values) || !tomb_has_new_parents(statement)) {
    return refuse_stale(model, key, err);
  }
  return tomb_check_parents(db, statement, "save record", err);
}

/* A save that met no row: why? TOMB_OK: by now there is no reason left. */
static tomb_status explain_miss(tomb_db *db, const tomb_statement *statement,
                                const tomb_value *values, tomb_error *err) {
  char shown[96];
  const tomb_model *model = statement->model;
  const tomb_value *key = &values[tomb_key_field(model)->index];
  tomb_rows *rows = tomb_rows_new(db);
  if (rows == NULL) return tomb_out_of_memory(err);
  tomb_status st = tomb_read_row(rows, db, model, key, err);
  tomb_show_value(shown, sizeof shown, key);
  if (st == TOMB_DONE) {
    st = tomb_fail(err, TOMB_NOT_FOUND, "Cannot save record - %s %s is gone",
                   model->name, shown);
  } else if (st == TOMB_OK) {
    st = explain_row(db, statement, tomb_rows_at(rows, 0, NULL), values, err);
  }
  if (st != TOMB_OK) tomb_error_model(err, model->name);
  tomb_rows_free(rows);
  return st;
}

static size_t collect_assignments(tomb_assignment *out, const tomb_model *model,
                                  const tomb_value *values) {
  size_t n = 0;
  for (size_t i = 0; i < model->n_fields; i++) {
    const tomb_field *field = &model->fields[i];
    bool ours =
        field->role == TOMB_ROLE_NONE || field->role == TOMB_ROLE_CREATED_AT;
    if (!ours || values[i].type == TOMB_ABSENT) continue;
    tomb_assignment a = {field, values[i], NULL};
    out[n++] = a;
  }
  return n;
}

static void write_back(const tomb_model *model, tomb_value *values,
                       int64_t now) {
  const tomb_field *stamp = model->roles[TOMB_ROLE_UPDATED_AT];
  const tomb_field *version = model->roles[TOMB_ROLE_VERSION];
  if (stamp != NULL) values[stamp->index] = tomb_time(now);
  if (version != NULL && values[version->index].type == TOMB_INTEGER) {
    values[version->index].as.integer++;
  }
}

/* The living row with that key and, where it is known, that version. */
static const tomb_query *fenced(tomb_row_query storage[2],
                                const tomb_model *model,
                                const tomb_value *values) {
  const tomb_field *key = tomb_key_field(model);
  const tomb_field *version = model->roles[TOMB_ROLE_VERSION];
  tomb_query living = tomb_objects(model);
  const tomb_query *query =
      tomb_query_row(&storage[0], &living, &values[key->index]);
  if (version == NULL || !tomb_is_given(&values[version->index])) return query;
  return tomb_query_where(&storage[1], query, version, TOMB_EQ,
                          &values[version->index]);
}

/* What is not assigned is as it is there. */
static tomb_status refused(tomb_db *db, const tomb_model *model,
                           const tomb_value *key, const tomb_assignment *a,
                           size_t n, tomb_error *err) {
  tomb_rows *rows = tomb_rows_new(db);
  tomb_status st =
      rows == NULL ? TOMB_DONE : tomb_read_row(rows, db, model, key, NULL);
  const tomb_value *row = st == TOMB_OK ? tomb_rows_at(rows, 0, NULL) : NULL;
  st = tomb_edit_refused(db, model, "save record", row, a, n, err);
  tomb_rows_free(rows);
  return st;
}

/* The key and the version say which row; false where they cannot be one. */
static bool fit_identity(const tomb_model *model, tomb_value *values) {
  const tomb_field *key = tomb_key_field(model);
  const tomb_field *version = model->roles[TOMB_ROLE_VERSION];
  return tomb_fit(key, &values[key->index]) &&
         (version == NULL || tomb_fit(version, &values[version->index]));
}

tomb_status tomb_update_row(tomb_db *db, const tomb_model *model,
                            tomb_value *values, tomb_assignment *assignments,
                            size_t n, int64_t now, tomb_rows *returning,
                            tomb_error *err) {
  const tomb_value *key = &values[tomb_key_field(model)->index];
  tomb_row_query storage[2];
  int64_t changed = 0;
  if (n == 0) return tomb_fail(err, TOMB_MISUSE, "There is nothing to save");
  if (!fit_identity(model, values) || !tomb_is_given(key)) {
    return tomb_fail(err, TOMB_MISUSE, "Cannot save record - it has no %s",
                     tomb_key_field(model)->name);
  }
  tomb_status st = tomb_check_assignments(model, assignments, n, err);
  if (st != TOMB_OK) return st;
  tomb_statement statement = tomb_statement_on(fenced(storage, model, values));
  statement.is_write = statement.bump = true;
  statement.now = now;
  statement.assignments = assignments;
  statement.n_assignments = n;
  statement.returning = returning != NULL;
  for (int tries = 0; st == TOMB_OK && changed == 0; tries++) {
    if (tries == 2) return refuse_stale(model, key, err);
    st = tomb_store_try(&changed, db, db->driver->dialect->update, &statement,
                        returning, err);
    if (st == TOMB_INTEGRITY) {
      return refused(db, model, key, assignments, n, err);
    }
    if (st == TOMB_OK && changed == 0) {
      st = explain_miss(db, &statement, values, err);
    }
  }
  if (st == TOMB_OK) write_back(model, values, now);
  return st;
}

/* Values that say they are dead may bear suffixes, which a row that lives
** again must not get: a rollback or another program may have restored it. */
tomb_status tomb_save(tomb_db *db, const tomb_model *model, tomb_value *values,
                      int64_t now, tomb_error *err) {
  const tomb_field *stamp = model->roles[TOMB_ROLE_DELETED_AT];
  if (stamp != NULL && tomb_is_given(&values[stamp->index])) {
    return refuse_dead(model, &values[tomb_key_field(model)->index], err);
  }
  tomb_status st = tomb_validate(model, values, false, err);
  if (st != TOMB_OK) return st;
  size_t bytes = model->n_fields * sizeof(tomb_assignment);
  tomb_assignment *a = tomb_realloc(&db->allocator, NULL, 0, bytes);
  if (a == NULL) return tomb_out_of_memory(err);
  size_t n = collect_assignments(a, model, values);
  st = tomb_update_row(db, model, values, a, n, now, NULL, err);
  tomb_release(&db->allocator, a, bytes);
  return st;
}
