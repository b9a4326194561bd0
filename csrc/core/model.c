/* model.c - the checked description of a table: building it. */
#include "model.h"

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "error.h"
#include "model_check.h"
#include "value.h"

/* What is being built; `ok` turns false when memory runs out. */
typedef struct builder {
  tomb_model *model;
  const tomb_model_def *def;
  tomb_buf text;
  bool ok;
} builder;

static void *take(builder *b, size_t size) {
  void *memory = b->ok ? tomb_arena_take(&b->model->arena, size) : NULL;
  b->ok = memory != NULL;
  if (b->ok) memset(memory, 0, size);
  return memory;
}

static const char *copy(builder *b, const char *text) {
  if (text == NULL || !b->ok) return NULL;
  const char *made = tomb_arena_text(&b->model->arena, text, strlen(text));
  b->ok = made != NULL;
  return made;
}

/* What `text` has gathered, kept in the arena. */
static const char *gathered(builder *b) {
  b->ok = b->ok && !b->text.failed;
  const char *made = b->ok ? copy(b, b->text.data) : NULL;
  tomb_buf_clear(&b->text);
  return made;
}

static const char *quote(builder *b, const char *name) {
  tomb_buf_name(&b->text, name);
  return gathered(b);
}

/* BlogPost -> blog_post */
static const char *snake_case(builder *b, const char *name) {
  for (const char *c = name; *c != '\0'; c++) {
    bool upper = *c >= 'A' && *c <= 'Z';
    if (upper && c > name && (c[-1] < 'A' || c[-1] > 'Z') && c[-1] != '_') {
      tomb_buf_text(&b->text, "_");
    }
    char lower = (char)(upper ? *c - 'A' + 'a' : *c);
    tomb_buf_add(&b->text, &lower, 1);
  }
  return gathered(b);
}

static void keep_value(builder *b, tomb_value *value) {
  b->ok = b->ok && tomb_arena_keep(&b->model->arena, value);
}

static void keep_choices(builder *b, tomb_field *field,
                         const tomb_field_def *def) {
  if (def->n_choices == 0) return;
  tomb_value *choices = take(b, def->n_choices * sizeof *choices);
  for (size_t i = 0; b->ok && i < def->n_choices; i++) {
    choices[i] = def->choices[i];
    tomb_fit(field, &choices[i]);
    keep_value(b, &choices[i]);
  }
  field->choices = choices;
  field->n_choices = def->n_choices;
}

static tomb_unique strategy_for(const tomb_model_def *def, bool has_text,
                                bool composite, tomb_unique wanted) {
  if (wanted == TOMB_NOT_UNIQUE) return wanted;
  if (def->soft_delete == TOMB_SOFT_DELETE_OFF) return TOMB_UNIQUE_ALWAYS;
  if (wanted != TOMB_UNIQUE) return wanted;
  if (def->strategy == TOMB_UNIQUE_LIVE || !has_text) return TOMB_UNIQUE_LIVE;
  return composite && def->strategy != TOMB_UNIQUE_MANGLE ? TOMB_UNIQUE_LIVE
                                                          : TOMB_UNIQUE_MANGLE;
}

static tomb_field *next_field(builder *b, const char *name, const char *column,
                              tomb_field_type type) {
  tomb_model *model = b->model;
  tomb_field *field = &model->fields[model->n_fields];
  field->name = copy(b, name);
  field->name_size = strlen(name);
  field->column = copy(b, column == NULL ? name : column);
  field->type = type;
  field->index = model->n_fields++;
  if (b->ok) field->quoted = quote(b, field->column);
  if (b->ok) field->quoted_size = strlen(field->quoted);
  return field;
}

static void play(builder *b, tomb_field *field, tomb_role role) {
  field->role = role;
  b->model->roles[role] = field;
}

static void add_role(builder *b, tomb_role role, const char *name,
                     const char *column, tomb_field_type type, bool nullable) {
  tomb_field *field = next_field(b, name, column, type);
  field->nullable = nullable;
  play(b, field, role);
}

/* The type is that of the parent's key, once there is one. */
static void add_relation(builder *b, tomb_field *field,
                         const tomb_field_def *def) {
  tomb_model *model = b->model;
  tomb_relation *relation = &model->relations[model->n_relations++];
  relation->child = model;
  relation->field = field;
  relation->parent_name = copy(b, def->references);
  relation->name = copy(b, def->relation_name);
  relation->related_name = copy(b, def->related_name);
  relation->on_delete = def->on_delete;
  field->relation = relation;
  field->type = TOMB_FIELD_INTEGER;
}

static void add_counter(builder *b, tomb_field *field,
                        const tomb_field_def *def) {
  field->counts = copy(b, def->counts);
  field->role = TOMB_ROLE_COUNTER;
  field->nullable = false;
}

