/*
 * What symlog and symlog-eval say to each other: one request, one answer, each once, over one stream. Both sides use
 * this codec; both check everything, for neither trusts the other.
 *
 *   request  u32 magic · u8 version · u8 quantize · u64 code_seq · u8 buffer_count · buffer_count x (text name · text
 *            source); the last one is the new one
 *   answer   u32 magic · u8 version · u8 type · text printed · u8 skipped_count · skipped_count x fault · body
 *   body     1 score: text, the payload of a score event (core/score.h)
 *            2 fault: the code is refused
 *   fault    text buffer · text message · u32 line · u32 column
 *
 * Numbers are little-endian, a text is u32 length and bytes. The end of the stream ends a request or answer.
 */
#ifndef SL_TOOLS_EVAL_WIRE_H
#define SL_TOOLS_EVAL_WIRE_H

#include "core/bytes.h"
#include "core/err.h"
#include "core/score.h"

enum {
    SL_EVAL_BUFFERS_MAX = 64,
    SL_EVAL_SOURCE_BYTES_MAX = 1 << 20,  /* of one buffer */
    SL_EVAL_SOURCES_BYTES_MAX = 4 << 20, /* of all */
    SL_EVAL_PRINTED_BYTES_MAX = 64 << 10,
    SL_EVAL_MESSAGE_BYTES_MAX = 1024,
    SL_EVAL_REQUEST_BYTES_MAX = SL_EVAL_SOURCES_BYTES_MAX + (64 << 10),
    SL_EVAL_ANSWER_BYTES_MAX = SL_SCORE_BYTES_MAX + (256 << 10)
};

/* A named text of live code. Views. */
typedef struct sl_eval_buffer {
    const char *name; /* at most SL_SCORE_NAME_BYTES_MAX bytes */
    size_t name_length;
    const char *source;
    size_t source_length;
} sl_eval_buffer;

typedef struct sl_eval_request {
    uint64_t code_seq; /* both go into the score as they are */
    uint8_t quantize;
    uint8_t buffer_count;                        /* at least 1 */
    sl_eval_buffer buffers[SL_EVAL_BUFFERS_MAX]; /* in the order in which they are evaluated */
} sl_eval_request;

/* What was wrong, and where. Views. */
typedef struct sl_eval_fault {
    const char *buffer; /* whose text it is in */
    size_t buffer_length;
    const char *message;
    size_t message_length;
    uint32_t line; /* both from 1; 0: unknown */
    uint32_t column;
} sl_eval_fault;

typedef enum sl_eval_answer_type { SL_EVAL_SCORE = 1, SL_EVAL_FAULT = 2 } sl_eval_answer_type;

typedef struct sl_eval_answer {
    uint8_t type;        /* an sl_eval_answer_type */
    const char *printed; /* what the code said with console.log: lines */
    size_t printed_length;
    uint8_t skipped_count; /* earlier buffers that failed now, and were left out */
    sl_eval_fault skipped[SL_EVAL_BUFFERS_MAX];
    const uint8_t *score;
    size_t score_length;
    sl_eval_fault fault;
} sl_eval_answer;

/* Each writes or reads a whole request or answer. Encoding: SL_ERR_FULL where it does not fit, SL_ERR_RANGE where it
 * exceeds the bounds above. Decoding: SL_ERR_VERSION, SL_ERR_MALFORMED; what is decoded are views into the bytes. The
 * score itself is not looked at. Any thread. */
sl_err sl_eval_request_encode(const sl_eval_request *in, sl_writer *out);
sl_err sl_eval_request_decode(const uint8_t *bytes, size_t length, sl_eval_request *out);
sl_err sl_eval_answer_encode(const sl_eval_answer *in, sl_writer *out);
sl_err sl_eval_answer_decode(const uint8_t *bytes, size_t length, sl_eval_answer *out);

#endif
