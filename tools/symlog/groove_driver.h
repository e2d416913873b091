/*
 * The driver of the groove box's ports: symlog as a peer of PM Live-Sync, and as the hub between the other peers. (The
 * reducer applies what arrives; what is due when, only the driver knows.)
 *
 * As the hub it passes every whole frame that arrives on to all other ports, unchanged, once it is committed; not
 * symlog's own origin and not what the reducer took for a duplicate. One of Live-Sync
 * that comes from another port too within a second goes no further: it runs in a circle of cables, or is echoed.
 *
 * As a peer it says, each frame a `sysex_sent` event that is sent once it is committed:
 * - HELLO on a port that has been opened (again), and FULL if symlog is the authority; where the peer opened the port
 *   itself, HELLO only if its FULL does not come within 50 ms;
 * - FULL in answer to a HELLO: the authority at once; else when the peer's own FULL has come, after 50 ms at the
 *   latest, so that what it says is not what was before. Not before it was told of a groove, unless it is the
 * authority;
 * - DELTA for a client's play, stop, sel and beat at once, for bpm and vol at most ten a second, the last value counts;
 * - one FULL 150 ms after the last lane or patch edit, or copy into "My edits", whoever made it;
 * - FULL every 4 s while a peer is armed, if symlog is the authority;
 * - BYE at the end.
 * During a firmware push (until a second after its last frame, in either direction) it says nothing; afterwards a FULL
 * stands for what it would have said. A FULL that the groove has overtaken before it was committed is not sent; another
 * one is, 20 ms later. Listening only, it sends nothing at all.
 *
 * Times are arguments, and the ports are behind functions: a test can drive it. The service thread's.
 */
#ifndef SL_TOOLS_GROOVE_DRIVER_H
#define SL_TOOLS_GROOVE_DRIVER_H

#include "core/groove.h"
#include "core/reduce.h"
#include "core/sink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_GROOVE_PORTS_MAX = 24,
    SL_GROOVE_EVT_BYTES = 32, /* of a bpm or vol that waits */
    SL_GROOVE_PASSED = 256    /* frames that are remembered */
};

#define SL_GROOVE_HEARTBEAT_NS UINT64_C(4000000000)
#define SL_GROOVE_COALESCE_NS UINT64_C(150000000)
#define SL_GROOVE_RATE_NS UINT64_C(100000000)
#define SL_GROOVE_PUSH_NS UINT64_C(1000000000)
#define SL_GROOVE_PASSED_NS UINT64_C(1000000000)
#define SL_GROOVE_PATIENCE_NS UINT64_C(50000000)
#define SL_GROOVE_OVERTAKEN_NS UINT64_C(20000000)
#define SL_GROOVE_NEVER UINT64_MAX

/* The ports, as the driver sees them: by an index below `count`. */
typedef struct sl_groove_outlet {
    void *ctx;
    size_t (*count)(void *ctx);
    uint32_t (*source)(void *ctx, size_t port); /* SL_SOURCE_SELF: it has none, and was never open */
    bool (*is_open)(void *ctx, size_t port);
    bool (*is_guest)(void *ctx, size_t port); /* it is the peer who opens it */
    /* Sends a copy of the frame, or counts that it could not. Never waits. */
    void (*send)(void *ctx, size_t port, const uint8_t *frame, size_t length);
} sl_groove_outlet;

typedef struct sl_groove_driver_options {
    const sl_state *state;
    uint64_t start_ns; /* sl_clock_boot_ns at which time_ns is 0 */
    bool is_authority;
    bool is_listening;
    sl_sink sink; /* what is said goes here; may be set later, before the first call */
    sl_groove_outlet outlet;
} sl_groove_driver_options;

/* What one port waits for. */
typedef struct sl_groove_due {
    uint64_t hello_ns; /* or SL_GROOVE_NEVER; as the next */
    uint64_t full_ns;
} sl_groove_due;

/* bpm, or vol: what a client said last, if it still has to be told. */
typedef struct sl_groove_rated {
    const char *prefix; /* "bpm=" */
    char evt[SL_GROOVE_EVT_BYTES];
    size_t evt_length; /* 0: nothing waits */
    uint64_t next_ns;  /* not before */
} sl_groove_rated;

/* A frame that was passed on. */
typedef struct sl_groove_passed {
    uint32_t checksum; /* of its bytes */
    uint32_t source;
    uint64_t until_ns; /* it is remembered */
} sl_groove_passed;

typedef struct sl_groove_driver {
    sl_groove_driver_options options;
    sl_groove_due ports[SL_GROOVE_PORTS_MAX];
    sl_groove_rated tempo;
    sl_groove_rated volume;
    uint64_t full_ns;      /* a FULL to all is due; or SL_GROOVE_NEVER */
    bool is_armed;         /* heartbeats are due; … */
    uint64_t heartbeat_ns; /* … the next one */
    uint64_t push_ns;      /* until then a firmware push is taken to run */
    uint64_t last_seq;     /* in the frames that were said */
    bool has_news;         /* of the event being applied: what it was to the groove */
    bool is_finished;      /* BYE has been appended, … */
    bool is_gone;          /* … and sent */
    sl_groove_change news;
    char news_evt[SL_SYSEX_EVT_BYTES_MAX];
    sl_groove_passed passed[SL_GROOVE_PASSED]; /* a ring */
    size_t passed_next;
    uint8_t *frame; /* SL_SYSEX_FRAME_BYTES_MAX + 4, being written */
} sl_groove_driver;

/* SL_ERR_MEMORY. What the options point to must outlive it. */
sl_err sl_groove_driver_open(sl_groove_driver *driver, const sl_groove_driver_options *options);
void sl_groove_driver_close(sl_groove_driver *driver);

/* Takes note of an effect of the event that is being applied. */
void sl_groove_driver_note(sl_groove_driver *driver, const sl_effect *effect);

/* Looks at an event that the state has just taken. */
void sl_groove_driver_see(sl_groove_driver *driver, const sl_event *event, uint64_t now_ns);

/* Does what is due. Returns when it wants to be called again, SL_GROOVE_NEVER: not before another event. */
uint64_t sl_groove_driver_tick(sl_groove_driver *driver, uint64_t now_ns);

/* Says BYE; nothing else is said any more. False: there is nobody to say it to. */
bool sl_groove_driver_finish(sl_groove_driver *driver, uint64_t now_ns);

#endif
