/*
** threads.c - a host with eight threads, each with a Lua state of its own, all
** on one WAL file. What they do and what must hold afterwards: threads.lua.
**
** The first that each thread sees is a busy database: the main thread is in a
** transaction until all of them have.
*/
#include <pthread.h>

#include "hosts.h"

#define THREADS 8

static lua_CFunction open_tombstone;
static char folder[PATH], file[PATH + 16];
static int calls;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t met = PTHREAD_COND_INITIALIZER;
static int n_met; /* threads that have met a busy database */

typedef struct worker {
  pthread_t thread;
  int number;
  char *report;
} worker;

/* Lua calls it when it is refused for the first time. */
static int meet_busy(lua_State *L) {
  (void)L;
  pthread_mutex_lock(&mutex);
  n_met++;
  pthread_cond_signal(&met);
  pthread_mutex_unlock(&mutex);
  return 0;
}

static lua_State *new_state(void) {
  lua_State *L = luaL_newstate();
  if (L == NULL) die("state", "out of memory");
  equip(L, open_tombstone);
  load_script(L, "threads");
  return L;
}

static void *work(void *argument) {
  worker *w = argument;
  lua_State *L = new_state();
  push_function(L, "work");
  lua_pushstring(L, file);
  lua_pushinteger(L, w->number);
  lua_pushinteger(L, calls);
  lua_pushcfunction(L, meet_busy);
  call_script(L, 4, 1);
  w->report = strdup(lua_tostring(L, -1));
  lua_close(L);
  return NULL;
}

static void run_all(worker *workers) {
  for (int i = 0; i < THREADS; i++) {
    workers[i].number = i + 1;
    if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) {
      die("thread", "cannot start");
    }
  }
  pthread_mutex_lock(&mutex);
  while (n_met < THREADS) pthread_cond_wait(&met, &mutex);
  pthread_mutex_unlock(&mutex);
}

static void check(lua_State *L, const worker *workers) {
  push_function(L, "check");
  lua_pushstring(L, file);
  lua_createtable(L, THREADS, 0);
  for (int i = 0; i < THREADS; i++) {
    lua_pushstring(L, workers[i].report);
    lua_rawseti(L, -2, i + 1);
  }
  call_script(L, 2, 1);
  printf("%s\n", lua_tostring(L, -1));
}

int main(void) {
  worker workers[THREADS];
  calls = scaled(300, 100);
  make_folder(folder);
  snprintf(file, sizeof file, "%s/a.db", folder);
  open_tombstone = entry_of(open_module());
  lua_State *L = new_state();
  push_function(L, "prepare"); /* and begins a transaction */
  lua_pushstring(L, file);
  call_script(L, 1, 0);
  run_all(workers);
  push_function(L, "let_go");
  call_script(L, 0, 0);
  for (int i = 0; i < THREADS; i++) pthread_join(workers[i].thread, NULL);
  check(L, workers);
  for (int i = 0; i < THREADS; i++) free(workers[i].report);
  lua_close(L);
  remove_database(file);
  rmdir(folder);
  return EXIT_SUCCESS;
}
