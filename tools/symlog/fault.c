/*
 * The last words of a command whose log's file is damaged. LMDB believes the file that it maps: a page behind its end
 * is a SIGBUS, nonsense in a page may be one or the other. Only what a signal handler may call is called here.
 */
#include "tools/symlog/fault.h"

#include "tools/symlog/command.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 4096 + 128 /* a path and what stands before it */ };

static const char FILE_NAME[] = "/data.mdb";
static const char SNAPSHOTS_FILE_NAME[] = "/snapshots/data.mdb";

static struct sigaction former_bus; // Written before there are threads.
static struct sigaction former_segv;

static void on_fault(int number, siginfo_t *info, void *context);
static bool find_mapped(uintptr_t address, char path[LINE_BYTES]);
static bool is_line_of(const char *line, uintptr_t address, char path[LINE_BYTES]);
static const char *read_hex(const char *text, uintptr_t *value);
static void say(const char *path);
static void put(const char *text);

void sl_fault_guard(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &former_bus);
    sigaction(SIGSEGV, &action, &former_segv);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    char path[LINE_BYTES] = "";
    const bool is_raised = number == SIGBUS && info->si_code <= 0 && info->si_pid == getpid();
    if (is_raised || (info->si_code > 0 && find_mapped((uintptr_t)info->si_addr, path))) {
        say(path);
        _exit(SL_EXIT_FOUND);
    }
    sigaction(number, number == SIGBUS ? &former_bus : &former_segv, NULL);
    if (info->si_code <= 0) raise(number); // Else the same instruction faults once more.
}

/* The data.mdb that is mapped at `address`. */
static bool find_mapped(uintptr_t address, char path[LINE_BYTES])
{
    char line[LINE_BYTES];
    size_t length = 0;
    char bytes[1024];
    const int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (maps < 0) return false;
    bool is_found = false;
    for (ssize_t count = read(maps, bytes, sizeof bytes); count > 0 && !is_found;
         count = read(maps, bytes, sizeof bytes)) {
        for (ssize_t i = 0; i < count && !is_found; i++) {
            if (bytes[i] != '\n') {
                if (length < sizeof line - 1) line[length++] = bytes[i];
                continue;
            }
            line[length] = '\0';
            length = 0;
            is_found = is_line_of(line, address, path);
        }
    }
    close(maps);
    return is_found;
}

/* A line reads "BEGIN-END PERMISSIONS OFFSET DEVICE INODE   /PATH". */
static bool is_line_of(const char *line, uintptr_t address, char path[LINE_BYTES])
{
    uintptr_t begin = 0;
    uintptr_t end = 0;
    const char *rest = read_hex(line, &begin);
    if (*rest != '-') return false;
    (void)read_hex(rest + 1, &end);
    const char *name = strchr(line, '/');
    if (address < begin || address >= end || name == NULL || strstr(name, FILE_NAME) == NULL) return false;
    memcpy(path, name, strlen(name) + 1);
    return true;
}

static const char *read_hex(const char *text, uintptr_t *value)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit = NULL;
    for (*value = 0; *text != '\0' && (digit = strchr(digits, *text)) != NULL; text++) {
        *value = *value * 16 + (uintptr_t)(digit - digits);
    }
    return text;
}

/* An empty path: the log's, most likely. */
static void say(const char *path)
{
    const bool is_snapshots = strstr(path, SNAPSHOTS_FILE_NAME) != NULL;
    put("\nsymlog: ");
    put(path[0] != '\0' ? path : "the log's file");
    put(" is damaged or cut short");
    put(is_snapshots ? "; delete its folder: it is a cache\n"
                     : "; symlog verify tells how much, and with --repair DIR saves what can be saved\n");
}

static void put(const char *text)
{
    const ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written; // There is nobody left to be told.
}
