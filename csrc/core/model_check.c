/* model_check.c - is this definition a model? One function a rule. */
#include "model_check.h"

#include <string.h>

#include "error.h"
#include "model.h"
#include "value.h"

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Names are words in programs and lookups, where "__" separates. */
static bool is_name(const char *name) {
  if (name == NULL || !is_letter(name[0])) return false;
  for (const char *c = name; *c != '\0'; c++) {
    if (!is_letter(*c) && *c != '_' && (*c < '0' || *c > '9')) return false;
  }
  size_t size = strlen(name);
  return size < TOMB_NAME_SIZE && strstr(name, "__") == NULL &&
         name[size - 1] != '_';
}

/* To a database, columns that differ in case are one. */
static bool same_column(const char *a, const char *b) {
  return tomb_same_name(a, strlen(a), b, strlen(b));
}

/* SQLite names the columns of a violated constraint as table.column, …: a
** dot or a comma inside would make that ambiguous. */
static bool is_sql_name(const char *name) {
  return name == NULL || (name[0] != '\0' && strpbrk(name, ".,") == NULL &&
                          strlen(name) < TOMB_NAME_SIZE);
}

static tomb_status refuse_name(const tomb_model_def *def, const char *what,
                               const char *name, tomb_error *err) {
  tomb_fail(err, TOMB_MISUSE, "%s: %s cannot be called '%s'",
            def->name == NULL ? "a model" : def->name, what,
            name == NULL ? "" : name);
  tomb_error_hint(err, "names are letters, digits and single underscores, "
                       "begin with a letter and have fewer than 64 bytes; "
                       "tables and columns hold no '.' or ','");
  return TOMB_MISUSE;
}

static tomb_status refuse(const tomb_model_def *def,
                          const tomb_field_def *field, const char *why,
                          const char *hint, tomb_error *err) {
  tomb_fail(err, TOMB_MISUSE, "%s.%s %s", def->name, field->name, why);
  tomb_error_model(err, def->name);
  tomb_error_field(err, field->name, "%s", why);
  tomb_error_hint(err, "%s", hint);
  return TOMB_MISUSE;
}

static bool text_type(tomb_field_type type) {
  return type == TOMB_FIELD_CHAR || type == TOMB_FIELD_TEXT;
}

/* A key of another model is taken for an integer until that is there. */
static tomb_field_type type_of(const tomb_field_def *f) {
  return f->references != NULL ? TOMB_FIELD_INTEGER : f->type;
}

static tomb_status check_key(const tomb_model_def *def, const tomb_field_def *f,
                             tomb_error *err) {
  if (!f->primary_key) return TOMB_OK;
  if (!text_type(type_of(f)) && type_of(f) != TOMB_FIELD_INTEGER) {
    return refuse(def, f, "cannot be the primary key",
                  "a primary key is an integer, char or text field", err);
  }
  if (f->nullable || f->unique != TOMB_NOT_UNIQUE) {
    return refuse(def, f, "is the primary key, which is unique and not null",
                  "leave out null and unique", err);
  }
  return TOMB_OK;
}

static tomb_status check_length(const tomb_model_def *def,
                                const tomb_field_def *f, tomb_error *err) {
  if (type_of(f) == TOMB_FIELD_CHAR && f->max_length == 0) {
    return refuse(def, f, "is a char without max_length",
                  "give max_length, or use text", err);
  }
  if (f->max_length > 0 && !text_type(type_of(f))) {
    return refuse(def, f, "has max_length but is no text",
                  "max_length is for char and text", err);
  }
  return TOMB_OK;
}

static tomb_status check_unique(const tomb_model_def *def,
                                const tomb_field_def *f, tomb_error *err) {
  if (f->unique == TOMB_UNIQUE_MANGLE && !text_type(type_of(f))) {
    return refuse(def, f, "is no text and cannot be mangled",
                  "use unique = \"live\"", err);
  }
  return TOMB_OK;
}

