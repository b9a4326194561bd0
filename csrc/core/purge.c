/* purge.c - the real DELETE. */
#include "erase.h"
#include "error.h"
#include "plan.h"
#include "report.h"

static bool has_relatives(const tomb_model *model) {
  return model->n_children > 0 || model->n_relations > 0;
}

static tomb_status erase(int64_t *purged, tomb_db *db, const tomb_query *query,
                         tomb_scope fence, tomb_rows *report, tomb_error *err) {
  tomb_plan plan;
  tomb_plan_count count;
  tomb_query fenced = *query;
  if (has_relatives(query->model)) {
    if (fence == TOMB_DEAD) fenced.scope = TOMB_DEAD;
    return tomb_erase_family(purged, db, &fenced, report, err);
  }
  tomb_status st =
      tomb_report_ahead(report, TOMB_REPORT_ROWS, query->model, err);
  if (st != TOMB_OK) return st;
  tomb_plan_purge(&plan, query, fence);
  st = tomb_run_plan(&count, db, &plan, err);
  *purged = st == TOMB_OK ? count.own : 0;
  tomb_report_settle(report, *purged);
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

static tomb_query among_keys(const tomb_model *model, const tomb_keys *keys) {
  tomb_query among = tomb_all_objects(model);
  among.among = keys;
  among.among_to = tomb_keys_count(keys);
  return among;
}

/* A deletion changes what the query matches, so its keys are noted first. */
static tomb_status delete_and_erase(int64_t *purged, tomb_db *db,
                                    const tomb_query *query,
                                    const tomb_purging *how, tomb_error *err) {
  tomb_keys *keys;
  tomb_deleted deleted;
  tomb_status st = tomb_select_keys(&keys, db, query, err);
  if (st != TOMB_OK) return st;
  tomb_query among = among_keys(query->model, keys);
  st = tomb_delete(&deleted, db, &among, &how->deletion, err);
  if (st == TOMB_OK) {
    st = erase(purged, db, &among, TOMB_DEAD, how->report, err);
  }
  tomb_keys_free(keys);
  return st;
}

/* ---- looking ahead ------------------------------------------------ */

/* The rows and what goes along, which would all be dead where `dying` is. */
static tomb_status preview_family(int64_t *purged, tomb_db *db,
                                  const tomb_query *query,
                                  const tomb_closure *dying, tomb_rows *report,
                                  tomb_error *err) {
  tomb_closure c;
  tomb_status st = tomb_closure_open(&c, db, TOMB_CLOSURE_PURGE, err);
  c.dying = dying;
  if (st == TOMB_OK) st = tomb_closure_fill(&c, query, err);
  if (st == TOMB_OK) {
    st = tomb_preview_closure(purged, &c, query->model, report, err);
  }
  tomb_closure_free(&c);
  return st;
}

static tomb_status preview_dying(int64_t *purged, tomb_db *db,
                                 const tomb_query *query, tomb_rows *report,
                                 tomb_error *err) {
  tomb_closure dying;
  tomb_keys *keys;
  tomb_status st = tomb_select_keys(&keys, db, query, err);
  if (st != TOMB_OK) return st;
  tomb_query among = among_keys(query->model, keys), living = among;
  living.scope = TOMB_LIVING;
  st = tomb_closure_open(&dying, db, TOMB_CLOSURE_DELETE, err);
  if (st == TOMB_OK) st = tomb_closure_fill(&dying, &living, err);
  if (st == TOMB_OK) {
    st = preview_family(purged, db, &among, &dying, report, err);
  }
  tomb_closure_free(&dying);
  tomb_keys_free(keys);
  return st;
}

static tomb_status preview(int64_t *purged, tomb_db *db,
                           const tomb_query *query, tomb_rows *report,
                           tomb_error *err) {
  const tomb_model *model = query->model;
  if (!has_relatives(model)) {
    tomb_status st = tomb_count(purged, db, query, err);
    if (st != TOMB_OK) return st;
    return tomb_report(report, TOMB_REPORT_ROWS, model, NULL, *purged, NULL,
                       err);
  }
  if (query->scope == TOMB_DEAD || !tomb_is_soft(model)) {
    return preview_family(purged, db, query, NULL, report, err);
  }
  return preview_dying(purged, db, query, report, err);
}

/* ---- both --------------------------------------------------------- */

tomb_status tomb_purge(int64_t *purged, tomb_db *db, const tomb_query *query,
                       const tomb_purging *how, tomb_error *err) {
  *purged = 0;
  tomb_status st = need_meaning(query, how->living, err);
  if (st != TOMB_OK) return st;
  if (how->dry_run) return preview(purged, db, query, how->report, err);
  if (!tomb_is_soft(query->model)) {
    return erase(purged, db, query, TOMB_EVERY, how->report, err);
  }
  if (query->scope == TOMB_DEAD) {
    return erase(purged, db, query, TOMB_DEAD, how->report, err);
  }
  st = tomb_store_enter(db, err);
  if (st != TOMB_OK) return st;
  st = delete_and_erase(purged, db, query, how, err);
  st = tomb_store_leave(db, st, err);
  if (st != TOMB_OK) *purged = 0;
  return st;
}
