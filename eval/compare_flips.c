/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents that two runs answered differently. */
#include <math.h>
#include <stdlib.h>

#include "core/json.h"
#include "eval/compare.h"

enum { MOST_CHANGES = 20 }; /* of scores that are not 0/1 */

struct flip {
    const struct compare_sample *base, *new;
    double gain;
};

static double score_of(const struct compare_sample *sample)
{
    return sample->value / sample->weight;
}

/* The worst first; of equal ones the earlier document. */
static int compare_gains(const void *a, const void *b)
{
    const struct flip *x = a, *y = b;

    if (x->gain != y->gain)
        return x->gain < y->gain ? -1 : 1;
    return (x->base > y->base) - (x->base < y->base);
}

static int compare_sizes(const void *a, const void *b)
{
    const double x = fabs(((const struct flip *)a)->gain);
    const double y = fabs(((const struct flip *)b)->gain);

    return x != y ? (x > y ? -1 : 1) : compare_gains(a, b);
}

/* All changes, those that are listed in front, in order; free it. */
static struct flip *find_flips(const struct compare_row *row, size_t *n,
                               size_t *n_listed)
{
    struct flip *flip = oy_alloc_array(row->n + 1, sizeof *flip);

    *n = 0;
    for (size_t i = 0; row->is_paired && i < row->n; i++) {
        const struct compare_sample *a = &row->base_task->sample[i];
        const struct compare_sample *b = &row->new_task->sample[i];
        const double gain = score_of(b) - score_of(a);
        if (gain != 0)
            flip[(*n)++] =
                (struct flip){a, b, row->lower_is_better ? -gain : gain};
    }
    *n_listed = *n;
    if (!row->is_binary && *n > MOST_CHANGES) {
        qsort(flip, *n, sizeof *flip, compare_sizes);
        *n_listed = MOST_CHANGES;
    }
    if (*n)
        qsort(flip, *n_listed, sizeof *flip, compare_gains);
    return flip;
}

static void put_answer(const struct compare_sample *sample,
                       struct oy_buffer *out)
{
    if (sample->answer.len)
        oy_buffer_append(out, sample->answer.at, sample->answer.len);
    else
        oy_json_put_double(out, score_of(sample));
}

static void put_flip(const struct flip *flip, int is_binary,
                     struct oy_buffer *out)
{
    oy_buffer_append_format(out,
                            "document %lld: ", (long long)flip->base->doc_id);
    oy_buffer_append_string(out, flip->gain < 0 ? "worse" : "better");
    if (!is_binary)
        oy_buffer_append_format(out, " by %.4g", fabs(flip->gain));
    oy_buffer_append_string(out, ": ");
    put_answer(flip->base, out);
    oy_buffer_append_string(out, " -> ");
    put_answer(flip->new, out);
    oy_buffer_append_char(out, '\n');
}

void compare_put_flips(const struct compare_row *row, const char *mark,
                       struct oy_buffer *out)
{
    size_t n, n_listed, n_worse = 0;
    struct flip *flip = find_flips(row, &n, &n_listed);

    for (size_t i = 0; i < n; i++)
        n_worse += flip[i].gain < 0;
    oy_buffer_append_format(out, "%s: %zu of %zu documents worse, %zu better",
                            row->task, n_worse, row->n, n - n_worse);
    if (n_listed < n)
        oy_buffer_append_format(out, "; the %zu largest changes", n_listed);
    oy_buffer_append_char(out, '\n');
    for (size_t i = 0; i < n_listed; i++) {
        oy_buffer_append_string(out, mark);
        put_flip(&flip[i], row->is_binary, out);
    }
    oy_free(flip);
}

static void put_answer_member(const char *name,
                              const struct compare_sample *sample,
                              struct oy_buffer *out)
{
    oy_buffer_append_format(out, ",\"%s\":", name);
    if (sample->answer.len)
        oy_buffer_append(out, sample->answer.at, sample->answer.len);
    else
        oy_buffer_append_string(out, "null");
}

void compare_put_flips_json(const struct compare_row *row,
                            struct oy_buffer *out)
{
    size_t n, n_listed;
    struct flip *flip = find_flips(row, &n, &n_listed);

    oy_buffer_append_char(out, '[');
    for (size_t i = 0; i < n_listed; i++) {
        oy_buffer_append_format(out,
                                "%s{\"doc_id\":%lld,\"base\":", i ? "," : "",
                                (long long)flip[i].base->doc_id);
        oy_json_put_double(out, score_of(flip[i].base));
        oy_buffer_append_string(out, ",\"new\":");
        oy_json_put_double(out, score_of(flip[i].new));
        put_answer_member("base_answer", flip[i].base, out);
        put_answer_member("new_answer", flip[i].new, out);
        oy_buffer_append_char(out, '}');
    }
    oy_buffer_append_char(out, ']');
    oy_free(flip);
}
