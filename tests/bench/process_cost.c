/* From the kernel's clocks and /proc. */
#include "tests/bench/process_cost.h"

#include "tests/bench/bench.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t process_cost_cpu_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec spent;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &spent) != 0)
        bench_die("process %d has no clock", (int)pid);
    return (uint64_t)spent.tv_sec * UINT64_C(1000000000) + (uint64_t)spent.tv_nsec;
}

process_memory process_cost_memory(pid_t pid)
{
    char path[64], line[512];
    process_memory memory = {0};
    bool is_jacks = false;
    const struct {
        const char *name;
        uint64_t *bytes;
    } wanted[] = {{"Rss:", &memory.rss_bytes}, {"Pss:", &memory.pss_bytes}, {"Anonymous:", &memory.anon_bytes}};
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) bench_die("%s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, file) != NULL) {
        const bool is_mapping = strchr("0123456789abcdef", line[0]) != NULL; /* else something of the last */
        if (is_mapping) is_jacks = strstr(line, "/dev/shm/jack") != NULL;
        for (size_t i = 0; !is_jacks && i < sizeof wanted / sizeof wanted[0]; i++) {
            const size_t length = strlen(wanted[i].name);
            if (strncmp(line, wanted[i].name, length) == 0) *wanted[i].bytes += strtoull(line + length, NULL, 10) << 10;
        }
    }
    fclose(file);
    return memory;
}

static bool has_word(pid_t pid, const char *word)
{
    char path[64], words[512] = "";
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) return false; /* it has just ended */
    const size_t length = fread(words, 1, sizeof words - 1, file);
    fclose(file);
    const size_t first = strlen(words) + 1;
    return first < length && strcmp(words + first, word) == 0;
}

pid_t process_cost_find(pid_t parent, const char *word)
{
    char pattern[64];
    glob_t tasks;
    long found = 0;
    snprintf(pattern, sizeof pattern, "/proc/%d/task/*/children", (int)parent);
    if (glob(pattern, 0, NULL, &tasks) != 0) bench_die("process %d is gone", (int)parent);
    for (size_t i = 0; i < tasks.gl_pathc && found == 0; i++) {
        char line[512] = "";
        FILE *file = fopen(tasks.gl_pathv[i], "r");
        if (file == NULL) continue;
        char *at = fgets(line, sizeof line, file);
        fclose(file);
        while (at != NULL && found == 0) {
            char *end;
            const long child = strtol(at, &end, 10);
            if (end == at) break;
            if (has_word((pid_t)child, word)) found = child;
            at = end;
        }
    }
    globfree(&tasks);
    if (found == 0) bench_die("process %d has no %s", (int)parent, word);
    return (pid_t)found;
}
