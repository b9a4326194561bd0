/* lreport.h - what was purged, or would come back, as a table. */
#ifndef TOMB_LREPORT_H
#define TOMB_LREPORT_H

#include "compat.h"
#include "tombstone.h"

/* Pushes { rows = { Post = 3 }, kept = { Note = 1 }, needed = { … } }, and what
** else the report tells of: `left`, by model, and `events`. */
void tomb_push_report(lua_State *L, const tomb_rows *report);
/* The same, where `events` is always told of. */
void tomb_push_event_report(lua_State *L, const tomb_rows *report);
/* Pushes { rows = { Post = 3 }, held_back = { Note = 1 } }. */
void tomb_push_return_report(lua_State *L, const tomb_rows *report);
/* Pushes the part of that name of the report on top, made when it is missing. */
void tomb_report_part(lua_State *L, const char *name);

#endif
