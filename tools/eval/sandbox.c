/* Limits and the filter of system calls. */
#include "tools/eval/sandbox.h"

#include <sys/resource.h>
#include <unistd.h>

#ifdef __GLIBC__
typedef __rlimit_resource_t limited;
#else
typedef int limited;
#endif

/* The hard limit is one above: at the soft one of CPU time comes SIGXCPU, which says why. */
static bool limit(limited resource, rlim_t most)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0) return false;
    if (now.rlim_max != RLIM_INFINITY && now.rlim_max < most) most = now.rlim_max;
    rlim_t hard = resource == RLIMIT_CPU && most < now.rlim_max ? most + 1 : most;
    return setrlimit(resource, &(struct rlimit){.rlim_cur = most, .rlim_max = hard}) == 0;
}

#ifdef __linux__

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { OPEN_FILES_MAX = 16 };

bool sl_sandbox_limit(void)
{
    bool is_done = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    is_done = is_done && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && syscall(SYS_close_range, 3U, ~0U, 0U) == 0;
    is_done = is_done && limit(RLIMIT_CPU, SL_SANDBOX_CPU_SECONDS) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_CORE, 0);
    return is_done && limit(RLIMIT_AS, (rlim_t)SL_SANDBOX_ADDRESS_GIB << 30) && limit(RLIMIT_NOFILE, OPEN_FILES_MAX);
}

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the sandbox knows no such CPU: add its AUDIT_ARCH"
#endif

/* A test of one word of the call, and what to do where it is so and where not: how many steps to pass over. */
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define LOAD_LOW(n)                                                                                                    \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + sizeof(uint64_t) * (n)))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define REFUSE(error) ANSWER(SECCOMP_RET_ERRNO | (error))
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), (yes), (no))
#define HAS(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)(bits), (yes), (no))
#define ALLOW(name) IS(SYS_##name, 0, 1), ANSWER(SECCOMP_RET_ALLOW)

bool sl_sandbox_enter(void)
{
    struct sock_filter steps[] = {
        LOAD(arch),
        IS(ARCHITECTURE, 1, 0),
        ANSWER(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        ALLOW(futex),
        ALLOW(madvise),
        ALLOW(munmap),
        ALLOW(read),
        ALLOW(write),
        ALLOW(brk),
        ALLOW(mremap),
        ALLOW(rt_sigprocmask),
        ALLOW(rt_sigreturn),
        ALLOW(rt_sigaction),
        ALLOW(sigaltstack),
        ALLOW(clock_gettime),
        ALLOW(clock_nanosleep),
        ALLOW(gettimeofday),
        ALLOW(sched_yield),
        ALLOW(sched_getaffinity),
        ALLOW(getpid),
        ALLOW(gettid),
        ALLOW(getrusage),
        ALLOW(getrandom),
        ALLOW(sysinfo),
        ALLOW(set_robust_list),
        ALLOW(rseq),
        ALLOW(membarrier),
        ALLOW(restart_syscall),
        ALLOW(exit),
        ALLOW(exit_group),
        /* glibc passes a thread's flags of clone3 by pointer, where a filter cannot look; it then takes clone. */
        IS(SYS_clone3, 0, 1),
        REFUSE(ENOSYS),
        IS(SYS_clone, 0, 4),
        LOAD_LOW(0),
        HAS(CLONE_THREAD, 0, 1),
        ANSWER(SECCOMP_RET_ALLOW),
        REFUSE(EPERM),
        IS(SYS_mmap, 1, 0),
        IS(SYS_mprotect, 0, 4),
        LOAD_LOW(2),
        HAS(PROT_EXEC, 1, 0),
        ANSWER(SECCOMP_RET_ALLOW),
        REFUSE(EPERM),
        IS(SYS_tgkill, 0, 4),
        LOAD_LOW(0),
        IS(getpid(), 0, 1),
        ANSWER(SECCOMP_RET_ALLOW),
        REFUSE(EPERM),
        REFUSE(EPERM),
    };
    const struct sock_fprog program = {.len = sizeof steps / sizeof steps[0], .filter = steps};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

#else

bool sl_sandbox_limit(void)
{
    return limit(RLIMIT_CPU, SL_SANDBOX_CPU_SECONDS) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_CORE, 0);
}

bool sl_sandbox_enter(void)
{
    return true;
}

#endif
