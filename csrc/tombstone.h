/*
** tombstone.h - the engine without Lua: models, queries and soft delete in C.
**
** The life of a program: open a database, define its models, build queries
** (plain structs, refined by copying), run verbs on them, close.
**
**   tomb_db *db;
**   tomb_error err;
**   if (tomb_open_sqlite(&db, "blog.db", NULL, &err) != TOMB_OK) ...
**
** Status: every call that can fail answers a tomb_status and fills the
** caller's tomb_error, which owns nothing and needs no clean-up. A refused
** call changes nothing.
**
** Ownership: out-parameters come first and belong to the caller, who gives
** them back to the function named in their comment. Pointers that a function
** returns are borrowed. Texts that you pass are borrowed for the call, but
** those inside conditions live as long as the query that holds them.
**
** Time is int64_t microseconds since 1970-01-01 UTC; the engine reads no
** clock, so calls that stamp rows take `now` (tomb_now() reads the system's).
**
** A tomb_db and all that hangs on it belong to one thread at a time. Nothing
** checks it: two threads in one handle damage it, as ThreadSanitizer shows.
** Threads have a handle each, which may be on one file.
*/
#ifndef TOMBSTONE_H
#define TOMBSTONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOMB_VERSION "0.1.0"

#if defined(_WIN32)
#define TOMB_API
#else
#define TOMB_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- status and errors -------------------------------------------- */

typedef enum tomb_status {
  TOMB_OK,
  TOMB_ROW,  /* tomb_cursor_next: a row is there */
  TOMB_DONE, /* tomb_cursor_next: no more rows */
  TOMB_INTEGRITY,
  TOMB_VALIDATION,
  TOMB_NOT_FOUND,
  TOMB_MULTIPLE,
  TOMB_DELETED,
  TOMB_PARENT_DELETED,
  TOMB_RESTRICTED,
  TOMB_TOO_MANY,
  TOMB_STALE,
  TOMB_BUSY,
  TOMB_INTERRUPTED,
  TOMB_CONNECTION,
  TOMB_COMMIT_UNKNOWN,
  TOMB_DATABASE,
  TOMB_MIGRATION,
  TOMB_MISUSE,
  TOMB_NOMEM
} tomb_status;

typedef enum tomb_constraint {
  TOMB_NO_CONSTRAINT,
  TOMB_CONSTRAINT_UNIQUE,
  TOMB_CONSTRAINT_FOREIGN_KEY,
  TOMB_CONSTRAINT_NOT_NULL,
  TOMB_CONSTRAINT_CHECK
} tomb_constraint;

/* The word for a status or constraint, as Lua sees it: "integrity", "unique". */
TOMB_API const char *tomb_status_name(tomb_status status);
TOMB_API const char *tomb_constraint_name(tomb_constraint constraint);

/* The nearest of `names` to `wrong`, or NULL when none is near: for words that
** a program offers itself, like options. */
TOMB_API const char *tomb_nearest(const char *const *names, size_t n,
                                  const char *wrong, size_t wrong_size);

/* ---- values ------------------------------------------------------- */

typedef enum tomb_type {
  TOMB_ABSENT, /* not given: a default applies; a zeroed value is absent */
  TOMB_NULL,
  TOMB_INTEGER,
  TOMB_NUMBER,
  TOMB_TEXT,
  TOMB_BLOB,
  TOMB_BOOLEAN,
  TOMB_TIME,   /* as.integer: microseconds since the epoch */
  TOMB_REFUSED /* fits no field, for the reason in as.text */
} tomb_type;

typedef struct tomb_value {
  tomb_type type;
  union {
    int64_t integer; /* INTEGER, BOOLEAN (0 or 1), TIME */
    double number;
    struct {
      const char *data; /* borrowed */
      size_t size;      /* bytes */
    } text;             /* TEXT, BLOB */
  } as;
} tomb_value;

/* Makers of values; texts and blobs are borrowed. */
TOMB_API tomb_value tomb_null(void);
TOMB_API tomb_value tomb_integer(int64_t n);
TOMB_API tomb_value tomb_number(double n);
TOMB_API tomb_value tomb_boolean(bool b);
TOMB_API tomb_value tomb_time(int64_t microseconds);
TOMB_API tomb_value tomb_text(const char *zero_terminated);
TOMB_API tomb_value tomb_text_of(const char *data, size_t size);
TOMB_API tomb_value tomb_blob(const void *data, size_t size);

/* A value that an error carries. Of a text or blob read `bytes`, which holds
** value.as.text.size bytes, cut when too long; value.as.text.data is NULL. */
typedef struct tomb_kept_value {
  tomb_value value;
  char bytes[256];
} tomb_kept_value;

#define TOMB_MAX_ERROR_FIELDS 16
#define TOMB_NAME_SIZE 64

typedef struct tomb_error {
  tomb_status kind;
  tomb_constraint constraint;
  int code;          /* the driver's own code, 0 without */
  char message[512]; /* one line: what was refused */
  char hint[256];    /* what to do, "" without */
  char model[TOMB_NAME_SIZE];
  size_t n_fields; /* fields refused, each with its reason in details */
  char fields[TOMB_MAX_ERROR_FIELDS][TOMB_NAME_SIZE];
  char details[TOMB_MAX_ERROR_FIELDS][96];
  bool has_value; /* the value that was refused */
  tomb_kept_value value;
  bool has_live_pk; /* the living row in the way */
  tomb_kept_value live_pk;
  bool has_dead_pk; /* the row that could not come back, or that is in the
                          way although it is dead */
  tomb_kept_value dead_pk;
  char subject[256]; /* what a driver said: columns or index of a constraint */
  char sql[512];     /* the statement that failed, without its values */
  size_t index;      /* 1-based place in a bulk call, 0 elsewhere */
} tomb_error;

/* ---- memory ------------------------------------------------------- */

/* Same signature and promises as lua_Alloc; NULL means malloc and free. */
typedef void *(*tomb_alloc_fn)(void *ud, void *ptr, size_t osize, size_t nsize);
typedef struct tomb_allocator {
  tomb_alloc_fn realloc;
  void *ud;
} tomb_allocator;

/* ---- databases ---------------------------------------------------- */

typedef struct tomb_db tomb_db;

typedef enum tomb_synchronous {
  TOMB_SYNC_FULL, /* no acknowledged commit is lost by power failure */
  TOMB_SYNC_NORMAL
} tomb_synchronous;

typedef struct tomb_options {
  tomb_allocator allocator; /* zero: malloc */
  int busy_timeout_ms;      /* 0: 5000; -1: do not wait */
  tomb_synchronous synchronous;
  bool read_only;
  size_t statement_cache; /* prepared statements kept; 0: 64 */
  int64_t cache_kb;       /* pages kept in memory; 0: as SQLite has it (2000) */
} tomb_options;

