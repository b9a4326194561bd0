/* text_match.c - contains, startswith, like and their kin as SQL. All of them
** are case-sensitive on every engine, the i-forms fold ASCII. */
#include <string.h>

#include "sql.h"
#include "value.h"

static tomb_value folded(tomb_sql *sql, const tomb_value *text) {
  size_t size = text->as.text.size;
  char *bytes = tomb_sql_bytes(sql, size + 1);
  for (size_t i = 0; bytes != NULL && i < size; i++) {
    bytes[i] = tomb_lower(text->as.text.data[i]);
  }
  return tomb_text_of(bytes, bytes == NULL ? 0 : size);
}

/* These compare bytes, whatever the field's collation: a column's does not go
** through a function, one that is spelled out would. */
static void bytes_of(tomb_sql *sql, const tomb_field *f) {
  if (f->computed == NULL) {
    tomb_sql_field(sql, f);
    return;
  }
  tomb_computed computed = *f->computed;
  tomb_field plain = *computed.field;
  plain.collate = NULL;
  computed.field = &plain;
  tomb_sql_computed(sql, &computed);
}

static void field(tomb_sql *sql, const tomb_field *f, bool fold_case) {
  tomb_sql_add(sql, fold_case ? "lower(" : "");
  bytes_of(sql, f);
  tomb_sql_add(sql, fold_case ? ")" : "");
}

static void contains(tomb_sql *sql, const tomb_field *f, bool fold_case,
                     const tomb_value *needle) {
  tomb_sql_add(sql, sql->dialect->position);
  tomb_sql_add(sql, "(");
  field(sql, f, fold_case);
  tomb_sql_add(sql, ", ");
  tomb_sql_value(sql, needle);
  tomb_sql_add(sql, ") > 0");
}

static void part_equals(tomb_sql *sql, const tomb_field *f, bool fold_case,
                        const tomb_value *part, bool at_end) {
  tomb_sql_add(sql, "substr(");
  field(sql, f, fold_case);
  tomb_sql_add(sql, at_end ? ", -length(" : ", 1, length(");
  tomb_sql_value(sql, part);
  tomb_sql_add(sql, ")) = ");
  tomb_sql_value(sql, part);
}

/* The first text after all that begin with `prefix`: its last character that
** has a successor is raised and the rest dropped. False where none has. */
static bool successor(char *bytes, size_t *size, const tomb_value *prefix) {
  size_t n = prefix->as.text.size;
  memcpy(bytes, prefix->as.text.data, n);
  while (n > 0 && (unsigned char)bytes[n - 1] >= 0x7F) n--;
  if (n == 0) return false;
  bytes[n - 1]++; /* an ASCII character below DEL */
  *size = n;
  return true;
}

/* A range that holds all texts with the prefix, so that an index can serve. */
static void prefix_range(tomb_sql *sql, const tomb_field *f,
                         const tomb_value *prefix) {
  size_t size;
  if (!sql->dialect->text_is_ordered_by_bytes || f->collate != NULL) return;
  char *bytes = tomb_sql_bytes(sql, prefix->as.text.size);
  if (bytes == NULL || !successor(bytes, &size, prefix)) return;
  tomb_value end = tomb_text_of(bytes, size);
  tomb_sql_field(sql, f);
  tomb_sql_add(sql, " >= ");
  tomb_sql_value(sql, prefix);
  tomb_sql_add(sql, " AND ");
  tomb_sql_field(sql, f);
  tomb_sql_add(sql, " < ");
  tomb_sql_value(sql, &end);
  tomb_sql_add(sql, " AND ");
}

/* A LIKE pattern (% _ and \ to escape) as a GLOB pattern. */
static tomb_value glob_pattern(tomb_sql *sql, const tomb_value *like) {
  const char *from = like->as.text.data;
  size_t size = like->as.text.size, n = 0;
  char *bytes = tomb_sql_bytes(sql, size * 3 + 1);
  for (size_t i = 0; bytes != NULL && i < size; i++) {
    bool escaped = from[i] == '\\' && i + 1 < size;
    char c = from[escaped ? ++i : i];
    if (!escaped && (c == '%' || c == '_')) {
      bytes[n++] = c == '%' ? '*' : '?';
    } else if (c == '*' || c == '?' || c == '[') {
      bytes[n++] = '[';
      bytes[n++] = c;
      bytes[n++] = ']';
    } else {
      bytes[n++] = c;
    }
  }
  return tomb_text_of(bytes, n);
}

static void like(tomb_sql *sql, const tomb_cond *cond) {
  const tomb_value *wanted = &cond->values[0];
  if (memchr(wanted->as.text.data, '\0', wanted->as.text.size) != NULL) {
    tomb_sql_add(sql, "1 = 0"); /* no text holds one, and GLOB stops there */
    return;
  }
  tomb_value pattern = glob_pattern(sql, &cond->values[0]);
  /* the unary plus keeps SQLite from preparing the statement anew for each
  ** pattern */
  tomb_sql_add(sql, "+");
  tomb_sql_field(sql, cond->field);
  tomb_sql_add(sql, sql->dialect->glob);
  tomb_sql_value(sql, &pattern);
}

static void iexact(tomb_sql *sql, const tomb_cond *cond) {
  tomb_value text = folded(sql, &cond->values[0]);
  field(sql, cond->field, true);
  tomb_sql_add(sql, " = ");
  tomb_sql_value(sql, &text);
}

static void startswith(tomb_sql *sql, const tomb_cond *cond) {
  tomb_sql_add(sql, "(");
  prefix_range(sql, cond->field, &cond->values[0]);
  part_equals(sql, cond->field, false, &cond->values[0], false);
  tomb_sql_add(sql, ")");
}

void tomb_sql_text_match(tomb_sql *sql, const tomb_cond *cond) {
  const tomb_value *text = &cond->values[0];
  bool pattern = cond->lookup == TOMB_LIKE || cond->lookup == TOMB_IEXACT;
  if (text->as.text.size == 0 && !pattern) {
    tomb_sql_field(sql, cond->field); /* all texts hold the empty one */
    tomb_sql_add(sql, " IS NOT NULL");
    return;
  }
  tomb_value small = folded(sql, text);
  switch (cond->lookup) {
  case TOMB_CONTAINS: contains(sql, cond->field, false, text); break;
  case TOMB_ICONTAINS: contains(sql, cond->field, true, &small); break;
  case TOMB_STARTSWITH: startswith(sql, cond); break;
  case TOMB_ISTARTSWITH:
    part_equals(sql, cond->field, true, &small, false);
    break;
  case TOMB_ENDSWITH: part_equals(sql, cond->field, false, text, true); break;
  case TOMB_IENDSWITH: part_equals(sql, cond->field, true, &small, true); break;
  case TOMB_IEXACT: iexact(sql, cond); break;
  default: like(sql, cond); break;
  }
}
