/* lvalues.c - a Lua table of values as an engine row, and back. */
#include "lvalues.h"

#include <string.h>

#include "classes.h"
#include "convert.h"
#include "lcond.h"
#include "lrelation.h"
#include "raise.h"

static int slot(const row_values *v, size_t field) {
  return v->slots + (int)field;
}

void tomb_begin_values(lua_State *L, row_values *v) {
  v->at = lua_gettop(L);
  v->model = lua_touserdata(L, -1);
  size_t n = v->model->n_fields;
  luaL_checkstack(L, (int)n + 12, "a row of too many fields");
  v->values = n <= FEW ? v->few : tomb_newud(L, n * sizeof *v->values, 0);
  memset(v->values, 0, n * sizeof *v->values);
  tomb_getref(L, v->at, MODEL_KEYS);
  v->slots = lua_gettop(L) + 1;
}

static int keys_index(const row_values *v) {
  return v->slots - 1;
}

static bool has_its_type(const tomb_field *field, const tomb_value *value) {
  tomb_value copy = *value;
  return tomb_value_fit(field, &copy);
}

/* A check gets what the row will hold: of JSON not its text, and a number for
** the text of one. The value is on top of the stack. */
static void push_checked(lua_State *L, const tomb_field *field,
                         const tomb_value *value) {
  if (field->type == TOMB_FIELD_JSON || value->type == TOMB_INTEGER) {
    tomb_pushvalue(L, field, value);
  } else {
    lua_pushvalue(L, -2);
  }
}

/* A check that is a function answers true, or false and why. The value on top
** of the stack is checked; a reason takes its place. One of a wrong type is
** refused for that, later. */
static void call_check(lua_State *L, const row_values *v,
                       const tomb_field *field, tomb_value *value) {
  if (!v->model->has_checks || value->type == TOMB_ABSENT ||
      value->type == TOMB_NULL) {
    return;
  }
  tomb_getref(L, v->at, MODEL_CHECKS);
  lua_rawgeti(L, -1, (int)field->index + 1);
  lua_remove(L, -2);
  if (lua_isnil(L, -1) || !has_its_type(field, value)) {
    lua_pop(L, 1);
    return;
  }
  push_checked(L, field, value);
  lua_call(L, 1, 2);
  if (lua_toboolean(L, -2)) {
    lua_pop(L, 2);
    return;
  }
  size_t size = 0;
  const char *why = lua_tolstring(L, -1, &size);
  *value = tomb_text_of(why == NULL ? "fails its check" : why,
                        why == NULL ? 15 : size);
  value->type = TOMB_REFUSED;
  lua_replace(L, -3);
  lua_pop(L, 1);
}

size_t tomb_read_values(lua_State *L, row_values *v, int table) {
  size_t found = 0;
  for (size_t i = 0; i < v->model->n_fields; i++) {
    const tomb_field *field = tomb_model_field(v->model->model, i);
    lua_rawgeti(L, keys_index(v), (int)i + 1);
    lua_rawget(L, table);
    if (!lua_isnil(L, -1)) found++;
    tomb_tovalue(L, slot(v, i), field, &v->values[i]);
    call_check(L, v, field, &v->values[i]);
  }
  return found;
}

static void refuse_key(lua_State *L, const row_values *v) {
  if (lua_type(L, -2) != LUA_TSTRING) {
    tomb_misuse(L, NULL, "%s takes values by the names of its fields",
                tomb_model_name(v->model->model));
  }
  lua_pushvalue(L, -2);
  tomb_check_field(L, -1, v->model->model); /* raises, with a suggestion */
}

/* Names that begin with "_" are the program's own notes on a row. */
static bool is_note(lua_State *L, int index) {
  return lua_type(L, index) == LUA_TSTRING && lua_tostring(L, index)[0] == '_';
}

/* Annotations that the row was read with, whose set of names is at `names`. */
static bool is_read_along(lua_State *L, int names, int key) {
  if (names == 0 || !lua_istable(L, names)) return false;
  lua_pushvalue(L, key);
  lua_rawget(L, names);
  bool found = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return found;
}

void tomb_check_keys(lua_State *L, const row_values *v, int table, size_t found,
                     int names) {
  size_t keys = 0;
  lua_pushnil(L);
  while (lua_next(L, table) != 0) {
    keys++;
    lua_pop(L, 1);
  }
  if (keys == found) return;
  lua_pushnil(L);
  while (lua_next(L, table) != 0) {
    size_t size;
    const char *name =
        lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &size) : NULL;
    bool known =
        name != NULL && tomb_model_find(v->model->model, name, size) != NULL;
    bool notes = names != 0 && (is_note(L, -2) || is_read_along(L, names, -2));
    if (!known && !notes) refuse_key(L, v);
    lua_pop(L, 1);
  }
}

void tomb_take_values(lua_State *L, row_values *v, int table) {
  tomb_rows_to_keys(L, v->at, table, false);
  tomb_check_keys(L, v, table, tomb_read_values(L, v, table), 0);
}

