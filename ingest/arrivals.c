/* The numbers of one run of a sender, and the holes in them. */
#include "ingest/arrivals.h"

#include "core/number.h"

#include <assert.h>
#include <string.h>

static sl_arrived *place_of(sl_arrivals *arrivals, uint64_t number)
{
    return &arrivals->seen[number % SL_ARRIVALS_WINDOW];
}

static uint64_t last_of(const sl_open_hole *hole)
{
    return sl_number_after(hole->first, hole->count - 1);
}

/* True if `number` lies so far back that its place in the window belongs to a newer one. */
static bool is_below_window(const sl_arrivals *arrivals, uint64_t number)
{
    return sl_number_distance(arrivals->next, number) > SL_ARRIVALS_WINDOW;
}

void sl_arrivals_reset(sl_arrivals *arrivals)
{
    arrivals->is_begun = false;
    arrivals->next = 0;
    arrivals->open_count = 0;
    arrivals->ask_left = SL_ARRIVALS_ASK_NUMBERS;
    arrivals->ask_round_ns = 0;
    memset(arrivals->seen, 0, sizeof arrivals->seen);
}

void sl_arrivals_begin(sl_arrivals *arrivals, uint64_t first)
{
    assert(!arrivals->is_begun);
    arrivals->is_begun = true;
    arrivals->next = first;
}

sl_arrival sl_arrivals_compare(const sl_arrivals *arrivals, uint64_t first, uint32_t count, uint32_t checksum)
{
    uint32_t seen_count = 0;
    bool is_restored = false;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number = sl_number_after(first, i);
        const sl_arrived *seen = &arrivals->seen[number % SL_ARRIVALS_WINDOW];
        if (seen->seen == SL_SEEN_NOT || seen->number != number) continue;
        if (seen->seen == SL_SEEN && seen->checksum != checksum) return SL_ARRIVAL_OTHER;
        if (seen->seen == SL_SEEN_BEFORE_RESTART) is_restored = true;
        seen_count++;
    }
    if (seen_count < count) return SL_ARRIVAL_NEW;
    return is_restored ? SL_ARRIVAL_RESTORED : SL_ARRIVAL_SAME;
}

bool sl_arrivals_is_far_back(const sl_arrivals *arrivals, uint64_t number)
{
    return arrivals->is_begun && sl_number_distance(arrivals->next, number) > SL_ARRIVALS_BACK_MAX + 1;
}

bool sl_arrivals_is_too_far(const sl_arrivals *arrivals, uint64_t end)
{
    const uint64_t last = sl_number_before(end, 1);
    if (!arrivals->is_begun || sl_number_distance(last, arrivals->next) < 0) return false;
    const uint64_t lowest = arrivals->open_count > 0 ? arrivals->open[0].first : arrivals->next;
    return sl_number_distance(end, lowest) <= 0;
}

/* The first hole that does not lie wholly below `number`. */
static uint32_t find(const sl_arrivals *arrivals, uint64_t number)
{
    uint32_t low = 0;
    uint32_t high = arrivals->open_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sl_number_distance(last_of(&arrivals->open[middle]), number) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool sl_arrivals_is_open(const sl_arrivals *arrivals, uint64_t number)
{
    uint32_t at = find(arrivals, number);
    return at < arrivals->open_count && sl_number_distance(number, arrivals->open[at].first) >= 0;
}

/* Takes `count` holes out of the table. */
static void remove_holes(sl_arrivals *arrivals, uint32_t at, uint32_t count)
{
    assert(at + count <= arrivals->open_count);
    arrivals->open_count -= count;
    memmove(&arrivals->open[at], &arrivals->open[at + count], (arrivals->open_count - at) * sizeof arrivals->open[0]);
}

/* The hole from `next` up to `end`. In a full table the two lowest become one: what was seen between them is then asked
 * for in vain. */
static void open_hole(sl_arrivals *arrivals, uint64_t end, uint64_t now_ns)
{
    if (arrivals->open_count == SL_ARRIVALS_MAX) {
        sl_open_hole *lowest = &arrivals->open[0];
        lowest->count = (uint64_t)sl_number_distance(last_of(&arrivals->open[1]), lowest->first) + 1;
        remove_holes(arrivals, 1, 1);
    }
    arrivals->open[arrivals->open_count++] = (sl_open_hole){.first = arrivals->next,
                                                            .count = (uint64_t)sl_number_distance(end, arrivals->next),
                                                            .opened_ns = now_ns,
                                                            .ask_ns = now_ns};
    arrivals->next = end;
}

/* One number less is missing. */
static void fill(sl_arrivals *arrivals, uint64_t number)
{
    uint32_t at = find(arrivals, number);
    if (at == arrivals->open_count) return;
    sl_open_hole *hole = &arrivals->open[at];
    int64_t before = sl_number_distance(number, hole->first);
    if (before < 0) return;
    uint64_t after = hole->count - (uint64_t)before - 1;
    if (before == 0) {
        hole->first = sl_number_after(number, 1);
        hole->count--;
        if (hole->count == 0) remove_holes(arrivals, at, 1);
    } else if (after == 0) {
        hole->count--;
    } else if (arrivals->open_count < SL_ARRIVALS_MAX) {
        memmove(hole + 1, hole, (arrivals->open_count - at) * sizeof *hole);
        arrivals->open_count++;
        hole[0].count = (uint64_t)before;
        hole[1].first = sl_number_after(number, 1);
        hole[1].count = after;
    } /* Else the number is asked for in vain, as in open_hole. */
}

void sl_arrivals_take(sl_arrivals *arrivals, uint64_t first, uint32_t count, uint32_t checksum, uint64_t now_ns)
{
    assert(arrivals->is_begun);
    if (sl_number_distance(first, arrivals->next) > 0) open_hole(arrivals, first, now_ns);
    uint64_t end = sl_number_after(first, count);
    if (sl_number_distance(end, arrivals->next) > 0) arrivals->next = end;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number = sl_number_after(first, i);
        fill(arrivals, number);
        if (is_below_window(arrivals, number)) continue;
        *place_of(arrivals, number) = (sl_arrived){.number = number, .checksum = checksum, .seen = SL_SEEN};
    }
}

