/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes templates: whatever the source, compiling and rendering end, within
 * the limits, with a text or an error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/input.h"
#include "tests/fuzz/fuzz_loop.h"
#include "tokenizer/template.h"

static const char vars_json[] =
    "{\"x\":5,\"s\":\"a b\",\"l\":[1,\"b\"],\"d\":{\"k\":[{\"n\":2}]},"
    "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"},"
    "{\"role\":\"assistant\",\"content\":\"<think>a</think>b\","
    "\"tool_calls\":[{\"id\":\"abcdefghi\",\"function\":{\"name\":\"f\","
    "\"arguments\":{\"x\":1}}}]},{\"role\":\"tool\",\"content\":\"t\"}],"
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\","
    "\"parameters\":{\"properties\":{\"x\":{\"type\":\"integer\"}}}}}]}"
    "                                                                ";

static void render(const struct template *template, struct oy_arena *arena)
{
    struct oy_error err = {0};
    struct oy_buffer out = {0};
    struct template_value vars;
    struct template_spans spans = {0};
    const struct tm now = {.tm_year = 124, .tm_mday = 1};
    const struct template_context context = {&now, &spans};
    const char *why;

    OY_ASSERT(template_parse_json(vars_json, strlen(vars_json), arena, &vars,
                                  &why) == 0);
    if (template_render_in(template, &context, &vars, arena, &out, &err))
        OY_ASSERT(err.code == OY_DATA && out.len == 0);
    else
        OY_ASSERT(out.len <= 16 << 20);
    for (size_t i = 0; i < spans.n; i++)
        OY_ASSERT(spans.span[i].start <= spans.span[i].end);
    template_spans_release(&spans);
    oy_buffer_release(&out);
}

/* The first byte chooses the flags. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct template_options options = {.flags = size ? data[0] & 15 : 0};
    struct oy_error err = {0};
    struct oy_arena arena = {0};
    struct template *template;

    if (!size)
        return 0;
    template =
        template_compile((const char *)data + 1, size - 1, &options, &err);
    if (template)
        render(template, &arena);
    else
        OY_ASSERT(err.code == OY_DATA);
    template_free(template);
    oy_arena_release(&arena);
    return 0;
}

/* Pieces of the language come further than bytes. */
const char *const fuzz_piece[] = {
    "{{ ",
    " }}",
    "{% ",
    " %}",
    "{%- ",
    " -%}",
    "if ",
    "x",
    "elif ",
    "else",
    "endif",
    "for ",
    "y in ",
    "l",
    "endfor",
    "set ",
    "z = ",
    "macro ",
    "m(a)",
    "endmacro",
    "m(1)",
    "d.k",
    "[0]",
    "[1:]",
    "(",
    ")",
    "|",
    "join",
    "length",
    " is ",
    "defined",
    "'t'",
    "\"u\"",
    "1",
    "2.5",
    " + ",
    " ~ ",
    " // ",
    " == ",
    " in ",
    " not ",
    " and ",
    "{# ",
    " #}",
    "raw",
    "endraw",
    "\n",
    "text",
    "loop.",
    "index",
    "range(3)",
    "namespace(q=1)",
    ", ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "generation",
    "endgeneration",
    "call ",
    "endcall",
    "caller()",
    "filter ",
    "endfilter",
    "with ",
    "endwith",
    "continue",
    "break",
    "strftime_now('%Y')",
    "tojson",
    "map('upper')",
    "selectattr('n')",
    "sort",
    "dictsort",
    "safe",
    "'%s {}'",
    "%",
    ".format(",
    "**d",
    "*l",
    "list",
    "unique",
    "batch(2)",
    "ns.",
    "messages",
    "indent(2)",
    "replace('a', 'b')",
    NULL,
};
