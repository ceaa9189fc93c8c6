/* SPDX-License-Identifier: Apache-2.0
 *
 * From SentencePiece's pieces to Hugging Face's components, as the converters
 * of transformers' convert_slow_tokenizer.py make them.
 *
 * A vocabulary without a class gets what SentencePiece itself does with it
 * (src/normalizer.cc): map characters, drop spaces that are too many, prepend
 * a space, and spell spaces as U+2581. */
#include <string.h>

#include "core/base64.h"
#include "tokenizer/document_internal.h"

#define MARK "\xe2\x96\x81"

enum { MAX_SENTINELS = 100000 }; /* of T5 */

enum class {
    PLAIN,
    LLAMA,
    GEMMA,
    T5,
    XLM_ROBERTA,
    ALBERT,
};

static const struct {
    const char *name;
    enum class class;
    int is_unigram;
} known[] = {
    {"LlamaTokenizer", LLAMA, 0},
    {"CodeLlamaTokenizer", LLAMA, 0},
    {"Phi3Tokenizer", LLAMA, 0},
    {"GemmaTokenizer", GEMMA, 0},
    {"T5Tokenizer", T5, 1},
    {"MT5Tokenizer", T5, 1},
    {"XLMRobertaTokenizer", XLM_ROBERTA, 1},
    {"AlbertTokenizer", ALBERT, 1},
};

/* The state of one conversion. */
struct conversion {
    const struct document_pieces *pieces;
    struct document_config *config;
    struct draft *draft;
    enum class class;
    struct oy_error *err;
};

int document_is_byte_piece(struct oy_text text)
{
    return text.len == 6 && !memcmp(text.at, "<0x", 3) && text.at[5] == '>' &&
           strspn(text.at + 3, "0123456789ABCDEF") == 2;
}

/* ---- lists of components ---- */

/* Opens a list at its first element. */
static struct oy_buffer *next_of(struct oy_buffer *out, const char *list)
{
    if (out->len)
        oy_buffer_append_char(out, ',');
    else
        oy_buffer_append_format(out, "{\"type\":\"Sequence\",\"%s\":[", list);
    return out;
}

static void close_list(struct oy_buffer *out)
{
    if (out->len)
        oy_buffer_append_string(out, "]}");
}

static void normalize(struct conversion *c, const char *component)
{
    oy_buffer_append_string(next_of(&c->draft->normalizer, "normalizers"),
                            component);
}

#define REPLACE(kind, from, to)                                                \
    "{\"type\":\"Replace\",\"pattern\":{\"" kind "\":\"" from                  \
    "\"},\"content\":\"" to "\"}"

static void normalize_charsmap(struct conversion *c)
{
    struct oy_buffer *out = &c->draft->normalizer;

    if (!c->pieces->charsmap.len)
        return;
    oy_buffer_append_string(next_of(out, "normalizers"),
                            "{\"type\":\"Precompiled\","
                            "\"precompiled_charsmap\":\"");
    oy_base64_put(out, c->pieces->charsmap.at, c->pieces->charsmap.len);
    oy_buffer_append_string(out, "\"}");
}

/* As SentencePiece, before anything is cut. */
static void normalize_spaces(struct conversion *c, int prepends)
{
    if (c->pieces->remove_extra_whitespaces) {
        normalize(c, REPLACE("Regex", "\\\\A +| +\\\\z", ""));
        normalize(c, REPLACE("Regex", " {2,}", " "));
    }
    if (prepends)
        normalize(c, "{\"type\":\"Prepend\",\"prepend\":\"" MARK "\"}");
    normalize(c, REPLACE("String", " ", MARK));
}

