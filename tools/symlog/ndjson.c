/* Reads NDJSON. */
#include "tools/symlog/ndjson.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool sl_ndjson_open(sl_ndjson *input, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    *input = (sl_ndjson){.file = is_stdin ? stdin : fopen(path, "re")};
    return input->file != NULL;
}

void sl_ndjson_close(sl_ndjson *input)
{
    if (input->file != NULL && input->file != stdin) fclose(input->file);
    free(input->line);
    *input = (sl_ndjson){0};
}

sl_err sl_ndjson_next(sl_ndjson *input, json_t **object, char reason[SL_NDJSON_REASON_BYTES])
{
    ssize_t length = 0;
    do {
        errno = 0;
        length = getline(&input->line, &input->capacity, input->file);
        if (length < 0) {
            if (feof(input->file)) return SL_ERR_END;
            snprintf(reason, SL_NDJSON_REASON_BYTES, "cannot be read: %s", strerror(errno));
            return SL_ERR_IO;
        }
        input->line_number++;
    } while (strspn(input->line, " \t\r\n") == (size_t)length);

    json_error_t error;
    *object = json_loadb(input->line, (size_t)length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (*object == NULL) {
        snprintf(reason, SL_NDJSON_REASON_BYTES, "no JSON at column %d: %.160s", error.column, error.text);
        return SL_ERR_MALFORMED;
    }
    if (!json_is_object(*object)) {
        snprintf(reason, SL_NDJSON_REASON_BYTES, "a JSON object is expected");
        json_decref(*object);
        return SL_ERR_MALFORMED;
    }
    return SL_OK;
}
