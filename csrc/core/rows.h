/* rows.h - rows in memory, copied. Rows may differ in length. */
#ifndef TOMB_ROWS_H
#define TOMB_ROWS_H

#include "mem.h"

struct tomb_row {
  tomb_value *values;
  size_t n;
};

struct tomb_rows {
  tomb_allocator allocator;
  tomb_arena arena; /* each row, its texts behind it */
  struct tomb_row *list;
  size_t n, capacity;
};

tomb_rows *tomb_rows_with(const tomb_allocator *a);

#endif
