/* rows.h - rows in memory, copied. Rows may differ in length. */
#ifndef TOMB_ROWS_H
#define TOMB_ROWS_H

#include "mem.h"

struct tomb_rows {
  tomb_allocator allocator;
  tomb_arena arena; /* the texts */
  tomb_value *values;
  size_t n_values, values_capacity;
  size_t *ends; /* where each row ends among the values */
  size_t n, ends_capacity;
};

tomb_rows *tomb_rows_with(const tomb_allocator *a);

#endif
