/* refusal.c - what a database's refusal means in words of the model. */
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "rows.h"
#include "value.h"
#include "verbs.h"

/* ---- which group of fields ---------------------------------------- */

static bool is_name(const char *name, const char *text, size_t size) {
  size_t i = 0;
  while (i < size && name[i] != '\0' &&
         tomb_lower(name[i]) == tomb_lower(text[i]))
    i++;
  return i == size && name[i] == '\0';
}

/* SQLite says "posts.a, posts.b" of columns and "index 'name'" of an index.
** A trigger may have written to another table, with columns of its own. */
static bool names_column(const char *subject, size_t size,
                         const tomb_model *model, const tomb_field *field) {
  const char *dot = memchr(subject, '.', size);
  if (dot == NULL) return is_name(field->column, subject, size);
  size_t before = (size_t)(dot - subject);
  return is_name(model->table, subject, before) &&
         is_name(field->column, dot + 1, size - before - 1);
}

static bool names_group(const char *subject, const tomb_model *model,
                        const tomb_group *group) {
  for (size_t i = 0; i < group->n; i++) {
    const char *comma = strchr(subject, ',');
    size_t size = comma == NULL ? strlen(subject) : (size_t)(comma - subject);
    if (!names_column(subject, size, model, group->fields[i])) return false;
    if (comma == NULL) return i + 1 == group->n;
    subject = comma + 2; /* ", " */
  }
  return false;
}

static const tomb_group *find_group(const tomb_model *model,
                                    const char *subject) {
  for (size_t i = 0; i < model->n_groups; i++) {
    const tomb_group *group = &model->groups[i];
    if (group->unique == TOMB_NOT_UNIQUE) continue;
    if (names_group(subject, model, group) ||
        strstr(subject, group->index) != NULL) {
      return group;
    }
  }
  return NULL;
}

bool tomb_refuses_mangling(const tomb_db *db, const tomb_model *model,
                           const tomb_error *err) {
  if (err->constraint != TOMB_CONSTRAINT_UNIQUE) return false;
  if (strcmp(err->subject, db->driver->dialect->mangled) == 0) return true;
  const tomb_group *group = find_group(model, err->subject);
  return group != NULL && group->unique == TOMB_UNIQUE_MANGLE;
}

static const tomb_field *find_field(const tomb_model *model,
                                    const char *subject) {
  for (size_t i = 0; i < model->n_fields; i++) {
    const tomb_field *field = &model->fields[i];
    if (names_column(subject, strlen(subject), model, field)) return field;
  }
  return NULL;
}

/* ---- the row in the way ------------------------------------------- */

/* Only a living row can stand in the way of an index on the living. */
static tomb_scope scope_of(const tomb_group *group) {
  return group->unique == TOMB_UNIQUE_LIVE ? TOMB_LIVING : TOMB_EVERY;
}

static const tomb_value *value_of(const tomb_cursor *row,
                                  const tomb_field *field) {
  for (size_t i = 0; i < row->n; i++) {
    if (row->fields[i] == field) return &row->values[i];
  }
  return NULL;
}

/* The living are read without their marks. */
static void note_holder(const tomb_model *model, const tomb_cursor *row,
                        tomb_error *err) {
  const tomb_value *pk = value_of(row, tomb_key_field(model));
  const tomb_value *stamp = value_of(row, model->roles[TOMB_ROLE_DELETED_AT]);
  if (stamp != NULL && stamp->type != TOMB_NULL) {
    err->has_dead_pk = true;
    tomb_keep_value(&err->dead_pk, pk);
  } else {
    err->has_live_pk = true;
    tomb_keep_value(&err->live_pk, pk);
  }
}

#define WIDEST 16

static void find_holder(tomb_db *db, const tomb_model *model,
                        const tomb_group *group, const tomb_value *values,
                        tomb_error *err) {
  tomb_row_query storage[WIDEST];
  tomb_cursor cursor;
  tomb_query query = tomb_all_objects(model);
  query.scope = scope_of(group);
  query.limit = 1;
  if (group->n > WIDEST) return;
  for (size_t i = 0; i < group->n; i++) {
    const tomb_field *field = group->fields[i];
    if (!tomb_is_given(&values[field->index])) return;
    query = *tomb_query_where(&storage[i], &query, field, TOMB_EQ,
                              &values[field->index]);
  }
  tomb_status st = tomb_select(&cursor, db, &query, NULL);
  if (st == TOMB_OK) st = tomb_cursor_next(&cursor, NULL);
  if (st == TOMB_ROW) note_holder(model, &cursor, err);
  tomb_cursor_close(&cursor);
  /* which may have ended the transaction; else the refusal stands */
  if (st == TOMB_NOMEM) tomb_out_of_memory(err);
}

/* ---- words -------------------------------------------------------- */

static void append(char *out, size_t size, const char *separator,
                   const char *text) {
  size_t used = strlen(out), n = strlen(text);
  if (used == 0) separator = "";
  if (used + strlen(separator) >= size) return;
  size_t room = size - used - strlen(separator) - 1;
  if (n > room) n = tomb_utf8_cut(text, room);
  snprintf(out + used, size - used, "%s%.*s", separator, (int)n, text);
}

