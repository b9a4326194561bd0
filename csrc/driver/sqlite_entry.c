/*
** sqlite_entry.c - how SQL functions learn which copy of SQLite calls them.
**
** SQLite hands a function nothing that can be read without routines of the
** same copy. So there is an entry for each copy: one for the SQLite that this
** library is linked with, and a few that are given out to the copies of hosts.
** Who has an entry keeps it: routines live as long as the code of their copy,
** and a new copy at the same address is as good. This table is the one thing
** that the library keeps outside of handles.
*/
#include "sqlite_parts.h"

#define COPIES 4 /* of hosts, in one process */

static const sqlite3_api_routines *copies[COPIES];

typedef void entry(sqlite3_context *, int, sqlite3_value **);

static void enter(const sqlite3_api_routines *sqlite, sqlite3_context *context,
                  sqlite3_value **args) {
  const tomb_sqlite_word *word = sqlite->user_data(context);
  word->function(sqlite, context, args);
}

static const sqlite3_api_routines *copy_at(size_t i) {
  return __atomic_load_n(&copies[i], __ATOMIC_ACQUIRE);
}

/* SQLite has checked the number of arguments. */
#define ENTRY(i)                                                               \
  static void entry_##i(sqlite3_context *context, int n,                       \
                        sqlite3_value **args) {                                \
    (void)n;                                                                   \
    enter(copy_at(i), context, args);                                          \
  }
ENTRY(0)
ENTRY(1)
ENTRY(2)
ENTRY(3)

static void entry_linked(sqlite3_context *context, int n,
                         sqlite3_value **args) {
  (void)n;
  enter(tomb_sqlite_linked(), context, args);
}

/* Threads may come at once: who is second finds the first one's. */
static bool is_or_becomes(size_t i, const sqlite3_api_routines *sqlite) {
  const sqlite3_api_routines *there = NULL;
  return __atomic_compare_exchange_n(&copies[i], &there, sqlite, false,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
         there == sqlite;
}

static entry *entry_of(const sqlite3_api_routines *sqlite) {
  static entry *const entries[COPIES] = {entry_0, entry_1, entry_2, entry_3};
  if (sqlite == tomb_sqlite_linked()) return entry_linked;
  for (size_t i = 0; i < COPIES; i++) {
    if (is_or_becomes(i, sqlite)) return entries[i];
  }
  return NULL;
}

bool tomb_sqlite_entry_ready(const sqlite3_api_routines *sqlite) {
  return entry_of(sqlite) != NULL;
}

int tomb_sqlite_teach(const tomb_conn *conn, const tomb_sqlite_word *word,
                      void (*drop)(void *)) {
  /* innocuous: an index or a view of an untrusted schema may use it */
  int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  return conn->sqlite->create_function_v2(
      conn->db, word->name, word->arguments, flags, (void *)word,
      entry_of(conn->sqlite), NULL, NULL, drop);
}

int tomb_sqlite_unteach(const tomb_conn *conn, const tomb_sqlite_word *word) {
  return conn->sqlite->create_function_v2(conn->db, word->name, word->arguments,
                                          SQLITE_UTF8, NULL, NULL, NULL, NULL,
                                          NULL);
}
