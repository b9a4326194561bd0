/* mangle.h - the suffix of a deleted row's unique texts. */
#ifndef TOMB_MANGLE_H
#define TOMB_MANGLE_H

#include "tombstone.h"

#define TOMB_SUFFIX_SIZE 48

/* Writes the suffix of that stamp; answers its length. */
size_t tomb_suffix(char out[TOMB_SUFFIX_SIZE], int64_t deleted_at);

/* The length without a suffix that another program may have written, with
** seconds or smaller units and no fraction; `size` where there is none. */
size_t tomb_unmarked_size(const char *value, size_t size, int64_t *stamp);

/* True where a row with this value may not get this suffix: another row of the
** same deletion would be mangled to the very text that this one frees. Case
** and spaces at the end are ignored, as by NOCASE and RTRIM. */
bool tomb_ends_in_suffix(const char *value, size_t size, const char *suffix,
                         size_t suffix_size);

#endif
