/*
** steps.c - what a statement costs, counted by SQLite itself.
**
**   steps FILE SQL [VALUE ...]
**
** runs the statement to its end, rolls it back and prints how many steps of
** its virtual machine that took, how many rows of them walked a whole table,
** how often it sorted, and how many rows came out. The first letter of a value
** says what it is: i15 an integer, f1.5 a number, tHello a text; n is NULL.
*/
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(sqlite3 *db, const char *what) {
  fprintf(stderr, "steps: %s: %s\n", what, sqlite3_errmsg(db));
  return EXIT_FAILURE;
}

static int bind(sqlite3_stmt *stmt, int at, const char *value) {
  switch (value[0]) {
  case 'i': return sqlite3_bind_int64(stmt, at, strtoll(value + 1, NULL, 10));
  case 'f': return sqlite3_bind_double(stmt, at, strtod(value + 1, NULL));
  case 't': return sqlite3_bind_text(stmt, at, value + 1, -1, SQLITE_STATIC);
  case 'n': return sqlite3_bind_null(stmt, at);
  default: return SQLITE_MISUSE;
  }
}

static int counter(sqlite3_stmt *stmt, int which) {
  return sqlite3_stmt_status(stmt, which, 0);
}

static int count(sqlite3 *db, sqlite3_stmt *stmt, char **values, int n) {
  int code = SQLITE_OK, rows = 0;
  if (sqlite3_bind_parameter_count(stmt) != n) {
    fprintf(stderr, "steps: %d values instead of %d\n", n,
            sqlite3_bind_parameter_count(stmt));
    return EXIT_FAILURE;
  }
  for (int i = 0; code == SQLITE_OK && i < n; i++) {
    code = bind(stmt, i + 1, values[i]);
  }
  if (code != SQLITE_OK) return fail(db, "a value");
  while ((code = sqlite3_step(stmt)) == SQLITE_ROW) rows++;
  if (code != SQLITE_DONE) return fail(db, sqlite3_sql(stmt));
  printf("%d %d %d %d\n", counter(stmt, SQLITE_STMTSTATUS_VM_STEP),
         counter(stmt, SQLITE_STMTSTATUS_FULLSCAN_STEP),
         counter(stmt, SQLITE_STMTSTATUS_SORT), rows);
  return EXIT_SUCCESS;
}

static int run(sqlite3 *db, const char *sql, char **values, int n) {
  sqlite3_stmt *stmt = NULL;
  if (sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
      sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
    return fail(db, sql);
  }
  int result = count(db, stmt, values, n);
  sqlite3_finalize(stmt);
  sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
  return result;
}

int main(int argc, char **argv) {
  sqlite3 *db = NULL;
  if (argc < 3) {
    fprintf(stderr, "usage: steps FILE SQL [VALUE ...]\n");
    return EXIT_FAILURE;
  }
  int result = EXIT_FAILURE;
  if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
    fail(db, argv[1]);
  } else {
    result = run(db, argv[2], argv + 3, argc - 3);
  }
  sqlite3_close(db);
  return result;
}
