/*
 * What als.c (the stream), als_elements.c (which elements matter), the actions (als_actions.h) and als_nodes.c (nodes
 * made of them) share.
 */
#ifndef SL_INGEST_ALS_INTERNAL_H
#define SL_INGEST_ALS_INTERNAL_H

#include "core/text.h"
#include "core/tree.h"
#include "ingest/als.h"

#include <expat.h>
#include <stdbool.h>

/* A parameter as its elements tell it, bit by bit. */
typedef struct als_parameter {
    bool has_value, has_min, has_max;
    double value, min, max;
} als_parameter;

/* An element that is open, and not passed over. */
typedef struct als_frame {
    uint8_t place;        /* an als_place of als_actions.h: what its children can be */
    uint8_t attribute;    /* the sl_attribute that a child tells, where the place does not say it */
    uint32_t name_length; /* of reader->path before this element; see there */
    sl_node *node;        /* whom its values are about */
} als_frame;

/* What automation can point at. */
typedef struct als_target {
    uint64_t id;
    sl_node *parameter; /* NULL: */
    const char *label;  /* static: "Volume" */
} als_target;

typedef struct als_envelope {
    uint64_t target;
    sl_node *automation;
} als_envelope;

typedef struct als_note {
    double start, duration, velocity;
    int32_t key;
    bool is_enabled;
} als_note;

/* A growing array of malloc'ed items. */
typedef struct als_list {
    void *items;
    size_t count, capacity;
} als_list;

typedef struct als_reader {
    XML_Parser parser;
    sl_memory memory; /* the tree's */
    char *reason;
    sl_err err;
    size_t xml_bytes;
    size_t token_first; /* of these: where what expat could not take yet begins */
    sl_tree *tree;

    als_frame frames[SL_ALS_DEPTH_MAX];
    uint32_t depth;   /* of frames */
    uint32_t skipped; /* elements open inside one that is passed over */
    bool has_set;

    /* Inside a device: the names of the open elements, "Bands.0/ParameterA/Freq". */
    char path[1024];
    uint32_t path_length;
    als_parameter parameter; /* the innermost element that may be one */
    sl_text text;            /* a list being written */
    als_list notes;          /* als_note: of the open clip */
    size_t key_first;        /* of notes: the open key track's */
    uint32_t point_count;    /* of the open envelope */
    double send_level;       /* the open send */
    bool send_is_active;
    uint32_t send_count;
    sl_text file_path;   /* of the open file reference: its folders */
    als_list targets;    /* als_target */
    als_list envelopes;  /* als_envelope */
    uint32_t made_count; /* ids that had to be made because Live's was there already */
} als_reader;

/* Sets the error and stops the parser; returns `err`, or the one that was set before. */
__attribute__((format(printf, 3, 4))) sl_err als_fail(als_reader *reader, sl_err err, const char *format, ...);

/* A fresh tree and empty lists. SL_ERR_MEMORY; als_close then, too. */
sl_err als_open(als_reader *reader);
void als_close(als_reader *reader);

/* `words`: names and values by turns, NULL behind the last. */
void als_begin_element(als_reader *reader, const char *name, const char *const *words);
void als_end_element(als_reader *reader);

/* What can be said only at the end: which parameters are automated, scenes that nothing told of. */
sl_err als_finish(als_reader *reader);

/* als_nodes.c: making nodes. All set reader->err and give NULL or return when they fail. */

/* A child behind the others of its type, with Live's id `local` below that of the parent. */
sl_node *als_add(als_reader *reader, sl_node *parent, sl_node_type type, const char *local);

void als_set(als_reader *reader, sl_node *node, sl_attribute attribute, sl_value value);

/* Sets an attribute from an element's text, read as the attribute's type: "true", "12", "0.5". What cannot be read so
 * is passed over. */
void als_set_text(als_reader *reader, sl_node *node, sl_attribute attribute, const char *text);

/* "true", "1" -> true; else false. */
bool als_bool(const char *text);
/* False: not a finite number, or something behind it. */
bool als_number(const char *text, double *out);

/* Live's number of a colour as RGB; -1: it has none. Live 8 to 10 call it ColorIndex. */
int32_t als_color(const char *text);

/* A new item, cleared; NULL: out of memory, which is then the reader's error. */
void *als_push(als_reader *reader, als_list *list, size_t item_bytes);

#endif
