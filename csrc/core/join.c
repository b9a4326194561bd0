/*
** join.c - values of other rows: joined to the statement, or by a sub-query.
**
** A joined table is called as lookups call the way to it, "author__team__".
** Each is joined outside, with the rows that may be seen in its ON, so that a
** dead parent reads as NULL and hides no child.
*/
#include <string.h>

#include "rows.h"
#include "sql.h"
#include "value.h"

/* ---- tables ------------------------------------------------------- */

static bool is_shown(const tomb_query *query, const char *way, size_t size) {
  for (size_t i = 0; query != NULL && i < query->n_shown; i++) {
    const char *shown = query->shown[i];
    if (strlen(shown) == size && memcmp(shown, way, size) == 0) return true;
  }
  return false;
}

/* The living rows alone, unless the query shows all at the end of that way. */
static tomb_scope seen_by_way(const tomb_sql *sql, const tomb_model *model,
                              const char *way, size_t size) {
  bool all = !tomb_is_soft(model) || is_shown(sql->query, way, size);
  return all ? TOMB_EVERY : TOMB_LIVING;
}

static void note(tomb_sql *sql, const tomb_model *model, const char *way,
                 size_t size, tomb_scope scope) {
  static const char *const words[] = {"living", "every", "dead"};
  tomb_value row[] = {
      tomb_text_of(size == 0 ? "" : way, size), tomb_text(model->name),
      tomb_text(model->table),
      tomb_text(tomb_is_soft(model) ? words[scope] : "undying")};
  if (tomb_rows_add(sql->seen, row, 4, NULL) != TOMB_OK) {
    sql->text.failed = true;
  }
}

void tomb_sql_table(tomb_sql *sql, const tomb_model *model, const char *way,
                    size_t size, tomb_scope scope) {
  tomb_sql_add(sql, model->quoted);
  if (sql->seen != NULL) note(sql, model, way, size, scope);
}

/* ---- names -------------------------------------------------------- */

static bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

/* True where the statement's own table is called so: SQL ignores case. */
static bool is_own_table(const tomb_sql *sql, const char *name, size_t size) {
  const char *table = sql->query->model->table;
  return tomb_same_name(table, strlen(table), name, size);
}

/* "author__", or "tags__link" of the rows between. What programs tell from it by
** a capital letter, SQL has to tell by a sign. */
static void alias(tomb_sql *sql, tomb_buf *out, const char *way, size_t size,
                  bool between) {
  tomb_buf_text(out, "\"");
  size_t start = out->size;
  for (size_t i = 0; i < size; i++) {
    if (is_upper(way[i])) tomb_buf_text(out, "~");
    tomb_buf_add(out, &way[i], 1);
  }
  tomb_buf_text(out, between ? "__link" : "__");
  if (!out->failed && is_own_table(sql, out->data + start, out->size - start)) {
    tomb_buf_text(out, "_");
  }
  tomb_buf_text(out, "\"");
}

const char *tomb_sql_alias(tomb_sql *sql, const char *way, size_t size) {
  tomb_buf name = {sql->text.a, NULL, 0, 0, false};
  alias(sql, &name, way, size, false);
  char *bytes = name.failed ? NULL : tomb_sql_bytes(sql, name.size + 1);
  if (bytes != NULL) {
    memcpy(bytes, name.data, name.size);
    bytes[name.size] = '\0';
  }
  sql->text.failed = sql->text.failed || name.failed;
  tomb_buf_free(&name);
  return bytes == NULL ? "" : bytes;
}

static void field_at(tomb_sql *sql, const char *way, size_t size, bool between,
                     const tomb_field *f) {
  alias(sql, &sql->text, way, size, between);
  tomb_sql_add(sql, ".");
  tomb_buf_add(&sql->text, f->quoted, f->quoted_size);
}

/* ---- one step of a way -------------------------------------------- */

