/*
** lvalues.h - a Lua table of values as an engine row, and back.
*/
#ifndef TOMB_LVALUES_H
#define TOMB_LVALUES_H

#include "box.h"

#define FEW 32

/* Values by field. The texts that they borrow stay on the stack, one slot a
** field, so that nothing can take them away meanwhile. */
typedef struct row_values {
  lua_model *model;
  int at;    /* index of the MODEL */
  int slots; /* index of the first field's slot */
  tomb_value *values;
  tomb_value few[FEW];
} row_values;

/* Room for a value of each field; the MODEL is on top of the stack. */
void tomb_begin_values(lua_State *L, row_values *v);
/* Pushes each field's value of the table; answers how many are not nil. */
size_t tomb_read_values(lua_State *L, row_values *v, int table);
/* Raises for a key that is no field, when the table has more keys than
** `found`. Where the state of a row stands at `names`, names that begin with "_"
** are the program's own, and what the state lists was read along. */
void tomb_check_keys(lua_State *L, const row_values *v, int table, size_t found,
                     int names);
/* Both, of a program's table of new values, where rows may stand for keys. */
void tomb_take_values(lua_State *L, row_values *v, int table);
/* Pushes what the default function of field i makes; false without one. */
bool tomb_call_default(lua_State *L, const row_values *v, size_t i);
/* Calls the defaults that are functions where no value is given. */
void tomb_call_defaults(lua_State *L, row_values *v);
/* Pushes the value of field i. */
void tomb_push_again(lua_State *L, const row_values *v, size_t i);
/* Sets row[name of field i] to the value on top, and pops it. */
void tomb_set_field(lua_State *L, const row_values *v, int row, size_t i);
/* Sets all fields of the row from the values of a full row. */
void tomb_show_values(lua_State *L, const row_values *v, int row,
                      const tomb_value *values);
/* Pushes a row of all values. */
void tomb_push_row(lua_State *L, const row_values *v);
/* The time, by the clock of the model's database. */
int64_t tomb_values_now(lua_State *L, const row_values *v);
/* Hands over the log; raises unless `st` is TOMB_OK. */
void tomb_values_finish(lua_State *L, const row_values *v, tomb_status st,
                        const tomb_error *err);
void tomb_need_table(lua_State *L, int index, const char *what);

/* Reads a program's table of new values and expressions. What the assignments borrow
** stays on the stack above. */
size_t tomb_read_assignments(lua_State *L, const row_values *v, int table,
                             tomb_assignment **out);

#endif
