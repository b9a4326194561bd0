/* ltrash.c - delete, restore, purge: on rows and on queries. */
#include <stdio.h>
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "lvalues.h"
#include "raise.h"
#include "state.h"

static const char *text_option(lua_State *L, int options, const char *name) {
  if (!lua_istable(L, options)) return NULL;
  lua_getfield(L, options, name); /* stays: the table holds it anyway */
  if (lua_isnil(L, -1)) return NULL;
  if (lua_type(L, -1) != LUA_TSTRING) {
    tomb_misuse(L, NULL, "%s is a text, not a %s", name,
                luaL_typename(L, -1));
  }
  return lua_tostring(L, -1);
}

static bool flag_option(lua_State *L, int options, const char *name) {
  if (!lua_istable(L, options)) return false;
  lua_getfield(L, options, name);
  bool flag = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return flag;
}

static int64_t count_option(lua_State *L, int options, const char *name) {
  if (!lua_istable(L, options)) return 0;
  lua_getfield(L, options, name);
  if (lua_isnil(L, -1)) return 0;
  lua_Number n = lua_tonumber(L, -1);
  if (lua_type(L, -1) != LUA_TNUMBER || !(n >= 1) || !(n < 9e15)) {
    tomb_misuse(L, NULL, "%s is a whole number from 1 on", name);
  }
  return (int64_t)n;
}

/* A verb on the row at 1 or the query at 1, with options at 2. */
typedef struct verb {
  row_values v; /* of a row: its key */
  tomb_query query;
  tomb_filter_link link;
  tomb_cond cond;
  tomb_value key;
} verb;

/* Stack afterwards: 1 the row, 2 the options, then what the values need. */
static void begin_row(lua_State *L, verb *b) {
  tomb_error err;
  lua_settop(L, 2);
  lua_model *model = tomb_check_row(L, 1);
  tomb_need_kept(L, model->db, 3, 1);
  tomb_begin_values(L, &b->v);
  const tomb_field *key = tomb_model_role(model->model, TOMB_ROLE_KEY);
  lua_rawgeti(L, b->v.slots - 1, (int)key->index + 1);
  lua_rawget(L, 1);
  tomb_tovalue(L, lua_gettop(L), key, &b->key);
  if (b->key.type == TOMB_ABSENT) {
    tomb_misuse(L, "save it first", "The row has no %s", key->name);
  }
  tomb_query every = tomb_all_objects(model->model);
  b->cond = tomb_where(key->name, &b->key);
  if (tomb_filter(&b->query, &every, &b->cond, false, &b->link, &err) !=
      TOMB_OK) {
    tomb_raise(L, &err);
  }
}

static void begin_query(lua_State *L, verb *b) {
  lua_settop(L, 2);
  b->query = tomb_check_query(L, 1)->query;
  tomb_getref(L, 1, QUERY_MODEL);
  tomb_begin_values(L, &b->v);
}

static tomb_db *engine(const verb *b) {
  return b->v.model->db->db;
}

/* ---- delete ---------------------------------------------------------------------- */

static void read_deletion(lua_State *L, const verb *b, tomb_deletion *out) {
  memset(out, 0, sizeof *out);
  luaL_checkstack(L, 8, NULL);
  out->actor = text_option(L, 2, "actor");
  out->reason = text_option(L, 2, "reason");
  out->max_rows = count_option(L, 2, "max_rows");
  out->now = tomb_values_now(L, &b->v);
}

