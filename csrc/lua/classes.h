/* classes.h - the classes that programs see, in reading order. */
#ifndef TOMB_CLASSES_H
#define TOMB_CLASSES_H

#include "box.h"

#define KEYS "tombstone.keys"
#define METHODS "tombstone.methods" /* of models and their rows */

/* Pushes the table of methods of a class. */
void tomb_methods(lua_State *L, const char *name);

void tomb_open_model(lua_State *L);   /* lfields.c: what it knows of itself */
void tomb_open_query(lua_State *L);   /* lquery.c: refining */
void tomb_open_names(lua_State *L);   /* lnames.c: refining by names */
void tomb_open_fixed(lua_State *L);   /* lfixed.c: settled rows */
void tomb_open_read(lua_State *L);    /* lread.c: rows out */
void tomb_open_figures(lua_State *L); /* lfigures.c: values out */
void tomb_open_stream(lua_State *L);  /* lstream.c: each */
void tomb_open_edit(lua_State *L);    /* ledit.c: create, new, save */
void tomb_open_update(lua_State *L);  /* lupdate.c: update, reload, upsert */
void tomb_open_trash(lua_State *L);   /* ltrash.c: delete, purge */
void tomb_open_restore(lua_State *L); /* lrestore.c: restore */
void tomb_open_events(lua_State *L);  /* levent.c: undo */
void tomb_open_plans(lua_State *L);   /* lplan.c: looking ahead */
void tomb_open_raw(lua_State *L);     /* lraw.c: raw SQL */
void tomb_open_transaction(lua_State *L); /* ltransaction.c */
/* These set fields of the module's table, which is on top. */
void tomb_open_limits(lua_State *L);     /* llimits.c: what calls may take */
void tomb_open_db(lua_State *L);         /* ldb.c: core.open, databases */
void tomb_open_borrow(lua_State *L);     /* lborrow.c: what hosts lend */
void tomb_open_fake_class(lua_State *L); /* lfake.c: core.fake */

/* ldb.c: the options of open at 2, and what they leave in the DB on top. */
void tomb_read_open_options(lua_State *L, tomb_options *out);
void tomb_dress_db(lua_State *L, lua_db *box);

/* lquery.c */
lua_query *tomb_push_filtered(lua_State *L, int parent, int index,
                              bool exclude);
/* lfigures.c: pushes what a table holds under a name, the same whenever it is
** asked; and which aggregate is at `index`, for the call of that name. */
void tomb_push_member(lua_State *L, int index, const char *name);
tomb_aggregate_fn tomb_check_aggregate_at(lua_State *L, int index,
                                          const char *call, bool *distinct);
/* lnames.c */
/* Pushes the query at 1 with `only` set to the fields that the arguments after
** it name; to all fields where none is named. */
lua_query *tomb_push_only(lua_State *L);

/* lfields.c: the field whose name is at `index`, or an error with a
** suggestion. */
const tomb_field *tomb_check_field(lua_State *L, int index,
                                   const tomb_model *model);

/* ledit.c: functions of the module's table */
int tomb_row_is_unsaved(lua_State *L);
int tomb_row_lacks(lua_State *L);
int tomb_row_unsave(lua_State *L);

/* lrelation.c: functions of the module's table */
int tomb_model_rows_to_keys(lua_State *L);
int tomb_query_relate(lua_State *L);
int tomb_query_related(lua_State *L);
int tomb_model_get_way(lua_State *L);
int tomb_model_table_of(lua_State *L);
int tomb_model_need_way(lua_State *L);

/* lstream.c: a function of the module's table */
int tomb_stream_take(lua_State *L);

/* lupdate.c: raises when a whole manager is written without all = true */
void tomb_need_meaning(lua_State *L, const lua_query *query, int options,
                       const char *verb);

/* lmodel.c */
int tomb_db_define(lua_State *L);
int tomb_db_attach(lua_State *L);

#endif
