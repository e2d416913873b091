/* symlog sound: the sound process of `symlog serve --sound`, which starts it. */
#include "tools/symlog/audio_device.h"
#include "tools/symlog/command.h"
#include "tools/symlog/options.h"
#include "tools/symlog/sound_process.h"
#include "tools/symlog/sound_wire.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { DESCRIPTOR_MAX = 1 << 16, RATE_MAX = 192000 };

static int run(int argc, char **argv);

const sl_command sl_command_sound = {
    .name = "sound",
    .summary = "the process that makes the sound; serve --sound starts it",
    .help = "usage: symlog sound\n"
            "\n"
            "The process that renders and plays what a running serve has. It is not started by hand: symlog serve\n"
            "--sound does, watches it, and starts it again when it ends.\n"
            "\n"
            "example: symlog serve --sound --db ~/tonight\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    const char *link = NULL, *wake = NULL, *rate = NULL, *block = NULL, *after_save = NULL;
    sl_sound_process_options options = {.link = -1};
    const sl_option table[] = {
        {.name = "--db", .value = &options.db},
        {.name = "--link", .value = &link},
        {.name = "--wake", .value = &wake},
        {.name = "--device", .value = &options.device},
        {.name = "--rate", .value = &rate},
        {.name = "--block", .value = &block},
        {.name = "--no-device", .is_given = &options.no_device},
        {.name = "--with-audio", .is_given = &options.with_audio},
        {.name = "--processor", .value = &options.processor},
        {.name = "--after-save", .value = &after_save},
    };
    sl_operands operands;
    const int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    uint64_t numbers[5] = {0};
    const bool has_link = link != NULL && wake != NULL && options.db != NULL &&
                          sl_option_number(link, 0, DESCRIPTOR_MAX, &numbers[0]) &&
                          sl_option_number(wake, 0, DESCRIPTOR_MAX, &numbers[1]);
    if (!has_link) return sl_usage_error(argv[0], "it is started by symlog serve --sound");
    if (rate != NULL && !sl_option_number(rate, 0, RATE_MAX, &numbers[2]))
        return sl_usage_error(argv[0], "--rate wants frames a second");
    if (block != NULL && !sl_option_number(block, 0, SL_AUDIO_BLOCK_MAX, &numbers[3]))
        return sl_usage_error(argv[0], "--block wants frames");
    if (after_save != NULL && !sl_option_number(after_save, 0, INT64_MAX, &numbers[4]))
        return sl_usage_error(argv[0], "--after-save wants nanoseconds");
    options.link = (int)numbers[0];
    options.wake_fd = (int)numbers[1];
    options.rate = (uint32_t)numbers[2];
    options.block = (uint32_t)numbers[3];
    options.after_save_ns = (int64_t)numbers[4];
    prctl(PR_SET_NAME, "symlog sound"); /* it was started as /proc/self/exe */
    prctl(PR_SET_PDEATHSIG, SIGKILL);   /* no sound goes on without the log */
    signal(SIGINT, SIG_IGN);            /* of a Ctrl-C serve hears, and says what is to be done */
    return sl_sound_process_run(&options);
}
