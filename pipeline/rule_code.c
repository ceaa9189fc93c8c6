/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule `code`: source files that look like data, are minified or are XML.
 * BigCode's filters for StarCoder (bigcode-dataset,
 * preprocessing/filtering.py): longest and mean line, share of letters and
 * digits, an XML declaration. */
#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/rule_internal.h"

struct code {
    double line_max; /* code points; 0: off, as the two below */
    double line_mean;
    double alpha_frac; /* at least so much */
    int xml;           /* drop what declares itself as XML */
};

static const struct code defaults = {
    .line_max = 1000, .line_mean = 100, .alpha_frac = 0.25, .xml = 1};

static const struct rule_param param[] = {
    RULE_PARAM(struct code, RULE_NUMBER, line_max),
    RULE_PARAM(struct code, RULE_NUMBER, line_mean),
    RULE_PARAM(struct code, RULE_NUMBER, alpha_frac),
    RULE_PARAM(struct code, RULE_BOOL, xml),
    {0},
};

struct lengths {
    size_t max, sum;
};

static struct lengths measure_lines(const char *text,
                                    const struct pieces *lines)
{
    struct lengths lengths = {0, 0};

    for (size_t i = 0; i < lines->n; i++) {
        const struct piece line = lines->item[i];
        const size_t n = oy_utf8_count(text + line.at, line.len);
        lengths.max = n > lengths.max ? n : lengths.max;
        lengths.sum += n;
    }
    return lengths;
}

static size_t count_alnum(struct oy_text text)
{
    size_t n = 0;

    for (size_t at = 0; at < text.len;)
        n += (size_t)oy_py_isalnum(oy_utf8_next(text.at, &at));
    return n;
}

/* "<?xml version=" among the first hundred characters. */
static int declares_xml(struct oy_text text)
{
    size_t end = 0;

    for (int i = 0; i < 100 && end < text.len; i++)
        oy_utf8_next(text.at, &end);
    return memmem(text.at, end, "<?xml version=", 14) != NULL;
}

static const char *judge(const void *params, struct document *document,
                         struct measures *out)
{
    const struct code *p = params;
    const struct pieces *lines = document_split_lines(document);
    const size_t n_code = document_n_code(document);

    /* BigCode's own fails on a file without lines. */
    if (!lines->n)
        return "empty";
    const struct lengths lengths = measure_lines(document->text.at, lines);
    const double mean = (double)lengths.sum / (double)lines->n;
    const double share = (double)count_alnum(document->text) / (double)n_code;
    measure_count(out, "max_line_length", lengths.max);
    measure_number(out, "avg_line_length", mean);
    measure_number(out, "alphanum_fraction", share);
    return rule_exceeds((double)lengths.max, 1, p->line_max) ||
                   rule_exceeds(mean, 1, p->line_mean) ||
                   share < p->alpha_frac ||
                   (p->xml && declares_xml(document->text))
               ? "code"
               : NULL;
}

const struct rule rule_code = {
    .name = "code",
    .params_size = sizeof(struct code),
    .defaults = &defaults,
    .param = param,
    .judge = judge,
};