/* False behind the last. */
static bool next_step(tomb_way_step *s, const tomb_computed *c) {
  bool first = s->way == NULL;
  const tomb_model *from = first ? c->model : tomb_way_model(s->way);
  size_t at = first ? c->from : s->to + 2;
  if (!first && s->to == c->to) return false;
  s->key = c->key;
  s->first = first;
  s->before = first ? c->from : s->to;
  s->to = at + tomb_name_end(c->key + at, c->to - at);
  s->way = tomb_model_way(from, c->key + at, s->to - at);
  return true;
}

static void field(tomb_sql *sql, const tomb_way_step *s, bool between,
                  const tomb_field *f) {
  field_at(sql, s->key, s->to, between, f);
}

/* A field of the row that the step starts from. */
static void field_before(tomb_sql *sql, const tomb_way_step *s,
                         const tomb_field *f) {
  if (s->first) {
    tomb_sql_field_of(sql, sql->base, f);
  } else {
    field_at(sql, s->key, s->before, false, f);
  }
}

static void table(tomb_sql *sql, const tomb_way_step *s, bool between) {
  const tomb_model *model =
      between ? s->way->near->child : tomb_way_model(s->way);
  tomb_sql_table(sql, model, s->key, s->to,
                 seen_by_way(sql, model, s->key, s->to));
  tomb_sql_add(sql, " AS ");
  alias(sql, &sql->text, s->key, s->to, between);
}

