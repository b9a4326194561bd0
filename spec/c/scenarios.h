/*
** scenarios.h - every verb once, to be run while something fails.
**
** A scenario prepares a database in peace and then runs one call, or a few in
** one transaction. Run again after a failure it must do its work.
*/
#ifndef SPEC_SCENARIOS_H
#define SPEC_SCENARIOS_H

#include "kin.h"

typedef struct scenario {
  const char *name;
  void (*prepare)(void);
  tomb_status (*run)(tomb_error *err);
  tomb_status wanted;
  bool makes_tables;
} scenario;

/* ---- writes ------------------------------------------------------- */

static inline tomb_status insert_titled(const char *title, tomb_error *err) {
  tomb_value row[FIELDS];
  empty_row(row);
  row[TITLE] = tomb_text(title);
  row[NOTE] = tomb_text("a note that is long enough for a block of its own");
  return tomb_insert(db, post, row, tick(), err);
}

static inline tomb_status run_insert(tomb_error *err) {
  return insert_titled("new", err);
}

static inline tomb_status run_insert_refused(tomb_error *err) {
  return insert_titled("a", err);
}

static inline tomb_status run_save(tomb_error *err) {
  tomb_value row[FIELDS];
  empty_row(row);
  row[ID] = tomb_integer(4);
  row[TITLE] = tomb_text("saved");
  return tomb_save(db, post, row, tick(), err);
}

static inline tomb_status run_save_dead(tomb_error *err) {
  tomb_value row[FIELDS];
  empty_row(row);
  row[ID] = tomb_integer(1);
  row[TITLE] = tomb_text("saved");
  return tomb_save(db, post, row, tick(), err);
}

static inline tomb_status run_update(tomb_error *err) {
  int64_t changed;
  tomb_query living = tomb_objects(post);
  tomb_assignment a = {tomb_model_field(post, NOTE), tomb_text("set"), NULL};
  return tomb_update(&changed, db, &living, &a, 1, tick(), NULL, err);
}

static inline tomb_status run_update_returning(tomb_error *err) {
  int64_t changed;
  tomb_query living = tomb_objects(post);
  tomb_assignment a = {tomb_model_field(post, NOTE), tomb_text("set"), NULL};
  tomb_rows *rows = tomb_rows_new(db);
  if (rows == NULL) return TOMB_NOMEM;
  tomb_status st = tomb_update(&changed, db, &living, &a, 1, tick(), rows, err);
  if (st == TOMB_OK) CHECK_INT(tomb_rows_count(rows), 4);
  tomb_rows_free(rows);
  return st;
}

static inline tomb_status
upsert_titled(const char *title, tomb_on_deleted on_deleted, tomb_error *err) {
  const tomb_field *on[] = {tomb_model_field(post, TITLE)};
  tomb_value row[FIELDS];
  tomb_assignment a = {tomb_model_field(post, VIEWS), tomb_integer(99), NULL};
  const tomb_upsert how = {.on = on,
                           .n_on = 1,
                           .update = &a,
                           .n_update = 1,
                           .on_deleted = on_deleted};
  empty_row(row);
  row[TITLE] = tomb_text(title);
  tomb_rows *rows = tomb_rows_new(db);
  if (rows == NULL) return TOMB_NOMEM;
  tomb_status st = tomb_upsert_row(db, post, row, &how, tick(), rows, err);
  tomb_rows_free(rows);
  return st;
}

static inline tomb_status run_upsert_new(tomb_error *err) {
  return upsert_titled("new", TOMB_ON_DELETED_NEW, err);
}

static inline tomb_status run_upsert_update(tomb_error *err) {
  return upsert_titled("b", TOMB_ON_DELETED_RESTORE, err);
}

static inline tomb_status run_upsert_restore(tomb_error *err) {
  return upsert_titled("d", TOMB_ON_DELETED_RESTORE, err);
}

static inline tomb_status run_upsert_refused(tomb_error *err) {
  return upsert_titled("d", TOMB_ON_DELETED_REFUSE, err);
}

/* ---- deletions ---------------------------------------------------- */

static inline tomb_status run_delete_row(tomb_error *err) {
  tomb_deleted out;
  tomb_value pk = tomb_integer(4);
  tomb_query query = of_key(tomb_objects(post), 4);
  tomb_deletion how = {.now = tick(), .actor = "ana", .pk = &pk};
  return tomb_delete(&out, db, &query, &how, err);
}

static inline tomb_status run_delete_bulk(tomb_error *err) {
  tomb_deleted out;
  tomb_query query = tomb_objects(post);
  tomb_rows *rows = tomb_rows_new(db);
  if (rows == NULL) return TOMB_NOMEM;
  tomb_deletion how = {.now = tick(), .returning = rows};
  tomb_status st = tomb_delete(&out, db, &query, &how, err);
  CHECK_INT(out.count, st == TOMB_OK ? 4 : 0);
  tomb_rows_free(rows);
  return st;
}

