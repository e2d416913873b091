/* The two ways in which a command fails. */
#include "tools/symlog/command.h"

#include <stdarg.h>
#include <stdio.h>

int sl_usage_error(const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "symlog %s: ", name);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "; see symlog %s --help\n", name);
    va_end(arguments);
    return SL_EXIT_USAGE;
}

int sl_failure(const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "symlog %s: ", name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return SL_EXIT_FOUND;
}
