/* `symlog replay`: applies a log's events again and shows each with what it changed, or the state that they lead to. */
#include "core/message.h"
#include "ingest/osc_send.h"
#include "tools/symlog/command.h"
#include "tools/symlog/filter.h"
#include "tools/symlog/host.h"
#include "tools/symlog/moment.h"
#include "tools/symlog/options.h"
#include "tools/symlog/pace.h"
#include "tools/symlog/printer.h"
#include "tools/symlog/progress.h"
#include "tools/symlog/replay_notes.h"
#include "tools/symlog/replay_sound.h"

#include <assert.h>
#include <stdio.h>

typedef struct options {
    const char *db;
    const char *from;
    const char *to;
    const char *at;
    const char *kind;
    const char *speed;
    const char *digests;
    const char *target;
    const char *to_frame;
    bool wants_notes;
    bool wants_sound;
    bool wants_state;
    bool is_json;
    sl_filter filter;
} options;

typedef enum show { SHOW_EVENTS, SHOW_STATE, SHOW_DIGESTS, SHOW_NOTES, SHOW_SOUND } show;

/* What a replay works with. */
typedef struct replay {
    show show;
    bool is_json;
    sl_filter filter;
    uint64_t digests_every; // SHOW_DIGESTS
    uint64_t to_frame;      // SHOW_NOTES; 0: as far as time had gone.
    sl_range range;         // Of the events shown; the state is built from a snapshot before them on.
    sl_log *log;
    sl_log_reader *reader;
    sl_state *state;
    sl_osc_sender *sender; // NULL: nothing is sent.
    sl_pace pace;
    sl_printer printer;
    sl_text line;
    sl_text kept; // Payload of an event that is waited for.

    bool has_seen_node; // The filter's node stood there, before or after an event shown.

    // Of the event that is being applied.
    sl_text effects;      // What it did, as words or as JSON.
    size_t effect_count;  // Told of it, whether shown or not.
    bool is_node_touched; // The filter's node.
    const sl_node *node_before;
} replay;

static int run(int argc, char **argv);
static int configure(const options *options, replay *replay);
static sl_err open_all(const options *options, replay *replay, char errmsg[256]);
static sl_err find_range(const options *options, replay *replay, char errmsg[256]);
static void close_all(replay *replay);
static sl_err play(replay *replay, char errmsg[256]);
static sl_err play_notes(const options *options, replay *replay, char errmsg[256]);
static sl_err wait_until_due(replay *replay, sl_event *event);
static void check_filter(const replay *replay);
static sl_err apply(replay *replay, const sl_event *event, char errmsg[256]);
static void tell(void *ctx, const sl_state *state, const sl_effect *effect);
static sl_err show_event(replay *replay, const sl_event *event, char errmsg[256]);
static bool print_event(replay *replay, const sl_event *event);
static bool print_digest(replay *replay);
static bool print_state(replay *replay);

