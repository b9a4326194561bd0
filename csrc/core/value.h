/* value.h - values that fit the type of a field. */
#ifndef TOMB_VALUE_H
#define TOMB_VALUE_H

#include "tombstone.h"

/* What a value must be for a field, in words: "an integer", "text" … */
const char *tomb_type_wanted(tomb_field_type type);
/*
** Turns `value` into the type that the field stores, if nothing is lost:
** 3.0 for an integer, seconds for a datetime, text for a blob. NULL and
** absent stay. False when it does not fit.
*/
bool tomb_fit(const tomb_field *field, tomb_value *value);
/* The other way, for what storage answers; what does not fit stays raw. */
void tomb_unfit(const tomb_field *field, tomb_value *value);
/* What the i-forms and SQL's names fold: ASCII alone. */
static inline char tomb_lower(char c) {
  return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}
/* True for names that SQL takes for one. */
bool tomb_same_name(const char *a, size_t a_size, const char *b, size_t b_size);
bool tomb_value_equal(const tomb_value *a, const tomb_value *b);
bool tomb_is_given(const tomb_value *value); /* neither absent nor NULL */
/* Valid UTF-8 without NUL; `*characters` counts. */
bool tomb_utf8_check(const char *data, size_t size, size_t *characters);
/* Bytes of the first `characters` characters of valid UTF-8. */
size_t tomb_utf8_prefix(const char *data, size_t size, size_t characters);

#endif
