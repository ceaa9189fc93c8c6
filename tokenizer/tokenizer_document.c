/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a tokenizer of any form: which one it is, and its document. */
#include "tokenizer/tokenizer_document.h"

#include <string.h>

#include "core/input.h"
#include "core/utf8.h"
#include "tokenizer/document_internal.h"
#include "tokenizer/document_kept.h"

enum {
    MAX_FILE_SIZE = 512 << 20, /* of a GGUF its keys */
    FIRST_READ = 4 << 20,
};

enum form {
    FORM_UNKNOWN,
    FORM_TOKENIZER_JSON,
    FORM_VOCAB_JSON,
    FORM_MERGES,
    FORM_TIKTOKEN_JSON,
    FORM_TIKTOKEN,
    FORM_SENTENCEPIECE,
    FORM_LLAMA2C,
    FORM_WORDPIECE,
};

/* ---- bytes ---- */

/* Reads on until `want` bytes are there. 1 at the end, -1 after a failure. */
static int read_more(struct oy_input *input, struct oy_buffer *data,
                     size_t want, struct oy_error *err)
{
    const size_t room = want - data->len;
    const ssize_t n =
        oy_input_read(input, oy_buffer_reserve(data, room), room, err);

    if (n < 0)
        return -1;
    data->len += (size_t)n;
    return (size_t)n < room;
}

static int too_large(struct oy_input *input, struct oy_error *err)
{
    return oy_fail(err, OY_DATA, "%s: larger than %d bytes",
                   oy_input_name(input), MAX_FILE_SIZE);
}

/* What to ask for first: a plain file as a whole. */
static size_t first_read(struct oy_input *input)
{
    const int64_t size =
        oy_input_codec(input) == OY_CODEC_PLAIN ? oy_input_size(input) : -1;

    return size > FIRST_READ && size < MAX_FILE_SIZE ? (size_t)size + 1
                                                     : FIRST_READ;
}

static int read_all(struct oy_input *input, struct oy_buffer *data,
                    struct oy_error *err)
{
    int ended = 0;

    for (size_t want = first_read(input); !ended; want *= 2) {
        if (want > MAX_FILE_SIZE)
            return too_large(input, err);
        ended = read_more(input, data, want, err);
    }
    return ended < 0 ? -1 : 0;
}

/* ---- GGUF: as much of it as its keys need ---- */

/* Bytes of the file in all, as far as that is known. */
static int64_t file_size(struct oy_input *input, const struct oy_buffer *data,
                         int ended)
{
    if (ended)
        return (int64_t)data->len;
    return oy_input_codec(input) == OY_CODEC_PLAIN ? oy_input_size(input)
                                                   : OY_GGUF_SIZE_UNKNOWN;
}

static int parse_gguf(struct oy_input *input, struct oy_buffer *data,
                      struct oy_gguf *gguf, struct oy_error *err)
{
    int more = 1;

    for (size_t want = FIRST_READ; more > 0; want *= 2) {
        if (want > MAX_FILE_SIZE)
            return too_large(input, err);
        const int ended = read_more(input, data, want, err);
        if (ended < 0)
            return -1;
        oy_gguf_release(gguf);
        more = oy_gguf_parse(gguf, data->data, data->len,
                             file_size(input, data, ended), err);
    }
    return more < 0 ? oy_fail_at(err, "%s", oy_input_name(input)) : 0;
}

/* ---- forms ---- */

/* Told by the first member: ids are numbers; js-tiktoken's names are few. */
static enum form form_of_json(const char *data, size_t len)
{
    static const char *const tiktoken[] = {
        "pat_str", "explicit_n_vocab", "special_tokens", "bpe_ranks", "name"};
    struct oy_json_value whole = {OY_JSON_OBJECT, data, len};
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;

    oy_json_enter(&cursor, &whole);
    if (oy_json_next_member(&cursor, &key, &value) <= 0)
        return FORM_TOKENIZER_JSON;
    if (value.kind == OY_JSON_NUMBER)
        return oy_json_equals(&key, tiktoken[1]) ? FORM_TIKTOKEN_JSON
                                                 : FORM_VOCAB_JSON;
    for (size_t i = 0; i < sizeof tiktoken / sizeof *tiktoken; i++) {
        if (oy_json_equals(&key, tiktoken[i]))
            return FORM_TIKTOKEN_JSON;
    }
    return FORM_TOKENIZER_JSON;
}

