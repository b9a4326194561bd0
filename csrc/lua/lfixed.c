/* lfixed.c - queries of rows that are settled, by their keys. */
#include "classes.h"
#include "convert.h"
#include "lverb.h"
#include "raise.h"

/***
Settled rows.
@module tombstone.query
*/

/* Keys that a query refers to. */
typedef struct lua_keys {
  tomb_keys *keys;
} lua_keys;

static int keys_gc(lua_State *L) {
  lua_keys *box = lua_touserdata(L, 1);
  tomb_keys *keys = box->keys;
  box->keys = NULL;
  tomb_keys_free(keys);
  return 0;
}

/* Pushes a box for keys, which keeps the query at `parent`. */
static tomb_keys **push_keys(lua_State *L, int parent) {
  lua_keys *box = tomb_newud(L, sizeof *box, 1);
  box->keys = NULL;
  tomb_setclass(L, KEYS);
  lua_pushvalue(L, parent);
  tomb_setref(L, -2, 1);
  return &box->keys;
}

/* Pushes the query of these keys, whose box is on top of the stack, in the
** order and of the manager of the one at `parent`. */
static lua_query *push_fixed(lua_State *L, int parent, const tomb_keys *keys) {
  const lua_query *from = lua_touserdata(L, parent);
  lua_query *query = tomb_new_query(L, parent, 0);
  tomb_query fixed = tomb_among(&from->query, from->query.scope, keys);
  fixed.of_event = from->query.of_event;
  fixed.event = from->query.event;
  fixed.owners = from->query.owners;
  query->query = fixed;
  lua_pushvalue(L, -2);
  tomb_setref(L, -2, QUERY_PARENT); /* keys keep the query, it its parents */
  return query;
}

/***
A query of just the rows that this one has now, in its order.
@function Query:fixed
@treturn query
@usage local now = Post.objects:fixed()
*/
static int query_fixed(lua_State *L) {
  tomb_error err;
  lua_query *from = tomb_check_query(L, 1);
  tomb_keys **keys = push_keys(L, 1);
  tomb_status st =
      tomb_select_keys(keys, from->model->db->db, &from->query, &err);
  if (st != TOMB_OK) tomb_raise(L, &err);
  push_fixed(L, 1, *keys);
  return 1;
}

/***
Of a query of `event_rows`: those that an undo would bring back, as they are now.
@function Query:coming
@treturn query
@raise misuse for any other query
@usage print(Post:event_rows(event.id, "back"):coming():count())
*/
static int query_coming(lua_State *L) {
  tomb_error err;
  lua_query *from = tomb_check_query(L, 1);
  if (from->query.of_event == TOMB_OF_ANY_EVENT) {
    tomb_misuse(L, NULL, "coming is for the rows of an event");
  }
  tomb_keys **keys = push_keys(L, 1);
  tomb_status st = tomb_preview_undo(
      keys, from->model->db->db, from->query.model, from->query.event, &err);
  if (st != TOMB_OK) tomb_raise(L, &err);
  push_fixed(L, 1, *keys)->query.of_event = TOMB_OF_ANY_EVENT;
  return 1;
}

/***
The rows of this manager that go along with the rows of another query, these among them.
@function Query:along
@tparam query with
@string which `"delete"`: what a deletion takes; `"purge"`: the dead that go with
them; `"forget"`: all that goes; `"restore"`: what may come back with them
@treturn query
@raise misuse for a query of another database
@usage for row in Comment.objects:along(posts, "delete"):each() do print(row.id) end
*/
static int query_along(lua_State *L) {
  static const char *const words[] = {"delete", "purge", "forget", "restore",
                                      NULL};
  tomb_error err;
  lua_query *from = tomb_check_query(L, 1), *with = tomb_check_query(L, 2);
  tomb_along which = (tomb_along)luaL_checkoption(L, 3, NULL, words);
  if (with->model->db != from->model->db) {
    tomb_misuse(L, NULL, "along takes a query of its own database");
  }
  lua_settop(L, 2);
  tomb_keys **keys = push_keys(L, 1);
  tomb_status st = tomb_preview_along(keys, from->model->db->db, &with->query,
                                      from->query.model, which, &err);
  if (st != TOMB_OK) tomb_raise(L, &err);
  push_fixed(L, 1, *keys);
  return 1;
}

/***
The next batch of the model's rows that are longer dead than its `keep`; `purge_expired` purges it.
@function Query:expired
@tparam number left how many earlier batches have left, from 0 on
@treturn query|nil nil behind the last one
@treturn number how many are left now: other rows need them
@usage local batch, left = Post.deleted_objects:expired(0)
*/
static int query_expired(lua_State *L) {
  tomb_error err;
  lua_verb b;
  tomb_begin_query(L, &b);
  lua_Number given = lua_tonumber(L, 2);
  luaL_argcheck(L, given >= 0 && given < 9e15, 2, "a number of rows");
  int64_t left = (int64_t)given, now = tomb_values_now(L, &b.v);
  tomb_keys **keys = push_keys(L, 1);
  tomb_status st =
      tomb_expired(keys, &left, tomb_engine(&b), b.query.model, now, &err);
  tomb_values_finish(L, &b.v, st, &err);
  if (*keys == NULL) {
    lua_pushnil(L);
  } else {
    push_fixed(L, 1, *keys);
  }
  tomb_push_count(L, left);
  return 2;
}

/***
The same rows among all, whatever becomes of them.
@function Query:everywhere
@treturn query
@usage Post.objects:fixed():everywhere()
*/
static int query_everywhere(lua_State *L) {
  tomb_check_query(L, 1);
  lua_query *query = tomb_new_query(L, 1, 0);
  query->query.scope = TOMB_EVERY;
  query->query.of_event = TOMB_OF_ANY_EVENT;
  return 1;
}

void tomb_open_fixed(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"fixed", query_fixed},           {"coming", query_coming},
      {"along", query_along},           {"expired", query_expired},
      {"everywhere", query_everywhere}, {NULL, NULL}};
  tomb_class(L, KEYS);
  lua_pushcfunction(L, keys_gc);
  lua_setfield(L, -2, "__gc");
  tomb_seal(L);
  lua_pop(L, 1);
  tomb_methods(L, QUERY);
  tomb_setfuncs(L, functions);
  lua_pop(L, 1);
}