/*
** Opens the SQLite file `path` (":memory:" for a private one), making it when
** it is missing. NULL options are the defaults. Errors: connection (no such
** folder, not a database, a build without SQLite), busy. Close with tomb_close.
**
** Not a file that another copy of SQLite in this process has open: when one of
** them closes it the system drops the locks of the other, and neither can see
** that. Borrow that connection instead.
*/
TOMB_API tomb_status tomb_open_sqlite(tomb_db **out, const char *path,
                                      const tomb_options *options,
                                      tomb_error *err);

/*
** The engine on a connection `db` that the host has open. `routines` are those
** of the copy of SQLite that made it (tombstone_sqlite.h, or what an extension
** is given), in one place for as long as that copy is loaded; NULL means that
** host and library share one copy. A bare sqlite3* of another copy crashes: equal
** versions are no proof.
**
** The connection stays the host's: it is never closed, and its settings are its
** own; SQL functions named tombstone_* are added and taken off again, unless
** the host has its own. Restores leave temporary tables named tombstone_taken_*,
** which go with the connection. Several handles may share it: one that begins a
** transaction inside another's ends it first. Options that open a connection
** (busy_timeout_ms, synchronous, read_only, cache_kb) are misuse; a connection
** for reading serves to read.
**
** Inside a transaction of the host the outermost level of tomb_begin, and of
** each verb, is a savepoint: a rollback undoes its part alone, and the host
** decides about the whole. Until that level ends the host neither commits nor
** rolls back, nor releases or rolls back to an older savepoint; where it does,
** the next call fails (database, misuse).
**
** tomb_close comes before the host closes. Until then sqlite3_close answers
** SQLITE_BUSY, and after sqlite3_close_v2 each call fails (connection) and the
** connection ends with tomb_close. Who finalizes statements that he finds
** with sqlite3_next_stmt takes ours: close first. One thread at a time uses the
** connection, the host's own use included.
**
** Errors: misuse (no connection, options, another copy of this library has
** borrowed it), connection (closed; SQLite older than 3.35, or without JSON
** functions or routines; routines in more than four places in one process).
**
**   sqlite3_exec(handle, "BEGIN", NULL, NULL, NULL);
**   tomb_borrow_sqlite(&db, handle, NULL, NULL, &err);
**   tomb_insert(db, post, row, tomb_now(), &err);
**   sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL); // the row is gone
**   tomb_free(db);
**   sqlite3_close(handle);
*/
struct sqlite3;
struct sqlite3_api_routines;
TOMB_API tomb_status
tomb_borrow_sqlite(tomb_db **out, struct sqlite3 *db,
                   const struct sqlite3_api_routines *routines,
                   const tomb_options *options, tomb_error *err);

/* Closes the connection, or gives a borrowed one back; what is open is rolled
** back. Safe to call twice. Models stay until tomb_free. */
TOMB_API void tomb_close(tomb_db *db);
/* Closes and frees `db` with all its models. NULL is fine. */
TOMB_API void tomb_free(tomb_db *db);
/* False where it is closed, or was opened by another process. */
TOMB_API bool tomb_is_open(const tomb_db *db);
/* The same as an error, misuse, that says which. */
TOMB_API tomb_status tomb_check_open(const tomb_db *db, tomb_error *err);

typedef struct tomb_info {
  const char *driver;  /* "sqlite" */
  const char *version; /* of the database library or server */
  const char *warning; /* a known corruption bug of that version, or NULL */
} tomb_info;
/* What `db` speaks to. */
TOMB_API tomb_info tomb_db_info(const tomb_db *db);

/* Copies the database to the file `path` while others may write to it. */
TOMB_API tomb_status tomb_backup(tomb_db *db, const char *path,
                                 tomb_error *err);

/* The system's clock: microseconds since the epoch. */
TOMB_API int64_t tomb_now(void);

/* ---- in a host's hands: time, memory, processes ------------------- */

/* What calls may take; 0 is no limit. */
typedef struct tomb_limits {
  int64_t timeout;   /* microseconds, on a clock that is never set */
  int64_t max_steps; /* of SQLite's virtual machine, counted roughly */
} tomb_limits;

/* The limits around a span of calls: a place for tomb_limit_begin to note them
** and for tomb_limit_end to put them back. */
typedef struct tomb_span {
  bool limited;
  int64_t deadline, ceiling;
  tomb_limits given;
} tomb_span;

/*
** From here to the end that gets the same `outer`, all calls on `db` together
** may take so much, and waits for locks no longer than that. Spans nest, and
** an inner one cannot have more than what is left of the outer one.
**
**   tomb_span outer;
**   tomb_limits limits = {5000, 0};
**   tomb_status st = tomb_limit_begin(&outer, db, &limits, &err);
**   if (st == TOMB_OK) {
**     st = tomb_delete(...);
**     tomb_limit_end(db, &outer);
**   }
**
** The call that goes beyond fails with TOMB_INTERRUPTED and leaves nothing of
** itself; a write takes the transaction around it along, which SQLite rolls
** back. A limit is looked at before each statement, the commit included, and
** within long ones. Errors: misuse where the driver has no limits, and on a
** borrowed connection, whose progress handler is its host's.
*/
TOMB_API tomb_status tomb_limit_begin(tomb_span *outer, tomb_db *db,
                                      const tomb_limits *limits,
                                      tomb_error *err);
TOMB_API void tomb_limit_end(tomb_db *db, const tomb_span *outer);

/*
** From any thread: the call that runs on `db`, or the transaction that is open,
** fails with TOMB_INTERRUPTED at its next step, and a wait for a lock ends.
** Where nothing runs nothing happens, to later calls neither. `db` must not be
** closed or freed meanwhile: a host ends the thread that interrupts, or waits
** for it, before it closes.
*/
TOMB_API void tomb_interrupt(tomb_db *db);

/*
** The most memory that SQLite may have, in bytes, of the whole process: all its
** connections, also those that are not tombstone's. 0 is no limit. Beyond it
** calls fail with TOMB_NOMEM and leave nothing of themselves. Answers what the
** limit was; a negative number only asks. The engine's own memory is the
** allocator's of tomb_options. The SQLite meant is that of the library: a build
** without one answers 0, and a host limits its own copy itself.
*/
TOMB_API int64_t tomb_memory_limit(int64_t bytes);

/*
** After a fork a handle belongs to the process that opened it. In the other one
** every call fails with TOMB_MISUSE, and tomb_close and tomb_free give back the
** engine's memory alone: SQLite's part is left as it is on purpose, because its
** end would touch the file under the hands of the process that uses it. Such a
** child opens a handle of its own, but not on a file that its parent had open:
** SQLite would take the parent's locks for its own. Open after the fork, close
** before it, or exec.
*/

/* ---- transactions ------------------------------------------------- */

