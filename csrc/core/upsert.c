/* upsert.c - insert, or update the living row with the same unique values. */
#include <string.h>

#include "error.h"
#include "keys.h"
#include "value.h"
#include "verbs.h"

static bool is_group_of(const tomb_group *group, const tomb_upsert *upsert) {
  if (group->unique == TOMB_NOT_UNIQUE || group->n != upsert->n_on) {
    return false;
  }
  for (size_t i = 0; i < group->n; i++) {
    bool found = false;
    for (size_t j = 0; j < upsert->n_on; j++) {
      found = found || group->fields[i] == upsert->on[j];
    }
    if (!found) return false;
  }
  return true;
}

static tomb_status find_arbiter(const tomb_model *model, tomb_upsert *upsert,
                                tomb_error *err) {
  if (upsert->n_on == 1 && upsert->on[0] == tomb_key_field(model)) {
    return TOMB_OK;
  }
  for (size_t i = 0; i < model->n_groups; i++) {
    if (!is_group_of(&model->groups[i], upsert)) continue;
    upsert->on_partial = model->groups[i].unique == TOMB_UNIQUE_LIVE;
    return TOMB_OK;
  }
  tomb_fail(err, TOMB_MISUSE, "%s: upsert needs a unique field in `on`",
            model->name);
  tomb_error_model(err, model->name);
  tomb_error_hint(err, "name the fields of one unique constraint");
  return TOMB_MISUSE;
}

static tomb_status refuse_twin(const tomb_model *model,
                               const tomb_upsert *upsert,
                               const tomb_value *values,
                               const tomb_value *dead_pk, tomb_error *err) {
  char shown[96];
  const tomb_field *field = upsert->on[0];
  tomb_show_value(shown, sizeof shown, &values[field->index]);
  tomb_fail(err, TOMB_DELETED,
            "Cannot upsert record - %s with value %s belongs to a deleted row",
            field->name, shown);
  tomb_error_model(err, model->name);
  tomb_error_field(err, field->name, "%s", "belongs to a deleted row");
  tomb_error_value(err, &values[field->index]);
  if (err != NULL && dead_pk != NULL) {
    err->has_dead_pk = true;
    tomb_keep_value(&err->dead_pk, dead_pk);
  }
  tomb_error_hint(err, "restore that row, or pass on_deleted");
  return TOMB_DELETED;
}

#define WIDEST 16

/* The rows of `scope` that have the upsert's unique values, or had them. */
static const tomb_query *twins(tomb_row_query *storage, tomb_query *query,
                               const tomb_model *model,
                               const tomb_upsert *upsert,
                               const tomb_value *values, tomb_scope scope) {
  const tomb_query *narrowed = query;
  *query = tomb_all_objects(model);
  query->scope = scope;
  query->limit = 1;
  for (size_t i = 0; i < upsert->n_on && i < WIDEST; i++) {
    const tomb_field *field = upsert->on[i];
    tomb_lookup lookup =
        scope == TOMB_DEAD && tomb_is_text(field) ? TOMB_ORIGINAL : TOMB_EQ;
    narrowed = tomb_query_where(&storage[i], narrowed, field, lookup,
                                &values[field->index]);
  }
  return narrowed;
}

/* NULL is not equal to NULL: such a row has no twin. */
static bool can_have_twin(const tomb_upsert *upsert, const tomb_value *values) {
  for (size_t i = 0; i < upsert->n_on; i++) {
    if (!tomb_is_given(&values[upsert->on[i]->index])) return false;
  }
  return true;
}

/* The living row with the upsert's unique values, all its fields. */
static tomb_status read_living(tomb_rows *out, tomb_db *db,
                               const tomb_model *model,
                               const tomb_upsert *upsert,
                               const tomb_value *values) {
  tomb_row_query storage[WIDEST + 1];
  tomb_query query;
  tomb_value null = tomb_null();
  const tomb_field *stamp = model->roles[TOMB_ROLE_DELETED_AT];
  if (!can_have_twin(upsert, values)) return TOMB_DONE;
  const tomb_query *living =
      twins(storage, &query, model, upsert, values, TOMB_EVERY);
  if (stamp != NULL) {
    living = tomb_query_where(&storage[WIDEST], living, stamp, TOMB_EQ, &null);
  }
  return tomb_read_rows(out, db, living, NULL);
}

/* Where a living row is there, what it would have become was refused; where it
** cannot be read, neither is known. */
static tomb_status refused(tomb_db *db, const tomb_model *model,
                           const tomb_value *values, const tomb_upsert *upsert,
                           tomb_error *err) {
  tomb_rows *rows = tomb_rows_new(db);
  tomb_status st =
      rows == NULL ? TOMB_NOMEM : read_living(rows, db, model, upsert, values);
  if (st != TOMB_OK && st != TOMB_DONE) values = NULL;
  if (st == TOMB_OK && tomb_rows_count(rows) > 0) {
    st = tomb_edit_refused(db, model, "upsert record",
                           tomb_rows_at(rows, 0, NULL), upsert->update,
                           upsert->n_update, err);
  } else {
    st = tomb_refused(db, model, "upsert record", values, err);
  }
  tomb_rows_free(rows);
  return st;
}