static void show_values(char *out, size_t size, const tomb_group *group,
                        const tomb_value *values) {
  char shown[80];
  out[0] = '\0';
  for (size_t i = 0; i < group->n; i++) {
    tomb_show_value(shown, sizeof shown, &values[group->fields[i]->index]);
    append(out, size, ", ", shown);
  }
}

static void show_fields(char *out, size_t size, const tomb_group *group) {
  out[0] = '\0';
  for (size_t i = 0; i < group->n; i++) {
    append(out, size, ", ", group->fields[i]->name);
  }
}

static void say_unique(const tomb_group *group, const char *verb,
                       const tomb_value *values, tomb_error *err) {
  char fields[160], shown[240];
  bool dead = err->has_dead_pk && !err->has_live_pk;
  bool one = group->n == 1;
  show_fields(fields, sizeof fields, group);
  for (size_t i = 0; i < group->n; i++) {
    tomb_error_field(err, group->fields[i]->name, "%s",
                     dead ? "belongs to a deleted row" : "already exists");
  }
  if (values == NULL) {
    tomb_error_message(err, "Cannot %s - %s already %s", verb, fields,
                       one ? "exists" : "exist");
    return;
  }
  show_values(shown, sizeof shown, group, values);
  if (one) tomb_error_value(err, &values[group->fields[0]->index]);
  tomb_error_message(err, "Cannot %s - %s with value%s %s %s", verb, fields,
                     one ? "" : "s", shown,
                     dead  ? "belongs to a deleted row"
                     : one ? "already exists"
                           : "already exist");
}

static bool knows_all(const tomb_group *group, const tomb_value *values) {
  for (size_t i = 0; i < group->n; i++) {
    if (values[group->fields[i]->index].type == TOMB_ABSENT) return false;
  }
  return true;
}

static void unique_refused(tomb_db *db, const tomb_model *model,
                           const char *verb, const tomb_value *values,
                           tomb_error *err) {
  const tomb_group *group = find_group(model, err->subject);
  const tomb_field *key = tomb_key_field(model);
  const tomb_group key_alone = {
      .fields = &key, .n = 1, .unique = TOMB_UNIQUE_ALWAYS, .index = ""};
  if (group == NULL && find_field(model, err->subject) == key) {
    group = &key_alone;
  }
  if (group == NULL) { /* an index that the model does not know */
    tomb_error_message(err, "Cannot %s - %s is not unique", verb, err->subject);
    return;
  }
  if (values != NULL && !knows_all(group, values)) values = NULL;
  if (values != NULL) find_holder(db, model, group, values, err);
  if (err->kind == TOMB_NOMEM) return;
  say_unique(group, verb, values, err);
  if (err->has_dead_pk) {
    tomb_error_hint(err, "restore that row, or purge it; keys and values that "
                         "are unique always are not freed by a deletion");
  }
}

static void field_refused(const tomb_model *model, const char *verb,
                          const char *why, tomb_error *err) {
  const tomb_field *field = find_field(model, err->subject);
  if (field == NULL) {
    tomb_error_message(err, "Cannot %s - %s %s", verb, err->subject, why);
    return;
  }
  tomb_error_field(err, field->name, "%s", why);
  tomb_error_message(err, "Cannot %s - %s %s", verb, field->name, why);
}

static void foreign_key_refused(const char *verb, tomb_error *err) {
  tomb_error_message(err, "Cannot %s - a foreign key refuses it", verb);
  tomb_error_hint(err, "the row that it points to is missing, or other rows "
                       "still point to this one");
}

tomb_status tomb_refused(tomb_db *db, const tomb_model *model, const char *verb,
                         const tomb_value *values, tomb_error *err) {
  if (err == NULL) return TOMB_INTEGRITY;
  tomb_error_model(err, model->name);
  if (err->kind != TOMB_INTEGRITY) return err->kind;
  switch (err->constraint) {
  case TOMB_CONSTRAINT_UNIQUE:
    unique_refused(db, model, verb, values, err);
    break;
  case TOMB_CONSTRAINT_NOT_NULL:
    field_refused(model, verb, "cannot be null", err);
    break;
  case TOMB_CONSTRAINT_CHECK:
    field_refused(model, verb, "fails its check", err);
    break;
  case TOMB_CONSTRAINT_FOREIGN_KEY: foreign_key_refused(verb, err); break;
  case TOMB_NO_CONSTRAINT: break; /* a trigger's own words */
  }
  return err->kind;
}

tomb_status tomb_edit_refused(tomb_db *db, const tomb_model *model,
                              const char *verb, const tomb_value *row,
                              const tomb_assignment *assignments, size_t n,
                              tomb_error *err) {
  size_t bytes = model->n_fields * sizeof *row;
  tomb_value *values = tomb_realloc(&db->allocator, NULL, 0, bytes);
  if (values != NULL) {
    memset(values, 0, bytes);
    if (row != NULL) memcpy(values, row, bytes);
    for (size_t i = 0; i < n; i++) {
      static const tomb_value unknown = {TOMB_ABSENT, {0}};
      values[assignments[i].field->index] =
          assignments[i].expr == NULL ? assignments[i].value : unknown;
    }
  }
  tomb_status st = tomb_refused(db, model, verb, values, err);
  tomb_release(&db->allocator, values, bytes);
  return st;
}
