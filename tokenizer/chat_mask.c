/* SPDX-License-Identifier: Apache-2.0
 *
 * What the assistant said, found in rendered conversations. */
#include "tokenizer/chat_mask.h"

#include <string.h>

#include "core/utf8.h"
#include "tokenizer/template_internal.h"

/* Bytes of the text before a turn that are looked for in one that changed. */
enum { LONG_TAIL = 64, SHORT_TAIL = 8 };

/* ---- spans ---- */

struct finder {
    const struct chat_template *chat;
    const struct chat_request *request;
    const struct template_list *message;
    struct oy_arena *arena;
    struct oy_text whole;
    const char *why; /* why the last prefix could not be rendered */
};

/* What is known of a turn. */
struct turn {
    struct oy_text before; /* the messages before it */
    struct oy_text prompt; /* those, and the generation prompt */
    struct oy_text with;   /* those and the turn itself */
};

/* A conversation; -1 when the template will not have it. */
static int render_list(struct finder *finder, struct template_list *list,
                       int with_prompt, struct oy_text *text)
{
    const struct template_value messages = {.kind = TEMPLATE_LIST,
                                            .list = list};
    struct chat_request request = *finder->request;
    struct oy_buffer out = {0};
    struct oy_error err = {0};

    request.messages = &messages;
    request.add_generation_prompt = with_prompt;
    request.generation = NULL;
    const int failed =
        chat_template_render(finder->chat, &request, finder->arena, &out, &err);
    if (failed)
        finder->why =
            oy_arena_copy(finder->arena, err.message, strlen(err.message) + 1);
    *text = (struct oy_text){oy_arena_copy(finder->arena, out.data, out.len),
                             out.len};
    oy_buffer_release(&out);
    return failed;
}

/* The first n messages. */
static int render_first(struct finder *finder, size_t n, int with_prompt,
                        struct oy_text *text)
{
    struct template_list list = {.item = finder->message->item,
                                 .n_item = n,
                                 .depth = finder->message->depth};

    return render_list(finder, &list, with_prompt, text);
}

/* Those, and a question. */
static int render_question(struct finder *finder, size_t n,
                           struct oy_text *text)
{
    struct template_value list = template_new_list(finder->arena);
    struct template_value question = template_new_dict(finder->arena);

    template_put_name(&question, finder->arena, "role",
                      template_literal("user"));
    template_put_name(&question, finder->arena, "content",
                      template_literal("?"));
    for (size_t i = 0; i < n; i++)
        template_push(&list, finder->arena, finder->message->item[i]);
    template_push(&list, finder->arena, question);
    return render_list(finder, list.list, 0, text);
}

static size_t common(struct oy_text a, struct oy_text b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    size_t i = 0;

    while (i < n && a.at[i] == b.at[i])
        i++;
    return i;
}

static int is_prefix(struct oy_text part, struct oy_text of)
{
    return part.len <= of.len && common(part, of) == part.len;
}

static struct oy_text behind(struct oy_text text, size_t n)
{
    return (struct oy_text){text.at + n, text.len - n};
}

/* Where the header of a turn ends in a text in which its generation prompt
 * begins at `at`: as much of the prompt as stands there. A prompt that opens
 * more than the turn has is left before `<think>`, else behind a line or a
 * tag. */
static size_t header_end(const struct turn *turn, struct oy_text text,
                         size_t at)
{
    static const struct oy_text think = {"<think>", 7};
    const struct oy_text prompt = behind(turn->prompt, turn->before.len);
    const struct oy_text here = behind(text, at);
    const size_t opening = template_search(prompt, think, 0);
    size_t n = common(prompt, here);

    if (n == prompt.len)
        return at + n;
    if (opening <= n)
        return at + opening;
    while (n && !memchr("\n>]", here.at[n - 1], 3))
        n--;
    return at + n;
}

/* Where the generation prompt begins in a text whose older turns may have
 * changed: behind the end of what stands before the turn, as much of it as is
 * found from `from` on. SIZE_MAX: not there. */
static size_t prompt_start(const struct turn *turn, struct oy_text text,
                           size_t from)
{
    const struct oy_text rest = behind(text, from);

    if (is_prefix(turn->before, text) && turn->before.len >= from)
        return turn->before.len;
    for (size_t len = LONG_TAIL; len >= SHORT_TAIL; len /= 2) {
        if (turn->before.len < len)
            continue;
        const struct oy_text tail =
            behind(turn->before, turn->before.len - len);
        const size_t at = template_search(rest, tail, 0);
        if (at != SIZE_MAX)
            return from + at + len;
    }
    return SIZE_MAX;
}

