/*
 * Where the audio thread finds the processor that sounds, and where another thread changes it: the new one takes over
 * at the beginning of a block, old and new sound together for SL_PROCESSOR_RAMP_MS, one fading out and one in (so there
 * is neither gap nor step), and the old one is handed back, to be closed where time does not matter.
 *
 *     control thread                      audio thread
 *     sl_processor_load, _inherit
 *     sl_processor_slot_offer ──────────► sl_processor_slot_run: takes it at the block's beginning
 *     sl_processor_slot_collect ◄──────── the old one, once it has faded
 *     sl_processor_close
 *
 * The control thread is one thread, or several that exclude each other.
 */
#ifndef SL_TOOLS_PROCESSOR_SLOT_H
#define SL_TOOLS_PROCESSOR_SLOT_H

#include "tools/symlog/processor.h"

#include <stdatomic.h>

/* All zero: an empty one, which sounds like silence. */
typedef struct sl_processor_slot {
    /* Both threads. */
    sl_processor *_Atomic offered; /* NULL: none, or it was taken */
    sl_processor *returned;        /* written by the audio thread before it counts `taken` up; NULL: there was none */
    atomic_uint taken;             /* take-overs that are complete */
    atomic_uint entered;           /* odd while the user's code runs; any thread may read it */

    /* Control thread only. */
    unsigned collected; /* of `taken` */
    bool is_offered;    /* and was not collected yet */

    /* Audio thread only. */
    sl_processor *current;
    sl_processor *former; /* fading out */
    bool is_fading;
    uint32_t faded;                    /* frames of it */
    float other[2][SYMLOG_FRAMES_MAX]; /* what the former one says */
} sl_processor_slot;

/* Has `processor` take over; it is the slot's from now on. SL_ERR_BUSY: the last offer was not collected, or withdrawn,
 * yet. Control thread. */
sl_err sl_processor_slot_offer(sl_processor_slot *slot, sl_processor *processor);

/* True once for each take-over that is complete; *former is the caller's to close then (NULL: there was none before).
 * Control thread. */
bool sl_processor_slot_collect(sl_processor_slot *slot, sl_processor **former);

/* What was offered and not taken yet, the caller's again: no audio thread runs, or a newer one is there. NULL: none, or
 * it was just taken. Control thread. */
sl_processor *sl_processor_slot_withdraw(sl_processor_slot *slot);

/* As sl_processor_run, with the processor that counts now. The first one is faded in. The audio thread only. */
void sl_processor_slot_run(sl_processor_slot *slot, const float *const in[2], float *const out[2], size_t frames,
                           const symlog_transport *transport);

/* Odd while the audio thread is inside the user's code. Who reads the same odd number for much longer than a block
 * lasts has found an endless loop; only the end of the process ends it. Any thread. */
unsigned sl_processor_slot_entered(const sl_processor_slot *slot);

/* Closes all that it holds. The audio thread must have ended. */
void sl_processor_slot_close(sl_processor_slot *slot);

#endif
