/*
** eventlog.c - events that hold nothing any more, or are about rows that go.
**
** An event holds the rows whose first owner it is (deleted_event) and those
** that have it as a further one (tombstone_owner); it is about the row that its
** model and pk name.
*/
#include "eventlog.h"

#include "report.h"

/* ---- what an event holds ------------------------------------------ */

static const tomb_field *column(const tomb_db *db, const char *name,
                                size_t size) {
  return tomb_model_find(db->events, name, size);
}

static const tomb_field *event_of(const tomb_model *model) {
  return model->roles[TOMB_ROLE_DELETED_EVENT];
}

static const tomb_keys *gone_of(const tomb_closure *gone, size_t i) {
  bool some = gone != NULL && tomb_keys_count(gone->keys[i]) > 0;
  return some && event_of(gone->order[i]) != NULL ? gone->keys[i] : NULL;
}

/* alias."model" = it AND alias."pk" is one of the keys */
static void is_row_of(tomb_sql *sql, const char *alias, const tomb_model *model,
                      const tomb_keys *keys) {
  tomb_sql_add(sql, "(");
  tomb_sql_add(sql, alias);
  tomb_sql_add(sql, ".\"model\" = ");
  tomb_sql_name_of(sql, model);
  tomb_sql_add(sql, " AND ");
  tomb_sql_add(sql, alias);
  tomb_sql_add(sql, ".\"pk\"");
  tomb_sql_among_texts(sql, keys);
  tomb_sql_add(sql, ")");
}

static void is_no_first_owner(tomb_sql *sql, const tomb_db *db,
                              const tomb_model *model,
                              const tomb_closure *gone) {
  tomb_sql_add(sql, " AND NOT EXISTS (SELECT 1 FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " AS x WHERE ");
  tomb_sql_field_of(sql, "x", event_of(model));
  tomb_sql_add(sql, " = ");
  tomb_sql_field_of(sql, db->events->quoted, tomb_key_field(db->events));
  if (gone != NULL) tomb_closure_but(sql, gone, model);
  tomb_sql_add(sql, ")");
}

/* " AND" it holds no row but the closure's; NULL: none. */
static void holds_nothing(tomb_sql *sql, const tomb_db *db,
                          const tomb_closure *gone) {
  for (size_t i = 0; i < db->n_models; i++) {
    if (event_of(db->models[i]) == NULL) continue;
    is_no_first_owner(sql, db, db->models[i], gone);
  }
  if (!tomb_has_cascades(db)) return;
  tomb_sql_add(sql, " AND NOT EXISTS (SELECT 1 FROM ");
  tomb_sql_add(sql, db->owners->quoted);
  tomb_sql_add(sql, " AS o WHERE o.\"event\" = ");
  tomb_sql_field_of(sql, db->events->quoted, tomb_key_field(db->events));
  for (size_t i = 0; gone != NULL && i < gone->n; i++) {
    const tomb_keys *keys = gone_of(gone, i);
    if (keys == NULL) continue;
    tomb_sql_add(sql, " AND NOT ");
    is_row_of(sql, "o", gone->order[i], keys);
  }
  tomb_sql_add(sql, ")");
}

/* ---- retention ---------------------------------------------------- */

static void expired(tomb_sql *sql, const tomb_db *db, const tomb_model *model,
                    int64_t before, const tomb_closure *gone) {
  tomb_value time = tomb_time(before);
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, db->events->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, column(db, "model", 5));
  tomb_sql_add(sql, " = ");
  tomb_sql_name_of(sql, model);
  tomb_sql_add(sql, " AND ");
  tomb_sql_field(sql, column(db, "at", 2));
  tomb_sql_add(sql, " < ");
  tomb_sql_value(sql, &time);
  holds_nothing(sql, db, gone);
}

