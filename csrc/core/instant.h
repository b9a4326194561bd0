/* instant.h - one text for one instant: YYYY-MM-DD HH:MM:SS[.ffffff], UTC. */
#ifndef TOMB_INSTANT_H
#define TOMB_INSTANT_H

#include "tombstone.h"

#define TOMB_TIME_SIZE 32
#define TOMB_TIME_MIN INT64_C(-62135596800000000) /* 0001-01-01 00:00:00 */
#define TOMB_TIME_MAX INT64_C(253402300799999999) /* 9999-12-31 23:59:59.… */

/* Writes the text of an instant between MIN and MAX; answers its length. */
size_t tomb_time_format(char out[TOMB_TIME_SIZE], int64_t microseconds);
/* Reads that text, also with one to nine digits of fraction. */
bool tomb_time_parse(const char *text, size_t size, int64_t *microseconds);

#endif