/* Begins; inside another transaction this is a savepoint. */
TOMB_API tomb_status tomb_begin(tomb_db *db, tomb_error *err);
/* Ends the innermost level. A commit that fails has rolled back. */
TOMB_API tomb_status tomb_commit(tomb_db *db, tomb_error *err);
TOMB_API tomb_status tomb_rollback(tomb_db *db, tomb_error *err);
TOMB_API int tomb_depth(const tomb_db *db); /* 0: no transaction */
/* True inside of a transaction, the host's included. */
TOMB_API bool tomb_in_transaction(const tomb_db *db);

/* ---- models ------------------------------------------------------- */

typedef enum tomb_field_type {
  TOMB_FIELD_CHAR,
  TOMB_FIELD_TEXT,
  TOMB_FIELD_INTEGER,
  TOMB_FIELD_NUMBER,
  TOMB_FIELD_BOOLEAN,
  TOMB_FIELD_DATETIME,
  TOMB_FIELD_BLOB,
  TOMB_FIELD_JSON /* encoded text to the engine */
} tomb_field_type;
#define TOMB_FIELD_TYPES 8
/* "char", "text", "integer" ... */
TOMB_API const char *tomb_field_type_name(tomb_field_type type);

typedef enum tomb_unique {
  TOMB_NOT_UNIQUE,
  TOMB_UNIQUE,        /* among the living, by the model's strategy */
  TOMB_UNIQUE_MANGLE, /* a plain UNIQUE; the dead get a suffix (text only) */
  TOMB_UNIQUE_LIVE,   /* a partial index on the living */
  TOMB_UNIQUE_ALWAYS  /* not freed by a deletion */
} tomb_unique;

/* What a deletion of the row that a field points to means for its own row. */
typedef enum tomb_on_delete {
  TOMB_NO_REFERENCE,
  TOMB_CASCADE,  /* it dies and comes back with the other */
  TOMB_RESTRICT, /* it refuses the deletion while it lives (restricted) */
  TOMB_KEEP      /* it lives on; when the other is purged, the field is NULL */
} tomb_on_delete;

typedef struct tomb_field_def {
  const char *name;
  const char *column; /* NULL: as name */
  tomb_field_type type;
  bool primary_key, nullable, index;
  tomb_unique unique;
  size_t max_length;        /* characters; 0: no limit */
  tomb_value default_value; /* absent: none */
  const tomb_value *choices;
  size_t n_choices;
  const char *check;   /* an SQL expression that binds the living */
  const char *collate; /* "NOCASE", … */
  /* The model whose key this field holds, declared before or after; its type
  ** is then that of the key. NULL: none. */
  const char *references;
  tomb_on_delete on_delete;
  /* What lookups call the way to the parent, and the way back: "author" and
  ** "posts"; NULL: it has no name. */
  const char *relation_name, *related_name;
  /* An integer that the database keeps: how many living rows stand at the end of
  ** that way, which leads to many. NULL: a field as others. */
  const char *counts;
} tomb_field_def;

/* A composite: an index, or with `unique` a constraint. */
typedef struct tomb_group_def {
  const char *const *fields;
  size_t n_fields;
  tomb_unique unique;
} tomb_group_def;

typedef enum tomb_soft_delete {
  TOMB_SOFT_DELETE_EVENTS, /* deleted_at and deleted_event */
  TOMB_SOFT_DELETE_STAMP,  /* deleted_at alone (the article's schema) */
  TOMB_SOFT_DELETE_OFF
} tomb_soft_delete;

/* Rows of two models that belong together through the rows of a third, which
** points to both of them once. */
typedef struct tomb_link_def {
  const char *name, *related_name; /* "tags"; and of the way back, or NULL */
  const char *to, *through;        /* models, declared before or after */
  /* The fields of `through` that point here and there; NULL: the only ones. */
  const char *near, *far;
} tomb_link_def;

typedef struct tomb_model_def {
  const char *name;
  const char *table; /* NULL: the name in snake_case */
  const tomb_field_def *fields;
  size_t n_fields;
  const tomb_group_def *groups;
  size_t n_groups;
  const tomb_link_def *links;
  size_t n_links;
  const char *const *order_by; /* "title", "-views" */
  size_t n_order_by;
  tomb_soft_delete soft_delete;
  const char *deleted_at;    /* column; NULL: "deleted_at" */
  const char *deleted_event; /* column; NULL: "deleted_event" */
  tomb_unique strategy;      /* MANGLE or LIVE; NOT_UNIQUE: by type */
  int64_t keep;              /* microseconds in the trash; 0: for ever */
  bool timestamps;           /* created_at, updated_at */
  bool version;              /* optimistic locking */
} tomb_model_def;

typedef enum tomb_role {
  TOMB_ROLE_NONE,
  TOMB_ROLE_KEY,
  TOMB_ROLE_DELETED_AT,
  TOMB_ROLE_DELETED_EVENT,
  TOMB_ROLE_CREATED_AT,
  TOMB_ROLE_UPDATED_AT,
  TOMB_ROLE_VERSION,
  TOMB_ROLE_COUNTER /* there may be several, so that none is the model's */
} tomb_role;

typedef struct tomb_rows tomb_rows; /* rows in memory */
typedef struct tomb_model tomb_model;

typedef struct tomb_field tomb_field;

/* A field that points to the rows of a model, its parents. */
typedef struct tomb_relation {
  const tomb_model *child;
  const tomb_field *field;
  const char *name, *related_name; /* of the ways; NULL: none */
  const char *parent_name;
  const tomb_model *parent; /* NULL until it is declared */
  tomb_on_delete on_delete;
} tomb_relation;

/* A checked field; read only. */
struct tomb_field {
  const char *name;
  size_t name_size;
  const char *column;
  const char *quoted; /* the column as SQL writes it */
  size_t quoted_size;
  size_t index; /* place in the model, from 0 */
  tomb_field_type type;
  tomb_role role;
  bool nullable, indexed;
  bool mangled;       /* a deletion may rewrite it */
  tomb_unique unique; /* never TOMB_UNIQUE: the strategy is settled */
  size_t max_length;
  tomb_value default_value;
  const tomb_value *choices;
  size_t n_choices;
  const char *check, *collate;
  const tomb_relation *relation;        /* NULL: it points to nothing */
  const struct tomb_computed *computed; /* NULL: a column */
  const char *counts;                   /* COUNTER: the way to its rows */
};

typedef enum tomb_way_kind {
  TOMB_TO_PARENT,   /* post.author: one row or none */
  TOMB_TO_CHILDREN, /* author.posts */
  TOMB_TO_LINKED    /* post.tags, through rows of a third model */
} tomb_way_kind;

/* A named step from the rows of a model to others; read only. */
typedef struct tomb_way {
  const char *name;
  size_t name_size;
  tomb_way_kind kind;
  const tomb_relation *near; /* crossed first */
  const tomb_relation *far;  /* LINKED: and then; NULL elsewhere */
  const struct tomb_way *next;
} tomb_way;

