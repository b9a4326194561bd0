/*
** sweep.c - a host whose memory runs out, at every allocation in turn.
**
** For each scenario (scenarios/NAME.lua) the n-th allocation fails, alone or
** with all later ones, for n = 1, 2, … until the scenario no longer comes that
** far; once for Lua's allocator, which the engine shares, and once for
** SQLite's. After each n: the scenario has succeeded, or failed for want of
** memory and nothing else; the handle still works; closing gave all memory
** back; the file is sound, and nothing in it is half-done.
**
**   sweep [SCENARIO [MODE [N]]]
**
** SPEC_SCALE thins the n. At 1 each of Lua's is tried in both ways and each of
** SQLite's in one of them, in turns; at 0.05 every twentieth of these.
*/
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lend.h"

#define MOST_SCENARIOS 64
#define WORKERS 2

/* LuaJIT loses count of the bytes that it was refused, and crashes where its
** own libraries cannot be opened. */
#ifdef LUA_JITLIBNAME
static const bool is_luajit = true;
#else
static const bool is_luajit = false;
#endif

/* ---- files -------------------------------------------------------- */

static void remove_database(const char *file) {
  static const char *const ends[] = {"",          "-wal",         "-shm",
                                     "-journal",  ".copy",        ".copy-wal",
                                     ".copy-shm", ".copy-journal"};
  char path[PATH + 64];
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    snprintf(path, sizeof path, "%s%s", file, ends[i]);
    unlink(path);
  }
}

static void read_template(scenario *s, const char *file) {
  FILE *in = fopen(file, "rb");
  if (in == NULL) return; /* the scenario makes its own file */
  fseek(in, 0, SEEK_END);
  s->size = (size_t)ftell(in);
  rewind(in);
  s->template = malloc(s->size + 1);
  if (s->template == NULL || fread(s->template, 1, s->size, in) != s->size) {
    die("template", file);
  }
  fclose(in);
}

static void write_template(const scenario *s, const char *file) {
  remove_database(file);
  if (s->template == NULL) return;
  FILE *out = fopen(file, "wb");
  if (out == NULL || fwrite(s->template, 1, s->size, out) != s->size) {
    die("template", file);
  }
  fclose(out);
}

/* The lowest number free: grows when a file is left open. */
static int next_descriptor(void) {
  int fd = dup(0);
  close(fd);
  return fd;
}

/* ---- verdicts ----------------------------------------------------- */

typedef struct run {
  const scenario *scenario;
  const mode *mode;
  long n;
} run;

static void blame(host *h, const run *r, const char *what, const char *why) {
  fprintf(stderr, "%s %s %ld: %s: %s\n", r->scenario->name, r->mode->name, r->n,
          what, why);
  h->failures++;
}

static int is_refusal(lua_State *L) {
  lua_getfield(L, 1, "kind");
  lua_getfield(L, 1, "hint");
  bool known = strcmp(luaL_optstring(L, -2, ""), "database") == 0 &&
               strncmp(luaL_optstring(L, -1, ""), "roll back", 9) == 0;
  lua_pushboolean(L, known);
  return 1;
}

static bool cannot_go_on(lua_State *L) {
  bool can_not = false;
  if (!lua_istable(L, -1)) return false;
  lua_pushcfunction(L, is_refusal);
  lua_pushvalue(L, -2);
  if (lua_pcall(L, 1, 1, 0) == 0) can_not = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return can_not;
}

static bool is_out_of_memory(lua_State *L, const run *r, int status) {
  if (status == LUA_ERRMEM) return true;
  if (r->scenario->may_refuse && cannot_go_on(L)) return true;
  return lua_type(L, -1) == LUA_TSTRING &&
         strcmp(lua_tostring(L, -1), "not enough memory") == 0;
}

