/* lnames.c - the calls that refine a query by names of fields and relations. */
#include <string.h>

#include "classes.h"
#include "convert.h"
#include "raise.h"

/***
Refining.
@module tombstone.query
*/

/* ---- lists of fields ---------------------------------------------- */

/*
** A query with a list has a block of its own behind it: the list, room for
** fields of other rows, and the names that those refer to.
*/
typedef struct listed {
  lua_query *query;
  void *list;
  tomb_far_field *far;
  char *names;
  size_t n;
} listed;

static size_t names_size(lua_State *L, const char *call, size_t n) {
  size_t size = 0;
  for (size_t i = 0; i < n; i++) {
    int at = (int)i + 2;
    if (lua_type(L, at) != LUA_TSTRING) {
      lua_pushfstring(L, "as in %s(\"title\")", call);
      tomb_misuse(L, lua_tostring(L, -1), "%s takes names of fields, not a %s",
                  call, tomb_typename(L, at));
    }
    size += lua_rawlen(L, at) + 1;
  }
  return size;
}

/* Pushes the query at 1 with room for a list of the names behind it. */
static void with_list(lua_State *L, const char *call, size_t item,
                      listed *out) {
  tomb_check_query(L, 1);
  out->n = (size_t)(lua_gettop(L) - 1);
  size_t list = tomb_rounded(out->n * item),
         far = tomb_rounded(sizeof(tomb_far_field));
  out->query = tomb_new_query(
      L, 1, list + out->n * far + names_size(L, call, out->n) + 32);
  char *block = tomb_aligned(out->query + 1);
  out->list = block;
  out->far = (tomb_far_field *)(void *)(block + list);
  out->names = block + list + out->n * far;
}

/* The i-th name, without a leading "-"; it stays. */
static const tomb_field *find_listed(lua_State *L, listed *l, size_t i,
                                     tomb_purpose purpose) {
  size_t size;
  const tomb_field *field;
  tomb_error err;
  const char *name = lua_tolstring(L, (int)i + 2, &size);
  memcpy(l->names, name, size + 1);
  name = l->names;
  l->names += size + 1;
  bool minus = purpose == TOMB_FOR_MOST;
  if (tomb_find_field(&field, &l->far[i], &l->query->query,
                      name + (minus ? 1 : 0), size - (minus ? 1 : 0), purpose,
                      &err) != TOMB_OK) {
    tomb_raise(L, &err);
  }
  return field;
}

/***
Orders by fields, descending with `-`; without one by the key. A field of a parent is
`author__name` (rows without one come first); of many rows the least one counts, or with `-`
the greatest.
@function Query:order_by
@string ... names of fields
@treturn query
@raise misuse for a name that is no field
@usage Post.objects:order_by("-views", "author__name")
*/
static int query_order_by(lua_State *L) {
  listed l;
  with_list(L, "order_by", sizeof(tomb_order), &l);
  tomb_order *order = l.list;
  for (size_t i = 0; i < l.n; i++) {
    order[i].descending = lua_tostring(L, (int)i + 2)[0] == '-';
    order[i].field = find_listed(
        L, &l, i, order[i].descending ? TOMB_FOR_MOST : TOMB_FOR_LEAST);
  }
  l.query->query.order = l.n == 0 ? NULL : order;
  l.query->query.n_order = l.n;
  return 1;
}

static lua_query *with_fields(lua_State *L, const char *call,
                              tomb_purpose purpose, const tomb_field ***fields,
                              size_t *n) {
  listed l;
  with_list(L, call, sizeof(tomb_field *), &l);
  *fields = l.list;
  *n = l.n;
  for (size_t i = 0; i < l.n; i++) {
    (*fields)[i] = find_listed(L, &l, i, purpose);
  }
  return l.query;
}

/***
Loads these fields and the key only; a row so loaded saves no others.
@function Query:only
@string ... names of fields; none: all
@treturn query
@usage Post.objects:only("title"):all()
*/
static int query_only(lua_State *L) {
  lua_query *from = tomb_check_query(L, 1);
  const tomb_field **fields;
  size_t n;
  for (int i = 2; i <= lua_gettop(L); i++) {
    tomb_check_field(L, i, from->query.model);
  }
  lua_query *query = with_fields(L, "only", TOMB_FOR_GROUPS, &fields, &n);
  query->query.only = n == 0 ? NULL : fields;
  query->query.n_only = n;
  return 1;
}

