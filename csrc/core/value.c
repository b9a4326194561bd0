/* value.c - values that fit the type of a field. */
#include "value.h"

#include <math.h>
#include <string.h>

#include "instant.h"

tomb_value tomb_null(void) {
  tomb_value v = {TOMB_NULL, {0}};
  return v;
}

static tomb_value integral(tomb_type type, int64_t n) {
  tomb_value v = {type, {0}};
  v.as.integer = n;
  return v;
}

tomb_value tomb_integer(int64_t n) {
  return integral(TOMB_INTEGER, n);
}

tomb_value tomb_boolean(bool b) {
  return integral(TOMB_BOOLEAN, b ? 1 : 0);
}

tomb_value tomb_time(int64_t microseconds) {
  return integral(TOMB_TIME, microseconds);
}

tomb_value tomb_number(double n) {
  tomb_value v = {TOMB_NUMBER, {0}};
  v.as.number = n;
  return v;
}

static tomb_value bytes(tomb_type type, const char *data, size_t size) {
  tomb_value v = {type, {0}};
  v.as.text.data = data;
  v.as.text.size = size;
  return v;
}

tomb_value tomb_text_of(const char *data, size_t size) {
  return bytes(TOMB_TEXT, data, size);
}

tomb_value tomb_text(const char *zero_terminated) {
  return bytes(TOMB_TEXT, zero_terminated, strlen(zero_terminated));
}

tomb_value tomb_blob(const void *data, size_t size) {
  return bytes(TOMB_BLOB, data, size);
}

const char *tomb_field_type_name(tomb_field_type type) {
  static const char *const names[TOMB_FIELD_TYPES] = {
      "char",    "text",     "integer", "number",
      "boolean", "datetime", "blob",    "json"};
  return names[type];
}

const char *tomb_type_wanted(tomb_field_type type) {
  static const char *const wanted[TOMB_FIELD_TYPES] = {
      "text",
      "text",
      "an integer",
      "a finite number",
      "true or false",
      "a time in seconds between the years 0001 and 9999",
      "a string of bytes",
      "a value that JSON can hold"};
  return wanted[type];
}

bool tomb_is_given(const tomb_value *value) {
  return value->type != TOMB_ABSENT && value->type != TOMB_NULL;
}

static bool fit_integer(tomb_value *v) {
  if (v->type == TOMB_INTEGER) return true;
  /* both bounds are exact in a double; the upper one is 2^63 itself */
  if (v->type != TOMB_NUMBER || !(v->as.number >= -9223372036854775808.0) ||
      !(v->as.number < 9223372036854775808.0) ||
      v->as.number != floor(v->as.number)) {
    return false;
  }
  *v = tomb_integer((int64_t)v->as.number);
  return true;
}

static bool fit_number(tomb_value *v) {
  if (v->type == TOMB_INTEGER) *v = tomb_number((double)v->as.integer);
  return v->type == TOMB_NUMBER && isfinite(v->as.number);
}

static bool fit_time(tomb_value *v) {
  if (v->type == TOMB_TIME) {
    return v->as.integer >= TOMB_TIME_MIN && v->as.integer <= TOMB_TIME_MAX;
  }
  if (!fit_number(v)) return false;
  double seconds = v->as.number;
  if (!(seconds > -62135596801.0) || !(seconds < 253402300801.0)) return false;
  /* whole seconds apart, so that rounding sees the full fraction */
  double whole = floor(seconds);
  int64_t micro =
      (int64_t)whole * 1000000 + (int64_t)llround((seconds - whole) * 1e6);
  if (micro < TOMB_TIME_MIN || micro > TOMB_TIME_MAX) return false;
  *v = tomb_time(micro);
  return true;
}

static bool fit_text(tomb_value *v) {
  return v->type == TOMB_TEXT;
}

static bool fit_blob(tomb_value *v) {
  if (v->type == TOMB_TEXT) v->type = TOMB_BLOB;
  return v->type == TOMB_BLOB;
}

static bool fit_boolean(tomb_value *v) {
  return v->type == TOMB_BOOLEAN;
}

bool tomb_fit(const tomb_field *field, tomb_value *value) {
  static bool (*const fits[TOMB_FIELD_TYPES])(tomb_value *) = {
      fit_text,    fit_text, fit_integer, fit_number,
      fit_boolean, fit_time, fit_blob,    fit_text};
  return !tomb_is_given(value) || fits[field->type](value);
}