static inline tomb_status run_delete_none(tomb_error *err) {
  tomb_deleted out;
  tomb_query query = where(tomb_objects(post), "title", tomb_text("none"));
  tomb_deletion how = {.now = tick()};
  return tomb_delete(&out, db, &query, &how, err);
}

static inline tomb_status delete_two(tomb_error *err) {
  tomb_deleted out;
  tomb_deletion how = {.now = tick(), .actor = "ana", .reason = "spring"};
  tomb_query first = of_key(tomb_objects(post), 4);
  tomb_query second = of_key(tomb_objects(post), 5);
  tomb_status st = tomb_deletion_begin(db, &how, err);
  if (st == TOMB_OK) st = tomb_delete(&out, db, &first, &how, err);
  if (st == TOMB_OK) st = tomb_delete(&out, db, &second, &how, err);
  int64_t event = tomb_deletion_end(db);
  if (st == TOMB_OK) CHECK_INT(out.event, event);
  return st;
}

static inline tomb_status run_delete_shared(tomb_error *err) {
  tomb_status st = tomb_begin(db, err);
  if (st != TOMB_OK) return st;
  st = delete_two(err);
  if (st == TOMB_OK) return tomb_commit(db, err);
  tomb_rollback(db, NULL);
  return st;
}

/* ---- restores ----------------------------------------------------- */

static inline tomb_status restore_all(tomb_on_conflict word, tomb_error *err) {
  int64_t restored;
  tomb_query dead = tomb_deleted_objects(post);
  tomb_restoration how = {.now = tick(), .on_conflict = word, .actor = "ana"};
  return tomb_restore(&restored, db, &dead, &how, err);
}

static inline tomb_status run_restore(tomb_error *err) {
  return restore_all(TOMB_CONFLICT_FAIL, err);
}

static inline tomb_status run_restore_skip(tomb_error *err) {
  return restore_all(TOMB_CONFLICT_SKIP, err);
}

static inline tomb_status run_restore_rename(tomb_error *err) {
  return restore_all(TOMB_CONFLICT_RENAME, err);
}

static inline tomb_status run_restore_replace(tomb_error *err) {
  return restore_all(TOMB_CONFLICT_REPLACE, err);
}

static inline tomb_status answer_all(tomb_restore_job *job, tomb_error *err) {
  tomb_value pk, values[FIELDS];
  for (;;) {
    tomb_status st = tomb_restore_next(job, &pk, err);
    if (st != TOMB_ROW) return st;
    CHECK_INT(pk.as.integer, 1);
    empty_row(values);
    values[TITLE] = tomb_text("answered");
    st = tomb_restore_resolve(job, TOMB_CONFLICT_ASK, values, err);
    if (st != TOMB_OK) return st;
  }
}

static inline tomb_status run_restore_ask(tomb_error *err) {
  tomb_restore_job *job;
  int64_t restored;
  tomb_query dead = tomb_deleted_objects(post);
  tomb_restoration how = {.now = tick(), .on_conflict = TOMB_CONFLICT_ASK};
  tomb_status st = tomb_restore_open(&job, db, &dead, &how, err);
  if (st != TOMB_OK) return st;
  st = answer_all(job, err);
  if (st == TOMB_DONE) return tomb_restore_close(job, &restored, err);
  tomb_restore_close(job, NULL, NULL);
  return st;
}

static inline tomb_status run_conflicts(tomb_error *err) {
  tomb_query dead = tomb_deleted_objects(post);
  tomb_rows *rows = tomb_rows_new(db);
  if (rows == NULL) return TOMB_NOMEM;
  tomb_status st = tomb_restore_conflicts(rows, db, &dead, err);
  if (st == TOMB_OK) CHECK_INT(tomb_rows_count(rows), 1);
  tomb_rows_free(rows);
  return st;
}

static inline tomb_status run_undo(tomb_error *err) {
  int64_t restored;
  tomb_restoration how = {.now = tick()};
  tomb_status st = tomb_undo(&restored, db, 1, &how, err);
  CHECK_INT(restored, st == TOMB_OK ? 3 : 0);
  return st;
}

/* ---- purges ------------------------------------------------------- */

static inline tomb_status purge_all(tomb_query query, tomb_error *err) {
  int64_t purged;
  tomb_rows *report = tomb_rows_new(db);
  tomb_purging how = {
      .living = true, .deletion = {.now = tick()}, .report = report};
  if (report == NULL) return TOMB_NOMEM;
  tomb_status st = tomb_purge(&purged, db, &query, &how, err);
  tomb_rows_free(report);
  return st;
}

