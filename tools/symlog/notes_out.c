/* The player's notes as MIDI. */
#include "tools/symlog/notes_out.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHANNELS = SL_SCHEDULE_CHANNELS,
    KEYS = 128,
    NOTE_OFF = 0x80,
    NOTE_ON = 0x90,
    CONTROLLER = 0xB0,
    ALL_NOTES_OFF = 123,
    RELEASE_VELOCITY = 64, /* what stands for none */
    BATCH_BYTES = 512 * SL_NOTES_MESSAGE_BYTES
};

struct sl_notes_out {
    sl_notes_out_options options;
    sl_notes_line *line;           /* NULL: shared */
    uint32_t held[CHANNELS][KEYS]; /* how often a key was struck and not let go */
    bool is_used[CHANNELS];        /* since all was let go */
    uint8_t batch[BATCH_BYTES];    /* to be written at once */
    size_t batch_length;
};

static void add(sl_notes_out *out, unsigned status, unsigned channel, uint8_t first, uint8_t second);
static void flush(sl_notes_out *out);
static void let_go(sl_notes_out *out, bool is_panic);

sl_err sl_notes_out_start(sl_notes_out **out, const sl_notes_out_options *options)
{
    sl_notes_out *made = calloc(1, sizeof *made);
    if (made == NULL) return SL_ERR_MEMORY;
    made->options = *options;
    sl_err err = SL_OK;
    if (options->shared == NULL) {
        sl_notes_line_options line = {.name = options->target, .say = options->say, .say_ctx = options->say_ctx};
        const bool is_path = strchr(options->target, '/') != NULL;
        err = is_path ? sl_midi_file_create_out(options->target, &line.way)
                      : sl_midi_named_create(options->target, &line.way);
        if (err == SL_OK) err = sl_notes_line_start(&made->line, &line);
    }
    if (err == SL_OK) *out = made;
    if (err != SL_OK) free(made);
    return err;
}

void sl_notes_out_stop(sl_notes_out *out, unsigned patience_ms)
{
    if (out == NULL) return;
    sl_notes_line_stop(out->line, patience_ms);
    free(out);
}

void sl_notes_out_send(sl_notes_out *out, const sl_planned *planned, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const sl_planned *each = &planned[i];
        if (each->type == SL_PLANNED_SILENCE || each->type == SL_PLANNED_PANIC)
            let_go(out, each->type == SL_PLANNED_PANIC);
        if (each->type != SL_PLANNED_NOTE) continue;
        const unsigned channel = each->channel - 1U;
        assert(channel < CHANNELS && each->pitch < KEYS);
        uint32_t *held = &out->held[channel][each->pitch];
        if (each->is_start) {
            *held += 1;
            out->is_used[channel] = true;
            add(out, NOTE_ON, channel, each->pitch, each->velocity);
        } else {
            *held -= *held > 0;
            add(out, NOTE_OFF, channel, each->pitch, RELEASE_VELOCITY);
        }
    }
    flush(out);
}

void sl_notes_out_let_go(sl_notes_out *out)
{
    let_go(out, false);
    flush(out);
}

static void let_go(sl_notes_out *out, bool is_panic)
{
    for (unsigned channel = 0; channel < CHANNELS; channel++) {
        for (unsigned key = 0; key < KEYS; key++) {
            if (out->held[channel][key] > 0) add(out, NOTE_OFF, channel, (uint8_t)key, RELEASE_VELOCITY);
            out->held[channel][key] = 0;
        }
        if (is_panic || out->is_used[channel]) add(out, CONTROLLER, channel, ALL_NOTES_OFF, 0);
        out->is_used[channel] = false;
    }
}

static void add(sl_notes_out *out, unsigned status, unsigned channel, uint8_t first, uint8_t second)
{
    if (out->batch_length + SL_NOTES_MESSAGE_BYTES > sizeof out->batch) flush(out);
    uint8_t *at = out->batch + out->batch_length;
    at[0] = (uint8_t)(status | channel);
    at[1] = first;
    at[2] = second;
    out->batch_length += SL_NOTES_MESSAGE_BYTES;
}

static void flush(sl_notes_out *out)
{
    if (out->batch_length > 0 && out->line != NULL) sl_notes_line_send(out->line, out->batch, out->batch_length);
    if (out->batch_length > 0 && out->line == NULL) {
        /* Its queue takes it as a whole; what finds no room is counted there. */
        if (sl_midi_port_send(out->options.shared, out->batch, out->batch_length) != SL_OK) out->batch_length = 0;
    }
    out->batch_length = 0;
}

void sl_notes_out_write(const sl_notes_out *out, sl_text *text)
{
    sl_notes_counts counts = {0};
    if (out->line != NULL) counts = sl_notes_line_counts(out->line);
    if (out->line == NULL) counts.is_open = sl_midi_port_is_open(out->options.shared);
    sl_text_string(text, "{\"name\":");
    sl_text_json(text, out->options.target, strlen(out->options.target));
    sl_text_string(text, counts.is_open ? ",\"is_open\":true,\"sent\":" : ",\"is_open\":false,\"sent\":");
    sl_text_u64(text, counts.sent);
    sl_text_string(text, ",\"dropped\":");
    sl_text_u64(text, counts.dropped);
    sl_text_string(text, "}");
}
