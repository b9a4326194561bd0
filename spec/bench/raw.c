/*
** raw.c - what tombstone is measured against: SQLite and Lua tables, wired by
** hand for this one table. No model, no validation, no error objects.
**
** Statements are prepared once, column names are upvalues, texts are bound in
** place: nothing here is left to gain but by asking the database for less.
** The only difference in what it answers: a deleted row's time stays a text.
*/
#include "raw.h"

#include <string.h>
#include <time.h>

enum { ID, TITLE, CONTENT, VIEWS, DELETED_AT, DELETED_EVENT, COLUMNS };
#define LIVING_COLUMNS DELETED_AT

static const char *const names[COLUMNS] = {
    "id", "title", "content", "views", "deleted_at", "deleted_event"};

enum {
  GET,
  GET_DELETED,
  PAGE,
  EACH,
  INSERT,
  UPDATE,
  EVENT,
  DELETE,
  RESTORE,
  DELETE_MANY,
  UNDO,
  RESTORE_MANY,
  BEGIN,
  COMMIT,
  STATEMENTS
};

/* A living row's last two columns are known to be NULL. */
#define LIVING_ROW "SELECT id, title, content, views FROM posts WHERE "
#define DEAD_ROW                                                               \
  "SELECT id, title, content, views, deleted_at, deleted_event FROM posts "    \
  "WHERE "
#define PAGE_ROWS 50

static const char *const texts[STATEMENTS] = {
    [GET] = LIVING_ROW "id = ? AND deleted_at IS NULL",
    [GET_DELETED] = DEAD_ROW "id = ? AND deleted_at IS NOT NULL",
    [PAGE] = LIVING_ROW "deleted_at IS NULL AND views >= ? AND views < ? "
                        "ORDER BY id LIMIT 50",
    [EACH] = LIVING_ROW "deleted_at IS NULL ORDER BY id",
    [INSERT] = "INSERT INTO posts (title, content, views) VALUES (?, ?, ?)",
    [UPDATE] = "UPDATE posts SET content = ? "
               "WHERE id = ? AND deleted_at IS NULL",
    [EVENT] = "INSERT INTO tombstone_event (at, model, pk) "
              "VALUES (?, 'Post', ?)",
    [DELETE] = "UPDATE posts SET title = ?, deleted_at = ?, deleted_event = ? "
               "WHERE id = ? AND deleted_at IS NULL",
    [RESTORE] = "UPDATE posts SET title = ?, deleted_at = NULL, "
                "deleted_event = NULL WHERE id = ? AND deleted_at IS NOT NULL",
    [DELETE_MANY] = "UPDATE posts SET title = title || ?, deleted_at = ?, "
                    "deleted_event = ? WHERE deleted_at IS NULL AND id <= ?",
    [UNDO] = "UPDATE tombstone_event SET undone_at = ? WHERE id = ?",
    [RESTORE_MANY] = "UPDATE posts SET title = substr(title, 1, "
                     "length(title) - 27), deleted_at = NULL, deleted_event = "
                     "NULL WHERE deleted_at IS NOT NULL AND deleted_event = ?",
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
};

typedef struct raw {
  sqlite3 *db;
  sqlite3_stmt *statements[STATEMENTS];
} raw;

/* Every function has the handle and the column names as upvalues. */
#define NAME(column) lua_upvalueindex((column) + 2)

static raw *self(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

int raw_fail(lua_State *L, sqlite3 *db) {
  return luaL_error(L, "%s", sqlite3_errmsg(db));
}

void raw_run(lua_State *L, sqlite3_stmt *stmt) {
  if (sqlite3_step(stmt) != SQLITE_DONE) raw_fail(L, sqlite3_db_handle(stmt));
  sqlite3_reset(stmt);
}

/* ---- time --------------------------------------------------------- */

static char *digits(char *to, long n, int width) {
  for (int i = width - 1; i >= 0; i--, n /= 10) to[i] = (char)('0' + n % 10);
  return to + width;
}

static char *part(char *to, char before, long n, int width) {
  *to = before;
  return digits(to + 1, n, width);
}

void raw_read_clock(stamp *out) {
  struct timespec now;
  struct tm tm;
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &tm);
  long micro = now.tv_nsec / 1000;
  char *at = digits(out->at, tm.tm_year + 1900, 4);
  at = part(at, '-', tm.tm_mon + 1, 2);
  at = part(at, '-', tm.tm_mday, 2);
  at = part(at, ' ', tm.tm_hour, 2);
  at = part(at, ':', tm.tm_min, 2);
  at = part(at, ':', tm.tm_sec, 2);
  if (micro > 0) at = part(at, '.', micro, 6);
  out->at_size = (int)(at - out->at);
  memcpy(out->suffix, MARK, MARK_SIZE);
  part(digits(out->suffix + MARK_SIZE, now.tv_sec, 10), '.', micro, 6);
}

