/* mangle.h - the suffix of a deleted row's unique texts. */
#ifndef TOMB_MANGLE_H
#define TOMB_MANGLE_H

#include "tombstone.h"

#define TOMB_SUFFIX_SIZE 48

/* Writes the suffix of that stamp; answers its length. */
size_t tomb_suffix(char out[TOMB_SUFFIX_SIZE], int64_t deleted_at);

#endif
