/* keys.h - an ordered set of primary keys, a few bytes each. */
#ifndef TOMB_KEYS_H
#define TOMB_KEYS_H

#include "buf.h"

/* The keys are the text of a JSON array, since that is how they go into
** statements; `ends` says where each one ends. */
struct tomb_keys {
  tomb_allocator allocator;
  tomb_buf json;
  size_t *ends;
  size_t n, capacity;
};

tomb_keys *tomb_keys_new(const tomb_allocator *a);
bool tomb_keys_add(tomb_keys *keys, const tomb_value *key);
/* Adds all of those keys behind its own. */
bool tomb_keys_join(tomb_keys *keys, const tomb_keys *more);
/* The keys [from, to) as a JSON array, in memory of `arena`. */
bool tomb_keys_json(tomb_value *out, const tomb_keys *keys, size_t from,
                    size_t to, tomb_arena *arena);

#endif
