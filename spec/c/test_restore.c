/* test_restore.c - rows come back as they were, or the call says what stands in
** their way; with other names where that was asked for. */
#include "trash.h"

/* ---- fail --------------------------------------------------------- */

static void a_conflict_is_named_and_nothing_changes(void) {
  open_twins();
  int64_t living = add_post("twin", 9);
  CHECK_STATUS(restore(of_key(dead(), 1), TOMB_CONFLICT_FAIL), TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message, "Cannot restore record - title with value "
                                  "'twin' already exists");
  CHECK_INT(check_error.constraint, TOMB_CONSTRAINT_UNIQUE);
  CHECK_TEXT(check_error.model, "Post");
  CHECK_INT(check_error.n_fields, 1);
  CHECK_TEXT(check_error.fields[0], "title");
  CHECK_TEXT(check_error.value.bytes, "twin");
  CHECK(check_error.has_dead_pk && check_error.has_live_pk);
  CHECK_INT(check_error.dead_pk.value.as.integer, 1);
  CHECK_INT(check_error.live_pk.value.as.integer, living);
  CHECK_STATUS(restore(dead(), TOMB_CONFLICT_FAIL), TOMB_INTEGRITY);
  CHECK_TEXT(all_posts(), "1 twin*, 2 twin*, 3 single*, 4 twin");
  close_db();
}

static void twins_among_the_restored_are_a_conflict(void) {
  open_twins();
  CHECK_STATUS(restore(dead(), TOMB_CONFLICT_FAIL), TOMB_INTEGRITY);
  CHECK_INT(check_error.dead_pk.value.as.integer, 2);
  CHECK_TEXT(all_posts(), "1 twin*, 2 twin*, 3 single*");
  close_db();
}

static void a_restore_speaks_of_the_dead(void) {
  open_twins();
  CHECK_STATUS(restore(tomb_objects(post), TOMB_CONFLICT_FAIL), TOMB_MISUSE);
  CHECK_STATUS(restore(tomb_objects(post), TOMB_CONFLICT_SKIP), TOMB_MISUSE);
  close_db();
}

/* ---- skip --------------------------------------------------------- */

static void the_first_in_order_takes_the_value(void) {
  open_twins();
  CHECK_INT(restore_posts(dead(), TOMB_CONFLICT_SKIP), 2);
  CHECK_TEXT(all_posts(), "1 twin, 2 twin*, 3 single");
  close_db();
  open_twins();
  tomb_order order = {tomb_model_field(post, VIEWS), true};
  tomb_query query = dead();
  query.order = &order;
  query.n_order = 1;
  CHECK_INT(restore_posts(query, TOMB_CONFLICT_SKIP), 2);
  CHECK_TEXT(all_posts(), "1 twin*, 2 twin, 3 single");
  close_db();
}

static void many_conflicts_among_many_rows_are_skipped(void) {
  char title[32];
  open_posts();
  for (int i = 0; i < 100; i++) {
    snprintf(title, sizeof title, "t%d", i);
    add_post(title, 1);
  }
  delete_posts(tomb_objects(post));
  for (int i = 0; i < 100; i += 3) {
    snprintf(title, sizeof title, "t%d", i);
    add_post(title, 2);
  }
  CHECK_INT(restore_posts(dead(), TOMB_CONFLICT_SKIP), 66);
  CHECK_INT(count_of(tomb_objects(post)), 100);
  CHECK_INT(count_of(dead()), 34);
  close_db();
}

/* ---- rename ------------------------------------------------------- */

static void a_new_name_is_the_first_that_is_free(void) {
  open_twins();
  add_post("twin", 9);
  add_post("twin (restored 2)", 9);
  CHECK_INT(restore_posts(dead(), TOMB_CONFLICT_RENAME), 3);
  CHECK_TEXT(all_posts(), "1 twin (restored), 2 twin (restored 3), 3 single, "
                          "4 twin, 5 twin (restored 2)");
  close_db();
}

static void a_new_name_keeps_its_max_length(void) {
  const char *euros = "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
                      "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
                      "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
                      "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
                      "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
                      "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
                      "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC"
                      "\xE2\x82\xAC\xE2\x82\xAC"; /* 30 characters */
  open_posts();
  for (int i = 0; i < 12; i++) delete_post(add_post(euros, 1));
  CHECK_INT(restore_posts(dead(), TOMB_CONFLICT_RENAME), 12);
  CHECK_TEXT(ask("SELECT count(*) FROM posts WHERE length(title) = 30"), "12");
  CHECK_TEXT(ask("SELECT title LIKE '%_ (restored)' FROM posts WHERE id = 2"),
             "1");
  CHECK_TEXT(ask("SELECT title LIKE '%_ (restored 11)' FROM posts WHERE id = "
                 "12"),
             "1");
  close_db();
}

