/* reach.c - finding fields, of the query's own rows and by ways of others. */
#include <string.h>

#include "cond.h"
#include "error.h"
#include "model.h"

/* ---- along the ways ----------------------------------------------- */

static const tomb_field *annotation(const tomb_query *query, const char *name,
                                    size_t size) {
  for (size_t i = 0; i < query->n_annotations; i++) {
    const tomb_field *field = query->annotations[i];
    if (field->name_size == size && memcmp(field->name, name, size) == 0) {
      return field;
    }
  }
  return NULL;
}

/* Takes one more way; false where the name is none. */
static bool advance(tomb_walk *walk, const char *name, size_t size,
                    size_t end) {
  const tomb_way *way = tomb_model_way(walk->model, name, size);
  if (way == NULL) return false;
  walk->before = walk->to;
  walk->to = end;
  walk->way = way;
  walk->many = walk->many || way->kind != TOMB_TO_PARENT;
  walk->tables += way->kind == TOMB_TO_LINKED ? 2 : 1;
  walk->model = tomb_way_model(way);
  return true;
}

tomb_status tomb_walk_key(tomb_walk *out, const tomb_query *query,
                          const char *key, size_t size, tomb_error *err) {
  size_t at = 0;
  memset(out, 0, sizeof *out);
  out->model = query->model;
  out->field = annotation(query, key, tomb_name_end(key, size));
  for (;;) {
    size_t end = at + tomb_name_end(key + at, size - at);
    if (out->field == NULL) {
      out->field = tomb_model_find(out->model, key + at, end - at);
    }
    out->end = end;
    if (out->field != NULL) return TOMB_OK;
    if (!advance(out, key + at, end - at, end)) {
      out->end = out->to;
      if (out->way != NULL) return TOMB_OK; /* a lookup may follow a way */
      return tomb_no_such_name(out->model, key + at, end - at, err);
    }
    if (end == size) return TOMB_OK;
    at = end + 2;
  }
}

const tomb_field *tomb_key_subject(const tomb_query *query, const char *key,
                                   size_t size) {
  tomb_walk walk;
  if (tomb_walk_key(&walk, query, key, size, NULL) != TOMB_OK) return NULL;
  return walk.field != NULL ? walk.field : tomb_key_field(walk.model);
}

/* ---- fields that are computed ------------------------------------- */

static tomb_status refuse(const tomb_query *query, const char *name,
                          size_t size, const char *why, const char *hint,
                          tomb_error *err) {
  tomb_fail(err, TOMB_MISUSE, "%.*s %s", size > 80 ? 80 : (int)size, name, why);
  tomb_error_model(err, query->model->name);
  tomb_error_hint(err, "%s", hint);
  return TOMB_MISUSE;
}

tomb_status tomb_check_way(const tomb_query *query, const char *name,
                           size_t size, const tomb_walk *walk,
                           tomb_error *err) {
  if (walk->tables <= TOMB_MOST_TABLES) return TOMB_OK;
  return refuse(query, name, size, "leads too far",
                "a way takes up to 60 tables", err);
}

static void compute(tomb_far_field *out, const tomb_query *query,
                    const char *key, const tomb_walk *walk,
                    const tomb_field *field) {
  memset(&out->computed, 0, sizeof out->computed);
  out->computed.key = key;
  out->computed.to = walk->to;
  out->computed.model = query->model;
  out->computed.field = field;
  memset(&out->field, 0, sizeof out->field);
  out->field.type = field->type;
  out->field.collate = field->collate;
  out->field.nullable = true;
  out->field.index = SIZE_MAX;
  out->field.computed = &out->computed;
}

static tomb_status refuse_rest(const tomb_query *query, const char *name,
                               size_t size, const tomb_walk *walk,
                               tomb_error *err) {
  if (walk->field != NULL) {
    return refuse(query, name, size, "is no field",
                  "a lookup stands in filters only", err);
  }
  if (walk->to < size) {
    size_t at = walk->to + 2;
    return tomb_no_such_name(walk->model, name + at, size - at, err);
  }
  return refuse(query, name, size, "leads to rows",
                "name a field of theirs behind it, as in author__name", err);
}

