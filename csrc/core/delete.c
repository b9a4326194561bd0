/* delete.c - soft deletion: one event, one UPDATE, however many rows. */
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "plan.h"
#include "value.h"
#include "verbs.h"

tomb_status tomb_need_soft_delete(const tomb_model *model, const char *verb,
                                  tomb_error *err) {
  if (model->soft_delete != TOMB_SOFT_DELETE_OFF) return TOMB_OK;
  tomb_fail(err, TOMB_MISUSE, "%s has no soft delete, so it cannot %s",
            model->name, verb);
  tomb_error_model(err, model->name);
  tomb_error_hint(err, "use purge, or turn soft_delete on");
  return TOMB_MISUSE;
}

/* ---- events ------------------------------------------------------- */

static tomb_value text_or_null(const char *text) {
  return text == NULL ? tomb_null() : tomb_text(text);
}

static void put(tomb_value *values, const tomb_model *events, const char *name,
                tomb_value value) {
  values[tomb_model_find(events, name, strlen(name))->index] = value;
}

/* What the event will say, before anything is written of it. */
static tomb_status check_event(const tomb_db *db, tomb_value at,
                               const tomb_deletion *deletion, tomb_error *err) {
  const tomb_model *events = db->events;
  tomb_value values[TOMB_EVENT_FIELDS];
  memset(values, 0, sizeof values);
  put(values, events, "at", at);
  put(values, events, "actor", text_or_null(deletion->actor));
  put(values, events, "reason", text_or_null(deletion->reason));
  if (deletion->pk != NULL && deletion->pk->type == TOMB_TEXT) {
    put(values, events, "pk", *deletion->pk);
  }
  return tomb_validate(events, values, false, err);
}

/* An id that a rollback took back is not used again: the dead rows that a
** program still holds in memory name it. Where the transaction keeps other
** writers out the database is asked once in each. */
static tomb_status next_event(int64_t *id, tomb_db *db, tomb_error *err) {
  *id = 0;
  if (!db->event_ids_known) {
    tomb_status st = tomb_store_start(db, err);
    if (st != TOMB_OK) return st;
    tomb_sql_add(&db->sql, db->driver->dialect->next_event);
    st = tomb_store_integer(id, db, err);
    if (st != TOMB_OK) return st;
    db->event_ids_known = db->depth > 0 && !db->borrowed &&
                          db->driver->dialect->writers_are_alone;
  }
  int64_t *last = &db->driver->commons(db->conn)->last_event;
  if (*id <= *last) *id = *last + 1;
  *last = *id;
  return TOMB_OK;
}

/* ---- the event that many calls share ------------------------------ */

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
  const tomb_value no_time = {TOMB_ABSENT, {0}};
  tomb_status st = check_event(db, no_time, deletion, err);
  if (st != TOMB_OK) return st;
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

static bool differs(const char *own, const char *shared) {
  return own != NULL && (shared == NULL || strcmp(own, shared) != 0);
}

static tomb_status refuse_other(const char *verb, const char *what,
                                const char *own, const char *shared,
                                tomb_error *err) {
  char given[96], said[96];
  const tomb_value text = tomb_text(own);
  tomb_show_value(given, sizeof given, &text);
  snprintf(said, sizeof said, "no %s", what);
  if (shared != NULL) {
    const tomb_value whole = tomb_text(shared);
    snprintf(said, sizeof said, "the %s ", what);
    size_t used = strlen(said);
    tomb_show_value(said + used, sizeof said - used, &whole);
  }
  tomb_fail(err, TOMB_MISUSE,
            "Cannot %s records - the %s is %s, and the open deletion has %s",
            verb, what, given, said);
  tomb_error_hint(err, "name the %s in db:deletion, whose event all of it is",
                  what);
  return TOMB_MISUSE;
}

tomb_status tomb_check_shared(const tomb_db *db, const tomb_model *model,
                              const char *verb, const char *actor,
                              const char *reason, tomb_error *err) {
  const tomb_shared_event *shared = &db->shared;
  if (shared->depth == 0 || model->soft_delete != TOMB_SOFT_DELETE_EVENTS) {
    return TOMB_OK;
  }
  if (differs(actor, shared->actor)) {
    return refuse_other(verb, "actor", actor, shared->actor, err);
  }
  if (differs(reason, shared->reason)) {
    return refuse_other(verb, "reason", reason, shared->reason, err);
  }
  return TOMB_OK;
}

int64_t tomb_deletion_end(tomb_db *db) {
  db->shared.depth = 0;
  return db->shared.id;
}

/* ---- marking rows ------------------------------------------------- */

