/* cond.c - conditions over the fields of a model. */
#include "cond.h"

#include <string.h>

#include "error.h"
#include "model.h"
#include "value.h"

#define DEEPEST 200
/* SQLite's parser has a stack of 100 entries: a bracket takes up to four. */
#define MOST_BRACKETS 12

typedef struct lookup_info {
  const char *name;
  bool text;       /* needs a text field */
  size_t n_values; /* exactly; 0: any number */
} lookup_info;

static const lookup_info lookups[TOMB_LOOKUPS] = {
    [TOMB_EQ] = {"eq", false, 1},
    [TOMB_NE] = {"ne", false, 1},
    [TOMB_LT] = {"lt", false, 1},
    [TOMB_LTE] = {"lte", false, 1},
    [TOMB_GT] = {"gt", false, 1},
    [TOMB_GTE] = {"gte", false, 1},
    [TOMB_IN] = {"in", false, 0},
    [TOMB_RANGE] = {"range", false, 2},
    [TOMB_ISNULL] = {"isnull", false, 1},
    [TOMB_CONTAINS] = {"contains", true, 1},
    [TOMB_ICONTAINS] = {"icontains", true, 1},
    [TOMB_STARTSWITH] = {"startswith", true, 1},
    [TOMB_ISTARTSWITH] = {"istartswith", true, 1},
    [TOMB_ENDSWITH] = {"endswith", true, 1},
    [TOMB_IENDSWITH] = {"iendswith", true, 1},
    [TOMB_IEXACT] = {"iexact", true, 1},
    [TOMB_LIKE] = {"like", true, 1},
    [TOMB_ORIGINAL] = {"original", true, 1},
};

static tomb_cond group(tomb_cond_kind kind, tomb_cond **parts, size_t n) {
  tomb_cond cond;
  memset(&cond, 0, sizeof cond);
  cond.kind = kind;
  cond.parts = parts;
  cond.n_parts = n;
  return cond;
}

tomb_cond tomb_all(tomb_cond **parts, size_t n) {
  return group(TOMB_COND_ALL, parts, n);
}

tomb_cond tomb_any(tomb_cond **parts, size_t n) {
  return group(TOMB_COND_ANY, parts, n);
}

tomb_cond tomb_none(tomb_cond **parts, size_t n) {
  return group(TOMB_COND_NONE, parts, n);
}

tomb_cond tomb_where_in(const char *key, tomb_value *values, size_t n) {
  tomb_cond cond;
  memset(&cond, 0, sizeof cond);
  cond.key = key;
  cond.key_size = strlen(key);
  cond.values = values;
  cond.n_values = n;
  return cond;
}

tomb_cond tomb_where(const char *key, tomb_value *value) {
  return tomb_where_in(key, value, 1);
}

tomb_cond tomb_cond_on(const tomb_field *field, tomb_lookup lookup,
                       tomb_value *value) {
  tomb_cond cond;
  memset(&cond, 0, sizeof cond);
  cond.field = field;
  cond.lookup = lookup;
  cond.values = value;
  cond.n_values = 1;
  return cond;
}

bool tomb_cond_is_trivial(const tomb_cond *cond) {
  if (cond->kind == TOMB_COND_LOOKUP || cond->kind == TOMB_COND_ANY) {
    return false;
  }
  if (cond->kind == TOMB_COND_NONE) return cond->n_parts == 0;
  for (size_t i = 0; i < cond->n_parts; i++) {
    if (!tomb_cond_is_trivial(cond->parts[i])) return false;
  }
  return true;
}

/* ---- keys: "views__gte" is a field and a lookup ------------------- */

static bool find_lookup(tomb_lookup *out, const char *name, size_t size) {
  for (int i = 0; i < TOMB_LOOKUPS; i++) {
    if (strlen(lookups[i].name) == size &&
        memcmp(lookups[i].name, name, size) == 0) {
      *out = (tomb_lookup)i;
      return true;
    }
  }
  return false;
}

static tomb_status refuse_lookup(const tomb_query *query, const char *name,
                                 size_t size, tomb_error *err) {
  const char *names[TOMB_LOOKUPS];
  for (int i = 0; i < TOMB_LOOKUPS; i++) names[i] = lookups[i].name;
  const char *nearest = tomb_nearest(names, TOMB_LOOKUPS, name, size);
  tomb_fail(err, TOMB_MISUSE, "There is no lookup '__%.*s'", (int)size, name);
  tomb_error_model(err, query->model->name);
  if (nearest != NULL) tomb_error_hint(err, "did you mean '__%s'?", nearest);
  return TOMB_MISUSE;
}

