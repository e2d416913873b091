/* A disk that keeps the committed prefix, as records. What was not committed when the process died is not on it. */
#include "tests/sim/world.h"

#include "core/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { FRAME_BYTES = 8 + SL_RECORD_HEADER_BYTES };

static const uint8_t log_id[SL_LOG_ID_BYTES] = "simulated log 1";

void sim_disk_append(sim_world *world, const sl_event *event)
{
    sim_disk *disk = &world->disk;
    size_t needed = disk->length + FRAME_BYTES + event->length;
    if (needed > disk->capacity) {
        disk->capacity = needed * 2;
        disk->bytes = realloc(disk->bytes, disk->capacity);
        if (disk->bytes == NULL) abort();
    }
    uint8_t *at = disk->bytes + disk->length;
    sl_put_le(at, event->seq, 8);
    sl_record_encode(event, log_id, at + 8);
    if (event->length > 0) memcpy(at + FRAME_BYTES, event->payload, event->length);
    disk->length = needed;
    disk->last_seq = event->seq;
}

bool sim_disk_read(sim_world *world, size_t *at, sl_event *out)
{
    const sim_disk *disk = &world->disk;
    if (*at == disk->length) return false;
    const uint8_t *frame = disk->bytes + *at;
    sl_err err = sl_record_decode(frame + 8, SL_RECORD_HEADER_BYTES, out);
    if (err == SL_OK) {
        out->seq = sl_get_le(frame, 8);
        out->payload = frame + FRAME_BYTES;
        err = sl_record_check(out, log_id, frame + 8);
    }
    if (err != SL_OK) {
        sim_fail(world, "record at byte %zu: %s", *at, sl_err_text(err));
        return false;
    }
    *at += FRAME_BYTES + out->length;
    return true;
}
