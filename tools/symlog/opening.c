/* From a folder to a log that can be served. */
#include "tools/symlog/opening.h"

#include "core/payload.h"
#include "ingest/clock.h"
#include "tools/symlog/host.h"
#include "tools/symlog/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { START_BYTES_MAX = 1024 };

static sl_err apply_all(sl_opening *opening, const sl_opening_options *options, char errmsg[256]);
static sl_err append_start(sl_opening *opening, const sl_opening_options *options, char errmsg[256]);
static void read_boot_id(uint8_t id[16]);
static sl_err append(void *ctx, const sl_event *draft);

sl_err sl_opening_open(sl_opening *opening, const sl_opening_options *options, char errmsg[256])
{
    *opening = (sl_opening){0};
    const sl_log_options log = {.dir = options->dir, .is_writer = true, .durability = options->durability};
    sl_err err = sl_log_open(&opening->log, &log, errmsg);
    if (err == SL_ERR_BUSY) {
        snprintf(errmsg, 256,
                 "another symlog serve writes the log in %.120s; stop it, or name another folder with --db",
                 options->dir);
    }
    if (err != SL_OK) return err;
    err = sl_log_reader_check(opening->log, NULL);
    if (err == SL_OK) err = sl_state_create(sl_host_memory(), &opening->state);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%s", err == SL_ERR_MEMORY ? "out of memory" : sl_log_error(opening->log));
    } else {
        err = apply_all(opening, options, errmsg);
    }
    if (err == SL_OK) err = append_start(opening, options, errmsg);
    if (err != SL_OK) sl_opening_close(opening);
    return err;
}

void sl_opening_close(sl_opening *opening)
{
    if (opening->state != NULL) sl_state_destroy(opening->state);
    sl_log_close(opening->log);
    *opening = (sl_opening){0};
}

static sl_err apply_all(sl_opening *opening, const sl_opening_options *options, char errmsg[256])
{
    uint64_t head = 0;
    sl_log_reader *reader = NULL;
    sl_err err = sl_log_last(opening->log, &head);
    if (err == SL_OK) err = sl_log_reader_open(opening->log, 1, &reader);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(opening->log));
        return err;
    }
    sl_progress progress = sl_progress_begin("reading the log", head, true);
    while (err == SL_OK && sl_state_seq(opening->state) < head) {
        sl_event event;
        err = *options->signal != 0 ? SL_ERR_END : sl_log_read(reader, &event);
        if (err != SL_OK) break;
        err = sl_reduce(opening->state, &event, NULL);
        sl_progress_show(&progress, event.seq);
    }
    sl_progress_end(&progress);
    for (size_t i = 0; sl_state_source_at(opening->state, i) != NULL; i++) {
        sl_settle_see(&opening->settle, sl_state_source_at(opening->state, i), 0);
    }
    if (err == SL_ERR_END) {
        snprintf(errmsg, 256, "stopped while reading the log; nothing was changed");
    } else if (err == SL_ERR_MEMORY) {
        snprintf(errmsg, 256, "memory ran out after event %llu", (unsigned long long)sl_state_seq(opening->state));
    } else if (err != SL_OK) {
        sl_host_read_error(reader, err, errmsg);
    }
    sl_log_reader_close(reader);
    return err;
}

static sl_err append_start(sl_opening *opening, const sl_opening_options *options, char errmsg[256])
{
    opening->start_ns = sl_clock_boot_ns();
    sl_start start = {
        .wall_ns = sl_clock_wall_ns(),
        .reducer_version = SL_REDUCER_VERSION,
        .program = SL_PROGRAM_VERSION,
        .program_length = strlen(SL_PROGRAM_VERSION),
        .options = options->options,
        .options_length = strlen(options->options),
    };
    read_boot_id(start.boot_id);
    uint8_t bytes[START_BYTES_MAX];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_err err = sl_start_encode(&start, &writer);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "the command line is too long for the start event");
        return err;
    }
    const sl_event draft = {
        .kind = SL_KIND_START,
        .version = SL_PAYLOAD_VERSION,
        .source = SL_SOURCE_SELF,
        .source_seq = SL_SOURCE_SEQ_NONE,
        .payload = bytes,
        .length = (uint32_t)writer.length,
    };
    err = append(opening->log, &draft);
    if (err != SL_OK) snprintf(errmsg, 256, "%.255s", sl_log_error(opening->log));
    return err;
}

/* The kernel's number of this boot, or zeros where it tells none. */
static void read_boot_id(uint8_t id[16])
{
    char text[64] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file != NULL && fgets(text, sizeof text, file) == NULL) text[0] = '\0';
    if (file != NULL) fclose(file);
    memset(id, 0, 16);
    size_t digits = 0;
    for (const char *at = text; *at != '\0' && digits < 32; at++) {
        const char one[2] = {*at, '\0'};
        char *end = NULL;
        const unsigned long value = strtoul(one, &end, 16);
        if (end == one) continue; /* a dash */
        id[digits / 2] = (uint8_t)((unsigned long)id[digits / 2] << 4 | value);
        digits++;
    }
}

sl_sink sl_opening_sink(sl_log *log)
{
    return (sl_sink){.put = append, .ctx = log};
}

static sl_err append(void *ctx, const sl_event *draft)
{
    return sl_log_append(ctx, draft, 1, NULL);
}
