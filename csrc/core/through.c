/*
** through.c - lookups on other rows: author__team__name = "x".
**
** They are one "column IN (SELECT column FROM their tables WHERE …)", which never
** multiplies rows and which an index on either side can drive. The tables behind
** the first are joined inside, so that a long way is not a deep text. Lookups of
** one table that take the same steps speak of one row.
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

static tomb_way_step step_of(const tomb_model *model, const tomb_cond *cond,
                             size_t at, bool first) {
  size_t start = step_start(at);
  tomb_way_step s = {.key = cond->key, .before = at, .first = first};
  s.to = step_end(cond, at);
  s.way = tomb_model_way(model, cond->key + start, s.to - start);
  return s;
}

/* A lookup that NULL satisfies is asked backwards, unless a way to many comes
** first; is a row there may be asked so of many too. */
static bool turns(const tomb_model *model, const tomb_cond *cond, size_t at) {
  if (!holds_for_null(cond)) return false;
  while (at < cond->path_size) {
    tomb_way_step s = step_of(model, cond, at, false);
    at = s.to;
    bool last = at == cond->path_size && cond->is_of_way;
    if (s.way->kind != TOMB_TO_PARENT && !last) return false;
    model = tomb_way_model(s.way);
  }
  return true;
}

/* ---- lookups in company ------------------------------------------- */

/* Lookups that have taken the same steps to rows of a model. */
typedef struct company {
  const tomb_cond *all;
  const tomb_cond *leader;
  const tomb_model *model;
  size_t at; /* so far in its key */
} company;

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

/* What a lookup of the company does where the company is. */
typedef enum role {
  AWAY,  /* it has gone another way, or is led on by another one */
  ENDS,  /* it speaks of this row */
  TURNS, /* it is asked from here by a sub-query */
  LEADS  /* it takes a step, first of those that do */
} role;

static role role_in(const company *c, size_t i) {
  const tomb_cond *cond = c->all->parts[i];
  if (!share(cond, c->leader, c->at)) return AWAY;
  /* that a row is there says all of isnull = false */
  if (cond->path_size == c->at) return cond->is_of_way ? AWAY : ENDS;
  if (turns(c->model, cond, c->at)) return TURNS;
  return is_led(c->all, i, c->model, c->at) ? AWAY : LEADS;
}

static company led_by(const company *c, const tomb_cond *leader,
                      tomb_way_step *step) {
  *step = step_of(c->model, leader, c->at, false);
  company next = {c->all, leader, tomb_way_model(step->way), step->to};
  return next;
}

/* How many tables a company joins, its own not counted. */
static int count_tables(const company *c) {
  int n = 0;
  for (size_t i = 0; i < c->all->n_parts; i++) {
    if (role_in(c, i) != LEADS) continue;
    tomb_way_step s;
    company next = led_by(c, c->all->parts[i], &s);
    n += (s.way->kind == TOMB_TO_LINKED ? 2 : 1) + count_tables(&next);
  }
  return n;
}

int tomb_tables_joined(const tomb_model *model, const tomb_cond *all) {
  int most = 0;
  for (size_t i = 0; i < all->n_parts; i++) {
    const tomb_cond *cond = all->parts[i];
    if (cond->kind != TOMB_COND_LOOKUP || cond->path_size == 0) continue;
    tomb_way_step s = step_of(model, cond, 0, true);
    company c = {all, cond, tomb_way_model(s.way), s.to};
    int n = count_tables(&c) + (s.way->kind == TOMB_TO_LINKED ? 2 : 1);
    if (n > most) most = n;
  }
  return most;
}

/* ---- as SQL ------------------------------------------------------- */

/* About the value at the end of the ways, which may be NULL; or that no row is
** there, which an index of what points here tells for each row. */
static void turned(tomb_sql *sql, const tomb_model *model,
                   const tomb_cond *cond, size_t at) {
  tomb_computed value = {.key = cond->key,
                         .from = step_start(at),
                         .to = cond->path_size,
                         .model = model,
                         .field = cond->field};
  if (cond->is_of_way) {
    tomb_sql_add(sql, "NOT EXISTS ");
    tomb_sql_sub_query(sql, &value);
    return;
  }
  tomb_field field = *cond->field;
  tomb_cond about = *cond;
  field.computed = &value;
  field.nullable = true;
  about.field = &field;
  about.path_size = 0;
  tomb_sql_lookup(sql, model, &about);
}

static void joins(tomb_sql *sql, const company *c) {
  for (size_t i = 0; i < c->all->n_parts; i++) {
    if (role_in(c, i) != LEADS) continue;
    tomb_way_step s;
    company next = led_by(c, c->all->parts[i], &s);
    tomb_sql_inner_join(sql, &s);
    joins(sql, &next);
  }
}

/* What the lookups say of the rows that their steps lead to. */
static void lookups(tomb_sql *sql, const company *c, bool *first) {
  const char *base = sql->base;
  sql->base = tomb_sql_alias(sql, c->leader->key, c->at);
  for (size_t i = 0; i < c->all->n_parts; i++) {
    const tomb_cond *cond = c->all->parts[i];
    tomb_way_step s;
    switch (role_in(c, i)) {
    case AWAY: break;
    case ENDS:
      tomb_sql_join(sql, first, " WHERE ", " AND ");
      tomb_sql_lookup(sql, c->model, cond);
      break;
    case TURNS:
      tomb_sql_join(sql, first, " WHERE ", " AND ");
      turned(sql, c->model, cond, c->at);
      break;
    case LEADS: {
      company next = led_by(c, cond, &s);
      lookups(sql, &next, first);
    }
    }
  }
  sql->base = base;
}

/* "column IN (…)": such rows lie behind the step that the leader takes from a row
** of the model. */
static void there_are(tomb_sql *sql, const tomb_model *model,
                      const tomb_cond *all, const tomb_cond *leader) {
  tomb_way_step s = step_of(model, leader, 0, true);
  company c = {all, leader, tomb_way_model(s.way), s.to};
  bool first = true, joined = sql->joined;
  bool up = s.way->kind == TOMB_TO_PARENT;
  tomb_sql_field(sql, up ? s.way->near->field : tomb_key_field(model));
  tomb_sql_add(sql, " IN (SELECT ");
  tomb_sql_end_here(sql, &s);
  tomb_sql_add(sql, " FROM ");
  tomb_sql_source(sql, &s);
  sql->joined = true;
  joins(sql, &c);
  tomb_sql_source_lives(sql, &s, &first);
  lookups(sql, &c, &first);
  tomb_sql_add(sql, ")");
  sql->joined = joined;
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
  if (turns(model, cond, 0)) {
    turned(sql, model, cond, 0);
  } else {
    there_are(sql, model, all->kind == TOMB_COND_ALL ? all : &alone, cond);
  }
}
