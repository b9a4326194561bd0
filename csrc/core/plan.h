/*
** plan.h - the verbs of deletion as lists of statements.
**
** A plan is made of a query and a few values: it reads nothing and runs
** nothing, so that it can be shown and tested without a database. run.c runs
** it.
*/
#ifndef TOMB_PLAN_H
#define TOMB_PLAN_H

#include "mangle.h"
#include "sql.h"

typedef enum tomb_plan_verb {
  TOMB_PLAN_MARK,   /* the living die */
  TOMB_PLAN_BELOW,  /* and those that point to them */
  TOMB_PLAN_OWN,    /* the dead get a further owner */
  TOMB_PLAN_PROBE,  /* living rows that refuse it are counted */
  TOMB_PLAN_RECORD, /* the event's row, unless nothing has died */
  TOMB_PLAN_REVIVE, /* the dead live */
  TOMB_PLAN_ERASE   /* rows are gone */
} tomb_plan_verb;

typedef struct tomb_plan_step {
  tomb_plan_verb verb;
  tomb_statement statement;
  tomb_query query; /* of the steps below the first */
} tomb_plan_step;

#define TOMB_PLAN_STEPS 2
#define TOMB_EVENT_FIELDS 7

/* Its statements point into it: it must not be copied. */
typedef struct tomb_plan {
  tomb_plan_step few[TOMB_PLAN_STEPS];
  tomb_plan_step *steps; /* few, or of the arena */
  size_t n;
  tomb_arena arena;
  bool circular; /* tables that cascade in a ring: once may not be enough */
  bool deep;     /* one that cascades into itself: once is enough for all that a
                     statement sees, but not for what comes meanwhile */
  tomb_value deleted_at, deleted_event, suffix;
  char suffix_text[TOMB_SUFFIX_SIZE];
  tomb_reach reach;
  tomb_query events;
  tomb_value event[TOMB_EVENT_FIELDS]; /* the row to record */
  char event_pk[24];
} tomb_plan;

/* The query's living rows die at `at`, as the event's; 0: as nobody's. The
** query outlives the plan. */
void tomb_plan_delete(tomb_plan *plan, const tomb_query *query, int64_t at,
                      int64_t event);
/* And with them all that lies below, unless living rows restrict it. False when
** memory is out; the plan is freed in any case. */
bool tomb_plan_cascade(tomb_plan *plan, const tomb_allocator *a,
                       const tomb_graph *graph);
void tomb_plan_free(tomb_plan *plan);
/* And the event gets its row, with actor, reason and pk of `how`. */
void tomb_plan_record(tomb_plan *plan, const tomb_model *events,
                      const tomb_deletion *how);
/* Another time for the same plan. */
void tomb_plan_stamp(tomb_plan *plan, int64_t at);
int64_t tomb_plan_stamped(const tomb_plan *plan);

/* The query's dead rows live again, with `also` set. */
void tomb_plan_restore(tomb_plan *plan, const tomb_query *query,
                       const tomb_assignment *also, size_t n);
/* The query's rows within the fence are gone. */
void tomb_plan_purge(tomb_plan *plan, const tomb_query *query,
                     tomb_scope fence);

/* The clauses that compile a step. */
const tomb_clause *tomb_plan_clauses(const tomb_dialect *dialect,
                                     tomb_plan_verb verb);
/* A line a statement: its SQL and, after a bar, its values. */
void tomb_plan_show(tomb_buf *out, const tomb_plan *plan,
                    const tomb_dialect *dialect);

/* The rows of the plan's own model, and those of all. */
typedef struct tomb_plan_count {
  int64_t own, all;
} tomb_plan_count;

/* run.c: runs the plan's steps in the transaction around it. What is counted is
** there also when the plan fails behind it. */
tomb_status tomb_run_plan(tomb_plan_count *count, tomb_db *db, tomb_plan *plan,
                          tomb_error *err);

#endif
