/* plan.c - the verbs of deletion as lists of statements. */
#include "plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "error.h"

static tomb_statement *add(tomb_plan *plan, tomb_plan_verb verb,
                           const tomb_query *query) {
  if (plan->steps == NULL) plan->steps = plan->few;
  tomb_plan_step *step = &plan->steps[plan->n++];
  step->verb = verb;
  step->statement.model = query->model;
  step->statement.query = query;
  step->statement.is_write = true;
  return &step->statement;
}

/* ---- deletion ----------------------------------------------------- */

static void die(tomb_plan *plan, tomb_statement *mark) {
  mark->fence = TOMB_LIVING;
  mark->mangling = TOMB_MANGLE;
  mark->suffix = &plan->suffix;
  mark->deleted_at = &plan->deleted_at;
  mark->deleted_event = &plan->deleted_event;
}

void tomb_plan_delete(tomb_plan *plan, const tomb_query *query, int64_t at,
                      int64_t event) {
  memset(plan, 0, sizeof *plan);
  die(plan, add(plan, TOMB_PLAN_MARK, query));
  plan->deleted_event = tomb_integer(event);
  tomb_plan_stamp(plan, at);
}

static tomb_value *event_value(tomb_plan *plan, const char *name) {
  const tomb_model *events = plan->events.model;
  return &plan->event[tomb_model_find(events, name, strlen(name))->index];
}

void tomb_plan_stamp(tomb_plan *plan, int64_t at) {
  size_t size = tomb_suffix(plan->suffix_text, at);
  plan->suffix = tomb_text_of(plan->suffix_text, size);
  plan->deleted_at = tomb_time(at);
  if (plan->events.model != NULL) *event_value(plan, "at") = tomb_time(at);
}

int64_t tomb_plan_stamped(const tomb_plan *plan) {
  return plan->deleted_at.as.integer;
}

static tomb_value text_or_null(const char *text) {
  return text == NULL ? tomb_null() : tomb_text(text);
}

/* Keys of every type are texts in an event. */
static tomb_value event_pk(tomb_plan *plan, const tomb_value *pk) {
  if (pk == NULL) return tomb_null();
  if (pk->type != TOMB_INTEGER) return *pk;
  snprintf(plan->event_pk, sizeof plan->event_pk, "%" PRId64, pk->as.integer);
  return tomb_text(plan->event_pk);
}

void tomb_plan_record(tomb_plan *plan, const tomb_model *events,
                      const tomb_deletion *how) {
  const char *model = plan->steps[0].statement.model->name;
  plan->events = tomb_all_objects(events);
  add(plan, TOMB_PLAN_RECORD, &plan->events)->values = plan->event;
  *event_value(plan, "id") = plan->deleted_event;
  *event_value(plan, "at") = plan->deleted_at;
  *event_value(plan, "model") = tomb_text(model);
  *event_value(plan, "pk") = event_pk(plan, how->pk);
  *event_value(plan, "actor") = text_or_null(how->actor);
  *event_value(plan, "reason") = text_or_null(how->reason);
  *event_value(plan, "undone_at") = tomb_null();
}

/* ---- cascades ----------------------------------------------------- */

/* A step on the model, whose query is the step's own. */
static tomb_statement *add_own(tomb_plan *plan, tomb_plan_verb verb,
                               const tomb_model *model) {
  tomb_plan_step *step = &plan->steps[plan->n];
  step->query =
      verb == TOMB_PLAN_OWN ? tomb_all_objects(model) : tomb_objects(model);
  return add(plan, verb, &step->query);
}

static void add_below(tomb_plan *plan, const tomb_model *model) {
  plan->deep = plan->deep || tomb_has_cascade_from(model, true);
  add_own(plan, TOMB_PLAN_OWN, model)->reach = &plan->reach;
  tomb_statement *below = add_own(plan, TOMB_PLAN_BELOW, model);
  below->reach = &plan->reach;
  die(plan, below);
}

static void add_probes(tomb_plan *plan, const tomb_graph *graph,
                       const tomb_model *parent) {
  const tomb_relation *r = NULL;
  while ((r = tomb_next_child(graph, parent, r)) != NULL) {
    if (r->on_delete != TOMB_RESTRICT) continue;
    tomb_statement *probe = add_own(plan, TOMB_PLAN_PROBE, r->child);
    probe->towards = r;
    probe->deleted_at = &plan->deleted_at;
    probe->deleted_event = &plan->deleted_event;
  }
}

