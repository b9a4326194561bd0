/*
** state.h - what a row cannot say of itself, since it is a plain table: that
** it is not saved yet, that it lacks columns, that it was created in a
** transaction which was rolled back. Kept by row, weakly, in the database.
*/
#ifndef TOMB_STATE_H
#define TOMB_STATE_H

#include "box.h"

typedef enum tomb_row_state {
  TOMB_STATE_PLAIN,
  TOMB_STATE_NEW,
  TOMB_STATE_PARTIAL /* the set of its fields' names is pushed */
} tomb_row_state;

/* Pushes the state (nil, true or a set) of the row; raises for a lost one. The
** MODEL is at `model`. */
tomb_row_state tomb_state_of(lua_State *L, lua_db *box, int model, int row);
void tomb_need_kept(lua_State *L, lua_db *box, int model, int row);
void tomb_note_new(lua_State *L, lua_db *box, int model, int row);
/* Remembers rows of an open transaction, in case it is rolled back. */
void tomb_note_created(lua_State *L, lua_db *box, int model, int row);
void tomb_forget_state(lua_State *L, lua_db *box, int model, int row);

/* A transaction of the program's is about to begin: afterwards its caller adds
** one to the levels, and cannot fail. The DB is at `db`. */
void tomb_level_prepare(lua_State *L, lua_db *box, int db);
/* It has ended. Nothing here takes memory. */
void tomb_level_end(lua_State *L, lua_db *box, int db, bool kept);

#endif
