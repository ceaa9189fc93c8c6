/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of tokenizers and of what a peer makes of texts with them: a line
 * {"tokenizer":...} and then, for each text, {"text", "ids", "decoded",
 * "skipped"}, the last two (without and with skip_special) where wanted. */
#ifndef TESTS_TOKENIZER_PEER_H
#define TESTS_TOKENIZER_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/input.h"
#include "tests/unit/tokenizer_fixture.h"
#include "tokenizer/tokenizer.h"

enum { TOKENIZER, TEXT, IDS, DECODED, SKIPPED, N_FIELD };

static const char *const field[N_FIELD] = {
    [TOKENIZER] = "tokenizer", [TEXT] = "text",       [IDS] = "ids",
    [DECODED] = "decoded",     [SKIPPED] = "skipped",
};

struct peer {
    struct tokenizer *tokenizer;
    struct tokenizer_worker *worker;
    struct oy_arena arena;
    int n_line;
};

static void change_tokenizer(struct peer *peer, const char *json, size_t len)
{
    struct oy_error err = {0};

    tokenizer_worker_free(peer->worker);
    tokenizer_free(peer->tokenizer);
    peer->worker = NULL;
    peer->tokenizer = NULL;
    if (!json)
        return;
    char *name = write_file(json, len);
    peer->tokenizer = tokenizer_load(name, &err);
    if (!peer->tokenizer)
        fail_msg("line %d: %s", peer->n_line, err.message);
    peer->worker = tokenizer_worker_new(peer->tokenizer);
    drop_file(name);
}

static struct oy_text text_of(struct peer *peer,
                              const struct oy_json_value *value)
{
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why;

    assert_int_equal(
        oy_json_text(value, &peer->arena, &text, &n_repaired, &why), 0);
    return text;
}

static void check_decoding(struct peer *peer, const struct token_ids *ids,
                           int skip, const struct oy_json_value *value)
{
    const struct oy_text want = text_of(peer, value);
    struct oy_buffer got = {0};

    assert_int_equal(
        tokenizer_decode(peer->tokenizer, ids->id, ids->n, skip, &got), 0);
    if (got.len != want.len ||
        (want.len && memcmp(got.data, want.at, want.len)))
        fail_msg("line %d: decodes to '%s'", peer->n_line,
                 oy_buffer_string(&got));
    oy_buffer_release(&got);
}

static void check_line(struct peer *peer,
                       const struct oy_json_value value[N_FIELD])
{
    const struct oy_text text = text_of(peer, &value[TEXT]);
    struct oy_json_cursor cursor;
    struct oy_json_value element;
    struct token_ids ids = {0};
    int64_t id;
    size_t n = 0;

    tokenizer_encode(peer->worker, text.at, text.len, TOKENIZER_TOKEN, &ids,
                     NULL);
    oy_json_enter(&cursor, &value[IDS]);
    while (oy_json_next_element(&cursor, &element) > 0) {
        assert_int_equal(oy_json_int64(&element, &id), 0);
        if (n >= ids.n || ids.id[n] != id)
            fail_msg("line %d: id %zu is not %d", peer->n_line, n, (int)id);
        n++;
    }
    assert_int_equal(n, ids.n);
    if (value[DECODED].kind != OY_JSON_MISSING) {
        check_decoding(peer, &ids, 0, &value[DECODED]);
        check_decoding(peer, &ids, 1, &value[SKIPPED]);
    }
    token_ids_release(&ids);
}

/* Returns the number of lines. */
static int check_peer_file(const char *path)
{
    struct oy_error err = {0};
    struct peer peer = {0};
    struct oy_json_value value[N_FIELD];
    const char *why;
    size_t len;
    char *data = oy_input_slurp(path, 1 << 24, &len, &err);

    assert_non_null(data);
    for (char *at = data; at < data + len; peer.n_line++) {
        char *end = memchr(at, '\n', (size_t)(data + len - at));
        struct oy_json_value line;
        assert_int_equal(oy_json_value_of(at, (size_t)(end - at), &line, &why),
                         0);
        for (int i = 0; i < N_FIELD; i++)
            value[i] = oy_json_member(&line, field[i]);
        if (value[TOKENIZER].kind == OY_JSON_OBJECT)
            change_tokenizer(&peer, value[TOKENIZER].at, value[TOKENIZER].len);
        else
            check_line(&peer, value);
        at = end + 1;
    }
    change_tokenizer(&peer, NULL, 0);
    oy_arena_release(&peer.arena);
    oy_free(data);
    return peer.n_line;
}

#endif
