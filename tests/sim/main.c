/*
 * The simulator: sim SEQUENCES [--seeds N] [--seed N] [--events N] [--verbose]
 *
 * Plays each seed under faults and without, and compares. Ends with "N passed, N failed".
 */
#include "tests/sim/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { SEEDS_DEFAULT = 1000, SEED_SECONDS_MAX = 60 /* of the process's own time; one takes 0.02 */ };

typedef struct options {
    const char *sequences;
    uint64_t first_seed;
    uint64_t seed_count;
    uint32_t event_count;
    bool is_verbose;
} options;

static uint64_t number(const char *text)
{
    char *end;
    uint64_t value = text != NULL ? strtoull(text, &end, 10) : 0;
    if (text != NULL && *text != '\0' && *end == '\0') return value;
    fprintf(stderr, "usage: zig build sim -- [--seeds N] [--seed N] [--events N] [--verbose]\n");
    exit(2);
}

static options read_options(char **argv)
{
    options options = {.sequences = argv[1], .seed_count = SEEDS_DEFAULT, .first_seed = 1};
    bool has_count = false;
    for (char **at = argv[1] != NULL ? argv + 2 : argv + 1; *at != NULL; at++) {
        if (strcmp(*at, "--verbose") == 0) {
            options.is_verbose = true;
        } else if (strcmp(*at, "--seeds") == 0) {
            options.seed_count = number(*++at);
            has_count = true;
        } else if (strcmp(*at, "--seed") == 0) {
            options.first_seed = number(*++at);
            if (!has_count) options.seed_count = 1;
        } else if (strcmp(*at, "--events") == 0) {
            options.event_count = (uint32_t)number(*++at);
        } else {
            (void)number(NULL);
        }
    }
    return options;
}

/* Plays a plan; its content digest in the end. False: it failed, and said why. */
static bool play(const sim_plan *plan, sim_totals *totals, const options *options, sl_digest *content)
{
    sim_world *world = malloc(sizeof *world);
    if (world == NULL) abort();
    sim_world_open(world, plan, totals, options->is_verbose);
    sim_world_run(world);
    bool is_well = world->failure[0] == '\0';
    if (is_well) sl_state_digests(world->process.state, content, NULL);
    if (!is_well) {
        printf("seed %llu%s: %s\n", (unsigned long long)plan->seed, plan->has_faults ? "" : " without faults",
               world->failure);
        printf("    zig build sim -- --seed %llu", (unsigned long long)plan->seed);
        if (options->event_count > 0) printf(" --events %u", (unsigned)options->event_count);
        printf(" --verbose\n");
    }
    sim_world_close(world);
    free(world);
    return is_well;
}

static bool play_seed(uint64_t seed, const sim_sequences *sequences, const options *options, sim_totals *totals)
{
    sim_plan plan = sim_plan_make(seed, sequences, options->event_count);
    sim_plan calm = sim_plan_without_faults(&plan);
    sim_totals unused = {0};
    sl_digest content, expected;
    totals->strict_seeds += plan.is_strict;
    totals->wrapping_seeds += plan.senders[0].first_number > 0;
    bool is_well = play(&plan, totals, options, &content);
    is_well = play(&calm, &unused, options, &expected) && is_well;
    if (!is_well) return false;
    if (sl_digest_equal(content, expected)) return true;
    printf("seed %llu: the tree is not that of the run without faults\n", (unsigned long long)seed);
    return false;
}

static void print_totals(const sim_totals *totals)
{
    const struct {
        const char *name;
        uint64_t count;
    } all[] = {
        {"seeds in which resend is the only cure", totals->strict_seeds},
        {"seeds whose first sender's numbers wrap", totals->wrapping_seeds},
        {"seeds in which numbers were given up", totals->saying_seeds},
        {"seeds that were stale until the last picture", totals->stale_seeds},
        {"events in the logs", totals->events},
        {"numbers sent", totals->numbers},
        {"datagrams sent", totals->datagrams},
        {"  of them sent again", totals->resent},
        {"copies made by the network", totals->copies},
        {"datagrams lost", totals->lost},
        {"numbers given up", totals->given_up},
        {"requests", totals->requests},
        {"pictures", totals->pictures},
        {"deaths of symlog", totals->deaths},
        {"new runs of a sender", totals->restarts},
        {"pauses of a source", totals->pauses},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        printf("%12llu %s\n", (unsigned long long)all[i].count, all[i].name);
}

static char hang_text[64]; /* for on_hang, which may do nothing but write it */

static void on_hang(int signal)
{
    (void)signal;
    (void)!write(STDOUT_FILENO, hang_text, strlen(hang_text));
    _exit(1);
}

/* A seed in which something loops for ever must say which one it is. */
static void watch(uint64_t seed)
{
    const struct itimerval limit = {.it_value.tv_sec = SEED_SECONDS_MAX};
    snprintf(hang_text, sizeof hang_text, "seed %llu: it does not come to an end\n", (unsigned long long)seed);
    (void)signal(SIGVTALRM, on_hang);
    (void)setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

int main(int argc, char **argv)
{
    options options = read_options(argv);
    (void)argc;
    sim_sequences sequences;
    sim_sequences_read(options.sequences, &sequences);
    sim_totals totals = {0};
    uint64_t failed = 0;
    (void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (uint64_t i = 0; i < options.seed_count; i++) {
        watch(options.first_seed + i);
        failed += !play_seed(options.first_seed + i, &sequences, &options, &totals);
    }
    print_totals(&totals);
    printf("%llu passed, %llu failed\n", (unsigned long long)(options.seed_count - failed), (unsigned long long)failed);
    sim_sequences_free(&sequences);
    return failed > 0;
}
