/*
** test_memory.c - each verb, while the n-th allocation and all behind it fail,
** for every n: of the engine by its allocator, and of SQLite by its own. The
** answer is "out of memory" or right, nothing is half done, nothing leaks.
*/
#include "scenarios.h"

#include <sqlite3.h>

/* Allocations until the first that fails; 0: none does. */
typedef struct supply {
  size_t until_failure, asked;
  size_t blocks; /* that are out */
} supply;

static supply engine, sqlite;

/* Once one has failed all do, until the test is over. */
static bool runs_out(supply *s) {
  s->asked++;
  return s->until_failure != 0 && s->asked >= s->until_failure;
}

static void fail_at(supply *s, size_t nth) {
  s->asked = 0;
  s->until_failure = nth;
}

/* ---- the engine's allocator --------------------------------------- */

/* Sizes must be told right: a host's allocator may count on them. */
typedef struct header {
  size_t size, mark;
} header;

#define MARK ((size_t)0x746F6D62)

static void *allocate(void *ud, void *ptr, size_t osize, size_t nsize) {
  header *block = ptr == NULL ? NULL : (header *)ptr - 1;
  (void)ud;
  if (block != NULL && (block->mark != MARK || block->size != osize)) {
    check_that(false, __FILE__, __LINE__, "a block of %zu is given as %zu",
               block->size, osize);
  }
  if (nsize == 0) {
    if (block != NULL) engine.blocks--;
    free(block);
    return NULL;
  }
  if (runs_out(&engine)) return NULL;
  header *moved = realloc(block, sizeof *moved + nsize);
  if (moved == NULL) return NULL;
  if (block == NULL) engine.blocks++;
  moved->size = nsize;
  moved->mark = MARK;
  return moved + 1;
}

static const tomb_options options = {.allocator = {allocate, NULL}};

/* ---- SQLite's ----------------------------------------------------- */

static sqlite3_mem_methods real;

static void *sqlite_malloc(int size) {
  if (runs_out(&sqlite)) return NULL;
  void *block = real.xMalloc(size);
  if (block != NULL) sqlite.blocks++;
  return block;
}

static void sqlite_free(void *block) {
  sqlite.blocks--;
  real.xFree(block);
}

static void *sqlite_realloc(void *block, int size) {
  return runs_out(&sqlite) ? NULL : real.xRealloc(block, size);
}

static bool configure_sqlite(void) {
  sqlite3_mem_methods ours;
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK) return false;
  ours = real;
  ours.xMalloc = sqlite_malloc;
  ours.xFree = sqlite_free;
  ours.xRealloc = sqlite_realloc;
  /* without its pools, so that each allocation is met */
  return sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) == SQLITE_OK &&
         sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK &&
         sqlite3_initialize() == SQLITE_OK;
}

/* ---- the sweep ---------------------------------------------------- */

static void check_answer(const scenario *s, const supply *who, tomb_status st,
                         size_t nth) {
  check_that(st == s->wanted || st == TOMB_NOMEM, __FILE__, __LINE__,
             "'%s' with %s allocation %zu answered %s", s->name,
             who == &engine ? "the engine's" : "SQLite's", nth,
             tomb_status_name(st));
}

static void check_unchanged(const char *before, const scenario *s,
                            const supply *who, size_t nth) {
  char *after = dump_database();
  check_that(strcmp(before, after) == 0, __FILE__, __LINE__,
             "'%s' with %s allocation %zu left nothing half done:\n%s---\n%s",
             s->name, who == &engine ? "the engine's" : "SQLite's", nth, before,
             after);
  free(after);
}

/* What SQLite has cached may go, and comes back with the statement. */
static void check_leaks(const scenario *s, size_t nth, size_t sqlite_before) {
  check_that(engine.blocks == 0 && sqlite.blocks <= sqlite_before, __FILE__,
             __LINE__, "'%s' at %zu leaks: %zu of the engine, %zu of SQLite",
             s->name, nth, engine.blocks, sqlite.blocks - sqlite_before);
}

