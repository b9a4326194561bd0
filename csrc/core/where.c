/* where.c - the conditions of a query as SQL: which rows. */
#include <string.h>

#include "cond.h"
#include "sql.h"
#include "undoing.h"

/* ---- composition -------------------------------------------------- */

/* Lookups of one table may speak of one other row, and say so together. */
static void part_of(tomb_sql *sql, const tomb_model *model,
                    const tomb_cond *cond, size_t i) {
  const tomb_cond *part = cond->parts[i];
  if (part->kind == TOMB_COND_LOOKUP && part->path_size > 0) {
    tomb_sql_through(sql, model, cond, i);
  } else {
    tomb_sql_cond(sql, model, part);
  }
}

static void parts(tomb_sql *sql, const tomb_model *model, const tomb_cond *cond,
                  tomb_cond_kind kind, bool *first) {
  for (size_t i = 0; i < cond->n_parts; i++) {
    const tomb_cond *part = tomb_cond_unwrap(cond->parts[i]);
    if (part->kind == kind) {
      parts(sql, model, part, kind, first); /* a OR b OR c, without brackets */
    } else if (!tomb_is_said(cond, i, model)) {
      tomb_sql_join(sql, first, "(", kind == TOMB_COND_ALL ? " AND " : " OR ");
      part_of(sql, model, cond, i);
    }
  }
}

static void all_or_any(tomb_sql *sql, const tomb_model *model,
                       const tomb_cond *cond, tomb_cond_kind kind) {
  bool first = true;
  parts(sql, model, cond, kind, &first);
  if (first) {
    tomb_sql_add(sql, kind == TOMB_COND_ALL ? "1 = 1" : "1 = 0");
  } else {
    tomb_sql_add(sql, ")");
  }
}

static void alone(tomb_sql *sql, const tomb_model *model,
                  const tomb_cond *cond) {
  tomb_cond *part = (tomb_cond *)(uintptr_t)cond;
  tomb_cond all = tomb_all(&part, 1);
  if (cond->path_size > 0) {
    tomb_sql_through(sql, model, &all, 0);
  } else {
    tomb_sql_lookup(sql, model, cond);
  }
}

void tomb_sql_cond(tomb_sql *sql, const tomb_model *model,
                   const tomb_cond *cond) {
  cond = tomb_cond_unwrap(cond);
  switch (cond->kind) {
  case TOMB_COND_LOOKUP: alone(sql, model, cond); break;
  case TOMB_COND_ALL:
  case TOMB_COND_ANY: all_or_any(sql, model, cond, cond->kind); break;
  case TOMB_COND_NONE:
    tomb_sql_add(sql, "(");
    all_or_any(sql, model, cond, TOMB_COND_ANY);
    tomb_sql_add(sql, " IS NOT TRUE)");
    break;
  }
}

/* ---- WHERE -------------------------------------------------------- */

static void scope(tomb_sql *sql, const tomb_model *model, tomb_scope which,
                  bool *first) {
  const tomb_field *stamp = model->roles[TOMB_ROLE_DELETED_AT];
  if (which == TOMB_EVERY || (stamp == NULL && which == TOMB_LIVING)) return;
  tomb_sql_join(sql, first, " WHERE ", " AND ");
  if (stamp == NULL) {
    tomb_sql_add(sql, "1 = 0"); /* nothing dies here */
  } else {
    /* the literal IS NULL, which partial indexes need to be used */
    tomb_sql_is_null(sql, stamp, which == TOMB_LIVING);
  }
}

/* A row without created_at has always been there, as far as we know. */
static void as_of(tomb_sql *sql, const tomb_query *query, bool *first) {
  const tomb_field *born = query->model->roles[TOMB_ROLE_CREATED_AT];
  const tomb_field *died = query->model->roles[TOMB_ROLE_DELETED_AT];
  tomb_value at = tomb_time(query->as_of);
  if (!query->has_as_of) return;
  if (born != NULL) {
    tomb_sql_join(sql, first, " WHERE ", " AND ");
    tomb_sql_field(sql, born);
    tomb_sql_add(sql, " <= ");
    tomb_sql_value(sql, &at);
  }
  if (died == NULL) return;
  tomb_sql_join(sql, first, " WHERE ", " AND ");
  tomb_sql_add(sql, "(");
  tomb_sql_is_null(sql, died, true);
  tomb_sql_add(sql, " OR ");
  tomb_sql_field(sql, died);
  tomb_sql_add(sql, " > ");
  tomb_sql_value(sql, &at);
  tomb_sql_add(sql, ")");
}

