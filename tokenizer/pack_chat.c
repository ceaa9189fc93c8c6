/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversations rendered, encoded, masked. */
#include "tokenizer/pack_chat.h"

#include <string.h>

#include "core/input.h"
#include "core/random.h"
#include "tokenizer/chat_mask.h"

static const char BEGIN_TOKEN[] = "<|im_start|>", END_TOKEN[] = "<|im_end|>";
static const char EMPTY_THINK[] = "<think>\n\n</think>\n\n";
enum { EMPTY_THINK_SIZE = sizeof EMPTY_THINK - 1, MAX_PROMPTS = 16 << 20 };

struct pack_chat {
    const struct pack_settings *settings;
    const struct tokenizer *tokenizer;
    struct chat_template *template;
    uint64_t seed;
    struct tm now;
    enum pack_mask mask;
    struct token_ids begin, end; /* of what the assistant says */
    char *prompts;               /* the file of system lines */
    struct oy_text *prompt;
    size_t n_prompt, cap_prompt;
};

struct pack_chat_worker {
    const struct pack_chat *chat;
    struct tokenizer_worker *worker;
    struct oy_arena arena;
    /* What chance says of the record at hand, in [0, 1). */
    double system_chance, think_chance, thinking_chance;
    size_t which_prompt;
    struct oy_buffer text;
    struct template_spans spans;
    struct token_ids ids;
    uint8_t *loss;
    size_t cap_loss;
};

/* ---- what all conversations share ---- */

static int has_token(const struct tokenizer *tokenizer, const char *text)
{
    return tokenizer_id(tokenizer, text, strlen(text)) >= 0;
}

static int template_has(const struct pack_chat *chat, const char *text)
{
    const struct oy_text source = chat_template_source(chat->template);

    return memmem(source.at, source.len, text, strlen(text)) != NULL;
}

static enum pack_mask choose_mask(const struct pack_chat *chat)
{
    if (chat->settings->mask != PACK_MASK_AUTO)
        return (enum pack_mask)chat->settings->mask;
    if (chat_template_has_generation(chat->template))
        return PACK_MASK_SPANS;
    return has_token(chat->tokenizer, BEGIN_TOKEN) &&
                   has_token(chat->tokenizer, END_TOKEN) &&
                   template_has(chat, BEGIN_TOKEN)
               ? PACK_MASK_MARKS
               : PACK_MASK_SPANS;
}

static void encode_mark(const struct pack_chat *chat, const char *token,
                        const char *rest, struct token_ids *ids)
{
    struct tokenizer_worker *worker = tokenizer_worker_new(chat->tokenizer);
    struct oy_buffer text = {0};

    oy_buffer_append_string(&text, token);
    oy_buffer_append_string(&text, rest);
    memset(oy_buffer_reserve(&text, OY_PADDING), 0, OY_PADDING);
    tokenizer_encode(worker, text.data, text.len, TOKENIZER_TOKEN, ids, NULL);
    oy_buffer_release(&text);
    tokenizer_worker_free(worker);
}

static int make_marks(struct pack_chat *chat, struct oy_error *err)
{
    const struct tokenizer *tokenizer = chat->tokenizer;
    const int is_known =
        has_token(tokenizer, BEGIN_TOKEN) && has_token(tokenizer, END_TOKEN);
    const char *begin = is_known ? BEGIN_TOKEN : tokenizer_bos_text(tokenizer);
    const char *end = is_known ? END_TOKEN : tokenizer_eos_text(tokenizer);

    if (chat->mask != PACK_MASK_MARKS)
        return 0;
    if (!begin || !end)
        return oy_fail(err, OY_USAGE,
                       "--mask marks needs a tokenizer with %s and %s, or with "
                       "bos_token and eos_token",
                       BEGIN_TOKEN, END_TOKEN);
    encode_mark(chat, begin, "assistant\n", &chat->begin);
    encode_mark(chat, end, "\n", &chat->end);
    return 0;
}

/* The lines of --system-prompts. */
static int read_prompts(struct pack_chat *chat, struct oy_run *run,
                        struct oy_error *err)
{
    const char *path = chat->settings->system_prompts;
    size_t len;

    if (!path)
        return 0;
    if (oy_run_add_resource(run, "system_prompts", path, err))
        return -1;
    chat->prompts = oy_input_slurp(path, MAX_PROMPTS, &len, err);
    if (!chat->prompts)
        return -1;
    for (char *at = chat->prompts, *end = at + len; at < end;) {
        char *lf = memchr(at, '\n', (size_t)(end - at));
        const char *stop = lf ? lf : end;
        size_t n = (size_t)(stop - at);
        n -= n && at[n - 1] == '\r';
        OY_GROW(chat->prompt, chat->cap_prompt, chat->n_prompt + 1);
        if (n)
            chat->prompt[chat->n_prompt++] = (struct oy_text){at, n};
        at += stop - at + 1;
    }
    if (!chat->n_prompt)
        return oy_fail(err, OY_DATA, "%s: no line of text", path);
    return 0;
}

