/* levels.h - transactions in short words, on a database that can be made to
** fail. */
#ifndef SPEC_LEVELS_H
#define SPEC_LEVELS_H

#include "posts.h"

#include "fake.h"

static const tomb_error broken = {.kind = TOMB_DATABASE,
                                  .message = "disk I/O error"};

static inline tomb_status begin(void) {
  return tomb_begin(db, &check_error);
}

static inline tomb_status commit(void) {
  return tomb_commit(db, &check_error);
}

static inline tomb_status rollback(void) {
  return tomb_rollback(db, &check_error);
}

static inline int64_t posts(void) {
  return count_of(tomb_all_objects(post));
}

static inline void open_fake_posts(void) {
  MUST(tomb_open_fake(&db, ":memory:", NULL, &check_error));
  define_posts();
  MUST(tomb_create_tables(db, &check_error));
}

/* Nothing runs any more but the way out. */
static inline void check_gone(void) {
  int64_t n;
  tomb_query all = tomb_objects(post);
  CHECK_STATUS(tomb_count(&n, db, &all, &check_error), TOMB_DATABASE);
  CHECK_STATUS(try_exec("INSERT INTO posts (title, views) VALUES ('x', 0)"),
               TOMB_DATABASE);
  CHECK_STATUS(begin(), TOMB_DATABASE);
}

#endif
