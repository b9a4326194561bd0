/* erase.h - purging rows that others point to. */
#ifndef TOMB_ERASE_H
#define TOMB_ERASE_H

#include "verbs.h"

/* The query's rows are gone, with the dead rows that need them. `purged` counts
** those of the query's own model. Errors: restricted, where a living row needs
** one of them. */
tomb_status tomb_erase_family(int64_t *purged, tomb_db *db,
                              const tomb_query *query, tomb_error *err);

#endif