static tomb_status check_value(const tomb_model_def *def,
                               const tomb_field_def *f, tomb_value value,
                               const char *why, tomb_error *err) {
  tomb_field as;
  memset(&as, 0, sizeof as);
  as.type = type_of(f);
  if (tomb_fit(&as, &value)) return TOMB_OK;
  return refuse(def, f, why, tomb_type_wanted(type_of(f)), err);
}

static tomb_status check_values(const tomb_model_def *def,
                                const tomb_field_def *f, tomb_error *err) {
  tomb_status st = check_value(def, f, f->default_value,
                               "has a default of the wrong type", err);
  for (size_t i = 0; st == TOMB_OK && i < f->n_choices; i++) {
    st = check_value(def, f, f->choices[i], "has a choice of the wrong type",
                     err);
  }
  return st;
}

static tomb_status check_reference(const tomb_model_def *def,
                                   const tomb_field_def *f, tomb_error *err) {
  if (f->references == NULL) {
    if (f->on_delete == TOMB_NO_REFERENCE) return TOMB_OK;
    return refuse(def, f, "has on_delete but points to no model",
                  "name the model", err);
  }
  if (!is_name(f->references)) {
    return refuse_name(def, "a model", f->references, err);
  }
  if (f->on_delete == TOMB_NO_REFERENCE) {
    return refuse(def, f, "does not say what a deletion of its parent means",
                  "on_delete is \"cascade\", \"restrict\" or \"keep\"", err);
  }
  if (f->on_delete == TOMB_KEEP && !f->nullable) {
    return refuse(def, f, "cannot become null when its parent is purged",
                  "pass null = true, or on_delete = \"restrict\"", err);
  }
  if (f->relation_name != NULL && !is_name(f->relation_name)) {
    return refuse_name(def, "a relation", f->relation_name, err);
  }
  if (f->related_name != NULL && !is_name(f->related_name)) {
    return refuse_name(def, "a relation", f->related_name, err);
  }
  if (f->primary_key) {
    return refuse(def, f, "cannot be the primary key",
                  "leave out primary_key, or pass unique = true", err);
  }
  if (f->unique == TOMB_UNIQUE_MANGLE) {
    return refuse(def, f, "points to a key, which cannot be mangled",
                  "use unique = \"live\"", err);
  }
  return TOMB_OK;
}

static bool has_key(const tomb_model_def *def) {
  for (size_t i = 0; i < def->n_fields; i++) {
    if (def->fields[i].primary_key) return true;
  }
  return false;
}

/* The names of the fields that the engine adds by itself. */
static bool is_taken(const tomb_model_def *def, const char *name) {
  bool soft = def->soft_delete != TOMB_SOFT_DELETE_OFF;
  bool events = def->soft_delete == TOMB_SOFT_DELETE_EVENTS;
  return (soft && strcmp(name, "deleted_at") == 0) ||
         (events && strcmp(name, "deleted_event") == 0) ||
         (def->version && strcmp(name, "version") == 0) ||
         (def->timestamps && (strcmp(name, "created_at") == 0 ||
                              strcmp(name, "updated_at") == 0)) ||
         (strcmp(name, "id") == 0 && !has_key(def));
}

static const char *column_of(const tomb_field_def *f) {
  return f->column == NULL ? f->name : f->column;
}

static tomb_status check_twins(const tomb_model_def *def, size_t i,
                               tomb_error *err) {
  const tomb_field_def *f = &def->fields[i];
  if (is_taken(def, f->name)) {
    return refuse(def, f, "is a field that the model's options make",
                  "leave it out, or rename it with attr", err);
  }
  for (size_t j = 0; j < i; j++) {
    const tomb_field_def *other = &def->fields[j];
    if (strcmp(other->name, f->name) == 0 ||
        same_column(column_of(other), column_of(f))) {
      return refuse(def, f, "is declared twice", "rename one of them", err);
    }
    if (other->primary_key && f->primary_key) {
      return refuse(def, f, "is a second primary key",
                    "use unique_together for several columns", err);
    }
  }
  return TOMB_OK;
}

