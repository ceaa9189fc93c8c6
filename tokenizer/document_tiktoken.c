/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tiktoken's ranks: lines of `base64 rank`, or js-tiktoken's JSON.
 *
 * A rank file says neither how texts are cut nor which tokens are special.
 * The published ones are known by how many ranks they have and by the rank of
 * " the"; another file is cut as cl100k_base is, which is what transformers'
 * TikTokenConverter does, and has the special tokens that the configuration
 * beside it names. In tiktoken a piece that is a token stays whole, and merges
 * go by the rank of their result (src/lib.rs, byte_pair_merge). */
#include <string.h>

#include "core/base64.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/document_internal.h"
#include "tokenizer/split.h"
#include "tokenizer/vocab.h"

/* One special token, or n of them: the numbers from `first` on go into the
 * format, ids are counted up. */
struct special {
    const char *format;
    int32_t id;
    int first, n;
};

enum { MAX_SPECIAL = 10 };

struct known {
    size_t n_rank;
    int32_t the; /* rank of " the" */
    enum split_kind kind;
    const char *normalizer;
    const char *bos, *eos;
    int adds_bos;
    struct special special[MAX_SPECIAL];
};

/* tiktoken_ext/openai_public.py of openai/tiktoken 0.14; llama/tokenizer.py of
 * meta-llama/llama3; tokenization_qwen.py of Qwen/Qwen-7B; gpt-neox-20b as
 * mlfoundations/dclm has it. */
static const struct known published[] = {
    {50256, /* r50k_base, gpt2 */
     262,
     SPLIT_GPT2,
     NULL,
     "<|endoftext|>",
     "<|endoftext|>",
     0,
     {{"<|endoftext|>", 50256, 0, 0}}},
    {50280, /* p50k_base */
     262,
     SPLIT_GPT2,
     NULL,
     "<|endoftext|>",
     "<|endoftext|>",
     0,
     {{"<|endoftext|>", 50256, 0, 0}}},
    {100256, /* cl100k_base */
     279,
     SPLIT_CL100K,
     NULL,
     "<|endoftext|>",
     "<|endoftext|>",
     0,
     {{"<|endoftext|>", 100257, 0, 0},
      {"<|fim_prefix|>", 100258, 0, 0},
      {"<|fim_middle|>", 100259, 0, 0},
      {"<|fim_suffix|>", 100260, 0, 0},
      {"<|endofprompt|>", 100276, 0, 0}}},
    {199998, /* o200k_base */
     290,
     SPLIT_O200K,
     NULL,
     "<|endoftext|>",
     "<|endoftext|>",
     0,
     {{"<|endoftext|>", 199999, 0, 0}, {"<|endofprompt|>", 200018, 0, 0}}},
    {128000, /* Llama 3, whose successors rename reserved tokens only */
     279,
     SPLIT_CL100K,
     NULL,
     "<|begin_of_text|>",
     "<|end_of_text|>",
     1,
     {{"<|begin_of_text|>", 128000, 0, 0},
      {"<|end_of_text|>", 128001, 0, 0},
      {"<|reserved_special_token_%d|>", 128002, 0, 4},
      {"<|start_header_id|>", 128006, 0, 0},
      {"<|end_header_id|>", 128007, 0, 0},
      {"<|reserved_special_token_%d|>", 128008, 4, 1},
      {"<|eot_id|>", 128009, 0, 0},
      {"<|reserved_special_token_%d|>", 128010, 5, 246}}},
    {151643, /* Qwen */
     279,
     SPLIT_QWEN2,
     "{\"type\":\"NFC\"}",
     NULL,
     "<|endoftext|>",
     0,
     {{"<|endoftext|>", 151643, 0, 0},
      {"<|im_start|>", 151644, 0, 0},
      {"<|im_end|>", 151645, 0, 0},
      {"<|extra_%d|>", 151646, 0, 205}}},
    {50254, /* gpt-neox-20b */
     253,
     SPLIT_GPT2,
     NULL,
     "<|endoftext|>",
     "<|endoftext|>",
     0,
     {{"<|endoftext|>", 0, 0, 0}, {"<|padding|>", 1, 0, 0}}},
};

/* ---- ranks ---- */

struct reader {
    struct draft *draft;
    struct oy_buffer bytes, spelled;
    struct oy_error *err;
};

static void release(struct reader *reader)
{
    oy_buffer_release(&reader->bytes);
    oy_buffer_release(&reader->spelled);
}

