/*
** lstream.c - each: rows one by one.
**
** A stream reads in chunks and holds no statement open while the caller's code
** runs. A snapshot is one open cursor; while it is, its handle does not write.
** Both are called by `for` and closed by `break` on Lua 5.4.
*/
#include <string.h>

#include "classes.h"
#include "hydrate.h"
#include "lreading.h"
#include "lset.h"
#include "raise.h"

/***
Rows one by one.
@module tombstone.query
*/

enum {
  EACH_QUERY = 1,
  EACH_MODEL,
  EACH_TABLE,
  EACH_KEYS,
  EACH_ROW,
  EACH_LIST, /* the loaded rows that it walks instead of the database's */
  EACH_REFS = EACH_LIST
};

typedef struct lua_each {
  lua_model *model;
  tomb_stream *stream; /* or, of a snapshot: */
  lua_cursor box;
  bool snapshot, reuse, closed, partial, listed;
  int at; /* in the list */
  const tomb_field *const *fields;
  size_t n;
} lua_each;

static void close_each(lua_each *each) {
  tomb_stream *stream = each->stream;
  each->stream = NULL;
  each->closed = true;
  tomb_stream_free(stream);
  tomb_end_cursor(&each->box);
}

/***
Ends the reading before its last row; `break` does it on Lua 5.4.
@function Stream:close
@usage local stream = Post.objects:each { snapshot = true }; stream:close()
*/
static int each_close(lua_State *L) {
  lua_each *each = tomb_testclass(L, 1, STREAM);
  if (each != NULL) close_each(each);
  return 0;
}

/* ---- opening ------------------------------------------------------ */

static void read_options(lua_State *L, lua_each *each) {
  static const char *const known[] = {"snapshot", "reuse", NULL};
  tomb_check_options(L, 2, known, "each");
  if (!lua_istable(L, 2)) return;
  lua_getfield(L, 2, "snapshot");
  each->snapshot = lua_toboolean(L, -1) != 0;
  lua_getfield(L, 2, "reuse");
  each->reuse = lua_toboolean(L, -1) != 0;
  lua_pop(L, 2);
}

static tomb_status open_snapshot(lua_each *each, const tomb_query *query,
                                 tomb_error *err) {
  lua_db *db = each->model->db;
  tomb_status st = tomb_select_snapshot(&each->box.cursor, db->db, query, err);
  if (st == TOMB_OK) tomb_list_cursor(db, &each->box);
  return st;
}

/* Copies what each step needs beside the stream, so that it costs little. */
static void keep_references(lua_State *L, bool is_set) {
  int each = lua_gettop(L);
  lua_pushvalue(L, 1);
  tomb_setref(L, each, EACH_QUERY);
  tomb_getref(L, 1, QUERY_MODEL);
  int model = lua_gettop(L);
  lua_pushvalue(L, model);
  tomb_setref(L, each, EACH_MODEL);
  if (is_set) {
    tomb_push_set(L, model);
  } else {
    tomb_getref(L, model, MODEL_TABLE);
  }
  tomb_setref(L, each, EACH_TABLE);
  tomb_getref(L, model, MODEL_KEYS);
  tomb_setref(L, each, EACH_KEYS);
  lua_pop(L, 1);
}

/***
The rows one by one. No statement is open while the loop's body runs.
@function Query:each
@tparam[opt] table options `snapshot` (one consistent cursor; while it is open its handle
refuses to write), `reuse` (one row again and again)
@return an iterator with `close`
@raise misuse, database
@usage for post in Post.objects:each() do print(post.title) end
*/
static int query_each(lua_State *L) {
  tomb_error err;
  lua_query *query = tomb_check_query(L, 1);
  lua_settop(L, 2);
  lua_each *each = tomb_newud(L, sizeof *each, EACH_REFS);
  memset(each, 0, sizeof *each);
  tomb_setclass(L, STREAM);
  each->model = query->model;
  each->partial = tomb_is_unlike_rows(&query->query);
  keep_references(L, tomb_wants_set(query));
  read_options(L, each);
  each->listed = tomb_push_answer(L);
  if (each->listed) {
    tomb_setref(L, 3, EACH_LIST);
    return 1;
  }
  tomb_status st = each->snapshot
                       ? open_snapshot(each, &query->query, &err)
                       : tomb_stream_open(&each->stream, query->model->db->db,
                                          &query->query, &err);
  if (st != TOMB_OK) tomb_raise(L, &err);
  if (!each->snapshot) return 1; /* holds nothing open */
  lua_pushnil(L);
  lua_pushnil(L);
  lua_pushvalue(L, 3);
  return 4; /* the iterator, no state, no control, what `for` closes */
}

/* ---- stepping ----------------------------------------------------- */

static tomb_status step(lua_each *each, const tomb_value **values,
                        tomb_error *err) {
  if (each->closed) return TOMB_DONE;
  if (!each->snapshot) {
    tomb_status st = tomb_stream_next(each->stream, values, err);
    if (each->fields == NULL) {
      each->fields = tomb_stream_fields(each->stream, &each->n);
    }
    return st;
  }
  each->fields = each->box.cursor.fields;
  each->n = each->box.cursor.n;
  tomb_status st = tomb_cursor_next(&each->box.cursor, err);
  *values = each->box.cursor.values;
  return st;
}

