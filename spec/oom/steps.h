/*
** steps.h - what the host does with a state: it loads a scenario and calls its
** functions, each step protected.
*/
#ifndef SPEC_STEPS_H
#define SPEC_STEPS_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "memory.h"

#define PATH 512
#define MOST_RULES 32

typedef struct mode {
  const char *name;
  bool sqlite, all_later;
} mode;

static const mode modes[] = {{"lua-once", false, false},
                             {"lua-later", false, true},
                             {"sqlite-once", true, false},
                             {"sqlite-later", true, true}};
#define MODES ((int)(sizeof modes / sizeof modes[0]))

typedef struct scenario {
  const char *name;
  bool from_birth; /* memory fails from the state's creation on */
  bool may_refuse; /* see base.lua */
  char *template;  /* the database file that each run begins with */
  size_t size;
  char *rules[MOST_RULES]; /* queries that must answer no row */
  int n_rules;
} scenario;

typedef struct host {
  lua_CFunction open; /* luaopen_tombstone */
  void (*lend)(
      lua_State *L); /* sets what scenarios of a lent connection call */
  char folder[PATH], file[PATH + 16];
  double scale;
  int worker, failures;
  long runs;
} host;

/* What a protected step is told. */
typedef struct step {
  const host *host;
  scenario *scenario;
  const char *function; /* of the scenario */
} step;

static int protect(lua_State *L, lua_CFunction function, step *s) {
#if LUA_VERSION_NUM < 502
  return lua_cpcall(L, function, s);
#else
  lua_pushcfunction(L, function); /* no allocation */
  lua_pushlightuserdata(L, s);
  return lua_pcall(L, 1, 0, 0);
#endif
}

/* Runs a Lua file of this folder with the value on top as its argument, which
** its result replaces. */
static void run_file(lua_State *L, const char *name) {
  char path[PATH];
  snprintf(path, sizeof path, "%s/%s.lua", SPEC_OOM, name);
  if (luaL_loadfile(L, path) != 0) lua_error(L);
  lua_insert(L, -2);
  lua_call(L, 1, 1);
}

/* Not io: where its memory fails, Lua 5.1 closes the process' own files. */
static void open_libraries(lua_State *L) {
  static const luaL_Reg libraries[] = {
    {"_G", luaopen_base},
    {"package", luaopen_package},
    {"string", luaopen_string},
    {"table", luaopen_table},
    {"math", luaopen_math},
#if LUA_VERSION_NUM >= 502
    {"coroutine", luaopen_coroutine},
#endif
    {NULL, NULL}
  };
  for (const luaL_Reg *l = libraries; l->name != NULL; l++) {
#if LUA_VERSION_NUM >= 502
    luaL_requiref(L, l->name, l->func, 1);
    lua_pop(L, 1);
#else
    lua_pushcfunction(L, l->func);
    lua_pushstring(L, l->name[0] == '_' ? "" : l->name);
    lua_call(L, 1, 0);
#endif
  }
}

/* Loads the library and the scenario, and leaves it as a global. */
static int load(lua_State *L) {
  const step *s = lua_touserdata(L, 1);
  char name[PATH];
  open_libraries(L);
  lua_getglobal(L, "package"); /* other people's C modules may leak */
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "cpath");
  s->host->lend(L);
  lua_pushcfunction(L, s->host->open);
  lua_pushliteral(L, "tombstone");
  lua_call(L, 1, 1);
  run_file(L, "base");
  snprintf(name, sizeof name, "scenarios/%s", s->scenario->name);
  run_file(L, name);
  lua_setglobal(L, "scenario");
  return 0;
}

/* Calls a function of the scenario: its first argument is what `start`
** returned, the second the file. */
static int call(lua_State *L) {
  const step *s = lua_touserdata(L, 1);
  bool starts = strcmp(s->function, "start") == 0;
  lua_getglobal(L, "scenario");
  lua_getfield(L, -1, s->function);
  lua_getglobal(L, "started");
  lua_pushstring(L, s->host->file);
  lua_call(L, 2, 1);
  if (starts) lua_setglobal(L, "started");
  return 0;
}

static int collect_rules(lua_State *L) {
  step *s = lua_touserdata(L, 1);
  lua_getglobal(L, "scenario");
  lua_getfield(L, -1, "rules");
  for (int i = 1; i <= MOST_RULES; i++) {
    lua_rawgeti(L, -1, i);
    if (lua_isnil(L, -1)) return 0;
    char *rule = malloc(strlen(luaL_checkstring(L, -1)) + 1);
    if (rule == NULL) die("malloc", "out of memory");
    strcpy(rule, lua_tostring(L, -1));
    s->scenario->rules[s->scenario->n_rules++] = rule;
    lua_pop(L, 1);
  }
  return luaL_error(L, "too many rules");
}

static int read_flags(lua_State *L) {
  step *s = lua_touserdata(L, 1);
  lua_getglobal(L, "scenario");
  lua_getfield(L, -1, "from_birth");
  s->scenario->from_birth = lua_toboolean(L, -1) != 0;
  lua_getfield(L, -2, "may_refuse");
  s->scenario->may_refuse = lua_toboolean(L, -1) != 0;
  return 0;
}

#endif
