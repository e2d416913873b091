/* The session view as text. */
#include "tools/symlog/grid.h"

#include "tools/symlog/columns.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_COLUMNS = 12,  /* of a scene's name, and of what stands before each row */
    TRACK_COLUMNS = 11, /* with the space behind it */
    HEAD_ROWS = 3,      /* status, a blank line, track names */
    FOOT_ROWS = 4,      /* a blank line, volume, switches, devices */
    METER_STEPS = 8
};

typedef struct drawing {
    sl_text *text;
    const sl_grid *grid;
    const sl_node *project;
    uint32_t track_count; /* that are drawn */
    uint32_t scene_count;
    uint32_t tracks_hidden;
} drawing;

static const char *const COLOR_OFF = "\033[0m";

/* Appends text between a colour and its end. */
static void put_colored(const drawing *drawing, const char *color, const char *string)
{
    if (drawing->grid->is_colored) sl_text_string(drawing->text, color);
    sl_text_string(drawing->text, string);
    if (drawing->grid->is_colored) sl_text_string(drawing->text, COLOR_OFF);
}

/* Appends a text cut or filled to `columns`. What would move the cursor, or turn the line around, becomes a dot. */
static void put_cell(const drawing *drawing, const char *bytes, size_t length, unsigned columns)
{
    static const char left_to_right[] = "\xE2\x80\x8E"; /* U+200E: what follows the cell stands behind it */
    size_t used;
    bool is_right_to_left = false;
    const size_t end = sl_columns_fit(bytes, length, columns, &used);
    for (size_t at = 0; at < end;) {
        const sl_glyph glyph = sl_glyph_at(bytes + at, length - at);
        if (glyph.is_shown)
            sl_text_bytes(drawing->text, bytes + at, glyph.size);
        else
            sl_text_string(drawing->text, ".");
        is_right_to_left |= glyph.is_right_to_left;
        at += glyph.size;
    }
    if (is_right_to_left) sl_text_string(drawing->text, left_to_right);
    for (; used < columns; used++) sl_text_string(drawing->text, " ");
}

static void put_value(const drawing *drawing, sl_value text, unsigned columns)
{
    bool is_text = text.type == SL_VALUE_TEXT;
    put_cell(drawing, is_text ? text.as.text : "", is_text ? text.length : 0, columns);
}

static void put_label(const drawing *drawing, const char *label)
{
    put_cell(drawing, label, strlen(label), NAME_COLUMNS);
}

static bool is_true(const sl_node *node, sl_attribute attribute)
{
    sl_value value = sl_node_value(node, attribute);
    return value.type == SL_VALUE_BOOL && value.as.integer != 0;
}

/* `event 4,012   31/s   playing  124.0 bpm  beat 33.25   fresh` */
static void draw_status(const drawing *drawing, const sl_state *state)
{
    char line[160];
    sl_value tempo = sl_node_value(drawing->project, SL_ATTRIBUTE_TEMPO);
    sl_value position = sl_node_value(drawing->project, SL_ATTRIBUTE_POSITION);
    int length = snprintf(line, sizeof line, "event %llu   %llu/s   %s", (unsigned long long)sl_state_seq(state),
                          (unsigned long long)drawing->grid->rate,
                          is_true(drawing->project, SL_ATTRIBUTE_IS_PLAYING) ? "playing" : "stopped");
    if (tempo.type == SL_VALUE_FLOAT)
        length += snprintf(line + length, sizeof line - (size_t)length, "   %.1f bpm", tempo.as.number);
    if (position.type == SL_VALUE_FLOAT)
        snprintf(line + length, sizeof line - (size_t)length, "   beat %.2f", position.as.number);
    sl_text_string(drawing->text, line);
    if (is_true(drawing->project, SL_ATTRIBUTE_IS_STALE)) {
        sl_value reason = sl_node_value(drawing->project, SL_ATTRIBUTE_STALE_REASON);
        put_colored(drawing, "\033[33m", "   stale: ");
        if (reason.type == SL_VALUE_TEXT) sl_text_bytes(drawing->text, reason.as.text, reason.length);
    }
    sl_text_string(drawing->text, "\n\n");
}

static void draw_track_names(const drawing *drawing)
{
    char hidden[NAME_COLUMNS] = "";
    if (drawing->tracks_hidden > 0) snprintf(hidden, sizeof hidden, "(+%u more)", (unsigned)drawing->tracks_hidden);
    put_label(drawing, hidden);
    for (uint32_t t = 0; t < drawing->track_count; t++) {
        const sl_node *track = sl_node_child(drawing->project, SL_NODE_TRACK, t);
        if (drawing->grid->is_colored) sl_text_string(drawing->text, "\033[1m");
        put_value(drawing, sl_node_value(track, SL_ATTRIBUTE_NAME), TRACK_COLUMNS - 1);
        if (drawing->grid->is_colored) sl_text_string(drawing->text, COLOR_OFF);
        sl_text_string(drawing->text, " ");
    }
    sl_text_string(drawing->text, "\n");
}

