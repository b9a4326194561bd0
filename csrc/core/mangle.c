/*
** mangle.c - the suffix that frees a unique text: __deleted_<seconds>.<micros>
** of the row's own stamp. It comes off only where it is exactly that.
*/
#include <stdio.h>
#include <string.h>

#include "foreign.h"
#include "instant.h"
#include "mangle.h"
#include "sql.h"
#include "value.h"

#define MARK "__deleted_"
#define MARK_SIZE (sizeof MARK - 1)

size_t tomb_suffix(char out[TOMB_SUFFIX_SIZE], int64_t deleted_at) {
  int64_t micro = deleted_at % 1000000, seconds = deleted_at / 1000000;
  bool negative = deleted_at < 0; /* before 1970 the sign leads */
  if (negative) {
    micro = -micro;
    seconds = -seconds;
  }
  return (size_t)snprintf(out, TOMB_SUFFIX_SIZE, MARK "%s%lld.%06lld",
                          negative ? "-" : "", (long long)seconds,
                          (long long)micro);
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Reads [-]digits.digits to the end of the text as microseconds. Django
** writes a float there: fewer digits than six, or one more. */
static bool read_stamp(const char *text, size_t size, int64_t *stamp) {
  size_t i = 0;
  bool negative = size > 0 && text[0] == '-';
  int64_t seconds = 0, micro = 0, unit = 100000;
  if (negative) i++;
  size_t begin = i;
  for (; i < size && is_digit(text[i]); i++) {
    if (i - begin > 11) return false;
    seconds = seconds * 10 + (text[i] - '0');
  }
  if (i == begin || i + 1 >= size || text[i] != '.') return false;
  if (size - i - 1 > 9) return false;
  for (i++; i < size; i++, unit /= 10) {
    if (!is_digit(text[i])) return false;
    micro += (text[i] - '0') * unit;
  }
  *stamp = seconds * 1000000 + micro;
  if (negative) *stamp = -*stamp;
  return true;
}

/* The last mark in the text, or NULL. */
static const char *last_mark(const char *value, size_t size) {
  for (size_t i = size; i >= MARK_SIZE; i--) {
    const char *at = value + i - MARK_SIZE;
    if (memcmp(at, MARK, MARK_SIZE) == 0) return at;
  }
  return NULL;
}

/* Digits alone, of whichever unit. */
static bool read_whole(const char *text, size_t size, int64_t *stamp) {
  int64_t number;
  return tomb_number_read(text, size, &number) &&
         tomb_time_of_units(number, tomb_units_in_second(number), stamp);
}

size_t tomb_unmarked_size(const char *value, size_t size, int64_t *stamp) {
  const char *mark = last_mark(value, size);
  if (mark == NULL) return size;
  const char *digits = mark + MARK_SIZE;
  size_t left = size - (size_t)(digits - value);
  if (!read_stamp(digits, left, stamp) && !read_whole(digits, left, stamp)) {
    return size;
  }
  if (*stamp < TOMB_TIME_MIN || *stamp > TOMB_TIME_MAX) return size;
  return (size_t)(mark - value);
}

size_t tomb_original_size(const char *value, size_t size, int64_t deleted_at) {
  int64_t stamp;
  const char *mark = last_mark(value, size);
  if (mark == NULL) return size;
  const char *digits = mark + MARK_SIZE;
  if (!read_stamp(digits, size - (size_t)(digits - value), &stamp) ||
      stamp + 1 < deleted_at || stamp - 1 > deleted_at) {
    return size;
  }
  return (size_t)(mark - value);
}

bool tomb_ends_in_suffix(const char *value, size_t size, const char *suffix,
                         size_t suffix_size) {
  while (size > 0 && value[size - 1] == ' ') size--;
  if (size < suffix_size) return false;
  const char *end = value + size - suffix_size;
  size_t i = 0;
  while (i < suffix_size && tomb_lower(end[i]) == tomb_lower(suffix[i])) i++;
  return i == suffix_size;
}

/* ---- which fields of a row ---------------------------------------------
** A group of one always mangles its field. A composite mangles its last text
** that is not NULL: so a field is chosen when all texts after it are NULL. */

static bool holds(const tomb_group *group, const tomb_field *field,
                  size_t *place) {
  if (group->unique != TOMB_UNIQUE_MANGLE) return false;
  for (size_t i = 0; i < group->n; i++) {
    *place = i;
    if (group->fields[i] == field) return true;
  }
  return false;
}

static bool has_text_after(const tomb_group *group, size_t place) {
  for (size_t i = place + 1; i < group->n; i++) {
    if (tomb_is_rewritable(group->fields[i])) return true;
  }
  return false;
}

static bool is_always_chosen(const tomb_model *model, const tomb_field *field) {
  size_t place;
  for (size_t i = 0; i < model->n_groups; i++) {
    const tomb_group *group = &model->groups[i];
    if (holds(group, field, &place) && !has_text_after(group, place)) {
      return true;
    }
  }
  return false;
}

static void texts_after_are_null(tomb_sql *sql, const tomb_group *group,
                                 size_t place) {
  bool first = true;
  for (size_t i = place + 1; i < group->n; i++) {
    if (!tomb_is_rewritable(group->fields[i])) continue;
    tomb_sql_join(sql, &first, "", " AND ");
    tomb_sql_field(sql, group->fields[i]);
    tomb_sql_add(sql, " IS NULL");
  }
}

/* CASE WHEN <chosen> THEN */
static void when_chosen(tomb_sql *sql, const tomb_model *model,
                        const tomb_field *field) {
  size_t place;
  bool first = true;
  for (size_t i = 0; i < model->n_groups; i++) {
    if (!holds(&model->groups[i], field, &place)) continue;
    tomb_sql_join(sql, &first, "CASE WHEN ", " OR ");
    texts_after_are_null(sql, &model->groups[i], place);
  }
  tomb_sql_add(sql, " THEN ");
}

static void or_itself(tomb_sql *sql, const tomb_field *field) {
  tomb_sql_add(sql, " ELSE ");
  tomb_sql_field(sql, field);
  tomb_sql_add(sql, " END");
}

void tomb_sql_mangled(tomb_sql *sql, const tomb_model *model,
                      const tomb_field *field, const tomb_value *suffix) {
  bool always = is_always_chosen(model, field);
  if (!always) when_chosen(sql, model, field);
  tomb_sql_add(sql, sql->dialect->mangled);
  tomb_sql_add(sql, "(");
  tomb_sql_field(sql, field);
  tomb_sql_add(sql, ", ");
  tomb_sql_value(sql, suffix);
  tomb_sql_add(sql, ")");
  if (!always) or_itself(sql, field);
}

static void stripped(tomb_sql *sql, const tomb_model *model,
                     const tomb_field *field) {
  tomb_sql_add(sql, sql->dialect->original);
  tomb_sql_add(sql, "(");
  tomb_sql_field(sql, field);
  tomb_sql_add(sql, ", ");
  tomb_sql_field(sql, model->roles[TOMB_ROLE_DELETED_AT]);
  tomb_sql_add(sql, ")");
}

void tomb_sql_original(tomb_sql *sql, const tomb_model *model,
                       const tomb_field *field) {
  if (!field->mangled) {
    tomb_sql_field(sql, field);
    return;
  }
  bool always = is_always_chosen(model, field);
  if (!always) when_chosen(sql, model, field);
  stripped(sql, model, field);
  if (!always) or_itself(sql, field);
  if (field->collate == NULL) return;
  tomb_sql_add(sql, " COLLATE "); /* which a computed value does not have */
  tomb_buf_name(&sql->text, field->collate);
}

/* The same choice for a row in memory. */
static bool is_chosen(const tomb_model *model, const tomb_field *field,
                      const tomb_value *values) {
  size_t place;
  for (size_t i = 0; i < model->n_groups; i++) {
    const tomb_group *group = &model->groups[i];
    if (!holds(group, field, &place)) continue;
    bool chosen = true;
    for (size_t j = place + 1; j < group->n && chosen; j++) {
      const tomb_field *after = group->fields[j];
      chosen =
          !tomb_is_rewritable(after) || values[after->index].type == TOMB_NULL;
    }
    if (chosen) return true;
  }
  return false;
}

tomb_value tomb_original(const tomb_model *model, const tomb_field *field,
                         const tomb_value *values) {
  tomb_value value = values[field->index];
  const tomb_field *stamp = model->roles[TOMB_ROLE_DELETED_AT];
  if (stamp == NULL || value.type != TOMB_TEXT ||
      values[stamp->index].type != TOMB_TIME || !field->mangled ||
      !is_chosen(model, field, values)) {
    return value;
  }
  value.as.text.size = tomb_original_size(
      value.as.text.data, value.as.text.size, values[stamp->index].as.integer);
  return value;
}
