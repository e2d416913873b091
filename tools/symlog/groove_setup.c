/* What serve's command line says of the groove box. */
#include "tools/symlog/groove_setup.h"

#include "ingest/setlists.h"
#include "tools/symlog/command.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_cable(sl_groove_setup *setup, sl_groove_cable cable, const char *command);

int sl_groove_setup_check(sl_groove_setup *setup, const char *command)
{
    if (setup->is_authority && setup->is_listening)
        return sl_usage_error(command,
                              "--groove-authority tells what --groove-listen keeps to itself; use one of them");
    const sl_operands *const both[] = {&setup->paths, &setup->names};
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < both[i]->count; k++) {
            const sl_groove_cable cable = {.target = both[i]->words[k], .is_named = both[i] == &setup->names};
            const int status = add_cable(setup, cable, command);
            if (status != SL_EXIT_OK) return status;
        }
    }
    return SL_EXIT_OK;
}

static int add_cable(sl_groove_setup *setup, sl_groove_cable cable, const char *command)
{
    const char *option = cable.is_named ? "--midi-port" : "--midi";
    const size_t length = strlen(cable.target);
    if (length == 0 || length > SL_GROOVE_TARGET_BYTES_MAX)
        return sl_usage_error(command, "%s wants 1 to %d bytes", option, SL_GROOVE_TARGET_BYTES_MAX);
    for (size_t i = 0; i < setup->cable_count; i++) {
        const sl_groove_cable *other = &setup->cables[i];
        if (other->is_named == cable.is_named && strcmp(other->target, cable.target) == 0)
            return sl_usage_error(command, "%s names %s twice", option, cable.target);
    }
    assert(setup->cable_count < SL_GROOVE_CABLES_MAX);
    setup->cables[setup->cable_count++] = cable;
    return SL_EXIT_OK;
}

sl_err sl_groove_setup_put_lists(const sl_groove_setup *setup, const sl_state *state, sl_sink sink, uint64_t time_ns,
                                 char errmsg[256])
{
    uint8_t *payload = NULL;
    size_t length = 0;
    char reason[SL_SETLISTS_REASON_BYTES];
    if (setup->setlists == NULL) return SL_OK;
    sl_err err = sl_setlists_read(setup->setlists, &payload, &length, reason);
    if (err != SL_OK) {
        snprintf(errmsg, 256, "--setlists %.60s: %.180s", setup->setlists, reason);
        return err;
    }
    const sl_groove *groove = sl_state_groove(state);
    const bool is_known = groove != NULL && groove->setlists != NULL && groove->setlists_length == length &&
                          memcmp(groove->setlists, payload, length) == 0;
    const sl_event draft = {
        .kind = SL_KIND_SETLISTS,
        .version = SL_PAYLOAD_VERSION,
        .source = SL_SOURCE_SELF,
        .source_seq = SL_SOURCE_SEQ_NONE,
        .time_ns = time_ns,
        .payload = payload,
        .length = (uint32_t)length,
    };
    if (!is_known) err = sink.put(sink.ctx, &draft);
    free(payload);
    if (err != SL_OK) snprintf(errmsg, 256, "--setlists %.60s: %s", setup->setlists, sl_err_text(err));
    return err;
}
