/* The share language inside: patch_parse.c (tokens), patch_lane.c (lanes), and pieces of patch.c (writing). */
#ifndef SL_CORE_PATCH_INTERNAL_H
#define SL_CORE_PATCH_INTERNAL_H

#include "core/patch.h"

/* Reads on from `at`. After a failure, `at` is the first byte that does not fit. */
typedef struct sl_patch_cursor {
    const char *text;
    size_t at;
    size_t end;
    const char *expected; /* static */
} sl_patch_cursor;

/* False, with what would have been right at `at`. */
bool sl_patch_fail(sl_patch_cursor *cursor, size_t at, const char *expected);

/* True, and behind it, if `c` is next. */
bool sl_patch_skip(sl_patch_cursor *cursor, char c);

/* Reads a number from `min` to `max` (of any length); one with a sign, + or -, if `min` is negative. */
bool sl_patch_number(sl_patch_cursor *cursor, int32_t min, int32_t max, const char *expected, int32_t *out);

/* Reads a lane up to the end of the token. */
bool sl_patch_read_lane(sl_patch_cursor *cursor, sl_lane *out);

/* patch.c: what stands behind "end=", "tr" and "rmp"; nothing where there is no such token. */
void sl_patch_write_end(const sl_patch *patch, sl_writer *out);
void sl_patch_write_trainer(const sl_patch *patch, sl_writer *out);
void sl_patch_write_ramp(const sl_patch *patch, sl_writer *out);

#endif
