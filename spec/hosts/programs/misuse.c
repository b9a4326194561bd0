/*
** misuse.c - a host whose scripts do what they should not (misuse.lua): they
** close a database within its own hooks, functions and loops, and go on with it
** in finalizers that run after its own. Each has a state to itself. An error
** may come of it, or nothing; the state can be closed, SQLite has its memory
** back, and the file is whole and free.
*/
#include <sqlite3.h>

#include "hosts.h"

#define MOST 64

static char file[PATH + 16];
static lua_CFunction open_tombstone;

/* What finalizers have to say while a state is closed. */
static int told, wrong;

static int tell(lua_State *L) {
  told++;
  if (lua_toboolean(L, 1)) return 0;
  fprintf(stderr, "a late finalizer: %s\n", luaL_optstring(L, 2, "?"));
  wrong++;
  return 0;
}

static lua_State *new_state(void) {
  lua_State *L = luaL_newstate();
  if (L == NULL) die("state", "out of memory");
  equip(L, open_tombstone);
  load_script(L, "misuse");
  return L;
}

/* The names of the cases; storage is the caller's. */
static int list_cases(char (*names)[64]) {
  int n = 0;
  lua_State *L = new_state();
  lua_getfield(L, 2, "names");
  for (; n < MOST; n++) {
    lua_rawgeti(L, -1, n + 1);
    if (lua_isnil(L, -1)) break;
    snprintf(names[n], sizeof names[n], "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  lua_close(L);
  return n;
}

static void call_case(lua_State *L, const char *function, const char *name) {
  push_function(L, function);
  lua_pushstring(L, file);
  lua_pushstring(L, name);
  lua_pushcfunction(L, tell);
  call_script(L, 3, 0);
}

static int run_case(const char *name) {
  sqlite3_int64 before = sqlite3_memory_used();
  remove_database(file);
  told = wrong = 0;
  lua_State *L = new_state();
  call_case(L, "run", name);
  lua_close(L);
  if (sqlite3_memory_used() != before) {
    fprintf(stderr, "%s: SQLite did not get all back\n", name);
    wrong++;
  }
  L = new_state();
  call_case(L, "check", name);
  push_function(L, "wants");
  lua_pushstring(L, name);
  call_script(L, 1, 1);
  if (told < lua_tointeger(L, -1)) {
    fprintf(stderr, "%s: the finalizer was not there\n", name);
    wrong++;
  }
  lua_close(L);
  return wrong;
}

int main(void) {
  char folder[PATH], names[MOST][64];
  int failures = 0;
  make_folder(folder);
  snprintf(file, sizeof file, "%s/a.db", folder);
  open_tombstone = entry_of(open_module());
  int n = list_cases(names);
  for (int i = 0; i < n; i++) failures += run_case(names[i]);
  printf("%d cases, %d failures\n", n, failures);
  remove_database(file);
  rmdir(folder);
  return failures == 0 && n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
