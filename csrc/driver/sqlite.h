/*
** sqlite.h - the SQLite driver: its connections. Only sqlite*.c know the client
** library.
*/
#ifndef TOMB_SQLITE_H
#define TOMB_SQLITE_H

#include "driver.h"

extern const tomb_driver tomb_sqlite_driver;

/* Opens `path` without an engine on top; NULL options are the defaults. Give
** it back with tomb_sqlite_driver.close. `*out` is NULL on failure. */
tomb_status tomb_sqlite_connect(tomb_conn **out, const char *path,
                                const tomb_options *options, tomb_error *err);
/* The same for a connection of the host: see tomb_borrow_sqlite. */
tomb_status tomb_sqlite_borrow(tomb_conn **out, struct sqlite3 *db,
                               const struct sqlite3_api_routines *routines,
                               const tomb_options *options, tomb_error *err);

#endif
