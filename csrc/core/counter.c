/*
** counter.c - fields that the database keeps: how many living children a row has.
**
** Triggers on the children's table count each that is born, dies, returns, moves
** or goes, whoever writes it. A row's own call never writes its counters.
*/
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "model_check.h"
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

/* Links are counted: they must not outlive the rows that they stand for. */
static tomb_status check_links(const tomb_model *model, const tomb_field *field,
                               tomb_error *err) {
  const tomb_way *way =
      tomb_model_way(model, field->counts, strlen(field->counts));
  if (way->far == NULL || tomb_needs_parent(way->far) ||
      !tomb_is_soft(way->far->parent)) {
    return TOMB_OK;
  }
  tomb_fail(err, TOMB_MISUSE,
            "%s.%s counts %s, whose links outlive the rows at their end",
            model->name, field->name, field->counts);
  tomb_error_model(err, model->name);
  tomb_error_hint(err, "on_delete of %s.%s must be \"cascade\" or \"restrict\"",
                  way->far->child->name, way->far->field->name);
  return TOMB_MISUSE;
}

tomb_status tomb_check_counters(const tomb_model *model, tomb_error *err) {
  for (size_t i = 0; i < model->n_fields; i++) {
    const tomb_field *field = &model->fields[i];
    if (field->counts == NULL) continue;
    if (tomb_counted(model, field) != NULL) {
      tomb_status st = check_links(model, field, err);
      if (st != TOMB_OK) return st;
      continue;
    }
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

static tomb_status refuse(const tomb_model_def *def, const tomb_field_def *f,
                          const char *why, const char *hint, tomb_error *err) {
  tomb_fail(err, TOMB_MISUSE, "%s.%s %s", def->name, f->name, why);
  tomb_error_model(err, def->name);
  tomb_error_field(err, f->name, "%s", why);
  tomb_error_hint(err, "%s", hint);
  return TOMB_MISUSE;
}

static bool is_plain(const tomb_field_def *f) {
  return f->type == TOMB_FIELD_INTEGER && !f->primary_key && !f->nullable &&
         f->unique == TOMB_NOT_UNIQUE && f->references == NULL &&
         f->check == NULL && f->n_choices == 0 &&
         f->default_value.type == TOMB_ABSENT;
}

static bool is_in_unique(const tomb_model_def *def, const char *name) {
  for (size_t i = 0; i < def->n_groups; i++) {
    const tomb_group_def *group = &def->groups[i];
    if (group->unique == TOMB_NOT_UNIQUE) continue;
    for (size_t j = 0; j < group->n_fields; j++) {
      if (strcmp(group->fields[j], name) == 0) return true;
    }
  }
  return false;
}

/* A constraint on a counter would refuse writes of the children. */
tomb_status tomb_check_counter_defs(const tomb_model_def *def,
                                    tomb_error *err) {
  for (size_t i = 0; i < def->n_fields; i++) {
    const tomb_field_def *f = &def->fields[i];
    if (f->counts == NULL) continue;
    if (!is_plain(f)) {
      return refuse(def, f, "is a counter, and more than an integer",
                    "a counter has column and index, and nothing else", err);
    }
    if (is_in_unique(def, f->name)) {
      return refuse(def, f, "is a counter and cannot be unique",
                    "leave it out of unique_together", err);
    }
  }
  return TOMB_OK;
}

void tomb_sql_set_counter(tomb_sql *sql, const tomb_model *model,
                          const tomb_field *counter) {
  tomb_sql_add(sql, "UPDATE ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " SET ");
  tomb_sql_field(sql, counter);
  tomb_sql_add(sql, " = ");
}

/* No table and no column holds a dot, so that each name is another one. */
void tomb_sql_counter_name(tomb_sql *sql, const tomb_model *model,
                           const tomb_field *counter, size_t i) {
  static const char *const when[] = {".born", ".gone", ".moved"};
  tomb_buf name = {sql->text.a, NULL, 0, 0, false};
  tomb_buf_text(&name, "tombstone_");
  tomb_buf_text(&name, model->table);
  tomb_buf_text(&name, ".");
  tomb_buf_text(&name, counter->column);
  tomb_buf_text(&name, when[i]);
  if (!name.failed) tomb_buf_name(&sql->text, name.data);
  sql->text.failed = sql->text.failed || name.failed;
  tomb_buf_free(&name);
}

/* ---- triggers ----------------------------------------------------- */

/* All that write the counter, whatever they are called and on whichever table:
** a column may have got another name, and a relation another table. */
static tomb_status find_triggers(tomb_rows **out, tomb_db *db,
                                 const tomb_model *model,
                                 const tomb_field *counter, tomb_error *err) {
  tomb_sql_clear(&db->sql);
  tomb_sql_set_counter(&db->sql, model, counter);
  if (tomb_sql_failed(&db->sql)) return tomb_out_of_memory(err);
  tomb_buf *text = &db->sql.text, mark = {&db->allocator, NULL, 0, 0, false};
  tomb_buf_add(&mark, text->data, text->size);
  tomb_status st = mark.failed
                       ? tomb_out_of_memory(err)
                       : tomb_catalogue(out, db, db->driver->dialect->triggers,
                                        mark.data, err);
  tomb_buf_free(&mark);
  return st;
}

/* Builds the statement that makes the i-th trigger. */
static void begin(tomb_db *db, const tomb_model *model,
                  const tomb_field *counter, size_t i) {
  tomb_sql_clear(&db->sql);
  db->driver->dialect->counter(&db->sql, model, counter, i);
}

static bool is_found(const tomb_rows *found, const tomb_buf *text) {
  for (size_t i = 0; i < tomb_rows_count(found); i++) {
    const tomb_value *made = &tomb_rows_at(found, i, NULL)[1];
    if (!text->failed && made->as.text.size == text->size &&
        memcmp(made->as.text.data, text->data, text->size) == 0) {
      return true;
    }
  }
  return false;
}

/* True where the triggers are there, and no others that write the counter. */
static bool are_made(tomb_db *db, const tomb_model *model,
                     const tomb_field *counter, const tomb_rows *found) {
  size_t n = db->driver->dialect->n_counter;
  bool made = tomb_rows_count(found) == n;
  for (size_t i = 0; made && i < n; i++) {
    begin(db, model, counter, i);
    made = is_found(found, &db->sql.text);
  }
  return made;
}

static tomb_status drop(tomb_db *db, const tomb_rows *found, tomb_error *err) {
  char name[TOMB_NAME_SIZE * 4];
  tomb_status st = TOMB_OK;
  for (size_t i = 0; st == TOMB_OK && i < tomb_rows_count(found); i++) {
    const tomb_value *row = tomb_rows_at(found, i, NULL);
    snprintf(name, sizeof name, "%.*s", (int)row[0].as.text.size,
             row[0].as.text.data);
    tomb_sql_clear(&db->sql);
    tomb_sql_add(&db->sql, db->driver->dialect->drop_trigger);
    tomb_buf_name(&db->sql.text, name);
    st = tomb_store_run(db, NULL, err);
  }
  return st;
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
  tomb_sql_set_counter(sql, model, counter);
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
static tomb_status create_anew(tomb_db *db, const tomb_model *model,
                               const tomb_field *counter,
                               const tomb_rows *found, tomb_error *err) {
  int64_t changed = 0;
  tomb_status st = drop(db, found, err);
  for (size_t i = 0; st == TOMB_OK && i < db->driver->dialect->n_counter; i++) {
    st = make(db, model, counter, i, err);
  }
  return st == TOMB_OK ? recount(&changed, db, model, counter, err) : st;
}

static tomb_status create_counter(tomb_db *db, const tomb_model *model,
                                  const tomb_field *counter, tomb_error *err) {
  tomb_rows *found;
  tomb_status st = find_triggers(&found, db, model, counter, err);
  if (st != TOMB_OK) return st;
  if (!are_made(db, model, counter, found)) {
    st = create_anew(db, model, counter, found, err);
  }
  tomb_rows_free(found);
  return st;
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
