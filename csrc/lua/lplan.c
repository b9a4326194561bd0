/* lplan.c - what a deletion, a restore and an undo would do. */
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "lreport.h"
#include "lverb.h"
#include "raise.h"

/***
Looking ahead.
@module tombstone.query
*/

/***
What a deletion would do; `delete_plan` is the way to use it.
@function Query:preview
@treturn table `rows`, by model, and `needed`, as in the report of a purge
@usage print(Post.objects:preview().rows.Post)
*/
static int query_preview(lua_State *L) {
  tomb_error err;
  lua_verb b;
  tomb_begin_query(L, &b);
  tomb_rows **rows = tomb_new_rows(L, b.v.model->db);
  tomb_status st = tomb_preview_delete(*rows, tomb_engine(&b), &b.query, &err);
  tomb_values_finish(L, &b.v, st, &err);
  tomb_push_report(L, *rows);
  tomb_drop_rows(rows);
  return 1;
}

/* ---- a restore as a table ----------------------------------------- */

static void push_names(lua_State *L, const tomb_value *names) {
  const char *at = names->as.text.data;
  lua_newtable(L);
  for (int i = 1; *at != '\0'; i++) {
    size_t n = strcspn(at, ",");
    lua_pushlstring(L, at, n);
    lua_rawseti(L, -2, i);
    at += n + (at[n] == ',');
  }
}

static void set_value(lua_State *L, const char *name, const tomb_value *value) {
  tomb_pushvalue(L, NULL, value);
  lua_setfield(L, -2, name);
}

static void push_conflict(lua_State *L, const tomb_value *row) {
  bool lives = row[TOMB_CONFLICT_LIVING].as.integer != 0;
  lua_createtable(L, 0, 6);
  set_value(L, "model", &row[TOMB_CONFLICT_MODEL]);
  tomb_set_string(L, "constraint", "unique");
  push_names(L, &row[TOMB_CONFLICT_FIELDS]);
  lua_setfield(L, -2, "fields");
  set_value(L, "value", &row[TOMB_CONFLICT_VALUE]);
  set_value(L, "dead_pk", &row[TOMB_CONFLICT_DEAD]);
  set_value(L, lives ? "live_pk" : "twin_pk", &row[TOMB_CONFLICT_OTHER]);
}

static void push_parent(lua_State *L, const tomb_value *row) {
  lua_createtable(L, 0, 3);
  set_value(L, "model", &row[0]);
  set_value(L, "pk", &row[1]);
  if (row[2].as.integer == 0) return;
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "below");
}

typedef void push_row(lua_State *L, const tomb_value *row);

/* Sets a list of them in the table on top. */
static void set_list(lua_State *L, const char *name, const tomb_rows *rows,
                     push_row *push) {
  size_t n = tomb_rows_count(rows);
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    push(L, tomb_rows_at(rows, i, NULL));
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, name);
}

/* Boxes with the rows of a foresight, which the stack keeps. */
typedef struct boxes {
  tomb_rows **report, **conflicts, **parents;
} boxes;

static tomb_foresight new_foresight(lua_State *L, boxes *b, lua_db *db) {
  luaL_checkstack(L, 10, NULL);
  b->report = tomb_new_rows(L, db);
  b->conflicts = tomb_new_rows(L, db);
  b->parents = tomb_new_rows(L, db);
  tomb_foresight f = {*b->report, *b->conflicts, *b->parents};
  return f;
}

static int push_foresight(lua_State *L, const boxes *b) {
  tomb_push_return_report(L, *b->report);
  set_list(L, "conflicts", *b->conflicts, push_conflict);
  set_list(L, "parents", *b->parents, push_parent);
  tomb_drop_rows(b->report);
  tomb_drop_rows(b->conflicts);
  tomb_drop_rows(b->parents);
  return 1;
}

/***
What a restore would do; `restore_plan` is the way to use it.
@function Query:foresee
@tparam[opt] table options `parents`
@treturn table `rows` and `held_back`, by model, `conflicts` and `parents`
@raise misuse where the model has no soft delete
@usage local conflicts = Post.deleted_objects:foresee().conflicts
*/
static int query_foresee(lua_State *L) {
  static const char *const known[] = {"parents", NULL};
  tomb_error err;
  lua_verb b;
  boxes boxed;
  tomb_begin_query(L, &b);
  tomb_check_options(L, 2, known, "restore_plan");
  bool parents = tomb_flag_option(L, 2, "parents");
  tomb_foresight ahead = new_foresight(L, &boxed, b.v.model->db);
  tomb_status st =
      tomb_foresee_restore(&ahead, tomb_engine(&b), &b.query, parents, &err);
  tomb_values_finish(L, &b.v, st, &err);
  return push_foresight(L, &boxed);
}

/***
What the undo of an event would do, by its id; `event:restore_plan()` is the way to use it.
@function Database:foresee_undo
@tparam number id
@treturn table as for `Query:foresee`
@usage local conflicts = db:foresee_undo(event.id).conflicts
*/
static int db_foresee_undo(lua_State *L) {
  tomb_error err;
  boxes boxed;
  lua_db *box = tomb_check_db(L, 1);
  int64_t event = tomb_check_event(L, 2);
  tomb_need_db(L, box);
  tomb_foresight ahead = new_foresight(L, &boxed, box);
  tomb_status st = tomb_foresee_undo(&ahead, box->db, event, &err);
  tomb_finish(L, box, 1, st, &err);
  return push_foresight(L, &boxed);
}

void tomb_open_plans(lua_State *L) {
  static const luaL_Reg queries[] = {
      {"preview", query_preview}, {"foresee", query_foresee}, {NULL, NULL}};
  tomb_methods(L, QUERY);
  tomb_setfuncs(L, queries);
  tomb_methods(L, DB);
  lua_pushcfunction(L, db_foresee_undo);
  lua_setfield(L, -2, "foresee_undo");
  lua_pop(L, 2);
}
