/* write.c - the clauses of INSERT, UPDATE and DELETE. */
#include "sql.h"

/* ---- INSERT ------------------------------------------------------- */

void tomb_sql_insert(tomb_sql *sql, const tomb_statement *statement) {
  const tomb_model *model = statement->model;
  bool first = true;
  tomb_sql_add(sql, "INSERT INTO ");
  tomb_sql_add(sql, model->quoted);
  for (size_t i = 0; i < model->n_fields; i++) {
    if (statement->values[i].type == TOMB_ABSENT) continue;
    tomb_sql_join(sql, &first, " (", ", ");
    tomb_sql_field(sql, &model->fields[i]);
  }
  if (first) {
    tomb_sql_add(sql, " DEFAULT VALUES");
    return;
  }
  bool selects = tomb_has_new_parents(statement);
  first = true;
  for (size_t i = 0; i < model->n_fields; i++) {
    if (statement->values[i].type == TOMB_ABSENT) continue;
    tomb_sql_join(sql, &first, selects ? ") SELECT " : ") VALUES (", ", ");
    tomb_sql_value(sql, &statement->values[i]);
  }
  if (selects) {
    tomb_sql_new_parents_live(sql, statement);
  } else {
    tomb_sql_add(sql, ")");
  }
}

static void living(tomb_sql *sql, const tomb_model *model) {
  const tomb_field *stamp = model->roles[TOMB_ROLE_DELETED_AT];
  tomb_sql_add(sql, " WHERE ");
  if (stamp == NULL) {
    tomb_sql_add(sql, "1 = 1");
    return;
  }
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, ".");
  tomb_sql_field(sql, stamp);
  tomb_sql_add(sql, " IS NULL");
}

/* The arbiter repeats the predicate of its index, or it is not found. */
static void arbiter(tomb_sql *sql, const tomb_statement *statement) {
  const tomb_upsert *upsert = statement->upsert;
  bool first = true;
  for (size_t i = 0; i < upsert->n_on; i++) {
    tomb_sql_join(sql, &first, " ON CONFLICT (", ", ");
    tomb_sql_field(sql, upsert->on[i]);
  }
  tomb_sql_add(sql, ")");
  if (!upsert->on_partial) return;
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, statement->model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NULL");
}

/* ---- UPDATE ------------------------------------------------------- */

static void assign(tomb_sql *sql, const tomb_field *field, bool *first) {
  tomb_sql_join(sql, first, " SET ", ", ");
  tomb_sql_field(sql, field);
  tomb_sql_add(sql, " = ");
}

/* What is computed must fit its field too: no overflow, no infinity. */
static void computed(tomb_sql *sql, const tomb_assignment *a) {
  const char *guard = a->field->type == TOMB_FIELD_INTEGER
                          ? sql->dialect->whole
                          : sql->dialect->finite;
  tomb_sql_add(sql, guard);
  tomb_sql_add(sql, "(");
  tomb_sql_expr(sql, a->expr);
  tomb_sql_add(sql, ")");
}

static void assignments(tomb_sql *sql, const tomb_statement *statement,
                        bool *first) {
  for (size_t i = 0; i < statement->n_assignments; i++) {
    const tomb_assignment *a = &statement->assignments[i];
    assign(sql, a->field, first);
    if (a->expr != NULL) {
      computed(sql, a);
    } else {
      tomb_sql_value(sql, &a->value);
    }
  }
}

static bool is_assigned(const tomb_statement *statement,
                        const tomb_field *field) {
  for (size_t i = 0; i < statement->n_assignments; i++) {
    if (statement->assignments[i].field == field) return true;
  }
  return false;
}

/* Every edit shows in updated_at and version. */
static void bump(tomb_sql *sql, const tomb_statement *statement, bool *first) {
  const tomb_field *stamp = statement->model->roles[TOMB_ROLE_UPDATED_AT];
  const tomb_field *version = statement->model->roles[TOMB_ROLE_VERSION];
  tomb_value now = tomb_time(statement->now);
  if (!statement->bump) return;
  if (stamp != NULL && !is_assigned(statement, stamp)) {
    assign(sql, stamp, first);
    tomb_sql_value(sql, &now);
  }
  if (version != NULL) {
    assign(sql, version, first);
    if (statement->upsert != NULL) {
      tomb_sql_add(sql, statement->model->quoted);
      tomb_sql_add(sql, ".");
    }
    tomb_sql_field(sql, version);
    tomb_sql_add(sql, " + 1");
  }
}

static void mark(tomb_sql *sql, const tomb_field *field,
                 const tomb_value *value, bool *first) {
  if (field == NULL || value == NULL) return;
  assign(sql, field, first);
  if (value->type == TOMB_NULL) {
    tomb_sql_add(sql, "NULL");
  } else {
    tomb_sql_value(sql, value);
  }
}

/* Assigned fields are written by the assignment alone. */
static void mangled(tomb_sql *sql, const tomb_statement *statement,
                    bool *first) {
  const tomb_model *model = statement->model;
  if (statement->mangling == TOMB_KEEP_VALUES) return;
  for (size_t i = 0; i < model->n_fields; i++) {
    const tomb_field *field = &model->fields[i];
    if (!field->mangled || is_assigned(statement, field)) {
      continue;
    }
    assign(sql, field, first);
    if (statement->mangling == TOMB_MANGLE) {
      tomb_sql_mangled(sql, model, field, statement->suffix);
    } else {
      tomb_sql_original(sql, model, field);
    }
  }
}

/* An upsert that updates nothing: the row is still to be answered. */
static void keep(tomb_sql *sql, const tomb_statement *statement, bool *first) {
  const tomb_field *field = statement->upsert->on[0];
  assign(sql, field, first);
  tomb_sql_add(sql, statement->model->quoted);
  tomb_sql_add(sql, ".");
  tomb_sql_field(sql, field);
}

static void set(tomb_sql *sql, const tomb_statement *statement) {
  const tomb_model *model = statement->model;
  bool first = true;
  assignments(sql, statement, &first);
  mangled(sql, statement, &first);
  mark(sql, model->roles[TOMB_ROLE_DELETED_AT], statement->deleted_at, &first);
  mark(sql, model->roles[TOMB_ROLE_DELETED_EVENT], statement->deleted_event,
       &first);
  bump(sql, statement, &first);
  if (first && statement->upsert != NULL) keep(sql, statement, &first);
}

void tomb_sql_update(tomb_sql *sql, const tomb_statement *statement) {
  tomb_sql_add(sql, "UPDATE ");
  tomb_sql_add(sql, statement->model->quoted);
  set(sql, statement);
}

void tomb_sql_on_conflict(tomb_sql *sql, const tomb_statement *statement) {
  if (statement->upsert == NULL) return;
  arbiter(sql, statement);
  tomb_sql_add(sql, " DO UPDATE");
  set(sql, statement);
  living(sql, statement->model);
  bool first = false;
  tomb_sql_next_parents_live(sql, statement, &first);
}

void tomb_sql_erase(tomb_sql *sql, const tomb_statement *statement) {
  tomb_sql_add(sql, "DELETE FROM ");
  tomb_sql_add(sql, statement->model->quoted);
}

void tomb_sql_returning(tomb_sql *sql, const tomb_statement *statement) {
  const tomb_model *model = statement->model;
  if (!statement->returning) return;
  for (size_t i = 0; i < model->n_fields; i++) {
    tomb_sql_add(sql, i == 0 ? " RETURNING " : ", ");
    tomb_sql_column(sql, &model->fields[i]);
  }
}