/* The way back: marks, bytes, and the space that was prepended. */
static void decode_pieces(struct conversion *c, int strips)
{
    struct oy_buffer *out = &c->draft->decoder;

    oy_buffer_append_string(
        out,
        "{\"type\":\"Sequence\",\"decoders\":[" REPLACE("String", MARK, " "));
    if (c->pieces->byte_fallback)
        oy_buffer_append_string(out, ",{\"type\":\"ByteFallback\"}");
    oy_buffer_append_string(out, ",{\"type\":\"Fuse\"}");
    if (strips)
        oy_buffer_append_string(out, ",{\"type\":\"Strip\",\"content\":\" \","
                                     "\"start\":1,\"stop\":0}");
    oy_buffer_append_string(out, "]}");
}

static void put_metaspace(struct oy_buffer *out, const char *scheme, int split)
{
    oy_buffer_append_format(out,
                            "{\"type\":\"Metaspace\",\"replacement\":\"" MARK
                            "\",\"prepend_scheme\":\"%s\",\"split\":%s}",
                            scheme, split ? "true" : "false");
}

/* What XLM-R, T5 and ALBERT cut with. */
static void cut_words(struct conversion *c)
{
    struct oy_buffer *out = &c->draft->pre_tokenizer;

    oy_buffer_append_string(out, "{\"type\":\"Sequence\",\"pretokenizers\":["
                                 "{\"type\":\"WhitespaceSplit\"},");
    put_metaspace(out, "always", 1);
    oy_buffer_append_string(out, "]}");
    put_metaspace(&c->draft->decoder, "always", 1);
}

/* ---- tokens ---- */

/* Control pieces are special, what a user defined is not. */
static void add_pieces(struct conversion *c)
{
    const size_t n = c->draft->n_token;

    for (size_t i = 0; i < n; i++) {
        const struct draft_token *token = &c->draft->token[i];
        const int type = c->pieces->type[i];
        if (type == PIECE_CONTROL || type == PIECE_USER_DEFINED)
            draft_add_added(c->draft, token->text, token->id,
                            type == PIECE_CONTROL);
    }
}

static char *text_of_id(struct conversion *c, int32_t id)
{
    if (id < 0 || (size_t)id >= c->draft->n_token)
        return NULL;
    const struct oy_text *text = &c->draft->token[id].text;
    return oy_arena_copy(&c->draft->arena, text->at, text->len);
}

/* A token's role: of the configuration, else the piece of this id. */
static char *role(struct conversion *c, const char *name, int32_t id)
{
    const char *text = document_config_text(c->config, name, NULL);

    return text ? draft_keep(c->draft, text) : text_of_id(c, id);
}

static void take_roles(struct conversion *c)
{
    struct draft *draft = c->draft;
    char *unk = text_of_id(c, c->pieces->unk_id);

    draft->bos_token = role(c, "bos_token", c->pieces->bos_id);
    draft->eos_token = role(c, "eos_token", c->pieces->eos_id);
    if (draft->model == DRAFT_BPE && unk)
        draft->unk = (struct oy_text){unk, strlen(unk)};
    if (c->class == XLM_ROBERTA)
        return;
    document_config_role(c->config, draft, "unk_token", unk);
    document_config_role(c->config, draft, "bos_token", draft->bos_token);
    document_config_role(c->config, draft, "eos_token", draft->eos_token);
    document_config_role(c->config, draft, "pad_token", NULL);
}

static int frame(struct conversion *c)
{
    const int bos =
        document_config_bool(c->config, "add_bos_token", c->pieces->add_bos);
    const int eos =
        document_config_bool(c->config, "add_eos_token", c->pieces->add_eos);

    return draft_frame(c->draft, bos ? c->draft->bos_token : NULL,
                       eos ? c->draft->eos_token : NULL, c->err);
}

/* ---- merges of characters ---- */

static void make_llama(struct conversion *c)
{
    const int prepends = document_config_bool(c->config, "add_prefix_space",
                                              c->pieces->add_dummy_prefix);

    normalize_charsmap(c);
    if (document_config_bool(c->config, "legacy", 1))
        normalize_spaces(c, prepends);
    else
        put_metaspace(&c->draft->pre_tokenizer, prepends ? "first" : "never",
                      0);
    decode_pieces(c, prepends);
}

