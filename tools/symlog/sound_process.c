/* The sound process: setting up, following, reporting. */
#include "tools/symlog/sound_process.h"

#include "tools/symlog/host.h"
#include "tools/symlog/performance.h"
#include "tools/symlog/sound_follower.h"
#include "tools/symlog/sound_processor.h"
#include "tools/symlog/sound_report.h"
#include "tools/symlog/sound_thread.h"
#include "tools/symlog/sound_wire.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { TICKS = 60, CLOCK_EVERY = 6, STATUS_EVERY = 30, LOOK_EVERY = 600, PLAYER_BYTES_MAX = 512 };

typedef struct process {
    sl_audio_output output;
    const sl_sound_process_options *options;
    sl_log *log;
    sl_sound_states *states;
    sl_audio_device *device;
    sl_sound_thread *thread;
    sl_sound_processor *processor; /* NULL: there is no input */
    sl_state *state;               /* until the follower has it */
    sl_playback *playback;         /* until the thread has it */
    uint64_t tick;
    sem_t wake;
    sl_text saved;
    sl_player_feed feed;
    sl_sound_handover handover;
    sl_sound_follower follower;
    sl_sound_message message;
    sl_sound_report report;
    int timer_fd;
    bool has_begun_groove; /* the mark with which a groove begins to sound is on its way */
    char errmsg[256];
} process;

static bool open_log(process *process);
static bool perform(process *process, uint64_t head);
static bool open_device(process *process);
static bool shake_hands(process *process, sl_clock_anchor *clock);
static bool perform_rest(process *process);
static bool start(process *process, const sl_clock_anchor *clock);
static int loop(process *process);
static int tick(process *process);
static bool follow(process *process);
static void say_last(process *process);

static void wake(void *ctx)
{
    sem_post(ctx);
}

int sl_sound_process_run(const sl_sound_process_options *options)
{
    process *process = calloc(1, sizeof *process);
    if (process == NULL) return SL_SOUND_FAILED;
    process->options = options;
    process->timer_fd = -1;
    sem_init(&process->wake, 0, 0);
    sl_player_feed_open(&process->feed, wake, &process->wake);
    sl_audio_output_open(&process->output, &process->wake);
    sl_sound_handover_open(&process->handover);
    sl_text_open(&process->saved, sl_host_memory());
    sl_clock_anchor clock;
    int status = SL_SOUND_FAILED;
    if (open_log(process) && open_device(process) && shake_hands(process, &clock) && perform_rest(process) &&
        start(process, &clock))
        status = loop(process);
    /* PortAudio would wait for a word of the device that is gone, up to ten minutes; the process' end closes all. */
    if (status == SL_SOUND_DEVICE_LOST) _exit(status);
    if (process->errmsg[0] != '\0') sl_sound_say(options->link, "sound failed reason=\"%s\"", process->errmsg);
    sl_audio_close(process->device); /* its callback uses the others */
    if (status == SL_SOUND_ENDED) say_last(process);
    sl_sound_processor_stop(process->processor);
    sl_sound_thread_stop(process->thread);
    sl_playback_destroy(process->playback);
    if (process->state != NULL) sl_state_destroy(process->state);
    sl_sound_follower_close(&process->follower);
    sl_player_feed_close(&process->feed);
    sl_sound_states_close(process->states);
    if (process->log != NULL) sl_log_close(process->log);
    sl_sound_handover_close(&process->handover);
    sl_text_close(&process->saved);
    if (process->timer_fd >= 0) close(process->timer_fd);
    sem_destroy(&process->wake);
    free(process);
    return status;
}

/* What was heard of the last second. */
static void say_last(process *process)
{
    sl_sound_thread_finish(process->thread, sl_audio_output_played(&process->output));
    sl_sound_report_heard(&process->report, &process->handover);
}

static bool find_head(process *process, uint64_t *head)
{
    if (sl_log_last(process->log, head) == SL_OK) return true;
    snprintf(process->errmsg, sizeof process->errmsg, "%.255s", sl_log_error(process->log));
    return false;
}

static bool open_log(process *process)
{
    uint64_t head = 0;
    if (sl_host_open_log(process->options->db, &process->log, process->errmsg) != SL_OK) return false;
    if (sl_sound_states_open(&process->states, process->options->db, process->log, true, process->errmsg) != SL_OK) {
        sl_sound_say(process->options->link, "sound states reason=\"%s\"", process->errmsg);
        process->errmsg[0] = '\0'; /* they only save time */
    }
    return find_head(process, &head) && perform(process, head);
}

/* What the log has so far, and what of it still sounds. */
static bool perform(process *process, uint64_t head)
{
    const sl_performance performance = {
        .db = process->options->db, .log = process->log, .through = head, .states = process->states};
    if (process->state != NULL) sl_state_destroy(process->state);
    sl_playback_destroy(process->playback);
    return sl_performance_run(&performance, &process->state, &process->playback, process->errmsg) == SL_OK;
}