/* author__in, posts__isnull: the rows at the end of a way, by their keys. What
** points to a parent holds its key. */
static tomb_status find_row(const tomb_query *query, tomb_cond *cond,
                            const tomb_walk *walk, tomb_error *err) {
  bool up = walk->way->kind == TOMB_TO_PARENT;
  cond->is_of_way = cond->lookup == TOMB_ISNULL;
  if (cond->lookup != TOMB_EQ && cond->lookup != TOMB_NE &&
      cond->lookup != TOMB_IN && cond->lookup != TOMB_ISNULL) {
    tomb_fail(err, TOMB_MISUSE, "%.*s compares rows", (int)cond->key_size,
              cond->key);
    tomb_error_model(err, query->model->name);
    tomb_error_hint(err, "name a field of theirs, or use ne, in or isnull");
    return TOMB_MISUSE;
  }
  cond->field = tomb_key_field(walk->model);
  cond->path_size = walk->to;
  if (up && !cond->is_of_way) {
    cond->field = walk->way->near->field;
    cond->path_size = walk->before;
  }
  return TOMB_OK;
}

/* What stands behind the lookup's field or way: "" or "__gte". */
static tomb_status read_lookup(const tomb_query *query, tomb_cond *cond,
                               const tomb_walk *walk, tomb_error *err) {
  cond->lookup = cond->n_values == 1 || cond->expr != NULL ? TOMB_EQ : TOMB_IN;
  if (walk->end == cond->key_size) return TOMB_OK;
  const char *name = cond->key + walk->end + 2;
  size_t size = cond->key_size - walk->end - 2;
  if (find_lookup(&cond->lookup, name, size)) return TOMB_OK;
  if (walk->field != NULL) return refuse_lookup(query, name, size, err);
  return tomb_no_such_name(walk->model, name, tomb_name_end(name, size), err);
}

static tomb_status find_key(const tomb_query *query, tomb_cond *cond,
                            tomb_error *err) {
  tomb_walk walk;
  tomb_status st = tomb_walk_key(&walk, query, cond->key, cond->key_size, err);
  if (st == TOMB_OK) {
    st = tomb_check_way(query, cond->key, cond->key_size, &walk, err);
  }
  if (st == TOMB_OK) st = read_lookup(query, cond, &walk, err);
  if (st != TOMB_OK) return st;
  if (walk.field == NULL) return find_row(query, cond, &walk, err);
  cond->field = walk.field;
  cond->path_size = walk.to;
  return TOMB_OK;
}

/* ---- values ------------------------------------------------------- */

static tomb_status refuse_value(const tomb_query *query, const tomb_cond *cond,
                                const char *wanted, tomb_error *err) {
  tomb_fail(err, TOMB_MISUSE, "%.*s takes %s", (int)cond->key_size, cond->key,
            wanted);
  tomb_error_model(err, query->model->name);
  tomb_error_field(err, cond->field->name, "takes %s", wanted);
  return TOMB_MISUSE;
}

static tomb_status check_null(const tomb_query *query, const tomb_cond *cond,
                              const tomb_value *value, tomb_error *err) {
  bool fine = cond->lookup == TOMB_EQ || cond->lookup == TOMB_NE ||
              cond->lookup == TOMB_IN;
  if (tomb_is_given(value) || fine) return TOMB_OK;
  tomb_status st = refuse_value(query, cond, "no null", err);
  tomb_error_hint(err, "use %s__isnull", cond->field->name);
  return st;
}

static tomb_status check_values(const tomb_query *query, tomb_cond *cond,
                                tomb_error *err) {
  size_t wanted = lookups[cond->lookup].n_values;
  if (wanted != 0 && cond->n_values != wanted) {
    return refuse_value(query, cond, wanted == 1 ? "one value" : "two values",
                        err);
  }
  for (size_t i = 0; i < cond->n_values; i++) {
    tomb_value *value = &cond->values[i];
    tomb_status st = check_null(query, cond, value, err);
    if (st != TOMB_OK) return st;
    if (cond->lookup == TOMB_ISNULL) {
      if (value->type == TOMB_BOOLEAN) continue;
      return refuse_value(query, cond, "true or false", err);
    }
    if (!tomb_fit(cond->field, value)) {
      return refuse_value(query, cond, tomb_type_wanted(cond->field->type),
                          err);
    }
  }
  return TOMB_OK;
}

static bool compares(tomb_lookup lookup) {
  return lookup <= TOMB_GTE;
}

static tomb_status check_lookup(const tomb_query *query, tomb_cond *cond,
                                tomb_error *err) {
  if (cond->field == NULL) {
    tomb_status st = find_key(query, cond, err);
    if (st != TOMB_OK) return st;
  }
  if (lookups[cond->lookup].text && !tomb_is_text(cond->field)) {
    return refuse_value(query, cond, "a char or text field", err);
  }
  if (cond->expr == NULL) return check_values(query, cond, err);
  if (!compares(cond->lookup)) {
    return refuse_value(query, cond, "no expression", err);
  }
  if (cond->path_size > 0) {
    return refuse_value(query, cond, "no expression, across rows", err);
  }
  return tomb_expr_check(query->model, cond->field, cond->expr, err);
}

const tomb_cond *tomb_cond_unwrap(const tomb_cond *cond) {
  while ((cond->kind == TOMB_COND_ALL || cond->kind == TOMB_COND_ANY) &&
         cond->n_parts == 1) {
    cond = cond->parts[0];
  }
  return cond;
}

