/*
** steps.c - how much work SQLite does for a statement.
**
**   steps FILE SQL [i:5 | t:text | n: ...]
**
** runs the statement with these values in a transaction that is rolled back,
** and prints: rows, steps of the virtual machine, steps of scans, sorts.
*/
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(sqlite3 *db, const char *what) {
  fprintf(stderr, "steps: %s: %s\n", what, sqlite3_errmsg(db));
  return 1;
}

static int bind(sqlite3_stmt *stmt, int i, const char *value) {
  switch (value[0]) {
  case 'i': return sqlite3_bind_int64(stmt, i, atoll(value + 2));
  case 't': return sqlite3_bind_text(stmt, i, value + 2, -1, SQLITE_STATIC);
  default: return sqlite3_bind_null(stmt, i);
  }
}

static int run(sqlite3 *db, sqlite3_stmt *stmt) {
  int rows = 0, code;
  while ((code = sqlite3_step(stmt)) == SQLITE_ROW) rows++;
  if (code != SQLITE_DONE) return fail(db, "step");
  printf("%d %d %d %d\n", rows,
         sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0),
         sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0),
         sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_SORT, 0));
  return 0;
}

/* In place of the engine's: what a function does is not counted. */
static void mangled(sqlite3_context *context, int n, sqlite3_value **args) {
  (void)n;
  char *made = sqlite3_mprintf("%s%s", sqlite3_value_text(args[0]),
                               sqlite3_value_text(args[1]));
  sqlite3_result_text(context, made, -1, sqlite3_free);
}

int main(int argc, char **argv) {
  sqlite3 *db;
  sqlite3_stmt *stmt;
  if (argc < 3) return 2;
  if (sqlite3_open(argv[1], &db) != SQLITE_OK) return fail(db, "open");
  sqlite3_create_function(db, "tombstone_mangled", 2, SQLITE_UTF8, NULL,
                          mangled, NULL, NULL);
  if (sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
      sqlite3_prepare_v2(db, argv[2], -1, &stmt, NULL) != SQLITE_OK) {
    return fail(db, argv[2]);
  }
  for (int i = 3; i < argc; i++) {
    if (bind(stmt, i - 2, argv[i]) != SQLITE_OK) return fail(db, argv[i]);
  }
  int failed = run(db, stmt);
  sqlite3_finalize(stmt);
  sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
  sqlite3_close(db);
  return failed;
}
