/* The player's thread. */
#include "tools/symlog/player.h"

#include "ingest/clock.h"
#include "ingest/thread.h"
#include "tools/symlog/host.h"
#include "tools/symlog/planner.h"
#include "tools/symlog/player_clock.h"
#include "tools/symlog/player_queue.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { REALTIME_PRIORITY = 20, APPLIED_BYTES_MAX = 64 };

struct sl_player {
    sl_player_options options; /* Immutable while the thread runs, and so are the next three. */
    pthread_t thread;
    int wake_fd;
    bool is_started;
    sl_player_clock clock; /* Player's thread, but for sl_player_clock_now. */
    sl_planner *planner;   /* Player's thread. */
    sl_player_queue queue;
    bool has_whole; /* Service thread, and so is the next: it has had a whole schedule. */
    bool is_begun;  /* The first mark of the log is on its way. */
    atomic_bool wants_whole;
    atomic_bool is_stopping;
};

static void *run(void *ctx);
static bool put_mark(void *ctx, const sl_applied *applied);
static void on_due(void *ctx, const sl_planned *planned, size_t count);
static void on_foretell(void *ctx, uint64_t from, uint64_t to, const sl_planned *planned, size_t count);
static sl_err put_whole(sl_player *player, const sl_state *state);

sl_err sl_player_start(sl_player **out, const sl_player_options *options)
{
    sl_player *player = calloc(1, sizeof *player);
    if (player == NULL) return SL_ERR_MEMORY;
    player->options = *options;
    player->clock.timer_fd = -1;
    sl_player_queue_open(&player->queue);
    const sl_planner_owner owner = {.ctx = player, .mark = put_mark, .due = on_due, .foretell = on_foretell};
    sl_err err = sl_planner_create(&player->planner, &owner);
    player->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (player->wake_fd < 0) err = SL_ERR_IO;
    if (err == SL_OK) err = sl_player_clock_open(&player->clock, sl_player_clock_begin(options->state));
    if (err == SL_OK && sl_state_schedule(options->state) != NULL) err = put_whole(player, options->state);
    if (err == SL_OK) err = sl_thread_start(&player->thread, "player", run, player);
    player->is_started = err == SL_OK;
    player->options.state = NULL;
    if (err == SL_OK) *out = player;
    if (err != SL_OK) sl_player_stop(player);
    return err;
}

static void wake(const sl_player *player)
{
    /* Fails only when the counter is full, and then the thread is awake. */
    if (write(player->wake_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0) assert(errno == EAGAIN);
}

void sl_player_stop(sl_player *player)
{
    if (player == NULL) return;
    atomic_store(&player->is_stopping, true);
    if (player->is_started) wake(player);
    if (player->is_started) pthread_join(player->thread, NULL);
    sl_player_queue_close(&player->queue);
    sl_planner_destroy(player->planner);
    sl_player_clock_close(&player->clock);
    if (player->wake_fd >= 0) close(player->wake_fd);
    free(player);
}

uint64_t sl_player_now(const sl_player *player)
{
    return sl_player_clock_now(&player->clock);
}

/* What is encoded: the same bytes that a snapshot has. */
static void put_bytes(void *ctx, const void *bytes, size_t length)
{
    sl_text_bytes(ctx, bytes, length);
}

static sl_err put_whole(sl_player *player, const sl_state *state)
{
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_schedule_encode(sl_state_schedule(state), put_bytes, &text);
    sl_player_item *item = NULL;
    if (!text.bad) item = sl_player_item_create(SL_PLAYER_WHOLE, sl_state_seq(state), text.length);
    if (item != NULL) memcpy(item->bytes, text.bytes, text.length);
    sl_text_close(&text);
    const sl_err err = item != NULL ? sl_player_queue_put(&player->queue, item) : SL_ERR_MEMORY;
    player->has_whole = err == SL_OK;
    return err;
}

/* Passes an item on; without one, or without room for it, the player will have to begin anew. */
static void put(sl_player *player, sl_player_item *item)
{
    player->has_whole = player->has_whole && item != NULL && sl_player_queue_put(&player->queue, item) == SL_OK;
}

static void put_event(sl_player *player, const sl_event *event)
{
    sl_player_item *item = sl_player_item_create(SL_PLAYER_EVENT, event->seq, event->length);
    if (item != NULL) {
        item->event = *event;
        item->event.payload = item->bytes;
        if (event->length > 0) memcpy(item->bytes, event->payload, event->length);
    }
    put(player, item);
}

static void put_follow(sl_player *player, uint64_t seq, const sl_follow *follow)
{
    sl_player_item *item = sl_player_item_create(SL_PLAYER_FOLLOW, seq, follow->bytes_length);
    if (item != NULL) {
        item->follow = *follow;
        item->follow.bytes = item->bytes;
        if (follow->bytes_length > 0) memcpy(item->bytes, follow->bytes, follow->bytes_length);
    }
    put(player, item);
}

/* The groove box plays in a log without live code: with a mark the schedule appears. Only where there is a MIDI output:
 * who just wants to edit the box finds no session in its tree. */
static void begin(sl_player *player, const sl_state *state)
{
    if (player->is_begun || player->options.out == NULL || !sl_state_awaits_mark(state)) return;
    const sl_applied mark = {
        .through_seq = sl_state_seq(state), .frame = sl_player_now(player) + SL_PLANNER_LEAD, .rate = SL_SCHEDULE_RATE};
    player->is_begun = put_mark(player, &mark);
}

/* True if it wanted the whole schedule. */
static bool renew(sl_player *player, const sl_state *state)
{
    const bool wants_whole = atomic_exchange(&player->wants_whole, false);
    if (!wants_whole && player->has_whole) return false;
    if (put_whole(player, state) == SL_OK) wake(player);
    return true;
}

void sl_player_tick(sl_player *player, const sl_state *state)
{
    if (sl_state_schedule(state) != NULL) (void)renew(player, state);
}

void sl_player_see(sl_player *player, const sl_state *state, const sl_event *event)
{
    if (sl_state_schedule(state) == NULL) {
        begin(player, state);
        return;
    }
    const sl_follow *follows;
    const size_t count = sl_state_follows(state, &follows);
    const bool is_own =
        event->kind == SL_KIND_SCORE || event->kind == SL_KIND_TRANSPORT || event->kind == SL_KIND_APPLIED;
    if (renew(player, state)) return;
    if (is_own) put_event(player, event);
    for (size_t i = 0; i < count; i++) put_follow(player, event->seq, &follows[i]);
    if (is_own || count > 0) wake(player);
}

/* Better than others, where that is allowed. */
static void become_punctual(void)
{
    const struct sched_param param = {.sched_priority = REALTIME_PRIORITY};
    if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) != 0) {
        /* Then it is a thread like the others, which on a machine with room is soon enough. */
    }
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