/* Once more where a parent may have come back after the statement. */
static tomb_status insert_or_update(tomb_db *db, const tomb_model *model,
                                    const tomb_value *values,
                                    const tomb_upsert *upsert, int64_t now,
                                    tomb_rows *returning, tomb_error *err) {
  size_t before = tomb_rows_count(returning);
  tomb_query every = tomb_all_objects(model);
  tomb_statement statement = tomb_insertion(&every, values);
  statement.upsert = upsert;
  statement.assignments = upsert->update;
  statement.n_assignments = upsert->n_update;
  statement.bump = upsert->n_update > 0;
  statement.returning = true;
  statement.now = now;
  for (int tries = tomb_has_new_parents(&statement) ? 2 : 1; tries > 0;
       tries--) {
    tomb_status st = tomb_store_try(NULL, db, db->driver->dialect->insert,
                                    &statement, returning, err);
    if (st == TOMB_INTEGRITY) {
      return refused(db, model, values, upsert, err);
    }
    if (st != TOMB_OK || tomb_rows_count(returning) > before) return st;
    st = tomb_check_parents(db, &statement, "upsert record", err);
    if (st != TOMB_OK) return st;
  }
  return refuse_twin(model, upsert, values, NULL, err);
}

/* The key of the twin that died last, if there is one and none lives. */
static tomb_status dead_twin(tomb_keys **out, tomb_db *db,
                             const tomb_model *model, const tomb_upsert *upsert,
                             const tomb_value *values, tomb_error *err) {
  tomb_row_query storage[WIDEST];
  tomb_query query;
  bool lives;
  tomb_order last = {model->roles[TOMB_ROLE_DELETED_AT], true};
  *out = NULL;
  if (last.field == NULL || !can_have_twin(upsert, values)) return TOMB_OK;
  tomb_status st = tomb_exists(
      &lives, db, twins(storage, &query, model, upsert, values, TOMB_LIVING),
      err);
  if (st != TOMB_OK || lives) return st;
  tomb_query dead = *twins(storage, &query, model, upsert, values, TOMB_DEAD);
  dead.order = &last;
  dead.n_order = 1;
  return tomb_select_keys(out, db, &dead, err);
}

static tomb_status refuse_twin_of(tomb_db *db, const tomb_query *twin,
                                  const tomb_upsert *upsert,
                                  const tomb_value *values, tomb_error *err) {
  tomb_cursor cursor;
  tomb_status st = tomb_select(&cursor, db, twin, err);
  if (st == TOMB_OK) st = tomb_cursor_next(&cursor, err);
  if (st == TOMB_ROW) {
    st = refuse_twin(twin->model, upsert, values,
                     &cursor.values[tomb_key_field(twin->model)->index], err);
  }
  tomb_cursor_close(&cursor);
  return st == TOMB_DONE ? TOMB_OK : st;
}

static tomb_status revive(tomb_db *db, const tomb_model *model,
                          const tomb_upsert *upsert, const tomb_value *values,
                          const tomb_keys *keys, int64_t now, tomb_error *err) {
  int64_t restored;
  tomb_restoration how;
  memset(&how, 0, sizeof how);
  how.now = now;
  tomb_query query = tomb_deleted_objects(model);
  query.among = keys;
  query.among_to = tomb_keys_count(keys);
  if (upsert->on_deleted == TOMB_ON_DELETED_REFUSE) {
    return refuse_twin_of(db, &query, upsert, values, err);
  }
  return tomb_restore(&restored, db, &query, &how, err);
}

static tomb_status upsert_with_twin(tomb_db *db, const tomb_model *model,
                                    const tomb_value *values,
                                    const tomb_upsert *upsert, int64_t now,
                                    tomb_rows *returning, tomb_error *err) {
  tomb_keys *keys;
  tomb_status st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = dead_twin(&keys, db, model, upsert, values, err);
  if (st == TOMB_OK && keys != NULL && tomb_keys_count(keys) > 0) {
    st = revive(db, model, upsert, values, keys, now, err);
  }
  tomb_keys_free(keys);
  if (st == TOMB_OK) {
    st = insert_or_update(db, model, values, upsert, now, returning, err);
  }
  return tomb_store_leave(db, st, err);
}

tomb_status tomb_upsert_row(tomb_db *db, const tomb_model *model,
                            tomb_value *values, const tomb_upsert *upsert,
                            int64_t now, tomb_rows *returning,
                            tomb_error *err) {
  tomb_upsert checked = *upsert;
  tomb_status st = find_arbiter(model, &checked, err);
  if (st == TOMB_OK) {
    st = tomb_check_assignments(model, checked.update, checked.n_update, err);
  }
  if (st == TOMB_OK) st = tomb_prepare_insert(model, values, now, err);
  if (st != TOMB_OK) return st;
  if (checked.on_deleted == TOMB_ON_DELETED_NEW) {
    return insert_or_update(db, model, values, &checked, now, returning, err);
  }
  return upsert_with_twin(db, model, values, &checked, now, returning, err);
}