/*
** Checks `def`, copies it and adds the model to `db`; it lives until
** tomb_free. `out` may be NULL: then it is checked only. Errors: misuse,
** naming the field and the remedy.
*/
TOMB_API tomb_status tomb_define(const tomb_model **out, tomb_db *db,
                                 const tomb_model_def *def, tomb_error *err);
/* The model called `name`, or NULL; "TombstoneEvent" is always there. */
TOMB_API const tomb_model *tomb_model_named(const tomb_db *db,
                                            const char *name);
TOMB_API const tomb_model *tomb_model_at(const tomb_db *db, size_t i);
TOMB_API const char *tomb_model_name(const tomb_model *model);
/* Its table in the database, borrowed. */
TOMB_API const char *tomb_model_table(const tomb_model *model);
TOMB_API size_t tomb_model_fields(const tomb_model *model);
TOMB_API const tomb_field *tomb_model_field(const tomb_model *model, size_t i);
TOMB_API const tomb_field *tomb_model_find(const tomb_model *model,
                                           const char *name, size_t size);
TOMB_API const tomb_field *tomb_model_role(const tomb_model *model,
                                           tomb_role role);
/* The i-th field of the model that points to another, or NULL. */
TOMB_API const tomb_relation *tomb_model_relation(const tomb_model *model,
                                                  size_t i);
/* The way of that name, or NULL; and where a way leads. */
TOMB_API const tomb_way *tomb_model_way(const tomb_model *model,
                                        const char *name, size_t size);
TOMB_API const tomb_model *tomb_way_model(const tomb_way *way);
/* The same; misuse, with the nearest name, where there is no such way. */
TOMB_API tomb_status tomb_need_way(const tomb_way **out,
                                   const tomb_model *model, const char *name,
                                   size_t size, tomb_error *err);
/* The model at the end of ways like "author__team", or NULL where the text
** names a field or nothing. */
TOMB_API const tomb_model *tomb_path_end(const tomb_model *model,
                                         const char *path, size_t size);
TOMB_API int64_t tomb_model_keep(const tomb_model *model);
/* True when a deletion may rewrite the model's i-th field, or any. */
TOMB_API bool tomb_model_mangles(const tomb_model *model, size_t i);
TOMB_API bool tomb_model_mangles_any(const tomb_model *model);
/* Turns the value into what the field stores, if nothing is lost: 3.0 into an
** integer, seconds into a time. NULL and absent stay. */
TOMB_API bool tomb_value_fit(const tomb_field *field, tomb_value *value);
/* Rewrites a text of the field so that those which its collation calls equal
** are the same bytes; answers the size, which is no greater. */
TOMB_API size_t tomb_fold_text(const tomb_field *field, char *text,
                               size_t size);

/*
** Creates the tables and indexes that are missing, tombstone's own included,
** in one transaction. Errors: migration when a table differs from its model.
*/
TOMB_API tomb_status tomb_create_tables(tomb_db *db, tomb_error *err);
/*
** Adds a row to `out` for each CREATE statement that tomb_create_tables would run
** in an empty database, in order: its only value is the text. Does not touch the
** database. Errors: misuse when a model points to one that nobody has declared.
*/
TOMB_API tomb_status tomb_ddl(tomb_rows *out, tomb_db *db, tomb_error *err);

/* Counts the rows of the model's counters anew, for those that something else than
** the triggers of create_tables should have kept; `changed` counts the rows that
** were wrong. */
TOMB_API tomb_status tomb_recount(int64_t *changed, tomb_db *db,
                                  const tomb_model *model, tomb_error *err);

/* ---- expressions and conditions ----------------------------------- */

typedef enum tomb_expr_op {
  TOMB_EXPR_VALUE,
  TOMB_EXPR_FIELD,
  TOMB_EXPR_ADD,
  TOMB_EXPR_SUB,
  TOMB_EXPR_MUL,
  TOMB_EXPR_DIV,
  TOMB_EXPR_MOD
} tomb_expr_op;

/* Arithmetic over fields: views + 1 */
typedef struct tomb_expr {
  tomb_expr_op op;
  tomb_value value;        /* VALUE */
  const char *name;        /* FIELD */
  const tomb_field *field; /* FIELD, found by the engine */
  struct tomb_expr *left, *right;
} tomb_expr;

typedef enum tomb_lookup {
  TOMB_EQ,
  TOMB_NE,
  TOMB_LT,
  TOMB_LTE,
  TOMB_GT,
  TOMB_GTE,
  TOMB_IN,
  TOMB_RANGE,
  TOMB_ISNULL,
  TOMB_CONTAINS,
  TOMB_ICONTAINS,
  TOMB_STARTSWITH,
  TOMB_ISTARTSWITH,
  TOMB_ENDSWITH,
  TOMB_IENDSWITH,
  TOMB_IEXACT,
  TOMB_LIKE,
  TOMB_ORIGINAL
} tomb_lookup;
#define TOMB_LOOKUPS 18

typedef enum tomb_cond_kind {
  TOMB_COND_LOOKUP, /* key and values, or key and expr */
  TOMB_COND_ALL,
  TOMB_COND_ANY,
  TOMB_COND_NONE /* the complement of ANY */
} tomb_cond_kind;

/* A condition: build it with the makers below, or fill it by hand. */
typedef struct tomb_cond {
  tomb_cond_kind kind;
  const char *key; /* "views__gte" */
  size_t key_size;
  tomb_value *values;
  size_t n_values;
  tomb_expr *expr;
  struct tomb_cond **parts; /* ALL, ANY, NONE */
  size_t n_parts;
  /* found by the engine */
  const tomb_field *field;
  tomb_lookup lookup;
  size_t
      path_size;  /* of the ways in front of the field, without the "__" behind;
                          0: none */
  bool is_of_way; /* isnull of a way: is a row there? */
} tomb_cond;

/* `key` is a field with an optional lookup, maybe behind ways to other rows:
** "views__gte", "author__team__name"; `value` and `key` outlive the
** condition. */
TOMB_API tomb_cond tomb_where(const char *key, tomb_value *value);
TOMB_API tomb_cond tomb_where_in(const char *key, tomb_value *values, size_t n);
TOMB_API tomb_cond tomb_all(tomb_cond **parts, size_t n);
TOMB_API tomb_cond tomb_any(tomb_cond **parts, size_t n);
TOMB_API tomb_cond tomb_none(tomb_cond **parts, size_t n);

/* ---- queries ------------------------------------------------------ */

typedef enum tomb_scope {
  TOMB_LIVING, /* objects */
  TOMB_EVERY,  /* all_objects */
  TOMB_DEAD    /* deleted_objects */
} tomb_scope;

typedef struct tomb_order {
  const tomb_field *field;
  bool descending;
} tomb_order;

/* One filter of a query, and those before it. */
typedef struct tomb_filter_link {
  const tomb_cond *cond;
  bool exclude;
  const struct tomb_filter_link *before;
  size_t depth;
} tomb_filter_link;

typedef struct tomb_keys tomb_keys; /* an ordered set of primary keys */
typedef struct tomb_undoing tomb_undoing;