/* A sign for what the slot does, then the clip's name. */
static void draw_slot(const drawing *drawing, const sl_node *slot)
{
    const sl_node *clip = slot != NULL ? sl_node_child(slot, SL_NODE_CLIP, 0) : NULL;
    if (slot == NULL || !is_true(slot, SL_ATTRIBUTE_HAS_CLIP)) {
        put_cell(drawing, ".", 1, TRACK_COLUMNS);
        return;
    }
    if (is_true(slot, SL_ATTRIBUTE_IS_PLAYING))
        put_colored(drawing, "\033[32m", "> ");
    else if (is_true(slot, SL_ATTRIBUTE_IS_TRIGGERED))
        put_colored(drawing, "\033[33m", "? ");
    else
        put_colored(drawing, "\033[2m", "# ");
    sl_value name = clip != NULL ? sl_node_value(clip, SL_ATTRIBUTE_NAME) : (sl_value){0};
    put_value(drawing, name, TRACK_COLUMNS - 3);
    sl_text_string(drawing->text, " ");
}

static void draw_scenes(const drawing *drawing)
{
    uint32_t total = sl_node_child_count(drawing->project, SL_NODE_SCENE);
    for (uint32_t s = 0; s < drawing->scene_count; s++) {
        const sl_node *scene = sl_node_child(drawing->project, SL_NODE_SCENE, s);
        if (is_true(scene, SL_ATTRIBUTE_IS_TRIGGERED) && drawing->grid->is_colored)
            sl_text_string(drawing->text, "\033[32m");
        put_value(drawing, sl_node_value(scene, SL_ATTRIBUTE_NAME), NAME_COLUMNS - 1);
        if (drawing->grid->is_colored) sl_text_string(drawing->text, COLOR_OFF);
        sl_text_string(drawing->text, " ");
        for (uint32_t t = 0; t < drawing->track_count; t++) {
            const sl_node *track = sl_node_child(drawing->project, SL_NODE_TRACK, t);
            draw_slot(drawing, sl_node_child(track, SL_NODE_CLIP_SLOT, s));
        }
        sl_text_string(drawing->text, "\n");
    }
    if (drawing->scene_count == total) return;
    char line[48];
    snprintf(line, sizeof line, "... and %u more scenes\n", (unsigned)(total - drawing->scene_count));
    sl_text_string(drawing->text, line);
}

/* A bar of up to METER_STEPS. */
static void draw_volume(const drawing *drawing, const sl_node *track)
{
    char bar[METER_STEPS + 1] = "";
    sl_value volume = sl_node_value(track, SL_ATTRIBUTE_VOLUME);
    for (unsigned i = 0; volume.type == SL_VALUE_FLOAT && i < METER_STEPS; i++)
        bar[i] = volume.as.number * (double)METER_STEPS > (double)i ? '=' : '-';
    put_cell(drawing, bar, strlen(bar), TRACK_COLUMNS);
}

static void draw_switches(const drawing *drawing, const sl_node *track)
{
    char switches[8];
    snprintf(switches, sizeof switches, "%s%s%s", is_true(track, SL_ATTRIBUTE_IS_MUTED) ? "M " : "",
             is_true(track, SL_ATTRIBUTE_IS_SOLOED) ? "S " : "", is_true(track, SL_ATTRIBUTE_IS_ARMED) ? "R" : "");
    put_cell(drawing, switches, strlen(switches), TRACK_COLUMNS);
}

/* The first device, and how many more there are. */
static void draw_devices(const drawing *drawing, const sl_node *track)
{
    uint32_t count = sl_node_child_count(track, SL_NODE_DEVICE);
    char more[12] = "";
    if (count > 1) snprintf(more, sizeof more, "+%u", (unsigned)(count - 1));
    unsigned columns = TRACK_COLUMNS - 1 - (unsigned)strlen(more);
    const sl_node *device = sl_node_child(track, SL_NODE_DEVICE, 0);
    put_value(drawing, device != NULL ? sl_node_value(device, SL_ATTRIBUTE_NAME) : (sl_value){0}, columns);
    sl_text_string(drawing->text, more);
    sl_text_string(drawing->text, " ");
}

typedef void (*track_function)(const drawing *drawing, const sl_node *track);

static void draw_track_row(const drawing *drawing, const char *label, track_function draw_track)
{
    put_label(drawing, label);
    for (uint32_t t = 0; t < drawing->track_count; t++)
        draw_track(drawing, sl_node_child(drawing->project, SL_NODE_TRACK, t));
    sl_text_string(drawing->text, "\n");
}

void sl_grid_draw(sl_text *text, const sl_state *state, const sl_grid *grid)
{
    const sl_node *project = sl_tree_project(sl_state_tree_view(state));
    drawing drawing = {.text = text, .grid = grid, .project = project};
    uint32_t tracks_fit = grid->columns > NAME_COLUMNS ? (grid->columns - NAME_COLUMNS) / TRACK_COLUMNS : 0;
    uint32_t scenes_fit = grid->rows > HEAD_ROWS + FOOT_ROWS + 1 ? grid->rows - HEAD_ROWS - FOOT_ROWS - 1 : 0;
    drawing.track_count = sl_node_child_count(project, SL_NODE_TRACK);
    drawing.scene_count = sl_node_child_count(project, SL_NODE_SCENE);
    if (drawing.track_count > tracks_fit) drawing.track_count = tracks_fit;
    drawing.tracks_hidden = sl_node_child_count(project, SL_NODE_TRACK) - drawing.track_count;
    if (drawing.scene_count > scenes_fit) drawing.scene_count = scenes_fit;
    draw_status(&drawing, state);
    draw_track_names(&drawing);
    draw_scenes(&drawing);
    sl_text_string(text, "\n");
    draw_track_row(&drawing, "volume", draw_volume);
    draw_track_row(&drawing, "", draw_switches);
    draw_track_row(&drawing, "devices", draw_devices);
}
