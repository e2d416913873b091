/* The processor that sounds, and the change to the next one. */
#include "tools/symlog/processor_slot.h"

#include <string.h>

static void run(sl_processor_slot *slot, sl_processor *processor, const float *const in[2], float *const out[2],
                size_t frames, const symlog_transport *transport);
static size_t run_fading(sl_processor_slot *slot, const float *const in[2], float *const out[2], size_t frames,
                         const symlog_transport *transport);

sl_err sl_processor_slot_offer(sl_processor_slot *slot, sl_processor *processor)
{
    if (slot->is_offered) return SL_ERR_BUSY;
    slot->is_offered = true;
    atomic_store_explicit(&slot->offered, processor, memory_order_release);
    return SL_OK;
}

bool sl_processor_slot_collect(sl_processor_slot *slot, sl_processor **former)
{
    const unsigned taken = atomic_load_explicit(&slot->taken, memory_order_acquire);
    if (taken == slot->collected) return false;
    slot->collected = taken;
    slot->is_offered = false;
    *former = slot->returned;
    return true;
}

sl_processor *sl_processor_slot_withdraw(sl_processor_slot *slot)
{
    sl_processor *offered = atomic_exchange_explicit(&slot->offered, NULL, memory_order_acq_rel);
    if (offered != NULL) slot->is_offered = false;
    return offered;
}

unsigned sl_processor_slot_entered(const sl_processor_slot *slot)
{
    return atomic_load_explicit(&slot->entered, memory_order_acquire);
}

void sl_processor_slot_close(sl_processor_slot *slot)
{
    sl_processor *former = NULL;
    if (sl_processor_slot_collect(slot, &former)) sl_processor_close(former);
    sl_processor_close(sl_processor_slot_withdraw(slot));
    sl_processor_close(slot->former);
    sl_processor_close(slot->current);
    memset(slot, 0, sizeof *slot);
}

static void take_over(sl_processor_slot *slot)
{
    if (slot->is_fading || atomic_load_explicit(&slot->offered, memory_order_relaxed) == NULL) return;
    sl_processor *next = atomic_exchange_explicit(&slot->offered, NULL, memory_order_acq_rel);
    if (next == NULL) return; /* withdrawn in between */
    slot->former = slot->current;
    slot->current = next;
    slot->is_fading = true;
    slot->faded = 0;
}

void sl_processor_slot_run(sl_processor_slot *slot, const float *const in[2], float *const out[2], size_t frames,
                           const symlog_transport *transport)
{
    take_over(slot);
    size_t done = 0;
    while (done < frames && slot->is_fading) {
        const symlog_transport now = sl_processor_later(transport, done, sl_processor_rate(slot->current));
        const float *const in_part[2] = {in[0] + done, in[1] + done};
        float *const out_part[2] = {out[0] + done, out[1] + done};
        done += run_fading(slot, in_part, out_part, frames - done, &now);
    }
    if (done == frames) return;
    if (slot->current == NULL) {
        for (int side = 0; side < 2; side++) memset(out[side], 0, frames * sizeof *out[side]);
        return;
    }
    const symlog_transport now = sl_processor_later(transport, done, sl_processor_rate(slot->current));
    const float *const in_rest[2] = {in[0] + done, in[1] + done};
    float *const out_rest[2] = {out[0] + done, out[1] + done};
    run(slot, slot->current, in_rest, out_rest, frames - done, &now);
}

static void run(sl_processor_slot *slot, sl_processor *processor, const float *const in[2], float *const out[2],
                size_t frames, const symlog_transport *transport)
{
    atomic_fetch_add_explicit(&slot->entered, 1, memory_order_acq_rel);
    sl_processor_run(processor, in, out, frames, transport);
    atomic_fetch_add_explicit(&slot->entered, 1, memory_order_acq_rel);
}

/* Both hear the same, so their sum in a straight line keeps the level. Returns the frames made: to the end of the fade,
 * or as many as there is room for. */
static size_t run_fading(sl_processor_slot *slot, const float *const in[2], float *const out[2], size_t frames,
                         const symlog_transport *transport)
{
    const uint32_t length = sl_processor_ramp_frames(slot->current);
    size_t count = length - slot->faded;
    if (count > frames) count = frames;
    if (count > SYMLOG_FRAMES_MAX) count = SYMLOG_FRAMES_MAX;
    float *const other[2] = {slot->other[0], slot->other[1]};
    memset(slot->other, 0, sizeof slot->other);
    if (slot->former != NULL) run(slot, slot->former, in, other, count, transport);
    run(slot, slot->current, in, out, count, transport);
    for (size_t i = 0; i < count; i++) {
        const float part = (float)(slot->faded + i + 1) / (float)length;
        for (int side = 0; side < 2; side++) out[side][i] = other[side][i] + (out[side][i] - other[side][i]) * part;
    }
    slot->faded += (uint32_t)count;
    if (slot->faded == length) {
        slot->is_fading = false;
        slot->returned = slot->former;
        slot->former = NULL;
        atomic_fetch_add_explicit(&slot->taken, 1, memory_order_release);
    }
    return count;
}
