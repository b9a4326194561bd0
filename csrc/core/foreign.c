/* foreign.c - times as other programs write them. */
#include <string.h>

#include "foreign.h"
#include "instant.h"

#define DIGITS 18

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)

/* ---- numbers ------------------------------------------------------ */

int64_t tomb_units_in_second(int64_t number) {
  static const int64_t seconds = INT64_C(100000000000); /* in 5138 */
  int64_t units = 1;
  while (units < 1000000000 &&
         (number / units >= seconds || number / units <= -seconds)) {
    units *= 1000;
  }
  return units;
}

static bool in_our_years(int64_t microseconds) {
  return microseconds >= TOMB_TIME_MIN && microseconds <= TOMB_TIME_MAX;
}

bool tomb_time_of_units(int64_t number, int64_t in_second,
                        int64_t *microseconds) {
  if (in_second > SECOND) { /* an instant is the whole microsecond before it */
    int64_t part = in_second / SECOND;
    *microseconds = number / part - (number % part < 0 ? 1 : 0);
    return in_our_years(*microseconds);
  }
  int64_t part = SECOND / in_second;
  if (number > INT64_MAX / part || number < INT64_MIN / part) return false;
  *microseconds = number * part;
  return in_our_years(*microseconds);
}

/* ---- texts -------------------------------------------------------- */

typedef struct {
  const char *text;
  size_t size, at;
} reader;

static char peek(const reader *r) {
  return r->at < r->size ? r->text[r->at] : '\0';
}

static bool take(reader *r, char c) {
  if (peek(r) != c) return false;
  r->at++;
  return true;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool tomb_number_read(const char *text, size_t size, int64_t *number) {
  *number = 0;
  if (size == 0 || size > DIGITS) return false;
  for (size_t i = 0; i < size; i++) {
    if (!is_digit(text[i])) return false;
    *number = *number * 10 + (text[i] - '0');
  }
  return true;
}

static bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Two digits as a number. */
static bool pair(reader *r, int *out) {
  if (r->size - r->at < 2) return false;
  const char *digits = r->text + r->at;
  if (!is_digit(digits[0]) || !is_digit(digits[1])) return false;
  *out = (digits[0] - '0') * 10 + (digits[1] - '0');
  r->at += 2;
  return true;
}

/* The first digits are microseconds, the others less. */
static bool fraction(reader *r, int64_t *microseconds) {
  int64_t unit = SECOND / 10;
  *microseconds = 0;
  if (!take(r, '.') && !take(r, ',')) return true;
  if (!is_digit(peek(r))) return false;
  for (; is_digit(peek(r)); r->at++, unit /= 10) {
    *microseconds += (peek(r) - '0') * unit;
  }
  return true;
}

static void put_pair(char *out, int n) {
  out[0] = (char)('0' + n / 10);
  out[1] = (char)('0' + n % 10);
}

/* HH:MM[:SS[.f…]] into the time part of our own text. */
static bool clock_time(reader *r, char *out, int64_t *microseconds) {
  int hour, minute, second = 0;
  *microseconds = 0;
  if (!pair(r, &hour) || !take(r, ':') || !pair(r, &minute)) return false;
  if (take(r, ':') && (!pair(r, &second) || !fraction(r, microseconds))) {
    return false;
  }
  put_pair(out, hour);
  put_pair(out + 3, minute);
  put_pair(out + 6, second);
  return true;
}

static bool word(reader *r, const char *wanted) {
  size_t n = strlen(wanted);
  if (r->size - r->at < n || memcmp(r->text + r->at, wanted, n) != 0) {
    return false;
  }
  r->at += n;
  return true;
}

static void skip_blanks(reader *r) {
  while (take(r, ' ')) {
  }
}

/* What Go adds: the name of the zone, and how long the process has run. */
static bool remarks(reader *r) {
  skip_blanks(r);
  if (!(word(r, "m=") || r->at == r->size || is_letter(peek(r)))) return false;
  while (is_letter(peek(r))) r->at++;
  skip_blanks(r);
  if (word(r, "m=")) r->at = r->size;
  return r->at == r->size;
}

static bool offset(reader *r, int64_t *microseconds) {
  int hours, minutes = 0;
  bool west = peek(r) == '-';
  r->at++;
  if (!pair(r, &hours)) return false;
  if (take(r, ':') || is_digit(peek(r))) {
    if (!pair(r, &minutes)) return false;
  }
  *microseconds = (hours * 60 + minutes) * MINUTE;
  if (west) *microseconds = -*microseconds;
  return hours < 24 && minutes < 60 && remarks(r);
}

static bool zone(reader *r, int64_t *microseconds) {
  *microseconds = 0;
  skip_blanks(r);
  if (peek(r) == '+' || peek(r) == '-') return offset(r, microseconds);
  if (take(r, 'Z') || take(r, 'z')) return r->at == r->size;
  return (word(r, "UTC") || word(r, "GMT") || r->at == r->size) &&
         r->at == r->size;
}

bool tomb_time_read(const char *text, size_t size, int64_t *microseconds) {
  char ours[] = "YYYY-MM-DD 00:00:00";
  int64_t part = 0, away = 0;
  reader r = {text, size, 10};
  if (size < 10) return false;
  memcpy(ours, text, 10);
  if (size > 10) {
    if (!take(&r, 'T') && !take(&r, ' ')) return false;
    if (!clock_time(&r, ours + 11, &part) || !zone(&r, &away)) return false;
  }
  if (!tomb_time_parse(ours, sizeof ours - 1, microseconds)) return false;
  *microseconds += part - away;
  return in_our_years(*microseconds);
}
