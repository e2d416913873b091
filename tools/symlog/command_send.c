/* `symlog send`: plays recorded OSC to a host: lines of messages, as a sender that answers requests to send again; or
 * the datagrams of an exported log. */
#include "core/text.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/log_file.h"
#include "tools/symlog/ndjson.h"
#include "tools/symlog/options.h"
#include "tools/symlog/pace.h"
#include "tools/symlog/progress.h"
#include "tools/symlog/sender.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { ARGUMENTS_MAX = 1024, NUMBER_BYTES = 32 };

#define T_SECONDS_MAX 1e9
#define LINGER_SECONDS_MAX 3600

/* The arguments of one message as sl_osc_build takes them. */
typedef struct words {
    char tags[ARGUMENTS_MAX + 1];
    const char *words[ARGUMENTS_MAX]; // Views into the line or into `numbers`.
    char numbers[ARGUMENTS_MAX][NUMBER_BYTES];
    size_t tag_count;
    size_t word_count;
} words;

/* What one run works with. */
typedef struct sending {
    sl_ndjson input;
    sl_sender *sender; // NULL before the first line.
    sl_sender_options options;
    sl_pace pace;
    sl_text payload;    // Of an exported event.
    bool is_plain;      // No wrapper.
    bool is_log;        // The input is an exported log.
    uint64_t linger_ns; // After the last line.
    uint64_t sent;
    words words;
} sending;

static int run(int argc, char **argv);
static bool read_seconds(const char *text, uint64_t *out_ns);
static int send_file(sending *run, const char *path);
static sl_err send_all(sending *run, char errmsg[512]);
static sl_err open_sender(sending *run, const json_t *first, char errmsg[256]);
static sl_err send_line(sending *run, const json_t *line, char reason[SL_NDJSON_REASON_BYTES]);
static sl_err send_event(sending *run, const json_t *line, char reason[SL_NDJSON_REASON_BYTES]);
static sl_err send_message(sending *run, const json_t *line, char reason[SL_NDJSON_REASON_BYTES]);
static bool wait_until(sending *run, uint64_t time_ns);
static bool is_own(const sending *run, const char *path);
static bool take_argument(words *out, const json_t *argument);

const sl_command sl_command_send = {
    .name = "send",
    .summary = "play recorded OSC messages, or a log's, to a host",
    .help = "usage: symlog send FILE --to HOST:PORT [--speed X|max] [--session N] [--linger SECONDS] [--plain]\n\n"
            "FILE (- for standard input) is either NDJSON of messages,\n\n"
            "  {\"t\": 1.5, \"path\": \"/live/track/renamed\", \"args\": [[\"i\", 0], [\"s\", \"Bass\"]]}\n\n"
            "with t in seconds and OSC type tags, each sent in Live's wrapper /live/seq and numbered from 0 (but lines "
            "with\n"
            "\"wrap\": false); a blob stands as base64. symlog send says hello first, keeps its last 4,096 datagrams "
            "and sends\n"
            "again what the receiver asks for, and says by a heartbeat what its next number is whenever it has been "
            "silent\n"
            "for 250 ms, and at the end; hello and heartbeat lines of FILE are left out.\n"
            "Or FILE is what symlog log export wrote: then the recorded datagrams are sent, byte for byte, and nothing "
            "else.\n\n"
            "  --to HOST:PORT    who gets them\n"
            "  --speed X         1 as it was (the default), 2 twice as fast, max without waiting\n"
            "  --session N       the number of this run that hello tells (a random one)\n"
            "  --linger SECONDS  so long it answers after the last line (1.5)\n"
            "  --plain           without the wrapper, and without hello, heartbeats and answers\n\n"
            "example: symlog send friday.ndjson --to 127.0.0.1:9002 --speed 4\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    const char *target = NULL;
    const char *speed_text = "1";
    const char *session_text = NULL;
    const char *linger_text = "1.5";
    sending sending = {0};
    const sl_option table[] = {
        {.name = "--to", .value = &target},
        {.name = "--speed", .value = &speed_text},
        {.name = "--session", .value = &session_text},
        {.name = "--linger", .value = &linger_text},
        {.name = "--plain", .is_given = &sending.is_plain},
    };
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count != 1) return sl_usage_error("send", "one FILE is wanted (- for standard input)");
    if (target == NULL) return sl_usage_error("send", "--to HOST:PORT is missing");
    if (!sl_option_is_target(target)) return sl_usage_error("send", "--to wants HOST:PORT, not \"%s\"", target);
    double speed = 0;
    if (!sl_option_speed(speed_text, &speed)) {
        return sl_usage_error("send", "--speed wants a positive number or max, not \"%s\"", speed_text);
    }
    uint64_t session;
    if (getrandom(&session, sizeof session, 0) != (ssize_t)sizeof session)
        return sl_failure("send", "getrandom failed");
    session >>= 1; // A positive int64.
    if (session_text != NULL && !sl_option_number(session_text, 0, INT64_MAX, &session))
        return sl_usage_error("send", "--session wants a number, not \"%s\"", session_text);
    if (!read_seconds(linger_text, &sending.linger_ns))
        return sl_usage_error("send", "--linger wants seconds, not \"%s\"", linger_text);
    sending.pace = sl_pace_begin(speed);
    sending.options = (sl_sender_options){.target = target, .session = session};
    sl_text_open(&sending.payload, sl_host_memory());
    status = send_file(&sending, operands.words[0]);
    sl_sender_close(sending.sender);
    sl_ndjson_close(&sending.input);
    sl_text_close(&sending.payload);
    return status;
}