static enum form form_of(const char *data, size_t len)
{
    static const char space[] = " \t\r\n";
    const size_t start = strspn(data, space);
    size_t end = len;

    if (data[start] == '{') {
        while (strchr(space, data[end - 1]))
            end--;
        return form_of_json(data + start, end - start);
    }
    if (document_is_sentencepiece(data, len))
        return FORM_SENTENCEPIECE;
    if (document_is_llama2c(data, len))
        return FORM_LLAMA2C;
    if (document_is_tiktoken(data, len))
        return FORM_TIKTOKEN;
    if (len > 8 && !memcmp(data, "#version", 8))
        return FORM_MERGES;
    return len ? FORM_WORDPIECE : FORM_UNKNOWN;
}

/* The other one of a vocabulary's two files, whole. */
static char *read_other(const char *path, enum form form, size_t *len,
                        struct oy_error *err)
{
    static const char *const merges[] = {"merges.txt", "vocab.bpe"};
    static const char *const vocab[] = {"vocab.json", "encoder.json"};
    const char *const *name = form == FORM_MERGES ? vocab : merges;
    char *folder = document_folder_of(path), *other = NULL, *data = NULL;

    for (int i = 0; i < 2 && !other; i++)
        other = document_find_beside(folder, name[i]);
    if (other)
        data = oy_input_slurp(other, MAX_FILE_SIZE, len, err);
    else
        oy_fail(err, OY_NOINPUT, "no %s beside it", name[0]);
    oy_free(other);
    oy_free(folder);
    return data;
}

static int read_merges_first(const struct document_source *source,
                             struct draft *draft, struct oy_error *err)
{
    struct document_source swapped = *source;

    swapped.data = source->other.at;
    swapped.len = source->other.len;
    return document_read_vocab_merges(&swapped, source->data, source->len,
                                      draft, err);
}

static int read_form(const struct document_source *source, struct draft *draft,
                     struct oy_error *err)
{
    switch (form_of(source->data, source->len)) {
    case FORM_VOCAB_JSON:
        return document_read_vocab_merges(source, source->other.at,
                                          source->other.len, draft, err);
    case FORM_MERGES: return read_merges_first(source, draft, err);
    case FORM_TIKTOKEN_JSON:
        return document_read_tiktoken_json(source, draft, err);
    case FORM_TIKTOKEN: return document_read_tiktoken(source, draft, err);
    case FORM_SENTENCEPIECE:
        return document_read_sentencepiece(source, draft, err);
    case FORM_LLAMA2C: return document_read_llama2c(source, draft, err);
    case FORM_WORDPIECE: return document_read_wordpiece(source, draft, err);
    default: return oy_fail(err, OY_DATA, "not a tokenizer of any known form");
    }
}

/* ---- the document ---- */

static char *copy(const char *text)
{
    return text ? oy_strdup(text) : NULL;
}

/* Makes the document of what is no tokenizer.json, of a GGUF or of bytes, as
 * if there was no configuration of the chat. */
static int make(struct tokenizer_document *made, const struct oy_gguf *gguf,
                const struct document_source *source, struct oy_error *err)
{
    struct draft draft = {0};
    int failed = gguf ? document_read_gguf(gguf, &draft, err)
                      : read_form(source, &draft, err);

    if (!failed)
        failed = draft_write(&draft, &made->json, err);
    made->bos_token = copy(draft.bos_token);
    made->eos_token = copy(draft.eos_token);
    made->chat_template = copy(draft.chat_template);
    draft_release(&draft);
    return failed ? oy_fail_at(err, "%s", source->path) : 0;
}

/* The same, kept from an earlier time where it can be. */
static int find_or_make(struct tokenizer_document *made,
                        const struct oy_gguf *gguf,
                        const struct document_source *source,
                        struct oy_error *err)
{
    const struct oy_hash128 key = document_kept_key(source);
    if (!document_kept_find(key, made))
        return 0;
    if (make(made, gguf, source, err))
        return -1;
    document_kept_store(key, made);
    return 0;
}

