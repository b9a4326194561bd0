/* lupdate.c - update, reload and upsert: some fields in, a row out. */
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "hydrate.h"
#include "lvalues.h"
#include "raise.h"
#include "state.h"

/***
Some fields in.
@module tombstone.model
*/

/* ---- row:update --------------------------------------------------- */

static void read_field(lua_State *L, row_values *v, tomb_role role) {
  const tomb_field *field = tomb_model_role(v->model->model, role);
  if (field == NULL) return;
  lua_rawgeti(L, v->slots - 1, (int)field->index + 1);
  lua_rawget(L, 1);
  tomb_tovalue(L, lua_gettop(L), field, &v->values[field->index]);
}

static bool has_expr(const tomb_assignment *list, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (list[i].expr != NULL) return true;
  }
  return false;
}

/* Shows in the row what was written: `now_there` are the values by field. */
static void show(lua_State *L, const row_values *v, const tomb_assignment *list,
                 size_t n, const tomb_value *now_there) {
  static const tomb_role written[] = {TOMB_ROLE_UPDATED_AT, TOMB_ROLE_VERSION};
  for (size_t i = 0; i < n; i++) {
    const tomb_value *value =
        now_there == NULL ? &list[i].value : &now_there[list[i].field->index];
    tomb_pushvalue(L, list[i].field, value);
    tomb_set_field(L, v, 1, list[i].field->index);
  }
  for (size_t i = 0; i < 2; i++) {
    const tomb_field *field = tomb_model_role(v->model->model, written[i]);
    if (field == NULL) continue;
    tomb_pushvalue(L, field, &v->values[field->index]);
    tomb_set_field(L, v, 1, field->index);
  }
}

/***
Sets fields and writes just these.
@function Model:update
@tparam table values new values, and expressions of `F`
@treturn row itself
@raise validation, integrity, not_found, deleted, stale
@usage post:update { views = F "views" + 1 }
*/
static int row_update(lua_State *L) {
  row_values v;
  tomb_error err;
  tomb_assignment *list;
  lua_settop(L, 2);
  lua_model *model = tomb_check_row(L, 1);
  tomb_need_table(L, 2, "update");
  tomb_need_kept(L, model->db, 3, 1);
  tomb_begin_values(L, &v);
  read_field(L, &v, TOMB_ROLE_KEY);
  read_field(L, &v, TOMB_ROLE_VERSION);
  size_t n = tomb_read_assignments(L, &v, 2, &list);
  bool exprs = has_expr(list, n);
  tomb_rows **rows = tomb_new_rows(L, exprs ? model->db : NULL);
  int64_t now = tomb_values_now(L, &v);
  tomb_status st = tomb_update_row(model->db->db, model->model, v.values, list,
                                   n, now, *rows, &err);
  tomb_values_finish(L, &v, st, &err);
  show(L, &v, list, n, exprs ? tomb_rows_at(*rows, 0, NULL) : NULL);
  tomb_drop_rows(rows);
  lua_settop(L, 1);
  return 1;
}

/* ---- query:update ------------------------------------------------- */

/* A write on a manager that nothing refines must be meant. */
void tomb_need_meaning(lua_State *L, const lua_query *query, int options,
                       const char *verb) {
  bool all = false;
  if (lua_istable(L, options)) {
    lua_getfield(L, options, "all");
    all = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
  }
  if (!all && tomb_query_is_whole(&query->query)) {
    tomb_misuse(L, "pass { all = true }, or filter first",
                "%s of all rows of %s must be meant", verb,
                tomb_model_name(query->query.model));
  }
}

/***
Sets fields of the query's living rows in one statement, without hooks.
@function Query:update
@tparam table values new values, and expressions of `F`
@tparam[opt] table options `all` where nothing narrows the query
@treturn number rows changed
@raise validation, integrity, misuse
@usage Post.objects:filter { views__lt = 1 }:update { views = 1 }
*/
static int query_update(lua_State *L) {
  static const char *const known[] = {"all", TOMB_LIMIT_OPTIONS, NULL};
  row_values v;
  tomb_error err;
  tomb_assignment *list;
  int64_t changed;
  lua_query *query = tomb_check_query(L, 1);
  lua_settop(L, 3);
  tomb_need_table(L, 2, "update");
  tomb_check_options(L, 3, known, "update");
  tomb_need_meaning(L, query, 3, "update");
  tomb_getref(L, 1, QUERY_MODEL);
  tomb_begin_values(L, &v);
  size_t n = tomb_read_assignments(L, &v, 2, &list);
  int64_t now = tomb_values_now(L, &v);
  tomb_status st = tomb_update(&changed, v.model->db->db, &query->query, list,
                               n, now, NULL, &err);
  tomb_values_finish(L, &v, st, &err);
  tomb_push_count(L, changed);
  return 1;
}