const sl_command sl_command_replay = {
    .name = "replay",
    .summary = "apply a log's events again; show what each changed, or the state at any moment",
    .help =
        "usage: symlog replay [--db DIR] [--from MOMENT] [--to MOMENT] [--at MOMENT] [--state] [--json] [OPTION...]\n\n"
        "Prints each event decoded, with what it changed in the project's tree, one a line. Works while serve runs.\n"
        "A MOMENT is an event's number, a time (2025-11-08T21:30, local unless a zone follows), +SECONDS since the\n"
        "log's first start, or the text of a mark (mark:TEXT if it could be taken for one of the others). Where serve\n"
        "was started several times, the +SECONDS that events show count from the last start before them.\n\n"
        "  --db DIR       the log's folder\n"
        "  --from MOMENT  first event shown\n"
        "  --to MOMENT    last event applied\n"
        "  --at MOMENT    this event alone; with --state, the state after it\n"
        "  --source S     only events of this source: its number, name (127.0.0.1:52011) or address\n"
        "  --kind K       only events of this kind (osc, mark, session, ...)\n"
        "  --node PATH    only what changes this node of the tree, or one below it\n"
        "  --state        instead of events, the state that they lead to\n"
        "  --json         one JSON object an event, with its messages; with --state the tree as FULL_AST's ast\n"
        "  --notes        instead of events, every note that live code started or ended, as it was sent\n"
        "  --to-frame N   with --notes, up to this frame, though nothing came any more\n"
        "  --sound        instead, plays what sounded from --from to --to on the default sound device\n"
        "  --digests N    instead of events, \"number digest\" of the state after every N-th event, and at the end\n"
        "  --speed X      in time: 1 as it was, 2 twice as fast, max (the default) without waiting\n"
        "  --to-osc HOST:PORT  send the recorded OSC datagrams on, byte for byte\n\n"
        "example: symlog replay --at chorus --state --json\n"
        "         symlog replay --from chorus --to +300 --sound\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    options options = {0};
    const sl_option table[] = {
        {.name = "--db", .value = &options.db},
        {.name = "--from", .value = &options.from},
        {.name = "--to", .value = &options.to},
        {.name = "--at", .value = &options.at},
        {.name = "--source", .value = &options.filter.source},
        {.name = "--kind", .value = &options.kind},
        {.name = "--node", .value = &options.filter.node},
        {.name = "--state", .is_given = &options.wants_state},
        {.name = "--notes", .is_given = &options.wants_notes},
        {.name = "--sound", .is_given = &options.wants_sound},
        {.name = "--to-frame", .value = &options.to_frame},
        {.name = "--json", .is_given = &options.is_json},
        {.name = "--digests", .value = &options.digests},
        {.name = "--speed", .value = &options.speed},
        {.name = "--to-osc", .value = &options.target},
    };
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count > 0) return sl_usage_error("replay", "\"%s\" is no option", operands.words[0]);
    replay replay = {.printer = sl_printer_stdout()};
    status = configure(&options, &replay);
    if (status != SL_EXIT_OK) return status;

    char errmsg[256];
    sl_text_open(&replay.line, sl_host_memory());
    sl_text_open(&replay.kept, sl_host_memory());
    sl_text_open(&replay.effects, sl_host_memory());
    sl_err err = open_all(&options, &replay, errmsg);
    if (err == SL_OK && replay.show == SHOW_SOUND) {
        err = sl_replay_sound(options.db, replay.log, options.from, options.to, errmsg);
    } else if (err == SL_OK) {
        err = replay.show == SHOW_NOTES ? play_notes(&options, &replay, errmsg) : play(&replay, errmsg);
    }
    sl_printer_flush(&replay.printer); // Before the message, which tells of what comes after.
    if (err != SL_OK) status = sl_failure("replay", "%s", errmsg);
    status = sl_printer_close(&replay.printer, "replay", status);
    close_all(&replay);
    return status;
}

/* What can be judged without the log. Returns an exit status. */
static int configure(const options *options, replay *replay)
{
    double speed = 0;
    if (options->at != NULL && (options->from != NULL || options->to != NULL)) {
        return sl_usage_error("replay", "--at is one moment; use it without --from and --to");
    }
    if (options->wants_state && options->digests != NULL) {
        return sl_usage_error("replay", "--state and --digests show different things; use one of them");
    }
    const bool is_filtered = options->filter.source != NULL || options->filter.node != NULL || options->kind != NULL;
    if (is_filtered && (options->wants_state || options->digests != NULL)) {
        return sl_usage_error("replay", "--source, --kind and --node choose events; use them without --state and "
                                        "--digests");
    }
    if (options->target != NULL && (options->wants_state || options->digests != NULL)) {
        return sl_usage_error("replay", "--to-osc sends events; use it without --state and --digests");
    }
    if (options->target != NULL && !sl_option_is_target(options->target)) {
        return sl_usage_error("replay", "--to-osc wants HOST:PORT, not \"%s\"", options->target);
    }
    if (options->kind != NULL && !sl_filter_kind(options->kind, &replay->filter.kind)) {
        return sl_usage_error("replay", "there is no kind of event \"%s\"", options->kind);
    }
    if (options->speed != NULL && !sl_option_speed(options->speed, &speed)) {
        return sl_usage_error("replay", "--speed wants a positive number or max, not \"%s\"", options->speed);
    }
    if (options->digests != NULL && !sl_option_number(options->digests, 1, UINT64_MAX, &replay->digests_every)) {
        return sl_usage_error("replay", "--digests wants a number of events, not \"%s\"", options->digests);
    }
    const bool is_other = options->wants_state || options->digests != NULL || options->target != NULL || is_filtered ||
                          options->speed != NULL || options->at != NULL;
    if (options->wants_notes && is_other)
        return sl_usage_error("replay", "--notes goes with --from, --to, --to-frame and --json alone");
    const bool is_in_time = options->speed == NULL || (speed >= 1 && speed <= 1);
    const bool is_silent = options->wants_state || options->digests != NULL || options->target != NULL || is_filtered ||
                           options->at != NULL || options->wants_notes || options->is_json;
    if (options->wants_sound && (is_silent || !is_in_time))
        return sl_usage_error("replay", "--sound goes with --from, --to and --speed 1 alone");
    if (options->to_frame != NULL && !options->wants_notes)
        return sl_usage_error("replay", "--to-frame says how far --notes goes; use it with that");
    if (options->to_frame != NULL && !sl_option_number(options->to_frame, 1, INT64_MAX, &replay->to_frame))
        return sl_usage_error("replay", "--to-frame wants a number, not \"%s\"", options->to_frame);
    replay->show = options->wants_sound       ? SHOW_SOUND
                   : options->wants_notes     ? SHOW_NOTES
                   : options->wants_state     ? SHOW_STATE
                   : options->digests != NULL ? SHOW_DIGESTS
                                              : SHOW_EVENTS;
    replay->is_json = options->is_json;
    replay->filter.source = options->filter.source;
    replay->filter.node = options->filter.node;
    replay->pace = sl_pace_begin(speed);
    return SL_EXIT_OK;
}

