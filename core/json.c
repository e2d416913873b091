/* Looks at JSON without recursion and without memory. */
#include "core/json.h"

#include "core/text.h"

#include <string.h>

/* What may come next. */
typedef enum expect { EXPECT_VALUE, EXPECT_KEY, EXPECT_MORE, EXPECT_NOTHING } expect;

typedef struct scan {
    const char *at;
    const char *end;
    size_t depth;
    bool is_object[SL_JSON_DEPTH_MAX]; // At each depth: an object, else a list.
    bool is_bad;
} scan;

static expect scan_value(scan *scan);
static expect scan_key(scan *scan);
static expect scan_more(scan *scan);
static expect scan_open(scan *scan, bool is_object);
static expect close_one(scan *scan);
static void scan_string(scan *scan);
static void scan_escape(scan *scan);
static void scan_number(scan *scan);
static void scan_digits(scan *scan);
static void take_one_of(scan *scan, const char *bytes);
static bool take(scan *scan, const char *word);

bool sl_json_check(const char *bytes, size_t length)
{
    scan scan;
    scan.at = bytes;
    scan.end = bytes + length;
    scan.depth = 0;
    scan.is_bad = length == 0;
    expect next = EXPECT_VALUE;
    while (!scan.is_bad && next != EXPECT_NOTHING) {
        switch (next) {
        case EXPECT_VALUE: next = scan_value(&scan); break;
        case EXPECT_KEY: next = scan_key(&scan); break;
        case EXPECT_MORE: next = scan_more(&scan); break;
        case EXPECT_NOTHING: break;
        }
    }
    return !scan.is_bad && scan.at == scan.end;
}

static expect scan_value(scan *scan)
{
    if (take(scan, "{")) return scan_open(scan, true);
    if (take(scan, "[")) return scan_open(scan, false);
    if (take(scan, "\"")) {
        scan_string(scan);
    } else if (!take(scan, "true") && !take(scan, "false") && !take(scan, "null")) {
        scan_number(scan);
    }
    return EXPECT_MORE;
}

static expect scan_open(scan *scan, bool is_object)
{
    if (scan->depth == SL_JSON_DEPTH_MAX) {
        scan->is_bad = true;
        return EXPECT_NOTHING;
    }
    scan->is_object[scan->depth++] = is_object;
    if (take(scan, is_object ? "}" : "]")) return close_one(scan);
    return is_object ? EXPECT_KEY : EXPECT_VALUE;
}

static expect close_one(scan *scan)
{
    scan->depth--;
    return EXPECT_MORE;
}

static expect scan_key(scan *scan)
{
    if (!take(scan, "\"")) scan->is_bad = true;
    scan_string(scan);
    if (!take(scan, ":")) scan->is_bad = true;
    return EXPECT_VALUE;
}

/* Behind a value. */
static expect scan_more(scan *scan)
{
    if (scan->depth == 0) return EXPECT_NOTHING;
    const bool is_object = scan->is_object[scan->depth - 1];
    if (take(scan, ",")) return is_object ? EXPECT_KEY : EXPECT_VALUE;
    if (take(scan, is_object ? "}" : "]")) return close_one(scan);
    scan->is_bad = true;
    return EXPECT_NOTHING;
}

/* Behind the first quotation mark, to behind the last. */
static void scan_string(scan *scan)
{
    while (!scan->is_bad && !take(scan, "\"")) {
        if (take(scan, "\\")) {
            scan_escape(scan);
            continue;
        }
        bool is_valid = scan->at < scan->end && (unsigned char)*scan->at >= ' ';
        size_t part = 1;
        if (is_valid && (unsigned char)*scan->at >= 0x80) {
            part = sl_text_utf8_part(scan->at, (size_t)(scan->end - scan->at), &is_valid);
        }
        scan->is_bad = !is_valid;
        if (is_valid) scan->at += part;
    }
}

static void scan_escape(scan *scan)
{
    if (!take(scan, "u")) {
        take_one_of(scan, "\"\\/bfnrt");
        return;
    }
    for (int i = 0; i < 4; i++) take_one_of(scan, "0123456789abcdefABCDEF");
}

static void scan_number(scan *scan)
{
    take(scan, "-");
    if (!take(scan, "0")) scan_digits(scan);
    if (take(scan, ".")) scan_digits(scan);
    if (take(scan, "e") || take(scan, "E")) {
        if (!take(scan, "+")) take(scan, "-");
        scan_digits(scan);
    }
}

/* At least one. */
static void scan_digits(scan *scan)
{
    const char *begin = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') scan->at++;
    if (scan->at == begin) scan->is_bad = true;
}

/* Passes over the next byte, which must be one of those. */
static void take_one_of(scan *scan, const char *bytes)
{
    const bool is_one = scan->at < scan->end && *scan->at != '\0' && strchr(bytes, *scan->at) != NULL;
    if (is_one) scan->at++;
    if (!is_one) scan->is_bad = true;
}

/* Passes over `word` if it comes next. */
static bool take(scan *scan, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0) return false;
    scan->at += length;
    return true;
}