/* Length of the longest end of `a` that `b` begins with (Knuth, Morris and
 * Pratt's table over b, then a run over a). */
static size_t overlap(struct oy_text a, struct oy_text b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    size_t *fail = oy_alloc_array(n + 1, sizeof *fail);
    size_t k = 0;

    fail[0] = 0;
    for (size_t i = 1; i < n; i++) {
        while (k && b.at[i] != b.at[k])
            k = fail[k - 1];
        k += b.at[i] == b.at[k];
        fail[i] = k;
    }
    k = 0;
    for (size_t i = a.len - n; i < a.len; i++) {
        while (k && (k == n || a.at[i] != b.at[k]))
            k = fail[k - 1];
        k += n && a.at[i] == b.at[k];
    }
    oy_free(fail);
    return k;
}

/* Bytes of the special token and white space at the end of a turn, 0 when
 * there is none. */
static size_t end_mark(struct oy_text text)
{
    size_t n = text.len;

    while (n && memchr(" \n", text.at[n - 1], 2))
        n--;
    if (!n || text.at[n - 1] != '>')
        return 0;
    while (n && text.at[n - 1] != '<')
        n--;
    return n ? text.len - n + 1 : 0;
}

/* What the turn's own text must at least hold: the end of what it says. */
static size_t least(const struct template_value *message)
{
    const struct template_value *content = template_get(message, "content");
    struct oy_text text = {"", 0};

    if (content && content->kind == TEMPLATE_STRING)
        text = content->text;
    /* Templates cut thoughts off themselves. */
    if (template_search(text, (struct oy_text){"</think>", 8}, 0) != SIZE_MAX)
        return 1;
    return template_strip(text, (struct oy_text){0}, 1, 1).len + 1;
}

/* The end of a turn that later messages changed: it is shorter at its
 * beginning, or ends with another mark. `was` is what it said when it was
 * the last, `now` what follows its header. 0: not found. */
static size_t changed_end(struct oy_text was, struct oy_text now, size_t want)
{
    const size_t mark = end_mark(was);
    size_t n = overlap(was, now);

    if (n >= want)
        return n;
    if (!mark)
        return 0;
    n = overlap((struct oy_text){was.at, was.len - mark}, now);
    if (n + 1 < want || n >= now.len || now.at[n] != '<')
        return 0;
    const char *close = memchr(now.at + n, '>', now.len - n);
    return close ? (size_t)(close + 1 - now.at) : 0;
}

static int add_span(struct template_spans *spans, size_t start, size_t end)
{
    if (spans->n && start < spans->span[spans->n - 1].end)
        return -1;
    OY_GROW(spans->span, spans->cap, spans->n + 1);
    spans->span[spans->n++] = (struct template_span){start, end};
    return 0;
}

/* The renderings around message i. In front of the first message stands no
 * conversation: its header is looked for in the text, as far as the
 * generation prompt of the whole tells it. */
static int render_turn(struct finder *finder, size_t i, struct turn *turn)
{
    const struct template_list *all = finder->message;
    struct oy_text plain, prompted;
    size_t at;

    if (render_first(finder, i + 1, 0, &turn->with))
        return -1;
    if (i) {
        if (render_first(finder, i, 0, &turn->before) ||
            render_first(finder, i, 1, &turn->prompt))
            return -1;
        /* Some end a conversation that asks for nothing more (Phi). */
        turn->before.len = common(turn->before, turn->prompt);
        return 0;
    }
    finder->why = "the template does not tell how a turn begins";
    if (render_first(finder, all->n_item, 0, &plain) ||
        render_first(finder, all->n_item, 1, &prompted) ||
        !is_prefix(plain, prompted))
        return -1;
    at = template_search(turn->with, behind(prompted, plain.len), 0);
    if (at == SIZE_MAX)
        return -1;
    turn->before = (struct oy_text){turn->with.at, at};
    turn->prompt =
        (struct oy_text){turn->with.at, at + prompted.len - plain.len};
    return 0;
}

