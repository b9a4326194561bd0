/* lverb.c - what delete, restore and purge share. */
#include "lverb.h"

#include <string.h>

#include "convert.h"
#include "raise.h"
#include "state.h"

const char *tomb_text_option(lua_State *L, int options, const char *name) {
  if (!lua_istable(L, options)) return NULL;
  lua_getfield(L, options, name); /* stays: the table holds it anyway */
  if (lua_isnil(L, -1)) return NULL;
  if (lua_type(L, -1) != LUA_TSTRING) {
    tomb_misuse(L, NULL, "%s is a text, not a %s", name, tomb_typename(L, -1));
  }
  if (strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1)) {
    tomb_misuse(L, NULL, "%s holds a zero byte", name);
  }
  return lua_tostring(L, -1);
}

tomb_on_conflict tomb_conflict_word(lua_State *L, int index) {
  static const char *const words[] = {"fail", "skip", "rename", "replace",
                                      NULL};
  const char *word =
      lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : NULL;
  int i = 0;
  while (words[i] != NULL && (word == NULL || strcmp(words[i], word) != 0)) i++;
  if (words[i] == NULL) {
    tomb_misuse(L, NULL,
                "on_conflict is \"fail\", \"skip\", \"rename\", "
                "\"replace\" or a function");
  }
  return (tomb_on_conflict)i;
}

bool tomb_flag_option(lua_State *L, int options, const char *name) {
  if (!lua_istable(L, options)) return false;
  lua_getfield(L, options, name);
  bool flag = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return flag;
}

int64_t tomb_count_option(lua_State *L, int options, const char *name) {
  if (!lua_istable(L, options)) return 0;
  lua_getfield(L, options, name);
  if (lua_isnil(L, -1)) return 0;
  lua_Number n = lua_tonumber(L, -1);
  if (lua_type(L, -1) != LUA_TNUMBER || !(n >= 1) || !(n < 9e15)) {
    tomb_misuse(L, NULL, "%s is a whole number from 1 on", name);
  }
  return (int64_t)n;
}

/* Stack afterwards: 1 the row, 2 the options, then what the values need. */
void tomb_begin_row(lua_State *L, lua_verb *b) {
  tomb_error err;
  lua_settop(L, 2);
  lua_model *model = tomb_check_row(L, 1);
  tomb_need_kept(L, model->db, 3, 1);
  tomb_begin_values(L, &b->v);
  const tomb_field *key = tomb_model_role(model->model, TOMB_ROLE_KEY);
  lua_rawgeti(L, b->v.slots - 1, (int)key->index + 1);
  lua_rawget(L, 1);
  tomb_tovalue(L, lua_gettop(L), key, &b->key);
  if (b->key.type == TOMB_ABSENT) {
    tomb_misuse(L, "save it first", "The row has no %s", key->name);
  }
  tomb_query every = tomb_all_objects(model->model);
  b->cond = tomb_where(key->name, &b->key);
  if (tomb_filter(&b->query, &every, &b->cond, false, &b->link, &err) !=
      TOMB_OK) {
    tomb_raise(L, &err);
  }
}

void tomb_begin_query(lua_State *L, lua_verb *b) {
  lua_settop(L, 2);
  b->query = tomb_check_query(L, 1)->query;
  tomb_getref(L, 1, QUERY_MODEL);
  tomb_begin_values(L, &b->v);
}

tomb_db *tomb_engine(const lua_verb *b) {
  return b->v.model->db->db;
}

void tomb_set_string(lua_State *L, const char *name, const char *text) {
  if (text == NULL) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}
