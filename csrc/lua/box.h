/*
** box.h - the userdata that hold what C acquires, and the only place that
** knows of __gc and __close.
**
** The order that keeps errors from leaking: box, call, store, look. A box is
** made and holds nothing; the engine is called; what it gave is stored in the
** box; only then may anything raise.
*/
#ifndef TOMB_BOX_H
#define TOMB_BOX_H

#include "compat.h"
#include "tombstone.h"

#define DB "tombstone.db"
#define MODEL "tombstone.model"
#define QUERY "tombstone.query"
#define LIMITED "tombstone.limited" /* a query with limits of its own */
#define SPAN "tombstone.span"
#define CURSOR "tombstone.cursor"
#define ROWS "tombstone.rows"
#define STREAM "tombstone.stream"
#define JOB "tombstone.restore"
#define ERROR "tombstone.error"
#define CONDITION "tombstone.condition"
#define EXPRESSION "tombstone.expression"
#define AGGREGATE "tombstone.aggregate"

/* What a database handle refers to. */
enum {
  DB_CLOCK = 1, /* function: seconds */
  DB_LOG,       /* function(sql, values) */
  DB_STATES,    /* weak: row -> what save must know of it (see state.h) */
  DB_CREATED,   /* weak: the rows of the open transaction, by number */
  DB_LEVELS,    /* depth -> the number of rows created before */
  DB_CURSOR,    /* a cursor to be used again */
  DB_EVENTS,    /* the model of events, a table */
  DB_SIDE,      /* a table: what the Lua side knows of the handle */
  DB_WARN,      /* function(message) */
  DB_OWNER,     /* lua_db.owner: while it is kept no other has its address */
  DB_REFS = DB_OWNER
};

typedef struct lua_cursor lua_cursor;

/* What becomes of a loop that asks each row of a result for its relatives. */
typedef enum tomb_lazy {
  TOMB_LAZY_ALLOW,
  TOMB_LAZY_WARN,
  TOMB_LAZY_REFUSE
} tomb_lazy;

typedef struct lua_db {
  tomb_db *db;      /* NULL: not open yet */
  lua_cursor *open; /* the cursors that stay open between calls */
  lua_State *owner; /* the coroutine that began the transaction */
  bool has_clock, has_log, has_states;
  tomb_lazy lazy;
  int levels;          /* transactions that the program has begun */
  lua_Integer created; /* rows created in the outermost of them */
  /* those that rollbacks took, to be noted yet: from this number, from 1, up to
  ** but without that */
  lua_Integer lost_from, lost_to;
  /* limits (see llimits.c) */
  bool bounded;          /* there are some: of every call, or of a span */
  tomb_limits limits;    /* of every call */
  tomb_span unlimited;   /* what it is without any */
  int spans;             /* open, one in another */
  lua_State *span_owner; /* the coroutine that began them */
  bool aside;            /* another coroutine calls meanwhile: */
  tomb_span span;        /* what the owner has left */
} lua_db;

enum {
  MODEL_DB = 1,
  MODEL_TABLE,     /* the table that programs call Post */
  MODEL_KEYS,      /* array: the fields' names */
  MODEL_DEFAULTS,  /* array: functions that make defaults, by field */
  MODEL_CHECKS,    /* array: functions that check values, by field */
  MODEL_RELATIONS, /* array: the names that take rows, by relation */
  MODEL_REFS = MODEL_RELATIONS
};

typedef struct lua_model {
  const tomb_model *model;
  lua_db *db;
  size_t n_fields, n_relations;
  bool has_defaults, has_checks;
} lua_model;

enum {
  QUERY_PARENT = 1,
  QUERY_MODEL,
  QUERY_RELATED, /* what the Lua side knows of the row that it belongs to */
  QUERY_PATHS,   /* a list: the relations that its rows are read with */
  QUERY_LIMITS,  /* a table: those of its calls */
  QUERY_REFS = QUERY_LIMITS
};

/* What the query points to stands behind it in the same block. */
typedef struct lua_query {
  tomb_query query;
  lua_model *model;
  /* it has QUERY_RELATED, QUERY_PATHS, QUERY_LIMITS */
  bool related, loads, limited;
} lua_query;

struct lua_cursor {
  tomb_cursor cursor;
  bool in_use;
  bool inside;              /* a row of it is being made */
  lua_cursor *next, **link; /* of its database's list; NULL: not in it */
};

/* The key under which a model's table holds its MODEL userdata. */
extern const char tomb_model_key;

lua_db *tomb_new_db(lua_State *L);
/* core.side(db) -> DB_SIDE, of a closed one too */
int tomb_db_side(lua_State *L);
/* The open database at `index`; raises when it is closed, or when another
** coroutine is in the middle of a transaction. */
lua_db *tomb_check_db(lua_State *L, int index);
void tomb_need_db(lua_State *L, lua_db *box);
/* The same within a call that has begun. */
void tomb_need_usable(lua_State *L, const lua_db *box);
/* Raises when it is closed; any coroutine may ask. */
void tomb_need_open(lua_State *L, const lua_db *box);
/* Microseconds, by the handle's clock. The handle is at `index`. */
int64_t tomb_clock(lua_State *L, lua_db *box, int index);

/* The model whose table, or a row of it, is at `index`; pushes its MODEL. */
lua_model *tomb_check_model(lua_State *L, int index);
lua_model *tomb_check_row(lua_State *L, int index);
/* The same; NULL, and nothing pushed, where no row is. */
lua_model *tomb_test_row(lua_State *L, int index);
lua_query *tomb_check_query(lua_State *L, int index);
/* Pushes a query that refines the one at `parent` (or is a manager of the
** MODEL there), with `extra` bytes of its own behind it. */
lua_query *tomb_new_query(lua_State *L, int parent, size_t extra);

/* Pushes a cursor that holds nothing; the MODEL or DB at `index` keeps it. */
lua_cursor *tomb_new_cursor(lua_State *L, lua_db *box, int db_index);
/* Closes it; the box may be used again. */
void tomb_end_cursor(lua_cursor *cursor);
/* It stays open between calls: closing the database closes it too. */
void tomb_list_cursor(lua_db *box, lua_cursor *cursor);
/* Pushes a box for rows. */
tomb_rows **tomb_new_rows(lua_State *L, lua_db *box);
/* Gives them back at once: a finalizer may be lost where memory is gone. */
void tomb_drop_rows(tomb_rows **rows);
tomb_restore_job **tomb_new_job(lua_State *L, int query);

/* Makes the classes' __gc, __close, __tostring. */
void tomb_open_boxes(lua_State *L);

#endif
