#include "tools/symlog/serve_options.h"

#include "core/renderer.h"
#include "tools/symlog/chores.h"
#include "tools/symlog/command.h"
#include "tools/symlog/feed.h"
#include "tools/symlog/keeper.h"

#include <stdio.h>
#include <string.h>

#define LOOPBACK "127.0.0.1"

enum { BLOCK_MIN = 16, BLOCK_MAX = 8192 };

const char sl_serve_help[] =
    "usage: symlog serve [--db DIR] [--osc [ADDR:]PORT] [--ws [ADDR:]PORT] [OPTION...]\n"
    "\n"
    "Records what Ableton Live sends by OSC, and a groove box by MIDI, in the log, and tells every change to\n"
    "WebSocket subscribers. Ctrl-C stops it; everything received is in the log then.\n"
    "\n"
    "  --db DIR             the log's folder ($SYMLOG_DB, or $XDG_DATA_HOME/symlog/default)\n"
    "  --osc [ADDR:]PORT    where OSC comes in by UDP (127.0.0.1:9002); port 0 picks one\n"
    "  --ws [ADDR:]PORT     where subscribers connect (127.0.0.1:8765); port 0 picks one\n"
    "  --token T            what subscribers must bring (?token=T); needed beyond 127.0.0.1\n"
    "  --allow-origin O     lets pages of this origin subscribe, too; several with commas between\n"
    "  --project PATH       the Live set that is played, or its folder (the newest set counts): each save is "
    "taken\n"
    "  --midi PATH          a groove box on a raw MIDI device, a pty or a FIFO; may be given several times\n"
    "  --midi-port NAME     or on a port that has a name (symlog ports lists them); likewise\n"
    "  --groove-authority   what symlog has counts: it tells it every 4 s\n"
    "  --groove-listen      records the groove box, and sends nothing\n"
    "  --setlists FILE      the built-in set lists: programs.json\n"
    "  --notes-out WHERE    where the notes of live code go: a raw MIDI device, a pty, a FIFO (a path), or a port\n"
    "                       that has a name (symlog ports)\n"
    "  --watch FILE         evaluates each save of a file of live code (.js, .mjs, .ts); may be given several times\n"
    "  --sound              makes sound of what is played, on the usual device\n"
    "  --with-audio [FILE.c]  likewise, and takes the input in: through a processor (tools/symlog/AUDIO.md), if named\n"
    "  --device NAME        another device: a part of its name, or its number\n"
    "  --list-devices       lists them, and does nothing else\n"
    "  --rate HZ            44100, 48000 or 96000 (the device's)\n"
    "  --block FRAMES       how many frames the device asks for at once (as it likes)\n"
    "  --durability WHAT    power: a commit survives a power cut (the default); process: quicker, survives\n"
    "                       the death of the program only\n"
    "  --verbose            a line for every event\n"
    "\n"
    "example: symlog serve --db ~/tonight --osc 9002 --ws 8765 --midi /dev/snd/midiC1D0\n";

/* "https://a.example,https://b.example" */
static int read_origins(const char *name, const char *list, sl_serve_options *options)
{
    if (strlen(list) >= sizeof options->origins) return sl_usage_error(name, "--allow-origin is too long");
    memcpy(options->origins, list, strlen(list) + 1);
    char *rest = NULL;
    for (char *one = strtok_r(options->origins, ",", &rest); one != NULL; one = strtok_r(NULL, ",", &rest)) {
        if (options->access.origin_count == SL_ACCESS_ORIGINS_MAX)
            return sl_usage_error(name, "--allow-origin takes at most %d origins", SL_ACCESS_ORIGINS_MAX);
        options->access.origins[options->access.origin_count++] = one;
    }
    return SL_EXIT_OK;
}

/* What follows --with-audio is the only operand that there is. */
static int read_sound(const char *name, const char *rate, const char *block, sl_operands *operands,
                      sl_sound_wishes *sound)
{
    uint64_t number = 0;
    if (sound->with_audio && operands->count > 0) sound->processor = operands->words[--operands->count];
    sound->with_sound = sound->with_sound || sound->with_audio;
    if (rate != NULL && !sl_option_number(rate, SL_RENDERER_RATE_MIN, SL_RENDERER_RATE_MAX, &number))
        return sl_usage_error(name, "--rate wants frames a second: 44100, 48000 or 96000");
    sound->rate = (uint32_t)number;
    number = 0;
    if (block != NULL && !sl_option_number(block, BLOCK_MIN, BLOCK_MAX, &number))
        return sl_usage_error(name, "--block wants a number of frames, from %d to %d", BLOCK_MIN, BLOCK_MAX);
    sound->block = (uint32_t)number;
    if (!sound->with_sound && (sound->device != NULL || rate != NULL || block != NULL))
        return sl_usage_error(name, "--device, --rate and --block are of --sound, or --with-audio");
    return SL_EXIT_OK;
}

