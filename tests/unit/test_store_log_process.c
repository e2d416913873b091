/* The log between processes and threads: one writer, any number of readers, each process free to die at any moment. */
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { NOBODY = 65534 };

typedef struct child {
    pid_t pid;
    int to;   /* a byte written here lets the child's next hear() return */
    int from; /* a byte comes here for each of the child's say() */
} child;

static void say(int fd)
{
    if (write(fd, "!", 1) != 1) abort();
}

static bool hear(int fd)
{
    char byte;
    return read(fd, &byte, 1) == 1;
}

/* Forks; the child calls run(dir, hears, says) and ends with its result. To be called while no log is open: LMDB's
 * environments do not survive a fork. */
static child start_child(int (*run)(const char *dir, int hears, int says), const char *dir)
{
    int down[2];
    int up[2];
    assert_int_equal(pipe2(down, O_CLOEXEC), 0);
    assert_int_equal(pipe2(up, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(down[1]);
        close(up[0]);
        _exit(run(dir, down[0], up[1]));
    }
    close(down[0]);
    close(up[1]);
    return (child){.pid = pid, .to = down[1], .from = up[0]};
}

/* Waits for the child to end; returns its result, or minus the signal that killed it. */
static int end_child(const child *ended)
{
    int status = 0;
    close(ended->to);
    assert_int_equal(waitpid(ended->pid, &status, 0), ended->pid);
    close(ended->from);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* In a child no assertion of cmocka works: each check that fails is told by its line. */
#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            print_error("%s:%d: in the child: %s\n", __FILE__, __LINE__, #condition);                                  \
            return 1;                                                                                                  \
        }                                                                                                              \
    } while (0)

static sl_err open_quietly(sl_log **log, const char *dir, bool is_writer)
{
    char errmsg[SL_LOG_ERRMSG_BYTES];
    return sl_log_open(log, &(sl_log_options){.dir = dir, .is_writer = is_writer}, errmsg);
}

static int write_until_killed(const char *dir, int hears, int says)
{
    sl_log *log = NULL;
    CHECK(open_quietly(&log, dir, true) == SL_OK);
    const sl_event draft = draft_of("1");
    CHECK(sl_log_append(log, &draft, 1, NULL) == SL_OK);
    say(says);
    (void)hear(hears);
    return 1;
}

static void test_store_log_process_second_writer_is_refused(void **state)
{
    child first = start_child(write_until_killed, *state);
    assert_true(hear(first.from));
    char errmsg[SL_LOG_ERRMSG_BYTES];
    char who[32];
    (void)snprintf(who, sizeof who, "process %ld;", (long)first.pid);
    assert_int_equal(open_error(*state, true, errmsg), SL_ERR_BUSY);
    assert_non_null(strstr(errmsg, who));

    assert_int_equal(kill(first.pid, SIGKILL), 0);
    assert_int_equal(end_child(&first), -SIGKILL);
    sl_log *log = open_writer(*state); /* the lock died with it, what it committed did not */
    append_numbers(log, 2, 2);
    sl_log_close(log);
}

static void test_store_log_process_second_writer_of_one_process_is_refused(void **state)
{
    sl_log *log = open_writer(*state);
    char errmsg[SL_LOG_ERRMSG_BYTES];
    assert_int_equal(open_error(*state, true, errmsg), SL_ERR_BUSY);
    append_numbers(log, 1, 1);
    sl_log_close(log);
}

static int follow_from_outside(const char *dir, int hears, int says)
{
    CHECK(hear(hears));
    sl_log *log = NULL;
    sl_log_reader *reader = NULL;
    sl_event event;
    CHECK(open_quietly(&log, dir, false) == SL_OK);
    CHECK(sl_log_reader_open(log, 1, &reader) == SL_OK);
    for (uint64_t seq = 1; seq <= 3; seq++) CHECK(sl_log_read(reader, &event) == SL_OK && event.seq == seq);
    CHECK(sl_log_read(reader, &event) == SL_ERR_END);
    say(says);
    CHECK(hear(hears));
    for (uint64_t seq = 4; seq <= 1000; seq++) CHECK(sl_log_read(reader, &event) == SL_OK && event.seq == seq);
    CHECK(sl_log_read(reader, &event) == SL_ERR_END);
    uint64_t last = 0;
    CHECK(sl_log_last(log, &last) == SL_OK && last == 1000);
    sl_log_reader_close(reader);
    sl_log_close(log);
    return 0;
}

