/*
 * Which events of a damaged log LMDB can still read. Children look, since a damaged page may end the process that maps
 * it: each goes on behind the event at which the one before it died.
 */
#ifndef SL_TOOLS_SURVEY_H
#define SL_TOOLS_SURVEY_H

#include "store/salvage.h"

#include <stdbool.h>

typedef struct sl_survey {
    bool is_open;                /* LMDB can open the log; else nothing below is known */
    bool has_last;               /* it can tell how many events there are, and so the last number */
    uint8_t id[SL_LOG_ID_BYTES]; /* the log's */
    uint64_t first;              /* its first number; 1 unless it was pruned */
    uint64_t last;               /* its last number */
    sl_log_range *missing;       /* what it cannot read, ascending and apart */
    size_t missing_count;
    size_t missing_capacity;
} sl_survey;

/* Surveys the log in `dir`, with a bar. SL_ERR_IO, SL_ERR_MEMORY, SL_ERR_BUSY, SL_ERR_VERSION: `errmsg` says what is in
 * the way. The caller closes it. */
sl_err sl_survey_make(sl_survey *survey, const char *dir, char errmsg[256]);
void sl_survey_close(sl_survey *survey);

#endif