static tomb_status check_field(const tomb_model_def *def, size_t i,
                               tomb_error *err) {
  const tomb_field_def *f = &def->fields[i];
  if (!is_name(f->name)) return refuse_name(def, "a field", f->name, err);
  if (!is_sql_name(f->column)) {
    return refuse_name(def, "a column", f->column, err);
  }
  tomb_status st = check_twins(def, i, err);
  if (st == TOMB_OK) st = check_key(def, f, err);
  if (st == TOMB_OK) st = check_length(def, f, err);
  if (st == TOMB_OK) st = check_unique(def, f, err);
  if (st == TOMB_OK) st = check_values(def, f, err);
  if (st == TOMB_OK) st = check_reference(def, f, err);
  if (st == TOMB_OK && f->collate != NULL && !is_name(f->collate)) {
    st = refuse_name(def, "a collation", f->collate, err);
  }
  return st;
}

static const tomb_field_def *declared(const tomb_model_def *def,
                                      const char *name) {
  for (size_t i = 0; i < def->n_fields; i++) {
    if (strcmp(def->fields[i].name, name) == 0) return &def->fields[i];
  }
  return NULL;
}

static bool exists(const tomb_model_def *def, const char *name) {
  return declared(def, name) != NULL || is_taken(def, name);
}

#define OWN_COLUMNS 6

static const char *given_or(const char *column, const char *name) {
  return column == NULL ? name : column;
}

/* The columns of the fields that the engine adds by itself, or NULL. */
static const char *own_column(const tomb_model_def *def, size_t i) {
  bool soft = def->soft_delete != TOMB_SOFT_DELETE_OFF;
  bool events = def->soft_delete == TOMB_SOFT_DELETE_EVENTS;
  const char *const columns[OWN_COLUMNS] = {
      has_key(def) ? NULL : "id",
      def->version ? "version" : NULL,
      def->timestamps ? "created_at" : NULL,
      def->timestamps ? "updated_at" : NULL,
      soft ? given_or(def->deleted_at, "deleted_at") : NULL,
      events ? given_or(def->deleted_event, "deleted_event") : NULL};
  return columns[i];
}

static bool is_column(const tomb_model_def *def, size_t own) {
  const char *column = own_column(def, own);
  if (column == NULL) return false;
  for (size_t i = 0; i < own; i++) {
    const char *other = own_column(def, i);
    if (other != NULL && same_column(column, other)) return true;
  }
  for (size_t i = 0; i < def->n_fields; i++) {
    if (same_column(column, column_of(&def->fields[i]))) return true;
  }
  return false;
}

static tomb_status check_columns(const tomb_model_def *def, tomb_error *err) {
  for (size_t i = 0; i < OWN_COLUMNS; i++) {
    if (!is_column(def, i)) continue;
    tomb_fail(err, TOMB_MISUSE, "%s: two fields have the column '%s'",
              def->name, own_column(def, i));
    tomb_error_model(err, def->name);
    tomb_error_hint(err, "rename one of them with column or attr");
    return TOMB_MISUSE;
  }
  return TOMB_OK;
}

static tomb_status check_group(const tomb_model_def *def,
                               const tomb_group_def *group, tomb_error *err) {
  bool text = false;
  if (group->n_fields == 0) {
    return tomb_fail(err, TOMB_MISUSE, "%s has an index of no fields",
                     def->name);
  }
  if (group->n_fields > TOMB_MAX_ERROR_FIELDS) {
    return tomb_fail(err, TOMB_MISUSE, "%s has an index of %zu fields",
                     def->name, group->n_fields);
  }
  for (size_t i = 0; i < group->n_fields; i++) {
    const tomb_field_def *f = declared(def, group->fields[i]);
    if (!exists(def, group->fields[i])) {
      return tomb_fail(err, TOMB_MISUSE, "%s has no field '%s' to index",
                       def->name, group->fields[i]);
    }
    text = text || (f != NULL && text_type(type_of(f)) && !f->primary_key &&
                    f->references == NULL);
  }
  if (group->unique == TOMB_UNIQUE_MANGLE && !text) {
    return tomb_fail(err, TOMB_MISUSE,
                     "%s: unique fields without a text cannot be mangled",
                     def->name);
  }
  return TOMB_OK;
}

