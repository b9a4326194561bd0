/*
** stream.c - a query's rows without an open statement between them.
**
** In the key's order each chunk begins after the last key read; the stream ends
** with the largest key that was there when it began, or a loop that makes rows
** would never end. In any other order the keys are noted first, a few bytes
** each, and rows fetched by them. A row that has died meanwhile, or no longer
** matches, is left out.
*/
#include <string.h>

#include "error.h"
#include "keys.h"
#include "rows.h"
#include "store.h"

#define CHUNK 256

struct tomb_stream {
  tomb_db *db;
  tomb_query query;
  tomb_keys *keys; /* NULL: in the key's order */
  size_t at;       /* among the keys */
  int64_t left;    /* rows that the limit still allows; -1: all */
  bool ended;
  const tomb_field **fields; /* of the columns */
  size_t n_fields, key_column;
  tomb_rows *largest; /* the key to end with, once there is a second chunk */
  tomb_rows *rows;    /* the chunk */
  tomb_rows *spare;   /* for the next one */
  size_t row;         /* the next one of the chunk */
};

static bool is_in_key_order(const tomb_query *query) {
  const tomb_model *model = query->model;
  const tomb_order *order = query->order;
  size_t n = query->n_order;
  if (order == NULL) {
    order = model->order;
    n = model->n_order;
  }
  return !query->reversed && query->among == NULL &&
         (n == 0 ||
          (order[0].field == tomb_key_field(model) && !order[0].descending));
}

void tomb_stream_free(tomb_stream *stream) {
  if (stream == NULL) return;
  tomb_allocator a = stream->db->allocator;
  tomb_keys_free(stream->keys);
  tomb_rows_free(stream->largest);
  tomb_rows_free(stream->rows);
  tomb_rows_free(stream->spare);
  tomb_release(&a, (void *)stream->fields,
               stream->n_fields * sizeof *stream->fields);
  tomb_release(&a, stream, sizeof *stream);
}

tomb_status tomb_stream_open(tomb_stream **out, tomb_db *db,
                             const tomb_query *query, tomb_error *err) {
  tomb_stream *s = tomb_realloc(&db->allocator, NULL, 0, sizeof *s);
  *out = NULL;
  if (s == NULL) return tomb_out_of_memory(err);
  memset(s, 0, sizeof *s);
  s->db = db;
  s->query = *query;
  s->left = query->limit;
  s->rows = tomb_rows_new(db);
  s->spare = tomb_rows_new(db);
  tomb_status st =
      s->rows == NULL || s->spare == NULL ? tomb_out_of_memory(err) : TOMB_OK;
  if (st == TOMB_OK && !is_in_key_order(query)) {
    st = tomb_select_keys(&s->keys, db, query, err);
    s->query.limit = -1;
    s->query.offset = 0;
  }
  if (st != TOMB_OK) {
    tomb_stream_free(s);
    return st;
  }
  *out = s;
  return TOMB_OK;
}

const tomb_field *const *tomb_stream_fields(const tomb_stream *stream,
                                            size_t *n) {
  *n = stream->n_fields;
  return stream->fields;
}

/* The columns are the same in every chunk. */
static bool learn_columns(tomb_stream *s, const tomb_cursor *cursor) {
  const tomb_field *key = tomb_key_field(s->query.model);
  size_t bytes = cursor->n * sizeof *s->fields;
  if (s->fields != NULL) return true;
  s->fields = tomb_realloc(&s->db->allocator, NULL, 0, bytes);
  if (s->fields == NULL) return false;
  memcpy((void *)s->fields, cursor->fields, bytes);
  s->n_fields = cursor->n;
  for (size_t i = 0; i < cursor->n; i++) {
    if (cursor->fields[i] == key) s->key_column = i;
  }
  return true;
}

static tomb_status keep_all(tomb_stream *s, tomb_cursor *cursor,
                            tomb_error *err) {
  if (!learn_columns(s, cursor)) return tomb_out_of_memory(err);
  for (;;) {
    tomb_status st = tomb_cursor_next(cursor, err);
    if (st == TOMB_DONE) return TOMB_OK;
    if (st == TOMB_ROW) {
      st = tomb_rows_add(s->rows, cursor->values, cursor->n, err);
    }
    if (st != TOMB_OK) return st;
  }
}

