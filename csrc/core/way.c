/* way.c - the named steps from the rows of a model to others. */
#include <string.h>

#include "error.h"
#include "model.h"

/* ---- asking ------------------------------------------------------- */

const tomb_way *tomb_model_way(const tomb_model *model, const char *name,
                               size_t size) {
  for (const tomb_way *way = model->ways; way != NULL; way = way->next) {
    if (way->name_size == size && memcmp(way->name, name, size) == 0) {
      return way;
    }
  }
  return NULL;
}

const tomb_model *tomb_way_model(const tomb_way *way) {
  if (way->kind == TOMB_TO_CHILDREN) return way->near->child;
  return way->kind == TOMB_TO_PARENT ? way->near->parent : way->far->parent;
}

size_t tomb_name_end(const char *path, size_t size) {
  for (size_t i = 0; i + 1 < size; i++) {
    if (path[i] == '_' && path[i + 1] == '_') return i;
  }
  return size;
}

const tomb_model *tomb_path_end(const tomb_model *model, const char *path,
                                size_t size) {
  for (;;) {
    size_t end = tomb_name_end(path, size);
    const tomb_way *way = tomb_model_way(model, path, end);
    if (way == NULL) return NULL;
    model = tomb_way_model(way);
    if (end == size) return model;
    path += end + 2;
    size -= end + 2;
  }
}

static const char *nearest_way(const tomb_model *model, const char *wrong,
                               size_t size) {
  for (const tomb_way *way = model->ways; way != NULL; way = way->next) {
    if (tomb_nearest(&way->name, 1, wrong, size) != NULL) return way->name;
  }
  return NULL;
}

tomb_status tomb_no_such_name(const tomb_model *model, const char *name,
                              size_t size, tomb_error *err) {
  const tomb_field *field;
  tomb_status st = tomb_need_field(&field, model, name, size, err);
  const char *nearest = nearest_way(model, name, size);
  if (err != NULL && nearest != NULL && err->hint[0] == '\0') {
    tomb_error_hint(err, "did you mean '%s'?", nearest);
  }
  return st;
}

tomb_status tomb_need_way(const tomb_way **out, const tomb_model *model,
                          const char *name, size_t size, tomb_error *err) {
  *out = tomb_model_way(model, name, size);
  if (*out != NULL) return TOMB_OK;
  tomb_fail(err, TOMB_MISUSE, "%s has no relation '%.*s'", model->name,
            size > 80 ? 80 : (int)size, name);
  tomb_error_model(err, model->name);
  const char *nearest = nearest_way(model, name, size);
  if (nearest != NULL) tomb_error_hint(err, "did you mean '%s'?", nearest);
  return TOMB_MISUSE;
}

/* ---- opening ------------------------------------------------------ */

static tomb_model *model_named(tomb_model *model, tomb_model *const *models,
                               size_t n, const char *name) {
  if (strcmp(model->name, name) == 0) return model;
  for (size_t i = 0; i < n; i++) {
    if (strcmp(models[i]->name, name) == 0) return models[i];
  }
  return NULL;
}

static void open_way(tomb_model *from, tomb_way *way, const char *name,
                     tomb_way_kind kind, const tomb_relation *near,
                     const tomb_relation *far) {
  if (name == NULL) return;
  way->name = name;
  way->name_size = strlen(name);
  way->kind = kind;
  way->near = near;
  way->far = far;
  way->next = from->ways;
  from->ways = way;
}

/* Both ways of the i-th relation, unless they are open. */
static void open_relation(tomb_model *child, size_t i, tomb_model *model,
                          tomb_model *const *models, size_t n) {
  const tomb_relation *relation = &child->relations[i];
  tomb_way *ways = &child->own_ways[i * 2];
  if (relation->parent == NULL || ways[0].near != NULL ||
      ways[1].near != NULL) {
    return;
  }
  tomb_model *parent = model_named(model, models, n, relation->parent_name);
  open_way(child, &ways[0], relation->name, TOMB_TO_PARENT, relation, NULL);
  open_way(parent, &ways[1], relation->related_name, TOMB_TO_CHILDREN, relation,
           NULL);
}

