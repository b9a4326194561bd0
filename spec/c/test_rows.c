/* test_rows.c - rows in memory, and the arenas and buffers below them. */
#include "check.h"

#include "buf.h"
#include "mem.h"
#include "rows.h"

static tomb_error error;

/* Counts what is out, and fails when it is told to. */
typedef struct counter {
  size_t bytes, blocks;
  int left; /* allocations until one fails; -1: none fails */
} counter;

static void *counting(void *ud, void *ptr, size_t osize, size_t nsize) {
  counter *c = ud;
  if (nsize == 0) {
    if (ptr != NULL) c->bytes -= osize, c->blocks--;
    free(ptr);
    return NULL;
  }
  if (c->left == 0) return NULL;
  if (c->left > 0) c->left--;
  void *moved = realloc(ptr, nsize);
  if (moved == NULL) return NULL;
  if (ptr == NULL) c->blocks++;
  c->bytes += nsize - (ptr == NULL ? 0 : osize);
  return moved;
}

static tomb_rows *new_rows(counter *c) {
  tomb_allocator a = {counting, c};
  tomb_rows *rows = tomb_rows_with(&a);
  if (rows == NULL) exit(EXIT_FAILURE);
  return rows;
}

static void rows_are_copies(void) {
  counter c = {0, 0, -1};
  tomb_rows *rows = new_rows(&c);
  char text[] = "Hello";
  tomb_value row[] = {tomb_integer(7), tomb_text(text), tomb_blob("a\0b", 3)};
  CHECK_STATUS(tomb_rows_add(rows, row, 3, &error), TOMB_OK);
  memset(text, 'x', 5);
  size_t n;
  const tomb_value *kept = tomb_rows_at(rows, 0, &n);
  CHECK_INT(n, 3);
  CHECK_INT(kept[0].as.integer, 7);
  CHECK_TEXT(kept[1].as.text.data, "Hello");
  CHECK(memcmp(kept[2].as.text.data, "a\0b", 3) == 0);
  tomb_rows_free(rows);
  CHECK_INT(c.blocks, 0);
}

static void rows_may_differ_in_length(void) {
  counter c = {0, 0, -1};
  tomb_rows *rows = new_rows(&c);
  tomb_value row[20];
  for (int i = 0; i < 20; i++) row[i] = tomb_integer(i);
  for (size_t n = 0; n < 20; n++) {
    CHECK_STATUS(tomb_rows_add(rows, row, n, &error), TOMB_OK);
  }
  CHECK_INT(tomb_rows_count(rows), 20);
  for (size_t i = 0; i < 20; i++) {
    size_t n;
    const tomb_value *kept = tomb_rows_at(rows, i, &n);
    CHECK_INT(n, i);
    if (n > 0) CHECK_INT(kept[n - 1].as.integer, n - 1);
  }
  tomb_rows_free(rows);
  CHECK_INT(c.bytes, 0);
}

static void cleared_rows_are_empty_and_ready(void) {
  counter c = {0, 0, -1};
  tomb_rows *rows = new_rows(&c);
  char text[3000];
  memset(text, 'a', sizeof text);
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 100; i++) {
      tomb_value value = tomb_text_of(text, sizeof text);
      CHECK_STATUS(tomb_rows_add(rows, &value, 1, &error), TOMB_OK);
    }
    CHECK_INT(tomb_rows_count(rows), 100);
    tomb_rows_clear(rows);
    CHECK_INT(tomb_rows_count(rows), 0);
  }
  tomb_rows_free(rows);
  CHECK_INT(c.bytes, 0);
  tomb_rows_free(NULL);
}

/* Every allocation fails once: the rows before stay, the new one is not. */
static void a_row_that_finds_no_memory_is_not_added(void) {
  tomb_value row[3] = {tomb_text("one"), tomb_integer(2), tomb_text("three")};
  for (int fail = 0; fail < 12; fail++) {
    counter c = {0, 0, -1};
    tomb_rows *rows = new_rows(&c);
    CHECK_STATUS(tomb_rows_add(rows, row, 3, &error), TOMB_OK);
    c.left = fail;
    size_t wanted = 1;
    for (int i = 0; i < 40; i++) {
      tomb_status st = tomb_rows_add(rows, row, 3, &error);
      if (st == TOMB_OK) wanted++;
      CHECK(st == TOMB_OK || st == TOMB_NOMEM);
    }
    CHECK_INT(tomb_rows_count(rows), wanted);
    CHECK_TEXT(tomb_rows_at(rows, wanted - 1, NULL)[2].as.text.data, "three");
    tomb_rows_free(rows);
    CHECK_INT(c.blocks, 0);
    CHECK_INT(c.bytes, 0);
  }
}

/* ---- arenas ------------------------------------------------------- */