static void filters(tomb_sql *sql, const tomb_model *model,
                    const tomb_filter_link *link, bool *first) {
  if (link == NULL) return;
  filters(sql, model, link->before, first);
  tomb_sql_join(sql, first, " WHERE ", " AND ");
  if (link->exclude) tomb_sql_add(sql, "(");
  tomb_sql_cond(sql, model, link->cond);
  if (link->exclude) tomb_sql_add(sql, " IS NOT TRUE)");
}

static void among(tomb_sql *sql, const tomb_query *query, bool *first) {
  if (query->among == NULL) return;
  tomb_sql_join(sql, first, " WHERE ", " AND ");
  tomb_sql_field(sql, tomb_key_field(query->model));
  tomb_sql_among_some(sql, query->among, query->among_from, query->among_to);
}

static void add_events(tomb_sql *sql, const tomb_query *query, bool *first) {
  if (query->of_event != TOMB_OF_ANY_EVENT &&
      query->model->roles[TOMB_ROLE_DELETED_EVENT] == NULL) {
    tomb_sql_join(sql, first, " WHERE ", " AND ");
    tomb_sql_add(sql, "1 = 0"); /* no event has to do with it */
  } else if (query->of_event == TOMB_HELD_BY) {
    tomb_sql_join(sql, first, " WHERE ", " AND ");
    tomb_sql_held(sql, query);
  } else if (query->of_event == TOMB_BACK_FROM && query->undoing == NULL) {
    tomb_value event = tomb_integer(query->event);
    tomb_undoing undoing = {.owners = query->owners, .event = &event};
    tomb_query back = *query;
    back.undoing = &undoing;
    tomb_sql_released(sql, &back, first);
  }
}

/* What these say does not put the table's name before its fields: beside joined
** tables they choose keys by a sub-query. */
static void of_event(tomb_sql *sql, const tomb_query *query, bool *first) {
  bool inner = true;
  if (query->undoing == NULL && query->of_event == TOMB_OF_ANY_EVENT) return;
  if (!sql->joined) {
    if (query->undoing != NULL) tomb_sql_released(sql, query, first);
    add_events(sql, query, first);
    return;
  }
  const tomb_field *key = tomb_key_field(query->model);
  tomb_sql_join(sql, first, " WHERE ", " AND ");
  tomb_sql_field(sql, key);
  sql->joined = false;
  tomb_sql_add(sql, " IN (SELECT ");
  tomb_sql_field(sql, key);
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, query->model->quoted);
  if (query->undoing != NULL) tomb_sql_released(sql, query, &inner);
  add_events(sql, query, &inner);
  tomb_sql_add(sql, ")");
  sql->joined = true;
}

static void narrowing(tomb_sql *sql, const tomb_query *query, bool *first) {
  as_of(sql, query, first);
  filters(sql, query->model, query->filters, first);
  among(sql, query, first);
  of_event(sql, query, first);
}

/* A write cannot be sliced by itself: the keys of the slice say which rows. */
static void slice(tomb_sql *sql, const tomb_query *query, bool *first) {
  tomb_statement keys;
  memset(&keys, 0, sizeof keys);
  keys.model = query->model;
  keys.query = query;
  keys.output = TOMB_OUT_KEYS;
  size_t n_columns = sql->n_columns;
  tomb_sql_join(sql, first, " WHERE ", " AND ");
  tomb_sql_field(sql, tomb_key_field(query->model));
  tomb_sql_add(sql, " IN (");
  tomb_sql_compile(sql, sql->dialect->select, &keys);
  tomb_sql_add(sql, ")");
  sql->n_columns = n_columns; /* the inner ones are not answered */
}

static void write_where(tomb_sql *sql, const tomb_statement *statement) {
  const tomb_query *query = statement->query;
  bool first = true;
  scope(sql, query->model, statement->fence, &first);
  if (tomb_is_sliced(query)) {
    slice(sql, query, &first);
  } else {
    if (query->scope != statement->fence) {
      scope(sql, query->model, query->scope, &first);
    }
    narrowing(sql, query, &first);
  }
  if (statement->reach != NULL) {
    tomb_sql_join(sql, &first, " WHERE ", " AND ");
    tomb_sql_below(sql, query->model, statement->reach);
  }
  tomb_sql_next_parents_live(sql, statement, &first);
}

void tomb_sql_where(tomb_sql *sql, const tomb_statement *statement) {
  bool first = true;
  if (statement->is_write) {
    write_where(sql, statement);
  } else if (!statement->from_slice) {
    scope(sql, statement->query->model, statement->query->scope, &first);
    narrowing(sql, statement->query, &first);
  }
}
