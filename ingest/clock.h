/* The one place in ingest that reads a clock. */
#ifndef SL_INGEST_CLOCK_H
#define SL_INGEST_CLOCK_H

#include <stdint.h>

/* CLOCK_BOOTTIME: nanoseconds that no change of the wall clock moves. */
uint64_t sl_clock_boot_ns(void);

/* Unix time. */
int64_t sl_clock_wall_ns(void);

#endif
