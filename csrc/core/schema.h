/* schema.h - a model's table and indexes as DDL. */
#ifndef TOMB_SCHEMA_H
#define TOMB_SCHEMA_H

#include "store.h"

void tomb_sql_create_table(tomb_sql *sql, const tomb_model *model);
void tomb_sql_create_index(tomb_sql *sql, const tomb_model *model,
                           const tomb_group *group);

#endif
