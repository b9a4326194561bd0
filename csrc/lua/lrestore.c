/* lrestore.c - restore, on rows and on queries. */
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "lverb.h"
#include "raise.h"

/***
Restoring.
@module tombstone.model
*/

/* ---- restore ------------------------------------------------------ */

/* What is at `index`: a word, or a function that will be asked. */
static tomb_on_conflict strategy_at(lua_State *L, int index) {
  return lua_isfunction(L, index) ? TOMB_CONFLICT_ASK
                                  : tomb_conflict_word(L, index);
}

static size_t count_entries(lua_State *L, int table) {
  size_t n = 0;
  for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) n++;
  return n;
}

/* The name is at -2 and the strategy at -1. */
static void read_strategy(lua_State *L, const lua_verb *b,
                          tomb_restoration *out, tomb_strategy *list) {
  const char *name =
      lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
  tomb_on_conflict word = strategy_at(L, lua_gettop(L));
  if (name != NULL && strcmp(name, "default") == 0) {
    out->on_conflict = word;
    return;
  }
  const tomb_model *model =
      name == NULL ? NULL : tomb_model_named(tomb_engine(b), name);
  if (model == NULL) {
    tomb_misuse(L, "names of models, or \"default\"",
                "on_conflict names %s, which is no model",
                name == NULL ? tomb_typename(L, -2) : name);
  }
  list[out->n_strategies].model = model;
  list[out->n_strategies++].on_conflict = word;
}

/* The table on top; the list stays on the stack. */
static void read_strategies(lua_State *L, const lua_verb *b,
                            tomb_restoration *out) {
  int table = lua_gettop(L);
  size_t n = count_entries(L, table);
  tomb_strategy *list = lua_newuserdata(L, (n + 1) * sizeof *list);
  for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
    read_strategy(L, b, out, list);
  }
  out->strategies = list;
}

static void read_restoration(lua_State *L, const lua_verb *b,
                             tomb_restoration *out) {
  static const char *const known[] = {
      "all", "actor", "reason", "on_conflict", "parents", TOMB_LIMIT_OPTIONS,
      NULL};
  memset(out, 0, sizeof *out);
  luaL_checkstack(L, 10, NULL);
  tomb_check_options(L, 2, known, "restore");
  out->actor = tomb_text_option(L, 2, "actor");
  out->reason = tomb_text_option(L, 2, "reason");
  out->now = tomb_values_now(L, &b->v);
  out->parents = tomb_flag_option(L, 2, "parents");
  if (!lua_istable(L, 2)) return;
  lua_getfield(L, 2, "on_conflict");
  if (lua_istable(L, -1)) {
    read_strategies(L, b, out);
  } else if (!lua_isnil(L, -1)) {
    out->on_conflict = strategy_at(L, lua_gettop(L));
  }
}

/* The row at 1 believes that it is dead: an undo may have restored it. */
static bool holds_stamp(lua_State *L, const tomb_model *model) {
  const tomb_field *stamp = tomb_model_role(model, TOMB_ROLE_DELETED_AT);
  lua_pushstring(L, stamp->name);
  lua_rawget(L, 1);
  bool holds = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return holds;
}

static int row_restore(lua_State *L) {
  tomb_error err;
  tomb_restoration how;
  int64_t restored;
  lua_verb b;
  tomb_begin_row(L, &b);
  read_restoration(L, &b, &how);
  tomb_rows **rows = tomb_new_rows(L, b.v.model->db);
  how.returning = *rows;
  tomb_status st =
      tomb_restore(&restored, tomb_engine(&b), &b.query, &how, &err);
  tomb_values_finish(L, &b.v, st, &err);
  bool is_there = tomb_rows_count(*rows) > 0;
  if (is_there && (restored > 0 || holds_stamp(L, b.query.model))) {
    tomb_show_values(L, &b.v, 1, tomb_rows_at(*rows, 0, NULL));
  }
  tomb_drop_rows(rows);
  lua_pushboolean(L, restored > 0);
  return 1;
}

static int query_restore(lua_State *L) {
  tomb_error err;
  tomb_restoration how;
  int64_t restored;
  lua_verb b;
  tomb_begin_query(L, &b);
  read_restoration(L, &b, &how);
  tomb_need_meaning(L, lua_touserdata(L, 1), 2, "restore");
  tomb_status st =
      tomb_restore(&restored, tomb_engine(&b), &b.query, &how, &err);
  tomb_values_finish(L, &b.v, st, &err);
  tomb_push_count(L, restored);
  return 1;
}

/* ---- a restore that asks ------------------------------------------ */

