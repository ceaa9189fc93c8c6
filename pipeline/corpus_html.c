/* SPDX-License-Identifier: Apache-2.0
 *
 * The account of a corpus as one HTML page: tables and bars of inline SVG, no
 * script, nothing from elsewhere, light or dark as the reader has it. */
#include <string.h>

#include "core/progress.h"
#include "pipeline/corpus_stat.h"

/* What is compared: `before` may be NULL. */
struct page {
    const struct corpus *after, *before;
    const struct corpus_settings *settings;
    struct oy_buffer *out;
};

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<title>oy-stat</title>\n<style>\n"
    ":root{color-scheme:light dark;--page:#fafaf8;--ink:#1b1b1a;"
    "--soft:#6b6a66;--line:#dedcd5;--after:#2a6fbb;--before:#b9b6ab}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#171716;--ink:#ecebe6;"
    "--soft:#9b9a94;--line:#383733;--after:#6aa5e6;--before:#615f58}}\n"
    "body{background:var(--page);color:var(--ink);margin:2rem auto;"
    "max-width:56rem;padding:0 1rem;font:15px/1.45 system-ui,sans-serif}\n"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}\n"
    "p{color:var(--soft);margin:.2rem 0}\n"
    "table{border-collapse:collapse;table-layout:fixed;width:100%}\n"
    "th,td{padding:.25rem .6rem;text-align:right;"
    "border-bottom:1px solid var(--line);white-space:nowrap;"
    "font-variant-numeric:tabular-nums}\n"
    "th{color:var(--soft);font-weight:normal}\n"
    "th:first-child,td:first-child{text-align:left;white-space:normal;"
    "overflow-wrap:anywhere;width:28%}\n"
    ".bar{width:36%;padding-right:0}\nsvg{display:block;width:100%}\n"
    ".after{fill:var(--after)}.before{fill:var(--before)}\n"
    "i{display:inline-block;width:.75em;height:.75em;margin:0 .4em 0 .6em}\n"
    "i.after{background:var(--after)}i.before{background:var(--before)}\n"
    "</style>\n</head>\n<body>\n";

static void put(struct page *page, const char *text)
{
    oy_buffer_append_string(page->out, text);
}

/* Text of others: nothing in it is markup; controls are spaces. */
static void put_escaped(struct page *page, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c == '<')
            put(page, "&lt;");
        else if (c == '&')
            put(page, "&amp;");
        else
            oy_buffer_append_char(page->out,
                                  c < 0x20 || c == 0x7f ? ' ' : (char)c);
    }
}

static void put_cell(struct page *page, uint64_t number)
{
    put(page, "<td>");
    oy_put_count(page->out, number);
    put(page, "</td>");
}

/* "-12.3 %"; nothing can be said of a change from 0. */
static void put_change(struct page *page, uint64_t from, uint64_t to)
{
    if (from)
        oy_buffer_append_format(page->out, "<td>%+.1f %%</td>",
                                100 * ((double)to / (double)from - 1));
    else
        put(page, to ? "<td>new</td>" : "<td></td>");
}

static double percent_of(uint64_t part, uint64_t whole)
{
    return whole ? 100 * (double)part / (double)whole : 0;
}

static void put_rect(struct page *page, const char *kind, int y, int height,
                     double width)
{
    oy_buffer_append_format(
        page->out,
        "<rect class=\"%s\" y=\"%d\" height=\"%d\" width=\"%.2f%%\"/>", kind, y,
        height, width);
}

/* A row's bars, in percent of the longest. */
static void put_bars(struct page *page, double after, double before)
{
    const int both = page->before != NULL;

    put(page, "<td class=\"bar\"><svg height=\"16\" aria-hidden=\"true\">");
    if (both)
        put_rect(page, "before", 0, 7, before);
    put_rect(page, "after", both ? 8 : 2, both ? 7 : 12, after);
    put(page, "</svg></td>");
}

static void put_header(struct page *page, const char *first, const char *second)
{
    oy_buffer_append_format(page->out, "<table>\n<tr><th>%s</th>", first);
    if (page->before)
        put(page, "<th>before</th><th>after</th><th>change</th>");
    else
        oy_buffer_append_format(page->out, "<th>%s</th>", second);
}

/* ---- sums and lengths ---- */

static void put_pair(struct page *page, const char *name, uint64_t after,
                     uint64_t before)
{
    oy_buffer_append_format(page->out, "<tr><td>%s</td>", name);
    if (page->before)
        put_cell(page, before);
    put_cell(page, after);
    if (page->before)
        put_change(page, before, after);
    put(page, "</tr>\n");
}

