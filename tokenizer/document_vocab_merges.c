/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading vocab.json and merges.txt, the files of GPT-2 and its kin. How texts
 * are cut depends on the class that the configuration names, as in
 * transformers' convert_slow_tokenizer.py. */
#include <string.h>

#include "core/utf8.h"
#include "tokenizer/document_internal.h"
#include "tokenizer/split.h"

enum frame {
    FRAME_BOS, /* if add_bos_token says so */
    FRAME_ROBERTA,
    FRAME_CLS_SEP,
    FRAME_EOS,
};

struct class
{
    const char *name;
    enum frame frame;
    int is_qwen;
    const char *bos, *eos, *unk, *pad, *mask; /* where nothing is said */
};

static const struct class known[] = {
    {"GPT2Tokenizer", FRAME_BOS, 0, "<|endoftext|>", "<|endoftext|>",
     "<|endoftext|>", NULL, NULL},
    {"CodeGenTokenizer", FRAME_BOS, 0, "<|endoftext|>", "<|endoftext|>",
     "<|endoftext|>", NULL, NULL},
    {"Qwen2Tokenizer", FRAME_BOS, 1, NULL, "<|endoftext|>", "<|endoftext|>",
     "<|endoftext|>", NULL},
    {"RobertaTokenizer", FRAME_ROBERTA, 0, "<s>", "</s>", "<unk>", "<pad>",
     "<mask>"},
    {"BartTokenizer", FRAME_ROBERTA, 0, "<s>", "</s>", "<unk>", "<pad>",
     "<mask>"},
    {"LongformerTokenizer", FRAME_ROBERTA, 0, "<s>", "</s>", "<unk>", "<pad>",
     "<mask>"},
    {"LEDTokenizer", FRAME_ROBERTA, 0, "<s>", "</s>", "<unk>", "<pad>",
     "<mask>"},
    {"MvpTokenizer", FRAME_ROBERTA, 0, "<s>", "</s>", "<unk>", "<pad>",
     "<mask>"},
    {"DebertaTokenizer", FRAME_CLS_SEP, 0, "[CLS]", "[SEP]", "[UNK]", "[PAD]",
     "[MASK]"},
    {"BlenderbotTokenizer", FRAME_EOS, 0, "<s>", "</s>", "<unk>", "<pad>",
     "<mask>"},
};

/* ---- the vocabulary ---- */

static int read_vocab(const struct document_source *source, struct draft *draft,
                      struct oy_error *err)
{
    struct oy_json_cursor cursor;
    struct oy_json_value root, key, value;
    const char *why = "not an object";
    uint64_t n_repaired = 0;
    struct oy_text text;
    int64_t id;
    int more;

    if (oy_json_value_of(source->data, source->len, &root, &why) ||
        root.kind != OY_JSON_OBJECT)
        return oy_fail(err, OY_DATA, "%s", why);
    oy_json_enter(&cursor, &root);
    while ((more = oy_json_next_member(&cursor, &key, &value)) > 0) {
        if (oy_json_text(&key, &draft->arena, &text, &n_repaired, &why))
            return oy_fail(err, OY_DATA, "token %zu: %s", draft->n_token, why);
        if (oy_json_int64(&value, &id))
            return oy_fail(err, OY_DATA, "token '%.*s': its id is no number",
                           (int)text.len, text.at);
        if (draft_add_token(draft, text, id, 0, err))
            return -1;
    }
    return more < 0 ? oy_fail(err, OY_DATA, "%s", cursor.why) : 0;
}

/* ---- merges ---- */

static int add_merge(struct draft *draft, const char *line, size_t len)
{
    const char *space = memchr(line, ' ', len);
    const size_t n_left = space ? (size_t)(space - line) : 0;

    if (!n_left || n_left + 1 == len ||
        memchr(space + 1, ' ', len - n_left - 1))
        return -1;
    OY_GROW(draft->merge, draft->cap_merge, draft->n_merge + 1);
    draft->merge[draft->n_merge++] = (struct draft_merge){
        {line, n_left},
        {space + 1, len - n_left - 1},
    };
    return 0;
}

static int is_version(const char *line, size_t len)
{
    return len >= 8 && !memcmp(line, "#version", 8);
}

static int read_merges(struct draft *draft, const char *text, size_t len,
                       struct oy_error *err)
{
    size_t number = 1;

