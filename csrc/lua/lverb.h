/* lverb.h - what delete, restore and purge share: whose verb, which options. */
#ifndef TOMB_LVERB_H
#define TOMB_LVERB_H

#include "lvalues.h"

/* A verb on the row at 1 or the query at 1, with options at 2. */
typedef struct lua_verb {
  row_values v; /* of a row: its key */
  tomb_query query;
  tomb_filter_link link;
  tomb_cond cond;
  tomb_value key;
} lua_verb;

/* Stack afterwards: 1 the row, 2 the options, then what the values need. */
void tomb_begin_row(lua_State *L, lua_verb *b);
void tomb_begin_query(lua_State *L, lua_verb *b);
tomb_db *tomb_engine(const lua_verb *b);

/* Options of the table at `options`; NULL, false and 0 where not given. The
** text stays on the stack, where the table holds it anyway. */
const char *tomb_text_option(lua_State *L, int options, const char *name);
bool tomb_flag_option(lua_State *L, int options, const char *name);
/* The word of on_conflict at `index`; raises for any other value. */
tomb_on_conflict tomb_conflict_word(lua_State *L, int index);
int64_t tomb_count_option(lua_State *L, int options, const char *name);

/* Sets a field of the table on top; NULL sets none. */
void tomb_set_string(lua_State *L, const char *name, const char *text);

/* levent.c: the id of an event that is at `index`. */
int64_t tomb_check_event(lua_State *L, int index);

#endif