typedef enum tomb_of_event {
  TOMB_OF_ANY_EVENT,
  TOMB_HELD_BY,  /* rows that it holds dead, alone or with others */
  TOMB_BACK_FROM /* rows that come back when it is undone */
} tomb_of_event;

/*
** A query never changes: copy it, then set one thing. What it points to must
** outlive it. Zero is not a query; start from tomb_objects and its like.
*/
typedef struct tomb_query {
  const tomb_model *model;
  tomb_scope scope;
  const tomb_filter_link *filters;
  const tomb_order *order; /* NULL: the model's, else the key */
  size_t n_order;
  const tomb_field *const *only; /* NULL: all fields */
  size_t n_only;
  const tomb_field *const *groups;
  size_t n_groups;
  const tomb_field *const *annotations; /* read along with each row */
  size_t n_annotations;
  const char *const *shown; /* ways whose dead are seen: "author__team" */
  size_t n_shown;
  int64_t limit, offset; /* limit -1: none */
  bool distinct, reversed;
  bool has_as_of;
  int64_t as_of;          /* alive at that time; scope EVERY */
  const tomb_keys *among; /* only these keys, [from, to) */
  size_t among_from, among_to;
  tomb_of_event of_event;
  int64_t event;               /* that one */
  const tomb_model *owners;    /* where rows may have several */
  const tomb_undoing *undoing; /* the engine's own; NULL */
} tomb_query;

/* The three managers: the living rows, all rows, the dead ones. */
TOMB_API tomb_query tomb_objects(const tomb_model *model);
TOMB_API tomb_query tomb_all_objects(const tomb_model *model);
TOMB_API tomb_query tomb_deleted_objects(const tomb_model *model);

/* The model's dead rows that have to do with an event. */
TOMB_API tomb_query tomb_event_rows(const tomb_db *db, const tomb_model *model,
                                    tomb_of_event which, int64_t event);

/*
** `*out` is `from` with one more condition. `cond` and `link` are the
** caller's storage and outlive the query; `cond` is checked against the
** model and its fields are found. Errors: misuse (unknown field or lookup,
** a value of the wrong type).
*/
TOMB_API tomb_status tomb_filter(tomb_query *out, const tomb_query *from,
                                 tomb_cond *cond, bool exclude,
                                 tomb_filter_link *link, tomb_error *err);
typedef enum tomb_aggregate_fn {
  TOMB_COUNT,
  TOMB_SUM,
  TOMB_MIN,
  TOMB_MAX,
  TOMB_AVG
} tomb_aggregate_fn;

/* A value of other rows, by ways from the query's own. */
typedef struct tomb_computed {
  const char *key;         /* "author__team__name" */
  size_t from, to;         /* the ways in it */
  const tomb_model *model; /* where they begin */
  const tomb_field *field; /* at their end */
  bool joined; /* the statement joins the rows; or a sub-query asks for them */
  bool aggregated; /* by fn, over all rows at the end */
  tomb_aggregate_fn fn;
  bool distinct;
} tomb_computed;
/* Storage for a field that is computed; it outlives the queries with it. */
typedef struct tomb_far_field {
  tomb_field field;
  tomb_computed computed;
} tomb_far_field;

typedef enum tomb_purpose {
  TOMB_FOR_VALUES, /* ways to many give a line for each row there */
  TOMB_FOR_GROUPS, /* and aggregates: ways to one only */
  TOMB_FOR_LEAST,  /* an order: of many the least */
  TOMB_FOR_MOST    /* or the greatest */
} tomb_purpose;

/*
** Finds a field of the query's model, an annotation, or a field of other rows
** ("author__name"), which is made in `storage`. `name` is borrowed as long as
** the field is used. Errors: misuse.
*/
TOMB_API tomb_status tomb_find_field(const tomb_field **out,
                                     tomb_far_field *storage,
                                     const tomb_query *query, const char *name,
                                     size_t size, tomb_purpose purpose,
                                     tomb_error *err);
/* What a filter's key is about: a field, an annotation, or the key of the rows
** that its ways lead to; NULL: nothing. A lookup may stand behind it. */
TOMB_API const tomb_field *tomb_key_subject(const tomb_query *query,
                                            const char *key, size_t size);
/*
** Makes in `storage` a field called `name` that aggregates other rows: all that
** lie at the end of `of` ("posts", to count them) or a field of theirs
** ("posts__views"). Both texts are borrowed. Add it to a query's annotations.
** Errors: misuse.
*/
TOMB_API tomb_status tomb_annotate(tomb_far_field *storage,
                                   const tomb_query *query, const char *name,
                                   tomb_aggregate_fn fn, bool distinct,
                                   const char *of, size_t of_size,
                                   tomb_error *err);

/* The i-th term of the order that the model's rows have where none is asked
** for, or NULL behind the last. */
TOMB_API const tomb_order *tomb_model_order(const tomb_model *model, size_t i);
/* Reads "title" or "-title" into `*out`. */
TOMB_API tomb_status tomb_order_term(tomb_order *out, const tomb_model *model,
                                     const char *term, size_t size,
                                     tomb_error *err);
/* True when neither a filter nor a limit narrows the query. */
TOMB_API bool tomb_query_is_whole(const tomb_query *query);

/* ---- reading ------------------------------------------------------ */

typedef struct tomb_prepared tomb_prepared;

/* Rows on their way; `values` are borrowed until the next call on it. */
typedef struct tomb_cursor {
  tomb_db *db;
  tomb_prepared *prepared; /* NULL: closed */
  const tomb_value *values;
  const tomb_field *const *fields; /* of each column; NULL for computed ones */
  size_t n;
  bool snapshot;
} tomb_cursor;

/* The query's rows: all fields, or the key and `only`; those of the living come
** without deleted_at and deleted_event, which are NULL and stand last. Close
** the cursor in every case. */
TOMB_API tomb_status tomb_select(tomb_cursor *out, tomb_db *db,
                                 const tomb_query *query, tomb_error *err);
/* The same; until it is closed, writes on `db` are refused (misuse). */
TOMB_API tomb_status tomb_select_snapshot(tomb_cursor *out, tomb_db *db,
                                          const tomb_query *query,
                                          tomb_error *err);
/* The columns of `query->only`, exactly (no key is added). */
TOMB_API tomb_status tomb_select_values(tomb_cursor *out, tomb_db *db,
                                        const tomb_query *query,
                                        tomb_error *err);
/* TOMB_ROW, TOMB_DONE or an error. */
TOMB_API tomb_status tomb_cursor_next(tomb_cursor *cursor, tomb_error *err);
TOMB_API void tomb_cursor_close(tomb_cursor *cursor);
/* The column's name in raw results. */
TOMB_API const char *tomb_cursor_name(const tomb_cursor *cursor, size_t i);

/* How many rows there are, and whether there is one. */
TOMB_API tomb_status tomb_count(int64_t *out, tomb_db *db,
                                const tomb_query *query, tomb_error *err);
