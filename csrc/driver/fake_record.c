/*
** fake_record.c - the record of what a fake database was asked to run: deep
** copies that outlive statements and bindings.
*/
#include <stdlib.h>
#include <string.h>

#include "fake_parts.h"

char *tomb_fake_copy_text(const char *data, size_t size) {
  char *copy = malloc(size + 1);
  if (copy == NULL) return NULL;
  memcpy(copy, data, size);
  copy[size] = '\0';
  return copy;
}

static bool has_bytes(const tomb_value *value) {
  return value->type == TOMB_TEXT || value->type == TOMB_BLOB;
}

static size_t block_size(const tomb_value *values, size_t n) {
  size_t size = n * sizeof *values + 1; /* never 0, for malloc */
  for (size_t i = 0; i < n; i++) {
    if (has_bytes(&values[i])) size += values[i].as.text.size + 1;
  }
  return size;
}

tomb_value *tomb_fake_copy_values(const tomb_value *values, size_t n) {
  tomb_value *copy = malloc(block_size(values, n));
  if (copy == NULL) return NULL;
  char *bytes = (char *)(copy + n);
  for (size_t i = 0; i < n; i++) {
    copy[i] = values[i];
    if (!has_bytes(&values[i])) continue;
    size_t size = values[i].as.text.size;
    if (size > 0) memcpy(bytes, values[i].as.text.data, size);
    bytes[size] = '\0';
    copy[i].as.text.data = bytes;
    bytes += size + 1;
  }
  return copy;
}

static bool grow(tomb_fake_record *record) {
  if (record->count < record->capacity) return true;
  size_t capacity = record->capacity > 0 ? record->capacity * 2 : 16;
  tomb_fake_entry *grown = realloc(record->entries, capacity * sizeof *grown);
  if (grown == NULL) return false;
  record->entries = grown;
  record->capacity = capacity;
  return true;
}

bool tomb_fake_keep(tomb_fake_record *record, const char *sql,
                    const tomb_value *values, size_t n) {
  if (!grow(record)) return false;
  tomb_fake_entry entry = {tomb_fake_copy_text(sql, strlen(sql)),
                           tomb_fake_copy_values(values, n), n};
  if (entry.sql == NULL || entry.values == NULL) {
    free(entry.sql);
    free(entry.values);
    return false;
  }
  record->entries[record->count++] = entry;
  return true;
}

void tomb_fake_clear(tomb_fake_record *record) {
  for (size_t i = 0; i < record->count; i++) {
    free(record->entries[i].sql);
    free(record->entries[i].values);
  }
  free(record->entries);
  *record = (tomb_fake_record){0};
}
