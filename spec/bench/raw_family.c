/*
** raw_family.c - rows that belong to rows, by hand: what raw.c is for one table.
**
** A cascade writes what the engine writes: an event, the rows of three tables,
** and further owners of rows that were dead before. An undo hands rows over to
** further owners, and leaves dead what has a dead parent. Eager loading reads
** three statements and puts the rows into each other.
*/
#include <string.h>

#include "raw.h"

enum { ID, TITLE, CONTENT, VIEWS, AUTHOR_ID, NAME, TEAM_ID, TEXT, POST_ID };
enum { AUTHOR = POST_ID + 1, COMMENTS, NAMES };

static const char *const names[NAMES] = {
    "id",      "title", "content", "views",  "author_id", "name",
    "team_id", "text",  "post_id", "author", "comments"};

static const int post_columns[] = {ID, TITLE, CONTENT, VIEWS, AUTHOR_ID};
static const int author_columns[] = {ID, NAME, TEAM_ID};
static const int comment_columns[] = {ID, TEXT, POST_ID};

enum {
  EVENT,
  DELETE_AUTHOR,
  OWN_POSTS,
  DELETE_POSTS,
  OWN_COMMENTS,
  DELETE_COMMENTS,
  UNDO,
  DROP_OWNERS,
  PROMOTE_AUTHORS,
  PROMOTE_POSTS,
  PROMOTE_COMMENTS,
  DROP_AUTHORS,
  DROP_POSTS,
  DROP_COMMENTS,
  RESTORE_AUTHORS,
  RESTORE_POSTS,
  RESTORE_COMMENTS,
  NESTED,
  JOINED,
  POSTS,
  BEGIN,
  COMMIT,
  STATEMENTS
};

/* Each takes ?1 the event, ?2 the time, ?3 the suffix, ?4 the author. */
#define MARKED                                                                 \
  "deleted_at = ?2, deleted_event = ?1 WHERE deleted_at IS NULL AND "
#define OWN(model, table)                                                      \
  "INSERT INTO tombstone_owner (event, model, pk) SELECT ?1, '" model          \
  "', CAST(id AS text) FROM " table                                            \
  " WHERE deleted_at IS NOT NULL AND deleted_event IS NOT ?1 AND "
#define BELOW_POSTS                                                            \
  "post_id IN (SELECT id FROM posts WHERE deleted_event = ?1 UNION SELECT "    \
  "CAST(pk AS integer) FROM tombstone_owner WHERE event = ?1 AND model = "     \
  "'Post')"
#define OWNERS_OF(model, table)                                                \
  "FROM tombstone_owner AS o WHERE o.model = '" model                          \
  "' AND o.pk = CAST(" table ".id AS text))"
#define PROMOTE(model, table)                                                  \
  "UPDATE " table " SET deleted_event = (SELECT min(o.event) " OWNERS_OF(      \
      model, table) " WHERE deleted_event = ?1 AND EXISTS (SELECT "            \
                    "1 " OWNERS_OF(model, table)
#define DROP(model, table)                                                     \
  "DELETE FROM tombstone_owner WHERE model = '" model                          \
  "' AND EXISTS (SELECT 1 FROM " table                                         \
  " AS x WHERE x.id = CAST(pk AS integer) AND x.deleted_event = event)"
#define RESTORED                                                               \
  "deleted_at = NULL, deleted_event = NULL WHERE deleted_event = ?1"
#define BARE(column)                                                           \
  column " = substr(" column ", 1, length(" column ") - 27), "
#define PARENT_LIVES(parent, key)                                              \
  " AND NOT EXISTS (SELECT 1 FROM " parent " AS p WHERE p.id = " key           \
  " AND p.deleted_at IS NOT NULL)"
#define POST "p.id, p.title, p.content, p.views, p.author_id FROM posts AS p "

