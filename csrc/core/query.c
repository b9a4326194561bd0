/* query.c - queries are plain structs that never change. */
#include <string.h>

#include "cond.h"
#include "error.h"
#include "store.h"

/* SQLite parses a AND b AND … as a tree of that depth and allows 1000. */
#define MOST_FILTERS 500

static tomb_query manager(const tomb_model *model, tomb_scope scope) {
  tomb_query query;
  memset(&query, 0, sizeof query);
  query.model = model;
  query.scope = scope;
  query.limit = -1;
  return query;
}

tomb_query tomb_objects(const tomb_model *model) {
  return manager(model, TOMB_LIVING);
}

tomb_query tomb_all_objects(const tomb_model *model) {
  return manager(model, TOMB_EVERY);
}

tomb_query tomb_deleted_objects(const tomb_model *model) {
  return manager(model, TOMB_DEAD);
}

tomb_query tomb_event_rows(const tomb_db *db, const tomb_model *model,
                           tomb_of_event which, int64_t event) {
  tomb_query query = manager(model, TOMB_DEAD);
  query.of_event = which;
  query.event = event;
  if (tomb_has_cascades(db)) query.owners = db->owners;
  return query;
}

tomb_query tomb_among(const tomb_query *from, tomb_scope scope,
                      const tomb_keys *keys) {
  tomb_query query = manager(from->model, scope);
  query.order = from->order;
  query.n_order = from->n_order;
  query.reversed = from->reversed;
  query.shown = from->shown; /* an order may be by rows that are seen so */
  query.n_shown = from->n_shown;
  query.among = keys;
  query.among_to = tomb_keys_count(keys);
  return query;
}

tomb_status tomb_filter(tomb_query *out, const tomb_query *from,
                        tomb_cond *cond, bool exclude, tomb_filter_link *link,
                        tomb_error *err) {
  tomb_status st = tomb_cond_check(from, cond, err);
  if (st != TOMB_OK) return st;
  *out = *from;
  /* all{} narrows nothing; its complement leaves nothing */
  if (tomb_cond_is_trivial(cond) && !exclude) return TOMB_OK;
  link->cond = cond;
  link->exclude = exclude;
  link->before = from->filters;
  link->depth = from->filters == NULL ? 1 : from->filters->depth + 1;
  if (link->depth > MOST_FILTERS) {
    tomb_fail(err, TOMB_MISUSE, "A query has more than %d filters",
              MOST_FILTERS);
    tomb_error_hint(err, "combine them in one filter, or use __in");
    return TOMB_MISUSE;
  }
  out->filters = link;
  return TOMB_OK;
}

const tomb_order *tomb_model_order(const tomb_model *model, size_t i) {
  return i < model->n_order ? &model->order[i] : NULL;
}

bool tomb_query_is_whole(const tomb_query *query) {
  return query->filters == NULL && query->limit < 0 && query->offset == 0 &&
         query->among == NULL && !query->has_as_of &&
         query->of_event == TOMB_OF_ANY_EVENT;
}
