/* test_sql_writes.c - the statements that the writing verbs run, word for word,
** with their values. A scripted database answers them. */
#include "scripted.h"

/* ---- INSERT ------------------------------------------------------- */

static void insert_says_what_is_given_and_what_is_default(void) {
  tomb_value row[FIELDS];
  empty_row(row);
  row[TITLE] = tomb_text("Hello");
  MUST(tomb_insert(db, post, row, 5, &check_error));
  RAN("INSERT INTO \"posts\" (\"title\", \"code\", \"views\", \"note\", "
      "\"deleted_at\", \"deleted_event\") VALUES (?, ?, ?, ?, ?, ?) | 'Hello' "
      "NULL 0 NULL NULL NULL");
  CHECK_INT(row[ID].as.integer, 1);
}

static void an_insert_is_stamped(void) {
  tomb_value row[8];
  memset(row, 0, sizeof row);
  row[1] = tomb_text("Hello");
  MUST(tomb_insert(db, article, row, 5, &check_error));
  RAN("INSERT INTO \"article\" (\"title\", \"price\", \"version\", "
      "\"created_at\", \"updated_at\", \"deleted_at\", \"deleted_event\") "
      "VALUES (?, ?, ?, ?, ?, ?, ?) | 'Hello' NULL 1 5 5 NULL NULL");
}

/* ---- UPDATE ------------------------------------------------------- */

static void save_is_fenced_by_key_life_and_version(void) {
  tomb_value row[8];
  memset(row, 0, sizeof row);
  row[0] = tomb_integer(7);
  row[1] = tomb_text("Hello");
  row[3] = tomb_integer(2);
  MUST(tomb_save(db, article, row, 5, &check_error));
  RAN("UPDATE \"article\" SET \"title\" = ?, \"updated_at\" = ?, \"version\" = "
      "\"version\" + 1 WHERE " LIVING " AND \"id\" = ? AND \"version\" = ? "
      "| 'Hello' 5 7 2");
  CHECK_INT(row[3].as.integer, 3);
  CHECK_INT(row[5].as.integer, 5);
}

static void run_update(tomb_query query) {
  int64_t changed;
  tomb_assignment a = {tomb_model_field(post, VIEWS), tomb_integer(9), NULL};
  MUST(tomb_update(&changed, db, &query, &a, 1, 5, NULL, &check_error));
}

static void update_reaches_the_living(void) {
  run_update(where(tomb_objects(post), "views__lt", tomb_integer(3)));
  RAN("UPDATE \"posts\" SET \"views\" = ? WHERE " LIVING " AND \"views\" < ? "
      "| 9 3");
}

static void a_sliced_write_names_its_keys_by_a_query(void) {
  tomb_order order = {tomb_model_field(post, VIEWS), true};
  tomb_query query = where(tomb_objects(post), "views__lt", tomb_integer(3));
  query.order = &order;
  query.n_order = 1;
  query.limit = 2;
  query.offset = 1;
  run_update(query);
  RAN("UPDATE \"posts\" SET \"views\" = ? WHERE " LIVING " AND \"id\" IN "
      "(SELECT \"id\" FROM \"posts\" WHERE " LIVING " AND \"views\" < ? ORDER "
      "BY \"views\" DESC, \"id\" DESC LIMIT ? OFFSET ?) | 9 3 2 1");
}

static void a_write_that_answers_rows_is_a_transaction(void) {
  int64_t changed;
  tomb_assignment a = {tomb_model_field(post, VIEWS), tomb_integer(9), NULL};
  tomb_query query = of_key(tomb_objects(post), 7);
  tomb_rows *rows = tomb_rows_new(db);
  MUST(tomb_update(&changed, db, &query, &a, 1, 5, rows, &check_error));
  RAN("BEGIN IMMEDIATE",
      "UPDATE \"posts\" SET \"views\" = ? WHERE " LIVING
      " AND \"id\" = ?" RETURNING " | 9 7",
      "COMMIT");
  tomb_rows_free(rows);
}

/* ---- delete ------------------------------------------------------- */

/* The script answers no id, so that they count from 1. */
#define NEXT_EVENT                                                             \
  "SELECT 1 + max(coalesce((SELECT max(id) FROM tombstone_event), 0), "        \
  "coalesce((SELECT seq FROM sqlite_sequence WHERE name = "                    \
  "'tombstone_event'), 0))"

