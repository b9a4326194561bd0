/* resolve.c - the ways out of a conflict: new values, a new name, or the
** living row goes. */
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "restore.h"
#include "rows.h"
#include "value.h"

#define MOST_NAMES 10000

static tomb_status is_gone(tomb_error *err) {
  return tomb_fail(err, TOMB_NOT_FOUND, "Cannot restore record - it is gone");
}

/* A row that is gone meanwhile counts as refused. */
static tomb_status revive_one(tomb_db *db, const tomb_query *query,
                              const tomb_assignment *also, size_t n,
                              tomb_error *err) {
  int64_t restored = 0;
  tomb_status st = tomb_revive(&restored, db, query, also, n, err);
  if (st == TOMB_OK && restored == 0) {
    tomb_statement statement = tomb_statement_on(query);
    statement.assignments = also;
    statement.n_assignments = n;
    st = tomb_check_parents(db, &statement, "restore record", err);
    return st == TOMB_OK ? is_gone(err) : st;
  }
  if (st != TOMB_INTEGRITY || tomb_is_conflict(st, err)) return st;
  return tomb_refused(db, query->model, "restore record", NULL, err);
}

static tomb_status read_one(tomb_rows *out, tomb_db *db,
                            const tomb_query *query, tomb_error *err) {
  tomb_status st = tomb_read_rows(out, db, query, err);
  return st == TOMB_OK && tomb_rows_count(out) == 0 ? is_gone(err) : st;
}

/* ---- new values --------------------------------------------------- */

static tomb_status collect(tomb_assignment *out, size_t *n,
                           const tomb_model *model, const tomb_value *values,
                           tomb_error *err) {
  for (size_t i = 0; i < model->n_fields; i++) {
    if (values[i].type == TOMB_ABSENT) continue;
    tomb_assignment a = {&model->fields[i], values[i], NULL};
    out[(*n)++] = a;
  }
  return tomb_check_assignments(model, out, *n, err);
}

/* Says what is in the way of the row as it would have been. */
static tomb_status refuse_row(tomb_db *db, const tomb_model *model,
                              const tomb_value *row, const tomb_value *values,
                              tomb_value *merged, tomb_error *err) {
  for (size_t i = 0; i < model->n_fields; i++) {
    merged[i] = values[i].type == TOMB_ABSENT
                    ? tomb_original(model, &model->fields[i], row)
                    : values[i];
  }
  tomb_status st = tomb_refused(db, model, "restore record", merged, err);
  if (err->has_live_pk) {
    err->has_dead_pk = true;
    tomb_keep_value(&err->dead_pk, &row[tomb_key_field(model)->index]);
  }
  return st;
}

static tomb_status refuse_values(tomb_db *db, const tomb_query *query,
                                 const tomb_value *values, tomb_error *err) {
  size_t bytes = query->model->n_fields * sizeof *values;
  tomb_rows *rows = tomb_rows_new(db);
  tomb_value *merged = tomb_realloc(&db->allocator, NULL, 0, bytes);
  tomb_status st;
  if (rows == NULL || merged == NULL ||
      read_one(rows, db, query, NULL) != TOMB_OK) {
    st = tomb_refused(db, query->model, "restore record", NULL, err);
  } else {
    st = refuse_row(db, query->model, tomb_rows_at(rows, 0, NULL), values,
                    merged, err);
  }
  tomb_release(&db->allocator, merged, bytes);
  tomb_rows_free(rows);
  return st;
}

tomb_status tomb_restore_with(tomb_db *db, const tomb_query *query,
                              const tomb_value *values, tomb_error *err) {
  const tomb_model *model = query->model;
  size_t n = 0, bytes = model->n_fields * sizeof(tomb_assignment);
  tomb_assignment *a = tomb_realloc(&db->allocator, NULL, 0, bytes);
  if (a == NULL) return tomb_out_of_memory(err);
  tomb_status st = collect(a, &n, model, values, err);
  if (st == TOMB_OK) st = revive_one(db, query, a, n, err);
  tomb_release(&db->allocator, a, bytes);
  return tomb_is_conflict(st, err) ? refuse_values(db, query, values, err) : st;
}

/* ---- a new name --------------------------------------------------- */

/* The names tried so far: `tries` a field, by its place in the model. */
typedef struct naming {
  const tomb_model *model;
  const tomb_value *row; /* all fields, as they are while dead */
  tomb_arena arena;
  int *tries;
  tomb_assignment *assignments;
  size_t n;
} naming;

/* The last text of the refused fields that is not NULL. */
static const tomb_field *field_to_rename(const naming *names,
                                         const tomb_error *err) {
  const tomb_field *found = NULL;
  for (size_t i = 0; i < err->n_fields; i++) {
    const tomb_field *field =
        tomb_model_find(names->model, err->fields[i], strlen(err->fields[i]));
    if (field != NULL && tomb_is_rewritable(field) &&
        names->row[field->index].type == TOMB_TEXT) {
      found = field;
    }
  }
  return found;
}