bool tomb_plan_cascade(tomb_plan *plan, const tomb_allocator *a,
                       const tomb_graph *graph) {
  const tomb_model *root = plan->few[0].statement.model;
  const tomb_model **reached;
  size_t n, n_relations = 0;
  plan->arena.a = a;
  for (size_t i = 0; i < graph->n; i++) {
    n_relations += graph->models[i]->n_relations;
  }
  size_t bytes =
      (TOMB_PLAN_STEPS + 2 * graph->n + n_relations) * sizeof *plan->steps;
  tomb_plan_step *steps = tomb_arena_take(&plan->arena, bytes);
  reached = tomb_arena_take(&plan->arena, graph->n * sizeof *reached);
  if (steps == NULL || reached == NULL) return false;
  memset(steps, 0, bytes);
  steps[0] = plan->few[0];
  plan->steps = steps;
  plan->reach.owners = graph->owners;
  plan->reach.event = &plan->deleted_event;
  n = tomb_models_below(reached, 0, graph, root);
  plan->circular = tomb_parents_first(reached, n, 1);
  bool in_ring = plan->circular && tomb_has_cascade_from(root, false);
  if (in_ring || tomb_has_cascade_from(root, true)) add_below(plan, root);
  for (size_t i = 1; i < n; i++) add_below(plan, reached[i]);
  for (size_t i = 0; i < n; i++) add_probes(plan, graph, reached[i]);
  return true;
}

void tomb_plan_free(tomb_plan *plan) {
  if (plan->arena.a != NULL) tomb_arena_free(&plan->arena);
}

/* ---- restore and purge -------------------------------------------- */

void tomb_plan_restore(tomb_plan *plan, const tomb_query *query,
                       const tomb_assignment *also, size_t n) {
  memset(plan, 0, sizeof *plan);
  tomb_statement *revive = add(plan, TOMB_PLAN_REVIVE, query);
  plan->deleted_at = plan->deleted_event = tomb_null();
  revive->fence = TOMB_DEAD;
  revive->mangling = TOMB_UNMANGLE;
  revive->deleted_at = &plan->deleted_at;
  revive->deleted_event = &plan->deleted_event;
  revive->assignments = also;
  revive->n_assignments = n;
}

void tomb_plan_purge(tomb_plan *plan, const tomb_query *query,
                     tomb_scope fence) {
  memset(plan, 0, sizeof *plan);
  add(plan, TOMB_PLAN_ERASE, query)->fence = fence;
}

/* ---- as SQL ------------------------------------------------------- */

const tomb_clause *tomb_plan_clauses(const tomb_dialect *dialect,
                                     tomb_plan_verb verb) {
  static const tomb_clause own[] = {tomb_sql_own, NULL};
  static const tomb_clause probe[] = {tomb_sql_probe, NULL};
  switch (verb) {
  case TOMB_PLAN_RECORD: return dialect->insert;
  case TOMB_PLAN_ERASE: return dialect->erase;
  case TOMB_PLAN_OWN: return own;
  case TOMB_PLAN_PROBE: return probe;
  case TOMB_PLAN_MARK:
  case TOMB_PLAN_BELOW:
  case TOMB_PLAN_REVIVE: break;
  }
  return dialect->update;
}

static void show_step(tomb_buf *out, tomb_sql *sql,
                      const tomb_plan_step *step) {
  char shown[128];
  tomb_sql_clear(sql);
  tomb_sql_compile(sql, tomb_plan_clauses(sql->dialect, step->verb),
                   &step->statement);
  tomb_buf_add(out, sql->text.data, sql->text.size);
  for (size_t i = 0; i < sql->n_args; i++) {
    tomb_show_value(shown, sizeof shown, &sql->args[i]);
    tomb_buf_text(out, i == 0 ? " | " : ", ");
    tomb_buf_text(out, shown);
  }
  tomb_buf_text(out, "\n");
  out->failed = out->failed || tomb_sql_failed(sql);
}

void tomb_plan_show(tomb_buf *out, const tomb_plan *plan,
                    const tomb_dialect *dialect) {
  tomb_sql sql;
  tomb_sql_init(&sql, dialect, out->a);
  for (size_t i = 0; i < plan->n; i++) show_step(out, &sql, &plan->steps[i]);
  tomb_sql_free(&sql);
}
