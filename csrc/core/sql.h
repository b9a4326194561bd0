/*
** sql.h - statements under construction. Text and bound values grow together:
** there is no third way for a value to reach the SQL.
*/
#ifndef TOMB_SQL_H
#define TOMB_SQL_H

#include "buf.h"
#include "dialect.h"
#include "keys.h"
#include "model.h"

struct tomb_sql {
  const tomb_dialect *dialect;
  tomb_buf text;
  tomb_value *args;
  size_t n_args, args_capacity;
  const tomb_field **columns; /* what the statement answers */
  size_t n_columns, columns_capacity;
  tomb_arena bytes;        /* of patterns and JSON that args point to */
  unsigned taken;          /* the number of the table of takings */
  const tomb_query *query; /* of the SELECT or write under construction */
  const char *base;        /* what the query's table is called in it */
  bool joined;             /* its fields need that name in front */
  bool writes;             /* it is, or stands in, a write */
  tomb_rows *seen;         /* the tables that it reads, for people; or NULL */
};

/* The events' table of owners, for what lies below a deletion. */
typedef struct tomb_reach {
  const tomb_model *owners;
  const tomb_value *event;
} tomb_reach;

typedef enum tomb_output {
  TOMB_OUT_ROWS,   /* all fields, or the key and `only`; the marks of the
                      living are NULL and left out */
  TOMB_OUT_TABLE,  /* all fields */
  TOMB_OUT_VALUES, /* `only` */
  TOMB_OUT_KEYS,
  TOMB_OUT_ONE, /* the number 1 */
  TOMB_OUT_AGGREGATES
} tomb_output;

/* A mangled field gets a suffix, loses it, or neither. */
typedef enum tomb_mangling {
  TOMB_KEEP_VALUES,
  TOMB_MANGLE,
  TOMB_UNMANGLE
} tomb_mangling;

/* Everything that a statement says; the clauses read what is theirs. */
struct tomb_statement {
  const tomb_model *model;
  const tomb_query *query; /* which rows */
  bool is_write;
  tomb_scope fence;   /* a write: it reaches only these */
  bool from_slice;    /* SELECT from the slice that the query is */
  tomb_output output; /* SELECT */
  const tomb_aggregate *aggregates;
  size_t n_aggregates;
  const tomb_value *values; /* INSERT: by field, absent ones left out */
  const tomb_assignment *assignments; /* UPDATE */
  size_t n_assignments;
  bool bump; /* UPDATE: updated_at and version too */
  int64_t now;
  tomb_mangling mangling; /* UPDATE */
  const tomb_value *suffix;
  const tomb_value *deleted_at, *deleted_event; /* UPDATE: NULL is left out */
  const tomb_reach *reach;      /* only what lies below the event's rows */
  const tomb_relation *towards; /* PROBE: the children that point there */
  const tomb_upsert *upsert;    /* INSERT with ON CONFLICT */
  bool returning;               /* all fields of the rows written */
};

void tomb_sql_init(tomb_sql *sql, const tomb_dialect *dialect,
                   const tomb_allocator *a);
void tomb_sql_clear(tomb_sql *sql);
void tomb_sql_free(tomb_sql *sql);
bool tomb_sql_failed(const tomb_sql *sql);

/* A dialect that has no word for something cannot say it. */
static inline void tomb_sql_add(tomb_sql *sql, const char *text) {
  if (text == NULL) {
    sql->text.failed = true;
  } else {
    tomb_buf_text(&sql->text, text);
  }
}
void tomb_sql_value(tomb_sql *sql, const tomb_value *value);
/* join.c: a value of other rows. */
void tomb_sql_computed(tomb_sql *sql, const tomb_computed *computed);
/* The same as a sub-query of its own, whatever is joined. */
void tomb_sql_sub_query(tomb_sql *sql, const tomb_computed *computed);
/* alias."field" */
static inline void tomb_sql_field_of(tomb_sql *sql, const char *alias,
                                     const tomb_field *field) {
  tomb_sql_add(sql, alias);
  tomb_sql_add(sql, ".");
  tomb_buf_add(&sql->text, field->quoted, field->quoted_size);
}
static inline void tomb_sql_field(tomb_sql *sql, const tomb_field *field) {
  if (field->computed != NULL) {
    tomb_sql_computed(sql, field->computed);
  } else if (sql->joined) {
    tomb_sql_field_of(sql, sql->base, field);
  } else {
    tomb_buf_add(&sql->text, field->quoted, field->quoted_size);
  }
}
/* The model's name as a value. */
static inline void tomb_sql_name_of(tomb_sql *sql, const tomb_model *model) {
  tomb_value name = tomb_text(model->name);
  tomb_sql_value(sql, &name);
}
/* " IN (these keys)", from that one on, up to the end or without the one at `to`
*/
void tomb_sql_among_some(tomb_sql *sql, const tomb_keys *keys, size_t from,
                         size_t to);
static inline void tomb_sql_among(tomb_sql *sql, const tomb_keys *keys,
                                  size_t from) {
  tomb_sql_among_some(sql, keys, from, tomb_keys_count(keys));
}
/* The same for a text that holds a key. */
void tomb_sql_among_texts(tomb_sql *sql, const tomb_keys *keys);
/* A field that the statement answers as a column. */
void tomb_sql_column(tomb_sql *sql, const tomb_field *field);
/* Adds the first text at the first call with that flag, later the second. */
static inline void tomb_sql_join(tomb_sql *sql, bool *first,
                                 const char *opening, const char *separator) {
  tomb_sql_add(sql, *first ? opening : separator);
  *first = false;
}
/* Bytes that live as long as the statement; NULL turns it into a failure. */
char *tomb_sql_bytes(tomb_sql *sql, size_t size);