int sl_serve_options_read(int argc, char **argv, sl_serve_options *options)
{
    const char *name = argv[0];
    const char *db = NULL, *osc = "9002", *ws = "8765", *origins = NULL, *durability = "power";
    const char *rate = NULL, *block = NULL, *checkpoint_every = NULL, *snapshot_every = NULL, *backlog = NULL;
    const sl_option table[] = {
        {.name = "--db", .value = &db},
        {.name = "--osc", .value = &osc},
        {.name = "--ws", .value = &ws},
        {.name = "--token", .value = &options->access.token},
        {.name = "--allow-origin", .value = &origins},
        {.name = "--midi", .many = &options->groove.paths},
        {.name = "--project", .value = &options->project},
        {.name = "--midi-port", .many = &options->groove.names},
        {.name = "--groove-authority", .is_given = &options->groove.is_authority},
        {.name = "--groove-listen", .is_given = &options->groove.is_listening},
        {.name = "--watch", .many = &options->watched},
        {.name = "--setlists", .value = &options->groove.setlists},
        {.name = "--notes-out", .value = &options->notes_out},
        {.name = "--sound", .is_given = &options->sound.with_sound},
        {.name = "--with-audio", .is_given = &options->sound.with_audio},
        {.name = "--device", .value = &options->sound.device},
        {.name = "--list-devices", .is_given = &options->lists_devices},
        {.name = "--rate", .value = &rate},
        {.name = "--block", .value = &block},
        {.name = "--durability", .value = &durability},
        {.name = "--checkpoint-every", .value = &checkpoint_every}, /* for tests: no help tells of these three */
        {.name = "--snapshot-every", .value = &snapshot_every},
        {.name = "--backlog", .value = &backlog},
        {.name = "--verbose", .is_given = &options->is_verbose},
    };
    sl_operands operands;
    const int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    const int sound = read_sound(name, rate, block, &operands, &options->sound);
    if (sound != SL_EXIT_OK) return sound;
    if (operands.count > 0) return sl_usage_error(name, "it takes no \"%s\"", operands.words[0]);

    char errmsg[256];
    if (!sl_host_db_dir(db, options->dir, sizeof options->dir, errmsg)) return sl_usage_error(name, "%s", errmsg);
    memcpy(options->osc_address, LOOPBACK, sizeof LOOPBACK);
    memcpy(options->ws_address, LOOPBACK, sizeof LOOPBACK);
    if (!sl_host_endpoint(osc, options->osc_address, sizeof options->osc_address, &options->osc_port))
        return sl_usage_error(name, "--osc wants [ADDR:]PORT, such as 9002 or 0.0.0.0:9002, not \"%s\"", osc);
    if (!sl_host_endpoint(ws, options->ws_address, sizeof options->ws_address, &options->ws_port))
        return sl_usage_error(name, "--ws wants [ADDR:]PORT, such as 8765 or 0.0.0.0:8765, not \"%s\"", ws);
    if (strcmp(durability, "power") != 0 && strcmp(durability, "process") != 0)
        return sl_usage_error(name, "--durability is power or process, not \"%s\"", durability);
    options->durability = durability[1] == 'o' ? SL_DURABILITY_POWER : SL_DURABILITY_PROCESS;
    options->checkpoint_every = SL_CHORES_CHECKPOINT_EVERY;
    options->snapshot_every = SL_KEEPER_EVERY_EVENTS;
    if (checkpoint_every != NULL && !sl_option_number(checkpoint_every, 1, UINT32_MAX, &options->checkpoint_every))
        return sl_usage_error(name, "--checkpoint-every wants a number of events");
    if (snapshot_every != NULL && !sl_option_number(snapshot_every, 1, UINT32_MAX, &options->snapshot_every))
        return sl_usage_error(name, "--snapshot-every wants a number of events");
    options->backlog_bytes = SL_FEED_BACKLOG_BYTES;
    if (backlog != NULL && !sl_option_number(backlog, 1 << 16, SL_FEED_BACKLOG_BYTES, &options->backlog_bytes))
        return sl_usage_error(name, "--backlog wants a number of bytes, from 65536");
    if (options->notes_out != NULL && options->notes_out[0] == '\0')
        return sl_usage_error(name, "--notes-out wants a path or a port's name");
    if (options->access.token != NULL && options->access.token[0] == '\0')
        return sl_usage_error(name, "--token is empty");
    if (options->access.token == NULL && !sl_access_is_loopback(options->ws_address))
        return sl_usage_error(name, "others can reach %s, so it needs --token", options->ws_address);
    snprintf(options->summary, sizeof options->summary, "--osc %s:%u --ws %s:%u --durability %s%s%s",
             options->osc_address, options->osc_port, options->ws_address, options->ws_port, durability,
             options->groove.is_authority ? " --groove-authority" : "",
             options->groove.is_listening ? " --groove-listen" : "");
    const int groove = sl_groove_setup_check(&options->groove, name);
    if (groove != SL_EXIT_OK) return groove;
    return origins != NULL ? read_origins(name, origins, options) : SL_EXIT_OK;
}
