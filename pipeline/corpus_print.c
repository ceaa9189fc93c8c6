/* SPDX-License-Identifier: Apache-2.0
 *
 * The account of a corpus as a table or as JSON. */
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "core/progress.h"
#include "core/utf8.h"
#include "pipeline/corpus_stat.h"

enum { NAME_WIDTH = 32, BAR_WIDTH = 30 };

static const char *const unit_name[N_UNIT] = {"bytes", "characters", "words"};

/* The quantiles that are shown. */
static const struct {
    const char *title, *key;
    double share;
    int width;
} quantile[] = {{"5 %", "p5", 0.05, 8},
                {"median", "p50", 0.5, 8},
                {"95 %", "p95", 0.95, 9}};

enum { N_QUANTILE = sizeof quantile / sizeof *quantile };

/* ---- cells of a table ---- */

static void put_right(struct oy_buffer *out, const char *text, int width)
{
    oy_buffer_append_format(out, "%*s", width, text);
}

static void put_number(struct oy_buffer *out, uint64_t number, int width)
{
    struct oy_buffer text = {0};

    oy_put_count(&text, number);
    put_right(out, oy_buffer_string(&text), width);
    oy_buffer_release(&text);
}

static double share_of(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0.0;
}

static void put_percent(struct oy_buffer *out, uint64_t part, uint64_t whole)
{
    oy_buffer_append_format(out, "%8.2f %%", 100 * share_of(part, whole));
}

/* "+12.3 %" of a change; nothing can be said of one from 0. */
static void put_change(struct oy_buffer *out, uint64_t from, uint64_t to)
{
    if (from)
        oy_buffer_append_format(out, "%+9.2f %%",
                                100 * (share_of(to, from) - 1));
    else
        put_right(out, to ? "new" : "=", 11);
}

/* At most NAME_WIDTH characters of a text that may hold anything. */
static void put_name(struct oy_buffer *out, const char *text, size_t len)
{
    size_t at = 0;
    int n = 0;

    while (at < len && n < NAME_WIDTH) {
        const size_t start = at;
        const uint32_t c = oy_utf8_next(text, &at);
        if (c < 0x20 || c == 0x7f)
            oy_buffer_append_char(out, ' ');
        else
            oy_buffer_append(out, text + start, at - start);
        n++;
    }
    for (; n < NAME_WIDTH; n++)
        oy_buffer_append_char(out, ' ');
}

/* ---- the table ---- */

static void put_lengths(const struct corpus *corpus, struct oy_buffer *out)
{
    oy_buffer_append_format(out, "%-11s%16s%10s%7s", "", "total", "mean",
                            "least");
    for (int q = 0; q < N_QUANTILE; q++)
        put_right(out, quantile[q].title, quantile[q].width);
    oy_buffer_append_string(out, "       most\n");
    for (int u = 0; u < N_UNIT; u++) {
        const struct lengths *lengths = &corpus->lengths[u];

        oy_buffer_append_format(out, "%-11s", unit_name[u]);
        put_number(out, lengths->total, 16);
        oy_buffer_append_format(out, "%10.1f", lengths_mean(lengths));
        put_number(out, lengths->least, 7);
        for (int q = 0; q < N_QUANTILE; q++)
            put_number(out, lengths_quantile(lengths, quantile[q].share),
                       quantile[q].width);
        put_number(out, lengths->most, 11);
        oy_buffer_append_char(out, '\n');
    }
}

/* Powers of two between the extremes. */
static void put_histogram(const struct corpus *corpus, struct oy_buffer *out)
{
    const struct lengths *lengths = &corpus->lengths[UNIT_CHARACTERS];
    uint64_t most = 1;

    for (int p = -1; p < 64; p++) {
        const uint64_t n = lengths_of_power(lengths, p);
        most = n > most ? n : most;
    }
    oy_buffer_append_string(out, "\ncharacters from          records\n");
    for (int p = -1; p < 64; p++) {
        const uint64_t n = lengths_of_power(lengths, p);
        const uint64_t from = p < 0 ? 0 : (uint64_t)1 << p;

        if (from > lengths->most || from * 2 <= lengths->least)
            continue;
        put_number(out, from, 15);
        put_number(out, n, 17);
        put_percent(out, n, lengths->n);
        oy_buffer_append_string(out, "  ");
        for (uint64_t i = 0; i < (n * BAR_WIDTH + most - 1) / most; i++)
            oy_buffer_append_char(out, '#');
        while (out->data[out->len - 1] == ' ')
            out->len--;
        oy_buffer_append_char(out, '\n');
    }
}

