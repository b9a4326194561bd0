/* sql.c - statements under construction. */
#include "sql.h"

#include <string.h>

void tomb_sql_init(tomb_sql *sql, const tomb_dialect *dialect,
                   const tomb_allocator *a) {
  memset(sql, 0, sizeof *sql);
  sql->dialect = dialect;
  sql->text.a = a;
  sql->bytes.a = a;
}

void tomb_sql_clear(tomb_sql *sql) {
  tomb_buf_clear(&sql->text);
  tomb_arena_reset(&sql->bytes);
  sql->query = NULL;
  sql->base = NULL;
  sql->joined = sql->writes = false;
  sql->n_args = sql->n_columns = 0;
}

void tomb_sql_free(tomb_sql *sql) {
  const tomb_allocator *a = sql->text.a;
  tomb_buf_free(&sql->text);
  tomb_arena_free(&sql->bytes);
  tomb_release(a, sql->args, sql->args_capacity * sizeof *sql->args);
  tomb_release(a, sql->columns, sql->columns_capacity * sizeof *sql->columns);
}

bool tomb_sql_failed(const tomb_sql *sql) {
  return sql->text.failed;
}

void tomb_sql_value(tomb_sql *sql, const tomb_value *value) {
  void *args = sql->args;
  if (!tomb_grow(sql->text.a, &args, &sql->args_capacity, sql->n_args,
                 sizeof *sql->args)) {
    sql->text.failed = true;
    return;
  }
  sql->args = args;
  sql->args[sql->n_args++] = *value;
  sql->dialect->placeholder(sql, sql->n_args);
}

void tomb_sql_column(tomb_sql *sql, const tomb_field *field) {
  void *columns = sql->columns;
  if (!tomb_grow(sql->text.a, &columns, &sql->columns_capacity, sql->n_columns,
                 sizeof *sql->columns)) {
    sql->text.failed = true;
    return;
  }
  sql->columns = columns;
  sql->columns[sql->n_columns++] = field;
  if (field != NULL) tomb_sql_field(sql, field);
}

char *tomb_sql_bytes(tomb_sql *sql, size_t size) {
  char *bytes = tomb_arena_take(&sql->bytes, size);
  if (bytes == NULL) sql->text.failed = true;
  return bytes;
}

void tomb_sql_compile(tomb_sql *sql, const tomb_clause *clauses,
                      const tomb_statement *statement) {
  const tomb_query *query = sql->query;
  const char *base = sql->base;
  bool joined = sql->joined, writes = sql->writes;
  sql->query = statement->query;
  sql->base = statement->from_slice ? "slice" : statement->model->quoted;
  sql->joined = tomb_has_joins(statement);
  sql->writes = writes || statement->is_write;
  for (; *clauses != NULL; clauses++) (*clauses)(sql, statement);
  sql->query = query;
  sql->base = base;
  sql->joined = joined;
  sql->writes = writes;
}

void tomb_sql_among_some(tomb_sql *sql, const tomb_keys *keys, size_t from,
                         size_t to) {
  tomb_value json;
  if (tomb_keys_json(&json, keys, from, to, &sql->bytes)) {
    sql->dialect->in_json(sql, &json);
  } else {
    sql->text.failed = true;
  }
}

void tomb_sql_among_texts(tomb_sql *sql, const tomb_keys *keys) {
  tomb_value json;
  tomb_sql_add(sql, " IN (SELECT CAST(tombstone_pk AS text) FROM ");
  if (tomb_keys_json(&json, keys, 0, tomb_keys_count(keys), &sql->bytes)) {
    sql->dialect->key_list(sql, &json);
  } else {
    sql->text.failed = true;
  }
  tomb_sql_add(sql, " AS k)");
}
