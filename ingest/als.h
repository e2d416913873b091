/*
 * A Live set (.als, or its exported XML) to core's tree: unpacks (zlib), reads (expat) as a stream, and makes nodes of
 * what belongs to the music: tracks, scenes, slots, clips, devices, mixers, automation, routing. View state is left
 * out. Takes what Live 8 to 12 write; the differences are in ingest/als_elements.c.
 *
 * Node ids come from Live's own, which survive from save to save: `track-live-16`, below it `device-live-16.3`; a
 * parameter has that of its automation target.
 */
#ifndef SL_INGEST_ALS_H
#define SL_INGEST_ALS_H

#include "core/err.h"
#include "core/memory.h"
#include "core/tree.h"

#include <stddef.h>
#include <stdint.h>

enum {
    SL_ALS_FILE_BYTES_MAX = 256 << 20, /* as it stands on disk */
    SL_ALS_XML_BYTES_MAX = 1 << 30,    /* unpacked */
    SL_ALS_TAG_BYTES_MAX = 16 << 20,   /* an element's name and attributes, which are in memory as a whole */
    SL_ALS_DEPTH_MAX = 1024,           /* elements inside each other; Live's are some 40 */
    SL_ALS_NODES_MAX = 1 << 20,        /* of the tree; as many as sets of 1 GiB have */
    SL_ALS_REASON_BYTES = 256
};

/* The tree of the `length` bytes of a file, gzip or XML; `*tree` is the caller's. Reads without keeping: `bytes` may be
 * read from a mapped file. Errors, with `reason` telling why and where: SL_ERR_MALFORMED (empty, junk, cut off, no
 * valid XML), SL_ERR_REFUSED (XML, but no Live set; entities; nested too deep), SL_ERR_RANGE (too big, a tag too long,
 * too many nodes), SL_ERR_MEMORY. Any thread. */
sl_err sl_als_read(const uint8_t *bytes, size_t length, sl_memory memory, sl_tree **tree,
                   char reason[SL_ALS_REASON_BYTES]);

#endif
