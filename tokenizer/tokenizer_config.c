/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading what lies beside a vocabulary: tokenizer_config.json and its kin. */
#include <string.h>
#include <unistd.h>

#include "core/input.h"
#include "tokenizer/document_internal.h"
#include "tokenizer/tokenizer_document.h"
#include "tokenizer/vocab.h"

enum { MAX_CONFIG_SIZE = 64 << 20 };

/* Places in the arrays of a configuration. */
enum {
    TOKENIZER_CONFIG,
    SPECIAL_TOKENS_MAP,
    ADDED_TOKENS,
    MODEL_CONFIG,
    N_FILE
};

static const char *const file_name[N_FILE] = {
    [TOKENIZER_CONFIG] = "tokenizer_config.json",
    [SPECIAL_TOKENS_MAP] = "special_tokens_map.json",
    [ADDED_TOKENS] = "added_tokens.json",
    [MODEL_CONFIG] = "config.json",
};

char *document_find_beside(const char *folder, const char *name)
{
    static const char *const suffix[] = {"", ".zst", ".gz", ".xz", ".bz2"};

    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        char *path = oy_asprintf("%s/%s%s", folder, name, suffix[i]);
        if (!access(path, F_OK))
            return path;
        oy_free(path);
    }
    return NULL;
}

/* ---- files ---- */

static int read_file(struct document_config *config, int file, const char *path,
                     struct oy_error *err)
{
    const char *why = "not an object";
    size_t len;

    config->data[file] = oy_input_slurp(path, MAX_CONFIG_SIZE, &len, err);
    if (!config->data[file])
        return -1;
    if (!oy_json_value_of(config->data[file], len, &config->root[file], &why) &&
        config->root[file].kind == OY_JSON_OBJECT)
        return 0;
    config->root[file].kind = OY_JSON_MISSING;
    /* The model's own is only a hint. */
    return file == MODEL_CONFIG ? 0
                                : oy_fail(err, OY_DATA, "%s: %s", path, why);
}

int document_config_read(struct document_config *config, const char *folder,
                         struct oy_error *err)
{
    int failed = 0;

    for (int file = 0; !failed && file < N_FILE; file++) {
        char *path = document_find_beside(folder, file_name[file]);
        if (path)
            failed = read_file(config, file, path, err);
        oy_free(path);
    }
    return failed;
}

void document_config_release(struct document_config *config)
{
    oy_arena_release(&config->arena);
    for (int file = 0; file < N_FILE; file++)
        oy_free(config->data[file]);
    *config = (struct document_config){0};
}

/* ---- values ---- */

static struct oy_json_value member(const struct document_config *config,
                                   int file, const char *name)
{
    if (config->root[file].kind != OY_JSON_OBJECT)
        return (struct oy_json_value){.kind = OY_JSON_MISSING};
    return oy_json_member(&config->root[file], name);
}

/* The text of a string, or of the content of an object; NULL when it is
 * neither. In the arena. */
static char *text_of(struct document_config *config,
                     const struct oy_json_value *value)
{
    const struct oy_json_value *string = value;
    struct oy_json_value content;
    uint64_t n_repaired = 0;
    const char *why = NULL;
    struct oy_text text;

    if (value->kind == OY_JSON_OBJECT) {
        content = oy_json_member(value, "content");
        string = &content;
    }
    if (string->kind != OY_JSON_STRING ||
        oy_json_text(string, &config->arena, &text, &n_repaired, &why))
        return NULL;
    return oy_arena_copy(&config->arena, text.at, text.len);
}

static char *find_text(struct document_config *config, int file,
                       const char *name)
{
    const struct oy_json_value value = member(config, file, name);

    return text_of(config, &value);
}

const char *document_config_text(struct document_config *config,
                                 const char *name, const char *otherwise)
{
    const char *text = find_text(config, TOKENIZER_CONFIG, name);

    if (!text)
        text = find_text(config, SPECIAL_TOKENS_MAP, name);
    return text ? text : otherwise;
}

int document_config_bool(const struct document_config *config, const char *name,
                         int otherwise)
{
    const struct oy_json_value value = member(config, TOKENIZER_CONFIG, name);
    int truth;

    return oy_json_bool(&value, &truth) ? otherwise : truth;
}

