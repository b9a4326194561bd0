/*
** kin.h - verbs that reach relatives, to be run while something fails: a Team
** has Authors and an Author Books (cascade), a Pin restricts its Book, and a
** Memo is kept without its Author.
*/
#ifndef SPEC_KIN_H
#define SPEC_KIN_H

#include "child.h"
#include "state.h"

enum { KIN_ID, KIN_NAME, KIN_PARENT, KIN_FIELDS = 5 };

static const tomb_model *team, *author, *book, *pin, *memo;

static inline void define_kin(void) {
  book = define_child(db, "Book", "Author", TOMB_CASCADE);
  author = define_kept(db, "Author", "Team", TOMB_CASCADE, DAY);
  team = define_child(db, "Team", NULL, TOMB_NO_REFERENCE);
  pin = define_child(db, "Pin", "Book", TOMB_RESTRICT);
  memo = define_child(db, "Memo", "Author", TOMB_KEEP);
  MUST(tomb_create_tables(db, &check_error));
}

static inline tomb_status add_kin(const tomb_model *model, const char *name,
                                  int64_t parent, tomb_error *err) {
  tomb_value row[KIN_FIELDS];
  memset(row, 0, sizeof row);
  row[KIN_NAME] = tomb_text(name);
  if (parent != 0) row[KIN_PARENT] = tomb_integer(parent);
  return tomb_insert(db, model, row, tick(), err);
}

/* ---- preparations ------------------------------------------------- */

/* Team 1 has author 1, with books 1 and 2 and a memo, and author 2. */
static inline void kin(void) {
  define_kin();
  MUST(add_kin(team, "t", 0, &check_error));
  MUST(add_kin(author, "a", 1, &check_error));
  MUST(add_kin(author, "b", 1, &check_error));
  MUST(add_kin(book, "p", 1, &check_error));
  MUST(add_kin(book, "q", 1, &check_error));
  MUST(add_kin(memo, "m", 1, &check_error));
}

/* A dead one is owned by two events. */
static inline void kin_with_dead(void) {
  kin();
  delete_posts(of_key(tomb_objects(book), 1));
}

static inline void pinned_kin(void) {
  kin_with_dead();
  MUST(add_kin(pin, "n", 2, &check_error));
}

/* Event 1 holds book 1, event 2 all. */
static inline void dead_kin(void) {
  kin_with_dead();
  delete_posts(of_key(tomb_objects(team), 1));
}

/* Of author 1 a book lives, by raw SQL alone. */
static inline void held_kin(void) {
  dead_kin();
  exec("UPDATE book SET deleted_at = NULL, deleted_event = NULL, name = 'q' "
       "WHERE id = 2");
}

/* The name of book 1, which event 1 holds with its author, is taken. */
static inline void replaced_kin(void) {
  kin();
  delete_posts(of_key(tomb_objects(author), 1));
  MUST(add_kin(book, "p", 2, &check_error));
}

/* ---- calls -------------------------------------------------------- */

static inline tomb_status delete_kin(int64_t max_rows, tomb_error *err) {
  tomb_deleted out;
  tomb_query query = of_key(tomb_objects(team), 1);
  tomb_deletion how = {.now = tick(), .actor = "ana", .max_rows = max_rows};
  tomb_status st = tomb_delete(&out, db, &query, &how, err);
  CHECK_INT(out.count, st == TOMB_OK ? 1 : 0);
  CHECK_INT(out.total, st == TOMB_OK ? 4 : 0);
  return st;
}

static inline tomb_status run_kin_delete(tomb_error *err) {
  return delete_kin(4, err);
}

static inline tomb_status run_kin_delete_few(tomb_error *err) {
  return delete_kin(3, err);
}

/* Lines for author 1, book 2 and the team with author 2, and for the pin. */
static inline tomb_status run_kin_plan(tomb_error *err) {
  tomb_query query = of_key(tomb_objects(team), 1);
  tomb_rows *report = tomb_rows_new(db);
  if (report == NULL) return TOMB_NOMEM;
  tomb_status st = tomb_preview_delete(report, db, &query, err);
  if (st == TOMB_OK) CHECK_INT((int64_t)tomb_rows_count(report), 4);
  tomb_rows_free(report);
  return st;
}

