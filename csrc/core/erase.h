/* erase.h - purging rows that others point to. */
#ifndef TOMB_ERASE_H
#define TOMB_ERASE_H

#include "closure.h"

/* The query's rows are gone, with the dead rows that need them. `purged` counts
** those of the query's own model. Errors: restricted, where a living row needs
** one of them. */
tomb_status tomb_erase_family(int64_t *purged, tomb_db *db,
                              const tomb_query *query, tomb_rows *report,
                              tomb_error *err);

/* The same of rows that have been gathered, in the transaction around it. */
tomb_status tomb_erase_closure(int64_t *purged, const tomb_closure *c,
                               const tomb_model *model, tomb_rows *report,
                               tomb_error *err);
/* What that would do, and who is in the way. Writes nothing. */
tomb_status tomb_preview_closure(int64_t *purged, const tomb_closure *c,
                                 const tomb_model *model, tomb_rows *report,
                                 tomb_error *err);

/* SELECT count(*), min(key) of the relation's children that need the closure's
** rows and are not among them: what follows narrows it. */
tomb_status tomb_erase_probe(const tomb_closure *c,
                             const tomb_relation *relation, tomb_error *err);

#endif
