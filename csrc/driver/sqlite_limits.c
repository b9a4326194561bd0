/*
** sqlite_limits.c - interrupts and limits: looked at before each statement,
** within long ones by SQLite's progress handler, and while one waits for a
** lock.
**
** A statement that ends a transaction is refused before it begins or runs to
** its end: stopped behind the commit it would be reported as undone. For the
** same reason no statement is stopped that has done its work (SQLite asks once
** more when it is over).
*/
#include "sqlite_limits.h"

#include <string.h>

#include "clock.h"
#include "error.h"
#include "sqlite_parts.h"

#define NONE INT64_MAX
#define MOST_BETWEEN 1000 /* steps: some ten microseconds */
#define LOOKS 64          /* in a budget of steps, at least */

static bool was_asked(const tomb_guard *g) {
  return __atomic_load_n(&g->asked, __ATOMIC_RELAXED) != 0;
}

static void set_asked(tomb_guard *g, int asked) {
  __atomic_store_n(&g->asked, asked, __ATOMIC_RELAXED);
}

/* Notes why, if it is so. */
static bool is_beyond(tomb_guard *g) {
  if (g->used >= g->span.ceiling) {
    g->stop = TOMB_STOP_STEPS;
  } else if (g->span.deadline != NONE && tomb_ticks() >= g->span.deadline) {
    g->stop = TOMB_STOP_TIME;
  }
  return g->stop != TOMB_GO_ON;
}

/* ---- while a statement runs --------------------------------------- */

static int look(void *ud) {
  tomb_conn *conn = ud;
  tomb_guard *g = &conn->guard;
  g->used += g->every;
  if (g->ending || g->running == NULL) return 0;
  return conn->sqlite->stmt_busy(g->running) && is_beyond(g);
}

/* Milliseconds; 0: the time is up. */
static int nap(const tomb_conn *conn, int64_t now, int count) {
  static const int naps[] = {1, 2, 5, 10, 15, 20, 25};
  const tomb_guard *g = &conn->guard;
  int64_t end = g->waiting_since + (int64_t)conn->patience_ms * 1000;
  if (!g->ending && g->span.deadline < end) end = g->span.deadline;
  int64_t left = (end - now + 999) / 1000;
  int wanted = naps[count < 6 ? count : 6];
  if (left <= 0) return 0;
  return left < wanted ? (int)left : wanted;
}

/* SQLite's own naps, but that they end when somebody asks for it. */
static int wait_a_little(void *ud, int count) {
  tomb_conn *conn = ud;
  tomb_guard *g = &conn->guard;
  int64_t now = tomb_ticks();
  if (count == 0) g->waiting_since = now;
  if (was_asked(g)) {
    g->stop = TOMB_STOP_ASKED;
    return 0;
  }
  int ms = nap(conn, now, count);
  if (ms > 0) {
    conn->sqlite->sleep(ms);
  } else if (!g->ending && now >= g->span.deadline) {
    g->stop = TOMB_STOP_TIME;
  }
  return ms > 0;
}

void tomb_sqlite_wait_as_told(tomb_conn *conn) {
  if (conn->loan != NULL) return;
  conn->sqlite->busy_handler(conn->db, wait_a_little, conn);
}

/* ---- what is said of it ------------------------------------------- */

static tomb_status tell(const tomb_guard *g, bool waited, tomb_error *err) {
  const char *where = waited ? ", waiting for a lock" : "";
  switch (g->stop) {
  case TOMB_STOP_TIME:
    tomb_fail(err, TOMB_INTERRUPTED,
              "The call was stopped - it took longer than %g ms%s",
              (double)g->span.given.timeout / 1000, where);
    tomb_error_hint(err, "nothing of it was kept: allow more with timeout_ms, "
                         "or do less in one call");
    break;
  case TOMB_STOP_STEPS:
    tomb_fail(err, TOMB_INTERRUPTED,
              "The call was stopped - it took more than %lld steps",
              (long long)g->span.given.max_steps);
    tomb_error_hint(err, "nothing of it was kept: allow more with max_steps, "
                         "or do less in one call");
    break;
  default:
    tomb_fail(err, TOMB_INTERRUPTED, "The call was interrupted%s", where);
    tomb_error_hint(err, "nothing of it was kept; the handle goes on");
  }
  return TOMB_INTERRUPTED;
}

static tomb_status explain(tomb_conn *conn, tomb_status st, tomb_error *err) {
  tomb_guard *g = &conn->guard;
  bool waited = st == TOMB_BUSY && g->stop != TOMB_GO_ON;
  if (st != TOMB_INTERRUPTED && !waited) return st;
  if (g->stop == TOMB_GO_ON || g->stop == TOMB_STOP_ASKED) set_asked(g, 0);
  int code = err == NULL ? 0 : err->code;
  tell(g, waited, err);
  g->stop = TOMB_GO_ON;
  if (err != NULL) err->code = code;
  return TOMB_INTERRUPTED;
}

/* ---- before a statement ------------------------------------------- */

static bool begins_with(const char *sql, size_t size, const char *word) {
  size_t n = strlen(word);
  return size >= n && memcmp(sql, word, n) == 0;
}

