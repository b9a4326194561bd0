/* store.c - runs compiled statements through a driver. */
#include "store.h"

#include <string.h>

#include "cond.h"
#include "error.h"
#include "rows.h"
#include "value.h"

/* One value at a time would need rows of unknown length: the statement's row
** is put together first. */
static tomb_status log_statement(tomb_db *db, tomb_error *err) {
  const tomb_sql *sql = &db->sql;
  size_t bytes = (sql->n_args + 1) * sizeof(tomb_value);
  if (db->log == NULL) db->log = tomb_rows_with(&db->allocator);
  tomb_value *row = tomb_realloc(&db->allocator, NULL, 0, bytes);
  if (db->log == NULL || row == NULL) {
    tomb_release(&db->allocator, row, bytes);
    return tomb_out_of_memory(err);
  }
  row[0] = tomb_text_of(sql->text.data, sql->text.size);
  if (sql->n_args > 0) {
    memcpy(row + 1, sql->args, sql->n_args * sizeof *row);
  }
  tomb_status st = tomb_rows_add(db->log, row, sql->n_args + 1, err);
  tomb_release(&db->allocator, row, bytes);
  return st;
}

/* ---- running ------------------------------------------------------ */

static tomb_status refuse_lost(const tomb_db *db, tomb_error *err) {
  bool open = db->driver->in_transaction(db->conn);
  tomb_fail(err, TOMB_DATABASE,
            open ? "The transaction cannot go on - a part of it is missing"
            : db->borrowed
                ? "The transaction is gone - the host or the database ended it"
                : "The transaction is gone - the database rolled it back");
  tomb_error_hint(err, "roll back and run the whole transaction again");
  return TOMB_DATABASE;
}

/* SQLite or a host may have ended the transaction that we were in. */
static void notice_end(tomb_db *db) {
  if (db->depth > 0 && !db->driver->in_transaction(db->conn)) db->lost = 1;
}

