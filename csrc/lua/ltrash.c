/* ltrash.c - delete, purge and forget, on rows and on queries, and looking at the
** dead. */
#include <stdio.h>
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "lreport.h"
#include "lverb.h"
#include "raise.h"

/***
Deleting, purging and forgetting.
@module tombstone.model
*/

/* ---- delete ------------------------------------------------------- */

static void read_deletion(lua_State *L, const lua_verb *b, tomb_deletion *out) {
  memset(out, 0, sizeof *out);
  luaL_checkstack(L, 8, NULL);
  out->actor = tomb_text_option(L, 2, "actor");
  out->reason = tomb_text_option(L, 2, "reason");
  out->max_rows = tomb_count_option(L, 2, "max_rows");
  out->now = tomb_values_now(L, &b->v);
}

/* Pushes the event as a row of its model, without asking the database. */
static void push_event(lua_State *L, const lua_verb *b,
                       const tomb_deletion *deletion,
                       const tomb_deleted *deleted) {
  tomb_value id = tomb_integer(deleted->event);
  tomb_value at = tomb_time(deleted->at);
  char key[32];
  lua_createtable(L, 0, 6);
  tomb_pushvalue(L, NULL, &id);
  lua_setfield(L, -2, "id");
  tomb_pushvalue(L, NULL, &at);
  lua_setfield(L, -2, "at");
  tomb_set_string(L, "model", tomb_model_name(b->query.model));
  tomb_set_string(L, "actor", deletion->actor);
  tomb_set_string(L, "reason", deletion->reason);
  if (deletion->pk != NULL && deletion->pk->type == TOMB_TEXT) {
    tomb_pushvalue(L, NULL, deletion->pk);
    lua_setfield(L, -2, "pk");
  } else if (deletion->pk != NULL) {
    snprintf(key, sizeof key, "%lld", (long long)deletion->pk->as.integer);
    tomb_set_string(L, "pk", key);
  }
  tomb_getref(L, b->v.at, MODEL_DB);
  tomb_getref(L, -1, DB_EVENTS);
  lua_remove(L, -2);
  lua_setmetatable(L, -2);
}

static void show_marks(lua_State *L, const lua_verb *b,
                       const tomb_deleted *deleted) {
  const tomb_model *model = b->query.model;
  const tomb_field *stamp = tomb_model_role(model, TOMB_ROLE_DELETED_AT);
  const tomb_field *event = tomb_model_role(model, TOMB_ROLE_DELETED_EVENT);
  tomb_value at = tomb_time(deleted->at), id = tomb_integer(deleted->event);
  tomb_pushvalue(L, stamp, &at);
  tomb_set_field(L, &b->v, 1, stamp->index);
  if (event == NULL) return;
  tomb_pushvalue(L, event, &id);
  tomb_set_field(L, &b->v, 1, event->index);
}

/* Of the fields that the row holds, those that the engine has rewritten. */
static void show_texts(lua_State *L, const lua_verb *b, const tomb_rows *rows) {
  if (tomb_rows_count(rows) == 0) return;
  const tomb_value *values = tomb_rows_at(rows, 0, NULL);
  for (size_t i = 0; i < b->v.model->n_fields; i++) {
    if (!tomb_model_mangles(b->query.model, i)) continue;
    tomb_pushvalue(L, tomb_model_field(b->query.model, i), &values[i]);
    tomb_set_field(L, &b->v, 1, i);
  }
}

