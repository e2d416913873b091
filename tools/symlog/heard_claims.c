/* Heard events, judged. */
#include "tools/symlog/heard_claims.h"

#include "tools/symlog/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_MIN = 256 };

static sl_err see(sl_heard_claims *claims, const sl_event *event);
static uint64_t find_silence(const sl_log_marks *marks, uint64_t seq);
static int compare(const void *a, const void *b);
static sl_err prepare(sl_heard_claims *claims);
static void judge(sl_heard_claims *claims, uint32_t rate);

sl_err sl_heard_claims_read(sl_log *log, sl_range range, const sl_log_marks *marks, sl_heard_claims *out,
                            char errmsg[256])
{
    sl_log_reader *reader = NULL;
    *out = (sl_heard_claims){0};
    sl_err err = sl_log_reader_open(log, range.from, &reader);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(log));
        return err;
    }
    while (err == SL_OK && sl_log_reader_next_seq(reader) <= range.through) {
        sl_event event;
        err = sl_log_read(reader, &event);
        if (err != SL_OK && err != SL_ERR_END) sl_host_read_error(reader, err, errmsg);
        if (err != SL_OK) break;
        err = see(out, &event);
        if (err != SL_OK) snprintf(errmsg, 256, "%s", sl_err_text(err));
    }
    sl_log_reader_close(reader);
    if (err != SL_OK && err != SL_ERR_END) return err;
    for (size_t i = 0; i < out->count; i++) out->items[i].silent_to = find_silence(marks, out->items[i].seq);
    err = prepare(out);
    if (err != SL_OK) snprintf(errmsg, 256, "%s", sl_err_text(err));
    return err;
}

static sl_err see(sl_heard_claims *claims, const sl_event *event)
{
    sl_heard_claim claim = {.seq = event->seq, .time_ns = event->time_ns};
    if (event->kind != SL_KIND_HEARD) return SL_OK;
    if (sl_heard_decode(event, &claim.heard) != SL_OK || claim.heard.frame > UINT64_MAX - claim.heard.frames) {
        claims->unreadable++;
        return SL_OK;
    }
    if (claims->count == claims->capacity) {
        const size_t capacity = claims->capacity > 0 ? claims->capacity * 2 : ROOM_MIN;
        sl_heard_claim *items = realloc(claims->items, capacity * sizeof *items);
        if (items == NULL) return SL_ERR_MEMORY;
        claims->items = items;
        claims->capacity = capacity;
    }
    assert(claims->items != NULL);
    claims->items[claims->count++] = claim;
    return SL_OK;
}

/* A run is silent up to its first mark, whatever rang on when the one before it ended. 0: it is not known. */
static uint64_t find_silence(const sl_log_marks *marks, uint64_t seq)
{
    uint64_t start = 0;
    for (size_t i = 0; i < marks->start_count && marks->starts[i] < seq; i++) start = marks->starts[i];
    if (start == 0 || (marks->first_lost > 0 && marks->first_lost < seq)) return 0;
    const size_t index = sl_log_marks_at(marks, start);
    return index < marks->count ? marks->items[index].frame : UINT64_MAX;
}

/* Of those that begin with one frame the earlier event comes first. */
static int compare(const void *a, const void *b)
{
    const sl_heard_claim *first = a, *second = b;
    if (first->heard.frame != second->heard.frame) return first->heard.frame < second->heard.frame ? -1 : 1;
    return first->seq < second->seq ? -1 : first->seq > second->seq;
}

static uint64_t end_of(const sl_heard_claim *claim)
{
    return claim->heard.frame + claim->heard.frames;
}

