/*
** clock.c - the system's clock, kept out of the core, which is told the time.
*/
#include <time.h>

#include "tombstone.h"

int64_t tomb_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