/***
Soft-deletes the row.
@function Model:delete
@tparam[opt] table options `actor`, `reason`, `max_rows` (of all that would go)
@treturn event|nil nil when it was dead already; true where the model has no events
@raise misuse where the model has no soft delete; restricted, naming all that need it; too_many
@usage local event = post:delete { actor = "ana" }
*/
static int row_delete(lua_State *L) {
  static const char *const known[] = {"actor", "reason", "max_rows",
                                      TOMB_LIMIT_OPTIONS, NULL};
  tomb_error err;
  tomb_deletion deletion;
  tomb_deleted deleted;
  lua_verb b;
  tomb_begin_row(L, &b);
  tomb_check_options(L, 2, known, "delete");
  read_deletion(L, &b, &deletion);
  bool mangles = tomb_model_mangles_any(b.query.model);
  tomb_rows **rows = tomb_new_rows(L, mangles ? b.v.model->db : NULL);
  deletion.pk = &b.key;
  deletion.returning = *rows;
  tomb_status st =
      tomb_delete(&deleted, tomb_engine(&b), &b.query, &deletion, &err);
  tomb_values_finish(L, &b.v, st, &err);
  if (mangles && deleted.count > 0) show_texts(L, &b, *rows);
  tomb_drop_rows(rows);
  if (deleted.count == 0) {
    lua_pushnil(L); /* dead already, or gone */
    return 1;
  }
  show_marks(L, &b, &deleted);
  if (deleted.event == 0) {
    lua_pushboolean(L, 1);
  } else {
    push_event(L, &b, &deletion, &deleted);
  }
  return 1;
}

static int query_delete(lua_State *L) {
  static const char *const known[] = {
      "all", "actor", "reason", "max_rows", TOMB_LIMIT_OPTIONS, NULL};
  tomb_error err;
  tomb_deletion deletion;
  tomb_deleted deleted;
  lua_verb b;
  tomb_begin_query(L, &b);
  tomb_check_options(L, 2, known, "delete");
  tomb_need_meaning(L, lua_touserdata(L, 1), 2, "delete");
  read_deletion(L, &b, &deletion);
  tomb_status st =
      tomb_delete(&deleted, tomb_engine(&b), &b.query, &deletion, &err);
  tomb_values_finish(L, &b.v, st, &err);
  tomb_push_count(L, deleted.count);
  if (deleted.event == 0) return 1;
  push_event(L, &b, &deletion, &deleted);
  return 2;
}

/* ---- purge -------------------------------------------------------- */

static tomb_rows **read_purging(lua_State *L, const lua_verb *b,
                                tomb_purging *out) {
  memset(out, 0, sizeof *out);
  read_deletion(L, b, &out->deletion);
  out->living = tomb_flag_option(L, 2, "living");
  out->dry_run = tomb_flag_option(L, 2, "dry_run");
  tomb_rows **report = tomb_new_rows(L, b->v.model->db);
  out->report = *report;
  return report;
}

/***
The real DELETE of the row, dead or alive, and of the dead rows that need it.
@function Model:purge
@tparam[opt] table options `actor`, `reason` of the deletion of a living row; `dry_run` writes nothing
@treturn boolean false when it was gone already
@treturn table the report, as that of `query:purge`
@raise restricted, while a living row needs one of them
@usage local gone, report = post:purge()
*/
static int row_purge(lua_State *L) {
  static const char *const known[] = {"actor", "reason", "dry_run",
                                      TOMB_LIMIT_OPTIONS, NULL};
  tomb_error err;
  tomb_purging how;
  int64_t purged;
  lua_verb b;
  tomb_begin_row(L, &b);
  tomb_check_options(L, 2, known, "purge");
  tomb_rows **report = read_purging(L, &b, &how);
  how.living = true;
  how.deletion.pk = &b.key;
  tomb_status st = tomb_purge(&purged, tomb_engine(&b), &b.query, &how, &err);
  tomb_values_finish(L, &b.v, st, &err);
  lua_pushboolean(L, purged > 0);
  tomb_push_report(L, *report);
  tomb_drop_rows(report);
  return 2;
}