static sl_err open_all(const options *options, replay *replay, char errmsg[256])
{
    sl_err err = sl_host_open_log(options->db, &replay->log, errmsg);
    if (err != SL_OK || replay->show == SHOW_SOUND) return err;
    err = find_range(options, replay, errmsg);
    if (err != SL_OK) return err;
    if (replay->show == SHOW_NOTES) return SL_OK;
    const uint64_t through = replay->range.through;
    const bool is_from = replay->show != SHOW_STATE && replay->range.from <= through;
    const uint64_t wanted = is_from && through > 0 ? replay->range.from - 1 : through;
    err = sl_host_nearest(options->db, replay->log, wanted, &replay->state, errmsg);
    if (err != SL_OK) return err;
    err = sl_log_reader_open(replay->log, sl_state_seq(replay->state) + 1, &replay->reader);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(replay->log));
        return err;
    }
    return options->target != NULL ? sl_osc_sender_open(&replay->sender, options->target, errmsg) : SL_OK;
}

static sl_err play_notes(const options *options, replay *replay, char errmsg[256])
{
    const sl_replay_notes notes = {
        .db = options->db,
        .log = replay->log,
        .range = replay->range,
        .end_frame = replay->to_frame,
        .is_json = replay->is_json,
        .printer = &replay->printer,
    };
    const sl_err err = sl_replay_notes_print(&notes, errmsg);
    return err == SL_ERR_END ? SL_OK : err;
}

static sl_err find_range(const options *options, replay *replay, char errmsg[256])
{
    const char *to = options->at != NULL ? options->at : options->to;
    uint64_t last = 0;
    sl_err err = sl_moment_range(replay->log, options->from, to, &replay->range, errmsg);
    if (err != SL_OK) return err;
    err = sl_log_last(replay->log, &last);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(replay->log));
        return err;
    }
    if (options->at != NULL) {
        replay->range.from = replay->range.through;
        if (replay->range.through > last) {
            snprintf(errmsg, 256, "the log ends at event %llu, before --at %.80s", (unsigned long long)last, to);
            return SL_ERR_RANGE;
        }
    }
    if (replay->show == SHOW_EVENTS && sl_moment_check(replay->log, &replay->range, errmsg) == SL_ERR_RANGE)
        (void)sl_failure("replay", "%s", errmsg); // Nothing is an answer, too; but not without a word.
    if (replay->range.through > last) replay->range.through = last; // What is appended from now on is left out.
    return SL_OK;
}

static void close_all(replay *replay)
{
    if (replay->sender != NULL) sl_osc_sender_close(replay->sender);
    if (replay->reader != NULL) sl_log_reader_close(replay->reader);
    if (replay->state != NULL) sl_state_destroy(replay->state);
    sl_log_close(replay->log);
    sl_text_close(&replay->line);
    sl_text_close(&replay->kept);
    sl_text_close(&replay->effects);
}

