/* trash.h - posts that are dead, and short words for bringing them back. */
#ifndef SPEC_TRASH_H
#define SPEC_TRASH_H

#include "posts.h"

static inline tomb_status restore(tomb_query query, tomb_on_conflict word) {
  int64_t restored = -1;
  tomb_status st = try_restore(&restored, query, word);
  if (st != TOMB_OK) CHECK_INT(restored, 0);
  return st;
}

static inline tomb_query dead(void) {
  return tomb_deleted_objects(post);
}

/* All posts as "1 a, 2 b*": the dead have a star. */
static inline const char *all_posts(void) {
  return ask("SELECT group_concat(id || ' ' || tombstone_original(title, "
             "deleted_at) || iif(deleted_at IS NULL, '', '*'), ', ') FROM "
             "(SELECT * FROM posts ORDER BY id)");
}

/* Dead posts 1 and 2 of one title, and 3 of another, all deleted apart. */
static inline void open_twins(void) {
  open_posts();
  for (int i = 0; i < 3; i++) {
    delete_post(add_post(i < 2 ? "twin" : "single", i));
  }
}

#endif
