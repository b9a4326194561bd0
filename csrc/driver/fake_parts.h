/*
** fake_parts.h - what the files of the fake driver share: the little SQL that
** it reads, and the record that it keeps.
*/
#ifndef TOMB_FAKE_PARTS_H
#define TOMB_FAKE_PARTS_H

#include "tombstone.h"

/* ---- fake_sql.c --------------------------------------------------- */

typedef enum tomb_fake_word {
  TOMB_FAKE_OTHER,
  TOMB_FAKE_INSERT,
  TOMB_FAKE_BEGIN,
  TOMB_FAKE_END, /* COMMIT, END, ROLLBACK */
  TOMB_FAKE_SAVEPOINT,
  TOMB_FAKE_RELEASE,
  TOMB_FAKE_ROLLBACK_TO
} tomb_fake_word;

/* Where the white space, comments and semicolons from `i` on end. */
size_t tomb_fake_blank(const char *sql, size_t i, size_t size);
/* Where the statement from `i` on ends: at its semicolon, or at `size`. The
** body of a trigger counts as several. */
size_t tomb_fake_end(const char *sql, size_t i, size_t size);
/* How many ? or $1 stand in the text outside quotes and comments. */
size_t tomb_fake_parameters(const char *sql, size_t size);
/* What kind of statement the trimmed text is. */
tomb_fake_word tomb_fake_word_of(const char *sql);

/* ---- fake_record.c ------------------------------------------------ */

typedef struct tomb_fake_entry {
  char *sql;
  tomb_value *values;
  size_t n;
} tomb_fake_entry;

/* The statements that ran. A zeroed one is empty and ready. */
typedef struct tomb_fake_record {
  tomb_fake_entry *entries;
  size_t count, capacity;
} tomb_fake_record;

/* Copies for free(); the values and their bytes are one block. NULL when
** memory is out. */
char *tomb_fake_copy_text(const char *data, size_t size);
tomb_value *tomb_fake_copy_values(const tomb_value *values, size_t n);

/* Adds a copy; false when memory is out. */
bool tomb_fake_keep(tomb_fake_record *record, const char *sql,
                    const tomb_value *values, size_t n);
/* Forgets all entries and gives the memory back. */
void tomb_fake_clear(tomb_fake_record *record);

#endif