/* Applies all events up to the last one wanted. Ends quietly when nobody reads, or at Ctrl-C while it waits. */
static sl_err play(replay *replay, char errmsg[256])
{
    bool is_silent = replay->show != SHOW_EVENTS && !sl_printer_is_terminal(&replay->printer);
    sl_progress progress =
        sl_progress_begin("applying", replay->range.through, is_silent || replay->show == SHOW_STATE);
    if (replay->pace.speed > 0) sl_pace_hold_signals();
    sl_err err = SL_OK;
    while (err == SL_OK && sl_state_seq(replay->state) < replay->range.through) {
        sl_event event;
        err = sl_log_read(replay->reader, &event);
        if (err != SL_OK) {
            sl_host_read_error(replay->reader, err, errmsg);
            break;
        }
        err = wait_until_due(replay, &event);
        if (err == SL_OK) err = apply(replay, &event, errmsg);
        sl_progress_show(&progress, event.seq);
    }
    sl_progress_end(&progress);
    if (err == SL_ERR_END) return SL_OK;
    if (err != SL_OK) return err;
    if (replay->show == SHOW_EVENTS) check_filter(replay);
    if (replay->show == SHOW_STATE) print_state(replay);
    bool has_more = replay->digests_every > 0 && sl_state_seq(replay->state) % replay->digests_every != 0;
    if (replay->show == SHOW_DIGESTS && has_more) print_digest(replay);
    return SL_OK;
}

/* Nothing is an answer, too; but not without a word on what never was. */
static void check_filter(const replay *replay)
{
    const sl_filter *filter = &replay->filter;
    if (!sl_filter_has_source(filter, replay->state)) {
        (void)sl_failure("replay", "by event %llu there is no source \"%.100s\"; symlog stat tells their names",
                         (unsigned long long)sl_state_seq(replay->state), filter->source);
    }
    if (filter->node != NULL && !replay->has_seen_node) {
        (void)sl_failure("replay",
                         "in these events there is no node \"%.100s\"; a path is such as tracks[0].clip_slots[3].clip",
                         filter->node);
    }
}

/* Keeps the recorded time. The event's payload is copied, so that a long wait holds no view of the log. SL_ERR_END:
 * Ctrl-C. */
static sl_err wait_until_due(replay *replay, sl_event *event)
{
    if (event->seq < replay->range.from) return SL_OK;
    if (event->kind == SL_KIND_START) sl_pace_restart(&replay->pace);
    if (sl_pace_left_ns(&replay->pace, event->time_ns) == 0) return SL_OK;
    sl_text_clear(&replay->kept);
    sl_text_bytes(&replay->kept, (const char *)event->payload, event->length);
    if (replay->kept.bad) return SL_OK; // Then the view is held; waiting goes before thrift.
    event->payload = (const uint8_t *)replay->kept.bytes;
    sl_log_reader_rest(replay->reader);
    if (!sl_printer_flush(&replay->printer)) return SL_ERR_END;
    return sl_pace_wait(&replay->pace, event->time_ns) ? SL_OK : SL_ERR_END;
}

static sl_err apply(replay *replay, const sl_event *event, char errmsg[256])
{
    bool is_shown = replay->show == SHOW_EVENTS && event->seq >= replay->range.from;
    sl_output output = {.tell = tell, .ctx = replay};
    if (is_shown) {
        sl_text_clear(&replay->effects);
        replay->effect_count = 0;
        replay->is_node_touched = false;
        replay->node_before = sl_filter_node(&replay->filter, replay->state);
    }
    sl_err err = sl_reduce(replay->state, event, is_shown ? &output : NULL);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "event %llu: %s", (unsigned long long)event->seq, sl_err_text(err));
        return err;
    }
    if (is_shown && (replay->node_before != NULL || sl_filter_node(&replay->filter, replay->state) != NULL))
        replay->has_seen_node = true;
    if (is_shown) return show_event(replay, event, errmsg);
    bool is_due = replay->show == SHOW_DIGESTS && event->seq % replay->digests_every == 0;
    return !is_due || event->seq < replay->range.from || print_digest(replay) ? SL_OK : SL_ERR_END;
}