static void lives(tomb_sql *sql, const tomb_way_step *s, bool between,
                  bool *first, const char *opening) {
  const tomb_model *model =
      between ? s->way->near->child : tomb_way_model(s->way);
  if (seen_by_way(sql, model, s->key, s->to) == TOMB_EVERY) return;
  tomb_sql_join(sql, first, opening, " AND ");
  field(sql, s, between, model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NULL");
}

static void and_lives(tomb_sql *sql, const tomb_way_step *s, bool between) {
  bool first = false;
  lives(sql, s, between, &first, "");
}

static bool is_linked(const tomb_way_step *s) {
  return s->way->kind == TOMB_TO_LINKED;
}

void tomb_sql_end_here(tomb_sql *sql, const tomb_way_step *s) {
  bool up = s->way->kind == TOMB_TO_PARENT;
  field(sql, s, is_linked(s),
        up ? tomb_key_field(s->way->near->parent) : s->way->near->field);
}

/* The row there belongs to the row before. */
static void belongs(tomb_sql *sql, const tomb_way_step *s) {
  const tomb_relation *near = s->way->near;
  bool up = s->way->kind == TOMB_TO_PARENT;
  tomb_sql_end_here(sql, s);
  tomb_sql_add(sql, " = ");
  field_before(sql, s, up ? near->field : tomb_key_field(near->parent));
  and_lives(sql, s, is_linked(s));
}

void tomb_sql_source(tomb_sql *sql, const tomb_way_step *s) {
  table(sql, s, is_linked(s));
  if (!is_linked(s)) return;
  tomb_sql_add(sql, " JOIN ");
  table(sql, s, false);
  tomb_sql_add(sql, " ON ");
  field(sql, s, false, tomb_key_field(s->way->far->parent));
  tomb_sql_add(sql, " = ");
  field(sql, s, true, s->way->far->field);
  and_lives(sql, s, false);
}

void tomb_sql_source_lives(tomb_sql *sql, const tomb_way_step *s, bool *first) {
  lives(sql, s, is_linked(s), first, " WHERE ");
}

void tomb_sql_inner_join(tomb_sql *sql, const tomb_way_step *s) {
  tomb_sql_add(sql, is_linked(s) ? " JOIN (" : " JOIN ");
  tomb_sql_source(sql, s);
  tomb_sql_add(sql, is_linked(s) ? ") ON " : " ON ");
  belongs(sql, s);
}

/* ---- sub-queries -------------------------------------------------- */

static void answer(tomb_sql *sql, const tomb_computed *c) {
  if (c->aggregated) tomb_sql_begin_aggregate(sql, c->fn, c->distinct);
  field_at(sql, c->key, c->to, false, c->field);
  if (c->aggregated) tomb_sql_add(sql, ")");
}

void tomb_sql_sub_query(tomb_sql *sql, const tomb_computed *c) {
  tomb_way_step s = {0}, first = {0};
  tomb_sql_add(sql, "(SELECT ");
  answer(sql, c);
  while (next_step(&s, c)) {
    if (!s.first) {
      tomb_sql_inner_join(sql, &s);
      continue;
    }
    first = s;
    tomb_sql_add(sql, " FROM ");
    tomb_sql_source(sql, &s);
  }
  tomb_sql_add(sql, " WHERE ");
  belongs(sql, &first);
  tomb_sql_add(sql, ")");
}

/* Values of the field compare as the field does; a sub-query does not say how. */
static void collate(tomb_sql *sql, const tomb_computed *c) {
  bool is_value = !c->aggregated || c->fn == TOMB_MIN || c->fn == TOMB_MAX;
  if (c->field->collate == NULL || !is_value) return;
  tomb_sql_add(sql, " COLLATE ");
  tomb_buf_name(&sql->text, c->field->collate);
}

void tomb_sql_computed(tomb_sql *sql, const tomb_computed *c) {
  if (c->joined) {
    answer(sql, c);
  } else {
    tomb_sql_sub_query(sql, c);
    collate(sql, c);
  }
}

/* ---- joins -------------------------------------------------------- */

static const tomb_computed *joined(const tomb_field *f) {
  bool is = f != NULL && f->computed != NULL && f->computed->joined;
  return is ? f->computed : NULL;
}

/* The i-th field that the clauses of a SELECT name, NULL where it is none to be
** joined; `*end` behind the last. */
static const tomb_computed *named(const tomb_statement *statement, size_t i,
                                  bool *end) {
  const tomb_query *query = statement->query;
  bool values = statement->output == TOMB_OUT_VALUES;
  bool groups = statement->output == TOMB_OUT_AGGREGATES;
  size_t n_only = values && query->only != NULL ? query->n_only : 0;
  size_t n_groups = groups ? query->n_groups : 0;
  size_t n_aggregates = groups ? statement->n_aggregates : 0;
  size_t n_order =
      statement->output != TOMB_OUT_ONE && query->order ? query->n_order : 0;
  *end = false;
  if (i < n_only) return joined(query->only[i]);
  i -= n_only;
  if (i < n_groups) return joined(query->groups[i]);
  i -= n_groups;
  if (i < n_aggregates) return joined(statement->aggregates[i].field);
  i -= n_aggregates;
  if (i < n_order) return joined(query->order[i].field);
  *end = true;
  return NULL;
}

bool tomb_has_joins(const tomb_statement *statement) {
  bool end = statement->is_write || statement->query == NULL;
  for (size_t i = 0; !end; i++) {
    if (named(statement, i, &end) != NULL) return true;
  }
  return false;
}

/* True where a field before the i-th goes the same way. */
static bool is_joined(const tomb_statement *statement, size_t i,
                      const tomb_way_step *s) {
  bool end;
  for (size_t j = 0; j < i; j++) {
    const tomb_computed *c = named(statement, j, &end);
    if (c != NULL && c->to >= s->to && memcmp(c->key, s->key, s->to) == 0 &&
        (c->to == s->to || memcmp(c->key + s->to, "__", 2) == 0)) {
      return true;
    }
  }
  return false;
}

void tomb_sql_joins(tomb_sql *sql, const tomb_statement *statement) {
  bool end = !sql->joined;
  for (size_t i = 0; !end; i++) {
    const tomb_computed *c = named(statement, i, &end);
    tomb_way_step s = {0};
    while (c != NULL && next_step(&s, c)) {
      if (is_joined(statement, i, &s)) continue;
      tomb_sql_add(sql, " LEFT");
      tomb_sql_inner_join(sql, &s);
    }
  }
}
