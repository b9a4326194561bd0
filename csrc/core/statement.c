/* statement.c - prepared statements, kept by their text. */
#include "statement.h"

#include <string.h>

#include "error.h"

static uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
  return hash ^ (hash >> 29);
}

static uint64_t hash_of(const char *text, size_t size) {
  uint64_t hash = size, word;
  for (; size >= sizeof word; text += sizeof word, size -= sizeof word) {
    memcpy(&word, text, sizeof word);
    hash = mix(hash, word);
  }
  word = 0;
  memcpy(&word, text, size);
  return mix(hash, word);
}

/* ---- the list by last use, and the buckets ------------------------ */

static void unlink_use(tomb_statements *all, tomb_prepared *p) {
  if (p->newer != NULL) p->newer->older = p->older;
  if (p->older != NULL) p->older->newer = p->newer;
  if (all->newest == p) all->newest = p->older;
  if (all->oldest == p) all->oldest = p->newer;
}

static void link_newest(tomb_statements *all, tomb_prepared *p) {
  p->newer = NULL;
  p->older = all->newest;
  if (all->newest != NULL) all->newest->newer = p;
  all->newest = p;
  if (all->oldest == NULL) all->oldest = p;
}

static tomb_prepared **bucket_of(tomb_statements *all, uint64_t hash) {
  return &all->buckets[hash % TOMB_BUCKETS];
}

static void unchain(tomb_statements *all, tomb_prepared *p) {
  tomb_prepared **at = bucket_of(all, p->hash);
  while (*at != p) at = &(*at)->chain;
  *at = p->chain;
}

static tomb_prepared *find(tomb_statements *all, const char *text, size_t size,
                           uint64_t hash) {
  tomb_prepared *p = *bucket_of(all, hash);
  for (; p != NULL; p = p->chain) {
    if (p->hash == hash && p->size == size && !p->in_use &&
        memcmp(p->text, text, size) == 0) {
      return p;
    }
  }
  return NULL;
}

/* ---- making and dropping ------------------------------------------ */

/* In a process that has inherited them, statements are left alone: their end
** would touch the file. */
static bool is_own(const tomb_statements *all) {
  const tomb_bounds *bounds = all->driver->bounds;
  return bounds == NULL || bounds->is_own(all->conn);
}

static void release(tomb_statements *all, tomb_prepared *p) {
  if (p->stmt != NULL && is_own(all)) all->driver->finalize(p->stmt);
  tomb_release(all->a, p->values, p->n_columns * sizeof *p->values);
  tomb_release(all->a, (void *)p->fields, p->n_columns * sizeof *p->fields);
  tomb_release(all->a, p->text, p->size + 1);
  tomb_release(all->a, p, sizeof *p);
}

static void drop(tomb_statements *all, tomb_prepared *p) {
  unlink_use(all, p);
  unchain(all, p);
  all->count--;
  release(all, p);
}

/* All memory first, so that the driver's statement is never homeless. */
static tomb_prepared *new_prepared(tomb_statements *all, const char *text,
                                   size_t size, uint64_t hash) {
  tomb_prepared *p = tomb_realloc(all->a, NULL, 0, sizeof *p);
  if (p == NULL) return NULL;
  memset(p, 0, sizeof *p);
  p->text = tomb_realloc(all->a, NULL, 0, size + 1); /* never 0 bytes */
  if (p->text == NULL) {
    tomb_release(all->a, p, sizeof *p);
    return NULL;
  }
  memcpy(p->text, text, size);
  p->size = size;
  p->hash = hash;
  return p;
}

static bool make_columns(tomb_statements *all, tomb_prepared *p) {
  size_t n = all->driver->columns(p->stmt);
  if (n == 0) return true;
  p->values = tomb_realloc(all->a, NULL, 0, n * sizeof *p->values);
  if (p->values == NULL) return false;
  p->fields = tomb_realloc(all->a, NULL, 0, n * sizeof *p->fields);
  if (p->fields == NULL) {
    tomb_release(all->a, p->values, n * sizeof *p->values);
    p->values = NULL;
    return false;
  }
  memset((void *)p->fields, 0, n * sizeof *p->fields);
  p->n_columns = n;
  return true;
}

bool tomb_statements_refit(tomb_statements *all, tomb_prepared *p) {
  tomb_release(all->a, p->values, p->n_columns * sizeof *p->values);
  tomb_release(all->a, (void *)p->fields, p->n_columns * sizeof *p->fields);
  p->values = NULL;
  p->fields = NULL;
  p->n_columns = 0;
  return make_columns(all, p);
}

/* Comments may follow the statement; what does not even parse is more. */
static bool is_alone(tomb_statements *all, const char *rest, size_t size) {
  tomb_stmt *stmt;
  size_t used;
  tomb_status st =
      all->driver->prepare(all->conn, &stmt, rest, size, &used, NULL);
  if (stmt != NULL) all->driver->finalize(stmt);
  return st == TOMB_OK && stmt == NULL;
}

static tomb_status prepare(tomb_statements *all, tomb_prepared *p,
                           tomb_error *err) {
  size_t used;
  tomb_status st =
      all->driver->prepare(all->conn, &p->stmt, p->text, p->size, &used, err);
  if (st != TOMB_OK) return st;
  if (p->stmt == NULL) {
    return tomb_fail(err, TOMB_MISUSE, "There is no SQL statement to run");
  }
  if (used < p->size && !is_alone(all, p->text + used, p->size - used)) {
    tomb_fail(err, TOMB_MISUSE, "There is more than one SQL statement");
    tomb_error_hint(err, "run them one by one; exec takes a script when it "
                         "has no values");
    return TOMB_MISUSE;
  }
  return make_columns(all, p) ? TOMB_OK : tomb_out_of_memory(err);
}

static void drop_oldest_unused(tomb_statements *all) {
  tomb_prepared *p = all->oldest;
  while (p != NULL && p->in_use) p = p->newer;
  if (p != NULL) drop(all, p);
}

tomb_status tomb_statements_take(tomb_prepared **out, tomb_statements *all,
                                 const char *text, size_t size,
                                 tomb_error *err) {
  uint64_t hash = hash_of(text, size);
  tomb_prepared *p = find(all, text, size, hash);
  *out = NULL;
  if (p != NULL) {
    unlink_use(all, p);
  } else {
    if (all->count >= all->capacity) drop_oldest_unused(all);
    p = new_prepared(all, text, size, hash);
    if (p == NULL) return tomb_out_of_memory(err);
    tomb_status st = prepare(all, p, err);
    if (st != TOMB_OK) {
      release(all, p);
      return st;
    }
    p->chain = *bucket_of(all, hash);
    *bucket_of(all, hash) = p;
    all->count++;
  }
  link_newest(all, p);
  p->in_use = p->fresh = true;
  *out = p;
  return TOMB_OK;
}

void tomb_statements_give_back(tomb_statements *all, tomb_prepared *prepared) {
  if (is_own(all)) all->driver->reset(prepared->stmt);
  prepared->in_use = false;
  if (all->count > all->capacity) drop(all, prepared);
}

void tomb_statements_free(tomb_statements *all) {
  while (all->newest != NULL) drop(all, all->newest);
}
