/*
 * What the service has of the sound: what serve knows of its own (sound_status.h), and the clients that make sound
 * themselves and tell how loud it is. The service thread's.
 */
#ifndef SL_TOOLS_SERVICE_SOUND_H
#define SL_TOOLS_SERVICE_SOUND_H

#include "core/reduce.h"
#include "tools/symlog/feed.h"
#include "tools/symlog/sound_status.h"

enum { SL_AUDIO_CLIENTS_MAX = 16 };

typedef struct sl_audio_client {
    uint64_t subscriber;
    char id[SL_AUDIO_CLIENT_BYTES];
} sl_audio_client;

typedef struct sl_service_sound {
    sl_sound_status *status; /* NULL: no sound of our own; it must outlive its being attached */
    sl_audio_client clients[SL_AUDIO_CLIENTS_MAX];
    size_t client_count;
    uint64_t meters_refused; /* of clients */
} sl_service_sound;

/* Tells those who hear what is new. */
void sl_service_sound_notify(const sl_service_sound *sound, sl_feed *feed);

/* Tells them of a parameter event that has been reduced; it is passed over where it was refused. */
void sl_service_sound_tell_parameter(sl_feed *feed, const sl_state *state, const sl_event *event);

/* Tells one that missed some how things stand. */
void sl_service_sound_tell_all(const sl_service_sound *sound, sl_feed *feed, uint64_t subscriber);

/* The subscriber makes sound, too, and is called `id` (cut, if it is longer); a second call renames it. SL_ERR_FULL:
 * there are as many already. */
sl_err sl_service_sound_add_client(sl_service_sound *sound, uint64_t subscriber, const char *id);

/* It has left; nothing happens to one that was none. */
void sl_service_sound_remove_client(sl_service_sound *sound, uint64_t subscriber);

/* Passes a client's meter on to everybody else; NULL: it was none, and is counted. SL_ERR_NOT_FOUND: the subscriber is
 * no client; counted, too. */
sl_err sl_service_sound_pass_meter(sl_service_sound *sound, sl_feed *feed, uint64_t subscriber,
                                   const sl_audio_meter *meter);

/* Appends {"status", "clients", "meters_refused"}; false, and nothing: there is no sound, and no client was seen. */
bool sl_service_sound_write(const sl_service_sound *sound, sl_text *text);

#endif
