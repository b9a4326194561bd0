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
    .lock_parent = "", /* a writer is alone */
    .defer_keys = "PRAGMA defer_foreign_keys = ON",
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
    .columns = "SELECT name, type, \"notnull\", pk, dflt_value IS NOT NULL "
               "FROM pragma_table_xinfo(?)",
    .unique_indexes =
        "SELECT l.name, l.partial, (SELECT group_concat(name, ',') FROM "
        "(SELECT name FROM pragma_index_info(l.name) ORDER BY seqno)) FROM "
        "pragma_index_list(?) AS l WHERE l.\"unique\" = 1",
};