tomb_status tomb_expire_events(int64_t *count, tomb_db *db,
                               const tomb_model *model, int64_t before,
                               tomb_error *err) {
  *count = 0;
  tomb_status st = tomb_store_start_write(db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(&db->sql, "DELETE");
  expired(&db->sql, db, model, before, NULL);
  st = tomb_store_run(db, NULL, err);
  if (st == TOMB_OK) *count = tomb_store_changes(db);
  return st;
}

tomb_status tomb_count_expired_events(int64_t *count, const tomb_closure *gone,
                                      const tomb_model *model, int64_t before,
                                      tomb_error *err) {
  tomb_db *db = gone->db;
  *count = 0;
  tomb_status st = tomb_store_start(db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(&db->sql, "SELECT count(*)");
  expired(&db->sql, db, model, before, gone);
  return tomb_store_integer(count, db, err);
}

/* ---- forgetting --------------------------------------------------- */

bool tomb_is_logged(const tomb_closure *gone) {
  bool logged = false;
  for (size_t i = 0; i < gone->n; i++) {
    logged = logged || gone_of(gone, i) != NULL;
  }
  return logged;
}

static void is_about(tomb_sql *sql, const tomb_closure *gone) {
  bool first = true;
  for (size_t i = 0; i < gone->n; i++) {
    const tomb_keys *keys = gone_of(gone, i);
    if (keys == NULL) continue;
    tomb_sql_join(sql, &first, "(", " OR ");
    is_row_of(sql, gone->db->events->quoted, gone->order[i], keys);
  }
  tomb_sql_add(sql, ")");
}

/* SELECT the events that own rows of the closure's i-th model */
static void owners(tomb_sql *sql, const tomb_closure *gone, size_t i) {
  const tomb_model *model = gone->order[i];
  tomb_sql_add(sql, "SELECT ");
  tomb_sql_field(sql, event_of(model));
  tomb_sql_add(sql, " FROM ");
  tomb_sql_add(sql, model->quoted);
  tomb_sql_add(sql, " WHERE ");
  tomb_sql_field(sql, event_of(model));
  tomb_sql_add(sql, " IS NOT NULL AND ");
  tomb_sql_field(sql, tomb_key_field(model));
  tomb_sql_among(sql, gone->keys[i], 0);
  if (!tomb_has_cascades(gone->db)) return;
  tomb_sql_add(sql, " UNION SELECT o.\"event\" FROM ");
  tomb_sql_add(sql, gone->db->owners->quoted);
  tomb_sql_add(sql, " AS o WHERE ");
  is_row_of(sql, "o", model, gone->keys[i]);
}

static void holds(tomb_sql *sql, const tomb_closure *gone) {
  bool first = true;
  tomb_sql_field(sql, tomb_key_field(gone->db->events));
  for (size_t i = 0; i < gone->n; i++) {
    if (gone_of(gone, i) == NULL) continue;
    tomb_sql_join(sql, &first, " IN (", " UNION ");
    owners(sql, gone, i);
  }
  tomb_sql_add(sql, ")");
}

/* " WHERE" it is neither the one that is being made nor a shared one */
static void among_others(tomb_sql *sql, const tomb_db *db, int64_t own) {
  bool shares = db->shared.depth > 0;
  const tomb_value but[] = {tomb_integer(own),
                            tomb_integer(shares ? db->shared.id : 0)};
  for (size_t i = 0; i < 2; i++) {
    tomb_sql_add(sql, i == 0 ? " WHERE " : " AND ");
    tomb_sql_field(sql, tomb_key_field(db->events));
    tomb_sql_add(sql, " <> ");
    tomb_sql_value(sql, &but[i]);
  }
}

static tomb_status start(tomb_db *db, const char *look, const char *write,
                         bool dry_run, tomb_error *err) {
  tomb_status st =
      dry_run ? tomb_store_start(db, err) : tomb_store_start_write(db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(&db->sql, dry_run ? look : write);
  tomb_sql_add(&db->sql, db->events->quoted);
  return TOMB_OK;
}

static tomb_status run(tomb_report_kind kind, tomb_db *db, bool dry_run,
                       tomb_rows *report, tomb_error *err) {
  int64_t n;
  if (dry_run) {
    return tomb_report_counted(report, kind, &n, db, db->events, NULL, err);
  }
  tomb_status st = tomb_store_run(db, NULL, err);
  if (st != TOMB_OK) return st;
  return tomb_report_changes(report, kind, db, db->events, NULL, err);
}

static tomb_status remove_empty(const tomb_closure *gone, int64_t own,
                                bool dry_run, tomb_rows *report,
                                tomb_error *err) {
  tomb_db *db = gone->db;
  tomb_status st =
      start(db, "SELECT count(*) FROM ", "DELETE FROM ", dry_run, err);
  if (st != TOMB_OK) return st;
  among_others(&db->sql, db, own);
  tomb_sql_add(&db->sql, " AND (");
  is_about(&db->sql, gone);
  tomb_sql_add(&db->sql, " OR ");
  holds(&db->sql, gone);
  tomb_sql_add(&db->sql, ")");
  holds_nothing(&db->sql, db, gone);
  return run(TOMB_REPORT_REMOVED, db, dry_run, report, err);
}

static tomb_status clear_others(const tomb_closure *gone, int64_t own,
                                bool dry_run, tomb_rows *report,
                                tomb_error *err) {
  tomb_db *db = gone->db;
  tomb_status st = start(db, "SELECT count(*) FROM ", "UPDATE ", dry_run, err);
  if (st != TOMB_OK) return st;
  if (!dry_run) {
    tomb_sql_add(&db->sql,
                 " SET \"pk\" = NULL, \"actor\" = NULL, \"reason\" = NULL");
  }
  among_others(&db->sql, db, own);
  tomb_sql_add(&db->sql, " AND ");
  is_about(&db->sql, gone);
  tomb_sql_add(&db->sql, " AND NOT (1 = 1");
  holds_nothing(&db->sql, db, gone);
  tomb_sql_add(&db->sql, ")");
  return run(TOMB_REPORT_CLEARED, db, dry_run, report, err);
}

tomb_status tomb_forget_events(const tomb_closure *gone, int64_t own,
                               bool dry_run, tomb_rows *report,
                               tomb_error *err) {
  if (!tomb_is_logged(gone)) return TOMB_OK;
  tomb_status st = remove_empty(gone, own, dry_run, report, err);
  return st == TOMB_OK ? clear_others(gone, own, dry_run, report, err) : st;
}

tomb_status tomb_drop_event(tomb_db *db, int64_t event, tomb_error *err) {
  tomb_value id = tomb_integer(event);
  if (event == 0) return TOMB_OK;
  tomb_status st = tomb_store_start_write(db, err);
  if (st != TOMB_OK) return st;
  tomb_sql_add(&db->sql, "DELETE FROM ");
  tomb_sql_add(&db->sql, db->events->quoted);
  tomb_sql_add(&db->sql, " WHERE ");
  tomb_sql_field(&db->sql, tomb_key_field(db->events));
  tomb_sql_add(&db->sql, " = ");
  tomb_sql_value(&db->sql, &id);
  return tomb_store_run(db, NULL, err);
}
