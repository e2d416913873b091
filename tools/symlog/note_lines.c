/* A score's notes, printed. */
#include "tools/symlog/note_lines.h"

#include "core/part.h"
#include "tools/symlog/command.h"
#include "tools/symlog/host.h"
#include "tools/symlog/printer.h"

#include <stdio.h>
#include <string.h>

static const double beat = (double)SL_TICKS_PER_BEAT;

/* "C#4" of 61; below C0, "C-1" to "B-1". */
static void put_pitch(char name[8], uint8_t pitch)
{
    static const char *const names[] = {"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};
    (void)snprintf(name, 8, "%s%d", names[pitch % 12], pitch / 12 - 1);
}

static void put_columns(sl_text *line, const sl_score_track *track, const sl_note *note)
{
    char columns[96], name[8];
    put_pitch(name, note->pitch);
    sl_text_bytes(line, track->name, track->name_length);
    for (size_t i = track->name_length; i < 12; i++) sl_text_string(line, " ");
    (void)snprintf(columns, sizeof columns, " %9.3f  %-4s %7.3f  %3u", note->start / beat, name, note->length / beat,
                   (unsigned)note->velocity);
    sl_text_string(line, columns);
}

static void put_number(sl_text *line, const char *key, uint64_t value)
{
    sl_text_string(line, key);
    sl_text_u64(line, value);
}

static void put_object(sl_text *line, const sl_score_track *track, const sl_note *note)
{
    char name[8];
    put_pitch(name, note->pitch);
    sl_text_string(line, "{\"track\":");
    sl_text_json(line, track->name, track->name_length);
    sl_text_string(line, ",\"beat\":");
    sl_text_double(line, note->start / beat);
    sl_text_string(line, ",\"note\":");
    sl_text_json(line, name, strlen(name));
    sl_text_string(line, ",\"length\":");
    sl_text_double(line, note->length / beat);
    put_number(line, ",\"velocity\":", note->velocity);
    put_number(line, ",\"pitch\":", note->pitch);
    put_number(line, ",\"start_ticks\":", note->start);
    put_number(line, ",\"length_ticks\":", note->length);
    sl_text_string(line, "}");
}

static void print_track(sl_printer *printer, const sl_score_track *track, const sl_part *part, bool is_json)
{
    sl_text line;
    sl_text_open(&line, sl_host_memory());
    for (uint32_t i = 0; i < part->note_count; i++) {
        sl_text_clear(&line);
        if (is_json)
            put_object(&line, track, &part->notes[i]);
        else
            put_columns(&line, track, &part->notes[i]);
        bool is_printed = is_json ? sl_print_line(printer, &line) : sl_print_screen_line(printer, &line);
        if (!is_printed) break;
    }
    sl_text_close(&line);
}

int sl_note_lines_print(const sl_evaluation_result *result, bool is_json)
{
    sl_printer printer = sl_printer_stdout();
    sl_reader reader = {.bytes = result->score, .length = result->score_length};
    sl_score_error error;
    sl_score_head head;
    sl_err err = sl_score_read_head(&reader, &head, &error.what);
    for (unsigned i = 0; i < head.track_count && err == SL_OK; i++) {
        sl_score_track track;
        sl_part *part = NULL;
        err = sl_score_read_track(&reader, &track, &error.what);
        if (err == SL_OK) err = sl_part_compile(&track, sl_host_memory(), &part, &error);
        if (err == SL_OK) print_track(&printer, &track, part, is_json);
        sl_part_drop(part);
    }
    int status = err == SL_OK ? SL_EXIT_OK : sl_failure("eval", "%s", sl_err_text(err)); /* it was checked: memory */
    return sl_printer_close(&printer, "eval", status);
}

int sl_note_lines_error(const sl_evaluation_result *result)
{
    sl_printer printer = sl_printer_stdout();
    sl_text line;
    sl_text_open(&line, sl_host_memory());
    sl_text_string(&line, "{\"error\":{\"message\":");
    sl_text_json(&line, result->message, strlen(result->message));
    put_number(&line, ",\"line\":", result->line);
    put_number(&line, ",\"column\":", result->column);
    sl_text_string(&line, "}}");
    (void)sl_print_line(&printer, &line);
    sl_text_close(&line);
    return sl_printer_close(&printer, "eval", SL_EXIT_FOUND);
}
