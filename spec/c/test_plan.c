/* test_plan.c - plans as text, without a database: no driver is called. */
#include "models.h"

#include "dialect.h"
#include "plan.h"
#include "store.h"

static const tomb_model *events, *stamped;

/* The models need a handle; the plans do not. */
static void open_models(void) {
  static const tomb_field_def fields[] = {TEXT("code", .unique = TOMB_UNIQUE)};
  static const tomb_model_def def = {.name = "Stamped",
                                     .fields = fields,
                                     .n_fields = 1,
                                     .soft_delete = TOMB_SOFT_DELETE_STAMP};
  open_posts();
  stamped = define(&def);
  events = tomb_model_named(db, "TombstoneEvent");
}

static void check_plan(const tomb_plan *plan, const char *wanted, int line) {
  tomb_allocator a = db->allocator;
  tomb_buf out = {&a, NULL, 0, 0, false};
  tomb_plan_show(&out, plan, &tomb_sqlite_dialect);
  CHECK(!out.failed);
  check_text(out.data, wanted, __FILE__, line);
  tomb_buf_free(&out);
}
#define SHOWS(plan, wanted) check_plan(plan, wanted, __LINE__)

static void a_deletion_marks_and_records(void) {
  tomb_plan plan;
  tomb_value pk = tomb_integer(7);
  tomb_deletion how = {.actor = "ana", .pk = &pk};
  tomb_query query = tomb_objects(post);
  query.limit = 2;
  tomb_plan_delete(&plan, &query, 1500000, 9);
  tomb_plan_record(&plan, events, &how);
  SHOWS(&plan,
        "UPDATE \"posts\" SET \"title\" = tombstone_mangled(\"title\", ?), "
        "\"deleted_at\" = ?, \"deleted_event\" = ? WHERE \"deleted_at\" IS "
        "NULL AND \"id\" IN (SELECT \"id\" FROM \"posts\" WHERE "
        "\"deleted_at\" IS NULL ORDER BY \"id\" LIMIT ?) | "
        "'__deleted_1.500000', 1970-01-01 00:00:01.500000, 9, 2\n"
        "INSERT INTO \"tombstone_event\" (\"id\", \"at\", \"model\", \"pk\", "
        "\"actor\", \"reason\", \"undone_at\") VALUES (?, ?, ?, ?, ?, ?, ?) | "
        "9, 1970-01-01 00:00:01.500000, 'Post', '7', 'ana', NULL, NULL\n");
}

static void another_stamp_changes_every_step(void) {
  tomb_plan plan;
  tomb_deletion how = {.reason = "old"};
  tomb_query query = tomb_objects(stamped);
  tomb_plan_delete(&plan, &query, 1500000, 0);
  tomb_plan_record(&plan, events, &how);
  tomb_plan_stamp(&plan, 1500001);
  CHECK_INT(tomb_plan_stamped(&plan), 1500001);
  SHOWS(&plan,
        "UPDATE \"stamped\" SET \"code\" = tombstone_mangled(\"code\", ?), "
        "\"deleted_at\" = ? WHERE \"deleted_at\" IS NULL | "
        "'__deleted_1.500001', 1970-01-01 00:00:01.500001\n"
        "INSERT INTO \"tombstone_event\" (\"id\", \"at\", \"model\", \"pk\", "
        "\"actor\", \"reason\", \"undone_at\") VALUES (?, ?, ?, ?, ?, ?, ?) | "
        "0, 1970-01-01 00:00:01.500001, 'Stamped', NULL, NULL, 'old', NULL\n");
}

static void a_restore_revives(void) {
  tomb_plan plan;
  tomb_query query = tomb_deleted_objects(post);
  tomb_assignment also = {tomb_model_field(post, VIEWS), tomb_integer(3), NULL};
  tomb_plan_restore(&plan, &query, &also, 1);
  SHOWS(&plan,
        "UPDATE \"posts\" SET \"views\" = ?, \"title\" = "
        "tombstone_original(\"title\", \"deleted_at\"), \"deleted_at\" = "
        "NULL, \"deleted_event\" = NULL WHERE \"deleted_at\" IS NOT NULL | "
        "3\n");
}

static void a_purge_erases_within_its_fence(void) {
  tomb_plan plan;
  tomb_query query = tomb_all_objects(post);
  tomb_plan_purge(&plan, &query, TOMB_DEAD);
  SHOWS(&plan, "DELETE FROM \"posts\" WHERE \"deleted_at\" IS NOT NULL\n");
  tomb_plan_purge(&plan, &query, TOMB_EVERY);
  SHOWS(&plan, "DELETE FROM \"posts\"\n");
}

int main(void) {
  open_models();
  RUN(a_deletion_marks_and_records);
  RUN(another_stamp_changes_every_step);
  RUN(a_restore_revives);
  RUN(a_purge_erases_within_its_fence);
  tomb_free(db);
  return check_done();
}
