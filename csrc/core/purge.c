/* purge.c - the real DELETE, and what retention removes. */
#include <string.h>

#include "erase.h"
#include "error.h"
#include "keys.h"
#include "plan.h"
#include "verbs.h"

#define BATCH 1000

static tomb_status erase(int64_t *purged, tomb_db *db, const tomb_query *query,
                         tomb_scope fence, tomb_error *err) {
  tomb_plan plan;
  tomb_plan_count count;
  tomb_query fenced = *query;
  if (query->model->n_children > 0 || query->model->n_relations > 0) {
    if (fence == TOMB_DEAD) fenced.scope = TOMB_DEAD;
    return tomb_erase_family(purged, db, &fenced, err);
  }
  tomb_plan_purge(&plan, query, fence);
  tomb_status st = tomb_run_plan(&count, db, &plan, err);
  *purged = count.own;
  return st;
}

static tomb_status need_meaning(const tomb_query *query, bool living,
                                tomb_error *err) {
  if (query->scope == TOMB_DEAD || living) return TOMB_OK;
  tomb_fail(err, TOMB_MISUSE, "A purge of living rows must be meant");
  tomb_error_model(err, query->model->name);
  tomb_error_hint(err, "use deleted_objects, or pass living = true");
  return TOMB_MISUSE;
}

/* A deletion changes what the query matches, so its keys are noted first. */
static tomb_status delete_and_erase(int64_t *purged, tomb_db *db,
                                    const tomb_query *query,
                                    const tomb_deletion *deletion,
                                    tomb_error *err) {
  tomb_keys *keys;
  tomb_deleted deleted;
  tomb_status st = tomb_select_keys(&keys, db, query, err);
  if (st != TOMB_OK) return st;
  tomb_query among = tomb_all_objects(query->model);
  among.among = keys;
  among.among_to = tomb_keys_count(keys);
  st = tomb_delete(&deleted, db, &among, deletion, err);
  if (st == TOMB_OK) st = erase(purged, db, &among, TOMB_DEAD, err);
  tomb_keys_free(keys);
  return st;
}

tomb_status tomb_purge(int64_t *purged, tomb_db *db, const tomb_query *query,
                       bool living, const tomb_deletion *deletion,
                       tomb_error *err) {
  bool soft = query->model->soft_delete != TOMB_SOFT_DELETE_OFF;
  *purged = 0;
  tomb_status st = need_meaning(query, living, err);
  if (st != TOMB_OK) return st;
  if (!soft) return erase(purged, db, query, TOMB_EVERY, err);
  if (query->scope == TOMB_DEAD) {
    return erase(purged, db, query, TOMB_DEAD, err);
  }
  st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = delete_and_erase(purged, db, query, deletion, err);
  st = tomb_store_leave(db, st, err);
  if (st != TOMB_OK) *purged = 0;
  return st;
}

/* ---- retention ---------------------------------------------------- */

tomb_status tomb_purge_expired(int64_t *purged, tomb_db *db,
                               const tomb_model *model, int64_t now,
                               bool dry_run, tomb_error *err) {
  const tomb_field *stamp = model->roles[TOMB_ROLE_DELETED_AT];
  tomb_row_query storage;
  *purged = 0;
  if (model->keep <= 0 || stamp == NULL) return TOMB_OK;
  tomb_value before = tomb_time(now - model->keep);
  tomb_query dead = tomb_deleted_objects(model);
  tomb_query expired =
      *tomb_query_where(&storage, &dead, stamp, TOMB_LT, &before);
  if (dry_run) return tomb_count(purged, db, &expired, err);
  expired.limit = BATCH;
  return erase(purged, db, &expired, TOMB_DEAD, err);
}

/* A dry run has not purged what it says would go. */
static void and_stays(tomb_sql *sql, const tomb_model *model, int64_t now) {
  tomb_value before = tomb_time(now - model->keep);
  if (model->keep <= 0) return;
  tomb_sql_add(sql, " AND ");
  tomb_sql_field(sql, model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " >= ");
  tomb_sql_value(sql, &before);
}

static void holds_no_row(tomb_sql *sql, const tomb_db *db, int64_t now,
                         bool dry_run) {
  const tomb_field *id = tomb_key_field(db->events);
  for (size_t i = 0; i < db->n_models; i++) {
    const tomb_model *model = db->models[i];
    const tomb_field *owner = model->roles[TOMB_ROLE_DELETED_EVENT];
    if (owner == NULL) continue;
    tomb_sql_add(sql, " AND ");
    tomb_sql_field(sql, id);
    tomb_sql_add(sql, " NOT IN (SELECT ");
    tomb_sql_field(sql, owner);
    tomb_sql_add(sql, " FROM ");
    tomb_sql_add(sql, model->quoted);
    tomb_sql_add(sql, " WHERE ");
    tomb_sql_field(sql, owner);
    tomb_sql_add(sql, " IS NOT NULL");
    if (dry_run) and_stays(sql, model, now);
    tomb_sql_add(sql, ")");
  }
  if (!tomb_has_cascades(db)) return;
  tomb_sql_add(sql, " AND ");
  tomb_sql_field(sql, id);
  tomb_sql_add(sql, " NOT IN (SELECT \"event\" FROM ");
  tomb_sql_add(sql, db->owners->quoted);
  tomb_sql_add(sql, ")");
}

static void expired_events(tomb_db *db, const tomb_model *model, int64_t now,
                           bool dry_run) {
  tomb_sql *sql = &db->sql;
  tomb_value name = tomb_text(model->name);
  tomb_value before = tomb_time(now - model->keep);
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, db->events->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, tomb_model_find(db->events, "model", 5));
  tomb_sql_add(sql, " = ");
  tomb_sql_value(sql, &name);
  tomb_sql_add(sql, " AND ");
  tomb_sql_field(sql, tomb_model_find(db->events, "at", 2));
  tomb_sql_add(sql, " < ");
  tomb_sql_value(sql, &before);
  holds_no_row(sql, db, now, dry_run);
}

static tomb_status events_of(int64_t *purged, tomb_db *db,
                             const tomb_model *model, int64_t now, bool dry_run,
                             tomb_error *err) {
  tomb_status st =
      dry_run ? tomb_store_start(db, err) : tomb_store_start_write(db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(&db->sql, dry_run ? "SELECT count(*)" : "DELETE");
  expired_events(db, model, now, dry_run);
  if (dry_run) return tomb_store_integer(purged, db, err);
  st = tomb_store_run(db, NULL, err);
  *purged = st == TOMB_OK ? tomb_store_changes(db) : 0;
  return st;
}

tomb_status tomb_purge_events(int64_t *purged, tomb_db *db, int64_t now,
                              bool dry_run, tomb_error *err) {
  *purged = 0;
  for (size_t i = 0; i < db->n_models; i++) {
    int64_t n;
    if (db->models[i]->keep <= 0) continue;
    tomb_status st = events_of(&n, db, db->models[i], now, dry_run, err);
    if (st != TOMB_OK) return st;
    *purged += n;
  }
  return TOMB_OK;
}
