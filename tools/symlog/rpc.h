/*
 * What subscribers say, and what they are answered: JSON objects of the feed's own protocol (acknowledged, or a
 * command) and JSON-RPC 2.0 (https://www.jsonrpc.org/specification), batches included. A `mark`, the pause of a
 * source, an edit of the groove, a word to the transport, and a parameter's value, is answered once it is committed, a
 * question to the past once it has been looked up, and until then its whole batch waits.
 *
 * It knows nothing of sockets or of the log. The service thread's.
 */
#ifndef SL_TOOLS_RPC_H
#define SL_TOOLS_RPC_H

#include "core/err.h"
#include "core/reduce.h"
#include "core/text.h"
#include "tools/symlog/question.h"
#include "tools/symlog/sound_status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_RPC_MARKS_MAX = 256,            /* waiting for their commit */
    SL_RPC_MARK_BYTES_MAX = 1024,      /* of one's text */
    SL_RPC_QUESTIONS_MAX = 64,         /* waiting for their answer */
    SL_RPC_ANSWER_BYTES_MAX = 64 << 20 /* a batch whose answers grow beyond that gets errors for the rest */
};

typedef struct sl_rpc sl_rpc;

typedef struct sl_rpc_owner {
    sl_state *state;    /* what is asked about */
    const char *log_id; /* hex */
    void *ctx;
    /* Puts a mark, the pause of a source, or an edit of the groove, on its way into the log; sl_rpc_marked will tell,
     * in the same order. SL_ERR_FULL: try again later; SL_ERR_REFUSED: this serve only listens to the groove box. */
    sl_err (*mark)(void *ctx, const char *text, size_t length);
    sl_err (*pause)(void *ctx, uint32_t source, uint64_t session, bool is_paused);
    sl_err (*edit)(void *ctx, const char *text, size_t length);
    /* The same with the payload of a transport event. */
    sl_err (*transport)(void *ctx, const uint8_t *payload, size_t length);
    /* The same with the payload of a parameter event. */
    sl_err (*parameter)(void *ctx, const uint8_t *payload, size_t length);
    /* What is known of the sound; NULL: nothing. */
    sl_sound_status *(*sound)(void *ctx);
    /* The subscriber makes sound. SL_ERR_FULL: so many do already. */
    sl_err (*add_audio)(void *ctx, uint64_t subscriber, const char *id);
    /* Passes its meter on; NULL: it was none. SL_ERR_NOT_FOUND: it has not said that it makes sound. */
    sl_err (*pass_meter)(void *ctx, uint64_t subscriber, const sl_audio_meter *meter);
    /* Appends ',"audio":' and a JSON object about the sound, where there is some. */
    void (*write_audio)(void *ctx, sl_text *text);
    /* The player's frame that is now. */
    uint64_t (*frame)(void *ctx);
    /* The subscriber speaks JSON-RPC: it hears notifications from now on. */
    void (*heard)(void *ctx, uint64_t subscriber);
    /* Appends the JSON list of the groove box's ports. */
    void (*write_ports)(void *ctx, sl_text *text);
    /* Appends a JSON object about the player and its output. */
    void (*write_player)(void *ctx, sl_text *text);
    /* Watches a file of live code, or no longer. Any error: errmsg says it. */
    sl_err (*watch)(void *ctx, const char *path, bool is_wanted, char errmsg[256]);
    /* Puts a question; sl_rpc_answered will tell, in any order. SL_ERR_FULL: try again later. */
    sl_err (*ask)(void *ctx, const sl_question *question);
    void (*answer)(void *ctx, uint64_t subscriber, const char *bytes, size_t length);
} sl_rpc_owner;

/* SL_ERR_MEMORY. What the owner points to must outlive it. */
sl_err sl_rpc_create(sl_rpc **out, const sl_rpc_owner *owner);
void sl_rpc_destroy(sl_rpc *rpc);

/* Takes one message; calls owner.answer at once, or later, or (for notifications) never. */
void sl_rpc_receive(sl_rpc *rpc, uint64_t subscriber, const char *bytes, size_t length);

/* The oldest mark, pause, edit, word to the transport or parameter that waits has been committed as event `seq`. `why`:
 * the reducer refused it; or NULL. */
void sl_rpc_marked(sl_rpc *rpc, uint64_t seq, const char *why);

/* A question has been answered; the answer stays the caller's. */
void sl_rpc_answered(sl_rpc *rpc, const sl_answer *answer);

#endif