static void delete_is_an_update_and_an_event(void) {
  tomb_deleted out;
  tomb_value pk = tomb_integer(7);
  tomb_deletion how = {.now = 1500000, .actor = "ana", .pk = &pk};
  tomb_query query = of_key(tomb_objects(post), 7);
  MUST(tomb_delete(&out, db, &query, &how, &check_error));
  RAN("BEGIN IMMEDIATE", NEXT_EVENT,
      "UPDATE \"posts\" SET \"title\" = tombstone_mangled(\"title\", ?), "
      "\"deleted_at\" = ?, "
      "\"deleted_event\" = ? WHERE " LIVING " AND \"id\" = ? "
      "| '__deleted_1.500000' 1500000 1 7",
      "INSERT INTO \"tombstone_event\" (\"id\", \"at\", \"model\", \"pk\", "
      "\"actor\", \"reason\", \"undone_at\") VALUES (?, ?, ?, ?, ?, ?, ?) "
      "| 1 1500000 'Post' '7' 'ana' NULL NULL",
      "COMMIT");
  CHECK_INT(out.event, 1);
}

static void a_delete_that_takes_nothing_leaves_no_event(void) {
  const tomb_fake_reply no_id = {.changes = 0};
  const tomb_fake_reply none = {.changes = 0};
  tomb_deleted out;
  tomb_deletion how = {.now = 2500000};
  tomb_query query = tomb_all_objects(post);
  MUST(tomb_fake_answer(db, &no_id));
  MUST(tomb_fake_answer(db, &none));
  MUST(tomb_delete(&out, db, &query, &how, &check_error));
  RAN("BEGIN IMMEDIATE", NEXT_EVENT,
      "UPDATE \"posts\" SET \"title\" = tombstone_mangled(\"title\", ?), "
      "\"deleted_at\" = ?, "
      "\"deleted_event\" = ? WHERE " LIVING " | '__deleted_2.500000' 2500000 2",
      "COMMIT");
  CHECK_INT(out.event, 0);
}

static void inside_a_transaction_a_delete_asks_for_ids_once(void) {
  tomb_deleted out;
  tomb_deletion how = {.now = 2600000};
  tomb_query query = tomb_all_objects(post);
  MUST(tomb_begin(db, &check_error));
  MUST(tomb_delete(&out, db, &query, &how, &check_error));
  tomb_fake_forget(db);
  how.now = 2700000;
  MUST(tomb_delete(&out, db, &query, &how, &check_error));
  RAN("UPDATE \"posts\" SET \"title\" = tombstone_mangled(\"title\", ?), "
      "\"deleted_at\" = ?, "
      "\"deleted_event\" = ? WHERE " LIVING " | '__deleted_2.700000' 2700000 4",
      "INSERT INTO \"tombstone_event\" (\"id\", \"at\", \"model\", \"pk\", "
      "\"actor\", \"reason\", \"undone_at\") VALUES (?, ?, ?, ?, ?, ?, ?) "
      "| 4 2700000 'Post' NULL NULL NULL NULL");
  MUST(tomb_commit(db, &check_error));
  tomb_fake_forget(db);
}

static void a_composite_mangles_its_last_text(void) {
  tomb_deleted out;
  tomb_deletion how = {.now = 3500000};
  tomb_query query = tomb_objects(pair);
  MUST(tomb_delete(&out, db, &query, &how, &check_error));
  CHECK_TEXT(ran(2), "UPDATE \"pair\" SET \"a\" = CASE WHEN \"b\" IS NULL THEN "
                     "tombstone_mangled(\"a\", ?) ELSE \"a\" END, "
                     "\"b\" = tombstone_mangled(\"b\", ?), "
                     "\"deleted_at\" = ?, \"deleted_event\" = ? WHERE " LIVING
                     " | '__deleted_3.500000' "
                     "'__deleted_3.500000' 3500000 5");
  tomb_fake_forget(db);
}

/* ---- restore ------------------------------------------------------ */

static void restore_is_one_update(void) {
  int64_t restored;
  MUST(try_restore(&restored, of_key(tomb_deleted_objects(post), 7),
                   TOMB_CONFLICT_FAIL));
  RAN("UPDATE \"posts\" SET \"title\" = tombstone_original(\"title\", "
      "\"deleted_at\"), \"deleted_at\" = NULL, \"deleted_event\" = NULL "
      "WHERE " DEAD " AND \"id\" = ? | 7");
}

