/* state.h - databases to begin with, their whole state as a text, and what
** holds in every state. */
#ifndef SPEC_STATE_H
#define SPEC_STATE_H

#include "posts.h"

#include "store.h"

static const tomb_model *note;

#define DAY INT64_C(86400000000)

/* Notes go after a day in the trash. */
static inline void define_notes(void) {
  const tomb_field_def field = {
      .name = "text", .type = TOMB_FIELD_TEXT, .unique = TOMB_UNIQUE_LIVE};
  const tomb_model_def def = {.name = "Note",
                              .fields = &field,
                              .n_fields = 1,
                              .keep = DAY,
                              .timestamps = true,
                              .version = true};
  MUST(tomb_define(&note, db, &def, &check_error));
}

/* ---- preparations ------------------------------------------------- */

/* Living posts a, b, c; dead ones a, d; coded e. */
static inline void six_posts(void) {
  delete_post(add_post("a", 1));
  delete_post(add_post("d", 2));
  add_post("a", 3);
  add_post("b", 4);
  add_post("c", 5);
  add_coded("e", 7);
}

static inline void dead_posts(void) {
  for (int i = 0; i < 3; i++) add_post((const char *[]){"a", "b", "c"}[i], i);
  delete_posts(tomb_objects(post));
}

static inline void dead_notes(void) {
  tomb_value row[7];
  for (int i = 0; i < 3; i++) {
    memset(row, 0, sizeof row);
    row[1] = tomb_text((const char *[]){"x", "y", "z"}[i]);
    MUST(tomb_insert(db, note, row, tick(), &check_error));
    delete_posts(tomb_objects(note));
  }
}

static inline void nothing(void) {
}

/* ---- what is there ------------------------------------------------ */

static inline bool has_table(const char *name) {
  char sql[128];
  snprintf(sql, sizeof sql,
           "SELECT count(*) FROM sqlite_master WHERE name = '%s'", name);
  return strcmp(ask(sql), "1") == 0;
}

static inline bool has_tables(void) {
  return has_table("posts");
}

static inline void dump(char *text, const char *sql) {
  tomb_cursor cursor;
  MUST(tomb_query_raw(&cursor, db, sql, strlen(sql), NULL, 0, &check_error));
  if (tomb_cursor_next(&cursor, &check_error) == TOMB_ROW &&
      cursor.values[0].type == TOMB_TEXT) {
    strncat(text, cursor.values[0].as.text.data, 16000);
  }
  tomb_cursor_close(&cursor);
  strcat(text, "\n");
}

/* Relatives, of which some databases have none. */
static inline void dump_kin(char *text) {
  static const char *const tables[] = {"team", "author", "book", "pin", "memo"};
  char sql[256];
  for (size_t i = 0; i < 5 && has_table("team"); i++) {
    snprintf(sql, sizeof sql,
             "SELECT group_concat(quote(id) || quote(name) || %s || "
             "quote(deleted_at) || quote(deleted_event)) FROM (SELECT * FROM "
             "%s ORDER BY id)",
             i == 0 ? "''" : "quote(parent_id)", tables[i]);
    dump(text, sql);
  }
  if (!has_table("tombstone_owner")) return;
  dump(text, "SELECT group_concat(event || model || pk) FROM (SELECT * FROM "
             "tombstone_owner ORDER BY event, model, pk)");
}

/* Everything that is stored, as a text to be freed. */
static inline char *dump_database(void) {
  static const char *const parts[] = {
      "SELECT group_concat(name || ifnull(sql, '')) FROM (SELECT * FROM "
      "sqlite_master ORDER BY name)",
      "SELECT group_concat(quote(id) || quote(title) || quote(code) || "
      "quote(views) || quote(note) || quote(deleted_at) || "
      "quote(deleted_event)) FROM (SELECT * FROM posts ORDER BY id)",
      "SELECT group_concat(quote(id) || quote(text) || quote(version) || "
      "quote(deleted_at)) FROM (SELECT * FROM note ORDER BY id)",
      "SELECT group_concat(quote(id) || quote(at) || quote(model) || quote(pk) "
      "|| quote(actor) || quote(undone_at)) FROM (SELECT * FROM "
      "tombstone_event ORDER BY id)",
      "SELECT group_concat(name || seq) FROM (SELECT * FROM sqlite_sequence "
      "ORDER BY name)"};
  const size_t n = has_tables() ? 5 : 1;
  char *text = calloc(n + 6, 16384);
  for (size_t i = 0; i < n; i++) dump(text, parts[i]);
  if (n > 1) dump_kin(text);
  return text;
}

static inline bool is_anything_in_use(void) {
  const tomb_prepared *p = db->statements.newest;
  for (; p != NULL; p = p->older) {
    if (p->in_use) return true;
  }
  return db->cursors != 0 || db->snapshots != 0;
}

/* What holds after every call, whatever became of it. */
static inline void check_state(int line) {
  check_int(tomb_depth(db), 0, __FILE__, line);
  check_that(!is_anything_in_use(), __FILE__, line, "no statement in use");
  if (!has_tables()) return;
  check_text(ask("SELECT count(*) FROM posts WHERE (deleted_at IS NULL) <> "
                 "(deleted_event IS NULL) OR deleted_event NOT IN (SELECT id "
                 "FROM tombstone_event) OR (deleted_at IS NULL) <> (title NOT "
                 "LIKE '%\\_\\_deleted\\_%' ESCAPE '\\')"),
             "0", __FILE__, line);
}

#endif
