/* lread.c - the calls that read: rows out, values out, explanations. */
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "hydrate.h"
#include "raise.h"

/* A read in progress: the cursor's box stands below what follows. */
typedef struct reading {
  lua_query *query;
  lua_cursor *box;
  int db, model; /* indices */
  hydration rows;
} reading;

/* Pushes DB, MODEL and a cursor for the query at 1. */
static void begin(lua_State *L, reading *r) {
  r->query = tomb_check_query(L, 1);
  tomb_getref(L, 1, QUERY_MODEL);
  r->model = lua_gettop(L);
  tomb_getref(L, r->model, MODEL_DB);
  r->db = lua_gettop(L);
  r->box = tomb_new_cursor(L, r->query->model->db, r->db);
}

static void fail(lua_State *L, reading *r, tomb_status st,
                 const tomb_error *err) {
  tomb_end_cursor(r->box);
  tomb_finish(L, r->query->model->db, r->db, st, err);
}

static void end(lua_State *L, reading *r) {
  tomb_end_cursor(r->box);
  tomb_finish(L, r->query->model->db, r->db, TOMB_OK, NULL);
}

static tomb_db *engine(const reading *r) {
  return r->query->model->db->db;
}

/* True while there is a row. */
static bool next(lua_State *L, reading *r) {
  tomb_error err;
  tomb_status st = tomb_cursor_next(&r->box->cursor, &err);
  if (st == TOMB_ROW) return true;
  if (st != TOMB_DONE) fail(L, r, st, &err);
  return false;
}

/* ---- rows out ---------------------------------------------------------------- */

static void select_rows(lua_State *L, reading *r, const tomb_query *query) {
  tomb_error err;
  tomb_status st = tomb_select(&r->box->cursor, engine(r), query, &err);
  if (st != TOMB_OK) fail(L, r, st, &err);
  tomb_hydrate_begin(L, &r->rows, r->model, r->box->cursor.fields,
                     r->box->cursor.n, true);
}

/* A row that lacks columns must not write them: its state says what it has. */
static void note_partial(lua_State *L, const reading *r, int names) {
  if (r->query->query.only == NULL) return;
  r->query->model->db->has_states = true;
  tomb_getref(L, r->db, DB_STATES);
  lua_pushvalue(L, -2);
  lua_pushvalue(L, names);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* Pushes the set of names that partial rows of this query have, or nil. */
static int push_names(lua_State *L, const reading *r) {
  if (r->query->query.only == NULL) {
    lua_pushnil(L);
    return lua_gettop(L);
  }
  lua_createtable(L, 0, (int)r->rows.n);
  for (size_t i = 0; i < r->rows.n; i++) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, r->rows.fields[i]->name);
  }
  return lua_gettop(L);
}

static void push_row(lua_State *L, reading *r, int names) {
  tomb_hydrate(L, &r->rows, r->box->cursor.values);
  note_partial(L, r, names);
}

static int query_all(lua_State *L) {
  reading r;
  begin(L, &r);
  select_rows(L, &r, &r.query->query);
  int names = push_names(L, &r), n = 0;
  lua_newtable(L);
  while (next(L, &r)) {
    push_row(L, &r, names);
    lua_rawseti(L, -2, ++n);
  }
  end(L, &r);
  return 1;
}

/* Pushes the only row of `query`, or nil. */
static int one_row(lua_State *L, reading *r, const tomb_query *query) {
  select_rows(L, r, query);
  int names = push_names(L, r);
  if (next(L, r)) {
    push_row(L, r, names);
  } else {
    lua_pushnil(L);
  }
  end(L, r);
  return 1;
}

static int query_first(lua_State *L) {
  reading r;
  begin(L, &r);
  tomb_query query = r.query->query;
  if (query.limit < 0 || query.limit > 1) query.limit = 1;
  return one_row(L, &r, &query);
}

static int query_last(lua_State *L) {
  reading r;
  begin(L, &r);
  tomb_query query = r.query->query;
  if (query.limit >= 0 || query.offset > 0) {
    end(L, &r);
    return tomb_misuse(L, "reverse the order and ask for the first",
                       "last cannot be asked of a query with limit or offset");
  }
  query.reversed = !query.reversed;
  query.limit = 1;
  return one_row(L, &r, &query);
}

