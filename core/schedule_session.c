/* Sessions: which tracks the code has. A session never changes; an edit makes another, which shares what is the same.
 */
#include "core/schedule_internal.h"

#include <string.h>

static size_t size_of(uint32_t count)
{
    return sizeof(sl_session_view) + count * sizeof(sl_session_entry);
}

sl_err sl_session_make(sl_memory memory, uint32_t count, sl_session_view **out)
{
    sl_session_view *session = memory.resize(memory.ctx, NULL, 0, size_of(count));
    if (session == NULL) return SL_ERR_MEMORY;
    memset(session, 0, size_of(count));
    session->holders = 1;
    session->count = count;
    *out = session;
    return SL_OK;
}

sl_session_view *sl_session_hold(sl_session_view *session)
{
    if (session != NULL) session->holders++;
    return session;
}

void sl_session_drop(sl_session_view *session, sl_memory memory)
{
    if (session == NULL || --session->holders > 0) return;
    for (uint32_t i = 0; i < session->count; i++) sl_code_track_drop(session->entries[i].track, memory);
    memory.resize(memory.ctx, session, size_of(session->count), 0);
}

sl_code_track *sl_code_track_hold(sl_code_track *track)
{
    track->holders++;
    return track;
}

void sl_code_track_drop(sl_code_track *track, sl_memory memory)
{
    if (track == NULL || --track->holders > 0) return;
    sl_part_drop(track->part);
    memory.resize(memory.ctx, track, sizeof *track + track->head_length, 0);
}

/* Makes a track of its head's bytes, which were checked; takes over a holder of `part`. */
static sl_err make_track(sl_memory memory, const uint8_t *head, size_t head_length, sl_part *part, sl_code_track **out)
{
    sl_code_track *track = memory.resize(memory.ctx, NULL, 0, sizeof *track + head_length);
    if (track == NULL) {
        sl_part_drop(part);
        return SL_ERR_MEMORY;
    }
    *track = (sl_code_track){.holders = 1, .part = part, .head_length = head_length};
    memcpy(track->head, head, head_length);
    sl_reader reader = {.bytes = track->head, .length = head_length};
    size_t length;
    track->name = sl_read_text(&reader, &length);
    track->name_length = (uint32_t)length;
    track->channel = (uint8_t)sl_read_le(&reader, 1);
    track->instrument = sl_read_text(&reader, &length);
    track->instrument_length = (uint32_t)length;
    track->params = sl_read_text(&reader, &length);
    track->params_length = (uint32_t)length;
    track->effect_count = (uint8_t)sl_read_le(&reader, 1);
    track->effects = track->head + reader.position;
    track->effects_length = head_length - reader.position;
    uint8_t both[2 * SL_DIGEST_BYTES];
    sl_digest digest = sl_digest_bytes(head, head_length);
    sl_put_le(both, digest.low, 8);
    sl_put_le(both + 8, digest.high, 8);
    sl_put_le(both + 16, part->digest.low, 8);
    sl_put_le(both + 24, part->digest.high, 8);
    track->digest = sl_digest_bytes(both, sizeof both);
    *out = track;
    return SL_OK;
}

sl_err sl_code_track_make(sl_memory memory, const sl_score_track *score, sl_code_track *like, sl_code_track **out,
                          sl_score_error *error)
{
    sl_part *part = NULL;
    bool is_same_music = like != NULL && sl_digest_equal(sl_part_digest(score), like->part->digest);
    bool is_same_head = like != NULL && like->head_length == score->music_position &&
                        memcmp(like->head, score->bytes, like->head_length) == 0;
    if (is_same_music && is_same_head) {
        *out = sl_code_track_hold(like);
        return SL_OK;
    }
    if (is_same_music) {
        part = sl_part_hold(like->part);
    } else {
        sl_err err = sl_part_compile(score, memory, &part, error);
        if (err != SL_OK) return err;
    }
    return make_track(memory, score->bytes, score->music_position, part, out);
}

typedef struct text {
    const char *bytes;
    size_t length;
} text;

static bool is_text(text a, const char *bytes, size_t length)
{
    return a.length == length && memcmp(a.bytes, bytes, length) == 0;
}

