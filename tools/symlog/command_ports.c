/* `symlog ports`: the MIDI ports that serve could be given. */
#include "core/text.h"
#include "ingest/midi_named.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/options.h"
#include "tools/symlog/printer.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int run(int argc, char **argv);
static size_t list_files(sl_printer *printer, bool is_json);
static size_t list_named(sl_printer *printer, bool is_json, char absent[SL_MIDI_WHY_BYTES]);

const sl_command sl_command_ports = {
    .name = "ports",
    .summary = "the MIDI ports that serve can be connected to",
    .help = "usage: symlog ports [--json]\n\n"
            "Lists the raw MIDI devices, for serve's --midi, and the ports of ALSA's sequencer and of JACK, for\n"
            "--midi-port; and in which direction frames go: in (to symlog), out, or both.\n\n"
            "  --json   one JSON object a line\n\n"
            "example: symlog ports\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    bool is_json = false;
    const sl_option table[] = {{.name = "--json", .is_given = &is_json}};
    sl_operands operands;
    const int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count > 0) return sl_usage_error("ports", "it takes no \"%s\"", operands.words[0]);
    sl_printer printer = sl_printer_stdout();
    char absent[SL_MIDI_WHY_BYTES];
    size_t count = list_files(&printer, is_json);
    count += list_named(&printer, is_json, absent);
    if (!is_json && count == 0 && absent[0] == '\0') fputs("there are no MIDI ports\n", printer.file);
    if (!is_json && absent[0] != '\0') fprintf(printer.file, "%s%s\n", count == 0 ? "no ports: " : "", absent);
    return sl_printer_close(&printer, "ports", status);
}

static void print_port(sl_printer *printer, bool is_json, const char *option, const sl_midi_listed *port)
{
    const char *direction = port->gives ? port->takes ? "in, out" : "in" : "out";
    if (!is_json) {
        fprintf(printer->file, "%-11s %-8s %-5s %s\n", option, direction, port->service, port->name);
        return;
    }
    sl_text text;
    sl_text_open(&text, sl_host_memory());
    sl_text_string(&text, "{\"option\":\"");
    sl_text_string(&text, option);
    sl_text_string(&text, "\",\"service\":\"");
    sl_text_string(&text, port->service);
    sl_text_string(&text, "\",\"name\":");
    sl_text_json(&text, port->name, strlen(port->name));
    sl_text_string(&text, port->gives ? ",\"in\":true" : ",\"in\":false");
    sl_text_string(&text, port->takes ? ",\"out\":true}" : ",\"out\":false}");
    sl_print_line(printer, &text);
    sl_text_close(&text);
}

static size_t list_files(sl_printer *printer, bool is_json)
{
    glob_t found = {0};
    size_t count = 0;
    if (glob("/dev/snd/midiC*D*", 0, NULL, &found) == 0) {
        for (; count < found.gl_pathc; count++) {
            const char *path = found.gl_pathv[count];
            sl_midi_listed port = {
                .service = "file", .gives = access(path, R_OK) == 0, .takes = access(path, W_OK) == 0};
            snprintf(port.name, sizeof port.name, "%s", path);
            print_port(printer, is_json, "--midi", &port);
        }
    }
    globfree(&found);
    return count;
}

static size_t list_named(sl_printer *printer, bool is_json, char absent[SL_MIDI_WHY_BYTES])
{
    sl_midi_listed *ports = calloc(SL_MIDI_LISTED_MAX, sizeof *ports);
    if (ports == NULL) return 0;
    const size_t count = sl_midi_named_list(ports, absent);
    for (size_t i = 0; i < count; i++) print_port(printer, is_json, "--midi-port", &ports[i]);
    free(ports);
    return count;
}
