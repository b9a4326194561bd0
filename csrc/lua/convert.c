/* convert.c - Lua values to engine values and back. */
#include "convert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lcond.h"
#include "raise.h"

/***
The JSON codec.
@module tombstone.core
*/

static const char json_key = 'j'; /* its address, in the registry */

bool tomb_isnull(lua_State *L, int index) {
  return lua_islightuserdata(L, index) && lua_touserdata(L, index) == NULL;
}

size_t tomb_count_pairs(lua_State *L, int index) {
  size_t n = 0;
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    n++;
    lua_pop(L, 1);
  }
  return n;
}

void tomb_pushnull(lua_State *L) {
  lua_pushlightuserdata(L, NULL);
}

/* ---- JSON --------------------------------------------------------- */

/***
Sets the JSON codec; `tombstone.json` is the way to use it.
@function core.set_json
@tparam function encode
@tparam function decode
@usage core.set_json(cjson.encode, cjson.decode)
*/
int tomb_set_json(lua_State *L) {
  if (!lua_isfunction(L, 1) || !lua_isfunction(L, 2)) {
    return tomb_misuse(L, "as in tombstone.json(cjson.encode, cjson.decode)",
                       "json takes two functions, to encode and to decode");
  }
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, 2);
  tomb_rawsetp(L, LUA_REGISTRYINDEX, &json_key);
  return 0;
}

/* Pushes the encoder (1) or decoder (2). */
static void push_codec(lua_State *L, int which, const tomb_field *field) {
  tomb_rawgetp(L, LUA_REGISTRYINDEX, &json_key);
  if (lua_isnil(L, -1)) {
    tomb_misuse(L, "install lua-cjson, or give tombstone.json a codec",
                "Field '%s' is JSON, and there is no JSON library",
                field->name);
  }
  lua_rawgeti(L, -1, which);
  lua_remove(L, -2);
}

/* What the codec raised is on top. */
static void bad_json(lua_State *L, int status, const tomb_field *field,
                     const char *what) {
  if (status == LUA_ERRMEM) lua_error(L);
  const char *why = lua_tostring(L, -1);
  tomb_misuse(L, NULL, "Field '%s' %s - %s", field->name, what,
              why == NULL ? "unknown" : why);
}

/* The value at `index` becomes its JSON text. */
static void encode(lua_State *L, int index, const tomb_field *field) {
  index = tomb_absindex(L, index);
  push_codec(L, 1, field);
  lua_pushvalue(L, index);
  int status = lua_pcall(L, 1, 1, 0);
  if (status != 0) bad_json(L, status, field, "cannot be encoded as JSON");
  if (lua_type(L, -1) != LUA_TSTRING) {
    bad_json(L, 0, field, "was not encoded to a string");
  }
  lua_replace(L, index);
}

static void push_decoded(lua_State *L, const tomb_field *field,
                         const tomb_value *value) {
  push_codec(L, 2, field);
  lua_pushlstring(L, value->as.text.data, value->as.text.size);
  int status = lua_pcall(L, 1, 1, 0);
  if (status != 0) bad_json(L, status, field, "holds no valid JSON");
}

/* ---- to the engine ------------------------------------------------ */

#if !TOMB_LUA_INTEGERS
/* Integers that doubles cannot hold come as decimal text. */
static bool integer_text(const char *text, size_t size, tomb_value *out) {
  char digits[24];
  char *end;
  if (size == 0 || size >= sizeof digits) return false;
  memcpy(digits, text, size);
  digits[size] = '\0';
  if (strspn(digits + (digits[0] == '-'), "0123456789") !=
      size - (digits[0] == '-')) {
    return false;
  }
  long long n = strtoll(digits, &end, 10);
  char again[24];
  snprintf(again, sizeof again, "%lld", n);
  if (strcmp(again, digits) != 0) return false; /* out of range */
  *out = tomb_integer(n);
  return true;
}
#endif

