/* SPDX-License-Identifier: Apache-2.0
 *
 * What results say of each document for runs to be compared. */
#include <string.h>

#include "core/json.h"
#include "core/utf8.h"
#include "eval/grade_internal.h"

enum { ANSWER_CHARACTERS = 200 };

/* Questions on one text are not independent (Miller, arXiv 2411.00640, 2.2):
 * the fields that hold such texts. */
static const struct {
    const char *dataset, *field;
} cluster_field[] = {
    {"aps/super_glue", "passage"},
    {"rajpurkar/squad", "context"},
    {"rajpurkar/squad_v2", "context"},
};

static const struct template_value *find_cluster(
    const struct grade_task *task, const struct template_value *doc)
{
    const char *dataset = task->task->dataset_path;

    for (size_t i = 0; i < sizeof cluster_field / sizeof *cluster_field; i++) {
        if (dataset && !strcmp(dataset, cluster_field[i].dataset))
            return template_get(doc, cluster_field[i].field);
    }
    return NULL;
}

static void put_cluster(const struct grade_task *task,
                        const struct template_value *doc, struct oy_buffer *out)
{
    const struct template_value *text = find_cluster(task, doc);
    char hash[65];

    if (!text || text->kind != TEMPLATE_STRING)
        return;
    grade_sha256(text->text.at, text->text.len, hash);
    oy_buffer_append_format(out, ", \"cluster\": \"%.16s\"", hash);
}

/* The beginning of a long one is enough to tell answers apart. */
static void put_answer(struct oy_text answer, struct oy_buffer *out)
{
    size_t at = 0;

    for (int i = 0; i < ANSWER_CHARACTERS && at < answer.len; i++)
        oy_utf8_next(answer.at, &at);
    if (at > answer.len)
        at = answer.len;
    oy_buffer_append_string(out, ", \"answer\": ");
    oy_json_put_string(out, answer.at, at);
}

void grade_put_pairing(const struct grade_task *task,
                       const struct graded *graded, struct oy_buffer *out)
{
    oy_buffer_append_format(out, "{\"doc_id\": %lld, \"doc_hash\": \"%s\"",
                            (long long)graded->doc_id, graded->doc_hash);
    put_cluster(task, &graded->doc, out);
    if (graded->chosen.at)
        put_answer(graded->chosen, out);
    else if (graded->answer && !task->is_code)
        put_answer(graded->answer[0], out);
}
