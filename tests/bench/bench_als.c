/*
 * A Live set of 16 MB of XML, packed: from bytes to tree, beside bare inflate and bare expat (handlers that only count)
 * over the same bytes; the memory that it takes at its peak, beside that of the tree; and the diff of two such trees
 * of which little differs, beside reading one.
 *
 * The set is made as Live writes them: half of it devices (a kilobyte a parameter, with its mapping), the rest notes
 * and points of automation. A diff begins with the digests of the newer tree: those of the older are there.
 */
#include "tests/bench/bench.h"

#include "ingest/als.h"
#include "tools/symlog/host.h"
#include "tools/symlog/tree_diff.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

enum {
    XML_BYTES = 16 << 20,
    DEVICES = 10,
    PARAMETERS = 20,
    NOTES = 900,
    POINTS = 400,
    EDITS = 12,
    PIECE_BYTES = 64 << 10,
    PICTURE_BYTES = 64 << 20
};

typedef struct set_file {
    uint8_t *bytes; /* packed */
    size_t length;
    size_t xml_length;
} set_file;

/* XML while it is made. */
typedef struct maker {
    sl_text xml;
    uint64_t seed;
    unsigned next_id;
    unsigned edits_left; /* parameters that get another value than they had */
} maker;

static set_file make_file(unsigned edits);
static sl_tree *read_file(const set_file *file);
static void measure_reading(bench *bench, const set_file *file);
static void measure_memory(bench *bench, const set_file *file);
static void measure_diff(bench *bench, const set_file *old, const set_file *new);

void bench_als(bench *bench)
{
    set_file old = make_file(0), new = make_file(EDITS);
    sl_tree *tree = read_file(&old);
    bench_note(bench, "a set of %.1f MB XML, %.2f MB packed, %zu nodes", (double)old.xml_length / 1e6,
               (double)old.length / 1e6, sl_tree_node_count(tree));
    sl_tree_destroy(tree);
    measure_reading(bench, &old);
    measure_memory(bench, &old);
    measure_diff(bench, &old, &new);
    free(old.bytes);
    free(new.bytes);
}

/* The set. */