/* Event 2's team, author 1 and book 2; book 1 stays with event 1. */
static inline tomb_status run_kin_foresight(tomb_error *err) {
  tomb_query query = of_key(tomb_deleted_objects(author), 1);
  tomb_foresight ahead = {tomb_rows_new(db), tomb_rows_new(db),
                          tomb_rows_new(db)};
  tomb_status st = TOMB_NOMEM;
  if (ahead.report != NULL && ahead.conflicts != NULL &&
      ahead.parents != NULL) {
    st = tomb_foresee_restore(&ahead, db, &query, true, err);
    if (st == TOMB_OK) st = tomb_foresee_undo(&ahead, db, 1, err);
  }
  if (st == TOMB_OK) {
    /* team, authors, a book and one held; of the undo one held, and its author
    ** and no more of the dead above */
    CHECK_INT((int64_t)tomb_rows_count(ahead.report), 5);
    CHECK_INT((int64_t)tomb_rows_count(ahead.parents), 3);
    CHECK_INT((int64_t)tomb_rows_count(ahead.conflicts), 0);
  }
  tomb_rows_free(ahead.report);
  tomb_rows_free(ahead.conflicts);
  tomb_rows_free(ahead.parents);
  return st;
}

/* Book 1 is asked about below author 1. */
static inline tomb_status run_kin_ask_below(tomb_error *err) {
  tomb_restore_job *job;
  tomb_value pk;
  int64_t restored = 0;
  const tomb_strategy asks[] = {{book, TOMB_CONFLICT_ASK}};
  tomb_query query = of_key(tomb_deleted_objects(author), 1);
  tomb_restoration how = {.now = tick(), .strategies = asks, .n_strategies = 1};
  tomb_status st = tomb_restore_open(&job, db, &query, &how, err);
  if (st != TOMB_OK) return st;
  while ((st = tomb_restore_next(job, &pk, err)) == TOMB_ROW) {
    CHECK(tomb_restore_model(job) == book);
    CHECK_INT(pk.as.integer, 1);
    st = tomb_restore_resolve(job, TOMB_CONFLICT_RENAME, NULL, err);
    if (st != TOMB_OK) break;
  }
  if (st == TOMB_DONE) {
    st = tomb_restore_close(job, &restored, err);
    CHECK_INT(restored, st == TOMB_OK ? 1 : 0);
    return st;
  }
  tomb_restore_close(job, NULL, NULL);
  return st;
}

static inline tomb_status undo_kin(int64_t event, int64_t wanted,
                                   tomb_on_conflict word, tomb_error *err) {
  int64_t restored;
  tomb_restoration how = {.now = tick(), .on_conflict = word};
  tomb_status st = tomb_undo(&restored, db, event, &how, err);
  CHECK_INT(restored, st == TOMB_OK ? wanted : 0);
  return st;
}

static inline tomb_status run_kin_undo(tomb_error *err) {
  return undo_kin(2, 4, TOMB_CONFLICT_FAIL, err);
}

static inline tomb_status run_kin_undo_first(tomb_error *err) {
  return undo_kin(1, 0, TOMB_CONFLICT_FAIL, err);
}

static inline tomb_status run_kin_undo_refused(tomb_error *err) {
  return undo_kin(1, 0, TOMB_CONFLICT_FAIL, err);
}

static inline tomb_status run_kin_undo_skip(tomb_error *err) {
  return undo_kin(1, 2, TOMB_CONFLICT_SKIP, err);
}

static inline tomb_status run_kin_undo_replace(tomb_error *err) {
  return undo_kin(1, 3, TOMB_CONFLICT_REPLACE, err);
}

static inline tomb_status restore_kin(const tomb_model *model, bool parents,
                                      tomb_on_conflict word, tomb_error *err) {
  int64_t restored;
  tomb_query dead = of_key(tomb_deleted_objects(model), 1);
  tomb_restoration how = {
      .now = tick(), .parents = parents, .on_conflict = word};
  tomb_status st = tomb_restore(&restored, db, &dead, &how, err);
  CHECK_INT(restored, st == TOMB_OK ? 1 : 0);
  return st;
}

