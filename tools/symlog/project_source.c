#include "tools/symlog/project_source.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The last part of a path, without a slash at its end. */
static const char *last_part(const char *path, size_t *length)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/') begin--;
    *length = end - begin;
    return path + begin;
}

void sl_project_source_find(sl_project_source *source, const sl_state *state, uint32_t next, const char *path)
{
    size_t length;
    const char *part = last_part(path, &length);
    *source = (sl_project_source){.number = next, .session = 1, .is_new = true};
    snprintf(source->name, sizeof source->name, "project:%.*s", (int)length, part);
    const sl_source *known = NULL;
    for (size_t i = 0; (known = sl_state_source_at(state, i)) != NULL; i++) {
        if (known->input != SL_INPUT_PROJECT || strcmp(known->name, source->name) != 0) continue;
        source->number = known->number;
        source->session = known->session + 1;
        source->is_new = false;
    }
}

sl_event sl_project_source_event(sl_project_source *source, uint64_t time_ns)
{
    sl_writer writer = {.bytes = source->payload, .capacity = sizeof source->payload};
    sl_session session = {.input = SL_INPUT_PROJECT, .name = source->name, .name_length = strlen(source->name)};
    sl_err err = sl_session_encode(&session, &writer);
    assert(err == SL_OK);
    (void)err;
    return (sl_event){.kind = SL_KIND_SESSION,
                      .version = SL_SESSION_VERSION,
                      .source = source->number,
                      .session = source->session,
                      .source_seq = SL_SOURCE_SEQ_NONE,
                      .time_ns = time_ns,
                      .payload = source->payload,
                      .length = (uint32_t)writer.length};
}
