/* raise.c - the only place that raises: error objects, with a kind each. */
#include "raise.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "convert.h"
#include "lua_sources.h"

static void set_text(lua_State *L, const char *name, const char *text) {
  if (text[0] == '\0') return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

/* Bytes of the text without the beginning of a character that was cut off. */
static size_t without_half_character(const char *text) {
  size_t size = strlen(text), n = size;
  while (n > 0 && size - n < 3 && ((unsigned char)text[n - 1] & 0xC0) == 0x80) {
    n--;
  }
  unsigned char lead = n == 0 ? 0 : (unsigned char)text[n - 1];
  size_t whole = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  return n > 0 && whole > size - n + 1 ? n - 1 : size;
}

/* The same for a text that may quote what the program passed: one line. */
static void set_line(lua_State *L, const char *name, const char *text) {
  char line[sizeof((tomb_error *)0)->message];
  size_t n = without_half_character(text);
  for (size_t i = 0; i < n; i++) {
    line[i] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
  }
  if (n == 0) return;
  lua_pushlstring(L, line, n);
  lua_setfield(L, -2, name);
}

static void set_fields(lua_State *L, const tomb_error *err) {
  if (err->n_fields == 0) return;
  lua_createtable(L, (int)err->n_fields, 0);
  lua_createtable(L, 0, (int)err->n_fields);
  for (size_t i = 0; i < err->n_fields; i++) {
    lua_pushstring(L, err->fields[i]);
    lua_rawseti(L, -3, (int)i + 1);
    lua_pushstring(L, err->details[i]);
    lua_setfield(L, -2, err->fields[i]);
  }
  lua_setfield(L, -3, "reasons");
  lua_setfield(L, -2, "fields");
}

static void set_conflict(lua_State *L, const tomb_error *err) {
  if (!err->has_live_pk && !err->has_dead_pk) return;
  lua_createtable(L, 1, 0);
  lua_createtable(L, 0, 2);
  if (err->has_live_pk) {
    tomb_pushkept(L, &err->live_pk);
    lua_setfield(L, -2, "live_pk");
  }
  if (err->has_dead_pk) {
    tomb_pushkept(L, &err->dead_pk);
    lua_setfield(L, -2, "dead_pk");
  }
  lua_rawseti(L, -2, 1);
  lua_setfield(L, -2, "conflicts");
}

static void set_numbers(lua_State *L, const tomb_error *err) {
  if (err->code != 0) {
    lua_pushinteger(L, err->code);
    lua_setfield(L, -2, "code");
  }
  if (err->index != 0) {
    lua_pushinteger(L, (lua_Integer)err->index);
    lua_setfield(L, -2, "index");
  }
}

static bool ends_in(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

/* Our own Lua: compiled in it is called "=tombstone.query" and the like, and
** from files tombstone/query.lua. */
static bool is_ours(const char *source) {
  char file[80];
  if (strncmp(source, "=tombstone", 10) == 0) return true;
  for (const tomb_lua_source *s = tomb_lua_sources; s->name != NULL; s++) {
    const char *dot = strchr(s->name, '.');
    snprintf(file, sizeof file, "tombstone/%s.lua",
             dot == NULL ? "init" : dot + 1);
    if (ends_in(source, file)) return true;
  }
  return false;
}

/* Where the program was: for people, never part of the message. */
static void set_where(lua_State *L) {
  lua_Debug at;
  for (int level = 0; lua_getstack(L, level, &at) != 0; level++) {
    lua_getinfo(L, "Sl", &at);
    if (at.currentline <= 0 || is_ours(at.source)) continue;
    lua_pushfstring(L, "%s:%d", at.short_src, at.currentline);
    lua_setfield(L, -2, "where");
    return;
  }
}

int tomb_no_memory(lua_State *L) {
  lua_pushliteral(L, "not enough memory");
  return lua_error(L);
}

int tomb_raise(lua_State *L, const tomb_error *err) {
  if (err->kind == TOMB_NOMEM) return tomb_no_memory(L);
  luaL_checkstack(L, 8, NULL);
  lua_createtable(L, 0, 8);
  set_text(L, "kind", tomb_status_name(err->kind));
  set_line(L, "message", err->message);
  set_line(L, "hint", err->hint);
  set_text(L, "model", err->model);
  set_text(L, "sql", err->sql);
  set_text(L, "constraint", tomb_constraint_name(err->constraint));
  set_fields(L, err);
  set_numbers(L, err);
  set_conflict(L, err);
  if (err->has_value) {
    tomb_pushkept(L, &err->value);
    lua_setfield(L, -2, "value");
  }
  set_where(L);
  tomb_setclass(L, ERROR);
  return lua_error(L);
}

int tomb_misuse(lua_State *L, const char *hint, const char *format, ...) {
  tomb_error err;
  va_list args;
  memset(&err, 0, sizeof err);
  err.kind = TOMB_MISUSE;
  va_start(args, format);
  const char *message = lua_pushvfstring(L, format, args);
  va_end(args);
  strncpy(err.message, message, sizeof err.message - 1);
  if (hint != NULL) strncpy(err.hint, hint, sizeof err.hint - 1);
  return tomb_raise(L, &err);
}

tomb_status tomb_kind_named(lua_State *L, int index) {
  const char *name = luaL_optstring(L, index, "database");
  for (int st = TOMB_INTEGRITY; st <= TOMB_NOMEM; st++) {
    if (strcmp(tomb_status_name((tomb_status)st), name) == 0) {
      return (tomb_status)st;
    }
  }
  tomb_misuse(L, NULL, "There is no kind of error '%s'", name);
  return TOMB_MISUSE;
}

/* ---- the log ------------------------------------------------------ */

static void call_log(lua_State *L, int function, const tomb_value *values,
                     size_t n) {
  lua_pushvalue(L, function);
  tomb_pushvalue(L, NULL, &values[0]);
  lua_createtable(L, (int)n, 1);
  for (size_t i = 1; i < n; i++) {
    tomb_pushvalue(L, NULL, &values[i]);
    lua_rawseti(L, -2, (int)i);
  }
  lua_pushinteger(L, (lua_Integer)n - 1);
  lua_setfield(L, -2, "n");
  lua_call(L, 2, 0);
}

static void hand_over_log(lua_State *L, lua_db *box, int index) {
  luaL_checkstack(L, 8, NULL);
  index = tomb_absindex(L, index);
  tomb_rows **rows = tomb_new_rows(L, NULL);
  *rows = tomb_log_take(box->db);
  if (*rows != NULL) {
    tomb_getref(L, index, DB_LOG);
    for (size_t i = 0; i < tomb_rows_count(*rows); i++) {
      size_t n;
      const tomb_value *values = tomb_rows_at(*rows, i, &n);
      call_log(L, lua_gettop(L), values, n);
    }
    lua_pop(L, 1);
  }
  tomb_drop_rows(rows);
  lua_pop(L, 1);
}

void tomb_finish(lua_State *L, lua_db *box, int index, tomb_status st,
                 const tomb_error *err) {
  if (box->has_log) hand_over_log(L, box, index);
  if (st != TOMB_OK) tomb_raise(L, err);
}

int tomb_gone(lua_State *L, const tomb_model *model) {
  tomb_error err;
  memset(&err, 0, sizeof err);
  err.kind = TOMB_NOT_FOUND;
  snprintf(err.message, sizeof err.message, "The %s is gone",
           tomb_model_name(model));
  snprintf(err.model, sizeof err.model, "%s", tomb_model_name(model));
  return tomb_raise(L, &err);
}

void tomb_no_more(lua_State *L, int most, const char *what) {
  tomb_check_query(L, 1);
  if (lua_gettop(L) <= most) return;
  const char *hint = "filter first, as in Post.objects:filter{ a = 1 }:count()";
  if (most == 1) tomb_misuse(L, hint, "%s takes no arguments", what);
  tomb_misuse(L, hint, "%s takes %d argument%s at most", what, most - 1,
              most == 2 ? "" : "s");
}

/* ---- options ------------------------------------------------------ */

static bool is_known(const char *const *known, const char *name) {
  for (; *known != NULL; known++) {
    if (strcmp(*known, name) == 0) return true;
  }
  return false;
}

/* Pushes the hint for an option that there is not. */
static void push_remedy(lua_State *L, const char *const *known,
                        const char *wrong) {
  luaL_Buffer b;
  size_t n = 0;
  while (known[n] != NULL) n++;
  const char *nearest =
      wrong == NULL ? NULL : tomb_nearest(known, n, wrong, strlen(wrong));
  luaL_buffinit(L, &b);
  if (nearest != NULL) {
    luaL_addstring(&b, "did you mean '");
    luaL_addstring(&b, nearest);
    luaL_addstring(&b, "'? ");
  }
  luaL_addstring(&b, "the options are ");
  for (size_t i = 0; i < n; i++) {
    if (i > 0) luaL_addstring(&b, ", ");
    luaL_addstring(&b, known[i]);
  }
  luaL_pushresult(&b);
}

void tomb_check_options(lua_State *L, int index, const char *const *known,
                        const char *what) {
  if (lua_isnoneornil(L, index)) return;
  index = tomb_absindex(L, index);
  if (!lua_istable(L, index)) {
    tomb_misuse(L, NULL, "%s takes a table of options, not a %s", what,
                tomb_typename(L, index));
  }
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING &&
        is_known(known, lua_tostring(L, -1))) {
      continue;
    }
    lua_pushvalue(L, -1);
    const char *name = lua_tostring(L, -1);
    push_remedy(L, known, name);
    tomb_misuse(L, lua_tostring(L, -1), "%s has no option '%s'", what,
                name == NULL ? "?" : name);
  }
}

static int error_tostring(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_getfield(L, 1, "message");
  if (!lua_isstring(L, -1)) lua_pushliteral(L, "tombstone error");
  return 1;
}

void tomb_open_errors(lua_State *L) {
  tomb_class(L, ERROR);
  lua_pushcfunction(L, error_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, ERROR);
  lua_setfield(L, -2, "__name");
  lua_pop(L, 1);
}
