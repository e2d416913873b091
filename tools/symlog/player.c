/* The player's thread. */
#include "tools/symlog/player.h"

#include "ingest/clock.h"
#include "ingest/thread.h"
#include "tools/symlog/host.h"
#include "tools/symlog/planner.h"
#include "tools/symlog/player_clock.h"
#include "tools/symlog/player_feed.h"

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
    sl_player_feed feed;
    bool is_begun; /* Service thread: the first mark of the log is on its way. */
    atomic_bool is_following;
    atomic_bool is_stopping;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* is_obeying */
    bool is_obeying;        /* Under the lock: the thread has seen is_following. */
};

static void *run(void *ctx);
static bool put_mark(void *ctx, const sl_applied *applied);
static void on_due(void *ctx, const sl_planned *planned, size_t count);
static void on_foretell(void *ctx, uint64_t from, uint64_t to, const sl_planned *planned, size_t count);
static void wake(void *ctx);

sl_err sl_player_start(sl_player **out, const sl_player_options *options)
{
    sl_player *player = calloc(1, sizeof *player);
    if (player == NULL) return SL_ERR_MEMORY;
    player->options = *options;
    player->clock.timer_fd = -1;
    sl_player_feed_open(&player->feed, wake, player);
    pthread_mutex_init(&player->lock, NULL);
    pthread_cond_init(&player->changed, NULL);
    const sl_planner_owner owner = {.ctx = player, .mark = put_mark, .due = on_due, .foretell = on_foretell};
    sl_err err = sl_planner_create(&player->planner, &owner);
    player->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (player->wake_fd < 0) err = SL_ERR_IO;
    const uint64_t frame = sl_player_clock_begin(options->state);
    if (err == SL_OK) err = sl_player_clock_open(&player->clock, frame, sl_player_clock_rate(options->state));
    if (err == SL_OK && sl_state_schedule(options->state) != NULL)
        err = sl_player_feed_put_whole(&player->feed, options->state);
    if (err == SL_OK) err = sl_thread_start(&player->thread, "player", run, player);
    player->is_started = err == SL_OK;
    player->options.state = NULL;
    if (err == SL_OK) *out = player;
    if (err != SL_OK) sl_player_stop(player);
    return err;
}

static void wake(void *ctx)
{
    const sl_player *player = ctx;
    /* Fails only when the counter is full, and then the thread is awake. */
    if (write(player->wake_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0) assert(errno == EAGAIN);
}

void sl_player_stop(sl_player *player)
{
    if (player == NULL) return;
    atomic_store(&player->is_stopping, true);
    if (player->is_started) wake(player);
    if (player->is_started) pthread_join(player->thread, NULL);
    sl_player_feed_close(&player->feed);
    sl_planner_destroy(player->planner);
    sl_player_clock_close(&player->clock);
    if (player->wake_fd >= 0) close(player->wake_fd);
    free(player);
}

uint64_t sl_player_now(sl_player *player)
{
    return sl_player_clock_now(&player->clock);
}

sl_clock_anchor sl_player_anchor(sl_player *player)
{
    return sl_player_clock_anchor(&player->clock);
}

void sl_player_set_clock(sl_player *player, const sl_clock_anchor *anchor)
{
    sl_player_clock_set(&player->clock, anchor);
}

static void set_following(sl_player *player, bool is_following)
{
    atomic_store(&player->is_following, is_following);
    wake(player);
    pthread_mutex_lock(&player->lock);
    while (player->is_obeying != is_following) pthread_cond_wait(&player->changed, &player->lock);
    pthread_mutex_unlock(&player->lock);
}

void sl_player_follow(sl_player *player)
{
    set_following(player, true);
}

void sl_player_lead(sl_player *player)
{
    set_following(player, false);
}

/* The groove box plays in a log without live code: with a mark the schedule appears. Only where there is a MIDI output:
 * who just wants to edit the box finds no session in its tree. */
static void begin(sl_player *player, const sl_state *state)
{
    if (player->is_begun || player->options.out == NULL || !sl_state_awaits_mark(state)) return;
    if (atomic_load(&player->is_following)) return;
    const sl_applied mark = {.through_seq = sl_state_seq(state),
                             .frame = sl_player_now(player) + SL_PLANNER_LEAD,
                             .rate = sl_player_anchor(player).rate};
    player->is_begun = put_mark(player, &mark);
}

void sl_player_tick(sl_player *player, const sl_state *state)
{
    sl_player_feed_tick(&player->feed, state);
}

void sl_player_see(sl_player *player, const sl_state *state, const sl_event *event)
{
    if (sl_state_schedule(state) != NULL)
        sl_player_feed_see(&player->feed, state, event);
    else
        begin(player, state);
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

/* Follows or leads, as it was told. */
static void obey(sl_player *player)
{
    const bool is_following = atomic_load(&player->is_following);
    sl_planner_set_following(player->planner, is_following, sl_player_anchor(player).rate);
    pthread_mutex_lock(&player->lock);
    player->is_obeying = is_following;
    pthread_cond_broadcast(&player->changed);
    pthread_mutex_unlock(&player->lock);
}

static void *run(void *ctx)
{
    sl_player *player = ctx;
    become_punctual();
    uint64_t now = 0;
    while (!atomic_load(&player->is_stopping)) {
        obey(player);
        for (sl_player_item *item = sl_player_feed_take(&player->feed); item != NULL;) {
            sl_player_item *next = item->next;
            sl_planner_put(player->planner, item);
            item = next;
        }
        const uint64_t clock_now = sl_player_now(player);
        if (clock_now > now) now = clock_now; /* a clock that was set back stands still meanwhile */
        uint64_t next = SL_FRAME_NEVER;
        if (sl_planner_step(player->planner, now, &next) != SL_OK) sl_player_feed_ask(&player->feed);
        sl_player_clock_wait(&player->clock, next, player->wake_fd);
    }
    atomic_store(&player->is_following, false);
    obey(player);
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
