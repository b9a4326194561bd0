/* suggest.c - the nearest name to one that does not exist. */
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "model.h"

#define LONGEST 63 /* longer names get no suggestion */

static size_t least(size_t a, size_t b, size_t c) {
  size_t ab = a < b ? a : b;
  return ab < c ? ab : c;
}

/* Edits that turn a into b (Levenshtein), by one row of the matrix. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb) {
  size_t row[LONGEST + 1];
  for (size_t j = 0; j <= nb; j++) row[j] = j;
  for (size_t i = 1; i <= na; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= nb; j++) {
      size_t above = row[j];
      row[j] = least(above + 1, row[j - 1] + 1,
                     diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
      diagonal = above;
    }
  }
  return row[nb];
}

const char *tomb_nearest(const char *const *names, size_t n, const char *wrong,
                         size_t wrong_size) {
  const char *nearest = NULL;
  size_t best = wrong_size / 3 + 1; /* further away is no help */
  if (wrong_size > LONGEST) return NULL;
  for (size_t i = 0; i < n; i++) {
    size_t size = strlen(names[i]);
    if (size > LONGEST) continue;
    size_t d = distance(wrong, wrong_size, names[i], size);
    if (d <= best && (nearest == NULL || d < best)) {
      nearest = names[i];
      best = d;
    }
  }
  return nearest;
}

const char *tomb_suggest_field(char *out, size_t size, const tomb_model *model,
                               const char *wrong, size_t wrong_size) {
  const char *nearest = NULL;
  size_t best = LONGEST + 1;
  out[0] = '\0';
  for (size_t i = 0; i < model->n_fields; i++) {
    const char *name = model->fields[i].name;
    if (tomb_nearest(&name, 1, wrong, wrong_size) == NULL) continue;
    size_t d = distance(wrong, wrong_size, name, strlen(name));
    if (d < best) {
      best = d;
      nearest = name;
    }
  }
  if (nearest != NULL) snprintf(out, size, "did you mean '%s'?", nearest);
  return out;
}

tomb_status tomb_need_field(const tomb_field **out, const tomb_model *model,
                            const char *name, size_t size, tomb_error *err) {
  char nearest[96];
  *out = tomb_model_find(model, name, size);
  if (*out != NULL) return TOMB_OK;
  tomb_fail(err, TOMB_MISUSE, "%s has no field '%.*s'", model->name, (int)size,
            name);
  tomb_error_model(err, model->name);
  tomb_error_hint(
      err, "%s",
      tomb_suggest_field(nearest, sizeof nearest, model, name, size));
  return TOMB_MISUSE;
}