void sl_arrivals_hear(sl_arrivals *arrivals, uint64_t next, uint64_t now_ns)
{
    assert(arrivals->is_begun);
    if (sl_number_distance(next, arrivals->next) > 0) open_hole(arrivals, next, now_ns);
}

void sl_arrivals_restore(sl_arrivals *arrivals, uint64_t next, const sl_hole *open, size_t count, uint64_t now_ns)
{
    assert(!arrivals->is_begun);
    arrivals->is_begun = true;
    for (uint64_t back = 1; back <= SL_ARRIVALS_WINDOW; back++) {
        uint64_t number = sl_number_before(next, back);
        *place_of(arrivals, number) = (sl_arrived){.number = number, .seen = SL_SEEN_BEFORE_RESTART};
    }
    for (size_t i = 0; i < count; i++) {
        arrivals->next = open[i].first;
        uint64_t end = sl_number_after(open[i].first, open[i].count);
        open_hole(arrivals, end, now_ns);
        for (uint64_t back = 1; back <= open[i].count; back++) {
            uint64_t number = sl_number_before(end, back);
            if (sl_number_distance(next, number) > SL_ARRIVALS_WINDOW) break; /* its place is a newer one's */
            place_of(arrivals, number)->seen = SL_SEEN_NOT;
        }
    }
    arrivals->next = next;
}

bool sl_arrivals_overdue(const sl_arrivals *arrivals, uint64_t patience_ns, uint64_t now_ns, uint64_t *through)
{
    bool is_overdue = false;
    for (uint32_t i = 0; i < arrivals->open_count; i++) {
        const sl_open_hole *hole = &arrivals->open[i];
        bool is_old = hole->opened_ns == 0 || now_ns - hole->opened_ns >= patience_ns;
        if (!is_old && !is_below_window(arrivals, hole->first)) break;
        uint64_t last = last_of(hole);
        *through =
            is_old || is_below_window(arrivals, last) ? last : sl_number_before(arrivals->next, SL_ARRIVALS_WINDOW + 1);
        is_overdue = true;
    }
    return is_overdue;
}

void sl_arrivals_close(sl_arrivals *arrivals, uint64_t through)
{
    uint64_t end = sl_number_after(through, 1);
    remove_holes(arrivals, 0, find(arrivals, end));
    if (arrivals->open_count == 0) return;
    sl_open_hole *lowest = &arrivals->open[0];
    int64_t closed = sl_number_distance(end, lowest->first);
    if (closed <= 0) return;
    lowest->first = end;
    lowest->count -= (uint64_t)closed;
}

void sl_arrivals_expire(sl_arrivals *arrivals)
{
    for (uint32_t i = 0; i < arrivals->open_count; i++) arrivals->open[i].opened_ns = 0;
}

size_t sl_arrivals_ask(sl_arrivals *arrivals, uint64_t now_ns, sl_hole *out, size_t max)
{
    if (now_ns - arrivals->ask_round_ns >= SL_ARRIVALS_ASK_EVERY_NS) {
        arrivals->ask_round_ns = now_ns;
        arrivals->ask_left = SL_ARRIVALS_ASK_NUMBERS;
    }
    size_t count = 0;
    for (uint32_t i = 0; i < arrivals->open_count && count < max && arrivals->ask_left > 0; i++) {
        sl_open_hole *hole = &arrivals->open[i];
        if (hole->ask_ns > now_ns) continue;
        uint64_t asked = hole->count < arrivals->ask_left ? hole->count : arrivals->ask_left;
        out[count++] = (sl_hole){.first = hole->first, .count = asked};
        arrivals->ask_left -= (uint32_t)asked;
        hole->ask_ns = now_ns + SL_ARRIVALS_ASK_EVERY_NS;
    }
    return count;
}

uint64_t sl_arrivals_due_ns(const sl_arrivals *arrivals, uint64_t patience_ns, bool is_asking)
{
    if (arrivals->open_count == 0) return UINT64_MAX;
    const sl_open_hole *oldest = &arrivals->open[0];
    if (oldest->opened_ns == 0 || is_below_window(arrivals, oldest->first)) return 0;
    uint64_t due_ns = oldest->opened_ns + patience_ns;
    if (!is_asking) return due_ns;
    uint64_t ask_ns = UINT64_MAX;
    for (uint32_t i = 0; i < arrivals->open_count; i++)
        if (arrivals->open[i].ask_ns < ask_ns) ask_ns = arrivals->open[i].ask_ns;
    uint64_t round_ns = arrivals->ask_round_ns + SL_ARRIVALS_ASK_EVERY_NS;
    if (arrivals->ask_left == 0 && ask_ns < round_ns) ask_ns = round_ns;
    return ask_ns < due_ns ? ask_ns : due_ns;
}

bool sl_arrivals_are_settled(const sl_arrivals *arrivals, uint64_t through)
{
    if (!arrivals->is_begun || sl_number_distance(arrivals->next, through) <= 0) return false;
    return arrivals->open_count == 0 || sl_number_distance(arrivals->open[0].first, through) > 0;
}
