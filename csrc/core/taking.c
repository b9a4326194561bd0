/*
** taking.c - which events a restore takes out of which rows, as SQL.
**
** A table of the connection's own lists them: every owner of the rows that are
** restored, and those owners of all that lies below.
*/
#include "closure.h"
#include "undoing.h"

static void insert(tomb_sql *sql) {
  tomb_sql_add(sql, "INSERT INTO ");
  tomb_sql_taken(sql);
  tomb_sql_add(sql, " (event, model, pk) ");
}

void tomb_sql_take(tomb_sql *sql, const tomb_model *model,
                   const tomb_keys *keys) {
  const tomb_field *event = model->roles[TOMB_ROLE_DELETED_EVENT];
  insert(sql);
  tomb_sql_add(sql, "SELECT ");
  if (event == NULL) {
    tomb_sql_add(sql, "0");
  } else {
    tomb_sql_add(sql, "coalesce(");
    tomb_sql_field(sql, event);
    tomb_sql_add(sql, ", 0)");
  }
  tomb_sql_add(sql, ", ");
  tomb_sql_name_of(sql, model);
  tomb_sql_add(sql, ", ");
  tomb_sql_key_text(sql, model, model->quoted);
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NOT NULL AND ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_among(sql, keys, 0);
}

void tomb_sql_take_owners(tomb_sql *sql, const tomb_model *model,
                          const tomb_model *owners) {
  insert(sql);
  tomb_sql_add(sql, "SELECT o.\"event\", o.\"model\", o.\"pk\" FROM ");
  tomb_sql_add(sql, owners->quoted);
  tomb_sql_add(sql, " AS o WHERE o.\"model\" = ");
  tomb_sql_name_of(sql, model);
  tomb_sql_add(sql, " AND o.\"pk\" IN (SELECT pk FROM ");
  tomb_sql_taken(sql);
  tomb_sql_add(sql, " WHERE model = ");
  tomb_sql_name_of(sql, model);
  tomb_sql_add(sql, ") ON CONFLICT DO NOTHING");
}

static void pk_as_key(tomb_sql *sql, const tomb_model *model) {
  bool integer = tomb_key_field(model)->type == TOMB_FIELD_INTEGER;
  tomb_sql_add(sql, integer ? "CAST(t.pk AS " : "t.pk");
  if (!integer) return;
  tomb_sql_add(sql, sql->dialect->stored[TOMB_FIELD_INTEGER]);
  tomb_sql_add(sql, ")");
}

static void taken(tomb_sql *sql) {
  tomb_sql_taken(sql);
  tomb_sql_add(sql, " AS t");
}

/* The children c of the rows d, which are events and keys. They were dead, and
** may be back by now. */
static void children(tomb_sql *sql, const tomb_relation *relation) {
  const tomb_model *child = relation->child;
  tomb_sql_add(sql, "SELECT tombstone_d.event, ");
  tomb_sql_field_of(sql, "c", tomb_key_field(child));
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, child->quoted);
  tomb_sql_add(sql, " AS c JOIN tombstone_d ON ");
  tomb_sql_field_of(sql, "c", relation->field);
  tomb_sql_add(sql, " = tombstone_d.pk");
}

void tomb_sql_take_below(tomb_sql *sql, const tomb_relation *relation) {
  bool own = relation->child == relation->parent;
  insert(sql);
  tomb_sql_add(
      sql, own ? "WITH RECURSIVE tombstone_d(event, pk) AS (SELECT t.event, "
               : "WITH tombstone_d(event, pk) AS (SELECT t.event, ");
  pk_as_key(sql, relation->parent);
  tomb_sql_add(sql, " FROM ");
  taken(sql);
  tomb_sql_add(sql, " WHERE t.model = ");
  tomb_sql_name_of(sql, relation->parent);
  if (own) {
    tomb_sql_add(sql, " UNION ");
    children(sql, relation);
    tomb_sql_add(sql, ") SELECT event, ");
  } else {
    tomb_sql_add(sql, "), tombstone_below(event, pk) AS (");
    children(sql, relation);
    tomb_sql_add(sql, ") SELECT event, ");
  }
  tomb_sql_name_of(sql, relation->child);
  tomb_sql_add(sql,
               own ? ", CAST(pk AS text) FROM tombstone_d WHERE 1 = 1"
                   : ", CAST(pk AS text) FROM tombstone_below WHERE 1 = 1");
  tomb_sql_add(sql, " ON CONFLICT DO NOTHING");
}

/* ---- dead parents ------------------------------------------------- */

void tomb_sql_dead_parent(tomb_sql *sql, const tomb_relation *relation) {
  const tomb_model *child = relation->child, *parent = relation->parent;
  tomb_sql_add(sql, "SELECT ");
  tomb_sql_field_of(sql, "c", tomb_key_field(child));
  tomb_sql_add(sql, ", ");
  tomb_sql_field_of(sql, "p", tomb_key_field(parent));
  tomb_sql_add(sql, " FROM ");
  taken(sql);
  tomb_sql_add(sql, " JOIN ");
  tomb_sql_add(sql, child->quoted);
  tomb_sql_add(sql, " AS c ON ");
  tomb_sql_field_of(sql, "c", tomb_key_field(child));
  tomb_sql_add(sql, " = ");
  pk_as_key(sql, child);
  tomb_sql_add(sql, " JOIN ");
  tomb_sql_add(sql, parent->quoted);
  tomb_sql_add(sql, " AS p ON ");
  tomb_sql_field_of(sql, "p", tomb_key_field(parent));
  tomb_sql_add(sql, " = ");
  tomb_sql_field_of(sql, "c", relation->field);
  tomb_sql_add(sql, " WHERE t.model = ");
  tomb_sql_name_of(sql, child);
  tomb_sql_add(sql, " AND ");
  tomb_sql_field_of(sql, "p", parent->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ");
  tomb_sql_taken(sql);
  tomb_sql_add(sql, " AS u WHERE u.model = ");
  tomb_sql_name_of(sql, parent);
  tomb_sql_add(sql, " AND u.pk = ");
  tomb_sql_key_text(sql, parent, "p");
  tomb_sql_add(sql, ") ORDER BY 1 LIMIT 1");
}

void tomb_sql_forget(tomb_sql *sql, const tomb_closure *wanted) {
  bool first = true;
  tomb_sql_add(sql, "DELETE FROM ");
  tomb_sql_taken(sql);
  for (size_t i = 0; i < wanted->n; i++) {
    if (tomb_keys_count(wanted->keys[i]) == 0) continue;
    tomb_sql_join(sql, &first, " WHERE NOT (", " OR ");
    tomb_sql_add(sql, "(model = ");
    tomb_sql_name_of(sql, wanted->order[i]);
    tomb_sql_add(sql, " AND ");
    tomb_sql_add(sql, "pk");
    tomb_sql_among_texts(sql, wanted->keys[i]);
    tomb_sql_add(sql, ")");
  }
  if (!first) tomb_sql_add(sql, ")");
}

void tomb_sql_forget_skipped(tomb_sql *sql, const tomb_model *model,
                             const tomb_keys *skipped) {
  tomb_sql_add(sql, "DELETE FROM ");
  tomb_sql_taken(sql);
  tomb_sql_add(sql, " WHERE model = ");
  tomb_sql_name_of(sql, model);
  tomb_sql_add(sql, " AND ");
  tomb_sql_add(sql, "pk");
  tomb_sql_among_texts(sql, skipped);
}
