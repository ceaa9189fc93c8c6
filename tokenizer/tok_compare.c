/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-tok count and compare: how many tokens texts become, by one tokenizer or
 * by several side by side. */
#include <string.h>

#include "core/filter.h"
#include "core/table.h"
#include "core/unicode.h"
#include "core/utf8.h"
#include "tokenizer/tok_filter.h"
#include "tokenizer/tok_table.h"

/* The sums of a record, of a group of records, or of all. */
struct sums {
    uint64_t n_document, n_byte, n_character, n_word;
    uint64_t n_token[TOK_MAX_COMPARED];
};

struct group {
    char *name;
    struct sums sums;
};

struct compare {
    const struct tok_settings *settings;
    struct tokenizer *tokenizer[TOK_MAX_COMPARED];
    char *name[TOK_MAX_COMPARED];
    size_t n_tokenizer;
    struct group *group; /* in the order of the input */
    size_t n_group, cap_group;
    struct oy_table table; /* from the hash of a name to its group */
    struct sums all;
};

struct compare_worker {
    struct tokenizer_worker *worker[TOK_MAX_COMPARED];
    struct token_ids ids;
};

static void *worker_new(void *self)
{
    const struct compare *compare = self;
    struct compare_worker *worker = oy_calloc(1, sizeof *worker);

    for (size_t i = 0; i < compare->n_tokenizer; i++)
        worker->worker[i] = tokenizer_worker_new(compare->tokenizer[i]);
    return worker;
}

static void worker_free(void *self, void *state)
{
    const struct compare *compare = self;
    struct compare_worker *worker = state;

    if (!worker)
        return;
    for (size_t i = 0; i < compare->n_tokenizer; i++)
        tokenizer_worker_free(worker->worker[i]);
    token_ids_release(&worker->ids);
    oy_free(worker);
}

/* ---- a record ---- */

/* What white space parts, as Python's str.split() does. */
static uint64_t count_words(struct oy_text text)
{
    uint64_t n = 0;
    int inside = 0;

    for (size_t at = 0; at < text.len;) {
        const unsigned char c = (unsigned char)text.at[at];
        const int is_space = c < 0x80
                                 ? (at++, oy_py_isspace(c))
                                 : oy_py_isspace(oy_utf8_next(text.at, &at));
        n += !is_space && !inside;
        inside = !is_space;
    }
    return n;
}

/* The name of the record's group: the value of --by, or its file. */
static struct oy_text group_name(const struct compare *compare,
                                 struct oy_record *record)
{
    const struct oy_json_value *value = &record->found[1];
    struct oy_text text = {"(none)", 6};
    const char *why;

    if (!compare->settings->by)
        text = (struct oy_text){record->file, strlen(record->file)};
    else if (value->kind == OY_JSON_STRING)
        oy_json_text(value, record->arena, &text, &(uint64_t){0}, &why);
    else if (value->kind != OY_JSON_MISSING)
        text = (struct oy_text){value->at, value->len};
    return text;
}

static int judge(void *self, void *state, struct oy_record *record, int pass,
                 struct oy_error *err)
{
    const struct compare *compare = self;
    struct compare_worker *worker = state;
    struct sums *sums = oy_arena_alloc(record->arena, sizeof *sums);

    (void)pass;
    (void)err;
    *sums = (struct sums){.n_document = 1, .n_byte = record->text.len};
    for (size_t i = 0; i < compare->n_tokenizer; i++) {
        if (tok_encode(compare->settings, compare->tokenizer[i],
                       worker->worker[i], record, &worker->ids))
            return 0;
        sums->n_token[i] = worker->ids.n;
    }
    if (compare->settings->command == TOK_COMPARE) {
        sums->n_character = oy_utf8_count(record->text.at, record->text.len);
        sums->n_word = count_words(record->text);
    }
    record->blob = sums;
    record->blob_len = sizeof *sums;
    return 0;
}

static void add(struct sums *to, const struct sums *more)
{
    to->n_document += more->n_document;
    to->n_byte += more->n_byte;
    to->n_character += more->n_character;
    to->n_word += more->n_word;
    for (size_t i = 0; i < TOK_MAX_COMPARED; i++)
        to->n_token[i] += more->n_token[i];
}

