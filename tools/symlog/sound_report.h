/*
 * What the sound process says of itself: what was heard, by digests; how loud it is; its clock; how it goes. To serve,
 * by sound_wire.h.
 *
 * One thread.
 */
#ifndef SL_TOOLS_SOUND_REPORT_H
#define SL_TOOLS_SOUND_REPORT_H

#include "core/schedule.h"
#include "tools/symlog/audio_device.h"
#include "tools/symlog/audio_output.h"
#include "tools/symlog/sound_thread.h"
#include "tools/symlog/sound_wire.h"

typedef struct sl_sound_report {
    int link;
    sl_audio_output *output;
    const sl_audio_device *device;
    sl_audio_status status;
    uint64_t missed_seen; /* frames, in all … */
    uint64_t missed_from; /* … and between which frames, when they were looked at last, some were */
    uint64_t missed_to;
    uint64_t missed_count;
    uint64_t looked; /* the frame played then */
    bool was_running;
    sl_sound_message message;
} sl_sound_report;

void sl_sound_report_open(sl_sound_report *report, int link, sl_audio_output *output, const sl_audio_device *device);

/* What became of the wish for a device. `why` is sl_audio_open's errmsg. */
void sl_sound_report_device(sl_sound_report *report, bool has_device, bool with_audio, const char *why);

/* Digests of what was played; what was missed stands with the seconds in which it may have been. */
void sl_sound_report_heard(sl_sound_report *report, sl_sound_handover *handover);

/* The newest meter, if there is one and anything is to be heard: while the clock `is_running`, or sound goes out. */
void sl_sound_report_meter(sl_sound_report *report, sl_sound_handover *handover, bool is_running,
                           const sl_schedule *schedule);

void sl_sound_report_clock(sl_sound_report *report);

/* How it goes. `is_left_out`: the processor is, for it has crashed. */
void sl_sound_report_status(sl_sound_report *report, const sl_sound_thread *thread, bool is_left_out);

#endif