/***
Begins a restore that stops at conflicts; `restore` with a function uses it.
@function Query:restore_job
@tparam[opt] table options as for `restore`; it stops at each conflict, or
where `on_conflict` is a table at those of models with a function
@return a job with `next`, `resolve` and `close`, within a savepoint
@raise misuse, busy
@usage local job = Post.deleted_objects:restore_job()
*/
static int query_restore_job(lua_State *L) {
  tomb_error err;
  tomb_restoration how;
  lua_verb b;
  tomb_begin_query(L, &b);
  read_restoration(L, &b, &how);
  if (how.strategies == NULL) how.on_conflict = TOMB_CONFLICT_ASK;
  tomb_restore_job **job = tomb_new_job(L, 1);
  tomb_status st =
      tomb_restore_open(job, tomb_engine(&b), &b.query, &how, &err);
  if (st != TOMB_OK) return tomb_raise(L, &err);
  return 1;
}

static tomb_restore_job **check_job(lua_State *L) {
  tomb_restore_job **job = tomb_testclass(L, 1, JOB);
  if (job == NULL || *job == NULL) {
    tomb_misuse(L, NULL, "An open restore is needed");
  }
  return job;
}

/* Pushes what a conflict function is told of the row with that key, which may
** be too long for an error. */
static void push_conflict(lua_State *L, const tomb_model *model,
                          const tomb_error *err, const tomb_value *pk) {
  lua_createtable(L, 0, 7);
  tomb_set_string(L, "model", tomb_model_name(model));
  tomb_set_string(L, "message", err->message);
  lua_createtable(L, (int)err->n_fields, 0);
  for (size_t i = 0; i < err->n_fields; i++) {
    lua_pushstring(L, err->fields[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, "fields");
  if (err->has_value) {
    tomb_pushkept(L, &err->value);
    lua_setfield(L, -2, "value");
  }
  if (err->has_live_pk) {
    tomb_pushkept(L, &err->live_pk);
    lua_setfield(L, -2, "live_pk");
  }
  tomb_pushvalue(L, NULL, pk);
  lua_setfield(L, -2, "dead_pk");
}

/***
Restores up to the next conflict.
@function Job:next
@return the dead row's key, or nothing when all is restored
@treturn table `model` (its name), `message`, `fields`, `value`, `dead_pk`, `live_pk`
@usage local key, conflict = job:next()
*/
static int job_next(lua_State *L) {
  tomb_error err;
  tomb_value pk;
  tomb_restore_job **job = check_job(L);
  tomb_status st = tomb_restore_next(*job, &pk, &err);
  if (st == TOMB_DONE) return 0;
  if (st != TOMB_ROW) return tomb_raise(L, &err);
  tomb_pushvalue(L, NULL, &pk);
  push_conflict(L, tomb_restore_model(*job), &err, &pk);
  return 2;
}

/* New values, those of the table at 2, for a row of the model at 3. */
static void take_answer(lua_State *L, row_values *v, tomb_restore_job *job) {
  lua_model *model = tomb_check_model(L, 3); /* pushes the MODEL */
  if (model->model != tomb_restore_model(job)) {
    tomb_misuse(L, NULL, "The conflict is of a row of %s",
                tomb_model_name(tomb_restore_model(job)));
  }
  tomb_begin_values(L, v);
  tomb_take_values(L, v, 2);
}

/***
Answers the conflict that `next` stopped at.
@function Job:resolve
@tparam string|table answer `"fail"`, `"skip"`, `"rename"`, `"replace"` or new values
@tparam[opt] model model the row's, where there are values
@raise integrity, validation
@usage job:resolve "skip"
*/
static int job_resolve(lua_State *L) {
  tomb_error err;
  row_values v;
  const tomb_value *values = NULL;
  tomb_on_conflict word = TOMB_CONFLICT_FAIL;
  tomb_restore_job **job = check_job(L);
  lua_settop(L, 3);
  if (lua_istable(L, 2)) {
    take_answer(L, &v, *job);
    values = v.values;
  } else {
    word = tomb_conflict_word(L, 2);
  }
  tomb_status st = tomb_restore_resolve(*job, word, values, &err);
  return st == TOMB_OK ? 0 : tomb_raise(L, &err);
}

/***
Ends the restore: keeps it when `next` has come to the end, else undoes it.
@function Job:close
@treturn number rows restored
@usage local count = job:close()
*/
static int job_close(lua_State *L) {
  tomb_error err;
  int64_t restored;
  tomb_restore_job **job = check_job(L);
  tomb_restore_job *open = *job;
  *job = NULL;
  tomb_status st = tomb_restore_close(open, &restored, &err);
  if (st != TOMB_OK) return tomb_raise(L, &err);
  tomb_push_count(L, restored);
  return 1;
}

void tomb_open_restore(lua_State *L) {
  static const luaL_Reg queries[] = {{"restore", query_restore},
                                     {"restore_job", query_restore_job},
                                     {NULL, NULL}};
  static const luaL_Reg jobs[] = {{"next", job_next},
                                  {"resolve", job_resolve},
                                  {"close", job_close},
                                  {NULL, NULL}};
  tomb_methods(L, METHODS);
  lua_pushcfunction(L, row_restore);
  lua_setfield(L, -2, "restore");
  tomb_methods(L, QUERY);
  tomb_setfuncs(L, queries);
  tomb_methods(L, JOB);
  tomb_setfuncs(L, jobs);
  lua_pop(L, 3);
}