/* Orders them, finds those that overlap an earlier one, and makes room for the longest. */
static sl_err prepare(sl_heard_claims *claims)
{
    uint64_t end = 0;
    size_t longest = 1;
    if (claims->count > 0) qsort(claims->items, claims->count, sizeof *claims->items, compare);
    for (size_t i = 0; i < claims->count; i++) {
        sl_heard_claim *claim = &claims->items[i];
        if (claim->heard.frame < end) claim->verdict = SL_HEARD_TWICE;
        if (end_of(claim) > end) end = end_of(claim);
        if (claim->heard.frames > longest) longest = claim->heard.frames;
    }
    claims->is_exact = true;
    claims->samples = malloc(longest * 2 * sizeof *claims->samples);
    return claims->samples != NULL ? SL_OK : SL_ERR_MEMORY;
}

void sl_heard_claims_clear(sl_heard_claims *claims)
{
    free(claims->items);
    free(claims->samples);
    *claims = (sl_heard_claims){0};
}

uint64_t sl_heard_claims_end(const sl_heard_claims *claims, uint64_t to)
{
    uint64_t end = 0;
    for (size_t i = claims->at; i < claims->count && claims->items[i].heard.frame < to; i++)
        if (end_of(&claims->items[i]) > end) end = end_of(&claims->items[i]);
    return end;
}

/* Passes on to the next claim that is not judged yet. */
static void pass_on(sl_heard_claims *claims)
{
    claims->at++;
    while (claims->at < claims->count && claims->items[claims->at].verdict == SL_HEARD_TWICE) claims->at++;
    claims->have = 0;
    claims->is_exact = true;
}

/* Adds silence up to a frame, as far as there is nothing else in the claim. */
static void add_silence(sl_heard_claims *claims, uint64_t to)
{
    const sl_heard_claim *claim = &claims->items[claims->at];
    const uint64_t now = claim->heard.frame + claims->have;
    if (to > claim->silent_to) to = claim->silent_to;
    if (to > end_of(claim)) to = end_of(claim);
    if (to <= now) return;
    memset(claims->samples + 2 * claims->have, 0, (size_t)(to - now) * 2 * sizeof *claims->samples);
    claims->have += to - now;
}

uint64_t sl_heard_claims_hear(sl_heard_claims *claims, const sl_performance_block *block)
{
    const uint64_t end = block->frame + block->frames;
    uint64_t covered = 0, now = block->frame;
    while (claims->at < claims->count && claims->items[claims->at].heard.frame < end) {
        const sl_heard_claim *claim = &claims->items[claims->at];
        if (now < claim->heard.frame) now = claim->heard.frame;
        const uint64_t to = end_of(claim) < end ? end_of(claim) : end;
        add_silence(claims, to > now ? to : now);
        const uint64_t from = claim->heard.frame + claims->have > now ? claim->heard.frame + claims->have : now;
        /* What lies before the first frame told, and what has no samples, leaves it without a judgement. */
        if (block->left_right != NULL && from < to && from == claim->heard.frame + claims->have) {
            memcpy(claims->samples + 2 * claims->have, block->left_right + 2 * (from - block->frame),
                   (size_t)(to - from) * 2 * sizeof *claims->samples);
            claims->have += to - from;
            claims->is_exact = claims->is_exact && block->is_exact;
        }
        if (now < to) covered += to - now;
        if (now < to) now = to;
        if (end_of(claim) > end) break;
        if (claims->have == claim->heard.frames) judge(claims, block->rate);
        pass_on(claims);
    }
    return block->frames - covered;
}

static void judge(sl_heard_claims *claims, uint32_t rate)
{
    sl_heard_claim *claim = &claims->items[claims->at];
    const sl_heard *heard = &claim->heard;
    claim->digest = sl_digest_bytes(claims->samples, (size_t)heard->frames * 2 * sizeof *claims->samples);
    if (heard->missed > 0)
        claim->verdict = SL_HEARD_UNDERRUN;
    else if (heard->version != SL_RENDERER_VERSION)
        claim->verdict = SL_HEARD_VERSION;
    else if (heard->rate == rate && sl_digest_equal(heard->digest, claim->digest))
        claim->verdict = SL_HEARD_PROVEN;
    else
        claim->verdict = claims->is_exact ? SL_HEARD_WRONG : SL_HEARD_UNKNOWN;
}