static void a_sliced_restore_takes_its_keys_from_its_scope(void) {
  int64_t restored;
  tomb_query query = tomb_all_objects(post);
  query.limit = 2;
  MUST(try_restore(&restored, query, TOMB_CONFLICT_FAIL));
  RAN("UPDATE \"posts\" SET \"title\" = tombstone_original(\"title\", "
      "\"deleted_at\"), \"deleted_at\" = NULL, \"deleted_event\" = NULL "
      "WHERE " DEAD
      " AND \"id\" IN (SELECT \"id\" FROM \"posts\" ORDER BY \"id\" LIMIT "
      "?) | 2");
}

static void conflicts_are_asked_for_group_by_group(void) {
  tomb_value ids[] = {tomb_integer(7), tomb_integer(9)};
  const tomb_fake_reply keys = {.columns = 1, .rows = 2, .values = ids};
  tomb_query query = tomb_deleted_objects(post);
  tomb_rows *rows = tomb_rows_new(db);
  MUST(tomb_fake_answer(db, &keys));
  MUST(tomb_restore_conflicts(rows, db, &query, &check_error));
  RAN("SELECT \"id\" FROM \"posts\" WHERE " DEAD " ORDER BY \"id\"",
      "WITH tombstone_dead AS (SELECT tombstone_pos AS pos, \"id\" AS pk, "
      "tombstone_original(\"title\", \"deleted_at\") AS v0 FROM (SELECT key AS "
      "tombstone_pos, value AS tombstone_pk FROM json_each(?)) AS k JOIN "
      "\"posts\" ON \"id\" = tombstone_pk WHERE " DEAD ") SELECT d.pos, d.pk, "
      "l.\"id\", 1, d.v0 FROM tombstone_dead AS d JOIN \"posts\" AS l ON "
      "l.\"title\" = d.v0 AND "
      "l.\"deleted_at\" IS NULL UNION ALL SELECT d.pos, d.pk, e.pk, 0, d.v0 "
      "FROM tombstone_dead AS d JOIN (SELECT min(pos) AS pos, pk, v0 FROM "
      "tombstone_dead GROUP BY v0) AS e ON "
      "e.pos < d.pos AND e.v0 = d.v0 ORDER BY 1 | '[7,9]'",
      "WITH tombstone_dead AS (SELECT tombstone_pos AS pos, \"id\" AS pk, "
      "\"code\" AS v0 "
      "FROM (SELECT key AS tombstone_pos, value AS tombstone_pk FROM "
      "json_each(?)) AS k JOIN \"posts\" ON \"id\" = tombstone_pk WHERE " DEAD
      ") SELECT d.pos, d.pk, l.\"id\", 1, d.v0 FROM tombstone_dead AS d JOIN "
      "\"posts\" AS l ON "
      "l.\"code\" = d.v0 AND l.\"deleted_at\" IS NULL UNION ALL SELECT d.pos, "
      "d.pk, e.pk, 0, d.v0 FROM tombstone_dead AS d JOIN (SELECT min(pos) AS "
      "pos, pk, v0 FROM tombstone_dead "
      "GROUP BY v0) AS e ON e.pos < d.pos AND e.v0 = d.v0 ORDER BY 1 "
      "| '[7,9]'");
  CHECK_INT(tomb_rows_count(rows), 0);
  tomb_rows_free(rows);
}

static void undo_stamps_the_event_and_restores_each_model(void) {
  int64_t restored;
  tomb_restoration how = {.now = 5};
  MUST(tomb_undo(&restored, db, 7, &how, &check_error));
  CHECK_INT(restored, 3);
  CHECK_TEXT(ran(1), "UPDATE \"tombstone_event\" SET \"undone_at\" = ? WHERE "
                     "\"id\" = ? | 5 7");
  CHECK_TEXT(ran(2),
             "UPDATE \"posts\" SET \"title\" = tombstone_original(\"title\", "
             "\"deleted_at\"), \"deleted_at\" = NULL, \"deleted_event\" = NULL "
             "WHERE " DEAD " AND \"posts\".\"deleted_event\" = ? | 7");
  CHECK_INT(tomb_fake_count(db), 6);
  tomb_fake_forget(db);
}

/* ---- upsert ------------------------------------------------------- */

