/* Devices of a Live file: parameters, chains, plug-ins, and files that something plays. */
#include "ingest/als_actions.h"

#include <assert.h>
#include <stdio.h>

/* Devices. */

/* Whatever it is called, it is a device: its element's name says of what type. */
void als_begin_device(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    *node = als_add(reader, *node, SL_NODE_DEVICE, als_id_of(words));
    if (*node == NULL) return;
    als_set_text(reader, *node, SL_ATTRIBUTE_NAME, name);
    als_set_text(reader, *node, SL_ATTRIBUTE_DEVICE_TYPE, name);
    reader->path_length = 0;
}

/* The user's own name for it; "" says that there is none. */
void als_set_user_name(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    if (als_value_of(words)[0] != '\0') als_set_text(reader, *node, SL_ATTRIBUTE_NAME, als_value_of(words));
}

/* The plug-in's name, unless the user gave it one, which stands before it in the file. */
void als_set_plugin_name(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    sl_value type = sl_node_value(*node, SL_ATTRIBUTE_DEVICE_TYPE);
    sl_value present = sl_node_value(*node, SL_ATTRIBUTE_NAME);
    if (!sl_value_equal(&type, &present)) return;
    als_set_user_name(reader, name, words, node);
}

void als_begin_plugin(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)words;
    static const char *const formats[][2] = {{"VstPluginInfo", "{\"format\":\"VST\"}"},
                                             {"Vst3PluginInfo", "{\"format\":\"VST3\"}"},
                                             {"AuPluginInfo", "{\"format\":\"AU\"}"}};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(formats[i][0], name) != 0) continue;
        sl_value value = sl_value_text(formats[i][1], strlen(formats[i][1]));
        value.type = SL_VALUE_JSON;
        als_set(reader, *node, SL_ATTRIBUTE_PLUGIN_INFO, value);
    }
}

/* A file of a Max device: "/…/Name.amxd". */
void als_set_patch_name(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    const char *path = als_value_of(words), *slash = strrchr(path, '/');
    const char *file = slash != NULL ? slash + 1 : path, *dot = strrchr(file, '.');
    size_t length = dot != NULL ? (size_t)(dot - file) : strlen(file);
    sl_value type = sl_node_value(*node, SL_ATTRIBUTE_DEVICE_TYPE);
    sl_value present = sl_node_value(*node, SL_ATTRIBUTE_NAME);
    if (length > 0 && sl_value_equal(&type, &present))
        als_set(reader, *node, SL_ATTRIBUTE_NAME, sl_value_text(file, length));
}

/* One part more: "Bands.0", the id where there is one. What does not fit is left out. */
static void extend_path(als_reader *reader, const char *part, const char *id)
{
    size_t room = sizeof reader->path - reader->path_length;
    int written = snprintf(reader->path + reader->path_length, room, "%s%s%s%s", reader->path_length > 0 ? "/" : "",
                           part, id != NULL ? "." : "", id != NULL ? id : "");
    assert(written >= 0);
    reader->path_length += (uint32_t)((size_t)written < room ? (size_t)written : room - 1);
}

void als_begin_member(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)node;
    extend_path(reader, name, als_word(words, "Id"));
    reader->parameter = (als_parameter){0};
}

/* A plug-in's and a Max device's parameters say their names. */
void als_set_member_name(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    if (als_value_of(words)[0] == '\0') return;
    reader->path_length = reader->frames[reader->depth - 1].name_length;
    extend_path(reader, als_value_of(words), NULL);
}

void als_set_member_value(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    const char *value = als_value_of(words);
    reader->parameter = (als_parameter){.has_value = true};
    if (!als_number(value, &reader->parameter.value)) reader->parameter.value = als_bool(value);
}

void als_set_member_min(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    reader->parameter.has_min = als_number(als_value_of(words), &reader->parameter.min);
}

void als_set_member_max(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    reader->parameter.has_max = als_number(als_value_of(words), &reader->parameter.max);
}

