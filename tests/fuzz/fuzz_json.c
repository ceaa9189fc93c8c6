/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes the JSON scanner: vectorised against plain inner loops, the lazy
 * scanner and cursors against the whole grammar, numbers and texts round
 * trip. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/error.h"
#include "core/json.h"
#include "core/json_internal.h"
#include "core/utf8.h"
#include "tests/fuzz/fuzz_loop.h"

static void compare_unescape(const struct oy_json_kernel *kernel,
                             const char *at, const char *end)
{
    struct oy_json_unescaped plain = {0}, fast = {0};
    const size_t room = (size_t)(end - at) + OY_PADDING;
    char *a = oy_alloc(room), *b = oy_alloc(room);
    const char *a_end = oy_json_plain.unescape(at, end, a, &plain);
    const char *b_end = kernel->unescape(at, end, b, &fast);

    OY_ASSERT(!a_end == !b_end);
    if (a_end) {
        OY_ASSERT(a_end - a == b_end - b);
        OY_ASSERT(memcmp(a, b, (size_t)(a_end - a)) == 0);
        OY_ASSERT(plain.n_repaired == fast.n_repaired);
    }
    oy_free(a);
    oy_free(b);
}

static void compare_kernel(const struct oy_json_kernel *kernel, const char *at,
                           const char *end)
{
    uint64_t a = 0, b = 0;

    OY_ASSERT(oy_json_plain.string_end(at, end, &a) ==
              kernel->string_end(at, end, &b));
    OY_ASSERT(oy_json_plain.plain_end(at, end, &a) ==
              kernel->plain_end(at, end, &b));
    OY_ASSERT(oy_json_plain.container_end(at, end) ==
              kernel->container_end(at, end));
    compare_unescape(kernel, at, end);
}

/* A value of a valid text is whole: texts are given, numbers are read. */
static void read_value(const struct oy_json_value *value)
{
    struct oy_arena arena = {0};
    struct oy_buffer out = {0};
    uint64_t n_repaired = 0;
    struct oy_text text;
    const char *why;
    double number;

    if (value->kind == OY_JSON_STRING) {
        OY_ASSERT(!oy_json_text(value, &arena, &text, &n_repaired, &why));
        OY_ASSERT(oy_utf8_valid(text.at, text.len));
        oy_json_put_string(&out, text.at, text.len);
    }
    if (!oy_json_double(value, &number))
        oy_json_put_double(&out, number);
    oy_buffer_release(&out);
    oy_arena_release(&arena);
}

/* What the grammar accepts, the cursor walks to its end. */
static void walk_value(const struct oy_json_value *value, int depth)
{
    struct oy_json_value key, inner;
    struct oy_json_cursor cursor;
    int more;

    read_value(value);
    if (depth > 50 ||
        (value->kind != OY_JSON_OBJECT && value->kind != OY_JSON_ARRAY))
        return;
    oy_json_enter(&cursor, value);
    do {
        more = value->kind == OY_JSON_OBJECT
                   ? oy_json_next_member(&cursor, &key, &inner)
                   : oy_json_next_element(&cursor, &inner);
        if (more == 1)
            walk_value(&inner, depth + 1);
    } while (more == 1);
    OY_ASSERT(more == 0);
}

static void compare_readers(const char *text, size_t len)
{
    struct oy_json_query query = {0};
    struct oy_json_value value, found[2];
    struct oy_json_line line;
    const char *why;
    size_t where;

    oy_json_query_add(&query, "text");
    oy_json_query_add(&query, "a.b");
    const int scanned = oy_json_scan(&query, text, len, found, &line);
    if (!oy_json_validate(text, len, &why, &where)) {
        OY_ASSERT(!oy_json_value_of(text, len, &value, &why));
        OY_ASSERT(!scanned == (value.kind == OY_JSON_OBJECT));
        walk_value(&value, 0);
    } else {
        OY_ASSERT(why && where <= len);
    }
    oy_json_query_release(&query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oy_buffer repaired = {0};
    char *text = oy_alloc(size + OY_PADDING);

    memcpy(text, data, size);
    memset(text + size, '"', OY_PADDING);
    if (oy_cpu_level() >= OY_CPU_AVX2)
        compare_kernel(&oy_json_avx2, text, text + size);
    if (oy_cpu_level() >= OY_CPU_AVX512 && oy_json_has_vbmi2())
        compare_kernel(&oy_json_avx512, text, text + size);
    compare_readers(text, size);
    OY_ASSERT(oy_utf8_valid(text, size) == oy_utf8_valid_plain(text, size));
    oy_utf8_repair(text, size, &repaired);
    OY_ASSERT(oy_utf8_valid(repaired.data, repaired.len));
    oy_buffer_release(&repaired);
    oy_free(text);
    return 0;
}

/* Pieces of JSON. */
const char *const fuzz_piece[] = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\"text\"",
    "\"a\"",
    "\"b\"",
    "{\"a\":",
    "\\u00",
    "\\ud83d\\ude00",
    "\\n",
    "\\",
    "1",
    "-0.5e3",
    "true",
    "null",
    " ",
    "\xc3\xa9",
    "\xe2",
    "\x01",
    "9007199254740993",
    "[1,2]",
    "{}",
    NULL,
};