int64_t document_config_int(const struct document_config *config,
                            const char *name, int64_t otherwise)
{
    const struct oy_json_value value = member(config, TOKENIZER_CONFIG, name);
    int64_t number;

    return oy_json_int64(&value, &number) ? otherwise : number;
}

/* ---- the class ---- */

/* TOKENIZER_MAPPING_NAMES of transformers' auto/tokenization_auto.py, as far
 * as there are readers. */
static const char *const class_of_model[][2] = {
    {"albert", "AlbertTokenizer"},   {"bart", "RobertaTokenizer"},
    {"bert", "BertTokenizer"},       {"codegen", "GPT2Tokenizer"},
    {"distilbert", "BertTokenizer"}, {"electra", "BertTokenizer"},
    {"gemma", "GemmaTokenizer"},     {"gemma2", "GemmaTokenizer"},
    {"gemma3", "GemmaTokenizer"},    {"gemma3_text", "GemmaTokenizer"},
    {"gpt2", "GPT2Tokenizer"},       {"gpt_neo", "GPT2Tokenizer"},
    {"llama", "LlamaTokenizer"},     {"longformer", "RobertaTokenizer"},
    {"mistral", "LlamaTokenizer"},   {"mixtral", "LlamaTokenizer"},
    {"mt5", "T5Tokenizer"},          {"opt", "GPT2Tokenizer"},
    {"phi3", "LlamaTokenizer"},      {"qwen2", "Qwen2Tokenizer"},
    {"qwen2_moe", "Qwen2Tokenizer"}, {"qwen3", "Qwen2Tokenizer"},
    {"qwen3_moe", "Qwen2Tokenizer"}, {"roberta", "RobertaTokenizer"},
    {"t5", "T5Tokenizer"},           {"xlm-roberta", "XLMRobertaTokenizer"},
};

static const char *class_by_model(struct document_config *config)
{
    const char *model = find_text(config, MODEL_CONFIG, "model_type");

    for (size_t i = 0;
         model && i < sizeof class_of_model / sizeof *class_of_model; i++) {
        if (!strcmp(class_of_model[i][0], model))
            return class_of_model[i][1];
    }
    return NULL;
}

const char *document_config_class(struct document_config *config)
{
    static const char fast[] = "Fast";
    char *name = find_text(config, TOKENIZER_CONFIG, "tokenizer_class");

    if (!name)
        name = find_text(config, MODEL_CONFIG, "tokenizer_class");
    if (!name)
        return class_by_model(config);
    const size_t len = strlen(name), n_fast = sizeof fast - 1;
    if (len > n_fast && !strcmp(name + len - n_fast, fast))
        name[len - n_fast] = 0;
    return name;
}

/* ---- added tokens ---- */

/* The digits of a key. */
static int64_t id_of_key(struct document_config *config,
                         const struct oy_json_value *key)
{
    const char *text = text_of(config, key);
    int64_t id = 0;

    if (!text || !*text)
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || id >= VOCAB_MAX_ID)
            return -1;
        id = 10 * id + (*text - '0');
    }
    return id < VOCAB_MAX_ID ? id : -1;
}

static int flag(const struct oy_json_value *object, const char *name,
                int otherwise)
{
    const struct oy_json_value value = oy_json_member(object, name);
    int truth;

    return oy_json_bool(&value, &truth) ? otherwise : truth;
}

/* A text in the arena of the draft, which outlives the configuration. */
static struct oy_text keep(struct draft *draft, const char *text)
{
    const size_t len = strlen(text);

    return (struct oy_text){oy_arena_copy(&draft->arena, text, len), len};
}

/* `"151643": {"content": "<|endoftext|>", ...}` */
static int add_decoded(struct document_config *config, struct draft *draft,
                       const struct oy_json_value *key,
                       const struct oy_json_value *value, struct oy_error *err)
{
    const int64_t id = id_of_key(config, key);
    const char *content =
        value->kind == OY_JSON_OBJECT ? text_of(config, value) : NULL;

    if (id < 0 || !content || !*content)
        return oy_fail(err, OY_DATA,
                       "tokenizer_config.json: added_tokens_decoder.%.*s: not "
                       "a token with an id",
                       (int)key->len, key->at);
    const int special = flag(value, "special", 0);
    struct draft_added *added =
        draft_add_added(draft, keep(draft, content), (int32_t)id, special);
    added->single_word = flag(value, "single_word", 0);
    added->lstrip = flag(value, "lstrip", 0);
    added->rstrip = flag(value, "rstrip", 0);
    added->normalized = flag(value, "normalized", !special);
    return 0;
}

