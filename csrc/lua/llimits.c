/*
** llimits.c - what a call may take: the limits of open, and spans of calls.
**
** The limits of open are those of every call. A call is what the program sees
** as one: what it does inside, its hooks included, runs in a transaction or in
** a span, and there nothing begins anew. A span belongs to the coroutine that
** began it; calls of others meanwhile have limits of their own.
*/
#include "llimits.h"

#include "classes.h"
#include "convert.h"
#include "raise.h"

/***
Limits.
@module tombstone.database
*/

static const char *const limit_options[] = {TOMB_LIMIT_OPTIONS, NULL};

/* ---- reading ------------------------------------------------------ */

static lua_Number number_of(lua_State *L, int index, const char *name,
                            lua_Number least, const char *what) {
  lua_getfield(L, index, name);
  lua_Number n = lua_isnil(L, -1) ? 0 : lua_tonumber(L, -1);
  bool wrong = lua_type(L, -1) != LUA_TNUMBER || !(n >= least) || !(n < 9e12);
  if (!lua_isnil(L, -1) && wrong) {
    tomb_misuse(L, NULL, "%s is a number of %s", name, what);
  }
  lua_pop(L, 1);
  return n;
}

void tomb_read_limits(lua_State *L, int index, tomb_limits *out) {
  out->timeout = out->max_steps = 0;
  if (!lua_istable(L, index)) return;
  lua_Number ms = number_of(L, index, "timeout_ms", 0.001,
                            "milliseconds, a thousandth at least");
  out->timeout = (int64_t)(ms * 1000);
  out->max_steps =
      (int64_t)number_of(L, index, "max_steps", 1, "steps, 1 at least");
}

/* ---- every call --------------------------------------------------- */

static void begin(lua_State *L, tomb_span *outer, lua_db *box,
                  const tomb_limits *limits) {
  tomb_error err;
  tomb_status st = tomb_limit_begin(outer, box->db, limits, &err);
  if (st != TOMB_OK) tomb_raise(L, &err);
}

static bool has_limits(const tomb_limits *limits) {
  return limits->timeout > 0 || limits->max_steps > 0;
}

void tomb_keep_limits(lua_State *L, lua_db *box) {
  static const tomb_limits none = {0, 0};
  tomb_read_limits(L, 2, &box->limits);
  begin(L, &box->unlimited, box, &none);
  box->bounded = has_limits(&box->limits);
}

/* Calls of this coroutine are outside of the span that is open. */
static bool is_of_another(lua_State *L, const lua_db *box) {
  return box->spans > 0 && box->span_owner != L;
}

/* What the coroutine with the span has left waits until it comes back. */
static void put_aside(lua_State *L, lua_db *box) {
  static const tomb_limits none = {0, 0};
  if (box->spans == 0 || box->aside) return;
  begin(L, &box->span, box, &none);
  box->aside = true;
}

static void take_up(lua_db *box) {
  if (box->aside) tomb_limit_end(box->db, &box->span);
  box->aside = false;
}

void tomb_begin_limits(lua_State *L, lua_db *box) {
  tomb_span outer;
  if (tomb_depth(box->db) > 0) return;
  if (box->spans > 0 && !is_of_another(L, box)) {
    take_up(box);
    return;
  }
  put_aside(L, box);
  tomb_limit_end(box->db, &box->unlimited);
  if (has_limits(&box->limits)) begin(L, &outer, box, &box->limits);
}

/* ---- spans -------------------------------------------------------- */

typedef struct lua_span {
  tomb_span outer;
  lua_db *box; /* which it keeps */
  int number;  /* 0: it is over */
} lua_span;

static lua_db *check_box(lua_State *L) {
  lua_db *box = tomb_testclass(L, 1, DB);
  if (box == NULL) {
    tomb_misuse(L, "call it with a colon, as db:within({ timeout_ms = 5 }, fn)",
                "A database is needed, not a %s", tomb_typename(L, 1));
  }
  return box;
}

/***
Begins a span of calls that share their limits; `within` is the way to use it: it ends what it
begins. Without limits it is part of the call that is running.
@function Database:span_begin
@tparam[opt] table limits `timeout_ms`, `max_steps`
@return what `span_end` takes
@raise misuse
@usage local span = db:span_begin { timeout_ms = 5 }
*/
static int db_span_begin(lua_State *L) {
  tomb_limits limits;
  lua_db *box = check_box(L);
  lua_settop(L, 2);
  tomb_check_options(L, 2, limit_options, "within");
  tomb_read_limits(L, 2, &limits);
  lua_span *span = tomb_newud(L, sizeof *span, 2);
  span->number = 0;
  span->box = box;
  tomb_setclass(L, SPAN);
  lua_pushvalue(L, 1);
  tomb_setref(L, -2, 1);
  lua_pushthread(L); /* while it is kept no other has its address */
  tomb_setref(L, -2, 2);
  tomb_need_usable(L, box);
  if (box->bounded && !lua_isnil(L, 2)) tomb_begin_limits(L, box);
  if (is_of_another(L, box)) {
    return tomb_misuse(L, "wait for its end, or open a handle for each",
                       "Another coroutine has set limits on this handle");
  }
  begin(L, &span->outer, box, &limits);
  span->number = ++box->spans;
  box->span_owner = L;
  box->bounded = true;
  return 1;
}

