/*
** sqlite_limits.h - how a host holds a connection: its limits, whether it was
** interrupted, and the process that it belongs to.
*/
#ifndef TOMB_SQLITE_LIMITS_H
#define TOMB_SQLITE_LIMITS_H

#include "process.h"
#include "sqlite.h"

struct sqlite3_stmt;

typedef enum tomb_stop {
  TOMB_GO_ON,
  TOMB_STOP_TIME,
  TOMB_STOP_STEPS,
  TOMB_STOP_ASKED
} tomb_stop;

typedef struct tomb_guard {
  tomb_birth birth;
  int asked;      /* by tomb_interrupt: any thread writes it */
  tomb_span span; /* the limits now; `ceiling` is one of `used` */
  int64_t used;   /* steps, of all limited calls ever */
  int every;      /* steps between two looks */
  tomb_stop stop; /* why the last statement was stopped */
  bool ending;    /* it ends a transaction: it is not stopped */
  struct sqlite3_stmt *running;
  int64_t waiting_since;
} tomb_guard;

extern const tomb_bounds tomb_sqlite_bounds;

/* A connection that is open, and one before its end; false where it must be
** left as it is. */
void tomb_sqlite_guard(tomb_conn *conn);
bool tomb_sqlite_unguard(tomb_conn *conn);
/* Waits for locks are ours, so that an interrupt or a deadline ends them; on a
** borrowed connection they are its host's. */
void tomb_sqlite_wait_as_told(tomb_conn *conn);
/* For work that is no statement: an error where it has to stop. */
tomb_status tomb_sqlite_go_on(tomb_conn *conn, tomb_error *err);

#endif
