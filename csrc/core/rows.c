/* rows.c - rows in memory, copied. */
#include "rows.h"

#include <string.h>

#include "error.h"

tomb_rows *tomb_rows_with(const tomb_allocator *a) {
  tomb_rows *rows = tomb_realloc(a, NULL, 0, sizeof *rows);
  if (rows == NULL) return NULL;
  memset(rows, 0, sizeof *rows);
  rows->allocator = *a;
  rows->arena.a = &rows->allocator;
  return rows;
}

void tomb_rows_free(tomb_rows *rows) {
  if (rows == NULL) return;
  tomb_allocator a = rows->allocator;
  tomb_arena_free(&rows->arena);
  tomb_release(&a, rows->values, rows->values_capacity * sizeof *rows->values);
  tomb_release(&a, rows->ends, rows->ends_capacity * sizeof *rows->ends);
  tomb_release(&a, rows, sizeof *rows);
}

void tomb_rows_clear(tomb_rows *rows) {
  tomb_arena_reset(&rows->arena);
  rows->n_values = rows->n = 0;
}

static bool add_value(tomb_rows *rows, const tomb_value *value) {
  void *values = rows->values;
  tomb_value copy = *value;
  if (!tomb_arena_keep(&rows->arena, &copy) ||
      !tomb_grow(&rows->allocator, &values, &rows->values_capacity,
                 rows->n_values, sizeof copy)) {
    return false;
  }
  rows->values = values;
  rows->values[rows->n_values++] = copy;
  return true;
}

tomb_status tomb_rows_add(tomb_rows *rows, const tomb_value *values, size_t n,
                          tomb_error *err) {
  size_t before = rows->n_values;
  void *ends = rows->ends;
  bool ok = tomb_grow(&rows->allocator, &ends, &rows->ends_capacity, rows->n,
                      sizeof *rows->ends);
  rows->ends = ends;
  for (size_t i = 0; ok && i < n; i++) ok = add_value(rows, &values[i]);
  if (!ok) {
    rows->n_values = before;
    return tomb_out_of_memory(err);
  }
  rows->ends[rows->n++] = rows->n_values;
  return TOMB_OK;
}

size_t tomb_rows_count(const tomb_rows *rows) {
  return rows->n;
}

const tomb_value *tomb_rows_at(const tomb_rows *rows, size_t i, size_t *n) {
  size_t begin = i == 0 ? 0 : rows->ends[i - 1];
  if (n != NULL) *n = rows->ends[i] - begin;
  return rows->values + begin;
}
