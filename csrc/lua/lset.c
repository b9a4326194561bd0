/* lset.c - result sets: the rows of one result, and what is loaded with them. */
#include "lset.h"

#include <string.h>

#include "classes.h"
#include "raise.h"

/***
Result sets.
@module tombstone.core
*/

/* The key under which a set's metatable holds its relatives. */
static const char set_key = 's';

/* ---- metatables --------------------------------------------------- */

/* The model's metamethods, whatever the program has added to them. */
static void copy_metamethods(lua_State *L, int from, int to) {
  lua_pushnil(L);
  while (lua_next(L, from) != 0) {
    bool is_one = lua_type(L, -2) == LUA_TSTRING &&
                  strncmp(lua_tostring(L, -2), "__", 2) == 0;
    if (!is_one) {
      lua_pop(L, 1);
      continue;
    }
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, to);
  }
}

/* Pushes the table of relatives. Where loops are watched, [1] is which rows
** were asked, by relation, and [2] the name of the key that tells rows apart. */
static void push_relatives(lua_State *L, const lua_model *model) {
  lua_newtable(L);
  if (model->db->lazy == TOMB_LAZY_ALLOW) return;
  lua_newtable(L);
  lua_rawseti(L, -2, 1);
  lua_pushstring(L, tomb_model_role(model->model, TOMB_ROLE_KEY)->name);
  lua_rawseti(L, -2, 2);
}

void tomb_push_set(lua_State *L, int model) {
  luaL_checkstack(L, 8, NULL);
  model = tomb_absindex(L, model);
  lua_newtable(L);
  int set = lua_gettop(L);
  tomb_getref(L, model, MODEL_TABLE);
  copy_metamethods(L, set + 1, set);
  lua_pushliteral(L, "__metatable");
  lua_insert(L, -2);
  lua_rawset(L, set);
  lua_pushvalue(L, model);
  tomb_rawsetp(L, set, &tomb_model_key);
  push_relatives(L, lua_touserdata(L, model));
  tomb_rawsetp(L, set, &set_key);
}

bool tomb_wants_set(const lua_query *query) {
  return query->loads || query->model->db->lazy != TOMB_LAZY_ALLOW;
}

/***
What is loaded with a row: by relation a table of rows, or lists of rows, by key; false where
none is there.
@function core.loaded
@param row anything
@treturn table|nil nil: the row is none of a result set
@usage local set = core.loaded(post)
*/
static int core_loaded(lua_State *L) {
  if (!lua_istable(L, 1) || !lua_getmetatable(L, 1)) return 0;
  tomb_rawgetp(L, -1, &set_key);
  return 1;
}

/* ---- loading ------------------------------------------------------ */

void tomb_load_list(lua_State *L) {
  int list = lua_gettop(L);
  tomb_getref(L, 1, QUERY_PATHS);
  lua_getfield(L, -1, "load");
  lua_pushvalue(L, 1);
  lua_pushvalue(L, list);
  lua_call(L, 2, 0);
  lua_settop(L, list);
}

void tomb_load_row(lua_State *L) {
  if (lua_isnil(L, -1)) return;
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, 1);
  tomb_load_list(L);
  lua_pop(L, 1);
}

bool tomb_push_answer(lua_State *L) {
  lua_query *query = tomb_check_query(L, 1);
  if (!query->related) return false;
  tomb_getref(L, 1, QUERY_RELATED);
  lua_getfield(L, -1, "loaded");
  lua_remove(L, -2);
  if (lua_istable(L, -1)) return true;
  lua_pop(L, 1);
  return false;
}

/***
A query whose rows come with relatives.
@function core.load_with
@tparam query query
@tparam table paths a list, and `load`, the function that gets the query and a list of rows
@treturn query
@usage query = core.load_with(query, paths)
*/
static int core_load_with(lua_State *L) {
  lua_settop(L, 2);
  tomb_check_query(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_query *query = tomb_new_query(L, 1, 0);
  lua_pushvalue(L, 2);
  tomb_setref(L, 3, QUERY_PATHS);
  query->loads = true;
  return 1;
}

/***
What `load_with` was given for the query, or one that it refines.
@function core.paths
@tparam query query
@treturn table|nil
@usage local paths = core.paths(query)
*/
static int core_paths(lua_State *L) {
  if (!tomb_check_query(L, 1)->loads) return 0;
  tomb_getref(L, 1, QUERY_PATHS);
  return 1;
}

/***
The ways whose dead the query shows.
@function core.shown
@tparam query query
@treturn {string,...}|nil as lookups write them: `"author__team"`
@usage local shown = core.shown(query)
*/
static int core_shown(lua_State *L) {
  const tomb_query *query = &tomb_check_query(L, 1)->query;
  if (query->n_shown == 0) return 0;
  lua_createtable(L, (int)query->n_shown, 0);
  for (size_t i = 0; i < query->n_shown; i++) {
    lua_pushstring(L, query->shown[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/***
True when rows of the query come with this field.
@function core.reads
@tparam query query
@string field
@treturn boolean
@usage assert(core.reads(Post.objects, "author_id"))
*/
static int core_reads(lua_State *L) {
  const tomb_query *query = &tomb_check_query(L, 1)->query;
  const tomb_field *field = tomb_check_field(L, 2, query->model);
  bool reads = query->only == NULL || field->role == TOMB_ROLE_KEY;
  for (size_t i = 0; !reads && i < query->n_only; i++) {
    reads = query->only[i] == field;
  }
  lua_pushboolean(L, reads);
  return 1;
}

/* ---- loops that ask each row -------------------------------------- */

/***
Where the program is, as error messages say it, but for the colon and blank behind it.
@function core.place
@tparam number level 1 is the caller; where no line is known there, the next one that has one
@treturn string|nil `"app.lua:12"`
@usage print(core.place(1))
*/
static int core_place(lua_State *L) {
  lua_Debug frame;
  size_t size;
  int level = (int)luaL_checkinteger(L, 1);
  for (; lua_getstack(L, level, &frame) != 0; level++) {
    luaL_where(L, level);
    const char *place = lua_tolstring(L, -1, &size);
    if (size > 2) {
      lua_pushlstring(L, place, size - 2);
      return 1;
    }
    lua_pop(L, 1);
  }
  return 0;
}

/***
What the option `lazy` of `tombstone.open` says.
@function core.lazy
@tparam database db
@treturn string `"allow"`, `"warn"` or `"refuse"`
@treturn function|nil what warnings go to
@usage local word, warn = core.lazy(db)
*/
static int core_lazy(lua_State *L) {
  static const char *const words[] = {"allow", "warn", "refuse"};
  lua_db *box = tomb_check_db(L, 1);
  lua_pushstring(L, words[box->lazy]);
  tomb_getref(L, 1, DB_WARN);
  return 2;
}

void tomb_open_sets(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"loaded", core_loaded}, {"load_with", core_load_with},
      {"paths", core_paths},   {"shown", core_shown},
      {"reads", core_reads},   {"place", core_place},
      {"lazy", core_lazy},     {NULL, NULL}};
  tomb_setfuncs(L, functions);
}
