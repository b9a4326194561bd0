/* foreign.h - times as other programs write them. */
#ifndef TOMB_FOREIGN_H
#define TOMB_FOREIGN_H

#include "tombstone.h"

/* How many units of a number make a second: 1, 1000, 1000000 or 1000000000, as
** its size says. Seconds reach to the year 5138, the others as far. */
int64_t tomb_units_in_second(int64_t number);
/* Reads a text of digits alone, up to 18: which an integer holds in any case. */
bool tomb_number_read(const char *text, size_t size, int64_t *number);
/* The instant that so many units after 1970 are; false outside of our years. */
bool tomb_time_of_units(int64_t number, int64_t in_second,
                        int64_t *microseconds);
/*
** Reads a date, a time behind it with a blank or a T, any fraction of its seconds,
** and how far it is from UTC (Z, +02:00, +0200, +02, UTC, "+0000 UTC" …); without
** that it is UTC. What comes without a time is midnight.
*/
bool tomb_time_read(const char *text, size_t size, int64_t *microseconds);

#endif
