/* Messages between serve and its sound process. */
#include "tools/symlog/sound_wire.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { MARK_BYTES_MAX = 64 };

/* How long a message is on its way; 0: there is no such message. */
static size_t length_of(const sl_sound_message *message)
{
    const size_t begin = offsetof(sl_sound_message, as);
    switch ((sl_sound_message_type)message->type) {
    case SL_SOUND_READY:
    case SL_SOUND_END: return begin;
    case SL_SOUND_GO:
    case SL_SOUND_CLOCK: return begin + sizeof message->as.anchor;
    case SL_SOUND_STATUS: return begin + sizeof message->as.status;
    case SL_SOUND_METER: return begin + sizeof message->as.meter;
    case SL_SOUND_PARAMETERS: return begin + sizeof message->as.parameters;
    case SL_SOUND_SAY: return begin + sizeof message->as.line;
    case SL_SOUND_LOADS: return begin + sizeof message->as.saved_ns;
    case SL_SOUND_DRAFT: break;
    default: return 0;
    }
    if (message->as.draft.length > SL_SOUND_DRAFT_BYTES) return 0;
    return offsetof(sl_sound_message, as.draft.payload) + message->as.draft.length;
}

bool sl_sound_send(int link, const sl_sound_message *message)
{
    ssize_t sent;
    do {
        sent = send(link, message, length_of(message), MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

/* A message of that type, of two parts that follow each other in it. */
static bool send_parts(int link, sl_sound_message_type type, struct iovec first, struct iovec second)
{
    _Alignas(sl_sound_message) uint8_t head[offsetof(sl_sound_message, as)] = {0};
    memcpy(head, &(uint32_t){type}, sizeof(uint32_t));
    struct iovec parts[] = {{.iov_base = head, .iov_len = sizeof head}, first, second};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = sizeof parts / sizeof parts[0]};
    ssize_t sent;
    do {
        sent = sendmsg(link, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

/* sendmsg does not change what it sends, which it takes as not constant. */
static struct iovec part_of(const void *bytes, size_t length)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
}

bool sl_sound_send_draft(int link, uint16_t kind, const void *payload, size_t length)
{
    const struct {
        uint16_t kind;
        uint16_t version;
        uint32_t length;
    } head = {.kind = kind, .version = 1, .length = (uint32_t)length};
    static_assert(offsetof(sl_sound_message, as.draft.payload) == offsetof(sl_sound_message, as) + sizeof head,
                  "the payload is behind these");
    if (length > SL_SOUND_DRAFT_BYTES) return false;
    return send_parts(link, SL_SOUND_DRAFT, part_of(&head, sizeof head), part_of(payload, length));
}

bool sl_sound_send_parameters(int link, const sl_sound_parameters *parameters)
{
    return send_parts(link, SL_SOUND_PARAMETERS, part_of(parameters, sizeof *parameters), part_of(NULL, 0));
}

bool sl_sound_send_mark(int link, const sl_applied *mark)
{
    uint8_t bytes[MARK_BYTES_MAX];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    return sl_applied_encode(mark, &writer) == SL_OK &&
           sl_sound_send_draft(link, SL_KIND_APPLIED, bytes, writer.length);
}

bool sl_sound_say(int link, const char *format, ...)
{
    char line[SL_SOUND_SAY_BYTES] = {0};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    return send_parts(link, SL_SOUND_SAY, part_of(line, sizeof line), part_of(NULL, 0));
}

sl_err sl_sound_receive(int link, sl_sound_message *out)
{
    ssize_t length;
    do {
        length = recv(link, out, sizeof *out, MSG_DONTWAIT);
    } while (length < 0 && errno == EINTR);
    if (length < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? SL_ERR_NOT_FOUND : SL_ERR_END;
    if (length == 0) return SL_ERR_END;
    const bool has_type = (size_t)length >= offsetof(sl_sound_message, as);
    return has_type && (size_t)length == length_of(out) ? SL_OK : SL_ERR_MALFORMED;
}