static tomb_status too_deep(const char *what, int deepest, tomb_error *err) {
  return tomb_fail(err, TOMB_MISUSE, "%s is nested more than %d deep", what,
                   deepest);
}

static tomb_status check_width(const tomb_query *query, const tomb_cond *cond,
                               tomb_error *err) {
  if (cond->kind != TOMB_COND_ALL ||
      tomb_tables_joined(query->model, cond) <= TOMB_MOST_JOINED) {
    return TOMB_OK;
  }
  tomb_fail(err, TOMB_MISUSE, "The lookups of one table join too many others");
  tomb_error_model(err, query->model->name);
  tomb_error_hint(err, "they take up to %d tables; use several filters",
                  TOMB_MOST_JOINED);
  return TOMB_MISUSE;
}

/* Any inside any and all inside all need no brackets of their own. */
static tomb_status check(const tomb_query *query, tomb_cond *cond, int depth,
                         int brackets, tomb_error *err) {
  if (depth > DEEPEST) return too_deep("A condition", DEEPEST, err);
  if (cond->kind == TOMB_COND_LOOKUP) return check_lookup(query, cond, err);
  if (brackets > MOST_BRACKETS) {
    return too_deep("A condition", MOST_BRACKETS, err);
  }
  if (tomb_cond_unwrap(cond) != cond) {
    return check(query, cond->parts[0], depth + 1, brackets, err);
  }
  tomb_cond_kind kind =
      cond->kind == TOMB_COND_NONE ? TOMB_COND_ANY : cond->kind;
  for (size_t i = 0; i < cond->n_parts; i++) {
    const tomb_cond *part = tomb_cond_unwrap(cond->parts[i]);
    bool own = part->kind != TOMB_COND_LOOKUP && part->kind != kind;
    tomb_status st =
        check(query, cond->parts[i], depth + 1, brackets + (own ? 1 : 0), err);
    if (st != TOMB_OK) return st;
  }
  return check_width(query, cond, err);
}

tomb_status tomb_cond_check(const tomb_query *query, tomb_cond *cond,
                            tomb_error *err) {
  return check(query, cond, 0, 0, err);
}

/* ---- expressions -------------------------------------------------- */

static bool is_number(const tomb_field *field) {
  return field->type == TOMB_FIELD_INTEGER || field->type == TOMB_FIELD_NUMBER;
}

static tomb_status refuse_operand(tomb_error *err) {
  return tomb_fail(err, TOMB_MISUSE, "Arithmetic over fields takes numbers");
}

static tomb_status check_operand(const tomb_model *model, tomb_expr *expr,
                                 bool alone, tomb_error *err) {
  tomb_status st =
      tomb_need_field(&expr->field, model, expr->name, strlen(expr->name), err);
  if (st != TOMB_OK || alone || is_number(expr->field)) return st;
  st = refuse_operand(err);
  tomb_error_field(err, expr->name, "%s", "is no number");
  return st;
}

static tomb_status check_expr(const tomb_model *model, tomb_expr *expr,
                              int depth, int brackets, tomb_error *err) {
  tomb_field number = {.type = TOMB_FIELD_NUMBER};
  tomb_value value = expr->value;
  if (depth > DEEPEST) return too_deep("An expression", DEEPEST, err);
  switch (expr->op) {
  case TOMB_EXPR_VALUE:
    return tomb_is_given(&value) && tomb_fit(&number, &value)
               ? TOMB_OK
               : refuse_operand(err);
  case TOMB_EXPR_FIELD: return check_operand(model, expr, depth == 0, err);
  default: {
    if (brackets > MOST_BRACKETS) {
      return too_deep("An expression", MOST_BRACKETS, err);
    }
    int left = tomb_expr_continues(expr) ? brackets : brackets + 1;
    tomb_status st = check_expr(model, expr->left, depth + 1, left, err);
    if (st != TOMB_OK) return st;
    return check_expr(model, expr->right, depth + 1, brackets + 1, err);
  }
  }
}

static bool are_alike(const tomb_field *a, const tomb_field *b) {
  return a->type == b->type || (is_number(a) && is_number(b)) ||
         (tomb_is_text(a) && tomb_is_text(b));
}

tomb_status tomb_expr_check(const tomb_model *model, const tomb_field *field,
                            tomb_expr *expr, tomb_error *err) {
  tomb_status st = check_expr(model, expr, 0, 0, err);
  bool bare = expr->op == TOMB_EXPR_FIELD;
  if (st != TOMB_OK) return st;
  if (bare ? are_alike(field, expr->field) : is_number(field)) return TOMB_OK;
  if (bare) {
    tomb_fail(err, TOMB_MISUSE, "%s.%s and %s.%s are of different types",
              model->name, field->name, model->name, expr->field->name);
  } else {
    tomb_fail(err, TOMB_MISUSE, "%s.%s takes no arithmetic", model->name,
              field->name);
  }
  tomb_error_model(err, model->name);
  return TOMB_MISUSE;
}
