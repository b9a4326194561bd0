/*
** posts.h - a database with posts, and short words for the verbs.
**
** A post has a title that deletions mangle, a code that an index of the living
** keeps unique, and two free fields. Words end the program on any failure;
** what may be refused goes through the engine's own functions.
*/
#ifndef SPEC_POSTS_H
#define SPEC_POSTS_H

#include "check.h"

enum { ID, TITLE, CODE, VIEWS, NOTE, DELETED_AT, DELETED_EVENT, FIELDS };

static tomb_db *db;
static const tomb_model *post;
static int64_t clock_now = INT64_C(1763880000000000);

static inline int64_t tick(void) {
  return clock_now += 1000000;
}

static inline void define_posts(void) {
  const tomb_field_def fields[] = {
      {.name = "title",
       .type = TOMB_FIELD_CHAR,
       .max_length = 30,
       .unique = TOMB_UNIQUE},
      {.name = "code",
       .type = TOMB_FIELD_INTEGER,
       .nullable = true,
       .unique = TOMB_UNIQUE},
      {.name = "views",
       .type = TOMB_FIELD_INTEGER,
       .index = true,
       .default_value = tomb_integer(0)},
      {.name = "note", .type = TOMB_FIELD_TEXT, .nullable = true}};
  const tomb_model_def def = {
      .name = "Post", .table = "posts", .fields = fields, .n_fields = 4};
  MUST(tomb_define(&post, db, &def, &check_error));
}

static inline void open_posts(void) {
  MUST(tomb_open_sqlite(&db, ":memory:", NULL, &check_error));
  define_posts();
  MUST(tomb_create_tables(db, &check_error));
}

/* Frees the database; a leak of the engine shows in what it answers. */
static inline void close_db(void) {
  CHECK_INT(tomb_depth(db), 0);
  tomb_free(db);
  db = NULL;
}

/* ---- rows --------------------------------------------------------- */

static inline void empty_row(tomb_value *row) {
  memset(row, 0, FIELDS * sizeof *row);
}

static inline int64_t add_post(const char *title, int64_t views) {
  tomb_value row[FIELDS];
  empty_row(row);
  row[TITLE] = tomb_text(title);
  row[VIEWS] = tomb_integer(views);
  MUST(tomb_insert(db, post, row, tick(), &check_error));
  return row[ID].as.integer;
}

static inline int64_t add_coded(const char *title, int64_t code) {
  tomb_value row[FIELDS];
  empty_row(row);
  row[TITLE] = tomb_text(title);
  row[CODE] = tomb_integer(code);
  MUST(tomb_insert(db, post, row, tick(), &check_error));
  return row[ID].as.integer;
}

/* ---- queries: storage for a test's worth of conditions ------------ */

#define MOST_CONDITIONS 1024

static tomb_cond cond_pool[MOST_CONDITIONS];
static tomb_value value_pool[MOST_CONDITIONS];
static tomb_filter_link link_pool[MOST_CONDITIONS];
static size_t pool_used;

static inline tomb_cond *cond_of(const char *key, tomb_value value) {
  size_t i = pool_used++ % MOST_CONDITIONS;
  value_pool[i] = value;
  cond_pool[i] = tomb_where(key, &value_pool[i]);
  return &cond_pool[i];
}

static inline tomb_query filtered(tomb_query from, tomb_cond *cond,
                                  bool exclude) {
  tomb_query query;
  tomb_filter_link *link = &link_pool[pool_used++ % MOST_CONDITIONS];
  MUST(tomb_filter(&query, &from, cond, exclude, link, &check_error));
  return query;
}

static inline tomb_query where(tomb_query from, const char *key,
                               tomb_value value) {
  return filtered(from, cond_of(key, value), false);
}

static inline tomb_query except(tomb_query from, const char *key,
                                tomb_value value) {
  return filtered(from, cond_of(key, value), true);
}

static inline tomb_query of_key(tomb_query from, int64_t id) {
  return where(from, "id", tomb_integer(id));
}

static inline int64_t count_of(tomb_query query) {
  int64_t n = -1;
  MUST(tomb_count(&n, db, &query, &check_error));
  return n;
}

/* ---- verbs -------------------------------------------------------- */

static inline int64_t delete_posts(tomb_query query) {
  tomb_deleted out;
  tomb_deletion how = {.now = tick()};
  MUST(tomb_delete(&out, db, &query, &how, &check_error));
  return out.event;
}

static inline int64_t delete_post(int64_t id) {
  return delete_posts(of_key(tomb_objects(post), id));
}

static inline tomb_status try_restore(int64_t *restored, tomb_query query,
                                      tomb_on_conflict word) {
  tomb_restoration how = {.now = tick(), .on_conflict = word};
  return tomb_restore(restored, db, &query, &how, &check_error);
}

static inline int64_t restore_posts(tomb_query query, tomb_on_conflict word) {
  int64_t restored = -1;
  MUST(try_restore(&restored, query, word));
  return restored;
}

static inline void exec(const char *sql) {
  int64_t changed;
  MUST(tomb_exec(&changed, db, sql, strlen(sql), NULL, 0, &check_error));
}

static inline tomb_status try_exec(const char *sql) {
  int64_t changed;
  return tomb_exec(&changed, db, sql, strlen(sql), NULL, 0, &check_error);
}

/* The first value of the first row, as a text; "(none)" without a row. */
static inline const char *ask(const char *sql) {
  static char answer[1024];
  tomb_cursor cursor;
  snprintf(answer, sizeof answer, "(none)");
  MUST(tomb_query_raw(&cursor, db, sql, strlen(sql), NULL, 0, &check_error));
  if (tomb_cursor_next(&cursor, &check_error) == TOMB_ROW) {
    const tomb_value *value = &cursor.values[0];
    switch (value->type) {
    case TOMB_INTEGER:
      snprintf(answer, sizeof answer, "%lld", (long long)value->as.integer);
      break;
    case TOMB_NUMBER:
      snprintf(answer, sizeof answer, "%.17g", value->as.number);
      break;
    case TOMB_TEXT:
      snprintf(answer, sizeof answer, "%.*s", (int)value->as.text.size,
               value->as.text.data);
      break;
    default: snprintf(answer, sizeof answer, "NULL"); break;
    }
  }
  tomb_cursor_close(&cursor);
  return answer;
}

static inline const char *title_of(int64_t id) {
  char sql[80];
  snprintf(sql, sizeof sql, "SELECT title FROM posts WHERE id = %lld",
           (long long)id);
  return ask(sql);
}

static inline bool is_alive(int64_t id) {
  return count_of(of_key(tomb_objects(post), id)) == 1;
}

/* Ten posts: with and without codes and notes, three of them dead. */
static inline void open_ten(void) {
  static const char *const notes[] = {
      "Alpha", "alpha", "", "a%b", "a_b", "\xC3\xA9t\xC3\xA9", "x[y]*?"};
  open_posts();
  for (int i = 0; i < 10; i++) {
    char title[32];
    tomb_value row[FIELDS];
    empty_row(row);
    snprintf(title, sizeof title, "post %d", i);
    row[TITLE] = tomb_text(title);
    row[VIEWS] = tomb_integer(i % 4);
    if (i % 2 == 0) row[CODE] = tomb_integer(i);
    if (i < 7) row[NOTE] = tomb_text(notes[i]);
    MUST(tomb_insert(db, post, row, tick(), &check_error));
  }
  delete_posts(where(tomb_objects(post), "id__gt", tomb_integer(7)));
}

#endif
