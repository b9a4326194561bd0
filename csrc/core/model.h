/* model.h - the checked description of a table; it never changes. */
#ifndef TOMB_MODEL_H
#define TOMB_MODEL_H

#include "mem.h"

/*
** Fields that belong together: an index, or a constraint. A field's own
** `unique` and `index` are groups of one, so that nothing below here knows a
** difference.
*/
typedef struct tomb_group {
  const tomb_field **fields;
  size_t n;
  tomb_unique unique; /* NOT_UNIQUE: a plain index */
  bool of_all;        /* it holds the dead too */
  const char *index;  /* the name of its index */
} tomb_group;

#define TOMB_ROLES 7

/* Rows of this model and of another that a third one joins. */
typedef struct tomb_linking {
  const char *name, *related_name, *to, *through, *near, *far;
  bool linked; /* all three models are there */
} tomb_linking;

struct tomb_model {
  tomb_allocator allocator;
  tomb_arena arena; /* everything below */
  const char *name, *table;
  const char *quoted; /* the table as SQL writes it */
  tomb_field *fields;
  size_t n_fields;
  tomb_group *groups;
  size_t n_groups;
  const tomb_field *roles[TOMB_ROLES]; /* NULL where nobody plays it */
  tomb_relation *relations;
  size_t n_relations;
  size_t n_children; /* relations of any model that point here */
  tomb_linking *links;
  size_t n_links;
  tomb_way *own_ways;   /* two for each relation and link, that way and back */
  const tomb_way *ways; /* those that begin here, the latest first */
  tomb_order *order;
  size_t n_order;
  /* of the living keys, and of the dead by event; NULL: there is none */
  const char *living_index, *event_index;
  tomb_soft_delete soft_delete;
  int64_t keep;
};

/* way.c: adds the ways that `model`, just linked, opens. */
void tomb_open_ways(tomb_model *model, tomb_model *const *models, size_t n);
/* Refuses links that lack a relation, or have the choice of several. */
tomb_status tomb_check_ways(tomb_model *model, tomb_model *const *models,
                            size_t n, tomb_error *err);
/* Where the first name of a text like "author__team" ends. */
size_t tomb_name_end(const char *path, size_t size);
/* Refuses a name that is neither a field nor a way, with a suggestion. */
tomb_status tomb_no_such_name(const tomb_model *model, const char *name,
                              size_t size, tomb_error *err);

/* counter.c: the relation whose rows the field counts, or NULL. */
const tomb_relation *tomb_counted(const tomb_model *model,
                                  const tomb_field *counter);
/* Refuses counters of what is no way to many rows, or none yet. */
tomb_status tomb_check_counters(const tomb_model *model, tomb_error *err);

/* relation.c: refuses a cascade between models that cannot have one. */
tomb_status tomb_check_links(tomb_model *model, tomb_model *const *models,
                             size_t n, tomb_error *err);
/* Finds the parents that are declared by now, for the fields of
** `model` and for the fields of others that have waited for it. */
void tomb_link(tomb_model *model, tomb_model *const *models, size_t n);
/* Refuses a write to a model that points to one which nobody has declared. */
tomb_status tomb_need_parents(const tomb_model *model, tomb_error *err);
/* All models of a database, and its table of owners. */
typedef struct tomb_graph {
  tomb_model *const *models;
  size_t n;
  const tomb_model *owners;
} tomb_graph;

/* The relations of all models that point to `parent`, one after the other: the
** one behind `last` (NULL: the first), or NULL. */
const tomb_relation *tomb_next_child(const tomb_graph *graph,
                                     const tomb_model *parent,
                                     const tomb_relation *last);
/* Adds the model and those that cascades reach from it, unless they are there,
** to the list of `n`, which has room for all; answers how many there are now. */
size_t tomb_models_below(const tomb_model **list, size_t n,
                         const tomb_graph *graph, const tomb_model *model);
/* Puts each model behind those that its rows need to live; the first `fixed`
** stay. True where there is a ring, which has no such order. */
bool tomb_parents_first(const tomb_model **list, size_t n, size_t fixed);
static inline bool tomb_is_soft(const tomb_model *model) {
  return model->soft_delete != TOMB_SOFT_DELETE_OFF;
}

/* True where a child may not live while its parent is dead. */
static inline bool tomb_needs_parent(const tomb_relation *relation) {
  return relation->on_delete != TOMB_KEEP && relation->parent != NULL &&
         tomb_is_soft(relation->parent);
}
/* True for a cascade from the model's own table, or from another's. */
static inline bool tomb_cascades_from(const tomb_relation *relation, bool own) {
  return relation->on_delete == TOMB_CASCADE && relation->parent != NULL &&
         (relation->parent == relation->child) == own;
}
bool tomb_has_cascade_from(const tomb_model *model, bool own);
/* True where the model's rows need others of its own table. */
bool tomb_needs_own_rows(const tomb_model *model);
/* True where a restore has to look at other rows. */
bool tomb_has_relatives(const tomb_model *model);

/* Checks and copies `def`; tomb_model_free gives it back. */
tomb_status tomb_model_new(tomb_model **out, const tomb_allocator *a,
                           const tomb_model_def *def, tomb_error *err);
void tomb_model_free(tomb_model *model);

/* The definitions of tombstone_event and tombstone_owner. */
extern const tomb_model_def tomb_event_def, tomb_owner_def;

static inline const tomb_field *tomb_key_field(const tomb_model *model) {
  return model->roles[TOMB_ROLE_KEY];
}

bool tomb_is_text(const tomb_field *field);
/* A text that a deletion or a restore may rewrite: a key it may not, be it the
** row's own or another's. */
bool tomb_is_rewritable(const tomb_field *field);

/* ", did you mean 'title'?" or "", for a field that is not there. */
const char *tomb_suggest_field(char *out, size_t size, const tomb_model *model,
                               const char *wrong, size_t wrong_size);
/* Finds a field, or refuses with a suggestion. */
tomb_status tomb_need_field(const tomb_field **out, const tomb_model *model,
                            const char *name, size_t size, tomb_error *err);

#endif
