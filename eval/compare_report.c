/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparisons as a table, Markdown, JSON and JUnit XML. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"
#include "eval/compare.h"

static const char *verdict_name(enum compare_verdict verdict)
{
    switch (verdict) {
    case COMPARE_IMPROVEMENT: return "improvement";
    case COMPARE_REGRESSION: return "regression";
    case COMPARE_SAME: break;
    }
    return "same";
}

/* Small p-values as powers, others with 4 digits; "-" when not defined. */
static void format_p(char text[16], double p)
{
    if (isnan(p))
        snprintf(text, 16, "-");
    else if (p < 1e-4)
        snprintf(text, 16, "%.1e", p);
    else
        snprintf(text, 16, "%.4f", p);
}

/* "verdict: ok", or what fell. */
static void put_verdict(const struct comparison *comparison,
                        struct oy_buffer *out)
{
    size_t n = 0;

    for (size_t i = 0; i < comparison->n_row; i++)
        n += comparison->row[i].verdict == COMPARE_REGRESSION;
    if (!n) {
        oy_buffer_append_string(out, "verdict: ok\n");
        return;
    }
    oy_buffer_append_format(out, "verdict: regression in %zu of %zu tasks\n", n,
                            comparison->n_row);
    for (size_t i = 0; i < comparison->n_row; i++) {
        const struct compare_row *row = &comparison->row[i];
        char p[16];
        if (row->verdict != COMPARE_REGRESSION)
            continue;
        format_p(p, row->p_regression_holm);
        oy_buffer_append_format(
            out,
            "  %s: %s %s by %.4f, from %.4f to %.4f"
            " (chance alone: p %s)\n",
            row->task, row->metric, row->diff < 0 ? "fell" : "rose",
            fabs(row->diff), row->mean_base, row->mean_new, p);
    }
}

void compare_put_table(const struct comparison *comparison,
                       const struct compare_options *options,
                       struct oy_buffer *out)
{
    int width = 4;

    for (size_t i = 0; i < comparison->n_row; i++) {
        const int len = (int)strlen(comparison->row[i].task);
        width = len > width ? len : width;
    }
    oy_buffer_append_format(out, "base: %s\nnew:  %s\n\n", comparison->base,
                            comparison->new);
    oy_buffer_append_format(out,
                            "%-*s  %-13s %6s %8s %8s %9s  %-19s %8s %8s  %s\n",
                            width, "task", "metric", "n", "base", "new", "diff",
                            "95 % interval", "seen", "p(drop)", "verdict");
    for (size_t i = 0; i < comparison->n_row; i++) {
        const struct compare_row *row = &comparison->row[i];
        char interval[40], p[16];
        format_p(p, row->p_regression_holm);
        snprintf(interval, sizeof interval, "%+.4f .. %+.4f", row->ci_low,
                 row->ci_high);
        oy_buffer_append_format(
            out, "%-*s  %-13s %6zu %8.4f %8.4f %+9.4f  %-19s %8.4f %8s  %s\n",
            width, row->task, row->metric, row->n, row->mean_base,
            row->mean_new, row->diff, interval, row->mde, p,
            verdict_name(row->verdict));
    }
    oy_buffer_append_string(out, "\nseen: the change that 4 runs of 5 would"
                                 " show\n");
    put_verdict(comparison, out);
    for (size_t i = 0; options->flips && i < comparison->n_row; i++) {
        oy_buffer_append_char(out, '\n');
        compare_put_flips(&comparison->row[i], "  ", out);
    }
}

