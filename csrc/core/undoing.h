/*
** undoing.h - rows that leave the events that hold them dead.
**
** What is taken out is one event (undo), or the pairs of event and row that
** the connection's table of takings lists (restore). A row whose owners are all
** taken lives again, unless a parent of it stays dead; another one keeps the
** owners that are left, the oldest of them first.
*/
#ifndef TOMB_UNDOING_H
#define TOMB_UNDOING_H

#include "keys.h"
#include "sql.h"

/* The table of takings by its name. */
static inline void tomb_sql_taken(tomb_sql *sql) {
  tomb_sql_add(sql, sql->dialect->taken);
  tomb_buf_integer(&sql->text, sql->taken);
}

struct tomb_undoing {
  const tomb_model *owners; /* NULL: no row has a second one */
  const tomb_value *event;  /* NULL: what the table of takings lists, */
  unsigned taken;           /* which is that one */
  bool strict;              /* parents live now, not only with their children */
  bool free;                /* never mind the parents */
  bool settled;             /* it is known which: the query names them */
  bool keeps;   /* a look that keeps parents alive, as a write does */
  bool touched; /* also those that keep an owner, or a dead parent */
  const struct tomb_closure *coming; /* parents that count as living, or NULL */
  const struct tomb_closure
      *assumed; /* and some more, or NULL; never where `keeps`, or in a write */
  const tomb_keys *skipped; /* rows that are not to be tried again, or NULL */
  const tomb_model *skipped_of; /* whose rows these are */
};

/* True where the query is of rows that come back as others do. */
static inline bool tomb_is_undoing(const tomb_query *query) {
  return query->undoing != NULL || query->of_event == TOMB_BACK_FROM;
}

/* " AND" the rows of the query that come back. */
void tomb_sql_released(tomb_sql *sql, const tomb_query *query, bool *first);

/* SELECT the living parents, by that relation, of rows that may come back, so
** that none of them dies before the transaction ends. */
void tomb_sql_keep_parents(tomb_sql *sql, const tomb_relation *relation,
                           const tomb_undoing *undoing);

/* The row's oldest owner that stays becomes its first. */
void tomb_sql_promote(tomb_sql *sql, const tomb_model *model,
                      const tomb_undoing *undoing);
/* What is the first owner is no further one. */
void tomb_sql_drop_promoted(tomb_sql *sql, const tomb_model *model,
                            const tomb_undoing *undoing);
/* Rows that another owner holds lose what is taken. */
void tomb_sql_drop_taken(tomb_sql *sql, const tomb_model *model,
                         const tomb_undoing *undoing);
/* Rows that live have no owners. */
void tomb_sql_drop_living(tomb_sql *sql, const tomb_model *model,
                          const tomb_undoing *undoing);

/* Takings: of the rows with these keys, of their further owners, and of what
** lies below by that relation (by its own table's: at any depth). */
void tomb_sql_take(tomb_sql *sql, const tomb_model *model,
                   const tomb_keys *keys);
void tomb_sql_take_owners(tomb_sql *sql, const tomb_model *model,
                          const tomb_model *owners);
void tomb_sql_take_below(tomb_sql *sql, const tomb_relation *relation);

/* Rows that were skipped take nothing: forgets all takings but those of the
** rows that were asked for, and then those of the skipped ones. */
struct tomb_closure;
void tomb_sql_forget(tomb_sql *sql, const struct tomb_closure *wanted);
void tomb_sql_forget_skipped(tomb_sql *sql, const tomb_model *model,
                             const tomb_keys *skipped);

/* SELECT a row of the takings and its dead parent by that relation, which is
** not taken itself. */
void tomb_sql_dead_parent(tomb_sql *sql, const tomb_relation *relation);

#endif