/* A template may write the generation prompt whether it is asked for or not
 * (the first one of Llama 3): then a turn ends where a question behind it
 * makes another text, before the tag that is common to both. */
static void cut_prompt(struct finder *finder, size_t i, struct turn *turn)
{
    struct oy_text asked;
    size_t n;

    if (turn->prompt.len > turn->before.len ||
        render_question(finder, i + 1, &asked))
        return;
    n = common(turn->with, asked);
    if (n == turn->with.len || n <= turn->prompt.len)
        return;
    if (turn->with.at[n - 1] == '>')
        while (n > turn->prompt.len && turn->with.at[n - 1] != '<')
            n--;
    turn->with.len = n - (turn->with.at[n - 1] == '<');
}

/* -1 when the turn is not to be found. */
static int find_turn(struct finder *finder, size_t i,
                     struct template_spans *spans)
{
    struct turn turn;

    if (render_turn(finder, i, &turn))
        return -1;
    cut_prompt(finder, i, &turn);
    finder->why = "later messages change it";
    const size_t from = spans->n ? spans->span[spans->n - 1].end : 0;
    const size_t now_at = prompt_start(&turn, finder->whole, from);
    const size_t was_at = prompt_start(&turn, turn.with, 0);
    if (now_at == SIZE_MAX || was_at == SIZE_MAX)
        return -1;
    const size_t start = header_end(&turn, finder->whole, now_at);
    const size_t was = header_end(&turn, turn.with, was_at);
    if (is_prefix(turn.with, finder->whole) && start <= turn.with.len)
        return add_span(spans, start, turn.with.len);
    const size_t len =
        changed_end(behind(turn.with, was), behind(finder->whole, start),
                    least(&finder->message->item[i]));
    return len ? add_span(spans, start, start + len) : -1;
}

static int is_assistant(const struct template_value *message)
{
    const struct template_value want = template_literal("assistant");
    const struct template_value *role = template_get(message, "role");

    return role && template_equal(role, &want);
}

static int find_turns(struct finder *finder, struct template_spans *spans,
                      const char **why)
{
    struct oy_buffer text = {0};

    for (size_t i = 0; i < finder->message->n_item; i++) {
        if (!is_assistant(&finder->message->item[i]) ||
            !find_turn(finder, i, spans))
            continue;
        oy_buffer_append_format(&text, "message %zu is not found: %s", i,
                                finder->why);
        *why =
            oy_arena_copy(finder->arena, oy_buffer_string(&text), text.len + 1);
        oy_buffer_release(&text);
        spans->n = 0;
        return 1;
    }
    return 0;
}

int chat_mask_render(const struct chat_template *chat,
                     const struct chat_request *request, struct oy_arena *arena,
                     struct oy_buffer *out, struct template_spans *spans,
                     const char **why, struct oy_error *err)
{
    struct chat_request own = *request;
    const size_t start = out->len;

    spans->n = 0;
    own.generation = spans;
    if (chat_template_render(chat, &own, arena, out, err))
        return -1;
    if (chat_template_has_generation(chat))
        return 0;

    struct finder finder = {
        .chat = chat,
        .request = request,
        .message = request->messages->list,
        .arena = arena,
        .whole = {out->data + start, out->len - start},
    };
    return find_turns(&finder, spans, why);
}

/* ---- from spans to ids ---- */

/* How a reader of the text walks through its tokens. */
struct walk {
    const struct tokenizer *tokenizer;
    struct oy_text text;
    size_t at;
};

/* The byte of a token "<0x0A>", or -1. */
static int fallback_byte(const char *bytes, size_t len)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *high, *low;

    if (len != 6 || memcmp(bytes, "<0x", 3) || bytes[5] != '>')
        return -1;
    high = memchr(digits, bytes[3], 16);
    low = memchr(digits, bytes[4], 16);
    return high && low ? (int)(16 * (high - digits) + (low - digits)) : -1;
}

/* Bytes of the text that a token spelled with U+2581 for a space stands for;
 * one in front may have been put there by the tokenizer. SIZE_MAX: it does
 * not stand here. */
static size_t match_marked(struct oy_text rest, const char *bytes, size_t len)
{
    static const char mark[] = "\xe2\x96\x81";
    size_t at = 0;

    for (size_t i = 0; i < len;) {
        const int is_mark = len - i >= 3 && !memcmp(bytes + i, mark, 3);
        const char want = is_mark ? ' ' : bytes[i];
        if (at < rest.len && rest.at[at] == want)
            at++;
        else if (!is_mark || i)
            return SIZE_MAX;
        i += is_mark ? 3 : 1;
    }
    return at;
}

