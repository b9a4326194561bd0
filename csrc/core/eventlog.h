/* eventlog.h - events that hold nothing any more, or are about rows that go. */
#ifndef TOMB_EVENTLOG_H
#define TOMB_EVENTLOG_H

#include "closure.h"

/* Removes the model's events from before a time that hold no row, or counts
** them as if the closure's rows were gone. */
tomb_status tomb_expire_events(int64_t *count, tomb_db *db,
                               const tomb_model *model, int64_t before,
                               tomb_error *err);
tomb_status tomb_count_expired_events(int64_t *count, const tomb_closure *gone,
                                      const tomb_model *model, int64_t before,
                                      tomb_error *err);

/* The closure's rows are about to be erased: of the events that are about them
** or hold them, those that hold nothing else go, and what is left names none of
** them. `own` is left alone, as is the event that a deletion shares. */
tomb_status tomb_forget_events(const tomb_closure *gone, int64_t own,
                               bool dry_run, tomb_rows *report,
                               tomb_error *err);
/* True where events may know of the closure's rows. */
bool tomb_is_logged(const tomb_closure *gone);

/* The event's row is gone; 0: none. */
tomb_status tomb_drop_event(tomb_db *db, int64_t event, tomb_error *err);

#endif
