/*
 * The state digests of a stream of raw records, by core alone: `symlog log export --raw - | digest [N]`. Built for
 * every CPU, so that their outputs can be compared.
 *
 * Input: the 16 bytes of the log's id, then each event as its number (u64, little-endian), its record header and its
 * payload. Output: "number digest" of the state after every N-th event (1000 without N), and at the end.
 */
#include "core/bytes.h"
#include "core/event.h"
#include "core/heap.h"
#include "core/reduce.h"

#include <stdio.h>
#include <stdlib.h>

enum { EVERY_DEFAULT = 1000, HEAD_BYTES = 8 + SL_RECORD_HEADER_BYTES };

/* One record as it was read. */
typedef struct record {
    sl_event event;
    uint8_t head[HEAD_BYTES];
    uint8_t *payload;
    size_t capacity;
} record;

static int digest_all(sl_state *state, unsigned long every);
static sl_err read_record(record *record);
static void print_digest(sl_state *state);

int main(int argc, char **argv)
{
    unsigned long every = argc > 1 ? strtoul(argv[1], NULL, 10) : EVERY_DEFAULT;
    sl_state *state = NULL;
    if (every == 0) {
        fprintf(stderr, "usage: digest [N] < RECORDS, N at least 1\n");
        return 2;
    }
    if (sl_state_create(sl_heap_memory(), &state) != SL_OK) {
        fprintf(stderr, "digest: memory ran out\n");
        return 1;
    }
    int status = digest_all(state, every);
    sl_state_destroy(state);
    return status;
}

static int digest_all(sl_state *state, unsigned long every)
{
    uint8_t id[SL_LOG_ID_BYTES];
    record record = {0};
    sl_err err = fread(id, 1, sizeof id, stdin) == sizeof id ? SL_OK : SL_ERR_MALFORMED;
    while (err == SL_OK) {
        err = read_record(&record);
        if (err != SL_OK) break;
        err = sl_record_check(&record.event, id, record.head + 8);
        if (err == SL_OK && record.event.seq != sl_state_seq(state) + 1) err = SL_ERR_GAP;
        if (err == SL_OK) err = sl_reduce(state, &record.event, NULL);
        if (err == SL_OK && sl_state_seq(state) % every == 0) print_digest(state);
    }
    free(record.payload);
    if (err != SL_ERR_END) {
        fprintf(stderr, "digest: after event %llu: %s\n", (unsigned long long)sl_state_seq(state), sl_err_text(err));
        return 1;
    }
    if (sl_state_seq(state) % every != 0) print_digest(state);
    return 0;
}

/* SL_ERR_END: there is no further record. */
static sl_err read_record(record *record)
{
    size_t length = fread(record->head, 1, HEAD_BYTES, stdin);
    if (length == 0 && feof(stdin)) return SL_ERR_END;
    if (length != HEAD_BYTES) return SL_ERR_MALFORMED;
    sl_err err = sl_record_decode(record->head + 8, SL_RECORD_HEADER_BYTES, &record->event);
    if (err != SL_OK) return err;
    if (record->event.length > record->capacity) {
        uint8_t *grown = realloc(record->payload, record->event.length);
        if (grown == NULL) return SL_ERR_MEMORY;
        record->payload = grown;
        record->capacity = record->event.length;
    }
    record->event.seq = sl_get_le(record->head, 8);
    record->event.payload = record->payload;
    return fread(record->payload, 1, record->event.length, stdin) == record->event.length ? SL_OK : SL_ERR_MALFORMED;
}

static void print_digest(sl_state *state)
{
    char hex[SL_DIGEST_HEX + 1];
    sl_digest digest;
    sl_state_digests(state, NULL, &digest);
    sl_digest_hex(digest, hex);
    printf("%llu %s\n", (unsigned long long)sl_state_seq(state), hex);
}