/* Compiles a statement by a list of clauses. */
void tomb_sql_compile(tomb_sql *sql, const tomb_clause *clauses,
                      const tomb_statement *statement);

/* lookup.c */
void tomb_sql_expr(tomb_sql *sql, const tomb_expr *expr);
void tomb_sql_is_null(tomb_sql *sql, const tomb_field *field, bool null);
/* One lookup on a field of the model, whatever ways led there. */
void tomb_sql_lookup(tomb_sql *sql, const tomb_model *model,
                     const tomb_cond *cond);
/* where.c */
void tomb_sql_cond(tomb_sql *sql, const tomb_model *model,
                   const tomb_cond *cond);
void tomb_sql_where(tomb_sql *sql, const tomb_statement *statement);
/* through.c: lookups on other rows */
/* True for a lookup that shares its rows with one before it in `all`, which
** has said both. */
bool tomb_is_said(const tomb_cond *all, size_t i, const tomb_model *model);
/* The i-th of `all`, with those behind it that speak of the same row. */
void tomb_sql_through(tomb_sql *sql, const tomb_model *model,
                      const tomb_cond *all, size_t i);
/* join.c */
bool tomb_has_joins(const tomb_statement *statement);
void tomb_sql_joins(tomb_sql *sql, const tomb_statement *statement);
/* One step of the ways in a key, whose name ends at `to`. */
typedef struct tomb_way_step {
  const char *key;
  const tomb_way *way;
  size_t before, to; /* the ends of the way before it, and of this */
  bool first;        /* it starts from the row that sql->base names */
} tomb_way_step;
/* What the table at the end of a way is called where it is joined. */
const char *tomb_sql_alias(tomb_sql *sql, const char *way, size_t size);
/* The table of the step by that name; of linked rows both, joined. */
void tomb_sql_source(tomb_sql *sql, const tomb_way_step *step);
/* The column there that leads back, and that its rows are seen. */
void tomb_sql_end_here(tomb_sql *sql, const tomb_way_step *step);
void tomb_sql_source_lives(tomb_sql *sql, const tomb_way_step *step,
                           bool *first);
/* " JOIN " what is there. */
void tomb_sql_inner_join(tomb_sql *sql, const tomb_way_step *step);
/* The table as a name in the text; `way` leads to it (size 0: the query's own),
** and the statement sees the rows of `scope`. */
void tomb_sql_table(tomb_sql *sql, const tomb_model *model, const char *way,
                    size_t size, tomb_scope scope);
/* text_match.c: contains, startswith, like … */
void tomb_sql_text_match(tomb_sql *sql, const tomb_cond *cond);
/* select.c */
void tomb_sql_select(tomb_sql *sql, const tomb_statement *statement);
/* "max(", "count(DISTINCT " */
void tomb_sql_begin_aggregate(tomb_sql *sql, tomb_aggregate_fn fn,
                              bool distinct);
void tomb_sql_from(tomb_sql *sql, const tomb_statement *statement);
void tomb_sql_group(tomb_sql *sql, const tomb_statement *statement);
void tomb_sql_order(tomb_sql *sql, const tomb_statement *statement);
void tomb_sql_limit(tomb_sql *sql, const tomb_statement *statement);
/* write.c */
void tomb_sql_insert(tomb_sql *sql, const tomb_statement *statement);
void tomb_sql_on_conflict(tomb_sql *sql, const tomb_statement *statement);
void tomb_sql_update(tomb_sql *sql, const tomb_statement *statement);
void tomb_sql_erase(tomb_sql *sql, const tomb_statement *statement);
void tomb_sql_returning(tomb_sql *sql, const tomb_statement *statement);
/* counter.c: "UPDATE the model's table SET the counter = " */
void tomb_sql_set_counter(tomb_sql *sql, const tomb_model *model,
                          const tomb_field *counter);
/* The name of the i-th trigger of a counter, as SQL writes it. */
void tomb_sql_counter_name(tomb_sql *sql, const tomb_model *model,
                           const tomb_field *counter, size_t i);
/* cascade.c */
/* The rows of the model that point to rows of the event, directly or not. */
void tomb_sql_below(tomb_sql *sql, const tomb_model *model,
                    const tomb_reach *reach);
/* The rows that the query's event holds. */
void tomb_sql_held(tomb_sql *sql, const tomb_query *query);
/* The event owns the dead ones of these too. */
void tomb_sql_own(tomb_sql *sql, const tomb_statement *statement);
/* How many living children point to rows that have just died, and one. */
void tomb_sql_probe(tomb_sql *sql, const tomb_statement *statement);
/* CAST("id" AS text), as owners are kept. */
void tomb_sql_key_text(tomb_sql *sql, const tomb_model *model,
                       const char *alias);
/* guard.c */
/* True where an INSERT depends on parents that can die. */
bool tomb_has_new_parents(const tomb_statement *statement);
/* " WHERE they live" */
void tomb_sql_new_parents_live(tomb_sql *sql, const tomb_statement *statement);
/* The same for the parents that an UPDATE assigns. */
void tomb_sql_next_parents_live(tomb_sql *sql, const tomb_statement *statement,
                                bool *first);
/* mangle.c */
/* "field" || suffix, only where a composite chooses this field. */
void tomb_sql_mangled(tomb_sql *sql, const tomb_model *model,
                      const tomb_field *field, const tomb_value *suffix);
/* The value before the deletion, of living and dead rows alike. */
void tomb_sql_original(tomb_sql *sql, const tomb_model *model,
                       const tomb_field *field);

/* True when the query is cut by limit or offset. */
static inline bool tomb_is_sliced(const tomb_query *query) {
  return query->limit >= 0 || query->offset > 0;
}

#endif
