/* A sender that answers requests. */
#include "tools/symlog/sender.h"

#include "core/osc.h"
#include "ingest/clock.h"
#include "tools/symlog/host.h"
#include "tools/symlog/pace.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HELLOS = 4,
    NUMBER_BYTES = 24,
    REQUEST_BYTES = 65536,
    SLICE_NS = 20000000 /* between looks at Ctrl-C */
};

#define HELLO_EVERY_NS UINT64_C(5000000)

/* A datagram that was sent. */
typedef struct kept {
    uint64_t number;
    uint8_t *packet; /* malloc'ed; NULL: none yet */
    size_t length;
} kept;

struct sl_sender {
    sl_osc_sender *socket;
    sl_sender_options options;
    uint64_t number;   /* of the next wrapped message */
    uint64_t spoke_ns; /* when something was sent last */
    uint64_t resent;
    kept kept[SL_SENDER_KEPT]; /* a number stands at its remainder */
    uint8_t request[REQUEST_BYTES];
};

static void say_hello(sl_sender *sender);
static void say_heartbeat(sl_sender *sender);
static void send_words(sl_sender *sender, const sl_osc_words *words);
static void answer(sl_sender *sender, size_t length);
static void send_again(sl_sender *sender, uint64_t from, uint64_t count);

sl_err sl_sender_open(sl_sender **out, const sl_sender_options *options, char errmsg[256])
{
    sl_sender *sender = calloc(1, sizeof *sender);
    if (sender == NULL) {
        snprintf(errmsg, 256, "out of memory");
        return SL_ERR_MEMORY;
    }
    sender->options = *options;
    sl_err err = sl_osc_sender_open(&sender->socket, options->target, errmsg);
    if (err != SL_OK) {
        free(sender);
        return err;
    }
    sender->options.target = NULL; /* the caller's, not valid for longer than this function */
    for (int i = 0; i < HELLOS && !options->is_silent; i++) {
        say_hello(sender);
        (void)sl_sender_wait(sender, HELLO_EVERY_NS);
    }
    *out = sender;
    return SL_OK;
}

void sl_sender_close(sl_sender *sender)
{
    if (sender == NULL) return;
    sl_osc_sender_close(sender->socket);
    for (size_t i = 0; i < SL_SENDER_KEPT; i++) free(sender->kept[i].packet);
    free(sender);
}

sl_err sl_sender_message(sl_sender *sender, const sl_osc_words *words, bool is_wrapped)
{
    uint8_t *packet;
    size_t length;
    const uint64_t number = sender->number;
    assert(number <= INT64_MAX);
    sl_err err = sl_osc_build(words, is_wrapped ? (int64_t)number : -1, &packet, &length);
    if (err != SL_OK) return err;
    err = sl_sender_packet(sender, packet, length);
    if (err != SL_OK || !is_wrapped) {
        const int code = errno; /* what the caller tells */
        free(packet);
        errno = code;
        return err;
    }
    kept *place = &sender->kept[number % SL_SENDER_KEPT];
    free(place->packet);
    *place = (kept){.number = number, .packet = packet, .length = length};
    sender->number++;
    return SL_OK;
}

sl_err sl_sender_packet(sl_sender *sender, const uint8_t *packet, size_t length)
{
    sender->spoke_ns = sl_clock_boot_ns();
    return sl_osc_sender_packet(sender->socket, packet, length);
}

bool sl_sender_wait(sl_sender *sender, uint64_t duration_ns)
{
    const uint64_t end_ns = sl_clock_boot_ns() + duration_ns;
    for (;;) {
        const uint64_t now_ns = sl_clock_boot_ns();
        const uint64_t left_ns = end_ns > now_ns ? end_ns - now_ns : 0;
        size_t length;
        const uint64_t slice_ns = left_ns < SLICE_NS ? left_ns : SLICE_NS;
        sl_err err = sl_osc_sender_receive(sender->socket, slice_ns, sender->request, sizeof sender->request, &length);
        if (err == SL_OK && !sender->options.is_silent) answer(sender, length);
        if (err != SL_OK && left_ns == 0) return true;
        if (duration_ns > 0 && !sl_pace_sleep(0)) return false;
        if (sl_clock_boot_ns() - sender->spoke_ns >= SL_SENDER_HEARTBEAT_NS) sl_sender_heartbeat(sender);
    }
}

/* First the number, then the hello: who hears this sender for the first time in the middle of a run learns that. */
void sl_sender_heartbeat(sl_sender *sender)
{
    if (sender->options.is_silent) return;
    say_heartbeat(sender);
    say_hello(sender);
}

uint64_t sl_sender_resent(const sl_sender *sender)
{
    return sender->resent;
}

static void say_hello(sl_sender *sender)
{
    char session[NUMBER_BYTES];
    snprintf(session, sizeof session, "%" PRId64, (int64_t)sender->options.session);
    const char *const words[] = {session, "symlog send", SL_PROGRAM_VERSION, "1"};
    send_words(sender, &(sl_osc_words){.path = "/symlog/hello", .tags = "hssi", .words = words, .word_count = 4});
}

static void say_heartbeat(sl_sender *sender)
{
    char session[NUMBER_BYTES];
    char next[NUMBER_BYTES];
    snprintf(session, sizeof session, "%" PRId64, (int64_t)sender->options.session);
    snprintf(next, sizeof next, "%" PRIu64, sender->number);
    const char *const words[] = {session, next};
    send_words(sender, &(sl_osc_words){.path = "/symlog/heartbeat", .tags = "hh", .words = words, .word_count = 2});
}

/* What is said by the way may be lost like anything else: it is said again. */
static void send_words(sl_sender *sender, const sl_osc_words *words)
{
    uint8_t *packet;
    size_t length;
    if (sl_osc_build(words, -1, &packet, &length) != SL_OK) return;
    if (sl_sender_packet(sender, packet, length) != SL_OK) sender->spoke_ns = sl_clock_boot_ns();
    free(packet);
}

/* What is no request is passed over. */
static void answer(sl_sender *sender, size_t length)
{
    if (!sl_osc_check(sender->request, length, NULL)) return;
    sl_osc_walk walk = sl_osc_walk_begin(sender->request, length);
    sl_osc_message message;
    while (sl_osc_walk_next(&walk, &message)) {
        sl_osc_argument from, count;
        sl_osc_cursor cursor = sl_osc_arguments(&message);
        const bool is_request = strcmp(message.address, "/symlog/resend") == 0 && strcmp(message.tags, "hh") == 0;
        if (!is_request || !sl_osc_next(&cursor, &from) || !sl_osc_next(&cursor, &count)) continue;
        if (from.integer >= 0 && count.integer > 0) send_again(sender, (uint64_t)from.integer, (uint64_t)count.integer);
    }
}

static void send_again(sl_sender *sender, uint64_t from, uint64_t count)
{
    if (count > SL_SENDER_KEPT) count = SL_SENDER_KEPT;
    for (uint64_t number = from; number < from + count; number++) {
        const kept *place = &sender->kept[number % SL_SENDER_KEPT];
        if (place->packet == NULL || place->number != number) continue;
        if (sl_sender_packet(sender, place->packet, place->length) == SL_OK) sender->resent++;
    }
}
