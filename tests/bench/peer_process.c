/* Pipes, fork, exec. */
#include "tests/bench/peer_process.h"

#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void run(const char *const *argv, int in, int out)
{
    const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* it must not outlive a bench that died */
    dup2(in >= 0 ? in : nowhere, STDIN_FILENO);
    dup2(out >= 0 ? out : nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    execvp(argv[0], (char *const *)(uintptr_t)argv); /* which does not change the words */
    _exit(127);
}

void peer_process_start(peer_process *peer, const char *const *argv, bool talks)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1};
    if (talks && (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)) bench_die("pipe: %s", strerror(errno));
    *peer = (peer_process){.pid = fork()};
    if (peer->pid < 0) bench_die("fork: %s", strerror(errno));
    if (peer->pid == 0) run(argv, in[0], out[1]);
    if (!talks) return;
    close(in[0]);
    close(out[1]);
    peer->to = fdopen(in[1], "w");
    peer->from = fdopen(out[0], "r");
    if (peer->to == NULL || peer->from == NULL) bench_die("out of memory");
}

int peer_process_end(peer_process *peer, int signal)
{
    int status = 0;
    if (peer->to != NULL) fclose(peer->to);
    if (signal != 0) kill(peer->pid, signal);
    while (waitpid(peer->pid, &status, 0) < 0 && errno == EINTR) continue;
    if (peer->from != NULL) fclose(peer->from);
    *peer = (peer_process){.pid = -1};
    return status;
}