/* The relation of the link's model to `parent`: the named one, or the only one.
** Of a model that is linked to itself the first leads here, the second there. */
static const tomb_relation *end_of(const tomb_model *through,
                                   const tomb_model *parent, const char *field,
                                   size_t nth, size_t *found) {
  const tomb_relation *end = NULL;
  *found = 0;
  for (size_t i = 0; i < through->n_relations; i++) {
    const tomb_relation *r = &through->relations[i];
    if (strcmp(r->parent_name, parent->name) != 0) continue;
    if (field != NULL && strcmp(r->field->name, field) != 0) continue;
    if (*found == nth) end = r;
    ++*found;
  }
  return end;
}

typedef struct ends {
  tomb_model *to, *through;
  const tomb_relation *near, *far;
  size_t n_near, n_far;
} ends;

/* False while a model of the link is not declared. */
static bool find_ends(ends *out, const tomb_linking *link, tomb_model *from,
                      tomb_model *model, tomb_model *const *models, size_t n) {
  out->to = model_named(model, models, n, link->to);
  out->through = model_named(model, models, n, link->through);
  if (out->to == NULL || out->through == NULL) return false;
  bool own = out->to == from && link->far == NULL;
  out->near = end_of(out->through, from, link->near, 0, &out->n_near);
  out->far = end_of(out->through, out->to, link->far, own ? 1 : 0, &out->n_far);
  return true;
}

static void open_link(tomb_model *from, size_t i, tomb_model *model,
                      tomb_model *const *models, size_t n) {
  tomb_linking *link = &from->links[i];
  tomb_way *ways = &from->own_ways[(from->n_relations + i) * 2];
  ends e;
  if (link->linked || !find_ends(&e, link, from, model, models, n)) return;
  link->linked = true;
  open_way(from, &ways[0], link->name, TOMB_TO_LINKED, e.near, e.far);
  open_way(e.to, &ways[1], link->related_name, TOMB_TO_LINKED, e.far, e.near);
}

static void open_all(tomb_model *from, tomb_model *model,
                     tomb_model *const *models, size_t n) {
  for (size_t i = 0; i < from->n_relations; i++) {
    open_relation(from, i, model, models, n);
  }
  for (size_t i = 0; i < from->n_links; i++) {
    open_link(from, i, model, models, n);
  }
}

void tomb_open_ways(tomb_model *model, tomb_model *const *models, size_t n) {
  for (size_t i = 0; i < n; i++) open_all(models[i], model, models, n);
}

/* ---- names -------------------------------------------------------- */

static tomb_status check_free(const tomb_model *from, const tomb_model *has,
                              const char *name, tomb_error *err) {
  if (name == NULL) return TOMB_OK;
  size_t size = strlen(name);
  if (tomb_model_find(has, name, size) == NULL &&
      tomb_model_way(has, name, size) == NULL) {
    return TOMB_OK;
  }
  tomb_fail(err, TOMB_MISUSE, "%s has a field or a relation '%s' already",
            has->name, name);
  tomb_error_model(err, from->name);
  tomb_error_hint(err, "give the relation of %s another name", from->name);
  return TOMB_MISUSE;
}

/* The i-th relation of one model may open a way that another one opens, too. */
static tomb_status check_twin(const tomb_model *child, size_t i,
                              tomb_error *err) {
  const tomb_relation *r = &child->relations[i];
  for (size_t j = 0; r->related_name != NULL && j < i; j++) {
    const tomb_relation *other = &child->relations[j];
    if (other->related_name == NULL ||
        strcmp(other->related_name, r->related_name) != 0 ||
        strcmp(other->parent_name, r->parent_name) != 0) {
      continue;
    }
    tomb_fail(err, TOMB_MISUSE, "Two relations of %s to %s are called '%s'",
              child->name, r->parent_name, r->related_name);
    tomb_error_model(err, child->name);
    return TOMB_MISUSE;
  }
  return TOMB_OK;
}

