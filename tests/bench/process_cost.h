/* What another process takes: the CPU's time, and memory. */
#ifndef SL_TESTS_BENCH_PROCESS_COST_H
#define SL_TESTS_BENCH_PROCESS_COST_H

#include <stdint.h>
#include <sys/types.h>

/* JACK's own is not in it: all its clients lock the memory of its ports, some 105 MB, whatever they do. */
typedef struct process_memory {
    uint64_t rss_bytes;  /* all that it has touched … */
    uint64_t pss_bytes;  /* … what others have, too, only in part … */
    uint64_t anon_bytes; /* … and without what lies in files */
} process_memory;

/* The time that all its threads have spent, ever. */
uint64_t process_cost_cpu_ns(pid_t pid);

process_memory process_cost_memory(pid_t pid);

/* The process that `parent` started with this as its first word behind its name. */
pid_t process_cost_find(pid_t parent, const char *word);

#endif
