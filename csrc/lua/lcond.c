/*
** lcond.c - filter tables, conditions and expressions as engine conditions.
**
** One door: a plain table of lookups and what Q, any, all, none and their
** operators make are all turned into tomb_cond here. It is measured first and
** built second, so that it fits the block of the query that it belongs to.
*/
#include "lcond.h"

#include <string.h>

#include "convert.h"
#include "lrelation.h"
#include "raise.h"

#define DEEPEST 150

/* A block that is handed out from its beginning. */
typedef struct block {
  const tomb_query *query; /* that the condition narrows */
  int box;                 /* index of its MODEL */
  char *at;
} block;

static void *take(block *b, size_t size) {
  void *memory = b->at;
  b->at += tomb_rounded(size);
  memset(memory, 0, size);
  return memory;
}

/* ---- what is what ------------------------------------------------- */

static bool has_class(lua_State *L, int index, const char *name) {
  if (!lua_istable(L, index) || !lua_getmetatable(L, index)) return false;
  luaL_getmetatable(L, name);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

bool tomb_isexpr(lua_State *L, int index) {
  return has_class(L, index, EXPRESSION);
}

static bool is_list(lua_State *L, int index) {
  return lua_istable(L, index) && !tomb_isexpr(L, index);
}

static void check_depth(lua_State *L, int depth) {
  luaL_checkstack(L, 12, "a condition is nested too deep");
  if (depth > DEEPEST) {
    tomb_misuse(L, NULL, "A condition is nested more than %d deep", DEEPEST);
  }
}

static void check_filter(lua_State *L, int index) {
  if (lua_istable(L, index)) return;
  tomb_misuse(L, "as in filter{ views__gte = 10 }",
              "A filter takes a table of conditions, not a %s",
              tomb_typename(L, index));
}

static void check_key(lua_State *L, int index) {
  if (lua_type(L, index) == LUA_TSTRING) return;
  tomb_misuse(L, "as in filter{ views__gte = 10 }",
              "A filter's keys are names of fields, not a %s",
              tomb_typename(L, index));
}

/* ---- expressions -------------------------------------------------- */

static size_t expr_size(lua_State *L, int index, int depth) {
  size_t size = tomb_rounded(sizeof(tomb_expr));
  check_depth(L, depth);
  if (!tomb_isexpr(L, index)) return size;
  index = tomb_absindex(L, index);
  lua_getfield(L, index, "field");
  size_t name = lua_isstring(L, -1) ? lua_rawlen(L, -1) + 1 : 0;
  lua_pop(L, 1);
  if (name > 0) return size + tomb_rounded(name);
  for (int i = 1; i <= 2; i++) {
    lua_rawgeti(L, index, i);
    size += expr_size(L, -1, depth + 1);
    lua_pop(L, 1);
  }
  return size;
}

static tomb_expr_op expr_op(lua_State *L, int index) {
  static const char *const names[] = {"+", "-", "*", "/", "%", NULL};
  lua_getfield(L, index, "op");
  const char *op = lua_tostring(L, -1);
  int i = 0;
  while (names[i] != NULL && (op == NULL || strcmp(names[i], op) != 0)) i++;
  lua_pop(L, 1);
  if (names[i] == NULL) tomb_misuse(L, NULL, "An expression has no operator");
  return (tomb_expr_op)(TOMB_EXPR_ADD + i);
}

static tomb_expr *expr_build(lua_State *L, int index, block *b) {
  tomb_expr *expr = take(b, sizeof *expr);
  if (!tomb_isexpr(L, index)) {
    expr->op = TOMB_EXPR_VALUE;
    tomb_tovalue(L, index, NULL, &expr->value);
    return expr;
  }
  index = tomb_absindex(L, index);
  lua_getfield(L, index, "field");
  if (lua_isstring(L, -1)) {
    size_t size = lua_rawlen(L, -1) + 1;
    expr->op = TOMB_EXPR_FIELD;
    expr->name = memcpy(take(b, size), lua_tostring(L, -1), size);
    lua_pop(L, 1);
    return expr;
  }
  lua_pop(L, 1);
  expr->op = expr_op(L, index);
  lua_rawgeti(L, index, 1);
  expr->left = expr_build(L, -1, b);
  lua_rawgeti(L, index, 2);
  expr->right = expr_build(L, -1, b);
  lua_pop(L, 2);
  return expr;
}

size_t tomb_expr_size(lua_State *L, int index) {
  return expr_size(L, index, 0);
}

tomb_expr *tomb_expr_build(lua_State *L, int index, void *memory) {
  block b = {NULL, 0, memory};
  return expr_build(L, index, &b);
}

/* ---- values ------------------------------------------------------- */

static size_t text_size(lua_State *L, int index) {
  return lua_type(L, index) == LUA_TSTRING
             ? tomb_rounded(lua_rawlen(L, index) + 1)
             : 0;
}

static size_t values_size(lua_State *L, int index, int depth) {
  if (tomb_isexpr(L, index)) return expr_size(L, index, depth);
  if (!is_list(L, index)) {
    return tomb_rounded(sizeof(tomb_value)) + text_size(L, index);
  }
  size_t n = lua_rawlen(L, index), size = tomb_rounded(n * sizeof(tomb_value));
  index = tomb_absindex(L, index);
  for (size_t i = 1; i <= n; i++) {
    lua_rawgeti(L, index, (int)i);
    size += text_size(L, -1);
    lua_pop(L, 1);
  }
  return size;
}

/* Where Lua has no 64-bit integers they come as text too, and only the field
** tells that they are meant. */
static const tomb_field *integer_field(const tomb_cond *cond, const block *b) {
#if TOMB_LUA_INTEGERS
  (void)cond;
  (void)b;
  return NULL;
#else
  const tomb_field *field =
      tomb_key_subject(b->query, cond->key, cond->key_size);
  return field != NULL && field->type == TOMB_FIELD_INTEGER ? field : NULL;
#endif
}

static void keep_value(lua_State *L, int index, const tomb_field *field,
                       tomb_value *out, block *b) {
  tomb_tovalue(L, index, field, out);
  if (out->type != TOMB_TEXT) return;
  char *copy = take(b, out->as.text.size + 1);
  memcpy(copy, out->as.text.data, out->as.text.size);
  out->as.text.data = copy;
}

static void refuse_list(lua_State *L, int index, const tomb_cond *cond) {
  bool is_row = tomb_test_row(L, index) != NULL;
  tomb_misuse(L, is_row ? "rows stand under names of relations" : NULL,
              "%s takes %s", cond->key,
              is_row ? "plain values, not a row" : "a list of plain values");
}

/* Values under names, and those behind a hole, would be lost without a word.
** Lists may tell their length, as those of pluck do. */
static void need_list(lua_State *L, int index, const tomb_cond *cond) {
  size_t n = 0;
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TNUMBER) {
      n++;
    } else if (lua_type(L, -1) != LUA_TSTRING ||
               strcmp(lua_tostring(L, -1), "n") != 0) {
      n = cond->n_values + 1;
      lua_pop(L, 1);
      break;
    }
  }
  if (n != cond->n_values) refuse_list(L, index, cond);
}

