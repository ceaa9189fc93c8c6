/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-bpe against the files that the peer's trainer wrote, whole corpora.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/hash.h"
#include "core/input.h"
#include "core/json.h"
#include "tokenizer/bpe_train.h"
#include "tokenizer/split.h"
#include "tokenizer/tokenizer_write.h"

static char *shared_path(const char *folder, const char *name)
{
    const char *const root = getenv("OYSTER_SHARED");

    return oy_asprintf("%s/%s/%s", root ? root : "../shared", folder, name);
}

/* The bytes of a file below the folder of shared data, or NULL. */
static char *slurp(const char *folder, const char *name, size_t *len)
{
    char *const path = shared_path(folder, name);
    struct oy_error err = {0};
    char *const data = oy_input_slurp(path, (size_t)1 << 30, len, &err);

    if (!data)
        print_message("SKIPPED: %s\n", err.message);
    oy_free(path);
    return data;
}

/* A training run as its line in configs.jsonl tells it. */
struct run {
    struct bpe_train_options options;
    enum split_kind kind;
    int by_line;
    const char *special[64];
    struct word_count words;
    struct oy_arena arena;
};

static void train_run(struct run *run, struct bpe_trained *trained)
{
    struct word_store store = {.table = run->words};
    struct oy_error err = {0};

    run->words = (struct word_count){0};
    assert_int_equal(bpe_train(&run->options, &store, trained, &err), 0);
}

static void count_sequence(struct run *run, const char *text, size_t len)
{
    size_t end[256], at = 0;

    while (at < len) {
        const size_t n = split_batch(run->kind, text, len, at, end, 256);

        for (size_t i = 0; i < n; i++) {
            if (!split_is_dropped(run->kind, text, at))
                word_count_add(&run->words, text + at, end[i] - at, 1);
            at = end[i];
        }
    }
}

/* A text; where lines are the sequences, with one LF behind it. */
static void count_text(struct run *run, const char *text, size_t len)
{
    struct oy_buffer lines = {0};

    if (!run->by_line) {
        count_sequence(run, text, len);
        return;
    }
    oy_buffer_append(&lines, text, len);
    oy_buffer_append_char(&lines, '\n');
    for (size_t at = 0; at < lines.len;) {
        const char *const start = lines.data + at;
        const char *const lf = memchr(start, '\n', lines.len - at);

        count_sequence(run, start, (size_t)(lf - start) + 1);
        at += (size_t)(lf - start) + 1;
    }
    oy_buffer_release(&lines);
}

static void count_records(struct run *run, const char *data, size_t len)
{
    struct oy_json_query query = {0};
    struct oy_arena arena = {0};

    oy_json_query_add(&query, "text");
    for (size_t at = 0; at < len;) {
        const char *const lf = memchr(data + at, '\n', len - at);
        const size_t end = lf ? (size_t)(lf - data) : len;
        struct oy_json_value found;
        struct oy_json_line line;
        struct oy_text text;
        uint64_t n_repaired;
        const char *why;

        assert_int_equal(
            oy_json_scan(&query, data + at, end - at, &found, &line), 0);
        assert_int_equal(oy_json_text(&found, &arena, &text, &n_repaired, &why),
                         0);
        count_text(run, text.at, text.len);
        oy_arena_clear(&arena);
        at = end + 1;
    }
    oy_arena_release(&arena);
    oy_json_query_release(&query);
}

static void count_file(struct run *run, const char *folder, const char *name)
{
    size_t len;
    char *const data = slurp(folder, name, &len);

    assert_non_null(data);
    if (strstr(name, ".jsonl"))
        count_records(run, data, len);
    else
        count_text(run, data, len);
    oy_free(data);
}

static char *copy_string(struct run *run, const struct oy_json_value *value)
{
    struct oy_text text;
    uint64_t n_repaired;
    const char *why;

    assert_int_equal(oy_json_text(value, &run->arena, &text, &n_repaired, &why),
                     0);
    return oy_arena_copy(&run->arena, text.at, text.len);
}

/* Trains, writes and hands back the file. */
static struct oy_buffer train(struct run *run)
{
    struct bpe_trained trained = {0};
    struct oy_buffer out = {0};

