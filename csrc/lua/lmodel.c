/*
** lmodel.c - declaring models.
**
** db:define(table, spec) checks the spec and makes `table` the model: it gets
** the managers objects, all_objects and deleted_objects, and is the metatable
** of the rows. What a spec may say is what tomb_model_def says.
*/
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "raise.h"

/***
Declaring.
@module tombstone.model
*/

/* ---- reading a spec ----------------------------------------------- */

/* Memory for what the definition points to, and the strings that it borrows,
** live on the stack below the result. */
static const char *text(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  if (lua_isnil(L, -1)) return NULL;
  if (lua_type(L, -1) != LUA_TSTRING) {
    tomb_misuse(L, NULL, "%s must be a text, not a %s", name,
                tomb_typename(L, -1));
  }
  const char *value = lua_tostring(L, -1);
  if (strlen(value) != lua_rawlen(L, -1)) {
    tomb_misuse(L, NULL, "%s holds a zero byte", name);
  }
  return value;
}

static bool flag(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  bool value = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return value;
}

static size_t whole(lua_State *L, int table, const char *name) {
  lua_getfield(L, table, name);
  lua_Number n = lua_tonumber(L, -1);
  bool given = !lua_isnil(L, -1);
  bool fits = lua_type(L, -1) == LUA_TNUMBER && n >= 1 && n < 1e9 &&
              n == (lua_Number)(size_t)n;
  lua_pop(L, 1);
  if (given && !fits) {
    tomb_misuse(L, NULL, "%s is a whole number from 1 on", name);
  }
  return given ? (size_t)n : 0;
}

/* One of the words, whose place is the answer; 0 where it is not given. */
static int word(lua_State *L, int table, const char *name,
                const char *const *words) {
  const char *value = text(L, table, name);
  int i = 0;
  if (value == NULL) return 0;
  while (words[i] != NULL && strcmp(words[i], value) != 0) i++;
  if (words[i] == NULL) {
    tomb_misuse(L, NULL, "There is no %s '%s'", name, value);
  }
  return i;
}

static tomb_unique unique(lua_State *L, int table) {
  static const char *const words[] = {"no",   "yes",    "mangle",
                                      "live", "always", NULL};
  return (tomb_unique)word(L, table, "unique", words);
}

static tomb_field_type type(lua_State *L, int table) {
  static const char *const words[] = {"char",   "text",    "integer",
                                      "number", "boolean", "datetime",
                                      "blob",   "json",    NULL};
  return (tomb_field_type)word(L, table, "type", words);
}

static tomb_on_delete on_delete(lua_State *L, int table) {
  static const char *const words[] = {"none", "cascade", "restrict", "keep",
                                      NULL};
  return (tomb_on_delete)word(L, table, "on_delete", words);
}

static void choices(lua_State *L, int table, const tomb_field *as,
                    tomb_field_def *out) {
  lua_getfield(L, table, "choices");
  if (lua_isnil(L, -1)) return;
  int list = lua_gettop(L);
  if (!lua_istable(L, list)) tomb_misuse(L, NULL, "choices is a list");
  size_t n = lua_rawlen(L, list);
  luaL_checkstack(L, (int)n + 8, "too many choices");
  tomb_value *values = tomb_newud(L, n * sizeof *values + 1, 0);
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, list, (int)i + 1);
    tomb_tovalue(L, lua_gettop(L), as, &values[i]);
  }
  out->choices = values;
  out->n_choices = n;
}

static void read_field(lua_State *L, int table, tomb_field_def *out) {
  tomb_field as;
  memset(&as, 0, sizeof as);
  luaL_checkstack(L, 16, NULL);
  as.name = out->name = text(L, table, "name");
  as.type = out->type = type(L, table);
  out->column = text(L, table, "column");
  out->primary_key = flag(L, table, "primary_key");
  out->nullable = flag(L, table, "null");
  out->index = flag(L, table, "index");
  out->unique = unique(L, table);
  out->max_length = whole(L, table, "max_length");
  out->check = text(L, table, "check");
  out->collate = text(L, table, "collate");
  out->references = text(L, table, "references");
  out->on_delete = on_delete(L, table);
  out->relation_name = text(L, table, "relation");
  out->counts = text(L, table, "counts");
  out->related_name = text(L, table, "related_name");
  lua_getfield(L, table, "default");
  tomb_tovalue(L, lua_gettop(L), &as, &out->default_value);
  choices(L, table, &as, out);
}

