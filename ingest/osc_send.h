/*
 * Sends OSC, built by liblo: to Live, to another symlog, to a synthesizer. Used by `symlog send` and `replay --to-osc`.
 * It also hears what the target answers.
 */
#ifndef SL_INGEST_OSC_SEND_H
#define SL_INGEST_OSC_SEND_H

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

typedef struct sl_osc_sender sl_osc_sender;

/* `target` is HOST:PORT; the first IPv4 address of HOST is taken. SL_ERR_NOT_FOUND: not of that form, or no such host;
 * SL_ERR_IO. `errmsg` says which. */
sl_err sl_osc_sender_open(sl_osc_sender **out, const char *target, char errmsg[256]);
void sl_osc_sender_close(sl_osc_sender *sender);

/* Sends the bytes of one packet as they are. That nobody listens there is no error. SL_ERR_IO: too long for a datagram,
 * or no way to the host; errno says which. */
sl_err sl_osc_sender_packet(sl_osc_sender *sender, const uint8_t *packet, size_t length);

/* Waits at most `timeout_ns` (0: only looks) for a packet from the target, and reads at most `capacity` bytes of it;
 * others' are passed over. SL_ERR_END: none came, or a signal did. */
sl_err sl_osc_sender_receive(sl_osc_sender *sender, uint64_t timeout_ns, uint8_t *packet, size_t capacity,
                             size_t *length);

/* One message in words. */
typedef struct sl_osc_words {
    const char *path;
    const char *tags;         /* of i h f d s S T F N I b */
    const char *const *words; /* one for each tag that carries data; a blob as base64 */
    size_t word_count;
} sl_osc_words;

/* Builds a message. With number >= 0 it is wrapped in /live/seq, as int32 mod 2^32 while it is below 2^32. `*packet` is
 * malloc'ed, the caller frees it. SL_ERR_MALFORMED: another tag, a word that does not fit its tag, too few or too many
 * words, a path without '/'; SL_ERR_MEMORY. */
sl_err sl_osc_build(const sl_osc_words *words, int64_t number, uint8_t **packet, size_t *length);

#endif
