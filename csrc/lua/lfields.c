/* lfields.c - what a model knows of itself. */
#include "classes.h"
#include "convert.h"
#include "raise.h"

/***
What a model knows of itself.
@module tombstone.model
*/

const tomb_field *tomb_check_field(lua_State *L, int index,
                                   const tomb_model *model) {
  tomb_error err;
  tomb_order term;
  size_t size;
  if (lua_type(L, index) != LUA_TSTRING) {
    tomb_misuse(L, NULL, "A field's name is needed, not a %s",
                tomb_typename(L, index));
  }
  const char *name = lua_tolstring(L, index, &size);
  const tomb_field *field = tomb_model_find(model, name, size);
  if (field != NULL) return field;
  tomb_order_term(&term, model, name, size, &err); /* refuses, and suggests */
  tomb_raise(L, &err);
  return NULL;
}

/***
The fields, in their order.
@function Model:fields
@treturn {table,...} each with `name`, `column`, `type`, `primary_key`, `null`
@usage for _, field in ipairs(Post:fields()) do print(field.name) end
*/
static int model_fields(lua_State *L) {
  lua_model *model = tomb_check_model(L, 1);
  lua_createtable(L, (int)model->n_fields, 0);
  for (size_t i = 0; i < model->n_fields; i++) {
    const tomb_field *field = tomb_model_field(model->model, i);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, field->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, field->column);
    lua_setfield(L, -2, "column");
    lua_pushstring(L, tomb_field_type_name(field->type));
    lua_setfield(L, -2, "type");
    lua_pushboolean(L, field->role == TOMB_ROLE_KEY);
    lua_setfield(L, -2, "primary_key");
    lua_pushboolean(L, field->nullable);
    lua_setfield(L, -2, "null");
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/***
True when deletions of the model are soft.
@function Model:is_soft
@treturn boolean
@usage assert(Post:is_soft())
*/
static int model_is_soft(lua_State *L) {
  lua_model *model = tomb_check_model(L, 1);
  lua_pushboolean(L,
                  tomb_model_role(model->model, TOMB_ROLE_DELETED_AT) != NULL);
  return 1;
}

/***
True when deletions of the model are events.
@function Model:has_events
@treturn boolean
@usage assert(Post:has_events())
*/
static int model_has_events(lua_State *L) {
  lua_model *model = tomb_check_model(L, 1);
  lua_pushboolean(L, tomb_model_role(model->model, TOMB_ROLE_DELETED_EVENT) !=
                         NULL);
  return 1;
}

/***
The models whose rows this one's need to live: the parents of its cascades and restrictions.
@function Model:parent_models
@treturn {string,...} their names
@usage print(table.concat(Post:parent_models(), ", "))
*/
static int model_parent_models(lua_State *L) {
  lua_model *model = tomb_check_model(L, 1);
  const tomb_relation *relation;
  int n = 0;
  lua_newtable(L);
  for (size_t i = 0; (relation = tomb_model_relation(model->model, i)) != NULL;
       i++) {
    if (relation->on_delete == TOMB_KEEP) continue;
    lua_pushstring(L, relation->parent_name);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/***
How long rows stay in the trash.
@function Model:keep
@treturn number|nil seconds; nil: for ever
@usage print(Post:keep())
*/
static int model_keep(lua_State *L) {
  lua_model *model = tomb_check_model(L, 1);
  tomb_value keep = tomb_time(tomb_model_keep(model->model));
  if (keep.as.integer <= 0) return 0;
  tomb_pushvalue(L, NULL, &keep);
  return 1;
}

/***
The database of the model.
@function Model:database
@treturn database
@usage Post:database():transaction(fn)
*/
static int model_database(lua_State *L) {
  tomb_check_model(L, 1);
  tomb_getref(L, -1, MODEL_DB);
  return 1;
}

/***
The table of a model.
@function core.table_of
@tparam model model
@treturn string
@usage print(core.table_of(Post)) --> posts
*/
int tomb_model_table_of(lua_State *L) {
  lua_pushstring(L, tomb_model_table(tomb_check_model(L, 1)->model));
  return 1;
}

void tomb_open_model(lua_State *L) {
  static const luaL_Reg functions[] = {{"fields", model_fields},
                                       {"database", model_database},
                                       {"is_soft", model_is_soft},
                                       {"has_events", model_has_events},
                                       {"keep", model_keep},
                                       {"parent_models", model_parent_models},
                                       {NULL, NULL}};
  tomb_methods(L, METHODS);
  tomb_setfuncs(L, functions);
  lua_pop(L, 1);
}