static void what_is_no_text_cannot_be_renamed(void) {
  open_posts();
  delete_post(add_coded("a", 7));
  add_coded("b", 7);
  CHECK_STATUS(restore(dead(), TOMB_CONFLICT_RENAME), TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message,
             "Cannot restore record - code with value 7 already exists");
  CHECK(strstr(check_error.hint, "rename needs a text") != NULL);
  CHECK_INT(tomb_depth(db), 0);
  CHECK_TEXT(all_posts(), "1 a*, 2 b");
  close_db();
}

/* Two unique texts, of which both are taken. */
static const tomb_model *define_people(void) {
  static const char *const names[] = {"first", "last"};
  const tomb_field_def fields[] = {
      {.name = "first", .type = TOMB_FIELD_TEXT, .nullable = true},
      {.name = "last", .type = TOMB_FIELD_TEXT, .nullable = true},
      {.name = "mail",
       .type = TOMB_FIELD_TEXT,
       .unique = TOMB_UNIQUE_LIVE,
       .collate = "NOCASE",
       .nullable = true,
       .check = "mail <> 'a (restored)'"},
      {.name = "nick",
       .type = TOMB_FIELD_TEXT,
       .unique = TOMB_UNIQUE,
       .collate = "NOCASE",
       .nullable = true}};
  const tomb_group_def group = {names, 2, TOMB_UNIQUE_MANGLE};
  const tomb_model_def def = {.name = "Person",
                              .fields = fields,
                              .n_fields = 4,
                              .groups = &group,
                              .n_groups = 1};
  const tomb_model *person;
  open_posts();
  MUST(tomb_define(&person, db, &def, &check_error));
  MUST(tomb_create_tables(db, &check_error));
  return person;
}

static void add_person(const tomb_model *person, const char *first,
                       const char *last, const char *mail, const char *nick) {
  const char *texts[] = {first, last, mail, nick};
  tomb_value row[8];
  memset(row, 0, sizeof row);
  for (int i = 0; i < 4; i++) {
    if (texts[i] != NULL) row[i + 1] = tomb_text(texts[i]);
  }
  MUST(tomb_insert(db, person, row, tick(), &check_error));
}

static const char *people(void) {
  return ask("SELECT group_concat(ifnull(first, '-') || ' ' || ifnull(last, "
             "'-') || ' ' || ifnull(mail, '-') || ' ' || ifnull(nick, '-'), "
             "'; ') FROM (SELECT * FROM person WHERE deleted_at IS NULL ORDER "
             "BY id)");
}

static void each_group_that_is_taken_gets_a_name(void) {
  const tomb_model *person = define_people();
  add_person(person, "Ana", "Li", "x@y", "al");
  delete_posts(tomb_objects(person));
  add_person(person, "Ana", "Li", "X@Y", "AL");
  CHECK_INT(restore_posts(tomb_deleted_objects(person), TOMB_CONFLICT_RENAME),
            1);
  CHECK_TEXT(people(), "Ana Li (restored) x@y (restored) al (restored); "
                       "Ana Li X@Y AL");
  close_db();
}

static void a_name_that_a_check_refuses_is_told_in_words(void) {
  const tomb_model *person = define_people();
  add_person(person, NULL, NULL, "a", NULL);
  delete_posts(tomb_objects(person));
  add_person(person, NULL, NULL, "A", NULL);
  CHECK_STATUS(restore(tomb_deleted_objects(person), TOMB_CONFLICT_RENAME),
               TOMB_INTEGRITY);
  CHECK_INT(check_error.constraint, TOMB_CONSTRAINT_CHECK);
  CHECK_TEXT(check_error.message,
             "Cannot restore record - mail fails its check");
  CHECK_TEXT(check_error.model, "Person");
  close_db();
}

/* ---- composites, cases and NULLs ---------------------------------- */

static void composites_conflict_by_all_their_fields(void) {
  const tomb_model *person = define_people();
  add_person(person, "Ana", "Li", NULL, NULL);
  add_person(person, "Ana", NULL, NULL, NULL);
  add_person(person, NULL, "Li", NULL, NULL);
  add_person(person, NULL, NULL, NULL, NULL);
  tomb_query gone = tomb_deleted_objects(person);
  int64_t event = delete_posts(tomb_objects(person));
  (void)event;
  add_person(person, "Ana", "Li", NULL, NULL);
  add_person(person, "Ana", NULL, NULL, NULL); /* NULL is not equal to NULL */
  CHECK_STATUS(restore(gone, TOMB_CONFLICT_FAIL), TOMB_INTEGRITY);
  CHECK_TEXT(check_error.message, "Cannot restore record - first, last with "
                                  "values 'Ana', 'Li' already exist");
  CHECK_INT(check_error.n_fields, 2);
  CHECK_INT(restore_posts(gone, TOMB_CONFLICT_SKIP), 3);
  close_db();
}