static void add_field(builder *b, const tomb_field_def *def) {
  tomb_field *field = next_field(b, def->name, def->column, def->type);
  field->nullable = def->nullable;
  field->indexed = def->index;
  field->unique = strategy_for(b->def, tomb_is_text(field), false, def->unique);
  field->max_length = def->max_length;
  field->default_value = def->default_value;
  field->check = copy(b, def->check);
  field->collate = copy(b, def->collate);
  tomb_fit(field, &field->default_value);
  keep_value(b, &field->default_value);
  keep_choices(b, field, def);
  if (def->primary_key) play(b, field, TOMB_ROLE_KEY);
  if (def->references != NULL) add_relation(b, field, def);
  if (def->counts != NULL) add_counter(b, field, def);
}

static bool has_key(const tomb_model_def *def) {
  for (size_t i = 0; i < def->n_fields; i++) {
    if (def->fields[i].primary_key) return true;
  }
  return false;
}

static void add_fields(builder *b) {
  const tomb_model_def *def = b->def;
  b->model->fields = take(b, (def->n_fields + 6) * sizeof(tomb_field));
  b->model->relations = take(b, (def->n_fields + 1) * sizeof(tomb_relation));
  if (!b->ok) return;
  if (!has_key(def)) {
    add_role(b, TOMB_ROLE_KEY, "id", NULL, TOMB_FIELD_INTEGER, false);
  }
  for (size_t i = 0; i < def->n_fields; i++) add_field(b, &def->fields[i]);
  if (def->version) {
    add_role(b, TOMB_ROLE_VERSION, "version", NULL, TOMB_FIELD_INTEGER, false);
  }
  if (def->timestamps) {
    add_role(b, TOMB_ROLE_CREATED_AT, "created_at", NULL, TOMB_FIELD_DATETIME,
             false);
    add_role(b, TOMB_ROLE_UPDATED_AT, "updated_at", NULL, TOMB_FIELD_DATETIME,
             false);
  }
  if (def->soft_delete != TOMB_SOFT_DELETE_OFF) {
    add_role(b, TOMB_ROLE_DELETED_AT, "deleted_at", def->deleted_at,
             TOMB_FIELD_DATETIME, true);
  }
  if (def->soft_delete == TOMB_SOFT_DELETE_EVENTS) {
    add_role(b, TOMB_ROLE_DELETED_EVENT, "deleted_event", def->deleted_event,
             TOMB_FIELD_INTEGER, true);
  }
}

/* posts__title__key, posts__a__b__live, posts__views */
static const char *index_name(builder *b, const tomb_group *group) {
  tomb_buf_text(&b->text, b->model->table);
  for (size_t i = 0; i < group->n; i++) {
    tomb_buf_text(&b->text, "__");
    tomb_buf_text(&b->text, group->fields[i]->column);
  }
  if (group->unique == TOMB_UNIQUE_LIVE) {
    tomb_buf_text(&b->text, "__live");
  } else if (group->unique != TOMB_NOT_UNIQUE) {
    tomb_buf_text(&b->text, "__key");
  }
  return gathered(b);
}

static const char *with_suffix(builder *b, const char *name,
                               const char *suffix) {
  if (!b->ok) return NULL;
  tomb_buf_text(&b->text, name);
  tomb_buf_text(&b->text, suffix);
  return gathered(b);
}

/* The keys of the living, and the dead by event. */
static void name_role_indexes(builder *b) {
  tomb_model *model = b->model;
  if (model->roles[TOMB_ROLE_DELETED_AT] != NULL) {
    model->living_index = with_suffix(b, model->table, "__living");
  }
  if (model->roles[TOMB_ROLE_DELETED_EVENT] != NULL) {
    model->event_index = with_suffix(b, model->table, "__event");
  }
}

static bool same_fields(const tomb_group *a, const tomb_group *b) {
  return a->unique == b->unique && a->n == b->n &&
         memcmp(a->fields, b->fields, a->n * sizeof *a->fields) == 0;
}

static bool is_index_taken(const tomb_model *model, const tomb_group *group,
                           const char *name) {
  const char *living = model->living_index, *event = model->event_index;
  if (living != NULL && strcmp(living, name) == 0) return true;
  if (event != NULL && strcmp(event, name) == 0) return true;
  for (const tomb_group *g = model->groups; g < group; g++) {
    if (strcmp(g->index, name) == 0 && !same_fields(g, group)) return true;
  }
  return false;
}

/* A field may be called "event", and (a, b) means another index than "a__b":
** each needs a name of its own, or it would seem to be there already. */
static void name_index(builder *b, tomb_group *group) {
  const char *name = index_name(b, group);
  while (b->ok && is_index_taken(b->model, group, name)) {
    name = with_suffix(b, name, "_");
  }
  group->index = name;
}

static tomb_group *next_group(builder *b, size_t n, tomb_unique unique) {
  tomb_group *group = &b->model->groups[b->model->n_groups++];
  group->fields = take(b, n * sizeof *group->fields);
  group->n = n;
  group->unique = unique;
  return group;
}

static void add_single(builder *b, const tomb_field *field,
                       tomb_unique unique) {
  tomb_group *group = next_group(b, 1, unique);
  if (!b->ok) return;
  group->fields[0] = field;
  name_index(b, group);
}