/* The day that a template may tell: nothing reads the clock. */
static int read_date(struct pack_chat *chat, struct oy_error *err)
{
    const char *date = chat->settings->date;

    if (date && chat_template_read_date(date, &chat->now))
        return oy_fail(err, OY_USAGE,
                       "--date '%s' is not YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS",
                       date);
    if (!date && template_has(chat, "strftime_now"))
        return oy_fail(err, OY_USAGE,
                       "the chat template tells the date: give --date "
                       "YYYY-MM-DD");
    return 0;
}

struct pack_chat *pack_chat_new(const struct pack_settings *settings,
                                const struct tokenizer *tokenizer,
                                struct oy_run *run, struct oy_error *err)
{
    struct pack_chat *chat = oy_calloc(1, sizeof *chat);

    chat->settings = settings;
    chat->tokenizer = tokenizer;
    chat->seed = (uint64_t)run->seed;
    chat->template = chat_template_of(tokenizer, settings->tokenizer,
                                      settings->chat_template, err);
    if (chat->template) {
        chat->mask = choose_mask(chat);
        if (!make_marks(chat, err) && !read_date(chat, err) &&
            !read_prompts(chat, run, err))
            return chat;
    }
    pack_chat_free(chat);
    return NULL;
}

void pack_chat_free(struct pack_chat *chat)
{
    if (!chat)
        return;
    chat_template_free(chat->template);
    token_ids_release(&chat->begin);
    token_ids_release(&chat->end);
    oy_free(chat->prompts);
    oy_free(chat->prompt);
    oy_free(chat);
}

enum pack_mask pack_chat_mask(const struct pack_chat *chat)
{
    return chat->mask;
}

/* ---- a thread ---- */

struct pack_chat_worker *pack_chat_worker_new(const struct pack_chat *chat)
{
    struct pack_chat_worker *worker = oy_calloc(1, sizeof *worker);

    worker->chat = chat;
    worker->worker = tokenizer_worker_new(chat->tokenizer);
    return worker;
}

void pack_chat_worker_free(struct pack_chat_worker *worker)
{
    if (!worker)
        return;
    tokenizer_worker_free(worker->worker);
    oy_arena_release(&worker->arena);
    oy_buffer_release(&worker->text);
    template_spans_release(&worker->spans);
    token_ids_release(&worker->ids);
    oy_free(worker->loss);
    oy_free(worker);
}

struct oy_arena *pack_chat_arena(struct pack_chat_worker *worker)
{
    return &worker->arena;
}

void pack_chat_begin(struct pack_chat_worker *worker, uint64_t number)
{
    const size_t n = worker->chat->n_prompt;
    struct oy_random random = oy_random_at(worker->chat->seed, number);

    oy_arena_clear(&worker->arena);
    worker->system_chance = oy_random_unit(&random);
    worker->think_chance = oy_random_unit(&random);
    worker->thinking_chance = oy_random_unit(&random);
    worker->which_prompt = n ? (size_t)oy_random_below(&random, n) : 0;
}

/* ---- MiniMind's changes ---- */

static int is_system(struct oy_text role)
{
    return role.len == 6 && !memcmp(role.at, "system", 6);
}

static void perhaps_add_system(struct pack_chat_worker *worker,
                               struct pack_talk *talk)
{
    const struct pack_chat *chat = worker->chat;

    if (chat->n_prompt &&
        worker->system_chance < chat->settings->system_ratio &&
        talk->tools.kind == TEMPLATE_NONE && !is_system(pack_role_of(talk, 0)))
        pack_add_system(talk, &worker->arena,
                        chat->prompt[worker->which_prompt]);
}

/* Moves the ends of spans that lie behind `from` by what was taken away. */
static void shift_spans(struct template_spans *spans, size_t from, size_t size)
{
    for (size_t i = 0; i < spans->n; i++) {
        struct template_span *span = &spans->span[i];
        size_t *const end[] = {&span->start, &span->end};
        for (int j = 0; j < 2; j++) {
            if (*end[j] >= from + size)
                *end[j] -= size;
            else if (*end[j] > from)
                *end[j] = from;
        }
    }
}

static void perhaps_drop_thinks(struct pack_chat_worker *worker)
{
    struct oy_buffer *text = &worker->text;
    size_t from = 0;

    if (worker->think_chance < worker->chat->settings->empty_think_ratio)
        return;
    for (;;) {
        char *at = text->len > from
                       ? memmem(text->data + from, text->len - from,
                                EMPTY_THINK, EMPTY_THINK_SIZE)
                       : NULL;
        if (!at)
            return;
        from = (size_t)(at - text->data);
        memmove(at, at + EMPTY_THINK_SIZE, text->len - from - EMPTY_THINK_SIZE);
        text->len -= EMPTY_THINK_SIZE;
        shift_spans(&worker->spans, from, EMPTY_THINK_SIZE);
    }
}

