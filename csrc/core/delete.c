/* delete.c - soft deletion: one event, one UPDATE, however many rows. */
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "mangle.h"
#include "verbs.h"

/* Two deletions that mangle to one text are told apart by a microsecond. */
#define MOST_RETRIES 1000

tomb_status tomb_need_soft_delete(const tomb_model *model, const char *verb,
                                  tomb_error *err) {
  if (model->soft_delete != TOMB_SOFT_DELETE_OFF) return TOMB_OK;
  tomb_fail(err, TOMB_MISUSE, "%s has no soft delete, so it cannot %s",
            model->name, verb);
  tomb_error_model(err, model->name);
  tomb_error_hint(err, "use purge, or turn soft_delete on");
  return TOMB_MISUSE;
}

/* ---- events --------------------------------------------------------------- */

static tomb_value text_or_null(const char *text) {
  return text == NULL ? tomb_null() : tomb_text(text);
}

static void put(tomb_value *values, const tomb_model *events, const char *name,
                tomb_value value) {
  values[tomb_model_find(events, name, strlen(name))->index] = value;
}

#define EVENT_FIELDS 8

static tomb_status insert_event(int64_t *id, tomb_db *db, const char *model,
                                const tomb_value *pk,
                                const tomb_deletion *deletion,
                                tomb_error *err) {
  char key[300];
  tomb_value values[EVENT_FIELDS];
  const tomb_model *events = db->events;
  memset(values, 0, sizeof values);
  put(values, events, "at", tomb_time(deletion->now));
  put(values, events, "model", tomb_text(model));
  put(values, events, "actor", text_or_null(deletion->actor));
  put(values, events, "reason", text_or_null(deletion->reason));
  if (pk != NULL && pk->type == TOMB_INTEGER) {
    snprintf(key, sizeof key, "%lld", (long long)pk->as.integer);
    put(values, events, "pk", tomb_text(key));
  } else if (pk != NULL) {
    put(values, events, "pk", *pk);
  }
  tomb_status st = tomb_insert(db, events, values, deletion->now, err);
  *id = values[tomb_key_field(events)->index].as.integer;
  return st;
}

static const tomb_query *event_query(tomb_row_query *storage,
                                     const tomb_model *events, int64_t id) {
  tomb_query every = tomb_all_objects(events);
  tomb_value key = tomb_integer(id);
  return tomb_query_row(storage, &every, &key);
}

static tomb_status change_event(tomb_db *db, int64_t id,
                                const tomb_field *field, tomb_value value,
                                tomb_error *err) {
  tomb_row_query storage;
  tomb_assignment a = {field, value, NULL};
  tomb_statement statement =
      tomb_statement_on(event_query(&storage, db->events, id));
  statement.is_write = true;
  statement.assignments = &a;
  statement.n_assignments = 1;
  return tomb_store_write(NULL, db, db->driver->dialect->update, &statement,
                          NULL, err);
}

/* An id that a rollback took back is not used again: the dead rows that a
** program still holds in memory name it. */
static tomb_status open_event(int64_t *id, tomb_db *db, const char *model,
                              const tomb_value *pk,
                              const tomb_deletion *deletion, tomb_error *err) {
  tomb_status st = insert_event(id, db, model, pk, deletion, err);
  if (st == TOMB_OK && *id <= db->last_event) {
    int64_t fresh = db->last_event + 1;
    st = change_event(db, *id, tomb_key_field(db->events),
                      tomb_integer(fresh), err);
    *id = fresh;
  }
  if (st == TOMB_OK) db->last_event = *id;
  return st;
}

static tomb_status drop_event(tomb_db *db, int64_t id, tomb_error *err) {
  tomb_row_query storage;
  tomb_statement statement =
      tomb_statement_on(event_query(&storage, db->events, id));
  statement.is_write = true;
  return tomb_store_write(NULL, db, db->driver->dialect->erase, &statement,
                          NULL, err);
}

/* ---- the event that many calls share ---------------------------------------- */

static char *keep_text(tomb_db *db, const char *text) {
  size_t size = text == NULL ? 0 : strlen(text) + 1;
  char *copy = size == 0 ? NULL : tomb_realloc(&db->allocator, NULL, 0, size);
  if (copy != NULL) memcpy(copy, text, size);
  return copy;
}

static void drop_text(tomb_db *db, char **text) {
  if (*text != NULL) tomb_release(&db->allocator, *text, strlen(*text) + 1);
  *text = NULL;
}

tomb_status tomb_deletion_begin(tomb_db *db, const tomb_deletion *deletion,
                                tomb_error *err) {
  tomb_shared_event *shared = &db->shared;
  if (db->depth == 0 || shared->depth != 0) {
    return tomb_fail(err, TOMB_MISUSE,
                     db->depth == 0 ? "A deletion needs a transaction"
                                    : "A deletion is open already");
  }
  drop_text(db, &shared->actor);
  drop_text(db, &shared->reason);
  shared->actor = keep_text(db, deletion->actor);
  shared->reason = keep_text(db, deletion->reason);
  if ((deletion->actor != NULL && shared->actor == NULL) ||
      (deletion->reason != NULL && shared->reason == NULL)) {
    return tomb_out_of_memory(err);
  }
  shared->id = 0;
  shared->depth = db->depth;
  return TOMB_OK;
}