/* The effects as they were, but the one so named; its place is where it was, or the end. */
static sl_err write_effects(const sl_code_track *track, const sl_transport *effect, sl_writer *out)
{
    size_t count_at = out->length;
    unsigned count = track->effect_count;
    bool is_put = effect == NULL;
    sl_write_le(out, count, 1);
    sl_reader reader = {.bytes = track->effects, .length = track->effects_length};
    for (unsigned i = 0; i < track->effect_count; i++) {
        text name, params;
        name.bytes = sl_read_text(&reader, &name.length);
        params.bytes = sl_read_text(&reader, &params.length);
        if (!is_put && is_text(name, effect->name, effect->name_length)) {
            params = (text){effect->params, effect->params_length};
            is_put = true;
        }
        sl_write_text(out, name.bytes, name.length);
        sl_write_text(out, params.bytes, params.length);
    }
    if (is_put) return SL_OK;
    if (count == SL_SCORE_EFFECTS_MAX) return SL_ERR_FULL;
    sl_put_le(out->bytes + count_at, count + 1, 1);
    sl_write_text(out, effect->name, effect->name_length);
    sl_write_text(out, effect->params, effect->params_length);
    return SL_OK;
}

sl_err sl_code_track_change(sl_memory memory, const sl_code_track *track, const sl_transport *change,
                            sl_code_track **out)
{
    size_t capacity = track->head_length + change->name_length + change->params_length + 16;
    uint8_t *head = memory.resize(memory.ctx, NULL, 0, capacity);
    if (head == NULL) return SL_ERR_MEMORY;
    sl_writer writer = {.bytes = head, .capacity = capacity};
    bool is_instrument = change->action == SL_TRANSPORT_INSTRUMENT;
    text instrument = {track->instrument, track->instrument_length}, params = {track->params, track->params_length};
    if (is_instrument) instrument = (text){change->name, change->name_length};
    if (is_instrument) params = (text){change->params, change->params_length};
    sl_write_text(&writer, track->name, track->name_length);
    sl_write_le(&writer, change->action == SL_TRANSPORT_CHANNEL ? (uint8_t)change->value : track->channel, 1);
    sl_write_text(&writer, instrument.bytes, instrument.length);
    sl_write_text(&writer, params.bytes, params.length);
    sl_err err = write_effects(track, change->action == SL_TRANSPORT_EFFECT ? change : NULL, &writer);
    if (err == SL_OK) err = make_track(memory, head, writer.length, sl_part_hold(track->part), out);
    memory.resize(memory.ctx, head, capacity, 0);
    return err;
}

int64_t sl_session_find(const sl_session_view *session, const char *name, size_t length, uint32_t hint)
{
    for (uint32_t i = 0; i <= session->count; i++) {
        uint32_t at = i == 0 ? hint : i - 1;
        if (at >= session->count) continue;
        const sl_code_track *track = session->entries[at].track;
        if (track != NULL && track->name_length == length && memcmp(track->name, name, length) == 0) return at;
    }
    return -1;
}

/* Puts a score's track into the session being made, which has room. */
static sl_err put_track(sl_memory memory, const sl_session_view *present, sl_session_view *made,
                        const sl_score_track *score, sl_score_error *error)
{
    int64_t old = sl_session_find(present, score->name, score->name_length, made->count);
    sl_code_track *track;
    sl_err err = sl_code_track_make(memory, score, old >= 0 ? present->entries[old].track : NULL, &track, error);
    if (err == SL_OK) made->entries[made->count++] = (sl_session_entry){.track = track};
    return err;
}

/* Names that stand where they stood before differ, as those did; where one does not, all are looked at. */
static bool has_twins(const sl_session_view *made, const sl_session_view *present)
{
    bool is_as_before = made->count <= present->count;
    for (uint32_t i = 0; i < made->count && is_as_before; i++) {
        const sl_code_track *track = made->entries[i].track, *old = present->entries[i].track;
        is_as_before = track == old || (track->name_length == old->name_length &&
                                        memcmp(track->name, old->name, old->name_length) == 0);
    }
    for (uint32_t i = 0; i < made->count && !is_as_before; i++) {
        const sl_code_track *track = made->entries[i].track;
        for (uint32_t j = 0; j < i; j++) {
            const sl_code_track *other = made->entries[j].track;
            if (other->name_length == track->name_length && memcmp(other->name, track->name, track->name_length) == 0)
                return true;
        }
    }
    return false;
}