void compare_put_markdown(const struct comparison *comparison,
                          const struct compare_options *options,
                          struct oy_buffer *out)
{
    oy_buffer_append_format(out, "### %s against %s: %s\n\n", comparison->new,
                            comparison->base,
                            comparison->has_regression ? "regression" : "ok");
    oy_buffer_append_string(
        out, "| task | metric | n | base | new | difference | 95 % interval |"
             " p (drop, Holm) | verdict |\n"
             "|---|---|--:|--:|--:|--:|---|--:|---|\n");
    for (size_t i = 0; i < comparison->n_row; i++) {
        const struct compare_row *row = &comparison->row[i];
        const char *mark = row->verdict == COMPARE_SAME ? "" : "**";
        char p[16];
        format_p(p, row->p_regression_holm);
        oy_buffer_append_format(
            out,
            "| %s | %s | %zu | %.4f | %.4f | %+.4f | %+.4f .. %+.4f | %s |"
            " %s%s%s |\n",
            row->task, row->metric, row->n, row->mean_base, row->mean_new,
            row->diff, row->ci_low, row->ci_high, p, mark,
            verdict_name(row->verdict), mark);
    }
    oy_buffer_append_char(out, '\n');
    for (size_t i = 0; options->flips && i < comparison->n_row; i++) {
        compare_put_flips(&comparison->row[i], "- ", out);
        oy_buffer_append_char(out, '\n');
    }
}

/* ---- JSON ---- */

static void put_key(struct oy_buffer *out, const char *key)
{
    if (out->len && out->data[out->len - 1] != '{')
        oy_buffer_append_char(out, ',');
    oy_json_put_string(out, key, strlen(key));
    oy_buffer_append_char(out, ':');
}

static void put_text(struct oy_buffer *out, const char *key, const char *text)
{
    put_key(out, key);
    oy_json_put_string(out, text, strlen(text));
}

static void put_double(struct oy_buffer *out, const char *key, double number)
{
    put_key(out, key);
    oy_json_put_double(out, number); /* NaN becomes null */
}

static void put_count(struct oy_buffer *out, const char *key, uint64_t number)
{
    put_key(out, key);
    oy_json_put_int(out, (int64_t)number);
}

static void put_pair(struct oy_buffer *out, const char *key, double low,
                     double high)
{
    put_key(out, key);
    oy_buffer_append_char(out, '[');
    oy_json_put_double(out, low);
    oy_buffer_append_char(out, ',');
    oy_json_put_double(out, high);
    oy_buffer_append_char(out, ']');
}

static void put_paired(const struct compare_row *row,
                       const struct compare_options *options,
                       struct oy_buffer *out)
{
    put_key(out, "bootstrap");
    oy_buffer_append_char(out, '{');
    put_count(out, "b", options->n_replicate);
    put_count(out, "seed", options->seed);
    put_pair(out, "ci95", row->bootstrap.low, row->bootstrap.high);
    put_double(out, "sd", row->bootstrap.sd);
    oy_buffer_append_char(out, '}');
    if (!row->n_cluster)
        return;
    const double reach = 1.959963984540054 * row->clustered.miller;
    put_count(out, "clusters", row->n_cluster);
    put_double(out, "se_diff_clustered", row->clustered.miller);
    put_double(out, "se_diff_cr0", row->clustered.cr0);
    put_double(out, "se_diff_cr1", row->clustered.cr1);
    put_pair(out, "ci95_clustered", row->diff - reach, row->diff + reach);
}

static void put_row(const struct compare_row *row,
                    const struct compare_options *options,
                    struct oy_buffer *out)
{
    put_key(out, row->task);
    oy_buffer_append_char(out, '{');
    put_text(out, "metric", row->metric);
    put_count(out, "n", row->n);
    put_double(out, "mean_base", row->mean_base);
    put_double(out, "mean_new", row->mean_new);
    put_double(out, "diff", row->diff);
    put_double(out, "se_base", row->se_base);
    put_double(out, "se_new", row->se_new);
    put_double(out, "se_diff", row->se_diff);
    put_double(out, "se_diff_unpaired", row->se_diff_unpaired);
    put_double(out, "corr", row->corr);
    put_pair(out, "ci95", row->ci_low, row->ci_high);
    put_double(out, "mde", row->mde);
    put_count(out, "only_base", row->only_base);
    put_count(out, "only_new", row->only_new);
    put_double(out, "p_mcnemar", row->p_mcnemar);
    put_double(out, "p_mcnemar_holm", row->p_mcnemar_holm);
    put_double(out, "p_regression", row->p_regression);
    put_double(out, "p_regression_holm", row->p_regression_holm);
    put_double(out, "p_z", row->p_z);
    put_double(out, "p_t", row->p_t);
    put_double(out, "p_z_unpaired", row->p_z_unpaired);
    if (row->is_paired)
        put_paired(row, options, out);
    if (options->flips && row->is_paired) {
        put_key(out, "flips");
        compare_put_flips_json(row, out);
    }
    put_double(out, "tolerance", row->tolerance);
    put_text(out, "verdict", verdict_name(row->verdict));
    oy_buffer_append_char(out, '}');
}

