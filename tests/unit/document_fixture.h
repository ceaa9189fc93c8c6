/* SPDX-License-Identifier: Apache-2.0
 *
 * Small tokenizers of every form, made on the spot: a vocabulary of bytes that
 * knows "hello", and one of pieces that knows "ab". */
#ifndef TESTS_DOCUMENT_FIXTURE_H
#define TESTS_DOCUMENT_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/error.h"
#include "core/json.h"
#include "core/output.h"
#include "tests/unit/gguf_fixture.h"
#include "tokenizer/byte_alphabet.h"

#define MARK "\xe2\x96\x81"

/* ---- a vocabulary of bytes: ids 0 to 255, and these ---- */

static const char *const words[] = {"he", "ll", "hell", "hello", " hello"};
static const char *const word_part[][2] = {
    {"h", "e"}, {"l", "l"}, {"he", "ll"}, {"hell", "o"}, {" ", "hello"}};

enum { N_WORD = 5, HELLO = 259, SPACE_HELLO = 260, N_BYTE_TOKEN = 261 };

static inline const char *byte_token(int id, char byte[2], size_t *len)
{
    byte[0] = (char)id;
    byte[1] = 0;
    *len = id < 256 ? 1 : strlen(words[id - 256]);
    return id < 256 ? byte : words[id - 256];
}

static inline void put_ranks(struct oy_buffer *out)
{
    char byte[2];
    size_t len;

    for (int id = 0; id < N_BYTE_TOKEN; id++) {
        const char *token = byte_token(id, byte, &len);
        oy_base64_put(out, token, len);
        oy_buffer_append_format(out, " %d\n", id);
    }
}

/* As js-tiktoken has it; GPT-2's expression, and one special token. */
static inline void put_rank_json(struct oy_buffer *out)
{
    char byte[2];
    size_t len;

    oy_buffer_append_string(
        out, "{\"pat_str\":\"'s|'t|'re|'ve|'m|'ll|'d| ?\\\\p{L}+| ?\\\\p{N}+|"
             " ?[^\\\\s\\\\p{L}\\\\p{N}]+|\\\\s+(?!\\\\S)|\\\\s+\","
             "\"special_tokens\":{\"<|endoftext|>\":300},"
             "\"bpe_ranks\":\"! 0");
    for (int id = 0; id < N_BYTE_TOKEN; id++) {
        const char *token = byte_token(id, byte, &len);
        oy_buffer_append_string(out, id == 200 ? "\\n! 200 " : " ");
        oy_base64_put(out, token, len);
    }
    oy_buffer_append_string(out, "\"}");
}

static inline void put_spelling(struct oy_buffer *out, const char *text,
                                size_t len)
{
    byte_alphabet_put(text, len, out);
}

static inline void put_vocab_json(struct oy_buffer *out)
{
    struct oy_buffer spelled = {0};
    char byte[2];
    size_t len;

    for (int id = 0; id < N_BYTE_TOKEN; id++) {
        const char *token = byte_token(id, byte, &len);
        oy_buffer_clear(&spelled);
        put_spelling(&spelled, token, len);
        oy_buffer_append_char(out, id ? ',' : '{');
        oy_json_put_string(out, spelled.data, spelled.len);
        oy_buffer_append_format(out, ":%d", id);
    }
    oy_buffer_append_char(out, '}');
    oy_buffer_release(&spelled);
}

static inline void put_merges_txt(struct oy_buffer *out)
{
    oy_buffer_append_string(out, "#version: 0.2\n");
    for (int i = 0; i < N_WORD; i++) {
        put_spelling(out, word_part[i][0], strlen(word_part[i][0]));
        oy_buffer_append_char(out, ' ');
        put_spelling(out, word_part[i][1], strlen(word_part[i][1]));
        oy_buffer_append_char(out, '\n');
    }
}

/* `pre` NULL: the key is not there. */
static inline void put_gguf_of_bytes(struct oy_buffer *out, const char *pre)
{
    struct oy_buffer text = {0};
    char byte[2];
    size_t len;

    gguf_put_head(out, 0, pre ? 5 : 4);
    gguf_put_string(out, "tokenizer.ggml.model", "gpt2");
    if (pre)
        gguf_put_string(out, "tokenizer.ggml.pre", pre);
    gguf_put_array(out, "tokenizer.ggml.tokens", OY_GGUF_STRING, N_BYTE_TOKEN);
    for (int id = 0; id < N_BYTE_TOKEN; id++) {
        const char *token = byte_token(id, byte, &len);
        oy_buffer_clear(&text);
        put_spelling(&text, token, len);
        gguf_put_text(out, oy_buffer_string(&text));
    }
    gguf_put_array(out, "tokenizer.ggml.merges", OY_GGUF_STRING, N_WORD);
    for (int i = 0; i < N_WORD; i++) {
        oy_buffer_clear(&text);
        put_spelling(&text, word_part[i][0], strlen(word_part[i][0]));
        oy_buffer_append_char(&text, ' ');
        put_spelling(&text, word_part[i][1], strlen(word_part[i][1]));
        gguf_put_text(out, oy_buffer_string(&text));
    }
    gguf_put_string(out, "tokenizer.chat_template", "{{ messages }}");
    oy_buffer_release(&text);
}

/* ---- a vocabulary of pieces ---- */

static const struct {
    const char *text;
    float score;
    int type;
} piece[] = {
    {"<unk>", 0, 2}, {"<s>", 0, 3},     {"</s>", 0, 3},     {"<0x21>", 0, 6},
    {"ab", -1, 1},   {MARK "a", -2, 1}, {MARK "ab", -3, 1}, {MARK, -4, 1},
    {"a", -5, 1},    {"b", -6, 1},      {"<user>", 0, 4},
};

