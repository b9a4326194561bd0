/* lookup.c - expressions, and one lookup on a field, as SQL. */
#include <string.h>

#include "cond.h"
#include "sql.h"
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

void tomb_sql_is_null(tomb_sql *sql, const tomb_field *field, bool null) {
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
    tomb_sql_is_null(sql, cond->field, true);
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

void tomb_sql_lookup(tomb_sql *sql, const tomb_model *model,
                     const tomb_cond *cond) {
  bool against_null = cond->expr == NULL && cond->n_values == 1 &&
                      !tomb_is_given(&cond->values[0]);
  switch (cond->lookup) {
  case TOMB_EQ:
  case TOMB_NE:
    if (against_null) {
      tomb_sql_is_null(sql, cond->field, cond->lookup == TOMB_EQ);
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
    tomb_sql_is_null(sql, cond->field, cond->values[0].as.integer != 0);
    break;
  case TOMB_ORIGINAL: original(sql, model, cond); break;
  default: tomb_sql_text_match(sql, cond); break;
  }
}
