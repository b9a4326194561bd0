/* ledit.c - create, new, bulk_create and save: whole rows in. */
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "lrelation.h"
#include "lvalues.h"
#include "raise.h"
#include "state.h"

/***
Whole rows in.
@module tombstone.model
*/

static void insert(lua_State *L, row_values *v) {
  tomb_error err;
  int64_t now = tomb_values_now(L, v);
  tomb_status st =
      tomb_insert(v->model->db->db, v->model->model, v->values, now, &err);
  tomb_values_finish(L, v, st, &err);
}

/* ---- create and new ----------------------------------------------- */

/***
Inserts a row.
@function Model:create
@tparam table values by the names of fields, and rows by the names of relations (`author = ana`);
what is absent gets its default
@treturn row
@raise validation (all bad fields at once), integrity, misuse for a name that is no field
@usage local post = Post:create { title = "Hello" }
*/
static int model_create(lua_State *L) {
  row_values v;
  lua_settop(L, 2);
  tomb_check_model(L, 1);
  tomb_need_table(L, 2, "create");
  tomb_begin_values(L, &v);
  tomb_take_values(L, &v, 2);
  tomb_call_defaults(L, &v);
  insert(L, &v);
  tomb_push_row(L, &v);
  tomb_note_created(L, v.model->db, v.at, lua_gettop(L));
  return 1;
}

/* Pushes what field i of an unsaved row shows: the value as it was given, or
** the default. Nothing is checked before the row is saved. */
static bool push_shown(lua_State *L, const row_values *v, size_t i) {
  lua_rawgeti(L, v->slots - 1, (int)i + 1);
  lua_rawget(L, 2);
  if (!lua_isnil(L, -1)) return true;
  lua_pop(L, 1);
  if (!tomb_call_default(L, v, i)) {
    const tomb_field *field = tomb_model_field(v->model->model, i);
    tomb_pushvalue(L, field, &field->default_value);
  }
  return false;
}

static size_t push_unsaved(lua_State *L, row_values *v) {
  size_t given = 0;
  lua_newtable(L);
  int row = lua_gettop(L);
  for (size_t i = 0; i < v->model->n_fields; i++) {
    given += push_shown(L, v, i);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
    } else {
      tomb_set_field(L, v, row, i);
    }
  }
  tomb_getref(L, v->at, MODEL_TABLE);
  lua_setmetatable(L, row);
  return given;
}

/***
A row that is not saved yet; `save` inserts it.
@function Model:new
@tparam[opt] table values
@treturn row
@raise misuse for a name that is no field
@usage local post = Post:new { title = "Hello" }
*/
static int model_new(lua_State *L) {
  row_values v;
  if (lua_isnoneornil(L, 2)) {
    lua_settop(L, 1);
    lua_newtable(L);
  }
  lua_settop(L, 2);
  tomb_check_model(L, 1);
  tomb_need_table(L, 2, "new");
  tomb_begin_values(L, &v);
  tomb_rows_to_keys(L, v.at, 2, false);
  tomb_check_keys(L, &v, 2, push_unsaved(L, &v), 0);
  tomb_note_new(L, v.model->db, v.at, lua_gettop(L));
  return 1;
}

/* ---- bulk_create -------------------------------------------------- */

enum { ARRAY = 2, BULK_MODEL, RESULT, ROW };

/* The list at hand; `at` is the row that is being inserted. */
typedef struct bulk {
  tomb_bulk *open;
  size_t at;
} bulk;

static void insert_in(lua_State *L, row_values *v, tomb_bulk *open) {
  tomb_error err;
  int64_t now = tomb_values_now(L, v);
  tomb_values_finish(L, v, tomb_bulk_insert(open, v->values, now, &err), &err);
}

/* The rows one by one; all or none of them is its caller's business. */
static int create_all(lua_State *L) {
  bulk *b = lua_touserdata(L, 1);
  size_t n = lua_rawlen(L, ARRAY);
  row_values v;
  lua_pushnil(L); /* ROW */
  lua_pushvalue(L, BULK_MODEL);
  tomb_begin_values(L, &v);
  for (b->at = 1; b->at <= n; b->at++) {
    lua_settop(L, v.slots - 1);
    memset(v.values, 0, v.model->n_fields * sizeof *v.values);
    lua_rawgeti(L, ARRAY, (int)b->at);
    lua_replace(L, ROW);
    tomb_need_table(L, ROW, "bulk_create");
    tomb_take_values(L, &v, ROW);
    tomb_call_defaults(L, &v);
    insert_in(L, &v, b->open);
    tomb_push_row(L, &v);
    tomb_note_created(L, v.model->db, v.at, lua_gettop(L));
    lua_rawseti(L, RESULT, (int)b->at);
  }
  return 0;
}