enum { N_PIECE = 11, AB = 4, MARK_AB = 6, MARK_ALONE = 7, A = 8, B = 9 };

static inline void put_varint(struct oy_buffer *out, uint64_t value)
{
    for (; value > 127; value >>= 7)
        oy_buffer_append_char(out, (char)(value | 128));
    oy_buffer_append_char(out, (char)value);
}

static inline void put_field(struct oy_buffer *out, int number,
                             const struct oy_buffer *message)
{
    put_varint(out, (uint64_t)number << 3 | 2);
    put_varint(out, message->len);
    oy_buffer_append(out, message->data, message->len);
}

static inline void put_number(struct oy_buffer *out, int number, int64_t value)
{
    put_varint(out, (uint64_t)number << 3);
    put_varint(out, (uint64_t)value);
}

static inline void put_piece(struct oy_buffer *out, const char *text,
                             float score, int type)
{
    struct oy_buffer message = {0};

    put_varint(&message, 1 << 3 | 2);
    put_varint(&message, strlen(text));
    oy_buffer_append_string(&message, text);
    put_varint(&message, 2 << 3 | 5);
    oy_buffer_append(&message, &score, sizeof score);
    put_number(&message, 3, type);
    put_field(out, 1, &message);
    oy_buffer_release(&message);
}

/* model_type 1 Unigram, 2 BPE. */
static inline void put_sentencepiece(struct oy_buffer *out, int model_type,
                                     int remove_extra_whitespaces)
{
    struct oy_buffer message = {0};

    for (int i = 0; i < N_PIECE; i++)
        put_piece(out, piece[i].text, piece[i].score, piece[i].type);
    put_number(&message, 3, model_type);
    put_number(&message, 35, 1);
    put_number(&message, 43, -1); /* pad_id, ten bytes */
    put_field(out, 2, &message);
    oy_buffer_clear(&message);
    put_number(&message, 4, remove_extra_whitespaces);
    put_field(out, 3, &message);
    oy_buffer_release(&message);
}

static inline void put_llama2c(struct oy_buffer *out)
{
    gguf_put(out, 6, 4);
    for (int i = 0; i < N_PIECE; i++) {
        struct oy_buffer text = {0};
        const int is_framed = i == 1 || i == 2;
        oy_buffer_append_string(&text, is_framed ? "\n" : "");
        for (const char *at = piece[i].text; *at;) {
            const int is_mark = !strncmp(at, MARK, 3);
            oy_buffer_append_char(&text, is_mark ? ' ' : *at);
            at += is_mark ? 3 : 1;
        }
        oy_buffer_append_string(&text, is_framed ? "\n" : "");
        oy_buffer_append(out, &piece[i].score, 4);
        gguf_put(out, text.len, 4);
        oy_buffer_append(out, text.data, text.len);
        oy_buffer_release(&text);
    }
}

/* `model`: llama or t5. */
static inline void put_gguf_of_pieces(struct oy_buffer *out, const char *model)
{
    gguf_put_head(out, 0, 5);
    gguf_put_string(out, "tokenizer.ggml.model", model);
    gguf_put_array(out, "tokenizer.ggml.tokens", OY_GGUF_STRING, N_PIECE);
    for (int i = 0; i < N_PIECE; i++)
        gguf_put_text(out, piece[i].text);
    gguf_put_array(out, "tokenizer.ggml.scores", OY_GGUF_F32, N_PIECE);
    for (int i = 0; i < N_PIECE; i++)
        oy_buffer_append(out, &piece[i].score, 4);
    gguf_put_array(out, "tokenizer.ggml.token_type", OY_GGUF_I32, N_PIECE);
    for (int i = 0; i < N_PIECE; i++)
        gguf_put(out, (uint64_t)piece[i].type, 4);
    gguf_put_number(out, "tokenizer.ggml.unknown_token_id", OY_GGUF_U32, 0, 4);
}

/* ---- folders ---- */

/* A new empty folder; removed with drop_folder(). */
static inline char *new_folder(void)
{
    char *folder = strdup("/tmp/oy-test-XXXXXX");

    if (!mkdtemp(folder))
        abort();
    return folder;
}

static inline void drop_folder(char *folder)
{
    char *command = oy_asprintf("rm -r '%s'", folder);

    if (system(command))
        abort();
    oy_free(command);
    free(folder);
}

/* Writes FOLDER/NAME, compressed as its suffix says, and empties the bytes. */
static inline void put_in(const char *folder, const char *name,
                          struct oy_buffer *bytes)
{
    char *path = oy_asprintf("%s/%s", folder, name);
    struct oy_error err = {0};
    struct oy_output *output = NULL;
    FILE *plain = NULL;
    int failed;

    if (strstr(name, ".zst") || strstr(name, ".gz")) {
        output = oy_output_open(path, NULL, &err);
        failed = !output ||
                 oy_output_write(output, bytes->data, bytes->len, &err) ||
                 oy_output_commit(output, &err);
    } else {
        /* Without a sync: there are thousands. */
        plain = fopen(path, "wb");
        failed =
            !plain ||
            (bytes->len && fwrite(bytes->data, bytes->len, 1, plain) != 1) ||
            fclose(plain);
    }
    if (failed)
        abort();
    oy_buffer_release(bytes);
    oy_free(path);
}

static inline void put_text_in(const char *folder, const char *name,
                               const char *text)
{
    struct oy_buffer bytes = {0};

    oy_buffer_append_string(&bytes, text);
    put_in(folder, name, &bytes);
}

#endif
