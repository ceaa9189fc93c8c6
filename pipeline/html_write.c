/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of text into lines: margins, lists, indents. */
#include <string.h>

#include "pipeline/html_text_internal.h"

struct writer {
    struct oy_buffer *out;
    size_t start;     /* of this page in out */
    uint32_t *number; /* of each open list: the next item's; 0: bullets */
    size_t depth, cap_number;
    size_t spaces; /* that may still be written */
    int bullet;    /* an item waits for its text */
};

static void note_list(struct writer *w, const struct html_record *record)
{
    const int is_list =
        record->tag == HTML_TAG_UL || record->tag == HTML_TAG_OL;

    if (is_list || (record->tag == HTML_TAG_LI && w->depth == 0)) {
        if (record->is_end) {
            w->depth -= w->depth > 0;
            w->bullet = 0;
        } else {
            OY_GROW(w->number, w->cap_number, w->depth + 1);
            w->number[w->depth++] = record->tag == HTML_TAG_OL;
        }
    }
    if (record->tag == HTML_TAG_LI)
        w->bullet = 1;
}

static void write_margin(struct writer *w, const struct html_record *record)
{
    struct oy_buffer *out = w->out;
    const size_t len = out->len - w->start;

    if (record->keeps_lf || (len && out->data[out->len - 1] != '\n'))
        oy_buffer_append_char(out, '\n');
    const size_t now = out->len - w->start;
    if (html_tag_has((enum html_tag)record->tag, HTML_BIG) && !w->bullet &&
        now >= 2 && out->data[out->len - 2] != '\n')
        oy_buffer_append_char(out, '\n');
}

static void indent(struct writer *w, size_t n)
{
    if (n > w->spaces)
        n = w->spaces;
    w->spaces -= n;
    memset(oy_buffer_reserve(w->out, n), ' ', n);
    w->out->len += n;
}

static void write_bullet(struct writer *w)
{
    uint32_t *number = &w->number[w->depth - 1];

    indent(w, 2 * w->depth + (w->bullet ? 0 : 2));
    if (!w->bullet)
        return;
    w->bullet = 0;
    if (*number)
        oy_buffer_append_format(w->out, "%u. ", (*number)++);
    else
        oy_buffer_append_string(w->out, "\u2022 ");
}

static void write_text(struct writer *w, const char *text, size_t len,
                       int is_pre)
{
    const char *lf;

    while (is_pre && w->depth && (lf = memchr(text, '\n', len)) != NULL) {
        const size_t n = (size_t)(lf - text) + 1;
        oy_buffer_append(w->out, text, n);
        indent(w, 2 * (w->depth + 1));
        text += n;
        len -= n;
    }
    oy_buffer_append(w->out, text, len);
}

void html_write_records(const struct html_record *record, size_t n,
                        const char *text, struct oy_buffer *out)
{
    struct writer w = {.out = out, .start = out->len, .spaces = 1 << 20};

    if (n)
        w.spaces += 16 * (size_t)(record[n - 1].at + record[n - 1].len);

    for (size_t i = 0; i < n; i++) {
        const char *at = text + record[i].at;
        size_t len = record[i].len;
        note_list(&w, &record[i]);
        write_margin(&w, &record[i]);
        while (len && !record[i].is_pre && html_blank(at[len - 1]))
            len--;
        if (len == 0)
            continue;
        if (w.depth)
            write_bullet(&w);
        write_text(&w, at, len, record[i].is_pre);
    }
    while (out->len > w.start && html_blank(out->data[out->len - 1]))
        out->len--;
    oy_free(w.number);
}
