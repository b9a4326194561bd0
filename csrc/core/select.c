/* select.c - the clauses of a SELECT. */
#include <string.h>

#include "sql.h"

/* ---- what is answered --------------------------------------------- */

static bool is_mark(const tomb_field *field) {
  return field->role == TOMB_ROLE_DELETED_AT ||
         field->role == TOMB_ROLE_DELETED_EVENT;
}

static void all_fields(tomb_sql *sql, const tomb_model *model, bool marks) {
  bool first = true;
  for (size_t i = 0; i < model->n_fields; i++) {
    if (!marks && is_mark(&model->fields[i])) continue;
    tomb_sql_join(sql, &first, "", ", ");
    tomb_sql_column(sql, &model->fields[i]);
  }
}

static void list(tomb_sql *sql, const tomb_field *const *fields, size_t n,
                 bool *first) {
  for (size_t i = 0; i < n; i++) {
    tomb_sql_join(sql, first, "", ", ");
    tomb_sql_column(sql, fields[i]);
  }
}

static bool is_listed(const tomb_query *query, const tomb_field *field) {
  for (size_t i = 0; i < query->n_only; i++) {
    if (query->only[i] == field) return true;
  }
  return false;
}

/* What a row needs besides the fields asked for, to be written again. */
static void companions(tomb_sql *sql, const tomb_query *query, bool *first) {
  static const tomb_role roles[] = {TOMB_ROLE_KEY, TOMB_ROLE_VERSION,
                                    TOMB_ROLE_DELETED_AT};
  for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
    const tomb_field *field = query->model->roles[roles[i]];
    if (field != NULL && !is_listed(query, field)) list(sql, &field, 1, first);
  }
}

static void rows(tomb_sql *sql, const tomb_query *query) {
  bool first = true;
  if (query->only == NULL) {
    all_fields(sql, query->model, query->scope != TOMB_LIVING);
    first = false;
  } else {
    companions(sql, query, &first);
    list(sql, query->only, query->n_only, &first);
  }
  list(sql, query->annotations, query->n_annotations, &first);
}

static void values(tomb_sql *sql, const tomb_query *query) {
  bool first = true;
  if (query->only == NULL) {
    all_fields(sql, query->model, query->scope != TOMB_LIVING);
  } else {
    list(sql, query->only, query->n_only, &first);
  }
}

void tomb_sql_begin_aggregate(tomb_sql *sql, tomb_aggregate_fn fn,
                              bool distinct) {
  static const char *const names[] = {"count", "sum", "min", "max", "avg"};
  tomb_sql_add(sql, names[fn]);
  tomb_sql_add(sql, distinct ? "(DISTINCT " : "(");
}

static void aggregate(tomb_sql *sql, const tomb_aggregate *a) {
  tomb_sql_begin_aggregate(sql, a->fn, a->distinct);
  if (a->field == NULL) {
    tomb_sql_add(sql, "*");
  } else {
    tomb_sql_field(sql, a->field);
  }
  tomb_sql_add(sql, ")");
}

/* The smallest and the largest of a field are values of that field. */
static const tomb_field *aggregate_field(const tomb_aggregate *a) {
  return a->fn == TOMB_MIN || a->fn == TOMB_MAX ? a->field : NULL;
}

static void aggregates(tomb_sql *sql, const tomb_statement *statement) {
  bool first = true;
  list(sql, statement->query->groups, statement->query->n_groups, &first);
  for (size_t i = 0; i < statement->n_aggregates; i++) {
    tomb_sql_join(sql, &first, "", ", ");
    aggregate(sql, &statement->aggregates[i]);
    tomb_sql_column(sql, NULL);
    if (!tomb_sql_failed(sql)) {
      sql->columns[sql->n_columns - 1] =
          aggregate_field(&statement->aggregates[i]);
    }
  }
}

/* Rows are distinct by their key anyway. */
static bool answers_distinct(const tomb_statement *statement) {
  return statement->query->distinct && statement->output == TOMB_OUT_VALUES;
}

void tomb_sql_select(tomb_sql *sql, const tomb_statement *statement) {
  const tomb_query *query = statement->query;
  tomb_sql_add(sql, "SELECT ");
  if (answers_distinct(statement)) tomb_sql_add(sql, "DISTINCT ");
  switch (statement->output) {
  case TOMB_OUT_ROWS: rows(sql, query); break;
  case TOMB_OUT_TABLE: all_fields(sql, query->model, true); break;
  case TOMB_OUT_VALUES: values(sql, query); break;
  case TOMB_OUT_KEYS: tomb_sql_column(sql, tomb_key_field(query->model)); break;
  case TOMB_OUT_ONE:
    tomb_sql_add(sql, "1");
    tomb_sql_column(sql, NULL);
    break;
  case TOMB_OUT_AGGREGATES: aggregates(sql, statement); break;
  }
}