void compare_put_json(const struct comparison *comparison, size_t n,
                      const struct compare_options *options,
                      struct oy_buffer *out)
{
    oy_buffer_append_char(out, '{');
    put_double(out, "alpha", options->alpha);
    put_key(out, "comparisons");
    oy_buffer_append_char(out, '[');
    for (size_t i = 0; i < n; i++) {
        const struct comparison *c = &comparison[i];
        oy_buffer_append_string(out, i ? ",{" : "{");
        put_text(out, "base", c->base);
        put_text(out, "new", c->new);
        put_text(out, "verdict", c->has_regression ? "regression" : "ok");
        put_key(out, "tasks");
        oy_buffer_append_char(out, '{');
        for (size_t k = 0; k < c->n_row; k++)
            put_row(&c->row[k], options, out);
        oy_buffer_append_string(out, "}}");
    }
    oy_buffer_append_string(out, "]}\n");
}

/* ---- JUnit ---- */

static void put_xml(struct oy_buffer *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': oy_buffer_append_string(out, "&amp;"); break;
        case '<': oy_buffer_append_string(out, "&lt;"); break;
        case '>': oy_buffer_append_string(out, "&gt;"); break;
        case '"': oy_buffer_append_string(out, "&quot;"); break;
        default: oy_buffer_append_char(out, *text);
        }
    }
}

static void put_suite(const struct comparison *comparison,
                      struct oy_buffer *out)
{
    size_t n_failure = 0;

    for (size_t i = 0; i < comparison->n_row; i++)
        n_failure += comparison->row[i].verdict == COMPARE_REGRESSION;
    oy_buffer_append_string(out, "  <testsuite name=\"");
    put_xml(out, comparison->new);
    oy_buffer_append_string(out, " against ");
    put_xml(out, comparison->base);
    oy_buffer_append_format(out, "\" tests=\"%zu\" failures=\"%zu\">\n",
                            comparison->n_row, n_failure);
    for (size_t i = 0; i < comparison->n_row; i++) {
        const struct compare_row *row = &comparison->row[i];
        oy_buffer_append_string(out, "    <testcase classname=\"oyster\""
                                     " name=\"");
        put_xml(out, row->task);
        if (row->verdict != COMPARE_REGRESSION) {
            oy_buffer_append_string(out, "\"/>\n");
            continue;
        }
        oy_buffer_append_format(
            out,
            "\">\n      <failure message=\"%s fell from %.4f to %.4f\">"
            "difference %+.4f, 95 %% interval %+.4f .. %+.4f, p %.3g"
            "</failure>\n    </testcase>\n",
            row->metric, row->mean_base, row->mean_new, row->diff, row->ci_low,
            row->ci_high, row->p_regression_holm);
    }
    oy_buffer_append_string(out, "  </testsuite>\n");
}

void compare_put_junit(const struct comparison *comparison, size_t n,
                       struct oy_buffer *out)
{
    oy_buffer_append_string(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                 "<testsuites>\n");
    for (size_t i = 0; i < n; i++)
        put_suite(&comparison[i], out);
    oy_buffer_append_string(out, "</testsuites>\n");
}
