/* buf.h - text that grows and remembers its first failure. */
#ifndef TOMB_BUF_H
#define TOMB_BUF_H

#include <string.h>

#include "mem.h"

/* After a failure further additions do nothing; ask `failed` at the end. */
typedef struct tomb_buf {
  const tomb_allocator *a;
  char *data; /* always ends with a terminator, once anything was added */
  size_t size, capacity;
  bool failed;
} tomb_buf;

/* Makes room for that many bytes and a terminator; false after a failure. */
bool tomb_buf_room(tomb_buf *buf, size_t more);

/* Inline, since a statement is some fifty of these. */
static inline void tomb_buf_add(tomb_buf *buf, const char *data, size_t size) {
  if (buf->failed || buf->capacity - buf->size <= size) {
    if (!tomb_buf_room(buf, size)) return;
  }
  if (size > 0) memcpy(buf->data + buf->size, data, size);
  buf->size += size;
  buf->data[buf->size] = '\0';
}

static inline void tomb_buf_text(tomb_buf *buf, const char *text) {
  tomb_buf_add(buf, text, strlen(text));
}

void tomb_buf_integer(tomb_buf *buf, int64_t n);
/* A name as SQL writes it, in double quotes. */
void tomb_buf_name(tomb_buf *buf, const char *name);
/* A text as SQL writes it, in single quotes (for DDL only). */
void tomb_buf_literal(tomb_buf *buf, const char *data, size_t size);
/* A text as JSON writes it. */
void tomb_buf_json(tomb_buf *buf, const char *data, size_t size);
void tomb_buf_clear(tomb_buf *buf);
void tomb_buf_free(tomb_buf *buf);

#endif
