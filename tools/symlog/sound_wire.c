/* Messages between serve and its sound process. */
#include "tools/symlog/sound_wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

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

bool sl_sound_send_draft(int link, uint16_t kind, const void *payload, size_t length)
{
    static _Thread_local sl_sound_message message;
    if (length > SL_SOUND_DRAFT_BYTES) return false;
    message.type = SL_SOUND_DRAFT;
    message.as.draft.kind = kind;
    message.as.draft.version = 1;
    message.as.draft.length = (uint32_t)length;
    memcpy(message.as.draft.payload, payload, length);
    return sl_sound_send(link, &message);
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
    static _Thread_local sl_sound_message message;
    va_list arguments;
    va_start(arguments, format);
    message.type = SL_SOUND_SAY;
    vsnprintf(message.as.line, sizeof message.as.line, format, arguments);
    va_end(arguments);
    return sl_sound_send(link, &message);
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
