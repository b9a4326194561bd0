/* checksum.h - a number by which two texts are told apart. */
#ifndef TOMB_CHECKSUM_H
#define TOMB_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a of 64 bits: against accidents, not against attackers. */
uint64_t tomb_checksum(const char *text, size_t size);

#endif