static inline tomb_status run_purge(tomb_error *err) {
  return purge_all(tomb_deleted_objects(post), err);
}

static inline tomb_status run_purge_living(tomb_error *err) {
  return purge_all(tomb_all_objects(post), err);
}

static inline tomb_status run_purge_expired(tomb_error *err) {
  int64_t n, left = 0;
  return tomb_purge_expired(&n, &left, db, note, clock_now + 2 * DAY, NULL,
                            err);
}

static inline tomb_status run_purge_events(tomb_error *err) {
  int64_t n;
  tomb_rows *report = tomb_rows_new(db);
  if (report == NULL) return TOMB_NOMEM;
  tomb_status st = tomb_preview_expired(report, db, clock_now + 2 * DAY, err);
  if (st == TOMB_OK) {
    st = tomb_purge_events(&n, db, clock_now + 2 * DAY, err);
  }
  tomb_rows_free(report);
  return st;
}

/* ---- tables, reads, raw SQL --------------------------------------- */

static inline tomb_status run_create_tables(tomb_error *err) {
  tomb_rows *rows = tomb_rows_new(db);
  if (rows == NULL) return TOMB_NOMEM;
  tomb_status st = tomb_ddl(rows, db, err);
  tomb_rows_free(rows);
  return st == TOMB_OK ? tomb_create_tables(db, err) : st;
}

static inline tomb_status read_stream(bool reversed, tomb_error *err) {
  tomb_stream *stream;
  const tomb_value *values;
  int64_t n = 0;
  tomb_query query = tomb_objects(post);
  query.reversed = reversed;
  tomb_status st = tomb_stream_open(&stream, db, &query, err);
  if (st != TOMB_OK) return st;
  while ((st = tomb_stream_next(stream, &values, err)) == TOMB_ROW) n++;
  tomb_stream_free(stream);
  if (st != TOMB_DONE) return st;
  CHECK_INT(n, 4);
  return TOMB_OK;
}

static inline tomb_status run_stream(tomb_error *err) {
  return read_stream(false, err);
}

static inline tomb_status run_stream_reversed(tomb_error *err) {
  return read_stream(true, err);
}

static inline tomb_status run_aggregates(tomb_error *err) {
  tomb_cursor cursor;
  const tomb_field *groups[] = {tomb_model_field(post, VIEWS)};
  const tomb_aggregate count = {TOMB_COUNT, NULL, false};
  tomb_query query = tomb_objects(post);
  query.groups = groups;
  query.n_groups = 1;
  tomb_status st = tomb_select_aggregates(&cursor, db, &query, &count, 1, err);
  if (st != TOMB_OK) return st;
  while ((st = tomb_cursor_next(&cursor, err)) == TOMB_ROW) continue;
  tomb_cursor_close(&cursor);
  return st == TOMB_DONE ? TOMB_OK : st;
}

static inline tomb_status run_count(tomb_error *err) {
  int64_t n;
  bool exists;
  tomb_query query = tomb_objects(post);
  tomb_status st = tomb_count(&n, db, &query, err);
  if (st == TOMB_OK) CHECK_INT(n, 4);
  return st == TOMB_OK ? tomb_exists(&exists, db, &query, err) : st;
}

static inline tomb_status run_raw(tomb_error *err) {
  static const char sql[] = "UPDATE posts SET note = ? WHERE id = ?";
  const tomb_value values[] = {tomb_text("raw"), tomb_integer(4)};
  int64_t changed;
  return tomb_exec(&changed, db, sql, strlen(sql), values, 2, err);
}

static inline tomb_status run_logged(tomb_error *err) {
  tomb_log_keep(db, true);
  tomb_status st = insert_titled("logged", err);
  tomb_log_keep(db, false);
  tomb_rows_free(tomb_log_take(db));
  return st;
}

