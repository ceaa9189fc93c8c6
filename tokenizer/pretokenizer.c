/* SPDX-License-Identifier: Apache-2.0
 *
 * Pre-tokenizers in general: running a chain of steps.
 */
#include "tokenizer/pretokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/unicode.h"
#include "core/unicode_script.h"
#include "core/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/pretokenizer_internal.h"

enum { BATCH = 256, MAX_CHARACTER = 4 /* bytes */ };

struct pieces {
    struct oy_text *piece;
    size_t n, cap;
};

struct pretokenizer_scratch {
    struct pieces list[2];    /* before and behind a step, in turns */
    struct oy_buffer text[2]; /* what a step rewrote, in turns */
    struct oy_buffer visible; /* a piece as HF spells it */
    struct oy_regex_matcher *matcher;
    size_t end[BATCH];
};

/* ---- classes of characters ---- */

struct range {
    uint32_t first, last;
};

/* Punctuation (P) of crate unicode_categories 0.1.1 is that of Unicode 8,
 * measured over all code points in tokenizers 0.23.3: what came with 9.0 is
 * not in it, and two characters that are something else by now are. */
static int is_punctuation(uint32_t c)
{
    static const struct range younger[] = {
        {0x2e43, 0x2e44},   {0x1144b, 0x1144f}, {0x1145b, 0x1145b},
        {0x1145d, 0x1145d}, {0x11660, 0x1166c}, {0x11c41, 0x11c45},
        {0x11c70, 0x11c71}, {0x1e95e, 0x1e95f},
    };
    const enum oy_category category = oy_unicode_category(c, 9);

    if (c < 0x80)
        return c > 0x20 && c < 0x7f &&
               !(oy_unicode_class16(c) & (OY_IS_L | OY_IS_N));
    if (category < OY_PC || category > OY_PO)
        return c == 0x166d || c == 0x111c9;
    for (size_t i = 0; i < sizeof younger / sizeof *younger; i++) {
        if (c >= younger[i].first && c <= younger[i].last)
            return 0;
    }
    return 1;
}

static int is_member(const struct pretokenizer_step *step, uint32_t c)
{
    switch (step->class) {
    case PRETOKENIZER_DIGITS: return oy_unicode_class16(c) & OY_IS_DIGITS;
    case PRETOKENIZER_PUNCTUATION: return is_punctuation(c);
    case PRETOKENIZER_SPACE: return oy_unicode_class16(c) & OY_IS_SPACE;
    case PRETOKENIZER_CHARACTER: return c == step->character;
    }
    return 0;
}

/* Scripts that UnicodeScripts tells apart are numbers; ANY goes with all. */
enum { ANY = -1 };

static int script_of_name(const char *name)
{
    return oy_unicode_find_script(name, strlen(name));
}

/* The tables of HF's UnicodeScripts are Unicode 9's, but for four characters
 * (measured). Japanese is one script. */
static int script_of(const struct pretokenizer_step *step, uint32_t c)
{
    switch (c) {
    case ' ': return ANY;
    case 0x589:
    case 0x61c: return script_of_name("Common");
    case 0x953:
    case 0x954: return script_of_name("Devanagari");
    case 0x30fc: return step->han;
    default: break;
    }
    const int script = oy_unicode_script(c);
    if (!script || oy_unicode_category(c, 9) == OY_CN)
        return ANY;
    return script == step->hiragana || script == step->katakana ? step->han
                                                                : script;
}

/* ---- cutting ---- */

/* The pieces that one piece becomes. What lies between two matches is told
 * too, so that all of the text is told, in order; matches may be empty. */
struct cutter {
    struct pieces *out;
    struct oy_text text;
    const struct pretokenizer_step *step;
    int holds; /* the last piece may still grow */
    size_t begin, end;
    int was_match;
    /* Where places are those of the visible spelling: how far it is known
     * which byte they are. NULL: they are those of the text. */
    const char *visible;
    size_t visible_at, byte_at;
};

static size_t byte_of(struct cutter *cutter, size_t at)
{
    while (cutter->visible_at < at) {
        (void)oy_utf8_next(cutter->visible, &cutter->visible_at);
        cutter->byte_at++;
    }
    return cutter->byte_at;
}

static void push_piece(struct pieces *list, const char *at, size_t len)
{
    if (list->n == list->cap)
        OY_GROW(list->piece, list->cap, list->n + 1);
    list->piece[list->n++] = (struct oy_text){at, len};
}

