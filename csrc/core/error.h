/* error.h - filling the caller's tomb_error. All accept a NULL error. */
#ifndef TOMB_ERROR_H
#define TOMB_ERROR_H

#include "tombstone.h"

#if defined(__GNUC__)
#define TOMB_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define TOMB_PRINTF(f, a)
#endif

/* Clears the error and says what was refused; answers `kind`, so that
** `return tomb_fail(err, …)` reads well. */
tomb_status tomb_fail(tomb_error *err, tomb_status kind, const char *format,
                      ...) TOMB_PRINTF(3, 4);
/* Nothing was refused so far. */
void tomb_error_clear(tomb_error *err);
/* Says what to do about it. */
void tomb_error_hint(tomb_error *err, const char *format, ...)
    TOMB_PRINTF(2, 3);
/* Replaces the message and keeps the rest. */
void tomb_error_message(tomb_error *err, const char *format, ...)
    TOMB_PRINTF(2, 3);
void tomb_error_model(tomb_error *err, const char *name);
/* Adds a field and the reason why it was refused ("" for none). */
void tomb_error_field(tomb_error *err, const char *name, const char *format,
                      ...) TOMB_PRINTF(3, 4);
/* Keeps the statement that failed, cut when it is long. */
void tomb_error_sql(tomb_error *err, const char *sql, size_t size);
/* Keeps a copy of `value`, cut when it is long. */
void tomb_error_value(tomb_error *err, const tomb_value *value);
void tomb_keep_value(tomb_kept_value *out, const tomb_value *value);
tomb_status tomb_out_of_memory(tomb_error *err);

/* `value` as a person reads it: 'text', 12, 1.5, NULL; cut to `size`. */
void tomb_show_value(char *out, size_t size, const tomb_value *value);

/* The largest n ≤ size that does not cut a UTF-8 character. */
size_t tomb_utf8_cut(const char *data, size_t size);

#endif
