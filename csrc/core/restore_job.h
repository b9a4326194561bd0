/* restore_job.h - a restore row by row, and where it stands. */
#ifndef TOMB_RESTORE_JOB_H
#define TOMB_RESTORE_JOB_H

#include "restore.h"
#include "reunite.h"

/* Models above its own, its own, and those below. */
typedef enum tomb_job_phase {
  TOMB_JOB_ABOVE,
  TOMB_JOB_OWN,
  TOMB_JOB_BELOW
} tomb_job_phase;

struct tomb_restore_job {
  tomb_db *db;
  const tomb_model *model;
  tomb_restoration how;
  tomb_on_conflict word; /* for its own model */
  tomb_keys *keys;
  size_t at, span;  /* the next rows to try */
  bool asking;      /* the row at `at` waits for a word, */
  tomb_error why;   /* for this reason */
  tomb_rows *asked; /* its key */
  tomb_arena texts; /* how's, which outlive the call that opened */
  bool done;
  int64_t restored;
  tomb_undoing undoing; /* where the rows have relatives */
  tomb_value event;     /* that is undone */
  bool guarded, reunites;
  tomb_keys *skipped;
  tomb_reunion reunion; /* with their relatives */
  tomb_job_phase phase;
  size_t step;             /* the next model of the reunion */
  tomb_restore_job *inner; /* of a model that is asked about */
  tomb_query wanted;
};

/* The rows [from, to), those that may still come back. */
tomb_query tomb_job_span(const tomb_restore_job *job, size_t from, size_t to);
/* The rows before that one are done. */
void tomb_job_advance(tomb_restore_job *job, size_t to);
/* The key of the row in conflict; TOMB_ROW. */
tomb_status tomb_job_ask(tomb_restore_job *job, tomb_value *pk,
                         tomb_error *err);

#endif