static void say(maker *maker, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(maker *maker, const char *format, ...)
{
    char line[1024];
    va_list list;
    va_start(list, format);
    int length = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    sl_text_bytes(&maker->xml, line, (size_t)length);
}

static void say_parameter(maker *maker, const char *name, unsigned number)
{
    static const char mapping[] = "\t<KeyMidi>\n\t\t\t\t\t\t\t\t\t\t\t\t<PersistentKeyString Value=\"\" />\n"
                                  "\t\t\t\t\t\t\t\t\t\t\t\t<IsNote Value=\"false\" />\n"
                                  "\t\t\t\t\t\t\t\t\t\t\t\t<Channel Value=\"16\" />\n"
                                  "\t\t\t\t\t\t\t\t\t\t\t\t<NoteOrController Value=\"7\" />\n"
                                  "\t\t\t\t\t\t\t\t\t\t\t\t<LowerRangeNote Value=\"-1\" />\n"
                                  "\t\t\t\t\t\t\t\t\t\t\t\t<ControllerMapMode Value=\"0\" />\n\t</KeyMidi>\n";
    const unsigned id = maker->next_id++;
    unsigned value = bench_random(&maker->seed, 1000000);
    if (maker->edits_left > 0 && id % 211 == 0) {
        maker->edits_left--;
        value++;
    }
    say(maker, "\t\t\t\t\t\t\t\t\t\t<%s.%u>\n\t\t\t\t\t\t\t\t\t\t\t<LomId Value=\"0\" />\n%s", name, number, mapping);
    say(maker, "\t\t\t\t\t\t\t\t\t\t\t<Manual Value=\"0.%06u\" />\n\t\t\t\t\t\t\t\t\t\t\t<MidiControllerRange>\n",
        value);
    say(maker, "\t\t\t\t\t\t\t\t\t\t\t\t<Min Value=\"0\" />\n\t\t\t\t\t\t\t\t\t\t\t\t<Max Value=\"1\" />\n");
    say(maker, "\t\t\t\t\t\t\t\t\t\t\t</MidiControllerRange>\n\t\t\t\t\t\t\t\t\t\t\t<AutomationTarget Id=\"%u\">\n",
        id);
    say(maker, "\t\t\t\t\t\t\t\t\t\t\t\t<LockEnvelope Value=\"0\" />\n\t\t\t\t\t\t\t\t\t\t\t</AutomationTarget>\n");
    say(maker, "\t\t\t\t\t\t\t\t\t\t\t<ModulationTarget Id=\"%u\">\n", maker->next_id++);
    say(maker, "\t\t\t\t\t\t\t\t\t\t\t\t<LockEnvelope Value=\"0\" />\n\t\t\t\t\t\t\t\t\t\t\t</ModulationTarget>\n");
    say(maker, "\t\t\t\t\t\t\t\t\t\t</%s.%u>\n", name, number);
}

static void say_device(maker *maker, unsigned number)
{
    say(maker, "\t\t\t\t\t\t\t\t<Eq8 Id=\"%u\">\n\t\t\t\t\t\t\t\t\t<On>\n", number);
    say(maker, "\t\t\t\t\t\t\t\t\t\t<Manual Value=\"true\" />\n\t\t\t\t\t\t\t\t\t</On>\n");
    say(maker, "\t\t\t\t\t\t\t\t\t<UserName Value=\"\" />\n\t\t\t\t\t\t\t\t\t<Bands>\n");
    for (unsigned i = 0; i < PARAMETERS; i++) say_parameter(maker, "Freq", i);
    say(maker, "\t\t\t\t\t\t\t\t\t</Bands>\n\t\t\t\t\t\t\t\t</Eq8>\n");
}

static void say_clip(maker *maker)
{
    say(maker,
        "<MidiClip Id=\"%u\" Time=\"0\">\n<CurrentStart Value=\"0\" />\n<CurrentEnd Value=\"64\" />\n"
        "<Name Value=\"Riff\" />\n<Notes>\n<KeyTracks>\n",
        maker->next_id++);
    for (unsigned key = 36; key < 48; key++) {
        say(maker, "\t\t\t\t\t\t\t\t\t\t<KeyTrack Id=\"%u\">\n\t\t\t\t\t\t\t\t\t\t\t<Notes>\n", key);
        for (unsigned i = 0; i < NOTES / 12; i++)
            say(maker,
                "\t\t\t\t\t\t\t\t\t\t\t\t<MidiNoteEvent Time=\"%u.%02u\" Duration=\"0.25\" Velocity=\"%u\" "
                "VelocityDeviation=\"0\" OffVelocity=\"64\" Probability=\"1\" IsEnabled=\"true\" NoteId=\"%u\" "
                "/>\n",
                i, bench_random(&maker->seed, 100), 1 + bench_random(&maker->seed, 127), i);
        say(maker, "\t\t\t\t\t\t\t\t\t\t\t</Notes>\n\t\t\t\t\t\t\t\t\t\t\t<MidiKey Value=\"%u\" />\n", key);
        say(maker, "\t\t\t\t\t\t\t\t\t\t</KeyTrack>\n");
    }
    say(maker, "</KeyTracks>\n</Notes>\n</MidiClip>\n");
}

static void say_track(maker *maker)
{
    const unsigned id = maker->next_id++;
    say(maker, "<MidiTrack Id=\"%u\">\n<Name>\n<EffectiveName Value=\"Track %u\" />\n</Name>\n<Color Value=\"3\" />\n",
        id, id);
    say(maker,
        "<AutomationEnvelopes>\n<Envelopes>\n<AutomationEnvelope Id=\"0\">\n<EnvelopeTarget>\n"
        "<PointeeId Value=\"%u\" />\n</EnvelopeTarget>\n<Automation>\n<Events>\n",
        id + 1);
    for (unsigned i = 0; i < POINTS; i++)
        say(maker, "\t\t\t\t\t\t\t\t<FloatEvent Id=\"%u\" Time=\"%u.%u\" Value=\"0.%06u\" />\n", i, i,
            bench_random(&maker->seed, 10), bench_random(&maker->seed, 1000000));
    say(maker, "</Events>\n</Automation>\n</AutomationEnvelope>\n</Envelopes>\n</AutomationEnvelopes>\n<DeviceChain>\n"
               "<MainSequencer>\n<ClipTimeable>\n<ArrangerAutomation>\n<Events>\n");
    say_clip(maker);
    say(maker, "</Events>\n</ArrangerAutomation>\n</ClipTimeable>\n</MainSequencer>\n<DeviceChain>\n<Devices>\n");
    for (unsigned i = 0; i < DEVICES; i++) say_device(maker, i);
    say(maker, "</Devices>\n</DeviceChain>\n</DeviceChain>\n</MidiTrack>\n");
}

static set_file make_file(unsigned edits)
{
    maker maker = {.seed = 1, .edits_left = edits};
    sl_text_open(&maker.xml, sl_host_memory());
    say(&maker,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Ableton MinorVersion=\"12.0_12043\">\n<LiveSet>\n<Tracks>\n");
    while (maker.xml.length < XML_BYTES) say_track(&maker);
    say(&maker, "</Tracks>\n</LiveSet>\n</Ableton>\n");
    if (maker.xml.bad) bench_die("out of memory");
    const uLong bound = compressBound(maker.xml.length) + 64;
    set_file file = {.bytes = malloc(bound), .xml_length = maker.xml.length};
    z_stream stream = {.next_in = (z_const Bytef *)maker.xml.bytes, .avail_in = (uInt)maker.xml.length};
    if (deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) bench_die("zlib");
    stream.next_out = file.bytes;
    stream.avail_out = (uInt)bound;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) bench_die("zlib");
    file.length = stream.total_out;
    deflateEnd(&stream);
    sl_text_close(&maker.xml);
    return file;
}

