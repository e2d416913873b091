/* The host object: the prelude's one way out. It writes the score, keeps what is printed, and evaluates strings. What
 * it is given is checked as if the prelude could be wrong. */
#include "tools/eval/engine.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEP_NUMBERS = 8 }; /* of a step on the prelude's tape */

typedef JSValueRef callback(JSContextRef context, JSObjectRef function, JSObjectRef host, size_t count,
                            const JSValueRef arguments[], JSValueRef *exception);
static callback begin, track, effect, clip, end_track, print, evaluate;

static const JSStaticFunction functions[] = {
    {"begin", begin, kJSPropertyAttributeReadOnly},        {"track", track, kJSPropertyAttributeReadOnly},
    {"effect", effect, kJSPropertyAttributeReadOnly},      {"clip", clip, kJSPropertyAttributeReadOnly},
    {"endTrack", end_track, kJSPropertyAttributeReadOnly}, {"print", print, kJSPropertyAttributeReadOnly},
    {"evaluate", evaluate, kJSPropertyAttributeReadOnly},  {NULL, NULL, 0},
};

JSObjectRef sl_engine_host(sl_engine *engine)
{
    JSClassDefinition definition = kJSClassDefinitionEmpty;
    definition.className = "Host";
    definition.staticFunctions = functions;
    JSClassRef class = JSClassCreate(&definition);
    JSObjectRef host = JSObjectMake(engine->context, class, engine);
    JSClassRelease(class);
    return host;
}

static void refuse(sl_engine *engine, const char *why)
{
    if (engine->refusal == NULL) engine->refusal = why;
}

static double number_at(JSContextRef context, size_t count, const JSValueRef arguments[], size_t i)
{
    return i < count && JSValueIsNumber(context, arguments[i]) ? JSValueToNumber(context, arguments[i], NULL) : 0;
}

/* A whole number from 0 to `most`, or 0 where it is none. */
static uint32_t whole(double number, uint32_t most)
{
    return number >= 0 && number <= (double)most ? (uint32_t)number : 0;
}

/* The caller frees it; never NULL but for want of memory. */
static char *text_at(JSContextRef context, size_t count, const JSValueRef arguments[], size_t i)
{
    JSStringRef string = i < count ? JSValueToStringCopy(context, arguments[i], NULL) : NULL;
    if (string == NULL) return calloc(1, 1);
    char *text = sl_engine_text(string);
    JSStringRelease(string);
    return text;
}

static JSValueRef begin(JSContextRef context, JSObjectRef function, JSObjectRef host, size_t count,
                        const JSValueRef arguments[], JSValueRef *exception)
{
    (void)function;
    (void)exception;
    sl_engine *engine = JSObjectGetPrivate(host);
    double bpm = number_at(context, count, arguments, 1), quantize = number_at(context, count, arguments, 4);
    sl_score_head head = {
        .code_seq = engine->code_seq,
        .quantize = engine->quantize,
        .replaces = count > 0 && JSValueToBoolean(context, arguments[0]),
        .has_tempo = bpm > 0,
        .bpm = bpm,
        .numerator = (uint8_t)whole(number_at(context, count, arguments, 2), 64),
        .denominator = (uint8_t)whole(number_at(context, count, arguments, 3), 32),
        .buffer = engine->buffer,
        .buffer_length = engine->buffer_length,
    };
    head.has_signature = head.numerator > 0;
    if (quantize >= 0 && engine->quantize == SL_QUANTIZE_DEFAULT) head.quantize = (uint8_t)whole(quantize, 2);
    sl_score_begin(&engine->score, &engine->out, &head);
    return JSValueMakeUndefined(context);
}

static JSValueRef track(JSContextRef context, JSObjectRef function, JSObjectRef host, size_t count,
                        const JSValueRef arguments[], JSValueRef *exception)
{
    (void)function;
    (void)exception;
    sl_engine *engine = JSObjectGetPrivate(host);
    char *name = text_at(context, count, arguments, 0), *instrument = text_at(context, count, arguments, 2);
    char *params = text_at(context, count, arguments, 3);
    if (name == NULL || instrument == NULL || params == NULL)
        engine->out.bad = true;
    else if (strlen(name) > SL_SCORE_NAME_BYTES_MAX || strlen(instrument) > SL_SCORE_NAME_BYTES_MAX)
        refuse(engine, "a name of a track or instrument is longer than 255 bytes");
    else if (strlen(params) > SL_SCORE_PARAMS_BYTES_MAX)
        refuse(engine, "the parameters of an instrument are longer than 64 KiB");
    else
        sl_score_begin_track(&engine->score,
                             &(sl_score_track){.name = name,
                                               .name_length = strlen(name),
                                               .channel = (uint8_t)whole(number_at(context, count, arguments, 1), 16),
                                               .instrument = instrument,
                                               .instrument_length = strlen(instrument),
                                               .params = params,
                                               .params_length = strlen(params)});
    free(params);
    free(instrument);
    free(name);
    return JSValueMakeUndefined(context);
}

