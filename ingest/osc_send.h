/*
 * Sends OSC, built by liblo: to Live, to another symlog, to a synthesizer. Used by `symlog send` and `replay --to-osc`.
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

/* Builds and sends one message from words: `tags` of i h f d s S T F N I, one word per tag that carries data (a
 * blob as base64). With number >= 0 it is wrapped in /live/seq, as int32 mod 2^32 while it is below 2^32.
 * SL_ERR_MALFORMED: another tag, a word that does not fit its tag, too few or too many words, a path without '/';
 * SL_ERR_MEMORY; SL_ERR_IO as above. */
sl_err sl_osc_sender_words(sl_osc_sender *sender, int64_t number, const char *path, const char *tags,
                           const char *const *words, size_t word_count);

#endif