    if (!oy_utf8_valid(text, len))
        return oy_fail(err, OY_DATA, "merges: not UTF-8");
    for (size_t at = 0; at < len; number++) {
        const char *line = text + at;
        const char *end = memchr(line, '\n', len - at);
        size_t n = end ? (size_t)(end - line) : len - at;
        at += n + (end != NULL);
        n -= n && line[n - 1] == '\r';
        if (n && !is_version(line, n) && add_merge(draft, line, n))
            return oy_fail(err, OY_DATA, "merges: line %zu: not two parts",
                           number);
    }
    return 0;
}

/* ---- components ---- */

/* The name of a role, of the configuration or of the class. */
static const char *role(const struct document_source *source, const char *name,
                        const char *otherwise)
{
    return document_config_text(source->config, name, otherwise);
}

static int put_frame(const struct document_source *source,
                     const struct class *class, struct draft *draft,
                     struct oy_error *err)
{
    const char *bos = role(source, "bos_token", class->bos);
    const char *eos = role(source, "eos_token", class->eos);
    const char *cls = role(source, "cls_token", bos);
    const char *sep = role(source, "sep_token", eos);

    switch (class->frame) {
    case FRAME_BOS:
        if (document_config_bool(source->config, "add_bos_token", 0))
            return draft_frame(draft, bos, NULL, err);
        draft_put_byte_level(&draft->post_processor, 1, 0, 1);
        return 0;
    case FRAME_EOS: return draft_frame(draft, NULL, eos, err);
    default:
        return draft_put_cls_sep(draft, cls, sep, class->frame == FRAME_ROBERTA,
                                 err);
    }
}

static void put_splitter(const struct document_source *source,
                         const struct class *class, struct draft *draft)
{
    const int prefix =
        document_config_bool(source->config, "add_prefix_space", 0);
    struct oy_buffer *out = &draft->pre_tokenizer;

    if (!class->is_qwen) {
        draft_put_byte_level(out, prefix, 1, 1);
        return;
    }
    oy_buffer_append_string(&draft->normalizer, "{\"type\":\"NFC\"}");
    oy_buffer_append_string(out, "{\"type\":\"Sequence\",\"pretokenizers\":[");
    draft_put_split(out, split_regex(SPLIT_QWEN2, 0));
    oy_buffer_append_char(out, ',');
    draft_put_byte_level(out, prefix, 1, 0);
    oy_buffer_append_string(out, "]}");
}

static void add_roles(const struct document_source *source,
                      const struct class *class, struct draft *draft)
{
    struct document_config *config = source->config;

    document_config_role(config, draft, "bos_token", class->bos);
    document_config_role(config, draft, "eos_token", class->eos);
    document_config_role(config, draft, "unk_token", class->unk);
    document_config_role(config, draft, "pad_token", class->pad);
    document_config_role(config, draft, "sep_token", NULL);
    document_config_role(config, draft, "cls_token", NULL);
    document_config_role(config, draft, "mask_token", class->mask);
    /* What is masked swallows the space before it. */
    if (class->mask) {
        const struct oy_text mask = {class->mask, strlen(class->mask)};
        struct draft_added *added = draft_find_added(draft, mask);
        if (added)
            added->lstrip = 1;
    }
}

/* What the configuration says, or the class if there is such a token. */
static char *name_of(const struct document_source *source, struct draft *draft,
                     const char *key, const char *otherwise)
{
    const char *name = role(source, key, NULL);

    if (!name && otherwise && draft_find(draft, otherwise, strlen(otherwise)))
        name = otherwise;
    return draft_keep(draft, name);
}

static const struct class *choose_class(const struct document_source *source,
                                        struct oy_error *err)
{
    const char *name = document_config_class(source->config);

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!name || !strcmp(known[i].name, name))
            return &known[i];
    }
    oy_fail(err, OY_DATA,
            "tokenizer_class '%s' is not supported for a vocab.json with its "
            "merges.txt",
            name);
    return NULL;
}

int document_read_vocab_merges(const struct document_source *source,
                               const char *merges, size_t merges_len,
                               struct draft *draft, struct oy_error *err)
{
    const struct class *class = choose_class(source, err);

    if (!class || read_vocab(source, draft, err) ||
        read_merges(draft, merges, merges_len, err) ||
        document_config_added(source->config, draft, err))
        return -1;
    add_roles(source, class, draft);
    put_splitter(source, class, draft);
    draft_put_byte_level(&draft->decoder, 1, 1, 1);
    draft->bos_token = name_of(source, draft, "bos_token", class->bos);
    draft->eos_token = name_of(source, draft, "eos_token", class->eos);
    return put_frame(source, class, draft, err);
}
