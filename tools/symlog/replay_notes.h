/*
 * `symlog replay --notes`: every note that starts or ends, computed from the log alone. The player sends just these.
 */
#ifndef SL_TOOLS_REPLAY_NOTES_H
#define SL_TOOLS_REPLAY_NOTES_H

#include "core/err.h"
#include "store/log.h"
#include "tools/symlog/moment.h"
#include "tools/symlog/printer.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sl_replay_notes {
    const char *db; /* as the command line names it; NULL: as usual */
    sl_log *log;
    sl_range range;     /* of the events: notes are told from the mark of the first one on, … */
    uint64_t end_frame; /* … up to this frame; 0: as far as time had gone at the last event */
    bool is_json;
    sl_printer *printer;
} sl_replay_notes;

/* Prints a line for each. SL_ERR_END: nobody reads any more. Else what went wrong stands in `errmsg`. */
sl_err sl_replay_notes_print(const sl_replay_notes *replay, char errmsg[256]);

#endif
