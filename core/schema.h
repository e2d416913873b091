/*
 * Which node types there are, what attributes they have, and which children may stand below which: the tables of the
 * tree. Numbers are part of pictures and digests: appended, never reused.
 */
#ifndef SL_CORE_SCHEMA_H
#define SL_CORE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum sl_node_type {
    SL_NODE_PROJECT = 0,
    SL_NODE_TRACK,
    SL_NODE_DEVICE,
    SL_NODE_PARAMETER,
    SL_NODE_CLIP_SLOT,
    SL_NODE_CLIP,
    SL_NODE_MIXER,
    SL_NODE_SCENE,
    SL_NODE_FILE_REF,
    SL_NODE_AUTOMATION,
    SL_NODE_GROOVE,
    SL_NODE_LANE,
    SL_NODE_STEP,
    SL_NODE_CHAIN,            /* of a rack: devices in a row */
    SL_NODE_ARRANGEMENT_CLIP, /* a clip on the time line, in no slot */
    SL_NODE_LOCATOR,
    SL_NODE_SESSION, /* of live code */
    SL_NODE_CODE_TRACK,
    SL_NODE_CODE_CLIP,
    SL_NODE_TYPE_COUNT
} sl_node_type;

typedef enum sl_attribute {
    SL_ATTRIBUTE_NAME = 0,
    SL_ATTRIBUTE_INDEX,       /* where a track or scene stands: never stored */
    SL_ATTRIBUTE_TRACK_INDEX, /* where a clip_slot stands: never stored */
    SL_ATTRIBUTE_SCENE_INDEX, /* likewise */
    SL_ATTRIBUTE_VERSION,
    SL_ATTRIBUTE_CREATOR,
    SL_ATTRIBUTE_TEMPO,
    SL_ATTRIBUTE_TIME_SIGNATURE,
    SL_ATTRIBUTE_IS_PLAYING,
    SL_ATTRIBUTE_POSITION,
    SL_ATTRIBUTE_IS_STALE,
    SL_ATTRIBUTE_STALE_REASON,
    SL_ATTRIBUTE_COLOR,
    SL_ATTRIBUTE_TYPE,
    SL_ATTRIBUTE_IS_MUTED,
    SL_ATTRIBUTE_IS_SOLOED,
    SL_ATTRIBUTE_IS_ARMED,
    SL_ATTRIBUTE_IS_FROZEN,
    SL_ATTRIBUTE_VOLUME,
    SL_ATTRIBUTE_PAN,
    SL_ATTRIBUTE_DEVICE_TYPE,
    SL_ATTRIBUTE_IS_ENABLED,
    SL_ATTRIBUTE_PLUGIN_INFO,
    SL_ATTRIBUTE_VALUE,
    SL_ATTRIBUTE_MIN,
    SL_ATTRIBUTE_MAX,
    SL_ATTRIBUTE_IS_AUTOMATED,
    SL_ATTRIBUTE_HAS_CLIP,
    SL_ATTRIBUTE_HAS_STOP_BUTTON,
    SL_ATTRIBUTE_PLAYING_STATUS,
    SL_ATTRIBUTE_IS_TRIGGERED,
    SL_ATTRIBUTE_CLIP_TYPE,
    SL_ATTRIBUTE_START_TIME,
    SL_ATTRIBUTE_END_TIME,
    SL_ATTRIBUTE_LOOP_START,
    SL_ATTRIBUTE_LOOP_END,
    SL_ATTRIBUTE_IS_LOOPED,
    SL_ATTRIBUTE_VIEW,
    SL_ATTRIBUTE_NOTE_COUNT,
    SL_ATTRIBUTE_SAMPLE_NAME,
    SL_ATTRIBUTE_IS_WARPED,
    SL_ATTRIBUTE_WARP_MODE,
    SL_ATTRIBUTE_CROSSFADER,
    SL_ATTRIBUTE_SENDS,
    SL_ATTRIBUTE_IS_TEMPO_ENABLED,
    SL_ATTRIBUTE_TIME_SIGNATURE_ID,
    SL_ATTRIBUTE_IS_TIME_SIGNATURE_ENABLED,
    SL_ATTRIBUTE_ANNOTATION,
    SL_ATTRIBUTE_PATH,
    SL_ATTRIBUTE_HASH,
    SL_ATTRIBUTE_REF_TYPE,
    SL_ATTRIBUTE_TARGET,
    SL_ATTRIBUTE_POINT_COUNT,
    SL_ATTRIBUTE_BPM,
    SL_ATTRIBUTE_RUNNING,
    SL_ATTRIBUTE_SET_LIST,
    SL_ATTRIBUTE_ITEM,
    SL_ATTRIBUTE_PATCH,
    SL_ATTRIBUTE_DEVICE_ID,
    SL_ATTRIBUTE_SOUND,
    SL_ATTRIBUTE_GROUPS,
    SL_ATTRIBUTE_SUB,
    SL_ATTRIBUTE_SWING,
    SL_ATTRIBUTE_GAIN,
    SL_ATTRIBUTE_POLY,
    SL_ATTRIBUTE_ENABLED,
    SL_ATTRIBUTE_LEVEL,
    SL_ATTRIBUTE_BARS,
    SL_ATTRIBUTE_COUNT_IN,
    SL_ATTRIBUTE_REPEAT,
    SL_ATTRIBUTE_END,
    SL_ATTRIBUTE_TRAINER,
    SL_ATTRIBUTE_RAMP,
    SL_ATTRIBUTE_AUDIO_INPUT,
    SL_ATTRIBUTE_AUDIO_OUTPUT,
    SL_ATTRIBUTE_MIDI_INPUT,
    SL_ATTRIBUTE_MIDI_OUTPUT,
    SL_ATTRIBUTE_GROUP,  /* which group track it is in: that one's id */
    SL_ATTRIBUTE_NOTES,  /* [[pitch,start,duration,velocity,is_enabled],...], by pitch and start */
    SL_ATTRIBUTE_POINTS, /* [[time,value],...] */
    SL_ATTRIBUTE_TIME,
    SL_ATTRIBUTE_QUANTIZE,
    SL_ATTRIBUTE_CHANNEL,
    SL_ATTRIBUTE_INSTRUMENT,
    SL_ATTRIBUTE_PARAMS,
    SL_ATTRIBUTE_EFFECTS,
    SL_ATTRIBUTE_LENGTH,
    SL_ATTRIBUTE_COUNT
} sl_attribute;