    run->options.by_character = run->kind == SPLIT_WHITESPACE;
    run->options.special = run->special;
    train_run(run, &trained);
    tokenizer_write(&(struct tokenizer_write_options){.kind = run->kind},
                    &trained, &out);
    bpe_trained_release(&trained);
    oy_arena_release(&run->arena);
    return out;
}

/* ---- train_hf: the call is Python ---- */

static size_t keyword(const char *call, const char *name, size_t none)
{
    const char *const at = strstr(call, name);

    return at ? strtoull(at + strlen(name), NULL, 10) : none;
}

static void read_special(struct run *run, char *call)
{
    char *at = strstr(call, "special_tokens=[");

    if (!at)
        return;
    at += strlen("special_tokens=[");
    while (*at == '\'') {
        char *const end = strchr(at + 1, '\'');

        *end = '\0';
        run->special[run->options.n_special++] = at + 1;
        at = end + 1 + strspn(end + 1, ", ");
    }
}

static void read_call(struct run *run, char *call)
{
    struct bpe_train_options *const o = &run->options;

    o->vocab_size = keyword(call, "vocab_size=", 30000);
    o->min_frequency = (int64_t)keyword(call, "min_frequency=", 0);
    o->max_token_length = keyword(call, "max_token_length=", 0);
    o->limit_alphabet = keyword(call, "limit_alphabet=", SIZE_MAX);
    o->limits_alphabet = o->limit_alphabet != SIZE_MAX;
    o->initial_bytes = strstr(call, "initial_alphabet=") != NULL;
    run->kind = strstr(call, "Regex(R_CL100K)")  ? SPLIT_CL100K
                : strstr(call, "Regex(R_O200K)") ? SPLIT_O200K
                : strstr(call, "Regex(R_QWEN)")  ? SPLIT_QWEN2
                : strstr(call, "Digits(")        ? SPLIT_SMOLLM
                : strstr(call, "Whitespace(")    ? SPLIT_WHITESPACE
                                                 : SPLIT_GPT2;
    run->by_line = strstr(call, "t.train([FILE]") != NULL;
    read_special(run, call);
}

static void check_hf_run(const struct oy_json_value *config)
{
    const struct oy_json_value call = oy_json_member(config, "call");
    const struct oy_json_value corpus = oy_json_member(config, "corpus");
    const struct oy_json_value sha =
        oy_json_member(config, "sha256_of_tokenizer_json");
    const struct oy_json_value id = oy_json_member(config, "id");
    struct oy_json_cursor cursor;
    struct oy_json_value file;
    struct run run = {0};
    unsigned char digest[32];
    char hex[65];

    read_call(&run, copy_string(&run, &call));
    oy_json_enter(&cursor, &corpus);
    while (oy_json_next_element(&cursor, &file) == 1) {
        const char *const name = copy_string(&run, &file);

        if (*name == '@')
            count_file(&run, "golden/tokenizer/train_hf", name + 1);
        else
            count_file(&run, "data/corpora", name);
    }
    struct oy_buffer out = train(&run);

    oy_sha256(out.data, out.len, digest);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    if (!oy_json_equals(&sha, hex))
        fail_msg("%.*s differs", (int)id.len, id.at);
    oy_buffer_release(&out);
}

/* Calls `check` for every line of a configs.jsonl; 0 when it is not there. */
static int for_each_config(const char *folder,
                           void (*check)(const struct oy_json_value *config))
{
    size_t len;
    char *const text = slurp(folder, "configs.jsonl", &len);
    int n = 0;

    if (!text)
        return 0;
    for (size_t at = 0; at < len; n++) {
        const size_t end = at + strcspn(text + at, "\n");
        struct oy_json_value config;
        const char *why;

        assert_int_equal(oy_json_value_of(text + at, end - at, &config, &why),
                         0);
        check(&config);
        at = end + 1;
    }
    oy_free(text);
    return n;
}

static void files_equal_the_peers(void **state)
{
    (void)state;
    if (!for_each_config("golden/tokenizer/train_hf", check_hf_run))
        skip();
}

/* ---- train: vocabulary and merges as lists ---- */

