/*
 * Reads a log's events out of its damaged file without LMDB, page by page: what LMDB's tree no longer leads to may
 * still stand there. A record is believed if its checksum fits its number and the log's id, so it does not matter by
 * which way it was found. Bytes of any kind are safe to read.
 *
 * One thread. It knows LMDB's file (data version 1, this CPU's byte order), and is to be used after LMDB has said what
 * it can still read: only there is it known for sure what was committed.
 */
#ifndef SL_STORE_SALVAGE_H
#define SL_STORE_SALVAGE_H

#include "store/log.h"

typedef struct sl_salvage sl_salvage;

/* Numbers from `begin` to `end`, both of them included. */
typedef struct sl_log_range {
    uint64_t begin;
    uint64_t end;
} sl_log_range;

/* Opens the file of the log in `dir`. SL_ERR_NOT_FOUND, SL_ERR_IO, SL_ERR_MEMORY: `errmsg` says what went wrong. */
sl_err sl_salvage_open(sl_salvage **out, const char *dir, char errmsg[SL_LOG_ERRMSG_BYTES]);

/* NULL is passed over. */
void sl_salvage_close(sl_salvage *salvage);

/* Looks for the log's id: SL_ERR_NOT_FOUND if it stands nowhere. */
sl_err sl_salvage_id(sl_salvage *salvage, uint8_t id[SL_LOG_ID_BYTES]);

/* Looks through the whole file for the events of the log `id` in `count` ranges (ascending, apart). SL_ERR_IO,
 * SL_ERR_MEMORY: sl_salvage_error says what. */
sl_err sl_salvage_look(sl_salvage *salvage, const uint8_t id[SL_LOG_ID_BYTES], const sl_log_range *ranges,
                       size_t count);

/* The highest number found; 0: none. */
uint64_t sl_salvage_last(const sl_salvage *salvage);

/* Event `seq`, if it was found; a view, valid until the next call. SL_ERR_NOT_FOUND: it was not, or two different ones
 * were (a commit that was cut short leaves events that never counted); SL_ERR_IO, SL_ERR_MEMORY. */
sl_err sl_salvage_read(sl_salvage *salvage, uint64_t seq, sl_event *out);

const char *sl_salvage_error(const sl_salvage *salvage);

#endif
