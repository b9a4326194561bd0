/* lreport.c - what was purged, as a table. */
#include "lreport.h"

#include "convert.h"
#include "raise.h"

void tomb_report_part(lua_State *L, const char *name) {
  lua_getfield(L, -1, name);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, name);
}

/* Adds to the number of that name in the table on top. */
static void add_count(lua_State *L, const char *name, int64_t count) {
  lua_getfield(L, -1, name);
  int64_t before = (int64_t)lua_tonumber(L, -1);
  lua_pop(L, 1);
  tomb_push_count(L, before + count);
  lua_setfield(L, -2, name);
}

static void add_to(lua_State *L, const char *part, const char *name,
                   int64_t count) {
  tomb_report_part(L, part);
  add_count(L, name, count);
  lua_pop(L, 1);
}

static void add_needed(lua_State *L, const tomb_value *line, bool dead) {
  tomb_report_part(L, "needed");
  lua_createtable(L, 0, 5);
  tomb_pushvalue(L, NULL, &line[TOMB_REPORT_MODEL]);
  lua_setfield(L, -2, "model");
  tomb_pushvalue(L, NULL, &line[TOMB_REPORT_FIELD]);
  lua_setfield(L, -2, "field");
  tomb_push_count(L, line[TOMB_REPORT_COUNT].as.integer);
  lua_setfield(L, -2, "count");
  tomb_pushvalue(L, NULL, &line[TOMB_REPORT_KEY]);
  lua_setfield(L, -2, "example");
  if (dead) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "dead");
  }
  lua_rawseti(L, -2, (int)lua_rawlen(L, -2) + 1);
  lua_pop(L, 1);
}

static void add_line(lua_State *L, const tomb_value *line) {
  const char *model = line[TOMB_REPORT_MODEL].as.text.data;
  int64_t count = line[TOMB_REPORT_COUNT].as.integer;
  switch ((tomb_report_kind)line[TOMB_REPORT_KIND].as.integer) {
  case TOMB_REPORT_ROWS: add_to(L, "rows", model, count); break;
  case TOMB_REPORT_KEPT: add_to(L, "kept", model, count); break;
  case TOMB_REPORT_LEFT: add_to(L, "left", model, count); break;
  case TOMB_REPORT_HELD: add_to(L, "held_back", model, count); break;
  case TOMB_REPORT_NEEDED: add_needed(L, line, false); break;
  case TOMB_REPORT_YOUNGER: add_needed(L, line, true); break;
  case TOMB_REPORT_REMOVED: add_to(L, "events", "removed", count); break;
  case TOMB_REPORT_CLEARED: add_to(L, "events", "cleared", count); break;
  }
}

static void push_parts(lua_State *L, const tomb_rows *report,
                       const char *const *parts) {
  size_t n = tomb_rows_count(report);
  luaL_checkstack(L, 6, NULL);
  lua_createtable(L, 0, 4);
  for (; *parts != NULL; parts++) {
    tomb_report_part(L, *parts);
    lua_pop(L, 1);
  }
  for (size_t i = 0; i < n; i++) add_line(L, tomb_rows_at(report, i, NULL));
}

void tomb_push_report(lua_State *L, const tomb_rows *report) {
  static const char *const parts[] = {"rows", "kept", "needed", NULL};
  push_parts(L, report, parts);
}

void tomb_push_return_report(lua_State *L, const tomb_rows *report) {
  static const char *const parts[] = {"rows", "held_back", NULL};
  push_parts(L, report, parts);
}

void tomb_push_event_report(lua_State *L, const tomb_rows *report) {
  tomb_push_report(L, report);
  add_to(L, "events", "removed", 0);
  add_to(L, "events", "cleared", 0);
}
