/*
 * `symlog verify`: proves that a log is whole and that its events still give the states that its checkpoints tell of.
 *
 * A damaged file may kill the process that maps it, so a child does the work, forked before the log is opened; the
 * parent waits, and says in words what the child no longer can.
 */
#include "tools/symlog/command.h"
#include "tools/symlog/fault.h"
#include "tools/symlog/host.h"
#include "tools/symlog/options.h"
#include "tools/symlog/repair.h"
#include "tools/symlog/verify.h"
#include "tools/symlog/verify_audio.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int run(int argc, char **argv);
static int verify(const char *db);
static int watch_child(pid_t child, const sl_verify_trace *trace, const char *db);

const sl_command sl_command_verify = {
    .name = "verify",
    .summary = "check that a log is whole and still gives the states it recorded",
    .help =
        "usage: symlog verify [--db DIR] [--repair DIR]\n"
        "       symlog verify [--db DIR] --audio [--json]\n\n"
        "Reads every event: the numbers must follow each other and the checksums fit. Applies them again: the state\n"
        "must have the digest that each checkpoint tells, and be that of each snapshot. Works while serve runs.\n\n"
        "  --db DIR       the log's folder\n"
        "  --repair DIR   saves every good event into a new log in DIR, under its number, with a tombstone for each "
        "that\n"
        "                 cannot be read; then verifies that one. The damaged log stays as it is\n"
        "  --audio        instead, renders the sound again and compares it with what was heard, second by second: "
        "each\n"
        "                 is proven, wrong, or unproven (it was played too late, by another version of the renderer,\n"
        "                 twice, or by nobody). Status 1 also where nothing is proven\n"
        "  --json         with --audio: one object for each that is wrong, and one for the verdict\n\n"
        "Exit status 0: nothing is wrong (with --repair: with the new log); 1: something is, and the first bad event "
        "is\n"
        "named. A checkpoint made by another version of the reducer, or after a loss, is not comparable, which is not\n"
        "wrong.\n\n"
        "example: symlog verify --db ~/sets/friday\n"
        "         symlog verify --db ~/sets/friday --repair ~/sets/friday-repaired\n"
        "         symlog verify --db ~/sets/friday --audio\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    const char *db = NULL;
    const char *repair = NULL;
    bool is_audio = false;
    bool is_json = false;
    const sl_option table[] = {
        {.name = "--db", .value = &db},
        {.name = "--repair", .value = &repair},
        {.name = "--audio", .is_given = &is_audio},
        {.name = "--json", .is_given = &is_json},
    };
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count > 0) return sl_usage_error("verify", "\"%s\" is no option", operands.words[0]);
    if (is_audio && repair != NULL)
        return sl_usage_error("verify", "--audio checks the sound, --repair the log; use one of them");
    if (is_json && !is_audio) return sl_usage_error("verify", "--json goes with --audio");
    if (is_audio) {
        sl_fault_guard(); // No child is looked at: a damaged file ends it with a line.
        return sl_verify_audio_run(db, is_json);
    }
    if (repair == NULL) return verify(db);
    status = sl_repair_run(db, repair);
    return status == SL_EXIT_OK ? verify(repair) : status;
}

static int verify(const char *db)
{
    sl_verify_trace *trace = mmap(NULL, sizeof *trace, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (trace == MAP_FAILED) return sl_failure("verify", "no memory to share with a child: %s", strerror(errno));
    fflush(NULL); // Or the child would print what is still in the buffers once more.
    pid_t child = fork();
    if (child < 0) return sl_failure("verify", "no child process can be started: %s", strerror(errno));
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); // Nobody would read its verdict.
        exit(sl_verify_run(db, trace));
    }
    int status = watch_child(child, trace, db);
    munmap(trace, sizeof *trace);
    return status;
}

static int watch_child(pid_t child, const sl_verify_trace *trace, const char *db)
{
    int ended = 0;
    pid_t got = 0;
    do {
        got = waitpid(child, &ended, 0);
    } while (got < 0 && errno == EINTR);
    if (got != child) return sl_failure("verify", "the child process was lost: %s", strerror(errno));
    if (WIFEXITED(ended) && trace->is_done) return WEXITSTATUS(ended);
    bool is_signal = WIFSIGNALED(ended);
    const char *how = is_signal ? strsignal(WTERMSIG(ended)) : "an early end";
    unsigned long long seq = trace->reading_seq;
    if (is_signal && (WTERMSIG(ended) == SIGINT || WTERMSIG(ended) == SIGTERM)) {
        return sl_failure("verify", "interrupted at event %llu", seq);
    }
    if (trace->is_listing) return sl_verify_free_pages(how);
    if (trace->is_applying) {
        return sl_failure("verify", "event %llu is whole, but applying it failed (%s); please report this", seq, how);
    }
    static const char hint[] = "symlog verify --repair DIR saves what can be saved";
    if (seq == 0) return sl_verify_pages(db, how);
    if (trace->first_bad > 0) {
        return sl_failure("verify", "not ok: damaged, first at event %llu; at event %llu reading on fails (%s); %s",
                          (unsigned long long)trace->first_bad, seq, how, hint);
    }
    return sl_failure("verify", "not ok: damaged, first at event %llu: reading on there fails (%s); %s", seq, how,
                      hint);
}