static const char *const texts[STATEMENTS] = {
    [EVENT] = "INSERT INTO tombstone_event (at, model, pk) "
              "VALUES (?2, 'Author', ?4)",
    [DELETE_AUTHOR] = "UPDATE authors SET name = name || ?3, " MARKED "id = ?4",
    [OWN_POSTS] = OWN("Post", "posts") "author_id = ?4",
    [DELETE_POSTS] =
        "UPDATE posts SET title = title || ?3, " MARKED "author_id = ?4",
    [OWN_COMMENTS] = OWN("Comment", "comments") BELOW_POSTS,
    [DELETE_COMMENTS] = "UPDATE comments SET " MARKED BELOW_POSTS,
    [UNDO] = "UPDATE tombstone_event SET undone_at = ?2 WHERE id = ?1",
    [DROP_OWNERS] = "DELETE FROM tombstone_owner WHERE event = ?1",
    [PROMOTE_AUTHORS] = PROMOTE("Author", "authors"),
    [PROMOTE_POSTS] = PROMOTE("Post", "posts"),
    [PROMOTE_COMMENTS] = PROMOTE("Comment", "comments"),
    [DROP_AUTHORS] = DROP("Author", "authors"),
    [DROP_POSTS] = DROP("Post", "posts"),
    [DROP_COMMENTS] = DROP("Comment", "comments"),
    [RESTORE_AUTHORS] = "UPDATE authors SET " BARE("name") RESTORED,
    [RESTORE_POSTS] = "UPDATE posts SET " BARE("title")
        RESTORED PARENT_LIVES("authors", "author_id"),
    [RESTORE_COMMENTS] =
        "UPDATE comments SET " RESTORED PARENT_LIVES("posts", "post_id"),
    [NESTED] = "SELECT " POST
               "WHERE p.deleted_at IS NULL AND p.author_id IN (SELECT id FROM "
               "authors WHERE deleted_at IS NULL AND team_id IN (SELECT id "
               "FROM teams WHERE deleted_at IS NULL AND name = ?)) ORDER BY "
               "p.id",
    [JOINED] = "SELECT " POST
               "JOIN authors AS a ON a.id = p.author_id AND a.deleted_at IS "
               "NULL JOIN teams AS t ON t.id = a.team_id AND t.deleted_at IS "
               "NULL WHERE p.deleted_at IS NULL AND t.name = ? ORDER BY p.id",
    [POSTS] = "SELECT " POST "WHERE p.deleted_at IS NULL ORDER BY p.id LIMIT ?",
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
};

#define MOST_KEYS 1000

/* A list of keys, and the statement for as many. */
typedef struct keyed {
  sqlite3_stmt *stmt;
  int prepared;
  int n;
  sqlite3_int64 keys[MOST_KEYS];
} keyed;

typedef struct family {
  sqlite3 *db;
  sqlite3_stmt *statements[STATEMENTS];
  keyed authors, posts;
  sqlite3_int64 author_of[MOST_KEYS]; /* of each post */
} family;

/* Every function has the handle and the names as upvalues. */
#define NAME_OF(column) lua_upvalueindex((column) + 2)

