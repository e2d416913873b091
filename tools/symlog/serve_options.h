/* The command line of `symlog serve`. */
#ifndef SL_TOOLS_SERVE_OPTIONS_H
#define SL_TOOLS_SERVE_OPTIONS_H

#include "store/log.h"
#include "tools/symlog/access.h"
#include "tools/symlog/groove_setup.h"
#include "tools/symlog/host.h"
#include "tools/symlog/options.h"
#include "tools/symlog/sound_child.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum { SL_SERVE_SUMMARY_BYTES = 512, SL_SERVE_LIST_BYTES = 1024 };

/* Texts are views into argv, but for those with an array of their own. */
typedef struct sl_serve_options {
    char dir[SL_HOST_DIR_BYTES];
    char osc_address[INET_ADDRSTRLEN];
    char ws_address[INET_ADDRSTRLEN];
    uint16_t osc_port;
    uint16_t ws_port;
    sl_durability durability;
    uint64_t checkpoint_every;
    uint64_t snapshot_every;
    uint64_t backlog_bytes;
    bool is_verbose;
    const char *project;   /* a set or a folder; NULL: none */
    const char *notes_out; /* where notes go; NULL: nowhere */
    sl_operands watched;   /* files of live code */
    sl_sound_wishes sound;
    bool lists_devices; /* and nothing else */
    sl_groove_setup groove;
    sl_access access;
    char origins[SL_SERVE_LIST_BYTES];    /* what access.origins points into */
    char summary[SL_SERVE_SUMMARY_BYTES]; /* for the start event: no token */
} sl_serve_options;

extern const char sl_serve_help[];

/* Reads the command line into `options`, which are all zero before. Returns SL_EXIT_OK; or SL_EXIT_USAGE, having said
 * why. */
int sl_serve_options_read(int argc, char **argv, sl_serve_options *options);

#endif
