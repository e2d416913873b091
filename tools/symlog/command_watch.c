/* `symlog watch`: the set as it is now, drawn on the terminal while it changes. Follows the log, as any reader may. */
#include "tools/symlog/command.h"
#include "tools/symlog/grid.h"
#include "tools/symlog/host.h"
#include "tools/symlog/options.h"
#include "tools/symlog/pace.h"
#include "tools/symlog/printer.h"

#include "ingest/clock.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DRAW_NS = 100 * 1000 * 1000, SECOND_NS = 1000 * 1000 * 1000, READ_MAX = 65536 };

typedef struct watch {
    sl_log *log;
    sl_log_reader *reader;
    sl_state *state;
    sl_printer printer;
    sl_text text;
    uint64_t second_ns; /* when the rate was last counted */
    uint64_t second_seq;
    sl_grid grid;
    bool is_once;
} watch;

static int run(int argc, char **argv);

const sl_command sl_command_watch = {
    .name = "watch",
    .summary = "draw the set on the terminal, live",
    .help =
        "usage: symlog watch [--db DIR] [--once]\n\n"
        "Draws tracks, scenes, clips, volumes and devices as they are now, ten times a second, while serve records\n"
        "into the log. > plays, ? is triggered, # is a clip, . is empty; M muted, S soloed, R armed.\n"
        "Ctrl-C ends it.\n\n"
        "  --db DIR  the log's folder\n"
        "  --once    draw once and end\n\n"
        "example: symlog watch --db ~/sets/friday\n",
    .run = run,
};

/* The screen's size; 100 x 40 where there is none. */
static void measure_screen(sl_grid *grid)
{
    struct winsize size;
    bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    grid->columns = is_known ? size.ws_col : 100;
    grid->rows = is_known ? size.ws_row : 40;
}

/* Applies what is new, at most READ_MAX events so that a long log shows something meanwhile. */
static sl_err read_news(watch *watch, bool *is_at_end, char errmsg[256])
{
    *is_at_end = false;
    for (unsigned i = 0; i < READ_MAX; i++) {
        sl_event event;
        sl_err err = sl_log_read(watch->reader, &event);
        if (err == SL_ERR_END) {
            *is_at_end = true;
            return SL_OK;
        }
        if (err != SL_OK) {
            sl_host_read_error(watch->reader, err, errmsg);
            return err;
        }
        err = sl_reduce(watch->state, &event, NULL);
        if (err != SL_OK) {
            snprintf(errmsg, 256, "%s", sl_err_text(err));
            return err;
        }
    }
    return SL_OK;
}

static void count_rate(watch *watch)
{
    uint64_t now_ns = sl_clock_boot_ns(), seq = sl_state_seq(watch->state);
    if (now_ns - watch->second_ns < SECOND_NS) return;
    watch->grid.rate = watch->second_ns == 0 ? 0 : (seq - watch->second_seq) * SECOND_NS / (now_ns - watch->second_ns);
    watch->second_ns = now_ns;
    watch->second_seq = seq;
}

/* Draws over what stands there, line by line, so that nothing flickers. */
static bool draw(watch *watch)
{
    sl_text_clear(&watch->text);
    measure_screen(&watch->grid);
    sl_grid_draw(&watch->text, watch->state, &watch->grid);
    if (watch->text.bad) return false;
    if (watch->is_once)
        return sl_print_bytes(&watch->printer, watch->text.bytes, watch->text.length) &&
               sl_printer_flush(&watch->printer);
    bool is_on = sl_print_bytes(&watch->printer, "\033[H", 3);
    for (size_t from = 0, to = 0; is_on && to < watch->text.length; to++) {
        if (watch->text.bytes[to] != '\n') continue;
        if (from > 0) is_on = sl_print_bytes(&watch->printer, "\n", 1); /* none behind the last: it would scroll */
        is_on = is_on && sl_print_bytes(&watch->printer, watch->text.bytes + from, to - from) &&
                sl_print_bytes(&watch->printer, "\033[K", 3);
        from = to + 1;
    }
    return is_on && sl_print_bytes(&watch->printer, "\033[J", 3) && sl_printer_flush(&watch->printer);
}

static sl_err follow(watch *watch, char errmsg[256])
{
    bool is_at_end = false;
    sl_pace_hold_signals();
    if (!watch->is_once && !sl_print_bytes(&watch->printer, "\033[?25l\033[2J", 10)) return SL_OK;
    do {
        sl_err err = read_news(watch, &is_at_end, errmsg);
        if (err != SL_OK) return err;
        if (watch->is_once && !is_at_end) continue;
        count_rate(watch);
        if (!draw(watch) || watch->is_once) break;
    } while (sl_pace_sleep(is_at_end ? DRAW_NS : 0));
    if (!watch->is_once) sl_print_bytes(&watch->printer, "\033[?25h", 6);
    return SL_OK;
}

static sl_err open_watch(watch *watch, const char *db, char errmsg[256])
{
    sl_err err = sl_host_open_log(db, &watch->log, errmsg);
    if (err != SL_OK) return err;
    err = sl_state_create(sl_host_memory(), &watch->state);
    if (err == SL_OK) err = sl_log_reader_open(watch->log, 1, &watch->reader);
    if (err != SL_OK) snprintf(errmsg, 256, "%s", err == SL_ERR_MEMORY ? sl_err_text(err) : sl_log_error(watch->log));
    return err;
}

static int run(int argc, char **argv)
{
    const char *db = NULL;
    watch watch = {.printer = sl_printer_stdout()};
    const sl_option table[] = {{.name = "--db", .value = &db}, {.name = "--once", .is_given = &watch.is_once}};
    sl_operands operands;
    int status = sl_options_read(argc, argv, table, sizeof table / sizeof table[0], &operands);
    if (status != SL_EXIT_OK) return status;
    if (operands.count > 0) return sl_usage_error("watch", "\"%s\" is not an option", operands.words[0]);
    if (!watch.is_once && !isatty(STDOUT_FILENO))
        return sl_usage_error("watch", "this is no terminal; --once draws a single time");
    char errmsg[256];
    watch.grid.is_colored = isatty(STDOUT_FILENO) != 0;
    sl_text_open(&watch.text, sl_host_memory());
    sl_err err = open_watch(&watch, db, errmsg);
    if (err == SL_OK) err = follow(&watch, errmsg);
    status = err == SL_OK ? SL_EXIT_OK : sl_failure("watch", "%s", errmsg);
    status = sl_printer_close(&watch.printer, "watch", status);
    if (watch.reader != NULL) sl_log_reader_close(watch.reader);
    sl_state_destroy(watch.state);
    sl_log_close(watch.log);
    sl_text_close(&watch.text);
    return status;
}
