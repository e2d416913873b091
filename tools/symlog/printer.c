/* Where a command's output goes. */
#include "tools/symlog/printer.h"

#include "tools/symlog/columns.h"
#include "tools/symlog/command.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t length_of_columns(const sl_text *line, size_t columns);

sl_printer sl_printer_stdout(void)
{
    sl_printer printer = {.file = stdout};
    struct winsize size = {0};
    if (isatty(STDOUT_FILENO)) {
        printer.columns = 80;
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1) printer.columns = size.ws_col;
    }
    return printer;
}

bool sl_printer_open(sl_printer *printer, const char *path)
{
    *printer = sl_printer_stdout();
    if (strcmp(path, "-") == 0) return true;
    *printer = (sl_printer){.file = fopen(path, "wxe")};
    printer->is_new = printer->file != NULL;
    struct stat there;
    bool is_device = printer->file == NULL && errno == EEXIST && stat(path, &there) == 0 && !S_ISREG(there.st_mode);
    if (is_device) printer->file = fopen(path, "we");
    return printer->file != NULL;
}

bool sl_printer_is_terminal(const sl_printer *printer)
{
    return printer->columns > 0;
}

bool sl_print_bytes(sl_printer *printer, const void *bytes, size_t length)
{
    if (printer->error == 0 && length > 0 && fwrite(bytes, 1, length, printer->file) != length) printer->error = errno;
    return printer->error == 0;
}

bool sl_print_line(sl_printer *printer, const sl_text *line)
{
    if (line->bad && printer->error == 0) printer->error = ENOMEM;
    return sl_print_bytes(printer, line->bytes, line->length) && sl_print_bytes(printer, "\n", 1);
}

bool sl_print_screen_line(sl_printer *printer, const sl_text *line)
{
    if (printer->columns == 0 || line->bad) return sl_print_line(printer, line);
    const size_t length = length_of_columns(line, printer->columns);
    for (size_t at = 0; at < length;) {
        const sl_glyph glyph = sl_glyph_at(line->bytes + at, length - at);
        const char *shown = glyph.is_shown ? line->bytes + at : "."; /* what would turn the line around, too */
        if (!sl_print_bytes(printer, shown, glyph.is_shown ? glyph.size : 1)) return false;
        at += glyph.size;
    }
    const char *end = length < line->length ? "…\n" : "\n";
    return sl_print_bytes(printer, end, strlen(end));
}

/* The whole length if the line fits; else that of all characters but those that leave no room for the ellipsis. */
static size_t length_of_columns(const sl_text *line, size_t columns)
{
    size_t used;
    if (sl_columns_fit(line->bytes, line->length, columns, &used) == line->length) return line->length;
    return sl_columns_fit(line->bytes, line->length, columns - 1, &used);
}

bool sl_printer_flush(sl_printer *printer)
{
    if (printer->error == 0 && fflush(printer->file) != 0) printer->error = errno;
    struct pollfd descriptor = {.fd = fileno(printer->file)};
    bool has_left = poll(&descriptor, 1, 0) == 1 && (descriptor.revents & POLLERR) != 0;
    if (printer->error == 0 && has_left) printer->error = EPIPE;
    if (printer->error == 0 && ferror(printer->file) != 0) printer->error = EIO; /* written past the printer */
    return printer->error == 0;
}

int sl_printer_close(sl_printer *printer, const char *name, int status)
{
    sl_printer_flush(printer);
    if (printer->file != stdout && fclose(printer->file) != 0 && printer->error == 0) printer->error = errno;
    if (printer->error == 0 || printer->error == EPIPE) return status;
    return sl_failure(name, "what it says cannot be written: %s", strerror(printer->error));
}
