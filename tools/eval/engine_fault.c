/* What exceptions say, and where they come from. */
#include "tools/eval/engine.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* A value as text; NULL: it has none. */
static char *text_of(sl_engine *engine, JSValueRef value)
{
    JSStringRef string = value == NULL ? NULL : JSValueToStringCopy(engine->context, value, NULL);
    if (string == NULL) return NULL;
    char *text = sl_engine_text(string);
    JSStringRelease(string);
    return text;
}

static JSValueRef property(sl_engine *engine, JSValueRef object, const char *name)
{
    JSStringRef key = JSStringCreateWithUTF8CString(name);
    JSValueRef value = JSObjectGetProperty(engine->context, (JSObjectRef)object, key, NULL);
    JSStringRelease(key);
    return value == NULL || JSValueIsUndefined(engine->context, value) ? NULL : value;
}

static uint32_t number_property(sl_engine *engine, JSValueRef object, const char *name)
{
    JSValueRef value = property(engine, object, name);
    if (value == NULL || !JSValueIsNumber(engine->context, value)) return 0;
    double number = JSValueToNumber(engine->context, value, NULL);
    return number >= 1 && number < 1e9 ? (uint32_t)number : 0;
}

/* Reads "code:3:9" or "live0:1:2": the texts that people wrote. The prelude's own frames are passed over. */
static bool read_frame(const char *frame, sl_engine_fault *fault)
{
    char url[sizeof fault->url];
    unsigned line, column;
    if (sscanf(frame, "%31[a-z0-9]:%9u:%9u", url, &line, &column) != 3) return false; // NOLINT(cert-err34-c): bounded
    if (strcmp(url, "code") != 0 && strncmp(url, "live", 4) != 0) return false;
    (void)snprintf(fault->url, sizeof fault->url, "%s", url);
    fault->line = line;
    fault->column = column;
    return true;
}

static void locate(sl_engine *engine, JSValueRef exception, sl_engine_fault *fault)
{
    char *stack = text_of(engine, property(engine, exception, "stack"));
    bool is_found = false;
    for (const char *at = stack; at != NULL && !is_found; at = strchr(at, '@')) {
        if (at != stack || *at == '@') at++;
        is_found = read_frame(at, fault);
    }
    free(stack);
    if (is_found) return;
    char *url = text_of(engine, property(engine, exception, "sourceURL"));
    (void)snprintf(fault->url, sizeof fault->url, "%s", url == NULL ? "" : url);
    free(url);
    if (strcmp(fault->url, "prelude") == 0) return;
    fault->line = number_property(engine, exception, "line");
    fault->column = number_property(engine, exception, "column");
}

/* Cuts at a whole character. */
static void copy_message(const char *text, sl_engine_fault *fault)
{
    size_t length = strlen(text), most = SL_EVAL_MESSAGE_BYTES_MAX;
    if (length > most)
        for (length = most; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;) length--;
    memcpy(fault->message, text, length);
    fault->message[length] = '\0';
    for (size_t i = 0; i < length; i++)
        if (iscntrl((unsigned char)fault->message[i])) fault->message[i] = ' ';
}

void sl_engine_describe(sl_engine *engine, JSValueRef exception, sl_engine_fault *fault)
{
    *fault = (sl_engine_fault){.line = 0};
    bool is_object = exception != NULL && JSValueIsObject(engine->context, exception);
    char *message = is_object ? text_of(engine, property(engine, exception, "message")) : NULL;
    if (message == NULL || *message == '\0') {
        free(message);
        message = text_of(engine, exception);
    }
    copy_message(message == NULL || *message == '\0' ? "an error without words" : message, fault);
    free(message);
    if (is_object) locate(engine, exception, fault);
}

/* The first `length` bytes alone: why are they refused? "": they are not. */
static void refusal_of(sl_engine *engine, char *source, size_t length, sl_engine_fault *fault)
{
    char kept = source[length];
    source[length] = '\0';
    JSStringRef text = JSStringCreateWithUTF8CString(source);
    source[length] = kept;
    JSValueRef exception = NULL;
    bool is_fine = JSCheckScriptSyntax(engine->context, text, NULL, 1, &exception);
    JSStringRelease(text);
    *fault = (sl_engine_fault){.line = 0};
    if (!is_fine) sl_engine_describe(engine, exception, fault);
}

static bool wants_more(const char *message)
{
    return message[0] == '\0' || strncmp(message, "Unexpected EOF", 14) == 0 ||
           strncmp(message, "Unexpected end of script", 24) == 0;
}

static uint32_t units_of(const char *from, const char *to)
{
    uint32_t count = 0;
    for (; from < to; from++) {
        unsigned char byte = (unsigned char)*from;
        if ((byte & 0xc0) != 0x80) count += byte >= 0xf0 ? 2 : 1;
    }
    return count;
}

/* The engine names only the line. The text up to some character of that line is refused for its end alone; with that
 * character for what is wrong. */
uint32_t sl_engine_column(sl_engine *engine, const char *source, const sl_engine_fault *fault)
{
    const char *line = source;
    for (uint32_t i = 1; i < fault->line && line != NULL; i++) {
        line = strchr(line, '\n');
        if (line != NULL) line++;
    }
    if (fault->line == 0 || line == NULL) return 0;
    const char *end = line + strcspn(line, "\n");
    if (wants_more(fault->message)) return units_of(line, end) + 1;
    char *copy = strdup(source);
    if (copy == NULL) return 0;
    size_t low = (size_t)(line - source), high = (size_t)(end - source);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        sl_engine_fault part;
        refusal_of(engine, copy, middle, &part);
        if (wants_more(part.message))
            low = middle + 1;
        else
            high = middle;
    }
    free(copy);
    const char *wrong = source + (high > (size_t)(line - source) ? high - 1 : high);
    while (wrong > line && ((unsigned char)*wrong & 0xc0) == 0x80) wrong--;
    return units_of(line, wrong) + 1;
}
