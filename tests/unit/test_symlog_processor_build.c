/* From a user's source to a shared object, and what people are told when none comes of it. */
#include "tests/unit/processor_fixture.h"
#include "tests/unit/store_fixture.h"
#include "tools/symlog/child.h"
#include "tools/symlog/processor_compiler.h"

#include <dirent.h>
#include <sys/stat.h>

#define EMPTY_SOURCE PROCESS_BEGIN PROCESS_END

static size_t count_entries(const char *path)
{
    DIR *folder = opendir(path);
    assert_non_null(folder);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* A folder in which nothing must be left. */
static int make_room(void **state)
{
    (void)unsetenv("SYMLOG_CC");
    return make_dir(state) != 0 ? -1 : setenv("TMPDIR", *state, 1);
}

static int leave_room(void **state)
{
    (void)unsetenv("SYMLOG_CC");
    (void)unsetenv("TMPDIR");
    const bool is_clean = count_entries(*state) == 0;
    return remove_dir(state) != 0 || !is_clean ? -1 : 0;
}

static sl_err compile(const char *source, sl_processor_build *build)
{
    return sl_processor_compile("sets/my.c", source, strlen(source), NULL, build);
}

static void write_text(const char *folder, const char *name, const char *text, size_t length, char *path)
{
    (void)snprintf(path, 1024, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void test_symlog_processor_build_private(void **state)
{
    sl_processor_build build;
    assert_int_equal(compile(EMPTY_SOURCE, &build), SL_OK);
    assert_string_equal(build.message, "");
    assert_string_equal(build.warnings, "");
    struct stat about;
    assert_int_equal(stat(build.folder, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0700);
    assert_int_equal(stat(build.path, &about), 0);
    assert_int_equal(count_entries(*state), 1);
    sl_processor_build_remove(&build);
    sl_processor_build_remove(&build); /* passed over */
    assert_int_equal(count_entries(*state), 0);
}

static void test_symlog_processor_build_error(void **state)
{
    (void)state;
    sl_processor_build build;
    assert_int_equal(compile("#include \"symlog_processor.h\"\n    int x = y;\n", &build), SL_ERR_REFUSED);
    assert_memory_equal(build.message, "sets/my.c:2:13: error: ", 23);
    assert_null(strstr(build.message, "symlog-processor-"));
    assert_null(strchr(build.message, '\n'));
}

static void test_symlog_processor_build_many_errors(void **state)
{
    (void)state;
    sl_processor_build build;
    assert_int_equal(compile("int a = w;\nint b = x;\nint c = y;\nint d = z;\n", &build), SL_ERR_REFUSED);
    assert_memory_equal(build.message, "sets/my.c:1:", 12);
    assert_non_null(strstr(build.message, "\nsets/my.c:3:"));
    assert_null(strstr(build.message, "my.c:4:"));
    assert_non_null(strstr(build.message, "(and 1 more)"));
}

/* What compilers only warn of, and what would be found out when it is loaded, at the earliest. */
static void test_symlog_processor_build_unknown_function(void **state)
{
    (void)state;
    sl_processor_build build;
    assert_int_equal(compile(PROCESS_BEGIN "missing();\n" PROCESS_END, &build), SL_ERR_REFUSED);
    assert_memory_equal(build.message, "sets/my.c:5:1: error: ", 22);
}

static void test_symlog_processor_build_warning(void **state)
{
    (void)state;
    sl_processor_build build;
    assert_int_equal(compile(PROCESS_BEGIN "int unused;\n" PROCESS_END, &build), SL_OK);
    assert_memory_equal(build.warnings, "sets/my.c:5:5: warning: ", 24);
    sl_processor_build_remove(&build);
}

/* M_PI, and what else beginners look up, is there. */
static void test_symlog_processor_build_mathematics(void **state)
{
    (void)state;
    sl_processor_build build;
    assert_int_equal(compile("#include <math.h>\n" PROCESS_BEGIN LOOP("sin(M_PI * x)") PROCESS_END, &build), SL_OK);
    sl_processor_build_remove(&build);
}

static void test_symlog_processor_build_cancelled(void **state)
{
    (void)state;
    sl_processor_build build;
    const atomic_bool is_cancelled = true;
    const char *source = EMPTY_SOURCE;
    assert_int_equal(sl_processor_compile("my.c", source, strlen(source), &is_cancelled, &build), SL_ERR_END);
    assert_string_equal(build.message, "my.c: was not compiled: symlog is stopping");
}

static void test_symlog_processor_build_chosen_compiler(void **state)
{
    (void)state;
    sl_processor_build build;
    sl_processor_compiler found;
    char message[256], chosen[8192];
    assert_int_equal(sl_processor_compiler_find(&found, message, sizeof message), SL_OK);
    (void)snprintf(chosen, sizeof chosen, "%s %s -DCHOSEN ", found.words[0],
                   found.word_count > 1 ? found.words[1] : "");
    assert_int_equal(setenv("SYMLOG_CC", chosen, 1), 0);
    assert_int_equal(compile("#ifndef CHOSEN\n#error not chosen\n#endif\n", &build), SL_OK);
    sl_processor_build_remove(&build);
}

static void test_symlog_processor_build_chosen_is_missing(void **state)
{
    (void)state;
    sl_processor_build build;
    assert_int_equal(setenv("SYMLOG_CC", "ccc -O3", 1), 0);
    assert_int_equal(compile(EMPTY_SOURCE, &build), SL_ERR_NOT_FOUND);
    assert_string_equal(build.message, "sets/my.c: SYMLOG_CC is \"ccc -O3\", and there is no such program");
    assert_int_equal(setenv("SYMLOG_CC", "/nowhere/cc", 1), 0);
    assert_int_equal(compile(EMPTY_SOURCE, &build), SL_ERR_NOT_FOUND);
}

static void test_symlog_processor_build_chosen_is_none(void **state)
{
    (void)state;
    sl_processor_build build;
    assert_int_equal(setenv("SYMLOG_CC", "/bin/false", 1), 0);
    assert_int_equal(compile(EMPTY_SOURCE, &build), SL_ERR_REFUSED);
    assert_non_null(strstr(build.message, "/false failed, and does not say why"));
    assert_int_equal(setenv("SYMLOG_CC", "/bin/true", 1), 0);
    assert_int_equal(compile(EMPTY_SOURCE, &build), SL_ERR_REFUSED);
    assert_non_null(strstr(build.message, "/true made no shared object of it: is it a C compiler?"));
}

static void test_symlog_processor_build_broken_compiler(void **state)
{
    (void)state;
    sl_processor_build build;
    assert_int_equal(setenv("SYMLOG_CC", "/usr/bin/env cat /nowhere", 1), 0);
    assert_int_equal(compile(EMPTY_SOURCE, &build), SL_ERR_REFUSED);
    assert_memory_equal(build.message, "sets/my.c: the compiler failed:\n", 32);
}

/* A copy of this program stands beside no .tools, and children have no PATH. */
static void test_symlog_processor_build_no_compiler(void **state)
{
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/alone", (const char *)*state);
    FILE *from = fopen("/proc/self/exe", "re"), *to = fopen(path, "we");
    assert_true(from != NULL && to != NULL);
    static char part[1 << 16];
    for (size_t count; (count = fread(part, 1, sizeof part, from)) > 0;)
        assert_int_equal(fwrite(part, 1, count, to), count);
    (void)fclose(from);
    assert_int_equal(fclose(to), 0);
    assert_int_equal(chmod(path, 0700), 0);
    const char *const argv[] = {path, "--no-compiler", NULL};
    const sl_child_job job = {.path = path, .argv = argv, .out_max = 4096, .time_ms_max = 30000, .memory_mb_max = 1024};
    sl_child_result child;
    assert_int_equal(sl_child_run(&job, 1, &child), SL_OK);
    assert_int_equal(child.end, SL_CHILD_DONE);
    assert_string_equal((const char *)child.out,
                        "my.c: no C compiler was found: install gcc or clang, or set SYMLOG_CC\n");
    free(child.out);
    assert_int_equal(remove(path), 0);
}

static int say_no_compiler(void)
{
    sl_processor_build build;
    const sl_err err = sl_processor_compile("my.c", "", 0, NULL, &build);
    (void)printf("%s\n", build.message);
    return err == SL_ERR_NOT_FOUND ? 0 : 1;
}

static void test_symlog_processor_build_no_folder(void **state)
{
    sl_processor_build build;
    assert_int_equal(setenv("TMPDIR", "/nowhere", 1), 0);
    assert_int_equal(compile(EMPTY_SOURCE, &build), SL_ERR_IO);
    assert_string_equal(build.message, "sets/my.c: no folder to compile it in can be made in /nowhere "
                                       "(No such file or directory): set TMPDIR to another");
    assert_int_equal(setenv("TMPDIR", *state, 1), 0);
}

static void test_symlog_processor_read_missing(void **state)
{
    (void)state;
    char message[SL_PROCESSOR_BUILD_TEXT_BYTES];
    char *source;
    size_t length;
    assert_int_equal(sl_processor_read("nowhere/my.c", &source, &length, message), SL_ERR_NOT_FOUND);
    assert_string_equal(message, "nowhere/my.c: no such file; processors/gain.c in symlog's tools is an example");
    assert_null(source);
}

static void test_symlog_processor_read_no_file(void **state)
{
    (void)state;
    char message[SL_PROCESSOR_BUILD_TEXT_BYTES];
    char *source;
    size_t length;
    assert_int_equal(sl_processor_read("tests", &source, &length, message), SL_ERR_IO);
    assert_string_equal(message, "tests: is a folder; a processor is one C file");
    assert_int_equal(sl_processor_read("/dev/null", &source, &length, message), SL_ERR_IO);
    assert_string_equal(message, "/dev/null: is not a file");
}

static void test_symlog_processor_read_bounds(void **state)
{
    char message[SL_PROCESSOR_BUILD_TEXT_BYTES], path[1024];
    char *text = calloc(1, SL_PROCESSOR_SOURCE_BYTES_MAX + 1), *source;
    size_t length;
    assert_non_null(text);
    memset(text, ' ', SL_PROCESSOR_SOURCE_BYTES_MAX + 1);
    write_text(*state, "big.c", text, SL_PROCESSOR_SOURCE_BYTES_MAX, path);
    assert_int_equal(sl_processor_read(path, &source, &length, message), SL_OK);
    assert_int_equal(length, SL_PROCESSOR_SOURCE_BYTES_MAX);
    assert_int_equal(strlen(source), length);
    free(source);
    write_text(*state, "big.c", text, SL_PROCESSOR_SOURCE_BYTES_MAX + 1, path);
    assert_int_equal(sl_processor_read(path, &source, &length, message), SL_ERR_RANGE);
    write_text(*state, "big.c", "a\0b", 3, path);
    assert_int_equal(sl_processor_read(path, &source, &length, message), SL_ERR_MALFORMED);
    write_text(*state, "big.c", "", 0, path);
    assert_int_equal(sl_processor_read(path, &source, &length, message), SL_OK);
    assert_int_equal(length, 0);
    free(source);
    free(text);
    assert_int_equal(remove(path), 0);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--no-compiler") == 0) return say_no_compiler();
#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, make_room, leave_room)
    const struct CMUnitTest tests[] = {
        IN_ROOM(test_symlog_processor_build_private),           IN_ROOM(test_symlog_processor_build_error),
        IN_ROOM(test_symlog_processor_build_many_errors),       IN_ROOM(test_symlog_processor_build_unknown_function),
        IN_ROOM(test_symlog_processor_build_warning),           IN_ROOM(test_symlog_processor_build_mathematics),
        IN_ROOM(test_symlog_processor_build_cancelled),         IN_ROOM(test_symlog_processor_build_chosen_compiler),
        IN_ROOM(test_symlog_processor_build_chosen_is_missing), IN_ROOM(test_symlog_processor_build_chosen_is_none),
        IN_ROOM(test_symlog_processor_build_broken_compiler),   IN_ROOM(test_symlog_processor_build_no_compiler),
        IN_ROOM(test_symlog_processor_build_no_folder),         cmocka_unit_test(test_symlog_processor_read_missing),
        cmocka_unit_test(test_symlog_processor_read_no_file),   IN_ROOM(test_symlog_processor_read_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
