/* How ingest starts its threads: named, and deaf to signals, so that Ctrl-C reaches the thread that waits for it. */
#ifndef SL_INGEST_THREAD_H
#define SL_INGEST_THREAD_H

#include "core/err.h"

#include <pthread.h>

/* Runs `run(ctx)` in a new thread, which the caller joins. `name` is at most 15 bytes. SL_ERR_IO: the system gives no
 * more threads. */
sl_err sl_thread_start(pthread_t *out, const char *name, void *(*run)(void *ctx), void *ctx);

#endif
