/* relation.c - fields that point to the rows of another model. */
#include <string.h>

#include "error.h"
#include "model.h"

/* The field is what the key is that it holds. */
static void point(tomb_model *child, tomb_relation *relation,
                  tomb_model *parent) {
  tomb_field *field = &child->fields[relation->field->index];
  const tomb_field *key = tomb_key_field(parent);
  relation->parent = parent;
  parent->n_children++;
  field->type = key->type;
  field->max_length = key->max_length;
  field->collate = key->collate;
}

static void link_to(tomb_model *child, tomb_model *parent) {
  for (size_t i = 0; i < child->n_relations; i++) {
    tomb_relation *relation = &child->relations[i];
    if (relation->parent == NULL &&
        strcmp(relation->parent_name, parent->name) == 0) {
      point(child, relation, parent);
    }
  }
}

void tomb_link(tomb_model *model, tomb_model *const *models, size_t n) {
  for (size_t i = 0; i < n; i++) {
    link_to(model, models[i]);
    if (models[i] != model) link_to(models[i], model);
  }
  tomb_open_ways(model, models, n);
}

/* Only events can say who owns a row that dies with its parent. */
static tomb_status check_cascades(const tomb_model *child,
                                  const tomb_model *parent, tomb_error *err) {
  for (size_t i = 0; i < child->n_relations; i++) {
    const tomb_relation *relation = &child->relations[i];
    if (relation->on_delete != TOMB_CASCADE ||
        strcmp(relation->parent_name, parent->name) != 0 ||
        (child->soft_delete == TOMB_SOFT_DELETE_EVENTS &&
         parent->soft_delete == TOMB_SOFT_DELETE_EVENTS)) {
      continue;
    }
    tomb_fail(err, TOMB_MISUSE, "%s.%s cannot cascade - %s has no events",
              child->name, relation->field->name,
              child->soft_delete == TOMB_SOFT_DELETE_EVENTS ? parent->name
                                                            : child->name);
    tomb_error_model(err, child->name);
    tomb_error_hint(err, "soft_delete with events is needed on both sides; "
                         "or use \"restrict\" or \"keep\"");
    return TOMB_MISUSE;
  }
  return TOMB_OK;
}

tomb_status tomb_check_links(tomb_model *model, tomb_model *const *models,
                             size_t n, tomb_error *err) {
  tomb_status st = check_cascades(model, model, err);
  for (size_t i = 0; st == TOMB_OK && i < n; i++) {
    st = check_cascades(model, models[i], err);
    if (st == TOMB_OK) st = check_cascades(models[i], model, err);
  }
  return st == TOMB_OK ? tomb_check_ways(model, models, n, err) : st;
}

tomb_status tomb_need_parents(const tomb_model *model, tomb_error *err) {
  for (size_t i = 0; i < model->n_relations; i++) {
    const tomb_relation *relation = &model->relations[i];
    if (relation->parent != NULL) continue;
    tomb_fail(err, TOMB_MISUSE, "%s.%s points to %s, which is not declared",
              model->name, relation->field->name, relation->parent_name);
    tomb_error_model(err, model->name);
    tomb_error_hint(err, "declare the model %s", relation->parent_name);
    return TOMB_MISUSE;
  }
  return tomb_check_counters(model, err);
}

bool tomb_has_cascade_from(const tomb_model *model, bool own) {
  for (size_t i = 0; i < model->n_relations; i++) {
    if (tomb_cascades_from(&model->relations[i], own)) return true;
  }
  return false;
}

bool tomb_needs_own_rows(const tomb_model *model) {
  for (size_t i = 0; i < model->n_relations; i++) {
    const tomb_relation *relation = &model->relations[i];
    if (relation->parent == model && tomb_needs_parent(relation)) return true;
  }
  return false;
}

bool tomb_has_relatives(const tomb_model *model) {
  bool has = model->n_children > 0;
  for (size_t i = 0; i < model->n_relations; i++) {
    has = has || tomb_needs_parent(&model->relations[i]);
  }
  return has && tomb_is_soft(model);
}

/* ---- walks over the models ---------------------------------------- */

const tomb_relation *tomb_next_child(const tomb_graph *graph,
                                     const tomb_model *parent,
                                     const tomb_relation *last) {
  bool behind = last == NULL;
  for (size_t i = 0; i < graph->n; i++) {
    for (size_t j = 0; j < graph->models[i]->n_relations; j++) {
      const tomb_relation *relation = &graph->models[i]->relations[j];
      if (behind && relation->parent == parent) return relation;
      behind = behind || relation == last;
    }
  }
  return NULL;
}

static bool is_listed(const tomb_model *const *list, size_t n,
                      const tomb_model *model) {
  for (size_t i = 0; i < n; i++) {
    if (list[i] == model) return true;
  }
  return false;
}

/* The list is its own queue. */
size_t tomb_models_below(const tomb_model **list, size_t n,
                         const tomb_graph *graph, const tomb_model *model) {
  size_t i = n;
  if (!is_listed(list, n, model)) list[n++] = model;
  for (; i < n; i++) {
    const tomb_relation *r = NULL;
    while ((r = tomb_next_child(graph, list[i], r)) != NULL) {
      if (r->on_delete == TOMB_CASCADE && !is_listed(list, n, r->child)) {
        list[n++] = r->child;
      }
    }
  }
  return n;
}

/* True where one that the i-th needs comes behind it. */
static bool waits(const tomb_model *const *list, size_t n, size_t i) {
  for (size_t j = 0; j < list[i]->n_relations; j++) {
    const tomb_relation *r = &list[i]->relations[j];
    if (tomb_needs_parent(r) && r->parent != list[i] &&
        is_listed(list + i + 1, n - i - 1, r->parent)) {
      return true;
    }
  }
  return false;
}

static void swap(const tomb_model **list, size_t i, size_t j) {
  const tomb_model *model = list[i];
  list[i] = list[j];
  list[j] = model;
}

bool tomb_parents_first(const tomb_model **list, size_t n, size_t fixed) {
  bool ring = false;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = i + 1; i >= fixed && j < n && waits(list, n, i); j++) {
      swap(list, i, j);
    }
    ring = ring || waits(list, n, i);
  }
  return ring;
}