static void push(struct cutter *cutter, size_t begin, size_t end)
{
    if (cutter->visible) {
        begin = byte_of(cutter, begin);
        end = byte_of(cutter, end);
    }
    if (end > begin)
        push_piece(cutter->out, cutter->text.at + begin, end - begin);
}

static void end_cut(struct cutter *cutter)
{
    if (cutter->holds)
        push(cutter, cutter->begin, cutter->end);
    cutter->holds = 0;
}

/* Whether a stretch is one piece with that before it. */
static int is_joined(const struct cutter *cutter, int is_match)
{
    if (!cutter->holds)
        return 0;
    switch (cutter->step->behavior) {
    case PRETOKENIZER_CONTIGUOUS: return is_match == cutter->was_match;
    case PRETOKENIZER_MERGED_WITH_PREVIOUS:
        return is_match && !cutter->was_match;
    case PRETOKENIZER_MERGED_WITH_NEXT: return !is_match && cutter->was_match;
    default: return 0;
    }
}

static void cut(struct cutter *cutter, size_t begin, size_t end, int is_match)
{
    const enum pretokenizer_behavior behavior = cutter->step->behavior;

    is_match ^= cutter->step->invert;
    if (behavior <= PRETOKENIZER_ISOLATED) {
        if (behavior == PRETOKENIZER_ISOLATED || !is_match)
            push(cutter, begin, end);
        return;
    }
    if (is_joined(cutter, is_match)) {
        cutter->end = end;
    } else {
        end_cut(cutter);
        cutter->holds = 1;
        cutter->begin = begin;
        cutter->end = end;
    }
    cutter->was_match = is_match;
}

static void cut_by_kind(struct cutter *cutter, size_t *end, struct oy_text text)
{
    const enum split_kind kind = cutter->step->split;
    const int may_drop = split_drops(kind);

    for (size_t at = 0; at < text.len;) {
        const size_t n = split_batch(kind, text.at, text.len, at, end, BATCH);

        for (size_t i = 0; i < n; i++) {
            if (!may_drop || !split_is_dropped(kind, text.at, at))
                push(cutter, at, end[i]);
            at = end[i];
        }
    }
}

static void cut_by_class(struct cutter *cutter)
{
    const struct pretokenizer_step *const step = cutter->step;
    const struct oy_text text = cutter->text;
    size_t last = 0;

    for (size_t at = 0; at < text.len;) {
        const unsigned char byte = (unsigned char)text.at[at];
        size_t next = at + 1;
        int is_match;

        if (step->is_spelled || byte < 0x80) {
            is_match = step->table[byte];
        } else {
            next = at;
            is_match = is_member(step, oy_utf8_next(text.at, &next)) != 0;
        }
        if (is_match) {
            if (last < at)
                cut(cutter, last, at, 0);
            cut(cutter, at, next, 1);
            last = next;
        }
        at = next;
    }
    if (last < text.len)
        cut(cutter, last, text.len, 0);
    end_cut(cutter);
}

static void cut_by_string(struct cutter *cutter, struct oy_text text)
{
    const struct pretokenizer_step *const step = cutter->step;
    size_t last = 0;
    const char *found;

    while ((found = memmem(text.at + last, text.len - last, step->text,
                           step->text_len)) != NULL) {
        const size_t at = (size_t)(found - text.at);

        if (last < at)
            cut(cutter, last, at, 0);
        last = at + step->text_len;
        cut(cutter, at, last, 1);
    }
    if (last < text.len)
        cut(cutter, last, text.len, 0);
    end_cut(cutter);
}

static void cut_by_regex(struct cutter *cutter,
                         struct oy_regex_matcher *matcher, struct oy_text text)
{
    struct oy_regex_walk walk = {0};
    struct oy_regex_match match;
    struct oy_error err = {0};
    size_t last = 0;
    int found;

    while ((found = oy_regex_next(cutter->step->regex, matcher, text.at,
                                  text.len, &walk, &match, &err)) > 0) {
        if (last != match.begin)
            cut(cutter, last, match.begin, 0);
        cut(cutter, match.begin, match.end, 1);
        last = match.end;
    }
    if (found < 0) {
        oy_log_error(&err);
        exit(err.code); /* atexit handlers remove half-made outputs */
    }
    if (last != text.len)
        cut(cutter, last, text.len, 0);
    end_cut(cutter);
}

