/* `symlog log export`: writes a whole log to a file. */
#include "core/bytes.h"
#include "core/message.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/log_file.h"
#include "tools/symlog/printer.h"
#include "tools/symlog/progress.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What one export works with. */
typedef struct export
{
    sl_log *log;
    sl_printer printer;
    sl_text line;
    bool is_raw;
    uint64_t count; // Events written.
}
export;

static sl_err write_all(export *out, bool shows_progress, char errmsg[256]);
static bool write_head(export *out, uint64_t first_seq);
static bool write_event(export *out, const sl_event *event);

int sl_log_file_export(const char *db, const char *path, bool is_raw)
{
    char errmsg[256];
    export out = {.is_raw = is_raw};
    sl_err err = sl_host_open_log(db, &out.log, errmsg);
    if (err != SL_OK) return sl_failure("log", "%s", errmsg);
    if (!sl_printer_open(&out.printer, path)) {
        sl_log_close(out.log);
        return sl_failure("log", "%s cannot be written: %s", path, strerror(errno));
    }
    sl_text_open(&out.line, sl_host_memory());
    err = write_all(&out, !sl_printer_is_terminal(&out.printer), errmsg);
    int status = SL_EXIT_OK;
    if (err != SL_OK) status = sl_failure("log", "%s; the export ends before it", errmsg);
    bool is_file = out.printer.file != stdout;
    bool is_ours = out.printer.is_new;
    status = sl_printer_close(&out.printer, "log", status);
    if (is_ours && err == SL_OK && status != SL_EXIT_OK) remove(path); /* half an export is none */
    if (is_file && status == SL_EXIT_OK) printf("exported %llu events to %s\n", (unsigned long long)out.count, path);
    sl_text_close(&out.line);
    sl_log_close(out.log);
    return status;
}

static sl_err write_all(export *out, bool shows_progress, char errmsg[256])
{
    uint64_t last = 0;
    sl_log_beginning beginning;
    sl_log_reader *reader = NULL;
    sl_err err = sl_log_last(out->log, &last);
    if (err == SL_OK) err = sl_log_begins(out->log, &beginning);
    if (err == SL_OK) err = sl_log_reader_open(out->log, beginning.first_seq, &reader);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "%.255s", sl_log_error(out->log));
        return err;
    }
    sl_progress progress = sl_progress_begin("exporting", last, shows_progress);
    bool can_write = write_head(out, beginning.first_seq);
    // What is appended meanwhile is left out, or the export of a busy log might never end.
    while (can_write && sl_log_reader_next_seq(reader) <= last) {
        sl_event event;
        err = sl_log_read(reader, &event);
        if (err != SL_OK) break;
        can_write = write_event(out, &event);
        out->count++;
        sl_progress_show(&progress, out->count);
    }
    sl_progress_end(&progress);
    if (err != SL_OK) sl_host_read_error(reader, err, errmsg);
    sl_log_reader_close(reader);
    return err;
}

static bool write_head(export *out, uint64_t first_seq)
{
    if (out->is_raw) return sl_print_bytes(&out->printer, sl_log_id(out->log), SL_LOG_ID_BYTES);
    sl_text_clear(&out->line);
    sl_text_string(&out->line, "{\"symlog_log\":");
    sl_text_u64(&out->line, SL_LOG_FILE_VERSION);
    sl_text_string(&out->line, ",\"log_id\":\"");
    sl_text_string(&out->line, sl_log_id_hex(out->log));
    sl_text_string(&out->line, "\"");
    if (first_seq > 1) {
        sl_text_string(&out->line, ",\"first\":");
        sl_text_u64(&out->line, first_seq);
    }
    sl_text_string(&out->line, "}");
    return sl_print_line(&out->printer, &out->line);
}

static bool write_event(export *out, const sl_event *event)
{
    if (out->is_raw) {
        uint8_t head[8 + SL_RECORD_HEADER_BYTES];
        sl_put_le(head, event->seq, 8);
        sl_record_encode(event, sl_log_id(out->log), head + 8);
        return sl_print_bytes(&out->printer, head, sizeof head) &&
               sl_print_bytes(&out->printer, event->payload, event->length);
    }
    sl_text_clear(&out->line);
    sl_text_event_json(&out->line, event, NULL);
    return sl_print_line(&out->printer, &out->line);
}
