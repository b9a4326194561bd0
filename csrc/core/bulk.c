/* bulk.c - many inserts, all or none. */
#include <string.h>

#include "error.h"
#include "keys.h"
#include "verbs.h"

struct tomb_bulk {
  tomb_db *db;
  const tomb_model *model;
  tomb_step step;
  tomb_keys *keys; /* of the rows so far, inside somebody's transaction */
  bool untold;     /* a row is there whose key could not be noted */
};

tomb_status tomb_bulk_open(tomb_bulk **out, tomb_db *db,
                           const tomb_model *model, tomb_error *err) {
  tomb_bulk *bulk = tomb_realloc(&db->allocator, NULL, 0, sizeof *bulk);
  *out = NULL;
  if (bulk == NULL) return tomb_out_of_memory(err);
  memset(bulk, 0, sizeof *bulk);
  bulk->db = db;
  bulk->model = model;
  bulk->keys = tomb_keys_new(&db->allocator);
  tomb_status st = bulk->keys == NULL ? tomb_out_of_memory(err)
                                      : tomb_step_begin(&bulk->step, db, err);
  if (st == TOMB_OK) {
    *out = bulk;
    return TOMB_OK;
  }
  tomb_keys_free(bulk->keys);
  tomb_release(&db->allocator, bulk, sizeof *bulk);
  return st;
}

tomb_status tomb_bulk_insert(tomb_bulk *bulk, tomb_value *values, int64_t now,
                             tomb_error *err) {
  const tomb_field *key = tomb_key_field(bulk->model);
  tomb_status st = tomb_insert(bulk->db, bulk->model, values, now, err);
  if (st != TOMB_OK) return st;
  bulk->step.wrote = true;
  if (bulk->step.own || tomb_keys_add(bulk->keys, &values[key->index])) {
    return TOMB_OK;
  }
  bulk->untold = true;
  return tomb_out_of_memory(err);
}

/* Inside a transaction the rows go again by their keys. */
static tomb_status take_back(tomb_bulk *bulk, tomb_error *err) {
  tomb_query query = tomb_all_objects(bulk->model);
  if (bulk->untold) return TOMB_NOMEM;
  query.among = bulk->keys;
  query.among_to = tomb_keys_count(bulk->keys);
  if (query.among_to == 0) return TOMB_OK;
  tomb_statement statement = tomb_statement_on(&query);
  statement.is_write = true;
  statement.fence = TOMB_EVERY;
  return tomb_store_write(NULL, bulk->db, bulk->db->driver->dialect->erase,
                          &statement, NULL, err);
}

static tomb_status end(tomb_bulk *bulk, bool keep, tomb_error *err) {
  tomb_db *db = bulk->db;
  if (!tomb_is_open(db)) { /* closing has rolled back */
    return keep ? tomb_check_open(db, err) : TOMB_OK;
  }
  if (keep) return tomb_step_end(&bulk->step, db, TOMB_OK, err);
  if (bulk->step.own) return tomb_rollback(db, err);
  return tomb_step_end(&bulk->step, db, take_back(bulk, err), err);
}

tomb_status tomb_bulk_close(tomb_bulk *bulk, bool keep, tomb_error *err) {
  tomb_db *db = bulk->db;
  tomb_status st = end(bulk, keep, err);
  tomb_keys_free(bulk->keys);
  tomb_release(&db->allocator, bulk, sizeof *bulk);
  return st;
}
