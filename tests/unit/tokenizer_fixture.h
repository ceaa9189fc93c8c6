/* SPDX-License-Identifier: Apache-2.0
 *
 * Small tokenizers made on the spot, for the tests of the tokenizer floor. */
#ifndef TESTS_TOKENIZER_FIXTURE_H
#define TESTS_TOKENIZER_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/json.h"
#include "core/output.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/vocab.h"

#define BYTE_LEVEL "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}"
#define BYTE_LEVEL_WHOLE                                                       \
    "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}"

/* NULL parts are null in the file. */
struct fixture {
    const char *const *merge; /* pairs of bytes as text, NULL at the end */
    const char *missing;      /* bytes without a token */
    const char *normalizer, *pre_tokenizer, *post_processor, *added, *model;
    int as_strings; /* merges in the old form */
    int no_decoder;
};

static void put_spelled(struct oy_buffer *json, const char *bytes, size_t len)
{
    struct oy_buffer text = {0};

    byte_alphabet_put(bytes, len, &text);
    oy_json_put_string(json, text.data, text.len);
    oy_buffer_release(&text);
}

static void put_tokens(struct oy_buffer *json, const struct fixture *fixture)
{
    int id = 0;

    for (int byte = 0; byte < 256; byte++) {
        const char c = (char)byte;
        if (byte && fixture->missing && strchr(fixture->missing, byte))
            continue;
        oy_buffer_append_string(json, id ? "," : "");
        put_spelled(json, &c, 1);
        oy_buffer_append_format(json, ":%d", id++);
    }
    for (int i = 0; fixture->merge && fixture->merge[i]; i += 2) {
        char both[64];
        snprintf(both, sizeof both, "%s%s", fixture->merge[i],
                 fixture->merge[i + 1]);
        int is_new = 1;
        for (int j = 0; j < i; j += 2) {
            char other[64];
            snprintf(other, sizeof other, "%s%s", fixture->merge[j],
                     fixture->merge[j + 1]);
            is_new &= strcmp(other, both) != 0;
        }
        if (!is_new)
            continue;
        oy_buffer_append_string(json, ",");
        put_spelled(json, both, strlen(both));
        oy_buffer_append_format(json, ":%d", id++);
    }
}

static void put_merges(struct oy_buffer *json, const struct fixture *fixture)
{
    for (int i = 0; fixture->merge && fixture->merge[i]; i += 2) {
        const char *left = fixture->merge[i], *right = fixture->merge[i + 1];
        oy_buffer_append_string(json, i ? "," : "");
        if (fixture->as_strings) {
            struct oy_buffer text = {0};
            byte_alphabet_put(left, strlen(left), &text);
            oy_buffer_append_char(&text, ' ');
            byte_alphabet_put(right, strlen(right), &text);
            oy_json_put_string(json, text.data, text.len);
            oy_buffer_release(&text);
            continue;
        }
        oy_buffer_append_char(json, '[');
        put_spelled(json, left, strlen(left));
        oy_buffer_append_char(json, ',');
        put_spelled(json, right, strlen(right));
        oy_buffer_append_char(json, ']');
    }
}

static const char *or_null(const char *text)
{
    return text ? text : "null";
}

/* The tokenizer.json of a fixture. */
static void put_fixture(struct oy_buffer *json, const struct fixture *fixture)
{
    oy_buffer_append_format(
        json,
        "{\"version\":\"1.0\",\"added_tokens\":%s,\"normalizer\":%s,"
        "\"pre_tokenizer\":%s,\"post_processor\":%s,\"decoder\":%s,"
        "\"model\":{\"type\":\"BPE\",%s\"vocab\":{",
        fixture->added ? fixture->added : "[]", or_null(fixture->normalizer),
        fixture->pre_tokenizer ? fixture->pre_tokenizer : BYTE_LEVEL,
        or_null(fixture->post_processor),
        fixture->no_decoder ? "null" : "{\"type\":\"ByteLevel\"}",
        fixture->model ? fixture->model : "");
    put_tokens(json, fixture);
    oy_buffer_append_string(json, "},\"merges\":[");
    put_merges(json, fixture);
    oy_buffer_append_string(json, "]}}");
}

/* Writes bytes to a new file; free and unlink the name with drop_file. */
static char *write_file(const char *data, size_t len)
{
    char *name = strdup("/tmp/oy-test-XXXXXX");
    const int fd = mkstemp(name);

    if (fd < 0 || write(fd, data, len) != (ssize_t)len)
        abort();
    close(fd);
    return name;
}

static void drop_file(char *name)
{
    unlink(name);
    free(name);
}

__attribute__((unused)) static char *write_fixture(
    const struct fixture *fixture)
{
    struct oy_buffer json = {0};

    put_fixture(&json, fixture);
    char *name = write_file(json.data, json.len);
    oy_buffer_release(&json);
    return name;
}

#endif