/* ---- exactly one ---------------------------------------------------------------- */

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
  select_rows(L, r, &query);
  int names = push_names(L, r);
  if (next(L, r)) {
    push_row(L, r, names);
    *two = next(L, r);
  } else {
    lua_pushnil(L);
  }
  end(L, r);
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
}

static int misfit(lua_State *L, reading *r) {
  const char *name = tomb_model_name(r->query->query.model);
  end(L, r);
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
  if (st != TOMB_OK) fail(L, r, st, &err);
  one_row(L, r, &query);
  return true;
}

static int get(lua_State *L, bool must) {
  reading r;
  bool two = false;
  begin(L, &r);
  if (lua_istable(L, 2)) {
    by_filter(L, &r, &two);
  } else if (!by_key(L, &r)) {
    return misfit(L, &r);
  }
  if (two) return several(L, &r);
  if (must && lua_isnil(L, -1)) return not_found(L, &r, 2);
  return 1;
}

static int query_get(lua_State *L) {
  return get(L, true);
}

static int query_find(lua_State *L) {
  return get(L, false);
}

/* ---- values out -------------------------------------------------------------------- */

/* Begins to read the fields that the arguments name, or all of them. */
static void begin_values(lua_State *L, reading *r) {
  tomb_error err;
  tomb_push_only(L);
  lua_replace(L, 1);
  lua_settop(L, 1);
  begin(L, r);
  tomb_status st = tomb_select_values(&r->box->cursor, engine(r),
                                      &r->query->query, &err);
  if (st != TOMB_OK) fail(L, r, st, &err);
  tomb_hydrate_begin(L, &r->rows, r->model, r->box->cursor.fields,
                     r->box->cursor.n, false);
}

static int query_values(lua_State *L) {
  reading r;
  int n = 0;
  begin_values(L, &r);
  lua_newtable(L);
  while (next(L, &r)) {
    tomb_hydrate(L, &r.rows, r.box->cursor.values);
    lua_rawseti(L, -2, ++n);
  }
  end(L, &r);
  return 1;
}

static int query_pluck(lua_State *L) {
  reading r;
  int n = 0;
  if (lua_gettop(L) != 2) {
    return tomb_misuse(L, "use values for several",
                       "pluck takes the name of one field");
  }
  begin_values(L, &r);
  lua_newtable(L);
  while (next(L, &r)) {
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
  end(L, &r);
  return 1;
}

static int query_count(lua_State *L) {
  tomb_error err;
  int64_t n;
  lua_query *query = tomb_check_query(L, 1);
  tomb_getref(L, 1, QUERY_MODEL);
  tomb_getref(L, -1, MODEL_DB);
  tomb_status st = tomb_count(&n, query->model->db->db, &query->query, &err);
  tomb_finish(L, query->model->db, -1, st, &err);
  tomb_value value = tomb_integer(n);
  tomb_pushvalue(L, NULL, &value);
  return 1;
}

static int query_exists(lua_State *L) {
  tomb_error err;
  bool exists;
  lua_query *query = tomb_check_query(L, 1);
  tomb_getref(L, 1, QUERY_MODEL);
  tomb_getref(L, -1, MODEL_DB);
  tomb_status st =
      tomb_exists(&exists, query->model->db->db, &query->query, &err);
  tomb_finish(L, query->model->db, -1, st, &err);
  lua_pushboolean(L, exists);
  return 1;
}

/* ---- aggregates ------------------------------------------------------------------------ */

#define MOST_AGGREGATES 64

static tomb_aggregate_fn aggregate_fn(lua_State *L, int index) {
  static const char *const names[] = {"count", "sum", "min", "max", "avg",
                                      NULL};
  lua_getfield(L, index, "fn");
  const char *name = lua_tostring(L, -1);
  int i = 0;
  while (names[i] != NULL && (name == NULL || strcmp(names[i], name) != 0)) i++;
  lua_pop(L, 1);
  if (names[i] == NULL) {
    tomb_misuse(L, "as in aggregate{ n = count \"*\" }",
                "aggregate takes count, sum, min, max and avg");
  }
  return (tomb_aggregate_fn)i;
}

/* The aggregate on top of the stack. */
static tomb_aggregate to_aggregate(lua_State *L, const tomb_model *model) {
  tomb_aggregate a = {TOMB_COUNT, NULL, false};
  if (!lua_istable(L, -1)) {
    tomb_misuse(L, "as in aggregate{ n = count \"*\" }",
                "aggregate takes count, sum, min, max and avg");
  }
  a.fn = aggregate_fn(L, -1);
  lua_getfield(L, -1, "distinct");
  a.distinct = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  lua_getfield(L, -1, "field");
  const char *name = lua_tostring(L, -1);
  if (name == NULL || strcmp(name, "*") != 0) {
    a.field = tomb_check_field(L, -1, model);
  } else if (a.fn != TOMB_COUNT) {
    tomb_misuse(L, NULL, "Only count takes \"*\"");
  }
  lua_pop(L, 1);
  return a;
}

/* Reads the table at `index`, pushing each result's name. */
static size_t to_aggregates(lua_State *L, int index, const tomb_model *model,
                            tomb_aggregate *out) {
  size_t n = 0;
  luaL_checkstack(L, MOST_AGGREGATES + 8, NULL);
  if (!lua_istable(L, index)) {
    tomb_misuse(L, "as in aggregate{ n = count \"*\" }",
                "aggregate takes a table, not a %s", luaL_typename(L, index));
  }
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    if (n == MOST_AGGREGATES) tomb_misuse(L, NULL, "Too many aggregates");
    out[n++] = to_aggregate(L, model);
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
      found = found || query->groups[j] == query->order[i].field;
    }
    if (!found) {
      tomb_misuse(L, NULL, "Groups can be ordered by their own fields only, "
                           "not by %s", query->order[i].field->name);
    }
  }
}

