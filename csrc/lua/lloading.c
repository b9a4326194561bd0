/* lloading.c - relatives of many rows: keys out of rows, rows by their keys. */
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "lreading.h"
#include "lset.h"
#include "raise.h"

/***
Relatives of many rows.
@module tombstone.core
*/

/* ---- keys --------------------------------------------------------- */

/***
The different values that a field has in rows.
@function core.gather
@tparam {row,...} rows
@string name
@treturn table false by each of them
@treturn table a list of them, in the order of the rows
@usage local by_key, keys = core.gather(posts, "author_id")
*/
static int core_gather(lua_State *L) {
  int n = 0;
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TSTRING);
  lua_settop(L, 2);
  int size = (int)lua_rawlen(L, 1);
  lua_newtable(L); /* 3: by key */
  lua_newtable(L); /* 4: the list */
  for (int i = 1; i <= size; i++) {
    lua_settop(L, 4);
    lua_rawgeti(L, 1, i);
    if (!lua_istable(L, 5)) continue;
    lua_pushvalue(L, 2);
    lua_rawget(L, 5);
    if (lua_isnil(L, 6)) continue;
    lua_pushvalue(L, 6);
    lua_rawget(L, 3);
    if (!lua_isnil(L, -1)) continue;
    lua_pushvalue(L, 6);
    lua_pushboolean(L, 0);
    lua_rawset(L, 3);
    lua_pushvalue(L, 6);
    lua_rawseti(L, 4, ++n);
  }
  lua_settop(L, 4);
  return 2;
}

static bool is_folded(const tomb_field *field) {
  return field->collate != NULL;
}

/* The text on top becomes the same for all that the field calls equal. */
static void fold(lua_State *L, const tomb_field *field) {
  size_t size;
  if (!is_folded(field) || lua_type(L, -1) != LUA_TSTRING) return;
  const char *text = lua_tolstring(L, -1, &size);
  char *copy = tomb_newud(L, size + 1, 0);
  memcpy(copy, text, size);
  lua_pushlstring(L, copy, tomb_fold_text(field, copy, size));
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* ---- rows by keys ------------------------------------------------- */

/* Pushes what rows are put into: the table of keys at `by_key` itself, or one
** by what their texts fold to. */
static int begin_groups(lua_State *L, const tomb_field *field, int by_key) {
  if (is_folded(field)) {
    lua_newtable(L);
  } else {
    lua_pushvalue(L, by_key);
  }
  return lua_gettop(L);
}

/* Gives each key its rows. */
static void end_groups(lua_State *L, const tomb_field *field, int by_key,
                       int groups) {
  if (!is_folded(field)) return;
  lua_pushnil(L);
  while (lua_next(L, by_key) != 0) {
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -1);
    fold(L, field);
    lua_rawget(L, groups);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 3);
      continue;
    }
    lua_rawset(L, by_key); /* a field that is there */
    lua_pop(L, 1);
  }
}

/* Pops a key and a row; the row goes to the end of the key's list, unless it
** is there already. */
static void append(lua_State *L, int groups) {
  int row = lua_gettop(L);
  lua_pushvalue(L, row - 1);
  lua_rawget(L, groups);
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, row - 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, groups);
  }
  int n = (int)lua_rawlen(L, -1);
  lua_rawgeti(L, -1, n);
  bool again = lua_rawequal(L, -1, row) != 0;
  lua_pop(L, 1);
  if (!again) {
    lua_pushvalue(L, row);
    lua_rawseti(L, -2, n + 1);
  }
  lua_settop(L, row - 2);
}

/***
Puts rows into a table by the values of a field.
@function core.group
@tparam table by_key what `gather` answered
@tparam {row,...} rows
@tparam model model theirs
@string name the field
@bool many lists of rows, not rows
@usage core.group(by_author, posts, Post, "author_id", true)
*/
static int core_group(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 5);
  lua_model *model = tomb_check_model(L, 3);
  const tomb_field *field = tomb_check_field(L, 4, model->model);
  bool many = lua_toboolean(L, 5) != 0;
  int size = (int)lua_rawlen(L, 2);
  int groups = begin_groups(L, field, 1);
  for (int i = 1; i <= size; i++) {
    lua_rawgeti(L, 2, i);
    luaL_argcheck(L, lua_istable(L, -1), 2, "a list of rows");
    lua_pushvalue(L, 4);
    lua_rawget(L, -2);
    fold(L, field);
    lua_insert(L, -2); /* the key below the row */
    if (many) {
      append(L, groups);
    } else {
      lua_rawset(L, groups);
    }
  }
  end_groups(L, field, 1, groups);
  return 0;
}

/* ---- linked rows -------------------------------------------------- */

/* The statement reads rows of the link, and with each the row at its far end:
** the near key, then all fields there. */
typedef struct linked {
  const tomb_way *way;
  const tomb_model *to;
  size_t n; /* fields there */
  tomb_query query;
  const tomb_field **only, **fields;
  tomb_far_field *far;
  tomb_order *order;
  size_t n_order;
} linked;

static size_t count_order(const tomb_model *model) {
  size_t n = 0;
  while (tomb_model_order(model, n) != NULL) n++;
  return n;
}

/* Memory for all of it stays on the stack. */
static void make_room(lua_State *L, linked *l) {
  l->n = tomb_model_fields(l->to);
  l->n_order = count_order(l->to);
  l->only = tomb_newud(L, (l->n + 1) * sizeof *l->only, 0);
  l->fields = tomb_newud(L, l->n * sizeof *l->fields, 0);
  l->far = tomb_newud(L, l->n * sizeof *l->far, 0);
  l->order = tomb_newud(L, (l->n_order + 1) * sizeof *l->order, 0);
}

