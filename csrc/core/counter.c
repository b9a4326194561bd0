/*
** counter.c - fields that the database keeps: how many living children a row has.
**
** Triggers on the children's table count each that is born, dies, returns, moves
** or goes, whoever writes it. A row's own call never writes its counters.
*/
#include <string.h>

#include "error.h"
#include "rows.h"
#include "schema.h"
#include "store.h"
#include "verbs.h"

const tomb_relation *tomb_counted(const tomb_model *model,
                                  const tomb_field *counter) {
  const tomb_way *way =
      tomb_model_way(model, counter->counts, strlen(counter->counts));
  return way == NULL || way->kind == TOMB_TO_PARENT ? NULL : way->near;
}

tomb_status tomb_check_counters(const tomb_model *model, tomb_error *err) {
  for (size_t i = 0; i < model->n_fields; i++) {
    const tomb_field *field = &model->fields[i];
    if (field->counts == NULL || tomb_counted(model, field) != NULL) continue;
    tomb_fail(err, TOMB_MISUSE, "%s.%s counts %s, which leads to no rows",
              model->name, field->name, field->counts);
    tomb_error_model(err, model->name);
    tomb_error_hint(err,
                    "declare the model with related_name = \"%s\", or name "
                    "another relation",
                    field->counts);
    return TOMB_MISUSE;
  }
  return TOMB_OK;
}

static void name_trigger(tomb_buf *out, const tomb_model *model,
                         const tomb_field *counter, size_t i) {
  static const char *const when[] = {"__born", "__gone", "__moved"};
  tomb_buf_text(out, "tombstone_");
  tomb_buf_text(out, model->table);
  tomb_buf_text(out, "__");
  tomb_buf_text(out, counter->column);
  tomb_buf_text(out, when[i]);
}

void tomb_sql_counter_name(tomb_sql *sql, const tomb_model *model,
                           const tomb_field *counter, size_t i) {
  tomb_buf name = {sql->text.a, NULL, 0, 0, false};
  name_trigger(&name, model, counter, i);
  if (!name.failed) tomb_buf_name(&sql->text, name.data);
  sql->text.failed = sql->text.failed || name.failed;
  tomb_buf_free(&name);
}

/* ---- triggers ----------------------------------------------------- */

static void begin(tomb_db *db, const tomb_model *model,
                  const tomb_field *counter, size_t i) {
  tomb_sql_clear(&db->sql);
  db->driver->dialect->counter(&db->sql, model, counter, i);
}

static tomb_status is_made(bool *out, tomb_db *db, const tomb_model *model,
                           const tomb_field *counter, size_t i,
                           tomb_error *err) {
  tomb_buf name = {&db->allocator, NULL, 0, 0, false};
  tomb_rows *found = NULL;
  name_trigger(&name, model, counter, i);
  tomb_status st =
      name.failed ? tomb_out_of_memory(err)
                  : tomb_catalogue(&found, db, db->driver->dialect->trigger,
                                   name.data, err);
  tomb_buf_free(&name);
  if (st != TOMB_OK) return st;
  begin(db, model, counter, i);
  const tomb_buf *text = &db->sql.text;
  const tomb_value *made =
      tomb_rows_count(found) == 0 ? NULL : tomb_rows_at(found, 0, NULL);
  *out = !text->failed && made != NULL && made->as.text.size == text->size &&
         memcmp(made->as.text.data, text->data, text->size) == 0;
  tomb_rows_free(found);
  return TOMB_OK;
}

static tomb_status make(tomb_db *db, const tomb_model *model,
                        const tomb_field *counter, size_t i, tomb_error *err) {
  tomb_sql_clear(&db->sql);
  tomb_sql_add(&db->sql, db->driver->dialect->drop_trigger);
  tomb_sql_counter_name(&db->sql, model, counter, i);
  tomb_status st = tomb_store_run(db, NULL, err);
  if (st != TOMB_OK) return st;
  begin(db, model, counter, i);
  return tomb_store_run(db, NULL, err);
}

/* ---- counting ----------------------------------------------------- */

static void children(tomb_sql *sql, const tomb_model *model,
                     const tomb_field *counter) {
  const tomb_relation *relation = tomb_counted(model, counter);
  const tomb_field *stamp = relation->child->roles[TOMB_ROLE_DELETED_AT];
  tomb_sql_add(sql, "(SELECT count(*) FROM ");
  tomb_sql_add(sql, relation->child->quoted);
  tomb_sql_add(sql, " AS tombstone_c WHERE ");
  tomb_sql_field_of(sql, "tombstone_c", relation->field);
  tomb_sql_add(sql, " = ");
  tomb_sql_field_of(sql, model->quoted, tomb_key_field(model));
  if (stamp != NULL) {
    tomb_sql_add(sql, " AND ");
    tomb_sql_field_of(sql, "tombstone_c", stamp);
    tomb_sql_add(sql, " IS NULL");
  }
  tomb_sql_add(sql, ")");
}

static tomb_status recount(int64_t *changed, tomb_db *db,
                           const tomb_model *model, const tomb_field *counter,
                           tomb_error *err) {
  tomb_sql *sql = &db->sql;
  tomb_sql_clear(sql);
  tomb_sql_add(sql, "UPDATE ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " SET ");
  tomb_sql_field(sql, counter);
  tomb_sql_add(sql, " = ");
  children(sql, model, counter);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, counter);
  tomb_sql_add(sql, " <> ");
  children(sql, model, counter);
  tomb_status st = tomb_store_run(db, NULL, err);
  if (st == TOMB_OK) *changed += tomb_store_changes(db);
  return st;
}

tomb_status tomb_recount(int64_t *changed, tomb_db *db, const tomb_model *model,
                         tomb_error *err) {
  *changed = 0;
  tomb_status st = tomb_need_parents(model, err);
  if (st == TOMB_OK) st = tomb_store_start_write(db, err);
  if (st == TOMB_OK) st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  for (size_t i = 0; st == TOMB_OK && i < model->n_fields; i++) {
    if (model->fields[i].counts == NULL) continue;
    st = recount(changed, db, model, &model->fields[i], err);
  }
  return tomb_store_leave(db, st, err);
}

/* Rows that came before a trigger are counted when it comes. */
static tomb_status create_counter(tomb_db *db, const tomb_model *model,
                                  const tomb_field *counter, tomb_error *err) {
  bool all_made = true;
  int64_t changed = 0;
  tomb_status st = TOMB_OK;
  for (size_t i = 0; st == TOMB_OK && i < db->driver->dialect->n_counter; i++) {
    bool made;
    st = is_made(&made, db, model, counter, i, err);
    if (st == TOMB_OK && !made) st = make(db, model, counter, i, err);
    all_made = all_made && made;
  }
  if (st != TOMB_OK || all_made) return st;
  return recount(&changed, db, model, counter, err);
}

tomb_status tomb_create_counters(tomb_db *db, tomb_error *err) {
  tomb_status st = TOMB_OK;
  for (size_t i = 0; i < db->n_models; i++) {
    const tomb_model *model = db->models[i];
    for (size_t j = 0; st == TOMB_OK && j < model->n_fields; j++) {
      const tomb_field *field = &model->fields[j];
      if (field->counts != NULL) st = create_counter(db, model, field, err);
    }
  }
  return st;
}
