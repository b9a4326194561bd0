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

/* ---- tables ------------------------------------------------------- */

static bool is_shown(const tomb_query *query, const char *way, size_t size) {
  for (size_t i = 0; query != NULL && i < query->n_shown; i++) {
    const char *shown = query->shown[i];
    if (strlen(shown) == size && memcmp(shown, way, size) == 0) return true;
  }
  return false;
}

tomb_scope tomb_seen_by_way(const tomb_sql *sql, const tomb_model *model,
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

/* ---- one step of a way -------------------------------------------- */

/* The step whose name ends at `to` in the key. */
typedef struct step {
  const tomb_computed *c;
  const tomb_way *way;
  size_t before, to; /* the ends of the way before it, and of this */
  bool first;
} step;

/* False behind the last. */
static bool next_step(step *s, const tomb_computed *c) {
  bool first = s->c == NULL;
  const tomb_model *from = first ? c->model : tomb_way_model(s->way);
  size_t at = first ? c->from : s->to + 2;
  if (!first && s->to == c->to) return false;
  s->first = first;
  s->c = c;
  s->before = first ? c->from : s->to;
  s->to = at + tomb_name_end(c->key + at, c->to - at);
  s->way = tomb_model_way(from, c->key + at, s->to - at);
  return true;
}

/* "author__team__", or "tags__link" of the rows between. */
static void alias(tomb_sql *sql, const tomb_computed *c, size_t to,
                  bool between) {
  tomb_sql_add(sql, "\"");
  tomb_buf_add(&sql->text, c->key + c->from, to - c->from);
  tomb_sql_add(sql, between ? "__link\"" : "__\"");
}

static void field(tomb_sql *sql, const step *s, bool between,
                  const tomb_field *f) {
  alias(sql, s->c, s->to, between);
  tomb_sql_add(sql, ".");
  tomb_buf_add(&sql->text, f->quoted, f->quoted_size);
}

/* A field of the row that the step starts from. */
static void field_before(tomb_sql *sql, const step *s, const tomb_field *f) {
  if (s->first) {
    tomb_sql_field_of(sql, sql->base, f);
  } else {
    alias(sql, s->c, s->before, false);
    tomb_sql_add(sql, ".");
    tomb_buf_add(&sql->text, f->quoted, f->quoted_size);
  }
}

static void table(tomb_sql *sql, const step *s, bool between) {
  const tomb_model *model =
      between ? s->way->near->child : tomb_way_model(s->way);
  tomb_sql_table(sql, model, s->c->key, s->to,
                 tomb_seen_by_way(sql, model, s->c->key, s->to));
  tomb_sql_add(sql, " AS ");
  alias(sql, s->c, s->to, between);
}

static void and_lives(tomb_sql *sql, const step *s, bool between) {
  const tomb_model *model =
      between ? s->way->near->child : tomb_way_model(s->way);
  if (tomb_seen_by_way(sql, model, s->c->key, s->to) == TOMB_EVERY) return;
  tomb_sql_add(sql, " AND ");
  field(sql, s, between, model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NULL");
}

/* The row there belongs to the row before. */
static void belongs(tomb_sql *sql, const step *s) {
  const tomb_way *way = s->way;
  bool between = way->kind == TOMB_TO_LINKED;
  bool up = way->kind == TOMB_TO_PARENT;
  const tomb_field *parent_key = tomb_key_field(way->near->parent);
  field(sql, s, between, up ? parent_key : way->near->field);
  tomb_sql_add(sql, " = ");
  field_before(sql, s, up ? way->near->field : parent_key);
  and_lives(sql, s, between);
}

/* The table of the step; of linked rows two, joined. */
static void source(tomb_sql *sql, const step *s) {
  if (s->way->kind != TOMB_TO_LINKED) {
    table(sql, s, false);
    return;
  }
  table(sql, s, true);
  tomb_sql_add(sql, " JOIN ");
  table(sql, s, false);
  tomb_sql_add(sql, " ON ");
  field(sql, s, false, tomb_key_field(s->way->far->parent));
  tomb_sql_add(sql, " = ");
  field(sql, s, true, s->way->far->field);
  and_lives(sql, s, false);
}

static void inner_join(tomb_sql *sql, const step *s) {
  bool two = s->way->kind == TOMB_TO_LINKED;
  tomb_sql_add(sql, two ? " JOIN (" : " JOIN ");
  source(sql, s);
  tomb_sql_add(sql, two ? ") ON " : " ON ");
  belongs(sql, s);
}

/* ---- sub-queries -------------------------------------------------- */

static void answer(tomb_sql *sql, const tomb_computed *c) {
  static const char *const names[] = {"count", "sum", "min", "max", "avg"};
  if (c->aggregated) {
    tomb_sql_add(sql, names[c->fn]);
    tomb_sql_add(sql, c->distinct ? "(DISTINCT " : "(");
  }
  alias(sql, c, c->to, false);
  tomb_sql_add(sql, ".");
  tomb_buf_add(&sql->text, c->field->quoted, c->field->quoted_size);
  if (c->aggregated) tomb_sql_add(sql, ")");
}

static void sub_query(tomb_sql *sql, const tomb_computed *c) {
  step s = {0}, first = {0};
  tomb_sql_add(sql, "(SELECT ");
  answer(sql, c);
  while (next_step(&s, c)) {
    if (!s.first) {
      inner_join(sql, &s);
      continue;
    }
    first = s;
    tomb_sql_add(sql, " FROM ");
    source(sql, &s);
  }
  tomb_sql_add(sql, " WHERE ");
  belongs(sql, &first);
  tomb_sql_add(sql, ")");
}

void tomb_sql_computed(tomb_sql *sql, const tomb_computed *c) {
  if (c->joined) {
    answer(sql, c);
  } else {
    sub_query(sql, c);
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
                      const step *s) {
  bool end;
  for (size_t j = 0; j < i; j++) {
    const tomb_computed *c = named(statement, j, &end);
    if (c != NULL && c->to >= s->to && memcmp(c->key, s->c->key, s->to) == 0 &&
        (c->to == s->to || memcmp(c->key + s->to, "__", 2) == 0)) {
      return true;
    }
  }
  return false;
}

static void join(tomb_sql *sql, const step *s) {
  tomb_sql_add(sql, " LEFT");
  inner_join(sql, s);
}

void tomb_sql_joins(tomb_sql *sql, const tomb_statement *statement) {
  bool end = !sql->joined;
  for (size_t i = 0; !end; i++) {
    const tomb_computed *c = named(statement, i, &end);
    step s = {0};
    while (c != NULL && next_step(&s, c)) {
      if (!is_joined(statement, i, &s)) join(sql, &s);
    }
  }
}
