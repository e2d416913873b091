/* The compiler: SYMLOG_CC, PATH, the project's own zig. */
#include "tools/symlog/processor_compiler.h"

#include "tools/symlog/host.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_program(const char *path)
{
    struct stat about;
    return path[0] == '/' && stat(path, &about) == 0 && S_ISREG(about.st_mode) && access(path, X_OK) == 0;
}

/* By its path if there is a '/' in the name, else in the folders of PATH; those that depend on where symlog was started
 * do not count. */
static bool find_program(const char *name, size_t length, char *path, size_t size)
{
    if (memchr(name, '/', length) != NULL) {
        char given[4096], absolute[PATH_MAX];
        if ((size_t)snprintf(given, sizeof given, "%.*s", (int)length, name) >= sizeof given) return false;
        if (realpath(given, absolute) == NULL) return false;
        /* A link stays what it is called: what ccache or clang do depends on that. */
        const char *found = given[0] == '/' ? given : absolute;
        return (size_t)snprintf(path, size, "%s", found) < size && is_program(path);
    }
    const char *folders = getenv("PATH");
    for (const char *at = folders == NULL ? "" : folders; *at != '\0';) {
        const size_t folder = strcspn(at, ":");
        const int needed = snprintf(path, size, "%.*s/%.*s", (int)folder, at, (int)length, name);
        if (folder > 0 && needed > 0 && (size_t)needed < size && is_program(path)) return true;
        at += folder + (at[folder] == ':');
    }
    return false;
}

/* The words of `command`, the first one found. */
static bool take_command(sl_processor_compiler *out, const char *command)
{
    const size_t first = strcspn(command, " ");
    if (!find_program(command, first, out->text, sizeof out->text)) return false;
    const size_t used = strlen(out->text) + 1;
    char *rest = out->text + used;
    if ((size_t)snprintf(rest, sizeof out->text - used, "%s", command + first) >= sizeof out->text - used) return false;
    out->words[0] = out->text;
    out->word_count = 1;
    for (;;) {
        rest += strspn(rest, " ");
        if (*rest == '\0') return true;
        if (out->word_count == SL_PROCESSOR_COMPILER_WORDS_MAX) return false;
        out->words[out->word_count++] = rest;
        rest += strcspn(rest, " ");
        if (*rest != '\0') *rest++ = '\0';
    }
}

/* Where tools/setup puts it; the program stands in zig-out/bin, or one deeper. Not one that somebody else owns: nobody
 * chose this place. */
static bool take_own_zig(sl_processor_compiler *out)
{
    static const char *const places[] = {
        "../../.tools/venv/bin/zig",
        "../../.tools/npm/node_modules/.bin/zig",
        "../../../.tools/venv/bin/zig",
        "../../../.tools/npm/node_modules/.bin/zig",
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct stat about;
        if (!sl_host_beside(places[i], out->text, sizeof out->text) || !is_program(out->text)) continue;
        if (stat(out->text, &about) != 0 || (about.st_uid != 0 && about.st_uid != geteuid())) continue;
        out->words[0] = out->text;
        out->words[1] = "cc";
        out->word_count = 2;
        return true;
    }
    return false;
}

sl_err sl_processor_compiler_find(sl_processor_compiler *out, char *message, size_t message_size)
{
    static const char *const usual[] = {"cc", "clang", "gcc", "zig cc"};
    out->word_count = 0;
    const char *chosen = getenv("SYMLOG_CC");
    if (chosen != NULL && chosen[strspn(chosen, " ")] != '\0') {
        if (take_command(out, chosen + strspn(chosen, " "))) return SL_OK;
        (void)snprintf(message, message_size, "SYMLOG_CC is \"%.200s\", and there is no such program", chosen);
        return SL_ERR_NOT_FOUND;
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (take_command(out, usual[i])) return SL_OK;
    if (take_own_zig(out)) return SL_OK;
    (void)snprintf(message, message_size, "no C compiler was found: install gcc or clang, or set SYMLOG_CC");
    return SL_ERR_NOT_FOUND;
}
