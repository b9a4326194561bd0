/* lborrow.c - databases on a connection of the host, which only it can make. */
#include "classes.h"
#include "llimits.h"
#include "raise.h"
#include "tombstone_lua.h"

/***
Connections of the host.
@module tombstone.core
*/

static const char attach_key = 'a';

/***
Says what the Lua side does with a handle that the host hands out: the host gets what it answers.
@function core.set_attach
@tparam function attach gets a database
@usage core.set_attach(attach)
*/
static int core_set_attach(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  tomb_rawsetp(L, LUA_REGISTRYINDEX, &attach_key);
  return 0;
}

static void *check_pointer(lua_State *L, int index, bool optional) {
  if (optional && lua_isnil(L, index)) return NULL;
  if (!lua_islightuserdata(L, index)) {
    tomb_misuse(L, "the host calls tomb_push_borrowed",
                "A connection is borrowed by its host alone");
  }
  return lua_touserdata(L, index);
}

/* A database of the host's connection: what tomb_push_borrowed calls, with the
** connection, options and routines. Scripts do not find it. */
static int borrow(lua_State *L) {
  static const char *const known[] = {
      "statement_cache", "clock", "log", "lazy", "warn", NULL};
  tomb_options options;
  tomb_error err;
  lua_settop(L, 3);
  void *handle = check_pointer(L, 1, false);
  void *routines = check_pointer(L, 3, true);
  tomb_check_options(L, 2, known, "borrow");
  tomb_read_open_options(L, &options);
  lua_settop(L, 2);
  lua_db *box = tomb_new_db(L);
  tomb_status st =
      tomb_borrow_sqlite(&box->db, handle, routines, &options, &err);
  if (st != TOMB_OK) return tomb_raise(L, &err);
  tomb_dress_db(L, box);
  tomb_keep_limits(L, box);
  tomb_rawgetp(L, LUA_REGISTRYINDEX, &attach_key);
  if (lua_isnil(L, -1)) { /* the core without the module */
    lua_pop(L, 1);
    return 1;
  }
  lua_insert(L, -2);
  lua_call(L, 1, 1);
  return 1;
}

void tomb_open_borrow(lua_State *L) {
  lua_pushcfunction(L, core_set_attach);
  lua_setfield(L, -2, "set_attach"); /* of the module's table */
  lua_pushcfunction(L, borrow);
  lua_setfield(L, LUA_REGISTRYINDEX, TOMB_BORROW);
}