static JSValueRef effect(JSContextRef context, JSObjectRef function, JSObjectRef host, size_t count,
                         const JSValueRef arguments[], JSValueRef *exception)
{
    (void)function;
    (void)exception;
    sl_engine *engine = JSObjectGetPrivate(host);
    char *name = text_at(context, count, arguments, 0), *params = text_at(context, count, arguments, 1);
    if (name == NULL || params == NULL)
        engine->out.bad = true;
    else if (strlen(name) > SL_SCORE_NAME_BYTES_MAX || strlen(params) > SL_SCORE_PARAMS_BYTES_MAX)
        refuse(engine, "the name of an effect is longer than 255 bytes, or its parameters than 64 KiB");
    else if (engine->refusal == NULL)
        sl_score_put_effect(&engine->score, name, strlen(name), params, strlen(params));
    free(params);
    free(name);
    return JSValueMakeUndefined(context);
}

/* Numbers in the order of the operands in core/score.h. */
static sl_score_step step_of(const double numbers[STEP_NUMBERS])
{
    const double *n = numbers + 1;
    sl_score_step step = {.op = (uint8_t)whole(numbers[0], SL_SCORE_OP_COUNT - 1)};
    switch ((sl_score_op)step.op) {
    case SL_SCORE_NOTE:
        step.pitch = (uint8_t)whole(n[0], 127);
        step.duration = whole(n[1], UINT32_MAX);
        step.velocity = (uint16_t)whole(n[2], SL_SCORE_ONE);
        step.style = (uint8_t)whole(n[3], UINT8_MAX);
        break;
    case SL_SCORE_REST: step.duration = whole(n[0], UINT32_MAX); break;
    case SL_SCORE_LOOP: step.count = whole(n[0], UINT32_MAX); break;
    case SL_SCORE_TRANSPOSE:
        step.semitones = (int8_t)(n[0] < 0 ? -(int)whole(-n[0], 127) : (int)whole(n[0], 127));
        break;
    case SL_SCORE_TEMPO:
        step.bpm = n[0];
        step.duration = whole(n[1], UINT32_MAX);
        step.curve = (uint8_t)whole(n[2], SL_CURVE_COUNT - 1);
        break;
    case SL_SCORE_SIGNATURE:
        step.numerator = (uint8_t)whole(n[0], UINT8_MAX);
        step.denominator = (uint8_t)whole(n[1], UINT8_MAX);
        break;
    case SL_SCORE_DYNAMICS:
        step.from = (uint16_t)whole(n[0], UINT16_MAX);
        step.to = (uint16_t)whole(n[1], UINT16_MAX);
        step.duration = whole(n[2], UINT32_MAX);
        break;
    case SL_SCORE_SWING: step.amount = (uint16_t)whole(n[0], UINT16_MAX); break;
    case SL_SCORE_QUANTIZE:
        step.duration = whole(n[0], UINT32_MAX);
        step.amount = (uint16_t)whole(n[1], UINT16_MAX);
        break;
    case SL_SCORE_EUCLID:
        step.hits = whole(n[0], UINT32_MAX);
        step.steps = whole(n[1], UINT32_MAX);
        step.rotation = whole(n[2], UINT32_MAX);
        step.count = whole(n[3], UINT32_MAX);
        step.pitch = (uint8_t)whole(n[4], 127);
        step.velocity = (uint16_t)whole(n[5], SL_SCORE_ONE);
        step.duration = whole(n[6], UINT32_MAX);
        break;
    case SL_SCORE_END:
    case SL_SCORE_STACK:
    case SL_SCORE_OP_COUNT: break;
    }
    return step;
}

