/*
** scripted.h - a database that answers from a script, with some models; and
** the statements that have run on it, word for word, with their values.
*/
#ifndef SPEC_SCRIPTED_H
#define SPEC_SCRIPTED_H

#include "posts.h"

#include "error.h"
#include "fake.h"

static const tomb_model *article, *pair, *plain;

static inline void open_scripted(void) {
  static const char *const names[] = {"a", "b"};
  const tomb_field_def title[] = {
      {.name = "title", .type = TOMB_FIELD_TEXT},
      {.name = "price", .type = TOMB_FIELD_NUMBER, .nullable = true}};
  const tomb_field_def texts[] = {
      {.name = "a", .type = TOMB_FIELD_TEXT, .nullable = true},
      {.name = "b",
       .type = TOMB_FIELD_TEXT,
       .nullable = true,
       .collate = "NOCASE"}};
  const tomb_group_def group = {names, 2, TOMB_UNIQUE_MANGLE};
  const tomb_model_def articles = {.name = "Article",
                                   .fields = title,
                                   .n_fields = 2,
                                   .timestamps = true,
                                   .version = true};
  const tomb_model_def pairs = {.name = "Pair",
                                .fields = texts,
                                .n_fields = 2,
                                .groups = &group,
                                .n_groups = 1};
  const tomb_model_def plains = {.name = "Plain",
                                 .fields = texts,
                                 .n_fields = 1,
                                 .soft_delete = TOMB_SOFT_DELETE_OFF};
  MUST(tomb_open_fake(&db, NULL, NULL, &check_error));
  define_posts();
  MUST(tomb_define(&article, db, &articles, &check_error));
  MUST(tomb_define(&pair, db, &pairs, &check_error));
  MUST(tomb_define(&plain, db, &plains, &check_error));
}

/* Times are microseconds here, which are short. */
static inline void append_value(char *out, size_t size,
                                const tomb_value *value) {
  char shown[200];
  size_t used = strlen(out);
  tomb_value number = *value;
  if (number.type == TOMB_TIME) number.type = TOMB_INTEGER;
  tomb_show_value(shown, sizeof shown, &number);
  snprintf(out + used, size - used, " %s", shown);
}

/* The i-th statement and its values: "SELECT ? | 1". */
static inline const char *ran(size_t i) {
  static char text[2048];
  size_t n = 0;
  const tomb_value *values = tomb_fake_values(db, i, &n);
  const char *sql = tomb_fake_sql(db, i);
  snprintf(text, sizeof text, "%s", sql == NULL ? "(nothing)" : sql);
  if (n > 0) strcat(text, " |");
  for (size_t v = 0; v < n; v++) append_value(text, sizeof text, &values[v]);
  return text;
}

static inline void check_ran(const char *const *wanted, size_t n,
                             const char *file, int line) {
  for (size_t i = 0; i < n; i++) check_text(ran(i), wanted[i], file, line);
  check_int((int64_t)tomb_fake_count(db), (int64_t)n, file, line);
  tomb_fake_forget(db);
}

#define RAN(...)                                                               \
  do {                                                                         \
    const char *const wanted[] = {__VA_ARGS__};                                \
    check_ran(wanted, sizeof wanted / sizeof wanted[0], __FILE__, __LINE__);   \
  } while (0)

static inline const char *select_of(tomb_query query) {
  static char text[2048];
  const char *sql;
  const tomb_value *values;
  size_t n;
  MUST(tomb_explain_sql(&sql, &values, &n, db, &query, &check_error));
  snprintf(text, sizeof text, "%s", sql);
  if (n > 0) strcat(text, " |");
  for (size_t v = 0; v < n; v++) append_value(text, sizeof text, &values[v]);
  return text;
}

/* What stands between WHERE and the order, which is the key's. */
static inline const char *where_of(tomb_query query) {
  static char text[2048];
  const char *sql = select_of(query), *begin = strstr(sql, " WHERE ");
  const char *end = strstr(sql, " ORDER BY \"id\"");
  if (begin == NULL || end == NULL) return "(none)";
  snprintf(text, sizeof text, "%.*s%s", (int)(end - begin) - 7, begin + 7,
           end + strlen(" ORDER BY \"id\""));
  return text;
}

/* The marks of the living are NULL, so that nobody asks for them. */
#define LIVING_POSTS                                                           \
  "\"id\", \"title\", \"code\", \"views\", \"note\" FROM \"posts\""
#define POSTS                                                                  \
  "\"id\", \"title\", \"code\", \"views\", \"note\", \"deleted_at\", "         \
  "\"deleted_event\" FROM \"posts\""
#define RETURNING                                                              \
  " RETURNING \"id\", \"title\", \"code\", \"views\", \"note\", "              \
  "\"deleted_at\", \"deleted_event\""
#define LIVING "\"deleted_at\" IS NULL"
#define DEAD "\"deleted_at\" IS NOT NULL"

/* The next statement answers no row of so many columns. */
static inline void expect_columns(size_t n) {
  const tomb_fake_reply none = {.columns = n};
  MUST(tomb_fake_answer(db, &none));
}

#endif
