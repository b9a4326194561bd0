/*
** module.c - require "tombstone.core", and the Lua sources that stand on it.
**
** The one shared object works alone: luaopen_tombstone_core answers the core,
** luaopen_tombstone the whole module from the sources compiled in. In a state
** that has no package and no require, a sandbox, the sources get a require of
** their own, which programs do not see.
*/
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "lset.h"
#include "lua_sources.h"
#include "raise.h"
#include "tombstone_lua.h"

/***
What the Lua side of the library stands on. Programs use it to make drivers' doubles and
errors of the library's own kind.
@module tombstone.core
*/

/* The __index of a class, where its methods are. */
void tomb_methods(lua_State *L, const char *name) {
  tomb_class(L, name);
  lua_getfield(L, -1, "__index");
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
  }
  lua_remove(L, -2);
}

/* core.methods.query and so on: where the Lua side adds its own. */
static void publish(lua_State *L) {
  static const struct {
    const char *name, *class_name;
  } classes[] = {{"db", DB},           {"model", METHODS}, {"query", QUERY},
                 {"limited", LIMITED}, {"stream", STREAM}, {"restore", JOB}};
  lua_newtable(L);
  for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
    tomb_methods(L, classes[i].class_name);
    lua_setfield(L, -2, classes[i].name);
  }
  lua_setfield(L, -2, "methods");
  tomb_class(L, CONDITION);
  lua_setfield(L, -2, "condition");
  tomb_class(L, EXPRESSION);
  lua_setfield(L, -2, "expression");
  tomb_class(L, AGGREGATE);
  lua_setfield(L, -2, "aggregates");
  tomb_class(L, ERROR);
  lua_setfield(L, -2, "error");
}

/***
Raises misuse, as the C side does.
@function core.misuse
@string message
@string[opt] hint
@raise misuse
@usage core.misuse("limit takes a number", "as in limit(10)")
*/
static int core_misuse(lua_State *L) {
  return tomb_misuse(L, luaL_optstring(L, 2, NULL), "%s",
                     luaL_checkstring(L, 1));
}

/***
Raises an error of any kind.
@function core.fail
@string kind
@string message
@string[opt] hint
@string[opt] model its name
@usage core.fail("not_found", "There is no such page")
*/
static int core_fail(lua_State *L) {
  tomb_error err;
  memset(&err, 0, sizeof err);
  err.kind = tomb_kind_named(L, 1);
  strncpy(err.message, luaL_checkstring(L, 2), sizeof err.message - 1);
  strncpy(err.hint, luaL_optstring(L, 3, ""), sizeof err.hint - 1);
  strncpy(err.model, luaL_optstring(L, 4, ""), sizeof err.model - 1);
  return tomb_raise(L, &err);
}

/***
Raises misuse for an option that is not known.
@function core.check_options
@tparam table|nil options
@tparam {string,...} known
@string what whose options they are
@usage core.check_options(options, { "limit" }, "page")
*/
static int core_check_options(lua_State *L) {
  static const char *const none[] = {NULL};
  const char *known[32];
  size_t n = 0;
  luaL_checktype(L, 2, LUA_TTABLE);
  for (; n < 31 && n < lua_rawlen(L, 2); n++) {
    lua_rawgeti(L, 2, (int)n + 1);
    known[n] = lua_tostring(L, -1);
  }
  known[n] = NULL;
  tomb_check_options(L, 1, n == 0 ? none : known, luaL_checkstring(L, 3));
  return 0;
}

/***
A number by which two texts are told apart, as 16 hexadecimal digits.
@function core.checksum
@string text
@treturn string
@usage print(core.checksum "hello") --> a430d84680aabd0b
*/
static int core_checksum(lua_State *L) {
  char digits[17];
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  snprintf(digits, sizeof digits, "%016" PRIx64, tomb_checksum(text, size));
  lua_pushlstring(L, digits, 16);
  return 1;
}

int luaopen_tombstone_core(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"set_json", tomb_set_json},
      {"misuse", core_misuse},
      {"fail", core_fail},
      {"check_options", core_check_options},
      {"checksum", core_checksum},
      {"table_of", tomb_model_table_of},
      {"side", tomb_db_side},
      {"is_unsaved", tomb_row_is_unsaved},
      {"lacks", tomb_row_lacks},
      {"rows_to_keys", tomb_model_rows_to_keys},
      {"relate", tomb_query_relate},
      {"related", tomb_query_related},
      {"way", tomb_model_get_way},
      {"need_way", tomb_model_need_way},
      {"take", tomb_stream_take},
      {"unsave", tomb_row_unsave},
      {NULL, NULL}};
#if LUA_VERSION_NUM >= 502
  luaL_checkversion(L);
