/* llimits.h - limits of calls, as the binding keeps them. */
#ifndef TOMB_LLIMITS_H
#define TOMB_LLIMITS_H

#include "box.h"

/* The limits in the table at `index`, both or one or none; raises for wrong
** values. Other keys are not looked at. */
void tomb_read_limits(lua_State *L, int index, tomb_limits *out);
/* Takes what open was told into the DB on top, whose handle is open. */
void tomb_keep_limits(lua_State *L, lua_db *box);
/* A call begins on a handle that has limits: unless another is running, it gets
** those of open anew. */
void tomb_begin_limits(lua_State *L, lua_db *box);

#endif
