/* ltransaction.c - what transactions are made of, and the deletions that share
** an event. */
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "lverb.h"
#include "raise.h"
#include "state.h"

/***
Transactions.
@module tombstone.database
*/

/* ---- transactions ------------------------------------------------- */

/***
Begins a transaction, or a savepoint in one. `transaction` is the way to use it: it ends what
it begins.
@function Database:begin
@raise busy, misuse while a snapshot is read
@usage db:begin()
*/
/* Once it has begun nothing raises, or nobody would know that it is open: the
** log waits for the next call. */
static int db_begin(lua_State *L) {
  tomb_error err;
  lua_db *box = tomb_check_db(L, 1);
  tomb_level_prepare(L, box, 1);
  lua_pushthread(L);
  tomb_setref(L, 1, DB_OWNER);
  tomb_status st = tomb_begin(box->db, &err);
  if (st != TOMB_OK) tomb_finish(L, box, 1, st, &err);
  box->owner = L;
  box->levels++;
  return 0;
}

static void need_level(lua_State *L, const lua_db *box) {
  if (box->levels == 0) {
    tomb_misuse(L, NULL, "There is no transaction to end");
  }
}

/***
Ends the innermost transaction. One that cannot be committed is rolled back.
@function Database:commit
@raise busy, database, misuse without a transaction
@usage db:commit()
*/
static int db_commit(lua_State *L) {
  tomb_error err;
  lua_db *box = tomb_check_db(L, 1);
  need_level(L, box);
  tomb_status st = tomb_commit(box->db, &err);
  tomb_level_end(L, box, 1, st == TOMB_OK);
  tomb_finish(L, box, 1, st, &err);
  return 0;
}

/***
Undoes the innermost transaction.
@function Database:rollback
@raise misuse without a transaction; database
@usage db:rollback()
*/
static int db_rollback(lua_State *L) {
  tomb_error err;
  lua_db *box = tomb_check_db(L, 1);
  need_level(L, box);
  tomb_status st = tomb_rollback(box->db, &err);
  tomb_level_end(L, box, 1, false);
  tomb_finish(L, box, 1, st, &err);
  return 0;
}

/***
How many transactions are open within each other.
@function Database:depth
@treturn number 0 outside of them
@usage assert(db:depth() == 0)
*/
static int db_depth(lua_State *L) {
  lua_pushinteger(L, tomb_depth(tomb_check_db(L, 1)->db));
  return 1;
}

/* ---- one event for many calls ------------------------------------- */

/***
From here on all deletions belong to one event; `deletion` is the way to use it.
@function Database:deletion_begin
@tparam[opt] table options `actor`, `reason`
@raise misuse outside of a transaction
@usage db:deletion_begin { actor = "ana" }
*/
static int db_deletion_begin(lua_State *L) {
  static const char *const known[] = {"actor", "reason", TOMB_LIMIT_OPTIONS,
                                      NULL};
  tomb_error err;
  tomb_deletion deletion;
  lua_db *box = tomb_check_db(L, 1);
  memset(&deletion, 0, sizeof deletion);
  lua_settop(L, 2);
  tomb_check_options(L, 2, known, "deletion");
  deletion.actor = tomb_text_option(L, 2, "actor");
  deletion.reason = tomb_text_option(L, 2, "reason");
  tomb_status st = tomb_deletion_begin(box->db, &deletion, &err);
  return st == TOMB_OK ? 0 : tomb_raise(L, &err);
}

/***
Ends what `deletion_begin` began.
@function Database:deletion_end
@treturn number|nil the event's id, nil when nothing was deleted
@usage local id = db:deletion_end()
*/
static int db_deletion_end(lua_State *L) {
  tomb_value id = tomb_integer(tomb_deletion_end(tomb_check_db(L, 1)->db));
  if (id.as.integer == 0) return 0;
  tomb_pushvalue(L, NULL, &id);
  return 1;
}

void tomb_open_transaction(lua_State *L) {
  static const luaL_Reg functions[] = {{"begin", db_begin},
                                       {"commit", db_commit},
                                       {"rollback", db_rollback},
                                       {"depth", db_depth},
                                       {"deletion_begin", db_deletion_begin},
                                       {"deletion_end", db_deletion_end},
                                       {NULL, NULL}};
  tomb_methods(L, DB);
  tomb_setfuncs(L, functions);
  lua_pop(L, 1);
}
