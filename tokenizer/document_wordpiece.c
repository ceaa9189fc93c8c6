/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading BERT's vocab.txt: a token a line, its number is its id
 * (transformers' models/bert/tokenization_bert.py). */
#include <string.h>

#include "core/utf8.h"
#include "tokenizer/document_internal.h"

static const char *const class_name[] = {
    "BertTokenizer",        "DistilBertTokenizer", "ElectraTokenizer",
    "LayoutLMTokenizer",    "LxmertTokenizer",     "MobileBertTokenizer",
    "SqueezeBertTokenizer", "ConvBertTokenizer",
};

static int check_class(struct document_config *config, struct oy_error *err)
{
    const char *name = document_config_class(config);

    for (size_t i = 0; i < sizeof class_name / sizeof *class_name; i++) {
        if (!name || !strcmp(class_name[i], name))
            return 0;
    }
    return oy_fail(err, OY_DATA,
                   "tokenizer_class '%s' is not supported for a vocab.txt",
                   name);
}

static int read_lines(const struct document_source *source, struct draft *draft,
                      struct oy_error *err)
{
    for (size_t at = 0; at < source->len;) {
        const char *line = source->data + at;
        const char *end = memchr(line, '\n', source->len - at);
        size_t n = end ? (size_t)(end - line) : source->len - at;
        const int64_t id = (int64_t)draft->n_token;
        at += n + (end != NULL);
        n -= n && line[n - 1] == '\r';
        if (draft_add_token(draft, (struct oy_text){line, n}, id, 0, err))
            return oy_fail_at(err, "line %lld", (long long)id + 1);
    }
    return 0;
}

static const char *yes_or_no(int truth)
{
    return truth ? "true" : "false";
}

void draft_put_bert(struct draft *draft, int lowercase, int strip_accents,
                    int chinese)
{
    oy_buffer_append_format(
        &draft->normalizer,
        "{\"type\":\"BertNormalizer\",\"clean_text\":true,"
        "\"handle_chinese_chars\":%s,\"strip_accents\":%s,\"lowercase\":%s}",
        yes_or_no(chinese),
        strip_accents < 0 ? "null" : yes_or_no(strip_accents),
        yes_or_no(lowercase));
    oy_buffer_append_string(&draft->pre_tokenizer,
                            "{\"type\":\"BertPreTokenizer\"}");
    oy_buffer_append_string(&draft->decoder, "{\"type\":\"WordPiece\","
                                             "\"prefix\":\"##\","
                                             "\"cleanup\":true}");
}

int document_read_wordpiece(const struct document_source *source,
                            struct draft *draft, struct oy_error *err)
{
    struct document_config *config = source->config;
    const char *unk = document_config_text(config, "unk_token", "[UNK]");

    draft->model = DRAFT_WORDPIECE;
    if (check_class(config, err))
        return -1;
    if (!oy_utf8_valid(source->data, source->len))
        return oy_fail(err, OY_DATA, "not a tokenizer of any known form");
    if (read_lines(source, draft, err))
        return -1;
    const struct draft_token *token = draft_find(draft, unk, strlen(unk));
    if (!token)
        return oy_fail(err, OY_DATA,
                       "not a tokenizer of any known form, nor a vocab.txt: no "
                       "token '%s'",
                       unk);
    draft->unk = token->text;
    if (document_config_added(config, draft, err))
        return -1;
    document_config_role(config, draft, "pad_token", "[PAD]");
    document_config_role(config, draft, "unk_token", "[UNK]");
    document_config_role(config, draft, "cls_token", "[CLS]");
    document_config_role(config, draft, "sep_token", "[SEP]");
    document_config_role(config, draft, "mask_token", "[MASK]");
    draft_put_bert(draft, document_config_bool(config, "do_lower_case", 1),
                   document_config_bool(config, "strip_accents", -1),
                   document_config_bool(config, "tokenize_chinese_chars", 1));
    return draft_put_cls_sep(
        draft, document_config_text(config, "cls_token", "[CLS]"),
        document_config_text(config, "sep_token", "[SEP]"), 0, err);
}