static int raw_now(lua_State *L) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  lua_pushnumber(L, (double)now.tv_sec + (double)now.tv_nsec * 1e-9);
  return 1;
}

/* ---- rows out ----------------------------------------------------- */

static void set_integer(lua_State *L, sqlite3_stmt *stmt, int column) {
  lua_pushvalue(L, NAME(column));
  lua_pushinteger(L, sqlite3_column_int64(stmt, column));
  lua_rawset(L, -3);
}

static void set_text(lua_State *L, sqlite3_stmt *stmt, int column) {
  const char *text = (const char *)sqlite3_column_text(stmt, column);
  lua_pushvalue(L, NAME(column));
  lua_pushlstring(L, text, (size_t)sqlite3_column_bytes(stmt, column));
  lua_rawset(L, -3);
}

static void push_row(lua_State *L, sqlite3_stmt *stmt, int columns) {
  lua_createtable(L, 0, columns);
  set_integer(L, stmt, ID);
  set_text(L, stmt, TITLE);
  set_text(L, stmt, CONTENT);
  set_integer(L, stmt, VIEWS);
  if (columns == LIVING_COLUMNS) return;
  set_text(L, stmt, DELETED_AT);
  set_integer(L, stmt, DELETED_EVENT);
}

static int get_by(lua_State *L, int which, int columns) {
  raw *r = self(L);
  sqlite3_stmt *stmt = r->statements[which];
  sqlite3_bind_int64(stmt, 1, luaL_checkinteger(L, 1));
  if (sqlite3_step(stmt) != SQLITE_ROW) return raw_fail(L, r->db);
  push_row(L, stmt, columns);
  sqlite3_reset(stmt);
  return 1;
}

static int raw_get(lua_State *L) {
  return get_by(L, GET, LIVING_COLUMNS);
}

static int raw_get_deleted(lua_State *L) {
  return get_by(L, GET_DELETED, COLUMNS);
}

static int raw_page(lua_State *L) {
  raw *r = self(L);
  sqlite3_stmt *stmt = r->statements[PAGE];
  sqlite3_bind_int64(stmt, 1, luaL_checkinteger(L, 1));
  sqlite3_bind_int64(stmt, 2, luaL_checkinteger(L, 2));
  lua_createtable(L, PAGE_ROWS, 0);
  for (int i = 1; sqlite3_step(stmt) == SQLITE_ROW; i++) {
    push_row(L, stmt, LIVING_COLUMNS);
    lua_rawseti(L, -2, i);
  }
  return sqlite3_reset(stmt) == SQLITE_OK ? 1 : raw_fail(L, r->db);
}

/* The iterator itself: `for row in db.each do`. */
static int raw_each(lua_State *L) {
  raw *r = self(L);
  sqlite3_stmt *stmt = r->statements[EACH];
  if (sqlite3_step(stmt) == SQLITE_ROW) {
    push_row(L, stmt, LIVING_COLUMNS);
    return 1;
  }
  return sqlite3_reset(stmt) == SQLITE_OK ? 0 : raw_fail(L, r->db);
}

/* ---- rows in ------------------------------------------------------ */

/* These leave the field on the stack, which keeps its text alive. */
static const char *text_field(lua_State *L, int row, int column, size_t *size) {
  lua_pushvalue(L, NAME(column));
  lua_rawget(L, row);
  return luaL_checklstring(L, -1, size);
}

static void bind_text_field(lua_State *L, sqlite3_stmt *stmt, int i, int row,
                            int column) {
  size_t size;
  const char *text = text_field(L, row, column, &size);
  sqlite3_bind_text(stmt, i, text, (int)size, SQLITE_STATIC);
}

static lua_Integer integer_field(lua_State *L, int row, int column) {
  lua_pushvalue(L, NAME(column));
  lua_rawget(L, row);
  return luaL_checkinteger(L, -1);
}

static void set_field(lua_State *L, int row, int column) {
  lua_pushvalue(L, NAME(column));
  lua_insert(L, -2);
  lua_rawset(L, row);
}

static void insert_row(lua_State *L, raw *r, int row) {
  sqlite3_stmt *stmt = r->statements[INSERT];
  bind_text_field(L, stmt, 1, row, TITLE);
  bind_text_field(L, stmt, 2, row, CONTENT);
  sqlite3_bind_int64(stmt, 3, integer_field(L, row, VIEWS));
  raw_run(L, stmt);
  lua_pushinteger(L, sqlite3_last_insert_rowid(r->db));
  set_field(L, row, ID);
  lua_settop(L, row);
}