static void *run(void *ctx)
{
    sl_player *player = ctx;
    become_punctual();
    while (!atomic_load(&player->is_stopping)) {
        for (sl_player_item *item = sl_player_queue_take(&player->queue); item != NULL;) {
            sl_player_item *next = item->next;
            sl_planner_put(player->planner, item);
            item = next;
        }
        uint64_t next = SL_FRAME_NEVER;
        if (sl_planner_step(player->planner, sl_player_now(player), &next) != SL_OK)
            atomic_store(&player->wants_whole, true);
        sl_player_clock_wait(&player->clock, next, player->wake_fd);
    }
    if (player->options.out != NULL) sl_notes_out_let_go(player->options.out);
    return NULL;
}

static bool put_mark(void *ctx, const sl_applied *applied)
{
    const sl_player *player = ctx;
    uint8_t bytes[APPLIED_BYTES_MAX];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    if (sl_applied_encode(applied, &writer) != SL_OK) return false;
    const sl_event draft = {
        .kind = SL_KIND_APPLIED,
        .version = SL_PAYLOAD_VERSION,
        .source = SL_SOURCE_SELF,
        .source_seq = SL_SOURCE_SEQ_NONE,
        .time_ns = sl_clock_boot_ns() - player->options.start_ns,
        .payload = bytes,
        .length = (uint32_t)writer.length,
    };
    return player->options.sink.put(player->options.sink.ctx, &draft) == SL_OK;
}

static void on_due(void *ctx, const sl_planned *planned, size_t count)
{
    sl_player *player = ctx;
    if (player->options.out != NULL) sl_notes_out_send(player->options.out, planned, count);
    for (size_t i = 0; i < count; i++) {
        if (planned[i].type == SL_PLANNED_NOTE || !sl_announcer_is_heard(player->options.announcer)) continue;
        const int64_t time_us = sl_player_clock_wall_us(&player->clock, planned[i].frame);
        sl_announcer_say_moment(player->options.announcer, &planned[i], time_us);
    }
}

static void on_foretell(void *ctx, uint64_t from, uint64_t to, const sl_planned *planned, size_t count)
{
    sl_player *player = ctx;
    sl_announcer *announcer = player->options.announcer;
    if (!sl_announcer_is_heard(announcer)) return;
    sl_announcer_begin_notes(announcer, sl_player_clock_wall_us(&player->clock, from),
                             sl_player_clock_wall_us(&player->clock, to));
    for (size_t i = 0; i < count; i++) {
        sl_announcer_add_note(announcer, &planned[i], sl_player_clock_wall_us(&player->clock, planned[i].frame));
    }
    sl_announcer_end_notes(announcer);
}
