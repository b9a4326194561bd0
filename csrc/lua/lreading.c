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

bool tomb_is_unlike_rows(const tomb_query *query) {
  return query->only != NULL || query->n_annotations > 0;
}

static void add_name(lua_State *L, const tomb_field *field) {
  lua_pushlstring(L, field->name, field->name_size);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
}

/* The marks of the living are not read, but known. */
void tomb_push_names(lua_State *L, const lua_query *query,
                     const tomb_field *const *fields, size_t n) {
  size_t all = query->query.only == NULL ? query->model->n_fields : 0;
  lua_createtable(L, 0, (int)n);
  for (size_t i = 0; i < n; i++) add_name(L, fields[i]);
  for (size_t i = 0; i < all; i++) {
    add_name(L, tomb_model_field(query->model->model, i));
  }
}