/* Pushes the list `name` of the spec and memory for its items. */
static size_t begin_list(lua_State *L, int spec, const char *name, size_t item,
                         void **memory) {
  lua_getfield(L, spec, name);
  size_t n = lua_istable(L, -1) ? lua_rawlen(L, -1) : 0;
  luaL_checkstack(L, (int)n * 16 + 16, "a model of too many fields");
  *memory = tomb_newud(L, n * item + 1, 0);
  memset(*memory, 0, n * item + 1);
  return n;
}

static const tomb_field_def *fields(lua_State *L, int spec, size_t *n) {
  void *memory;
  *n = begin_list(L, spec, "fields", sizeof(tomb_field_def), &memory);
  int list = lua_gettop(L) - 1;
  tomb_field_def *out = memory;
  for (size_t i = 0; i < *n; i++) {
    lua_rawgeti(L, list, (int)i + 1);
    read_field(L, lua_gettop(L), &out[i]);
  }
  return out;
}

static const char *const *names(lua_State *L, int spec, const char *name,
                                size_t *n) {
  void *memory;
  *n = begin_list(L, spec, name, sizeof(char *), &memory);
  int list = lua_gettop(L) - 1;
  const char **out = memory;
  for (size_t i = 0; i < *n; i++) {
    lua_rawgeti(L, list, (int)i + 1);
    if (lua_type(L, -1) != LUA_TSTRING) {
      tomb_misuse(L, NULL, "%s takes names of fields, not a %s", name,
                  tomb_typename(L, -1));
    }
    out[i] = lua_tostring(L, -1);
  }
  return out;
}

static const tomb_group_def *groups(lua_State *L, int spec, size_t *n) {
  void *memory;
  *n = begin_list(L, spec, "groups", sizeof(tomb_group_def), &memory);
  int list = lua_gettop(L) - 1;
  tomb_group_def *out = memory;
  for (size_t i = 0; i < *n; i++) {
    lua_rawgeti(L, list, (int)i + 1);
    int group = lua_gettop(L);
    out[i].unique = unique(L, group);
    out[i].fields = names(L, group, "fields", &out[i].n_fields);
  }
  return out;
}

static const tomb_link_def *links(lua_State *L, int spec, size_t *n) {
  void *memory;
  *n = begin_list(L, spec, "links", sizeof(tomb_link_def), &memory);
  int list = lua_gettop(L) - 1;
  tomb_link_def *out = memory;
  for (size_t i = 0; i < *n; i++) {
    lua_rawgeti(L, list, (int)i + 1);
    int link = lua_gettop(L);
    out[i].name = text(L, link, "name");
    out[i].related_name = text(L, link, "back");
    out[i].to = text(L, link, "to");
    out[i].through = text(L, link, "through");
    out[i].near = text(L, link, "near");
    out[i].far = text(L, link, "far");
  }
  return out;
}

static int64_t keep(lua_State *L, int spec) {
  lua_getfield(L, spec, "keep");
  lua_Number seconds = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return seconds > 0 && seconds < 1e11 ? (int64_t)(seconds * 1e6) : 0;
}

static void read_spec(lua_State *L, int spec, tomb_model_def *def) {
  static const char *const soft[] = {"events", "stamp", "off", NULL};
  memset(def, 0, sizeof *def);
  luaL_checkstack(L, 24, NULL);
  def->name = text(L, spec, "name");
  def->table = text(L, spec, "table");
  def->fields = fields(L, spec, &def->n_fields);
  def->groups = groups(L, spec, &def->n_groups);
  def->links = links(L, spec, &def->n_links);
  def->order_by = names(L, spec, "order_by", &def->n_order_by);
  def->soft_delete = (tomb_soft_delete)word(L, spec, "soft_delete", soft);
  def->deleted_at = text(L, spec, "deleted_at");
  def->deleted_event = text(L, spec, "deleted_event");
  def->strategy = unique(L, spec);
  def->keep = keep(L, spec);
  def->timestamps = flag(L, spec, "timestamps");
  def->version = flag(L, spec, "version");
}

/* ---- the model's table -------------------------------------------- */