static bool read_seconds(const char *text, uint64_t *out_ns)
{
    char *end;
    const double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= LINGER_SECONDS_MAX)) return false;
    *out_ns = (uint64_t)(seconds * 1e9);
    return true;
}

static int send_file(sending *run, const char *path)
{
    char errmsg[512];
    if (!sl_ndjson_open(&run->input, path)) return sl_failure("send", "%s cannot be read: %s", path, strerror(errno));
    if (run->pace.speed > 0) sl_pace_hold_signals();
    const sl_err err = send_all(run, errmsg);
    uint64_t resent = 0;
    if (run->sender != NULL && !run->is_plain && !run->is_log) {
        sl_sender_heartbeat(run->sender);
        (void)sl_sender_wait(run->sender, run->linger_ns);
        resent = sl_sender_resent(run->sender);
    }
    printf("sent %llu packets to %s", (unsigned long long)run->sent, run->options.target);
    if (resent > 0) printf(", %llu again", (unsigned long long)resent);
    printf("\n");
    fflush(stdout);
    return err == SL_OK ? SL_EXIT_OK : sl_failure("send", "%s", errmsg);
}

/* Ends at the end of the input, or at Ctrl-C. */
static sl_err send_all(sending *run, char errmsg[512])
{
    sl_progress progress = sl_progress_begin("sending", 0, true);
    sl_err err = SL_OK;
    while (err == SL_OK) {
        char reason[SL_NDJSON_REASON_BYTES];
        json_t *line = NULL;
        err = sl_ndjson_next(&run->input, &line, reason);
        if (err == SL_ERR_END) break;
        if (err == SL_OK && run->sender == NULL) {
            err = open_sender(run, line, errmsg);
            if (err != SL_OK) json_decref(line);
            if (err != SL_OK) break;
        }
        if (err == SL_OK) {
            err = send_line(run, line, reason);
            json_decref(line);
        }
        if (err == SL_ERR_END) break;
        if (err != SL_OK) {
            snprintf(errmsg, 512, "line %llu: %s", (unsigned long long)run->input.line_number, reason);
        }
        sl_progress_show(&progress, run->sent);
    }
    sl_progress_end(&progress);
    return err == SL_ERR_END ? SL_OK : err;
}

/* The first line tells whether the input is a log: of that, nothing but its datagrams is sent. */
static sl_err open_sender(sending *run, const json_t *first, char errmsg[256])
{
    run->is_log = sl_log_file_is_head(first);
    run->options.is_silent = run->is_plain || run->is_log;
    const sl_err err = sl_sender_open(&run->sender, &run->options, errmsg);
    if (err != SL_OK) run->sender = NULL;
    return err;
}

/* SL_ERR_END: Ctrl-C; else an error with its reason. */
static sl_err send_line(sending *run, const json_t *line, char reason[SL_NDJSON_REASON_BYTES])
{
    if (run->input.line_number == 1 && run->is_log) {
        uint8_t id[SL_LOG_ID_BYTES];
        return sl_log_file_read_head(line, id, reason);
    }
    sl_err err = run->is_log ? send_event(run, line, reason) : send_message(run, line, reason);
    if (err == SL_OK) run->sent++;
    if (err == SL_ERR_IO) {
        const bool is_too_long = errno == EMSGSIZE;
        snprintf(reason, SL_NDJSON_REASON_BYTES, "it cannot be sent: %s",
                 is_too_long ? "a datagram has at most 65,507 bytes, and this is longer" : strerror(errno));
    }
    return err == SL_ERR_NOT_FOUND ? SL_OK : err;
}