static void cases_conflict_where_the_field_folds_them(void) {
  const tomb_model *person = define_people();
  tomb_query gone = tomb_deleted_objects(person);
  add_person(person, NULL, NULL, "a@b", "nick");
  delete_posts(tomb_objects(person));
  add_person(person, NULL, NULL, "A@B", "NICK");
  delete_posts(tomb_objects(person));
  CHECK_STATUS(restore(gone, TOMB_CONFLICT_FAIL), TOMB_INTEGRITY);
  CHECK_INT(check_error.dead_pk.value.as.integer, 2);
  CHECK_INT(check_error.live_pk.value.as.integer, 1);
  tomb_rows *rows = tomb_rows_new(db);
  MUST(tomb_restore_conflicts(rows, db, &gone, &check_error));
  CHECK_INT(tomb_rows_count(rows), 2);
  tomb_rows_free(rows);
  CHECK_INT(restore_posts(gone, TOMB_CONFLICT_SKIP), 1);
  CHECK_TEXT(people(), "- - a@b nick");
  close_db();
}

/* ---- exact undo: any texts, any order ----------------------------- */

static const char *random_title(uint64_t *state, int i) {
  static char title[128];
  static const char *const pieces[] = {"",
                                       "__deleted_",
                                       "__deleted_1763880000.000001",
                                       " (restored)",
                                       "\xC3\xA9",
                                       "__deleted_0.0",
                                       "a",
                                       "_",
                                       "%",
                                       "'",
                                       "\"",
                                       "\\"};
  const size_t n = sizeof pieces / sizeof pieces[0];
  snprintf(title, sizeof title, "%d%s%s%s", i, pieces[check_random(state) % n],
           pieces[check_random(state) % n], pieces[check_random(state) % n]);
  title[30] = '\0';
  while (((unsigned char)title[strlen(title) - 1] & 0x80) != 0) {
    title[strlen(title) - 1] = '\0'; /* no half characters */
  }
  return title;
}

static const char *dump(void) {
  static char copy[2][1024 * 64];
  static int turn;
  static char sql[] =
      "SELECT group_concat(quote(id) || quote(title) || quote(code) || "
      "quote(views) || quote(note) || quote(deleted_at), ';') FROM "
      "(SELECT * FROM posts ORDER BY id)";
  tomb_cursor cursor;
  turn = 1 - turn;
  MUST(tomb_query_raw(&cursor, db, sql, strlen(sql), NULL, 0, &check_error));
  CHECK_STATUS(tomb_cursor_next(&cursor, &check_error), TOMB_ROW);
  snprintf(copy[turn], sizeof copy[turn], "%s", cursor.values[0].as.text.data);
  tomb_cursor_close(&cursor);
  return copy[turn];
}

#define ROWS 40
#define EVENTS 6

static void undo_in_any_order_gives_back_every_byte(void) {
  uint64_t state = 7;
  int rounds = (int)(40 * check_scale()) + 1;
  for (int round = 0; round < rounds; round++) {
    int64_t events[EVENTS];
    open_posts();
    for (int i = 0; i < ROWS; i++) {
      if (i % 2 == 0) add_post(random_title(&state, i), i);
      if (i % 2 == 1) add_coded(random_title(&state, i), i);
    }
    char *before = strdup(dump());
    for (int e = 0; e < EVENTS; e++) {
      events[e] = delete_posts(
          where(tomb_objects(post), "views__lt",
                tomb_integer((int64_t)(check_random(&state) % ROWS))));
    }
    for (int left = EVENTS; left > 0; left--) {
      int64_t restored, pick = (int64_t)(check_random(&state) % (uint64_t)left);
      tomb_restoration how = {.now = tick()};
      if (events[pick] != 0) {
        MUST(tomb_undo(&restored, db, events[pick], &how, &check_error));
      }
      events[pick] = events[left - 1];
    }
    CHECK_TEXT(dump(), before);
    free(before);
    close_db();
  }
}

int main(void) {
  RUN(a_conflict_is_named_and_nothing_changes);
  RUN(twins_among_the_restored_are_a_conflict);
  RUN(a_restore_speaks_of_the_dead);
  RUN(the_first_in_order_takes_the_value);
  RUN(many_conflicts_among_many_rows_are_skipped);
  RUN(a_new_name_is_the_first_that_is_free);
  RUN(a_new_name_keeps_its_max_length);
  RUN(what_is_no_text_cannot_be_renamed);
  RUN(each_group_that_is_taken_gets_a_name);
  RUN(a_name_that_a_check_refuses_is_told_in_words);
  RUN(composites_conflict_by_all_their_fields);
  RUN(cases_conflict_where_the_field_folds_them);
  RUN(undo_in_any_order_gives_back_every_byte);
  return check_done();
}