static tomb_status check_blast(const tomb_model *model,
                               const tomb_deletion *deletion,
                               const tomb_deleted *taken, tomb_error *err) {
  if (deletion->max_rows <= 0 || taken->total <= deletion->max_rows) {
    return TOMB_OK;
  }
  tomb_fail(err, TOMB_TOO_MANY,
            "Cannot delete records - %lld %s%s would go, at most %lld may",
            (long long)taken->total,
            taken->total == taken->count ? "of " : "rows",
            taken->total == taken->count ? model->name : "",
            (long long)deletion->max_rows);
  tomb_error_model(err, model->name);
  tomb_error_hint(err, "narrow the query, or raise max_rows");
  return TOMB_TOO_MANY;
}

/* The event gets a row of its own, unless it is shared and has one. */
static void plan_record(tomb_plan *plan, const tomb_db *db,
                        const tomb_deletion *deletion) {
  const tomb_shared_event *shared = &db->shared;
  tomb_deletion how = *deletion;
  if (shared->depth > 0) {
    how.actor = shared->actor;
    how.reason = shared->reason;
    how.pk = NULL;
  }
  tomb_plan_record(plan, db->events, &how);
}

static void share(tomb_db *db, int64_t event) {
  if (db->shared.depth == 0) return;
  db->shared.id = event;
  db->shared.born = db->depth;
}

/* The rows are marked first, so that nothing is written for none of them. */
static tomb_status delete_rows(tomb_deleted *out, tomb_db *db,
                               const tomb_query *query,
                               const tomb_deletion *deletion, tomb_step *step,
                               tomb_error *err) {
  tomb_plan plan;
  tomb_plan_count count = {0, 0};
  const tomb_graph graph = {db->models, db->n_models, db->owners};
  tomb_status st = TOMB_OK;
  bool events = query->model->soft_delete == TOMB_SOFT_DELETE_EVENTS;
  bool joins = db->shared.depth > 0 && db->shared.id != 0;
  if (events && joins) out->event = db->shared.id;
  if (events && !joins) st = next_event(&out->event, db, err);
  if (st != TOMB_OK) return st;
  tomb_plan_delete(&plan, query, out->at, out->event);
  if (query->model->n_children > 0 &&
      !tomb_plan_cascade(&plan, &db->allocator, &graph)) {
    st = tomb_out_of_memory(err);
  }
  if (events && !joins) plan_record(&plan, db, deletion);
  if (st == TOMB_OK) st = tomb_run_plan(&count, db, &plan, err);
  tomb_plan_free(&plan);
  out->count = count.own;
  out->total = count.all;
  out->at = tomb_plan_stamped(&plan);
  step->wrote = out->count > 0;
  if (st == TOMB_OK && step->wrote && events && !joins) share(db, out->event);
  return st;
}

static tomb_status read_deleted(tomb_db *db, const tomb_model *model,
                                const tomb_deletion *deletion,
                                tomb_error *err) {
  tomb_row_query storage;
  tomb_query every = tomb_all_objects(model);
  if (deletion->pk == NULL || deletion->returning == NULL) return TOMB_OK;
  return tomb_read_rows(deletion->returning, db,
                        tomb_query_row(&storage, &every, deletion->pk), err);
}

/* What may be refused after its rows are marked needs a savepoint. */
static tomb_status begin(tomb_step *step, tomb_db *db, const tomb_query *query,
                         const tomb_deletion *deletion, tomb_error *err) {
  if (deletion->max_rows <= 0 && query->model->n_children == 0) {
    return tomb_step_begin(step, db, err);
  }
  step->own = true;
  step->wrote = false;
  return tomb_store_enter(db, err);
}

tomb_status tomb_delete(tomb_deleted *out, tomb_db *db, const tomb_query *query,
                        const tomb_deletion *deletion, tomb_error *err) {
  tomb_error own;
  tomb_step step;
  if (err == NULL) err = &own;
  memset(out, 0, sizeof *out);
  tomb_status st = tomb_need_soft_delete(query->model, "delete", err);
  if (st == TOMB_OK) {
    st = tomb_check_shared(db, query->model, "delete", deletion->actor,
                           deletion->reason, err);
  }
  if (st == TOMB_OK) {
    st = check_event(db, tomb_time(deletion->now), deletion, err);
  }
  if (st != TOMB_OK || query->scope == TOMB_DEAD) return st;
  out->at = tomb_store_stamp(db, deletion->now);
  st = begin(&step, db, query, deletion, err);
  if (st != TOMB_OK) return st;
  st = delete_rows(out, db, query, deletion, &step, err);
  if (st == TOMB_OK) st = check_blast(query->model, deletion, out, err);
  if (st == TOMB_OK && out->count > 0) {
    st = read_deleted(db, query->model, deletion, err);
  }
  st = tomb_step_end(&step, db, st, err);
  if (st != TOMB_OK) out->count = out->total = 0;
  if (out->count == 0) out->event = 0;
  return st;
}
