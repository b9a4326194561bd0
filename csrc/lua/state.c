/* state.c - what a row cannot say of itself. */
#include "state.h"

#include "raise.h"

/* Pushes the table `which` of the MODEL's database. */
static void push_table(lua_State *L, int model, int which) {
  tomb_getref(L, model, MODEL_DB);
  tomb_getref(L, -1, which);
  lua_remove(L, -2);
}

static bool has_lost(const lua_db *box) {
  return box->lost_from < box->lost_to;
}

/* Notes the rows that rollbacks took: a rollback itself must do without
** memory. The DB is on top, and is popped. */
static void note_lost(lua_State *L, lua_db *box) {
  box->has_states = true;
  tomb_getref(L, -1, DB_STATES);
  tomb_getref(L, -2, DB_CREATED);
  for (lua_Integer i = box->lost_from; i < box->lost_to; i++) {
    lua_pushinteger(L, i);
    lua_rawget(L, -2);
    if (lua_isnil(L, -1)) { /* the program has dropped it */
      lua_pop(L, 1);
      continue;
    }
    lua_pushboolean(L, 0);
    lua_rawset(L, -4);
  }
  lua_pop(L, 3);
  box->lost_from = box->lost_to = 0;
}

tomb_row_state tomb_state_of(lua_State *L, lua_db *box, int model, int row) {
  if (has_lost(box)) {
    tomb_getref(L, model, MODEL_DB);
    note_lost(L, box);
  }
  if (!box->has_states) {
    lua_pushnil(L);
    return TOMB_STATE_PLAIN;
  }
  push_table(L, model, DB_STATES);
  lua_pushvalue(L, row);
  lua_rawget(L, -2);
  lua_remove(L, -2);
  if (lua_isnil(L, -1)) return TOMB_STATE_PLAIN;
  if (lua_istable(L, -1)) return TOMB_STATE_PARTIAL;
  if (lua_toboolean(L, -1)) return TOMB_STATE_NEW;
  tomb_misuse(L, "create it again",
              "The row was created in a transaction that was rolled back");
  return TOMB_STATE_PLAIN;
}

void tomb_need_kept(lua_State *L, lua_db *box, int model, int row) {
  tomb_row_state state = tomb_state_of(L, box, model, row);
  if (state == TOMB_STATE_NEW) {
    tomb_misuse(L, "save it first", "The row is not saved yet");
  }
  lua_pop(L, 1);
}

static void set_state(lua_State *L, int model, int row, bool new_row) {
  push_table(L, model, DB_STATES);
  lua_pushvalue(L, row);
  if (new_row) {
    lua_pushboolean(L, 1);
  } else {
    lua_pushnil(L);
  }
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

void tomb_note_new(lua_State *L, lua_db *box, int model, int row) {
  if (has_lost(box)) { /* this row may be one of them */
    tomb_getref(L, model, MODEL_DB);
    note_lost(L, box);
  }
  box->has_states = true;
  set_state(L, model, row, true);
}

void tomb_forget_state(lua_State *L, lua_db *box, int model, int row) {
  if (box->has_states) set_state(L, model, row, false);
}

void tomb_note_created(lua_State *L, lua_db *box, int model, int row) {
  if (box->levels == 0) return;
  if (has_lost(box)) { /* before other rows' numbers come behind theirs */
    tomb_getref(L, model, MODEL_DB);
    note_lost(L, box);
  }
  push_table(L, model, DB_CREATED);
  lua_pushinteger(L, ++box->created);
  lua_pushvalue(L, row);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* ---- transactions ------------------------------------------------- */

/* What earlier transactions created can no longer be lost. */
static void forget_created(lua_State *L, lua_db *box, int db) {
  tomb_getref(L, db, DB_CREATED);
  lua_newtable(L);
  lua_getmetatable(L, -2); /* weak, like the one before */
  lua_setmetatable(L, -2);
  tomb_setref(L, db, DB_CREATED);
  lua_pop(L, 1);
  box->created = 0;
}

void tomb_level_prepare(lua_State *L, lua_db *box, int db) {
  db = tomb_absindex(L, db);
  if (has_lost(box)) {
    lua_pushvalue(L, db);
    note_lost(L, box);
  }
  if (box->levels == 0 && box->created > 0) forget_created(L, box, db);
  tomb_getref(L, db, DB_LEVELS);
  lua_pushinteger(L, box->created);
  lua_rawseti(L, -2, box->levels + 1);
  lua_pop(L, 1);
}

static lua_Integer created_before(lua_State *L, int db, int level) {
  tomb_getref(L, db, DB_LEVELS);
  lua_rawgeti(L, -1, level);
  lua_Integer before = lua_tointeger(L, -1);
  lua_pop(L, 2);
  return before;
}

/* The rows that this level created are lost with it. */
static void lose(lua_db *box, lua_Integer before) {
  if (!has_lost(box) || before < box->lost_from) box->lost_from = before + 1;
  box->lost_to = box->created + 1;
}

void tomb_level_end(lua_State *L, lua_db *box, int db, bool kept) {
  db = tomb_absindex(L, db);
  lua_Integer before = created_before(L, db, box->levels--);
  if (box->levels == 0) {
    box->owner = NULL;
    lua_pushnil(L);
    tomb_setref(L, db, DB_OWNER);
  }
  if (!kept && box->created != before) lose(box, before);
}
