/* dialect.c - how SQLite spells things. */
#include "dialect.h"

#include "sql.h"

static void question_mark(tomb_sql *sql, size_t n) {
  (void)n;
  tomb_sql_add(sql, "?");
}

static void in_json_each(tomb_sql *sql, const tomb_value *json) {
  tomb_sql_add(sql, " IN (SELECT value FROM json_each(");
  tomb_sql_value(sql, json);
  tomb_sql_add(sql, "))");
}

static void list_json_each(tomb_sql *sql, const tomb_value *json) {
  tomb_sql_add(sql, "(SELECT key AS tombstone_pos, value AS tombstone_pk "
                    "FROM json_each(");
  tomb_sql_value(sql, json);
  tomb_sql_add(sql, "))");
}

/* ---- triggers ----------------------------------------------------- */

/* UPDATE parent SET n = n + 1 WHERE key = NEW.fk AND NEW.deleted_at IS NULL; */
static void count_row(tomb_sql *sql, const tomb_model *model,
                      const tomb_field *counter, bool born) {
  const tomb_relation *relation = tomb_counted(model, counter);
  const tomb_field *stamp = relation->child->roles[TOMB_ROLE_DELETED_AT];
  const char *row = born ? "NEW" : "OLD";
  tomb_sql_set_counter(sql, model, counter);
  tomb_sql_field(sql, counter);
  tomb_sql_add(sql, born ? " + 1 WHERE " : " - 1 WHERE ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_add(sql, " = ");
  tomb_sql_field_of(sql, row, relation->field);
  if (stamp != NULL) {
    tomb_sql_add(sql, " AND ");
    tomb_sql_field_of(sql, row, stamp);
    tomb_sql_add(sql, " IS NULL");
  }
  tomb_sql_add(sql, "; ");
}

static void counter_moves(tomb_sql *sql, const tomb_relation *relation) {
  const tomb_field *stamp = relation->child->roles[TOMB_ROLE_DELETED_AT];
  tomb_sql_add(sql, " WHEN ");
  tomb_sql_field_of(sql, "OLD", relation->field);
  tomb_sql_add(sql, " IS NOT ");
  tomb_sql_field_of(sql, "NEW", relation->field);
  if (stamp == NULL) return;
  tomb_sql_add(sql, " OR (");
  tomb_sql_field_of(sql, "OLD", stamp);
  tomb_sql_add(sql, " IS NULL) <> (");
  tomb_sql_field_of(sql, "NEW", stamp);
  tomb_sql_add(sql, " IS NULL)");
}

static void counter_columns(tomb_sql *sql, const tomb_relation *relation) {
  const tomb_field *stamp = relation->child->roles[TOMB_ROLE_DELETED_AT];
  tomb_sql_field(sql, relation->field);
  if (stamp == NULL) return;
  tomb_sql_add(sql, ", ");
  tomb_sql_field(sql, stamp);
}

static void counter_trigger(tomb_sql *sql, const tomb_model *model,
                            const tomb_field *counter, size_t i) {
  const tomb_relation *relation = tomb_counted(model, counter);
  const char *const when[] = {" AFTER INSERT", " AFTER DELETE",
                              " AFTER UPDATE OF "};
  tomb_sql_add(sql, "CREATE TRIGGER ");
  tomb_sql_counter_name(sql, model, counter, i);
  tomb_sql_add(sql, when[i]);
  if (i == 2) counter_columns(sql, relation);
  tomb_sql_add(sql, " ON ");
  tomb_sql_add(sql, relation->child->quoted);
  if (i == 2) counter_moves(sql, relation);
  tomb_sql_add(sql, " BEGIN ");
  if (i != 0) count_row(sql, model, counter, false);
  if (i != 1) count_row(sql, model, counter, true);
  tomb_sql_add(sql, "END");
}

static const tomb_clause select_clauses[] = {tomb_sql_select,
                                             tomb_sql_from,
                                             tomb_sql_where,
                                             tomb_sql_group,
                                             tomb_sql_order,
                                             tomb_sql_limit,
                                             NULL};
static const tomb_clause insert_clauses[] = {
    tomb_sql_insert, tomb_sql_on_conflict, tomb_sql_returning, NULL};
static const tomb_clause update_clauses[] = {tomb_sql_update, tomb_sql_where,
                                             tomb_sql_returning, NULL};
static const tomb_clause erase_clauses[] = {tomb_sql_erase, tomb_sql_where,
                                            NULL};

const tomb_dialect tomb_sqlite_dialect = {
    .name = "sqlite",
    .select = select_clauses,
    .insert = insert_clauses,
    .update = update_clauses,
    .erase = erase_clauses,
    .begin = "BEGIN IMMEDIATE",
    .commit = "COMMIT",
    .rollback = "ROLLBACK",
    .savepoint = "SAVEPOINT tombstone_",
    .release = "RELEASE tombstone_",
    .rollback_to = "ROLLBACK TO tombstone_",
    .statements_are_atomic = true,
    .writers_are_alone = true,
    .is_distinct = " IS NOT ",
    .explain = "EXPLAIN QUERY PLAN ",
    .stored = {"varchar", "text", "integer", "real", "boolean", "datetime",
               "blob", "text"},
    .generated_key = "integer NOT NULL PRIMARY KEY AUTOINCREMENT",
    .next_event =
        "SELECT 1 + max(coalesce((SELECT max(id) FROM tombstone_event), 0), "
        "coalesce((SELECT seq FROM sqlite_sequence WHERE name = "
        "'tombstone_event'), 0))",
    .placeholder = question_mark,
    .in_json = in_json_each,
    .key_list = list_json_each,
    .lock_parent = "",
    .lock_twin = "",
    .defer_keys = "PRAGMA defer_foreign_keys = ON",
    .keys_deferred = "PRAGMA defer_foreign_keys",
    .defer_no_more = "PRAGMA defer_foreign_keys = OFF",
    .taken = "temp.tombstone_taken_",
    .create_taken = "CREATE TEMP TABLE IF NOT EXISTS tombstone_taken_",
    .taken_columns =
        " (event integer NOT NULL, model text NOT NULL, pk text NOT NULL, "
        "PRIMARY KEY (model, pk, event)) WITHOUT ROWID",
    .mangled = "tombstone_mangled",
    .original = "tombstone_original",
    .whole = "tombstone_integer",
    .finite = "tombstone_number",
    .text_is_ordered_by_bytes = true,
    .position = "instr",
    .glob = " GLOB ",
    .counter = counter_trigger,
    .n_counter = 3,
    .drop_trigger = "DROP TRIGGER IF EXISTS ",
    .triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' "
                "AND substr(name, 1, 10) = 'tombstone_' AND instr(sql, ?) > 0",
    .columns = "SELECT name, type, \"notnull\", pk, dflt_value IS NOT NULL "
               "FROM pragma_table_xinfo(?)",
    .unique_indexes =
        "SELECT l.name, l.partial, (SELECT group_concat(name, ',') FROM "
        "(SELECT name FROM pragma_index_info(l.name) ORDER BY seqno)) FROM "
        "pragma_index_list(?) AS l WHERE l.\"unique\" = 1",
};
