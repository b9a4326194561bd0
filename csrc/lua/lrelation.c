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

/* A name in programs under which rows of `parent` may stand. */
typedef struct way {
  const char *name;
  const char *child, *parent_name;
  const tomb_model *parent; /* NULL: not declared yet */
  const tomb_field *field;  /* that holds its key; NULL: it is further away */
} way;

/* ---- one row ------------------------------------------------------ */

/* A User, a Unit: more models begin so than like an Uncle. */
static const char *article(const char *name) {
  return strchr("AEIOaeio", name[0]) == NULL ? "a" : "an";
}

/* What is at `index` is no row of the parent; `is` is its model or NULL. */
static void refuse(lua_State *L, const way *w, int index,
                   const tomb_model *is) {
  const char *what = is == NULL ? tomb_typename(L, index) : tomb_model_name(is);
  if (w->parent == NULL) {
    lua_pushfstring(L, "declare the model %s", w->parent_name);
    tomb_misuse(L, lua_tostring(L, -1),
                "%s.%s points to %s, which is not declared", w->child,
                w->field->name, w->parent_name);
  }
  if (is != NULL && strcmp(what, w->parent_name) == 0) {
    tomb_misuse(L, NULL, "%s.%s takes %s %s of its own database", w->child,
                w->name, article(w->parent_name), w->parent_name);
  }
  if (w->field != NULL) {
    lua_pushfstring(L, "a key goes into %s", w->field->name);
  } else {
    lua_pushfstring(L, "a key goes into %s__%s", w->name,
                    tomb_model_role(w->parent, TOMB_ROLE_KEY)->name);
  }
  tomb_misuse(L, is == NULL ? lua_tostring(L, -1) : NULL,
              "%s.%s takes %s %s, not %s %s", w->child, w->name,
              article(w->parent_name), w->parent_name, article(what), what);
}

