/* undoing.c - rows that leave events, as SQL. */
#include "undoing.h"

#include "closure.h"

#define OWNER "\"tombstone_owner\""

/* ---- small parts -------------------------------------------------- */

/* The key of a row that is kept as text, in its own type. */
static void key_of_pk(tomb_sql *sql, const tomb_model *model,
                      const char *alias) {
  bool integer = tomb_key_field(model)->type == TOMB_FIELD_INTEGER;
  if (integer) tomb_sql_add(sql, "CAST(");
  tomb_sql_add(sql, alias);
  tomb_sql_add(sql, ".\"pk\"");
  if (!integer) return;
  tomb_sql_add(sql, " AS ");
  tomb_sql_add(sql, sql->dialect->stored[TOMB_FIELD_INTEGER]);
  tomb_sql_add(sql, ")");
}

static void from_taken(tomb_sql *sql, const char *what) {
  tomb_sql_add(sql, "SELECT ");
  tomb_sql_add(sql, what);
  tomb_sql_add(sql, " FROM ");
  tomb_sql_taken(sql);
  tomb_sql_add(sql, " AS tombstone_t WHERE ");
}

/* coalesce: a row without an event is nobody's, which is 0 in a taking */
static void first_owner(tomb_sql *sql, const tomb_model *model,
                        const char *alias) {
  const tomb_field *event = model->roles[TOMB_ROLE_DELETED_EVENT];
  if (event == NULL) {
    tomb_sql_add(sql, "0");
    return;
  }
  tomb_sql_add(sql, "coalesce(");
  tomb_sql_field_of(sql, alias, event);
  tomb_sql_add(sql, ", 0)");
}

static void first_is_taken(tomb_sql *sql, const tomb_model *model,
                           const tomb_undoing *undoing, const char *alias) {
  if (undoing->event != NULL) {
    tomb_sql_field_of(sql, alias, model->roles[TOMB_ROLE_DELETED_EVENT]);
    tomb_sql_add(sql, " = ");
    tomb_sql_value(sql, undoing->event);
    return;
  }
  tomb_sql_add(sql, "EXISTS (");
  from_taken(sql, "1");
  tomb_sql_add(sql, "tombstone_t.model = ");
  tomb_sql_name_of(sql, model);
  tomb_sql_add(sql, " AND tombstone_t.pk = ");
  tomb_sql_key_text(sql, model, alias);
  tomb_sql_add(sql, " AND tombstone_t.event = ");
  first_owner(sql, model, alias);
  tomb_sql_add(sql, ")");
}

/* SELECT what of the further owners of the row that are taken, or are not */
static void further_owners(tomb_sql *sql, const tomb_model *model,
                           const tomb_undoing *undoing, const char *alias,
                           const char *what, bool are_taken) {
  tomb_sql_add(sql, "SELECT ");
  tomb_sql_add(sql, what);
  tomb_sql_add(sql,
               " FROM " OWNER " AS tombstone_o WHERE tombstone_o.\"model\" = ");
  tomb_sql_name_of(sql, model);
  tomb_sql_add(sql, " AND tombstone_o.\"pk\" = ");
  tomb_sql_key_text(sql, model, alias);
  if (undoing->event != NULL) {
    tomb_sql_add(sql, " AND tombstone_o.\"event\"");
    tomb_sql_add(sql, are_taken ? " = " : " <> ");
    tomb_sql_value(sql, undoing->event);
    return;
  }
  tomb_sql_add(sql, are_taken ? " AND EXISTS (" : " AND NOT EXISTS (");
  from_taken(sql, "1");
  tomb_sql_add(sql,
               "tombstone_t.model = tombstone_o.\"model\" AND tombstone_t.pk = "
               "tombstone_o.\"pk\" AND tombstone_t.event = "
               "tombstone_o.\"event\")");
}

static void owners_left(tomb_sql *sql, const tomb_model *model,
                        const tomb_undoing *undoing, const char *alias,
                        const char *what) {
  further_owners(sql, model, undoing, alias, what, false);
}

/* "key" IN (the rows that have a taking) AND: only these are looked at. */
static void among_taken(tomb_sql *sql, const tomb_model *model,
                        const tomb_undoing *undoing) {
  if (undoing->event != NULL) return;
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " IN (SELECT ");
  key_of_pk(sql, model, "tombstone_t");
  tomb_sql_add(sql, " FROM ");
  tomb_sql_taken(sql);
  tomb_sql_add(sql, " AS tombstone_t WHERE tombstone_t.model = ");
  tomb_sql_name_of(sql, model);
  tomb_sql_add(sql, ") AND ");
}