static void make_gemma(struct conversion *c)
{
    normalize_spaces(c, 0);
    oy_buffer_append_string(&c->draft->pre_tokenizer,
                            "{\"type\":\"Split\",\"pattern\":{\"String\":\" \"}"
                            ",\"behavior\":\"MergedWithPrevious\","
                            "\"invert\":false}");
    decode_pieces(c, 0);
}

static int make_bpe(struct conversion *c)
{
    struct draft *draft = c->draft;

    draft->fuse_unk = 1;
    draft->byte_fallback = c->pieces->byte_fallback;
    if (draft_make_merges(draft, DRAFT_BY_SCORE, c->err))
        return -1;
    if (c->class == GEMMA)
        make_gemma(c);
    else
        make_llama(c);
    close_list(&draft->normalizer);
    return frame(c);
}

/* ---- Unigram ---- */

/* Sentinels stand behind the pieces, the highest first. */
static int make_t5(struct conversion *c)
{
    struct draft *draft = c->draft;
    const int64_t n = document_config_int(c->config, "extra_ids", 100);

    if (n < 0 || n > MAX_SENTINELS)
        return oy_fail(c->err, OY_DATA,
                       "tokenizer_config.json: extra_ids is not 0 to %d",
                       MAX_SENTINELS);
    normalize_charsmap(c);
    cut_words(c);
    for (int64_t i = n; i-- > 0;) {
        const struct oy_text text =
            draft_format(draft, "<extra_id_%d>", (int)i);
        const struct draft_token *token = draft_find(draft, text.at, text.len);
        const int32_t id = token ? token->id : (int32_t)draft->n_token;
        if (!token && draft_add_token(draft, text, id, 0, c->err))
            return -1;
        draft_add_added(draft, text, id, 1);
    }
    return draft_put_template(draft, "$A </s>", "$A </s> $B </s>", c->err);
}

/* fairseq's numbers: <s> <pad> </s> <unk>, the pieces, <mask>. */
static int make_xlm_roberta(struct conversion *c)
{
    static const char *const first[] = {"<unk>", "<s>", "</s>"};
    static const int32_t number[] = {3, 0, 2};
    struct draft *draft = c->draft;
    const size_t n = draft->n_token;

    for (size_t i = 0; i < n; i++) {
        struct draft_token *token = &draft->token[i];
        if (i < 3 && (strlen(first[i]) != token->text.len ||
                      memcmp(first[i], token->text.at, token->text.len)))
            return oy_fail(c->err, OY_DATA,
                           "pieces: not those of XLMRobertaTokenizer");
        token->id = i < 3 ? number[i] : (int32_t)i + 1;
    }
    if (draft_add_token(draft, (struct oy_text){"<pad>", 5}, 1, 0, c->err) ||
        draft_add_token(draft, (struct oy_text){"<mask>", 6}, (int64_t)n + 1, 0,
                        c->err))
        return -1;
    draft->unk_id = 3;
    draft_add_added(draft, (struct oy_text){"<s>", 3}, 0, 1);
    draft_add_added(draft, (struct oy_text){"<pad>", 5}, 1, 1);
    draft_add_added(draft, (struct oy_text){"</s>", 4}, 2, 1);
    draft_add_added(draft, (struct oy_text){"<unk>", 5}, 3, 1);
    draft_add_added(draft, (struct oy_text){"<mask>", 6}, (int32_t)n + 1, 1)
        ->lstrip = 1;
    normalize_charsmap(c);
    cut_words(c);
    return draft_put_template(draft, "<s> $A </s>", "<s> $A </s> </s> $B </s>",
                              c->err);
}

