/* keys.c - an ordered set of primary keys, a few bytes each. */
#include "keys.h"

#include <stdio.h>
#include <string.h>

tomb_keys *tomb_keys_new(const tomb_allocator *a) {
  tomb_keys *keys = tomb_realloc(a, NULL, 0, sizeof *keys);
  if (keys == NULL) return NULL;
  memset(keys, 0, sizeof *keys);
  keys->allocator = *a;
  keys->json.a = &keys->allocator;
  return keys;
}

void tomb_keys_free(tomb_keys *keys) {
  if (keys == NULL) return;
  tomb_allocator a = keys->allocator;
  tomb_buf_free(&keys->json);
  tomb_release(&a, keys->ends, keys->capacity * sizeof *keys->ends);
  tomb_release(&a, keys, sizeof *keys);
}

static void add_number(tomb_buf *json, double n) {
  char text[40];
  snprintf(text, sizeof text, "%.17g", n);
  char *comma = strchr(text, ','); /* some locales write 1,5 */
  if (comma != NULL) *comma = '.';
  tomb_buf_text(json, text);
}

/* Keys are integers and texts, but a table made by others may hold anything
** in a key that is no integer. */
static void add_key(tomb_buf *json, const tomb_value *key) {
  switch (key->type) {
  case TOMB_TEXT:
  case TOMB_BLOB:
    tomb_buf_json(json, key->as.text.data, key->as.text.size);
    break;
  case TOMB_NUMBER: add_number(json, key->as.number); break;
  case TOMB_ABSENT:
  case TOMB_NULL: tomb_buf_text(json, "null"); break;
  default: tomb_buf_integer(json, key->as.integer); break;
  }
}

bool tomb_keys_add(tomb_keys *keys, const tomb_value *key) {
  void *ends = keys->ends;
  if (!tomb_grow(&keys->allocator, &ends, &keys->capacity, keys->n,
                 sizeof *keys->ends)) {
    return false;
  }
  keys->ends = ends;
  if (keys->n > 0) tomb_buf_text(&keys->json, ",");
  add_key(&keys->json, key);
  if (keys->json.failed) return false;
  keys->ends[keys->n++] = keys->json.size;
  return true;
}

bool tomb_keys_join(tomb_keys *keys, const tomb_keys *more) {
  void *ends = keys->ends;
  if (more->n == 0) return true;
  while (keys->capacity < keys->n + more->n) {
    if (!tomb_grow(&keys->allocator, &ends, &keys->capacity, keys->capacity,
                   sizeof *keys->ends)) {
      return false;
    }
    keys->ends = ends;
  }
  if (keys->n > 0) tomb_buf_text(&keys->json, ",");
  size_t before = keys->json.size;
  tomb_buf_add(&keys->json, more->json.data, more->json.size);
  if (keys->json.failed) return false;
  for (size_t i = 0; i < more->n; i++) {
    keys->ends[keys->n++] = before + more->ends[i];
  }
  return true;
}

size_t tomb_keys_count(const tomb_keys *keys) {
  return keys->n;
}

bool tomb_keys_json(tomb_value *out, const tomb_keys *keys, size_t from,
                    size_t to, tomb_arena *arena) {
  size_t begin = from == 0 ? 0 : keys->ends[from - 1] + 1; /* the comma */
  size_t size = to <= from ? 0 : keys->ends[to - 1] - begin;
  char *bytes = tomb_arena_take(arena, size + 2);
  if (bytes == NULL) return false;
  bytes[0] = '[';
  if (size > 0) memcpy(bytes + 1, keys->json.data + begin, size);
  bytes[size + 1] = ']';
  *out = tomb_text_of(bytes, size + 2);
  return true;
}
