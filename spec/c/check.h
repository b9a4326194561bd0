/*
** check.h - the few words that the C tests need.
**
** A test is a function named after the promise that it keeps; main runs them
** and answers check_done(). A failed check is told and the test goes on, so
** that one run shows all that is broken.
*/
#ifndef SPEC_CHECK_H
#define SPEC_CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tombstone.h"

#define CHECK(ok) check_that((ok), __FILE__, __LINE__, "%s", #ok)
#define CHECK_TEXT(got, wanted) check_text(got, wanted, __FILE__, __LINE__)
#define CHECK_INT(got, wanted)                                                 \
  check_int((int64_t)(got), (int64_t)(wanted), __FILE__, __LINE__)
#define CHECK_STATUS(got, wanted)                                              \
  check_status(got, wanted, NULL, __FILE__, __LINE__)
/* Ends the program, because what follows would make no sense. */
#define MUST(status) check_must(status, __FILE__, __LINE__)
#define RUN(test) check_run(test, #test)

/* One to a program: each test is a single file. */
static const char *check_promise = "";
static int check_failures;
static tomb_error check_error; /* of the calls under MUST */

static inline bool check_that(bool ok, const char *file, int line,
                              const char *format, ...) {
  va_list args;
  if (ok) return true;
  check_failures++;
  fprintf(stderr, "%s:%d: %s: not so: ", file, line, check_promise);
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fputc('\n', stderr);
  return false;
}

static inline bool check_text(const char *got, const char *wanted,
                              const char *file, int line) {
  bool same = got == wanted ||
              (got != NULL && wanted != NULL && strcmp(got, wanted) == 0);
  return check_that(same, file, line, "\n  got    %s\n  wanted %s",
                    got == NULL ? "(null)" : got,
                    wanted == NULL ? "(null)" : wanted);
}

static inline bool check_int(int64_t got, int64_t wanted, const char *file,
                             int line) {
  return check_that(got == wanted, file, line, "got %lld, wanted %lld",
                    (long long)got, (long long)wanted);
}

static inline bool check_status(tomb_status got, tomb_status wanted,
                                const char *message, const char *file,
                                int line) {
  return check_that(got == wanted, file, line, "got %s, wanted %s%s%s",
                    tomb_status_name(got), tomb_status_name(wanted),
                    message == NULL ? "" : " - ",
                    message == NULL ? "" : message);
}

static inline void check_must(tomb_status status, const char *file, int line) {
  if (check_status(status, TOMB_OK, check_error.message, file, line)) return;
  exit(EXIT_FAILURE);
}

static inline void check_run(void (*test)(void), const char *promise) {
  check_promise = promise;
  test();
}

static inline int check_done(void) {
  if (check_failures > 0) fprintf(stderr, "%d checks failed\n", check_failures);
  return check_failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- numbers ------------------------------------------------------ */

/* A small generator: the same numbers everywhere, another row by its seed. */
static inline uint64_t check_random(uint64_t *state) {
  *state += UINT64_C(0x9E3779B97F4A7C15);
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

/* How much of the full work to do: SPEC_SCALE, else 1. */
static inline double check_scale(void) {
  const char *text = getenv("SPEC_SCALE");
  double scale = text == NULL ? 1 : strtod(text, NULL);
  return scale > 0 ? scale : 1;
}

/* Sweeps take every n-th step: 1 at full scale, else at most `most`. */
static inline size_t check_stride(size_t most) {
  double stride = 1 / check_scale();
  return stride >= (double)most ? most : stride > 1 ? (size_t)stride : 1;
}

#endif
