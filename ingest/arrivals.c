/* The numbers of one run of a sender, and the holes in them. */
#include "ingest/holes.h"

#include "core/number.h"

#include <assert.h>
#include <string.h>

static sl_seen_number *place_of(sl_holes *holes, uint64_t number)
{
    return &holes->seen[number % SL_HOLES_WINDOW];
}

static uint64_t last_of(const sl_open_hole *hole)
{
    return sl_number_after(hole->first, hole->count - 1);
}

/* True if `number` lies so far back that its place in the window belongs to a newer one. */
static bool is_below_window(const sl_holes *holes, uint64_t number)
{
    return sl_number_distance(holes->next, number) > SL_HOLES_WINDOW;
}

void sl_holes_reset(sl_holes *holes)
{
    holes->is_begun = false;
    holes->next = 0;
    holes->open_count = 0;
    holes->ask_left = SL_HOLES_ASK_NUMBERS;
    holes->ask_round_ns = 0;
    memset(holes->seen, 0, sizeof holes->seen);
}

void sl_holes_begin(sl_holes *holes, uint64_t first)
{
    assert(!holes->is_begun);
    holes->is_begun = true;
    holes->next = first;
}

sl_numbers sl_holes_compare(const sl_holes *holes, uint64_t first, uint32_t count, uint32_t checksum)
{
    uint32_t seen_count = 0;
    bool is_restored = false;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number = sl_number_after(first, i);
        const sl_seen_number *seen = &holes->seen[number % SL_HOLES_WINDOW];
        if (seen->seen == SL_SEEN_NOT || seen->number != number) continue;
        if (seen->seen == SL_SEEN && seen->checksum != checksum) return SL_NUMBERS_OTHER;
        if (seen->seen == SL_SEEN_BEFORE_RESTART) is_restored = true;
        seen_count++;
    }
    if (seen_count < count) return SL_NUMBERS_NEW;
    return is_restored ? SL_NUMBERS_RESTORED : SL_NUMBERS_SAME;
}

bool sl_holes_is_far_back(const sl_holes *holes, uint64_t number)
{
    return holes->is_begun && sl_number_distance(holes->next, number) > SL_HOLES_BACK_MAX + 1;
}

/* The first hole that does not lie wholly below `number`. */
static uint32_t find(const sl_holes *holes, uint64_t number)
{
    uint32_t low = 0;
    uint32_t high = holes->open_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sl_number_distance(last_of(&holes->open[middle]), number) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool sl_holes_is_open(const sl_holes *holes, uint64_t number)
{
    uint32_t at = find(holes, number);
    return at < holes->open_count && sl_number_distance(number, holes->open[at].first) >= 0;
}

/* Takes `count` holes out of the table. */
static void remove_holes(sl_holes *holes, uint32_t at, uint32_t count)
{
    assert(at + count <= holes->open_count);
    holes->open_count -= count;
    memmove(&holes->open[at], &holes->open[at + count], (holes->open_count - at) * sizeof holes->open[0]);
}

/* The hole from `next` up to `end`. In a full table the two lowest become one: what was seen between them is then asked
 * for in vain. */
static void open_hole(sl_holes *holes, uint64_t end, uint64_t now_ns)
{
    if (holes->open_count == SL_HOLES_MAX) {
        sl_open_hole *lowest = &holes->open[0];
        lowest->count = (uint64_t)sl_number_distance(last_of(&holes->open[1]), lowest->first) + 1;
        remove_holes(holes, 1, 1);
    }
    holes->open[holes->open_count++] = (sl_open_hole){.first = holes->next,
                                                      .count = (uint64_t)sl_number_distance(end, holes->next),
                                                      .opened_ns = now_ns,
                                                      .ask_ns = now_ns};
    holes->next = end;
}

/* One number less is missing. */
static void fill(sl_holes *holes, uint64_t number)
{
    uint32_t at = find(holes, number);
    if (at == holes->open_count) return;
    sl_open_hole *hole = &holes->open[at];
    int64_t before = sl_number_distance(number, hole->first);
    if (before < 0) return;
    uint64_t after = hole->count - (uint64_t)before - 1;
    if (before == 0) {
        hole->first = sl_number_after(number, 1);
        hole->count--;
        if (hole->count == 0) remove_holes(holes, at, 1);
    } else if (after == 0) {
        hole->count--;
    } else if (holes->open_count < SL_HOLES_MAX) {
        memmove(hole + 1, hole, (holes->open_count - at) * sizeof *hole);
        holes->open_count++;
        hole[0].count = (uint64_t)before;
        hole[1].first = sl_number_after(number, 1);
        hole[1].count = after;
    } /* Else the number is asked for in vain, as in open_hole. */
}

void sl_holes_take(sl_holes *holes, uint64_t first, uint32_t count, uint32_t checksum, uint64_t now_ns)
{
    assert(holes->is_begun);
    if (sl_number_distance(first, holes->next) > 0) open_hole(holes, first, now_ns);
    uint64_t end = sl_number_after(first, count);
    if (sl_number_distance(end, holes->next) > 0) holes->next = end;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number = sl_number_after(first, i);
        fill(holes, number);
        if (is_below_window(holes, number)) continue;
        *place_of(holes, number) = (sl_seen_number){.number = number, .checksum = checksum, .seen = SL_SEEN};
    }
}