static void build_list(lua_State *L, int index, tomb_cond *cond, block *b) {
  cond->n_values = lua_rawlen(L, index);
  cond->values = take(b, cond->n_values * sizeof *cond->values);
  index = tomb_absindex(L, index);
  need_list(L, index, cond);
  const tomb_field *field = integer_field(cond, b);
  for (size_t i = 0; i < cond->n_values; i++) {
    lua_rawgeti(L, index, (int)i + 1);
    if (lua_istable(L, -1)) refuse_list(L, lua_gettop(L), cond);
    keep_value(L, -1, field, &cond->values[i], b);
    lua_pop(L, 1);
  }
}

/* A list of one is a list all the same: the lookup is named, not guessed. */
static bool has_lookup(const char *key) {
  return strstr(key, "__") != NULL;
}

static void name_in(tomb_cond *cond, const tomb_model *model) {
  if (has_lookup(cond->key)) return;
  cond->field = tomb_model_find(model, cond->key, cond->key_size);
  cond->lookup = TOMB_IN;
}

/* The pair at (-2, -1) of the stack. */
static tomb_cond *build_pair(lua_State *L, block *b) {
  tomb_cond *cond = take(b, sizeof *cond);
  const char *key = lua_tolstring(L, -2, &cond->key_size);
  /* the ways in it are walked whenever the query runs */
  cond->key = memcpy(take(b, cond->key_size + 1), key, cond->key_size + 1);
  if (tomb_isexpr(L, -1)) {
    cond->expr = expr_build(L, -1, b);
  } else if (is_list(L, -1)) {
    build_list(L, -1, cond, b);
    name_in(cond, b->query->model);
  } else {
    cond->n_values = 1;
    cond->values = take(b, sizeof *cond->values);
    keep_value(L, -1, integer_field(cond, b), cond->values, b);
  }
  return cond;
}

