/* `zig build bench`: the table of benches, the command line, and what machine this is. */
#include "tests/bench/bench.h"

#include "tests/bench/bare_receiver.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

static const struct {
    const char *name;
    void (*run)(bench *bench);
} benches[] = {
    {"udp", bench_udp},         {"burst", bench_burst},         {"reduce", bench_reduce},
    {"scale", bench_scale},     {"scenes", bench_scenes},       {"store", bench_store},
    {"redis", bench_redis},     {"latency", bench_latency},     {"feed", bench_feed},
    {"catchup", bench_catchup}, {"snapshots", bench_snapshots}, {"verify", bench_verify},
    {"prune", bench_prune},     {"laggard", bench_laggard},     {"als", bench_als},
    {"score", bench_score},     {"eval", bench_eval},           {"midi", bench_midi},
    {"render", bench_render},   {"sound", bench_sound},
};
enum { BENCH_COUNT = sizeof benches / sizeof benches[0], MODEL_BYTES = 128 };

static const char usage[] =
    "usage: bench [--json] [--dir DIR] [--program PATH] [NAME...]\n"
    "\n"
    "Measures symlog beside bare peers, in turn, and prints minimum, median and maximum of the rounds.\n"
    "\n"
    "  --json          one JSON object a line\n"
    "  --dir DIR       where logs are written: a folder on a disk, not in memory ($TMPDIR, or /var/tmp)\n"
    "  --program PATH  the symlog program; without it what needs a running serve is left out\n"
    "  --evaluator PATH, --bare-evaluator PATH   symlog-eval, and its peer; without them eval is left out\n"
    "  --bare-sine PATH  the peer of sound, which is left out without it\n"
    "  NAME            only these: udp burst reduce scale scenes store redis latency feed catchup snapshots\n"
    "                  verify prune laggard als score eval midi render sound\n";

static void read_options(int argc, char **argv, bench *bench, const char **dir);
static bool is_chosen(int argc, char **argv, const char *name);
static void print_machine(const bench *bench);

int main(int argc, char **argv)
{
    bench bench = {.name = NULL};
    const char *temporary = getenv("TMPDIR");
    const char *dir = temporary != NULL && temporary[0] != '\0' ? temporary : "/var/tmp";
    read_options(argc, argv, &bench, &dir);
    snprintf(bench.dir, sizeof bench.dir, "%s", dir);
    bench_make_dir(&bench, bench.dir);
    print_machine(&bench);
    for (size_t i = 0; i < BENCH_COUNT; i++) {
        if (!is_chosen(argc, argv, benches[i].name)) continue;
        bench.name = benches[i].name;
        benches[i].run(&bench);
    }
    bench_remove_dir(bench.dir);
    if (!bench.is_json) printf("%u limits reached, %u missed\n", bench.reached, bench.missed);
    return 0;
}

/* Where the value of an option goes; NULL: it takes none. */
static const char **place_of(const char *word, bench *bench, const char **dir)
{
    const struct {
        const char *name;
        const char **place;
    } places[] = {{"--dir", dir},
                  {"--program", &bench->program},
                  {"--evaluator", &bench->evaluator},
                  {"--bare-evaluator", &bench->bare_evaluator},
                  {"--bare-sine", &bench->bare_sine}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (strcmp(word, places[i].name) == 0) return places[i].place;
    return NULL;
}

static bool takes_value(const char *word)
{
    bench none;
    const char *dir;
    return place_of(word, &none, &dir) != NULL;
}

static void read_options(int argc, char **argv, bench *bench, const char **dir)
{
    for (int i = 1; i < argc; i++) {
        bool is_known = strcmp(argv[i], "--json") == 0;
        if (is_known) bench->is_json = true;
        for (size_t j = 0; j < BENCH_COUNT; j++) is_known = is_known || strcmp(argv[i], benches[j].name) == 0;
        if (!is_known && !(takes_value(argv[i]) && i + 1 < argc)) {
            fputs(usage, stderr);
            exit(2);
        }
        if (!takes_value(argv[i])) continue;
        *place_of(argv[i], bench, dir) = argv[i + 1];
        i++;
    }
}

/* All, if none is named. */
static bool is_chosen(int argc, char **argv, const char *name)
{
    bool is_any_named = false;
    for (int i = 1; i < argc; i++) {
        if (takes_value(argv[i])) {
            i++;
        } else if (argv[i][0] != '-') {
            is_any_named = true;
            if (strcmp(argv[i], name) == 0) return true;
        }
    }
    return !is_any_named;
}

/* The CPU's name as the kernel tells it. */
static void read_model(char model[MODEL_BYTES])
{
    char line[256];
    snprintf(model, MODEL_BYTES, "unknown");
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (file == NULL) return;
    while (fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (colon == NULL || strncmp(line, "model name", strlen("model name")) != 0) continue;
        snprintf(model, MODEL_BYTES, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    fclose(file);
}

static const char *file_system_name(const char *dir)
{
    static const struct {
        long magic;
        const char *name;
    } names[] = {{EXT4_SUPER_MAGIC, "ext4"},
                 {XFS_SUPER_MAGIC, "xfs"},
                 {BTRFS_SUPER_MAGIC, "btrfs"},
                 {OVERLAYFS_SUPER_MAGIC, "overlayfs"},
                 {TMPFS_MAGIC, "tmpfs (in memory: nothing is durable there)"}};
    struct statfs about;
    if (statfs(dir, &about) != 0) return "unknown";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((long)about.f_type == names[i].magic) return names[i].name;
    }
    return "unknown";
}

static void print_machine(const bench *bench)
{
    char model[MODEL_BYTES];
    struct utsname kernel = {0};
    read_model(model);
    (void)uname(&kernel);
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const int granted = bare_receiver_buffer_bytes();
    const char *disk = file_system_name(bench->dir);
    if (bench->is_json) {
        printf("{\"cpu\":\"%s\",\"cores\":%ld,\"kernel\":\"%s\",\"file_system\":\"%s\",\"durability\":\"power\","
               "\"receive_buffer_bytes\":%d,\"rounds\":%d}\n",
               model, cores, kernel.release, disk, granted, BENCH_ROUNDS);
    } else {
        printf(
            "%s, %ld cores, Linux %s; logs on %s, durability power; receive buffer granted %d bytes\n"
            "minimum, median and maximum of %d rounds, in which symlog and its peer take turns; ratio: the median of "
            "theirs\n\n",
            model, cores, kernel.release, disk, granted, BENCH_ROUNDS);
    }
    fflush(stdout);
}
