/* levent.c - events: undoing them, and what they hold and bring back. */
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "lverb.h"
#include "raise.h"

/***
Undoing.
@module tombstone.database
*/

int64_t tomb_check_event(lua_State *L, int index) {
  tomb_value id;
  tomb_tovalue(L, index, NULL, &id);
  if (id.type != TOMB_INTEGER) {
    tomb_misuse(L, NULL, "undo takes the id of an event");
  }
  return id.as.integer;
}

static void push_time(lua_State *L, int64_t at) {
  tomb_value now = tomb_time(at);
  tomb_pushvalue(L, NULL, &now);
}

/***
Undoes an event by its id, without hooks; `event:undo()` is the way to use it.
@function Database:undo
@tparam number id
@string[opt="fail"] on_conflict `"fail"`, `"skip"`, `"rename"` or `"replace"`
@treturn number rows restored
@treturn number when, in seconds
@raise not_found, integrity
@usage db:undo(event.id, "skip")
*/
static int db_undo(lua_State *L) {
  tomb_error err;
  int64_t restored;
  tomb_restoration how;
  lua_db *box = tomb_check_db(L, 1);
  int64_t event = tomb_check_event(L, 2);
  memset(&how, 0, sizeof how);
  if (!lua_isnoneornil(L, 3)) how.on_conflict = tomb_conflict_word(L, 3);
  how.now = tomb_clock(L, box, 1);
  tomb_status st = tomb_undo(&restored, box->db, event, &how, &err);
  tomb_finish(L, box, 1, st, &err);
  tomb_push_count(L, restored);
  push_time(L, how.now);
  return 2;
}

/***
Begins an undo in steps: the models' `event_rows(id, "back")` are then to be
restored in the order of `undo_order`, in the same transaction.
@function Database:undo_begin
@tparam number id
@treturn number when, in seconds
@raise not_found; misuse outside of a transaction
@usage local now = db:undo_begin(event.id)
*/
static int db_undo_begin(lua_State *L) {
  tomb_error err;
  lua_db *box = tomb_check_db(L, 1);
  int64_t event = tomb_check_event(L, 2);
  int64_t now = tomb_clock(L, box, 1);
  tomb_status st = tomb_undo_begin(box->db, event, now, &err);
  tomb_finish(L, box, 1, st, &err);
  push_time(L, now);
  return 1;
}

/***
Ends an undo in steps: rows that need each other come back.
@function Database:undo_end
@tparam number id
@string[opt="fail"] on_conflict a word, as for `undo`
@treturn number rows restored
@raise integrity
@usage db:undo_end(event.id)
*/
static int db_undo_end(lua_State *L) {
  tomb_error err;
  int64_t restored;
  lua_db *box = tomb_check_db(L, 1);
  int64_t event = tomb_check_event(L, 2);
  tomb_restoration how;
  memset(&how, 0, sizeof how);
  if (!lua_isnoneornil(L, 3)) how.on_conflict = tomb_conflict_word(L, 3);
  how.now = tomb_clock(L, box, 1);
  tomb_status st = tomb_undo_end(&restored, box->db, event, &how, &err);
  tomb_finish(L, box, 1, st, &err);
  tomb_push_count(L, restored);
  return 1;
}

/***
The names of the models with events, parents before children.
@function Database:undo_order
@treturn {string,...}
@usage for _, name in ipairs(db:undo_order()) do print(name) end
*/
static int db_undo_order(lua_State *L) {
  tomb_error err;
  const tomb_model *model;
  lua_db *box = tomb_check_db(L, 1);
  lua_settop(L, 1);
  tomb_need_db(L, box);
  lua_newtable(L);
  for (int i = 0;; i++) {
    tomb_status st = tomb_undo_order(&model, box->db, (size_t)i, &err);
    tomb_finish(L, box, 1, st, &err);
    if (model == NULL) return 1;
    lua_pushstring(L, tomb_model_name(model));
    lua_rawseti(L, 2, i + 1);
  }
}

/***
The model's dead rows that have to do with an event, as a query.
@function Model:event_rows
@tparam number id of the event
@string which `"held"`: those that it holds dead, alone or with others; `"back"`:
those that come back when it is undone
@treturn query
@raise misuse for a model without events
@usage print(Post:event_rows(event.id, "held"):count())
*/
static int model_event_rows(lua_State *L) {
  static const char *const words[] = {"held", "back", NULL};
  lua_settop(L, 3);
  lua_model *model = tomb_check_model(L, 1); /* pushes the MODEL */
  int64_t event = tomb_check_event(L, 2);
  int which = luaL_checkoption(L, 3, NULL, words);
  if (tomb_model_role(model->model, TOMB_ROLE_DELETED_EVENT) == NULL) {
    tomb_misuse(L, NULL, "%s has no events", tomb_model_name(model->model));
  }
  lua_query *query = tomb_new_query(L, 4, 0);
  query->query =
      tomb_event_rows(model->db->db, model->model,
                      which == 0 ? TOMB_HELD_BY : TOMB_BACK_FROM, event);
  return 1;
}

void tomb_open_events(lua_State *L) {
  static const luaL_Reg databases[] = {{"undo", db_undo},
                                       {"undo_begin", db_undo_begin},
                                       {"undo_end", db_undo_end},
                                       {"undo_order", db_undo_order},
                                       {NULL, NULL}};
  tomb_methods(L, DB);
  tomb_setfuncs(L, databases);
  tomb_methods(L, METHODS);
  lua_pushcfunction(L, model_event_rows);
  lua_setfield(L, -2, "event_rows");
  lua_pop(L, 2);
}
