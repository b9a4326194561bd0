/* lrelation.h - rows in place of keys. */
#ifndef TOMB_LRELATION_H
#define TOMB_LRELATION_H

#include "box.h"

/* Where the table at `index` has rows under names of relations, as in author =
** ana, a copy with their keys, author_id = ana.id, takes its place. With
** `lists` they may stand in lists. The MODEL is at `model`. */
void tomb_rows_to_keys(lua_State *L, int model, int index, bool lists);

#endif
