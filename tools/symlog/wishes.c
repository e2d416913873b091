/* Reading what a subscriber asks for. */
#include "tools/symlog/wishes.h"

#include "tools/symlog/options.h"

#include <string.h>

static bool read_flag(const char *value, bool *out);

const char *sl_wishes_read(sl_wishes *out, sl_wishes_find find, void *ctx)
{
    *out = (sl_wishes){0};
    uint64_t number = 0;
    const char *value = find(ctx, "from");
    out->has_from = value != NULL;
    if (value != NULL && !sl_option_number(value, 0, UINT64_MAX - 1, &out->from))
        return "from wants the number of an event, such as from=4000";
    value = find(ctx, "log");
    if (value != NULL && strlen(value) != SL_LOG_ID_HEX) return "log wants the id that FULL_AST tells, 32 hex digits";
    if (value != NULL) memcpy(out->log_id, value, sizeof out->log_id);
    if (!read_flag(find(ctx, "batch"), &out->is_batch)) return "batch wants 0 or 1";
    if (!read_flag(find(ctx, "compact"), &out->is_compact)) return "compact wants 0 or 1";
    value = find(ctx, "throttle");
    if (value != NULL && !sl_option_number(value, 0, SL_WISHES_THROTTLE_MS_MAX, &number))
        return "throttle wants milliseconds, 0 to 60000";
    out->throttle_ms = (uint32_t)number;
    value = find(ctx, "paths");
    if (value != NULL && !sl_paths_parse(&out->paths, value, strlen(value)))
        return "paths wants up to 16 paths such as tracks[0],scenes";
    return NULL;
}

/* A value that is not there is no wish. */
static bool read_flag(const char *value, bool *out)
{
    *out = value != NULL && strcmp(value, "1") == 0;
    return value == NULL || *out || strcmp(value, "0") == 0;
}