static int push_text(lua_State *L) {
  lua_getglobal(L, "tostring");
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

/* What the error on top says; its memory is the state's. */
static const char *text_of(lua_State *L) {
  lua_pushcfunction(L, push_text);
  lua_insert(L, -2);
  lua_pcall(L, 1, 1, 0);
  const char *text = lua_tostring(L, -1);
  return text == NULL ? "an error without a text" : text;
}

static int note_row(void *ud, int n, char **values, char **names) {
  char *out = ud;
  (void)names;
  snprintf(out, PATH, "%s", n > 0 && values[0] != NULL ? values[0] : "NULL");
  return 0;
}

/* Answers the first column of the last row, or "" without rows. */
static void ask(sqlite3 *db, const char *sql, char *out) {
  char *why = NULL;
  out[0] = '\0';
  if (sqlite3_exec(db, sql, note_row, out, &why) != SQLITE_OK) {
    snprintf(out, PATH, "%s", why == NULL ? "failed" : why);
  }
  sqlite3_free(why);
}

static void check_file(host *h, const run *r) {
  char answer[PATH];
  sqlite3 *db;
  if (access(h->file, F_OK) != 0) return; /* never came so far */
  if (sqlite3_open_v2(h->file, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
    die("sqlite", "cannot open the file again");
  }
  ask(db, "PRAGMA integrity_check", answer);
  if (strcmp(answer, "ok") != 0) blame(h, r, "damaged file", answer);
  for (int i = 0; i < r->scenario->n_rules; i++) {
    ask(db, r->scenario->rules[i], answer);
    if (answer[0] != '\0') blame(h, r, r->scenario->rules[i], answer);
  }
  sqlite3_close(db);
}

/* What the process holds outside of a state. */
typedef struct holdings {
  sqlite3_int64 bytes; /* SQLite's */
  int descriptor;
} holdings;

static holdings held(void) {
  holdings now = {sqlite3_memory_used(), next_descriptor()};
  return now;
}

static void check_memory(host *h, const run *r, const heap *memory,
                         holdings before) {
  char number[32];
  if (memory->blocks != 0) {
    snprintf(number, sizeof number, "%zu blocks", memory->blocks);
    blame(h, r, "Lua's allocator leaks", number);
  } else if (memory->bytes != 0 && !is_luajit) {
    blame(h, r, "Lua's allocator", "was told wrong sizes");
  }
  holdings now = held();
  if (now.bytes != before.bytes) {
    snprintf(number, sizeof number, "%lld bytes",
             (long long)(now.bytes - before.bytes));
    blame(h, r, "SQLite's allocator leaks", number);
  }
  if (now.descriptor != before.descriptor) {
    blame(h, r, "a file was left open", "see its descriptor");
  }
}

/* ---- one run ------------------------------------------------------ */

static failing *arm(const run *r, heap *memory) {
  failing *f = r->mode->sqlite ? &of_sqlite : &memory->fail;
  memset(f, 0, sizeof *f);
  f->at = r->n;
  f->all_later = r->mode->all_later;
  f->armed = true;
  return f;
}

static void must(host *h, const run *r, lua_State *L, int status,
                 const char *what) {
  if (status != 0) blame(h, r, what, text_of(L));
}

/* Memory is back: what is still open must be in order. Where all later
** allocations fail, every second run closes without this respite. */
static void look_after(host *h, const run *r, lua_State *L, step *s,
                       failing *f) {
  if (f->all_later && r->n % 2 == 0) return;
  f->armed = false;
  s->function = "after";
  must(h, r, L, protect(L, call, s), "afterwards");
}

static bool run_started(host *h, const run *r, lua_State *L, heap *memory,
                        step *s) {
  s->function = "start";
  must(h, r, L, protect(L, load, s), "loading");
  must(h, r, L, protect(L, call, s), "starting");
  failing *f = arm(r, memory);
  s->function = "run";
  int status = protect(L, call, s);
  if (status != 0 && !is_out_of_memory(L, r, status)) {
    f->armed = false;
    blame(h, r, "failed otherwise", text_of(L));
  } else if (status == 0 && !f->hit) {
    f->armed = false;
  } else {
    look_after(h, r, L, s, f);
  }
  lua_close(L);
  return f->hit;
}

static bool run_from_birth(host *h, const run *r, heap *memory, step *s) {
  failing *f = arm(r, memory);
  lua_State *L = lua_newstate(lua_memory, memory);
  if (L == NULL) return true;
  s->function = "start";
  int status = protect(L, load, s);
  if (status == 0) status = protect(L, call, s);
  if (status != 0 && !is_out_of_memory(L, r, status)) {
    f->armed = false;
    blame(h, r, "failed otherwise", text_of(L));
  }
  lua_close(L);
  return f->hit;
}

/* True when an allocation was refused. */
static bool run_once(host *h, const run *r) {
  heap memory;
  step s = {h, (scenario *)r->scenario, NULL};
  memset(&memory, 0, sizeof memory);
  write_template(r->scenario, h->file);
  holdings before = held();
  bool hit;
  if (r->scenario->from_birth) {
    hit = run_from_birth(h, r, &memory, &s);
  } else {
    hit = run_started(h, r, lua_newstate(lua_memory, &memory), &memory, &s);
  }
  of_sqlite.armed = false;
  if (!end_loan()) blame(h, r, "a lent connection", "was not given back");
  check_memory(h, r, &memory, before);
  check_file(h, r);
  h->runs++;
  return hit;
}

/* ---- all runs ----------------------------------------------------- */

/* Builds the scenario's database in a state whose memory does not fail. */
static void prepare(host *h, scenario *s) {
  heap memory;
  step told = {h, s, "prepare"};
  memset(&memory, 0, sizeof memory);
  remove_database(h->file);
  lua_State *L = lua_newstate(lua_memory, &memory);
  if (L == NULL || protect(L, load, &told) != 0 ||
      protect(L, read_flags, &told) != 0 ||
      protect(L, collect_rules, &told) != 0 || protect(L, call, &told) != 0) {
    die(s->name, L == NULL ? "no state" : text_of(L));
  }
  lua_close(L);
  end_loan();
  read_template(s, h->file);
}

static long stride(const host *h, const mode *m) {
  double by = (m->sqlite ? 2 : 1) / h->scale;
  return by <= 1 ? 1 : (long)(by + 0.5);
}

/* The workers take turns. */
static void sweep_mode(host *h, const scenario *s, const mode *m) {
  run r = {s, m, 0};
  long by = stride(h, m);
  int turn = 0, failures = h->failures;
  for (r.n = 1 + (long)(m - modes) % by;; r.n += by) {
    if (turn++ % WORKERS != h->worker) continue;
    if (!run_once(h, &r) || h->failures > failures + 20) return;
  }
}

static void sweep(host *h, scenario *s, const char *only, const char *n) {
  prepare(h, s);
  for (int i = 0; i < MODES; i++) {
    if (only != NULL && strcmp(only, modes[i].name) != 0) continue;
    if (n == NULL) {
      sweep_mode(h, s, &modes[i]);
    } else {
      run r = {s, &modes[i], atol(n)};
      printf("%s\n", run_once(h, &r) ? "refused" : "not reached");
    }
  }
  for (int i = 0; i < s->n_rules; i++) free(s->rules[i]);
  free(s->template);
  remove_database(h->file);
}

/* The list that scenarios.lua answers. */
static int list_scenarios(const char **names) {
  static char storage[MOST_SCENARIOS][64];
  char path[PATH];
  int n = 0;
  lua_State *L = luaL_newstate();
  snprintf(path, sizeof path, "%s/scenarios.lua", SPEC_OOM);
  if (luaL_loadfile(L, path) != 0 || lua_pcall(L, 0, 1, 0) != 0) {
    die("scenarios", lua_tostring(L, -1));
  }
  for (; n < MOST_SCENARIOS; n++) {
    lua_rawgeti(L, -1, n + 1);
    if (lua_isnil(L, -1)) break;
    snprintf(storage[n], sizeof storage[n], "%s", lua_tostring(L, -1));
    names[n] = storage[n];
    lua_pop(L, 1);
  }
  lua_close(L);
  return n;
}

/* Memory files are faster, and no scenario is about disks. */
static void make_folder(host *h) {
  const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ".";
  snprintf(h->folder, sizeof h->folder, "%s/tombstone-oom-XXXXXX", parent);
  if (mkdtemp(h->folder) == NULL) die("folder", h->folder);
  snprintf(h->file, sizeof h->file, "%s/a.db", h->folder);
}

static lua_CFunction find_module(void) {
  union {
    void *object;
    lua_CFunction function;
  } found;
  void *module = dlopen("./lua/tombstone/core.so", RTLD_NOW);
  if (module == NULL) die("module", dlerror());
  found.object = dlsym(module, "luaopen_tombstone");
  if (found.object == NULL) die("module", "has no luaopen_tombstone");
  return found.function;
}

static int work(host *h, int argc, char **argv) {
  const char *names[MOST_SCENARIOS];
  int n = list_scenarios(names);
  take_over_sqlite();
  make_folder(h);
  for (int i = 0; i < n; i++) {
    scenario s;
    long before = h->runs;
    if (argc > 1 && strcmp(argv[1], names[i]) != 0) continue;
    if (is_luajit && strcmp(names[i], "require") == 0) continue;
    memset(&s, 0, sizeof s);
    s.name = names[i];
    sweep(h, &s, argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL);
    printf("%-12s %6ld runs\n", names[i], h->runs - before);
    fflush(stdout);
  }
  rmdir(h->folder);
  printf("worker %d: %ld runs, %d failures\n", h->worker, h->runs, h->failures);
  return h->failures == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
  host h;
  const char *scale = getenv("SPEC_SCALE");
  int failed = 0, status;
  memset(&h, 0, sizeof h);
  h.scale = scale == NULL || atof(scale) <= 0 ? 1 : atof(scale);
  h.open = find_module();
  h.lend = set_lending;
  if (argc > 3) return work(&h, argc, argv);
  for (h.worker = 0; h.worker < WORKERS; h.worker++) {
    pid_t child = fork();
    if (child < 0) die("fork", "no process");
    if (child == 0) exit(work(&h, argc, argv));
  }
  while (wait(&status) > 0) {
    if (WIFSIGNALED(status)) {
      fprintf(stderr, "sweep: a worker died of signal %d\n", WTERMSIG(status));
    }
    failed += status != 0;
  }
  return failed == 0 ? 0 : 1;
}
