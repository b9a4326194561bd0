/* update.c - setting fields of many living rows. */
#include "cond.h"
#include "error.h"
#include "value.h"
#include "verbs.h"

static bool is_writable(const tomb_field *field) {
  return field->role == TOMB_ROLE_NONE || field->role == TOMB_ROLE_CREATED_AT ||
         field->role == TOMB_ROLE_UPDATED_AT;
}

/* Nothing but integers may come into an integer; 2.0 becomes one. */
static bool is_whole(tomb_expr *expr) {
  static const tomb_field integer = {.type = TOMB_FIELD_INTEGER};
  if (expr->op == TOMB_EXPR_VALUE) return tomb_fit(&integer, &expr->value);
  if (expr->op == TOMB_EXPR_FIELD) {
    return expr->field->type == TOMB_FIELD_INTEGER;
  }
  return is_whole(expr->left) && is_whole(expr->right);
}

static bool is_number(const tomb_field *field) {
  return field->relation == NULL && (field->type == TOMB_FIELD_INTEGER ||
                                     field->type == TOMB_FIELD_NUMBER);
}

static tomb_status check_expr(const tomb_model *model, const tomb_assignment *a,
                              tomb_error *err) {
  const char *takes = "no arithmetic";
  if (is_number(a->field)) {
    tomb_status st = tomb_expr_check(model, a->field, a->expr, err);
    if (st != TOMB_OK || a->field->type != TOMB_FIELD_INTEGER ||
        is_whole(a->expr)) {
      return st;
    }
    takes = "arithmetic over integers only";
  }
  tomb_fail(err, TOMB_MISUSE, "%s.%s takes %s", model->name, a->field->name,
            takes);
  tomb_error_model(err, model->name);
  return TOMB_MISUSE;
}

static tomb_status check_target(const tomb_model *model,
                                const tomb_assignment *a, tomb_error *err) {
  tomb_status st = tomb_check_writable(model, a->field, err);
  if (st != TOMB_OK) return st;
  if (!is_writable(a->field)) {
    tomb_fail(err, TOMB_MISUSE, "%s.%s cannot be updated", model->name,
              a->field->name);
    tomb_error_model(err, model->name);
    return TOMB_MISUSE;
  }
  return a->expr == NULL ? TOMB_OK : check_expr(model, a, err);
}

tomb_status tomb_check_assignments(const tomb_model *model,
                                   tomb_assignment *assignments, size_t n,
                                   tomb_error *err) {
  bool ok = true;
  tomb_status st = tomb_need_parents(model, err);
  if (st != TOMB_OK) return st;
  for (size_t i = 0; i < n; i++) {
    st = check_target(model, &assignments[i], err);
    if (st != TOMB_OK) return st;
  }
  tomb_error_clear(err);
  for (size_t i = 0; i < n; i++) {
    tomb_assignment *a = &assignments[i];
    if (a->expr != NULL) continue;
    ok = tomb_validate_value(model, a->field, &a->value, err) && ok;
  }
  return ok ? TOMB_OK : TOMB_VALIDATION;
}

static tomb_status check_update(const tomb_query *query,
                                tomb_assignment *assignments, size_t n,
                                tomb_error *err) {
  if (query->scope != TOMB_LIVING) {
    tomb_fail(err, TOMB_MISUSE, "update reaches living rows only");
    tomb_error_model(err, query->model->name);
    tomb_error_hint(err, "use objects, or restore the rows first");
    return TOMB_MISUSE;
  }
  if (n == 0) return tomb_fail(err, TOMB_MISUSE, "There is nothing to update");
  return tomb_check_assignments(query->model, assignments, n, err);
}

static tomb_status write(int64_t *changed, tomb_db *db,
                         const tomb_statement *statement, tomb_rows *returning,
                         tomb_error *err) {
  tomb_status st = tomb_store_try(changed, db, db->driver->dialect->update,
                                  statement, returning, err);
  if (st != TOMB_INTEGRITY) return st;
  return tomb_edit_refused(db, statement->model, "update records", NULL,
                           statement->assignments, statement->n_assignments,
                           err);
}

/* The statement itself moves no row under a dead parent; that it is refused as
** a whole takes a look before, in the same transaction. Where others write
** meanwhile the parent may have died since: then it takes another one. */
static tomb_status move(int64_t *changed, tomb_db *db,
                        const tomb_statement *statement, tomb_rows *returning,
                        tomb_error *err) {
  tomb_step step;
  tomb_status st = tomb_step_begin(&step, db, err);
  if (st != TOMB_OK) return st;
  st = tomb_check_moves(db, statement, "update records", err);
  if (st == TOMB_OK) st = write(changed, db, statement, returning, err);
  step.wrote = *changed > 0;
  if (st == TOMB_OK && !db->driver->dialect->writers_are_alone) {
    st = tomb_check_moves(db, statement, "update records", err);
  }
  st = tomb_step_end(&step, db, st, err);
  if (st != TOMB_OK) *changed = 0;
  return st;
}

tomb_status tomb_update(int64_t *changed, tomb_db *db, const tomb_query *query,
                        tomb_assignment *assignments, size_t n, int64_t now,
                        tomb_rows *returning, tomb_error *err) {
  *changed = 0;
  tomb_status st = check_update(query, assignments, n, err);
  if (st != TOMB_OK) return st;
  tomb_statement statement = tomb_statement_on(query);
  statement.is_write = statement.bump = true;
  statement.now = now;
  statement.assignments = assignments;
  statement.n_assignments = n;
  statement.returning = returning != NULL;
  return tomb_has_new_parents(&statement)
             ? move(changed, db, &statement, returning, err)
             : write(changed, db, &statement, returning, err);
}
