/* insert.c - new rows: defaults, stamps, validation, one INSERT. */
#include "error.h"
#include "rows.h"
#include "value.h"
#include "verbs.h"

static void give(tomb_value *values, const tomb_field *field,
                 tomb_value value) {
  if (field != NULL && values[field->index].type == TOMB_ABSENT) {
    values[field->index] = value;
  }
}

static void give_defaults(const tomb_model *model, tomb_value *values,
                          int64_t now) {
  give(values, model->roles[TOMB_ROLE_CREATED_AT], tomb_time(now));
  give(values, model->roles[TOMB_ROLE_UPDATED_AT], tomb_time(now));
  give(values, model->roles[TOMB_ROLE_VERSION], tomb_integer(1));
  for (size_t i = 0; i < model->n_fields; i++) {
    const tomb_field *field = &model->fields[i];
    give(values, field, field->default_value);
    if (field->nullable) give(values, field, tomb_null());
    if (field->role == TOMB_ROLE_COUNTER) give(values, field, tomb_integer(0));
  }
}

static tomb_status not_yours(const tomb_model *model, const tomb_field *field,
                             tomb_error *err) {
  tomb_error_model(err, model->name);
  tomb_error_field(err, field->name, "%s", "is not yours to write");
  tomb_error_hint(err, "leave it out");
  return TOMB_MISUSE;
}

static tomb_status refuse_marks(const tomb_model *model,
                                const tomb_value *values, tomb_error *err) {
  static const tomb_role marks[] = {TOMB_ROLE_DELETED_AT,
                                    TOMB_ROLE_DELETED_EVENT};
  for (size_t i = 0; i < 2; i++) {
    const tomb_field *field = model->roles[marks[i]];
    if (field == NULL || !tomb_is_given(&values[field->index])) continue;
    tomb_fail(err, TOMB_MISUSE, "%s is written by delete and restore alone",
              field->name);
    return not_yours(model, field, err);
  }
  return TOMB_OK;
}

tomb_status tomb_check_writable(const tomb_model *model,
                                const tomb_field *field, tomb_error *err) {
  if (field->role != TOMB_ROLE_COUNTER) return TOMB_OK;
  tomb_fail(err, TOMB_MISUSE, "%s.%s is counted by the database", model->name,
            field->name);
  return not_yours(model, field, err);
}

static tomb_status refuse_counters(const tomb_model *model,
                                   const tomb_value *values, tomb_error *err) {
  for (size_t i = 0; i < model->n_fields; i++) {
    const tomb_field *field = &model->fields[i];
    if (values[i].type == TOMB_ABSENT) continue;
    tomb_status st = tomb_check_writable(model, field, err);
    if (st != TOMB_OK) return st;
  }
  return TOMB_OK;
}

tomb_status tomb_prepare_insert(const tomb_model *model, tomb_value *values,
                                int64_t now, tomb_error *err) {
  tomb_status st = refuse_marks(model, values, err);
  if (st == TOMB_OK) st = refuse_counters(model, values, err);
  if (st == TOMB_OK) st = tomb_need_parents(model, err);
  if (st != TOMB_OK) return st;
  give_defaults(model, values, now);
  return tomb_validate(model, values, true, err);
}

tomb_statement tomb_insertion(const tomb_query *query,
                              const tomb_value *values) {
  tomb_statement statement = tomb_statement_on(query);
  statement.values = values;
  statement.is_write = true;
  return statement;
}

/* A parent may come back between the statement and the look at it: then there
** is no reason left, and the statement is tried again. */
static tomb_status insert(tomb_db *db, const tomb_statement *statement,
                          tomb_error *err) {
  for (int tries = 0; tries < 2; tries++) {
    int64_t inserted = 0;
    tomb_status st = tomb_store_try(&inserted, db, db->driver->dialect->insert,
                                    statement, NULL, err);
    if (st == TOMB_INTEGRITY) {
      return tomb_refused(db, statement->model, "create record",
                          statement->values, err);
    }
    if (st != TOMB_OK || inserted > 0 || !tomb_has_new_parents(statement)) {
      return st;
    }
    st = tomb_check_parents(db, statement, "create record", err);
    if (st != TOMB_OK) return st;
  }
  tomb_fail(err, TOMB_DATABASE, "Cannot create record - nothing was inserted");
  tomb_error_hint(err, "look for a trigger of the table that ignores it");
  return TOMB_DATABASE;
}

tomb_status tomb_insert(tomb_db *db, const tomb_model *model,
                        tomb_value *values, int64_t now, tomb_error *err) {
  const tomb_field *key = tomb_key_field(model);
  tomb_query query = tomb_all_objects(model);
  tomb_status st = tomb_prepare_insert(model, values, now, err);
  if (st != TOMB_OK) return st;
  tomb_statement statement = tomb_insertion(&query, values);
  st = insert(db, &statement, err);
  if (st == TOMB_OK && values[key->index].type == TOMB_ABSENT) {
    values[key->index] = tomb_integer(db->driver->last_insert_id(db->conn));
  }
  return st;
}
