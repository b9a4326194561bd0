/* report.c - what a purge did, by model. */
#include "report.h"

#include "error.h"
#include "rows.h"

tomb_status tomb_report(tomb_rows *report, tomb_report_kind kind,
                        const tomb_model *model, const tomb_field *field,
                        int64_t count, const tomb_value *key, tomb_error *err) {
  tomb_value row[TOMB_REPORT_COLUMNS];
  if (report == NULL || count == 0) return TOMB_OK;
  row[TOMB_REPORT_KIND] = tomb_integer(kind);
  row[TOMB_REPORT_MODEL] = tomb_text(model->name);
  row[TOMB_REPORT_FIELD] = field == NULL ? tomb_null() : tomb_text(field->name);
  row[TOMB_REPORT_COUNT] = tomb_integer(count);
  row[TOMB_REPORT_KEY] = key == NULL ? tomb_null() : *key;
  return tomb_rows_add(report, row, TOMB_REPORT_COLUMNS, err);
}

tomb_status tomb_report_ahead(tomb_rows *report, tomb_report_kind kind,
                              const tomb_model *model, tomb_error *err) {
  return tomb_report(report, kind, model, NULL, 1, NULL, err);
}

void tomb_report_settle(tomb_rows *report, int64_t count) {
  if (report == NULL) return;
  if (count == 0) {
    report->n--;
    return;
  }
  tomb_value *line = report->list[report->n - 1].values;
  line[TOMB_REPORT_COUNT] = tomb_integer(count);
}

tomb_status tomb_report_changes(tomb_rows *report, tomb_report_kind kind,
                                const tomb_db *db, const tomb_model *model,
                                const tomb_field *field, tomb_error *err) {
  return tomb_report(report, kind, model, field, tomb_store_changes(db), NULL,
                     err);
}

tomb_status tomb_report_counted(tomb_rows *report, tomb_report_kind kind,
                                int64_t *count, tomb_db *db,
                                const tomb_model *model,
                                const tomb_field *field, tomb_error *err) {
  tomb_cursor cursor;
  *count = 0;
  tomb_status st = tomb_store_open(&cursor, db, err);
  if (st != TOMB_OK) return st;
  st = tomb_cursor_next(&cursor, err);
  if (st == TOMB_ROW) {
    const tomb_value *key = cursor.n > 1 ? &cursor.values[1] : NULL;
    *count = cursor.values[0].as.integer;
    st = tomb_report(report, kind, model, field, *count, key, err);
  }
  tomb_cursor_close(&cursor);
  return st == TOMB_DONE ? TOMB_OK : st;
}