/* What is around the name of a plug-in's or a Max device's parameter says nothing. */
static sl_value parameter_name(const als_reader *reader)
{
    static const char list[] = "ParameterList/";
    static const char *const tails[] = {"/ParameterValue", "/Timeable"};
    const size_t list_length = sizeof list - 1;
    size_t begin = 0, end = reader->path_length;
    while (end - begin > list_length && memcmp(reader->path + begin, list, list_length) == 0) begin += list_length;
    for (size_t i = 0; begin > 0 && i < sizeof tails / sizeof tails[0]; i++) {
        size_t length = strlen(tails[i]);
        if (end - begin > length && memcmp(reader->path + end - length, tails[i], length) == 0) end -= length;
    }
    return sl_value_text(reader->path + begin, end - begin);
}

/* A parameter is what has a value that automation can reach; this is the last that is told of it. */
void als_end_parameter(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    als_parameter found = reader->parameter;
    reader->parameter = (als_parameter){0};
    uint64_t target;
    if (!found.has_value || (*node)->type != SL_NODE_DEVICE || !als_read_id(als_id_of(words), &target)) return;
    sl_node *parameter = als_add(reader, *node, SL_NODE_PARAMETER, als_id_of(words));
    if (parameter == NULL) return;
    als_set(reader, parameter, SL_ATTRIBUTE_NAME, parameter_name(reader));
    als_set(reader, parameter, SL_ATTRIBUTE_VALUE, sl_value_float(found.value));
    if (found.has_min) als_set(reader, parameter, SL_ATTRIBUTE_MIN, sl_value_float(found.min));
    if (found.has_max) als_set(reader, parameter, SL_ATTRIBUTE_MAX, sl_value_float(found.max));
    als_set(reader, parameter, SL_ATTRIBUTE_IS_AUTOMATED, sl_value_bool(false));
    als_add_target(reader, als_id_of(words), parameter, NULL);
}

void als_begin_branch(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name;
    *node = als_add(reader, *node, SL_NODE_CHAIN, als_id_of(words));
}

/* Files. */

void als_begin_file(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)words;
    char local[16];
    snprintf(local, sizeof local, "%u", sl_node_child_count(*node, SL_NODE_FILE_REF));
    *node = als_add(reader, *node, SL_NODE_FILE_REF, local);
    sl_text_clear(&reader->file_path);
}

/* Live 10 and before have a path as its folders, one by one. */
void als_add_folder(als_reader *reader, const char *name, als_words words, sl_node **node)
{
    (void)name, (void)node;
    const char *folder = als_word(words, "Dir");
    sl_text_string(&reader->file_path, folder != NULL && folder[0] != '\0' ? folder : "..");
    sl_text_string(&reader->file_path, "/");
}

static void set_file_path(als_reader *reader, sl_node *file)
{
    sl_value name = sl_node_value(file, SL_ATTRIBUTE_NAME), path = sl_node_value(file, SL_ATTRIBUTE_PATH);
    if (path.type == SL_VALUE_ABSENT && name.type == SL_VALUE_TEXT && reader->file_path.length > 0) {
        sl_text_bytes(&reader->file_path, name.as.text, name.length);
        if (reader->file_path.bad) (void)als_fail(reader, SL_ERR_MEMORY, "out of memory");
        als_set(reader, file, SL_ATTRIBUTE_PATH, sl_value_text(reader->file_path.bytes, reader->file_path.length));
    } else if (name.type == SL_VALUE_ABSENT && path.type == SL_VALUE_TEXT) {
        size_t begin = path.length;
        while (begin > 0 && path.as.text[begin - 1] != '/') begin--;
        als_set(reader, file, SL_ATTRIBUTE_NAME, sl_value_text(path.as.text + begin, path.length - begin));
    }
}

void als_end_file(als_reader *reader, sl_node *file)
{
    set_file_path(reader, file);
    sl_value name = sl_node_value(file, SL_ATTRIBUTE_NAME);
    if (name.type == SL_VALUE_TEXT) als_set(reader, sl_node_parent(file), SL_ATTRIBUTE_SAMPLE_NAME, name);
}