/* Reading. */

static sl_tree *read_file(const set_file *file)
{
    char reason[SL_ALS_REASON_BYTES];
    sl_tree *tree;
    if (sl_als_read(file->bytes, file->length, sl_host_memory(), &tree, reason) != SL_OK) bench_die("%s", reason);
    return tree;
}

static void XMLCALL count_element(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    (void)name, (void)attributes;
    ++*(size_t *)ctx;
}

static void XMLCALL pass_end(void *ctx, const XML_Char *name)
{
    (void)ctx, (void)name;
}

static size_t read_bare(const set_file *file)
{
    size_t elements = 0;
    XML_Parser parser = XML_ParserCreate(NULL);
    z_stream stream = {.next_in = file->bytes, .avail_in = (uInt)file->length};
    if (parser == NULL || inflateInit2(&stream, MAX_WBITS + 16) != Z_OK) bench_die("out of memory");
    XML_SetUserData(parser, &elements);
    XML_SetElementHandler(parser, count_element, pass_end);
    for (int status = Z_OK; status == Z_OK;) {
        stream.next_out = XML_GetBuffer(parser, PIECE_BYTES);
        stream.avail_out = PIECE_BYTES;
        status = inflate(&stream, Z_NO_FLUSH);
        const int length = (int)(PIECE_BYTES - stream.avail_out);
        if (XML_ParseBuffer(parser, length, status == Z_STREAM_END) != XML_STATUS_OK) bench_die("bad XML");
    }
    inflateEnd(&stream);
    XML_ParserFree(parser);
    return elements;
}

static double since_ms(uint64_t begin_ns)
{
    return (double)(bench_now_ns() - begin_ns) / 1e6;
}