static void push_keys(lua_State *L, const lua_each *each, hydration *h) {
  luaL_checkstack(L, (int)each->n + 8, "a row of too many fields");
  h->model = each->model;
  h->fields = each->fields;
  h->n = each->n;
  tomb_getref(L, 1, EACH_TABLE);
  h->metatable = lua_gettop(L);
  tomb_getref(L, 1, EACH_KEYS);
  tomb_push_keys(L, h);
}

/* Partial rows say which fields they have, as those of all() do. */
static void note_partial(lua_State *L, const lua_each *each) {
  if (!each->partial) return;
  each->model->db->has_states = true;
  tomb_getref(L, 1, EACH_MODEL);
  tomb_getref(L, -1, MODEL_DB);
  tomb_getref(L, -1, DB_STATES);
  lua_pushvalue(L, -4); /* the row */
  tomb_getref(L, 1, EACH_QUERY);
  tomb_push_names(L, lua_touserdata(L, -1), each->fields, each->n);
  lua_remove(L, -2);
  lua_rawset(L, -3);
  lua_pop(L, 3);
}

static void push_reused(lua_State *L, const hydration *h,
                        const tomb_value *values) {
  tomb_getref(L, 1, EACH_ROW);
  if (lua_isnil(L, -1)) {
    tomb_hydrate(L, h, values);
    lua_pushvalue(L, -1);
    tomb_setref(L, 1, EACH_ROW);
  } else {
    tomb_rehydrate(L, h, values);
  }
}

/* The class is the caller's upvalue: a look by its name would cost each row. */
static lua_each *check_each(lua_State *L) {
  bool fits = lua_touserdata(L, 1) != NULL && lua_getmetatable(L, 1) &&
              lua_rawequal(L, -1, lua_upvalueindex(1));
  if (!fits) tomb_misuse(L, NULL, "A stream is needed");
  lua_pop(L, 1);
  return lua_touserdata(L, 1);
}

static bool push_listed(lua_State *L, lua_each *each) {
  tomb_getref(L, 1, EACH_LIST);
  lua_rawgeti(L, -1, ++each->at);
  each->closed = lua_isnil(L, -1);
  return !each->closed;
}

/* Pushes the next row of the stream at 1, and more below it. */
static bool push_next(lua_State *L, lua_each *each) {
  tomb_error err;
  const tomb_value *values = NULL;
  hydration h;
  if (each->listed && !each->closed) return push_listed(L, each);
  if (!each->closed) tomb_need_db(L, each->model->db);
  tomb_status st = step(each, &values, &err);
  if (st != TOMB_ROW) {
    close_each(each);
    if (st != TOMB_DONE) tomb_raise(L, &err);
    return false;
  }
  each->box.inside = true;
  push_keys(L, each, &h);
  if (each->reuse) {
    push_reused(L, &h, values);
  } else {
    tomb_hydrate(L, &h, values);
  }
  each->box.inside = false;
  note_partial(L, each);
  return true;
}

static int each_call(lua_State *L) {
  lua_settop(L, 1);
  return push_next(L, check_each(L)) ? 1 : 0;
}

/***
The next rows of a stream, a result set of their own.
@function core.take
@param stream what `each` answered
@tparam number n how many, unless there are fewer
@treturn {row,...} empty behind the last
@usage local posts = core.take(Post.objects:each(), 100)
*/
int tomb_stream_take(lua_State *L) {
  lua_each *each = tomb_testclass(L, 1, STREAM);
  int n = (int)luaL_checkinteger(L, 2);
  if (each == NULL) return tomb_misuse(L, NULL, "A stream is needed");
  lua_settop(L, 1);
  each->reuse = false;
  tomb_getref(L, 1, EACH_MODEL);
  tomb_push_set(L, 2);
  tomb_setref(L, 1, EACH_TABLE);
  lua_newtable(L);
  for (int i = 1; i <= n && push_next(L, each); i++) {
    lua_rawseti(L, 3, i);
    lua_settop(L, 3);
  }
  lua_settop(L, 3);
  return 1;
}

void tomb_open_stream(lua_State *L) {
  tomb_methods(L, STREAM);
  lua_pushcfunction(L, each_close);
  lua_setfield(L, -2, "close");
  lua_pop(L, 1);
  tomb_class(L, STREAM);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, each_call, 1);
  lua_setfield(L, -2, "__call");
  lua_pushcfunction(L, each_close);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__gc");
  lua_setfield(L, -2, "__close");
  lua_pushliteral(L, STREAM);
  lua_setfield(L, -2, "__name");
  tomb_seal(L);
  lua_pop(L, 1);
  tomb_methods(L, QUERY);
  lua_pushcfunction(L, query_each);
  lua_setfield(L, -2, "each");
  lua_pop(L, 1);
}
