/*
** clock.c - the system's clocks, kept out of the core, which is told the time.
*/
#include "clock.h"

#include <time.h>

#include "tombstone.h"

static int64_t read_clock(clockid_t which) {
  struct timespec now;
  clock_gettime(which, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t tomb_now(void) {
  return read_clock(CLOCK_REALTIME);
}

int64_t tomb_ticks(void) {
  return read_clock(CLOCK_MONOTONIC);
}