static void put_groups(const struct corpus *corpus,
                       const struct corpus_settings *settings,
                       struct oy_buffer *out)
{
    const uint64_t n_record = corpus->lengths[UNIT_BYTES].n;
    const uint64_t n_byte = corpus->lengths[UNIT_BYTES].total;

    oy_buffer_append_char(out, '\n');
    put_name(out, settings->by, strlen(settings->by));
    oy_buffer_append_string(out, "        records                     bytes\n");
    for (size_t i = 0; i < corpus->n_group; i++) {
        const struct corpus_group *group = &corpus->group[i];

        if (i == (size_t)settings->top) {
            oy_buffer_append_string(out, "... ");
            oy_put_count(out, corpus->n_group - i);
            oy_buffer_append_string(out, " more\n");
            break;
        }
        put_name(out, group->key, group->key_len);
        put_number(out, group->record, 15);
        put_percent(out, group->record, n_record);
        put_number(out, group->total[UNIT_BYTES], 16);
        put_percent(out, group->total[UNIT_BYTES], n_byte);
        oy_buffer_append_char(out, '\n');
    }
}

/* ---- two corpora side by side ---- */

static void put_pair(struct oy_buffer *out, const char *name, uint64_t here,
                     uint64_t there)
{
    put_name(out, name, strlen(name));
    put_number(out, here, 17);
    put_number(out, there, 17);
    put_change(out, there, here);
    oy_buffer_append_char(out, '\n');
}

static void put_totals_diff(const struct corpus *corpus,
                            const struct corpus *other, struct oy_buffer *out)
{
    char name[64];

    put_pair(out, "records", corpus->lengths[0].n, other->lengths[0].n);
    for (int u = 0; u < N_UNIT; u++) {
        const struct lengths *a = &corpus->lengths[u];
        const struct lengths *b = &other->lengths[u];

        put_pair(out, unit_name[u], a->total, b->total);
        for (int q = 0; q < N_QUANTILE; q++) {
            snprintf(name, sizeof name, "  %s", quantile[q].title);
            put_pair(out, name, lengths_quantile(a, quantile[q].share),
                     lengths_quantile(b, quantile[q].share));
        }
    }
}

static void put_group_pair(struct oy_buffer *out,
                           const struct corpus_group *group, uint64_t here,
                           uint64_t there)
{
    put_name(out, group->key, group->key_len);
    put_number(out, here, 17);
    put_number(out, there, 17);
    put_change(out, there, here);
    oy_buffer_append_char(out, '\n');
}

/* The largest groups of this corpus, then those that only the other has. */
static void put_groups_diff(const struct corpus *corpus,
                            const struct corpus *other,
                            const struct corpus_settings *settings,
                            struct oy_buffer *out)
{
    const size_t top = (size_t)settings->top;

    oy_buffer_append_format(out, "\nrecords by %s\n", settings->by);
    for (size_t i = 0; i < corpus->n_group && i < top; i++)
        put_group_pair(out, &corpus->group[i], corpus->group[i].record,
                       corpus_records_of(other, &corpus->group[i]));
    for (size_t i = 0; i < other->n_group && i < top; i++) {
        if (!corpus_records_of(corpus, &other->group[i]))
            put_group_pair(out, &other->group[i], 0, other->group[i].record);
    }
}

static void put_diff(const struct corpus *corpus, const struct corpus *other,
                     const struct corpus_settings *settings,
                     struct oy_buffer *out)
{
    put_name(out, "", 0);
    put_right(out, "here", 17);
    put_right(out, "there", 17);
    oy_buffer_append_string(out, "     change\n");
    put_totals_diff(corpus, other, out);
    if (settings->by)
        put_groups_diff(corpus, other, settings, out);
}

