/*
** process.c - forks, seen at next to no cost: a page of memory that the system
** clears in the child (MADV_WIPEONFORK). Where there is none, the process is
** asked for its number.
*/
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* for madvise */
#endif
#include "process.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(MADV_WIPEONFORK) && defined(MAP_ANONYMOUS)

static char *new_page(void) {
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  void *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return NULL;
  if (madvise(page, size, MADV_WIPEONFORK) == 0) return page;
  munmap(page, size); /* a system that is older than its headers */
  return NULL;
}

static void drop_page(volatile const char *page) {
  munmap((void *)page, (size_t)sysconf(_SC_PAGESIZE));
}

#else

static char *new_page(void) {
  return NULL;
}

static void drop_page(volatile const char *page) {
  (void)page;
}

#endif

void tomb_birth_note(tomb_birth *birth) {
  char *page = new_page();
  if (page != NULL) *page = 1;
  birth->page = page;
  birth->process = (long)getpid();
}

bool tomb_born_here(const tomb_birth *birth) {
  if (birth->page != NULL) return *birth->page != 0;
  return birth->process == (long)getpid();
}

void tomb_birth_forget(tomb_birth *birth) {
  if (birth->page != NULL) drop_page(birth->page);
  birth->page = NULL;
}
