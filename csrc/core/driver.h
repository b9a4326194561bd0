/*
** driver.h - what the engine asks of a database client.
**
** A driver speaks to one client library, knows no model and writes no SQL of
** its own. It never calls back: rows are pulled. Every function that can fail
** fills `err` (kind, constraint, code, message, subject) and leaves nothing
** half open.
*/
#ifndef TOMB_DRIVER_H
#define TOMB_DRIVER_H

#include "dialect.h"
#include "tombstone.h"

typedef struct tomb_conn tomb_conn; /* the driver's connection */
typedef struct tomb_stmt tomb_stmt; /* the driver's prepared statement */

/*
** What a host may do to a connection besides asking it: interrupt it, limit
** it, and fork. Between `limit` and `unlimit` the engine steps with `step`.
*/
typedef struct tomb_bounds {
  /* False in a process that has inherited the connection by a fork: nothing of
  ** it may be touched there, and it is never closed. Costs next to nothing. */
  bool (*is_own)(const tomb_conn *conn);
  /* Comes before each statement: refuses where the call has been interrupted
  ** or is beyond its limits. A rollback is never refused. */
  tomb_status (*admit)(tomb_conn *conn, const char *sql, size_t size,
                       tomb_error *err);
  tomb_status (*step)(tomb_conn *conn, tomb_stmt *stmt, tomb_error *err);
  /* A step has failed: says which limit it was, if it was one. */
  tomb_status (*explain)(tomb_conn *conn, tomb_status st, tomb_error *err);
  /* By any thread. */
  void (*interrupt)(tomb_conn *conn);
  /* Narrows the limits; `*outer` gets what they were. And puts them back. */
  tomb_status (*limit)(tomb_span *outer, tomb_conn *conn,
                       const tomb_limits *limits, tomb_error *err);
  void (*unlimit)(tomb_conn *conn, const tomb_span *outer);
} tomb_bounds;

/* Of a connection, which a host may lend to several handles. */
typedef struct tomb_commons {
  bool lent;          /* it may be in a transaction of others */
  unsigned takings;   /* a bit for each temporary table in use */
  int64_t last_event; /* its id; also where a rollback took it back */
  bool stamped;
  int64_t last_stamp;
} tomb_commons;

typedef struct tomb_driver {
  const char *name;
  const tomb_bounds *bounds; /* NULL: it knows none of this */
  const tomb_dialect *dialect;

  /* Closes the connection, or gives it back to its host; all its statements are
  ** finalized. One that is inherited is left as it is. Cannot fail. */
  void (*close)(tomb_conn *conn);
  /* What all handles that share the connection have in common; zeroed when it
  ** is opened or first lent. */
  tomb_commons *(*commons)(tomb_conn *conn);
  /* Before the close of a borrowed one: undoes the transaction that the engine
  ** began, or with `inside` its outermost savepoint. Cannot fail. */
  void (*abandon)(tomb_conn *conn, bool inside);

  /*
  ** Prepares the first statement of `sql` (`size` bytes, no terminator
  ** needed). `*used` is where the next one begins; `*out` is NULL when only
  ** white space and comments were there.
  */
  tomb_status (*prepare)(tomb_conn *conn, tomb_stmt **out, const char *sql,
                         size_t size, size_t *used, tomb_error *err);
  void (*finalize)(tomb_stmt *stmt);
  size_t (*parameters)(tomb_stmt *stmt);
  size_t (*columns)(tomb_stmt *stmt);
  const char *(*column_name)(tomb_stmt *stmt, size_t i); /* borrowed */

  /*
  ** Binds all values. With `copy` the driver copies texts; without, they
  ** stay valid until the next reset.
  */
  tomb_status (*bind)(tomb_stmt *stmt, const tomb_value *values, size_t n,
                      bool copy, tomb_error *err);
  /* TOMB_ROW, TOMB_DONE or an error. */
  tomb_status (*step)(tomb_stmt *stmt, tomb_error *err);
  /* The current row in the storage's own types; borrowed until step or reset.
  ** A false answer means that memory ran out. */
  bool (*row)(tomb_stmt *stmt, tomb_value *values, size_t n);
  void (*reset)(tomb_stmt *stmt);

  int64_t (*changes)(tomb_conn *conn);        /* of the last write */
  int64_t (*last_insert_id)(tomb_conn *conn); /* of the last INSERT */
  /* False also when the database ended the transaction by itself. */
  bool (*in_transaction)(tomb_conn *conn);

  /* Whether the bytes of what is deleted are overwritten in the file, by the
  ** driver's own measure, of which 0 is no and 1 is yes: sets it from `*level`
  ** and answers there what it was. */
  tomb_status (*overwrite)(tomb_conn *conn, int *level, tomb_error *err);

  const char *(*version)(tomb_conn *conn);
  const char *(*warning)(tomb_conn *conn); /* or NULL */
  tomb_status (*backup)(tomb_conn *conn, const char *path, tomb_error *err);
} tomb_driver;

/*
** The engine on top of an open connection, which it owns from here on, also
** when it fails. Drivers' open functions end with it.
*/
tomb_status tomb_db_new(tomb_db **out, const tomb_driver *driver,
                        tomb_conn *conn, const tomb_options *options,
                        tomb_error *err);
/* The driver's connection, for drivers that offer more than the contract. */
tomb_conn *tomb_db_conn(tomb_db *db);

#endif
