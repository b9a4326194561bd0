/* hydrate.c - rows of the engine as Lua tables. */
#include "hydrate.h"

#include "convert.h"

void tomb_push_keys(lua_State *L, hydration *h) {
  h->keys = lua_gettop(L) + 1;
  for (size_t i = 0; i < h->n; i++) {
    if (h->fields[i]->computed == NULL) {
      lua_rawgeti(L, h->keys - 1, (int)h->fields[i]->index + 1);
    } else {
      lua_pushlstring(L, h->fields[i]->name, h->fields[i]->name_size);
    }
  }
}

void tomb_hydrate_begin(lua_State *L, hydration *h, int model,
                        const tomb_field *const *fields, size_t n,
                        bool as_rows) {
  model = tomb_absindex(L, model);
  luaL_checkstack(L, (int)n + 8, "a row of too many fields");
  h->model = lua_touserdata(L, model);
  h->fields = fields;
  h->n = n;
  h->metatable = 0;
  if (as_rows) {
    tomb_getref(L, model, MODEL_TABLE);
    h->metatable = lua_gettop(L);
  }
  tomb_getref(L, model, MODEL_KEYS);
  tomb_push_keys(L, h);
}

static int count_given(const tomb_value *values, size_t n) {
  int given = 0;
  for (size_t i = 0; i < n; i++) given += values[i].type != TOMB_NULL;
  return given;
}

void tomb_hydrate(lua_State *L, const hydration *h, const tomb_value *values) {
  lua_createtable(L, 0, count_given(values, h->n));
  for (size_t i = 0; i < h->n; i++) {
    if (values[i].type == TOMB_NULL) continue;
    lua_pushvalue(L, h->keys + (int)i);
    tomb_pushvalue(L, h->fields[i], &values[i]);
    lua_rawset(L, -3);
  }
  if (h->metatable == 0) return;
  lua_pushvalue(L, h->metatable);
  lua_setmetatable(L, -2);
}

void tomb_rehydrate(lua_State *L, const hydration *h,
                    const tomb_value *values) {
  for (size_t i = 0; i < h->n; i++) {
    lua_pushvalue(L, h->keys + (int)i);
    tomb_pushvalue(L, h->fields[i], &values[i]);
    lua_rawset(L, -3);
  }
}
