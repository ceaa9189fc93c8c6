/* SPDX-License-Identifier: Apache-2.0
 *
 * Sampling of dropped records by reason. */
#include "pipeline/sample.h"

#include <stdlib.h>
#include <string.h>

#include "core/output.h"
#include "core/random.h"

struct sample_line {
    uint64_t key; /* the smallest are chosen */
    uint64_t number;
    char *reason;
    struct oy_buffer text;
};

void sample_release(struct sample *sample)
{
    for (size_t i = 0; i < sample->n_line; i++) {
        oy_free(sample->line[i].reason);
        oy_buffer_release(&sample->line[i].text);
    }
    oy_free(sample->line);
    sample->line = NULL;
    sample->n_line = sample->cap_line = 0;
}

/* Where a record of this reason and key goes: a new line while there are too
 * few of the reason, else that with the largest key; NULL when all are
 * smaller. */
static struct sample_line *find_place(struct sample *sample, const char *reason,
                                      uint64_t key)
{
    struct sample_line *largest = NULL;
    size_t n = 0;

    for (size_t i = 0; i < sample->n_line; i++) {
        struct sample_line *line = &sample->line[i];
        if (strcmp(line->reason, reason) != 0)
            continue;
        n++;
        if (!largest || line->key > largest->key)
            largest = line;
    }
    if (n == sample->n_each)
        return largest && key < largest->key ? largest : NULL;
    OY_GROW(sample->line, sample->cap_line, sample->n_line + 1);
    struct sample_line *line = &sample->line[sample->n_line++];
    *line = (struct sample_line){.reason = oy_strdup(reason)};
    return line;
}

int sample_offer(struct sample *sample, const struct oy_record *record)
{
    struct oy_random random = oy_random_at(sample->seed, record->number);
    const uint64_t key = oy_random_next(&random);
    struct sample_line *line = find_place(sample, record->reason, key);

    if (!line)
        return 0;
    line->key = key;
    line->number = record->number;
    oy_buffer_clear(&line->text);
    return oy_record_write(record, 1, &line->text);
}

static int by_number(const void *a, const void *b)
{
    const struct sample_line *x = a, *y = b;

    return (x->number > y->number) - (x->number < y->number);
}

int sample_write(struct sample *sample, const struct oy_run *run,
                 const char *path, struct oy_error *err)
{
    struct oy_output *output = oy_run_open_output_at(run, path, err);

    if (!output)
        return -1;
    if (sample->n_line)
        qsort(sample->line, sample->n_line, sizeof *sample->line, by_number);
    for (size_t i = 0; i < sample->n_line; i++) {
        const struct oy_buffer *text = &sample->line[i].text;
        if (oy_output_write(output, text->data, text->len, err)) {
            oy_output_discard(output);
            return -1;
        }
    }
    return oy_output_commit(output, err);
}