/* ---- JSON ---- */

static void put_json_lengths(const struct lengths *lengths,
                             struct oy_buffer *out)
{
    const char *before = "";

    oy_buffer_append_format(out, "{\"total\": %llu, \"mean\": ",
                            (unsigned long long)lengths->total);
    oy_json_put_double(out, lengths_mean(lengths));
    oy_buffer_append_format(out, ", \"least\": %llu",
                            (unsigned long long)lengths->least);
    for (int q = 0; q < N_QUANTILE; q++)
        oy_buffer_append_format(
            out, ", \"%s\": %llu", quantile[q].key,
            (unsigned long long)lengths_quantile(lengths, quantile[q].share));
    oy_buffer_append_format(out, ", \"most\": %llu, \"histogram\": [",
                            (unsigned long long)lengths->most);
    for (int p = -1; p < 64; p++) {
        const uint64_t n = lengths_of_power(lengths, p);
        if (!n)
            continue;
        oy_buffer_append_format(out, "%s[%llu, %llu]", before,
                                p < 0 ? 0ULL
                                      : (unsigned long long)((uint64_t)1 << p),
                                (unsigned long long)n);
        before = ", ";
    }
    oy_buffer_append_string(out, "]}");
}

static void put_json_groups(const struct corpus *corpus, const char *by,
                            struct oy_buffer *out)
{
    oy_buffer_append_string(out, ",\n  \"by\": ");
    oy_json_put_string(out, by, strlen(by));
    oy_buffer_append_string(out, ",\n  \"groups\": [");
    for (size_t i = 0; i < corpus->n_group; i++) {
        const struct corpus_group *group = &corpus->group[i];

        oy_buffer_append_string(out, i ? ",\n    " : "\n    ");
        oy_buffer_append_string(out, "{\"value\": ");
        oy_json_put_string(out, group->key, group->key_len);
        oy_buffer_append_format(out, ", \"records\": %llu",
                                (unsigned long long)group->record);
        for (int u = 0; u < N_UNIT; u++)
            oy_buffer_append_format(out, ", \"%s\": %llu", unit_name[u],
                                    (unsigned long long)group->total[u]);
        oy_buffer_append_char(out, '}');
    }
    oy_buffer_append_string(out, corpus->n_group ? "\n  ]" : "]");
}

static void put_json(const struct corpus *corpus, const char *by,
                     struct oy_buffer *out)
{
    oy_buffer_append_format(out, "{\n  \"records\": %llu",
                            (unsigned long long)corpus->lengths[0].n);
    for (int u = 0; u < N_UNIT; u++) {
        oy_buffer_append_format(out, ",\n  \"%s\": ", unit_name[u]);
        put_json_lengths(&corpus->lengths[u], out);
    }
    if (by)
        put_json_groups(corpus, by, out);
    oy_buffer_append_string(out, "\n}");
}

static void put_all_json(const struct corpus *corpus,
                         const struct corpus *other, const char *by,
                         struct oy_buffer *out)
{
    if (!other) {
        put_json(corpus, by, out);
    } else {
        oy_buffer_append_string(out, "{\"here\": ");
        put_json(corpus, by, out);
        oy_buffer_append_string(out, ",\n\"there\": ");
        put_json(other, by, out);
        oy_buffer_append_char(out, '}');
    }
    oy_buffer_append_char(out, '\n');
}

void corpus_put(const struct corpus *corpus, const struct corpus *other,
                const struct corpus_settings *settings, struct oy_buffer *out)
{
    if (settings->format == FORMAT_JSON) {
        put_all_json(corpus, other, settings->by, out);
        return;
    }
    if (settings->format == FORMAT_HTML) {
        corpus_put_page(corpus, other, settings, out);
        return;
    }
    if (other) {
        put_diff(corpus, other, settings, out);
        return;
    }
    oy_buffer_append_format(out, "%-11s", "records");
    put_number(out, corpus->lengths[0].n, 16);
    oy_buffer_append_string(out, "\n\n");
    put_lengths(corpus, out);
    put_histogram(corpus, out);
    if (settings->by)
        put_groups(corpus, settings, out);
}