void sl_holes_hear(sl_holes *holes, uint64_t next, uint64_t now_ns)
{
    assert(holes->is_begun);
    if (sl_number_distance(next, holes->next) > 0) open_hole(holes, next, now_ns);
}

void sl_holes_restore(sl_holes *holes, uint64_t next, const sl_hole *open, size_t count, uint64_t now_ns)
{
    assert(!holes->is_begun);
    holes->is_begun = true;
    for (uint64_t back = 1; back <= SL_HOLES_WINDOW; back++) {
        uint64_t number = sl_number_before(next, back);
        *place_of(holes, number) = (sl_seen_number){.number = number, .seen = SL_SEEN_BEFORE_RESTART};
    }
    for (size_t i = 0; i < count; i++) {
        holes->next = open[i].first;
        uint64_t end = sl_number_after(open[i].first, open[i].count);
        open_hole(holes, end, now_ns);
        for (uint64_t k = 0; k < open[i].count && k < SL_HOLES_WINDOW; k++)
            place_of(holes, sl_number_before(end, k + 1))->seen = SL_SEEN_NOT;
    }
    holes->next = next;
}

bool sl_holes_overdue(const sl_holes *holes, uint64_t patience_ns, uint64_t now_ns, uint64_t *through)
{
    bool is_overdue = false;
    for (uint32_t i = 0; i < holes->open_count; i++) {
        const sl_open_hole *hole = &holes->open[i];
        bool is_old = hole->opened_ns == 0 || now_ns - hole->opened_ns >= patience_ns;
        if (!is_old && !is_below_window(holes, hole->first)) break;
        uint64_t last = last_of(hole);
        *through = is_old || is_below_window(holes, last) ? last : sl_number_before(holes->next, SL_HOLES_WINDOW + 1);
        is_overdue = true;
    }
    return is_overdue;
}

void sl_holes_close(sl_holes *holes, uint64_t through)
{
    uint64_t end = sl_number_after(through, 1);
    remove_holes(holes, 0, find(holes, end));
    if (holes->open_count == 0) return;
    sl_open_hole *lowest = &holes->open[0];
    int64_t closed = sl_number_distance(end, lowest->first);
    if (closed <= 0) return;
    lowest->first = end;
    lowest->count -= (uint64_t)closed;
}

void sl_holes_expire(sl_holes *holes)
{
    for (uint32_t i = 0; i < holes->open_count; i++) holes->open[i].opened_ns = 0;
}

size_t sl_holes_ask(sl_holes *holes, uint64_t now_ns, sl_hole *out, size_t max)
{
    if (now_ns - holes->ask_round_ns >= SL_HOLES_ASK_EVERY_NS) {
        holes->ask_round_ns = now_ns;
        holes->ask_left = SL_HOLES_ASK_NUMBERS;
    }
    size_t count = 0;
    for (uint32_t i = 0; i < holes->open_count && count < max && holes->ask_left > 0; i++) {
        sl_open_hole *hole = &holes->open[i];
        if (hole->ask_ns > now_ns) continue;
        uint64_t asked = hole->count < holes->ask_left ? hole->count : holes->ask_left;
        out[count++] = (sl_hole){.first = hole->first, .count = asked};
        holes->ask_left -= (uint32_t)asked;
        hole->ask_ns = now_ns + SL_HOLES_ASK_EVERY_NS;
    }
    return count;
}

uint64_t sl_holes_due_ns(const sl_holes *holes, uint64_t patience_ns, bool is_asking)
{
    if (holes->open_count == 0) return UINT64_MAX;
    const sl_open_hole *oldest = &holes->open[0];
    if (oldest->opened_ns == 0 || is_below_window(holes, oldest->first)) return 0;
    uint64_t due_ns = oldest->opened_ns + patience_ns;
    if (!is_asking) return due_ns;
    uint64_t ask_ns = UINT64_MAX;
    for (uint32_t i = 0; i < holes->open_count; i++)
        if (holes->open[i].ask_ns < ask_ns) ask_ns = holes->open[i].ask_ns;
    uint64_t round_ns = holes->ask_round_ns + SL_HOLES_ASK_EVERY_NS;
    if (holes->ask_left == 0 && ask_ns < round_ns) ask_ns = round_ns;
    return ask_ns < due_ns ? ask_ns : due_ns;
}

bool sl_holes_are_settled(const sl_holes *holes, uint64_t through)
{
    if (!holes->is_begun || sl_number_distance(holes->next, through) <= 0) return false;
    return holes->open_count == 0 || sl_number_distance(holes->open[0].first, through) > 0;
}
