/*
** embed.c - the engine in a C program, without Lua: a model, rows, a query,
** a deletion, the conflict of its restore, a purge.
**
**   ./build/test/embed            (the run script builds it)
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tombstone.h"

enum { ID, TITLE, VIEWS, DELETED_AT, DELETED_EVENT, FIELDS };

static tomb_db *db;
static const tomb_model *post;
static tomb_error err;

/* Every call answers a status; here a failure ends the program. */
static void must(tomb_status status) {
  if (status == TOMB_OK) return;
  fprintf(stderr, "%s: %s\n", tomb_status_name(status), err.message);
  exit(EXIT_FAILURE);
}

static void define_post(void) {
  const tomb_field_def fields[] = {
      {.name = "title",
       .type = TOMB_FIELD_CHAR,
       .max_length = 100,
       .unique = TOMB_UNIQUE},
      {.name = "views",
       .type = TOMB_FIELD_INTEGER,
       .default_value = tomb_integer(0),
       .index = true},
  };
  const tomb_model_def def = {
      .name = "Post", .table = "posts", .fields = fields, .n_fields = 2};
  must(tomb_define(&post, db, &def, &err));
  must(tomb_create_tables(db, &err));
}

static int64_t create(const char *title, int64_t views) {
  tomb_value row[FIELDS] = {{TOMB_ABSENT, {0}}};
  row[TITLE] = tomb_text(title);
  row[VIEWS] = tomb_integer(views);
  must(tomb_insert(db, post, row, tomb_now(), &err));
  return row[ID].as.integer; /* the key was written back */
}

static void print_rows(const char *what, const tomb_query *query) {
  tomb_cursor cursor;
  tomb_status status = tomb_select(&cursor, db, query, &err);
  printf("%s:", what);
  while (status == TOMB_OK || status == TOMB_ROW) {
    status = tomb_cursor_next(&cursor, &err);
    if (status != TOMB_ROW) break;
    const tomb_value *title = &cursor.values[TITLE];
    printf(" %.*s (%lld)", (int)title->as.text.size, title->as.text.data,
           (long long)cursor.values[VIEWS].as.integer);
  }
  tomb_cursor_close(&cursor);
  must(status == TOMB_DONE ? TOMB_OK : status);
  printf("\n");
}

int main(void) {
  must(tomb_open_sqlite(&db, ":memory:", NULL, &err));
  define_post();
  create("Hello", 3);
  create("World", 12);
  create("Again", 40);

  /* A query is a plain struct; refining one makes another. */
  tomb_query living = tomb_objects(post);
  tomb_query popular;
  tomb_filter_link link;
  tomb_value ten = tomb_integer(10);
  tomb_cond at_least_ten = tomb_where("views__gte", &ten);
  must(tomb_filter(&popular, &living, &at_least_ten, false, &link, &err));
  print_rows("popular", &popular);

  /* A deletion is an event; it frees the unique titles. */
  tomb_deletion deletion = {.now = tomb_now(), .actor = "ana"};
  tomb_deleted deleted;
  must(tomb_delete(&deleted, db, &popular, &deletion, &err));
  printf("deleted %lld in event %lld\n", (long long)deleted.count,
         (long long)deleted.event);
  create("World", 0); /* a newcomer takes the title */

  /* The restore is refused, all of it, and says why … */
  tomb_query dead = tomb_deleted_objects(post);
  tomb_restoration how = {.now = tomb_now()};
  int64_t restored;
  if (tomb_restore(&restored, db, &dead, &how, &err) == TOMB_INTEGRITY) {
    printf("%s\n", err.message);
  }
  /* … or finds another name. */
  how.on_conflict = TOMB_CONFLICT_RENAME;
  must(tomb_undo(&restored, db, deleted.event, &how, &err));
  printf("restored %lld\n", (long long)restored);
  print_rows("living", &living);

  /* The only real DELETE. */
  int64_t purged;
  tomb_purging purging = {.deletion = {.now = tomb_now()}};
  deletion.now = tomb_now();
  must(tomb_delete(&deleted, db, &popular, &deletion, &err));
  must(tomb_purge(&purged, db, &dead, &purging, &err));
  printf("purged %lld\n", (long long)purged);
  tomb_free(db);
  return EXIT_SUCCESS;
}