/* The model's fields, and what the query is annotated with. */
static void list_all(const tomb_field **fields, const tomb_query *query,
                     size_t n) {
  for (size_t i = 0; i < n; i++) {
    fields[i] = tomb_model_field(query->model, i);
  }
  for (size_t i = 0; i < query->n_annotations; i++) {
    fields[n + i] = query->annotations[i];
  }
}

lua_query *tomb_push_only(lua_State *L) {
  lua_query *from = tomb_check_query(L, 1);
  const tomb_field **fields;
  size_t n = from->model->n_fields;
  if (lua_gettop(L) > 1) {
    lua_query *query = with_fields(L, "values", TOMB_FOR_VALUES, &fields, &n);
    query->query.only = fields;
    query->query.n_only = n;
    return query;
  }
  bool all = from->query.only == NULL;
  size_t n_all = n + from->query.n_annotations;
  lua_query *query =
      tomb_new_query(L, 1, all ? n_all * sizeof(tomb_field *) + 16 : 0);
  if (!all) return query;
  fields = (const tomb_field **)(void *)(query + 1);
  list_all(fields, &query->query, n);
  query->query.only = fields;
  query->query.n_only = n_all;
  return query;
}

/***
Groups what `aggregate` computes.
@function Query:group_by
@string ... names of fields, also of parents, as `author__name`
@treturn query
@usage Post.objects:group_by("views"):aggregate { n = count "*" }
*/
static int query_group_by(lua_State *L) {
  const tomb_field **fields;
  size_t n;
  lua_query *query = with_fields(L, "group_by", TOMB_FOR_GROUPS, &fields, &n);
  query->query.groups = fields;
  query->query.n_groups = n;
  return 1;
}

/* ---- other rows --------------------------------------------------- */

/* "author.team" becomes "author__team", as lookups write it. */
static size_t copy_way(lua_State *L, int index, const tomb_model *model,
                       char *out) {
  size_t size, n = 0;
  if (lua_type(L, index) != LUA_TSTRING) {
    tomb_misuse(L, "as in with_deleted(\"author\", \"author.team\")",
                "A relation's name is needed, not a %s",
                tomb_typename(L, index));
  }
  const char *way = lua_tolstring(L, index, &size);
  for (size_t i = 0; i < size; i++) {
    out[n++] = way[i] == '.' ? '_' : way[i];
    if (way[i] == '.') out[n++] = '_';
  }
  out[n] = '\0';
  if (tomb_path_end(model, out, n) == NULL) {
    tomb_misuse(L, "names of relations, with dots between them",
                "%s has no relation '%s'", tomb_model_name(model), way);
  }
  return n + 1;
}

static size_t ways_size(lua_State *L, size_t n) {
  size_t size = 0;
  for (size_t i = 0; i < n; i++) {
    size += 2 * (lua_isstring(L, (int)i + 2) ? lua_rawlen(L, (int)i + 2) : 0);
  }
  return size + n;
}

/***
Shows rows of relations as they are, living or dead, wherever the query meets them: in filters,
orders, values and rows that `with` loads.
@function Query:with_deleted
@string ... relations, with dots between those on the way: `"author"`, `"author.team"`
@treturn query
@raise misuse for what is no relation
@usage Post.objects:with_deleted("author"):values("title", "author__name")
*/
static int query_with_deleted(lua_State *L) {
  lua_query *from = tomb_check_query(L, 1);
  size_t n = (size_t)lua_gettop(L) - 1, before = from->query.n_shown;
  size_t list = (before + n) * sizeof(char *);
  lua_query *query = tomb_new_query(L, 1, list + ways_size(L, n) + 1);
  const char **shown = (const char **)(void *)(query + 1);
  char *text = (char *)(query + 1) + list;
  if (before > 0)
    memcpy((void *)shown, from->query.shown, before * sizeof *shown);
  for (size_t i = 0; i < n; i++) {
    shown[before + i] = text;
    text += copy_way(L, (int)i + 2, query->query.model, text);
  }
  query->query.shown = shown;
  query->query.n_shown = before + n;
  return 1;
}

/* ---- annotations -------------------------------------------------- */

static size_t annotations_size(lua_State *L, size_t *n) {
  size_t size = 0;
  *n = 0;
  lua_pushnil(L);
  while (lua_next(L, 2) != 0) {
    if (lua_type(L, -2) != LUA_TSTRING) {
      tomb_misuse(L, "as in annotate{ n = count \"posts\" }",
                  "Each annotation needs a name");
    }
    size += lua_rawlen(L, -2) + 1;
    if (lua_istable(L, -1)) {
      tomb_push_member(L, -1, "field");
      size += lua_type(L, -1) == LUA_TSTRING ? lua_rawlen(L, -1) + 1 : 0;
      lua_pop(L, 1);
    }
    ++*n;
    lua_pop(L, 1);
  }
  return size;
}

