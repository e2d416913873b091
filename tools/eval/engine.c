/* Contexts, calls, and the prelude. */
#include "tools/eval/engine.h"

#include "tools/eval/prelude.h"

#include <stdio.h>
#include <stdlib.h>

static JSObjectRef method(JSContextRef context, JSValueRef object, const char *name)
{
    JSStringRef key = JSStringCreateWithUTF8CString(name);
    JSValueRef value = JSObjectGetProperty(context, (JSObjectRef)object, key, NULL);
    JSStringRelease(key);
    return value != NULL && JSValueIsObject(context, value) ? (JSObjectRef)value : NULL;
}

static JSValueRef evaluate(JSContextRef context, const char *text, const char *url, JSValueRef *exception)
{
    JSStringRef source = JSStringCreateWithUTF8CString(text), name = JSStringCreateWithUTF8CString(url);
    JSValueRef value = JSEvaluateScript(context, source, NULL, name, 1, exception);
    JSStringRelease(name);
    JSStringRelease(source);
    return value;
}

static bool load_prelude(sl_engine *engine)
{
    JSGlobalContextRef context = engine->context;
    JSValueRef host = sl_engine_host(engine);
    JSValueRef prelude = evaluate(context, sl_prelude_text, "prelude", NULL);
    if (host == NULL || prelude == NULL || !JSValueIsObject(context, prelude)) return false;
    JSValueRef methods = JSObjectCallAsFunction(context, (JSObjectRef)prelude, NULL, 1, &host, NULL);
    if (methods == NULL || !JSValueIsObject(context, methods)) return false;
    engine->begin = method(context, methods, "begin");
    engine->finish = method(context, methods, "finish");
    engine->names = method(context, methods, "names");
    if (engine->begin == NULL || engine->finish == NULL || engine->names == NULL) return false;
    JSValueProtect(context, engine->begin);
    JSValueProtect(context, engine->finish);
    JSValueProtect(context, engine->names);
    return true;
}

bool sl_engine_create(sl_engine *engine, sl_writer score, sl_writer printed)
{
    *engine = (sl_engine){.out = score, .printed = printed, .buffer = ""};
    /* An edit is run once: compiling it costs more than it gains, and memory need not be executable. The C library's
     * heap starts sooner than the engine's own. */
    static const char *const options[][2] = {
        {"JSC_useJIT", "0"}, {"JSC_useWasm", "0"}, {"JSC_useConcurrentGC", "0"}, {"Malloc", "1"}};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (setenv(options[i][0], options[i][1], 1) != 0) return false;
    engine->group = JSContextGroupCreate();
    return sl_engine_renew(engine);
}

bool sl_engine_renew(sl_engine *engine)
{
    engine->context = JSGlobalContextCreateInGroup(engine->group, NULL);
    engine->printed.length = 0;
    for (; engine->string_count > 0; engine->string_count--) free(engine->strings[engine->string_count - 1]);
    return engine->context != NULL && load_prelude(engine);
}

/* The source as a module gives a script, or an object that says what is wrong. */
static char *make_script(sl_engine *engine, const char *source, JSValueRef *exception)
{
    JSContextRef context = engine->context;
    JSValueRef modules = evaluate(context, sl_modules_text, "prelude", exception), names = engine->names;
    if (modules == NULL) return NULL;
    JSValueRef script_of = JSObjectCallAsFunction(context, (JSObjectRef)modules, NULL, 1, &names, exception);
    if (script_of == NULL) return NULL;
    JSStringRef text = JSStringCreateWithUTF8CString(source);
    JSValueRef argument = JSValueMakeString(context, text);
    JSStringRelease(text);
    JSValueRef value = JSObjectCallAsFunction(context, (JSObjectRef)script_of, NULL, 1, &argument, exception);
    if (value == NULL) return NULL;
    JSStringRef made = JSValueToStringCopy(context, value, NULL);
    char *script = made != NULL ? sl_engine_text(made) : NULL;
    if (made != NULL) JSStringRelease(made);
    return script;
}

static bool check(sl_engine *engine, const char *source, sl_engine_fault *fault)
{
    JSValueRef exception = NULL;
    JSStringRef text = JSStringCreateWithUTF8CString(source);
    bool is_fine = JSCheckScriptSyntax(engine->context, text, NULL, 1, &exception);
    JSStringRelease(text);
    if (is_fine) return true;
    sl_engine_describe(engine, exception, fault);
    fault->column = sl_engine_column(engine, source, fault);
    return false;
}

bool sl_engine_check(sl_engine *engine, char *source, char **script, sl_engine_fault *fault)
{
    *script = source;
    if (check(engine, source, fault)) return true;
    JSValueRef exception = NULL;
    char *made = make_script(engine, source, &exception);
    if (exception != NULL) {
        sl_engine_describe(engine, exception, fault);
        return false;
    }
    if (made == NULL || strcmp(made, source) == 0) {
        free(made);
        return false;
    }
    *script = made;
    return check(engine, made, fault);
}

bool sl_engine_load(sl_engine *engine, const char *script, const char *url, JSObjectRef *function,
                    sl_engine_fault *fault)
{
    JSValueRef exception = NULL;
    JSValueRef value = evaluate(engine->context, script, url, &exception);
    bool is_function = exception == NULL && JSValueIsObject(engine->context, value);
    if (is_function) *function = (JSObjectRef)value;
    if (!is_function) sl_engine_describe(engine, exception, fault);
    return is_function;
}

bool sl_engine_call(sl_engine *engine, JSObjectRef function, uint32_t seed, JSObjectRef *next, sl_engine_fault *fault)
{
    JSGlobalContextRef context = engine->context;
    JSValueRef exception = NULL, argument = JSValueMakeNumber(context, seed);
    *next = NULL;
    JSObjectCallAsFunction(context, engine->begin, NULL, 1, &argument, &exception);
    JSValueRef value = NULL;
    if (exception == NULL) value = JSObjectCallAsFunction(context, function, NULL, 0, NULL, &exception);
    if (exception != NULL) {
        sl_engine_describe(engine, exception, fault);
        return false;
    }
    if (JSValueIsObject(context, value)) *next = (JSObjectRef)value;
    return true;
}

bool sl_engine_finish(sl_engine *engine, sl_engine_fault *fault)
{
    JSValueRef exception = NULL;
    engine->out.length = 0;
    engine->out.bad = false;
    engine->refusal = NULL;
    JSObjectCallAsFunction(engine->context, engine->finish, NULL, 0, NULL, &exception);
    if (exception == NULL) sl_score_end(&engine->score);
    if (exception == NULL && engine->out.bad) engine->refusal = "more than 16 MiB of music";
    if (exception == NULL && engine->refusal == NULL) return true;
    *fault = (sl_engine_fault){.line = 0};
    if (exception != NULL)
        sl_engine_describe(engine, exception, fault);
    else
        (void)snprintf(fault->message, sizeof fault->message, "%s", engine->refusal);
    return false;
}

char *sl_engine_text(JSStringRef string)
{
    size_t size = JSStringGetMaximumUTF8CStringSize(string);
    char *text = malloc(size);
    if (text != NULL && JSStringGetUTF8CString(string, text, size) == 0) text[0] = '\0';
    return text;
}