static void test_store_log_process_reader_follows_a_live_log(void **state)
{
    child follower = start_child(follow_from_outside, *state);
    sl_log *log = open_with(&(sl_log_options){.dir = *state, .is_writer = true, .durability = SL_DURABILITY_PROCESS});
    append_numbers(log, 1, 3);
    say(follower.to);
    assert_true(hear(follower.from));
    append_numbers(log, 4, 1000);
    say(follower.to);
    assert_int_equal(end_child(&follower), 0);
    sl_log_close(log);
}

static int read_until_killed(const char *dir, int hears, int says)
{
    CHECK(hear(hears));
    sl_log *log = NULL;
    sl_log_reader *reader = NULL;
    sl_event event;
    CHECK(open_quietly(&log, dir, false) == SL_OK);
    CHECK(sl_log_reader_open(log, 1, &reader) == SL_OK);
    CHECK(sl_log_read(reader, &event) == SL_OK);
    say(says);
    (void)hear(hears);
    return 1;
}

static void test_store_log_process_killed_reader_is_cleared_away(void **state)
{
    child reader = start_child(read_until_killed, *state);
    sl_log *log = open_writer(*state);
    append_numbers(log, 1, 1);
    say(reader.to);
    assert_true(hear(reader.from));
    int freed = -1;
    assert_int_equal(sl_log_reader_check(log, &freed), SL_OK);
    assert_int_equal(freed, 0); /* alive */
    assert_int_equal(kill(reader.pid, SIGKILL), 0);
    assert_int_equal(end_child(&reader), -SIGKILL);
    assert_int_equal(sl_log_reader_check(log, &freed), SL_OK);
    assert_int_equal(freed, 1);
    assert_int_equal(sl_log_reader_check(log, NULL), SL_OK);
    sl_log_close(log);
}

/* A disk that refuses one commit and would take the next. */
static int append_on_a_full_disk(const char *dir, int hears, int says)
{
    (void)hears;
    (void)says;
    sl_log *log = NULL;
    const sl_event draft = draft_of("text");
    uint64_t last = 0;
    CHECK(open_quietly(&log, dir, true) == SL_OK);
    CHECK(sl_log_append(log, &draft, 1, &last) == SL_OK && last == 1);

    const struct rlimit none_left = {.rlim_cur = 1, .rlim_max = RLIM_INFINITY};
    const struct rlimit unlimited = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    CHECK(setrlimit(RLIMIT_FSIZE, &none_left) == 0);
    CHECK(sl_log_append(log, &draft, 1, &last) == SL_ERR_IO);
    CHECK(setrlimit(RLIMIT_FSIZE, &unlimited) == 0);
    CHECK(strcmp(sl_log_error(log), "log: append: mdb_txn_commit: File too large") == 0);
    CHECK(sl_log_append(log, &draft, 1, &last) == SL_ERR_IO);
    CHECK(sl_log_last(log, &last) == SL_OK && last == 1);
    sl_log_close(log);
    return 0;
}

static void test_store_log_process_first_failed_commit_is_final(void **state)
{
    child writer = start_child(append_on_a_full_disk, *state);
    assert_int_equal(end_child(&writer), 0);
    sl_log *log = open_writer(*state);
    append_numbers(log, 2, 3);
    sl_log_reader *reader = reader_from(log, 1);
    expect_text(reader, 1, "text");
    expect_numbers(reader, 2, 3);
    expect_error(reader, SL_ERR_END);
    sl_log_reader_close(reader);
    sl_log_close(log);
}

/* Lets this process take `more` bytes of address space beyond what it has (terabytes under a sanitizer). */
static bool limit_address_space(rlim_t more)
{
    char pages[64] = "";
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return false;
    const bool is_read = fgets(pages, sizeof pages, file) != NULL;
    (void)fclose(file);
    const rlim_t limit = strtoull(pages, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE) + more;
    return is_read && setrlimit(RLIMIT_AS, &(struct rlimit){.rlim_cur = limit, .rlim_max = RLIM_INFINITY}) == 0;
}

/* As in a container that limits address space: the smaller map first, then none. */
static int open_in_little_address_space(const char *dir, int hears, int says)
{
    (void)hears;
    (void)says;
    sl_log *log = NULL;
    const sl_event draft = draft_of("1");
    CHECK(limit_address_space((rlim_t)128 << 30));
    CHECK(open_quietly(&log, dir, true) == SL_OK);
    CHECK(sl_log_append(log, &draft, 1, NULL) == SL_OK);
    sl_log_close(log);
    CHECK(limit_address_space((rlim_t)8 << 30));
    CHECK(open_quietly(&log, dir, true) == SL_ERR_MEMORY);
    CHECK(open_quietly(&log, dir, false) == SL_ERR_MEMORY);
    return 0;
}