#endif
  tomb_open_errors(L);
  tomb_open_boxes(L);
  lua_newtable(L);
  tomb_setfuncs(L, functions);
  tomb_open_sets(L);
  tomb_open_loading(L);
  tomb_open_db(L);
  tomb_open_limits(L);
  tomb_open_borrow(L);
  tomb_open_model(L);
  tomb_open_query(L);
  tomb_open_names(L);
  tomb_open_fixed(L);
  tomb_open_read(L);
  tomb_open_figures(L);
  tomb_open_stream(L);
  tomb_open_edit(L);
  tomb_open_update(L);
  tomb_open_trash(L);
  tomb_open_restore(L);
  tomb_open_events(L);
  tomb_open_plans(L);
  tomb_open_raw(L);
  tomb_open_transaction(L);
  tomb_open_fake_class(L);
  publish(L);
  tomb_pushnull(L);
  lua_setfield(L, -2, "null");
  lua_pushliteral(L, TOMB_VERSION);
  lua_setfield(L, -2, "_VERSION");
  return 1;
}

/* ---- the sources -------------------------------------------------- */

static const tomb_lua_source *source_named(const char *name) {
  const tomb_lua_source *s = tomb_lua_sources;
  while (s->name != NULL && strcmp(s->name, name) != 0) s++;
  return s->name == NULL ? NULL : s;
}

/* Pushes the source as a function. */
static void push_chunk(lua_State *L, const tomb_lua_source *s) {
  lua_pushfstring(L, "=%s", s->name);
  if (luaL_loadbuffer(L, s->code, s->size, lua_tostring(L, -1)) != 0) {
    lua_error(L);
  }
  lua_remove(L, -2);
}

static int load_source(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  const tomb_lua_source *s = source_named(name);
  if (s == NULL) return luaL_error(L, "tombstone has no module '%s'", name);
  push_chunk(L, s);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static void preload(lua_State *L, const char *name, lua_CFunction function) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, function);
  lua_setfield(L, -2, name);
  lua_pop(L, 2);
}

static void preload_all(lua_State *L) {
  for (const tomb_lua_source *s = tomb_lua_sources; s->name != NULL; s++) {
    if (strcmp(s->name, "tombstone") != 0) preload(L, s->name, load_source);
  }
  preload(L, "tombstone.core", luaopen_tombstone_core);
}

/* ---- a state without package and require -------------------------- */

/* Upvalues of our `require`: the modules that are loaded, by name, and the
** environment of the sources, which is the globals and this `require`. */
enum { LOADED = 1, GLOBALS };

static bool has_package(lua_State *L) {
  lua_getglobal(L, "require");
  lua_getglobal(L, "package");
  bool has = lua_isfunction(L, -2) && lua_istable(L, -1);
  if (has) {
    lua_getfield(L, -1, "preload");
    has = lua_istable(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
  return has;
}

/* Pops a table: the globals of the function on top. */
static void set_globals(lua_State *L) {
#if LUA_VERSION_NUM >= 502
  if (lua_setupvalue(L, -2, 1) == NULL) lua_pop(L, 1); /* it uses none */
#else
  lua_setfenv(L, -2);
#endif
}

static void load_own(lua_State *L, const char *name) {
  const tomb_lua_source *s = source_named(name);
  if (strcmp(name, "tombstone.core") == 0) {
    lua_pushcfunction(L, luaopen_tombstone_core);
  } else if (s != NULL) {
    push_chunk(L, s);
    lua_pushvalue(L, lua_upvalueindex(GLOBALS));
    set_globals(L);
  } else {
    luaL_error(L, "module '%s' not found: this state has no package", name);
  }
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
}

static int own_require(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_getfield(L, lua_upvalueindex(LOADED), name);
  if (!lua_isnil(L, -1)) return 1;
  load_own(L, name);
  lua_pushvalue(L, -1);
  lua_setfield(L, lua_upvalueindex(LOADED), name);
  return 1;
}

/* Pushes a table that reads through to the globals of the state. */
static void push_globals(lua_State *L) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
#if LUA_VERSION_NUM >= 502
  lua_pushglobaltable(L);
#else
  lua_pushvalue(L, LUA_GLOBALSINDEX);
#endif
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
}

static int open_alone(lua_State *L) {
  push_globals(L);
  lua_newtable(L);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, own_require, 2);
  lua_pushvalue(L, -1);
  lua_setfield(L, 1, "require");
  lua_pushliteral(L, "tombstone");
  lua_call(L, 1, 1);
  return 1;
}

int luaopen_tombstone(lua_State *L) {
  lua_settop(L, 0);
  if (!has_package(L)) return open_alone(L);
  preload_all(L);
  lua_pushcfunction(L, load_source);
  lua_pushliteral(L, "tombstone");
  lua_call(L, 1, 1);
  return 1;
}
