/*
** retention.c - purging what is longer dead than its model's keep.
**
** What hangs on an expired row goes along, unless it lives (raw SQL alone makes
** that) or is dead within the keep of its own model: then it holds the row, and
** all rows that hang together upwards from there, until it goes itself. A dead
** row of a model without a keep holds nothing.
*/
#include <string.h>

#include "erase.h"
#include "error.h"
#include "eventlog.h"
#include "report.h"

#define BATCH 1000

typedef struct retention {
  tomb_db *db;
  int64_t now;
  tomb_rows *report;
  tomb_closure going;   /* expired rows and what hangs on them */
  tomb_closure staying; /* who holds some of them, and what is held */
  bool held;
} retention;

static tomb_status open(retention *r, tomb_error *err) {
  tomb_status st = tomb_closure_open(&r->going, r->db, TOMB_CLOSURE_PURGE, err);
  if (st != TOMB_OK) return st;
  return tomb_closure_open(&r->staying, r->db, TOMB_CLOSURE_PARENTS, err);
}

static void close(retention *r) {
  tomb_closure_free(&r->going);
  if (r->staying.db != NULL) tomb_closure_free(&r->staying);
}

static bool expires(const tomb_model *model) {
  return model->keep > 0 && model->roles[TOMB_ROLE_DELETED_AT] != NULL;
}

/* deleted_at is before, or not, what the model keeps */
static void compare_stamp(tomb_sql *sql, const tomb_model *model,
                          const char *operator, int64_t now) {
  tomb_value before = tomb_time(now - model->keep);
  tomb_sql_field(sql, model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, operator);
  tomb_sql_value(sql, &before);
}

/* ---- who holds what ----------------------------------------------- */

static void and_holds(const retention *r, const tomb_relation *relation,
                      tomb_report_kind kind) {
  tomb_sql *sql = &r->db->sql;
  if (kind == TOMB_REPORT_NEEDED) { /* what is dead goes along */
    tomb_closure_but(sql, &r->going, relation->child);
    return;
  }
  tomb_sql_add(sql, " AND ");
  compare_stamp(sql, relation->child, " >= ", r->now);
}