/* ---- who comes back ----------------------------------------------- */

static void is_free(tomb_sql *sql, const tomb_model *model,
                    const tomb_undoing *undoing, const char *alias) {
  first_is_taken(sql, model, undoing, alias);
  if (undoing->owners == NULL) return;
  tomb_sql_add(sql, " AND NOT EXISTS (");
  owners_left(sql, model, undoing, alias, "1");
  tomb_sql_add(sql, ")");
}

static void is_touched(tomb_sql *sql, const tomb_model *model,
                       const tomb_undoing *undoing) {
  tomb_sql_add(sql, "(");
  first_is_taken(sql, model, undoing, model->quoted);
  if (undoing->owners != NULL) {
    tomb_sql_add(sql, " OR EXISTS (");
    further_owners(sql, model, undoing, model->quoted, "1", true);
    tomb_sql_add(sql, ")");
  }
  tomb_sql_add(sql, ")");
}

/* A look ahead knows which parents will be back. */
static void but_coming(tomb_sql *sql, const tomb_model *parent,
                       const tomb_closure *coming) {
  if (coming == NULL) return;
  const tomb_keys *keys = coming->keys[tomb_closure_place(coming, parent)];
  if (tomb_keys_count(keys) == 0) return;
  tomb_sql_add(sql, " AND ");
  tomb_sql_field_of(sql, "tombstone_p", tomb_key_field(parent));
  tomb_sql_add(sql, " NOT");
  tomb_sql_among(sql, keys, 0);
}

static void parent_is_dead(tomb_sql *sql, const tomb_relation *relation,
                           const tomb_undoing *undoing, const char *alias) {
  const tomb_model *parent = relation->parent;
  tomb_sql_add(sql, "EXISTS (SELECT 1 FROM ");
  tomb_sql_add(sql, parent->quoted);
  tomb_sql_add(sql, " AS tombstone_p WHERE ");
  tomb_sql_field_of(sql, "tombstone_p", tomb_key_field(parent));
  tomb_sql_add(sql, " = ");
  tomb_sql_field_of(sql, alias, relation->field);
  tomb_sql_add(sql, " AND ");
  tomb_sql_field_of(sql, "tombstone_p", parent->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NOT NULL");
  but_coming(sql, parent, undoing->coming);
  but_coming(sql, parent, undoing->assumed);
}

/* A deletion that is under way is waited for, and one that comes waits. */
static void parent_stays_alive(tomb_sql *sql, const tomb_relation *relation,
                               const tomb_undoing *undoing, const char *alias) {
  const tomb_model *parent = relation->parent;
  const tomb_closure *coming = undoing->coming;
  const tomb_keys *keys =
      coming == NULL ? NULL : coming->keys[tomb_closure_place(coming, parent)];
  tomb_sql_add(sql, "(");
  tomb_sql_field_of(sql, alias, relation->field);
  if (keys != NULL && tomb_keys_count(keys) > 0) {
    tomb_sql_among(sql, keys, 0);
    tomb_sql_add(sql, " OR ");
    tomb_sql_field_of(sql, alias, relation->field);
  }
  tomb_sql_add(sql, " IS NULL OR EXISTS (SELECT 1 FROM ");
  tomb_sql_add(sql, parent->quoted);
  tomb_sql_add(sql, " AS tombstone_p WHERE ");
  tomb_sql_field_of(sql, "tombstone_p", tomb_key_field(parent));
  tomb_sql_add(sql, " = ");
  tomb_sql_field_of(sql, alias, relation->field);
  tomb_sql_add(sql, " AND ");
  tomb_sql_field_of(sql, "tombstone_p", parent->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NULL");
  tomb_sql_add(sql, sql->dialect->lock_parent);
  tomb_sql_add(sql, "))");
}

static bool is_own(const tomb_relation *relation) {
  return tomb_needs_parent(relation) && relation->parent == relation->child;
}

static void no_parent_is_dead(tomb_sql *sql, const tomb_model *model,
                              const tomb_undoing *undoing) {
  bool locks =
      !sql->dialect->writers_are_alone && (sql->writes || undoing->keeps);
  for (size_t i = 0; i < model->n_relations; i++) {
    const tomb_relation *relation = &model->relations[i];
    if (!tomb_needs_parent(relation)) continue;
    if (locks) {
      tomb_sql_add(sql, " AND ");
      parent_stays_alive(sql, relation, undoing, model->quoted);
      continue;
    }
    tomb_sql_add(sql, " AND NOT ");
    parent_is_dead(sql, relation, undoing, model->quoted);
    tomb_sql_add(sql, ")");
  }
}

/* Rows that would come back but for a parent that does not. */
static void held_back(tomb_sql *sql, const tomb_model *model,
                      const tomb_undoing *undoing) {
  bool first = true;
  tomb_sql_add(sql, "SELECT ");
  tomb_sql_field_of(sql, "x", tomb_key_field(model));
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " AS x WHERE ");
  is_free(sql, model, undoing, "x");
  for (size_t i = 0; i < model->n_relations; i++) {
    const tomb_relation *relation = &model->relations[i];
    if (!tomb_needs_parent(relation)) continue;
    tomb_sql_join(sql, &first, " AND (", " OR ");
    parent_is_dead(sql, relation, undoing, "x");
    if (is_own(relation)) {
      tomb_sql_add(sql, " AND NOT (");
      is_free(sql, model, undoing, "tombstone_p");
      tomb_sql_add(sql, ")");
    }
    tomb_sql_add(sql, ")");
  }
  tomb_sql_add(sql, ")");
}

static void and_those_below(tomb_sql *sql, const tomb_model *model,
                            const tomb_undoing *undoing) {
  bool first = true;
  tomb_sql_add(sql, " UNION SELECT ");
  tomb_sql_field_of(sql, "c", tomb_key_field(model));
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " AS c JOIN tombstone_blocked ON (");
  for (size_t i = 0; i < model->n_relations; i++) {
    if (!is_own(&model->relations[i])) continue;
    tomb_sql_join(sql, &first, "", " OR ");
    tomb_sql_field_of(sql, "c", model->relations[i].field);
    tomb_sql_add(sql, " = tombstone_blocked.pk");
  }
  tomb_sql_add(sql, ") WHERE ");
  is_free(sql, model, undoing, "c");
}