/* Raises nothing: the error that may have ended the span is the one to tell. */
static void end_span(lua_span *span) {
  lua_db *box = span->box;
  if (span->number > 0 && span->number <= box->spans) {
    box->spans = span->number - 1;
    box->aside = false;
    box->bounded = box->spans > 0 || has_limits(&box->limits);
    if (box->db != NULL) tomb_limit_end(box->db, &span->outer);
  }
  span->number = 0;
}

/***
Ends a span and those within it that are open yet.
@function Database:span_end
@param span
@usage db:span_end(span)
*/
static int db_span_end(lua_State *L) {
  lua_span *span = tomb_testclass(L, 2, SPAN);
  check_box(L);
  if (span != NULL) end_span(span);
  return 0;
}

/* Of a coroutine that never came back. */
static int span_gc(lua_State *L) {
  end_span(lua_touserdata(L, 1));
  return 0;
}

/***
Ends what runs on the handle: the call, or the transaction that is open, fails with `interrupted`
at its next step. For hooks and the like; from another thread a host calls `tomb_interrupt`. Where
nothing runs nothing happens, to later calls neither.
@function Database:interrupt
@usage db:interrupt()
*/
static int db_interrupt(lua_State *L) {
  lua_db *box = check_box(L);
  tomb_need_open(L, box);
  tomb_interrupt(box->db);
  return 0;
}

/***
Whether calls have limits by now, of open or of a span, which a span of this coroutine would share.
While another coroutine has one there is none to share: calls have the limits of open, one by one.
@function core.is_bounded
@tparam database db
@treturn boolean
@usage if core.is_bounded(db) then db:within(nil, load) end
*/
static int core_is_bounded(lua_State *L) {
  lua_db *box = check_box(L);
  lua_pushboolean(L, box->bounded && !is_of_another(L, box));
  return 1;
}

/***
The most memory that SQLite may have in this process, in all connections, tombstone's or not. Beyond
it calls raise Lua's `not enough memory` and leave nothing of themselves.
@function core.memory_limit
@tparam[opt] number bytes 0 is no limit; none only asks
@treturn number what the limit was
@raise misuse
@usage core.memory_limit(64 * 1024 * 1024)
*/
static int core_memory_limit(lua_State *L) {
  lua_Number bytes = lua_isnoneornil(L, 1) ? -1 : lua_tonumber(L, 1);
  if (!lua_isnoneornil(L, 1) &&
      (lua_type(L, 1) != LUA_TNUMBER || !(bytes == 0 || bytes >= 1) ||
       !(bytes < 9e15))) {
    return tomb_misuse(L, "0 is no limit",
                       "memory_limit takes a number of bytes, not a %s",
                       lua_type(L, 1) == LUA_TNUMBER ? "number like this"
                                                     : tomb_typename(L, 1));
  }
  tomb_push_count(L, tomb_memory_limit((int64_t)bytes));
  return 1;
}

/* ---- queries ------------------------------------------------------ */

/***
The query with limits of its own, which those who refine it share.
@function core.limited
@tparam query query
@tparam table limits `timeout_ms`, `max_steps`
@treturn query
@raise misuse
@usage local quick = core.limited(Post.objects, { timeout_ms = 5 })
*/
static int core_limited(lua_State *L) {
  tomb_limits limits;
  lua_settop(L, 2);
  tomb_check_query(L, 1);
  if (!lua_istable(L, 2)) {
    return tomb_misuse(L, "as in within { timeout_ms = 5 }",
                       "within takes a table of limits, not a %s",
                       tomb_typename(L, 2));
  }
  tomb_check_options(L, 2, limit_options, "within");
  tomb_read_limits(L, 2, &limits);
  lua_query *query = tomb_new_query(L, 1, 0);
  query->limited = true;
  tomb_setclass(L, LIMITED);
  lua_createtable(L, 0, 2); /* a copy: the program may change its own */
  for (int i = 0; limit_options[i] != NULL; i++) {
    lua_getfield(L, 2, limit_options[i]);
    lua_setfield(L, -2, limit_options[i]);
  }
  tomb_setref(L, 3, QUERY_LIMITS);
  return 1;
}

/***
The limits of a query.
@function core.limits
@tparam query query
@treturn table|nil nil: it has none of its own
@usage local limits = core.limits(query)
*/
static int core_limits(lua_State *L) {
  if (!tomb_check_query(L, 1)->limited) return 0;
  tomb_getref(L, 1, QUERY_LIMITS);
  return 1;
}

void tomb_open_limits(lua_State *L) {
  static const luaL_Reg functions[] = {{"is_bounded", core_is_bounded},
                                       {"memory_limit", core_memory_limit},
                                       {"limited", core_limited},
                                       {"limits", core_limits},
                                       {NULL, NULL}};
  static const luaL_Reg methods[] = {{"span_begin", db_span_begin},
                                     {"span_end", db_span_end},
                                     {"interrupt", db_interrupt},
                                     {NULL, NULL}};
  tomb_setfuncs(L, functions);
  tomb_class(L, SPAN);
  lua_pushcfunction(L, span_gc);
  lua_setfield(L, -2, "__gc");
  tomb_seal(L);
  lua_pop(L, 1);
  tomb_methods(L, DB);
  tomb_setfuncs(L, methods);
  lua_pop(L, 1);
}