static void put_totals(struct page *page)
{
    static const char *const unit[N_UNIT] = {"bytes", "characters", "words"};
    static const struct {
        const char *name;
        double share;
    } quantile[] = {{"5 % have at most", 0.05},
                    {"half have at most", 0.5},
                    {"95 % have at most", 0.95}};
    const struct lengths *a = page->after->lengths;
    const struct lengths *b = page->before ? page->before->lengths : a;

    put_header(page, "", "");
    put(page, "</tr>\n");
    put_pair(page, "records", a[0].n, b[0].n);
    for (int u = 0; u < N_UNIT; u++)
        put_pair(page, unit[u], a[u].total, b[u].total);
    put(page, "</table>\n<h2>Characters of a record</h2>\n");
    put_header(page, "", "");
    put(page, "</tr>\n");
    a += UNIT_CHARACTERS;
    b += UNIT_CHARACTERS;
    for (int q = 0; q < 3; q++)
        put_pair(page, quantile[q].name, lengths_quantile(a, quantile[q].share),
                 lengths_quantile(b, quantile[q].share));
    put_pair(page, "the longest has", a->n ? a->most : 0, b->n ? b->most : 0);
    put(page, "</table>\n");
}

static uint64_t of_power(const struct corpus *corpus, int power)
{
    return corpus ? lengths_of_power(&corpus->lengths[UNIT_CHARACTERS], power)
                  : 0;
}

/* Records by the power of two of their length, between the extremes. */
static void put_histogram(struct page *page)
{
    int first = 64, last = -2;
    uint64_t most = 1;

    for (int p = -1; p < 64; p++) {
        const uint64_t a = of_power(page->after, p);
        const uint64_t b = of_power(page->before, p);
        const uint64_t n = a > b ? a : b;
        first = n && p < first ? p : first;
        last = n ? p : last;
        most = n > most ? n : most;
    }
    put(page, "<h2>Records by their length in characters</h2>\n");
    put_header(page, "from", "records");
    put(page, "<th class=\"bar\"></th></tr>\n");
    for (int p = first; p <= last; p++) {
        const uint64_t a = of_power(page->after, p);
        const uint64_t b = of_power(page->before, p);
        put(page, "<tr><td>");
        oy_put_count(page->out, p < 0 ? 0 : (uint64_t)1 << p);
        put(page, "</td>");
        if (page->before)
            put_cell(page, b);
        put_cell(page, a);
        if (page->before)
            put_change(page, b, a);
        put_bars(page, percent_of(a, most), percent_of(b, most));
        put(page, "</tr>\n");
    }
    put(page, "</table>\n");
}

/* ---- groups ---- */

static void put_group(struct page *page, const struct corpus_group *group,
                      uint64_t after, uint64_t before, uint64_t most)
{
    put(page, "<tr><td>");
    put_escaped(page, group->key, group->key_len);
    put(page, group->key_len ? "</td>" : "(empty)</td>");
    if (page->before)
        put_cell(page, before);
    put_cell(page, after);
    if (page->before)
        put_change(page, before, after);
    put_bars(page, percent_of(after, most), percent_of(before, most));
    put(page, "</tr>\n");
}

/* The largest groups after, then those of the largest before that went. */
static void put_groups(struct page *page, const char *title,
                       const struct corpus *after, const struct corpus *before)
{
    const size_t top = (size_t)page->settings->top;
    const size_t n_before = before ? before->n_group : 0;
    uint64_t most = after->n_group ? after->group[0].record : 1;

    if (!after->n_group && !n_before)
        return;
    if (n_before && before->group[0].record > most)
        most = before->group[0].record;
    put(page, "<h2>");
    put_escaped(page, title, strlen(title));
    put(page, "</h2>\n");
    put_header(page, "", "records");
    put(page, "<th class=\"bar\"></th></tr>\n");
    for (size_t i = 0; i < after->n_group && i < top; i++) {
        const struct corpus_group *group = &after->group[i];
        put_group(page, group, group->record,
                  before ? corpus_records_of(before, group) : 0, most);
    }
    for (size_t i = 0; i < n_before && i < top; i++) {
        const struct corpus_group *group = &before->group[i];
        if (!corpus_records_of(after, group))
            put_group(page, group, 0, group->record, most);
    }
    put(page, "</table>\n");
    if (after->n_group > top) {
        put(page, "<p>");
        oy_put_count(page->out, after->n_group - top);
        put(page, " more are not shown.</p>\n");
    }
}

void corpus_put_page(const struct corpus *corpus, const struct corpus *other,
                     const struct corpus_settings *settings,
                     struct oy_buffer *out)
{
    static const char *const title[N_FACET] = {
        [FACET_LANGUAGE] = "Languages",
        [FACET_REASON] = "Verdicts and reasons",
        [FACET_DOMAIN] = "Hosts",
    };
    struct page page = {corpus, other, settings, out};

    put(&page, head);
    put(&page, "<h1>What the corpus is made of</h1>\n");
    put(&page, other ? "<p><i class=\"before\"></i>before"
                       "<i class=\"after\"></i>after</p>\n"
                     : "");
    put_totals(&page);
    put_histogram(&page);
    for (int i = 0; i < N_FACET; i++)
        put_groups(&page, title[i], &corpus->facet[i],
                   other ? &other->facet[i] : NULL);
    if (settings->by)
        put_groups(&page, settings->by, corpus, other);
    put(&page, "</body>\n</html>\n");
}
