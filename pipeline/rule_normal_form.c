/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules `nfc` and `nfkc`: put the text into a Unicode normal form, keep every
 * document. */
#include <string.h>

#include "core/unicode.h"
#include "pipeline/rule_internal.h"

enum { UNICODE = 15 }; /* the newest that core/unicode.h knows */

/* The rules have no parameters. */
static const char no_params;
static const struct rule_param param[] = {{0}};

static void normalize(struct document *document, enum oy_normal_form form)
{
    const struct oy_text text = document->text;
    struct oy_buffer *draft = document_draft(document);

    oy_buffer_reserve(draft, text.len + 1);
    oy_unicode_normalize(form, UNICODE, text.at, text.len, draft);
    if (draft->len != text.len || memcmp(draft->data, text.at, text.len) != 0)
        document_rewrite(document, (struct oy_text){draft->data, draft->len});
}

static const char *judge_nfc(const void *params, struct document *document,
                             struct measures *out)
{
    (void)params;
    (void)out;
    if (!oy_unicode_is_nfc(document->text.at, document->text.len))
        normalize(document, OY_NFC);
    return NULL;
}

static const char *judge_nfkc(const void *params, struct document *document,
                              struct measures *out)
{
    (void)params;
    (void)out;
    normalize(document, OY_NFKC);
    return NULL;
}

const struct rule rule_nfc = {
    .name = "nfc",
    .params_size = sizeof no_params,
    .defaults = &no_params,
    .param = param,
    .judge = judge_nfc,
};

const struct rule rule_nfkc = {
    .name = "nfkc",
    .params_size = sizeof no_params,
    .defaults = &no_params,
    .param = param,
    .judge = judge_nfkc,
};
