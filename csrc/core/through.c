/*
** through.c - lookups on other rows: author__team__name = "x".
**
** A step to other rows is "column IN (SELECT column FROM table WHERE the living
** of them, and …)". It never multiplies rows, an index on either side can drive
** it, and the tables inside need no names: what stands unqualified belongs to the
** innermost. Lookups of one table that take the same steps speak of one row.
**
** A lookup that NULL satisfies, over ways to one row only, asks for the value by
** a sub-query instead, which is NULL where no living row is.
*/
#include <string.h>

#include "cond.h"
#include "sql.h"
#include "value.h"

/* ---- what a lookup is --------------------------------------------- */

/* True where both take the same steps up to that place. */
static bool share(const tomb_cond *a, const tomb_cond *b, size_t to) {
  return a->kind == TOMB_COND_LOOKUP && b->kind == TOMB_COND_LOOKUP &&
         a->path_size >= to && b->path_size >= to &&
         memcmp(a->key, b->key, to) == 0 &&
         (a->path_size == to || memcmp(a->key + to, "__", 2) == 0) &&
         (b->path_size == to || memcmp(b->key + to, "__", 2) == 0);
}

static bool holds_for_null(const tomb_cond *cond) {
  if (cond->lookup == TOMB_NE) return true;
  if (cond->lookup == TOMB_ISNULL) return cond->values[0].as.integer != 0;
  if (cond->lookup != TOMB_EQ && cond->lookup != TOMB_IN) return false;
  for (size_t i = 0; i < cond->n_values; i++) {
    if (!tomb_is_given(&cond->values[i])) return true;
  }
  return false;
}

static size_t step_start(size_t at) {
  return at == 0 ? 0 : at + 2;
}

static size_t step_end(const tomb_cond *cond, size_t at) {
  size_t start = step_start(at);
  return start + tomb_name_end(cond->key + start, cond->path_size - start);
}

static const tomb_way *step_way(const tomb_model *model, const tomb_cond *cond,
                                size_t at) {
  size_t start = step_start(at);
  return tomb_model_way(model, cond->key + start, step_end(cond, at) - start);
}

/* A lookup that NULL satisfies is asked backwards, unless a way to many comes
** first; is a row there may be asked so of many too. */
static bool turns(const tomb_model *model, const tomb_cond *cond, size_t at) {
  if (!holds_for_null(cond)) return false;
  while (at < cond->path_size) {
    const tomb_way *way = step_way(model, cond, at);
    at = step_end(cond, at);
    bool last = at == cond->path_size && cond->is_of_way;
    if (way->kind != TOMB_TO_PARENT && !last) return false;
    model = tomb_way_model(way);
  }
  return true;
}

/* ---- a step ------------------------------------------------------- */

/* Lookups that have taken the same steps. */
typedef struct company {
  const tomb_cond *all;
  const tomb_cond *leader;
  size_t at; /* so far in its key */
} company;

static void lookups(tomb_sql *sql, const tomb_model *model,
                    const company *lookups, bool *first);