/* ---- the work ---- */

static const char *copy_why(struct pack_chat_worker *worker,
                            const struct oy_error *err)
{
    return oy_arena_copy(&worker->arena, err->message,
                         strlen(err->message) + 1);
}

static void encode_text(struct pack_chat_worker *worker)
{
    struct oy_buffer *text = &worker->text;

    memset(oy_buffer_reserve(text, OY_PADDING), 0, OY_PADDING);
    worker->ids.n = 0;
    tokenizer_encode(worker->worker, text->data, text->len, TOKENIZER_TOKEN,
                     &worker->ids, NULL);
}

static void mask_ids(struct pack_chat_worker *worker)
{
    const struct pack_chat *chat = worker->chat;
    const struct token_ids *ids = &worker->ids;
    const struct oy_text text = {worker->text.data, worker->text.len};

    OY_GROW(worker->loss, worker->cap_loss, ids->n + 1);
    switch (chat->mask) {
    case PACK_MASK_MARKS:
        chat_mask_from_marks(ids, &chat->begin, &chat->end, worker->loss);
        break;
    case PACK_MASK_SPANS:
        chat_mask_from_spans(worker->worker, chat->tokenizer, text,
                             &worker->spans, ids, worker->loss);
        break;
    default: memset(worker->loss, 1, ids->n);
    }
}

static struct pack_encoded result_of(const struct pack_chat_worker *worker)
{
    return (struct pack_encoded){
        .id = worker->ids.id,
        .loss = worker->loss,
        .n = worker->ids.n,
        .text_bytes = worker->text.len,
    };
}

static struct chat_request request_for(const struct pack_chat *chat,
                                       const struct pack_talk *talk)
{
    return (struct chat_request){
        .messages = &talk->messages,
        .tools = talk->tools.kind == TEMPLATE_NONE ? NULL : &talk->tools,
        .now = &chat->now,
    };
}

int pack_chat_encode(struct pack_chat_worker *worker, struct pack_talk *talk,
                     struct pack_encoded *encoded, const char **why)
{
    const struct pack_chat *chat = worker->chat;
    struct oy_error err = {0};
    int failed;

    perhaps_add_system(worker, talk);
    const struct chat_request request = request_for(chat, talk);
    oy_buffer_clear(&worker->text);
    worker->spans.n = 0;
    if (chat->mask == PACK_MASK_SPANS)
        failed = chat_mask_render(chat->template, &request, &worker->arena,
                                  &worker->text, &worker->spans, why, &err);
    else
        failed = chat_template_render(chat->template, &request, &worker->arena,
                                      &worker->text, &err);
    if (failed < 0)
        *why = copy_why(worker, &err);
    if (failed)
        return -1;
    perhaps_drop_thinks(worker);
    encode_text(worker);
    mask_ids(worker);
    *encoded = result_of(worker);
    return 0;
}

/* The variables that MiniMind's and Qwen's templates ask for. */
static struct template_value thinking_of(struct pack_chat_worker *worker)
{
    struct template_value extra = template_new_dict(&worker->arena);
    const int thinks =
        worker->thinking_chance < worker->chat->settings->thinking_ratio;

    template_put_name(&extra, &worker->arena, "open_thinking",
                      template_bool(thinks));
    template_put_name(&extra, &worker->arena, "enable_thinking",
                      template_bool(thinks));
    return extra;
}

static void drop_answer(struct pack_chat_worker *worker, struct pack_talk *talk)
{
    const size_t n = talk->messages.list->n_item;
    const struct oy_text role = pack_role_of(talk, n - 1);
    struct template_value rest = template_new_list(&worker->arena);

    if (role.len != 9 || memcmp(role.at, "assistant", 9))
        return;
    for (size_t i = 0; i + 1 < n; i++)
        template_push(&rest, &worker->arena, talk->messages.list->item[i]);
    talk->messages = rest;
}

int pack_chat_encode_prompt(struct pack_chat_worker *worker,
                            struct pack_talk *talk,
                            struct pack_encoded *encoded, const char **why)
{
    const struct pack_chat *chat = worker->chat;
    struct template_value extra;
    struct oy_error err = {0};

    perhaps_add_system(worker, talk);
    drop_answer(worker, talk);
    if (!talk->messages.list->n_item) {
        *why = "a conversation without a question";
        return -1;
    }
    struct chat_request request = request_for(chat, talk);
    request.add_generation_prompt = 1;
    if (chat->settings->thinking_ratio >= 0.0) {
        extra = thinking_of(worker);
        request.extra = &extra;
    }
    oy_buffer_clear(&worker->text);
    if (chat_template_render(chat->template, &request, &worker->arena,
                             &worker->text, &err)) {
        *why = copy_why(worker, &err);
        return -1;
    }
    encode_text(worker);
    *encoded = result_of(worker);
    encoded->loss = NULL;
    return 0;
}
