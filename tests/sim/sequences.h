/* What is played, and the trees that it must lead to: the file that tests/sim/make_sequences.py writes and describes.
 */
#ifndef SL_TESTS_SIM_SEQUENCES_H
#define SL_TESTS_SIM_SEQUENCES_H

#include <stddef.h>
#include <stdint.h>

enum { SIM_SENDERS_MAX = 3 };

/* One message without its wrapper; views into the file. */
typedef struct sim_message {
    const char *path;
    const char *tags; /* neither has a NUL at its end */
    const uint8_t *arguments;
    size_t path_length;
    size_t tags_length;
    size_t arguments_length;
} sim_message;

/* One event: a message, or several for a bundle; none for a silence. */
typedef struct sim_event {
    uint16_t message_count;
    const uint8_t *messages; /* in the file */
} sim_event;

typedef struct sim_stream {
    uint32_t count;
    sim_event *events;
} sim_stream;

typedef struct sim_milestone {
    uint32_t packed_length;
    const uint8_t *packed;        /* the tree */
    uint32_t at[SIM_SENDERS_MAX]; /* events of each stream that have led there */
} sim_milestone;

typedef struct sim_sequence {
    uint32_t stream_count;
    uint32_t milestone_count;
    sim_milestone *milestones; /* the first one is the beginning */
    sim_stream streams[SIM_SENDERS_MAX];
} sim_sequence;

typedef struct sim_sequences {
    uint32_t count;
    sim_sequence *all;
    uint8_t *bytes; /* the file */
} sim_sequences;

/* Reads the file; says why not and ends the program if it cannot. */
void sim_sequences_read(const char *path, sim_sequences *out);
void sim_sequences_free(sim_sequences *sequences);

/* Reads the message at *at, and moves *at behind it. */
sim_message sim_message_read(const uint8_t **at);

#endif