static tomb_status read_chunk(tomb_stream *s, const tomb_query *query,
                              tomb_error *err) {
  tomb_cursor cursor;
  tomb_status st = tomb_select(&cursor, s->db, query, err);
  if (st != TOMB_OK) return st;
  st = keep_all(s, &cursor, err);
  tomb_cursor_close(&cursor);
  return st;
}

static tomb_status find_largest(tomb_stream *s, tomb_error *err) {
  const tomb_field *key = tomb_key_field(s->query.model);
  tomb_order by_key = {key, true};
  tomb_query query = tomb_all_objects(s->query.model);
  tomb_cursor cursor;
  query.order = &by_key;
  query.n_order = 1;
  query.limit = 1;
  query.only = &key;
  query.n_only = 1;
  s->largest = tomb_rows_new(s->db);
  if (s->largest == NULL) return tomb_out_of_memory(err);
  tomb_status st = tomb_select_values(&cursor, s->db, &query, err);
  if (st != TOMB_OK) return st;
  st = tomb_cursor_next(&cursor, err);
  if (st == TOMB_ROW) st = tomb_rows_add(s->largest, cursor.values, 1, err);
  tomb_cursor_close(&cursor);
  return st == TOMB_DONE ? TOMB_OK : st;
}

/* The rows behind the chunk that was read last. */
static const tomb_query *go_on(tomb_row_query storage[2], const tomb_stream *s,
                               const tomb_rows *chunk) {
  const tomb_field *key = tomb_key_field(s->query.model);
  size_t n = tomb_rows_count(chunk);
  if (n == 0) return &s->query;
  const tomb_value *last = tomb_rows_at(chunk, n - 1, NULL);
  const tomb_query *query = tomb_query_where(&storage[0], &s->query, key,
                                             TOMB_GT, &last[s->key_column]);
  storage[0].query.offset = 0;
  if (tomb_rows_count(s->largest) == 0) return query;
  return tomb_query_where(&storage[1], query, key, TOMB_LTE,
                          tomb_rows_at(s->largest, 0, NULL));
}

/* The last key of the chunk lives in its rows, so the new chunk is gathered
** beside them. */
static tomb_status next_by_key(tomb_stream *s, tomb_error *err) {
  tomb_rows *before = s->rows;
  tomb_row_query storage[2];
  tomb_query query = *go_on(storage, s, before);
  query.limit = s->left < 0 || s->left > CHUNK ? CHUNK : s->left;
  s->rows = s->spare;
  s->spare = before;
  tomb_status st = read_chunk(s, &query, err);
  tomb_rows_clear(before);
  size_t got = tomb_rows_count(s->rows);
  s->ended = got < (size_t)query.limit;
  if (s->left >= 0) s->left -= (int64_t)got;
  if (s->left == 0) s->ended = true;
  if (st != TOMB_OK || s->ended || s->largest != NULL) return st;
  return find_largest(s, err);
}

static tomb_status next_by_list(tomb_stream *s, tomb_error *err) {
  size_t n = tomb_keys_count(s->keys);
  tomb_rows_clear(s->rows);
  while (tomb_rows_count(s->rows) == 0 && s->at < n) {
    tomb_query query = s->query;
    query.among = s->keys;
    query.among_from = s->at;
    query.among_to = n - s->at < CHUNK ? n : s->at + CHUNK;
    s->at = query.among_to;
    tomb_status st = read_chunk(s, &query, err);
    if (st != TOMB_OK) return st;
  }
  s->ended = s->at == n;
  return TOMB_OK;
}

static tomb_status next_chunk(tomb_stream *s, tomb_error *err) {
  s->row = 0;
  return s->keys == NULL ? next_by_key(s, err) : next_by_list(s, err);
}

tomb_status tomb_stream_next(tomb_stream *s, const tomb_value **values,
                             tomb_error *err) {
  if (s->row == tomb_rows_count(s->rows)) {
    if (s->ended || s->left == 0) return TOMB_DONE;
    tomb_status st = next_chunk(s, err);
    if (st != TOMB_OK) {
      s->ended = true;
      tomb_rows_clear(s->rows);
      return st;
    }
    if (tomb_rows_count(s->rows) == 0) return TOMB_DONE;
  }
  *values = tomb_rows_at(s->rows, s->row++, NULL);
  return TOMB_ROW;
}