static tomb_status check_order(const tomb_model_def *def, const char *term,
                               tomb_error *err) {
  if (exists(def, term[0] == '-' ? term + 1 : term)) return TOMB_OK;
  return tomb_fail(err, TOMB_MISUSE, "%s has no field '%s' to order by",
                   def->name, term);
}

/* The engine's own tables have such names, and what it makes on its way. */
static bool is_ours(const char *name) {
  return name != NULL && strncmp(name, "tombstone_", 10) == 0;
}

static tomb_status check_ours(const tomb_model_def *def, tomb_error *err) {
  const char *name = is_ours(def->table) ? def->table : NULL;
  if (def == &tomb_event_def || def == &tomb_owner_def) return TOMB_OK;
  for (size_t i = 0; name == NULL && i < def->n_fields; i++) {
    if (is_ours(column_of(&def->fields[i]))) name = column_of(&def->fields[i]);
  }
  if (name == NULL) return TOMB_OK;
  tomb_fail(err, TOMB_MISUSE, "%s: the name '%s' is reserved", def->name, name);
  tomb_error_model(err, def->name);
  tomb_error_hint(err, "tables and columns that begin with tombstone_ are the "
                       "engine's own");
  return TOMB_MISUSE;
}

static tomb_status check_names(const tomb_model_def *def, tomb_error *err) {
  if (!is_name(def->name)) return refuse_name(def, "a model", def->name, err);
  if (!is_sql_name(def->table)) {
    return refuse_name(def, "a table", def->table, err);
  }
  if (!is_sql_name(def->deleted_at)) {
    return refuse_name(def, "a column", def->deleted_at, err);
  }
  if (!is_sql_name(def->deleted_event)) {
    return refuse_name(def, "a column", def->deleted_event, err);
  }
  return TOMB_OK;
}

/* A name, or two with a dot between them: that is none in programs, and hides
** nothing. */
static bool is_way_back(const char *name) {
  char first[TOMB_NAME_SIZE];
  size_t size = strcspn(name, ".");
  if (name[size] == '\0') return is_name(name);
  if (size >= sizeof first) return false;
  memcpy(first, name, size);
  first[size] = '\0';
  return is_name(first) && is_name(name + size + 1);
}

static tomb_status check_link(const tomb_model_def *def,
                              const tomb_link_def *link, tomb_error *err) {
  if (!is_name(link->name)) {
    return refuse_name(def, "a relation", link->name, err);
  }
  if (link->related_name != NULL && !is_way_back(link->related_name)) {
    return refuse_name(def, "a relation", link->related_name, err);
  }
  if (!is_name(link->to)) return refuse_name(def, "a model", link->to, err);
  if (!is_name(link->through)) {
    return refuse_name(def, "a model", link->through, err);
  }
  if (declared(def, link->name) == NULL && !is_taken(def, link->name)) {
    return TOMB_OK;
  }
  tomb_fail(err, TOMB_MISUSE, "%s.%s is a field and a relation", def->name,
            link->name);
  tomb_error_model(err, def->name);
  tomb_error_hint(err, "give one of them another name");
  return TOMB_MISUSE;
}

tomb_status tomb_model_def_check(const tomb_model_def *def, tomb_error *err) {
  tomb_status st = check_names(def, err);
  for (size_t i = 0; st == TOMB_OK && i < def->n_fields; i++) {
    st = check_field(def, i, err);
  }
  if (st == TOMB_OK) st = check_columns(def, err);
  if (st == TOMB_OK) st = check_ours(def, err);
  for (size_t i = 0; st == TOMB_OK && i < def->n_links; i++) {
    st = check_link(def, &def->links[i], err);
  }
  for (size_t i = 0; st == TOMB_OK && i < def->n_groups; i++) {
    st = check_group(def, &def->groups[i], err);
  }
  if (st == TOMB_OK) st = tomb_check_counter_defs(def, err);
  for (size_t i = 0; st == TOMB_OK && i < def->n_order_by; i++) {
    st = check_order(def, def->order_by[i], err);
  }
  return st;
}
