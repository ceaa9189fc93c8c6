/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of encoding, in order: added tokens of the raw text, normalizer,
 * added tokens of the normalised text, pieces and merges. */
#include "tokenizer/tokenizer.h"

#include <string.h>

#include "tokenizer/added_tokens.h"
#include "tokenizer/decode.h"
#include "tokenizer/encoder.h"
#include "tokenizer/vocab.h"

struct tokenizer {
    struct vocab *vocab;
    struct encoder *encoder;
    struct decode *decode;
    struct added_matcher *raw;        /* looked for in the text itself */
    struct added_matcher *normalised; /* looked for behind the normalizer */
    int32_t bos, eos;
};

struct tokenizer_worker {
    const struct tokenizer *tokenizer;
    struct encoder_worker *encoder;
    struct oy_buffer normal[2]; /* a normalised stretch */
};

/* The id of a configured token. */
static int find_special(const struct vocab *vocab, const char *content,
                        const char *name, const char *path, int32_t *id,
                        struct oy_error *err)
{
    *id = -1;
    if (!content)
        return 0;
    *id = vocab_find_content(vocab, content, strlen(content));
    if (*id < 0)
        return oy_fail(err, OY_DATA, "%s: %s '%s' is not in the vocabulary",
                       path, name, content);
    return 0;
}

struct tokenizer *tokenizer_load(const char *path, struct oy_error *err)
{
    struct vocab *vocab = vocab_load(path, err);

    if (!vocab)
        return NULL;
    struct tokenizer *tokenizer = oy_calloc(1, sizeof *tokenizer);
    tokenizer->vocab = vocab;
    if (find_special(vocab, vocab->bos_token, "bos_token", path,
                     &tokenizer->bos, err) ||
        find_special(vocab, vocab->eos_token, "eos_token", path,
                     &tokenizer->eos, err)) {
        tokenizer_free(tokenizer);
        return NULL;
    }
    tokenizer->encoder = encoder_new(vocab);
    tokenizer->decode = decode_new(vocab);
    tokenizer->raw = added_matcher_new(vocab, 0);
    tokenizer->normalised = added_matcher_new(vocab, 1);
    return tokenizer;
}

void tokenizer_free(struct tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    added_matcher_free(tokenizer->raw);
    added_matcher_free(tokenizer->normalised);
    encoder_free(tokenizer->encoder);
    decode_free(tokenizer->decode);
    vocab_free(tokenizer->vocab);
    oy_free(tokenizer);
}

const char *tokenizer_path(const struct tokenizer *tokenizer)
{
    return tokenizer->vocab->path;
}

int32_t tokenizer_size(const struct tokenizer *tokenizer)
{
    return tokenizer->vocab->n_id;
}

struct oy_hash128 tokenizer_hash(const struct tokenizer *tokenizer)
{
    return tokenizer->vocab->hash;
}

int32_t tokenizer_id(const struct tokenizer *tokenizer, const char *content,
                     size_t len)
{
    return vocab_find_content(tokenizer->vocab, content, len);
}

static const struct vocab_token *find_token(const struct tokenizer *tokenizer,
                                            int32_t id)
{
    const struct vocab *vocab = tokenizer->vocab;

    if (id < 0 || id >= vocab->n_id || !vocab->token[id].is_used)
        return NULL;
    return &vocab->token[id];
}

const char *tokenizer_bytes(const struct tokenizer *tokenizer, int32_t id,
                            size_t *len)
{
    const struct vocab_token *token = find_token(tokenizer, id);

    *len = token ? token->len : 0;
    return token ? tokenizer->vocab->text + token->at : NULL;
}

int tokenizer_is_special(const struct tokenizer *tokenizer, int32_t id)
{
    const struct vocab_token *token = find_token(tokenizer, id);

    return token && token->is_special;
}

int32_t tokenizer_bos(const struct tokenizer *tokenizer)
{
    return tokenizer->bos;
}

int32_t tokenizer_eos(const struct tokenizer *tokenizer)
{
    return tokenizer->eos;
}

const char *tokenizer_bos_text(const struct tokenizer *tokenizer)
{
    return tokenizer->vocab->bos_token;
}

const char *tokenizer_eos_text(const struct tokenizer *tokenizer)
{
    return tokenizer->vocab->eos_token;
}

