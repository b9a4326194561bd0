/* box.c - the userdata that hold what C acquires. */
#include "box.h"

#include <math.h>
#include <string.h>

#include "llimits.h"
#include "raise.h"

/***
Closing.
@module tombstone.database
*/

const char tomb_model_key = 'm';

/* ---- databases ---------------------------------------------------- */

static void push_weak(lua_State *L, const char *mode) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushstring(L, mode);
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
}

lua_db *tomb_new_db(lua_State *L) {
  lua_db *box = tomb_newud(L, sizeof *box, DB_REFS);
  memset(box, 0, sizeof *box);
  tomb_setclass(L, DB);
  push_weak(L, "k");
  tomb_setref(L, -2, DB_STATES);
  push_weak(L, "v");
  tomb_setref(L, -2, DB_CREATED);
  lua_newtable(L);
  tomb_setref(L, -2, DB_LEVELS);
  lua_newtable(L);
  tomb_setref(L, -2, DB_SIDE);
  return box;
}

/***
A table that belongs to the handle: what the Lua side knows of it.
@function core.side
@tparam database db
@treturn table
@usage core.side(db).models = {}
*/
/* Not in a weak table by handle: before Lua 5.2 its values, which refer to the
** handle, would keep it for ever. */
int tomb_db_side(lua_State *L) {
  if (tomb_testclass(L, 1, DB) == NULL) {
    return tomb_misuse(L, "call it with a colon, as db:transaction(fn)",
                       "A database is needed");
  }
  tomb_getref(L, 1, DB_SIDE);
  return 1;
}

void tomb_need_open(lua_State *L, const lua_db *box) {
  tomb_error err;
  if (box->db == NULL) {
    tomb_misuse(L, "open it again", "The database is closed");
  }
  if (tomb_check_open(box->db, &err) != TOMB_OK) tomb_raise(L, &err);
}

void tomb_need_usable(lua_State *L, const lua_db *box) {
  tomb_need_open(L, box);
  if (tomb_depth(box->db) > 0 && box->owner != NULL && box->owner != L) {
    tomb_misuse(L, "wait for its end, or open a handle for each coroutine",
                "Another coroutine is in a transaction on this handle");
  }
}

void tomb_need_db(lua_State *L, lua_db *box) {
  tomb_need_usable(L, box);
  if (box->bounded) tomb_begin_limits(L, box);
}

lua_db *tomb_check_db(lua_State *L, int index) {
  lua_db *box = tomb_testclass(L, index, DB);
  if (box == NULL) {
    tomb_misuse(L, "call it with a colon, as db:info()",
                "A database is needed, not a %s", tomb_typename(L, index));
  }
  tomb_need_db(L, box);
  return box;
}

int64_t tomb_clock(lua_State *L, lua_db *box, int index) {
  if (!box->has_clock) return tomb_now();
  tomb_getref(L, index, DB_CLOCK);
  lua_call(L, 0, 1);
  lua_Number seconds = lua_tonumber(L, -1);
  bool fits =
      lua_type(L, -1) == LUA_TNUMBER && seconds > -6.2e10 && seconds < 2.5e11;
  lua_pop(L, 1);
  if (!fits) {
    tomb_misuse(L, NULL, "The clock must answer seconds since the epoch");
  }
  lua_Number whole = floor(seconds);
  return (int64_t)whole * 1000000 + (int64_t)((seconds - whole) * 1e6 + 0.5);
}

/* Shared by close, __gc and __close: takes the handle out, then drops it. */
static int db_gc(lua_State *L) {
  lua_db *box = lua_touserdata(L, 1);
  tomb_db *db = box->db;
  box->db = NULL;
  tomb_free(db);
  return 0;
}

/***
Closes the handle, rolling back what is open. Closing again does nothing.
@function Database:close
@usage db:close()
*/
static int db_close(lua_State *L) {
  lua_db *box = tomb_testclass(L, 1, DB);
  if (box == NULL) {
    return tomb_misuse(L, "call it with a colon, as db:close()",
                       "A database is needed, not a %s", tomb_typename(L, 1));
  }
  if (box->db == NULL) return 0;
  for (lua_cursor *c = box->open; c != NULL; c = c->next) {
    if (!c->inside) tomb_cursor_close(&c->cursor);
  }
  tomb_close(box->db); /* or the last cursor does, when its row is made */
  return 0;
}