static int add_rank(struct reader *reader, const char *base64, size_t len,
                    int64_t rank)
{
    struct oy_text text;

    oy_buffer_clear(&reader->bytes);
    oy_buffer_clear(&reader->spelled);
    if (!len || oy_base64_read(base64, len, &reader->bytes))
        return oy_fail(reader->err, OY_DATA, "bad base64");
    byte_alphabet_put(reader->bytes.data, reader->bytes.len, &reader->spelled);
    text.len = reader->spelled.len;
    text.at =
        oy_arena_copy(&reader->draft->arena, reader->spelled.data, text.len);
    return draft_add_token(reader->draft, text, rank, 0, reader->err);
}

/* Digits up to `end`, with white space behind them; -1 for anything else. */
static int64_t read_rank(const char *at, const char *end)
{
    int64_t rank = 0;

    if (at == end || *at < '0' || *at > '9')
        return -1;
    for (; at < end && *at >= '0' && *at <= '9' && rank < VOCAB_MAX_ID; at++)
        rank = 10 * rank + (*at - '0');
    while (at < end && (*at == ' ' || *at == '\r'))
        at++;
    return at < end ? -1 : rank;
}

static int add_line(struct reader *reader, const char *line, size_t len)
{
    const char *space = memchr(line, ' ', len);
    const int64_t rank = space ? read_rank(space + 1, line + len) : -1;

    if (rank < 0)
        return oy_fail(reader->err, OY_DATA, "not a token and its rank");
    return add_rank(reader, line, (size_t)(space - line), rank);
}

static int is_blank(const char *line, size_t len)
{
    return len == 0 || (len == 1 && *line == '\r');
}

static int add_lines(struct reader *reader, const char *data, size_t len)
{
    size_t number = 1;

    for (size_t at = 0; at < len; number++) {
        const char *line = data + at;
        const char *end = memchr(line, '\n', len - at);
        const size_t n = end ? (size_t)(end - line) : len - at;
        if (!is_blank(line, n) && add_line(reader, line, n))
            return oy_fail_at(reader->err, "line %zu", number);
        at += n + (end != NULL);
    }
    return 0;
}

int document_is_tiktoken(const char *data, size_t len)
{
    const char *end = memchr(data, '\n', len);
    const size_t n = end ? (size_t)(end - data) : len;
    const char *space = memchr(data, ' ', n);
    struct oy_buffer bytes = {0};

    if (!space || space == data || read_rank(space + 1, data + n) < 0)
        return 0;
    const int failed = oy_base64_read(data, (size_t)(space - data), &bytes);
    oy_buffer_release(&bytes);
    return !failed;
}

/* ---- what the ranks do not say ---- */

static const struct known *recognise(const struct draft *draft)
{
    static const char the[] = "\xc4\xa0the";
    const struct draft_token *token = draft_find(draft, the, sizeof the - 1);

    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        const struct known *known = &published[i];
        if (known->n_rank == draft->n_token && token && token->id == known->the)
            return known;
    }
    return NULL;
}

/* The configuration's name for an id goes first: makers rename what they had
 * reserved. */
static void add_special(struct draft *draft, struct oy_text content, int32_t id)
{
    for (size_t i = 0; i < draft->n_added; i++) {
        if (draft->added[i].id == id)
            return;
    }
    draft_add_added(draft, content, id, 1);
}

static void add_specials(struct draft *draft, const struct special *special)
{
    const char *const format = special->format;
    const char *const percent = strstr(format, "%d");

    if (!percent) {
        add_special(draft, (struct oy_text){format, strlen(format)},
                    special->id);
        return;
    }
    for (int i = 0; i < special->n; i++)
        add_special(draft,
                    draft_format(draft, "%.*s%d%s", (int)(percent - format),
                                 format, special->first + i, percent + 2),
                    special->id + i);
}

static int apply(const struct known *known, struct draft *draft,
                 struct oy_error *err)
{
    for (int i = 0; i < MAX_SPECIAL && known->special[i].format; i++)
        add_specials(draft, &known->special[i]);
    if (known->normalizer)
        oy_buffer_append_string(&draft->normalizer, known->normalizer);
    draft->bos_token = draft_keep(draft, known->bos);
    draft->eos_token = draft_keep(draft, known->eos);
    return known->adds_bos ? draft_frame(draft, known->bos, NULL, err) : 0;
}

/* The parts that all rank files share. No expression: GPT-2's. */
static int complete(struct draft *draft, const char *regex,
                    struct oy_error *err)
{
    draft->ignore_merges = 1;
    draft_put_splits(&draft->pre_tokenizer, &regex, regex != NULL, !regex);
    draft_put_byte_level(&draft->decoder, 1, 1, 1);
    return draft_make_merges(draft, DRAFT_BY_ID, err);
}