const char *tokenizer_chat_template(const struct tokenizer *tokenizer)
{
    return tokenizer->vocab->chat_template;
}

const int32_t *tokenizer_before(const struct tokenizer *tokenizer, size_t *n)
{
    *n = tokenizer->vocab->n_before;
    return tokenizer->vocab->before;
}

const int32_t *tokenizer_behind(const struct tokenizer *tokenizer, size_t *n)
{
    *n = tokenizer->vocab->n_behind;
    return tokenizer->vocab->behind;
}

struct tokenizer_worker *tokenizer_worker_new(const struct tokenizer *tokenizer)
{
    struct tokenizer_worker *worker = oy_calloc(1, sizeof *worker);

    worker->tokenizer = tokenizer;
    worker->encoder = encoder_worker_new(tokenizer->encoder);
    return worker;
}

void tokenizer_worker_free(struct tokenizer_worker *worker)
{
    if (!worker)
        return;
    encoder_worker_free(worker->encoder);
    for (int i = 0; i < 2; i++)
        oy_buffer_release(&worker->normal[i]);
    oy_free(worker);
}

/* ---- encoding ---- */

/* One encoding on its way through the steps. */
struct run {
    struct tokenizer_worker *worker;
    enum tokenizer_special special;
    struct token_ids *ids;
    int32_t found;      /* the special token that stopped it, or -1 */
    const char *raw;    /* begin of the whole text */
    const char *normal; /* and of what became of it; NULL: is not in reach */
};

typedef int (*stretch_function)(struct run *run, const char *text, size_t len);

/* Hands out the matches of one matcher and, between them, the stretches of
 * text to `inner`. */
static int cut_out(struct run *run, const struct added_matcher *matcher,
                   const char *text, size_t len, stretch_function inner)
{
    struct added_scan scan = {
        .text = text,
        .len = len,
        .plain_special = run->special == TOKENIZER_TEXT,
    };
    struct added_match match;
    size_t at = 0;

    if (!len)
        return 0;
    if (added_matcher_is_empty(matcher))
        return inner(run, text, len);
    while (added_scan_next(matcher, &scan, &match)) {
        if (match.token->special && run->special == TOKENIZER_ERROR) {
            run->found = match.token->id;
            return -1;
        }
        if (match.begin > at && inner(run, text + at, match.begin - at))
            return -1;
        token_ids_append(run->ids, &match.token->id, 1);
        at = match.end;
    }
    return at < len ? inner(run, text + at, len - at) : 0;
}

static int encode_plain(struct run *run, const char *text, size_t len)
{
    encoder_run(run->worker->encoder, (struct oy_text){text, len},
                text == run->normal, run->ids);
    return 0;
}

/* A stretch of the raw text: normalised on its own. */
static int encode_raw(struct run *run, const char *text, size_t len)
{
    const struct tokenizer *tokenizer = run->worker->tokenizer;
    int is_cut = 0;
    const struct oy_text normal = normalize_text(&tokenizer->vocab->normalizer,
                                                 (struct oy_text){text, len},
                                                 run->worker->normal, &is_cut);

    /* Metaspace's "first" asks where a stretch was before it was normalised. */
    run->normal = text == run->raw && !is_cut ? normal.at : NULL;
    return cut_out(run, tokenizer->normalised, normal.at, normal.len,
                   encode_plain);
}

int tokenizer_encode(struct tokenizer_worker *worker, const char *text,
                     size_t len, enum tokenizer_special special,
                     struct token_ids *ids, int32_t *found)
{
    struct run run = {worker, special, ids, -1, text, NULL};
    const size_t before = ids->n;

    if (!cut_out(&run, worker->tokenizer->raw, text, len, encode_raw))
        return 0;
    ids->n = before;
    if (found)
        *found = run.found;
    return -1;
}

size_t tokenizer_decode(const struct tokenizer *tokenizer, const int32_t *id,
                        size_t n, int skip_special, struct oy_buffer *out)
{
    return decode_ids(tokenizer->decode, id, n, skip_special, out);
}

int tokenizer_piece(const struct tokenizer *tokenizer, int32_t id,
                    struct oy_buffer *out)
{
    return decode_piece(tokenizer->decode, id, out);
}