bool tomb_call_default(lua_State *L, const row_values *v, size_t i) {
  if (!v->model->has_defaults) return false;
  tomb_getref(L, v->at, MODEL_DEFAULTS);
  lua_rawgeti(L, -1, (int)i + 1);
  lua_remove(L, -2);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  lua_call(L, 0, 1);
  return true;
}

/* Constants are given by the engine, but checks are called here. */
void tomb_call_defaults(lua_State *L, row_values *v) {
  if (!v->model->has_defaults && !v->model->has_checks) return;
  for (size_t i = 0; i < v->model->n_fields; i++) {
    const tomb_field *field = tomb_model_field(v->model->model, i);
    if (v->values[i].type != TOMB_ABSENT) continue;
    if (!tomb_call_default(L, v, i)) {
      tomb_pushvalue(L, field, &field->default_value);
    }
    tomb_tovalue(L, lua_gettop(L), field, &v->values[i]);
    call_check(L, v, field, &v->values[i]);
    lua_replace(L, slot(v, i));
  }
}

/* ---- writing values into a row ------------------------------------ */

/* A text that came from Lua goes back as the same string. */
void tomb_push_again(lua_State *L, const row_values *v, size_t i) {
  const tomb_field *field = tomb_model_field(v->model->model, i);
  if (lua_type(L, slot(v, i)) == LUA_TSTRING &&
      v->values[i].type == TOMB_TEXT && field->type != TOMB_FIELD_JSON) {
    lua_pushvalue(L, slot(v, i));
  } else {
    tomb_pushvalue(L, field, &v->values[i]);
  }
}

void tomb_set_field(lua_State *L, const row_values *v, int row, size_t i) {
  lua_rawgeti(L, keys_index(v), (int)i + 1);
  lua_insert(L, -2);
  lua_rawset(L, row);
}

void tomb_show_values(lua_State *L, const row_values *v, int row,
                      const tomb_value *values) {
  for (size_t i = 0; i < v->model->n_fields; i++) {
    tomb_pushvalue(L, tomb_model_field(v->model->model, i), &values[i]);
    tomb_set_field(L, v, row, i);
  }
}

void tomb_push_row(lua_State *L, const row_values *v) {
  int given = 0;
  for (size_t i = 0; i < v->model->n_fields; i++) {
    given += v->values[i].type != TOMB_NULL;
  }
  lua_createtable(L, 0, given);
  int row = lua_gettop(L);
  for (size_t i = 0; i < v->model->n_fields; i++) {
    if (v->values[i].type == TOMB_NULL) continue;
    lua_rawgeti(L, keys_index(v), (int)i + 1);
    tomb_push_again(L, v, i);
    lua_rawset(L, row);
  }
  tomb_getref(L, v->at, MODEL_TABLE);
  lua_setmetatable(L, row);
}

/* Pushes the DB of the MODEL. */
static int push_db(lua_State *L, const row_values *v) {
  tomb_getref(L, v->at, MODEL_DB);
  return lua_gettop(L);
}

int64_t tomb_values_now(lua_State *L, const row_values *v) {
  if (!v->model->db->has_clock) return tomb_now();
  int64_t t = tomb_clock(L, v->model->db, push_db(L, v));
  lua_pop(L, 1);
  return t;
}

void tomb_values_finish(lua_State *L, const row_values *v, tomb_status st,
                        const tomb_error *err) {
  if (st == TOMB_OK && !v->model->db->has_log) return;
  push_db(L, v);
  tomb_finish(L, v->model->db, -1, st, err);
  lua_pop(L, 1);
}

void tomb_need_table(lua_State *L, int index, const char *what) {
  if (lua_istable(L, index)) return;
  tomb_misuse(L, NULL, "%s takes a table of values, not a %s", what,
              tomb_typename(L, index));
}

/* ---- assignments -------------------------------------------------- */

/* The value on top of the stack; it stays there. */
static void read_assignment(lua_State *L, const row_values *v,
                            tomb_assignment *a) {
  memset(&a->value, 0, sizeof a->value);
  a->expr = NULL;
  if (tomb_isexpr(L, -1)) {
    size_t size = tomb_expr_size(L, -1);
    void *memory = tomb_newud(L, size, 0);
    a->expr = tomb_expr_build(L, -2, memory);
  } else {
    tomb_tovalue(L, lua_gettop(L), a->field, &a->value);
    call_check(L, v, a->field, &a->value);
  }
}

size_t tomb_read_assignments(lua_State *L, const row_values *v, int table,
                             tomb_assignment **out) {
  size_t n = 0, n_fields = v->model->n_fields;
  luaL_checkstack(L, (int)n_fields * 2 + 12, "an update of too many fields");
  tomb_assignment *list = tomb_newud(L, n_fields * sizeof *list + 1, 0);
  tomb_rows_to_keys(L, v->at, table, false);
  for (size_t i = 0; i < n_fields; i++) {
    lua_rawgeti(L, keys_index(v), (int)i + 1);
    lua_rawget(L, table);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      continue;
    }
    list[n].field = tomb_model_field(v->model->model, i);
    read_assignment(L, v, &list[n++]);
  }
  tomb_check_keys(L, v, table, n, 0);
  *out = list;
  return n;
}
