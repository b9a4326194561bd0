/* transaction.c - transactions, and savepoints where they nest. */
#include "error.h"
#include "store.h"

int tomb_depth(const tomb_db *db) {
  return db->depth;
}

bool tomb_in_transaction(const tomb_db *db) {
  return db->conn != NULL && db->driver->in_transaction(db->conn);
}

static tomb_status numbered(tomb_db *db, const char *text, int n,
                            tomb_error *err) {
  tomb_sql_clear(&db->sql);
  tomb_sql_add(&db->sql, text);
  tomb_buf_integer(&db->sql.text, n);
  return tomb_store_run(db, NULL, err);
}

/* Others, whose transaction is around ours, keep it: then the outermost level
** is a savepoint too. */
static bool is_savepoint(const tomb_db *db, int level) {
  return level > 0 || db->inside;
}

tomb_status tomb_begin(tomb_db *db, tomb_error *err) {
  const tomb_dialect *d = db->driver->dialect;
  tomb_status st = tomb_store_start_write(db, err);
  if (st != TOMB_OK) return st;
  if (db->depth == 0) {
    db->inside = db->borrowed && db->driver->in_transaction(db->conn);
  }
  st = is_savepoint(db, db->depth) ? numbered(db, d->savepoint, db->depth, err)
                                   : tomb_store_text(db, d->begin, err);
  if (st == TOMB_OK) db->depth++;
  return st;
}

static tomb_status need_transaction(const tomb_db *db, tomb_error *err) {
  if (db->conn != NULL && db->depth > 0) return TOMB_OK;
  if (tomb_is_inherited(db)) return tomb_check_open(db, err);
  return tomb_fail(err, TOMB_MISUSE, "There is no transaction to end");
}

/* One level less; the last one forgets what only it could know. */
static void end_level(tomb_db *db, bool kept) {
  tomb_shared_event *shared = &db->shared;
  if (shared->born >= db->depth) {
    if (!kept) shared->id = 0;
    shared->born = db->depth - 1;
  }
  if (shared->depth == db->depth) shared->depth = 0;
  if (db->lost >= db->depth) db->lost = 0;
  if (--db->depth == 0) db->event_ids_known = false;
}

/* What could not be undone is still there: then the level around it cannot be
** kept either, and without one a rollback is owed. Or all of it is undone, with
** the transaction of the host around it. */
static void owe_rollback(tomb_db *db, int level) {
  if (level == 0) {
    db->unended = true;
    db->swept = db->inside && !db->driver->in_transaction(db->conn);
  } else if (db->lost == 0 || db->lost > level) {
    db->lost = level;
  }
}

static tomb_status roll_back(tomb_db *db, int level, tomb_error *err) {
  const tomb_dialect *d = db->driver->dialect;
  if (!is_savepoint(db, level)) return tomb_store_text(db, d->rollback, err);
  tomb_status st = numbered(db, d->rollback_to, level, err);
  if (st == TOMB_OK) {
    numbered(db, d->release, level, NULL); /* an empty savepoint may stay */
  }
  return st;
}

/* What others have ended is not there to be undone. */
static bool is_owed(const tomb_db *db, tomb_status st) {
  return st != TOMB_OK && !(db->borrowed && st == TOMB_MISUSE);
}

static tomb_status undo_level(tomb_db *db, tomb_error *err) {
  int around = db->depth - 1;
  if (!db->driver->in_transaction(db->conn)) return TOMB_OK;
  tomb_status st = roll_back(db, around, err);
  if (is_owed(db, st)) owe_rollback(db, around);
  return st;
}

tomb_status tomb_rollback(tomb_db *db, tomb_error *err) {
  tomb_status st = need_transaction(db, err);
  if (st != TOMB_OK) return st;
  st = undo_level(db, err);
  end_level(db, false);
  return st;
}

static tomb_status lost(tomb_db *db, tomb_error *err) {
  tomb_status st = tomb_store_start(db, err);
  undo_level(db, NULL);
  end_level(db, false);
  return st;
}

tomb_status tomb_commit(tomb_db *db, tomb_error *err) {
  const tomb_dialect *d = db->driver->dialect;
  tomb_status st = need_transaction(db, err);
  if (st != TOMB_OK) return st;
  if (db->lost != 0) return lost(db, err);
  st = is_savepoint(db, db->depth - 1)
           ? numbered(db, d->release, db->depth - 1, err)
           : tomb_store_text(db, d->commit, err);
  if (st != TOMB_OK) undo_level(db, NULL);
  end_level(db, st == TOMB_OK);
  return st;
}

/* Once: what comes next may be a part of what the host has begun anew. */
static tomb_status say_swept(tomb_db *db, tomb_error *err) {
  db->unended = db->swept = false;
  tomb_fail(err, TOMB_DATABASE,
            "The host's transaction is gone - the database ended it where a "
            "part could not be undone");
  tomb_error_hint(
      err, "roll back, and run the whole of the host's transaction again");
  return TOMB_DATABASE;
}

tomb_status tomb_store_make_up(tomb_db *db, tomb_error *err) {
  tomb_status st = TOMB_OK;
  if (db->swept) return say_swept(db, err);
  if (db->driver->in_transaction(db->conn)) st = roll_back(db, 0, err);
  db->unended = is_owed(db, st);
  return db->unended ? st : TOMB_OK;
}

void tomb_store_abandon(tomb_db *db) {
  if ((db->depth == 0 && !db->unended) || tomb_is_inherited(db)) return;
  if (db->driver->in_transaction(db->conn)) {
    db->driver->abandon(db->conn, db->inside);
  }
}

void tomb_store_look(tomb_db *db) {
  db->around = db->borrowed && db->driver->in_transaction(db->conn);
}

static tomb_status refuse_raw(const tomb_db *db, tomb_error *err) {
  tomb_fail(err, TOMB_MISUSE, "Raw SQL cannot begin or end a transaction");
  tomb_error_hint(err, db->depth == 0 && db->around
                           ? "the host's transaction is over now"
                           : "use db:transaction");
  return TOMB_MISUSE;
}

tomb_status tomb_store_settle(tomb_db *db, tomb_error *err) {
  bool open = db->driver->in_transaction(db->conn);
  bool expected = db->depth > 0 || db->around;
  if (open == expected || db->lost != 0 || db->unended) return TOMB_OK;
  if (db->depth > 0) {
    db->lost = 1;
  } else if (open) {
    db->unended = true;
    db->inside = false;
    tomb_store_make_up(db, NULL);
  }
  return refuse_raw(db, err);
}

tomb_status tomb_store_enter(tomb_db *db, tomb_error *err) {
  return tomb_begin(db, err);
}

tomb_status tomb_store_leave(tomb_db *db, tomb_status st, tomb_error *err) {
  if (st == TOMB_OK) return tomb_commit(db, err);
  tomb_rollback(db, NULL); /* the first failure is the one to tell */
  return st;
}

tomb_status tomb_step_begin(tomb_step *step, tomb_db *db, tomb_error *err) {
  step->own = db->depth == 0;
  step->wrote = false;
  return step->own ? tomb_begin(db, err) : TOMB_OK;
}

tomb_status tomb_step_end(const tomb_step *step, tomb_db *db, tomb_status st,
                          tomb_error *err) {
  if (step->own) return tomb_store_leave(db, st, err);
  if (st != TOMB_OK && step->wrote) owe_rollback(db, db->depth);
  return st;
}
