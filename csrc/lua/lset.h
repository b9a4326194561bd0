/*
** lset.h - result sets: the rows of one result, and what is loaded with them.
**
** The rows of a result that carries more than columns have a metatable of its
** own, which looks like the model and holds the relatives. So nothing hangs on
** a row, and what is loaded lives as long as the rows that came with it.
*/
#ifndef TOMB_LSET_H
#define TOMB_LSET_H

#include "box.h"

/* Pushes a metatable for the rows of one result; the MODEL is at `model`. */
void tomb_push_set(lua_State *L, int model);
/* True where a result of many rows is a set. */
bool tomb_wants_set(const lua_query *query);
/* Loads what the query at 1 names for the list of rows on top, which stays. */
void tomb_load_list(lua_State *L);
/* The same for the one row on top, or nil. */
void tomb_load_row(lua_State *L);
/* Pushes the loaded rows that the query at 1 is answered with; false, and
** nothing pushed, where the database is to be asked. */
bool tomb_push_answer(lua_State *L);

/* lset.c, lloading.c: they set functions of the module's table, on top */
void tomb_open_sets(lua_State *L);
void tomb_open_loading(lua_State *L);

#endif