static void set_string(lua_State *L, const char *name, const char *text) {
  if (text == NULL) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

/* Pushes the event as a row of its model, without asking the database. */
static void push_event(lua_State *L, const verb *b,
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
  set_string(L, "model", tomb_model_name(b->query.model));
  set_string(L, "actor", deletion->actor);
  set_string(L, "reason", deletion->reason);
  if (deletion->pk != NULL && deletion->pk->type == TOMB_TEXT) {
    tomb_pushvalue(L, NULL, deletion->pk);
    lua_setfield(L, -2, "pk");
  } else if (deletion->pk != NULL) {
    snprintf(key, sizeof key, "%lld", (long long)deletion->pk->as.integer);
    set_string(L, "pk", key);
  }
  tomb_getref(L, b->v.at, MODEL_DB);
  tomb_getref(L, -1, DB_EVENTS);
  lua_remove(L, -2);
  lua_setmetatable(L, -2);
}

static void show_marks(lua_State *L, const verb *b,
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
static void show_texts(lua_State *L, const verb *b, const tomb_rows *rows) {
  if (tomb_rows_count(rows) == 0) return;
  const tomb_value *values = tomb_rows_at(rows, 0, NULL);
  for (size_t i = 0; i < b->v.model->n_fields; i++) {
    if (!tomb_model_mangles(b->query.model, i)) continue;
    tomb_pushvalue(L, tomb_model_field(b->query.model, i), &values[i]);
    tomb_set_field(L, &b->v, 1, i);
  }
}

static int row_delete(lua_State *L) {
  static const char *const known[] = {"actor", "reason", NULL};
  tomb_error err;
  tomb_deletion deletion;
  tomb_deleted deleted;
  verb b;
  begin_row(L, &b);
  tomb_check_options(L, 2, known, "delete");
  read_deletion(L, &b, &deletion);
  bool mangles = tomb_model_mangles_any(b.query.model);
  tomb_rows **rows = tomb_new_rows(L, mangles ? b.v.model->db : NULL);
  deletion.pk = &b.key;
  deletion.returning = *rows;
  tomb_status st = tomb_delete(&deleted, engine(&b), &b.query, &deletion, &err);
  tomb_values_finish(L, &b.v, st, &err);
  if (deleted.count == 0) {
    lua_pushnil(L); /* dead already, or gone */
    return 1;
  }
  if (mangles) show_texts(L, &b, *rows);
  show_marks(L, &b, &deleted);
  if (deleted.event == 0) {
    lua_pushboolean(L, 1);
  } else {
    push_event(L, &b, &deletion, &deleted);
  }
  return 1;
}

static void push_count(lua_State *L, int64_t n) {
  tomb_value value = tomb_integer(n);
  tomb_pushvalue(L, NULL, &value);
}

static int query_delete(lua_State *L) {
  static const char *const known[] = {"all", "actor", "reason", "max_rows",
                                      NULL};
  tomb_error err;
  tomb_deletion deletion;
  tomb_deleted deleted;
  verb b;
  begin_query(L, &b);
  tomb_check_options(L, 2, known, "delete");
  tomb_need_meaning(L, lua_touserdata(L, 1), 2, "delete");
  read_deletion(L, &b, &deletion);
  tomb_status st = tomb_delete(&deleted, engine(&b), &b.query, &deletion, &err);
  tomb_values_finish(L, &b.v, st, &err);
  push_count(L, deleted.count);
  if (deleted.event == 0) return 1;
  push_event(L, &b, &deletion, &deleted);
  return 2;
}

/* ---- restore ------------------------------------------------------------------------ */

static tomb_on_conflict word_of(lua_State *L, int index) {
  static const char *const words[] = {"fail", "skip", "rename", "replace",
                                      NULL};
  const char *word =
      lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : NULL;
  int i = 0;
  while (words[i] != NULL && (word == NULL || strcmp(words[i], word) != 0)) i++;
  if (words[i] == NULL) {
    tomb_misuse(L, NULL, "on_conflict is \"fail\", \"skip\", \"rename\", "
                         "\"replace\" or a function");
  }
  return (tomb_on_conflict)i;
}

static void read_restoration(lua_State *L, const verb *b,
                             tomb_restoration *out) {
  static const char *const known[] = {"all", "actor", "reason", "on_conflict",
                                      NULL};
  memset(out, 0, sizeof *out);
  luaL_checkstack(L, 8, NULL);
  tomb_check_options(L, 2, known, "restore");
  out->actor = text_option(L, 2, "actor");
  out->reason = text_option(L, 2, "reason");
  out->now = tomb_values_now(L, &b->v);
  if (!lua_istable(L, 2)) return;
  lua_getfield(L, 2, "on_conflict");
  if (!lua_isnil(L, -1)) out->on_conflict = word_of(L, -1);
}

static int row_restore(lua_State *L) {
  tomb_error err;
  tomb_restoration how;
  int64_t restored;
  verb b;
  begin_row(L, &b);
  read_restoration(L, &b, &how);
  tomb_rows **rows = tomb_new_rows(L, b.v.model->db);
  how.returning = *rows;
  tomb_status st = tomb_restore(&restored, engine(&b), &b.query, &how, &err);
  tomb_values_finish(L, &b.v, st, &err);
  if (tomb_rows_count(*rows) > 0) {
    size_t last = tomb_rows_count(*rows) - 1;
    tomb_show_values(L, &b.v, 1, tomb_rows_at(*rows, last, NULL));
  }
  lua_pushboolean(L, restored > 0);
  return 1;
}

static int query_restore(lua_State *L) {
  tomb_error err;
  tomb_restoration how;
  int64_t restored;
  verb b;
  begin_query(L, &b);
  read_restoration(L, &b, &how);
  tomb_need_meaning(L, lua_touserdata(L, 1), 2, "restore");
  tomb_status st = tomb_restore(&restored, engine(&b), &b.query, &how, &err);
  tomb_values_finish(L, &b.v, st, &err);
  push_count(L, restored);
  return 1;
}

/* ---- a restore that asks --------------------------------------------------------------- */

static int query_restore_job(lua_State *L) {
  tomb_error err;
  tomb_restoration how;
  verb b;
  begin_query(L, &b);
  read_restoration(L, &b, &how);
  how.on_conflict = TOMB_CONFLICT_ASK;
  how.actor = how.reason = NULL; /* they would not outlive this call */
  tomb_restore_job **job = tomb_new_job(L, 1);
  tomb_status st =
      tomb_restore_open(job, engine(&b), &b.query, &how, &err);
  if (st != TOMB_OK) return tomb_raise(L, &err);
  return 1;
}

static tomb_restore_job **check_job(lua_State *L) {
  tomb_restore_job **job = tomb_testclass(L, 1, JOB);
  if (job == NULL || *job == NULL) {
    tomb_misuse(L, NULL, "An open restore is needed");
  }
  return job;
}

/* Pushes what a conflict function is told. */
static void push_conflict(lua_State *L, const tomb_error *err) {
  lua_createtable(L, 0, 6);
  set_string(L, "message", err->message);
  lua_createtable(L, (int)err->n_fields, 0);
  for (size_t i = 0; i < err->n_fields; i++) {
    lua_pushstring(L, err->fields[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, "fields");
  if (err->has_value) {
    tomb_pushkept(L, &err->value);
    lua_setfield(L, -2, "value");
  }
  if (err->has_live_pk) {
    tomb_pushkept(L, &err->live_pk);
    lua_setfield(L, -2, "live_pk");
  }
  tomb_pushkept(L, &err->dead_pk);
  lua_setfield(L, -2, "dead_pk");
}

/* job:next() -> the key of a row in conflict and the conflict, or nothing */
static int job_next(lua_State *L) {
  tomb_error err;
  tomb_value pk;
  tomb_restore_job **job = check_job(L);
  tomb_status st = tomb_restore_next(*job, &pk, &err);
  if (st == TOMB_DONE) return 0;
  if (st != TOMB_ROW) return tomb_raise(L, &err);
  tomb_pushvalue(L, NULL, &pk);
  push_conflict(L, &err);
  return 2;
}

/* job:resolve(word) or job:resolve(values) */
static int job_resolve(lua_State *L) {
  tomb_error err;
  row_values v;
  const tomb_value *values = NULL;
  tomb_on_conflict word = TOMB_CONFLICT_FAIL;
  tomb_restore_job **job = check_job(L);
  lua_settop(L, 2);
  if (lua_istable(L, 2)) {
    tomb_getref(L, 1, 1); /* the query */
    tomb_getref(L, -1, QUERY_MODEL);
    tomb_begin_values(L, &v);
    tomb_check_keys(L, &v, 2, tomb_read_values(L, &v, 2), false);
    values = v.values;
  } else {
    word = word_of(L, 2);
  }
  tomb_status st = tomb_restore_resolve(*job, word, values, &err);
  return st == TOMB_OK ? 0 : tomb_raise(L, &err);
}

static int job_close(lua_State *L) {
  tomb_error err;
  int64_t restored;
  tomb_restore_job **job = check_job(L);
  tomb_restore_job *open = *job;
  *job = NULL;
  tomb_status st = tomb_restore_close(open, &restored, &err);
  if (st != TOMB_OK) return tomb_raise(L, &err);
  push_count(L, restored);
  return 1;
}

/* ---- what stands in the way --------------------------------------------------------------- */

static void push_names(lua_State *L, const tomb_value *names) {
  const char *at = names->as.text.data;
  lua_newtable(L);
  for (int i = 1; *at != '\0'; i++) {
    size_t n = strcspn(at, ",");
    lua_pushlstring(L, at, n);
    lua_rawseti(L, -2, i);
    at += n + (at[n] == ',');
  }
}

static void push_plan_row(lua_State *L, const tomb_value *row) {
  lua_createtable(L, 0, 4);
  push_names(L, &row[0]);
  lua_setfield(L, -2, "fields");
  tomb_pushvalue(L, NULL, &row[1]);
  lua_setfield(L, -2, "value");
  tomb_pushvalue(L, NULL, &row[2]);
  lua_setfield(L, -2, "dead_pk");
  tomb_pushvalue(L, NULL, &row[3]);
  lua_setfield(L, -2, row[4].as.integer != 0 ? "live_pk" : "twin_pk");
}

/* query:conflicts() -> what a restore would meet */
static int query_conflicts(lua_State *L) {
  tomb_error err;
  verb b;
  begin_query(L, &b);
  tomb_rows **rows = tomb_new_rows(L, b.v.model->db);
  tomb_status st = tomb_restore_conflicts(*rows, engine(&b), &b.query, &err);
  tomb_values_finish(L, &b.v, st, &err);
  size_t n = tomb_rows_count(*rows);
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    push_plan_row(L, tomb_rows_at(*rows, i, NULL));
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* ---- purge --------------------------------------------------------------------------------- */

static int row_purge(lua_State *L) {
  static const char *const known[] = {"actor", "reason", NULL};
  tomb_error err;
  tomb_deletion deletion;
  int64_t purged;
  verb b;
  begin_row(L, &b);
  tomb_check_options(L, 2, known, "purge");
  read_deletion(L, &b, &deletion);
  deletion.pk = &b.key;
  tomb_status st =
      tomb_purge(&purged, engine(&b), &b.query, true, &deletion, &err);
  tomb_values_finish(L, &b.v, st, &err);
  lua_pushboolean(L, purged > 0);
  return 1;
}

static int query_purge(lua_State *L) {
  static const char *const known[] = {"all", "living", "actor", "reason",
                                      NULL};
  tomb_error err;
  tomb_deletion deletion;
  int64_t purged;
  verb b;
  begin_query(L, &b);
  tomb_check_options(L, 2, known, "purge");
  tomb_need_meaning(L, lua_touserdata(L, 1), 2, "purge");
  read_deletion(L, &b, &deletion);
  tomb_status st = tomb_purge(&purged, engine(&b), &b.query,
                              flag_option(L, 2, "living"), &deletion, &err);
  tomb_values_finish(L, &b.v, st, &err);
  push_count(L, purged);
  return 1;
}

/* ---- looking ----------------------------------------------------------------------------------- */

static int row_is_deleted(lua_State *L) {
  lua_settop(L, 1);
  lua_model *model = tomb_check_row(L, 1);
  const tomb_field *stamp =
      tomb_model_role(model->model, TOMB_ROLE_DELETED_AT);
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

static int row_original(lua_State *L) {
  row_values v;
  lua_settop(L, 2);
  lua_model *model = tomb_check_row(L, 1);
  const tomb_field *field = tomb_check_field(L, 2, model->model);
  const tomb_field *stamp =
      tomb_model_role(model->model, TOMB_ROLE_DELETED_AT);
  tomb_begin_values(L, &v);
  tomb_read_values(L, &v, 1);
  absent_are_null(&v);
  if (stamp != NULL) tomb_value_fit(stamp, &v.values[stamp->index]);
  tomb_value original = tomb_original(model->model, field, v.values);
  tomb_pushvalue(L, field, &original);
  return 1;
}

void tomb_open_trash(lua_State *L) {
  static const luaL_Reg rows[] = {{"delete", row_delete},
                                  {"restore", row_restore},
                                  {"purge", row_purge},
                                  {"is_deleted", row_is_deleted},
                                  {"original", row_original},
                                  {NULL, NULL}};
  static const luaL_Reg queries[] = {{"delete", query_delete},
                                     {"restore", query_restore},
                                     {"restore_job", query_restore_job},
                                     {"conflicts", query_conflicts},
                                     {"purge", query_purge},
                                     {NULL, NULL}};
  static const luaL_Reg jobs[] = {{"next", job_next},
                                  {"resolve", job_resolve},
                                  {"close", job_close},
                                  {NULL, NULL}};
  tomb_methods(L, METHODS);
  tomb_setfuncs(L, rows);
  tomb_methods(L, QUERY);
  tomb_setfuncs(L, queries);
  tomb_methods(L, JOB);
  tomb_setfuncs(L, jobs);
  lua_pop(L, 3);
}
