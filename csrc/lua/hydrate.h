/* hydrate.h - rows of the engine as Lua tables. */
#ifndef TOMB_HYDRATE_H
#define TOMB_HYDRATE_H

#include "box.h"

/* What a row is made of; the keys and the metatable wait on the stack. */
typedef struct hydration {
  lua_model *model;
  const tomb_field *const *fields;
  size_t n;
  int keys;      /* index of the first key */
  int metatable; /* index, or 0 for plain tables */
} hydration;

/* Pushes the keys of the fields, and the model's table before them if
** `as_rows`; the MODEL userdata is at `model`. */
void tomb_hydrate_begin(lua_State *L, hydration *h, int model,
                        const tomb_field *const *fields, size_t n,
                        bool as_rows);
/* Pushes the keys of h's fields; MODEL_KEYS is on top of the stack. */
void tomb_push_keys(lua_State *L, hydration *h);
/* Pushes a table with these values; NULLs take no place in it. */
void tomb_hydrate(lua_State *L, const hydration *h, const tomb_value *values);
/* The same into the table on top of the stack; NULLs become nil. */
void tomb_rehydrate(lua_State *L, const hydration *h, const tomb_value *values);

#endif
