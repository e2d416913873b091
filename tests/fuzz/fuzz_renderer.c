/* The renderer with params of any bytes, and bytes that claim to be a renderer's state. */
#include "core/heap.h"
#include "core/renderer.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAMES = 200 };

static void render(sl_renderer *renderer)
{
    float samples[2 * FRAMES];
    sl_renderer_render(renderer, samples, FRAMES);
}

static void play_params(const char *params, size_t length)
{
    static const char *const effects[] = {"drive", "filter", "chorus", "delay", "reverb"};
    static sl_renderer *renderer;
    static uint64_t ordinal;
    uint32_t track;
    if (renderer == NULL && sl_renderer_create(sl_heap_memory(), 48000, &renderer) != SL_OK) return;
    if (sl_renderer_track(renderer, "a", 1, &track) != SL_OK) return;
    for (uint32_t i = 0; i < SL_INSTRUMENT_COUNT; i++) {
        const sl_renderer_effect effect = {effects[i % 5], i % 5 == 0 || i % 5 == 3 ? 5 : 6, params, length};
        sl_renderer_set_instrument(renderer, track, (sl_instrument)i, params, length);
        sl_renderer_set_effects(renderer, track, &effect, 1);
        sl_renderer_start(renderer, track, (sl_renderer_note){1, ordinal++}, params[0] & 127, 100);
    }
    float samples[2 * FRAMES];
    sl_renderer_render(renderer, samples, FRAMES);
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) assert(samples[i] >= -1 && samples[i] <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sl_reader reader = {.bytes = data, .length = size};
    sl_renderer *renderer;
    if (size == 0) return 0;
    if (sl_renderer_decode(&reader, sl_heap_memory(), &renderer) == SL_OK) render(renderer);
    sl_renderer_destroy(renderer);
    play_params((const char *)data, size);
    return 0;
}