TOMB_API tomb_status tomb_exists(bool *out, tomb_db *db,
                                 const tomb_query *query, tomb_error *err);

typedef struct tomb_aggregate {
  tomb_aggregate_fn fn;
  const tomb_field *field; /* NULL: rows (COUNT only) */
  bool distinct;
} tomb_aggregate;

/* A row a group: the query's groups, then the aggregates. */
TOMB_API tomb_status tomb_select_aggregates(tomb_cursor *out, tomb_db *db,
                                            const tomb_query *query,
                                            const tomb_aggregate *aggregates,
                                            size_t n, tomb_error *err);

/* Raw SQL with bound values; `sql` is one statement. */
TOMB_API tomb_status tomb_query_raw(tomb_cursor *out, tomb_db *db,
                                    const char *sql, size_t size,
                                    const tomb_value *values, size_t n,
                                    tomb_error *err);
/* Runs a statement, or without values a script of them; counts the rows that
** the last one changed. */
TOMB_API tomb_status tomb_exec(int64_t *changed, tomb_db *db, const char *sql,
                               size_t size, const tomb_value *values, size_t n,
                               tomb_error *err);

/* The SQL of tomb_select and its values, for people. Borrowed until the next
** call on `db`. */
TOMB_API tomb_status tomb_explain_sql(const char **sql,
                                      const tomb_value **values, size_t *n,
                                      tomb_db *db, const tomb_query *query,
                                      tomb_error *err);
/*
** Every table of a model that the statement of tomb_select reads, in its order,
** as rows of four texts: the way to it ("" for the query's own, "author__team"), the model,
** the table, and which of its rows are seen: "living", "dead", "every", or
** "undying" where nothing dies softly.
*/
TOMB_API tomb_status tomb_explain_liveness(tomb_rows *out, tomb_db *db,
                                           const tomb_query *query,
                                           tomb_error *err);
/* The database's query plan: rows whose last column is text. */
TOMB_API tomb_status tomb_explain(tomb_cursor *out, tomb_db *db,
                                  const tomb_query *query, tomb_error *err);

/* ---- keeping rows ------------------------------------------------- */

/* Rows in memory, copied; give back with tomb_rows_free. */
TOMB_API tomb_rows *tomb_rows_new(const tomb_db *db);
TOMB_API void tomb_rows_free(tomb_rows *rows);
TOMB_API void tomb_rows_clear(tomb_rows *rows);
TOMB_API tomb_status tomb_rows_add(tomb_rows *rows, const tomb_value *values,
                                   size_t n, tomb_error *err);
TOMB_API size_t tomb_rows_count(const tomb_rows *rows);
TOMB_API const tomb_value *tomb_rows_at(const tomb_rows *rows, size_t i,
                                        size_t *n);

/* The query of just these keys, in the order of `from`; it points to both. */
TOMB_API tomb_query tomb_among(const tomb_query *from, tomb_scope scope,
                               const tomb_keys *keys);
/* The keys of the query's rows, in its order. */
TOMB_API tomb_status tomb_select_keys(tomb_keys **out, tomb_db *db,
                                      const tomb_query *query, tomb_error *err);
TOMB_API size_t tomb_keys_count(const tomb_keys *keys);
TOMB_API void tomb_keys_free(tomb_keys *keys);

/* Reads a query in chunks, so that no statement is open between the rows. */
typedef struct tomb_stream tomb_stream;
TOMB_API tomb_status tomb_stream_open(tomb_stream **out, tomb_db *db,
                                      const tomb_query *query, tomb_error *err);
/* The next row, borrowed until the next call; TOMB_DONE after the last. */
TOMB_API tomb_status tomb_stream_next(tomb_stream *stream,
                                      const tomb_value **values,
                                      tomb_error *err);
/* The fields of its columns, once a row was read. */
TOMB_API const tomb_field *const *tomb_stream_fields(const tomb_stream *stream,
                                                     size_t *n);
TOMB_API void tomb_stream_free(tomb_stream *stream);

/* ---- writing ------------------------------------------------------ */

typedef struct tomb_assignment {
  const tomb_field *field;
  tomb_value value;
  tomb_expr *expr; /* instead of the value, or NULL */
} tomb_assignment;

/*
** Inserts a row. `values` has a place for each field of the model, in order;
** absent ones get their defaults, stamps and key, which are written back.
** Errors: validation (all bad fields), integrity, busy, database.
*/
TOMB_API tomb_status tomb_insert(tomb_db *db, const tomb_model *model,
                                 tomb_value *values, int64_t now,
                                 tomb_error *err);

/* Refuses a field that the database keeps itself (misuse). */
TOMB_API tomb_status tomb_check_writable(const tomb_model *model,
                                         const tomb_field *field,
                                         tomb_error *err);

/*
** Many inserts, all or none: open, insert each row as tomb_insert does, close.
** A close that does not `keep` takes all of them back, as must follow a failed
** insert. Inside a transaction this makes no savepoint, for which SQLite would
** copy each page that the rows touch: they are deleted by their keys.
*/
typedef struct tomb_bulk tomb_bulk;
TOMB_API tomb_status tomb_bulk_open(tomb_bulk **out, tomb_db *db,
                                    const tomb_model *model, tomb_error *err);
TOMB_API tomb_status tomb_bulk_insert(tomb_bulk *bulk, tomb_value *values,
                                      int64_t now, tomb_error *err);
TOMB_API tomb_status tomb_bulk_close(tomb_bulk *bulk, bool keep,
                                     tomb_error *err);

/*
** Writes the fields of `values` that are not absent into the living row with
** that key; the values' version, when the model has one, must be the row's.
** updated_at and version are written back. Values that hold a deleted_at are
** not saved, since their texts may bear its suffix. Errors: as tomb_insert, and
** not_found, deleted, stale.
*/
TOMB_API tomb_status tomb_save(tomb_db *db, const tomb_model *model,
                               tomb_value *values, int64_t now,
                               tomb_error *err);

/*
** Sets fields of the living row whose key, and version where the model has
** one, stand in `values` (a place for each field); updated_at and version are
** written back there. Errors: as tomb_save.
*/
TOMB_API tomb_status tomb_update_row(tomb_db *db, const tomb_model *model,
                                     tomb_value *values,
                                     tomb_assignment *assignments, size_t n,
                                     int64_t now, tomb_rows *returning,
                                     tomb_error *err);

/* Sets fields of the query's living rows; `changed` counts them. Given
** `returning`, the changed rows (all fields) are added to it. */
TOMB_API tomb_status tomb_update(int64_t *changed, tomb_db *db,
                                 const tomb_query *query,
                                 tomb_assignment *assignments, size_t n,
                                 int64_t now, tomb_rows *returning,
                                 tomb_error *err);

