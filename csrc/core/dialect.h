/* dialect.h - how a database spells things. Const tables, no code paths. */
#ifndef TOMB_DIALECT_H
#define TOMB_DIALECT_H

#include "tombstone.h"

typedef struct tomb_sql tomb_sql;
typedef struct tomb_statement tomb_statement;
/* Emits one clause of a statement, or nothing where it has none. */
typedef void (*tomb_clause)(tomb_sql *sql, const tomb_statement *statement);

typedef struct tomb_dialect {
  const char *name;

  /* Clause order is data: each list ends with NULL. */
  const tomb_clause *select, *insert, *update, *erase;

  const char *begin, *commit, *rollback;
  const char *savepoint, *release, *rollback_to; /* a level's number follows */
  /* A statement that fails undoes itself and leaves the transaction usable. */
  bool statements_are_atomic;
  /* A transaction that writes keeps other writers out until it ends. Else what
  ** they commit is seen from one statement to the next. */
  bool writers_are_alone;

  const char *is_distinct; /* of a and b: not equal, NULL being a value */
  const char *explain;     /* before a SELECT */
  const char *stored[TOMB_FIELD_TYPES]; /* column types */
  const char *next_event;    /* answers an id that no event ever had */
  const char *generated_key; /* an integer key that is never given out twice */

  /* A placeholder for the n-th value, from 1. */
  void (*placeholder)(tomb_sql *sql, size_t n);
  /* " IN (the elements of the JSON array that the next value is)" */
  void (*in_json)(tomb_sql *sql, const tomb_value *json);
  /* A table of tombstone_pos and tombstone_pk out of such an array. */
  void (*key_list)(tomb_sql *sql, const tomb_value *json);
  /* Behind the look at a parent that must live until the end of the
  ** transaction: the lock that keeps a deletion away. */
  const char *lock_parent;
  /* The same behind the look at a living row that an upsert would update. */
  const char *lock_twin;
  /* Lets foreign keys be broken until the transaction's end. */
  const char *defer_keys;
  /* In a transaction of others it must not last to their end: whether it is so,
  ** and the end of it. NULL: it cannot be in one. */
  const char *keys_deferred, *defer_no_more;
  /* The connection's own table of takings (undoing.h), a number follows; and how
  ** it is made: the same, and then its columns. */
  const char *taken, *create_taken, *taken_columns;
  /* A value with its suffix, over (field, suffix). Refuses, as unique, a value
  ** that ends in the suffix already (mangle.h). */
  const char *mangled;
  /* The value that a mangled field had, over (field, deleted_at). */
  const char *original;
  /* Answer a computed value, or fail where it is no integer, or not finite. */
  const char *whole, *finite;
  /* Texts compare by their bytes, so that a prefix is a range. */
  bool text_is_ordered_by_bytes;
  /* Case-sensitive search: "position(haystack, needle) > 0" */
  const char *position;
  /* A case-sensitive pattern of * ? [x]. */
  const char *glob;

  /* What makes the functions above, where they live in the database. It ends with
  ** NULL; or NULL. */
  const char *const *functions;

  /* What keeps a counter: the i-th statement that makes a trigger, called as
  ** tomb_sql_counter_name writes, and how to drop one. */
  void (*counter)(tomb_sql *sql, const tomb_model *model,
                  const tomb_field *counter, size_t i);
  size_t n_counter;
  const char *drop_trigger;
  /* Name and text of the engine's triggers whose text holds this one. */
  const char *triggers;

  /* Catalogue queries; each takes the table's name. */
  const char *columns; /* name, type, not null, in the key, defaulted (0/1) */
  const char *unique_indexes; /* name, partial (0/1), columns joined by "," */
} tomb_dialect;

extern const tomb_dialect tomb_sqlite_dialect;
extern const tomb_dialect tomb_postgres_dialect;

#endif
