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
  tomb_release(&a, rows->list, rows->capacity * sizeof *rows->list);
  tomb_release(&a, rows, sizeof *rows);
}

void tomb_rows_clear(tomb_rows *rows) {
  tomb_arena_reset(&rows->arena);
  rows->n = 0;
}

static bool has_bytes(const tomb_value *value) {
  return value->type == TOMB_TEXT || value->type == TOMB_BLOB;
}

/* With a terminator each. */
static size_t count_bytes(const tomb_value *values, size_t n) {
  size_t bytes = 0;
  for (size_t i = 0; i < n; i++) {
    if (has_bytes(&values[i])) bytes += values[i].as.text.size + 1;
  }
  return bytes;
}

static void copy_row(tomb_value *to, const tomb_value *from, size_t n) {
  char *bytes = (char *)(to + n);
  for (size_t i = 0; i < n; i++) {
    size_t size = from[i].as.text.size;
    to[i] = from[i];
    if (!has_bytes(&from[i])) continue;
    if (size > 0) memcpy(bytes, from[i].as.text.data, size);
    bytes[size] = '\0';
    to[i].as.text.data = bytes;
    bytes += size + 1;
  }
}

tomb_status tomb_rows_add(tomb_rows *rows, const tomb_value *values, size_t n,
                          tomb_error *err) {
  void *list = rows->list;
  size_t size = n * sizeof *values + count_bytes(values, n);
  if (!tomb_grow(&rows->allocator, &list, &rows->capacity, rows->n,
                 sizeof *rows->list)) {
    return tomb_out_of_memory(err);
  }
  rows->list = list;
  tomb_value *row = tomb_arena_take(&rows->arena, size);
  if (row == NULL) return tomb_out_of_memory(err);
  copy_row(row, values, n);
  rows->list[rows->n++] = (struct tomb_row){row, n};
  return TOMB_OK;
}

size_t tomb_rows_count(const tomb_rows *rows) {
  return rows->n;
}

const tomb_value *tomb_rows_at(const tomb_rows *rows, size_t i, size_t *n) {
  if (n != NULL) *n = rows->list[i].n;
  return rows->list[i].values;
}
