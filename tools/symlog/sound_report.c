/* What the sound process says of itself. */
#include "tools/symlog/sound_report.h"

#include "ingest/clock.h"

#include <stdio.h>
#include <string.h>

enum { HEARD_BYTES_MAX = 64 };

void sl_sound_report_open(sl_sound_report *report, int link, sl_audio_output *output, const sl_audio_device *device)
{
    *report = (sl_sound_report){.link = link, .output = output, .device = device};
    output->rate = sl_audio_rate(device);
}

static void diagnose(sl_sound_report *report, const char *code, const char *message, const char *hint)
{
    snprintf(report->status.code, sizeof report->status.code, "%s", code);
    snprintf(report->status.message, sizeof report->status.message, "%s", message);
    snprintf(report->status.hint, sizeof report->status.hint, "%s", hint);
}

static void send_status(sl_sound_report *report)
{
    report->message.type = SL_SOUND_STATUS;
    report->message.as.status = report->status;
    (void)sl_sound_send(report->link, &report->message); /* the next one tells it again */
}

void sl_sound_report_device(sl_sound_report *report, bool has_device, bool with_audio, const char *why)
{
    const sl_audio_device *device = report->device;
    sl_audio_status *status = &report->status;
    status->phase = sl_audio_has_input(device) ? SL_AUDIO_RUNNING_FULL_DUPLEX : SL_AUDIO_RUNNING_OUTPUT_ONLY;
    status->sample_rate = sl_audio_rate(device);
    status->buffer_size = sl_audio_block(device);
    snprintf(status->device, sizeof status->device, "%s", sl_audio_name(device));
    if (!has_device) {
        status->phase = SL_AUDIO_DEGRADED;
        diagnose(report, "no_device", why, "connect one; meters, digests and MIDI go on meanwhile");
        sl_sound_say(report->link, "sound device=none reason=\"%s\" hint=\"meters, digests and MIDI go on\"", why);
    } else {
        char block[24] = ""; /* a device may tell it only with its first block */
        if (sl_audio_block(device) > 0) snprintf(block, sizeof block, " block=%u", sl_audio_block(device));
        sl_sound_say(report->link, "sound device=\"%s\" rate=%u%s%s", sl_audio_name(device), sl_audio_rate(device),
                     block, sl_audio_has_input(device) ? " input=yes" : "");
        if (with_audio && !sl_audio_has_input(device)) {
            diagnose(report, "no_input", why, "choose another with --device; symlog serve --list-devices lists them");
            sl_sound_say(report->link, "sound input=none reason=\"%s\"", why);
        }
    }
    send_status(report);
}

/* Frames that were missed since the last look were missed between the two looks; the block that goes out just now may
 * have been counted, too. Returns the frame up to which all are known. */
static uint64_t look_for_missed(sl_sound_report *report)
{
    const uint64_t played = sl_audio_output_played(report->output);
    const uint64_t missed = sl_audio_output_counts(report->output).missed_frames;
    if (missed > report->missed_seen) {
        if (report->missed_count == 0) report->missed_from = report->looked;
        report->missed_to = sl_audio_output_played(report->output) + sl_audio_output_block(report->output);
        report->missed_count += missed - report->missed_seen;
        report->missed_seen = missed;
    }
    report->looked = played;
    return played;
}

void sl_sound_report_heard(sl_sound_report *report, sl_sound_handover *handover)
{
    const uint64_t played = look_for_missed(report);
    sl_heard heard;
    while (sl_sound_handover_take_heard(handover, played, &heard)) {
        const uint64_t end = heard.frame + heard.frames;
        if (report->missed_count > 0 && report->missed_from < end && report->missed_to > heard.frame)
            heard.missed = report->missed_count < heard.frames ? (uint32_t)report->missed_count : heard.frames;
        uint8_t bytes[HEARD_BYTES_MAX];
        sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
        if (sl_heard_encode(&heard, &writer) == SL_OK)
            (void)sl_sound_send_draft(report->link, SL_KIND_HEARD, bytes, writer.length); /* else it stays unproven */
        if (report->missed_to <= end) report->missed_count = 0;
    }
}