/* ---- tables of conditions ----------------------------------------- */

static size_t cond_size(lua_State *L, int index, int box, int depth);

static size_t filter_size(lua_State *L, int index, int box, int depth) {
  size_t size = tomb_rounded(sizeof(tomb_cond)), pairs = 0;
  index = tomb_absindex(L, index);
  tomb_rows_to_keys(L, box, index, true);
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    check_key(L, -2);
    size += tomb_rounded(sizeof(tomb_cond)) +
            tomb_rounded(lua_rawlen(L, -2) + 1) + values_size(L, -1, depth);
    pairs++;
    lua_pop(L, 1);
  }
  return size + tomb_rounded(pairs * sizeof(tomb_cond *)) + 16;
}

static size_t parts_size(lua_State *L, int index, int box, int depth) {
  size_t n = lua_rawlen(L, index);
  size_t size =
      tomb_rounded(sizeof(tomb_cond)) + tomb_rounded(n * sizeof(tomb_cond *));
  index = tomb_absindex(L, index);
  for (size_t i = 1; i <= n; i++) {
    lua_rawgeti(L, index, (int)i);
    size += cond_size(L, -1, box, depth + 1);
    lua_pop(L, 1);
  }
  return size;
}

static size_t cond_size(lua_State *L, int index, int box, int depth) {
  check_depth(L, depth);
  check_filter(L, index);
  return has_class(L, index, CONDITION) ? parts_size(L, index, box, depth)
                                        : filter_size(L, index, box, depth);
}

size_t tomb_cond_size(lua_State *L, int index, int model) {
  return cond_size(L, index, model, 0);
}

/* By name, so that one filter is one statement whatever order Lua walks in. */
static void sort(tomb_cond **parts, size_t n) {
  for (size_t i = 1; i < n; i++) {
    tomb_cond *part = parts[i];
    size_t j = i;
    for (; j > 0 && strcmp(parts[j - 1]->key, part->key) > 0; j--) {
      parts[j] = parts[j - 1];
    }
    parts[j] = part;
  }
}

static tomb_cond *build_filter(lua_State *L, int index, block *b) {
  index = tomb_absindex(L, index);
  tomb_rows_to_keys(L, b->box, index, true);
  tomb_cond *all = take(b, sizeof *all);
  all->kind = TOMB_COND_ALL;
  all->parts = take(b, tomb_count_pairs(L, index) * sizeof *all->parts);
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    all->parts[all->n_parts++] = build_pair(L, b);
    lua_pop(L, 1);
  }
  sort(all->parts, all->n_parts);
  return all;
}

static tomb_cond_kind cond_kind(lua_State *L, int index) {
  lua_getfield(L, index, "kind");
  const char *kind = lua_tostring(L, -1);
  tomb_cond_kind found = TOMB_COND_ALL;
  if (kind != NULL && strcmp(kind, "any") == 0) found = TOMB_COND_ANY;
  if (kind != NULL && strcmp(kind, "none") == 0) found = TOMB_COND_NONE;
  lua_pop(L, 1);
  return found;
}

static tomb_cond *build(lua_State *L, int index, block *b) {
  if (!has_class(L, index, CONDITION)) return build_filter(L, index, b);
  index = tomb_absindex(L, index);
  tomb_cond *cond = take(b, sizeof *cond);
  size_t n = lua_rawlen(L, index);
  cond->kind = cond_kind(L, index);
  cond->parts = take(b, n * sizeof *cond->parts);
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, index, (int)i + 1);
    cond->parts[cond->n_parts++] = build(L, -1, b);
    lua_pop(L, 1);
  }
  return cond;
}

tomb_cond *tomb_cond_build(lua_State *L, int index, int model,
                           const tomb_query *query, void *memory) {
  block b = {query, model, memory};
  return build(L, index, &b);
}

void tomb_push_pair(lua_State *L, int key, int value) {
  if (lua_isnoneornil(L, value)) {
    tomb_misuse(L, "use tombstone.null, or __isnull",
                "filter(%s, nil) says nothing",
                lua_isstring(L, key) ? lua_tostring(L, key) : "?");
  }
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, key);
  lua_pushvalue(L, value);
  lua_rawset(L, -3);
}