static tomb_status upsert_by(size_t field, size_t n_update) {
  const tomb_field *on[] = {tomb_model_field(post, field)};
  tomb_value id = tomb_integer(7);
  const tomb_fake_reply row = {.columns = 1, .rows = 1, .values = &id};
  tomb_value values[FIELDS];
  tomb_assignment a = {tomb_model_field(post, VIEWS), tomb_integer(9), NULL};
  tomb_upsert upsert = {
      .on = on, .n_on = 1, .update = &a, .n_update = n_update};
  tomb_rows *rows = tomb_rows_new(db);
  empty_row(values);
  values[TITLE] = tomb_text("Hello");
  values[CODE] = tomb_integer(3);
  if (field == ID) values[ID] = id;
  MUST(tomb_fake_answer(db, &row));
  tomb_status st =
      tomb_upsert_row(db, post, values, &upsert, 5, rows, &check_error);
  tomb_rows_free(rows);
  return st;
}

#define INSERT_POST                                                            \
  "INSERT INTO \"posts\" (\"title\", \"code\", \"views\", \"note\", "          \
  "\"deleted_at\", \"deleted_event\") VALUES (?, ?, ?, ?, ?, ?)"

static void upsert_repeats_the_predicate_of_its_index(void) {
  CHECK_STATUS(upsert_by(TITLE, 1), TOMB_OK);
  CHECK_TEXT(ran(1), INSERT_POST
             " ON CONFLICT (\"title\") DO UPDATE SET \"views\" = ? WHERE "
             "\"posts\"." LIVING RETURNING " | 'Hello' 3 0 NULL NULL NULL 9");
  tomb_fake_forget(db);
  CHECK_STATUS(upsert_by(CODE, 1), TOMB_OK);
  CHECK_TEXT(ran(1), INSERT_POST " ON CONFLICT (\"code\") WHERE " LIVING
                                 " DO UPDATE SET \"views\" "
                                 "= ? WHERE \"posts\"." LIVING RETURNING
                                 " | 'Hello' 3 0 NULL NULL NULL 9");
  tomb_fake_forget(db);
  CHECK_STATUS(upsert_by(ID, 1), TOMB_OK);
  CHECK(strstr(ran(1), " ON CONFLICT (\"id\") DO UPDATE SET ") != NULL);
  tomb_fake_forget(db);
  CHECK_STATUS(upsert_by(VIEWS, 1), TOMB_MISUSE);
  CHECK_INT(tomb_fake_count(db), 0);
}

static void upsert_without_an_update_keeps_the_row(void) {
  CHECK_STATUS(upsert_by(CODE, 0), TOMB_OK);
  CHECK_TEXT(ran(1), INSERT_POST
             " ON CONFLICT (\"code\") WHERE " LIVING " DO UPDATE SET \"code\" "
             "= \"posts\".\"code\" WHERE \"posts\"." LIVING RETURNING
             " | 'Hello' 3 0 NULL NULL NULL");
  tomb_fake_forget(db);
}

/* ---- purge -------------------------------------------------------- */

static void purge_is_fenced_by_death(void) {
  int64_t purged;
  tomb_purging how = {.deletion = {.now = 5}};
  tomb_query query = of_key(tomb_deleted_objects(post), 7);
  MUST(tomb_purge(&purged, db, &query, &how, &check_error));
  RAN("DELETE FROM \"posts\" WHERE " DEAD " AND \"id\" = ? | 7");
  query = tomb_objects(plain);
  how.living = true;
  MUST(tomb_purge(&purged, db, &query, &how, &check_error));
  RAN("DELETE FROM \"plain\"");
  query = tomb_deleted_objects(plain);
  MUST(tomb_purge(&purged, db, &query, &how, &check_error));
  RAN("DELETE FROM \"plain\" WHERE 1 = 0");
}

int main(void) {
  open_scripted();
  RUN(insert_says_what_is_given_and_what_is_default);
  RUN(an_insert_is_stamped);
  RUN(save_is_fenced_by_key_life_and_version);
  RUN(update_reaches_the_living);
  RUN(a_sliced_write_names_its_keys_by_a_query);
  RUN(a_write_that_answers_rows_is_a_transaction);
  RUN(delete_is_an_update_and_an_event);
  RUN(a_delete_that_takes_nothing_leaves_no_event);
  RUN(inside_a_transaction_a_delete_asks_for_ids_once);
  RUN(a_composite_mangles_its_last_text);
  RUN(restore_is_one_update);
  RUN(a_sliced_restore_takes_its_keys_from_its_scope);
  RUN(conflicts_are_asked_for_group_by_group);
  RUN(undo_stamps_the_event_and_restores_each_model);
  RUN(upsert_repeats_the_predicate_of_its_index);
  RUN(upsert_without_an_update_keeps_the_row);
  RUN(purge_is_fenced_by_death);
  close_db();
  return check_done();
}