/* An sl_output: notes what a message of the event did. */
static void tell(void *ctx, const sl_state *state, const sl_effect *effect)
{
    replay *replay = ctx;
    assert(replay->show == SHOW_EVENTS);
    if (effect->type == SL_EFFECT_GROUP_BEGIN || effect->type == SL_EFFECT_GROUP_END) return;
    if (effect->type == SL_EFFECT_GROOVE) return;
    if (effect->type == SL_EFFECT_BAD_SAVE && !replay->is_json) return; /* the event says it */
    if (effect->type == SL_EFFECT_DIFF &&
        sl_filter_takes_diff(&replay->filter, state, replay->node_before, effect->diff)) {
        replay->is_node_touched = true;
    }
    if (replay->is_json) {
        if (replay->effect_count > 0) {
            sl_message_close(&replay->effects, 0);
            sl_text_string(&replay->effects, ",");
        }
        sl_message_effect(&replay->effects, state, effect);
    } else if (effect->type != SL_EFFECT_LIVE_EVENT) {
        sl_text_string(&replay->effects, replay->effects.length > 0 ? "; " : "");
        if (effect->type == SL_EFFECT_DIFF) {
            sl_text_diff(&replay->effects, effect->diff);
        } else if (effect->type == SL_EFFECT_GAP) {
            sl_text_string(&replay->effects, "gave up ");
            sl_text_u64(&replay->effects, effect->gap.count);
            sl_text_string(&replay->effects, " from #");
            sl_text_u64(&replay->effects, effect->gap.first);
        } else {
            sl_text_string(&replay->effects, "refused: ");
            sl_text_string(&replay->effects, sl_refusal_text(effect->refusal));
        }
    }
    replay->effect_count++;
}

/* SL_ERR_END: nobody reads it any more. */
static sl_err show_event(replay *replay, const sl_event *event, char errmsg[256])
{
    if (!sl_filter_takes(&replay->filter, replay->state, event)) return SL_OK;
    if (replay->filter.node != NULL && !replay->is_node_touched) return SL_OK;
    if (replay->sender != NULL && event->kind == SL_KIND_OSC) {
        sl_err err = sl_osc_sender_packet(replay->sender, event->payload, event->length);
        if (err != SL_OK) {
            snprintf(errmsg, 256, "event %llu cannot be sent on: %s", (unsigned long long)event->seq, sl_err_text(err));
            return err;
        }
    }
    return print_event(replay, event) ? SL_OK : SL_ERR_END;
}

static bool print_event(replay *replay, const sl_event *event)
{
    sl_text *line = &replay->line;
    sl_text_clear(line);
    if (!replay->is_json) {
        sl_text_event(line, event, replay->state);
        if (replay->effects.length > 0) sl_text_string(line, "  => ");
        sl_text_bytes(line, replay->effects.bytes, replay->effects.length);
        return sl_print_screen_line(&replay->printer, line);
    }
    sl_text_string(line, "{\"event\":");
    sl_text_event_json(line, event, replay->state);
    sl_text_string(line, ",\"messages\":[");
    if (replay->effect_count > 0) sl_message_close(&replay->effects, event->seq);
    sl_text_bytes(line, replay->effects.bytes, replay->effects.length);
    sl_text_string(line, "]}");
    return sl_print_line(&replay->printer, line);
}

static bool print_digest(replay *replay)
{
    sl_digest digest;
    char hex[SL_DIGEST_HEX + 1];
    sl_state_digests(replay->state, NULL, &digest);
    sl_digest_hex(digest, hex);
    sl_text_clear(&replay->line);
    sl_text_u64(&replay->line, sl_state_seq(replay->state));
    sl_text_string(&replay->line, " ");
    sl_text_string(&replay->line, hex);
    return sl_print_line(&replay->printer, &replay->line);
}

static bool print_state(replay *replay)
{
    sl_text_clear(&replay->line);
    if (!replay->is_json) {
        sl_text_state(&replay->line, replay->state);
        bool is_ended = replay->line.length > 0 && replay->line.bytes[replay->line.length - 1] == '\n';
        return is_ended ? sl_print_bytes(&replay->printer, replay->line.bytes, replay->line.length)
                        : sl_print_line(&replay->printer, &replay->line);
    }
    const sl_tree *tree = sl_state_tree_view(replay->state);
    sl_state_digests(replay->state, NULL, NULL); // Brings them up to date.
    sl_text_node(&replay->line, tree, sl_tree_project(tree), -1);
    return sl_print_line(&replay->printer, &replay->line);
}
