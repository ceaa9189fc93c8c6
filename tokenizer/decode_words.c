/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of a decoder for words: those of BERT, of the first BPE, of CTC. */
#include <string.h>

#include "tokenizer/decode_chain_internal.h"

static const struct oy_text nothing = {"", 0};
static const struct oy_text space = {" ", 1};

/* str::replace of Rust: an empty pattern is found in an empty text too. */
static void replace_all(struct oy_text text, struct oy_text from,
                        struct oy_text to, struct oy_buffer *out)
{
    if (!from.len && !text.len)
        oy_buffer_append(out, to.at, to.len);
    else
        replace_string(text, from, to, out);
}

/* cleanup() of HF's decoders/wordpiece.rs: in this order, each on the result
 * of those before. */
static void clean_up(struct oy_text text, struct oy_buffer work[2],
                     struct oy_buffer *out)
{
    static const struct {
        struct oy_text from, to;
    } change[] = {
        {{" .", 2}, {".", 1}},     {{" ?", 2}, {"?", 1}},
        {{" !", 2}, {"!", 1}},     {{" ,", 2}, {",", 1}},
        {{" ' ", 3}, {"'", 1}},    {{" n't", 4}, {"n't", 3}},
        {{" 'm", 3}, {"'m", 2}},   {{" do not", 7}, {" don't", 6}},
        {{" 's", 3}, {"'s", 2}},   {{" 've", 4}, {"'ve", 3}},
        {{" 're", 4}, {"'re", 3}},
    };
    int next = 0;

    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        if (replace_find(text, 0, change[i].from) == text.len)
            continue;
        oy_buffer_clear(&work[next]);
        replace_string(text, change[i].from, change[i].to, &work[next]);
        text = (struct oy_text){work[next].data, work[next].len};
        next = !next;
    }
    oy_buffer_append(out, text.at, text.len);
}

static int begins_with(struct oy_text text, struct oy_text part)
{
    return !part.len ||
           (text.len >= part.len && !memcmp(text.at, part.at, part.len));
}

void decode_wordpiece(const struct decode_step *step,
                      const struct decode_texts *in, struct decode_texts *out)
{
    struct oy_buffer whole = {0}, work[2] = {{0}, {0}};

    for (size_t i = 0; i < in->n; i++) {
        struct oy_text text = decode_texts_at(in, i);
        oy_buffer_clear(&whole);
        if (i && begins_with(text, step->from)) {
            text.at += step->from.len;
            text.len -= step->from.len;
        } else if (i) {
            oy_buffer_append_char(&whole, ' ');
        }
        oy_buffer_append(&whole, text.at, text.len);
        text = (struct oy_text){whole.data, whole.len};
        if (step->cleanup)
            clean_up(text, work, &out->text);
        else
            oy_buffer_append(&out->text, text.at, text.len);
        decode_texts_close(out);
    }
    oy_buffer_release(&whole);
    oy_buffer_release(&work[0]);
    oy_buffer_release(&work[1]);
}

void decode_suffix(const struct decode_step *step,
                   const struct decode_texts *in, struct decode_texts *out)
{
    for (size_t i = 0; i < in->n; i++) {
        replace_all(decode_texts_at(in, i), step->from,
                    i + 1 == in->n ? nothing : space, &out->text);
        decode_texts_close(out);
    }
}

static int equals(struct oy_text a, struct oy_text b)
{
    return a.len == b.len && (!a.len || !memcmp(a.at, b.at, a.len));
}

void decode_ctc(const struct decode_step *step, const struct decode_texts *in,
                struct decode_texts *out)
{
    struct oy_buffer bare = {0}, clean = {0}, work[2] = {{0}, {0}};

    for (size_t i = 0; i < in->n; i++) {
        const struct oy_text text = decode_texts_at(in, i);
        const size_t before = out->text.len;
        if (i && equals(text, decode_texts_at(in, i - 1)))
            continue;
        oy_buffer_clear(&bare);
        replace_all(text, step->from, nothing, &bare);
        if (step->cleanup) {
            oy_buffer_clear(&clean);
            clean_up((struct oy_text){bare.data, bare.len}, work, &clean);
            replace_all((struct oy_text){clean.data, clean.len}, step->to,
                        space, &out->text);
        } else {
            oy_buffer_append(&out->text, bare.data, bare.len);
        }
        if (out->text.len > before)
            decode_texts_close(out);
    }
    oy_buffer_release(&bare);
    oy_buffer_release(&clean);
    oy_buffer_release(&work[0]);
    oy_buffer_release(&work[1]);
}
