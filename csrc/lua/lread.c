/* lread.c - the calls that read rows, and explain how. */
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "lreading.h"
#include "lset.h"
#include "raise.h"

/***
Rows out.
@module tombstone.query
*/

/* ---- rows out ----------------------------------------------------- */

static void select_rows(lua_State *L, reading *r, const tomb_query *query,
                        bool as_set) {
  tomb_error err;
  tomb_status st =
      tomb_select(&r->box->cursor, tomb_read_engine(r), query, &err);
  if (st != TOMB_OK) tomb_fail_read(L, r, st, &err);
  tomb_hydrate_begin(L, &r->rows, r->model, r->box->cursor.fields,
                     r->box->cursor.n, true);
  if (!as_set) return;
  tomb_push_set(L, r->model);
  lua_replace(L, r->rows.metatable);
}

/* A row that lacks columns must not write them, and none writes what is no
** column: its state says what it has. */
static void note_partial(lua_State *L, const reading *r, int names) {
  if (!tomb_is_unlike_rows(&r->query->query)) return;
  r->query->model->db->has_states = true;
  tomb_getref(L, r->db, DB_STATES);
  lua_pushvalue(L, -2);
  lua_pushvalue(L, names);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* Pushes the set of names of this query's rows, or nil for whole rows. */
static int push_names(lua_State *L, const reading *r) {
  if (tomb_is_unlike_rows(&r->query->query)) {
    tomb_push_names(L, r->query, r->rows.fields, r->rows.n);
  } else {
    lua_pushnil(L);
  }
  return lua_gettop(L);
}

static void push_row(lua_State *L, reading *r, int names) {
  tomb_hydrate(L, &r->rows, r->box->cursor.values);
  note_partial(L, r, names);
}

/* Another list of the loaded rows on top. */
static int copy_answer(lua_State *L) {
  int n = (int)lua_rawlen(L, -1);
  lua_createtable(L, n, 0);
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, -2, i);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

/***
All rows.
@function Query:all
@treturn {row,...}
@raise database, busy
@usage for _, post in ipairs(Post.objects:all()) do print(post.title) end
*/
static int query_all(lua_State *L) {
  tomb_no_more(L, 1, "all");
  if (tomb_push_answer(L)) return copy_answer(L);
  reading r = {.grouped = false};
  tomb_begin_read(L, &r);
  select_rows(L, &r, &r.query->query, tomb_wants_set(r.query));
  int names = push_names(L, &r), n = 0;
  lua_newtable(L);
  while (tomb_next_row(L, &r)) {
    push_row(L, &r, names);
    lua_rawseti(L, -2, ++n);
  }
  tomb_end_read(L, &r);
  if (r.query->loads) tomb_load_list(L);
  return 1;
}

/* Pushes the only row of `query`, or nil. */
static int one_row(lua_State *L, reading *r, const tomb_query *query) {
  select_rows(L, r, query, r->query->loads);
  int names = push_names(L, r);
  if (tomb_next_row(L, r)) {
    push_row(L, r, names);
  } else {
    lua_pushnil(L);
  }
  tomb_end_read(L, r);
  if (r->query->loads) tomb_load_row(L);
  return 1;
}

/***
The first row.
@function Query:first
@treturn row|nil
@usage local newest = Post.objects:order_by("-id"):first()
*/
static int query_first(lua_State *L) {
  tomb_no_more(L, 1, "first");
  if (tomb_push_answer(L)) {
    lua_rawgeti(L, -1, 1);
    return 1;
  }
  reading r = {.grouped = false};
  tomb_begin_read(L, &r);
  tomb_query query = r.query->query;
  if (query.limit < 0 || query.limit > 1) query.limit = 1;
  return one_row(L, &r, &query);
}

/***
The last row.
@function Query:last
@treturn row|nil
@raise misuse on a query with limit or offset
@usage local newest = Post.objects:last()
*/
static int query_last(lua_State *L) {
  tomb_no_more(L, 1, "last");
  if (tomb_push_answer(L)) {
    lua_rawgeti(L, -1, (int)lua_rawlen(L, -1));
    return 1;
  }
  reading r = {.grouped = false};
  tomb_begin_read(L, &r);
  tomb_query query = r.query->query;
  if (query.limit >= 0 || query.offset > 0) {
    tomb_end_read(L, &r);
    return tomb_misuse(L, "reverse the order and ask for the first",
                       "last cannot be asked of a query with limit or offset");
  }
  query.reversed = !query.reversed;
  query.limit = 1;
  return one_row(L, &r, &query);
}

/* ---- exactly one -------------------------------------------------- */

static int not_found(lua_State *L, const reading *r, int argument) {
  tomb_error err;
  memset(&err, 0, sizeof err);
  err.kind = TOMB_NOT_FOUND;
  const char *name = tomb_model_name(r->query->query.model);
  const char *wanted = "";
  if (!lua_istable(L, argument)) {
    lua_getglobal(L, "tostring");
    lua_pushvalue(L, argument);
    if (lua_isfunction(L, -2) && lua_pcall(L, 1, 1, 0) == 0 &&
        lua_isstring(L, -1)) {
      wanted = lua_tostring(L, -1);
    }
  }
  const char *message =
      lua_istable(L, argument)
          ? lua_pushfstring(L, "There is no such %s", name)
          : lua_pushfstring(L, "There is no %s %s", name, wanted);
  strncpy(err.message, message, sizeof err.message - 1);
  strncpy(err.model, name, sizeof err.model - 1);
  return tomb_raise(L, &err);
}

static int several(lua_State *L, const reading *r) {
  tomb_error err;
  memset(&err, 0, sizeof err);
  err.kind = TOMB_MULTIPLE;
  const char *name = tomb_model_name(r->query->query.model);
  const char *message =
      lua_pushfstring(L, "There is more than one such %s", name);
  strncpy(err.message, message, sizeof err.message - 1);
  strncpy(err.model, name, sizeof err.model - 1);
  strcpy(err.hint, "narrow the filter, or ask for first()");
  return tomb_raise(L, &err);
}

/* Leaves the row or nil on the stack; `two` says that there are more. */
static void by_filter(lua_State *L, reading *r, bool *two) {
  int top = lua_gettop(L);
  lua_query *narrowed = tomb_push_filtered(L, 1, 2, false);
  tomb_query query = narrowed->query;
  if (query.limit < 0 || query.limit > 2) query.limit = 2;
  select_rows(L, r, &query, r->query->loads);
  int names = push_names(L, r);
  if (tomb_next_row(L, r)) {
    push_row(L, r, names);
    *two = tomb_next_row(L, r);
  } else {
    lua_pushnil(L);
  }
  tomb_end_read(L, r);
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
  if (r->query->loads && !*two) tomb_load_row(L);
}

static int misfit(lua_State *L, reading *r) {
  const char *name = tomb_model_name(r->query->query.model);
  tomb_end_read(L, r);
  return tomb_misuse(L, "get(5), or get{ title = \"x\" }",
                     "A key or a table of conditions is needed to get a %s",
                     name);
}

/* The row with the key at 2; false when that can be no key. */
static bool by_key(lua_State *L, reading *r) {
  const tomb_query *from = &r->query->query;
  const tomb_field *key = tomb_model_role(from->model, TOMB_ROLE_KEY);
  tomb_filter_link link;
  tomb_query query;
  tomb_error err;
  tomb_value value;
  tomb_tovalue(L, 2, key, &value);
  if (value.type == TOMB_ABSENT || value.type == TOMB_NULL) return false;
  tomb_cond cond = tomb_where(key->name, &value);
  tomb_status st = tomb_filter(&query, from, &cond, false, &link, &err);
  if (st != TOMB_OK) tomb_fail_read(L, r, st, &err);
  one_row(L, r, &query);
  return true;
}

static int get(lua_State *L, bool must) {
  reading r = {.grouped = false};
  bool two = false;
  lua_settop(L, 2);
  tomb_begin_read(L, &r);
  if (lua_istable(L, 2)) {
    by_filter(L, &r, &two);
  } else if (!by_key(L, &r)) {
    return misfit(L, &r);
  }
  if (two) return several(L, &r);
  if (must && lua_isnil(L, -1)) return not_found(L, &r, 2);
  return 1;
}

/***
Exactly one row.
@function Query:get
@param what its key, or a table of lookups
@treturn row
@raise not_found, multiple, misuse
@usage local post = Post.objects:get { title = "Hello" }
*/
static int query_get(lua_State *L) {
  tomb_no_more(L, 2, "get");
  return get(L, true);
}

/***
The same, or nil where there is none.
@function Query:find
@param what its key, or a table of lookups
@treturn row|nil
@raise multiple, misuse
@usage local post = Post.objects:find(7)
*/
static int query_find(lua_State *L) {
  tomb_no_more(L, 2, "find");
  return get(L, false);
}

/* ---- explanations ------------------------------------------------- */

/***
The statement that `all` runs.
@function Query:sql
@treturn string its text
@treturn table the values that it binds
@usage print(Post.objects:filter { views = 1 }:sql())
*/
static int query_sql(lua_State *L) {
  tomb_error err;
  const char *sql;
  const tomb_value *values;
  size_t n;
  lua_query *query = tomb_check_query(L, 1);
  tomb_status st = tomb_explain_sql(&sql, &values, &n, query->model->db->db,
                                    &query->query, &err);
  if (st != TOMB_OK) return tomb_raise(L, &err);
  lua_pushstring(L, sql);
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    tomb_pushvalue(L, NULL, &values[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 2;
}

/***
The database's plan for it.
@function Query:explain
@treturn {string,...}
@usage print(table.concat(Post.objects:explain(), "\n"))
*/
static int query_explain(lua_State *L) {
  tomb_error err;
  reading r = {.grouped = false};
  int n = 0;
  tomb_begin_read(L, &r);
  tomb_status st =
      tomb_explain(&r.box->cursor, tomb_read_engine(&r), &r.query->query, &err);
  if (st != TOMB_OK) tomb_fail_read(L, &r, st, &err);
  lua_newtable(L);
  while (tomb_next_row(L, &r)) {
    tomb_pushvalue(L, NULL, &r.box->cursor.values[r.box->cursor.n - 1]);
    lua_rawseti(L, -2, ++n);
  }
  tomb_end_read(L, &r);
  return 1;
}

/***
Every table of a model that the query's statement reads, in its order, and which of its rows are seen.
@function Query:explain_liveness
@treturn {table,...} each with `path` (the relations that lead there, `""` for the query's own
table), `model`, `table` and `rows`: `"living"`, `"dead"`, `"every"`, or `"undying"` where nothing
dies softly
@usage for _, t in ipairs(query:explain_liveness()) do print(t.path, t.table, t.rows) end
*/
static int query_explain_liveness(lua_State *L) {
  static const char *const names[] = {"path", "model", "table", "rows"};
  tomb_error err;
  lua_query *query = tomb_check_query(L, 1);
  tomb_rows **rows = tomb_new_rows(L, query->model->db);
  tomb_status st =
      tomb_explain_liveness(*rows, query->model->db->db, &query->query, &err);
  if (st != TOMB_OK) return tomb_raise(L, &err);
  lua_newtable(L);
  for (size_t i = 0; i < tomb_rows_count(*rows); i++) {
    const tomb_value *row = tomb_rows_at(*rows, i, NULL);
    lua_createtable(L, 0, 4);
    for (int j = 0; j < 4; j++) {
      tomb_pushvalue(L, NULL, &row[j]);
      lua_setfield(L, -2, names[j]);
    }
    lua_rawseti(L, -2, (int)i + 1);
  }
  tomb_drop_rows(rows);
  return 1;
}

void tomb_open_read(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"all", query_all},
      {"first", query_first},
      {"last", query_last},
      {"get", query_get},
      {"find", query_find},
      {"sql", query_sql},
      {"explain", query_explain},
      {"explain_liveness", query_explain_liveness},
      {NULL, NULL}};
  tomb_methods(L, QUERY);
  tomb_setfuncs(L, functions);
  lua_pop(L, 1);
}
