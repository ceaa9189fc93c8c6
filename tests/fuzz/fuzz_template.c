/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes templates: whatever the source, compiling and rendering end, within
 * the limits, with a text or an error.
 *
 *     clang -fsanitize=fuzzer,address ...        libFuzzer
 *     gcc -DFUZZ_STANDALONE -fsanitize=address ... files, `--random N` inputs,
 *         or `--mutate N FILE...`: N changed copies of each template */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/input.h"
#include "tokenizer/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

#ifdef FUZZ_STANDALONE

/* What a template is made of. */
static const char *const piece[] = {
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
};

/* Pieces of the language in random order come further than random bytes. */
static size_t make_input(uint8_t *input, size_t cap)
{
    size_t len = 1;

    input[0] = (uint8_t)rand();
    for (int n = rand() % 40; n > 0; n--) {
        const char *p = piece[(size_t)rand() % (sizeof piece / sizeof *piece)];
        if (len + strlen(p) > cap)
            break;
        memcpy(input + len, p, strlen(p));
        len += strlen(p);
    }
    return len;
}

static char *read_file(const char *path, size_t *len)
{
    struct oy_error err = {0};
    char *text = oy_input_slurp(path, 1 << 24, len, &err);

    if (!text)
        fprintf(stderr, "%s\n", err.message);
    return text;
}

static int run_file(const char *path)
{
    size_t len;
    char *text = read_file(path, &len);

    if (!text)
        return 1;
    LLVMFuzzerTestOneInput((const uint8_t *)text, len);
    oy_free(text);
    return 0;
}

/* A copy with bytes changed, left out, or moved from another place. */
static void mutate_once(const char *text, size_t len, uint8_t *copy)
{
    size_t n = len;

    copy[0] = 3; /* as chats are rendered */
    memcpy(copy + 1, text, len);
    for (int k = rand() % 4 + 1; k > 0 && n > 40; k--) {
        const size_t at = 1 + (size_t)rand() % (n - 32);
        const size_t from = 1 + (size_t)rand() % (n - 32);
        const size_t some = (size_t)rand() % 32;
        switch (rand() % 4) {
        case 0: copy[at] = (uint8_t)rand(); break;
        case 1: memmove(copy + at, copy + from, some); break;
        case 2:
            memmove(copy + at, copy + at + some, n + 1 - at - some);
            n -= some;
            break;
        default: copy[at] = (uint8_t) "{}%()[]|\"'.-1"[rand() % 13];
        }
    }
    LLVMFuzzerTestOneInput(copy, n + 1);
}

static int mutate(const char *path, long count)
{
    size_t len;
    char *text = read_file(path, &len);

    if (!text)
        return 1;
    uint8_t *copy = oy_alloc(len + 1);
    for (long i = 0; i < count; i++)
        mutate_once(text, len, copy);
    oy_free(copy);
    oy_free(text);
    return 0;
}

int main(int argc, char **argv)
{
    const int is_random = argc == 3 && !strcmp(argv[1], "--random");
    const int is_mutated = argc > 3 && !strcmp(argv[1], "--mutate");
    uint8_t input[1024];
    int bad = 0;

    srand(getenv("FUZZ_SEED") ? (unsigned)atoi(getenv("FUZZ_SEED")) : 1);
    for (long i = 0; is_random && i < atol(argv[2]); i++)
        LLVMFuzzerTestOneInput(input, make_input(input, sizeof input));
    for (int i = 3; is_mutated && i < argc; i++)
        bad |= mutate(argv[i], atol(argv[2]));
    for (int i = 1; !is_random && !is_mutated && i < argc; i++)
        bad |= run_file(argv[i]);
    return bad;
}

#endif
