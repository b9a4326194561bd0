/* model_check.h - is this definition a model? */
#ifndef TOMB_MODEL_CHECK_H
#define TOMB_MODEL_CHECK_H

#include "tombstone.h"

/* TOMB_OK, or misuse that names the field and the remedy. */
tomb_status tomb_model_def_check(const tomb_model_def *def, tomb_error *err);

/* counter.c: the same for its counters. */
tomb_status tomb_check_counter_defs(const tomb_model_def *def, tomb_error *err);

#endif
