/*
** lrelation.c - rows in place of keys: author = ana is author_id = ana.id.
**
** A table of values or lookups is rewritten before anybody reads it, so that
** all verbs know fields only. The program's own table stays as it is.
*/
#include "lrelation.h"

#include <string.h>

#include "classes.h"
#include "convert.h"
#include "raise.h"
#include "state.h"

/***
Rows in place of keys.
@module tombstone.core
*/

/* A relation and the name that it has in programs. */
typedef struct way {
  const char *name;
  const tomb_relation *to;
} way;

/* ---- one row ------------------------------------------------------ */

/* A User, a Unit: more models begin so than like an Uncle. */
static const char *article(const char *name) {
  return strchr("AEIOaeio", name[0]) == NULL ? "a" : "an";
}

/* What is at `index` is no row of the parent; `is` is its model or NULL. */
static void refuse(lua_State *L, const way *w, int index,
                   const tomb_model *is) {
  const char *child = tomb_model_name(w->to->child);
  const char *parent = w->to->parent_name, *field = w->to->field->name;
  const char *what = is == NULL ? tomb_typename(L, index) : tomb_model_name(is);
  if (w->to->parent == NULL) {
    lua_pushfstring(L, "declare the model %s", parent);
    tomb_misuse(L, lua_tostring(L, -1),
                "%s.%s points to %s, which is not declared", child, field,
                parent);
  }
  if (is != NULL && strcmp(what, parent) == 0) {
    tomb_misuse(L, NULL, "%s.%s takes %s %s of its own database", child,
                w->name, article(parent), parent);
  }
  lua_pushfstring(L, "a key goes into %s", field);
  tomb_misuse(L, is == NULL ? lua_tostring(L, -1) : NULL,
              "%s.%s takes %s %s, not %s %s", child, w->name, article(parent),
              parent, article(what), what);
}

/* Pushes the key of the row at `index`. */
static void push_key(lua_State *L, const way *w, int index) {
  lua_model *model = tomb_test_row(L, index);
  if (model == NULL || model->model != w->to->parent) {
    refuse(L, w, index, model == NULL ? NULL : model->model);
  }
  int at = lua_gettop(L);
  bool unsaved = tomb_state_of(L, model->db, at, index) == TOMB_STATE_NEW;
  lua_pushstring(L, tomb_model_role(model->model, TOMB_ROLE_KEY)->name);
  lua_rawget(L, index);
  if (unsaved || lua_isnil(L, -1)) {
    tomb_misuse(L, "save it first", "%s.%s takes a saved %s",
                tomb_model_name(w->to->child), w->name, w->to->parent_name);
  }
  lua_replace(L, at);
  lua_settop(L, at);
}

/* ---- its place in a table ----------------------------------------- */

static void push_plain(lua_State *L, const way *w, int index) {
  if (tomb_isnull(L, index)) {
    tomb_pushnull(L);
  } else {
    push_key(L, w, index);
  }
}

/* Lists are plain tables; an expression or a model is none. */
static bool is_list(lua_State *L, int index) {
  if (!lua_istable(L, index)) return false;
  if (!lua_getmetatable(L, index)) return true;
  lua_pop(L, 1);
  return false;
}

static size_t count_pairs(lua_State *L, int index) {
  size_t n = 0;
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    n++;
    lua_pop(L, 1);
  }
  return n;
}

static void push_keys(lua_State *L, const way *w, int index) {
  size_t n = lua_rawlen(L, index);
  if (count_pairs(L, index) != n) refuse(L, w, index, NULL);
  lua_createtable(L, (int)n, 0);
  for (size_t i = 1; i <= n; i++) {
    lua_rawgeti(L, index, (int)i);
    push_plain(L, w, lua_gettop(L));
    lua_rawseti(L, -3, (int)i);
    lua_pop(L, 1);
  }
}

/* The table at `index` gets the key of what is on top, which is popped. */
static void replace(lua_State *L, int model, int index, const way *w,
                    bool lists) {
  int value = lua_gettop(L);
  tomb_getref(L, model, MODEL_KEYS);
  lua_rawgeti(L, -1, (int)w->to->field->index + 1);
  lua_pushvalue(L, -1);
  lua_rawget(L, index);
  if (!lua_isnil(L, -1)) {
    tomb_misuse(L, "give one of them", "%s and %s are one field of %s", w->name,
                w->to->field->name, tomb_model_name(w->to->child));
  }
  lua_pop(L, 1);
  if (lists && is_list(L, value)) {
    push_keys(L, w, value);
  } else {
    push_plain(L, w, value);
  }
  lua_rawset(L, index);
  lua_settop(L, value - 1);
  lua_pushstring(L, w->name);
  lua_pushnil(L);
  lua_rawset(L, index);
}

static void copy(lua_State *L, int index) {
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  lua_replace(L, index);
}

/* Pushes the value that stands under the i-th relation's name; false where
** none does. The list of names is at `names`. */
static bool push_value(lua_State *L, const lua_model *box, int names, int index,
                       size_t i, way *out) {
  lua_rawgeti(L, names, (int)i + 1);
  if (lua_isnil(L, -1)) return false; /* it was declared without a name */
  out->name = lua_tostring(L, -1);
  out->to = tomb_model_relation(box->model, i);
  lua_rawget(L, index);
  return !lua_isnil(L, -1);
}

void tomb_rows_to_keys(lua_State *L, int model, int index, bool lists) {
  const lua_model *box = lua_touserdata(L, model);
  bool copied = false;
  way w;
  if (box->n_relations == 0) return;
  luaL_checkstack(L, 16, NULL);
  index = tomb_absindex(L, index);
  model = tomb_absindex(L, model);
  tomb_getref(L, model, MODEL_RELATIONS);
  int names = lua_gettop(L);
  for (size_t i = 0; i < box->n_relations; i++) {
    if (push_value(L, box, names, index, i, &w)) {
      if (!copied) copy(L, index);
      copied = true;
      replace(L, model, index, &w, lists);
    }
    lua_settop(L, names);
  }
  lua_settop(L, names - 1);
}

/***
Values with keys in place of rows: `author = ana` becomes `author_id = ana.id`.
@function core.rows_to_keys
@tparam model model
@tparam table values
@treturn table a copy, or the same where it holds no rows
@raise misuse: a row of another model, or one that is not saved yet
@usage local values = core.rows_to_keys(Post, { title = "Hello", author = ana })
*/
int tomb_model_rows_to_keys(lua_State *L) {
  lua_settop(L, 2);
  tomb_check_model(L, 1);
  tomb_rows_to_keys(L, 3, 2, false);
  lua_settop(L, 2);
  return 1;
}
