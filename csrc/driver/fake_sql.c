/*
** fake_sql.c - the little that a scripted database must read in SQL: where a
** statement ends, its placeholders, and the words of transactions.
*/
#include <string.h>

#include "fake_parts.h"

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_at(const char *sql, size_t i, size_t size, const char *two) {
  return i + 1 < size && sql[i] == two[0] && sql[i + 1] == two[1];
}

/* Behind the next `c`, or the end. */
static size_t behind(const char *sql, size_t i, size_t size, char c) {
  while (i < size && sql[i] != c) i++;
  return i < size ? i + 1 : size;
}

static size_t behind_comment(const char *sql, size_t i, size_t size) {
  if (is_at(sql, i, size, "--")) return behind(sql, i, size, '\n');
  for (i += 2; i < size && !is_at(sql, i, size, "*/"); i++) continue;
  return i < size ? i + 2 : size;
}

static bool is_comment(const char *sql, size_t i, size_t size) {
  return is_at(sql, i, size, "--") || is_at(sql, i, size, "/*");
}

/* Over one comment, quoted piece or character. A quote that is doubled inside
** a quoted piece ends it and begins another, which comes to the same. */
static size_t over(const char *sql, size_t i, size_t size) {
  char c = sql[i];
  if (is_comment(sql, i, size)) return behind_comment(sql, i, size);
  if (c == '\'' || c == '"' || c == '`') return behind(sql, i + 1, size, c);
  return i + 1;
}

size_t tomb_fake_blank(const char *sql, size_t i, size_t size) {
  while (i < size &&
         (is_space(sql[i]) || sql[i] == ';' || is_comment(sql, i, size))) {
    i = over(sql, i, size);
  }
  return i;
}

size_t tomb_fake_end(const char *sql, size_t i, size_t size) {
  while (i < size && sql[i] != ';') i = over(sql, i, size);
  return i;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

size_t tomb_fake_parameters(const char *sql, size_t size) {
  size_t n = 0;
  for (size_t i = 0; i < size; i = over(sql, i, size)) {
    if (sql[i] == '?' ||
        (sql[i] == '$' && i + 1 < size && is_digit(sql[i + 1])))
      n++;
  }
  return n;
}

static char upper(char c) {
  return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

static bool is_letter(char c) {
  return upper(c) >= 'A' && upper(c) <= 'Z';
}

/* Steps over `word` and the spaces behind it, if it is there. */
static bool take(const char **sql, const char *word) {
  const char *p = *sql;
  for (; *word != '\0'; word++, p++) {
    if (upper(*p) != *word) return false;
  }
  if (is_letter(*p)) return false;
  while (is_space(*p)) p++;
  *sql = p;
  return true;
}

tomb_fake_word tomb_fake_word_of(const char *sql) {
  const char *p = sql;
  if (take(&p, "INSERT")) return TOMB_FAKE_INSERT;
  if (take(&p, "BEGIN")) return TOMB_FAKE_BEGIN;
  if (take(&p, "SAVEPOINT")) return TOMB_FAKE_SAVEPOINT;
  if (take(&p, "RELEASE")) return TOMB_FAKE_RELEASE;
  if (take(&p, "COMMIT") || take(&p, "END")) return TOMB_FAKE_END;
  if (!take(&p, "ROLLBACK")) return TOMB_FAKE_OTHER;
  take(&p, "TRANSACTION");
  return take(&p, "TO") ? TOMB_FAKE_ROLLBACK_TO : TOMB_FAKE_END;
}
