/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoders. */
#include "tokenizer/decode_chain.h"

#include <string.h>

#include "core/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/decode_chain_internal.h"
#include "tokenizer/decode_table.h"

struct decode_step *decode_chain_add(struct decode_chain *chain,
                                     enum decode_kind kind)
{
    OY_GROW(chain->step, chain->cap, chain->n + 1);
    struct decode_step *step = &chain->step[chain->n++];
    *step = (struct decode_step){.kind = kind};
    return step;
}

void decode_chain_release(struct decode_chain *chain)
{
    for (size_t i = 0; i < chain->n; i++)
        replace_regex_free(chain->step[i].regex);
    oy_free(chain->step);
    *chain = (struct decode_chain){0};
}

void decode_texts_release(struct decode_texts *texts)
{
    oy_buffer_release(&texts->text);
    oy_free(texts->end);
    *texts = (struct decode_texts){0};
}

void decode_texts_close(struct decode_texts *texts)
{
    OY_GROW(texts->end, texts->cap, texts->n + 1);
    texts->end[texts->n++] = texts->text.len;
}

static void clear(struct decode_texts *texts)
{
    oy_buffer_clear(&texts->text);
    texts->n = 0;
}

struct oy_text decode_texts_at(const struct decode_texts *texts, size_t i)
{
    const size_t begin = i ? texts->end[i - 1] : 0;

    return (struct oy_text){texts->text.data + begin, texts->end[i] - begin};
}

static void put(struct decode_texts *out, struct oy_text text)
{
    oy_buffer_append(&out->text, text.at, text.len);
    decode_texts_close(out);
}

/* ---- ByteLevel ---- */

static void join_bytes(const struct decode_texts *in, struct decode_texts *out)
{
    struct byte_alphabet alphabet;
    struct oy_buffer bytes = {0};

    byte_alphabet_init(&alphabet);
    for (size_t i = 0; i < in->n; i++) {
        const struct oy_text text = decode_texts_at(in, i);
        char *at = oy_buffer_reserve(&bytes, text.len);
        const int64_t n = byte_alphabet_map(&alphabet, text.at, text.len, at);
        if (n >= 0)
            bytes.len += (size_t)n;
        else
            oy_buffer_append(&bytes, text.at, text.len);
    }
    oy_utf8_repair(bytes.data, bytes.len, &out->text);
    decode_texts_close(out);
    oy_buffer_release(&bytes);
}

/* ---- ByteFallback ---- */

/* The run of bytes that ends here. */
static void put_bytes(struct oy_buffer *bytes, struct decode_texts *out)
{
    const struct oy_text replacement = {"\xef\xbf\xbd", 3};

    if (!bytes->len)
        return;
    if (oy_utf8_valid(bytes->data, bytes->len)) {
        put(out, (struct oy_text){bytes->data, bytes->len});
    } else {
        for (size_t i = 0; i < bytes->len; i++)
            put(out, replacement);
    }
    oy_buffer_clear(bytes);
}

static void fall_back(const struct decode_texts *in, struct decode_texts *out)
{
    struct oy_buffer bytes = {0};

    for (size_t i = 0; i < in->n; i++) {
        const struct oy_text text = decode_texts_at(in, i);
        const int byte = decode_byte_of(text);
        if (byte >= 0) {
            oy_buffer_append_char(&bytes, (char)byte);
            continue;
        }
        put_bytes(&bytes, out);
        put(out, text);
    }
    put_bytes(&bytes, out);
    oy_buffer_release(&bytes);
}

/* ---- steps on each text ---- */

struct oy_text decode_strip(const struct decode_step *step, struct oy_text text)
{
    const struct oy_text mark = step->from;

    for (size_t i = 0; i < step->n_left && text.len >= mark.len &&
                       !memcmp(text.at, mark.at, mark.len);
         i++) {
        text.at += mark.len;
        text.len -= mark.len;
    }
    for (size_t i = 0;
         i < step->n_right && text.len >= mark.len &&
         !memcmp(text.at + text.len - mark.len, mark.at, mark.len);
         i++)
        text.len -= mark.len;
    return text;
}

static void strip_each(const struct decode_step *step,
                       const struct decode_texts *in, struct decode_texts *out)
{
    for (size_t i = 0; i < in->n; i++)
        put(out, decode_strip(step, decode_texts_at(in, i)));
}

/* What replaces a match in text number i. */
static struct oy_text substitute(const struct decode_step *step, size_t i)
{
    const struct oy_text nothing = {"", 0}, space = {" ", 1};

    if (step->kind == DECODE_REPLACE)
        return step->to;
    return !i && step->n_left ? nothing : space;
}

/* A match of one character never reaches across the border of two texts, so
 * they are searched as one. */
static void replace_character(const struct decode_step *step,
                              const struct decode_texts *in,
                              struct decode_texts *out)
{
    const struct oy_text all = {in->text.data, in->text.len};
    size_t at = 0, i = 0;

    OY_GROW(out->end, out->cap, in->n + 1);
    for (;;) {
        const size_t hit = replace_find(all, at, step->from);
        const size_t begin = out->text.len;
        oy_buffer_append(&out->text, all.at + at, hit - at);
        for (; i < in->n && in->end[i] <= hit; i++)
            out->end[i] = begin + (in->end[i] - at);
        if (hit == all.len)
            break;
        const struct oy_text to = substitute(step, i);
        oy_buffer_append(&out->text, to.at, to.len);
        at = hit + step->from.len;
    }
    out->n = in->n;
}

static void replace_each(const struct decode_step *step,
                         const struct decode_texts *in,
                         struct decode_texts *out)
{
    if (oy_utf8_count(step->from.at, step->from.len) == 1) {
        replace_character(step, in, out);
        return;
    }
    for (size_t i = 0; i < in->n; i++) {
        replace_string(decode_texts_at(in, i), step->from, step->to,
                       &out->text);
        decode_texts_close(out);
    }
}

static void replace_matches(const struct decode_step *step,
                            const struct decode_texts *in,
                            struct decode_texts *out)
{
    for (size_t i = 0; i < in->n; i++) {
        replace_regex_run(step->regex, decode_texts_at(in, i), step->to,
                          &out->text, NULL);
        decode_texts_close(out);
    }
}

static void run_step(const struct decode_step *step,
                     const struct decode_texts *in, struct decode_texts *out)
{
    clear(out);
    switch (step->kind) {
    case DECODE_BYTE_LEVEL: join_bytes(in, out); break;
    case DECODE_BYTE_FALLBACK: fall_back(in, out); break;
    case DECODE_STRIP: strip_each(step, in, out); break;
    case DECODE_REPLACE:
    case DECODE_METASPACE: replace_each(step, in, out); break;
    case DECODE_REGEX: replace_matches(step, in, out); break;
    case DECODE_WORDPIECE: decode_wordpiece(step, in, out); break;
    case DECODE_SUFFIX: decode_suffix(step, in, out); break;
    case DECODE_CTC: decode_ctc(step, in, out); break;
    case DECODE_FUSE: break; /* needs no second list */
    }
}

int decode_chain_run(const struct decode_chain *chain, size_t first, size_t end,
                     struct decode_texts work[2])
{
    int now = 0;

    for (size_t i = first; i < end; i++) {
        const struct decode_step *step = &chain->step[i];
        if (step->kind == DECODE_FUSE) {
            work[now].n = 0;
            decode_texts_close(&work[now]);
            continue;
        }
        run_step(step, &work[now], &work[!now]);
        now = !now;
    }
    return now;
}
