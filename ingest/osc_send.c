/* Sending OSC that liblo builds, over a socket of our own (liblo's would bind to every address). */
#include "ingest/osc_send.h"

#include "core/osc.h"
#include "ingest/clock.h"

#include <errno.h>
#include <lo/lo.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

struct sl_osc_sender {
    int fd;
    struct sockaddr_storage target;
    socklen_t target_length;
};

static bool split_target(const char *target, char host[256], const char **port);
static sl_err add_wrapper(lo_message message, int64_t number, const char *path);
static sl_err add_words(lo_message message, const char *tags, const char *const *words, size_t word_count);
static sl_err add_word(lo_message message, char tag, const char *word);
static sl_err add_blob(lo_message message, const char *word);
static sl_err add_plain(lo_message message, char tag);
static sl_err added(int failed);
static bool read_int(const char *word, int64_t min, int64_t max, int64_t *out);
static bool read_number(const char *word, double *out);

sl_err sl_osc_sender_open(sl_osc_sender **out, const char *target, char errmsg[256])
{
    char host[256];
    const char *port;
    if (!split_target(target, host, &port)) {
        snprintf(errmsg, 256, "send: \"%.80s\" is not HOST:PORT", target);
        return SL_ERR_NOT_FOUND;
    }
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    int failed = getaddrinfo(host, port, &hints, &found);
    if (failed != 0) {
        snprintf(errmsg, 256, "send: %.80s: %s", target, gai_strerror(failed));
        return SL_ERR_NOT_FOUND;
    }
    sl_osc_sender *sender = calloc(1, sizeof *sender);
    if (sender != NULL) {
        memcpy(&sender->target, found->ai_addr, found->ai_addrlen);
        sender->target_length = found->ai_addrlen;
        sender->fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
    freeaddrinfo(found);
    if (sender == NULL || sender->fd < 0) {
        snprintf(errmsg, 256, "send: socket: %s", strerror(errno));
        free(sender);
        return SL_ERR_IO;
    }
    *out = sender;
    return SL_OK;
}

void sl_osc_sender_close(sl_osc_sender *sender)
{
    if (sender == NULL) return;
    close(sender->fd);
    free(sender);
}

sl_err sl_osc_sender_packet(sl_osc_sender *sender, const uint8_t *packet, size_t length)
{
    /* Not connected: a target at which nobody listens is no error here, as it is none on a network. */
    const struct sockaddr *target = (const struct sockaddr *)&sender->target;
    ssize_t sent;
    do sent = sendto(sender->fd, packet, length, 0, target, sender->target_length);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)length ? SL_OK : SL_ERR_IO;
}

static bool is_target(const sl_osc_sender *sender, const struct sockaddr_in *from)
{
    const struct sockaddr_in *target = (const struct sockaddr_in *)&sender->target;
    return from->sin_port == target->sin_port && from->sin_addr.s_addr == target->sin_addr.s_addr;
}

sl_err sl_osc_sender_receive(sl_osc_sender *sender, uint64_t timeout_ns, uint8_t *packet, size_t capacity,
                             size_t *length)
{
    struct pollfd wanted = {.fd = sender->fd, .events = POLLIN};
    const struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / SECOND_NS),
                                     .tv_nsec = (long)(timeout_ns % SECOND_NS)};
    if (timeout_ns > 0 && ppoll(&wanted, 1, &timeout, NULL) <= 0) return SL_ERR_END;
    for (;;) {
        struct sockaddr_in from = {0};
        socklen_t from_length = sizeof from;
        ssize_t got = recvfrom(sender->fd, packet, capacity, MSG_DONTWAIT, (struct sockaddr *)&from, &from_length);
        if (got < 0) return SL_ERR_END;
        *length = (size_t)got;
        if (is_target(sender, &from)) return SL_OK;
    }
}

sl_err sl_osc_build(const sl_osc_words *words, int64_t number, uint8_t **packet, size_t *length)
{
    if (words->path[0] != '/') return SL_ERR_MALFORMED;
    lo_message message = lo_message_new();
    if (message == NULL) return SL_ERR_MEMORY;
    bool is_wrapped = number >= 0;
    sl_err err = is_wrapped ? add_wrapper(message, number, words->path) : SL_OK;
    if (err == SL_OK) err = add_words(message, words->tags, words->words, words->word_count);
    if (err == SL_OK) {
        *packet = lo_message_serialise(message, is_wrapped ? "/live/seq" : words->path, NULL, length);
        if (*packet == NULL) err = SL_ERR_MEMORY;
    }
    lo_message_free(message);
    return err;
}

