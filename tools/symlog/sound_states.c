/* Saved states of the renderer, as snapshots of their own. */
#include "tools/symlog/sound_states.h"

#include "core/reduce.h"
#include "store/snapshots.h"
#include "tools/symlog/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* The names of tracks and notes in a state are the schedule's, so it is the reducer's version, too. */
enum { VERSION = (SL_REDUCER_VERSION << 20) | (SL_RENDERER_VERSION << 10) | SL_PLAYBACK_VERSION };

struct sl_sound_states {
    sl_snapshots *snapshots;
    sl_text bytes;
};

static sl_err forget_others(sl_sound_states *states, sl_log *log);
static sl_err load(sl_sound_states *states, uint64_t seq, sl_playback **out);
static void put(void *ctx, const void *bytes, size_t length);

sl_err sl_sound_states_open(sl_sound_states **out, const char *db, sl_log *log, bool is_writer, char errmsg[256])
{
    char dir[SL_HOST_DIR_BYTES];
    char path[SL_HOST_DIR_BYTES + sizeof "/sound"];
    *out = NULL;
    if (!sl_host_db_dir(db, dir, sizeof dir, errmsg)) return SL_ERR_NOT_FOUND;
    snprintf(path, sizeof path, "%s/sound", dir);
    sl_sound_states *states = calloc(1, sizeof *states);
    if (states == NULL) {
        snprintf(errmsg, 256, "%s", sl_err_text(SL_ERR_MEMORY));
        return SL_ERR_MEMORY;
    }
    sl_text_open(&states->bytes, sl_host_memory());
    const sl_snapshots_options options = {
        .dir = path,
        .log_id = sl_log_id(log),
        .is_writer = is_writer,
        .bytes_max = SL_SOUND_STATES_BYTES_MAX,
    };
    sl_err err = sl_snapshots_open(&states->snapshots, &options, NULL, errmsg);
    if (err == SL_OK && is_writer) {
        err = forget_others(states, log);
        if (err != SL_OK) snprintf(errmsg, 256, "%.255s", sl_snapshots_error(states->snapshots));
    }
    if (err == SL_OK) {
        *out = states;
    } else {
        sl_sound_states_close(states);
    }
    return err;
}

/* The log may have lost its end, and was perhaps pruned. */
static sl_err forget_others(sl_sound_states *states, sl_log *log)
{
    sl_log_beginning beginning;
    uint64_t last = 0;
    sl_err err = sl_log_begins(log, &beginning);
    if (err == SL_OK) err = sl_log_last(log, &last);
    return err == SL_OK ? sl_snapshots_keep(states->snapshots, VERSION, beginning.first_seq - 1, last) : err;
}

sl_sound_states *sl_sound_states_find(const char *db, sl_log *log)
{
    char errmsg[256];
    sl_sound_states *states = NULL;
    const sl_err err = sl_sound_states_open(&states, db, log, false, errmsg);
    if (err != SL_OK && err != SL_ERR_NOT_FOUND) fprintf(stderr, "symlog: goes without saved sound: %s\n", errmsg);
    return states;
}

void sl_sound_states_close(sl_sound_states *states)
{
    if (states == NULL) return;
    sl_snapshots_close(states->snapshots);
    sl_text_close(&states->bytes);
    free(states);
}

sl_err sl_sound_states_save(sl_sound_states *states, uint64_t seq, const sl_playback *playback)
{
    sl_text_clear(&states->bytes);
    sl_playback_encode(playback, put, &states->bytes);
    if (states->bytes.bad) return SL_ERR_MEMORY;
    return sl_sound_states_save_bytes(states, seq, states->bytes.bytes, states->bytes.length);
}

sl_err sl_sound_states_save_bytes(sl_sound_states *states, uint64_t seq, const char *bytes, size_t length)
{
    const sl_snapshot snapshot = {.seq = seq, .reducer_version = VERSION, .digest = sl_digest_bytes(bytes, length)};
    return sl_snapshots_put(states->snapshots, &snapshot, bytes, length);
}

static void put(void *ctx, const void *bytes, size_t length)
{
    sl_text_bytes(ctx, bytes, length);
}

sl_err sl_sound_states_nearest(sl_sound_states *states, uint64_t seq, uint64_t *found, sl_playback **out)
{
    *out = NULL;
    *found = 0;
    for (;;) {
        if (sl_snapshots_nearest(states->snapshots, VERSION, seq, found) != SL_OK) return SL_ERR_NOT_FOUND;
        const sl_err err = load(states, *found, out);
        if (err == SL_OK || err == SL_ERR_MEMORY) return err;
        if (*found == 0) return SL_ERR_NOT_FOUND;
        seq = *found - 1;
    }
}

static sl_err load(sl_sound_states *states, uint64_t seq, sl_playback **out)
{
    sl_snapshot snapshot = {.seq = seq, .reducer_version = VERSION};
    sl_text_clear(&states->bytes);
    sl_err err = sl_snapshots_read(states->snapshots, &snapshot, &states->bytes);
    if (err != SL_OK) return err;
    const sl_digest digest = sl_digest_bytes(states->bytes.bytes, states->bytes.length);
    if (!sl_digest_equal(digest, snapshot.digest)) return SL_ERR_CORRUPT;
    sl_reader reader = {.bytes = (const uint8_t *)states->bytes.bytes, .length = states->bytes.length};
    return sl_playback_decode(&reader, sl_host_memory(), out);
}

const char *sl_sound_states_error(const sl_sound_states *states)
{
    return sl_snapshots_error(states->snapshots);
}