static void test_store_log_process_takes_a_smaller_map_where_it_must(void **state)
{
    child limited = start_child(open_in_little_address_space, *state);
    assert_int_equal(end_child(&limited), 0);
}

/* Takes from `dir` and its files the right to write; the owner becomes somebody who is not root. */
static void make_read_only(const char *dir)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "writer.lock"};
    char path[600];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        if (geteuid() == 0) assert_int_equal(chown(path, NOBODY, NOBODY), 0);
        assert_int_equal(chmod(path, 0400), 0);
    }
    if (geteuid() == 0) assert_int_equal(chown(dir, NOBODY, NOBODY), 0);
    assert_int_equal(chmod(dir, 0500), 0);
}

static int restore_and_remove_dir(void **state)
{
    return chmod(*state, 0700) == 0 ? remove_dir(state) : -1;
}

static int read_without_lock_file(const char *dir, int hears, int says)
{
    CHECK(hear(hears));
    if (geteuid() == 0) CHECK(setresuid(NOBODY, NOBODY, NOBODY) == 0);
    sl_log *log = NULL;
    sl_log_reader *reader = NULL;
    sl_event event;
    CHECK(open_quietly(&log, dir, true) == SL_ERR_IO);
    CHECK(open_quietly(&log, dir, false) == SL_ERR_BUSY); /* somebody writes it still */
    say(says);
    CHECK(hear(hears));
    CHECK(open_quietly(&log, dir, false) == SL_OK);
    CHECK(sl_log_reader_open(log, 1, &reader) == SL_OK);
    CHECK(sl_log_read(reader, &event) == SL_OK);
    CHECK(sl_log_read(reader, &event) == SL_OK && event.seq == 2);
    CHECK(sl_log_read(reader, &event) == SL_ERR_END);
    say(says);
    CHECK(hear(hears)); /* somebody writes it again */
    CHECK(sl_log_read(reader, &event) == SL_ERR_BUSY);
    sl_log_reader_close(reader);
    sl_log_close(log);
    return 0;
}

static void test_store_log_process_reads_a_log_that_is_read_only(void **state)
{
    child reader = start_child(read_without_lock_file, *state);
    sl_log *log = open_writer(*state);
    append_numbers(log, 1, 2);
    make_read_only(*state);
    say(reader.to);
    assert_true(hear(reader.from));
    sl_log_close(log);
    say(reader.to);
    assert_true(hear(reader.from));

    /* A writer of our own making: as other than root we could not open the log for writing any more. */
    char path[600];
    (void)snprintf(path, sizeof path, "%s/writer.lock", (const char *)*state);
    assert_int_equal(chmod(path, 0600), 0);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    say(reader.to);
    assert_int_equal(end_child(&reader), 0);
    assert_int_equal(close(fd), 0);
}

enum { FOLLOWED_COUNT = 3000 };

/* Reads all that is appended meanwhile; NULL, or what went wrong. */
static void *follow_in_a_thread(void *log)
{
    sl_log_reader *reader = NULL;
    if (sl_log_reader_open(log, 1, &reader) != SL_OK) return "reader_open";
    const char *wrong = NULL;
    while (wrong == NULL && sl_log_reader_next_seq(reader) <= FOLLOWED_COUNT) {
        sl_event event;
        uint64_t last = 0;
        sl_err err = sl_log_read(reader, &event);
        if (err != SL_OK && err != SL_ERR_END) wrong = "read";
        if (sl_log_last(log, &last) != SL_OK || last + 1 < sl_log_reader_next_seq(reader)) wrong = "last";
    }
    sl_log_reader_close(reader);
    return (void *)wrong;
}

static void test_store_log_process_threads_follow_the_appending_one(void **state)
{
    sl_log *log = open_with(&(sl_log_options){.dir = *state, .is_writer = true, .durability = SL_DURABILITY_PROCESS});
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++) assert_int_equal(pthread_create(&threads[i], NULL, follow_in_a_thread, log), 0);
    append_numbers(log, 1, FOLLOWED_COUNT);
    for (size_t i = 0; i < 3; i++) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    sl_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_store_log_process_second_writer_is_refused, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_process_second_writer_of_one_process_is_refused, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_process_reader_follows_a_live_log, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_process_killed_reader_is_cleared_away, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_process_first_failed_commit_is_final, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_process_takes_a_smaller_map_where_it_must, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_process_threads_follow_the_appending_one, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_store_log_process_reads_a_log_that_is_read_only, make_dir,
                                        restore_and_remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
