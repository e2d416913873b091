/* The walls around live code: each thing that it could try, tried by a child behind them. */
#include "tools/eval/sandbox.h"

#include "tests/unit/cmocka_small.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Raw calls: the C library's own would not be worth more, and a sanitizer's are in the way. */
static int raw(long result)
{
    return result == -1 ? errno : 0;
}

static int try_open(void)
{
    return raw(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY));
}
static int try_create(void)
{
    return raw(syscall(SYS_openat, AT_FDCWD, "/tmp/symlog-out", O_WRONLY | O_CREAT, 0600));
}
static int try_stat(void)
{
    return raw(syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", NULL, 0));
}
static int try_unlink(void)
{
    return raw(syscall(SYS_unlinkat, AT_FDCWD, "/tmp/symlog-out", 0));
}
static int try_socket(void)
{
    return raw(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
}
static int try_socketpair(void)
{
    return raw(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, NULL));
}
static int try_fork(void)
{
    return raw(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}
static int try_clone3(void)
{
    return raw(syscall(SYS_clone3, NULL, 0)) == ENOSYS ? EPERM : 0;
}
static int try_execve(void)
{
    return raw(syscall(SYS_execve, "/bin/true", NULL, NULL));
}
static int try_kill(void)
{
    return raw(syscall(SYS_kill, getppid(), SIGTERM));
}
static int try_kill_self_by_group(void)
{
    return raw(syscall(SYS_kill, 0, SIGTERM));
}
static int try_tgkill_parent(void)
{
    return raw(syscall(SYS_tgkill, getppid(), getppid(), SIGTERM));
}
static int try_ptrace(void)
{
    return raw(syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), NULL, NULL));
}
static int try_read_memory(void)
{
    return raw(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
}
static int try_unshare(void)
{
    return raw(syscall(SYS_unshare, CLONE_NEWUSER));
}
static int try_mount(void)
{
    return raw(syscall(SYS_mount, "none", "/mnt", "tmpfs", 0, NULL));
}
static int try_setrlimit(void)
{
    return raw(syscall(SYS_prlimit64, 0, RLIMIT_CPU, NULL, NULL));
}
static int try_prctl(void)
{
    return raw(syscall(SYS_prctl, 1 /* PR_SET_PDEATHSIG */, 0, 0, 0, 0));
}
static int try_bpf(void)
{
    return raw(syscall(SYS_bpf, 0, NULL, 0));
}
static int try_io_uring(void)
{
    return raw(syscall(SYS_io_uring_setup, 1, NULL));
}
static int try_executable(void)
{
    return raw(syscall(SYS_mmap, NULL, 4096UL, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
static int try_make_executable(void)
{
    return raw(syscall(SYS_mprotect, NULL, 4096UL, PROT_EXEC));
}
static int try_ioctl(void)
{
    return raw(syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x"));
}
static int try_dup(void)
{
    return raw(syscall(SYS_dup, 0));
}
static int try_timer(void)
{
    return raw(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, NULL));
}

static const struct {
    const char *name;
    int (*attempt)(void); /* the error that it met; 0: it was done */
} attempts[] = {
    {"open", try_open},
    {"create", try_create},
    {"stat", try_stat},
    {"unlink", try_unlink},
    {"socket", try_socket},
    {"socketpair", try_socketpair},
    {"fork", try_fork},
    {"clone3", try_clone3},
    {"execve", try_execve},
    {"kill", try_kill},
    {"kill a group", try_kill_self_by_group},
    {"tgkill the parent", try_tgkill_parent},
    {"ptrace", try_ptrace},
    {"process_vm_readv", try_read_memory},
    {"unshare", try_unshare},
    {"mount", try_mount},
    {"prlimit", try_setrlimit},
    {"prctl", try_prctl},
    {"bpf", try_bpf},
    {"io_uring", try_io_uring},
    {"executable memory", try_executable},
    {"make memory executable", try_make_executable},
    {"ioctl", try_ioctl},
    {"dup", try_dup},
    {"timer", try_timer},
};
enum { ATTEMPT_COUNT = sizeof attempts / sizeof attempts[0] };

static int status_of(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_eval_sandbox_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ATTEMPT_COUNT; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            bool is_in = sl_sandbox_limit() && sl_sandbox_enter();
            _exit(is_in && attempts[i].attempt() == EPERM ? 77 : 1);
        }
        int status = status_of(child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 77) fail_msg("%s: status %x", attempts[i].name, status);
    }
}

static void *wait_for_walls(void *word)
{
    while (!__atomic_load_n((int *)word, __ATOMIC_ACQUIRE)) sched_yield();
    __atomic_store_n((int *)word, 2 + try_open(), __ATOMIC_RELEASE);
    return NULL;
}

/* A thread that was there before (as the engine's are) is behind them, too. */
static void test_eval_sandbox_holds_all_threads(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static int word = 0;
        pthread_t thread;
        /* Without the limits: a sanitizer's threads want more address space than they leave. */
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(255);
        if (pthread_create(&thread, NULL, wait_for_walls, &word) != 0) _exit(255);
        if (!sl_sandbox_enter()) _exit(254);
        __atomic_store_n(&word, 1, __ATOMIC_RELEASE);
        while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 1) sched_yield();
        _exit(__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 2 + EPERM ? 77 : 1);
    }
    int status = status_of(child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 77);
}

static int check_limits(void)
{
    static const struct {
        int kind;
        rlim_t most;
    } limits[] = {{RLIMIT_CPU, 2}, {RLIMIT_FSIZE, 0}, {RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 16}, {RLIMIT_AS, 12ULL << 30}};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        struct rlimit now;
        if (syscall(SYS_prlimit64, 0, limits[i].kind, NULL, &now) != 0 || now.rlim_cur > limits[i].most) return 1;
    }
    return 0;
}

static void test_eval_sandbox_limits(void **state)
{
    (void)state;
    int extra = dup(0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!sl_sandbox_limit()) _exit(255);
        bool is_open = syscall(SYS_fcntl, extra, F_GETFD) != -1;
        _exit(is_open ? 2 : check_limits());
    }
    int status = status_of(child);
    close(extra);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Who starts it dies: so does it. */
static void test_eval_sandbox_dies_with_its_parent(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t parent = fork();
    assert_true(parent >= 0);
    if (parent == 0) {
        close(ends[0]);
        pid_t child = fork();
        if (child == 0) {
            int copy = dup2(ends[1], 1);
            bool is_limited = copy == 1 && sl_sandbox_limit() && write(1, "x", 1) == 1;
            while (is_limited && pause() == -1) is_limited = true;
            _exit(0);
        }
        pause();
    }
    close(ends[1]);
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    kill(parent, SIGKILL);
    (void)status_of(parent);
    assert_int_equal(read(ends[0], &byte, 1), 0); /* its end is closed: it is gone */
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eval_sandbox_refuses),
        cmocka_unit_test(test_eval_sandbox_holds_all_threads),
        cmocka_unit_test(test_eval_sandbox_limits),
        cmocka_unit_test(test_eval_sandbox_dies_with_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