static void push_keys(lua_State *L, const lua_model *box) {
  lua_createtable(L, (int)box->n_fields, 0);
  for (size_t i = 0; i < box->n_fields; i++) {
    lua_pushstring(L, tomb_model_field(box->model, i)->name);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

/* Pushes the MODEL of the table at 2, whose database is at 1. */
static lua_model *push_model(lua_State *L, const tomb_model *model) {
  lua_model *box = tomb_newud(L, sizeof *box, MODEL_REFS);
  memset(box, 0, sizeof *box);
  box->model = model;
  box->db = lua_touserdata(L, 1);
  box->n_fields = tomb_model_fields(model);
  tomb_setclass(L, MODEL);
  lua_pushvalue(L, 1);
  tomb_setref(L, -2, MODEL_DB);
  lua_pushvalue(L, 2);
  tomb_setref(L, -2, MODEL_TABLE);
  push_keys(L, box);
  tomb_setref(L, -2, MODEL_KEYS);
  return box;
}

static void set_raw(lua_State *L, int table, const char *name) {
  lua_pushstring(L, name);
  lua_insert(L, -2);
  lua_rawset(L, table);
}

/* The managers, and the way from a row to its model. */
static void dress(lua_State *L, int at, const tomb_model *model) {
  lua_query *manager = tomb_new_query(L, at, 0);
  manager->query = tomb_objects(model);
  set_raw(L, 2, "objects");
  manager = tomb_new_query(L, at, 0);
  manager->query = tomb_all_objects(model);
  set_raw(L, 2, "all_objects");
  manager = tomb_new_query(L, at, 0);
  manager->query = tomb_deleted_objects(model);
  set_raw(L, 2, "deleted_objects");
  lua_pushvalue(L, 2);
  set_raw(L, 2, "__index");
  lua_pushvalue(L, at);
  tomb_rawsetp(L, 2, &tomb_model_key);
}

/* Takes the functions of table `name` into an array by field; false when there
** are none. */
static bool keep_functions(lua_State *L, const lua_model *box, const char *name,
                           int ref) {
  lua_getfield(L, 3, name);
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  bool any = false;
  lua_createtable(L, (int)box->n_fields, 0);
  for (size_t i = 0; i < box->n_fields; i++) {
    lua_getfield(L, -2, tomb_model_field(box->model, i)->name);
    any = any || lua_isfunction(L, -1);
    lua_rawseti(L, -2, (int)i + 1);
  }
  tomb_setref(L, 4, ref);
  lua_pop(L, 1);
  return any;
}

/* A relation has the name of a field in the engine, and one that takes rows. */
static void keep_relations(lua_State *L, lua_model *box) {
  lua_getfield(L, 3, "fields");
  lua_newtable(L);
  size_t n = lua_istable(L, -2) ? lua_rawlen(L, -2) : 0;
  for (size_t i = 1; i <= n; i++) {
    lua_rawgeti(L, -2, (int)i);
    lua_getfield(L, -1, "references");
    if (!lua_isnil(L, -1)) {
      lua_getfield(L, -2, "relation");
      lua_rawseti(L, -4, (int)++box->n_relations);
    }
    lua_pop(L, 2);
  }
  tomb_setref(L, 4, MODEL_RELATIONS);
  lua_pop(L, 1);
}

/***
Makes a table a model; `db:model` is the way to use it.
@function Database:define
@tparam table|nil model gets the managers, and is the metatable of the rows; nil: the spec is
checked, and no more
@tparam table spec
@treturn table|nil the model
@raise misuse, naming the field and the remedy
@usage db:define({}, { name = "Post", fields = { { name = "title", type = "text" } } })
*/
int tomb_db_define(lua_State *L) {
  tomb_model_def def;
  tomb_error err;
  const tomb_model *model;
  lua_db *box = tomb_check_db(L, 1);
  bool checks = lua_isnoneornil(L, 2);
  if (!checks) luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  read_spec(L, 3, &def);
  tomb_status st = tomb_define(checks ? NULL : &model, box->db, &def, &err);
  if (st != TOMB_OK) return tomb_raise(L, &err);
  if (checks) return 0;
  lua_settop(L, 3);
  lua_model *made = push_model(L, model);
  made->has_defaults = keep_functions(L, made, "functions", MODEL_DEFAULTS);
  made->has_checks = keep_functions(L, made, "checks", MODEL_CHECKS);
  keep_relations(L, made);
  dress(L, 4, model);
  lua_settop(L, 2);
  return 1;
}

/***
Makes a table the model of events.
@function Database:attach
@tparam table model
@treturn table the model
@usage db:attach {}
*/
int tomb_db_attach(lua_State *L) {
  lua_db *box = tomb_check_db(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 3);
  const tomb_model *model = tomb_model_named(box->db, "TombstoneEvent");
  push_model(L, model);
  dress(L, 4, model);
  lua_pushvalue(L, 2);
  tomb_setref(L, 1, DB_EVENTS);
  lua_settop(L, 2);
  return 1;
}