static tomb_status add_holders(retention *r, const tomb_relation *relation,
                               tomb_report_kind kind, tomb_error *err) {
  tomb_sql *sql = &r->db->sql;
  const tomb_model *child = relation->child;
  int64_t count;
  tomb_status st = tomb_erase_probe(&r->going, relation, err);
  if (st != TOMB_OK) return st;
  and_holds(r, relation, kind);
  st = tomb_report_counted(r->report, kind, &count, r->db, child,
                           relation->field, err);
  if (st != TOMB_OK || count == 0) return st;
  r->held = true;
  st = tomb_store_start(r->db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(sql, "SELECT ");
  tomb_sql_field(sql, tomb_key_field(child));
  tomb_sql_add(sql, " FROM ");
  tomb_closure_children(sql, &r->going, relation, 0);
  and_holds(r, relation, kind);
  tomb_closure_but(sql, &r->staying, child);
  return tomb_add_keys(r->staying.keys[tomb_closure_place(&r->staying, child)],
                       r->db, err);
}

static tomb_status find_holders(retention *r, tomb_error *err) {
  tomb_graph graph = {r->db->models, r->db->n_models, r->db->owners};
  for (size_t i = 0; i < r->going.n; i++) {
    const tomb_relation *next = NULL;
    if (tomb_keys_count(r->going.keys[i]) == 0) continue;
    while ((next = tomb_next_child(&graph, r->going.order[i], next)) != NULL) {
      if (next->on_delete == TOMB_KEEP) continue;
      tomb_status st = add_holders(r, next, TOMB_REPORT_NEEDED, err);
      if (st == TOMB_OK && expires(next->child)) {
        st = add_holders(r, next, TOMB_REPORT_YOUNGER, err);
      }
      if (st != TOMB_OK) return st;
    }
  }
  return r->held ? tomb_closure_extend(&r->staying, err) : TOMB_OK;
}

/* ---- batches ------------------------------------------------------ */

static tomb_status select_batch(tomb_keys **out, tomb_db *db,
                                const tomb_model *model, int64_t now,
                                int64_t offset, tomb_error *err) {
  const tomb_order by_key = {tomb_key_field(model), false};
  tomb_value before = tomb_time(now - model->keep);
  tomb_row_query storage;
  tomb_query dead = tomb_deleted_objects(model);
  tomb_query batch = *tomb_query_where(
      &storage, &dead, model->roles[TOMB_ROLE_DELETED_AT], TOMB_LT, &before);
  batch.order = &by_key;
  batch.n_order = 1;
  batch.limit = BATCH;
  batch.offset = offset;
  return tomb_select_keys(out, db, &batch, err);
}

/* The first n keys without those that are held. */
static tomb_status select_free(tomb_keys **out, const retention *r,
                               const tomb_model *model, const tomb_keys *keys,
                               size_t n, tomb_error *err) {
  tomb_sql *sql = &r->db->sql;
  *out = tomb_keys_new(&r->db->allocator);
  if (*out == NULL) return tomb_out_of_memory(err);
  tomb_status st = tomb_store_start(r->db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(sql, "SELECT ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_among_some(sql, keys, 0, n);
  tomb_closure_but(sql, &r->staying, model);
  return tomb_add_keys(*out, r->db, err);
}

/* What may go of these keys, which it takes. */
static tomb_status spare_held(tomb_keys **out, retention *r,
                              const tomb_model *model, tomb_keys *keys,
                              tomb_error *err) {
  size_t n = tomb_keys_count(keys), place;
  tomb_status st = open(r, err);
  if (st != TOMB_OK) {
    tomb_keys_free(keys);
    return st;
  }
  place = tomb_closure_place(&r->going, model);
  tomb_closure_put(&r->going, model, keys);
  st = tomb_closure_extend(&r->going, err);
  if (st == TOMB_OK) st = find_holders(r, err);
  if (st == TOMB_OK && r->held) {
    return select_free(out, r, model, keys, n, err);
  }
  *out = r->going.keys[place]; /* those that go along go anyway */
  r->going.keys[place] = NULL;
  return st;
}

static tomb_status next_batch(tomb_keys **out, int64_t *left, retention *r,
                              const tomb_model *model, tomb_error *err) {
  tomb_keys *keys;
  tomb_status st = select_batch(&keys, r->db, model, r->now, *left, err);
  if (st != TOMB_OK) return st;
  int64_t n = (int64_t)tomb_keys_count(keys);
  if (n == 0 || model->n_children == 0) {
    *out = keys;
    return TOMB_OK;
  }
  st = spare_held(out, r, model, keys, err);
  close(r);
  if (st != TOMB_OK || !r->held) return st;
  *left += n - (int64_t)tomb_keys_count(*out);
  return TOMB_OK;
}

tomb_status tomb_expired(tomb_keys **out, int64_t *left, tomb_db *db,
                         const tomb_model *model, int64_t now,
                         tomb_error *err) {
  tomb_status st;
  int64_t before;
  *out = NULL;
  if (!expires(model)) return TOMB_OK;
  do { /* until there are some, or no more */
    retention r = {.db = db, .now = now};
    tomb_keys_free(*out);
    *out = NULL;
    before = *left;
    st = next_batch(out, left, &r, model, err);
  } while (st == TOMB_OK && tomb_keys_count(*out) == 0 && *left > before);
  if (st == TOMB_OK && tomb_keys_count(*out) > 0) return st;
  tomb_keys_free(*out);
  *out = NULL;
  return st;
}

static tomb_status purge_batch(int64_t *purged, int64_t *left, tomb_db *db,
                               const tomb_model *model, int64_t now,
                               tomb_rows *report, tomb_error *err) {
  tomb_keys *keys;
  tomb_purging how = {.deletion = {.now = now}, .report = report};
  tomb_status st = tomb_expired(&keys, left, db, model, now, err);
  if (st != TOMB_OK || keys == NULL) return st;
  tomb_query dead = tomb_deleted_objects(model);
  dead.among = keys;
  dead.among_to = tomb_keys_count(keys);
  st = tomb_purge(purged, db, &dead, &how, err);
  tomb_keys_free(keys);
  return st;
}

tomb_status tomb_purge_expired(int64_t *purged, int64_t *left, tomb_db *db,
                               const tomb_model *model, int64_t now,
                               tomb_rows *report, tomb_error *err) {
  int64_t before = *left;
  *purged = 0;
  if (!expires(model)) return TOMB_OK;
  tomb_status st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = purge_batch(purged, left, db, model, now, report, err);
  st = tomb_store_leave(db, st, err);
  if (st == TOMB_OK) return st;
  *purged = 0;
  *left = before;
  return st;
}

/* ---- looking ahead ------------------------------------------------ */

/* Puts the expired rows of all models, but for held ones, where they go. */
static tomb_status put_expired(retention *r, tomb_error *err) {
  tomb_sql *sql = &r->db->sql;
  for (size_t i = 0; i < r->going.n; i++) {
    const tomb_model *model = r->going.order[i];
    if (!expires(model)) continue;
    tomb_status st = tomb_store_start(r->db, err);
    if (st != TOMB_OK) return st;
    tomb_sql_add(sql, "SELECT ");
    tomb_sql_field(sql, tomb_key_field(model));
    tomb_sql_add(sql, " FROM ");
    tomb_sql_add(sql, model->quoted);
    tomb_sql_add(sql, " WHERE ");
    compare_stamp(sql, model, " < ", r->now);
    tomb_closure_but(sql, &r->staying, model);
    st = tomb_add_keys(r->going.keys[i], r->db, err);
    if (st != TOMB_OK) return st;
  }
  return tomb_closure_extend(&r->going, err);
}

static tomb_status report_left(const retention *r, tomb_error *err) {
  tomb_sql *sql = &r->db->sql;
  int64_t n;
  for (size_t i = 0; i < r->staying.n; i++) {
    const tomb_model *model = r->staying.order[i];
    if (!expires(model) || tomb_keys_count(r->staying.keys[i]) == 0) continue;
    tomb_status st = tomb_store_start(r->db, err);
    if (st != TOMB_OK) return st;
    tomb_sql_add(sql, "SELECT count(*) FROM ");
    tomb_sql_add(sql, model->quoted);
    tomb_sql_add(sql, " WHERE ");
    compare_stamp(sql, model, " < ", r->now);
    tomb_sql_add(sql, " AND ");
    tomb_sql_field(sql, tomb_key_field(model));
    tomb_sql_among(sql, r->staying.keys[i], 0);
    st = tomb_report_counted(r->report, TOMB_REPORT_LEFT, &n, r->db, model,
                             NULL, err);
    if (st != TOMB_OK) return st;
  }
  return TOMB_OK;
}

static tomb_status look(retention *r, tomb_error *err) {
  tomb_status st = put_expired(r, err);
  if (st == TOMB_OK) st = find_holders(r, err);
  if (st != TOMB_OK || !r->held) return st;
  st = report_left(r, err);
  if (st != TOMB_OK) return st;
  tomb_closure_free(&r->going);
  st = tomb_closure_open(&r->going, r->db, TOMB_CLOSURE_PURGE, err);
  return st == TOMB_OK ? put_expired(r, err) : st;
}

static tomb_status report_events(const retention *r, tomb_error *err) {
  tomb_status st = TOMB_OK;
  for (size_t i = 0; st == TOMB_OK && i < r->going.n; i++) {
    int64_t n;
    const tomb_model *model = r->going.order[i];
    if (model->keep <= 0) continue;
    st = tomb_count_expired_events(&n, &r->going, model, r->now - model->keep,
                                   err);
    if (st != TOMB_OK) return st;
    st = tomb_report(r->report, TOMB_REPORT_REMOVED, r->db->events, NULL, n,
                     NULL, err);
  }
  return st;
}

tomb_status tomb_preview_expired(tomb_rows *report, tomb_db *db, int64_t now,
                                 tomb_error *err) {
  retention r = {.db = db, .now = now, .report = report};
  int64_t n;
  tomb_status st = open(&r, err);
  if (st == TOMB_OK) st = look(&r, err);
  if (st == TOMB_OK) {
    st = tomb_preview_closure(&n, &r.going, db->events, report, err);
  }
  if (st == TOMB_OK) st = report_events(&r, err);
  close(&r);
  return st;
}

/* ---- events ------------------------------------------------------- */

tomb_status tomb_purge_events(int64_t *purged, tomb_db *db, int64_t now,
                              tomb_error *err) {
  *purged = 0;
  for (size_t i = 0; i < db->n_models; i++) {
    int64_t n, keep = db->models[i]->keep;
    if (keep <= 0) continue;
    tomb_status st = tomb_expire_events(&n, db, db->models[i], now - keep, err);
    if (st != TOMB_OK) return st;
    *purged += n;
  }
  return TOMB_OK;
}
