/* lquery.c - the calls that refine a query. A query never changes: each call
** makes another that refers to the one before. */
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "lcond.h"
#include "raise.h"

/***
Refining.
@module tombstone.query
*/

/* ---- filter and exclude ------------------------------------------- */

/* Pushes the query at `parent` narrowed by the table at `index`. */
lua_query *tomb_push_filtered(lua_State *L, int parent, int index,
                              bool exclude) {
  tomb_error err;
  parent = tomb_absindex(L, parent);
  index = tomb_absindex(L, index);
  tomb_getref(L, parent, QUERY_MODEL);
  int model = lua_gettop(L);
  size_t link = tomb_rounded(sizeof(tomb_filter_link));
  lua_query *query =
      tomb_new_query(L, parent, link + tomb_cond_size(L, index, model) + 16);
  char *memory = tomb_aligned(query + 1);
  tomb_query from = query->query;
  tomb_cond *cond = tomb_cond_build(L, index, model, &from, memory + link);
  tomb_status st = tomb_filter(&query->query, &from, cond, exclude,
                               (tomb_filter_link *)(void *)memory, &err);
  if (st != TOMB_OK) tomb_raise(L, &err);
  lua_remove(L, model);
  return query;
}

static int refine(lua_State *L, bool exclude) {
  tomb_no_more(L, lua_type(L, 2) == LUA_TSTRING ? 3 : 2,
               exclude ? "exclude" : "filter");
  lua_settop(L, 3);
  tomb_check_query(L, 1);
  int table = 2;
  if (lua_type(L, 2) == LUA_TSTRING) {
    tomb_push_pair(L, 2, 3);
    table = lua_gettop(L);
  }
  tomb_push_filtered(L, 1, table, exclude);
  return 1;
}

/***
Narrows the query: every lookup of the table holds.
@function Query:filter
@tparam table|condition|string what lookups (a list is IN; `author = row` is `author_id = row.id`), a
condition, or one lookup's name
@param[opt] value where `what` is a name
@treturn query
@raise misuse: an unknown field or lookup, a value that does not fit
@usage Post.objects:filter { views__gte = 10, title = { "a", "b" } }
*/
static int query_filter(lua_State *L) {
  return refine(L, false);
}

/***
Narrows the query to the complement: the lookups do not all hold.
@function Query:exclude
@tparam table|condition|string what
@param[opt] value
@treturn query
@raise misuse
@usage Post.objects:exclude { title__startswith = "Draft" }
*/
static int query_exclude(lua_State *L) {
  return refine(L, true);
}

/* ---- the rest ----------------------------------------------------- */

static int64_t check_count(lua_State *L, const char *what) {
  lua_Number n = lua_tonumber(L, 2);
  if (lua_type(L, 2) != LUA_TNUMBER || !(n >= 0) ||
      n != (lua_Number)(int64_t)n) {
    tomb_misuse(L, NULL, "%s takes a whole number from 0 on", what);
  }
  return (int64_t)n;
}

/***
At most so many rows.
@function Query:limit
@tparam number n
@treturn query
@usage Post.objects:limit(10)
*/
static int query_limit(lua_State *L) {
  tomb_check_query(L, 1);
  int64_t n = check_count(L, "limit");
  tomb_new_query(L, 1, 0)->query.limit = n;
  return 1;
}

/***
Leaves out so many rows.
@function Query:offset
@tparam number n
@treturn query
@usage Post.objects:limit(10):offset(20)
*/
static int query_offset(lua_State *L) {
  tomb_check_query(L, 1);
  int64_t n = check_count(L, "offset");
  tomb_new_query(L, 1, 0)->query.offset = n;
  return 1;
}

/***
Leaves out what was there already.
@function Query:distinct
@treturn query
@usage Post.objects:distinct():values "views"
*/
static int query_distinct(lua_State *L) {
  tomb_check_query(L, 1);
  tomb_new_query(L, 1, 0)->query.distinct = true;
  return 1;
}

/***
The rows that lived at a time, with today's values; restored and purged ones are beyond it.
@function Query:as_of
@tparam number t seconds
@treturn query
@raise misuse without `timestamps`, or on another manager than `all_objects`
@usage Post.all_objects:as_of(os.time() - 86400)
*/
static int query_as_of(lua_State *L) {
  lua_query *from = tomb_check_query(L, 1);
  const tomb_model *model = from->query.model;
  const tomb_field *created = tomb_model_role(model, TOMB_ROLE_CREATED_AT);
  if (created == NULL || from->query.scope != TOMB_EVERY) {
    tomb_misuse(L, "declare timestamps = true and ask all_objects",
                "as_of needs the times of creation of all rows of %s",
                tomb_model_name(model));
  }
  lua_Number t = lua_tonumber(L, 2);
  if (lua_type(L, 2) != LUA_TNUMBER || !(t > -6.3e10 && t < 2.6e11)) {
    tomb_misuse(L, NULL, "as_of takes a time between the years 0001 and 9999");
  }
  lua_query *query = tomb_new_query(L, 1, 0);
  query->query.has_as_of = true;
  query->query.as_of = (int64_t)(t * 1e6 + (t < 0 ? -0.5 : 0.5));
  return 1;
}

/***
The manager that the query comes from.
@function Query:scope
@treturn string `"objects"`, `"all_objects"` or `"deleted_objects"`
@usage print(query:scope())
*/
static int query_scope(lua_State *L) {
  static const char *const names[] = {"objects", "all_objects",
                                      "deleted_objects"};
  lua_pushstring(L, names[tomb_check_query(L, 1)->query.scope]);
  return 1;
}

/***
True when neither a filter nor a limit narrows the query.
@function Query:is_whole
@treturn boolean
@usage assert(Post.objects:is_whole())
*/
static int query_is_whole(lua_State *L) {
  lua_pushboolean(L, tomb_query_is_whole(&tomb_check_query(L, 1)->query));
  return 1;
}

/***
The query's model.
@function Query:model
@return the model
@usage print(query:model())
*/
static int query_model(lua_State *L) {
  tomb_check_query(L, 1);
  tomb_getref(L, 1, QUERY_MODEL);
  tomb_getref(L, -1, MODEL_TABLE);
  return 1;
}

void tomb_open_query(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"filter", query_filter},     {"exclude", query_exclude},
      {"limit", query_limit},       {"offset", query_offset},
      {"distinct", query_distinct}, {"as_of", query_as_of},
      {"scope", query_scope},       {"is_whole", query_is_whole},
      {"model", query_model},       {NULL, NULL}};
  tomb_methods(L, QUERY);
  tomb_setfuncs(L, functions);
  lua_pop(L, 1);
}