/* A piece that ends with a digit and a comma is never preferred. */
static int is_number_comma(struct oy_text text)
{
    return text.len > 1 && text.at[text.len - 1] == ',' &&
           text.at[text.len - 2] >= '0' && text.at[text.len - 2] <= '9';
}

static int make_albert(struct conversion *c)
{
    for (size_t i = 0; i < c->draft->n_token; i++) {
        if (is_number_comma(c->draft->token[i].text))
            c->draft->token[i].score -= 100;
    }
    normalize(c, REPLACE("String", "``", "\\\""));
    normalize(c, REPLACE("String", "''", "\\\""));
    if (!document_config_bool(c->config, "keep_accents", 0)) {
        normalize(c, "{\"type\":\"NFKD\"}");
        normalize(c, "{\"type\":\"StripAccents\"}");
    }
    if (document_config_bool(c->config, "do_lower_case", 1))
        normalize(c, "{\"type\":\"Lowercase\"}");
    normalize_charsmap(c);
    cut_words(c);
    document_config_role(c->config, c->draft, "mask_token", "[MASK]");
    return draft_put_template(c->draft, "[CLS] $A [SEP]",
                              "[CLS] $A [SEP] $B:1 [SEP]:1", c->err);
}

/* Whether no piece goes on behind a mark that is not its first character:
 * then a text may be cut before marks, and nothing else changes. */
static int begins_with_marks(const struct draft *draft)
{
    const size_t n_mark = sizeof MARK - 1;

    for (size_t i = 0; i < draft->n_token; i++) {
        const struct oy_text *text = &draft->token[i].text;
        if (text->len > n_mark &&
            memmem(text->at + 1, text->len - 1, MARK, n_mark))
            return 0;
    }
    return 1;
}

static int make_plain(struct conversion *c)
{
    normalize_charsmap(c);
    normalize_spaces(c, c->pieces->add_dummy_prefix);
    if (begins_with_marks(c->draft))
        put_metaspace(&c->draft->pre_tokenizer, "never", 1);
    decode_pieces(c, c->pieces->add_dummy_prefix);
    return frame(c);
}

static int make_unigram(struct conversion *c)
{
    int failed;

    c->draft->model = DRAFT_UNIGRAM;
    c->draft->unk_id = c->pieces->unk_id;
    c->draft->byte_fallback = c->pieces->byte_fallback;
    switch (c->class) {
    case T5: failed = make_t5(c); break;
    case XLM_ROBERTA: failed = make_xlm_roberta(c); break;
    case ALBERT: failed = make_albert(c); break;
    default: failed = make_plain(c);
    }
    close_list(&c->draft->normalizer);
    return failed;
}

/* ---- the class ---- */

/* Classes that stand for any tokenizer say nothing. */
static int says_nothing(const char *name)
{
    return !name || !strcmp(name, "PreTrainedTokenizer") ||
           !strcmp(name, "TokenizersBackend");
}

static int choose_class(struct conversion *c)
{
    const char *name = document_config_class(c->config);

    c->class = PLAIN;
    if (says_nothing(name))
        return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!strcmp(known[i].name, name) &&
            known[i].is_unigram == c->pieces->is_unigram) {
            c->class = known[i].class;
            return 0;
        }
    }
    return oy_fail(c->err, OY_DATA,
                   "tokenizer_class '%s' is not supported for a SentencePiece "
                   "model of %s",
                   name, c->pieces->is_unigram ? "Unigram" : "BPE");
}

int document_from_pieces(const struct document_pieces *pieces,
                         struct document_config *config, struct draft *draft,
                         struct oy_error *err)
{
    struct conversion c = {pieces, config, draft, PLAIN, err};

    if (choose_class(&c) || document_config_added(config, draft, err))
        return -1;
    if (c.class != XLM_ROBERTA) /* whose pieces get other ids */
        add_pieces(&c);
    take_roles(&c);
    return pieces->is_unigram ? make_unigram(&c) : make_bpe(&c);
}
