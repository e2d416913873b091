/* A program that runs beside the bench, and ends with it. */
#ifndef SL_TESTS_BENCH_PEER_PROCESS_H
#define SL_TESTS_BENCH_PEER_PROCESS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct peer_process {
    pid_t pid;
    FILE *to;   /* its standard input, and … */
    FILE *from; /* … output; NULL, both: it has none */
} peer_process;

/* Starts argv[0] (looked for in $PATH) with these words, NULL behind the last. What it says to standard error is thrown
 * away, and so is all else if nobody `talks` to it. */
void peer_process_start(peer_process *peer, const char *const *argv, bool talks);

/* Sends it a signal (0: none, its input ends), waits for its end, and gives its status as wait does. */
int peer_process_end(peer_process *peer, int signal);

#endif
