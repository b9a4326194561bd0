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
bool tomb_value_equal(const tomb_value *a, const tomb_value *b);
bool tomb_is_given(const tomb_value *value); /* neither absent nor NULL */
/* Valid UTF-8 without NUL; `*characters` counts. */
bool tomb_utf8_check(const char *data, size_t size, size_t *characters);
/* Bytes of the first `characters` characters of valid UTF-8. */
size_t tomb_utf8_prefix(const char *data, size_t size, size_t characters);

#endif