/* The timer's player played on while the log was read and the device opened. Its marks count from frames that are past,
 * and some voided others: that is the performance's to know, the thread would take them for late. */
static bool perform_rest(process *process)
{
    sl_log_marks marks;
    uint64_t head = 0;
    if (!find_head(process, &head)) return false;
    const sl_range range = {.from = sl_state_seq(process->state) + 1, .through = head};
    if (range.from > head) return true;
    const sl_err err = sl_log_marks_read(process->log, range, 0, &marks, process->errmsg);
    const bool has_marks = marks.count > 0;
    sl_log_marks_clear(&marks);
    if (err != SL_OK) return false;
    if (!has_marks) return true;
    if (process->states != NULL && process->playback != NULL) /* a cache: so it goes on from here */
        (void)sl_sound_states_save(process->states, sl_state_seq(process->state), process->playback);
    return perform(process, head);
}

static sl_audio_options wishes_of(process *process)
{
    const sl_sound_process_options *options = process->options;
    return (sl_audio_options){
        .name = options->device,
        .rate = options->rate,
        .block = options->block,
        .wants_input = options->with_audio,
        .pull = sl_audio_output_pull,
        .ctx = &process->output,
    };
}

/* The device that is wished for; without one a timer, so that all else goes on. */
static bool open_device(process *process)
{
    const sl_sound_process_options *options = process->options;
    const sl_audio_options audio = wishes_of(process);
    char why[256];
    sl_err err = SL_ERR_NOT_FOUND;
    snprintf(why, sizeof why, "the system's sound ends who looks for a device");
    if (!options->no_device) err = sl_audio_open(&process->device, &audio, why);
    const bool has_device = err == SL_OK;
    if (!has_device) err = sl_audio_open_timer(&process->device, &audio);
    if (err != SL_OK) {
        snprintf(process->errmsg, sizeof process->errmsg, "no device, and no timer either: %s", sl_err_text(err));
        return false;
    }
    sl_sound_report_open(&process->report, options->link, &process->output, process->device);
    sl_sound_report_device(&process->report, has_device, options->with_audio, why);
    return true;
}

/* serve answers when its timer's player has stepped back. */
static bool shake_hands(process *process, sl_clock_anchor *clock)
{
    const int link = process->options->link;
    process->message.type = SL_SOUND_READY;
    if (!sl_sound_send(link, &process->message)) return false;
    for (;;) {
        struct pollfd wanted = {.fd = link, .events = POLLIN};
        if (poll(&wanted, 1, -1) < 0 && errno != EINTR) return false;
        const sl_err err = sl_sound_receive(link, &process->message);
        if (err == SL_ERR_END || (err == SL_OK && process->message.type == SL_SOUND_END)) return false;
        if (err == SL_OK && process->message.type == SL_SOUND_GO) break;
    }
    /* The same moment has the same frame, whatever the rate from then on. */
    const sl_clock_anchor theirs = process->message.as.anchor;
    const uint64_t now = sl_player_clock_ns();
    *clock = (sl_clock_anchor){
        .frame = sl_clock_anchor_frame(&theirs, now), .ns = now, .rate = sl_audio_rate(process->device)};
    return true;
}

/* From now on this is the player. */
static bool tell_player(process *process)
{
    uint8_t bytes[PLAYER_BYTES_MAX];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    const char *name = sl_audio_name(process->device);
    const sl_player_event player = {
        .type = sl_audio_is_timer(process->device) ? SL_PLAYER_NO_DEVICE : SL_PLAYER_SOUND,
        .rate = sl_audio_rate(process->device),
        .block = sl_audio_block(process->device),
        .device = name,
        .device_length = strlen(name),
    };
    return sl_player_event_encode(&player, &writer) == SL_OK &&
           sl_sound_send_draft(process->options->link, SL_KIND_PLAYER, bytes, writer.length);
}

static bool start_processor(process *process)
{
    const sl_sound_processor_options options = {
        .path = process->options->processor,
        .after_save_ns = process->options->after_save_ns,
        .rate = sl_audio_rate(process->device),
        .link = process->options->link,
        .output = &process->output,
    };
    char why[256];
    const sl_err err = sl_sound_processor_start(&process->processor, &options, why);
    if (err != SL_OK) snprintf(process->errmsg, sizeof process->errmsg, "processor: %.240s", why);
    return err == SL_OK;
}

