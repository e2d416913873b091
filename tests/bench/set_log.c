/* Making long logs, a million events at a time. */
#include "tests/bench/set_log.h"

#include "core/payload.h"
#include "core/picture.h"
#include "tests/bench/bench.h"
#include "tests/bench/set_mix.h"

enum { CHUNK = 1000000, BATCH = 4096, CHECKPOINT_BYTES = 64 };

static void append_all(sl_log *log, const sl_event *events, size_t count);
static void append_changes(sl_log *log, sl_state *state, sl_event *events, size_t count, size_t checkpoint_every);
static void append_checkpoint(sl_log *log, sl_state *state);

uint64_t set_log_make(const char *dir, set_shape shape, size_t events, size_t checkpoint_every)
{
    char errmsg[SL_LOG_ERRMSG_BYTES];
    sl_log *log = NULL;
    const sl_log_options options = {.dir = dir, .is_writer = true, .durability = SL_DURABILITY_PROCESS};
    if (sl_log_open(&log, &options, errmsg) != SL_OK) bench_die("%s", errmsg);
    set_picture picture = set_picture_make(shape);
    const sl_event first = {.kind = SL_KIND_PICTURE,
                            .version = SL_PICTURE_VERSION,
                            .source = 1,
                            .session = 1,
                            .source_seq = SL_SOURCE_SEQ_NONE,
                            .payload = picture.bytes,
                            .length = (uint32_t)picture.length};
    append_all(log, &first, 1);
    sl_state *state = checkpoint_every > 0 ? set_state_create(&picture) : NULL;
    for (uint64_t made = 1; made < events; made += CHUNK) {
        set_stream stream;
        set_stream_open(&stream, CHUNK);
        stream.next_number = made - 1;
        set_mix_attributes(&stream, shape, CHUNK);
        if (state != NULL) {
            append_changes(log, state, stream.events, stream.count, checkpoint_every);
        } else {
            append_all(log, stream.events, stream.count);
        }
        set_stream_close(&stream);
    }
    uint64_t last = 0;
    if (sl_log_last(log, &last) != SL_OK) bench_die("%s", sl_log_error(log));
    sl_state_destroy(state);
    set_picture_free(&picture);
    sl_log_close(log);
    return last;
}

static void append_all(sl_log *log, const sl_event *events, size_t count)
{
    for (size_t i = 0; i < count; i += BATCH) {
        const size_t part = count - i < BATCH ? count - i : BATCH;
        if (sl_log_append(log, events + i, part, NULL) != SL_OK) bench_die("%s", sl_log_error(log));
    }
}

static void append_changes(sl_log *log, sl_state *state, sl_event *events, size_t count, size_t checkpoint_every)
{
    for (size_t begin = 0; begin < count; begin += checkpoint_every) {
        const size_t part = count - begin < checkpoint_every ? count - begin : checkpoint_every;
        append_all(log, events + begin, part);
        for (size_t i = 0; i < part; i++) {
            events[begin + i].seq = sl_state_seq(state) + 1;
            if (sl_reduce(state, &events[begin + i], NULL) != SL_OK) bench_die("out of memory");
        }
        append_checkpoint(log, state);
    }
}

static void append_checkpoint(sl_log *log, sl_state *state)
{
    sl_checkpoint checkpoint = {.through_seq = sl_state_seq(state), .reducer_version = SL_REDUCER_VERSION};
    uint8_t bytes[CHECKPOINT_BYTES];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_state_digests(state, NULL, &checkpoint.digest);
    if (sl_checkpoint_encode(&checkpoint, &writer) != SL_OK) bench_die("a checkpoint does not fit");
    const sl_event event = {.seq = checkpoint.through_seq + 1,
                            .kind = SL_KIND_CHECKPOINT,
                            .version = SL_PAYLOAD_VERSION,
                            .source = SL_SOURCE_SELF,
                            .source_seq = SL_SOURCE_SEQ_NONE,
                            .payload = bytes,
                            .length = (uint32_t)writer.length};
    append_all(log, &event, 1);
    if (sl_reduce(state, &event, NULL) != SL_OK) bench_die("out of memory");
}