/* Says which row it was, in the error on top of the stack; one that the
** program raised is its own. */
static void add_index(lua_State *L, size_t index) {
  if (!lua_istable(L, -1) || !lua_getmetatable(L, -1)) return;
  luaL_getmetatable(L, ERROR);
  bool ours = lua_rawequal(L, -1, -2) != 0;
  lua_pop(L, 2);
  if (!ours) return;
  lua_pushliteral(L, "index");
  lua_pushinteger(L, (lua_Integer)index);
  lua_rawset(L, -3);
}

/* One row for a list of rows would be no row at all. */
static void need_list(lua_State *L, int index) {
  tomb_need_table(L, index, "bulk_create");
  lua_pushnil(L);
  if (lua_rawlen(L, index) == 0 && lua_next(L, index) != 0) {
    tomb_misuse(L, "as in bulk_create{ { title = \"a\" }, { title = \"b\" } }",
                "bulk_create takes a list of tables");
  }
  lua_settop(L, 3);
}

/***
Inserts many rows, all or none.
@function Model:bulk_create
@tparam {table,...} list of values, as `create` takes them
@treturn {row,...}
@raise as `create`, and `index` says which row it was
@usage Post:bulk_create { { title = "a" }, { title = "b" } }
*/
static int model_bulk_create(lua_State *L) {
  tomb_error err;
  bulk b = {NULL, 0};
  lua_settop(L, 2);
  lua_model *model = tomb_check_model(L, 1); /* pushes the MODEL */
  need_list(L, 2);
  lua_createtable(L, (int)lua_rawlen(L, 2), 0);
  lua_pushcfunction(L, create_all);
  lua_pushlightuserdata(L, &b);
  for (int i = ARRAY; i <= RESULT; i++) lua_pushvalue(L, i);
  tomb_status st = tomb_bulk_open(&b.open, model->db->db, model->model, &err);
  if (st != TOMB_OK) return tomb_raise(L, &err);
  bool done = lua_pcall(L, 4, 0, 0) == 0;
  st = tomb_bulk_close(b.open, done, &err);
  if (!done) {
    add_index(L, b.at);
    return lua_error(L);
  }
  if (st != TOMB_OK) return tomb_raise(L, &err);
  lua_settop(L, RESULT);
  return 1;
}

/* ---- save --------------------------------------------------------- */

/* Leaves the values that a save writes: what is named, or what was loaded and
** what the row holds besides. The set of names, or nil, is at `names`; at 2 it
** is the program's choice. */
static void choose(lua_State *L, row_values *v, int names) {
  for (size_t i = 0; i < v->model->n_fields; i++) {
    const tomb_field *field = tomb_model_field(v->model->model, i);
    tomb_value *value = &v->values[i];
    bool named = true;
    if (lua_istable(L, names)) {
      lua_getfield(L, names, field->name);
      named = lua_toboolean(L, -1) != 0;
      lua_pop(L, 1);
    }
    if (field->role == TOMB_ROLE_NONE) {
      bool held = value->type != TOMB_ABSENT && names != 2;
      if (value->type == TOMB_ABSENT) *value = tomb_null();
      if (!named && !held) value->type = TOMB_ABSENT;
    } else if (field->role == TOMB_ROLE_CREATED_AT) {
      if (!named) value->type = TOMB_ABSENT;
    } else if (field->role != TOMB_ROLE_KEY &&
               field->role != TOMB_ROLE_VERSION &&
               field->role != TOMB_ROLE_DELETED_AT) {
      value->type = TOMB_ABSENT; /* the engine writes these */
    }
  }
}

/* Turns the list of names at 2, if given, into a set at its place. */
static void names_to_set(lua_State *L, const tomb_model *model) {
  tomb_error err;
  if (lua_isnoneornil(L, 2)) return;
  tomb_need_table(L, 2, "save");
  size_t n = lua_rawlen(L, 2);
  lua_createtable(L, 0, (int)n);
  for (size_t i = 1; i <= n; i++) {
    lua_rawgeti(L, 2, (int)i);
    const tomb_field *field = tomb_check_field(L, -1, model);
    if (tomb_check_writable(model, field, &err) != TOMB_OK) {
      tomb_raise(L, &err);
    }
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
  }
  if (n == 0) tomb_misuse(L, NULL, "save{} names no field");
  lua_replace(L, 2);
}

/* A row that was read and has lost its key is saved as a new one, which has no
** children yet. */
static void drop_counters(row_values *v) {
  for (size_t i = 0; i < v->model->n_fields; i++) {
    const tomb_field *field = tomb_model_field(v->model->model, i);
    if (field->role == TOMB_ROLE_COUNTER) v->values[i].type = TOMB_ABSENT;
  }
}