static const scenario scenarios[] = {
    {"insert", six_posts, run_insert, TOMB_OK, false},
    {"insert refused", six_posts, run_insert_refused, TOMB_INTEGRITY, false},
    {"save", six_posts, run_save, TOMB_OK, false},
    {"save a dead row", six_posts, run_save_dead, TOMB_DELETED, false},
    {"update", six_posts, run_update, TOMB_OK, false},
    {"update returning", six_posts, run_update_returning, TOMB_OK, false},
    {"upsert new", six_posts, run_upsert_new, TOMB_OK, false},
    {"upsert update", six_posts, run_upsert_update, TOMB_OK, false},
    {"upsert restore", six_posts, run_upsert_restore, TOMB_OK, false},
    {"upsert refused", six_posts, run_upsert_refused, TOMB_DELETED, false},
    {"delete a row", six_posts, run_delete_row, TOMB_OK, false},
    {"delete many", six_posts, run_delete_bulk, TOMB_OK, false},
    {"delete none", six_posts, run_delete_none, TOMB_OK, false},
    {"delete in one event", six_posts, run_delete_shared, TOMB_OK, false},
    {"restore", dead_posts, run_restore, TOMB_OK, false},
    {"restore refused", six_posts, run_restore, TOMB_INTEGRITY, false},
    {"restore skip", six_posts, run_restore_skip, TOMB_OK, false},
    {"restore rename", six_posts, run_restore_rename, TOMB_OK, false},
    {"restore replace", six_posts, run_restore_replace, TOMB_OK, false},
    {"restore ask", six_posts, run_restore_ask, TOMB_OK, false},
    {"conflicts", six_posts, run_conflicts, TOMB_OK, false},
    {"undo", dead_posts, run_undo, TOMB_OK, false},
    {"purge", six_posts, run_purge, TOMB_OK, false},
    {"purge living", six_posts, run_purge_living, TOMB_OK, false},
    {"purge expired", dead_notes, run_purge_expired, TOMB_OK, false},
    {"purge events", dead_posts, run_purge_events, TOMB_OK, false},
    {"create tables", nothing, run_create_tables, TOMB_OK, true},
    {"stream", six_posts, run_stream, TOMB_OK, false},
    {"stream reversed", six_posts, run_stream_reversed, TOMB_OK, false},
    {"aggregates", six_posts, run_aggregates, TOMB_OK, false},
    {"count", six_posts, run_count, TOMB_OK, false},
    {"raw", six_posts, run_raw, TOMB_OK, false},
    {"logged", six_posts, run_logged, TOMB_OK, false},
    {"kin delete", kin_with_dead, run_kin_delete, TOMB_OK, false},
    {"kin delete few", kin_with_dead, run_kin_delete_few, TOMB_TOO_MANY, false},
    {"kin restricted", pinned_kin, run_kin_delete, TOMB_RESTRICTED, false},
    {"kin plan", pinned_kin, run_kin_plan, TOMB_OK, false},
    {"kin foresight", dead_kin, run_kin_foresight, TOMB_OK, false},
    {"kin ask below", replaced_kin, run_kin_ask_below, TOMB_OK, false},
    {"kin undo", dead_kin, run_kin_undo, TOMB_OK, false},
    {"kin undo first", dead_kin, run_kin_undo_first, TOMB_OK, false},
    {"kin undo refused", replaced_kin, run_kin_undo_refused, TOMB_INTEGRITY,
     false},
    {"kin undo skip", replaced_kin, run_kin_undo_skip, TOMB_OK, false},
    {"kin undo replace", replaced_kin, run_kin_undo_replace, TOMB_OK, false},
    {"kin restore", dead_kin, run_kin_restore, TOMB_OK, false},
    {"kin restore refused", dead_kin, run_kin_restore_refused,
     TOMB_PARENT_DELETED, false},
    {"kin restore parents", dead_kin, run_kin_restore_parents, TOMB_OK, false},
    {"kin restore rename", replaced_kin, run_kin_restore_rename, TOMB_OK,
     false},
    {"kin purge", dead_kin, run_kin_purge, TOMB_OK, false},
    {"kin purge living", kin_with_dead, run_kin_purge, TOMB_OK, false},
    {"kin purge restricted", pinned_kin, run_kin_purge, TOMB_RESTRICTED, false},
    {"kin foresee", kin_with_dead, run_kin_foresee, TOMB_OK, false},
    {"kin foresee dead", dead_kin, run_kin_foresee, TOMB_OK, false},
    {"kin expire", held_kin, run_kin_expire, TOMB_OK, false},
    {"kin forget", kin_with_dead, run_kin_forget, TOMB_OK, false},
    {"kin forget dead", dead_kin, run_kin_forget, TOMB_OK, false},
    {"kin forget restricted", pinned_kin, run_kin_forget, TOMB_RESTRICTED,
     false},
    {"kin insert", dead_kin, run_kin_insert_refused, TOMB_PARENT_DELETED,
     false},
    {"kin insert living", kin, run_kin_insert, TOMB_OK, false},
    {"kin update", replaced_kin, run_kin_update, TOMB_OK, false},
    {"kin update refused", dead_kin, run_kin_update, TOMB_PARENT_DELETED,
     false},
};
#define SCENARIOS (sizeof scenarios / sizeof scenarios[0])

/* Models and tables, and what the scenario wants to find in them. */
static inline void prepare_scenario(const scenario *s) {
  clock_now = INT64_C(1763880000000000);
  define_posts();
  define_notes();
  if (!s->makes_tables) MUST(tomb_create_tables(db, &check_error));
  s->prepare();
}

#endif