bool tomb_value_fit(const tomb_field *field, tomb_value *value) {
  return tomb_fit(field, value);
}

static void unfit_time(tomb_value *v) {
  int64_t micro;
  if (v->type == TOMB_TEXT &&
      tomb_time_parse(v->as.text.data, v->as.text.size, &micro)) {
    *v = tomb_time(micro);
  }
}

void tomb_unfit(const tomb_field *field, tomb_value *value) {
  switch (field->type) {
  case TOMB_FIELD_BOOLEAN:
    if (value->type == TOMB_INTEGER &&
        (value->as.integer == 0 || value->as.integer == 1)) {
      value->type = TOMB_BOOLEAN;
    }
    break;
  case TOMB_FIELD_NUMBER:
    if (value->type == TOMB_INTEGER) fit_number(value);
    break;
  case TOMB_FIELD_DATETIME: unfit_time(value); break;
  default: break;
  }
}

bool tomb_value_equal(const tomb_value *a, const tomb_value *b) {
  if (a->type != b->type) return false;
  switch (a->type) {
  case TOMB_ABSENT:
  case TOMB_NULL: return true;
  case TOMB_REFUSED: return false;
  case TOMB_NUMBER: return a->as.number == b->as.number;
  case TOMB_TEXT:
  case TOMB_BLOB:
    return a->as.text.size == b->as.text.size &&
           (a->as.text.size == 0 ||
            memcmp(a->as.text.data, b->as.text.data, a->as.text.size) == 0);
  default: return a->as.integer == b->as.integer;
  }
}

/* Length of the character that begins at s[0], or 0 when it is not valid:
** no overlong forms, no surrogates, nothing above U+10FFFF, no NUL. */
static size_t character(const unsigned char *s, size_t size) {
  if (s[0] < 0x80) return s[0] != 0;
  size_t n = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
  if (s[0] < 0xC2 || s[0] > 0xF4 || n > size) return 0;
  for (size_t i = 1; i < n; i++) {
    if ((s[i] & 0xC0) != 0x80) return 0;
  }
  bool bad = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
             (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F);
  return bad ? 0 : n;
}

/* Eight bytes that are all ASCII and not NUL: no high bit, and none that a
** borrow of one would turn into one. */
static bool plain_word(const unsigned char *s) {
  uint64_t word;
  memcpy(&word, s, sizeof word);
  uint64_t high = UINT64_C(0x8080808080808080);
  return ((word | (word - UINT64_C(0x0101010101010101))) & high) == 0;
}

bool tomb_utf8_check(const char *data, size_t size, size_t *characters) {
  const unsigned char *s = (const unsigned char *)data;
  size_t count = 0;
  for (size_t i = 0; i < size;) {
    size_t n = 8;
    if (size - i >= n && plain_word(s + i)) {
      count += n;
    } else {
      n = s[i] - 1u < 0x7F ? 1 : character(s + i, size - i);
      if (n == 0) return false;
      count++;
    }
    i += n;
  }
  *characters = count;
  return true;
}

size_t tomb_utf8_prefix(const char *data, size_t size, size_t characters) {
  size_t i = 0;
  while (i < size) {
    if (((unsigned char)data[i] & 0xC0) != 0x80 && characters-- == 0) break;
    i++;
  }
  return i;
}

/* ---- collations --------------------------------------------------- */

bool tomb_same_name(const char *a, size_t a_size, const char *b,
                    size_t b_size) {
  if (a_size != b_size) return false;
  for (size_t i = 0; i < a_size; i++) {
    if (tomb_lower(a[i]) != tomb_lower(b[i])) return false;
  }
  return true;
}

static bool collates(const tomb_field *field, const char *name) {
  return field->collate != NULL &&
         tomb_same_name(field->collate, strlen(field->collate), name,
                        strlen(name));
}

size_t tomb_fold_text(const tomb_field *field, char *text, size_t size) {
  bool no_case = collates(field, "NOCASE"), no_end = collates(field, "RTRIM");
  while (no_end && size > 0 && text[size - 1] == ' ') size--;
  for (size_t i = 0; no_case && i < size; i++) text[i] = tomb_lower(text[i]);
  return size;
}
