/* convert.h - Lua values to engine values and back. */
#ifndef TOMB_CONVERT_H
#define TOMB_CONVERT_H

#include "box.h"

/*
** Reads the value at `index` for `field` (NULL: for raw SQL). Texts are
** borrowed from the Lua string. nil is absent, tombstone.null is NULL; a JSON
** field's value is encoded and the text takes its place on the stack. What no
** field can hold becomes a value that fits none.
*/
void tomb_tovalue(lua_State *L, int index, const tomb_field *field,
                  tomb_value *out);
/* Pushes a value; NULL and absent as nil. `field` may be NULL. */
void tomb_pushvalue(lua_State *L, const tomb_field *field,
                    const tomb_value *value);
/* Pushes an integer; a decimal text where Lua's numbers cannot hold it. */
void tomb_push_count(lua_State *L, int64_t n);
void tomb_pushkept(lua_State *L, const tomb_kept_value *kept);
bool tomb_isnull(lua_State *L, int index);
/* Pushes tombstone.null. */
void tomb_pushnull(lua_State *L);
/* core.set_json(encode, decode) */
int tomb_set_json(lua_State *L);

#endif