static int settle(void *self, struct oy_record *record,
                  struct oy_filter_context *context, struct oy_error *err)
{
    struct compare *compare = self;
    const struct oy_text name = group_name(compare, record);
    uint64_t at = compare->n_group;

    (void)context;
    const int added = oy_table_add(&compare->table,
                                   oy_hash128(name.at, name.len), at, &at, err);
    if (added < 0)
        return -1;
    if (added) {
        OY_GROW(compare->group, compare->cap_group, compare->n_group + 1);
        compare->group[compare->n_group++] =
            (struct group){.name = oy_strndup(name.at, name.len)};
    }
    add(&compare->group[at].sums, record->blob);
    add(&compare->all, record->blob);
    return 0;
}

/* ---- the tables ---- */

/* What a table of compare tells: n_token over or under another sum. */
enum ratio { BYTES_PER_TOKEN, TOKENS_PER_WORD, TOKENS_PER_CHARACTER };

static const struct {
    const char *title, *name;
} ratio_name[] = {
    [BYTES_PER_TOKEN] = {"Bytes per token", "bytes_per_token"},
    [TOKENS_PER_WORD] = {"Tokens per word", "tokens_per_word"},
    [TOKENS_PER_CHARACTER] = {"Tokens per character", "tokens_per_character"},
};

static void ratio_of(const struct sums *sums, enum ratio ratio, size_t i,
                     uint64_t *n, uint64_t *over)
{
    const uint64_t n_token = sums->n_token[i];

    *n = ratio == BYTES_PER_TOKEN ? sums->n_byte : n_token;
    *over = ratio == BYTES_PER_TOKEN   ? n_token
            : ratio == TOKENS_PER_WORD ? sums->n_word
                                       : sums->n_character;
}

static void add_row(const struct compare *compare, const char *name,
                    const struct sums *sums, enum ratio ratio,
                    struct tok_table *table)
{
    uint64_t n, over;

    tok_table_add(table, name);
    tok_table_add_count(table, sums->n_document);
    tok_table_add_count(table, ratio == BYTES_PER_TOKEN   ? sums->n_byte
                               : ratio == TOKENS_PER_WORD ? sums->n_word
                                                          : sums->n_character);
    for (size_t i = 0; i < compare->n_tokenizer; i++) {
        ratio_of(sums, ratio, i, &n, &over);
        tok_table_add_ratio(table, n, over);
    }
}

static void put_ratio(const struct compare *compare, enum ratio ratio,
                      struct oy_buffer *out)
{
    const int markdown = compare->settings->format == TOK_MARKDOWN;
    struct tok_table table = {.n_column = 3 + compare->n_tokenizer};
    static const char *const unit[] = {"bytes", "words", "characters"};

    tok_table_add(&table,
                  compare->settings->by ? compare->settings->by : "file");
    tok_table_add(&table, "documents");
    tok_table_add(&table, unit[ratio]);
    for (size_t i = 0; i < compare->n_tokenizer; i++)
        tok_table_add(&table, compare->name[i]);
    for (size_t i = 0; i < compare->n_group; i++)
        add_row(compare, compare->group[i].name, &compare->group[i].sums, ratio,
                &table);
    if (compare->n_group != 1)
        add_row(compare, "total", &compare->all, ratio, &table);
    oy_buffer_append_format(out, markdown ? "%s**%s**\n\n" : "%s%s\n",
                            out->len ? "\n" : "", ratio_name[ratio].title);
    tok_table_put(&table, markdown, out);
    tok_table_release(&table);
}

/* ---- JSON ---- */

static void put_member(struct oy_buffer *out, const char *name, uint64_t count)
{
    oy_buffer_append_format(out, "\"%s\":%llu", name,
                            (unsigned long long)count);
}

static void put_json_ratio(const struct compare *compare,
                           const struct sums *sums, enum ratio ratio,
                           struct oy_buffer *out)
{
    uint64_t n, over;

