/* SPDX-License-Identifier: Apache-2.0
 *
 * Views of a text, made when they are asked for. */
#include "pipeline/document.h"

#include <string.h>

#include "core/alloc.h"
#include "core/regex.h"
#include "core/utf8.h"

enum {
    HAS_N_CODE = 1,
    HAS_WORDS = 2,
    HAS_LINES = 4,
    HAS_NGRAMS = 8,
    HAS_SPLIT_LINES = 16,
    HAS_WS_WORDS = 32,
    HAS_UNISEG_WORDS = 64,
};

void document_start(struct document *document, struct oy_text text)
{
    document->text = text;
    document->made = 0;
    document->is_rewritten = 0;
    document->n_rewrite = 0;
    document->failure = NULL;
    document->note = NULL;
    oy_arena_clear(&document->arena);
}

struct oy_buffer *document_draft(struct document *document)
{
    struct oy_buffer *draft = &document->draft[document->n_rewrite % 2];

    oy_buffer_clear(draft);
    return draft;
}

void document_rewrite(struct document *document, struct oy_text text)
{
    document->text = text;
    document->made = 0;
    document->is_rewritten = 1;
    document->n_rewrite++;
}

void document_release(struct document *document)
{
    words_release(&document->words);
    pieces_release(&document->lines);
    pieces_release(&document->split_lines);
    pieces_release(&document->paragraphs);
    pieces_release(&document->scratch);
    pieces_release(&document->own_lines);
    ngrams_release(&document->ngrams);
    seen_release(&document->seen);
    sentences_release(&document->sentences);
    words_release(&document->line_words);
    words_release(&document->ws_words);
    words_release(&document->uniseg_words);
    words_release(&document->own_words);
    ngrams_release(&document->own_ngrams);
    oy_buffer_release(&document->own_text);
    oy_buffer_release(&document->draft[0]);
    oy_buffer_release(&document->draft[1]);
    oy_regex_matcher_free(document->matcher);
    oy_arena_release(&document->arena);
}

/* Whether the view must be made now; it then counts as made. */
static int is_missing(struct document *document, unsigned view)
{
    const unsigned made = document->made;

    document->made |= view;
    return !(made & view);
}

size_t document_n_code(struct document *document)
{
    if (is_missing(document, HAS_N_CODE))
        document->n_code = oy_utf8_count(document->text.at, document->text.len);
    return document->n_code;
}

const struct words *document_words(struct document *document)
{
    if (is_missing(document, HAS_WORDS))
        words_split(document->splitter, document->text.at, document->text.len,
                    &document->words);
    return &document->words;
}

const struct words *document_ws_words(struct document *document)
{
    if (document->splitter == WORDS_WS)
        return document_words(document);
    if (is_missing(document, HAS_WS_WORDS))
        words_split(WORDS_WS, document->text.at, document->text.len,
                    &document->ws_words);
    return &document->ws_words;
}

const struct words *document_uniseg_words(struct document *document)
{
    if (is_missing(document, HAS_UNISEG_WORDS))
        words_split_uniseg(document->text.at, document->text.len,
                           &document->uniseg_words);
    return &document->uniseg_words;
}

const struct pieces *document_lines(struct document *document)
{
    if (is_missing(document, HAS_LINES))
        pieces_split(document->text.at, 0, document->text.len, 1,
                     &document->lines);
    return &document->lines;
}

const struct pieces *document_split_lines(struct document *document)
{
    const struct pieces *feeds = document_lines(document);

    if (is_missing(document, HAS_SPLIT_LINES))
        pieces_split_lines(document->text.at, feeds, &document->split_lines);
    return &document->split_lines;
}

struct piece *document_scratch(struct document *document, size_t n)
{
    struct pieces *scratch = &document->scratch;

    return OY_GROW(scratch->item, scratch->cap, n);
}

struct ngrams *document_ngrams(struct document *document)
{
    if (is_missing(document, HAS_NGRAMS))
        ngrams_init(&document->ngrams, document->text.at,
                    document_words(document));
    return &document->ngrams;
}

struct sentences *document_sentences(struct document *document)
{
    return &document->sentences;
}

struct words *document_line_words(struct document *document)
{
    return &document->line_words;
}

struct pieces *document_own_lines(struct document *document)
{
    return &document->own_lines;
}

struct words *document_own_words(struct document *document)
{
    return &document->own_words;
}

struct ngrams *document_own_ngrams(struct document *document)
{
    return &document->own_ngrams;
}

struct oy_buffer *document_own_text(struct document *document)
{
    return &document->own_text;
}

void document_note(struct document *document, const char *key, size_t count)
{
    struct document_note *note =
        oy_arena_array(&document->arena, 1, sizeof *note);

    *note = (struct document_note){key, count, document->note};
    document->note = note;
}

const size_t *document_noted(const struct document *document, const char *key)
{
    const struct document_note *note = document->note;

    while (note && strcmp(note->key, key) != 0)
        note = note->next;
    return note ? &note->count : NULL;
}

int document_member_text(struct document *document, struct oy_text *text)
{
    const struct oy_json_value *member = document->member;
    uint64_t n_repaired = 0;
    const char *why;

    return member && member->kind == OY_JSON_STRING &&
           !oy_json_text(member, &document->arena, text, &n_repaired, &why);
}

struct oy_regex_matcher *document_matcher(struct document *document)
{
    if (!document->matcher)
        document->matcher = oy_regex_matcher_new();
    return document->matcher;
}

void document_fail(struct document *document, const char *why)
{
    document->failure = oy_arena_copy(&document->arena, why, strlen(why));
}