typedef enum tomb_on_deleted {
  TOMB_ON_DELETED_NEW,     /* a dead twin stays dead */
  TOMB_ON_DELETED_RESTORE, /* it comes back and is updated */
  TOMB_ON_DELETED_REFUSE   /* the call raises deleted */
} tomb_on_deleted;

typedef struct tomb_upsert {
  const tomb_field *const *on; /* the unique fields that decide */
  size_t n_on;
  bool on_partial; /* found by the engine: their index is of the living */
  tomb_assignment *update;
  size_t n_update;
  tomb_on_deleted on_deleted;
} tomb_upsert;

/* Inserts `values`, or updates the living row that has their unique fields;
** the row as it is now (all fields) is added to `returning`. */
TOMB_API tomb_status tomb_upsert_row(tomb_db *db, const tomb_model *model,
                                     tomb_value *values,
                                     const tomb_upsert *upsert, int64_t now,
                                     tomb_rows *returning, tomb_error *err);

/* ---- deletion ----------------------------------------------------- */

typedef struct tomb_deletion {
  int64_t now;
  const char *actor, *reason; /* or NULL */
  int64_t max_rows;           /* more are refused (too_many); 0: no limit */
  const tomb_value *pk;       /* of a row's deletion, for the event; or NULL */
  tomb_rows *returning;       /* with pk: the row as it is now; or NULL */
} tomb_deletion;

typedef struct tomb_deleted {
  int64_t count; /* rows of the query's model taken */
  int64_t total; /* and of those that lie below, in every model */
  int64_t event; /* its id; 0 when nothing was taken or events are off */
  int64_t at;    /* the stamp */
} tomb_deleted;

/*
** What tomb_delete would do, as lines of tomb_report_kind: TOMB_REPORT_ROWS,
** which together are what max_rows counts, and TOMB_REPORT_NEEDED, all living
** rows that would make it fail with `restricted`. Writes nothing.
*/
TOMB_API tomb_status tomb_preview_delete(tomb_rows *report, tomb_db *db,
                                         const tomb_query *query,
                                         tomb_error *err);

/*
** Soft-deletes the query's living rows in one event, with all that lies below
** them along cascades. Errors: restricted, while a living row that stays needs
** one of them; too_many.
*/
TOMB_API tomb_status tomb_delete(tomb_deleted *out, tomb_db *db,
                                 const tomb_query *query,
                                 const tomb_deletion *deletion,
                                 tomb_error *err);

/* From here on all deletions belong to one event, until tomb_deletion_end,
** which answers its id (0 when nothing was taken). Ends with the transaction
** that it must be in. */
TOMB_API tomb_status tomb_deletion_begin(tomb_db *db,
                                         const tomb_deletion *deletion,
                                         tomb_error *err);
TOMB_API int64_t tomb_deletion_end(tomb_db *db);

typedef enum tomb_on_conflict {
  TOMB_CONFLICT_FAIL,
  TOMB_CONFLICT_SKIP,
  TOMB_CONFLICT_RENAME,
  TOMB_CONFLICT_REPLACE,
  TOMB_CONFLICT_ASK /* tomb_restore_next stops at each */
} tomb_on_conflict;

/* What to do about conflicts of one model's rows. */
typedef struct tomb_strategy {
  const tomb_model *model;
  tomb_on_conflict on_conflict;
} tomb_strategy;

typedef struct tomb_restoration {
  int64_t now; /* stamps the deletions of "replace" and undone_at */
  tomb_on_conflict on_conflict;    /* of all models without a strategy, and of
                                      rows that need each other */
  const tomb_strategy *strategies; /* or NULL; not for an undo */
  size_t n_strategies;
  const char *actor, *reason; /* of the deletions of "replace" */
  bool parents;               /* dead parents come back first */
  tomb_rows *returning;       /* the query's rows as they are now; or NULL */
} tomb_restoration;

/*
** Restores the query's dead rows, all or none, and with them what lies below
** and no other event holds. `restored` counts those of the query's model.
** Errors: integrity with the dead and the living row, parent_deleted. Nobody
** is asked: TOMB_CONFLICT_ASK is TOMB_CONFLICT_FAIL here.
*/
TOMB_API tomb_status tomb_restore(int64_t *restored, tomb_db *db,
                                  const tomb_query *query,
                                  const tomb_restoration *how, tomb_error *err);
/* Restores what the event still holds, in every model, and stamps undone_at. */
TOMB_API tomb_status tomb_undo(int64_t *restored, tomb_db *db, int64_t event,
                               const tomb_restoration *how, tomb_error *err);

/*
** An undo in steps, for callers that look at the rows: in one transaction begin
** it, then restore tomb_event_rows(db, model, TOMB_BACK_FROM, event) of each
** model that tomb_undo_order names, from 0 on, until it answers NULL, and end
** it, which brings back rows that need each other.
*/
TOMB_API tomb_status tomb_undo_begin(tomb_db *db, int64_t event, int64_t now,
                                     tomb_error *err);
TOMB_API tomb_status tomb_undo_end(int64_t *restored, tomb_db *db,
                                   int64_t event, const tomb_restoration *how,
                                   tomb_error *err);
TOMB_API tomb_status tomb_undo_order(const tomb_model **out, tomb_db *db,
                                     size_t i, tomb_error *err);

typedef enum tomb_along {
  TOMB_ALONG_DELETE, /* the living that a deletion takes */
  TOMB_ALONG_PURGE,  /* the dead that go with them */
  TOMB_ALONG_FORGET, /* and what cascades, dead or alive */
  TOMB_ALONG_RESTORE /* the dead that may come back with them */
} tomb_along;

/* The keys of all rows of `model` that go along when the query's rows do, these
** among them. Free them with tomb_keys_free. Writes nothing. */
TOMB_API tomb_status tomb_preview_along(tomb_keys **out, tomb_db *db,
                                        const tomb_query *query,
                                        const tomb_model *model,
                                        tomb_along which, tomb_error *err);

/* The keys of the model's rows that an undo of the event would bring back. Free
** them with tomb_keys_free. Writes nothing. */
TOMB_API tomb_status tomb_preview_undo(tomb_keys **out, tomb_db *db,
                                       const tomb_model *model, int64_t event,
                                       tomb_error *err);

/*
** A restore that asks, of the models whose strategy says so: open, then next
** until TOMB_DONE. At TOMB_ROW the row of tomb_restore_model with key *pk cannot
** come back (err says why): answer with tomb_restore_resolve, a word or new values for the row (absent: as they
** were). The open restore is inside a savepoint; close ends it, keeping the
** work if next has answered TOMB_DONE and undoing it otherwise. The query and
** its conditions outlive the job.
*/
typedef struct tomb_restore_job tomb_restore_job;
TOMB_API tomb_status tomb_restore_open(tomb_restore_job **out, tomb_db *db,
                                       const tomb_query *query,
                                       const tomb_restoration *how,
                                       tomb_error *err);
TOMB_API tomb_status tomb_restore_next(tomb_restore_job *job, tomb_value *pk,
                                       tomb_error *err);
