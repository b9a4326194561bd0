/*
** host.c - a notebook: a C program with its own database, tables and
** transactions, whose users write scripts. A script gets the connection that the
** notebook has open, as `db`, and declares models on its tables.
**
**   notebook FILE list             shows the notes
**   notebook FILE run SCRIPT       keeps what the script did, unless it failed
**   notebook FILE try SCRIPT       shows what it would do, and keeps nothing
**
** Each runs in one transaction of the notebook, for a second at most.
*/
#include <lauxlib.h>
#include <lualib.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tombstone_lua.h"

#define SECONDS 1.0

/* ---- the notebook's own work with its database -------------------- */

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS note ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL UNIQUE,"
    "  seen INTEGER NOT NULL DEFAULT 0, deleted_at DATETIME,"
    "  deleted_event INTEGER);"
    "INSERT OR IGNORE INTO note (id, title, seen) VALUES"
    "  (1, 'Milk', 3), (2, 'Call Ana', 0), (3, 'Old idea', 0);";

static void must(sqlite3 *notes, const char *sql) {
  char *why = NULL;
  if (sqlite3_exec(notes, sql, NULL, NULL, &why) == SQLITE_OK) return;
  fprintf(stderr, "%s: %s\n", sql, why == NULL ? "failed" : why);
  exit(EXIT_FAILURE);
}

static sqlite3 *open_notes(const char *file) {
  sqlite3 *notes;
  if (sqlite3_open(file, &notes) != SQLITE_OK) {
    fprintf(stderr, "%s: %s\n", file, sqlite3_errmsg(notes));
    exit(EXIT_FAILURE);
  }
  must(notes, schema);
  return notes;
}

static int print_note(void *ud, int n, char **values, char **names) {
  (void)ud, (void)n, (void)names;
  printf("  %s. %s%s\n", values[0], values[1],
         values[2] == NULL ? "" : " (in the bin)");
  return 0;
}

static void list(sqlite3 *notes, const char *when) {
  printf("%s:\n", when);
  sqlite3_exec(notes, "SELECT id, title, deleted_at FROM note ORDER BY id",
               print_note, NULL, NULL);
}

/* ---- its patience ------------------------------------------------- */

static double deadline;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* SQLite asks within a statement, Lua between those of the script. */
static int is_over(void *ud) {
  (void)ud;
  return now() > deadline;
}

static void stop_script(lua_State *L, lua_Debug *at) {
  (void)at;
  if (is_over(NULL)) luaL_error(L, "the script took too long");
}

static void be_patient(lua_State *L, sqlite3 *notes) {
  deadline = now() + SECONDS;
  sqlite3_progress_handler(notes, 1000, is_over, NULL);
  lua_sethook(L, stop_script, LUA_MASKCOUNT, 1000);
}

/* ---- scripts ------------------------------------------------------ */

/* The module needs `package` to load; scripts see neither it nor a file. */
static void open_libraries(lua_State *L) {
  static const luaL_Reg libraries[] = {
      {LUA_GNAME, luaopen_base},          {LUA_LOADLIBNAME, luaopen_package},
      {LUA_COLIBNAME, luaopen_coroutine}, {LUA_STRLIBNAME, luaopen_string},
      {LUA_TABLIBNAME, luaopen_table},    {LUA_MATHLIBNAME, luaopen_math},
      {"tombstone", luaopen_tombstone}};
  static const char *const hidden[] = {"package",  "require", "load",
                                       "loadfile", "dofile",  "tombstone"};
  for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
    luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
  }
  lua_getfield(L, -1, "field"); /* of tombstone, which was the last */
  lua_setglobal(L, "field");
  for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
    lua_pushnil(L);
    lua_setglobal(L, hidden[i]);
  }
}

/* Neither raw SQL nor a copy of the database reaches another file. */
static int authorize(void *ud, int action, const char *a, const char *b,
                     const char *c, const char *d) {
  (void)ud, (void)a, (void)b, (void)c, (void)d;
  return action == SQLITE_ATTACH ? SQLITE_DENY : SQLITE_OK;
}

static void lend(lua_State *L, sqlite3 *notes) {
  sqlite3_set_authorizer(notes, authorize, NULL);
  tomb_push_borrowed(L, notes, NULL, 0);
  luaL_getmetafield(L, -1, "__index");
  lua_pushnil(L);
  lua_setfield(L, -2, "backup");
  lua_pop(L, 1);
  lua_setglobal(L, "db");
}

/* Below lua_pcall: 1 the connection, 2 the path of the script. */
static int run_protected(lua_State *L) {
  sqlite3 *notes = lua_touserdata(L, 1);
  const char *path = lua_tostring(L, 2);
  open_libraries(L);
  lend(L, notes);
  if (luaL_loadfilex(L, path, "t") != LUA_OK) return lua_error(L);
  be_patient(L, notes);
  lua_call(L, 0, 0);
  return 0;
}

/* Closing the state gives the connection back. */
static bool run_script(sqlite3 *notes, const char *path) {
  lua_State *L = luaL_newstate();
  if (L == NULL) return false;
  lua_pushcfunction(L, run_protected);
  lua_pushlightuserdata(L, notes);
  lua_pushstring(L, path);
  bool done = lua_pcall(L, 2, 0, 0) == LUA_OK;
  lua_sethook(L, NULL, 0, 0);
  sqlite3_progress_handler(notes, 0, NULL, NULL);
  sqlite3_set_authorizer(notes, NULL, NULL);
  if (!done) fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  lua_close(L);
  return done;
}

/* A statement that was stopped while it wrote has ended the transaction. */
static void end(sqlite3 *notes, bool keep) {
  if (sqlite3_get_autocommit(notes) == 0) {
    must(notes, keep ? "COMMIT" : "ROLLBACK");
  }
}

int main(int argc, char **argv) {
  const char *verb = argc < 3 ? "" : argv[2];
  bool keeps = strcmp(verb, "run") == 0, done = true;
  if (argc != (strcmp(verb, "list") == 0 ? 3 : 4)) {
    fprintf(stderr, "usage: notebook FILE list | run SCRIPT | try SCRIPT\n");
    return 2;
  }
  sqlite3 *notes = open_notes(argv[1]);
  if (argc == 4) {
    must(notes, "BEGIN IMMEDIATE");
    done = run_script(notes, argv[3]);
    if (done) list(notes, "what the script did");
    end(notes, done && keeps);
  }
  list(notes, "the notebook");
  sqlite3_close(notes);
  return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
