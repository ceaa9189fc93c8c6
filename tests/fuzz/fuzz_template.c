/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes templates: whatever the source, compiling and rendering end, within
 * the limits, with a text or an error.
 *
 *     clang -fsanitize=fuzzer,address ...        libFuzzer
 *     gcc -DFUZZ_STANDALONE -fsanitize=address ... files, or N random inputs */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/input.h"
#include "tokenizer/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char vars_json[] =
    "{\"x\":5,\"s\":\"a b\",\"l\":[1,\"b\"],\"d\":{\"k\":[{\"n\":2}]},"
    "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
    "                                                                ";

static void render(const struct template *template, struct oy_arena *arena)
{
    struct oy_error err = {0};
    struct oy_buffer out = {0};
    struct template_value vars;
    const char *why;

    OY_ASSERT(template_parse_json(vars_json, strlen(vars_json), arena, &vars,
                                  &why) == 0);
    if (template_render(template, &vars, arena, &out, &err))
        OY_ASSERT(err.code == OY_DATA && out.len == 0);
    else
        OY_ASSERT(out.len <= 16 << 20);
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

/* Pieces of the language in random order come further than random bytes. */
static size_t make_input(uint8_t *input, size_t cap)
{
    static const char *const piece[] = {
        "{{ ",    " }}",    "{% ",      " %}",
        "{%- ",   " -%}",   "if ",      "x",
        "elif ",  "else",   "endif",    "for ",
        "y in ",  "l",      "endfor",   "set ",
        "z = ",   "macro ", "m(a)",     "endmacro",
        "m(1)",   "d.k",    "[0]",      "[1:]",
        "(",      ")",      "|",        "join",
        "length", " is ",   "defined",  "'t'",
        "\"u\"",  "1",      "2.5",      " + ",
        " ~ ",    " // ",   " == ",     " in ",
        " not ",  " and ",  "{# ",      " #}",
        "raw",    "endraw", "\n",       "text",
        "loop.",  "index",  "range(3)", "namespace(q=1)",
        ", ",     ": ",     "{",        "}",
        "[",      "]",
    };
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

static int run_file(const char *path)
{
    struct oy_error err = {0};
    size_t len;
    char *text = oy_input_slurp(path, 1 << 24, &len, &err);

    if (!text) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)text, len);
    oy_free(text);
    return 0;
}

int main(int argc, char **argv)
{
    const int is_random = argc == 3 && !strcmp(argv[1], "--random");
    uint8_t input[1024];
    int bad = 0;

    srand(1);
    for (long i = 0; is_random && i < atol(argv[2]); i++)
        LLVMFuzzerTestOneInput(input, make_input(input, sizeof input));
    for (int i = 1; !is_random && i < argc; i++)
        bad |= run_file(argv[i]);
    return bad;
}

#endif
