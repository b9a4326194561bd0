/* event.c - tombstone_event: every deletion is one row of it. */
#include "model.h"

#define FIELD(n, t, null)                                                      \
  { .name = n, .type = t, .nullable = null }

static const tomb_field_def fields[] = {
    FIELD("at", TOMB_FIELD_DATETIME, false),
    FIELD("model", TOMB_FIELD_TEXT, false),
    FIELD("pk", TOMB_FIELD_TEXT, true),
    FIELD("actor", TOMB_FIELD_TEXT, true),
    FIELD("reason", TOMB_FIELD_TEXT, true),
    FIELD("undone_at", TOMB_FIELD_DATETIME, true),
};

const tomb_model_def tomb_event_def = {
    .name = "TombstoneEvent",
    .table = "tombstone_event",
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .soft_delete = TOMB_SOFT_DELETE_OFF,
};