static void from_string(lua_State *L, int index, const tomb_field *field,
                        tomb_value *out) {
  size_t size;
  const char *text = lua_tolstring(L, index, &size);
  *out = tomb_text_of(text, size);
#if !TOMB_LUA_INTEGERS
  if (field != NULL && field->type == TOMB_FIELD_INTEGER) {
    integer_text(text, size, out);
  }
#else
  (void)field;
#endif
}

static void from_number(lua_State *L, int index, tomb_value *out) {
#if TOMB_LUA_INTEGERS
  if (lua_isinteger(L, index)) {
    *out = tomb_integer(lua_tointeger(L, index));
    return;
  }
#endif
  *out = tomb_number(lua_tonumber(L, index));
}

/* Raw SQL knows no fields: a whole number is an integer there. */
static void from_raw_number(lua_State *L, int index, tomb_value *out) {
  from_number(L, index, out);
#if !TOMB_LUA_INTEGERS
  double n = out->as.number;
  if (n == floor(n) && fabs(n) <= 9007199254740992.0) {
    *out = tomb_integer((int64_t)n);
  }
#endif
}

void tomb_tovalue(lua_State *L, int index, const tomb_field *field,
                  tomb_value *out) {
  static const tomb_value absent = {TOMB_ABSENT, {0}};
  *out = absent;
  if (lua_isnoneornil(L, index)) return;
  if (tomb_isnull(L, index)) {
    *out = tomb_null();
    return;
  }
  if (field != NULL && field->type == TOMB_FIELD_JSON) {
    encode(L, index, field);
  }
  switch (lua_type(L, index)) {
  case LUA_TBOOLEAN: *out = tomb_boolean(lua_toboolean(L, index) != 0); break;
  case LUA_TNUMBER:
    if (field == NULL) {
      from_raw_number(L, index, out);
    } else {
      from_number(L, index, out);
    }
    break;
  case LUA_TSTRING: from_string(L, index, field, out); break;
  default:
    if (tomb_isexpr(L, index)) {
      *out = tomb_text("takes arithmetic in update only");
    }
    out->type = TOMB_REFUSED;
    break;
  }
}

/* ---- to Lua ------------------------------------------------------- */

void tomb_push_count(lua_State *L, int64_t n) {
#if TOMB_LUA_INTEGERS
  lua_pushinteger(L, (lua_Integer)n);
#else
  const int64_t exact = INT64_C(9007199254740992);
  if (n >= -exact && n <= exact) {
    lua_pushnumber(L, (lua_Number)n);
  } else {
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)n);
    lua_pushstring(L, digits);
  }
#endif
}

void tomb_pushvalue(lua_State *L, const tomb_field *field,
                    const tomb_value *value) {
  switch (value->type) {
  case TOMB_ABSENT:
  case TOMB_REFUSED:
  case TOMB_NULL: lua_pushnil(L); break;
  case TOMB_INTEGER: tomb_push_count(L, value->as.integer); break;
  case TOMB_BOOLEAN: lua_pushboolean(L, value->as.integer != 0); break;
  case TOMB_NUMBER: lua_pushnumber(L, value->as.number); break;
  case TOMB_TIME: lua_pushnumber(L, (lua_Number)value->as.integer / 1e6); break;
  case TOMB_TEXT:
    if (field != NULL && field->type == TOMB_FIELD_JSON) {
      push_decoded(L, field, value);
      break;
    }
    lua_pushlstring(L, value->as.text.data, value->as.text.size);
    break;
  case TOMB_BLOB:
    lua_pushlstring(L, value->as.text.data, value->as.text.size);
    break;
  }
}

void tomb_pushkept(lua_State *L, const tomb_kept_value *kept) {
  tomb_value value = kept->value;
  if (value.type == TOMB_TEXT || value.type == TOMB_BLOB) {
    value.as.text.data = kept->bytes;
  }
  tomb_pushvalue(L, NULL, &value);
}
