/* A running `symlog serve`: its parts, and how they are started. command_serve.c stops them. */
#ifndef SL_TOOLS_SERVE_H
#define SL_TOOLS_SERVE_H

#include "ingest/peers.h"
#include "ingest/project_watch.h"
#include "ingest/ring.h"
#include "ingest/udp.h"
#include "tools/symlog/committer.h"
#include "tools/symlog/groove_ports.h"
#include "tools/symlog/opening.h"
#include "tools/symlog/player_setup.h"
#include "tools/symlog/project_source.h"
#include "tools/symlog/serve_options.h"
#include "tools/symlog/service.h"
#include "tools/symlog/status.h"
#include "tools/symlog/worker.h"

#include <signal.h>
#include <stdbool.h>

typedef struct sl_serve {
    const sl_serve_options *options;
    sl_status status;
    sl_opening opening;
    sl_ring *ring;
    int wake_fd;
    sl_groove_ports *groove_ports;
    sl_project_source project_source;
    sl_project_watch *project_watch;
    sl_peers *peers;
    sl_service *service;
    sl_service_player player;
    sl_sound_status *sound_status;
    sl_sound_child *_Atomic sound; /* the committer's thread wakes it; NULL: no sound */
    sl_committer *committer;
    sl_worker *worker;
    sl_udp *udp;
    char errmsg[256];
} sl_serve;

/* Starts everything, in the order in which events flow, from the log on. `signal` not 0: give up. False: errmsg says
 * why ("": the signal came), and what was started is there to be stopped. */
bool sl_serve_start(sl_serve *serve, const volatile sig_atomic_t *signal);

#endif