int document_read_tiktoken(const struct document_source *source,
                           struct draft *draft, struct oy_error *err)
{
    struct reader reader = {.draft = draft, .err = err};
    const int failed = add_lines(&reader, source->data, source->len);

    release(&reader);
    if (failed)
        return -1;
    const struct known *known = recognise(draft);
    if (document_config_added(source->config, draft, err) ||
        (known && apply(known, draft, err)))
        return -1;
    return complete(draft, split_regex(known ? known->kind : SPLIT_CL100K, 0),
                    err);
}

/* ---- JSON ---- */

/* `! FIRST token token ...`: ranks from FIRST on. */
static int add_run(struct reader *reader, const char *line, size_t len)
{
    const char *const end = line + len;
    const char *at = line;
    int64_t rank = -1;

    for (int field = 0; at < end; field++) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        const char *stop = space ? space : end;
        if (field == 0 && (stop - at != 1 || *at != '!'))
            break;
        if (field == 1)
            rank = read_rank(at, stop);
        if (field == 1 && rank < 0)
            break;
        if (field > 1 && add_rank(reader, at, (size_t)(stop - at), rank++))
            return oy_fail_at(reader->err, "rank %lld", (long long)rank - 1);
        at = stop + (space != NULL);
    }
    return at < end ? oy_fail(reader->err, OY_DATA, "not a run of ranks") : 0;
}

static int add_runs(struct reader *reader, struct oy_text runs)
{
    for (size_t at = 0; at < runs.len;) {
        const char *line = runs.at + at;
        const char *end = memchr(line, '\n', runs.len - at);
        const size_t n = end ? (size_t)(end - line) : runs.len - at;
        if (n && add_run(reader, line, n))
            return oy_fail_at(reader->err, "bpe_ranks");
        at += n + (end != NULL);
    }
    return 0;
}

static int text_of(struct draft *draft, const struct oy_json_value *root,
                   const char *name, struct oy_text *text, struct oy_error *err)
{
    const struct oy_json_value value = oy_json_member(root, name);
    const char *why = "not a string";
    uint64_t n_repaired = 0;

    if (value.kind != OY_JSON_STRING ||
        oy_json_text(&value, &draft->arena, text, &n_repaired, &why))
        return oy_fail(err, OY_DATA, "%s: %s", name, why);
    return 0;
}

static int add_special_tokens(struct draft *draft,
                              const struct oy_json_value *root,
                              struct oy_error *err)
{
    const struct oy_json_value map = oy_json_member(root, "special_tokens");
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;
    uint64_t n_repaired = 0;
    struct oy_text content;
    const char *why = "not an object";
    int64_t id;

    if (map.kind != OY_JSON_OBJECT)
        return oy_fail(err, OY_DATA, "special_tokens: %s", why);
    oy_json_enter(&cursor, &map);
    while (oy_json_next_member(&cursor, &key, &value) > 0) {
        if (oy_json_text(&key, &draft->arena, &content, &n_repaired, &why) ||
            oy_json_int64(&value, &id) || id < 0 || id >= VOCAB_MAX_ID)
            return oy_fail(err, OY_DATA, "special_tokens.%.*s: no id",
                           (int)key.len, key.at);
        add_special(draft, content, (int32_t)id);
    }
    return cursor.why ? oy_fail(err, OY_DATA, "special_tokens: %s", cursor.why)
                      : 0;
}

int document_read_tiktoken_json(const struct document_source *source,
                                struct draft *draft, struct oy_error *err)
{
    struct reader reader = {.draft = draft, .err = err};
    struct oy_json_value root;
    const char *why = "not an object";
    struct oy_text runs, regex;

    if (oy_json_value_of(source->data, source->len, &root, &why))
        return oy_fail(err, OY_DATA, "%s", why);
    if (text_of(draft, &root, "bpe_ranks", &runs, err) ||
        text_of(draft, &root, "pat_str", &regex, err))
        return -1;
    const int failed = add_runs(&reader, runs);
    release(&reader);
    if (failed || add_special_tokens(draft, &root, err))
        return -1;
    const struct oy_text end = {"<|endoftext|>", 13};
    if (draft_find_added(draft, end)) {
        draft->bos_token = draft_keep(draft, end.at);
        draft->eos_token = draft->bos_token;
    }
    return complete(draft, oy_arena_copy(&draft->arena, regex.at, regex.len),
                    err);
}
