/*
** process.h - whether this is still the process that something was made in.
*/
#ifndef TOMB_PROCESS_H
#define TOMB_PROCESS_H

#include <stdbool.h>

typedef struct tomb_birth {
  volatile const char *page; /* of memory that a fork clears; or NULL: */
  long process;
} tomb_birth;

/* Notes the process. Cannot fail. */
void tomb_birth_note(tomb_birth *birth);
/* A look at memory where the system can clear it in a child (Linux), a call of
** the system elsewhere. */
bool tomb_born_here(const tomb_birth *birth);
void tomb_birth_forget(tomb_birth *birth);

#endif