/* SL_ERR_NOT_FOUND: no datagram, nothing to send. */
static sl_err send_event(sending *run, const json_t *line, char reason[SL_NDJSON_REASON_BYTES])
{
    sl_event event;
    sl_text_clear(&run->payload);
    sl_err err = sl_log_file_read_event(line, &event, &run->payload, reason);
    if (err != SL_OK) return err;
    if (event.kind == SL_KIND_START) sl_pace_restart(&run->pace);
    if (event.kind != SL_KIND_OSC || event.length == 0) return SL_ERR_NOT_FOUND;
    if (!wait_until(run, event.time_ns)) return SL_ERR_END;
    return sl_sender_packet(run->sender, (const uint8_t *)run->payload.bytes, event.length);
}

static sl_err send_message(sending *run, const json_t *line, char reason[SL_NDJSON_REASON_BYTES])
{
    const char *path = json_string_value(json_object_get(line, "path"));
    const json_t *arguments = json_object_get(line, "args");
    const json_t *t = json_object_get(line, "t");
    double seconds = t != NULL ? json_number_value(t) : 0;
    const char *fault = NULL;
    if (path == NULL || path[0] != '/') fault = "\"path\" must be an OSC address, as /live/track/mute";
    if (t != NULL && !json_is_number(t)) fault = "\"t\" must be a number of seconds";
    if (!(seconds >= 0 && seconds <= T_SECONDS_MAX)) fault = "\"t\" is no time in seconds from the start";
    if (arguments != NULL && !json_is_array(arguments)) fault = "\"args\" must be a list of [tag, value]";
    if (json_array_size(arguments) > ARGUMENTS_MAX) fault = "\"args\" are too many";
    run->words.tag_count = 0;
    run->words.word_count = 0;
    for (size_t i = 0; i < json_array_size(arguments) && fault == NULL; i++) {
        if (!take_argument(&run->words, json_array_get(arguments, i))) fault = "\"args\" must be pairs [tag, value]";
    }
    if (fault != NULL) {
        snprintf(reason, SL_NDJSON_REASON_BYTES, "%s", fault);
        return SL_ERR_MALFORMED;
    }
    assert(run->words.tag_count <= ARGUMENTS_MAX);
    run->words.tags[run->words.tag_count] = '\0';
    if (is_own(run, path)) return SL_ERR_NOT_FOUND;
    if (!wait_until(run, (uint64_t)(seconds * 1e9))) return SL_ERR_END;
    const json_t *wrap = json_object_get(line, "wrap");
    const bool is_wrapped = json_is_boolean(wrap) ? json_is_true(wrap) : !run->is_plain;
    const sl_osc_words message = {
        .path = path, .tags = run->words.tags, .words = run->words.words, .word_count = run->words.word_count};
    sl_err err = sl_sender_message(run->sender, &message, is_wrapped);
    if (err == SL_ERR_MALFORMED) {
        snprintf(reason, SL_NDJSON_REASON_BYTES, "a value does not fit its tag in \"%.100s\"", run->words.tags);
    }
    return err;
}

/* Until something recorded at `time_ns` is due; requests are answered meanwhile. False: Ctrl-C. */
static bool wait_until(sending *run, uint64_t time_ns)
{
    for (;;) {
        const uint64_t left_ns = sl_pace_left_ns(&run->pace, time_ns);
        if (!sl_sender_wait(run->sender, left_ns)) return false;
        if (left_ns == 0) return true;
    }
}

/* What this sender says for itself, with its own session. */
static bool is_own(const sending *run, const char *path)
{
    if (run->is_plain) return false;
    return strcmp(path, "/symlog/hello") == 0 || strcmp(path, "/symlog/heartbeat") == 0;
}

/* [tag, value]; the value of a tag that carries no data may be left out. */
static bool take_argument(words *out, const json_t *argument)
{
    const char *tag = json_string_value(json_array_get(argument, 0));
    const json_t *value = json_array_get(argument, 1);
    if (tag == NULL || strlen(tag) != 1 || json_array_size(argument) > 2) return false;
    out->tags[out->tag_count++] = tag[0];
    if (strchr("TFNI", tag[0]) != NULL) return true;
    char *number = out->numbers[out->word_count];
    if (json_is_string(value)) {
        out->words[out->word_count++] = json_string_value(value);
        return true;
    }
    if (json_is_integer(value)) {
        snprintf(number, NUMBER_BYTES, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        snprintf(number, NUMBER_BYTES, "%.17g", json_real_value(value));
    } else {
        return false;
    }
    out->words[out->word_count++] = number;
    return true;
}
