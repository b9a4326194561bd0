/* lreading.h - a read in progress: what all reading calls share. */
#ifndef TOMB_LREADING_H
#define TOMB_LREADING_H

#include "hydrate.h"

/* A read in progress: the cursor's box stands below what follows. */
typedef struct reading {
  lua_query *query;
  lua_cursor *box;
  bool grouped;  /* groups are what it reads */
  int db, model; /* indices */
  hydration rows;
} reading;

/* Pushes MODEL, DB and a cursor for the query at 1. */
void tomb_begin_read(lua_State *L, reading *r);
/* Closes the cursor and raises. */
void tomb_fail_read(lua_State *L, reading *r, tomb_status st,
                    const tomb_error *err);
void tomb_end_read(lua_State *L, reading *r);
/* True while there is a row. */
bool tomb_next_row(lua_State *L, reading *r);
tomb_db *tomb_read_engine(const reading *r);

/* True for rows that lack columns of their model, or hold more than these. */
bool tomb_is_unlike_rows(const tomb_query *query);
/* Pushes the set of the names that such rows hold. */
void tomb_push_names(lua_State *L, const lua_query *query,
                     const tomb_field *const *fields, size_t n);

#endif