/* As HF does, what stands before the first character of a script is lost. */
static void cut_by_script(struct cutter *cutter, struct oy_text text)
{
    int now = ANY;
    size_t begin = text.len;

    for (size_t at = 0; at < text.len;) {
        const size_t here = at;
        const int script = script_of(cutter->step, oy_utf8_next(text.at, &at));

        if (script == ANY || script == now)
            continue;
        if (begin < here)
            push(cutter, begin, here);
        begin = here;
        now = script;
    }
    push(cutter, begin, text.len);
}

static void cut_by_length(struct cutter *cutter, struct oy_text text)
{
    size_t begin = 0;

    for (size_t at = 0, n = 0; at < text.len;) {
        (void)oy_utf8_next(text.at, &at);
        if (++n == cutter->step->length || at == text.len) {
            push(cutter, begin, at);
            begin = at;
            n = 0;
        }
    }
}

/* Whether a match may begin somewhere in the piece: most pieces have none, and
 * need not be spelled or searched. An empty match may begin at its end. */
static int may_match(const struct pretokenizer_step *step, struct oy_text text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (step->table[(unsigned char)text.at[i]])
            return 1;
    }
    return 0;
}

static void cut_piece(const struct pretokenizer_step *step,
                      struct pretokenizer_scratch *scratch, struct oy_text text,
                      struct pieces *out)
{
    struct cutter cutter = {.out = out, .text = text, .step = step};

    if (step->kind == PRETOKENIZER_REGEX && !may_match(step, text)) {
        cut(&cutter, 0, text.len, 0);
        end_cut(&cutter);
        return;
    }
    if (step->is_spelled && step->kind != PRETOKENIZER_CLASS) {
        oy_buffer_clear(&scratch->visible);
        byte_alphabet_put(text.at, text.len, &scratch->visible);
        text = (struct oy_text){scratch->visible.data, scratch->visible.len};
        cutter.visible = text.at;
    }
    switch (step->kind) {
    case PRETOKENIZER_SPLIT: cut_by_kind(&cutter, scratch->end, text); break;
    case PRETOKENIZER_CLASS: cut_by_class(&cutter); break;
    case PRETOKENIZER_STRING: cut_by_string(&cutter, text); break;
    case PRETOKENIZER_REGEX:
        cut_by_regex(&cutter, scratch->matcher, text);
        break;
    case PRETOKENIZER_SCRIPTS: cut_by_script(&cutter, text); break;
    case PRETOKENIZER_LENGTH: cut_by_length(&cutter, text); break;
    default: OY_ASSERT(!"a step that cuts");
    }
}

/* ---- rewriting ---- */

static size_t count_bytes(struct oy_text text, char byte)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.at[i] == byte;
    return n;
}

/* Room for what a step makes of the pieces: they may not move. */
static void make_room(const struct pretokenizer_step *step,
                      const struct pieces *from, struct oy_buffer *out)
{
    size_t size = 0;

    for (size_t i = 0; i < from->n; i++) {
        const struct oy_text piece = from->piece[i];

        size += piece.len + 1 + step->text_len;
        if (step->kind == PRETOKENIZER_SPELL)
            size += piece.len;
        if (step->kind == PRETOKENIZER_MARK)
            size += count_bytes(piece, ' ') * step->text_len;
    }
    oy_buffer_clear(out);
    (void)oy_buffer_reserve(out, size);
}

static void put_marked(const struct pretokenizer_step *step,
                       struct oy_text piece, int is_first,
                       struct oy_buffer *out)
{
    const int has_mark =
        piece.at[0] == ' ' || (piece.len >= step->text_len &&
                               !memcmp(piece.at, step->text, step->text_len));

    if (!has_mark && (step->scheme == PRETOKENIZER_ALWAYS ||
                      (step->scheme == PRETOKENIZER_FIRST && is_first)))
        oy_buffer_append(out, step->text, step->text_len);
    for (size_t at = 0; at < piece.len;) {
        const char *const space = memchr(piece.at + at, ' ', piece.len - at);
        const size_t end = space ? (size_t)(space - piece.at) : piece.len;

        oy_buffer_append(out, piece.at + at, end - at);
        if (space)
            oy_buffer_append(out, step->text, step->text_len);
        at = end + 1;
    }
}