static int raw_insert(lua_State *L) {
  insert_row(L, self(L), 1);
  return 1;
}

static int raw_insert_many(lua_State *L) {
  raw *r = self(L);
  lua_Unsigned n = lua_rawlen(L, 1);
  for (lua_Unsigned i = 1; i <= n; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i);
    insert_row(L, r, 2);
    lua_settop(L, 1);
  }
  return 1;
}

/* Writes the content of a row that was read. */
static int raw_update(lua_State *L) {
  raw *r = self(L);
  sqlite3_stmt *stmt = r->statements[UPDATE];
  bind_text_field(L, stmt, 1, 1, CONTENT);
  sqlite3_bind_int64(stmt, 2, integer_field(L, 1, ID));
  raw_run(L, stmt);
  return 0;
}

/* ---- deletion ----------------------------------------------------- */

/* `key` 0: a deletion of many. */
static sqlite3_int64 write_event(lua_State *L, raw *r, const stamp *now,
                                 lua_Integer key) {
  sqlite3_stmt *stmt = r->statements[EVENT];
  sqlite3_bind_text(stmt, 1, now->at, now->at_size, SQLITE_STATIC);
  if (key != 0) {
    sqlite3_bind_int64(stmt, 2, key); /* a text by the column's affinity */
  } else {
    sqlite3_bind_null(stmt, 2);
  }
  raw_run(L, stmt);
  return sqlite3_last_insert_rowid(r->db);
}

static void mark(lua_State *L, raw *r, const char *title, size_t size,
                 const stamp *now, sqlite3_int64 event, lua_Integer key) {
  sqlite3_stmt *stmt = r->statements[DELETE];
  sqlite3_bind_text(stmt, 1, title, (int)size, SQLITE_STATIC);
  sqlite3_bind_text(stmt, 2, now->at, now->at_size, SQLITE_STATIC);
  sqlite3_bind_int64(stmt, 3, event);
  sqlite3_bind_int64(stmt, 4, key);
  raw_run(L, stmt);
  lua_pushlstring(L, title, size);
  set_field(L, 1, TITLE);
  lua_pushlstring(L, now->at, (size_t)now->at_size);
  set_field(L, 1, DELETED_AT);
  lua_pushinteger(L, event);
  set_field(L, 1, DELETED_EVENT);
}

static int raw_delete(lua_State *L) {
  char mangled[512];
  stamp now;
  size_t size;
  raw *r = self(L);
  const char *title = text_field(L, 1, TITLE, &size);
  lua_Integer key = integer_field(L, 1, ID);
  luaL_argcheck(L, size <= sizeof mangled - SUFFIX_SIZE, 1, "title too long");
  raw_read_clock(&now);
  memcpy(mangled, title, size);
  memcpy(mangled + size, now.suffix, SUFFIX_SIZE);
  mark(L, r, mangled, size + SUFFIX_SIZE, &now, write_event(L, r, &now, key),
       key);
  return 0;
}

static size_t original_size(const char *title, size_t size) {
  if (size < SUFFIX_SIZE) return size;
  const char *suffix = title + size - SUFFIX_SIZE;
  return memcmp(suffix, MARK, MARK_SIZE) == 0 ? size - SUFFIX_SIZE : size;
}

static int raw_restore(lua_State *L) {
  size_t size;
  raw *r = self(L);
  sqlite3_stmt *stmt = r->statements[RESTORE];
  const char *title = text_field(L, 1, TITLE, &size);
  size = original_size(title, size);
  sqlite3_bind_text(stmt, 1, title, (int)size, SQLITE_STATIC);
  sqlite3_bind_int64(stmt, 2, integer_field(L, 1, ID));
  raw_run(L, stmt);
  lua_pushlstring(L, title, size);
  set_field(L, 1, TITLE);
  lua_pushnil(L);
  set_field(L, 1, DELETED_AT);
  lua_pushnil(L);
  set_field(L, 1, DELETED_EVENT);
  return 0;
}

/* delete_many(key): the living up to that key; answers count and event. */
static int raw_delete_many(lua_State *L) {
  stamp now;
  raw *r = self(L);
  sqlite3_stmt *stmt = r->statements[DELETE_MANY];
  raw_read_clock(&now);
  raw_run(L, r->statements[BEGIN]);
  sqlite3_int64 event = write_event(L, r, &now, 0);
  sqlite3_bind_text(stmt, 1, now.suffix, SUFFIX_SIZE, SQLITE_STATIC);
  sqlite3_bind_text(stmt, 2, now.at, now.at_size, SQLITE_STATIC);
  sqlite3_bind_int64(stmt, 3, event);
  sqlite3_bind_int64(stmt, 4, luaL_checkinteger(L, 1));
  raw_run(L, stmt);
  lua_pushinteger(L, sqlite3_changes(r->db));
  raw_run(L, r->statements[COMMIT]);
  lua_pushinteger(L, event);
  return 2;
}