/* False when the whole scenario needs fewer allocations than `nth`. */
static bool starves(const scenario *s, supply *who, size_t nth, bool within) {
  tomb_error err;
  size_t sqlite_before = sqlite.blocks;
  MUST(tomb_open_sqlite(&db, ":memory:", &options, &check_error));
  prepare_scenario(s);
  char *before = dump_database();
  if (within) MUST(tomb_begin(db, &check_error));
  fail_at(who, nth);
  tomb_status st = s->run(&err);
  bool met = who->asked >= nth;
  fail_at(who, 0);
  check_answer(s, who, st, nth);
  CHECK_INT(tomb_depth(db), within ? 1 : 0);
  if (within) tomb_commit(db, NULL);
  if (st != TOMB_OK) {
    check_unchanged(before, s, who, nth);
    CHECK_STATUS(s->run(&err), s->wanted);
  }
  check_state(__LINE__);
  free(before);
  close_db();
  check_leaks(s, nth, sqlite_before);
  return met;
}

static void sweep(supply *who, size_t stride, bool within) {
  for (size_t i = 0; i < SCENARIOS; i++) {
    size_t nth = 1 + i % stride; /* not the same ones everywhere */
    while (starves(&scenarios[i], who, nth, within)) nth += stride;
  }
}

static void the_engine_may_run_out_of_memory(void) {
  sweep(&engine, check_stride(5), false);
}

static void inside_a_transaction_too(void) {
  sweep(&engine, check_stride(5), true);
}

/* SQLite allocates so much more that a share of it has to do: the whole was
** swept once and takes a minute. */
static void sqlite_may_run_out_of_memory(void) {
  sweep(&sqlite, 11 * check_stride(5), false);
}

static void inside_a_transaction_sqlite_too(void) {
  sweep(&sqlite, 13 * check_stride(5), true);
}

/* ---- opening and defining ----------------------------------------- */

static bool open_starves(supply *who, size_t nth) {
  size_t sqlite_before = sqlite.blocks;
  fail_at(who, nth);
  tomb_status st = tomb_open_sqlite(&db, ":memory:", &options, &check_error);
  bool met = who->asked >= nth;
  fail_at(who, 0);
  check_that(st == TOMB_OK || st == TOMB_NOMEM, __FILE__, __LINE__,
             "opening with allocation %zu answered %s - %s", nth,
             tomb_status_name(st), check_error.message);
  CHECK((db != NULL) == (st == TOMB_OK));
  tomb_free(db);
  CHECK_INT(engine.blocks, 0);
  CHECK(sqlite.blocks <= sqlite_before);
  return met;
}

static void opening_may_run_out_of_memory(void) {
  for (size_t nth = 1; open_starves(&engine, nth); nth++) continue;
  for (size_t nth = 1; open_starves(&sqlite, nth);) nth += check_stride(5);
}

static tomb_status define_pairs(const tomb_model **out) {
  static const char *const names[] = {"a", "b"};
  static const char *const order[] = {"-a", "b"};
  const tomb_value choices[] = {tomb_text("x"), tomb_text("y")};
  const tomb_field_def fields[] = {
      {.name = "a",
       .type = TOMB_FIELD_TEXT,
       .choices = choices,
       .n_choices = 2,
       .default_value = tomb_text("x"),
       .check = "a <> 'z'",
       .collate = "NOCASE",
       .unique = TOMB_UNIQUE,
       .index = true},
      {.name = "b", .type = TOMB_FIELD_TEXT, .column = "bee"}};
  const tomb_group_def group = {names, 2, TOMB_UNIQUE_MANGLE};
  const tomb_model_def def = {.name = "Pair",
                              .fields = fields,
                              .n_fields = 2,
                              .groups = &group,
                              .n_groups = 1,
                              .order_by = order,
                              .n_order_by = 2,
                              .timestamps = true,
                              .version = true};
  return tomb_define(out, db, &def, &check_error);
}

static void defining_may_run_out_of_memory(void) {
  const tomb_model *model;
  bool met = true;
  MUST(tomb_open_sqlite(&db, ":memory:", &options, &check_error));
  for (size_t nth = 1; met; nth++) {
    fail_at(&engine, nth);
    tomb_status st = define_pairs(&model);
    met = engine.asked >= nth;
    fail_at(&engine, 0);
    CHECK_STATUS(st, met ? TOMB_NOMEM : TOMB_OK);
    CHECK((model == NULL) == met);
    if (met) CHECK(tomb_model_named(db, "Pair") == NULL);
  }
  close_db();
  CHECK_INT(engine.blocks, 0);
}

int main(void) {
  if (!CHECK(configure_sqlite())) return check_done();
  RUN(opening_may_run_out_of_memory);
  RUN(defining_may_run_out_of_memory);
  RUN(the_engine_may_run_out_of_memory);
  RUN(inside_a_transaction_too);
  RUN(sqlite_may_run_out_of_memory);
  RUN(inside_a_transaction_sqlite_too);
  return check_done();
}
