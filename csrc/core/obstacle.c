/* obstacle.c - which rows stand in the way of a deletion, a purge or a restore. */
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "rows.h"
#include "undoing.h"
#include "value.h"
#include "verbs.h"

/* ---- who is in the way -------------------------------------------- */

#define NEED_THEM " still need them"

/* Another model is in the way, besides those that the error tells of. */
static tomb_status and_needed(const tomb_relation *relation, int64_t count,
                              const char *shown, const char *verb,
                              tomb_error *err) {
  if (err == NULL) return TOMB_RESTRICTED;
  size_t used = strlen(err->message) - strlen(NEED_THEM);
  snprintf(err->message + used, sizeof err->message - used,
           ", %lld of %s" NEED_THEM, (long long)count, relation->child->name);
  char name[TOMB_NAME_SIZE];
  snprintf(name, sizeof name, "%s.%s", relation->child->name,
           relation->field->name);
  tomb_error_field(err, name, "of %s %s points to what would be %sd",
                   relation->child->name, shown, verb);
  tomb_error_hint(err, "%s or move these rows first", verb);
  return TOMB_RESTRICTED;
}

static tomb_status refuse_needed(const tomb_relation *relation, int64_t count,
                                 const tomb_value *pk, const char *verb,
                                 bool also, tomb_error *err) {
  char shown[48];
  const char *child = relation->child->name;
  tomb_show_value(shown, sizeof shown, pk);
  if (also) return and_needed(relation, count, shown, verb, err);
  tomb_fail(err, TOMB_RESTRICTED, "Cannot %s records - %lld of %s" NEED_THEM,
            verb, (long long)count, child);
  tomb_error_model(err, child);
  tomb_error_field(err, relation->field->name,
                   "of %s %s points to what would be %sd", child, shown, verb);
  tomb_error_hint(err, "%s or move the rows of %s first", verb, child);
  if (err == NULL) return TOMB_RESTRICTED;
  err->has_live_pk = true;
  tomb_keep_value(&err->live_pk, pk);
  return TOMB_RESTRICTED;
}

tomb_status tomb_refuse_needed(tomb_db *db, const tomb_relation *relation,
                               const char *verb, bool also, tomb_error *err) {
  tomb_cursor cursor;
  tomb_status st = tomb_store_open(&cursor, db, err);
  if (st != TOMB_OK) return st;
  st = tomb_cursor_next(&cursor, err);
  if (st == TOMB_ROW) {
    int64_t count = cursor.values[0].as.integer;
    st = count == 0 ? TOMB_OK
                    : refuse_needed(relation, count, &cursor.values[1], verb,
                                    also, err);
  }
  tomb_cursor_close(&cursor);
  return st;
}

/* ---- on the way back ---------------------------------------------- */

static tomb_status refuse_parent(const tomb_relation *relation,
                                 const tomb_value *child,
                                 const tomb_value *parent, tomb_error *err) {
  char key[96], shown[96];
  tomb_show_value(key, sizeof key, child);
  tomb_show_value(shown, sizeof shown, parent);
  tomb_fail(err, TOMB_PARENT_DELETED,
            "Cannot restore record - %s %s belongs to %s %s, which is deleted",
            relation->child->name, key, relation->parent->name, shown);
  tomb_error_model(err, relation->child->name);
  tomb_error_field(err, relation->field->name, "%s", "points to a deleted row");
  tomb_error_value(err, parent);
  tomb_error_hint(err, "restore %s %s first, or pass parents = true",
                  relation->parent->name, shown);
  if (err == NULL) return TOMB_PARENT_DELETED;
  err->has_dead_pk = true;
  tomb_keep_value(&err->dead_pk, child);
  return TOMB_PARENT_DELETED;
}

/* The dead rows above the parent, which hold it in their turn. */
static tomb_status name_chain(tomb_rows *above, tomb_db *db,
                              const tomb_relation *relation,
                              const tomb_value *parent, tomb_error *err) {
  char shown[96];
  tomb_row_query storage;
  tomb_error why;
  tomb_query every = tomb_all_objects(relation->parent);
  tomb_status st = tomb_preview_parents(
      above, db, tomb_query_row(&storage, &every, parent), &why);
  size_t n = st == TOMB_OK ? tomb_rows_count(above) : 0;
  for (size_t i = 0; err != NULL && i < n; i++) {
    const tomb_value *row = tomb_rows_at(above, i, NULL);
    size_t used = strlen(err->message);
    tomb_show_value(shown, sizeof shown, &row[1]);
    snprintf(err->message + used, sizeof err->message - used, "%s%.*s %s",
             i > 0    ? ", "
             : n == 1 ? ", as is "
                      : ", as are ",
             (int)row[0].as.text.size, row[0].as.text.data, shown);
  }
  if (st != TOMB_OK && err != NULL) *err = why;
  return st;
}

static tomb_status refuse_chain(tomb_db *db, const tomb_relation *relation,
                                const tomb_value *row, tomb_error *err) {
  tomb_rows *above = tomb_rows_new(db);
  if (above == NULL) return tomb_out_of_memory(err);
  refuse_parent(relation, &row[0], &row[1], err);
  tomb_status st = name_chain(above, db, relation, &row[1], err);
  tomb_rows_free(above);
  return st == TOMB_OK ? TOMB_PARENT_DELETED : st;
}

/* A row and its dead parent. */
static tomb_status find_dead_parent(tomb_rows *out, tomb_db *db,
                                    const tomb_relation *relation,
                                    tomb_error *err) {
  tomb_cursor cursor;
  tomb_sql_clear(&db->sql);
  tomb_sql_dead_parent(&db->sql, relation);
  tomb_status st = tomb_store_open(&cursor, db, err);
  if (st != TOMB_OK) return st;
  st = tomb_cursor_next(&cursor, err);
  if (st == TOMB_ROW) st = tomb_rows_add(out, cursor.values, cursor.n, err);
  tomb_cursor_close(&cursor);
  return st == TOMB_DONE ? TOMB_OK : st;
}

static tomb_status check_taken(tomb_rows *found, tomb_db *db,
                               const tomb_model *model, tomb_error *err) {
  for (size_t i = 0; i < model->n_relations; i++) {
    const tomb_relation *relation = &model->relations[i];
    if (!tomb_needs_parent(relation)) continue;
    tomb_status st = find_dead_parent(found, db, relation, err);
    if (st != TOMB_OK) return st;
    if (tomb_rows_count(found) == 0) continue;
    return refuse_chain(db, relation, tomb_rows_at(found, 0, NULL), err);
  }
  return TOMB_OK;
}

tomb_status tomb_check_taken_parents(tomb_db *db, const tomb_model *model,
                                     tomb_error *err) {
  tomb_rows *found = tomb_rows_new(db);
  if (found == NULL) return tomb_out_of_memory(err);
  tomb_status st = check_taken(found, db, model, err);
  tomb_rows_free(found);
  return st;
}