/* `"<|endoftext|>": 151643`, of older files. */
static int add_listed(struct document_config *config, struct draft *draft,
                      const struct oy_json_value *key,
                      const struct oy_json_value *value, struct oy_error *err)
{
    const char *content = text_of(config, key);
    int64_t id;

    if (!content || !*content || oy_json_int64(value, &id) || id < 0 ||
        id >= VOCAB_MAX_ID)
        return oy_fail(err, OY_DATA, "added_tokens.json: %.*s: no id",
                       (int)key->len, key->at);
    draft_add_added(draft, keep(draft, content), (int32_t)id, 0);
    return 0;
}

int document_config_added(struct document_config *config, struct draft *draft,
                          struct oy_error *err)
{
    struct oy_json_value map =
        member(config, TOKENIZER_CONFIG, "added_tokens_decoder");
    const int is_decoder = map.kind == OY_JSON_OBJECT;
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;
    int more;

    if (!is_decoder)
        map = config->root[ADDED_TOKENS];
    if (map.kind != OY_JSON_OBJECT)
        return 0;
    oy_json_enter(&cursor, &map);
    while ((more = oy_json_next_member(&cursor, &key, &value)) > 0) {
        if (is_decoder ? add_decoded(config, draft, &key, &value, err)
                       : add_listed(config, draft, &key, &value, err))
            return -1;
    }
    return more < 0
               ? oy_fail(
                     err, OY_DATA, "%s: %s",
                     file_name[is_decoder ? TOKENIZER_CONFIG : ADDED_TOKENS],
                     cursor.why)
               : 0;
}

void document_config_role(struct document_config *config, struct draft *draft,
                          const char *role, const char *otherwise)
{
    const char *content = document_config_text(config, role, otherwise);

    if (!content || !*content)
        return;
    const struct draft_token *token =
        draft_find(draft, content, strlen(content));
    struct draft_added *added =
        draft_find_added(draft, (struct oy_text){content, strlen(content)});
    if (added)
        added->special = 1;
    else if (token)
        draft_add_added(draft, token->text, token->id, 1);
}

/* ---- the part that every tokenizer has ---- */

/* A template is a string, or a list of {name, template} whose "default" is
 * meant. */
static char *find_template(struct document_config *config)
{
    const struct oy_json_value value =
        member(config, TOKENIZER_CONFIG, "chat_template");
    struct oy_json_cursor cursor;
    struct oy_json_value entry;

    if (value.kind != OY_JSON_ARRAY)
        return value.kind == OY_JSON_STRING ? text_of(config, &value) : NULL;
    oy_json_enter(&cursor, &value);
    while (oy_json_next_element(&cursor, &entry) > 0) {
        if (entry.kind != OY_JSON_OBJECT)
            continue;
        const struct oy_json_value name = oy_json_member(&entry, "name");
        const struct oy_json_value text = oy_json_member(&entry, "template");
        if (oy_json_equals(&name, "default"))
            return text_of(config, &text);
    }
    return NULL;
}

static char *copy(const char *text)
{
    return text ? oy_strdup(text) : NULL;
}

static int read_template_file(struct tokenizer_document *document,
                              const char *folder, struct oy_error *err)
{
    char *path = document_find_beside(folder, "chat_template.jinja");
    size_t len;

    if (path)
        document->chat_template =
            oy_input_slurp(path, MAX_CONFIG_SIZE, &len, err);
    const int failed = path && !document->chat_template;
    oy_free(path);
    return failed ? -1 : 0;
}

int document_config_fill(struct document_config *config, const char *folder,
                         struct tokenizer_document *document,
                         struct oy_error *err)
{
    document->bos_token = copy(document_config_text(config, "bos_token", NULL));
    document->eos_token = copy(document_config_text(config, "eos_token", NULL));
    document->chat_template = copy(find_template(config));
    return document->chat_template ? 0
                                   : read_template_file(document, folder, err);
}