static inline tomb_status run_kin_restore(tomb_error *err) {
  return restore_kin(team, false, TOMB_CONFLICT_FAIL, err);
}

static inline tomb_status run_kin_restore_refused(tomb_error *err) {
  return restore_kin(book, false, TOMB_CONFLICT_FAIL, err);
}

static inline tomb_status run_kin_restore_parents(tomb_error *err) {
  return restore_kin(book, true, TOMB_CONFLICT_FAIL, err);
}

static inline tomb_status run_kin_restore_rename(tomb_error *err) {
  return restore_kin(author, false, TOMB_CONFLICT_RENAME, err);
}

static inline tomb_status purge_kin(const tomb_model *model, tomb_error *err) {
  int64_t purged;
  tomb_query query = of_key(tomb_all_objects(model), 1);
  tomb_purging how = {.living = true, .deletion = {.now = tick()}};
  tomb_status st = tomb_purge(&purged, db, &query, &how, err);
  CHECK_INT(purged, st == TOMB_OK ? 1 : 0);
  return st;
}

static inline tomb_status run_kin_purge(tomb_error *err) {
  return purge_kin(author, err);
}

static inline tomb_status forget_kin(bool dry_run, tomb_error *err) {
  int64_t forgotten;
  tomb_value key = tomb_integer(1);
  tomb_rows *report = tomb_rows_new(db);
  tomb_purging how = {.dry_run = dry_run,
                      .deletion = {.now = tick(), .reason = "asked"},
                      .report = report};
  if (report == NULL) return TOMB_NOMEM;
  tomb_status st = tomb_forget(&forgotten, db, author, &key, &how, err);
  CHECK_INT(forgotten, st == TOMB_OK ? 1 : 0);
  tomb_rows_free(report);
  return st;
}

static inline tomb_status run_kin_forget(tomb_error *err) {
  return forget_kin(false, err);
}

static inline tomb_status run_kin_foresee(tomb_error *err) {
  int64_t purged;
  tomb_query query = of_key(tomb_all_objects(team), 1);
  tomb_rows *report = tomb_rows_new(db);
  tomb_purging how = {.living = true, .dry_run = true, .report = report};
  if (report == NULL) return TOMB_NOMEM;
  tomb_status st = tomb_purge(&purged, db, &query, &how, err);
  if (st == TOMB_OK) st = forget_kin(true, err);
  CHECK_INT(purged, st == TOMB_OK ? 1 : purged);
  tomb_rows_free(report);
  return st;
}

/* Book 2 holds its author; author 2 goes. */
static inline tomb_status run_kin_expire(tomb_error *err) {
  int64_t purged = 0, left = 0;
  int64_t later = clock_now + 2 * DAY;
  tomb_rows *report = tomb_rows_new(db);
  if (report == NULL) return TOMB_NOMEM;
  tomb_status st = tomb_preview_expired(report, db, later, err);
  if (st == TOMB_OK) {
    st = tomb_purge_expired(&purged, &left, db, author, later, report, err);
  }
  CHECK_INT(purged, st == TOMB_OK ? 1 : 0);
  CHECK_INT(left, st == TOMB_OK ? 1 : 0);
  tomb_rows_free(report);
  return st;
}

static inline tomb_status run_kin_insert(tomb_error *err) {
  return add_kin(memo, "new", 2, err);
}

static inline tomb_status run_kin_insert_refused(tomb_error *err) {
  return add_kin(memo, "new", 1, err);
}

static inline tomb_status run_kin_update(tomb_error *err) {
  int64_t changed;
  tomb_query living = tomb_objects(memo);
  tomb_assignment a = {tomb_model_field(memo, KIN_PARENT), tomb_integer(2),
                       NULL};
  return tomb_update(&changed, db, &living, &a, 1, tick(), NULL, err);
}

#endif
