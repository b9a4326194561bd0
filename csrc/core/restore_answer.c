/* restore_answer.c - what is done about the conflict that a job has stopped at. */
#include "error.h"
#include "keys.h"
#include "restore_job.h"

static tomb_status note_skipped(tomb_restore_job *job, tomb_error *err) {
  tomb_value pk;
  tomb_error why = *err;
  if (!job->guarded) return TOMB_OK;
  tomb_status st = tomb_job_ask(job, &pk, err);
  if (st != TOMB_ROW) return st;
  *err = why;
  return tomb_keys_add(job->skipped, &pk) ? TOMB_OK : tomb_out_of_memory(err);
}

static tomb_status resolve_by(tomb_restore_job *job, tomb_on_conflict word,
                              const tomb_value *values, tomb_error *err) {
  tomb_query query = tomb_job_span(job, job->at, job->at + 1);
  if (values != NULL) {
    return tomb_restore_with(job->db, &query, values, err);
  }
  if (word == TOMB_CONFLICT_RENAME) {
    return tomb_restore_renamed(job->db, &query, err);
  }
  if (word == TOMB_CONFLICT_REPLACE) {
    return tomb_restore_replacing(job->db, &query, &job->how, err);
  }
  return TOMB_INTEGRITY; /* fail: err is the refusal itself */
}

tomb_status tomb_restore_resolve(tomb_restore_job *job, tomb_on_conflict word,
                                 const tomb_value *values, tomb_error *err) {
  tomb_error own;
  if (err == NULL) err = &own;
  if (word == TOMB_CONFLICT_SKIP && values == NULL) job->reunion.skips = true;
  if (job->inner != NULL) {
    return tomb_restore_resolve(job->inner, word, values, err);
  }
  if (!job->asking) {
    return tomb_fail(err, TOMB_MISUSE, "No conflict waits for an answer");
  }
  if (word == TOMB_CONFLICT_SKIP && values == NULL) {
    tomb_status st = note_skipped(job, err);
    if (st != TOMB_OK) return st;
    tomb_job_advance(job, job->at + 1);
    return TOMB_OK;
  }
  *err = job->why;
  tomb_status st = resolve_by(job, word, values, err);
  if (st == TOMB_NOT_FOUND && job->guarded) {
    /* what was done for it has killed its parent, or given it an owner */
    st = note_skipped(job, err);
    if (st == TOMB_OK) tomb_job_advance(job, job->at + 1);
    return st;
  }
  if (st != TOMB_OK) return st;
  job->restored++;
  tomb_job_advance(job, job->at + 1);
  return TOMB_OK;
}