static bool next_name(tomb_value *out, naming *names, const tomb_field *field) {
  char tail[40] = " (restored)";
  tomb_value base = tomb_original(names->model, field, names->row);
  int n = ++names->tries[field->index];
  if (n > 1) snprintf(tail, sizeof tail, " (restored %d)", n);
  size_t tail_size = strlen(tail), size = base.as.text.size;
  if (field->max_length > 0) {
    if (field->max_length < tail_size) return false;
    size = tomb_utf8_prefix(base.as.text.data, size,
                            field->max_length - tail_size);
  }
  char *text = tomb_arena_take(&names->arena, size + tail_size);
  if (text == NULL) return false;
  if (size > 0) memcpy(text, base.as.text.data, size);
  memcpy(text + size, tail, tail_size);
  *out = tomb_text_of(text, size + tail_size);
  return true;
}

static void assign(naming *names, const tomb_field *field, tomb_value value) {
  size_t i = 0;
  while (i < names->n && names->assignments[i].field != field) i++;
  tomb_assignment a = {field, value, NULL};
  names->assignments[i] = a;
  if (i == names->n) names->n++;
}

static tomb_status no_name(tomb_error *err) {
  tomb_error_hint(err, "rename needs a text with room for ' (restored)'; use "
                       "\"skip\", \"replace\" or a function");
  return TOMB_INTEGRITY;
}

static tomb_status try_names(tomb_db *db, const tomb_query *query,
                             naming *names, tomb_error *err) {
  for (int i = 0; i < MOST_NAMES; i++) {
    tomb_value name;
    const tomb_field *field = field_to_rename(names, err);
    if (field == NULL || !next_name(&name, names, field)) return no_name(err);
    assign(names, field, name);
    tomb_status st = revive_one(db, query, names->assignments, names->n, err);
    if (!tomb_is_conflict(st, err)) return st;
    /* what is in the way of the new name is in the way of these fields */
    tomb_refused(db, query->model, "restore record", NULL, err);
  }
  return TOMB_INTEGRITY;
}

static tomb_status rename_row(tomb_db *db, const tomb_query *query,
                              const tomb_rows *rows, tomb_error *err) {
  size_t n = query->model->n_fields;
  naming names = {query->model,
                  tomb_rows_at(rows, 0, NULL),
                  {&db->allocator, NULL, 0},
                  NULL,
                  NULL,
                  0};
  tomb_status st = TOMB_NOMEM;
  names.tries = tomb_arena_take(&names.arena, n * sizeof *names.tries);
  names.assignments =
      tomb_arena_take(&names.arena, n * sizeof *names.assignments);
  if (names.tries == NULL || names.assignments == NULL) {
    tomb_out_of_memory(err);
  } else {
    memset(names.tries, 0, n * sizeof *names.tries);
    st = try_names(db, query, &names, err);
  }
  tomb_arena_free(&names.arena);
  return st;
}

tomb_status tomb_restore_renamed(tomb_db *db, const tomb_query *query,
                                 tomb_error *err) {
  tomb_rows *rows = tomb_rows_new(db);
  tomb_error reading;
  if (rows == NULL) return tomb_out_of_memory(err);
  tomb_status st = read_one(rows, db, query, &reading);
  if (st == TOMB_OK) {
    st = rename_row(db, query, rows, err);
  } else {
    *err = reading;
  }
  tomb_rows_free(rows);
  return st;
}

/* ---- the living row goes ------------------------------------------ */

static tomb_status delete_twin(int64_t *deleted, tomb_db *db,
                               const tomb_model *model, const tomb_value *pk,
                               const tomb_restoration *how, tomb_error *err) {
  tomb_row_query storage;
  tomb_deleted out;
  tomb_deletion deletion;
  memset(&deletion, 0, sizeof deletion);
  deletion.now = how->now;
  deletion.actor = how->actor;
  deletion.reason = how->reason;
  deletion.pk = pk;
  tomb_query living = tomb_objects(model);
  tomb_status st = tomb_delete(&out, db, tomb_query_row(&storage, &living, pk),
                               &deletion, err);
  *deleted += out.count;
  return st;
}

/* All living rows in the way, by keys of their own: those of an error are
** cut. `deleted` is 0 where an index refuses that the model does not know. */
static tomb_status delete_twins(int64_t *deleted, tomb_db *db,
                                const tomb_query *query,
                                const tomb_restoration *how, tomb_error *err) {
  tomb_rows *rows = tomb_rows_new(db);
  *deleted = 0;
  if (rows == NULL) return tomb_out_of_memory(err);
  tomb_status st = tomb_restore_conflicts(rows, db, query, err);
  for (size_t i = 0; st == TOMB_OK && i < tomb_rows_count(rows); i++) {
    const tomb_value *conflict = tomb_rows_at(rows, i, NULL);
    if (conflict[TOMB_CONFLICT_LIVING].as.integer == 0) continue;
    st = delete_twin(deleted, db, query->model, &conflict[TOMB_CONFLICT_OTHER],
                     how, err);
  }
  tomb_rows_free(rows);
  return st;
}

tomb_status tomb_restore_replacing(tomb_db *db, const tomb_query *query,
                                   const tomb_restoration *how,
                                   tomb_error *err) {
  int64_t deleted;
  tomb_error failure;
  tomb_status st = delete_twins(&deleted, db, query, how, &failure);
  if (st != TOMB_OK) {
    *err = failure;
    return st;
  }
  if (deleted == 0) return TOMB_INTEGRITY; /* the refusal stands */
  st = revive_one(db, query, NULL, 0, err);
  return tomb_is_conflict(st, err) ? tomb_restore_refused(db, query, err) : st;
}
