/* buf.c - text that grows and remembers its first failure. */
#include "buf.h"

#include <stdio.h>
#include <string.h>

bool tomb_buf_room(tomb_buf *buf, size_t more) {
  if (buf->failed) return false;
  if (buf->capacity - buf->size > more) return true;
  size_t wanted = buf->capacity < 256 ? 256 : buf->capacity * 2;
  if (more > SIZE_MAX / 4) wanted = 0;
  while (wanted != 0 && wanted - buf->size <= more) wanted *= 2;
  char *moved = wanted == 0
                    ? NULL
                    : tomb_realloc(buf->a, buf->data, buf->capacity, wanted);
  buf->failed = moved == NULL;
  if (buf->failed) return false;
  buf->data = moved;
  buf->capacity = wanted;
  return true;
}

void tomb_buf_integer(tomb_buf *buf, int64_t n) {
  char digits[24];
  size_t at = sizeof digits;
  uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
  do {
    digits[--at] = (char)('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (n < 0) digits[--at] = '-';
  tomb_buf_add(buf, digits + at, sizeof digits - at);
}

static void quoted(tomb_buf *buf, const char *data, size_t size, char quote) {
  tomb_buf_add(buf, &quote, 1);
  size_t from = 0;
  for (size_t i = 0; i < size; i++) {
    if (data[i] != quote) continue;
    tomb_buf_add(buf, data + from, i + 1 - from);
    from = i; /* the quote once more */
  }
  tomb_buf_add(buf, data + from, size - from);
  tomb_buf_add(buf, &quote, 1);
}

void tomb_buf_name(tomb_buf *buf, const char *name) {
  quoted(buf, name, strlen(name), '"');
}

void tomb_buf_literal(tomb_buf *buf, const char *data, size_t size) {
  quoted(buf, data, size, '\'');
}

static void json_escape(tomb_buf *buf, unsigned char c) {
  char text[8];
  if (c == '"' || c == '\\') {
    snprintf(text, sizeof text, "\\%c", c);
  } else {
    snprintf(text, sizeof text, "\\u%04x", c);
  }
  tomb_buf_text(buf, text);
}

void tomb_buf_json(tomb_buf *buf, const char *data, size_t size) {
  tomb_buf_text(buf, "\"");
  size_t from = 0;
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)data[i];
    if (c >= ' ' && c != '"' && c != '\\') continue;
    tomb_buf_add(buf, data + from, i - from);
    json_escape(buf, c);
    from = i + 1;
  }
  tomb_buf_add(buf, data + from, size - from);
  tomb_buf_text(buf, "\"");
}

void tomb_buf_clear(tomb_buf *buf) {
  buf->size = 0;
  buf->failed = false;
}

void tomb_buf_free(tomb_buf *buf) {
  tomb_release(buf->a, buf->data, buf->capacity);
  buf->data = NULL;
  buf->size = buf->capacity = 0;
}
