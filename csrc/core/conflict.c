/*
** conflict.c - what stands in the way of a restore: for each unique group,
** the dead rows whose original values a living row has, or another dead row
** that comes back before them.
*/
#include <string.h>

#include "error.h"
#include "keys.h"
#include "rows.h"
#include "value.h"
#include "verbs.h"

#define WIDEST 16
#define FIRST_VALUE 4 /* of the answered columns: pos, dead, other, living */

static void value_name(tomb_sql *sql, const char *table, size_t i) {
  tomb_sql_add(sql, table);
  tomb_sql_add(sql, "v");
  tomb_buf_integer(&sql->text, (int64_t)i);
}

static void originals(tomb_sql *sql, const tomb_model *model,
                      const tomb_group *group) {
  for (size_t i = 0; i < group->n; i++) {
    tomb_sql_add(sql, ", ");
    tomb_sql_original(sql, model, group->fields[i]);
    value_name(sql, " AS ", i);
  }
}

/* WITH tombstone_dead AS (the dead, in their order, with their original values) */
static void the_dead(tomb_sql *sql, const tomb_model *model,
                     const tomb_group *group, const tomb_value *keys) {
  tomb_sql_add(sql, "WITH tombstone_dead AS (SELECT tombstone_pos AS pos, ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " AS pk");
  originals(sql, model, group);
  tomb_sql_add(sql, " FROM ");
  sql->dialect->key_list(sql, keys);
  tomb_sql_add(sql, " AS k JOIN ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " ON ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " = tombstone_pk WHERE ");
  tomb_sql_field(sql, model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NOT NULL) ");
}

static void values(tomb_sql *sql, const tomb_group *group) {
  for (size_t i = 0; i < group->n; i++) value_name(sql, ", d.", i);
}

static void against_the_living(tomb_sql *sql, const tomb_model *model,
                               const tomb_group *group) {
  tomb_sql_add(sql, "SELECT d.pos, d.pk, l.");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, ", 1");
  values(sql, group);
  tomb_sql_add(sql, " FROM tombstone_dead AS d JOIN ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " AS l ON ");
  for (size_t i = 0; i < group->n; i++) {
    tomb_sql_add(sql, "l.");
    tomb_sql_field(sql, group->fields[i]); /* first: its collation decides */
    value_name(sql, " = d.", i);
    tomb_sql_add(sql, " AND ");
  }
  tomb_sql_add(sql, "l.");
  tomb_sql_field(sql, model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NULL");
}

static void against_each_other(tomb_sql *sql, const tomb_group *group) {
  bool first = true;
  tomb_sql_add(sql, " UNION ALL SELECT d.pos, d.pk, e.pk, 0");
  values(sql, group);
  tomb_sql_add(sql,
               " FROM tombstone_dead AS d JOIN (SELECT min(pos) AS pos, pk");
  for (size_t i = 0; i < group->n; i++) value_name(sql, ", ", i);
  tomb_sql_add(sql, " FROM tombstone_dead GROUP BY ");
  for (size_t i = 0; i < group->n; i++) {
    tomb_sql_join(sql, &first, "", ", ");
    value_name(sql, "", i);
  }
  tomb_sql_add(sql, ") AS e ON e.pos < d.pos");
  for (size_t i = 0; i < group->n; i++) {
    value_name(sql, " AND e.", i);
    value_name(sql, " = d.", i);
  }
  tomb_sql_add(sql, " ORDER BY 1");
}

static tomb_status open_conflicts(tomb_cursor *out, tomb_db *db,
                                  const tomb_model *model,
                                  const tomb_group *group,
                                  const tomb_keys *keys, tomb_error *err) {
  tomb_value json;
  tomb_status st = tomb_store_start(db, err);
  if (st != TOMB_OK) return st;
  if (!tomb_keys_json(&json, keys, 0, tomb_keys_count(keys), &db->sql.bytes)) {
    return tomb_out_of_memory(err);
  }
  the_dead(&db->sql, model, group, &json);
  against_the_living(&db->sql, model, group);
  against_each_other(&db->sql, group);
  return tomb_store_open(out, db, err);
}

static void name_fields(char *out, size_t size, const tomb_group *group) {
  out[0] = '\0';
  for (size_t i = 0; i < group->n; i++) {
    size_t used = strlen(out), n = strlen(group->fields[i]->name);
    if (used + n + 2 > size) return;
    if (i > 0) out[used++] = ',';
    memcpy(out + used, group->fields[i]->name, n + 1);
  }
}

/* A computed column has no field, which would say what its values are. */
static tomb_value value_at(const tomb_group *group, const tomb_value *row,
                           size_t i) {
  tomb_value value = row[FIRST_VALUE + i];
  tomb_unfit(group->fields[i], &value);
  return value;
}

/* The value of one field as it is, of several as a text. */
static tomb_value conflict_value(char *storage, size_t size,
                                 const tomb_group *group,
                                 const tomb_value *row) {
  char shown[80];
  if (group->n == 1) return value_at(group, row, 0);
  storage[0] = '\0';
  for (size_t i = 0; i < group->n; i++) {
    tomb_value value = value_at(group, row, i);
    tomb_show_value(shown, sizeof shown, &value);
    size_t used = strlen(storage), n = strlen(shown);
    if (used + n + 3 > size) break;
    if (i > 0) memcpy(storage + used, ", ", 3);
    memcpy(storage + strlen(storage), shown, n + 1);
  }
  return tomb_text(storage);
}

static tomb_status note(tomb_rows *out, const tomb_model *model,
                        const tomb_group *group, const tomb_value *row,
                        tomb_error *err) {
  char names[320], storage[320];
  name_fields(names, sizeof names, group);
  tomb_value conflict[TOMB_CONFLICT_COLUMNS];
  conflict[TOMB_CONFLICT_FIELDS] = tomb_text(names);
  conflict[TOMB_CONFLICT_VALUE] =
      conflict_value(storage, sizeof storage, group, row);
  conflict[TOMB_CONFLICT_DEAD] = row[1];
  conflict[TOMB_CONFLICT_OTHER] = row[2];
  conflict[TOMB_CONFLICT_LIVING] = tomb_boolean(row[3].as.integer != 0);
  conflict[TOMB_CONFLICT_PLACE] = row[0];
  conflict[TOMB_CONFLICT_MODEL] = tomb_text(model->name);
  return tomb_rows_add(out, conflict, TOMB_CONFLICT_COLUMNS, err);
}

static tomb_status group_conflicts(tomb_rows *out, tomb_db *db,
                                   const tomb_model *model,
                                   const tomb_group *group,
                                   const tomb_keys *keys, tomb_error *err) {
  tomb_cursor cursor;
  tomb_status st = open_conflicts(&cursor, db, model, group, keys, err);
  if (st != TOMB_OK) return st;
  while ((st = tomb_cursor_next(&cursor, err)) == TOMB_ROW) {
    st = note(out, model, group, cursor.values, err);
    if (st != TOMB_OK) break;
  }
  tomb_cursor_close(&cursor);
  return st == TOMB_DONE ? TOMB_OK : st;
}

static bool is_freed(const tomb_group *group) {
  return group->n <= WIDEST && (group->unique == TOMB_UNIQUE_LIVE ||
                                group->unique == TOMB_UNIQUE_MANGLE);
}

tomb_status tomb_conflicts_of(tomb_rows *out, tomb_db *db,
                              const tomb_model *model, const tomb_keys *keys,
                              tomb_error *err) {
  tomb_status st = TOMB_OK;
  for (size_t i = 0; i < model->n_groups && st == TOMB_OK; i++) {
    if (!is_freed(&model->groups[i])) continue;
    st = group_conflicts(out, db, model, &model->groups[i], keys, err);
  }
  return st;
}

tomb_status tomb_restore_conflicts(tomb_rows *out, tomb_db *db,
                                   const tomb_query *query, tomb_error *err) {
  tomb_keys *keys;
  tomb_status st = tomb_need_soft_delete(query->model, "restore", err);
  if (st == TOMB_OK) st = tomb_select_keys(&keys, db, query, err);
  if (st != TOMB_OK) return st;
  st = tomb_conflicts_of(out, db, query->model, keys, err);
  tomb_keys_free(keys);
  return st;
}

/* ---- the first conflict as an error ------------------------------- */

static const tomb_value *first_of(const tomb_rows *rows) {
  const tomb_value *first = NULL;
  for (size_t i = 0; i < tomb_rows_count(rows); i++) {
    const tomb_value *row = tomb_rows_at(rows, i, NULL);
    if (first == NULL || row[TOMB_CONFLICT_PLACE].as.integer <
                             first[TOMB_CONFLICT_PLACE].as.integer) {
      first = row;
    }
  }
  return first;
}

static void add_fields(tomb_error *err, const char *names) {
  char name[TOMB_NAME_SIZE];
  while (*names != '\0') {
    size_t n = strcspn(names, ",");
    memcpy(name, names, n);
    name[n] = '\0';
    tomb_error_field(err, name, "%s", "already exists");
    names += n + (names[n] == ',');
  }
}

/* "a,b" as people write it: "a, b". */
static void show_fields(char *out, size_t size, const char *names) {
  size_t n = 0;
  for (; *names != '\0' && n + 2 < size; names++) {
    out[n++] = *names;
    if (*names == ',') out[n++] = ' ';
  }
  out[n] = '\0';
}

void tomb_hint_at_plan(tomb_error *err, bool parents) {
  tomb_error_hint(err,
                  "pass on_conflict = \"skip\", \"rename\", \"replace\" "
                  "or a function; restore_plan%s lists all conflicts",
                  parents ? "{ parents = true }" : "()");
}

static void say(tomb_error *err, const tomb_model *model,
                const tomb_value *conflict) {
  char shown[320], fields[320];
  const char *names = conflict[TOMB_CONFLICT_FIELDS].as.text.data;
  bool several = strchr(names, ',') != NULL;
  const tomb_value *value = &conflict[TOMB_CONFLICT_VALUE];
  err->n_fields = 0;
  add_fields(err, names);
  if (several) {
    show_fields(fields, sizeof fields, names);
    tomb_error_message(
        err, "Cannot restore record - %s with values %.*s already exist",
        fields, (int)value->as.text.size, value->as.text.data);
  } else {
    tomb_show_value(shown, sizeof shown, value);
    tomb_error_message(err,
                       "Cannot restore record - %s with value %s already "
                       "exists",
                       names, shown);
    tomb_error_value(err, value);
  }
  tomb_error_model(err, model->name);
  tomb_hint_at_plan(err, false);
  err->has_dead_pk = err->has_live_pk = true;
  tomb_keep_value(&err->dead_pk, &conflict[TOMB_CONFLICT_DEAD]);
  tomb_keep_value(&err->live_pk, &conflict[TOMB_CONFLICT_OTHER]);
}

tomb_status tomb_restore_refused(tomb_db *db, const tomb_query *query,
                                 tomb_error *err) {
  if (err->kind != TOMB_INTEGRITY ||
      err->constraint != TOMB_CONSTRAINT_UNIQUE) {
    return tomb_refused(db, query->model, "restore record", NULL, err);
  }
  tomb_rows *rows = tomb_rows_new(db);
  if (rows == NULL) return tomb_out_of_memory(err);
  tomb_status st = tomb_restore_conflicts(rows, db, query, NULL);
  const tomb_value *first = st == TOMB_OK ? first_of(rows) : NULL;
  if (first != NULL) {
    say(err, query->model, first);
    st = TOMB_INTEGRITY;
  } else if (st == TOMB_NOMEM) { /* which may have ended the transaction */
    tomb_out_of_memory(err);
  } else { /* an index that the model does not know */
    st = tomb_refused(db, query->model, "restore record", NULL, err);
  }
  tomb_rows_free(rows);
  return st;
}
