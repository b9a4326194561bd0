/*
** reload.c - a host that loads the module, works with it and unloads it, time
** and again: Lua does so by package.loadlib and lua_close. The file is the same
** all the time. By turns:
**
** - A module that can be unloaded, as LuaRocks builds it, and nothing else in
**   the process uses SQLite, so that it goes as well.
** - The same beside a connection of the host to the file, which stays: nothing
**   of the module may be left in SQLite.
** - The module that CMake builds. It never goes, since a host may hold what
**   scripts have taught to a borrowed connection, and there is one of it.
*/
#define _GNU_SOURCE /* dl_iterate_phdr */
#include <link.h>

#include "hosts.h"

#define ROUNDS 17
#define SQLITE "libsqlite3.so.0"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const int unloads = 0; /* it stays for the sake of their reports */
#else
static const int unloads = 1;
#endif

static char file[PATH + 16];

static int is_module(struct dl_phdr_info *info, size_t size, void *part) {
  (void)size;
  return strstr(info->dlpi_name, part) != NULL;
}

static int is_loaded(const char *part) {
  return dl_iterate_phdr(is_module, (void *)part);
}

static void need(int holds, const char *what, int n) {
  if (holds) return;
  fprintf(stderr, "round %d: %s\n", n, what);
  exit(1);
}

/* One life of a module; n rounds were before it. */
static void live(int n, const char *path) {
  lua_State *L = luaL_newstate();
  if (L == NULL) die("state", "out of memory");
  equip(L, NULL);
  load_script(L, "reload");
  push_function(L, "live");
  lua_pushstring(L, path);
  lua_pushstring(L, file);
  lua_pushinteger(L, n);
  call_script(L, 3, 0);
  need(is_loaded(strrchr(path, '/')), "the module is not there", n);
  lua_close(L);
}

/* One life of a module that is gone afterwards. */
static void live_and_go(int n) {
  live(n, SPEC_PASSING);
  need(!is_loaded("/passing.so") || !unloads, "the module is still there", n);
}

/* ---- the host's own SQLite ---------------------------------------- */

typedef struct sqlite3 sqlite3;

/* Asked for by name: this program is not linked with it. */
typedef struct sqlite {
  void *library;
  int (*open)(const char *, sqlite3 **);
  int (*exec)(sqlite3 *, const char *, int (*)(void *, int, char **, char **),
              void *, char **);
  int (*close)(sqlite3 *);
} sqlite;

static void find(const sqlite *s, const char *name, void *out) {
  void *found = dlsym(s->library, name);
  if (found == NULL) die(name, "is not there");
  memcpy(out, &found, sizeof found);
}

static void load(sqlite *s) {
  s->library = dlopen(SQLITE, RTLD_NOW);
  if (s->library == NULL) die(SQLITE, dlerror());
  find(s, "sqlite3_open", &s->open);
  find(s, "sqlite3_exec", &s->exec);
  find(s, "sqlite3_close", &s->close);
}

static int note(void *ud, int n, char **values, char **names) {
  (void)n;
  (void)names;
  *(int *)ud = atoi(values[0]);
  return 0;
}

/* The host's connection works, and knows none of the module's functions. */
static void check_own(const sqlite *s, sqlite3 *db, int n) {
  int living = -1;
  s->exec(db, "SELECT count(*) FROM note WHERE deleted_at IS NULL", note,
          &living, NULL);
  need(living == n, "what the module wrote is not there", n);
  need(s->exec(db, "SELECT tombstone_integer(1)", NULL, NULL, NULL) != 0,
       "a function of the module is left", n);
}

static void live_beside(int n) {
  sqlite s;
  sqlite3 *db;
  load(&s);
  if (s.open(file, &db) != 0) die("sqlite", "cannot open");
  check_own(&s, db, n);
  live_and_go(n);
  check_own(&s, db, n + 1);
  need(s.close(db) == 0, "the host's connection is in use", n);
  dlclose(s.library);
}

int main(void) {
  char folder[PATH];
  make_folder(folder);
  snprintf(file, sizeof file, "%s/a.db", folder);
  need(!is_loaded(SQLITE) || !unloads, "SQLite is there already", 0);
  for (int n = 0; n < 2 * ROUNDS; n += 2) {
    live_and_go(n);
    need(!is_loaded(SQLITE) || !unloads, "SQLite is still there", n);
    live_beside(n + 1);
  }
  for (int n = 2 * ROUNDS; n < 3 * ROUNDS; n++) live(n, MODULE);
  need(is_loaded("/core.so"), "the module that stays has gone", 3 * ROUNDS);
  remove_database(file);
  rmdir(folder);
  return EXIT_SUCCESS;
}
