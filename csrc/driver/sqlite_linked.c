/*
** sqlite_linked.c - the SQLite that this library is linked with. No other file
** of ours names a function of SQLite: connections carry the routines of the
** copy that they are of.
*/
#ifdef TOMB_SQLITE_SOURCE
#define SQLITE_API static
#define SQLITE_EXTERN
#define SQLITE_OMIT_LOAD_EXTENSION 1
#define HAVE_USLEEP 1 /* or it waits for whole seconds */
#include <sqlite3.c>
#endif

#include "sqlite_parts.h"

#ifdef TOMB_NO_SQLITE

const sqlite3_api_routines *tomb_sqlite_linked(void) {
  return NULL;
}

#else

#include "tombstone_sqlite.h"

#define ENTRY(member, function) .member = function,

const sqlite3_api_routines *tomb_sqlite_linked(void) {
  static const sqlite3_api_routines linked = {
      TOMB_SQLITE_ROUTINES(ENTRY) TOMB_SQLITE_LATER_ROUTINES(ENTRY)};
  return &linked;
}

#endif