/* ---- reload ------------------------------------------------------- */

/* Reads the row anew into `rows`; the key is the row's own. */
static void read_again(lua_State *L, row_values *v, tomb_rows *rows) {
  tomb_error err;
  tomb_cursor cursor;
  tomb_filter_link link;
  tomb_query query = tomb_all_objects(v->model->model), narrowed;
  const tomb_field *key = tomb_model_role(v->model->model, TOMB_ROLE_KEY);
  tomb_cond cond = tomb_where(key->name, &v->values[key->index]);
  tomb_status st = tomb_filter(&narrowed, &query, &cond, false, &link, &err);
  if (st == TOMB_OK) {
    st = tomb_select(&cursor, v->model->db->db, &narrowed, &err);
    if (st == TOMB_OK) st = tomb_cursor_next(&cursor, &err);
    if (st == TOMB_ROW) st = tomb_rows_add(rows, cursor.values, cursor.n, &err);
    tomb_cursor_close(&cursor);
  }
  if (st == TOMB_DONE) tomb_gone(L, v->model->model);
  tomb_values_finish(L, v, st, &err);
}

/***
Reads the row anew, dead or alive.
@function Model:reload
@treturn row itself
@raise not_found
@usage post:reload()
*/
static int row_reload(lua_State *L) {
  row_values v;
  lua_settop(L, 1);
  lua_model *model = tomb_check_row(L, 1);
  tomb_need_kept(L, model->db, 2, 1);
  tomb_begin_values(L, &v);
  read_field(L, &v, TOMB_ROLE_KEY);
  tomb_rows **rows = tomb_new_rows(L, model->db);
  read_again(L, &v, *rows);
  tomb_show_values(L, &v, 1, tomb_rows_at(*rows, 0, NULL));
  tomb_drop_rows(rows);
  tomb_forget_state(L, model->db, v.at, 1);
  lua_settop(L, 1);
  return 1;
}

/* ---- upsert ------------------------------------------------------- */

#define MOST_ON 16

/* The names in option `on`: one, or a list. */
static size_t read_on(lua_State *L, int options, const tomb_model *model,
                      const tomb_field **on) {
  size_t n = 0;
  lua_getfield(L, options, "on");
  if (lua_type(L, -1) == LUA_TSTRING) {
    on[n++] = tomb_check_field(L, -1, model);
  } else if (lua_istable(L, -1) && lua_rawlen(L, -1) <= MOST_ON) {
    for (size_t i = 1; i <= lua_rawlen(L, -1); i++) {
      lua_rawgeti(L, -1, (int)i);
      on[n++] = tomb_check_field(L, -1, model);
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
  if (n == 0) {
    tomb_misuse(L, "as in upsert(values, { on = \"title\" })",
                "upsert needs `on`, the unique fields that decide");
  }
  return n;
}

static tomb_on_deleted read_on_deleted(lua_State *L, int options) {
  static const char *const words[] = {"new", "restore", "refuse", NULL};
  lua_getfield(L, options, "on_deleted");
  int i = 0;
  if (!lua_isnil(L, -1)) {
    const char *word = lua_tostring(L, -1);
    while (words[i] != NULL && (word == NULL || strcmp(words[i], word) != 0)) {
      i++;
    }
  }
  lua_pop(L, 1);
  if (words[i] == NULL) {
    tomb_misuse(L, NULL, "on_deleted is \"new\", \"restore\" or \"refuse\"");
  }
  return (tomb_on_deleted)i;
}

static bool is_on(const tomb_upsert *upsert, const tomb_field *field) {
  for (size_t i = 0; i < upsert->n_on; i++) {
    if (upsert->on[i] == field) return true;
  }
  return false;
}

/* Without `update`: all given values but those that decided. */
static size_t update_given(lua_State *L, const row_values *v,
                           const tomb_upsert *upsert, tomb_assignment **out) {
  size_t n = 0, n_fields = v->model->n_fields;
  tomb_assignment *list = tomb_newud(L, n_fields * sizeof *list, 0);
  for (size_t i = 0; i < n_fields; i++) {
    const tomb_field *field = tomb_model_field(v->model->model, i);
    if (v->values[i].type == TOMB_ABSENT || is_on(upsert, field) ||
        field->role == TOMB_ROLE_KEY) {
      continue;
    }
    tomb_assignment a = {field, v->values[i], NULL};
    list[n++] = a;
  }
  *out = list;
  return n;
}

/* A list of names means the given values of these. */
static size_t update_named(lua_State *L, const row_values *v, int names,
                           tomb_assignment **out) {
  size_t n = lua_rawlen(L, names);
  tomb_assignment *list = tomb_newud(L, n * sizeof *list + 1, 0);
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, names, (int)i + 1);
    const tomb_field *field = tomb_check_field(L, -1, v->model->model);
    tomb_assignment a = {field, v->values[field->index], NULL};
    if (a.value.type == TOMB_ABSENT) a.value = tomb_null();
    list[i] = a;
    lua_pop(L, 1);
  }
  *out = list;
  return n;
}

