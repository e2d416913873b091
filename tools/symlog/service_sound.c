/* What the service has of the sound. */
#include "tools/symlog/service_sound.h"

#include "tools/symlog/host.h"
#include "tools/symlog/rpc_audio.h"

#include <stdio.h>
#include <string.h>

static void begin(sl_text *text, const char *method)
{
    sl_text_open(text, sl_host_memory());
    sl_text_string(text, "{\"jsonrpc\":\"2.0\",\"method\":\"");
    sl_text_string(text, method);
    sl_text_string(text, "\",\"params\":");
}

/* Sends what was begun, without which nobody is wrong. */
static void send_surely(sl_text *text, sl_feed *feed)
{
    sl_text_string(text, "}");
    if (!text->bad) sl_feed_notify_surely(feed, text->bytes, text->length);
    sl_text_close(text);
}

static void write_status(const sl_service_sound *sound, sl_text *text)
{
    sl_audio_status status;
    sl_sound_status_get(sound->status, &status);
    begin(text, "audioStatusChanged");
    sl_text_string(text, "{\"status\":");
    sl_audio_status_write(&status, text);
    sl_text_string(text, "}");
}

static void write_parameters(sl_text *text)
{
    begin(text, "parametersChanged");
    sl_text_string(text, "{}");
}

void sl_service_sound_notify(const sl_service_sound *sound, sl_feed *feed)
{
    const unsigned news = sl_sound_status_take_news(sound->status);
    if (news == 0 || sl_feed_hearer_count(feed) == 0) return;
    sl_text text;
    if ((news & SL_AUDIO_NEWS_STATUS) != 0) {
        write_status(sound, &text);
        send_surely(&text, feed);
    }
    if ((news & SL_AUDIO_NEWS_PARAMETERS) != 0) {
        write_parameters(&text);
        send_surely(&text, feed);
    }
    sl_audio_meter meter;
    if ((news & SL_AUDIO_NEWS_METER) == 0 || !sl_sound_status_get_meter(sound->status, &meter)) return;
    begin(&text, "meterUpdate");
    sl_audio_meter_write(&meter, &text);
    sl_text_string(&text, "}");
    if (!text.bad) sl_feed_notify_lightly(feed, 0, text.bytes, text.length);
    sl_text_close(&text);
}

void sl_service_sound_tell_parameter(sl_feed *feed, const sl_state *state, const sl_event *event)
{
    sl_parameter_event parameter;
    if (sl_feed_hearer_count(feed) == 0 || sl_parameter_event_decode(event, &parameter) != SL_OK) return;
    const sl_parameter_value *value = sl_state_parameter(state, parameter.id, parameter.id_length);
    if (value == NULL) return;
    sl_text text;
    begin(&text, "parameterChanged");
    sl_rpc_write_parameter(value, &text);
    send_surely(&text, feed);
}

void sl_service_sound_tell_all(const sl_service_sound *sound, sl_feed *feed, uint64_t subscriber)
{
    sl_text text;
    write_parameters(&text);
    sl_text_string(&text, "}");
    if (!text.bad) sl_feed_answer(feed, subscriber, text.bytes, text.length);
    sl_text_close(&text);
    write_status(sound, &text);
    sl_text_string(&text, "}");
    if (!text.bad) sl_feed_answer(feed, subscriber, text.bytes, text.length);
    sl_text_close(&text);
}

/* Its place; client_count: it is no client. */
static size_t find(const sl_service_sound *sound, uint64_t subscriber)
{
    size_t place = 0;
    while (place < sound->client_count && sound->clients[place].subscriber != subscriber) place++;
    return place;
}

sl_err sl_service_sound_add_client(sl_service_sound *sound, uint64_t subscriber, const char *id)
{
    const size_t place = find(sound, subscriber);
    if (place == SL_AUDIO_CLIENTS_MAX) return SL_ERR_FULL;
    if (place == sound->client_count) sound->client_count++;
    sound->clients[place].subscriber = subscriber;
    snprintf(sound->clients[place].id, sizeof sound->clients[place].id, "%s", id);
    return SL_OK;
}

void sl_service_sound_remove_client(sl_service_sound *sound, uint64_t subscriber)
{
    const size_t place = find(sound, subscriber);
    if (place < sound->client_count) sound->clients[place] = sound->clients[--sound->client_count];
}

sl_err sl_service_sound_pass_meter(sl_service_sound *sound, sl_feed *feed, uint64_t subscriber,
                                   const sl_audio_meter *meter)
{
    const size_t place = find(sound, subscriber);
    const bool is_client = place < sound->client_count;
    if (!is_client || meter == NULL) sound->meters_refused++;
    if (!is_client) return SL_ERR_NOT_FOUND;
    if (meter == NULL) return SL_OK;
    sl_text text;
    begin(&text, "meterUpdate");
    sl_audio_meter_write(meter, &text);
    text.length--; /* the closing brace */
    sl_text_string(&text, ",\"client_id\":");
    sl_text_json(&text, sound->clients[place].id, strlen(sound->clients[place].id));
    sl_text_string(&text, "}}");
    if (!text.bad) sl_feed_notify_lightly(feed, subscriber, text.bytes, text.length);
    sl_text_close(&text);
    return SL_OK;
}

bool sl_service_sound_write(const sl_service_sound *sound, sl_text *text)
{
    sl_audio_status status;
    sl_sound_status_get(sound->status, &status);
    if (status.phase == SL_AUDIO_DISABLED && sound->client_count == 0 && sound->meters_refused == 0) return false;
    sl_text_string(text, "{\"status\":");
    sl_audio_status_write(&status, text);
    sl_text_string(text, ",\"clients\":");
    sl_text_u64(text, sound->client_count);
    sl_text_string(text, ",\"meters_refused\":");
    sl_text_u64(text, sound->meters_refused);
    sl_text_string(text, "}");
    return true;
}
