/* lfigures.c - the calls that read values, counts and aggregates. */
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "lreading.h"
#include "lset.h"
#include "raise.h"

/***
Values out.
@module tombstone.query
*/

/* ---- values out --------------------------------------------------- */

/* Begins to read the fields that the arguments name, or all of them. */
static void begin_values(lua_State *L, reading *r) {
  tomb_error err;
  tomb_push_only(L);
  lua_replace(L, 1);
  lua_settop(L, 1);
  tomb_begin_read(L, r);
  tomb_status st = tomb_select_values(&r->box->cursor, tomb_read_engine(r),
                                      &r->query->query, &err);
  if (st != TOMB_OK) tomb_fail_read(L, r, st, &err);
  tomb_hydrate_begin(L, &r->rows, r->model, r->box->cursor.fields,
                     r->box->cursor.n, false);
}

/***
Plain tables instead of rows.
@function Query:values
@string ... names of fields; none: all
@treturn {table,...}
@usage Post.objects:values("title", "views")
*/
static int query_values(lua_State *L) {
  reading r = {.grouped = false};
  int n = 0;
  begin_values(L, &r);
  lua_newtable(L);
  while (tomb_next_row(L, &r)) {
    tomb_hydrate(L, &r.rows, r.box->cursor.values);
    lua_rawseti(L, -2, ++n);
  }
  tomb_end_read(L, &r);
  return 1;
}

/***
The values of one field; NULLs are `tombstone.null`.
@function Query:pluck
@string field
@treturn table a list with `n`
@usage local titles = Post.objects:pluck "title"
*/
static int query_pluck(lua_State *L) {
  reading r = {.grouped = false};
  int n = 0;
  if (lua_gettop(L) != 2) {
    return tomb_misuse(L, "use values for several",
                       "pluck takes the name of one field");
  }
  begin_values(L, &r);
  lua_newtable(L);
  while (tomb_next_row(L, &r)) {
    const tomb_value *value = &r.box->cursor.values[0];
    if (value->type == TOMB_NULL) {
      tomb_pushnull(L);
    } else {
      tomb_pushvalue(L, r.rows.fields[0], value);
    }
    lua_rawseti(L, -2, ++n);
  }
  lua_pushinteger(L, n);
  lua_setfield(L, -2, "n");
  tomb_end_read(L, &r);
  return 1;
}

/***
How many rows there are.
@function Query:count
@treturn number
@usage print(Post.objects:count())
*/
static int query_count(lua_State *L) {
  tomb_no_more(L, 1, "count");
  tomb_error err;
  int64_t n;
  if (tomb_push_answer(L)) {
    tomb_push_count(L, (int64_t)lua_rawlen(L, -1));
    return 1;
  }
  lua_query *query = tomb_check_query(L, 1);
  tomb_getref(L, 1, QUERY_MODEL);
  tomb_getref(L, -1, MODEL_DB);
  tomb_status st = tomb_count(&n, query->model->db->db, &query->query, &err);
  tomb_finish(L, query->model->db, -1, st, &err);
  tomb_push_count(L, n);
  return 1;
}

/***
True when there is a row.
@function Query:exists
@treturn boolean
@usage if Post.objects:filter { title = "Hello" }:exists() then return end
*/
static int query_exists(lua_State *L) {
  tomb_no_more(L, 1, "exists");
  tomb_error err;
  bool exists;
  if (tomb_push_answer(L)) {
    lua_pushboolean(L, lua_rawlen(L, -1) > 0);
    return 1;
  }
  lua_query *query = tomb_check_query(L, 1);
  tomb_getref(L, 1, QUERY_MODEL);
  tomb_getref(L, -1, MODEL_DB);
  tomb_status st =
      tomb_exists(&exists, query->model->db->db, &query->query, &err);
  tomb_finish(L, query->model->db, -1, st, &err);
  lua_pushboolean(L, exists);
  return 1;
}

/* ---- aggregates --------------------------------------------------- */

#define MOST_AGGREGATES 64

void tomb_push_member(lua_State *L, int index, const char *name) {
  index = tomb_absindex(L, index);
  lua_pushstring(L, name);
  lua_rawget(L, index);
}

tomb_aggregate_fn tomb_check_aggregate_at(lua_State *L, int index,
                                          const char *call, bool *distinct) {
  static const char *const names[] = {"count", "sum", "min",
                                      "max",   "avg", NULL};
  int i = 0;
  index = tomb_absindex(L, index);
  if (lua_istable(L, index)) {
    tomb_push_member(L, index, "fn");
  } else {
    lua_pushnil(L);
  }
  const char *name = lua_tostring(L, -1);
  while (names[i] != NULL && (name == NULL || strcmp(names[i], name) != 0)) i++;
  lua_pop(L, 1);
  if (names[i] == NULL) {
    tomb_misuse(L, "as in aggregate{ n = count \"*\" }",
                "%s takes count, sum, min, max and avg", call);
  }
  tomb_push_member(L, index, "distinct");
  *distinct = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return (tomb_aggregate_fn)i;
}