/* Pushes the key of the row at `index`. */
static void push_key(lua_State *L, const way *w, int index) {
  lua_model *model = tomb_test_row(L, index);
  /* of another database, whose models are gone, in a finalizer after its own */
  if (model != NULL && model->db->db == NULL) tomb_need_db(L, model->db);
  if (model == NULL || model->model != w->parent) {
    refuse(L, w, index, model == NULL ? NULL : model->model);
  }
  int at = lua_gettop(L);
  bool unsaved = tomb_state_of(L, model->db, at, index) == TOMB_STATE_NEW;
  lua_pushstring(L, tomb_model_role(model->model, TOMB_ROLE_KEY)->name);
  lua_rawget(L, index);
  if (unsaved || lua_isnil(L, -1)) {
    tomb_misuse(L, "save it first", "%s.%s takes a saved %s", w->child, w->name,
                w->parent_name);
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

static void push_keys(lua_State *L, const way *w, int index) {
  size_t n = lua_rawlen(L, index);
  if (tomb_count_pairs(L, index) != n) refuse(L, w, index, NULL);
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
  lua_rawgeti(L, -1, (int)w->field->index + 1);
  lua_pushvalue(L, -1);
  lua_rawget(L, index);
  if (!lua_isnil(L, -1)) {
    tomb_misuse(L, "give one of them", "%s and %s are one field of %s", w->name,
                w->field->name, w->child);
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
  const tomb_relation *to = tomb_model_relation(box->model, i);
  out->child = tomb_model_name(to->child);
  out->parent_name = to->parent_name;
  out->parent = to->parent;
  out->field = to->field;
  lua_rawget(L, index);
  return !lua_isnil(L, -1);
}

/* ---- rows further away -------------------------------------------- */

/* The model whose rows stand under the key on top of the stack, if any: a way,
** maybe with a lookup behind it. */
static const tomb_model *far_end(const lua_model *box, const char *key,
                                 size_t size) {
  static const char *const behind[] = {"__in", "__ne"};
  const tomb_model *end = tomb_path_end(box->model, key, size);
  for (size_t i = 0; end == NULL && i < 2 && size > 4; i++) {
    if (memcmp(key + size - 4, behind[i], 4) == 0) {
      end = tomb_path_end(box->model, key, size - 4);
    }
  }
  return end;
}

/* True for a row, or a list that begins with one, or with null and one; keys may
** stand there too. */
static bool has_rows(lua_State *L, int index) {
  if (!lua_istable(L, index)) return false;
  if (!is_list(L, index)) return tomb_test_row(L, index) != NULL;
  int i = 1;
  lua_rawgeti(L, index, i);
  while (tomb_isnull(L, -1)) {
    lua_pop(L, 1);
    lua_rawgeti(L, index, ++i);
  }
  return lua_istable(L, -1) && tomb_test_row(L, lua_gettop(L)) != NULL;
}

/* The pair at (-2, -1): fills `out` where rows stand under a way. */
static bool is_far(lua_State *L, const lua_model *box, way *out) {
  size_t size;
  int top = lua_gettop(L);
  bool rows = lua_type(L, -2) == LUA_TSTRING && has_rows(L, top);
  lua_settop(L, top);
  if (!rows) return false;
  const char *key = lua_tolstring(L, -2, &size);
  out->parent = far_end(box, key, size);
  if (out->parent == NULL) return false;
  out->name = key;
  out->child = tomb_model_name(box->model);
  out->parent_name = tomb_model_name(out->parent);
  out->field = NULL;
  return true;
}

static bool has_far(lua_State *L, const lua_model *box, int index) {
  way w;
  bool has = false;
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    has = has || is_far(L, box, &w);
    lua_pop(L, 1);
  }
  return has;
}

/* The key of what is on top takes its place in the table, under its name; these
** are there, and may be assigned while they are walked. */
static void replace_pair(lua_State *L, int index, const way *w) {
  int value = lua_gettop(L);
  if (is_list(L, value)) {
    push_keys(L, w, value);
  } else {
    push_plain(L, w, value);
  }
  lua_pushvalue(L, value - 1);
  lua_insert(L, -2);
  lua_rawset(L, index);
  lua_settop(L, value);
}

static void replace_far(lua_State *L, const lua_model *box, int index,
                        bool copied) {
  way w;
  if (!has_far(L, box, index)) return;
  if (!copied) copy(L, index);
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    if (is_far(L, box, &w)) replace_pair(L, index, &w);
    lua_pop(L, 1);
  }
}

/* ---- whole tables ------------------------------------------------- */

static void replace_near(lua_State *L, const lua_model *box, int model,
                         int index, bool lists, bool *copied) {
  way w;
  tomb_getref(L, model, MODEL_RELATIONS);
  int names = lua_gettop(L);
  for (size_t i = 0; i < box->n_relations; i++) {
    if (push_value(L, box, names, index, i, &w)) {
      if (!*copied) copy(L, index);
      *copied = true;
      replace(L, model, index, &w, lists);
    }
    lua_settop(L, names);
  }
  lua_settop(L, names - 1);
}

void tomb_rows_to_keys(lua_State *L, int model, int index, bool lists) {
  const lua_model *box = lua_touserdata(L, model);
  bool copied = false;
  luaL_checkstack(L, 16, NULL);
  index = tomb_absindex(L, index);
  model = tomb_absindex(L, model);
  if (box->n_relations > 0) replace_near(L, box, model, index, lists, &copied);
  if (lists) replace_far(L, box, index, copied);
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

/***
A relation's query, with what the Lua side must know of it; a refined one forgets it.
@function core.relate
@tparam query query
@tparam table what
@treturn query
@usage query = core.relate(query, { row = author })
*/
int tomb_query_relate(lua_State *L) {
  lua_settop(L, 2);
  tomb_check_query(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_query *query = tomb_new_query(L, 1, 0);
  lua_pushvalue(L, 2);
  tomb_setref(L, 3, QUERY_RELATED);
  query->related = true;
  return 1;
}

/***
What `relate` was given, or nil.
@function core.related
@tparam query query
@treturn table|nil
@usage local owner = core.related(query)
*/
int tomb_query_related(lua_State *L) {
  lua_settop(L, 1);
  tomb_check_query(L, 1);
  tomb_getref(L, 1, QUERY_RELATED);
  return 1;
}

static void set_text(lua_State *L, const char *name, const char *value) {
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

static void describe_way(lua_State *L, const tomb_model *from,
                         const tomb_way *to_there) {
  static const char *const kinds[] = {"parent", "children", "linked"};
  const tomb_model *to = tomb_way_model(to_there);
  lua_createtable(L, 0, 12);
  set_text(L, "kind", kinds[to_there->kind]);
  set_text(L, "key", tomb_model_role(from, TOMB_ROLE_KEY)->name);
  set_text(L, "model", tomb_model_name(to));
  set_text(L, "model_key", tomb_model_role(to, TOMB_ROLE_KEY)->name);
  set_text(L, "near", to_there->near->field->name);
  if (to_there->far == NULL) return;
  set_text(L, "far", to_there->far->field->name);
  set_text(L, "across", to_there->far->name);
  set_text(L, "through", tomb_model_name(to_there->near->child));
}

/***
A way from the rows of a model to others.
@function core.way
@tparam model model
@string name
@treturn table|nil `kind` (`"parent"`, `"children"`, `"linked"`), `key` (the model's), `model` (the
name of the one at its end), `model_key` (that one's), `near` (the field that is crossed first),
and of links `far`, `across` (the relation of that field) and `through`
@usage local way = core.way(Post, "tags")
*/
int tomb_model_get_way(lua_State *L) {
  size_t size;
  lua_settop(L, 2);
  lua_model *model = tomb_check_model(L, 1);
  const char *name = luaL_checklstring(L, 2, &size);
  const tomb_way *found = tomb_model_way(model->model, name, size);
  if (found == NULL) return 0;
  describe_way(L, model->model, found);
  return 1;
}

/***
The same; raises where the model has no such way.
@function core.need_way
@tparam model model
@string name
@treturn table
@raise misuse, with the nearest name
@usage local way = core.need_way(Post, "tags")
*/
int tomb_model_need_way(lua_State *L) {
  tomb_error err;
  size_t size;
  const tomb_way *found;
  lua_settop(L, 2);
  lua_model *model = tomb_check_model(L, 1);
  const char *name = luaL_checklstring(L, 2, &size);
  if (tomb_need_way(&found, model->model, name, size, &err) != TOMB_OK) {
    return tomb_raise(L, &err);
  }
  describe_way(L, model->model, found);
  return 1;
}
