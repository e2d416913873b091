/* The service's own: what service.c (events and messages) and service_rpc.c (what clients say) share. */
#ifndef SL_TOOLS_SERVICE_INTERNAL_H
#define SL_TOOLS_SERVICE_INTERNAL_H

#include "tools/symlog/catchup.h"
#include "tools/symlog/chores.h"
#include "tools/symlog/feed.h"
#include "tools/symlog/groove_driver.h"
#include "tools/symlog/keeper.h"
#include "tools/symlog/live_edits.h"
#include "tools/symlog/report.h"
#include "tools/symlog/rpc.h"
#include "tools/symlog/service.h"
#include "tools/symlog/service_sound.h"
#include "tools/symlog/teller.h"

struct sl_service {
    sl_service_options options;
    sl_state *state;
    sl_log_reader *reader;
    sl_catchup *catchup;
    sl_feed *feed;
    sl_rpc *rpc;
    sl_worker *worker; /* NULL: not yet, or no longer */
    sl_keeper keeper;
    sl_chores chores;
    sl_report report;
    sl_teller teller;
    sl_groove_driver groove;
    sl_live_edits *edits;
    sl_service_player player; /* all NULL: not yet, or no longer */
    sl_service_sound sound;
    const char *refused_why; /* why the event being applied was refused; NULL: it was not */
    uint64_t refused_ns;     /* when a refused subscriber was told of last */
    char failure[256];       /* "" while all is well */
};

/* Makes service->rpc and service->edits. SL_ERR_MEMORY. */
sl_err sl_service_open_rpc(sl_service *service);

/* A pause, or its end, was committed: only now does it count, so that what comes after its end stands behind it in the
 * log. */
void sl_service_follow_pause(const sl_service *service, const sl_event *event);

#endif