static void read_update(lua_State *L, const row_values *v, int options,
                        tomb_upsert *upsert) {
  lua_getfield(L, options, "update");
  int update = lua_gettop(L);
  if (lua_isnil(L, update)) {
    upsert->n_update = update_given(L, v, upsert, &upsert->update);
  } else if (lua_istable(L, update) && lua_rawlen(L, update) > 0) {
    upsert->n_update = update_named(L, v, update, &upsert->update);
  } else {
    tomb_need_table(L, update, "update");
    upsert->n_update = tomb_read_assignments(L, v, update, &upsert->update);
  }
}

static void push_returned(lua_State *L, const row_values *v,
                          const tomb_rows *rows) {
  hydration h;
  const tomb_field **fields =
      tomb_newud(L, v->model->n_fields * sizeof *fields, 0);
  for (size_t i = 0; i < v->model->n_fields; i++) {
    fields[i] = tomb_model_field(v->model->model, i);
  }
  tomb_hydrate_begin(L, &h, v->at, fields, v->model->n_fields, true);
  tomb_hydrate(L, &h, tomb_rows_at(rows, 0, NULL));
}

/***
Inserts a row, or updates the living one that has its unique values.
@function Model:upsert
@tparam table values
@tparam table options `on` (the unique field or fields that decide), `update` (names, or new
values; without it all given values), `on_deleted` (`"new"`, `"restore"` or `"refuse"` where
only a dead row has them)
@treturn row as it is now
@raise validation, integrity, deleted, misuse
@usage Post:upsert({ title = "Hello", views = 1 }, { on = "title" })
*/
static int model_upsert(lua_State *L) {
  static const char *const known[] = {"on", "update", "on_deleted",
                                      TOMB_LIMIT_OPTIONS, NULL};
  row_values v;
  tomb_error err;
  const tomb_field *on[MOST_ON];
  tomb_upsert upsert;
  memset(&upsert, 0, sizeof upsert);
  lua_settop(L, 3);
  tomb_check_model(L, 1);
  tomb_need_table(L, 2, "upsert");
  tomb_check_options(L, 3, known, "upsert");
  if (lua_isnil(L, 3)) {
    lua_newtable(L);
    lua_replace(L, 3);
  }
  tomb_begin_values(L, &v);
  tomb_take_values(L, &v, 2);
  upsert.on = on;
  upsert.n_on = read_on(L, 3, v.model->model, on);
  upsert.on_deleted = read_on_deleted(L, 3);
  read_update(L, &v, 3, &upsert);
  tomb_call_defaults(L, &v); /* which were not given */
  tomb_rows **rows = tomb_new_rows(L, v.model->db);
  int64_t now = tomb_values_now(L, &v);
  tomb_status st = tomb_upsert_row(v.model->db->db, v.model->model, v.values,
                                   &upsert, now, *rows, &err);
  tomb_values_finish(L, &v, st, &err);
  push_returned(L, &v, *rows);
  tomb_drop_rows(rows);
  /* inserted or not: nobody can tell, and after a rollback its id may be
  ** another row's */
  tomb_note_created(L, v.model->db, v.at, lua_gettop(L));
  return 1;
}

/***
Counts the rows of the model's counters anew: for rows that came while the triggers of `create_tables`
were not there, by `INSERT OR REPLACE`, or before their parents.
@function Model:recount
@treturn number the rows whose counters were wrong
@raise misuse, database, busy
@usage Author:recount()
*/
static int model_recount(lua_State *L) {
  tomb_error err;
  int64_t changed;
  lua_settop(L, 1);
  lua_model *model = tomb_check_model(L, 1);
  tomb_getref(L, -1, MODEL_DB);
  tomb_status st = tomb_recount(&changed, model->db->db, model->model, &err);
  tomb_finish(L, model->db, -1, st, &err);
  tomb_push_count(L, changed);
  return 1;
}

void tomb_open_update(lua_State *L) {
  static const luaL_Reg functions[] = {{"update", row_update},
                                       {"reload", row_reload},
                                       {"upsert", model_upsert},
                                       {"recount", model_recount},
                                       {NULL, NULL}};
  tomb_methods(L, METHODS);
  tomb_setfuncs(L, functions);
  lua_pop(L, 1);
  tomb_methods(L, QUERY);
  lua_pushcfunction(L, query_update);
  lua_setfield(L, -2, "update");
  lua_pop(L, 1);
}