/* undo(event) answers the count of rows that came back. */
static int raw_undo(lua_State *L) {
  stamp now;
  raw *r = self(L);
  sqlite3_stmt *undo = r->statements[UNDO];
  sqlite3_stmt *rows = r->statements[RESTORE_MANY];
  lua_Integer event = luaL_checkinteger(L, 1);
  raw_read_clock(&now);
  raw_run(L, r->statements[BEGIN]);
  sqlite3_bind_text(undo, 1, now.at, now.at_size, SQLITE_STATIC);
  sqlite3_bind_int64(undo, 2, event);
  raw_run(L, undo);
  sqlite3_bind_int64(rows, 1, event);
  raw_run(L, rows);
  lua_pushinteger(L, sqlite3_changes(r->db));
  raw_run(L, r->statements[COMMIT]);
  return 1;
}

/* ---- the handle --------------------------------------------------- */

int raw_exec_on(lua_State *L, sqlite3 *db) {
  int code = sqlite3_exec(db, luaL_checkstring(L, 1), NULL, NULL, NULL);
  return code == SQLITE_OK ? 0 : raw_fail(L, db);
}

int raw_text_on(lua_State *L, sqlite3 *db) {
  sqlite3_stmt *stmt;
  const char *sql = luaL_checkstring(L, 1);
  if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
    return raw_fail(L, db);
  }
  int code = sqlite3_step(stmt);
  lua_pushstring(L, code == SQLITE_ROW
                        ? (const char *)sqlite3_column_text(stmt, 0)
                        : NULL);
  sqlite3_finalize(stmt);
  return code == SQLITE_ROW || code == SQLITE_DONE ? 1 : raw_fail(L, db);
}

void raw_open_file(lua_State *L, sqlite3 **db, const char *path,
                   sqlite3_stmt **statements, const char *const *list, int n) {
  if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                      NULL) != SQLITE_OK) {
    raw_fail(L, *db);
  }
  for (int i = 0; i < n; i++) {
    if (sqlite3_prepare_v3(*db, list[i], -1, SQLITE_PREPARE_PERSISTENT,
                           &statements[i], NULL) != SQLITE_OK) {
      raw_fail(L, *db);
    }
  }
}

void raw_close_file(sqlite3 **db, sqlite3_stmt **statements, int n) {
  for (int i = 0; i < n; i++) {
    sqlite3_finalize(statements[i]);
    statements[i] = NULL;
  }
  sqlite3_close(*db);
  *db = NULL;
}

static int raw_exec(lua_State *L) {
  return raw_exec_on(L, self(L)->db);
}

static int raw_text(lua_State *L) {
  return raw_text_on(L, self(L)->db);
}

static void close_handle(raw *r) {
  raw_close_file(&r->db, r->statements, STATEMENTS);
}

static int raw_close(lua_State *L) {
  close_handle(self(L));
  return 0;
}

static int raw_gc(lua_State *L) {
  close_handle(lua_touserdata(L, 1));
  return 0;
}

static const luaL_Reg methods[] = {{"get", raw_get},
                                   {"get_deleted", raw_get_deleted},
                                   {"page", raw_page},
                                   {"each", raw_each},
                                   {"insert", raw_insert},
                                   {"insert_many", raw_insert_many},
                                   {"update", raw_update},
                                   {"delete", raw_delete},
                                   {"restore", raw_restore},
                                   {"delete_many", raw_delete_many},
                                   {"undo", raw_undo},
                                   {"exec", raw_exec},
                                   {"text", raw_text},
                                   {"close", raw_close},
                                   {NULL, NULL}};

static raw *new_handle(lua_State *L) {
  raw *r = lua_newuserdatauv(L, sizeof *r, 0);
  memset(r, 0, sizeof *r);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, raw_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  return r;
}

/* open(path): a table of functions. The tables must be there. */
static int raw_open(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  luaL_newlibtable(L, methods);
  raw *r = new_handle(L);
  raw_open_file(L, &r->db, path, r->statements, texts, STATEMENTS);
  for (int i = 0; i < COLUMNS; i++) lua_pushstring(L, names[i]);
  luaL_setfuncs(L, methods, 1 + COLUMNS);
  return 1;
}

int luaopen_raw(lua_State *L);

int luaopen_raw(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", raw_open},
                                       {"open_family", raw_open_family},
                                       {"now", raw_now},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
