/*
** family.h - a database of parents and children: a Team has Authors (cascade),
** an Author has Posts (cascade), a Post has Comments (cascade) and one Pin
** (restrict), a Note is kept without its Author; a Node has Nodes below it.
*/
#ifndef SPEC_FAMILY_H
#define SPEC_FAMILY_H

#include "child.h"

static tomb_db *db;
static const tomb_model *team, *author, *posting, *comment, *pin, *note, *node;
static int64_t clock_now = INT64_C(1763880000000000);

static inline void define_family(void) {
  comment = define_child(db, "Comment", "Post", TOMB_CASCADE);
  posting = define_child(db, "Post", "Author", TOMB_CASCADE);
  author = define_child(db, "Author", "Team", TOMB_CASCADE);
  team = define_child(db, "Team", NULL, TOMB_NO_REFERENCE);
  pin = define_child(db, "Pin", "Post", TOMB_RESTRICT);
  note = define_child(db, "Note", "Author", TOMB_KEEP);
  node = define_child(db, "Node", "Node", TOMB_CASCADE);
}

static inline void open_family(void) {
  MUST(tomb_open_sqlite(&db, ":memory:", NULL, &check_error));
  define_family();
  MUST(tomb_create_tables(db, &check_error));
}

static inline void close_family(void) {
  CHECK_INT(tomb_depth(db), 0);
  tomb_free(db);
  db = NULL;
}

static inline tomb_status try_born(int64_t *id, const tomb_model *model,
                                   const char *name, int64_t parent) {
  tomb_value row[6];
  memset(row, 0, sizeof row);
  row[1] = tomb_text(name);
  if (parent != 0) row[2] = tomb_integer(parent);
  clock_now += 1000000;
  tomb_status st = tomb_insert(db, model, row, clock_now, &check_error);
  *id = st == TOMB_OK ? row[0].as.integer : 0;
  return st;
}

/* The new row's key. */
static inline int64_t born(const tomb_model *model, const char *name,
                           int64_t parent) {
  int64_t id;
  MUST(try_born(&id, model, name, parent));
  return id;
}

static inline tomb_status try_die(tomb_deleted *out, const tomb_model *model,
                                  int64_t id) {
  tomb_value key = tomb_integer(id);
  tomb_cond cond = tomb_where("id", &key);
  tomb_filter_link link;
  tomb_query living = tomb_objects(model), one;
  tomb_deletion how = {.now = clock_now += 1000000, .pk = &key};
  MUST(tomb_filter(&one, &living, &cond, false, &link, &check_error));
  return tomb_delete(out, db, &one, &how, &check_error);
}

/* The event's id. */
static inline int64_t die(const tomb_model *model, int64_t id) {
  tomb_deleted out;
  MUST(try_die(&out, model, id));
  return out.event;
}

static inline tomb_status try_return(int64_t *restored, const tomb_model *model,
                                     int64_t id, bool parents) {
  tomb_value key = tomb_integer(id);
  tomb_cond cond = tomb_where("id", &key);
  tomb_filter_link link;
  tomb_query dead = tomb_deleted_objects(model), one;
  tomb_restoration how = {.now = clock_now += 1000000, .parents = parents};
  MUST(tomb_filter(&one, &dead, &cond, false, &link, &check_error));
  return tomb_restore(restored, db, &one, &how, &check_error);
}

static inline int64_t undo(int64_t event) {
  int64_t restored;
  tomb_restoration how = {.now = clock_now += 1000000};
  MUST(tomb_undo(&restored, db, event, &how, &check_error));
  return restored;
}

/* One text out of SQL. */
static inline const char *ask(const char *sql) {
  static char text[512];
  tomb_cursor cursor;
  MUST(tomb_query_raw(&cursor, db, sql, strlen(sql), NULL, 0, &check_error));
  text[0] = '\0';
  if (tomb_cursor_next(&cursor, &check_error) == TOMB_ROW &&
      cursor.values[0].type == TOMB_TEXT) {
    snprintf(text, sizeof text, "%.*s", (int)cursor.values[0].as.text.size,
             cursor.values[0].as.text.data);
  }
  tomb_cursor_close(&cursor);
  return text;
}

/* The living rows of every table by name, "Team: a, b" and so on. */
static inline const char *living(void) {
  return ask(
      "SELECT coalesce(group_concat(name, ' '), '') FROM (SELECT name FROM "
      "(SELECT name, deleted_at FROM team UNION ALL SELECT name, deleted_at "
      "FROM author UNION ALL SELECT name, deleted_at FROM post UNION ALL "
      "SELECT name, deleted_at FROM comment UNION ALL SELECT name, deleted_at "
      "FROM pin UNION ALL SELECT name, deleted_at FROM note UNION ALL SELECT "
      "name, deleted_at FROM node) WHERE deleted_at IS NULL ORDER BY name)");
}

#endif