static int query_purge(lua_State *L) {
  static const char *const known[] = {
      "all", "living", "actor", "reason", "dry_run", TOMB_LIMIT_OPTIONS, NULL};
  tomb_error err;
  tomb_purging how;
  int64_t purged;
  lua_verb b;
  tomb_begin_query(L, &b);
  tomb_check_options(L, 2, known, "purge");
  tomb_need_meaning(L, lua_touserdata(L, 1), 2, "purge");
  tomb_rows **report = read_purging(L, &b, &how);
  tomb_status st = tomb_purge(&purged, tomb_engine(&b), &b.query, &how, &err);
  tomb_values_finish(L, &b.v, st, &err);
  tomb_push_count(L, purged);
  tomb_push_report(L, *report);
  tomb_drop_rows(report);
  return 2;
}

/***
Erases the row, dead or alive, and all below it along cascades, dead or alive, from tables, trash and events.
@function Model:forget
@tparam[opt] table options `actor`, `reason` (one event is left that says so, without a key); `dry_run` writes nothing
@treturn table the report, as that of `query:purge`, and `events = { removed = 2, cleared = 1 }`
@raise restricted, while a living row needs one of them
@usage print(person:forget({ reason = "asked for it" }).rows.Person)
*/
static int row_forget(lua_State *L) {
  static const char *const known[] = {"actor", "reason", "dry_run",
                                      TOMB_LIMIT_OPTIONS, NULL};
  tomb_error err;
  tomb_purging how;
  int64_t forgotten;
  lua_verb b;
  tomb_begin_row(L, &b);
  tomb_check_options(L, 2, known, "forget");
  tomb_rows **report = read_purging(L, &b, &how);
  tomb_status st = tomb_forget(&forgotten, tomb_engine(&b), b.query.model,
                               &b.key, &how, &err);
  tomb_values_finish(L, &b.v, st, &err);
  tomb_push_event_report(L, *report);
  tomb_drop_rows(report);
  return 1;
}

/* ---- looking ------------------------------------------------------ */

/***
True when the row in memory is deleted.
@function Model:is_deleted
@treturn boolean
@usage if post:is_deleted() then post:restore() end
*/
static int row_is_deleted(lua_State *L) {
  lua_settop(L, 1);
  lua_model *model = tomb_check_row(L, 1);
  const tomb_field *stamp = tomb_model_role(model->model, TOMB_ROLE_DELETED_AT);
  if (stamp == NULL) {
    lua_pushboolean(L, 0);
    return 1;
  }
  lua_pushstring(L, stamp->name);
  lua_rawget(L, 1);
  lua_pushboolean(L, !lua_isnil(L, -1));
  return 1;
}

static void absent_are_null(row_values *v) {
  for (size_t i = 0; i < v->model->n_fields; i++) {
    if (v->values[i].type == TOMB_ABSENT) v->values[i] = tomb_null();
  }
}

/***
The value that a field had before the row was deleted.
@function Model:original
@string field
@return the value
@raise misuse for a name that is no field
@usage print(post:original "title")
*/
static int row_original(lua_State *L) {
  row_values v;
  lua_settop(L, 2);
  lua_model *model = tomb_check_row(L, 1);
  const tomb_field *field = tomb_check_field(L, 2, model->model);
  const tomb_field *stamp = tomb_model_role(model->model, TOMB_ROLE_DELETED_AT);
  tomb_begin_values(L, &v);
  tomb_read_values(L, &v, 1);
  absent_are_null(&v);
  if (stamp != NULL) tomb_value_fit(stamp, &v.values[stamp->index]);
  tomb_value original = tomb_original(model->model, field, v.values);
  tomb_pushvalue(L, field, &original);
  return 1;
}

void tomb_open_trash(lua_State *L) {
  static const luaL_Reg rows[] = {
      {"delete", row_delete},     {"purge", row_purge},
      {"forget", row_forget},     {"is_deleted", row_is_deleted},
      {"original", row_original}, {NULL, NULL}};
  static const luaL_Reg queries[] = {
      {"delete", query_delete}, {"purge", query_purge}, {NULL, NULL}};
  tomb_methods(L, METHODS);
  tomb_setfuncs(L, rows);
  tomb_methods(L, QUERY);
  tomb_setfuncs(L, queries);
  lua_pop(L, 2);
}
