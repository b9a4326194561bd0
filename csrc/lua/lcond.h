/* lcond.h - filter tables, conditions and expressions as engine conditions. */
#ifndef TOMB_LCOND_H
#define TOMB_LCOND_H

#include "box.h"

/* Bytes that the condition at `index` needs. The MODEL is at `model`; where
** the table holds rows, one with their keys takes its place. */
size_t tomb_cond_size(lua_State *L, int index, int model);
/* Builds it in that memory, for a filter of the query. */
tomb_cond *tomb_cond_build(lua_State *L, int index, int model,
                           const tomb_query *query, void *memory);
/* The same for an expression, like F"views" + 1. */
size_t tomb_expr_size(lua_State *L, int index);
tomb_expr *tomb_expr_build(lua_State *L, int index, void *memory);
bool tomb_isexpr(lua_State *L, int index);
/* Pushes {[key] = value}, for filter("key", value). */
void tomb_push_pair(lua_State *L, int key, int value);

#endif