/* The name of a track by its digest; "": it is none of the session's. */
static void find_name(const sl_schedule *schedule, sl_digest digest, char *out, size_t size)
{
    out[0] = '\0';
    const uint32_t count = schedule != NULL ? sl_schedule_track_count(schedule) : 0;
    for (uint32_t i = 0; i < count; i++) {
        const sl_code_track *track = sl_schedule_track(schedule, i);
        if (!sl_digest_equal(sl_playback_name(track->name, track->name_length, false), digest)) continue;
        snprintf(out, size, "%.*s", (int)track->name_length, track->name);
        return;
    }
}

void sl_sound_report_meter(sl_sound_report *report, sl_sound_handover *handover, bool is_running,
                           const sl_schedule *schedule)
{
    sl_meter_frame frame;
    if (!sl_audio_output_take_meter(report->output, &frame)) return;
    is_running = is_running || sl_audio_has_input(report->device) || frame.peak_left > 0 || frame.peak_right > 0;
    if (!is_running && !report->was_running) return;
    report->was_running = is_running; /* one more, of silence, behind the last */
    sl_sound_levels levels;
    sl_sound_handover_levels(handover, &levels);
    sl_audio_meter *meter = &report->message.as.meter;
    *meter = (sl_audio_meter){
        .timestamp_us = (sl_clock_wall_ns() - (int64_t)(sl_player_clock_ns() - frame.ns)) / 1000,
        .master = {frame.peak_left, frame.rms_left, frame.peak_right, frame.rms_right},
    };
    for (uint32_t i = 0; i < levels.count && meter->track_count < SL_AUDIO_TRACKS_MAX; i++) {
        char *name = meter->tracks[meter->track_count].name;
        find_name(schedule, levels.tracks[i].name, name, sizeof meter->tracks[0].name);
        if (name[0] == '\0') continue;
        meter->tracks[meter->track_count++].levels =
            (sl_audio_levels){levels.tracks[i].peak_left, levels.tracks[i].rms_left, levels.tracks[i].peak_right,
                              levels.tracks[i].rms_right};
    }
    report->message.type = SL_SOUND_METER;
    (void)sl_sound_send(report->link, &report->message); /* there will be another */
}

void sl_sound_report_clock(sl_sound_report *report)
{
    if (!sl_audio_output_anchor(report->output, &report->message.as.anchor)) return;
    report->message.type = SL_SOUND_CLOCK;
    (void)sl_sound_send(report->link, &report->message);
}

static double taken_us(const sl_audio_output *output, unsigned of_1000)
{
    return (double)sl_audio_output_taken_ns(output, of_1000) / 1000;
}

void sl_sound_report_status(sl_sound_report *report, const sl_sound_thread *thread, bool is_left_out)
{
    static const char code[] = "processor_left_out";
    const bool is_said = strcmp(report->status.code, code) == 0;
    if (is_left_out && report->status.code[0] == '\0')
        diagnose(report, code, "the processor has crashed as it is",
                 "the sound goes on without it; mend it and save it");
    if (!is_left_out && is_said) diagnose(report, "", "", "");
    const sl_output_counts counts = sl_audio_output_counts(report->output);
    report->status.counts = (sl_audio_counts){
        .xruns_input = counts.input_xruns,
        .xruns_output = counts.output_xruns,
        .underruns = counts.underruns,
        .missed_frames = counts.missed_frames,
        .late_marks = sl_sound_thread_late(thread),
        .callbacks = counts.callbacks,
        .flagged = counts.flagged,
    };
    report->status.callback_us = (sl_audio_callback){
        .p50 = taken_us(report->output, 500),
        .p99 = taken_us(report->output, 990),
        .p999 = taken_us(report->output, 999),
        .max = (double)counts.slow_ns / 1000,
    };
    report->status.buffer_size = sl_audio_output_block(report->output);
    report->status.load = sl_audio_load(report->device);
    send_status(report);
}