static int query_aggregate(lua_State *L) {
  tomb_aggregate aggregates[MOST_AGGREGATES];
  tomb_error err;
  reading r;
  int rows = 0;
  lua_query *query = tomb_check_query(L, 1);
  check_group_order(L, &query->query);
  int names = lua_gettop(L) + 1;
  size_t n = to_aggregates(L, 2, query->query.model, aggregates);
  size_t n_groups = query->query.n_groups;
  begin(L, &r);
  tomb_status st = tomb_select_aggregates(
      &r.box->cursor, engine(&r), &query->query, aggregates, n, &err);
  if (st != TOMB_OK) fail(L, &r, st, &err);
  if (n_groups > 0) lua_newtable(L);
  while (next(L, &r)) {
    push_group(L, &r, names, n_groups);
    if (n_groups > 0) lua_rawseti(L, -2, ++rows);
  }
  end(L, &r);
  return 1;
}

/* ---- explanations -------------------------------------------------------------------------- */

static int query_sql(lua_State *L) {
  tomb_error err;
  const char *sql;
  const tomb_value *values;
  size_t n;
  lua_query *query = tomb_check_query(L, 1);
  tomb_status st = tomb_explain_sql(&sql, &values, &n,
                                    query->model->db->db, &query->query, &err);
  if (st != TOMB_OK) return tomb_raise(L, &err);
  lua_pushstring(L, sql);
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    tomb_pushvalue(L, NULL, &values[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 2;
}

static int query_explain(lua_State *L) {
  tomb_error err;
  reading r;
  int n = 0;
  begin(L, &r);
  tomb_status st =
      tomb_explain(&r.box->cursor, engine(&r), &r.query->query, &err);
  if (st != TOMB_OK) fail(L, &r, st, &err);
  lua_newtable(L);
  while (next(L, &r)) {
    tomb_pushvalue(L, NULL, &r.box->cursor.values[r.box->cursor.n - 1]);
    lua_rawseti(L, -2, ++n);
  }
  end(L, &r);
  return 1;
}

void tomb_open_read(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"all", query_all},         {"first", query_first},
      {"last", query_last},       {"get", query_get},
      {"find", query_find},       {"values", query_values},
      {"pluck", query_pluck},     {"count", query_count},
      {"exists", query_exists},   {"aggregate", query_aggregate},
      {"sql", query_sql},         {"explain", query_explain},
      {NULL, NULL}};
  tomb_methods(L, QUERY);
  tomb_setfuncs(L, functions);
  lua_pop(L, 1);
}
