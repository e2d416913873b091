/* A real serve that sounds, on a JACK server of its own, and what it says of its sound. */
#ifndef SL_TESTS_BENCH_SOUNDING_H
#define SL_TESTS_BENCH_SOUNDING_H

#include "tests/bench/bench.h"
#include "tests/bench/serving.h"
#include "tests/bench/sound_card.h"

#include <jansson.h>

typedef struct sounding {
    const bench *bench;
    peer_process card;
    serving *serving;
    char url[64];
    unsigned block; /* frames; the card's period, too */
} sounding;

/* Starts both, and waits until it sounds. `words` are serve's, as serving_open_with has them. */
void sounding_open(sounding *sounding, const bench *bench, unsigned block, const char *const *words);

/* Starts both, has serve play the code, and gives it two seconds: a status is told twice in one. */
void sounding_play(sounding *sounding, const bench *bench, unsigned block, const char *code);

void sounding_close(sounding *sounding);

/* Asks serve; `params` (may be NULL) is let go, the answer is the caller's. */
json_t *sounding_ask(const sounding *sounding, const char *method, json_t *params);

/* getAudioStatus; the caller's. */
json_t *sounding_status(const sounding *sounding);

/* A number of a status: of its member `object`, the member `name`. */
double sounding_number(const json_t *status, const char *object, const char *name);

#endif
