/*
** watch.c - a host with the binding linked in, whose second thread interrupts
** what a script does. The script is told, nothing of it stays, and the handle
** goes on.
*/
#include <pthread.h>
#include <sqlite3.h>

#include "hosts.h"
#include "tombstone_lua.h"

static const char script[] =
    "local tombstone = require 'tombstone'\n"
    "db = tombstone.open ':memory:'\n"
    "db:exec 'CREATE TABLE n (n)'\n"
    "return function()\n"
    "  local ok, err = pcall(db.transaction, db, function()\n"
    "    db:exec 'INSERT INTO n VALUES (1)'\n"
    "    watch(true)\n"
    "    db:query [[WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1\n"
    "      FROM c) SELECT count(*) FROM c]]\n"
    "  end)\n"
    "  watch(false)\n"
    "  assert(not ok and err.kind == 'interrupted', tostring(err))\n"
    "  assert(#db:query 'SELECT * FROM n' == 0)\n"
    "  db:exec 'INSERT INTO n VALUES (2)'\n"
    "end\n";

typedef struct watched {
  pthread_mutex_t lock;
  tomb_db *db;
  bool busy, done;
} watched;

static void set(watched *w, bool *what, bool value) {
  pthread_mutex_lock(&w->lock);
  *what = value;
  pthread_mutex_unlock(&w->lock);
}

/* watch(true), watch(false): no interrupt comes behind the second. */
static int tell_watcher(lua_State *L) {
  watched *w = lua_touserdata(L, lua_upvalueindex(1));
  set(w, &w->busy, lua_toboolean(L, 1) != 0);
  return 0;
}

static bool interrupt(watched *w) {
  pthread_mutex_lock(&w->lock);
  if (w->busy) tomb_interrupt(w->db);
  bool goes_on = !w->done;
  pthread_mutex_unlock(&w->lock);
  return goes_on;
}

/* Again and again: the first may come before the query. */
static void *watch(void *ud) {
  while (interrupt(ud)) sqlite3_sleep(1);
  return NULL;
}

static tomb_db *handle_of(lua_State *L) {
  lua_getglobal(L, "db");
  tomb_db *db = tomb_database(L, -1);
  lua_pop(L, 1);
  return db;
}

static void run_watched(lua_State *L, watched *w) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, watch, w) != 0) die("thread", "none");
  if (lua_pcall(L, 0, 0, 0) != 0) die("script", lua_tostring(L, -1));
  set(w, &w->done, true);
  pthread_join(thread, NULL);
}

int main(void) {
  watched w = {PTHREAD_MUTEX_INITIALIZER, NULL, false, false};
  lua_State *L = luaL_newstate();
  equip(L, luaopen_tombstone);
  lua_pushlightuserdata(L, &w);
  lua_pushcclosure(L, tell_watcher, 1);
  lua_setglobal(L, "watch");
  if (handle_of(L) != NULL) die("handle", "of nothing");
  if (luaL_loadstring(L, script) != 0 || lua_pcall(L, 0, 1, 0) != 0) {
    die("script", lua_tostring(L, -1));
  }
  w.db = handle_of(L);
  if (w.db == NULL) die("handle", "none");
  run_watched(L, &w);
  if (luaL_loadstring(L, "db:close()") != 0 || lua_pcall(L, 0, 0, 0) != 0) {
    die("close", lua_tostring(L, -1));
  }
  if (handle_of(L) != NULL) die("handle", "of what is closed");
  lua_close(L);
  return 0;
}
