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
/* How many keys a table has. */
size_t tomb_count_pairs(lua_State *L, int index);
/* Sizes of parts of a block that each begin where any type may. */
static inline size_t tomb_rounded(size_t size) {
  return (size + 15) / 16 * 16;
}
/* The first such place in a block, which has 16 bytes more than its parts. */
static inline char *tomb_aligned(void *block) {
  return (char *)block + (16 - (uintptr_t)block % 16) % 16;
}
/* core.set_json(encode, decode) */
int tomb_set_json(lua_State *L);

#endif