/* What is not open yet must be free where it will be. */
static tomb_status check_names(tomb_model *child, tomb_model *model,
                               tomb_model *const *models, size_t n,
                               tomb_error *err) {
  tomb_status st = TOMB_OK;
  for (size_t i = 0; st == TOMB_OK && i < child->n_relations; i++) {
    const tomb_relation *r = &child->relations[i];
    const tomb_model *parent = model_named(model, models, n, r->parent_name);
    if (r->parent != NULL || parent == NULL) continue;
    st = check_free(child, parent, r->related_name, err);
    if (st == TOMB_OK) st = check_free(child, child, r->name, err);
    if (st == TOMB_OK) st = check_twin(child, i, err);
  }
  return st;
}

/* ---- refusing ----------------------------------------------------- */

/* One end of a link: `field` is the one that near or far names, or NULL, and
** `n` relations may be it. */
typedef struct link_end {
  const tomb_model *parent;
  const tomb_relation *relation;
  const char *field;
  size_t n;
} link_end;

static tomb_status no_such_end(const tomb_model *from, const tomb_linking *link,
                               const ends *e, const link_end *end,
                               tomb_error *err) {
  tomb_fail(err, TOMB_MISUSE, "%s.%s: %s.%s is no relation to %s", from->name,
            link->name, e->through->name, end->field, end->parent->name);
  tomb_error_model(err, from->name);
  tomb_error_hint(err, "near and far name fields, as in near = \"post_id\"");
  return TOMB_MISUSE;
}

static tomb_status check_end(const tomb_model *from, const tomb_linking *link,
                             const ends *e, const link_end *end,
                             tomb_error *err) {
  bool two = e->to == from && link->near == NULL && link->far == NULL;
  size_t wanted = two ? 2 : 1;
  if (end->relation != NULL && end->n == wanted) return TOMB_OK;
  if (end->field != NULL) return no_such_end(from, link, e, end, err);
  const char *few = end->n == 0 ? "no" : "only one";
  tomb_fail(err, TOMB_MISUSE, "%s.%s: %s has %s relation to %s", from->name,
            link->name, e->through->name,
            end->n < wanted ? few : "more than one", end->parent->name);
  tomb_error_model(err, from->name);
  tomb_error_hint(err, end->n >= wanted ? "name the fields with near and far"
                       : two ? "it must point to it twice, with belongs_to"
                             : "it must point to both models with belongs_to");
  return TOMB_MISUSE;
}

static tomb_status check_links(tomb_model *from, tomb_model *model,
                               tomb_model *const *models, size_t n,
                               tomb_error *err) {
  for (size_t i = 0; i < from->n_links; i++) {
    const tomb_linking *link = &from->links[i];
    ends e;
    if (link->linked || !find_ends(&e, link, from, model, models, n)) continue;
    tomb_status st = check_free(from, from, link->name, err);
    if (st == TOMB_OK) st = check_free(from, e.to, link->related_name, err);
    if (st != TOMB_OK) return st;
    link_end near = {from, e.near, link->near, e.n_near};
    link_end far = {e.to, e.far, link->far, e.n_far};
    st = check_end(from, link, &e, &near, err);
    if (st == TOMB_OK) st = check_end(from, link, &e, &far, err);
    if (st != TOMB_OK) return st;
  }
  return TOMB_OK;
}

tomb_status tomb_check_ways(tomb_model *model, tomb_model *const *models,
                            size_t n, tomb_error *err) {
  tomb_status st = check_names(model, model, models, n, err);
  if (st == TOMB_OK) st = check_links(model, model, models, n, err);
  for (size_t i = 0; st == TOMB_OK && i < n; i++) {
    st = check_names(models[i], model, models, n, err);
    if (st == TOMB_OK) st = check_links(models[i], model, models, n, err);
  }
  return st;
}
