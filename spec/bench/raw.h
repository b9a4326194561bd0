/* raw.h - what the sides written by hand share: statements, errors, the clock. */
#ifndef RAW_H
#define RAW_H

#include <lauxlib.h>
#include <lua.h>
#include <sqlite3.h>

#define MARK "__deleted_"
#define MARK_SIZE (sizeof MARK - 1)
#define SUFFIX_SIZE (MARK_SIZE + 17) /* 1763880000.123456 */

typedef struct stamp {
  char at[26]; /* 2025-11-23 06:40:00.123456 */
  int at_size;
  char suffix[SUFFIX_SIZE];
} stamp;

void raw_read_clock(stamp *out);

/* Raises what the database says. */
int raw_fail(lua_State *L, sqlite3 *db);

/* Runs a statement that answers no rows. */
void raw_run(lua_State *L, sqlite3_stmt *stmt);

/* Opens a file that exists, and prepares n statements for it. */
void raw_open_file(lua_State *L, sqlite3 **db, const char *path,
                   sqlite3_stmt **statements, const char *const *list, int n);

void raw_close_file(sqlite3 **db, sqlite3_stmt **statements, int n);

/* Runs a script: the first argument. */
int raw_exec_on(lua_State *L, sqlite3 *db);

/* Pushes the first column of the first row, as text. */
int raw_text_on(lua_State *L, sqlite3 *db);

/* open_family(path): a table of functions for rows that belong to rows. */
int raw_open_family(lua_State *L);

#endif
