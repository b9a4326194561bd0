/* db.c - a database handle: its making, its models, its end. */
#include <string.h>

#include "error.h"
#include "rows.h"
#include "store.h"

static bool add_model(tomb_db *db, tomb_model *model) {
  void *models = db->models;
  if (!tomb_grow(&db->allocator, &models, &db->models_capacity, db->n_models,
                 sizeof *db->models)) {
    return false;
  }
  db->models = models;
  db->models[db->n_models++] = model;
  return true;
}

tomb_status tomb_define(const tomb_model **out, tomb_db *db,
                        const tomb_model_def *def, tomb_error *err) {
  tomb_model *model;
  if (out != NULL) *out = NULL;
  if (def->name != NULL && tomb_model_named(db, def->name) != NULL) {
    tomb_fail(err, TOMB_MISUSE, "There is a model '%s' already", def->name);
    tomb_error_hint(err, "a model is declared once a database");
    return TOMB_MISUSE;
  }
  tomb_status st = tomb_model_new(&model, &db->allocator, def, err);
  if (st != TOMB_OK) return st;
  st = tomb_check_links(model, db->models, db->n_models, err);
  if (st != TOMB_OK || out == NULL) {
    tomb_model_free(model);
    return st;
  }
  if (!add_model(db, model)) {
    tomb_model_free(model);
    return tomb_out_of_memory(err);
  }
  tomb_link(model, db->models, db->n_models);
  *out = model;
  return TOMB_OK;
}

const tomb_model *tomb_model_named(const tomb_db *db, const char *name) {
  for (size_t i = 0; i < db->n_models; i++) {
    if (strcmp(db->models[i]->name, name) == 0) return db->models[i];
  }
  return NULL;
}

const tomb_model *tomb_model_at(const tomb_db *db, size_t i) {
  return i < db->n_models ? db->models[i] : NULL;
}

tomb_status tomb_db_new(tomb_db **out, const tomb_driver *driver,
                        tomb_conn *conn, const tomb_options *options,
                        tomb_error *err) {
  tomb_allocator none = {NULL, NULL};
  tomb_allocator a =
      tomb_allocator_or_malloc(options == NULL ? none : options->allocator);
  tomb_db *db = tomb_realloc(&a, NULL, 0, sizeof *db);
  *out = NULL;
  if (db == NULL) {
    driver->close(conn);
    return tomb_out_of_memory(err);
  }
  memset(db, 0, sizeof *db);
  db->allocator = a;
  db->driver = driver;
  db->conn = conn;
  db->read_only = options != NULL && options->read_only;
  db->borrowed = driver->commons(conn)->lent;
  db->statements.a = &db->allocator;
  db->statements.driver = driver;
  db->statements.conn = conn;
  db->statements.capacity = options == NULL || options->statement_cache == 0
                                ? 64
                                : options->statement_cache;
  tomb_sql_init(&db->sql, driver->dialect, &db->allocator);
  tomb_status st = tomb_define(&db->events, db, &tomb_event_def, err);
  if (st == TOMB_OK) st = tomb_define(&db->owners, db, &tomb_owner_def, err);
  if (st != TOMB_OK) {
    tomb_free(db);
    return st;
  }
  *out = db;
  return TOMB_OK;
}

unsigned tomb_take_takings(tomb_db *db) {
  unsigned number = 1, *in_use = &db->driver->commons(db->conn)->takings;
  while (number < 32 && (*in_use & (1u << number)) != 0) number++;
  if (number == 32) return 0;
  *in_use |= 1u << number;
  db->takings |= 1u << number;
  return number;
}

/* A handle that is closed has dropped all of its. */
void tomb_drop_takings(tomb_db *db, unsigned which) {
  which &= db->takings;
  if (db->conn != NULL) db->driver->commons(db->conn)->takings &= ~which;
  db->takings &= ~which;
}

void tomb_close_now(tomb_db *db) {
  tomb_store_abandon(db);
  tomb_drop_takings(db, db->takings);
  tomb_statements_free(&db->statements);
  db->driver->close(db->conn); /* leaves alone what is inherited */
  db->conn = NULL;
  db->depth = db->lost = 0;
  db->unended = db->swept = db->event_ids_known = false;
}

/* A finalizer may close the handle while a row of it is being read: the
** last cursor then closes it. */
void tomb_close(tomb_db *db) {
  if (db->conn == NULL) return;
  db->closing = true;
  if (db->cursors == 0) tomb_close_now(db);
}

static void release_text(tomb_db *db, char *text) {
  if (text != NULL) tomb_release(&db->allocator, text, strlen(text) + 1);
}

void tomb_free(tomb_db *db) {
  if (db == NULL) return;
  tomb_close(db);
  for (size_t i = 0; i < db->n_models; i++) tomb_model_free(db->models[i]);
  tomb_release(&db->allocator, db->models,
               db->models_capacity * sizeof *db->models);
  release_text(db, db->shared.actor);
  release_text(db, db->shared.reason);
  tomb_sql_free(&db->sql);
  tomb_rows_free(db->log);
  tomb_allocator a = db->allocator;
  tomb_release(&a, db, sizeof *db);
}

bool tomb_has_cascades(const tomb_db *db) {
  for (size_t i = 0; i < db->n_models; i++) {
    const tomb_model *model = db->models[i];
    for (size_t j = 0; j < model->n_relations; j++) {
      if (model->relations[j].on_delete == TOMB_CASCADE) return true;
    }
  }
  return false;
}

tomb_conn *tomb_db_conn(tomb_db *db) {
  return db->conn;
}

tomb_info tomb_db_info(const tomb_db *db) {
  tomb_info info = {db->driver->name, NULL, NULL};
  if (db->conn != NULL) {
    info.version = db->driver->version(db->conn);
    info.warning = db->driver->warning(db->conn);
  }
  return info;
}

tomb_status tomb_backup(tomb_db *db, const char *path, tomb_error *err) {
  tomb_status st = tomb_store_start(db, err);
  return st == TOMB_OK ? db->driver->backup(db->conn, path, err) : st;
}

tomb_rows *tomb_rows_new(const tomb_db *db) {
  return tomb_rows_with(&db->allocator);
}

void tomb_log_keep(tomb_db *db, bool on) {
  db->logging = on;
}

tomb_rows *tomb_log_take(tomb_db *db) {
  tomb_rows *log = db->log;
  db->log = NULL;
  return log;
}
