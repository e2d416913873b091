/* What serve's command line says of the groove box: its ports, symlog's part, the built-in set lists. */
#ifndef SL_TOOLS_GROOVE_SETUP_H
#define SL_TOOLS_GROOVE_SETUP_H

#include "core/sink.h"
#include "tools/symlog/groove_ports.h"
#include "tools/symlog/options.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct sl_groove_setup {
    sl_operands paths;    /* of --midi */
    sl_operands names;    /* of --midi-port */
    bool is_authority;    /* --groove-authority */
    bool is_listening;    /* --groove-listen */
    const char *setlists; /* the file of --setlists; NULL: the log's stay in force */
    sl_groove_cable cables[SL_GROOVE_CABLES_MAX];
    size_t cable_count;
} sl_groove_setup;
_Static_assert(SL_GROOVE_CABLES_MAX >= 2 * SL_OPTION_TIMES_MAX, "there is room for all of both");

/* Checks what was read, and makes cables of paths and names. Returns SL_EXIT_OK; or SL_EXIT_USAGE, having said why in
 * the name of `command`. */
int sl_groove_setup_check(sl_groove_setup *setup, const char *command);

/* Puts the set lists of the file into the log, unless `state` has just these in force. `errmsg` then says what is wrong
 * with them. What sl_setlists_read and the sink return. */
sl_err sl_groove_setup_put_lists(const sl_groove_setup *setup, const sl_state *state, sl_sink sink, uint64_t time_ns,
                                 char errmsg[256]);

#endif
