/* What clients say, on its way into the log or to who can answer it; and the answers' way back. */
#include "tools/symlog/service_internal.h"

#include "core/payload.h"
#include "ingest/clock.h"

/* Puts a draft, stamped now. */
static sl_err put(const sl_service *service, sl_event draft, const void *payload, size_t length)
{
    draft.version = SL_PAYLOAD_VERSION;
    draft.source_seq = SL_SOURCE_SEQ_NONE;
    draft.time_ns = sl_clock_boot_ns() - service->chores.start_ns;
    draft.payload = payload;
    draft.length = (uint32_t)length;
    return service->chores.sink.put(service->chores.sink.ctx, &draft);
}

static sl_err on_mark(void *ctx, const char *text, size_t length)
{
    return put(ctx, (sl_event){.kind = SL_KIND_MARK, .source = SL_SOURCE_SELF}, text, length);
}

static sl_err on_edit(void *ctx, const char *text, size_t length)
{
    const sl_service *service = ctx;
    if (service->options.is_groove_listening) return SL_ERR_REFUSED;
    return put(service, (sl_event){.kind = SL_KIND_GROOVE_EDIT, .source = SL_SOURCE_SELF}, text, length);
}

static void on_write_ports(void *ctx, sl_text *text)
{
    const sl_service *service = ctx;
    sl_groove_ports_write(service->options.groove_ports, text);
}

static sl_err on_pause(void *ctx, uint32_t source, uint64_t session, bool is_paused)
{
    uint8_t bytes[1];
    sl_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    sl_err err = sl_paused_encode(&(sl_paused){.is_paused = is_paused}, &writer);
    if (err != SL_OK) return err;
    const sl_event draft = {.kind = SL_KIND_PAUSED, .source = source, .session = session};
    return put(ctx, draft, bytes, writer.length);
}

void sl_service_follow_pause(const sl_service *service, const sl_event *event)
{
    sl_paused paused;
    if (sl_paused_decode(event, &paused) != SL_OK) return;
    /* A sender that the receiver knows no longer is a new one when it comes again. */
    (void)sl_peers_pause(service->chores.peers, event->source, paused.is_paused);
}

static sl_err on_ask(void *ctx, const sl_question *question)
{
    const sl_service *service = ctx;
    if (question->type == SL_QUESTION_EVAL) return sl_live_edits_ask(service->edits, question);
    return service->worker != NULL ? sl_worker_ask(service->worker, question) : SL_ERR_FULL;
}

static sl_err on_watch(void *ctx, const char *path, bool is_wanted, char errmsg[256])
{
    const sl_service *service = ctx;
    return sl_live_edits_watch(service->edits, path, is_wanted, errmsg);
}

static void on_evaluated(void *ctx, const sl_answer *answer)
{
    const sl_service *service = ctx;
    sl_rpc_answered(service->rpc, answer);
}

static void on_eval_error(void *ctx, const char *notification, size_t length)
{
    const sl_service *service = ctx;
    sl_feed_notify(service->feed, notification, length);
}

/* Any thread. */
static void on_unread(void *ctx, const char *path, const char *why)
{
    const sl_service *service = ctx;
    sl_status_say(service->options.status, "refused what=code path=%s reason=\"%s\"", path, why);
}

static void on_answer(void *ctx, uint64_t subscriber, const char *bytes, size_t length)
{
    const sl_service *service = ctx;
    sl_feed_answer(service->feed, subscriber, bytes, length);
}

static sl_err on_transport(void *ctx, const uint8_t *payload, size_t length)
{
    return put(ctx, (sl_event){.kind = SL_KIND_TRANSPORT, .source = SL_SOURCE_SELF}, payload, length);
}

static sl_err on_parameter(void *ctx, const uint8_t *payload, size_t length)
{
    return put(ctx, (sl_event){.kind = SL_KIND_PARAMETER, .source = SL_SOURCE_SELF}, payload, length);
}

static sl_sound_status *on_sound(void *ctx)
{
    const sl_service *service = ctx;
    return service->sound.status;
}

static sl_err on_add_audio(void *ctx, uint64_t subscriber, const char *id)
{
    sl_service *service = ctx;
    return sl_service_sound_add_client(&service->sound, subscriber, id);
}

static sl_err on_pass_meter(void *ctx, uint64_t subscriber, const sl_audio_meter *meter)
{
    sl_service *service = ctx;
    return sl_service_sound_pass_meter(&service->sound, service->feed, subscriber, meter);
}

static void on_write_audio(void *ctx, sl_text *text)
{
    const sl_service *service = ctx;
    const size_t begin = text->length;
    sl_text_string(text, ",\"audio\":");
    if (!sl_service_sound_write(&service->sound, text)) text->length = begin;
}

static uint64_t on_frame(void *ctx)
{
    const sl_service *service = ctx;
    return service->player.player != NULL ? sl_player_now(service->player.player) : 0;
}

static void on_heard(void *ctx, uint64_t subscriber)
{
    const sl_service *service = ctx;
    sl_feed_hear(service->feed, subscriber);
    sl_service_player_count_hearers(&service->player, service->feed);
}

static void on_write_player(void *ctx, sl_text *text)
{
    const sl_service *service = ctx;
    sl_service_player_write(&service->player, text);
}

sl_err sl_service_open_rpc(sl_service *service)
{
    const sl_rpc_owner rpc = {
        .state = service->state,
        .log_id = sl_log_id_hex(service->options.opening->log),
        .ctx = service,
        .mark = on_mark,
        .edit = on_edit,
        .write_ports = on_write_ports,
        .write_player = on_write_player,
        .transport = on_transport,
        .parameter = on_parameter,
        .sound = on_sound,
        .add_audio = on_add_audio,
        .pass_meter = on_pass_meter,
        .write_audio = on_write_audio,
        .frame = on_frame,
        .heard = on_heard,
        .ask = on_ask,
        .watch = on_watch,
        .pause = on_pause,
        .answer = on_answer,
    };
    const sl_live_edits_options edits = {
        .state = service->state,
        .start_ns = service->options.opening->start_ns,
        .ctx = service,
        .answer = on_evaluated,
        .tell_error = on_eval_error,
        .tell_unread = on_unread,
    };
    const sl_err err = sl_rpc_create(&service->rpc, &rpc);
    return err == SL_OK ? sl_live_edits_create(&service->edits, &edits) : err;
}
