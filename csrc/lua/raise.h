/* raise.h - the only place that raises: error objects, with a kind each. */
#ifndef TOMB_RAISE_H
#define TOMB_RAISE_H

#include "box.h"

/* Raises `err` as an object; never returns. */
int tomb_raise(lua_State *L, const tomb_error *err);
/* Raises what Lua raises when memory runs out. */
int tomb_no_memory(lua_State *L);
/* Raises misuse. The format knows %s and %d. */
int tomb_misuse(lua_State *L, const char *hint, const char *format, ...);
/* The kind of error whose word is at `index`; "database" where there is none. */
tomb_status tomb_kind_named(lua_State *L, int index);
/* Hands the log to its function, then raises unless `st` is TOMB_OK. The DB
** userdata is at `index`. */
void tomb_finish(lua_State *L, lua_db *box, int index, tomb_status st,
                 const tomb_error *err);
/* Raises not_found for a row that the database has no more. */
int tomb_gone(lua_State *L, const tomb_model *model);
/* Raises when a query's call has more arguments than `most`, itself counted: a
** filter given to count() would be ignored. */
void tomb_no_more(lua_State *L, int most, const char *what);
/* Raises when the table at `index` has a key that is not in `known` (a list
** that ends with NULL); `what` says whose option it is. */
void tomb_check_options(lua_State *L, int index, const char *const *known,
                        const char *what);
/* What all calls with options take besides (see limits.lua). */
#define TOMB_LIMIT_OPTIONS "timeout_ms", "max_steps"
void tomb_open_errors(lua_State *L);

#endif
