/*
** event.c - the engine's own tables. Every deletion is one row of
** tombstone_event; a dead row that a later one reaches too has that one as a
** further owner in tombstone_owner.
*/
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

static const tomb_field_def owner_fields[] = {
    FIELD("event", TOMB_FIELD_INTEGER, false),
    FIELD("model", TOMB_FIELD_TEXT, false),
    FIELD("pk", TOMB_FIELD_TEXT, false),
};
static const char *const by_row[] = {"model", "pk", "event"};
static const char *const by_event[] = {"event", "model"};
static const tomb_group_def owner_groups[] = {{by_row, 3, TOMB_UNIQUE_ALWAYS},
                                              {by_event, 2, TOMB_NOT_UNIQUE}};

const tomb_model_def tomb_owner_def = {
    .name = "TombstoneOwner",
    .table = "tombstone_owner",
    .fields = owner_fields,
    .n_fields = 3,
    .groups = owner_groups,
    .n_groups = 2,
    .soft_delete = TOMB_SOFT_DELETE_OFF,
};