static family *self(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

/* ---- deletion and undo -------------------------------------------- */

static void bind_event(sqlite3_stmt *stmt, sqlite3_int64 event,
                       const stamp *now, sqlite3_int64 author) {
  int n = sqlite3_bind_parameter_count(stmt);
  if (n >= 1) sqlite3_bind_int64(stmt, 1, event);
  if (n >= 2) sqlite3_bind_text(stmt, 2, now->at, now->at_size, SQLITE_STATIC);
  if (n >= 3) {
    sqlite3_bind_text(stmt, 3, now->suffix, SUFFIX_SIZE, SQLITE_STATIC);
  }
  if (n >= 4) sqlite3_bind_int64(stmt, 4, author);
}

/* Runs some statements in their order; answers the rows they changed. */
static sqlite3_int64 run_all(lua_State *L, int from, int to,
                             sqlite3_int64 event, const stamp *now,
                             sqlite3_int64 author) {
  family *r = self(L);
  sqlite3_int64 changed = 0;
  for (int i = from; i <= to; i++) {
    bind_event(r->statements[i], event, now, author);
    raw_run(L, r->statements[i]);
    changed += sqlite3_changes(r->db);
  }
  return changed;
}

/* delete(author) answers the event. */
static int family_delete(lua_State *L) {
  stamp now;
  family *r = self(L);
  lua_Integer author = luaL_checkinteger(L, 1);
  raw_read_clock(&now);
  raw_run(L, r->statements[BEGIN]);
  run_all(L, EVENT, EVENT, 0, &now, author);
  sqlite3_int64 event = sqlite3_last_insert_rowid(r->db);
  run_all(L, DELETE_AUTHOR, DELETE_COMMENTS, event, &now, author);
  raw_run(L, r->statements[COMMIT]);
  lua_pushinteger(L, event);
  return 1;
}

/* undo(event) answers the count of rows that came back. */
static int family_undo(lua_State *L) {
  stamp now;
  family *r = self(L);
  lua_Integer event = luaL_checkinteger(L, 1);
  raw_read_clock(&now);
  raw_run(L, r->statements[BEGIN]);
  run_all(L, UNDO, DROP_COMMENTS, event, &now, 0);
  lua_pushinteger(
      L, run_all(L, RESTORE_AUTHORS, RESTORE_COMMENTS, event, &now, 0));
  raw_run(L, r->statements[COMMIT]);
  return 1;
}

/* ---- rows out ----------------------------------------------------- */

static void push_row(lua_State *L, sqlite3_stmt *stmt, const int *columns,
                     int n, int room) {
  lua_createtable(L, 0, n + room);
  for (int i = 0; i < n; i++) {
    lua_pushvalue(L, NAME_OF(columns[i]));
    if (sqlite3_column_type(stmt, i) == SQLITE_INTEGER) {
      lua_pushinteger(L, sqlite3_column_int64(stmt, i));
    } else {
      const char *text = (const char *)sqlite3_column_text(stmt, i);
      lua_pushlstring(L, text, (size_t)sqlite3_column_bytes(stmt, i));
    }
    lua_rawset(L, -3);
  }
}

static int filter_by(lua_State *L, int which) {
  family *r = self(L);
  size_t size;
  sqlite3_stmt *stmt = r->statements[which];
  const char *team = luaL_checklstring(L, 1, &size);
  sqlite3_bind_text(stmt, 1, team, (int)size, SQLITE_STATIC);
  lua_newtable(L);
  for (int i = 1; sqlite3_step(stmt) == SQLITE_ROW; i++) {
    push_row(L, stmt, post_columns, 5, 0);
    lua_rawseti(L, -2, i);
  }
  return sqlite3_reset(stmt) == SQLITE_OK ? 1 : raw_fail(L, r->db);
}

/* nested(team), joined(team): the posts of authors of that team. */
static int family_nested(lua_State *L) {
  return filter_by(L, NESTED);
}

static int family_joined(lua_State *L) {
  return filter_by(L, JOINED);
}

/* ---- eager loading ------------------------------------------------ */

enum { LIMIT = 1, LIST, BY_AUTHOR, OF_POST };

/* The statement for as many keys is kept, as it would be by hand. */
static void prepare_keys(lua_State *L, family *r, keyed *list,
                         const char *before) {
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  luaL_addstring(&text, before);
  for (int i = 0; i < list->n; i++) luaL_addstring(&text, i > 0 ? ", ?" : "?");
  luaL_addstring(&text, ") ORDER BY id");
  luaL_pushresult(&text);
  sqlite3_finalize(list->stmt);
  list->stmt = NULL;
  if (sqlite3_prepare_v3(r->db, lua_tostring(L, -1), -1,
                         SQLITE_PREPARE_PERSISTENT, &list->stmt,
                         NULL) != SQLITE_OK) {
    raw_fail(L, r->db);
  }
  lua_pop(L, 1);
  list->prepared = list->n;
}

static sqlite3_stmt *bind_keys(lua_State *L, family *r, keyed *list,
                               const char *before) {
  if (list->prepared != list->n) prepare_keys(L, r, list, before);
  for (int i = 0; i < list->n; i++) {
    sqlite3_bind_int64(list->stmt, i + 1, list->keys[i]);
  }
  return list->stmt;
}

/* The post on top gets a list for its comments, its author is asked for once. */
static void note_post(lua_State *L, family *r, sqlite3_int64 id,
                      sqlite3_int64 author) {
  r->author_of[r->posts.n] = author;
  r->posts.keys[r->posts.n++] = id;
  lua_pushvalue(L, NAME_OF(COMMENTS));
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawseti(L, OF_POST, id);
  lua_rawset(L, -3);
  if (lua_rawgeti(L, BY_AUTHOR, author) == LUA_TNIL) {
    r->authors.keys[r->authors.n++] = author;
    lua_pushboolean(L, 0);
    lua_rawseti(L, BY_AUTHOR, author);
  }
  lua_pop(L, 1);
}

static void load_posts(lua_State *L, family *r, lua_Integer limit) {
  sqlite3_stmt *stmt = r->statements[POSTS];
  sqlite3_bind_int64(stmt, 1, limit);
  r->posts.n = r->authors.n = 0;
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    push_row(L, stmt, post_columns, 5, 2);
    note_post(L, r, sqlite3_column_int64(stmt, 0),
              sqlite3_column_int64(stmt, 4));
    lua_rawseti(L, LIST, r->posts.n);
  }
  if (sqlite3_reset(stmt) != SQLITE_OK) raw_fail(L, r->db);
}

