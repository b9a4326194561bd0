/* read.c - the reading verbs: rows, values, counts, aggregates, raw SQL. */
#include <string.h>

#include "cond.h"
#include "error.h"
#include "keys.h"
#include "store.h"
#include "verbs.h"

static tomb_status open_select(tomb_cursor *out, tomb_db *db,
                               const tomb_statement *statement,
                               tomb_error *err) {
  memset(out, 0, sizeof *out);
  out->db = db;
  tomb_status st = tomb_store_start(db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_compile(&db->sql, db->driver->dialect->select, statement);
  return tomb_store_open(out, db, err);
}

/* Every column is a field's; a fake may have been told to answer more. */
static tomb_status open_fields(tomb_cursor *out, tomb_db *db,
                               const tomb_statement *statement,
                               tomb_error *err) {
  tomb_status st = open_select(out, db, statement, err);
  if (st != TOMB_OK || out->n == db->sql.n_columns) return st;
  st = tomb_other_columns(out->n, db->sql.n_columns, err);
  tomb_cursor_close(out);
  return st;
}

tomb_status tomb_select(tomb_cursor *out, tomb_db *db, const tomb_query *query,
                        tomb_error *err) {
  tomb_statement statement = tomb_statement_on(query);
  return open_fields(out, db, &statement, err);
}

tomb_status tomb_select_snapshot(tomb_cursor *out, tomb_db *db,
                                 const tomb_query *query, tomb_error *err) {
  tomb_status st = tomb_select(out, db, query, err);
  if (st != TOMB_OK) return st;
  out->snapshot = true;
  db->snapshots++;
  return TOMB_OK;
}

tomb_status tomb_select_values(tomb_cursor *out, tomb_db *db,
                               const tomb_query *query, tomb_error *err) {
  tomb_statement statement = tomb_statement_on(query);
  statement.output = TOMB_OUT_VALUES;
  return open_fields(out, db, &statement, err);
}

tomb_status tomb_select_aggregates(tomb_cursor *out, tomb_db *db,
                                   const tomb_query *query,
                                   const tomb_aggregate *aggregates, size_t n,
                                   tomb_error *err) {
  tomb_statement statement = tomb_statement_on(query);
  tomb_query ungrouped = *query;
  memset(out, 0, sizeof *out);
  for (size_t i = 0; i < n; i++) {
    tomb_status st = tomb_check_aggregate(query->model, &aggregates[i], err);
    if (st != TOMB_OK) return st;
  }
  statement.output = TOMB_OUT_AGGREGATES;
  statement.aggregates = aggregates;
  statement.n_aggregates = n;
  statement.from_slice = tomb_is_sliced(query);
  if (query->n_groups == 0) { /* one row, in whatever order */
    ungrouped.order = NULL;
    ungrouped.n_order = 0;
    statement.query = statement.from_slice ? query : &ungrouped;
  }
  return open_select(out, db, &statement, err);
}

tomb_status tomb_count(int64_t *out, tomb_db *db, const tomb_query *query,
                       tomb_error *err) {
  static const tomb_aggregate rows = {TOMB_COUNT, NULL, false};
  tomb_query ungrouped = *query;
  tomb_cursor cursor;
  ungrouped.n_groups = 0;
  *out = 0;
  tomb_status st =
      tomb_select_aggregates(&cursor, db, &ungrouped, &rows, 1, err);
  if (st != TOMB_OK) return st;
  st = tomb_cursor_next(&cursor, err);
  if (st == TOMB_ROW) *out = cursor.values[0].as.integer;
  tomb_cursor_close(&cursor);
  return st == TOMB_ROW || st == TOMB_DONE ? TOMB_OK : st;
}

tomb_status tomb_exists(bool *out, tomb_db *db, const tomb_query *query,
                        tomb_error *err) {
  tomb_query one = *query;
  tomb_statement statement = tomb_statement_on(&one);
  tomb_cursor cursor;
  *out = false;
  if (one.limit == 0) return TOMB_OK;
  one.limit = 1;
  statement.output = TOMB_OUT_ONE;
  tomb_status st = open_select(&cursor, db, &statement, err);
  if (st != TOMB_OK) return st;
  st = tomb_cursor_next(&cursor, err);
  *out = st == TOMB_ROW;
  tomb_cursor_close(&cursor);
  return st == TOMB_ROW || st == TOMB_DONE ? TOMB_OK : st;
}

static tomb_status collect(tomb_keys *keys, tomb_cursor *cursor,
                           tomb_error *err) {
  for (;;) {
    tomb_status st = tomb_cursor_next(cursor, err);
    if (st == TOMB_DONE) return TOMB_OK;
    if (st != TOMB_ROW) return st;
    if (!tomb_keys_add(keys, &cursor->values[0])) {
      return tomb_out_of_memory(err);
    }
  }
}

tomb_status tomb_add_keys(tomb_keys *out, tomb_db *db, tomb_error *err) {
  tomb_cursor cursor;
  tomb_status st = tomb_store_open(&cursor, db, err);
  if (st != TOMB_OK) return st;
  st = collect(out, &cursor, err);
  tomb_cursor_close(&cursor);
  return st;
}

tomb_status tomb_select_keys(tomb_keys **out, tomb_db *db,
                             const tomb_query *query, tomb_error *err) {
  tomb_statement statement = tomb_statement_on(query);
  tomb_cursor cursor;
  statement.output = TOMB_OUT_KEYS;
  *out = tomb_keys_new(&db->allocator);
  if (*out == NULL) return tomb_out_of_memory(err);
  tomb_status st = open_select(&cursor, db, &statement, err);
  if (st == TOMB_OK) {
    st = collect(*out, &cursor, err);
    tomb_cursor_close(&cursor);
  }
  if (st != TOMB_OK) {
    tomb_keys_free(*out);
    *out = NULL;
  }
  return st;
}

tomb_status tomb_read_rows(tomb_rows *out, tomb_db *db, const tomb_query *query,
                           tomb_error *err) {
  tomb_cursor cursor;
  tomb_status st = tomb_select(&cursor, db, query, err);
  if (st != TOMB_OK) return st;
  while ((st = tomb_cursor_next(&cursor, err)) == TOMB_ROW) {
    st = tomb_rows_add(out, cursor.values, cursor.n, err);
    if (st != TOMB_OK) break;
  }
  tomb_cursor_close(&cursor);
  return st == TOMB_DONE ? TOMB_OK : st;
}

/* ---- raw SQL ------------------------------------------------------ */

static void raw(tomb_db *db, const char *sql, size_t size) {
  db->event_ids_known = false; /* who knows what it writes */
  tomb_store_look(db);
  tomb_buf_add(&db->sql.text, sql, size);
}

static bool raw_values(tomb_db *db, const tomb_value *values, size_t n) {
  size_t size = db->sql.text.size;
  for (size_t i = 0; i < n; i++) tomb_sql_value(&db->sql, &values[i]);
  if (db->sql.text.failed) return false;
  db->sql.text.size = size; /* the text has its own placeholders */
  return true;
}

tomb_status tomb_query_raw(tomb_cursor *out, tomb_db *db, const char *sql,
                           size_t size, const tomb_value *values, size_t n,
                           tomb_error *err) {
  memset(out, 0, sizeof *out);
  out->db = db;
  tomb_status st = tomb_store_start(db, err);
  if (st != TOMB_OK) return st;
  raw(db, sql, size);
  if (!raw_values(db, values, n)) return tomb_out_of_memory(err);
  return tomb_store_open(out, db, err);
}

static tomb_status exec_one(tomb_db *db, const char *sql, size_t size,
                            tomb_error *err) {
  tomb_status st = tomb_store_start_write(db, err);
  if (st != TOMB_OK) return st;
  raw(db, sql, size);
  st = tomb_store_run(db, NULL, err);
  return st == TOMB_OK ? tomb_store_settle(db, err) : st;
}

/* Where the statement that begins at `sql` ends; prepared only to find out. */
static tomb_status statement_size(size_t *out, tomb_db *db, const char *sql,
                                  size_t size, bool *blank, tomb_error *err) {
  tomb_stmt *stmt;
  tomb_status st = db->driver->prepare(db->conn, &stmt, sql, size, out, err);
  if (st != TOMB_OK) return st;
  *blank = stmt == NULL;
  if (stmt != NULL) db->driver->finalize(stmt);
  return TOMB_OK;
}

static tomb_status exec_script(tomb_db *db, const char *sql, size_t size,
                               tomb_error *err) {
  while (size > 0) {
    size_t used;
    bool blank;
    tomb_status st = statement_size(&used, db, sql, size, &blank, err);
    if (st != TOMB_OK) return st;
    if (!blank) st = exec_one(db, sql, used, err);
    if (st != TOMB_OK) return st;
    if (used == 0) break;
    sql += used;
    size -= used;
  }
  return TOMB_OK;
}

tomb_status tomb_exec(int64_t *changed, tomb_db *db, const char *sql,
                      size_t size, const tomb_value *values, size_t n,
                      tomb_error *err) {
  *changed = 0;
  tomb_status st = tomb_store_start_write(db, err);
  if (st != TOMB_OK) return st;
  if (n == 0) {
    st = exec_script(db, sql, size, err);
  } else {
    raw(db, sql, size);
    if (!raw_values(db, values, n)) return tomb_out_of_memory(err);
    st = tomb_store_run(db, NULL, err);
    if (st == TOMB_OK) st = tomb_store_settle(db, err);
  }
  if (st == TOMB_OK) *changed = tomb_store_changes(db);
  return st;
}

/* ---- for people --------------------------------------------------- */

tomb_status tomb_explain_sql(const char **sql, const tomb_value **values,
                             size_t *n, tomb_db *db, const tomb_query *query,
                             tomb_error *err) {
  tomb_statement statement = tomb_statement_on(query);
  tomb_status st = tomb_store_start(db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_compile(&db->sql, db->driver->dialect->select, &statement);
  if (tomb_sql_failed(&db->sql)) return tomb_out_of_memory(err);
  *sql = db->sql.text.data;
  *values = db->sql.args;
  *n = db->sql.n_args;
  return TOMB_OK;
}

tomb_status tomb_explain_liveness(tomb_rows *out, tomb_db *db,
                                  const tomb_query *query, tomb_error *err) {
  tomb_statement statement = tomb_statement_on(query);
  tomb_status st = tomb_store_start(db, err);
  if (st != TOMB_OK) return st;
  db->sql.seen = out;
  tomb_sql_compile(&db->sql, db->driver->dialect->select, &statement);
  db->sql.seen = NULL;
  return tomb_sql_failed(&db->sql) ? tomb_out_of_memory(err) : TOMB_OK;
}

tomb_status tomb_explain(tomb_cursor *out, tomb_db *db, const tomb_query *query,
                         tomb_error *err) {
  tomb_statement statement = tomb_statement_on(query);
  memset(out, 0, sizeof *out);
  out->db = db;
  tomb_status st = tomb_store_start(db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(&db->sql, db->driver->dialect->explain);
  tomb_sql_compile(&db->sql, db->driver->dialect->select, &statement);
  db->sql.n_columns = 0; /* a plan is answered, not rows */
  return tomb_store_open(out, db, err);
}
