/*
** cascade.c - what lies below the rows of an event, as SQL.
**
** A row belongs to an event that is its first owner (deleted_event) or a
** further one (tombstone_owner). Below it are the rows that point to it through
** a cascade; within one table a recursive query follows them, so that a tree of
** any depth is one statement.
*/
#include "sql.h"

void tomb_sql_key_text(tomb_sql *sql, const tomb_model *model,
                       const char *alias) {
  tomb_sql_add(sql, "CAST(");
  tomb_sql_add(sql, alias);
  tomb_sql_add(sql, ".");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " AS text)");
}

/* SELECT the keys of the model's rows that the event owns */
static void members(tomb_sql *sql, const tomb_model *model,
                    const tomb_reach *reach) {
  const tomb_field *key = tomb_key_field(model);
  tomb_sql_add(sql, "SELECT ");
  tomb_sql_field(sql, key);
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, model->roles[TOMB_ROLE_DELETED_EVENT]);
  tomb_sql_add(sql, " = ");
  tomb_sql_value(sql, reach->event);
  tomb_sql_add(sql, " UNION SELECT CAST(\"pk\" AS ");
  tomb_sql_add(
      sql,
      sql->dialect->stored[key->type == TOMB_FIELD_INTEGER ? TOMB_FIELD_INTEGER
                                                           : TOMB_FIELD_TEXT]);
  tomb_sql_add(sql, ") FROM ");
  tomb_sql_add(sql, reach->owners->quoted);
  tomb_sql_add(sql, " WHERE \"event\" = ");
  tomb_sql_value(sql, reach->event);
  tomb_sql_add(sql, " AND \"model\" = ");
  tomb_sql_name_of(sql, model);
}

/* The rows whose parent in another table the event owns. */
static void children(tomb_sql *sql, const tomb_model *model,
                     const tomb_reach *reach) {
  bool first = true;
  for (size_t i = 0; i < model->n_relations; i++) {
    const tomb_relation *relation = &model->relations[i];
    if (!tomb_cascades_from(relation, false)) continue;
    tomb_sql_join(sql, &first, "(", " OR ");
    tomb_sql_field(sql, relation->field);
    tomb_sql_add(sql, " IN (");
    members(sql, relation->parent, reach);
    tomb_sql_add(sql, ")");
  }
  tomb_sql_add(sql, ")");
}

static void other_seeds(tomb_sql *sql, const tomb_model *model,
                        const tomb_reach *reach) {
  if (!tomb_has_cascade_from(model, false)) return;
  tomb_sql_add(sql, " UNION SELECT ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " WHERE ");
  children(sql, model, reach);
}

static void descend(tomb_sql *sql, const tomb_model *model) {
  bool first = true;
  tomb_sql_add(sql, " UNION SELECT c.");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " AS c JOIN tombstone_below ON ");
  for (size_t i = 0; i < model->n_relations; i++) {
    if (!tomb_cascades_from(&model->relations[i], true)) continue;
    tomb_sql_join(sql, &first, "", " OR ");
    tomb_sql_add(sql, "c.");
    tomb_sql_field(sql, model->relations[i].field);
    tomb_sql_add(sql, " = tombstone_below.pk");
  }
}

void tomb_sql_below(tomb_sql *sql, const tomb_model *model,
                    const tomb_reach *reach) {
  if (!tomb_has_cascade_from(model, true)) {
    children(sql, model, reach);
    return;
  }
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " IN (WITH RECURSIVE tombstone_below(pk) AS (");
  members(sql, model, reach);
  other_seeds(sql, model, reach);
  descend(sql, model);
  tomb_sql_add(sql, ") SELECT pk FROM tombstone_below)");
}

void tomb_sql_held(tomb_sql *sql, const tomb_query *query) {
  const tomb_model *model = query->model;
  tomb_value event = tomb_integer(query->event);
  tomb_reach reach = {query->owners, &event};
  if (query->owners == NULL) {
    tomb_sql_field(sql, model->roles[TOMB_ROLE_DELETED_EVENT]);
    tomb_sql_add(sql, " = ");
    tomb_sql_value(sql, &event);
    return;
  }
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " IN (");
  members(sql, model, &reach);
  tomb_sql_add(sql, ")");
}

void tomb_sql_own(tomb_sql *sql, const tomb_statement *statement) {
  const tomb_model *model = statement->model;
  const tomb_reach *reach = statement->reach;
  tomb_sql_add(sql, "INSERT INTO ");
  tomb_sql_add(sql, reach->owners->quoted);
  tomb_sql_add(sql, " (\"event\", \"model\", \"pk\") SELECT ");
  tomb_sql_value(sql, reach->event);
  tomb_sql_add(sql, ", ");
  tomb_sql_name_of(sql, model);
  tomb_sql_add(sql, ", ");
  tomb_sql_key_text(sql, model, model->quoted);
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NOT NULL AND ");
  tomb_sql_field(sql, model->roles[TOMB_ROLE_DELETED_EVENT]);
  tomb_sql_add(sql, sql->dialect->is_distinct);
  tomb_sql_value(sql, reach->event);
  tomb_sql_add(sql, " AND ");
  tomb_sql_below(sql, model, reach);
  tomb_sql_add(sql, " ON CONFLICT DO NOTHING");
}

/* What has just died has the stamp and, where there are events, the event. */
static void just_died(tomb_sql *sql, const tomb_model *model,
                      const tomb_statement *statement) {
  const tomb_field *event = model->roles[TOMB_ROLE_DELETED_EVENT];
  const tomb_field *stamp = model->roles[TOMB_ROLE_DELETED_AT];
  tomb_sql_field(sql, event != NULL ? event : stamp);
  tomb_sql_add(sql, " = ");
  tomb_sql_value(sql, event != NULL ? statement->deleted_event
                                    : statement->deleted_at);
}

void tomb_sql_probe(tomb_sql *sql, const tomb_statement *statement) {
  const tomb_relation *relation = statement->towards;
  const tomb_model *child = relation->child, *parent = relation->parent;
  const tomb_field *stamp = child->roles[TOMB_ROLE_DELETED_AT];
  tomb_sql_add(sql, "SELECT count(*), min(");
  tomb_sql_field(sql, tomb_key_field(child));
  tomb_sql_add(sql, ") FROM ");
  tomb_sql_add(sql, child->quoted);
  tomb_sql_add(sql, " WHERE ");
  if (stamp != NULL) {
    tomb_sql_field(sql, stamp);
    tomb_sql_add(sql, " IS NULL AND ");
  }
  tomb_sql_field(sql, relation->field);
  tomb_sql_add(sql, " IN (SELECT ");
  tomb_sql_field(sql, tomb_key_field(parent));
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, parent->quoted);
  tomb_sql_add(sql, " WHERE ");
  just_died(sql, parent, statement);
  tomb_sql_add(sql, ")");
}