static void load_authors(lua_State *L, family *r) {
  sqlite3_stmt *stmt =
      bind_keys(L, r, &r->authors,
                "SELECT id, name, team_id FROM authors WHERE deleted_at IS "
                "NULL AND id IN (");
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    push_row(L, stmt, author_columns, 3, 0);
    lua_rawseti(L, BY_AUTHOR, sqlite3_column_int64(stmt, 0));
  }
  if (sqlite3_reset(stmt) != SQLITE_OK) raw_fail(L, r->db);
  for (int i = 0; i < r->posts.n; i++) {
    lua_rawgeti(L, LIST, i + 1);
    lua_pushvalue(L, NAME_OF(AUTHOR));
    lua_rawgeti(L, BY_AUTHOR, r->author_of[i]);
    lua_rawset(L, -3);
    lua_pop(L, 1);
  }
}

static void load_comments(lua_State *L, family *r) {
  sqlite3_stmt *stmt =
      bind_keys(L, r, &r->posts,
                "SELECT id, text, post_id FROM comments WHERE deleted_at IS "
                "NULL AND post_id IN (");
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    lua_rawgeti(L, OF_POST, sqlite3_column_int64(stmt, 2));
    push_row(L, stmt, comment_columns, 3, 0);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
  }
  if (sqlite3_reset(stmt) != SQLITE_OK) raw_fail(L, r->db);
}

/* load(n): n posts, each with `author` and `comments`. */
static int family_load(lua_State *L) {
  family *r = self(L);
  lua_Integer n = luaL_checkinteger(L, LIMIT);
  luaL_argcheck(L, n > 0 && n <= MOST_KEYS, LIMIT, "too many");
  lua_createtable(L, (int)n, 0);
  lua_newtable(L);
  lua_createtable(L, (int)n, 0);
  load_posts(L, r, n);
  load_authors(L, r);
  load_comments(L, r);
  lua_settop(L, LIST);
  return 1;
}

/* ---- the handle --------------------------------------------------- */

static int family_exec(lua_State *L) {
  return raw_exec_on(L, self(L)->db);
}

static int family_text(lua_State *L) {
  return raw_text_on(L, self(L)->db);
}

static void close_handle(family *r) {
  sqlite3_finalize(r->authors.stmt);
  sqlite3_finalize(r->posts.stmt);
  r->authors.stmt = r->posts.stmt = NULL;
  raw_close_file(&r->db, r->statements, STATEMENTS);
}

static int family_gc(lua_State *L) {
  close_handle(lua_touserdata(L, 1));
  return 0;
}

static const luaL_Reg methods[] = {
    {"delete", family_delete}, {"undo", family_undo}, {"nested", family_nested},
    {"joined", family_joined}, {"load", family_load}, {"exec", family_exec},
    {"text", family_text},     {NULL, NULL}};

static family *new_handle(lua_State *L) {
  family *r = lua_newuserdatauv(L, sizeof *r, 0);
  memset(r, 0, sizeof *r);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, family_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  return r;
}

int raw_open_family(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  luaL_newlibtable(L, methods);
  family *r = new_handle(L);
  raw_open_file(L, &r->db, path, r->statements, texts, STATEMENTS);
  for (int i = 0; i < NAMES; i++) lua_pushstring(L, names[i]);
  luaL_setfuncs(L, methods, 1 + NAMES);
  return 1;
}