/* Between two calls: whoever interrupts then interrupts nothing. */
static bool is_idle(const tomb_conn *conn) {
  return !conn->guard.span.limited && conn->sqlite->get_autocommit(conn->db);
}

static bool is_stopped(tomb_guard *g, bool idle) {
  if (!was_asked(g)) return false;
  set_asked(g, 0);
  if (!idle) g->stop = TOMB_STOP_ASKED;
  return !idle;
}

static tomb_status admit(tomb_conn *conn, const char *sql, size_t size,
                         tomb_error *err) {
  tomb_guard *g = &conn->guard;
  g->stop = TOMB_GO_ON;
  g->ending = false;
  if (!g->span.limited && !was_asked(g)) return TOMB_OK;
  bool undoes =
      begins_with(sql, size, "ROLLBACK") || begins_with(sql, size, "RELEASE");
  g->ending = undoes || begins_with(sql, size, "COMMIT");
  if (undoes) return TOMB_OK;
  bool stopped = is_stopped(g, is_idle(conn)) || is_beyond(g);
  return stopped ? tell(g, false, err) : TOMB_OK;
}

tomb_status tomb_sqlite_go_on(tomb_conn *conn, tomb_error *err) {
  tomb_guard *g = &conn->guard;
  bool stopped = is_stopped(g, false) || is_beyond(g);
  return stopped ? tell(g, false, err) : TOMB_OK;
}

static tomb_status step(tomb_conn *conn, tomb_stmt *stmt, tomb_error *err) {
  conn->guard.running = stmt->handle;
  tomb_status st = tomb_sqlite_driver.step(stmt, err);
  conn->guard.running = NULL;
  return st;
}

/* ---- spans -------------------------------------------------------- */

static int looks_every(const tomb_guard *g) {
  int64_t each = g->span.ceiling == NONE ? MOST_BETWEEN
                                         : (g->span.ceiling - g->used) / LOOKS;
  return each < 1 ? 1 : each > MOST_BETWEEN ? MOST_BETWEEN : (int)each;
}

static void apply(tomb_conn *conn) {
  tomb_guard *g = &conn->guard;
  g->every = looks_every(g);
  if (g->span.limited) {
    conn->sqlite->progress_handler(conn->db, g->every, look, conn);
  } else {
    conn->sqlite->progress_handler(conn->db, 0, NULL, NULL);
  }
}

/* SQLite has one progress handler and one busy handler a connection. */
static tomb_status refuse_borrowed(tomb_error *err) {
  tomb_fail(err, TOMB_MISUSE, "A borrowed connection takes no limits");
  tomb_error_hint(err, "the host limits its connection itself, by a progress "
                       "handler of its own");
  return TOMB_MISUSE;
}

static tomb_status limit(tomb_span *outer, tomb_conn *conn,
                         const tomb_limits *limits, tomb_error *err) {
  tomb_guard *g = &conn->guard;
  if (conn->loan != NULL && (limits->timeout > 0 || limits->max_steps > 0)) {
    return refuse_borrowed(err);
  }
  *outer = g->span;
  if (is_idle(conn)) set_asked(g, 0);
  if (limits->timeout > 0) {
    int64_t now = tomb_ticks();
    if (limits->timeout < g->span.deadline - now) {
      g->span.deadline = now + limits->timeout;
      g->span.given.timeout = limits->timeout;
    }
    g->span.limited = true;
  }
  if (limits->max_steps > 0) {
    if (limits->max_steps < g->span.ceiling - g->used) {
      g->span.ceiling = g->used + limits->max_steps;
      g->span.given.max_steps = limits->max_steps;
    }
    g->span.limited = true;
  }
  if (g->span.limited) apply(conn);
  return TOMB_OK;
}

static void unlimit(tomb_conn *conn, const tomb_span *outer) {
  bool was_limited = conn->guard.span.limited;
  conn->guard.span = *outer;
  if (was_limited || outer->limited) apply(conn);
}

/* In a transaction of its host nobody can tell whether a call of ours runs. */
static void interrupt(tomb_conn *conn) {
  if (conn->loan == NULL) set_asked(&conn->guard, 1);
  conn->sqlite->interruptx(conn->db);
}

/* ---- connections -------------------------------------------------- */

static bool is_own(const tomb_conn *conn) {
  return tomb_born_here(&conn->guard.birth);
}

void tomb_sqlite_guard(tomb_conn *conn) {
  memset(&conn->guard, 0, sizeof conn->guard);
  conn->guard.span.deadline = conn->guard.span.ceiling = NONE;
  tomb_birth_note(&conn->guard.birth);
  tomb_sqlite_wait_as_told(conn);
}

bool tomb_sqlite_unguard(tomb_conn *conn) {
  if (!is_own(conn)) return false;
  tomb_birth_forget(&conn->guard.birth);
  return true;
}

int64_t tomb_memory_limit(int64_t bytes) {
  const sqlite3_api_routines *sqlite = tomb_sqlite_linked();
  return sqlite == NULL ? 0 : sqlite->hard_heap_limit64(bytes);
}

const tomb_bounds tomb_sqlite_bounds = {
    .is_own = is_own,
    .admit = admit,
    .step = step,
    .explain = explain,
    .interrupt = interrupt,
    .limit = limit,
    .unlimit = unlimit,
};
