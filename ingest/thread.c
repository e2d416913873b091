/* Starting threads. */
#include "ingest/thread.h"

#include <signal.h>

sl_err sl_thread_start(pthread_t *out, const char *name, void *(*run)(void *ctx), void *ctx)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* what a thread does to itself reaches its handler, or none */
    sigdelset(&all, SIGSEGV);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* A thread begins with its maker's mask. */
    int failed = pthread_create(out, NULL, run, ctx);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) return SL_ERR_IO;
    pthread_setname_np(*out, name);
    return SL_OK;
}