/* "tag__name" for each field there; the texts stay on the stack. */
static void find_fields(lua_State *L, linked *l, const lua_query *from) {
  tomb_error err;
  luaL_checkstack(L, (int)l->n + 16, "a row of too many fields");
  l->only[0] = l->way->near->field;
  for (size_t i = 0; i < l->n; i++) {
    size_t size;
    l->fields[i] = tomb_model_field(l->to, i);
    lua_pushfstring(L, "%s__%s", l->way->far->name, l->fields[i]->name);
    const char *name = lua_tolstring(L, -1, &size);
    tomb_status st = tomb_find_field(&l->only[i + 1], &l->far[i], &from->query,
                                     name, size, TOMB_FOR_VALUES, &err);
    if (st != TOMB_OK) tomb_raise(L, &err);
  }
}

/* As the rows there are ordered by themselves. */
static void set_order(linked *l) {
  const tomb_field *key = tomb_model_role(l->to, TOMB_ROLE_KEY);
  for (size_t i = 0; i < l->n_order; i++) {
    const tomb_order *term = tomb_model_order(l->to, i);
    l->order[i].field = l->only[term->field->index + 1];
    l->order[i].descending = term->descending;
  }
  l->order[l->n_order].field = l->only[key->index + 1];
  l->order[l->n_order].descending =
      l->n_order > 0 && l->order[l->n_order - 1].descending;
}

static void set_query(linked *l, const lua_query *from) {
  set_order(l);
  l->query = from->query;
  l->query.only = l->only;
  l->query.n_only = l->n + 1;
  l->query.order = l->order;
  l->query.n_order = l->n_order + 1;
}

/* Pushes the row there whose values these are: one object however many links
** lead to it. `rows` gets the new ones, `seen` has all by their keys. */
static void push_once(lua_State *L, const reading *r, const linked *l,
                      const tomb_value *values, int rows, int seen) {
  const tomb_field *key = tomb_model_role(l->to, TOMB_ROLE_KEY);
  tomb_pushvalue(L, key, &values[key->index]);
  lua_pushvalue(L, -1);
  lua_rawget(L, seen);
  if (lua_istable(L, -1)) {
    lua_remove(L, -2);
    return;
  }
  lua_pop(L, 1);
  tomb_hydrate(L, &r->rows, values);
  lua_pushvalue(L, -1);
  lua_rawseti(L, rows, (int)lua_rawlen(L, rows) + 1);
  lua_pushvalue(L, -1);
  lua_insert(L, -3); /* row, key, row */
  lua_rawset(L, seen);
}

/* Pushes MODEL of the far end, then what its rows are made of. */
static void begin_rows(lua_State *L, reading *r, linked *l, int table) {
  tomb_check_model(L, table);
  int model = lua_gettop(L);
  tomb_hydrate_begin(L, &r->rows, model, l->fields, l->n, true);
  tomb_push_set(L, model);
  lua_replace(L, r->rows.metatable);
}

static void read_linked(lua_State *L, reading *r, const linked *l, int groups) {
  const tomb_field *near = l->way->near->field;
  const tomb_field *key = tomb_model_role(l->to, TOMB_ROLE_KEY);
  lua_newtable(L);
  int rows = lua_gettop(L);
  lua_newtable(L);
  int seen = lua_gettop(L);
  while (tomb_next_row(L, r)) {
    const tomb_value *values = r->box->cursor.values;
    if (values[key->index + 1].type == TOMB_NULL) continue; /* it is dead */
    tomb_pushvalue(L, near, &values[0]);
    fold(L, near);
    push_once(L, r, l, values + 1, rows, seen);
    append(L, groups);
  }
  lua_pop(L, 1);
}

/***
The living rows at the far end of links.
@function core.linked
@tparam query query the links
@tparam model from where the way begins
@string name of the way
@tparam model to where it leads
@tparam table by_key what `gather` answered of the keys of rows of `from`; it gets lists of rows
@treturn {row,...} all of them, each once, in the order of their model
@usage local tags = core.linked(links, Post, "tags", Tag, by_post)
*/
static int core_linked(lua_State *L) {
  tomb_error err;
  linked l;
  reading r = {.grouped = false};
  size_t size;
  lua_settop(L, 5);
  lua_query *from = tomb_check_query(L, 1);
  const tomb_model *model = tomb_check_model(L, 2)->model;
  const char *name = luaL_checklstring(L, 3, &size);
  luaL_checktype(L, 5, LUA_TTABLE);
  if (tomb_need_way(&l.way, model, name, size, &err) != TOMB_OK) {
    return tomb_raise(L, &err);
  }
  luaL_argcheck(L, l.way->kind == TOMB_TO_LINKED, 3, "a way over links");
  l.to = tomb_way_model(l.way);
  make_room(L, &l);
  find_fields(L, &l, from);
  set_query(&l, from);
  tomb_begin_read(L, &r);
  tomb_status st =
      tomb_select_values(&r.box->cursor, tomb_read_engine(&r), &l.query, &err);
  if (st != TOMB_OK) tomb_fail_read(L, &r, st, &err);
  begin_rows(L, &r, &l, 4);
  int groups = begin_groups(L, l.way->near->field, 5);
  read_linked(L, &r, &l, groups);
  tomb_end_read(L, &r);
  end_groups(L, l.way->near->field, 5, groups);
  return 1;
}

void tomb_open_loading(lua_State *L) {
  static const luaL_Reg functions[] = {{"gather", core_gather},
                                       {"group", core_group},
                                       {"linked", core_linked},
                                       {NULL, NULL}};
  tomb_setfuncs(L, functions);
}