/* clip(name, tape or null, how many of its steps) */
static JSValueRef clip(JSContextRef context, JSObjectRef function, JSObjectRef host, size_t count,
                       const JSValueRef arguments[], JSValueRef *exception)
{
    (void)function;
    (void)exception;
    sl_engine *engine = JSObjectGetPrivate(host);
    char *name = text_at(context, count, arguments, 0);
    size_t steps = whole(number_at(context, count, arguments, 2), 1 << 24), size = 0;
    const double *numbers = NULL;
    if (count > 1 && JSValueIsObject(context, arguments[1]) &&
        JSValueGetTypedArrayType(context, arguments[1], NULL) == kJSTypedArrayTypeFloat64Array) {
        numbers = JSObjectGetTypedArrayBytesPtr(context, (JSObjectRef)arguments[1], NULL);
        size = JSObjectGetTypedArrayByteLength(context, (JSObjectRef)arguments[1], NULL);
    }
    if (numbers == NULL) size = 0;
    if (steps > size / (STEP_NUMBERS * sizeof(double))) steps = size / (STEP_NUMBERS * sizeof(double));
    if (name == NULL || strlen(name) > SL_SCORE_NAME_BYTES_MAX) {
        refuse(engine, "the name of a clip is longer than 255 bytes");
    } else if (engine->refusal == NULL) {
        sl_score_begin_clip(&engine->score, name, strlen(name));
        for (size_t i = 0; i < steps; i++) {
            const sl_score_step step = step_of(numbers + i * STEP_NUMBERS);
            sl_score_put_step(&engine->score, &step);
        }
        sl_score_end_clip(&engine->score);
    }
    free(name);
    return JSValueMakeUndefined(context);
}

static JSValueRef end_track(JSContextRef context, JSObjectRef function, JSObjectRef host, size_t count,
                            const JSValueRef arguments[], JSValueRef *exception)
{
    (void)function;
    (void)count;
    (void)arguments;
    (void)exception;
    sl_engine *engine = JSObjectGetPrivate(host);
    if (engine->refusal == NULL) sl_score_end_track(&engine->score);
    return JSValueMakeUndefined(context);
}

/* What does not fit any more is left out, a line at a time. */
static JSValueRef print(JSContextRef context, JSObjectRef function, JSObjectRef host, size_t count,
                        const JSValueRef arguments[], JSValueRef *exception)
{
    (void)function;
    (void)exception;
    sl_engine *engine = JSObjectGetPrivate(host);
    char *text = text_at(context, count, arguments, 0);
    sl_writer *out = &engine->printed;
    if (text != NULL && strlen(text) < out->capacity - out->length) {
        sl_write_bytes(out, text, strlen(text));
        sl_write_le(out, '\n', 1);
    }
    free(text);
    return JSValueMakeUndefined(context);
}

static JSValueRef throw_error(JSContextRef context, const char *text, JSValueRef *exception)
{
    JSStringRef string = JSStringCreateWithUTF8CString(text);
    JSValueRef message = JSValueMakeString(context, string);
    JSStringRelease(string);
    *exception = JSObjectMakeError(context, 1, &message, NULL);
    return JSValueMakeUndefined(context);
}

/* evaluate(text): in a function of its own. */
static JSValueRef evaluate(JSContextRef context, JSObjectRef function, JSObjectRef host, size_t count,
                           const JSValueRef arguments[], JSValueRef *exception)
{
    (void)function;
    sl_engine *engine = JSObjectGetPrivate(host);
    if (engine->string_count == SL_ENGINE_STRINGS_MAX)
        return throw_error(context, "live.eval: more than 64 texts in one evaluation", exception);
    char *text = text_at(context, count, arguments, 0);
    sl_script script;
    if (text == NULL || !sl_script_open(&script, &text, 1)) {
        free(text);
        return throw_error(context, "live.eval: out of memory", exception);
    }
    char url[16];
    (void)snprintf(url, sizeof url, "live%u", (unsigned)engine->string_count);
    engine->strings[engine->string_count++] = text;
    JSStringRef source = JSStringCreateWithUTF8CString(script.text), name = JSStringCreateWithUTF8CString(url);
    sl_script_close(&script);
    JSValueRef made = JSEvaluateScript(context, source, NULL, name, 1, exception);
    JSStringRelease(name);
    JSStringRelease(source);
    if (*exception == NULL && JSValueIsObject(context, made))
        (void)JSObjectCallAsFunction(context, (JSObjectRef)made, NULL, 0, NULL, exception);
    return JSValueMakeUndefined(context);
}
