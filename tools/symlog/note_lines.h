/* The notes of a score for people and scripts, one a line. */
#ifndef SL_TOOLS_NOTE_LINES_H
#define SL_TOOLS_NOTE_LINES_H

#include "tools/symlog/evaluation.h"

#include <stdbool.h>

/* Prints each note of each track, in order of tracks, then time: track, beat, note, length, velocity; or an object
 * {track, beat, note, length, velocity, pitch, start_ticks, length_ticks}. The exit status of `symlog eval`. */
int sl_note_lines_print(const sl_evaluation_result *result, bool is_json);

/* Prints {"error": {message, line, column}} on standard output. The exit status: SL_EXIT_FOUND. */
int sl_note_lines_error(const sl_evaluation_result *result);

#endif
