/* child.h - models that point to each other, in short words. */
#ifndef SPEC_CHILD_H
#define SPEC_CHILD_H

#include "check.h"

/* name TEXT UNIQUE, and a field that points to `parent`, if any. The dead stay
** for `keep`; 0: for ever. */
static inline const tomb_model *define_kept(tomb_db *in, const char *name,
                                            const char *parent,
                                            tomb_on_delete on_delete,
                                            int64_t keep) {
  const tomb_model *model;
  const tomb_field_def fields[] = {
      {.name = "name", .type = TOMB_FIELD_TEXT, .unique = TOMB_UNIQUE},
      {.name = "parent_id",
       .references = parent,
       .on_delete = on_delete,
       .nullable = true}};
  const tomb_model_def def = {.name = name,
                              .fields = fields,
                              .n_fields = parent == NULL ? 1 : 2,
                              .keep = keep};
  MUST(tomb_define(&model, in, &def, &check_error));
  return model;
}

static inline const tomb_model *define_child(tomb_db *in, const char *name,
                                             const char *parent,
                                             tomb_on_delete on_delete) {
  return define_kept(in, name, parent, on_delete, 0);
}

#endif