/* The name on top of the stack, which a table keeps. */
static const tomb_field *aggregated_field(lua_State *L, const tomb_query *query,
                                          tomb_far_field *far) {
  const tomb_field *field;
  tomb_error err;
  size_t size;
  if (lua_type(L, -1) != LUA_TSTRING) {
    tomb_misuse(L, NULL, "A field's name is needed, not a %s",
                tomb_typename(L, -1));
  }
  const char *name = lua_tolstring(L, -1, &size);
  if (tomb_find_field(&field, far, query, name, size, TOMB_FOR_GROUPS, &err) !=
      TOMB_OK) {
    tomb_raise(L, &err);
  }
  return field;
}

/* The aggregate on top of the stack. */
static tomb_aggregate to_aggregate(lua_State *L, const tomb_query *query,
                                   tomb_far_field *far) {
  tomb_aggregate a = {TOMB_COUNT, NULL, false};
  a.fn = tomb_check_aggregate_at(L, -1, "aggregate", &a.distinct);
  tomb_push_member(L, -1, "field");
  bool is_name = lua_type(L, -1) == LUA_TSTRING;
  if (!is_name || strcmp(lua_tostring(L, -1), "*") != 0) {
    a.field = aggregated_field(L, query, far);
  } else if (a.fn != TOMB_COUNT) {
    tomb_misuse(L, NULL, "Only count takes \"*\"");
  }
  lua_pop(L, 1);
  return a;
}

/* Reads the table at `index`, pushing each result's name. */
static size_t to_aggregates(lua_State *L, int index, const tomb_query *query,
                            tomb_aggregate *out, tomb_far_field *far) {
  size_t n = 0;
  luaL_checkstack(L, MOST_AGGREGATES + 8, NULL);
  if (!lua_istable(L, index)) {
    tomb_misuse(L, "as in aggregate{ n = count \"*\" }",
                "aggregate takes a table, not a %s", tomb_typename(L, index));
  }
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    if (n == MOST_AGGREGATES) tomb_misuse(L, NULL, "Too many aggregates");
    if (lua_type(L, -2) != LUA_TSTRING) {
      tomb_misuse(L, "as in aggregate{ n = count \"*\" }",
                  "Each aggregate needs a name");
    }
    out[n] = to_aggregate(L, query, &far[n]);
    n++;
    lua_pop(L, 1);
    lua_pushvalue(L, -1); /* the name stays, a copy drives lua_next */
  }
  if (n == 0) tomb_misuse(L, NULL, "aggregate was asked for nothing");
  return n;
}

static void push_group(lua_State *L, const reading *r, int names,
                       size_t n_groups) {
  const tomb_cursor *c = &r->box->cursor;
  lua_createtable(L, 0, (int)c->n);
  for (size_t i = 0; i < c->n; i++) {
    if (i < n_groups) {
      lua_pushstring(L, c->fields[i]->name);
    } else {
      lua_pushvalue(L, names + (int)(i - n_groups));
    }
    tomb_pushvalue(L, c->fields[i], &c->values[i]);
    lua_rawset(L, -3);
  }
}

static void check_group_order(lua_State *L, const tomb_query *query) {
  for (size_t i = 0; i < query->n_order && query->n_groups > 0; i++) {
    bool found = false;
    for (size_t j = 0; j < query->n_groups; j++) {
      found = found ||
              strcmp(query->groups[j]->name, query->order[i].field->name) == 0;
    }
    if (!found) {
      tomb_misuse(L, NULL,
                  "Groups can be ordered by their own fields only, "
                  "not by %s",
                  query->order[i].field->name);
    }
  }
}

/***
Computes over the rows: a table of results, or with `group_by` a list of them.
@function Query:aggregate
@tparam table what aggregates by the names of their results
@treturn table
@raise misuse
@usage print(Post.objects:aggregate { n = count "*", top = max "views" }.top)
*/
static int query_aggregate(lua_State *L) {
  tomb_no_more(L, 2, "aggregate");
  tomb_aggregate aggregates[MOST_AGGREGATES];
  tomb_far_field far[MOST_AGGREGATES];
  tomb_error err;
  reading r = {.grouped = true};
  int rows = 0;
  lua_settop(L, 2);
  lua_query *query = tomb_check_query(L, 1);
  check_group_order(L, &query->query);
  int names = lua_gettop(L) + 1;
  size_t n = to_aggregates(L, 2, &query->query, aggregates, far);
  size_t n_groups = query->query.n_groups;
  tomb_begin_read(L, &r);
  tomb_status st = tomb_select_aggregates(&r.box->cursor, tomb_read_engine(&r),
                                          &query->query, aggregates, n, &err);
  if (st != TOMB_OK) tomb_fail_read(L, &r, st, &err);
  if (n_groups > 0) lua_newtable(L);
  while (tomb_next_row(L, &r)) {
    push_group(L, &r, names, n_groups);
    if (n_groups > 0) lua_rawseti(L, -2, ++rows);
  }
  tomb_end_read(L, &r);
  return 1;
}

void tomb_open_figures(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"values", query_values},       {"pluck", query_pluck},
      {"count", query_count},         {"exists", query_exists},
      {"aggregate", query_aggregate}, {NULL, NULL}};
  tomb_methods(L, QUERY);
  tomb_setfuncs(L, functions);
  lua_pop(L, 1);
}