static sl_err read_tracks(sl_memory memory, const sl_session_view *present, sl_reader *reader, uint32_t count,
                          sl_session_view *made, sl_score_error *error)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t begin = reader->position;
        sl_score_track track;
        error->position = 0;
        sl_err err = sl_score_read_track(reader, &track, &error->what);
        if (err == SL_OK) err = put_track(memory, present, made, &track, error);
        error->position += begin + 4;
        if (err != SL_OK) return err;
    }
    error->position = reader->position;
    error->what = has_twins(made, present) ? "two tracks of one name" : "more bytes than a score";
    return reader->position == reader->length && !has_twins(made, present) ? SL_OK : SL_ERR_MALFORMED;
}

/* A score of some tracks: they take their places, or come behind the others. */
static sl_err merge(sl_memory memory, const sl_session_view *present, sl_session_view *part, sl_session_view **out)
{
    sl_session_view *made;
    sl_err err = sl_session_make(memory, present->count + part->count, &made);
    if (err != SL_OK) return err;
    made->count = 0;
    for (uint32_t i = 0; i < present->count; i++) {
        sl_session_entry entry = present->entries[i];
        int64_t at = sl_session_find(part, entry.track->name, entry.track->name_length, i);
        if (at >= 0) entry = part->entries[at];
        made->entries[made->count++] =
            (sl_session_entry){.track = sl_code_track_hold(entry.track), .is_stopped = entry.is_stopped};
    }
    for (uint32_t i = 0; i < part->count; i++) {
        sl_code_track *track = part->entries[i].track;
        if (sl_session_find(present, track->name, track->name_length, i) >= 0) continue;
        made->entries[made->count++] = (sl_session_entry){.track = sl_code_track_hold(track)};
    }
    uint32_t count = made->count;
    if (size_of(count) < size_of(present->count + part->count)) {
        size_t old_size = size_of(present->count + part->count);
        sl_session_view *shrunk = memory.resize(memory.ctx, made, old_size, size_of(count));
        if (shrunk == NULL) {
            made->count = present->count + part->count;
            sl_session_drop(made, memory);
            return SL_ERR_MEMORY;
        }
        made = shrunk;
    }
    *out = made;
    return SL_OK;
}

sl_err sl_session_after_score(sl_memory memory, const sl_session_view *present, const sl_event *event,
                              sl_session_view **out, sl_score_error *error)
{
    *error = (sl_score_error){.what = "a version that is not known"};
    if (event->version != SL_SCORE_VERSION) return SL_ERR_VERSION;
    error->what = "a score that is too long";
    if (event->length > SL_SCORE_BYTES_MAX) return SL_ERR_MALFORMED;
    sl_reader reader = {.bytes = event->payload, .length = event->length};
    sl_score_head head;
    sl_err err = sl_score_read_head(&reader, &head, &error->what);
    sl_session_view *made = NULL;
    if (err == SL_OK) err = sl_session_make(memory, head.track_count, &made);
    if (err != SL_OK) return err;
    made->count = 0;
    err = read_tracks(memory, present, &reader, head.track_count, made, error);
    made->count = head.track_count; /* entries that were not read are empty */
    if (err == SL_OK && !head.replaces) {
        sl_session_view *merged = NULL;
        err = merge(memory, present, made, &merged);
        sl_session_drop(made, memory);
        made = merged;
        if (err == SL_OK && made->count > SL_SCORE_TRACKS_MAX) {
            error->what = "too many tracks";
            err = SL_ERR_MALFORMED;
        }
    }
    if (err != SL_OK) {
        sl_session_drop(made, memory);
        return err;
    }
    made->bpm = head.has_tempo ? head.bpm : present->bpm;
    made->numerator = head.has_signature ? head.numerator : present->numerator;
    made->denominator = head.has_signature ? head.denominator : present->denominator;
    *out = made;
    return SL_OK;
}
