/* bounds.c - what a host does to a handle: limits, interrupts, forks. */
#include "error.h"
#include "store.h"

bool tomb_is_inherited(const tomb_db *db) {
  const tomb_bounds *bounds = db->driver->bounds;
  return bounds != NULL && db->conn != NULL && !bounds->is_own(db->conn);
}

bool tomb_is_open(const tomb_db *db) {
  return db->conn != NULL && !db->closing && !tomb_is_inherited(db);
}

tomb_status tomb_check_open(const tomb_db *db, tomb_error *err) {
  if (tomb_is_open(db)) return TOMB_OK;
  if (db->conn == NULL || db->closing) {
    tomb_fail(err, TOMB_MISUSE, "The database is closed");
    tomb_error_hint(err, "open it again");
    return TOMB_MISUSE;
  }
  tomb_fail(err, TOMB_MISUSE, "The database was opened in another process");
  tomb_error_hint(err, "open it after the fork, in the process that uses it; "
                       "a file that the parent had open, after exec");
  return TOMB_MISUSE;
}

tomb_status tomb_limit_begin(tomb_span *outer, tomb_db *db,
                             const tomb_limits *limits, tomb_error *err) {
  const tomb_bounds *bounds = db->driver->bounds;
  tomb_status st = tomb_check_open(db, err);
  if (st != TOMB_OK) return st;
  if (bounds == NULL) {
    tomb_fail(err, TOMB_MISUSE, "The %s driver has no limits",
              db->driver->name);
    tomb_error_hint(err, "limit a handle of the SQLite driver");
    return TOMB_MISUSE;
  }
  st = bounds->limit(outer, db->conn, limits, err);
  if (st == TOMB_OK) {
    db->limited =
        outer->limited || limits->timeout > 0 || limits->max_steps > 0;
  }
  return st;
}

void tomb_limit_end(tomb_db *db, const tomb_span *outer) {
  if (!tomb_is_open(db)) return;
  db->driver->bounds->unlimit(db->conn, outer);
  db->limited = outer->limited;
}

void tomb_interrupt(tomb_db *db) {
  const tomb_bounds *bounds = db->driver->bounds;
  if (bounds != NULL && db->conn != NULL) bounds->interrupt(db->conn);
}