static void move_string(char **to, char **from)
{
    if (*to)
        return;
    *to = *from;
    *from = NULL;
}

/* Reads the second file of a form of two; it is yours in *other. */
static int find_other(struct document_source *source, char **other,
                      struct oy_error *err)
{
    const enum form form = form_of(source->data, source->len);

    if (form != FORM_VOCAB_JSON && form != FORM_MERGES)
        return 0;
    *other = read_other(source->path, form, &source->other.len, err);
    source->other.at = *other;
    return *other ? 0 : oy_fail_at(err, "%s", source->path);
}

/* What the configuration does not say may stand in the file. */
static int convert(struct tokenizer_document *document,
                   const struct oy_gguf *gguf, const struct oy_buffer *data,
                   struct document_config *config, struct oy_error *err)
{
    struct document_source source = {
        .data = data->data,
        .len = data->len,
        .path = document->path,
        .config = config,
    };
    struct tokenizer_document made = {0};
    char *other = NULL;
    int failed = gguf ? 0 : find_other(&source, &other, err);

    if (!failed)
        failed = find_or_make(&made, gguf, &source, err);
    oy_free(other);
    document->is_converted = 1;
    document->json = made.json;
    made.json = (struct oy_buffer){0};
    move_string(&document->bos_token, &made.bos_token);
    move_string(&document->eos_token, &made.eos_token);
    move_string(&document->chat_template, &made.chat_template);
    tokenizer_document_release(&made);
    return failed;
}

static int read_gguf(struct tokenizer_document *document,
                     struct oy_input *input, struct document_config *config,
                     struct oy_error *err)
{
    struct oy_gguf gguf = {0};
    struct oy_buffer data = {0};
    int failed = parse_gguf(input, &data, &gguf, err);

    if (!failed)
        failed = convert(document, &gguf, &data, config, err);
    oy_gguf_release(&gguf);
    oy_buffer_release(&data);
    return failed;
}

static int read_bytes(struct tokenizer_document *document,
                      struct oy_input *input, struct document_config *config,
                      struct oy_error *err)
{
    struct oy_buffer data = {0};
    int failed = read_all(input, &data, err);

    oy_buffer_string(&data);
    if (!failed && form_of(data.data, data.len) == FORM_TOKENIZER_JSON) {
        document->json = data;
        return 0;
    }
    if (!failed)
        failed = convert(document, NULL, &data, config, err);
    oy_buffer_release(&data);
    return failed;
}

static int read_config(struct tokenizer_document *document,
                       struct document_config *config, struct oy_error *err)
{
    return !document->folder
               ? 0
               : document_config_read(config, document->folder, err) ||
                     document_config_fill(config, document->folder, document,
                                          err);
}

int tokenizer_document_read(const char *path,
                            struct tokenizer_document *document,
                            struct oy_error *err)
{
    struct document_config config = {0};
    struct oy_input *input = NULL;
    int failed =
        document_find_file(path, &document->path, &document->folder, err) ||
        read_config(document, &config, err);
    size_t len;

    if (!failed)
        input = oy_input_open(document->path, err);
    const unsigned char *head =
        input ? oy_input_peek(input, 4, &len, err) : NULL;
    if (!head)
        failed = -1;
    else if (oy_gguf_is(head, len))
        failed = read_gguf(document, input, &config, err);
    else
        failed = read_bytes(document, input, &config, err);
    oy_input_close(input);
    document_config_release(&config);
    return failed ? -1 : 0;
}

void tokenizer_document_release(struct tokenizer_document *document)
{
    oy_free(document->path);
    oy_free(document->folder);
    oy_buffer_release(&document->json);
    oy_free(document->bos_token);
    oy_free(document->eos_token);
    oy_free(document->chat_template);
    *document = (struct tokenizer_document){0};
}

int tokenizer_document_is_in(const char *folder)
{
    struct oy_error err = {0};
    char *file = NULL;
    const int found = document_find_in_folder(folder, &file, &err) == 0;

    oy_free(file);
    return found;
}