/* Children are found by their parent, the living ones and the dead. */
static void add_relation_index(builder *b, const tomb_field *field) {
  const tomb_field *stamp = b->model->roles[TOMB_ROLE_DELETED_AT];
  tomb_group *group = next_group(b, stamp == NULL ? 1 : 2, TOMB_NOT_UNIQUE);
  if (!b->ok) return;
  group->fields[0] = field;
  if (stamp != NULL) group->fields[1] = stamp;
  group->of_all = true;
  name_index(b, group);
}

static void add_group(builder *b, const tomb_group_def *def) {
  tomb_group *group = next_group(b, def->n_fields, def->unique);
  bool has_text = false;
  if (!b->ok) return;
  for (size_t i = 0; i < def->n_fields; i++) {
    const char *name = def->fields[i];
    group->fields[i] = tomb_model_find(b->model, name, strlen(name));
    has_text = has_text || tomb_is_rewritable(group->fields[i]);
  }
  group->unique = strategy_for(b->def, has_text, true, def->unique);
  name_index(b, group);
}

static void add_groups(builder *b) {
  const tomb_model_def *def = b->def;
  tomb_model *model = b->model;
  name_role_indexes(b);
  model->groups =
      take(b, (model->n_fields * 3 + def->n_groups) * sizeof(tomb_group));
  for (size_t i = 0; b->ok && i < model->n_fields; i++) {
    const tomb_field *field = &model->fields[i];
    if (field->unique != TOMB_NOT_UNIQUE) add_single(b, field, field->unique);
    if (field->indexed) add_single(b, field, TOMB_NOT_UNIQUE);
    if (field->relation != NULL) add_relation_index(b, field);
  }
  for (size_t i = 0; b->ok && i < def->n_groups; i++) {
    add_group(b, &def->groups[i]);
  }
}

/* Texts of groups that are freed by a suffix. */
static void mark_mangled(tomb_model *model) {
  for (size_t i = 0; i < model->n_groups; i++) {
    const tomb_group *group = &model->groups[i];
    for (size_t j = 0; j < group->n; j++) {
      const tomb_field *field = group->fields[j];
      if (group->unique == TOMB_UNIQUE_MANGLE && tomb_is_rewritable(field)) {
        model->fields[field->index].mangled = true;
      }
    }
  }
}

static void add_order(builder *b) {
  const tomb_model_def *def = b->def;
  tomb_model *model = b->model;
  if (def->n_order_by == 0) return;
  model->order = take(b, def->n_order_by * sizeof *model->order);
  for (size_t i = 0; b->ok && i < def->n_order_by; i++) {
    const char *term = def->order_by[i];
    tomb_order_term(&model->order[model->n_order++], model, term, strlen(term),
                    NULL);
  }
}

static void add_links(builder *b) {
  const tomb_model_def *def = b->def;
  tomb_model *model = b->model;
  model->links = take(b, (def->n_links + 1) * sizeof *model->links);
  model->own_ways = take(
      b, (model->n_relations + def->n_links + 1) * 2 * sizeof *model->own_ways);
  for (size_t i = 0; b->ok && i < def->n_links; i++) {
    tomb_linking *link = &model->links[model->n_links++];
    link->name = copy(b, def->links[i].name);
    link->related_name = copy(b, def->links[i].related_name);
    link->to = copy(b, def->links[i].to);
    link->through = copy(b, def->links[i].through);
    link->near = copy(b, def->links[i].near);
    link->far = copy(b, def->links[i].far);
  }
}

static void build(builder *b) {
  const tomb_model_def *def = b->def;
  tomb_model *model = b->model;
  model->name = copy(b, def->name);
  model->table =
      def->table == NULL ? snake_case(b, def->name) : copy(b, def->table);
  if (b->ok) model->quoted = quote(b, model->table);
  model->soft_delete = def->soft_delete;
  model->keep = def->keep;
  if (b->ok) add_fields(b);
  if (b->ok) add_groups(b);
  if (b->ok) mark_mangled(model);
  if (b->ok) add_order(b);
  if (b->ok) add_links(b);
}

tomb_status tomb_model_new(tomb_model **out, const tomb_allocator *a,
                           const tomb_model_def *def, tomb_error *err) {
  builder b = {NULL, def, {NULL, NULL, 0, 0, false}, true};
  tomb_status st = tomb_model_def_check(def, err);
  *out = NULL;
  if (st != TOMB_OK) return st;
  b.model = tomb_realloc(a, NULL, 0, sizeof *b.model);
  if (b.model == NULL) return tomb_out_of_memory(err);
  memset(b.model, 0, sizeof *b.model);
  b.model->allocator = *a;
  b.model->arena.a = &b.model->allocator;
  b.text.a = &b.model->allocator;
  build(&b);
  tomb_buf_free(&b.text);
  if (b.ok) {
    *out = b.model;
    return TOMB_OK;
  }
  tomb_model_free(b.model);
  return tomb_out_of_memory(err);
}

void tomb_model_free(tomb_model *model) {
  if (model == NULL) return;
  tomb_allocator a = model->allocator;
  tomb_arena_free(&model->arena);
  tomb_release(&a, model, sizeof *model);
}
