/*
 * A bounded reader of OSC 1.0 packets, for bytes that nobody has checked. It reads in place, allocates nothing, and
 * never looks beyond `length`. (Source: the OSC 1.0 specification, opensoundcontrol.org.)
 *
 * Stricter than some: the type tag string is required, padding must be zero bytes, an address starts with '/', nothing
 * may follow the last argument, an empty bundle element is refused, bundles nest at most SL_OSC_DEPTH_MAX deep.
 */
#ifndef SL_CORE_OSC_H
#define SL_CORE_OSC_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_OSC_DEPTH_MAX = 8,           /* bundles in bundles */
    SL_OSC_PACKET_BYTES_MAX = 65507 /* what one UDP datagram can carry */
};

/* Why a packet was refused; stable numbers, they are counted by kind. */
typedef enum sl_osc_fault {
    SL_OSC_FAULT_NONE = 0,
    SL_OSC_FAULT_EMPTY,    /* no bytes */
    SL_OSC_FAULT_LENGTH,   /* length not a multiple of 4, or above the maximum */
    SL_OSC_FAULT_ADDRESS,  /* no '/' at the start, no end, or a bad padding byte */
    SL_OSC_FAULT_TAGS,     /* no type tags, no end, or a bad padding byte */
    SL_OSC_FAULT_TAG,      /* a type tag that OSC does not know */
    SL_OSC_FAULT_ARGUMENT, /* an argument that does not fit, a negative blob length, a bad padding byte */
    SL_OSC_FAULT_TRAILING, /* bytes after the last argument */
    SL_OSC_FAULT_BUNDLE,   /* no "#bundle", no timetag, or an element length that does not fit */
    SL_OSC_FAULT_ELEMENT,  /* a bundle element of length zero */
    SL_OSC_FAULT_DEPTH,    /* nested deeper than SL_OSC_DEPTH_MAX */
    SL_OSC_FAULT_COUNT
} sl_osc_fault;

/* In plain words ("unknown type tag"); static. */
const char *sl_osc_fault_text(sl_osc_fault fault);

/* Where and why a packet was refused. */
typedef struct sl_osc_error {
    sl_osc_fault fault;
    size_t position; /* byte in the packet */
} sl_osc_error;

/* One message, as views into the packet: valid as long as the packet's bytes are. */
typedef struct sl_osc_message {
    const char *address;   /* NUL-terminated inside the packet */
    size_t address_length; /* without the NUL */
    const char *tags;      /* NUL-terminated, without the comma */
    size_t tag_count;
    const uint8_t *arguments; /* the bytes of the first argument */
    size_t arguments_length;
} sl_osc_message;

/* One argument. What is set depends on the tag. */
typedef struct sl_osc_argument {
    char tag;
    int64_t integer;      /* i h, t (its 64 bits), c, r, m (their 32 bits); 1 for T, 0 for F */
    double number;        /* f d */
    const uint8_t *bytes; /* s S b, a view; text without its NUL */
    size_t length;        /* of bytes */
} sl_osc_argument;

/* Reads the arguments of a message that sl_osc_check accepted, one after the other. */
typedef struct sl_osc_cursor {
    const char *tags;
    const uint8_t *bytes;
} sl_osc_cursor;

/* True if the whole packet is well formed: message or bundle, to the last byte; else `error` (may be NULL) says why
 * not. Everything below must be given only packets that passed. */
bool sl_osc_check(const uint8_t *packet, size_t length, sl_osc_error *error);

bool sl_osc_is_bundle(const uint8_t *packet, size_t length);

/* Reads a packet that is a message. */
sl_osc_message sl_osc_message_read(const uint8_t *packet, size_t length);

/* Goes through the messages of a packet in order, whatever the nesting; a plain message is a sequence of one.
 * Begin with sl_osc_walk_begin; sl_osc_walk_next returns false at the end. */
typedef struct sl_osc_walk {
    const uint8_t *packet;
    size_t position; /* of the next element or message */
    size_t length;
    bool is_bundle;
} sl_osc_walk;

sl_osc_walk sl_osc_walk_begin(const uint8_t *packet, size_t length);
bool sl_osc_walk_next(sl_osc_walk *walk, sl_osc_message *out);

/* The timetag of the outermost bundle; 1 ("immediately") for a message. */
uint64_t sl_osc_timetag(const uint8_t *packet, size_t length);

sl_osc_cursor sl_osc_arguments(const sl_osc_message *message);

/* The next argument; false when there is none left. */
bool sl_osc_next(sl_osc_cursor *cursor, sl_osc_argument *out);

/* The wrapper "/live/seq ,ifs… number timestamp path arguments" taken off: `inner` is then the message that it wraps
 * (address = path). Takes h for the number, f d h t for the timestamp. False if `message` is no such wrapper; a
 * "/live/seq" with other arguments is malformed: false with *is_bad_wrapper set. */
bool sl_osc_unwrap(const sl_osc_message *message, sl_osc_message *inner, int64_t *number, double *timestamp,
                   bool *is_bad_wrapper);

#endif