/* ---- from where --------------------------------------------------- */

static void slice(tomb_sql *sql, const tomb_statement *statement) {
  tomb_statement inner = *statement;
  size_t n_columns = sql->n_columns;
  inner.from_slice = false;
  inner.output = TOMB_OUT_TABLE;
  tomb_query query = *statement->query;
  query.n_groups = 0;
  query.only = NULL; /* aggregates may be of any field */
  inner.query = &query;
  tomb_sql_add(sql, "(");
  tomb_sql_compile(sql, sql->dialect->select, &inner);
  tomb_sql_add(sql, ") AS slice");
  sql->n_columns = n_columns;
}

void tomb_sql_from(tomb_sql *sql, const tomb_statement *statement) {
  tomb_sql_add(sql, " FROM ");
  if (statement->from_slice) {
    slice(sql, statement);
  } else {
    tomb_sql_table(sql, statement->model, "", 0, statement->query->scope);
  }
  tomb_sql_joins(sql, statement);
}

void tomb_sql_group(tomb_sql *sql, const tomb_statement *statement) {
  const tomb_query *query = statement->query;
  bool first = true;
  if (statement->output != TOMB_OUT_AGGREGATES) return;
  for (size_t i = 0; i < query->n_groups; i++) {
    tomb_sql_join(sql, &first, " GROUP BY ", ", ");
    tomb_sql_field(sql, query->groups[i]);
  }
}

/* ---- in which order ----------------------------------------------- */

static void term(tomb_sql *sql, const tomb_field *field, bool descending,
                 bool *first) {
  tomb_sql_join(sql, first, " ORDER BY ", ", ");
  tomb_sql_field(sql, field);
  if (descending) tomb_sql_add(sql, " DESC");
}

static void groups_order(tomb_sql *sql, const tomb_query *query) {
  bool first = true;
  for (size_t i = 0; i < query->n_order; i++) {
    term(sql, query->order[i].field, query->order[i].descending, &first);
  }
  for (size_t i = 0; query->order == NULL && i < query->n_groups; i++) {
    term(sql, query->groups[i], false, &first);
  }
}

/*
** The key breaks ties, in the direction of the last term so that one index
** can serve both. It also makes SQLite walk the living keys in order where
** nothing else is asked for: without it the planner goes through any partial
** index and fetches the rows at random.
*/
static void rows_order(tomb_sql *sql, const tomb_query *query) {
  const tomb_model *model = query->model;
  const tomb_field *key = tomb_key_field(model);
  const tomb_order *order = query->order;
  size_t n = query->n_order;
  bool first = true, has_key = false, descending = false;
  if (order == NULL) {
    order = model->order;
    n = model->n_order;
  }
  for (size_t i = 0; i < n && !has_key; i++) {
    descending = order[i].descending != query->reversed;
    has_key = order[i].field == key;
    term(sql, order[i].field, descending, &first);
  }
  if (n == 0) descending = query->reversed;
  if (!has_key) term(sql, key, descending, &first);
}

/* DISTINCT rows have no key to break ties with: only what is asked for. */
static void distinct_order(tomb_sql *sql, const tomb_query *query) {
  bool first = true;
  for (size_t i = 0; i < query->n_order; i++) {
    term(sql, query->order[i].field,
         query->order[i].descending != query->reversed, &first);
  }
  for (size_t i = 0; query->order == NULL && i < query->n_only; i++) {
    term(sql, query->only[i], query->reversed, &first);
  }
}

void tomb_sql_order(tomb_sql *sql, const tomb_statement *statement) {
  const tomb_query *query = statement->query;
  if (statement->output == TOMB_OUT_ONE) return;
  if (statement->output == TOMB_OUT_AGGREGATES) {
    groups_order(sql, query);
  } else if (answers_distinct(statement)) {
    distinct_order(sql, query);
  } else {
    rows_order(sql, query);
  }
}

void tomb_sql_limit(tomb_sql *sql, const tomb_statement *statement) {
  const tomb_query *query = statement->query;
  tomb_value limit = tomb_integer(query->limit);
  tomb_value offset = tomb_integer(query->offset);
  if (statement->from_slice || !tomb_is_sliced(query)) return;
  tomb_sql_add(sql, " LIMIT ");
  tomb_sql_value(sql, &limit);
  if (query->offset == 0) return;
  tomb_sql_add(sql, " OFFSET ");
  tomb_sql_value(sql, &offset);
}
