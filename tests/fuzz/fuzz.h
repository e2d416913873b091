/* What the fuzz targets share. */
#ifndef SL_TESTS_FUZZ_H
#define SL_TESTS_FUZZ_H

#include "core/digest.h"
#include "tools/symlog/host.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process, which is a finding, unless it `holds`. Each call stays one of its own, for the trace's sake. */
__attribute__((noinline, nomerge)) static void require(bool holds)
{
    if (!holds) abort();
}

/* The text is one whole JSON value. (As real numbers, since JSON's whole ones may be above 2^63 and jansson's not.) */
static inline void require_json(const char *bytes, size_t length)
{
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
    json_t *value = json_loadb(bytes, length, flags, NULL);
    require(value != NULL);
    json_decref(value);
}

static inline sl_digest state_digest(sl_state *state)
{
    sl_digest digest;
    sl_state_digests(state, NULL, &digest);
    return digest;
}

#endif