/* The same key may be that of another model's row. */
static void but_skipped(tomb_sql *sql, const tomb_model *model,
                        const tomb_undoing *undoing, bool *first) {
  const tomb_keys *skipped = undoing->skipped;
  if (skipped == NULL || undoing->skipped_of != model) return;
  if (tomb_keys_count(skipped) == 0) return;
  tomb_sql_join(sql, first, " WHERE ", " AND ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " NOT");
  tomb_sql_among(sql, skipped, 0);
}

static void with_parents(tomb_sql *sql, const tomb_model *model,
                         const tomb_undoing *undoing) {
  if (undoing->free) return;
  if (undoing->strict || !tomb_needs_own_rows(model)) {
    no_parent_is_dead(sql, model, undoing);
    return;
  }
  tomb_sql_add(sql, " AND ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " NOT IN (WITH RECURSIVE tombstone_blocked(pk) AS (");
  held_back(sql, model, undoing);
  and_those_below(sql, model, undoing);
  tomb_sql_add(sql, ") SELECT pk FROM tombstone_blocked)");
}

void tomb_sql_released(tomb_sql *sql, const tomb_query *query, bool *first) {
  const tomb_undoing *undoing = query->undoing;
  const tomb_model *model = query->model;
  but_skipped(sql, model, undoing, first);
  if (undoing->settled) return;
  sql->taken = undoing->taken;
  tomb_sql_join(sql, first, " WHERE ", " AND ");
  among_taken(sql, model, undoing);
  if (undoing->touched) {
    is_touched(sql, model, undoing);
  } else {
    is_free(sql, model, undoing, model->quoted);
    with_parents(sql, model, undoing);
  }
}

void tomb_sql_keep_parents(tomb_sql *sql, const tomb_relation *relation,
                           const tomb_undoing *undoing) {
  const tomb_model *child = relation->child, *parent = relation->parent;
  sql->taken = undoing->taken;
  tomb_sql_add(sql, "SELECT 1 FROM ");
  tomb_sql_add(sql, parent->quoted);
  tomb_sql_add(sql, " AS tombstone_p WHERE ");
  tomb_sql_field_of(sql, "tombstone_p", parent->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NULL AND ");
  tomb_sql_field_of(sql, "tombstone_p", tomb_key_field(parent));
  tomb_sql_add(sql, " IN (SELECT ");
  tomb_sql_field_of(sql, "x", relation->field);
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, child->quoted);
  tomb_sql_add(sql, " AS x WHERE ");
  tomb_sql_field_of(sql, "x", child->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NOT NULL AND ");
  is_free(sql, child, undoing, "x");
  tomb_sql_add(sql, ")");
  tomb_sql_add(sql, sql->dialect->lock_parent);
}

/* ---- owners ------------------------------------------------------- */

void tomb_sql_promote(tomb_sql *sql, const tomb_model *model,
                      const tomb_undoing *undoing) {
  sql->taken = undoing->taken;
  tomb_sql_add(sql, "UPDATE ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " SET ");
  tomb_sql_field(sql, model->roles[TOMB_ROLE_DELETED_EVENT]);
  tomb_sql_add(sql, " = (");
  owners_left(sql, model, undoing, model->quoted, "min(tombstone_o.\"event\")");
  tomb_sql_add(sql, ") WHERE ");
  among_taken(sql, model, undoing);
  first_is_taken(sql, model, undoing, model->quoted);
  tomb_sql_add(sql, " AND EXISTS (");
  owners_left(sql, model, undoing, model->quoted, "1");
  tomb_sql_add(sql, ")");
}

/* DELETE FROM the owners of this model's rows */
static void delete_owners(tomb_sql *sql, const tomb_model *model) {
  tomb_sql_add(sql, "DELETE FROM " OWNER " WHERE \"model\" = ");
  tomb_sql_name_of(sql, model);
}

/* " AND EXISTS (the row itself, x, AND": what x must be follows */
static void and_row(tomb_sql *sql, const tomb_model *model) {
  tomb_sql_add(sql, " AND EXISTS (SELECT 1 FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " AS x WHERE ");
  tomb_sql_field_of(sql, "x", tomb_key_field(model));
  tomb_sql_add(sql, " = ");
  key_of_pk(sql, model, OWNER);
  tomb_sql_add(sql, " AND ");
}

void tomb_sql_drop_promoted(tomb_sql *sql, const tomb_model *model,
                            const tomb_undoing *undoing) {
  (void)undoing; /* whatever is taken */
  delete_owners(sql, model);
  and_row(sql, model);
  tomb_sql_field_of(sql, "x", model->roles[TOMB_ROLE_DELETED_EVENT]);
  tomb_sql_add(sql, " = " OWNER ".\"event\")");
}

/* The owners' rows of rows that have a taking. */
static void and_taken(tomb_sql *sql, const tomb_model *model,
                      const char *same_event) {
  tomb_sql_add(sql, " AND \"id\" IN (SELECT tombstone_o.\"id\" FROM ");
  tomb_sql_taken(sql);
  tomb_sql_add(
      sql, " AS tombstone_t JOIN " OWNER
           " AS tombstone_o ON tombstone_o.\"model\" = tombstone_t.model AND "
           "tombstone_o.\"pk\" = tombstone_t.pk");
  tomb_sql_add(sql, same_event);
  tomb_sql_add(sql, " WHERE tombstone_t.model = ");
  tomb_sql_name_of(sql, model);
  tomb_sql_add(sql, ")");
}

void tomb_sql_drop_taken(tomb_sql *sql, const tomb_model *model,
                         const tomb_undoing *undoing) {
  sql->taken = undoing->taken;
  delete_owners(sql, model);
  if (undoing->event != NULL) {
    tomb_sql_add(sql, " AND \"event\" = ");
    tomb_sql_value(sql, undoing->event);
  } else {
    and_taken(sql, model, " AND tombstone_o.\"event\" = tombstone_t.event");
  }
  and_row(sql, model);
  tomb_sql_add(sql, "(");
  first_is_taken(sql, model, undoing, "x");
  tomb_sql_add(sql, ") IS NOT TRUE)"); /* a row may be dead without an event */
}

void tomb_sql_drop_living(tomb_sql *sql, const tomb_model *model,
                          const tomb_undoing *undoing) {
  sql->taken = undoing->taken;
  delete_owners(sql, model);
  and_taken(sql, model, "");
  and_row(sql, model);
  tomb_sql_field_of(sql, "x", model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, " IS NULL)");
}