static size_t number(const struct oy_json_value *config, const char *name,
                     size_t none)
{
    const struct oy_json_value value = oy_json_member(config, name);
    int64_t n;

    return oy_json_int64(&value, &n) ? none : (size_t)n;
}

static void read_config(struct run *run, const struct oy_json_value *config)
{
    struct bpe_train_options *const o = &run->options;
    const struct oy_json_value initial =
        oy_json_member(config, "initial_alphabet");
    const struct oy_json_value pre = oy_json_member(config, "pre_tokenizer");
    const struct oy_json_value special =
        oy_json_member(config, "special_tokens");
    struct oy_json_cursor cursor;
    struct oy_json_value token;

    o->vocab_size = number(config, "vocab_size", 30000);
    o->min_frequency = (int64_t)number(config, "min_frequency", 0);
    o->max_token_length = number(config, "max_token_length", 0);
    o->limit_alphabet = number(config, "limit_alphabet", SIZE_MAX);
    o->limits_alphabet = o->limit_alphabet != SIZE_MAX;
    o->initial_bytes = !oy_json_equals(&initial, "none");
    run->kind = strstr(copy_string(run, &pre), "use_regex=true") ? SPLIT_GPT2
                                                                 : SPLIT_CL100K;
    run->by_line = 1;
    oy_json_enter(&cursor, &special);
    while (oy_json_next_element(&cursor, &token) == 1)
        run->special[o->n_special++] = copy_string(run, &token);
}

/* A list of the golden, to which the trained one must be equal. */
static void assert_list(const char *id, const char *suffix,
                        const struct oy_buffer *got)
{
    char *const name = oy_asprintf("%s.%s.txt.zst", id, suffix);
    size_t len;
    char *const want = slurp("golden/tokenizer/train", name, &len);

    assert_non_null(want);
    if (len != got->len || memcmp(want, got->data, len) != 0)
        fail_msg("%s differs", name);
    oy_free(want);
    oy_free(name);
}

static void put_token(const struct bpe_trained *trained, size_t id,
                      struct oy_buffer *out)
{
    oy_buffer_append(out, trained->text + trained->start[id],
                     trained->start[id + 1] - trained->start[id]);
}

static void check_lists(const struct oy_json_value *config)
{
    const struct oy_json_value id_value = oy_json_member(config, "id");
    const struct oy_json_value corpus = oy_json_member(config, "corpus");
    struct bpe_trained trained = {0};
    struct oy_buffer vocab = {0}, merges = {0};
    struct run run = {0};

    read_config(&run, config);
    char *const name = oy_asprintf("%s.zst", copy_string(&run, &corpus));
    char *const dot = strstr(name, ".txt");
    char *const file =
        oy_asprintf("%.*s.corpus.txt.zst", (int)(dot - name), name);
    size_t len;
    char *const text = slurp("golden/tokenizer/train", file, &len);

    assert_non_null(text);
    count_text(&run, text, len && text[len - 1] == '\n' ? len - 1 : len);
    run.options.special = run.special;
    train_run(&run, &trained);
    for (size_t i = 0; i < trained.n_token; i++) {
        put_token(&trained, i, &vocab);
        oy_buffer_append_char(&vocab, '\n');
    }
    for (size_t i = 0; i < trained.n_merge; i++) {
        put_token(&trained, trained.merge[i][0], &merges);
        oy_buffer_append_char(&merges, ' ');
        put_token(&trained, trained.merge[i][1], &merges);
        oy_buffer_append_char(&merges, '\n');
    }
    const char *const id = copy_string(&run, &id_value);
    assert_list(id, "vocab", &vocab);
    assert_list(id, "merges", &merges);
    oy_free(text);
    oy_free(name);
    oy_free(file);
    oy_buffer_release(&vocab);
    oy_buffer_release(&merges);
    bpe_trained_release(&trained);
    oy_arena_release(&run.arena);
}

static void lists_equal_the_peers(void **state)
{
    (void)state;
    if (!for_each_config("golden/tokenizer/train", check_lists))
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_equal_the_peers),
        cmocka_unit_test(lists_equal_the_peers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