static void select_from(tomb_sql *sql, const tomb_model *model,
                        const tomb_field *field, const company *c,
                        bool *first) {
  tomb_scope scope = tomb_seen_by_way(sql, model, c->leader->key, c->at);
  tomb_sql_add(sql, " IN (SELECT ");
  tomb_sql_field(sql, field);
  tomb_sql_add(sql, " FROM ");
  tomb_sql_table(sql, model, c->leader->key, c->at, scope);
  if (scope == TOMB_EVERY) return;
  tomb_sql_join(sql, first, " WHERE ", " AND ");
  tomb_sql_field(sql, model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NULL");
}

/* Through the rows between, by keys that are their own columns. */
static void to_link(tomb_sql *sql, const tomb_way *way, const company *c) {
  bool first = true;
  select_from(sql, way->near->child, way->near->field, c, &first);
  tomb_sql_join(sql, &first, " WHERE ", " AND ");
  tomb_sql_field(sql, way->far->field);
}

static void step(tomb_sql *sql, const tomb_model *model, const company *c) {
  const tomb_way *way = step_way(model, c->leader, c->at);
  const tomb_model *to = tomb_way_model(way);
  company there = {c->all, c->leader, step_end(c->leader, c->at)};
  const char *base = sql->base;
  bool joined = sql->joined, first = true;
  bool up = way->kind == TOMB_TO_PARENT;
  tomb_sql_field(sql, up ? way->near->field : tomb_key_field(model));
  sql->joined = false;
  sql->base = to->quoted;
  if (way->kind == TOMB_TO_LINKED) to_link(sql, way, &there);
  select_from(sql, to,
              way->kind == TOMB_TO_CHILDREN ? way->near->field
                                            : tomb_key_field(to),
              &there, &first);
  lookups(sql, to, &there, &first);
  tomb_sql_add(sql, way->kind == TOMB_TO_LINKED ? "))" : ")");
  sql->base = base;
  sql->joined = joined;
}

/* The value that the lookup is about, which may be NULL. */
static void by_value(tomb_sql *sql, const tomb_model *model,
                     const tomb_cond *cond, size_t at) {
  tomb_computed value = {.key = cond->key,
                         .from = step_start(at),
                         .to = cond->path_size,
                         .model = model,
                         .field = cond->field};
  tomb_field field = *cond->field;
  tomb_cond about = *cond;
  field.computed = &value;
  field.nullable = true;
  about.field = &field;
  about.path_size = 0;
  tomb_sql_lookup(sql, model, &about);
}

static void turned(tomb_sql *sql, const tomb_model *model,
                   const tomb_cond *cond, size_t at) {
  if (!cond->is_of_way) {
    by_value(sql, model, cond, at);
    return;
  }
  tomb_value there = tomb_boolean(false);
  tomb_cond straight = *cond, *part = &straight;
  tomb_cond alone = tomb_all(&part, 1);
  company c = {&alone, part, at};
  straight.values = &there; /* not null: a row is there */
  tomb_sql_add(sql, "(");
  step(sql, model, &c);
  tomb_sql_add(sql, " IS NOT TRUE)");
}

/* True where a part before the i-th takes the next step along with it. */
static bool is_led(const tomb_cond *all, size_t i, const tomb_model *model,
                   size_t at) {
  const tomb_cond *cond = all->parts[i];
  size_t to = step_end(cond, at);
  for (size_t j = 0; j < i; j++) {
    const tomb_cond *other = all->parts[j];
    if (share(other, cond, to) && !turns(model, other, at)) return true;
  }
  return false;
}

static void lookup(tomb_sql *sql, const tomb_model *model, const company *c,
                   const tomb_cond *cond) {
  if (turns(model, cond, c->at)) {
    turned(sql, model, cond, c->at);
  } else {
    company next = {c->all, cond, c->at};
    step(sql, model, &next);
  }
}

/* What the lookups say of the row that their steps lead to. */
static void lookups(tomb_sql *sql, const tomb_model *model, const company *c,
                    bool *first) {
  for (size_t i = 0; i < c->all->n_parts; i++) {
    const tomb_cond *cond = c->all->parts[i];
    if (!share(cond, c->leader, c->at)) continue;
    bool ends = cond->path_size == c->at;
    if (ends && cond->is_of_way) continue; /* that it is there says all */
    if (!ends && !turns(model, cond, c->at) &&
        is_led(c->all, i, model, c->at)) {
      continue;
    }
    tomb_sql_join(sql, first, " WHERE ", " AND ");
    if (ends) {
      tomb_sql_lookup(sql, model, cond);
    } else {
      lookup(sql, model, c, cond);
    }
  }
}

/* ---- from the query's own rows ------------------------------------ */

bool tomb_is_said(const tomb_cond *all, size_t i, const tomb_model *model) {
  const tomb_cond *cond = all->parts[i];
  return all->kind == TOMB_COND_ALL && cond->kind == TOMB_COND_LOOKUP &&
         cond->path_size > 0 && !turns(model, cond, 0) &&
         is_led(all, i, model, 0);
}

void tomb_sql_through(tomb_sql *sql, const tomb_model *model,
                      const tomb_cond *all, size_t i) {
  const tomb_cond *cond = all->parts[i];
  tomb_cond *part = all->parts[i];
  tomb_cond alone = tomb_all(&part, 1);
  company c = {all->kind == TOMB_COND_ALL ? all : &alone, cond, 0};
  lookup(sql, model, &c, cond);
}
