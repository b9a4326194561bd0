/* schema.h - a model's table and indexes as DDL. */
#ifndef TOMB_SCHEMA_H
#define TOMB_SCHEMA_H

#include "store.h"

/* ddl.c: the texts */
void tomb_sql_create_table(tomb_sql *sql, const tomb_model *model);
void tomb_sql_create_index(tomb_sql *sql, const tomb_model *model,
                           const tomb_group *group);
/* The index of the living and that of the dead by event; false, and nothing
** written, where the model has none. */
typedef bool tomb_own_index(tomb_sql *sql, const tomb_model *model);
#define TOMB_OWN_INDEXES 2
extern tomb_own_index *const tomb_own_indexes[TOMB_OWN_INDEXES];
/* What makes the i-th function that the dialect's statements call; NULL behind
** the last. */
const char *tomb_ddl_function(const tomb_db *db, size_t i);
/* The owners of the dead have a table only where deletions cascade. */
bool tomb_has_table(const tomb_db *db, const tomb_model *model);

/* counter.c: makes the triggers of all counters that are not there yet, or are
** others, and counts their rows. */
tomb_status tomb_create_counters(tomb_db *db, tomb_error *err);
/* The rows that a catalogue query answers for a name; free them. */
tomb_status tomb_catalogue(tomb_rows **out, tomb_db *db, const char *sql,
                           const char *name, tomb_error *err);

#endif