    oy_buffer_append_format(out, ",\"%s\":[", ratio_name[ratio].name);
    for (size_t i = 0; i < compare->n_tokenizer; i++) {
        ratio_of(sums, ratio, i, &n, &over);
        oy_buffer_append_string(out, i ? "," : "");
        if (over)
            oy_json_put_double(out, (double)n / (double)over);
        else
            oy_buffer_append_string(out, "null");
    }
    oy_buffer_append_char(out, ']');
}

static void put_json_sums(const struct compare *compare,
                          const struct sums *sums, struct oy_buffer *out)
{
    put_member(out, "documents", sums->n_document);
    oy_buffer_append_char(out, ',');
    put_member(out, "bytes", sums->n_byte);
    oy_buffer_append_char(out, ',');
    put_member(out, "characters", sums->n_character);
    oy_buffer_append_char(out, ',');
    put_member(out, "words", sums->n_word);
    oy_buffer_append_string(out, ",\"tokens\":[");
    for (size_t i = 0; i < compare->n_tokenizer; i++) {
        oy_buffer_append_string(out, i ? "," : "");
        oy_json_put_int(out, (int64_t)sums->n_token[i]);
    }
    oy_buffer_append_char(out, ']');
    for (enum ratio r = BYTES_PER_TOKEN; r <= TOKENS_PER_CHARACTER; r++)
        put_json_ratio(compare, sums, r, out);
}

static void put_json_tokenizer(const struct compare *compare, size_t i,
                               struct oy_buffer *out)
{
    const struct tokenizer *tokenizer = compare->tokenizer[i];
    char hash[33];

    oy_hash128_text(tokenizer_hash(tokenizer), hash);
    oy_buffer_append_string(out, i ? ",{\"name\":" : "{\"name\":");
    oy_json_put_name(out, compare->name[i]);
    oy_buffer_append_format(out, ",\"hash\":\"%s\",", hash);
    put_member(out, "vocabulary", (uint64_t)tokenizer_size(tokenizer));
    oy_buffer_append_char(out, '}');
}

static void put_json(const struct compare *compare, struct oy_buffer *out)
{
    oy_buffer_append_string(out, "{\"tokenizers\":[");
    for (size_t i = 0; i < compare->n_tokenizer; i++)
        put_json_tokenizer(compare, i, out);
    oy_buffer_append_string(out, "],\"by\":");
    oy_json_put_name(out,
                     compare->settings->by ? compare->settings->by : "file");
    oy_buffer_append_string(out, ",\"groups\":[");
    for (size_t i = 0; i < compare->n_group; i++) {
        const struct group *group = &compare->group[i];
        oy_buffer_append_string(out, i ? ",{\"name\":" : "{\"name\":");
        oy_json_put_name(out, group->name);
        oy_buffer_append_char(out, ',');
        put_json_sums(compare, &group->sums, out);
        oy_buffer_append_char(out, '}');
    }
    oy_buffer_append_string(out, "],\"total\":{");
    put_json_sums(compare, &compare->all, out);
    oy_buffer_append_string(out, "}}\n");
}

/* ---- count ---- */

static void put_count(const char *name, const struct sums *sums,
                      struct oy_buffer *out)
{
    const uint64_t n = sums->n_token[0];

    oy_buffer_append_format(out, "%llu\t%llu\t%llu\t%.4f\t%s\n",
                            (unsigned long long)sums->n_document,
                            (unsigned long long)sums->n_byte,
                            (unsigned long long)n,
                            n ? (double)sums->n_byte / (double)n : 0.0, name);
}

/* Like wc, with a sum where there are several files. */
static void put_counts(const struct compare *compare, struct oy_buffer *out)
{
    oy_buffer_append_string(out,
                            "documents\tbytes\ttokens\tbytes/token\tfile\n");
    for (size_t i = 0; i < compare->n_group; i++)
        put_count(compare->group[i].name, &compare->group[i].sums, out);
    if (compare->n_group != 1)
        put_count("total", &compare->all, out);
}

static int finish(void *self, struct oy_filter_context *context,
                  struct oy_error *err)
{
    const struct compare *compare = self;
    struct oy_buffer out = {0};

