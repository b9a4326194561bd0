/*
** states.c - a host that opens and closes a thousand Lua states, each of which
** leaves in the middle of something (states.lua). When one is closed: Lua's
** memory is back, and SQLite's; its files are closed and not locked; what it
** had not committed is not there. After all of them the process is as large as
** after the first hundred.
*/
#include <dirent.h>
#include <malloc.h>
#include <sqlite3.h>

#include "hosts.h"

#define WARM 100
#define PAGES 256 /* the process may grow by these, for all it does */
#define BYTES 65536

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const int is_plain = 0; /* they keep what was freed */
#else
static const int is_plain = 1;
#endif

/* LuaJIT does not always say the size of what it frees. */
#ifdef LUA_JITLIBNAME
static const int has_sizes = 0;
#else
static const int has_sizes = 1;
#endif

typedef struct heap {
  size_t bytes, blocks;
} heap;

static void *lua_memory(void *ud, void *ptr, size_t osize, size_t nsize) {
  heap *h = ud;
  size_t was = ptr == NULL ? 0 : osize;
  if (nsize == 0) {
    h->blocks -= ptr != NULL;
    h->bytes -= was;
    free(ptr);
    return NULL;
  }
  void *moved = realloc(ptr, nsize);
  if (moved == NULL) die("malloc", "the machine is out of memory");
  h->blocks += ptr == NULL;
  h->bytes = h->bytes - was + nsize;
  return moved;
}

/* ---- what the process holds --------------------------------------- */

static int open_files(void) {
  int n = 0;
  DIR *folder = opendir("/proc/self/fd");
  if (folder == NULL) die("/proc/self/fd", "cannot be read");
  while (readdir(folder) != NULL) n++;
  closedir(folder);
  return n;
}

static long resident_pages(void) {
  long all = 0, resident = 0;
  FILE *in = fopen("/proc/self/statm", "r");
  if (in == NULL || fscanf(in, "%ld %ld", &all, &resident) != 2) {
    die("/proc/self/statm", "cannot be read");
  }
  fclose(in);
  return resident;
}

static size_t allocated(void) {
#ifdef __GLIBC__
  return mallinfo2().uordblks;
#else
  return 0;
#endif
}

static void need(int holds, int state, const char *what) {
  if (holds) return;
  fprintf(stderr, "state %d: %s\n", state, what);
  exit(1);
}

/* ---- a state ------------------------------------------------------ */

static char folder[PATH], file[PATH + 16];

static lua_State *new_state(heap *h, lua_CFunction open) {
  memset(h, 0, sizeof *h);
  lua_State *L = lua_newstate(lua_memory, h);
  if (L == NULL) die("state", "cannot be made");
  equip(L, open);
  load_script(L, "states");
  return L;
}

static int only_number(void *ud, int n, char **values, char **names) {
  (void)n;
  (void)names;
  *(int *)ud = atoi(values[0]);
  return 0;
}

/* Another connection, which does not wait, may write, and sees what there was
** at first. */
static void check_file(int state) {
  sqlite3 *db;
  int count = -1;
  if (sqlite3_open(file, &db) != SQLITE_OK) die("sqlite", "cannot open");
  need(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK,
       state, "has left the file locked");
  const char *sql = "SELECT sum(deleted_at IS NULL) * 1000 + count(*)"
                    " FROM book";
  sqlite3_exec(db, sql, only_number, &count, NULL);
  need(count == 30 * 1000 + 40, state, "has left what it did not commit");
  sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
  sqlite3_close(db);
}

static void run_state(int n, lua_CFunction open) {
  heap h;
  sqlite3_int64 before = sqlite3_memory_used();
  int files = open_files();
  lua_State *L = new_state(&h, open);
  push_function(L, "leave");
  lua_pushstring(L, file);
  lua_pushinteger(L, n);
  call_script(L, 2, 0);
  lua_close(L);
  need(h.blocks == 0, n, "Lua's allocator did not get all back");
  need(h.bytes == 0 || !has_sizes, n, "Lua's allocator was told wrong sizes");
  need(sqlite3_memory_used() == before, n, "SQLite did not get all back");
  need(open_files() == files, n, "a file was left open");
  check_file(n);
}

static void prepare(lua_CFunction open) {
  heap h;
  lua_State *L = new_state(&h, open);
  push_function(L, "prepare");
  lua_pushstring(L, file);
  call_script(L, 1, 0);
  lua_close(L);
}

int main(void) {
  int states = WARM + scaled(900, 100);
  size_t bytes = 0;
  long pages = 0;
  make_folder(folder);
  snprintf(file, sizeof file, "%s/a.db", folder);
  lua_CFunction open = entry_of(open_module());
  prepare(open);
  for (int n = 1; n <= states; n++) {
    run_state(n, open);
    if (n == WARM) {
      bytes = allocated();
      pages = resident_pages();
    }
  }
  long more = (long)allocated() - (long)bytes, grown = resident_pages() - pages;
  printf("%d states: %ld bytes and %ld pages more than after %d\n", states,
         more, grown, WARM);
  need(more < BYTES, states, "the process holds more memory");
  need(grown < PAGES || !is_plain, states, "the process has grown");
  remove_database(file);
  rmdir(folder);
  return EXIT_SUCCESS;
}