tomb_status tomb_find_field(const tomb_field **out, tomb_far_field *storage,
                            const tomb_query *query, const char *name,
                            size_t size, tomb_purpose purpose,
                            tomb_error *err) {
  tomb_walk walk;
  tomb_status st = tomb_walk_key(&walk, query, name, size, err);
  if (st != TOMB_OK) return st;
  if (walk.field == NULL || walk.end < size) {
    return refuse_rest(query, name, size, &walk, err);
  }
  *out = walk.field;
  if (walk.way == NULL) return TOMB_OK;
  if (walk.many && purpose == TOMB_FOR_GROUPS) {
    return refuse(query, name, size, "leads to many rows",
                  "annotate computes over them, row by row", err);
  }
  st = tomb_check_way(query, name, size, &walk, err);
  if (st != TOMB_OK) return st;
  compute(storage, query, name, &walk, walk.field);
  storage->field.name = name;
  storage->field.name_size = size;
  storage->computed.joined = !walk.many || purpose == TOMB_FOR_VALUES;
  storage->computed.aggregated = !storage->computed.joined;
  storage->computed.fn = purpose == TOMB_FOR_MOST ? TOMB_MAX : TOMB_MIN;
  *out = &storage->field;
  return TOMB_OK;
}

tomb_status tomb_check_aggregate(const tomb_model *model,
                                 const tomb_aggregate *a, tomb_error *err) {
  bool adds = a->fn == TOMB_SUM || a->fn == TOMB_AVG;
  if (!adds || (a->field != NULL && (a->field->type == TOMB_FIELD_INTEGER ||
                                     a->field->type == TOMB_FIELD_NUMBER))) {
    return TOMB_OK;
  }
  tomb_fail(err, TOMB_MISUSE, "sum and avg take a field of numbers, not %s.%s",
            model->name, a->field == NULL ? "*" : a->field->name);
  tomb_error_model(err, model->name);
  return TOMB_MISUSE;
}

static tomb_field_type type_of(tomb_aggregate_fn fn, const tomb_field *field) {
  if (fn == TOMB_COUNT) return TOMB_FIELD_INTEGER;
  return fn == TOMB_AVG ? TOMB_FIELD_NUMBER : field->type;
}

/* What an annotation is called must hide nothing. */
static tomb_status check_name(const tomb_query *query, const char *name,
                              tomb_error *err) {
  size_t size = strlen(name);
  if (tomb_model_find(query->model, name, size) != NULL ||
      tomb_model_way(query->model, name, size) != NULL ||
      annotation(query, name, size) != NULL) {
    return refuse(query, name, size, "is there already",
                  "give the annotation another name", err);
  }
  if (size == 0 || tomb_name_end(name, size) < size) {
    return refuse(query, name, size, "is no name for an annotation",
                  "names hold no '__'", err);
  }
  return TOMB_OK;
}

tomb_status tomb_annotate(tomb_far_field *storage, const tomb_query *query,
                          const char *name, tomb_aggregate_fn fn, bool distinct,
                          const char *of, size_t of_size, tomb_error *err) {
  tomb_walk walk;
  tomb_status st = check_name(query, name, err);
  if (st == TOMB_OK) st = tomb_walk_key(&walk, query, of, of_size, err);
  if (st != TOMB_OK) return st;
  if (walk.way == NULL) {
    return refuse(query, of, of_size, "is a field of the row itself",
                  "annotate computes over other rows, as in count \"posts\"",
                  err);
  }
  if (walk.end < of_size) return refuse_rest(query, of, of_size, &walk, err);
  const tomb_field *field = walk.field;
  if (field == NULL && fn == TOMB_COUNT) field = tomb_key_field(walk.model);
  if (field == NULL) return refuse_rest(query, of, of_size, &walk, err);
  tomb_aggregate a = {fn, field, distinct};
  st = tomb_check_aggregate(walk.model, &a, err);
  if (st == TOMB_OK) st = tomb_check_way(query, of, of_size, &walk, err);
  if (st != TOMB_OK) return st;
  compute(storage, query, of, &walk, field);
  storage->field.name = name;
  storage->field.name_size = strlen(name);
  storage->field.type = type_of(fn, field);
  if (fn != TOMB_MIN && fn != TOMB_MAX) storage->field.collate = NULL;
  storage->computed.aggregated = true;
  storage->computed.fn = fn;
  storage->computed.distinct = distinct;
  return TOMB_OK;
}