    oy_counter_add(context->counter, "bytes", compare->all.n_byte);
    if (compare->n_tokenizer == 1)
        oy_counter_add(context->counter, "tokens", compare->all.n_token[0]);
    if (compare->settings->command == TOK_COUNT)
        put_counts(compare, &out);
    else if (compare->settings->format == TOK_JSON)
        put_json(compare, &out);
    else
        for (enum ratio r = BYTES_PER_TOKEN; r <= TOKENS_PER_CHARACTER; r++)
            put_ratio(compare, r, &out);
    const int failed = oy_output_write(context->output, out.data, out.len, err);
    oy_buffer_release(&out);
    return failed;
}

/* ---- the run ---- */

static int ends_with(const char *text, size_t len, const char *end)
{
    return len > strlen(end) &&
           !memcmp(text + len - strlen(end), end, strlen(end));
}

/* What a tokenizer is called in a table: its file without suffixes, or the
 * folder of a tokenizer.json. The caller's. */
static char *short_name(const char *path)
{
    static const char *const suffix[] = {".zst",      ".gz",    ".json",
                                         ".tiktoken", ".model", ".gguf"};
    size_t len = strlen(path), start;
    int is_file = 0;

    while (len > 1 && path[len - 1] == '/')
        len--;
    for (size_t i = 0; i < sizeof suffix / sizeof *suffix; i++) {
        if (!ends_with(path, len, suffix[i]))
            continue;
        len -= strlen(suffix[i]);
        is_file = 1;
    }
    if (is_file && ends_with(path, len, "/tokenizer"))
        len -= strlen("/tokenizer");
    for (start = len; start && path[start - 1] != '/'; start--)
        continue;
    return oy_strndup(path + start, len - start);
}

/* Names that are not one tokenizer's alone become the paths. */
static void name_all(struct compare *compare)
{
    const struct oy_list *path = &compare->settings->tokenizer;
    const size_t n = compare->n_tokenizer;
    int is_shared[TOK_MAX_COMPARED] = {0};

    for (size_t i = 0; i < n; i++) {
        compare->name[i] = short_name(path->item[i]);
        for (size_t j = 0; j < i; j++) {
            if (!strcmp(compare->name[i], compare->name[j]))
                is_shared[i] = is_shared[j] = 1;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_shared[i])
            continue;
        oy_free(compare->name[i]);
        compare->name[i] = oy_strdup(path->item[i]);
    }
}

static int load_all(struct compare *compare, struct oy_run *run,
                    struct oy_error *err)
{
    const size_t n = compare->settings->tokenizer.n_item;

    if (n > TOK_MAX_COMPARED)
        return oy_fail(err, OY_USAGE, "more than %d tokenizers",
                       TOK_MAX_COMPARED);
    for (; compare->n_tokenizer < n; compare->n_tokenizer++) {
        const size_t i = compare->n_tokenizer;
        compare->tokenizer[i] = tok_load(compare->settings, i, run, err);
        if (!compare->tokenizer[i])
            return -1;
    }
    name_all(compare);
    return 0;
}

static void release(struct compare *compare)
{
    for (size_t i = 0; i < compare->n_tokenizer; i++) {
        tokenizer_free(compare->tokenizer[i]);
        oy_free(compare->name[i]);
    }
    for (size_t i = 0; i < compare->n_group; i++)
        oy_free(compare->group[i].name);
    oy_free(compare->group);
    oy_table_release(&compare->table);
}

int tok_compare_run(const struct tok_settings *settings, struct oy_run *run,
                    struct oy_error *err)
{
    struct compare compare = {.settings = settings};
    const char *const field[] = {settings->by, NULL};
    const struct oy_filter filter = {
        .self = &compare,
        .field = field,
        .n_pass = 1,
        .wants_text = 1,
        .output_kind = "table",
        .worker_new = worker_new,
        .worker_free = worker_free,
        .judge = judge,
        .settle = settle,
        .finish = finish,
    };

    oy_table_init(&compare.table, 1, 0);
    const int failed = load_all(&compare, run, err) ||
                       oy_filter_run(&filter, 1, run, NULL, err);
    release(&compare);
    return failed ? -1 : 0;
}
