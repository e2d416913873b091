/*
 * Scores and answers of symlog-eval, which nobody need believe. The first byte says what the rest is: 'a' an answer,
 * 'r' a request, anything else a score's payload. What is taken can be written anew as the same bytes; a score that
 * passes its check compiles, or says why not, and each of its notes lies within its bounds.
 */
#include "core/part.h"
#include "tests/fuzz/fuzz.h"
#include "tools/eval/eval_wire.h"

static void fuzz_answer(const uint8_t *data, size_t size);
static void fuzz_request(const uint8_t *data, size_t size);
static void fuzz_score(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    if (data[0] == 'a')
        fuzz_answer(data + 1, size - 1);
    else if (data[0] == 'r')
        fuzz_request(data + 1, size - 1);
    else
        fuzz_score(data + 1, size - 1);
    return 0;
}

static void require_same(const sl_writer *writer, const uint8_t *data, size_t size)
{
    require(writer->length == size && memcmp(writer->bytes, data, size) == 0);
}

static void fuzz_answer(const uint8_t *data, size_t size)
{
    static sl_eval_answer answer;
    if (sl_eval_answer_decode(data, size, &answer) != SL_OK) return;
    sl_writer writer = {.bytes = malloc(size), .capacity = size};
    require(sl_eval_answer_encode(&answer, &writer) == SL_OK);
    require_same(&writer, data, size);
    free(writer.bytes);
    if (answer.type == SL_EVAL_SCORE) fuzz_score(answer.score, answer.score_length);
}

static void fuzz_request(const uint8_t *data, size_t size)
{
    static sl_eval_request request;
    if (sl_eval_request_decode(data, size, &request) != SL_OK) return;
    sl_writer writer = {.bytes = malloc(size), .capacity = size};
    require(sl_eval_request_encode(&request, &writer) == SL_OK);
    require_same(&writer, data, size);
    free(writer.bytes);
}

static void check_part(const sl_part *part)
{
    require(part->length <= SL_PART_TICKS_MAX && part->note_count <= SL_PART_NOTES_MAX);
    for (uint32_t i = 0; i < part->note_count; i++) {
        const sl_note *note = &part->notes[i];
        require(note->pitch <= 127 && note->velocity >= 1 && note->velocity <= 127 && note->length >= 1);
        require(note->sounds <= note->length && note->clip < part->clip_count);
        require(i == 0 || note[-1].start <= note->start);
    }
}

static void fuzz_score(const uint8_t *data, size_t size)
{
    const sl_event event = {
        .kind = SL_KIND_SCORE, .version = SL_SCORE_VERSION, .payload = data, .length = (uint32_t)size};
    sl_score_error error = {.what = NULL};
    if (sl_score_check(&event, &error) != SL_OK) {
        require(error.what != NULL && error.position <= size);
        return;
    }
    sl_reader reader = {.bytes = data, .length = size};
    sl_score_head head;
    require(sl_score_read_head(&reader, &head, &error.what) == SL_OK);
    for (unsigned i = 0; i < head.track_count; i++) {
        sl_score_track track;
        sl_part *part = NULL;
        require(sl_score_read_track(&reader, &track, &error.what) == SL_OK);
        if (sl_part_compile(&track, sl_host_memory(), &part, &error) == SL_OK) check_part(part);
        sl_part_drop(part);
    }
}