static void measure_reading(bench *bench, const set_file *file)
{
    bench_series own = {.count = 0}, bare = {.count = 0};
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        uint64_t begin_ns = bench_now_ns();
        sl_tree *tree = read_file(file);
        bench_add(&own, since_ms(begin_ns));
        sl_tree_destroy(tree);
        begin_ns = bench_now_ns();
        if (read_bare(file) == 0) bench_die("nothing read");
        bench_add(&bare, since_ms(begin_ns));
    }
    bench_report(bench, &(bench_figure){.name = "set to tree",
                                        .unit = "ms",
                                        .own = &own,
                                        .peer_name = "inflate and expat",
                                        .peer = &bare,
                                        .limit_type = BENCH_LIMIT_RATIO_MAX,
                                        .limit = 1.5});
}

/* Memory, in a process of its own. */

static double status_bytes(const char *name)
{
    char line[256];
    double found = 0;
    FILE *status = fopen("/proc/self/status", "re");
    if (status == NULL) bench_die("/proc/self/status cannot be read");
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, name, strlen(name)) == 0) found = strtod(line + strlen(name), NULL) * 1024;
    fclose(status);
    return found;
}

static void read_and_tell(const set_file *file, int out)
{
    FILE *peak = fopen("/proc/self/clear_refs", "we");
    if (peak == NULL || fputs("5", peak) < 0 || fclose(peak) != 0) _exit(1); /* the peak begins anew */
    const double before = status_bytes("VmRSS:");
    sl_tree *tree = read_file(file);
    const double figures[] = {status_bytes("VmHWM:") - before, (double)sl_tree_size_bytes(tree)};
    _exit(write(out, figures, sizeof figures) == (ssize_t)sizeof figures ? 0 : 1);
}

static void measure_memory(bench *bench, const set_file *file)
{
    bench_series own = {.count = 0}, tree = {.count = 0};
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        int ends[2], status;
        double figures[2] = {0, 0};
        if (pipe(ends) != 0) bench_die("no pipe");
        pid_t child = fork();
        if (child < 0) bench_die("no process");
        if (child == 0) read_and_tell(file, ends[1]);
        close(ends[1]);
        const bool is_told = read(ends[0], figures, sizeof figures) == (ssize_t)sizeof figures;
        close(ends[0]);
        if (waitpid(child, &status, 0) != child || !is_told) {
            bench_note(bench, "the peak of memory cannot be measured here");
            return;
        }
        bench_add(&own, figures[0] / 1e6);
        bench_add(&tree, figures[1] / 1e6);
    }
    bench_report(bench, &(bench_figure){.name = "memory of reading, at its peak",
                                        .unit = "MB",
                                        .own = &own,
                                        .peer_name = "the tree",
                                        .peer = &tree,
                                        .limit_type = BENCH_LIMIT_RATIO_MAX,
                                        .limit = 4});
}

/* The diff. */

static void report_diff(bench *bench, const char *name, const bench_series *own, const bench_series *reading)
{
    bench_report(bench, &(bench_figure){.name = name,
                                        .unit = "ms",
                                        .own = own,
                                        .peer_name = "reading one",
                                        .peer = reading,
                                        .limit_type = BENCH_LIMIT_RATIO_MAX,
                                        .limit = 0.05});
}

static void measure_diff(bench *bench, const set_file *old, const set_file *new)
{
    bench_series printed = {.count = 0}, digests = {.count = 0}, reading = {.count = 0};
    sl_tree_diff_counts counts;
    sl_tree *from = read_file(old);
    sl_tree_digest(from);
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        uint64_t begin_ns = bench_now_ns();
        sl_tree *to = read_file(new);
        bench_add(&reading, since_ms(begin_ns));
        begin_ns = bench_now_ns();
        sl_tree_digest(to);
        bench_add(&digests, since_ms(begin_ns));
        if (!sl_tree_diff_print(NULL, from, to, &counts) || counts.changed != EDITS) bench_die("a wrong diff");
        bench_add(&printed, since_ms(begin_ns));
        sl_tree_destroy(to);
    }
    sl_tree_destroy(from);
    report_diff(bench, "diff of two, its digests included", &printed, &reading);
    bench_report(bench, &(bench_figure){.name = "of that, the digests", .unit = "ms", .own = &digests});
}