int64_t tomb_deletion_end(tomb_db *db) {
  db->shared.depth = 0;
  return db->shared.id;
}

/* ---- marking rows -------------------------------------------------------------- */

static tomb_status mark(tomb_deleted *out, tomb_db *db, tomb_statement *s,
                        const tomb_deletion *deletion, tomb_error *err) {
  char suffix[TOMB_SUFFIX_SIZE];
  tomb_value at = tomb_time(out->at), event = tomb_integer(out->event);
  tomb_value text = tomb_text_of(suffix, tomb_suffix(suffix, out->at));
  s->suffix = &text;
  s->deleted_at = &at;
  s->deleted_event = &event;
  return tomb_store_try(&out->count, db, db->driver->dialect->update, s,
                        deletion->returning, err);
}

tomb_status tomb_mark_deleted(tomb_deleted *out, tomb_db *db,
                              const tomb_query *query,
                              const tomb_deletion *deletion,
                              tomb_error *err) {
  tomb_statement statement = tomb_statement_on(query);
  tomb_status st = TOMB_OK;
  statement.is_write = true;
  statement.fence = TOMB_LIVING;
  statement.mangling = TOMB_MANGLE;
  statement.returning = deletion->returning != NULL;
  for (int i = 0; i < MOST_RETRIES; i++) {
    st = mark(out, db, &statement, deletion, err);
    if (st != TOMB_INTEGRITY || err->constraint != TOMB_CONSTRAINT_UNIQUE) {
      break;
    }
    out->at = tomb_store_stamp(db, out->at);
  }
  if (st == TOMB_INTEGRITY) {
    return tomb_refused(db, query->model, "delete records", NULL, err);
  }
  return st;
}

static tomb_status check_blast(const tomb_model *model,
                               const tomb_deletion *deletion,
                               const tomb_deleted *taken, tomb_error *err) {
  if (deletion->max_rows <= 0 || taken->count <= deletion->max_rows) {
    return TOMB_OK;
  }
  tomb_fail(err, TOMB_TOO_MANY,
            "Cannot delete records - %lld of %s would go, at most %lld may",
            (long long)taken->count, model->name,
            (long long)deletion->max_rows);
  tomb_error_model(err, model->name);
  tomb_error_hint(err, "narrow the query, or raise max_rows");
  return TOMB_TOO_MANY;
}

/* Events know their time; it is the rows' stamp also after a retry. */
static tomb_status settle_event(tomb_db *db, const tomb_deleted *taken,
                                int64_t opened_at, tomb_error *err) {
  if (taken->count == 0) return drop_event(db, taken->event, err);
  if (taken->at == opened_at) return TOMB_OK;
  return change_event(db, taken->event, tomb_model_find(db->events, "at", 2),
                      tomb_time(taken->at), err);
}

static tomb_status delete_in_event(tomb_deleted *out, tomb_db *db,
                                   const tomb_query *query,
                                   const tomb_deletion *deletion,
                                   tomb_error *err) {
  bool shared = db->shared.depth > 0;
  tomb_deletion stamped = *deletion;
  tomb_status st = TOMB_OK;
  stamped.now = out->at;
  if (shared) {
    stamped.actor = db->shared.actor;
    stamped.reason = db->shared.reason;
  }
  bool joins = shared && db->shared.id != 0;
  if (joins) {
    out->event = db->shared.id;
  } else {
    st = open_event(&out->event, db, query->model->name,
                    shared ? NULL : deletion->pk, &stamped, err);
  }
  if (st == TOMB_OK) st = tomb_mark_deleted(out, db, query, deletion, err);
  if (st == TOMB_OK && !joins) st = settle_event(db, out, stamped.now, err);
  if (st == TOMB_OK && shared && !joins && out->count > 0) {
    db->shared.id = out->event;
    db->shared.born = db->depth;
  }
  return st;
}

static tomb_status delete_within(tomb_deleted *out, tomb_db *db,
                                 const tomb_query *query,
                                 const tomb_deletion *deletion,
                                 tomb_error *err) {
  tomb_status st =
      query->model->soft_delete == TOMB_SOFT_DELETE_EVENTS
          ? delete_in_event(out, db, query, deletion, err)
          : tomb_mark_deleted(out, db, query, deletion, err);
  return st == TOMB_OK ? check_blast(query->model, deletion, out, err) : st;
}

tomb_status tomb_delete(tomb_deleted *out, tomb_db *db,
                        const tomb_query *query,
                        const tomb_deletion *deletion, tomb_error *err) {
  tomb_error own;
  if (err == NULL) err = &own;
  memset(out, 0, sizeof *out);
  tomb_status st = tomb_need_soft_delete(query->model, "delete", err);
  if (st != TOMB_OK || query->scope == TOMB_DEAD) return st;
  out->at = tomb_store_stamp(db, deletion->now);
  st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = tomb_store_leave(db, delete_within(out, db, query, deletion, err), err);
  if (st != TOMB_OK) out->count = 0;
  if (out->count == 0) out->event = 0;
  return st;
}
