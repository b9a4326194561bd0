/* statement.h - prepared statements, kept by their text: the shape of a query
** is its SQL without the values. */
#ifndef TOMB_STATEMENT_H
#define TOMB_STATEMENT_H

#include "driver.h"
#include "mem.h"

#define TOMB_BUCKETS 256

/* A prepared statement with room for a row of its answer. While it is in use
** nobody else gets it: a second user of the same text prepares another. */
struct tomb_prepared {
  tomb_stmt *stmt;
  char *text;
  size_t size;
  uint64_t hash;
  size_t n_columns;
  tomb_value *values;
  const tomb_field **fields;
  bool in_use;
  bool fresh;                   /* not stepped since it was taken */
  tomb_prepared *newer, *older; /* by last use */
  tomb_prepared *chain;         /* of the same bucket */
};

typedef struct tomb_statements {
  const tomb_allocator *a;
  const tomb_driver *driver;
  tomb_conn *conn;
  size_t count, capacity;
  tomb_prepared *newest, *oldest;
  tomb_prepared *buckets[TOMB_BUCKETS];
} tomb_statements;

/* Finds or prepares the one statement that `text` is. Give it back. */
tomb_status tomb_statements_take(tomb_prepared **out, tomb_statements *all,
                                 const char *text, size_t size,
                                 tomb_error *err);
/* Resets it for its next user; drops it when the cache is full. */
void tomb_statements_give_back(tomb_statements *all, tomb_prepared *prepared);
/* Room for other columns than it had: a driver prepares a kept statement anew
** where its table has changed. False when memory is out; it has none then. */
bool tomb_statements_refit(tomb_statements *all, tomb_prepared *prepared);
/* Finalizes all; none may be in use. */
void tomb_statements_free(tomb_statements *all);

#endif
