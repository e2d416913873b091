/* Error names. */
#include "core/err.h"

const char *sl_err_text(sl_err err)
{
    switch (err) {
    case SL_OK: return "ok";
    case SL_ERR_MEMORY: return "out of memory";
    case SL_ERR_MALFORMED: return "malformed";
    case SL_ERR_RANGE: return "out of range";
    case SL_ERR_END: return "nothing more";
    case SL_ERR_NOT_FOUND: return "not found";
    case SL_ERR_FULL: return "full";
    case SL_ERR_BUSY: return "in use";
    case SL_ERR_IO: return "input/output error";
    case SL_ERR_CORRUPT: return "checksum mismatch";
    case SL_ERR_GAP: return "sequence not contiguous";
    case SL_ERR_VERSION: return "unknown version";
    case SL_ERR_REFUSED: return "refused";
    }
    return "unknown error";
}