static bool start(process *process, const sl_clock_anchor *clock)
{
    sl_state *state = process->state;
    process->state = NULL;
    if (sl_sound_follower_open(&process->follower, process->log, state, &process->feed) != SL_OK) {
        snprintf(process->errmsg, sizeof process->errmsg, "the log cannot be followed");
        return false;
    }
    const sl_sound_thread_options options = {
        .rate = clock->rate,
        .playback = process->playback,
        .clock = *clock,
        .feed = &process->feed,
        .output = &process->output,
        .wake = &process->wake,
        .handover = &process->handover,
        .link = process->options->link,
    };
    const struct itimerspec every = {.it_value = {.tv_nsec = 1}, .it_interval = {.tv_nsec = 1000000000 / TICKS}};
    process->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    bool is_good = process->timer_fd >= 0 && timerfd_settime(process->timer_fd, 0, &every, NULL) == 0;
    is_good = is_good && tell_player(process);
    process->playback = NULL;
    if (is_good && process->options->with_audio && !start_processor(process)) return false;
    is_good = is_good && sl_sound_thread_start(&process->thread, &options) == SL_OK;
    if (!is_good) snprintf(process->errmsg, sizeof process->errmsg, "cannot begin: %s", strerror(errno));
    return is_good;
}

/* Until serve says so, or something is wrong. */
static int loop(process *process)
{
    const sl_sound_process_options *options = process->options;
    struct pollfd wanted[] = {{.fd = options->link, .events = POLLIN},
                              {.fd = options->wake_fd, .events = POLLIN},
                              {.fd = process->timer_fd, .events = POLLIN}};
    if (!follow(process)) return SL_SOUND_FAILED;
    for (;;) {
        uint64_t count;
        if (poll(wanted, sizeof wanted / sizeof wanted[0], -1) < 0) {
            assert(errno == EINTR);
            continue;
        }
        if (wanted[0].revents != 0) {
            const sl_err err = sl_sound_receive(options->link, &process->message);
            if (err == SL_ERR_END || (err == SL_OK && process->message.type == SL_SOUND_END)) return SL_SOUND_ENDED;
        }
        if (wanted[1].revents != 0) {
            if (read(options->wake_fd, &count, sizeof count) < 0) assert(errno == EAGAIN);
            if (!follow(process)) return SL_SOUND_FAILED;
        }
        if (wanted[2].revents != 0) {
            if (read(process->timer_fd, &count, sizeof count) < 0) assert(errno == EAGAIN);
            const int status = tick(process);
            if (status >= 0) return status;
        }
    }
}

/* The groove box plays in a log without live code: with a mark the schedule appears. */
static void begin_groove(process *process)
{
    if (process->has_begun_groove || !sl_state_awaits_mark(process->follower.state)) return;
    const sl_applied mark = {.through_seq = sl_state_seq(process->follower.state),
                             .frame = sl_audio_output_played(&process->output) + UINT64_C(2) * SL_SOUND_LEAD,
                             .rate = sl_audio_rate(process->device)};
    process->has_begun_groove = sl_sound_send_mark(process->options->link, &mark);
}

static bool follow(process *process)
{
    const sl_err err = sl_sound_follower_follow(&process->follower);
    if (err != SL_OK) {
        sl_host_read_error(process->follower.reader, err, process->errmsg);
        return false;
    }
    begin_groove(process);
    return true;
}

static void save(process *process)
{
    uint64_t seq;
    if (process->states == NULL || !sl_sound_handover_take_saved(&process->handover, &seq, &process->saved)) return;
    /* A cache: what cannot be kept will be rendered again. */
    (void)sl_sound_states_save_bytes(process->states, seq, process->saved.bytes, process->saved.length);
}

/* 60 times a second. Returns an exit status, or -1: it goes on. */
static int tick(process *process)
{
    const uint64_t turn = process->tick++;
    sl_sound_report *report = &process->report;
    sl_sound_report_heard(report, &process->handover);
    sl_sound_report_meter(report, &process->handover, sl_sound_thread_is_running(process->thread),
                          sl_state_schedule(process->follower.state));
    if (turn % CLOCK_EVERY == 0) sl_sound_report_clock(report);
    if (turn % STATUS_EVERY == 0)
        sl_sound_report_status(report, process->thread, sl_sound_processor_is_left_out(process->processor));
    save(process);
    if (process->processor != NULL && !sl_sound_processor_tick(process->processor, process->follower.state))
        _exit(SL_SOUND_LOOPS); /* the device's thread would be waited for, for ever */
    if (!sl_sound_thread_is_well(process->thread)) {
        snprintf(process->errmsg, sizeof process->errmsg, "memory ran out");
        return SL_SOUND_FAILED;
    }
    if (!sl_audio_is_alive(process->device)) return SL_SOUND_DEVICE_LOST;
    const bool looks =
        sl_audio_is_timer(process->device) && !process->options->no_device && turn % LOOK_EVERY == LOOK_EVERY - 1;
    const sl_audio_options wishes = wishes_of(process);
    return looks && sl_audio_can_open(&wishes) ? SL_SOUND_DEVICE_FOUND : -1;
}
