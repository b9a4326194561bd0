/* instant.c - one text for one instant. Days are counted by the proleptic
** Gregorian calendar, in eras of 400 years that begin in March. */
#include "instant.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

static int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

static int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  if (month <= 2) year--;
  int64_t era = floor_div(year, 400);
  int64_t of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int *year, int *month, int *day) {
  days += 719468;
  int64_t era = floor_div(days, 146097);
  int64_t of_era = days - era * 146097;
  int64_t year_of_era =
      (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year =
      of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t from_march = (5 * of_year + 2) / 153;
  *day = (int)(of_year - (153 * from_march + 2) / 5 + 1);
  *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
  *year = (int)(year_of_era + era * 400 + (*month <= 2 ? 1 : 0));
}

static char *digits(char *out, int64_t n, int width) {
  for (int i = width - 1; i >= 0; i--) {
    out[i] = (char)('0' + n % 10);
    n /= 10;
  }
  return out + width;
}

static char *separated(char *out, char separator, int64_t n, int width) {
  *out = separator;
  return digits(out + 1, n, width);
}

size_t tomb_time_format(char out[TOMB_TIME_SIZE], int64_t microseconds) {
  int year, month, day;
  int64_t days = floor_div(microseconds, DAY);
  int64_t rest = microseconds - days * DAY;
  civil_from_days(days, &year, &month, &day);
  char *end = digits(out, year, 4);
  end = separated(end, '-', month, 2);
  end = separated(end, '-', day, 2);
  end = separated(end, ' ', rest / (3600 * SECOND), 2);
  end = separated(end, ':', rest / (60 * SECOND) % 60, 2);
  end = separated(end, ':', rest / SECOND % 60, 2);
  if (rest % SECOND != 0) end = separated(end, '.', rest % SECOND, 6);
  *end = '\0';
  return (size_t)(end - out);
}

/* Reads exactly `width` digits; -1 when they are not there. */
static int number(const char *text, int width) {
  int n = 0;
  for (int i = 0; i < width; i++) {
    if (text[i] < '0' || text[i] > '9') return -1;
    n = n * 10 + (text[i] - '0');
  }
  return n;
}

static bool fraction(const char *text, size_t size, int64_t *microseconds) {
  *microseconds = 0;
  if (size == 0) return true;
  if (text[0] != '.' || size < 2 || size > 10) return false;
  int64_t unit = SECOND / 10;
  for (size_t i = 1; i < size; i++, unit /= 10) {
    if (text[i] < '0' || text[i] > '9') return false;
    *microseconds += (text[i] - '0') * unit;
  }
  return true;
}

static bool in_calendar(int year, int month, int day) {
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day <= lengths[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool tomb_time_parse(const char *text, size_t size, int64_t *microseconds) {
  if (size < 19 || text[4] != '-' || text[7] != '-' ||
      (text[10] != ' ' && text[10] != 'T') || text[13] != ':' ||
      text[16] != ':') {
    return false;
  }
  int year = number(text, 4), month = number(text + 5, 2);
  int day = number(text + 8, 2), hour = number(text + 11, 2);
  int minute = number(text + 14, 2), second = number(text + 17, 2);
  int64_t micro;
  if (!in_calendar(year, month, day) || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 59 ||
      !fraction(text + 19, size - 19, &micro)) {
    return false;
  }
  *microseconds = days_from_civil(year, month, day) * DAY +
                  (hour * INT64_C(3600) + minute * 60 + second) * SECOND +
                  micro;
  return true;
}