static void an_arenas_memory_is_aligned_and_does_not_move(void) {
  counter c = {0, 0, -1};
  tomb_allocator a = {counting, &c};
  tomb_arena arena = {&a, NULL, 0};
  char *taken[500];
  for (size_t i = 0; i < 500; i++) {
    taken[i] = tomb_arena_take(&arena, i);
    CHECK((uintptr_t)taken[i] % sizeof(double) == 0);
    memset(taken[i], (int)(i % 250), i);
  }
  for (size_t i = 1; i < 500; i++) {
    CHECK(taken[i][0] == (char)(i % 250) && taken[i][i - 1] == taken[i][0]);
  }
  CHECK(tomb_arena_take(&arena, SIZE_MAX - 4) == NULL);
  tomb_arena_reset(&arena);
  CHECK_INT(c.blocks, 1);
  tomb_arena_free(&arena);
  CHECK_INT(c.bytes, 0);
}

static void a_huge_block_does_not_outlive_a_reset(void) {
  counter c = {0, 0, -1};
  tomb_allocator a = {counting, &c};
  tomb_arena arena = {&a, NULL, 0};
  CHECK(tomb_arena_take(&arena, 100) != NULL);
  CHECK(tomb_arena_take(&arena, 1000000) != NULL);
  tomb_arena_reset(&arena);
  CHECK_INT(c.bytes, 0);
  for (int i = 0; i < 2000; i++) CHECK(tomb_arena_take(&arena, 100) != NULL);
  tomb_arena_reset(&arena);
  size_t kept = c.bytes;
  CHECK(kept > 1000 && kept < 100000);
  for (int i = 0; i < 200; i++) CHECK(tomb_arena_take(&arena, 100) != NULL);
  CHECK_INT(c.bytes, kept); /* nothing was asked of the allocator */
  tomb_arena_free(&arena);
  CHECK_INT(c.bytes, 0);
}

static void an_empty_text_is_a_text(void) {
  counter c = {0, 0, -1};
  tomb_allocator a = {counting, &c};
  tomb_arena arena = {&a, NULL, 0};
  tomb_value value = tomb_text_of(NULL, 0);
  CHECK(tomb_arena_keep(&arena, &value));
  CHECK_TEXT(value.as.text.data, "");
  tomb_arena_free(&arena);
}

/* ---- buffers ------------------------------------------------------ */

static void a_buffer_quotes_names_and_texts(void) {
  counter c = {0, 0, -1};
  tomb_allocator a = {counting, &c};
  tomb_buf buf = {&a, NULL, 0, 0, false};
  tomb_buf_name(&buf, "we\"ird");
  tomb_buf_text(&buf, " ");
  tomb_buf_literal(&buf, "it's", 4);
  tomb_buf_text(&buf, " ");
  tomb_buf_integer(&buf, INT64_MIN);
  tomb_buf_json(&buf, "\x01\"\\\x7F", 4);
  CHECK_TEXT(buf.data, "\"we\"\"ird\" 'it''s' -9223372036854775808"
                       "\"\\u0001\\\"\\\\\x7F\"");
  tomb_buf_clear(&buf);
  tomb_buf_name(&buf, "");
  CHECK_TEXT(buf.data, "\"\"");
  tomb_buf_free(&buf);
  CHECK_INT(c.bytes, 0);
}

static void a_buffer_remembers_its_first_failure(void) {
  counter c = {0, 0, 1};
  tomb_allocator a = {counting, &c};
  tomb_buf buf = {&a, NULL, 0, 0, false};
  for (int i = 0; i < 100; i++) tomb_buf_text(&buf, "0123456789");
  CHECK(buf.failed);
  CHECK_INT(buf.size, 250);
  c.left = -1;
  tomb_buf_text(&buf, "more");
  CHECK_INT(buf.size, 250);
  tomb_buf_clear(&buf);
  tomb_buf_text(&buf, "again");
  CHECK_TEXT(buf.data, "again");
  tomb_buf_free(&buf);
  CHECK_INT(c.bytes, 0);
}

static void a_buffer_does_not_overflow(void) {
  counter c = {0, 0, -1};
  tomb_allocator a = {counting, &c};
  tomb_buf buf = {&a, NULL, 0, 0, false};
  volatile size_t huge = SIZE_MAX - 1; /* the compiler would object */
  tomb_buf_text(&buf, "x");
  tomb_buf_add(&buf, "x", huge);
  CHECK(buf.failed);
  CHECK_TEXT(buf.data, "x");
  tomb_buf_free(&buf);
}

int main(void) {
  RUN(rows_are_copies);
  RUN(rows_may_differ_in_length);
  RUN(cleared_rows_are_empty_and_ready);
  RUN(a_row_that_finds_no_memory_is_not_added);
  RUN(an_arenas_memory_is_aligned_and_does_not_move);
  RUN(a_huge_block_does_not_outlive_a_reset);
  RUN(an_empty_text_is_a_text);
  RUN(a_buffer_quotes_names_and_texts);
  RUN(a_buffer_remembers_its_first_failure);
  RUN(a_buffer_does_not_overflow);
  return check_done();
}