tomb_status tomb_store_start(tomb_db *db, tomb_error *err) {
  tomb_status st = tomb_check_open(db, err);
  if (st == TOMB_OK && db->unended) st = tomb_store_make_up(db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_clear(&db->sql);
  if (db->borrowed) notice_end(db);
  return db->lost == 0 ? TOMB_OK : refuse_lost(db, err);
}

tomb_status tomb_store_start_write(tomb_db *db, tomb_error *err) {
  tomb_status st = tomb_store_start(db, err);
  if (st != TOMB_OK || db->snapshots == 0) return st;
  tomb_fail(err, TOMB_MISUSE,
            "A snapshot is being read, so this handle cannot write");
  tomb_error_hint(err, "finish or close the stream, or read without snapshot");
  return TOMB_MISUSE;
}

static tomb_status after_failure(tomb_db *db, tomb_status st, tomb_error *err) {
  if (db->driver->bounds != NULL) {
    st = db->driver->bounds->explain(db->conn, st, err);
  }
  tomb_error_sql(err, db->sql.text.data, db->sql.text.size);
  notice_end(db);
  return st;
}

/* Before anything of it: an inherited connection is not even prepared on. */
static tomb_status admit(tomb_db *db, tomb_error *err) {
  const tomb_bounds *bounds = db->driver->bounds;
  if (bounds == NULL) return TOMB_OK;
  if (!bounds->is_own(db->conn)) return tomb_check_open(db, err);
  return bounds->admit(db->conn, db->sql.text.data, db->sql.text.size, err);
}

static tomb_status take(tomb_prepared **out, tomb_db *db, bool copy,
                        tomb_error *err) {
  tomb_sql *sql = &db->sql;
  *out = NULL;
  if (tomb_sql_failed(sql)) return tomb_out_of_memory(err);
  tomb_status st = admit(db, err);
  if (st != TOMB_OK) return st;
  if (db->logging && log_statement(db, err) != TOMB_OK) return TOMB_NOMEM;
  st = tomb_statements_take(out, &db->statements, sql->text.data,
                            sql->text.size, err);
  if (st != TOMB_OK) return after_failure(db, st, err);
  st = db->driver->bind((*out)->stmt, sql->args, sql->n_args, copy, err);
  if (st == TOMB_OK) return TOMB_OK;
  tomb_statements_give_back(&db->statements, *out);
  *out = NULL;
  return after_failure(db, st, err);
}

tomb_status tomb_store_open(tomb_cursor *out, tomb_db *db, tomb_error *err) {
  memset(out, 0, sizeof *out);
  out->db = db;
  tomb_status st = take(&out->prepared, db, true, err);
  if (st != TOMB_OK) return st;
  tomb_prepared *p = out->prepared;
  for (size_t i = 0; i < p->n_columns; i++) {
    p->fields[i] = i < db->sql.n_columns ? db->sql.columns[i] : NULL;
  }
  out->values = p->values;
  out->fields = p->fields;
  out->n = p->n_columns;
  db->cursors++;
  return TOMB_OK;
}

tomb_status tomb_other_columns(size_t n, size_t wanted, tomb_error *err) {
  return tomb_fail(err, TOMB_DATABASE,
                   "%zu columns were answered instead of %zu", n, wanted);
}

/* "SELECT *" of a table that has changed answers other columns; of fields
** only a fake does. */
static tomb_status fit_columns(tomb_db *db, tomb_prepared *p, tomb_error *err) {
  size_t n = p->fresh ? db->driver->columns(p->stmt) : p->n_columns;
  p->fresh = false;
  if (n == p->n_columns) return TOMB_OK;
  if (p->n_columns > 0 && p->fields[0] != NULL) {
    return tomb_other_columns(n, p->n_columns, err);
  }
  return tomb_statements_refit(&db->statements, p) ? TOMB_OK
                                                   : tomb_out_of_memory(err);
}

static tomb_status fetch(tomb_db *db, tomb_prepared *p, tomb_error *err) {
  tomb_status st = fit_columns(db, p, err);
  if (st != TOMB_OK) return st;
  if (!db->driver->row(p->stmt, p->values, p->n_columns)) {
    return tomb_out_of_memory(err);
  }
  for (size_t i = 0; i < p->n_columns; i++) {
    if (p->fields[i] != NULL) tomb_unfit(p->fields[i], &p->values[i]);
  }
  return TOMB_ROW;
}

static tomb_status pull(tomb_db *db, tomb_prepared *p, tomb_error *err) {
  if (!db->limited) return db->driver->step(p->stmt, err);
  return db->driver->bounds->step(db->conn, p->stmt, err);
}

static tomb_status step(tomb_db *db, tomb_prepared *p, tomb_error *err) {
  tomb_status st = pull(db, p, err);
  if (st == TOMB_ROW) return fetch(db, p, err);
  return st == TOMB_DONE ? st : after_failure(db, st, err);
}

tomb_status tomb_cursor_next(tomb_cursor *cursor, tomb_error *err) {
  if (cursor->prepared == NULL) return TOMB_DONE;
  tomb_status st = tomb_check_open(cursor->db, err);
  if (st != TOMB_OK) return st;
  tomb_store_look(cursor->db);
  st = step(cursor->db, cursor->prepared, err);
  cursor->values = cursor->prepared->values;
  cursor->fields = cursor->prepared->fields;
  cursor->n = cursor->prepared->n_columns;
  if (st != TOMB_DONE) return st;
  st = tomb_store_settle(cursor->db, err);
  return st == TOMB_OK ? TOMB_DONE : st;
}

void tomb_cursor_close(tomb_cursor *cursor) {
  tomb_db *db = cursor->db;
  if (cursor->prepared == NULL) return;
  tomb_statements_give_back(&db->statements, cursor->prepared);
  cursor->prepared = NULL;
  if (cursor->snapshot) db->snapshots--;
  if (--db->cursors == 0 && db->closing) tomb_close_now(db);
}

const char *tomb_cursor_name(const tomb_cursor *cursor, size_t i) {
  return cursor->db->driver->column_name(cursor->prepared->stmt, i);
}

/* The write is done when its first row is there. What cannot be told of it
** must not be kept: its level can only be rolled back. */
static tomb_status tear(tomb_db *db, tomb_status st) {
  if (db->depth > 0 && db->lost == 0) db->lost = db->depth;
  return st;
}

static tomb_status keep_rows(tomb_db *db, tomb_prepared *p, tomb_rows *rows,
                             tomb_error *err) {
  for (size_t i = 0; i < p->n_columns; i++) {
    p->fields[i] = i < db->sql.n_columns ? db->sql.columns[i] : NULL;
  }
  for (bool told = false;; told = true) {
    tomb_status st = pull(db, p, err);
    if (st == TOMB_DONE) return TOMB_OK;
    if (st != TOMB_ROW) {
      st = after_failure(db, st, err);
      return told ? tear(db, st) : st;
    }
    st = fetch(db, p, err);
    if (st == TOMB_ROW) {
      st = tomb_rows_add(rows, p->values, p->n_columns, err);
    }
    if (st != TOMB_OK) return tear(db, st);
  }
}

static tomb_status drain(tomb_db *db, tomb_prepared *p, tomb_error *err) {
  tomb_status st;
  do {
    st = pull(db, p, err);
  } while (st == TOMB_ROW);
  return st == TOMB_DONE ? TOMB_OK : after_failure(db, st, err);
}

tomb_status tomb_store_run(tomb_db *db, tomb_rows *rows, tomb_error *err) {
  tomb_prepared *p;
  tomb_status st = take(&p, db, false, err);
  if (st != TOMB_OK) return st;
  st = rows == NULL ? drain(db, p, err) : keep_rows(db, p, rows, err);
  tomb_statements_give_back(&db->statements, p);
  return st;
}

tomb_status tomb_store_text(tomb_db *db, const char *text, tomb_error *err) {
  tomb_sql_clear(&db->sql);
  tomb_sql_add(&db->sql, text);
  return tomb_store_run(db, NULL, err);
}

int64_t tomb_store_changes(const tomb_db *db) {
  return db->driver->changes(db->conn);
}

tomb_status tomb_store_write(int64_t *changed, tomb_db *db,
                             const tomb_clause *clauses,
                             const tomb_statement *statement, tomb_rows *rows,
                             tomb_error *err) {
  tomb_status st = tomb_store_start_write(db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_compile(&db->sql, clauses, statement);
  st = tomb_store_run(db, rows, err);
  if (st == TOMB_OK && changed != NULL) *changed = tomb_store_changes(db);
  return st;
}

tomb_status tomb_store_try(int64_t *changed, tomb_db *db,
                           const tomb_clause *clauses,
                           const tomb_statement *statement, tomb_rows *rows,
                           tomb_error *err) {
  /* rows come after the write, which they must be able to take along */
  bool alone = rows != NULL && db->depth == 0;
  if (db->driver->dialect->statements_are_atomic && !alone) {
    return tomb_store_write(changed, db, clauses, statement, rows, err);
  }
  tomb_status st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = tomb_store_write(changed, db, clauses, statement, rows, err);
  st = tomb_store_leave(db, st, err);
  if (st != TOMB_OK && changed != NULL) *changed = 0;
  return st;
}

tomb_status tomb_store_integer(int64_t *out, tomb_db *db, tomb_error *err) {
  tomb_cursor cursor;
  *out = 0;
  tomb_status st = tomb_store_open(&cursor, db, err);
  if (st != TOMB_OK) return st;
  st = tomb_cursor_next(&cursor, err);
  if (st == TOMB_ROW && cursor.values[0].type == TOMB_INTEGER) {
    *out = cursor.values[0].as.integer;
  }
  tomb_cursor_close(&cursor);
  return st == TOMB_ROW || st == TOMB_DONE ? TOMB_OK : st;
}

/* ---- small helpers of the verbs ----------------------------------- */

int64_t tomb_store_stamp(tomb_db *db, int64_t now) {
  if (db->conn == NULL) return now; /* what it is for will fail */
  tomb_commons *c = db->driver->commons(db->conn);
  c->last_stamp = c->stamped && now <= c->last_stamp ? c->last_stamp + 1 : now;
  c->stamped = true;
  return c->last_stamp;
}

const tomb_query *tomb_query_where(tomb_row_query *storage,
                                   const tomb_query *from,
                                   const tomb_field *field, tomb_lookup lookup,
                                   const tomb_value *value) {
  storage->query = *from;
  storage->key = *value;
  storage->cond = tomb_cond_on(field, lookup, &storage->key);
  storage->link.cond = &storage->cond;
  storage->link.exclude = false;
  storage->link.before = from->filters;
  storage->link.depth = from->filters == NULL ? 1 : from->filters->depth + 1;
  storage->query.filters = &storage->link;
  return &storage->query;
}

const tomb_query *tomb_query_row(tomb_row_query *storage,
                                 const tomb_query *from,
                                 const tomb_value *key) {
  return tomb_query_where(storage, from, tomb_key_field(from->model), TOMB_EQ,
                          key);
}

tomb_statement tomb_statement_on(const tomb_query *query) {
  tomb_statement statement;
  memset(&statement, 0, sizeof statement);
  statement.model = query->model;
  statement.query = query;
  return statement;
}
