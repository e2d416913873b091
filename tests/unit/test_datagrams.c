/* The corpus of datagrams: each file's name says whether core's OSC reader takes it (see tests/make_datagrams.py). */
#include "core/osc.h"

#include "tests/unit/cmocka_small.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char folder[] = "fixtures/datagrams";

enum { NAME_BYTES_MAX = 300, FILE_BYTES_MAX = 1 << 17, FILES_MIN = 70 };

typedef struct datagram {
    uint8_t *bytes; /* exactly `length`: a sanitizer sees every step beyond them */
    size_t length;
} datagram;

static _Noreturn void give_up(const char *path)
{
    (void)fprintf(stderr, "%s: %s (tests run in the project's folder)\n", path, strerror(errno));
    exit(1);
}

static datagram read_datagram(const char *name)
{
    char path[sizeof folder + NAME_BYTES_MAX];
    static uint8_t buffer[FILE_BYTES_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) give_up(path);
    datagram read = {.length = fread(buffer, 1, sizeof buffer, file)};
    (void)fclose(file);
    read.bytes = malloc(read.length > 0 ? read.length : 1);
    if (read.bytes == NULL) abort();
    memcpy(read.bytes, buffer, read.length);
    return read;
}

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Checks every file whose name begins with `prefix`; how many there were. */
static size_t check_files(const char *prefix, bool is_good)
{
    DIR *files = opendir(folder);
    if (files == NULL) give_up(folder);
    size_t count = 0;
    for (struct dirent *entry = readdir(files); entry != NULL; entry = readdir(files)) {
        if (!begins(entry->d_name, prefix)) continue;
        datagram given = read_datagram(entry->d_name);
        sl_osc_error error;
        if (sl_osc_check(given.bytes, given.length, &error) != is_good) {
            fail_msg("%s: %s at byte %zu", entry->d_name, sl_osc_fault_text(error.fault), error.position);
        }
        free(given.bytes);
        count++;
    }
    (void)closedir(files);
    return count;
}

static void test_datagrams_ok_are_accepted(void **state)
{
    (void)state;
    assert_true(check_files("ok_", true) > 0);
}

static void test_datagrams_bad_are_refused(void **state)
{
    (void)state;
    assert_true(check_files("bad_", false) > 0);
}

static void test_datagrams_corpus_is_whole(void **state)
{
    (void)state;
    assert_true(check_files("ok_", true) + check_files("bad_", false) >= FILES_MIN);
}

static void test_datagrams_every_fault_occurs(void **state)
{
    (void)state;
    static const struct {
        sl_osc_fault fault;
        const char *name;
    } examples[] = {
        {SL_OSC_FAULT_EMPTY, "bad_no_bytes.bin"},
        {SL_OSC_FAULT_LENGTH, "bad_length_odd.bin"},
        {SL_OSC_FAULT_LENGTH, "bad_too_long.bin"},
        {SL_OSC_FAULT_ADDRESS, "bad_address_padding.bin"},
        {SL_OSC_FAULT_TAGS, "bad_tags_missing.bin"},
        {SL_OSC_FAULT_TAG, "bad_tag_unknown.bin"},
        {SL_OSC_FAULT_ARGUMENT, "bad_blob_negative.bin"},
        {SL_OSC_FAULT_TRAILING, "bad_trailing_bytes.bin"},
        {SL_OSC_FAULT_BUNDLE, "bad_bundle_misspelled.bin"},
        {SL_OSC_FAULT_ELEMENT, "bad_bundle_element_empty_last.bin"},
        {SL_OSC_FAULT_DEPTH, "bad_bundle_nested_3000_deep.bin"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        datagram given = read_datagram(examples[i].name);
        sl_osc_error error;
        (void)sl_osc_check(given.bytes, given.length, &error);
        free(given.bytes);
        assert_int_equal(error.fault, examples[i].fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_datagrams_ok_are_accepted),
        cmocka_unit_test(test_datagrams_bad_are_refused),
        cmocka_unit_test(test_datagrams_corpus_is_whole),
        cmocka_unit_test(test_datagrams_every_fault_occurs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
