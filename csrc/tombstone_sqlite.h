/*
** tombstone_sqlite.h - the routines of the SQLite that this file is compiled
** with, for hosts that lend a connection of a copy of their own.
**
** A sqlite3* means something only to the copy of SQLite that made it. A host
** that has SQLite compiled in hands over, with the connection, the routines
** of that copy:
**
**   static sqlite3_api_routines routines;
**   tomb_sqlite_routines(&routines);
**   tomb_borrow_sqlite(&db, handle, &routines, NULL, &err);
**
** An extension of SQLite was given its routines by SQLite; those do as well.
*/
#ifndef TOMBSTONE_SQLITE_H
#define TOMBSTONE_SQLITE_H

#ifndef SQLITE_CORE
#define SQLITE_CORE 1 /* or the names below would be those of an extension */
#endif
#include <sqlite3ext.h>
#include <string.h>

/* X(member, function): what tombstone calls. */
#define TOMB_SQLITE_ROUTINES(X)                                                \
  X(backup_finish, sqlite3_backup_finish)                                      \
  X(backup_init, sqlite3_backup_init)                                          \
  X(backup_remaining, sqlite3_backup_remaining)                                \
  X(backup_step, sqlite3_backup_step)                                          \
  X(bind_blob64, sqlite3_bind_blob64)                                          \
  X(bind_double, sqlite3_bind_double)                                          \
  X(bind_int64, sqlite3_bind_int64)                                            \
  X(bind_null, sqlite3_bind_null)                                              \
  X(bind_parameter_count, sqlite3_bind_parameter_count)                        \
  X(bind_pointer, sqlite3_bind_pointer)                                        \
  X(bind_text64, sqlite3_bind_text64)                                          \
  X(busy_handler, sqlite3_busy_handler)                                        \
  X(busy_timeout, sqlite3_busy_timeout)                                        \
  X(changes, sqlite3_changes)                                                  \
  X(clear_bindings, sqlite3_clear_bindings)                                    \
  X(close, sqlite3_close)                                                      \
  X(close_v2, sqlite3_close_v2)                                                \
  X(column_count, sqlite3_column_count)                                        \
  X(column_int, sqlite3_column_int)                                            \
  X(column_name, sqlite3_column_name)                                          \
  X(column_value, sqlite3_column_value)                                        \
  X(create_function_v2, sqlite3_create_function_v2)                            \
  X(db_config, sqlite3_db_config)                                              \
  X(db_filename, sqlite3_db_filename)                                          \
  X(db_readonly, sqlite3_db_readonly)                                          \
  X(errmsg, sqlite3_errmsg)                                                    \
  X(errstr, sqlite3_errstr)                                                    \
  X(exec, sqlite3_exec)                                                        \
  X(extended_errcode, sqlite3_extended_errcode)                                \
  X(extended_result_codes, sqlite3_extended_result_codes)                      \
  X(finalize, sqlite3_finalize)                                                \
  X(free, sqlite3_free)                                                        \
  X(get_autocommit, sqlite3_get_autocommit)                                    \
  X(hard_heap_limit64, sqlite3_hard_heap_limit64)                              \
  X(interruptx, sqlite3_interrupt)                                             \
  X(last_insert_rowid, sqlite3_last_insert_rowid)                              \
  X(libversion, sqlite3_libversion)                                            \
  X(libversion_number, sqlite3_libversion_number)                              \
  X(malloc64, sqlite3_malloc64)                                                \
  X(open_v2, sqlite3_open_v2)                                                  \
  X(prepare_v2, sqlite3_prepare_v2)                                            \
  X(prepare_v3, sqlite3_prepare_v3)                                            \
  X(progress_handler, sqlite3_progress_handler)                                \
  X(reset, sqlite3_reset)                                                      \
  X(result_error, sqlite3_result_error)                                        \
  X(result_error_code, sqlite3_result_error_code)                              \
  X(result_error_nomem, sqlite3_result_error_nomem)                            \
  X(result_int64, sqlite3_result_int64)                                        \
  X(result_text, sqlite3_result_text)                                          \
  X(result_text64, sqlite3_result_text64)                                      \
  X(result_value, sqlite3_result_value)                                        \
  X(sleep, sqlite3_sleep)                                                      \
  X(step, sqlite3_step)                                                        \
  X(stmt_busy, sqlite3_stmt_busy)                                              \
  X(system_errno, sqlite3_system_errno)                                        \
  X(txn_state, sqlite3_txn_state)                                              \
  X(user_data, sqlite3_user_data)                                              \
  X(value_blob, sqlite3_value_blob)                                            \
  X(value_bytes, sqlite3_value_bytes)                                          \
  X(value_double, sqlite3_value_double)                                        \
  X(value_int64, sqlite3_value_int64)                                          \
  X(value_pointer, sqlite3_value_pointer)                                      \
  X(value_text, sqlite3_value_text)                                            \
  X(value_type, sqlite3_value_type)

/* Newer ones, which need not be there. */
#if SQLITE_VERSION_NUMBER >= 3037000
#define TOMB_SQLITE_LATER_ROUTINES(X) X(changes64, sqlite3_changes64)
#else
#define TOMB_SQLITE_LATER_ROUTINES(X)
#endif

/* Fills `out`, which is static: a copy of SQLite is known by its place. */
static inline void tomb_sqlite_routines(sqlite3_api_routines *out) {
  memset(out, 0, sizeof *out);
#define TOMB_SET(member, function) out->member = function;
  TOMB_SQLITE_ROUTINES(TOMB_SET)
  TOMB_SQLITE_LATER_ROUTINES(TOMB_SET)
#undef TOMB_SET
}

#endif
