/* report.h - what a purge did, by model, as the rows of tomb_report_kind. */
#ifndef TOMB_REPORT_H
#define TOMB_REPORT_H

#include "store.h"

/* A line with a count; a NULL report takes none, and no line says 0. `field`
** and `key` may be NULL. */
tomb_status tomb_report(tomb_rows *report, tomb_report_kind kind,
                        const tomb_model *model, const tomb_field *field,
                        int64_t count, const tomb_value *key, tomb_error *err);
/* The same for a write that is one statement: there must be room to tell of it
** before it runs. `count` replaces that of the last line. */
tomb_status tomb_report_ahead(tomb_rows *report, tomb_report_kind kind,
                              const tomb_model *model, tomb_error *err);
void tomb_report_settle(tomb_rows *report, int64_t count);
/* The same of what the statement that has just run has changed. */
tomb_status tomb_report_changes(tomb_rows *report, tomb_report_kind kind,
                                const tomb_db *db, const tomb_model *model,
                                const tomb_field *field, tomb_error *err);
/* db->sql counts rows and may name one: `*count` of them, as a line. */
tomb_status tomb_report_counted(tomb_rows *report, tomb_report_kind kind,
                                int64_t *count, tomb_db *db,
                                const tomb_model *model,
                                const tomb_field *field, tomb_error *err);

#endif
