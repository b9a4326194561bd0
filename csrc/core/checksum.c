/* checksum.c - FNV-1a, 64 bits. */
#include "tombstone.h"

#define OFFSET_BASIS UINT64_C(14695981039346656037)
#define PRIME UINT64_C(1099511628211)

uint64_t tomb_checksum(const char *text, size_t size) {
  uint64_t sum = OFFSET_BASIS;
  for (size_t i = 0; i < size; i++) {
    sum ^= (unsigned char)text[i];
    sum *= PRIME;
  }
  return sum;
}