/* Splits at the last colon. */
static bool split_target(const char *target, char host[256], const char **port)
{
    const char *colon = strrchr(target, ':');
    if (colon == NULL || colon == target || colon[1] == '\0' || colon - target >= 256) return false;
    memcpy(host, target, (size_t)(colon - target));
    host[colon - target] = '\0';
    *port = colon + 1;
    return true;
}

/* The number as an int32 mod 2^32 where it fits; the time as a float32, as the script in Live sends it. */
static sl_err add_wrapper(lo_message message, int64_t number, const char *path)
{
    int failed = number <= UINT32_MAX ? lo_message_add_int32(message, (int32_t)(uint32_t)number)
                                      : lo_message_add_int64(message, number);
    failed |= lo_message_add_float(message, (float)((double)sl_clock_wall_ns() / 1e9));
    failed |= lo_message_add_string(message, path);
    return added(failed);
}

static sl_err add_words(lo_message message, const char *tags, const char *const *words, size_t word_count)
{
    size_t next = 0;
    for (const char *tag = tags; *tag != '\0'; tag++) {
        bool is_plain = strchr("TFNI", *tag) != NULL;
        if (!is_plain && next == word_count) return SL_ERR_MALFORMED;
        sl_err err = is_plain ? add_plain(message, *tag) : add_word(message, *tag, words[next++]);
        if (err != SL_OK) return err;
    }
    return next == word_count ? SL_OK : SL_ERR_MALFORMED;
}

static sl_err add_word(lo_message message, char tag, const char *word)
{
    int64_t integer;
    double number;
    switch (tag) {
    case 'i':
        if (!read_int(word, INT32_MIN, INT32_MAX, &integer)) return SL_ERR_MALFORMED;
        return added(lo_message_add_int32(message, (int32_t)integer));
    case 'h':
        if (!read_int(word, INT64_MIN, INT64_MAX, &integer)) return SL_ERR_MALFORMED;
        return added(lo_message_add_int64(message, integer));
    case 'f':
        if (!read_number(word, &number)) return SL_ERR_MALFORMED;
        return added(lo_message_add_float(message, (float)number));
    case 'd':
        if (!read_number(word, &number)) return SL_ERR_MALFORMED;
        return added(lo_message_add_double(message, number));
    case 's': return added(lo_message_add_string(message, word));
    case 'S': return added(lo_message_add_symbol(message, word));
    case 'b': return add_blob(message, word);
    default: return SL_ERR_MALFORMED; /* OSC's other tags have no form in words here. */
    }
}

/* A blob stands as base64 (RFC 4648, section 4, padding required). */
static sl_err add_blob(lo_message message, const char *word)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(word);
    size_t padding = length < 2 ? 0 : (size_t)(word[length - 1] == '=') + (size_t)(word[length - 2] == '=');
    if (length % 4 != 0 || length / 4 * 3 > SL_OSC_PACKET_BYTES_MAX) return SL_ERR_MALFORMED;
    uint8_t bytes[SL_OSC_PACKET_BYTES_MAX + 1];
    uint32_t bits = 0;
    for (size_t i = 0; i < length; i++) {
        const char *digit = i < length - padding ? strchr(digits, word[i]) : digits;
        if (digit == NULL) return SL_ERR_MALFORMED;
        bits = bits << 6 | (uint32_t)(digit - digits);
        if (i % 4 != 3) continue;
        for (size_t k = 0; k < 3; k++) bytes[i / 4 * 3 + k] = (uint8_t)(bits >> (16 - 8 * k));
    }
    lo_blob blob = lo_blob_new((int32_t)(length / 4 * 3 - padding), bytes);
    if (blob == NULL) return SL_ERR_MEMORY;
    sl_err err = added(lo_message_add_blob(message, blob));
    lo_blob_free(blob);
    return err;
}

/* A tag that carries no data. */
static sl_err add_plain(lo_message message, char tag)
{
    switch (tag) {
    case 'T': return added(lo_message_add_true(message));
    case 'F': return added(lo_message_add_false(message));
    case 'N': return added(lo_message_add_nil(message));
    default: return added(lo_message_add_infinitum(message));
    }
}

/* liblo fails here only when it has no memory. */
static sl_err added(int failed)
{
    return failed == 0 ? SL_OK : SL_ERR_MEMORY;
}

static bool read_int(const char *word, int64_t min, int64_t max, int64_t *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(word, &end, 10);
    *out = value;
    return end != word && *end == '\0' && errno == 0 && value >= min && value <= max;
}

static bool read_number(const char *word, double *out)
{
    char *end;
    *out = strtod(word, &end);
    return end != word && *end == '\0';
}