static char *copy_text(lua_State *L, int index, char **at, size_t *size) {
  const char *text = lua_tolstring(L, index, size);
  char *copy = memcpy(*at, text, *size + 1);
  *at += *size + 1;
  return copy;
}

/* Rows answer to names of methods: a result under one would hide it. */
static void check_hidden(lua_State *L, const char *name, size_t size) {
  int top = lua_gettop(L);
  tomb_getref(L, 1, QUERY_MODEL);
  tomb_getref(L, -1, MODEL_TABLE);
  tomb_push_member(L, -1, name);
  tomb_methods(L, METHODS);
  tomb_push_member(L, -1, name);
  if (!lua_isnil(L, -1) || !lua_isnil(L, -3) || strlen(name) < size) {
    tomb_misuse(L, "give the annotation another name",
                strlen(name) < size ? "%s is no name for an annotation"
                                    : "%s is a method of rows",
                name);
  }
  lua_settop(L, top);
}

/* The pair at (-2, -1): a name and an aggregate. */
static void annotate(lua_State *L, const tomb_query *query, tomb_far_field *far,
                     char **at) {
  tomb_error err;
  size_t size, of_size;
  bool distinct;
  tomb_aggregate_fn fn = tomb_check_aggregate_at(L, -1, "annotate", &distinct);
  const char *name = copy_text(L, -2, at, &size);
  tomb_push_member(L, -1, "field");
  if (lua_type(L, -1) != LUA_TSTRING) {
    tomb_misuse(L, "as in annotate{ n = count \"posts\" }",
                "A relation's name is needed, not a %s", tomb_typename(L, -1));
  }
  const char *of = copy_text(L, -1, at, &of_size);
  lua_pop(L, 1);
  if (tomb_annotate(far, query, name, fn, distinct, of, of_size, &err) !=
      TOMB_OK) {
    tomb_raise(L, &err);
  }
  check_hidden(L, name, size);
}

/* By name, so that one query is one statement whatever order Lua walks in. */
static void sort_added(const tomb_field **list, size_t from, size_t n) {
  for (size_t i = from + 1; i < n; i++) {
    const tomb_field *field = list[i];
    size_t j = i;
    for (; j > from && strcmp(list[j - 1]->name, field->name) > 0; j--) {
      list[j] = list[j - 1];
    }
    list[j] = field;
  }
}

/***
Computes over rows that belong to each row: the results are read along with it, and may be
filtered and ordered by. `save` does not write them.
@function Query:annotate
@tparam table what aggregates by the names of their results; each of a relation, as `count
"posts"`, or of a field behind it, as `max "posts__views"`
@treturn query
@raise misuse
@usage Author.objects:annotate { n = count "posts" }:filter { n__gt = 3 }:order_by "-n"
*/
static int query_annotate(lua_State *L) {
  size_t n;
  tomb_no_more(L, 2, "annotate");
  lua_query *from = tomb_check_query(L, 1);
  if (!lua_istable(L, 2)) {
    tomb_misuse(L, "as in annotate{ n = count \"posts\" }",
                "annotate takes a table, not a %s", tomb_typename(L, 2));
  }
  size_t size = annotations_size(L, &n), before = from->query.n_annotations;
  size_t list = tomb_rounded((before + n) * sizeof(tomb_field *));
  size_t far_size = tomb_rounded(sizeof(tomb_far_field));
  lua_query *query = tomb_new_query(L, 1, list + n * far_size + size + 16);
  char *block = tomb_aligned(query + 1);
  const tomb_field **fields = (const tomb_field **)(void *)block;
  char *far = block + list, *text = far + n * far_size;
  if (before > 0) {
    memcpy((void *)fields, from->query.annotations, before * sizeof *fields);
  }
  lua_pushnil(L);
  for (size_t i = before; lua_next(L, 2) != 0; i++, far += far_size) {
    annotate(L, &from->query, (tomb_far_field *)(void *)far, &text);
    fields[i] = &((tomb_far_field *)(void *)far)->field;
    lua_pop(L, 1);
  }
  sort_added(fields, before, before + n);
  query->query.annotations = fields;
  query->query.n_annotations = before + n;
  return 1;
}

void tomb_open_names(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"order_by", query_order_by}, {"only", query_only},
      {"group_by", query_group_by}, {"with_deleted", query_with_deleted},
      {"annotate", query_annotate}, {NULL, NULL}};
  tomb_methods(L, QUERY);
  tomb_setfuncs(L, functions);
  lua_pop(L, 1);
}