TOMB_API const tomb_model *tomb_restore_model(const tomb_restore_job *job);
TOMB_API tomb_status tomb_restore_resolve(tomb_restore_job *job,
                                          tomb_on_conflict word,
                                          const tomb_value *values,
                                          tomb_error *err);
TOMB_API tomb_status tomb_restore_close(tomb_restore_job *job,
                                        int64_t *restored, tomb_error *err);

/*
** What stands in the way of restoring the query's dead rows themselves, one row
** a conflict. Writes nothing.
*/
enum {
  TOMB_CONFLICT_FIELDS, /* names, separated by commas */
  TOMB_CONFLICT_VALUE,  /* that is taken */
  TOMB_CONFLICT_DEAD,   /* the dead row's key */
  TOMB_CONFLICT_OTHER,  /* the key of the row in the way, which lives, */
  TOMB_CONFLICT_LIVING, /* or which the same restore brings back first */
  TOMB_CONFLICT_PLACE,  /* of the dead row, from 0 */
  TOMB_CONFLICT_MODEL,  /* the name of both rows' model */
  TOMB_CONFLICT_COLUMNS
};
TOMB_API tomb_status tomb_restore_conflicts(tomb_rows *out, tomb_db *db,
                                            const tomb_query *query,
                                            tomb_error *err);

/* What a restore or an undo would do, in all models. */
typedef struct tomb_foresight {
  tomb_rows *report;    /* lines of TOMB_REPORT_ROWS, which would come back, and
                           of TOMB_REPORT_HELD */
  tomb_rows *conflicts; /* rows of TOMB_CONFLICT_COLUMNS */
  tomb_rows *parents;   /* dead rows above: the model's name, the key, and true
                           where those below it would stay dead, false where it
                           must come back first */
} tomb_foresight;

/*
** What restoring the query's dead rows would do, with what lies below them and,
** if so wanted, their dead parents; where these are not, as if they lived.
** Writes nothing but a temporary table.
*/
TOMB_API tomb_status tomb_foresee_restore(tomb_foresight *out, tomb_db *db,
                                          const tomb_query *query, bool parents,
                                          tomb_error *err);
/* The same for the undo of an event. */
TOMB_API tomb_status tomb_foresee_undo(tomb_foresight *out, tomb_db *db,
                                       int64_t event, tomb_error *err);

/*
** What was purged, or would be, as rows of these columns: what the row tells of,
** the model's name, the field's, how many, the key of one of them. Those that a
** kind does not have are NULL, and what there is none of has no row.
*/
enum {
  TOMB_REPORT_KIND,
  TOMB_REPORT_MODEL,
  TOMB_REPORT_FIELD,
  TOMB_REPORT_COUNT,
  TOMB_REPORT_KEY,
  TOMB_REPORT_COLUMNS
};

typedef enum tomb_report_kind {
  TOMB_REPORT_ROWS,    /* rows that are gone, or die */
  TOMB_REPORT_KEPT,    /* rows whose field has lost its link */
  TOMB_REPORT_NEEDED,  /* living rows whose field points to what should go */
  TOMB_REPORT_YOUNGER, /* the same of dead ones within their model's keep */
  TOMB_REPORT_LEFT,    /* rows that stay, since those need them */
  TOMB_REPORT_HELD,    /* rows that would stay dead below what comes back */
  TOMB_REPORT_REMOVED, /* events that are gone */
  TOMB_REPORT_CLEARED  /* events that have lost key, actor and reason */
} tomb_report_kind;

typedef struct tomb_purging {
  bool living;            /* the query may reach living rows */
  bool dry_run;           /* writes nothing; what is needed is reported */
  tomb_deletion deletion; /* of living rows, which go before the purge */
  tomb_rows *report;      /* lines are added; or NULL */
} tomb_purging;

/* The real DELETE, of the rows and of the dead ones that need them; a field that
** keeps the link becomes NULL. Living rows are deleted first, and only when
** `living`. Errors: restricted, while a living row needs one of them. */
TOMB_API tomb_status tomb_purge(int64_t *purged, tomb_db *db,
                                const tomb_query *query,
                                const tomb_purging *how, tomb_error *err);

/*
** Erases the row with that key, dead or alive, and all that lies below it along
** cascades, dead or alive. Events that are about an erased row lose key, actor
** and reason, those that hold nothing any more go. With an actor or a reason
** one event is left that says so, without a key. What SQLite deletes is
** overwritten in the file. `forgotten` counts rows of the model, 0 when there
** is no such row. Errors: restricted, as tomb_purge.
*/
TOMB_API tomb_status tomb_forget(int64_t *forgotten, tomb_db *db,
                                 const tomb_model *model, const tomb_value *key,
                                 const tomb_purging *how, tomb_error *err);

/*
** The next batch of the model's rows that are longer dead than its keep, but for
** those that living rows need or dead ones within the keep of their own model;
** `left`, from 0 on, is handed from call to call and counts these. Free the
** keys; *out is NULL behind the last batch.
*/
TOMB_API tomb_status tomb_expired(tomb_keys **out, int64_t *left, tomb_db *db,
                                  const tomb_model *model, int64_t now,
                                  tomb_error *err);
/* Purges the next batch; `purged` is 0 when there is none. */
TOMB_API tomb_status tomb_purge_expired(int64_t *purged, int64_t *left,
                                        tomb_db *db, const tomb_model *model,
                                        int64_t now, tomb_rows *report,
                                        tomb_error *err);
/* Removes the events of the models with a keep that are older and hold no
** row. */
TOMB_API tomb_status tomb_purge_events(int64_t *purged, tomb_db *db,
                                       int64_t now, tomb_error *err);
/* What purging all batches of all models, and then the events, would do; behind
** that, what is left and why. */
TOMB_API tomb_status tomb_preview_expired(tomb_rows *report, tomb_db *db,
                                          int64_t now, tomb_error *err);

/* Length in bytes of the value without the suffix that a deletion at
** `deleted_at` gave it; `size` when it has none. */
TOMB_API size_t tomb_original_size(const char *value, size_t size,
                                   int64_t deleted_at);

/* The value that `field` had before the row was deleted. `values` has a place
** for each field of the model; a living row's value is returned as it is. */
TOMB_API tomb_value tomb_original(const tomb_model *model,
                                  const tomb_field *field,
                                  const tomb_value *values);

/* ---- checksums ---------------------------------------------------- */

/* A number by which two texts are told apart: FNV-1a of 64 bits, against
** accidents, not against attackers. */
TOMB_API uint64_t tomb_checksum(const char *text, size_t size);

/* ---- log ---------------------------------------------------------- */

/* Keeps each statement as a row (its text, then its values) for the host. */
TOMB_API void tomb_log_keep(tomb_db *db, bool on);
TOMB_API tomb_rows *tomb_log_take(tomb_db *db); /* or NULL; free it */

#ifdef __cplusplus
}
#endif
#endif