/* Goes over one token. -1 when it does not say what stands there. */
static int step(struct walk *walk, int32_t id)
{
    const struct oy_text rest = behind(walk->text, walk->at);
    size_t len;
    const char *bytes = tokenizer_bytes(walk->tokenizer, id, &len);

    if (!bytes)
        return -1;
    const int byte = fallback_byte(bytes, len);
    if (len <= rest.len && !memcmp(bytes, rest.at, len)) {
        walk->at += len;
    } else if (byte >= 0 && rest.len && (unsigned char)*rest.at == byte) {
        walk->at++;
    } else {
        len = match_marked(rest, bytes, len);
        if (len == SIZE_MAX)
            return -1;
        walk->at += len;
    }
    return 0;
}

/* The first byte of the span's last character. */
static size_t last_character(struct oy_text text, struct template_span span)
{
    size_t at = span.end;

    oy_utf8_previous(text.at, &at);
    return at;
}

/* By the tokens' own texts; -1 when the normalizer changed something. */
static int mask_by_bytes(struct walk *walk, const struct template_spans *spans,
                         const struct token_ids *ids, uint8_t *mask)
{
    size_t s = 0;

    for (size_t i = 0; i < ids->n; i++) {
        const size_t start = walk->at;
        if (step(walk, ids->id[i]))
            return -1;
        while (s < spans->n &&
               (!spans->span[s].end ||
                last_character(walk->text, spans->span[s]) < start))
            s++;
        mask[i] = s < spans->n && walk->at > spans->span[s].start;
    }
    return 0;
}

/* How many ids stand before a place: those that the text up to there begins
 * with too. *cut: the last of them goes on behind it. */
static size_t ids_before(struct tokenizer_worker *worker, struct oy_text text,
                         size_t place, const struct token_ids *ids, int *cut)
{
    struct token_ids part = {0};
    size_t n = 0;

    tokenizer_encode(worker, text.at, place, TOKENIZER_TOKEN, &part, NULL);
    while (n < part.n && n < ids->n && part.id[n] == ids->id[n])
        n++;
    *cut = n < part.n;
    token_ids_release(&part);
    return n;
}

static void mask_by_prefixes(struct tokenizer_worker *worker,
                             struct oy_text text,
                             const struct template_spans *spans,
                             const struct token_ids *ids, uint8_t *mask)
{
    int cut;

    memset(mask, 0, ids->n);
    for (size_t s = 0; s < spans->n; s++) {
        const struct template_span span = spans->span[s];
        if (span.start == span.end)
            continue;
        const size_t first = ids_before(worker, text, span.start, ids, &cut);
        size_t last = ids_before(worker, text, span.end, ids, &cut);
        last += cut && last < ids->n;
        if (first < last)
            memset(mask + first, 1, last - first);
    }
}

void chat_mask_from_spans(struct tokenizer_worker *worker,
                          const struct tokenizer *tokenizer,
                          struct oy_text text,
                          const struct template_spans *spans,
                          const struct token_ids *ids, uint8_t *mask)
{
    struct walk walk = {tokenizer, text, 0};

    if (mask_by_bytes(&walk, spans, ids, mask))
        mask_by_prefixes(worker, text, spans, ids, mask);
}

/* ---- by ids ---- */

static int stands_at(const struct token_ids *ids, size_t at,
                     const struct token_ids *mark)
{
    return mark->n <= ids->n - at &&
           !memcmp(ids->id + at, mark->id, mark->n * sizeof *mark->id);
}

void chat_mask_from_marks(const struct token_ids *ids,
                          const struct token_ids *begin,
                          const struct token_ids *end, uint8_t *mask)
{
    memset(mask, 0, ids->n);
    for (size_t i = 0; i < ids->n; i++) {
        if (!stands_at(ids, i, begin))
            continue;
        const size_t start = i + begin->n;
        size_t stop = start;
        while (stop < ids->n && !stands_at(ids, stop, end))
            stop++;
        stop = stop < ids->n ? stop + end->n : stop;
        memset(mask + start, 1, stop - start);
        i = stop - 1;
    }
}