static int db_tostring(lua_State *L) {
  lua_db *box = lua_touserdata(L, 1);
  bool open = box->db != NULL && tomb_is_open(box->db);
  lua_pushfstring(L, "tombstone.db (%s)", open ? "open" : "closed");
  return 1;
}

/* ---- models and queries ------------------------------------------- */

lua_model *tomb_check_model(lua_State *L, int index) {
  lua_model *model = NULL;
  if (lua_istable(L, index)) {
    tomb_rawgetp(L, index, &tomb_model_key);
    model = tomb_testclass(L, -1, MODEL);
  }
  if (model == NULL) {
    tomb_misuse(L, "call it with a colon, as Post:create{}",
                "A model is needed, not a %s", tomb_typename(L, index));
  }
  tomb_need_db(L, model->db);
  return model;
}

lua_model *tomb_test_row(lua_State *L, int index) {
  if (!lua_istable(L, index) || !lua_getmetatable(L, index)) return NULL;
  tomb_rawgetp(L, -1, &tomb_model_key);
  lua_remove(L, -2);
  lua_model *model = tomb_testclass(L, -1, MODEL);
  if (model == NULL) lua_pop(L, 1);
  return model;
}

lua_model *tomb_check_row(lua_State *L, int index) {
  lua_model *model = tomb_test_row(L, index);
  if (model == NULL) {
    tomb_misuse(L, "call it with a colon, as post:save()",
                "A row is needed, not a %s", tomb_typename(L, index));
  }
  tomb_need_db(L, model->db);
  return model;
}

static lua_query *test_query(lua_State *L, int index) {
  lua_query *query = tomb_testclass(L, index, QUERY);
  return query != NULL ? query : tomb_testclass(L, index, LIMITED);
}

lua_query *tomb_check_query(lua_State *L, int index) {
  lua_query *query = test_query(L, index);
  if (query == NULL) {
    tomb_misuse(L, "call it with a colon, as Post.objects:all()",
                "A query is needed, not a %s", tomb_typename(L, index));
  }
  tomb_need_db(L, query->model->db);
  return query;
}

lua_query *tomb_new_query(lua_State *L, int parent, size_t extra) {
  parent = tomb_absindex(L, parent);
  lua_query *query = tomb_newud(L, sizeof *query + extra, QUERY_REFS);
  memset(query, 0, sizeof *query);
  lua_query *from = test_query(L, parent);
  tomb_setclass(L, from != NULL && from->limited ? LIMITED : QUERY);
  lua_pushvalue(L, parent);
  tomb_setref(L, -2, QUERY_PARENT);
  if (from == NULL) {
    query->model = lua_touserdata(L, parent);
    lua_pushvalue(L, parent);
  } else {
    *query = *from;
    query->related = false;
    tomb_getref(L, parent, QUERY_MODEL);
  }
  tomb_setref(L, -2, QUERY_MODEL);
  if (query->loads) {
    tomb_getref(L, parent, QUERY_PATHS);
    tomb_setref(L, -2, QUERY_PATHS);
  }
  if (query->limited) {
    tomb_getref(L, parent, QUERY_LIMITS);
    tomb_setref(L, -2, QUERY_LIMITS);
  }
  return query;
}

/* A finalizer that runs after that of the database finds its models gone. */
static int query_tostring(lua_State *L) {
  lua_query *query = lua_touserdata(L, 1);
  bool is_gone = query->model->db->db == NULL;
  lua_pushfstring(L, "tombstone.query (%s)",
                  is_gone ? "closed" : tomb_model_name(query->query.model));
  return 1;
}

/* ---- cursors, rows, streams, jobs --------------------------------- */

static lua_cursor *make_cursor(lua_State *L, int db_index) {
  lua_cursor *box = tomb_newud(L, sizeof *box, 1);
  memset(box, 0, sizeof *box);
  tomb_setclass(L, CURSOR);
  lua_pushvalue(L, db_index);
  tomb_setref(L, -2, 1);
  return box;
}

