/* where.c - conditions and expressions as SQL. */
#include <string.h>

#include "cond.h"
#include "sql.h"
#include "undoing.h"
#include "value.h"

/* More values than this go as one JSON array, so that the shape of a
** statement does not depend on their number. */
#define MOST_PLACEHOLDERS 16

/* ---- expressions -------------------------------------------------- */

static bool is_operation(const tomb_expr *expr) {
  return expr->op >= TOMB_EXPR_ADD;
}

bool tomb_expr_continues(const tomb_expr *expr) {
  bool sum = expr->op <= TOMB_EXPR_SUB;
  return is_operation(expr->left) && (expr->left->op <= TOMB_EXPR_SUB) == sum;
}

static void operation(tomb_sql *sql, const tomb_expr *expr) {
  static const char *const operators[] = {"",    "",    " + ", " - ",
                                          " * ", " / ", " % "};
  if (tomb_expr_continues(expr)) {
    operation(sql, expr->left);
  } else {
    tomb_sql_expr(sql, expr->left);
  }
  tomb_sql_add(sql, operators[expr->op]);
  tomb_sql_expr(sql, expr->right);
}

void tomb_sql_expr(tomb_sql *sql, const tomb_expr *expr) {
  if (expr->op == TOMB_EXPR_VALUE) {
    tomb_sql_value(sql, &expr->value);
  } else if (expr->op == TOMB_EXPR_FIELD) {
    tomb_sql_field(sql, expr->field);
  } else {
    tomb_sql_add(sql, "(");
    operation(sql, expr);
    tomb_sql_add(sql, ")");
  }
}

/* ---- lookups ------------------------------------------------------ */

static void operand(tomb_sql *sql, const tomb_cond *cond) {
  if (cond->expr != NULL) {
    tomb_sql_expr(sql, cond->expr);
  } else {
    tomb_sql_value(sql, &cond->values[0]);
  }
}

static void is_null(tomb_sql *sql, const tomb_field *field, bool null) {
  tomb_sql_field(sql, field);
  tomb_sql_add(sql, null ? " IS NULL" : " IS NOT NULL");
}

static void compare_by(tomb_sql *sql, const tomb_cond *cond,
                       const char *operator) {
  tomb_sql_field(sql, cond->field);
  tomb_sql_add(sql, operator);
  operand(sql, cond);
}

/* NULL is not equal to anything, so that ne is the complement of eq: also
** where both sides are NULL, which only an expression can be. */
static void compare(tomb_sql *sql, const tomb_cond *cond) {
  static const char *const operators[] = {
      [TOMB_EQ] = " = ",   [TOMB_NE] = " <> ", [TOMB_LT] = " < ",
      [TOMB_LTE] = " <= ", [TOMB_GT] = " > ",  [TOMB_GTE] = " >= "};
  if (cond->lookup == TOMB_NE && cond->expr != NULL) {
    tomb_sql_add(sql, "(");
    compare_by(sql, cond, operators[TOMB_EQ]);
    tomb_sql_add(sql, " IS NOT TRUE)");
  } else if (cond->lookup == TOMB_NE && cond->field->nullable) {
    compare_by(sql, cond, sql->dialect->is_distinct);
  } else {
    compare_by(sql, cond, operators[cond->lookup]);
  }
}

/* SQLite ends a text of JSON at its first zero byte. */
static bool fits_json(const tomb_value *value) {
  if (value->type == TOMB_INTEGER) return true;
  return value->type == TOMB_TEXT &&
         (value->as.text.size == 0 ||
          memchr(value->as.text.data, '\0', value->as.text.size) == NULL);
}

static bool all_fit_json(const tomb_cond *cond) {
  for (size_t i = 0; i < cond->n_values; i++) {
    if (!fits_json(&cond->values[i]) && tomb_is_given(&cond->values[i])) {
      return false;
    }
  }
  return true;
}

static void json_array(tomb_sql *sql, const tomb_cond *cond) {
  tomb_buf json = {sql->text.a, NULL, 0, 0, false};
  bool first = true;
  tomb_buf_text(&json, "[");
  for (size_t i = 0; i < cond->n_values; i++) {
    const tomb_value *value = &cond->values[i];
    if (!tomb_is_given(value)) continue;
    if (!first) tomb_buf_text(&json, ",");
    first = false;
    if (value->type == TOMB_INTEGER) {
      tomb_buf_integer(&json, value->as.integer);
    } else {
      tomb_buf_json(&json, value->as.text.data, value->as.text.size);
    }
  }
  tomb_buf_text(&json, "]");
  char *bytes = json.failed ? NULL : tomb_sql_bytes(sql, json.size);
  if (bytes != NULL) {
    memcpy(bytes, json.data, json.size);
    tomb_value value = tomb_text_of(bytes, json.size);
    sql->dialect->in_json(sql, &value);
  }
  sql->text.failed = sql->text.failed || json.failed;
  tomb_buf_free(&json);
}

