/* Tests of ingest/setlists: programs.json to the payload of an event, or a reason. */
#include "tests/unit/cmocka_small.h"

#include "core/payload.h"
#include "ingest/setlists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE "\"title\": \"Styles\", "

static void refuse(const char *json, sl_err expected, const char *why)
{
    uint8_t *payload = NULL;
    size_t length = 0;
    char reason[SL_SETLISTS_REASON_BYTES] = "";
    assert_int_equal(sl_setlists_make(json, strlen(json), &payload, &length, reason), expected);
    assert_string_equal(reason, why);
    assert_null(payload);
}

static void test_setlists_payload(void **state)
{
    (void)state;
    static const char json[] = "{\"format\": 2, \"version\": \"x\", \"setlists\": ["
                               "{" TITLE "\"programs\": [{\"name\": \"Rock\", \"prog\": \"t120;kick:4=X.x.\", \"x\": 1},"
                               " {\"name\": \"\", \"prog\": \"beep:4\"}]}, {\"title\": \"Song\", \"programs\": []}]}";
    uint8_t *payload = NULL;
    size_t length = 0;
    char reason[SL_SETLISTS_REASON_BYTES] = "";
    assert_int_equal(sl_setlists_make(json, strlen(json), &payload, &length, reason), SL_OK);

    const sl_event event = {.kind = SL_KIND_SETLISTS,
                            .version = SL_PAYLOAD_VERSION,
                            .payload = payload,
                            .length = (uint32_t)length};
    sl_setlists lists;
    const char *title = NULL, *name = NULL, *patch = NULL;
    size_t title_length = 0, name_length = 0, patch_length = 0;
    uint32_t count = 0;
    assert_int_equal(sl_setlists_decode(&event, &lists), SL_OK);
    assert_int_equal(lists.list_count, 2);
    sl_setlists_next_list(&lists, &title, &title_length, &count);
    assert_true(title_length == 6 && memcmp(title, "Styles", 6) == 0 && count == 2);
    sl_setlists_next_item(&lists, &name, &name_length, &patch, &patch_length);
    assert_true(name_length == 4 && memcmp(name, "Rock", 4) == 0);
    assert_true(patch_length == 16 && memcmp(patch, "t120;kick:4=X.x.", 16) == 0);
    free(payload);
}

static void test_setlists_no_json(void **state)
{
    (void)state;
    refuse("{\"format\": 2,", SL_ERR_MALFORMED,
           "no JSON at line 1, column 13: string or '}' expected near end of file");
}

static void test_setlists_other_format(void **state)
{
    (void)state;
    refuse("{\"format\": 3, \"setlists\": []}", SL_ERR_VERSION,
           "\"format\" is not 2, the one that this program knows");
}

static void test_setlists_no_lists(void **state)
{
    (void)state;
    refuse("{\"format\": 2}", SL_ERR_REFUSED, "\"setlists\" is not a list");
}

static void test_setlists_list_without_title(void **state)
{
    (void)state;
    refuse("{\"format\": 2, \"setlists\": [{\"programs\": []}]}", SL_ERR_REFUSED,
           "set list 0 lacks a \"title\" or its \"programs\"");
}

static void test_setlists_program_without_prog(void **state)
{
    (void)state;
    refuse("{\"format\": 2, \"setlists\": [{" TITLE "\"programs\": [{\"name\": \"a\"}]}]}", SL_ERR_REFUSED,
           "set list \"Styles\", program 0: it lacks a \"name\" or its \"prog\"");
}

static void test_setlists_program_that_is_no_patch(void **state)
{
    (void)state;
    static const char json[] =
        "{\"format\": 2, \"setlists\": [{" TITLE "\"programs\": [{\"name\": \"a\", \"prog\": \"kick:4/5\"}]}]}";
    uint8_t *payload = NULL;
    size_t length = 0;
    char reason[SL_SETLISTS_REASON_BYTES] = "";
    assert_int_equal(sl_setlists_make(json, strlen(json), &payload, &length, reason), SL_ERR_REFUSED);
    assert_non_null(strstr(reason, "set list \"Styles\", program 0 \"a\": at byte 7 of it "));
}

static void test_setlists_too_many_programs(void **state)
{
    (void)state;
    enum { COUNT = SL_SETLISTS_ITEMS_MAX + 1 };
    static const char item[] = "{\"name\":\"\",\"prog\":\"beep:4\"},";
    char *json = malloc(100 + COUNT * sizeof item);
    assert_non_null(json);
    int length = sprintf(json, "{\"format\":2,\"setlists\":[{" TITLE "\"programs\":[");
    for (int i = 0; i < COUNT; i++) length += sprintf(json + length, "%s", item);
    sprintf(json + length - 1, "]}]}");
    refuse(json, SL_ERR_FULL, "set list \"Styles\" has too many programs");
    free(json);
}

static void test_setlists_no_file(void **state)
{
    (void)state;
    uint8_t *payload = NULL;
    size_t length = 0;
    char reason[SL_SETLISTS_REASON_BYTES] = "";
    assert_int_equal(sl_setlists_read("/nowhere/programs.json", &payload, &length, reason), SL_ERR_IO);
    assert_string_equal(reason, "it cannot be read: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setlists_payload),
        cmocka_unit_test(test_setlists_no_json),
        cmocka_unit_test(test_setlists_other_format),
        cmocka_unit_test(test_setlists_no_lists),
        cmocka_unit_test(test_setlists_list_without_title),
        cmocka_unit_test(test_setlists_program_without_prog),
        cmocka_unit_test(test_setlists_program_that_is_no_patch),
        cmocka_unit_test(test_setlists_too_many_programs),
        cmocka_unit_test(test_setlists_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