typedef enum sl_value_type {
    SL_VALUE_ABSENT = 0, /* the attribute has no value */
    SL_VALUE_NULL,       /* "no value", where one is told: in a picture, to sl_tree_set */
    SL_VALUE_BOOL,
    SL_VALUE_INT,
    SL_VALUE_FLOAT,
    SL_VALUE_TEXT,
    SL_VALUE_JSON /* a list or object, kept as its compact JSON text */
} sl_value_type;

/* A value; text is borrowed, its owner says until when. */
typedef struct sl_value {
    uint8_t type;    /* an sl_value_type */
    uint32_t length; /* of text, bytes */
    union {
        int64_t integer; /* BOOL (0, 1), INT */
        double number;   /* FLOAT */
        const char *text;
    } as;
} sl_value;

static inline sl_value sl_value_null(void)
{
    return (sl_value){.type = SL_VALUE_NULL};
}

static inline sl_value sl_value_bool(bool value)
{
    return (sl_value){.type = SL_VALUE_BOOL, .as.integer = value};
}

static inline sl_value sl_value_int(int64_t value)
{
    return (sl_value){.type = SL_VALUE_INT, .as.integer = value};
}

static inline sl_value sl_value_float(double value)
{
    return (sl_value){.type = SL_VALUE_FLOAT, .as.number = value};
}

static inline sl_value sl_value_text(const char *text, size_t length)
{
    return (sl_value){.type = SL_VALUE_TEXT, .length = (uint32_t)length, .as.text = text};
}

/* True if both are the same, to the last bit (a float by its bits). */
bool sl_value_equal(const sl_value *a, const sl_value *b);

/* "track"; the plural for paths is sl_schema_plural ("tracks"). Static. */
const char *sl_schema_type_name(sl_node_type type);
const char *sl_schema_plural(sl_node_type type);

/* The type or attribute so named (`length` bytes), or SL_NODE_TYPE_COUNT / SL_ATTRIBUTE_COUNT. */
sl_node_type sl_schema_type_by_name(const char *name, size_t length);
sl_node_type sl_schema_type_by_plural(const char *plural, size_t length);
sl_attribute sl_schema_attribute_by_name(const char *name, size_t length);

const char *sl_schema_attribute_name(sl_attribute attribute);

/* The stored attributes of a type, in the order in which they are written. */
const sl_attribute *sl_schema_attributes(sl_node_type type, size_t *count);

/* Which of these `attribute` is (0 …), or -1 if the type does not store it. */
int sl_schema_slot(sl_node_type type, sl_attribute attribute);

/* What a value of the attribute must be (besides absent and null). */
sl_value_type sl_schema_value_type(sl_attribute attribute);

/* The types of children of a type, in the order in which they are written. */
const sl_node_type *sl_schema_children(sl_node_type type, size_t *count);

/* Which of these `child` is (0 …), or -1 if it may not stand there. */
int sl_schema_child_slot(sl_node_type type, sl_node_type child);

#endif