/* begin: where the whole text begins, when nothing stands before it. */
static void rewrite(const struct pretokenizer_step *step,
                    const struct pieces *from, const char *begin,
                    struct oy_buffer *out, struct pieces *to)
{
    make_room(step, from, out);
    for (size_t i = 0; i < from->n; i++) {
        const struct oy_text piece = from->piece[i];
        const size_t start = out->len;

        if (step->kind == PRETOKENIZER_MARK) {
            put_marked(step, piece, piece.at == begin, out);
        } else if (step->kind == PRETOKENIZER_SPELL) {
            byte_alphabet_put(piece.at, piece.len, out);
        } else {
            if (piece.at[0] != ' ')
                oy_buffer_append_char(out, ' ');
            oy_buffer_append(out, piece.at, piece.len);
        }
        push_piece(to, out->data + start, out->len - start);
    }
}

/* ---- the chain ---- */

static int is_rewrite(const struct pretokenizer_step *step)
{
    return step->kind >= PRETOKENIZER_PREFIX;
}

static struct pretokenizer_scratch *scratch_of(struct pretokenizer_work *work)
{
    if (!work->scratch) {
        work->scratch = oy_calloc(1, sizeof *work->scratch);
        work->scratch->matcher = oy_regex_matcher_new();
    }
    return work->scratch;
}

void pretokenizer_run(const struct pretokenizer *chain, struct oy_text text,
                      int is_first, struct pretokenizer_work *work)
{
    struct pretokenizer_scratch *const scratch = scratch_of(work);
    const char *const begin = is_first ? text.at : NULL;
    struct pieces *from = &scratch->list[0], *to = &scratch->list[1];
    int turn = 0;

    from->n = 0;
    if (text.len)
        push_piece(from, text.at, text.len);
    for (size_t i = 0; i < chain->n; i++) {
        const struct pretokenizer_step *const step = &chain->step[i];
        struct pieces *const swap = from;

        to->n = 0;
        if (is_rewrite(step)) {
            rewrite(step, from, begin, &scratch->text[turn], to);
            turn = !turn;
        } else {
            for (size_t k = 0; k < from->n; k++)
                cut_piece(step, scratch, from->piece[k], to);
        }
        from = to;
        to = swap;
    }
    work->piece = from->piece;
    work->n = from->n;
}

void pretokenizer_work_release(struct pretokenizer_work *work)
{
    struct pretokenizer_scratch *const scratch = work->scratch;

    if (scratch) {
        for (int i = 0; i < 2; i++) {
            oy_free(scratch->list[i].piece);
            oy_buffer_release(&scratch->text[i]);
        }
        oy_buffer_release(&scratch->visible);
        oy_regex_matcher_free(scratch->matcher);
        oy_free(scratch);
    }
    *work = (struct pretokenizer_work){0};
}

/* ---- making one ---- */

struct pretokenizer_step *pretokenizer_add(struct pretokenizer *chain,
                                           enum pretokenizer_kind kind,
                                           int is_spelled)
{
    OY_GROW(chain->step, chain->cap, chain->n + 1);
    struct pretokenizer_step *const step = &chain->step[chain->n++];
    *step = (struct pretokenizer_step){.kind = kind, .is_spelled = is_spelled};
    return step;
}

/* The character that spells a byte. */
static uint32_t spelling_of(unsigned char byte, struct oy_buffer *work)
{
    const char text = (char)byte;
    size_t at = 0;

    oy_buffer_clear(work);
    byte_alphabet_put(&text, 1, work);
    return oy_utf8_next(work->data, &at);
}

void pretokenizer_fill_table(struct pretokenizer_step *step)
{
    struct oy_buffer work = {0};

    for (int byte = 0; byte < 256; byte++) {
        char bytes[MAX_CHARACTER] = {(char)byte};
        uint32_t c = (uint32_t)byte;

        if (step->is_spelled) {
            c = spelling_of((unsigned char)byte, &work);
            (void)oy_utf8_put(bytes, c);
        }
        step->table[byte] =
            step->kind == PRETOKENIZER_REGEX
                ? oy_regex_may_begin(step->regex, (unsigned char)bytes[0])
                : is_member(step, c) != 0;
    }
    oy_buffer_release(&work);
}

void pretokenizer_release_step(struct pretokenizer_step *step)
{
    oy_regex_free(step->regex);
    oy_free(step->text);
    oy_free(step->path);
}

void pretokenizer_free(struct pretokenizer *chain)
{
    if (!chain)
        return;
    for (size_t i = 0; i < chain->n; i++)
        pretokenizer_release_step(&chain->step[i]);
    oy_free(chain->step);
    oy_free(chain);
}
