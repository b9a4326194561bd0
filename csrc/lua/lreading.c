/* lreading.c - a read in progress. */
#include "lreading.h"

#include "raise.h"

/* Pushes DB, MODEL and a cursor for the query at 1. */
void tomb_begin_read(lua_State *L, reading *r) {
  r->query = tomb_check_query(L, 1);
  if (r->query->query.n_groups > 0 && !r->grouped) {
    tomb_misuse(L, "as in group_by(\"a\"):aggregate{ n = count \"*\" }",
                "Groups are asked for by aggregate alone");
  }
  tomb_getref(L, 1, QUERY_MODEL);
  r->model = lua_gettop(L);
  tomb_getref(L, r->model, MODEL_DB);
  r->db = lua_gettop(L);
  r->box = tomb_new_cursor(L, r->query->model->db, r->db);
}

void tomb_fail_read(lua_State *L, reading *r, tomb_status st,
                    const tomb_error *err) {
  tomb_end_cursor(r->box);
  tomb_finish(L, r->query->model->db, r->db, st, err);
}

void tomb_end_read(lua_State *L, reading *r) {
  tomb_end_cursor(r->box);
  tomb_finish(L, r->query->model->db, r->db, TOMB_OK, NULL);
}

tomb_db *tomb_read_engine(const reading *r) {
  return r->query->model->db->db;
}

/* True while there is a row. */
bool tomb_next_row(lua_State *L, reading *r) {
  tomb_error err;
  tomb_status st = tomb_cursor_next(&r->box->cursor, &err);
  if (st == TOMB_ROW) return true;
  if (st != TOMB_DONE) tomb_fail_read(L, r, st, &err);
  return false;
}