static void placeholders(tomb_sql *sql, const tomb_cond *cond) {
  bool first = true;
  for (size_t i = 0; i < cond->n_values; i++) {
    if (!tomb_is_given(&cond->values[i])) continue;
    tomb_sql_join(sql, &first, " IN (", ", ");
    tomb_sql_value(sql, &cond->values[i]);
  }
  tomb_sql_add(sql, ")");
}

static size_t count_nulls(const tomb_cond *cond) {
  size_t nulls = 0;
  for (size_t i = 0; i < cond->n_values; i++) {
    if (!tomb_is_given(&cond->values[i])) nulls++;
  }
  return nulls;
}

static void in_list(tomb_sql *sql, const tomb_cond *cond) {
  size_t nulls = count_nulls(cond), rest = cond->n_values - nulls;
  if (nulls > 0) {
    tomb_sql_add(sql, "(");
    is_null(sql, cond->field, true);
    tomb_sql_add(sql, " OR ");
  }
  if (rest == 0) {
    tomb_sql_add(sql, "1 = 0");
  } else {
    tomb_sql_field(sql, cond->field);
    if (rest > MOST_PLACEHOLDERS && all_fit_json(cond)) {
      json_array(sql, cond);
    } else {
      placeholders(sql, cond);
    }
  }
  if (nulls > 0) tomb_sql_add(sql, ")");
}

static void range(tomb_sql *sql, const tomb_cond *cond) {
  tomb_sql_field(sql, cond->field);
  tomb_sql_add(sql, " BETWEEN ");
  tomb_sql_value(sql, &cond->values[0]);
  tomb_sql_add(sql, " AND ");
  tomb_sql_value(sql, &cond->values[1]);
}

static void original(tomb_sql *sql, const tomb_model *model,
                     const tomb_cond *cond) {
  tomb_sql_original(sql, model, cond->field);
  tomb_sql_add(sql, " = ");
  tomb_sql_value(sql, &cond->values[0]);
}

static void lookup(tomb_sql *sql, const tomb_model *model,
                   const tomb_cond *cond) {
  bool against_null = cond->expr == NULL && cond->n_values == 1 &&
                      !tomb_is_given(&cond->values[0]);
  switch (cond->lookup) {
  case TOMB_EQ:
  case TOMB_NE:
    if (against_null) {
      is_null(sql, cond->field, cond->lookup == TOMB_EQ);
      break;
    }
    compare(sql, cond);
    break;
  case TOMB_LT:
  case TOMB_LTE:
  case TOMB_GT:
  case TOMB_GTE: compare(sql, cond); break;
  case TOMB_IN: in_list(sql, cond); break;
  case TOMB_RANGE: range(sql, cond); break;
  case TOMB_ISNULL:
    is_null(sql, cond->field, cond->values[0].as.integer != 0);
    break;
  case TOMB_ORIGINAL: original(sql, model, cond); break;
  default: tomb_sql_text_match(sql, cond); break;
  }
}

/* ---- composition -------------------------------------------------- */

static void parts(tomb_sql *sql, const tomb_model *model, const tomb_cond *cond,
                  tomb_cond_kind kind, bool *first) {
  for (size_t i = 0; i < cond->n_parts; i++) {
    const tomb_cond *part = tomb_cond_unwrap(cond->parts[i]);
    if (part->kind == kind) {
      parts(sql, model, part, kind, first); /* a OR b OR c, without brackets */
    } else {
      tomb_sql_join(sql, first, "(", kind == TOMB_COND_ALL ? " AND " : " OR ");
      tomb_sql_cond(sql, model, part);
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

void tomb_sql_cond(tomb_sql *sql, const tomb_model *model,
                   const tomb_cond *cond) {
  cond = tomb_cond_unwrap(cond);
  switch (cond->kind) {
  case TOMB_COND_LOOKUP: lookup(sql, model, cond); break;
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
    is_null(sql, stamp, which == TOMB_LIVING);
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
  is_null(sql, died, true);
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
  tomb_value json;
  if (query->among == NULL) return;
  tomb_sql_join(sql, first, " WHERE ", " AND ");
  tomb_sql_field(sql, tomb_key_field(query->model));
  if (tomb_keys_json(&json, query->among, query->among_from, query->among_to,
                     &sql->bytes)) {
    sql->dialect->in_json(sql, &json);
  } else {
    sql->text.failed = true;
  }
}

static void of_event(tomb_sql *sql, const tomb_query *query, bool *first) {
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

static void narrowing(tomb_sql *sql, const tomb_query *query, bool *first) {
  as_of(sql, query, first);
  filters(sql, query->model, query->filters, first);
  among(sql, query, first);
  if (query->undoing != NULL) tomb_sql_released(sql, query, first);
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
