/* Tests of tools/symlog/sound_thread: how it ends. What it renders is the engine's, and is tested there. */
#include "tests/unit/cmocka_small.h"

#include "tools/symlog/host.h"
#include "tools/symlog/sound_thread.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { RATE = 48000, PAUSE_NS = 1000000, PAUSES_MAX = 5000 };

/* What the process has around the thread. */
typedef struct around {
    sl_audio_output output;
    sl_player_feed feed;
    sl_sound_handover handover;
    sem_t wake;
    int links[2];
} around;

static around *all;

static void wake(void *ctx)
{
    sem_post(ctx);
}

static int open_all(void **state)
{
    (void)state;
    all = calloc(1, sizeof *all);
    if (all == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, all->links) != 0) return -1;
    sem_init(&all->wake, 0, 0);
    sl_player_feed_open(&all->feed, wake, &all->wake);
    sl_audio_output_open(&all->output, &all->wake);
    sl_sound_handover_open(&all->handover);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    sl_sound_handover_close(&all->handover);
    sl_player_feed_close(&all->feed);
    sem_destroy(&all->wake);
    close(all->links[0]);
    close(all->links[1]);
    free(all);
    return 0;
}

/* The music began at frame 0, and now is `frame`. */
static sl_sound_thread *start_at(uint64_t frame)
{
    sl_playback *playback = NULL;
    assert_int_equal(sl_playback_create(sl_host_memory(), RATE, 0, &playback), SL_OK);
    const sl_sound_thread_options options = {
        .rate = RATE,
        .playback = playback,
        .clock = {.frame = frame, .ns = sl_player_clock_ns(), .rate = RATE},
        .feed = &all->feed,
        .output = &all->output,
        .wake = &all->wake,
        .handover = &all->handover,
        .link = all->links[0],
    };
    sl_sound_thread *thread = NULL;
    assert_int_equal(sl_sound_thread_start(&thread, &options), SL_OK);
    return thread;
}

static void pause_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
}

/* Where it has not come to the present yet there is no second in which a frame would have its place. */
static void test_sound_thread_is_stopped_while_it_catches_up(void **state)
{
    (void)state;
    sl_sound_thread *thread = start_at(UINT64_C(1) << 50);
    for (int i = 0; i < 20; i++) pause_a_little();
    sl_sound_thread_stop(thread);
    assert_int_equal(sl_audio_ring_count(&all->output.ring), 0);
}

/* A schedule that is none ends it; who feeds it finds room all the same. */
static void test_sound_thread_that_is_bad_takes_what_comes(void **state)
{
    (void)state;
    sl_sound_thread *thread = start_at(0);
    assert_int_equal(sl_player_queue_put(&all->feed.queue, sl_player_item_create(SL_PLAYER_WHOLE, 1, 0 /* no bytes */)),
                     SL_OK);
    for (int i = 0; i < PAUSES_MAX && sl_sound_thread_is_well(thread); i++) pause_a_little();
    assert_false(sl_sound_thread_is_well(thread));
    for (int i = 0; i < SL_PLAYER_QUEUE_ITEMS_MAX / 2; i++)
        assert_int_equal(sl_player_feed_put_wish(&all->feed, 2), SL_OK);
    for (int i = 0; i < PAUSES_MAX && sl_player_feed_is_half_full(&all->feed); i++) pause_a_little();
    assert_false(sl_player_feed_is_half_full(&all->feed));
    sl_sound_thread_stop(thread);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sound_thread_is_stopped_while_it_catches_up, open_all, close_all),
        cmocka_unit_test_setup_teardown(test_sound_thread_that_is_bad_takes_what_comes, open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