/* One cursor is kept for the next reader. Where a reader raised, or reads
** within another's reading, it stays with them and a new one is kept. */
lua_cursor *tomb_new_cursor(lua_State *L, lua_db *box, int db_index) {
  (void)box;
  db_index = tomb_absindex(L, db_index);
  tomb_getref(L, db_index, DB_CURSOR);
  lua_cursor *cursor = lua_touserdata(L, -1);
  if (cursor == NULL || cursor->in_use) {
    lua_pop(L, 1);
    cursor = make_cursor(L, db_index);
    lua_pushvalue(L, -1);
    tomb_setref(L, db_index, DB_CURSOR);
  }
  cursor->in_use = true;
  return cursor;
}

void tomb_end_cursor(lua_cursor *cursor) {
  if (cursor->cursor.db != NULL) tomb_cursor_close(&cursor->cursor);
  cursor->in_use = false;
  if (cursor->link == NULL) return;
  *cursor->link = cursor->next;
  if (cursor->next != NULL) cursor->next->link = cursor->link;
  cursor->link = NULL;
}

void tomb_list_cursor(lua_db *box, lua_cursor *cursor) {
  cursor->next = box->open;
  cursor->link = &box->open;
  if (cursor->next != NULL) cursor->next->link = &cursor->next;
  box->open = cursor;
}

static int cursor_gc(lua_State *L) {
  tomb_end_cursor(lua_touserdata(L, 1));
  return 0;
}

/* A box of one pointer, with a reference that keeps its owner alive. */
static void **new_pointer(lua_State *L, int owner, const char *class_name) {
  owner = owner == 0 ? 0 : tomb_absindex(L, owner);
  void **box = tomb_newud(L, sizeof *box, 1);
  *box = NULL;
  tomb_setclass(L, class_name);
  if (owner != 0) {
    lua_pushvalue(L, owner);
    tomb_setref(L, -2, 1);
  }
  return box;
}

static void *take_pointer(lua_State *L) {
  void **box = lua_touserdata(L, 1);
  void *pointer = *box;
  *box = NULL;
  return pointer;
}

tomb_rows **tomb_new_rows(lua_State *L, lua_db *box) {
  tomb_rows **rows = (tomb_rows **)new_pointer(L, 0, ROWS);
  if (box == NULL) return rows;
  *rows = tomb_rows_new(box->db);
  if (*rows == NULL) tomb_no_memory(L);
  return rows;
}

void tomb_drop_rows(tomb_rows **rows) {
  tomb_rows_free(*rows);
  *rows = NULL;
}

static int rows_gc(lua_State *L) {
  tomb_rows_free(take_pointer(L));
  return 0;
}

tomb_restore_job **tomb_new_job(lua_State *L, int query) {
  return (tomb_restore_job **)new_pointer(L, query, JOB);
}

static int job_gc(lua_State *L) {
  tomb_restore_job *job = take_pointer(L);
  if (job != NULL) tomb_restore_close(job, NULL, NULL);
  return 0;
}

/* ---- classes ------------------------------------------------------ */

static void finalizer(lua_State *L, const char *name, lua_CFunction gc,
                      lua_CFunction tostring) {
  tomb_class(L, name);
  lua_pushcfunction(L, gc);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__gc");
  lua_setfield(L, -2, "__close");
  if (tostring != NULL) {
    lua_pushcfunction(L, tostring);
    lua_setfield(L, -2, "__tostring");
  }
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  tomb_seal(L);
  lua_pop(L, 1);
}

void tomb_open_boxes(lua_State *L) {
  finalizer(L, DB, db_gc, db_tostring);
  tomb_class(L, DB);
  lua_pushcfunction(L, db_close); /* models and rows may outlive a scope */
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__close");
  lua_newtable(L);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "close");
  lua_setfield(L, -3, "__index");
  lua_pop(L, 2);
  finalizer(L, CURSOR, cursor_gc, NULL);
  finalizer(L, ROWS, rows_gc, NULL);
  finalizer(L, JOB, job_gc, NULL);
  tomb_class(L, MODEL);
  tomb_seal(L);
  lua_pop(L, 1);
  tomb_class(L, QUERY);
  lua_pushcfunction(L, query_tostring);
  lua_setfield(L, -2, "__tostring");
  tomb_seal(L);
  tomb_class(L, LIMITED);
  lua_pushcfunction(L, query_tostring);
  lua_setfield(L, -2, "__tostring");
  tomb_seal(L);
  lua_pop(L, 2);
}