static void save_new(lua_State *L, row_values *v) {
  if (!lua_isnil(L, 2)) {
    tomb_misuse(L, "save it whole first",
                "Some fields of an unsaved row cannot be saved alone");
  }
  insert(L, v);
  for (size_t i = 0; i < v->model->n_fields; i++) {
    tomb_push_again(L, v, i);
    tomb_set_field(L, v, 1, i);
  }
  tomb_forget_state(L, v->model->db, v->at, 1);
  tomb_note_created(L, v->model->db, v->at, 1);
}

/* A field that was set to tombstone.null reads nil, as it will from now on. */
static void clear_nulls(lua_State *L, const row_values *v) {
  for (size_t i = 0; i < v->model->n_fields; i++) {
    if (!tomb_isnull(L, v->slots + (int)i)) continue;
    lua_pushnil(L);
    tomb_set_field(L, v, 1, i);
  }
}

static void save_old(lua_State *L, row_values *v, int names) {
  static const tomb_role written[] = {TOMB_ROLE_UPDATED_AT, TOMB_ROLE_VERSION};
  tomb_error err;
  choose(L, v, names);
  int64_t now = tomb_values_now(L, v);
  tomb_status st =
      tomb_save(v->model->db->db, v->model->model, v->values, now, &err);
  tomb_values_finish(L, v, st, &err);
  clear_nulls(L, v);
  for (size_t i = 0; i < 2; i++) {
    const tomb_field *field = tomb_model_role(v->model->model, written[i]);
    if (field == NULL) continue;
    tomb_pushvalue(L, field, &v->values[field->index]);
    tomb_set_field(L, v, 1, field->index);
  }
}

/***
Writes the columns that the row holds, or inserts a new row. An absent column is NULL, one
that was not loaded is left alone.
@function Model:save
@tparam[opt] {string,...} names of the fields to write
@treturn row itself
@raise validation, integrity, not_found, deleted, stale
@usage post.title = "Hello again"; post:save()
*/
static int row_save(lua_State *L) {
  row_values v;
  lua_settop(L, 2);
  lua_model *model = tomb_check_row(L, 1);
  names_to_set(L, model->model);
  tomb_row_state state = tomb_state_of(L, model->db, 3, 1); /* pushes it */
  int held = lua_gettop(L), names = lua_isnil(L, 2) ? held : 2;
  lua_pushvalue(L, 3);
  tomb_begin_values(L, &v);
  tomb_check_keys(L, &v, 1, tomb_read_values(L, &v, 1), held);
  const tomb_field *key = tomb_model_role(model->model, TOMB_ROLE_KEY);
  if (state != TOMB_STATE_NEW) drop_counters(&v);
  if (state == TOMB_STATE_NEW || v.values[key->index].type == TOMB_ABSENT) {
    save_new(L, &v);
  } else {
    save_old(L, &v, names);
  }
  lua_settop(L, 1);
  return 1;
}

/***
Raises where the row cannot be written: it is not saved yet, or was rolled back.
@function Model:need_kept
@raise misuse
@usage post:need_kept()
*/
static int row_need_kept(lua_State *L) {
  lua_settop(L, 1);
  lua_model *model = tomb_check_row(L, 1);
  tomb_need_kept(L, model->db, 2, 1);
  return 0;
}

/***
True for what `new` made and nothing has saved.
@function core.is_unsaved
@tparam row row
@treturn boolean
@usage if core.is_unsaved(post) then post:save() end
*/
int tomb_row_is_unsaved(lua_State *L) {
  lua_settop(L, 1);
  lua_model *model = tomb_check_row(L, 1);
  lua_pushboolean(L, tomb_state_of(L, model->db, 2, 1) == TOMB_STATE_NEW);
  return 1;
}

/***
True for a row that was read without that field.
@function core.lacks
@tparam row row
@string field
@treturn boolean
@usage if core.lacks(post, "views") then post:reload() end
*/
int tomb_row_lacks(lua_State *L) {
  lua_settop(L, 2);
  lua_model *model = tomb_check_row(L, 1);
  bool partial = tomb_state_of(L, model->db, 3, 1) == TOMB_STATE_PARTIAL;
  if (partial) {
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
  }
  lua_pushboolean(L, partial && lua_isnil(L, -1));
  return 1;
}

/***
Makes a row unsaved again, whose first save a hook has taken back.
@function core.unsave
@tparam row row
@usage core.unsave(post)
*/
int tomb_row_unsave(lua_State *L) {
  lua_settop(L, 1);
  lua_model *model = tomb_check_row(L, 1);
  tomb_note_new(L, model->db, 2, 1);
  return 0;
}

void tomb_open_edit(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"create", model_create},           {"new", model_new},
      {"bulk_create", model_bulk_create}, {"save", row_save},
      {"need_kept", row_need_kept},       {NULL, NULL}};
  tomb_methods(L, METHODS);
  tomb_setfuncs(L, functions);
  lua_pop(L, 1);
}
