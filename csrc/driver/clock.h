/* clock.h - a clock that is never set, for deadlines. */
#ifndef TOMB_CLOCK_H
#define TOMB_CLOCK_H

#include <stdint.h>

/* Microseconds since some moment; only differences mean anything. */
int64_t tomb_ticks(void);

#endif
