/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule `fix_text`: puts wrongly decoded texts right, keeps every document.
 * ftfy 6.3.1 with the settings of datatrove's FTFYFormatter
 * (formatters/ftfy.py) unless others are given. */
#include "pipeline/ftfy.h"
#include "pipeline/rule_internal.h"

static const struct ftfy_config defaults = {
    .unescape_html = FTFY_HTML_AUTO,
    .remove_terminal_escapes = 1,
    .fix_encoding = 1,
    .restore_byte_a0 = 1,
    .replace_lossy_sequences = 1,
    .decode_inconsistent_utf8 = 1,
    .fix_c1_controls = 1,
    .fix_surrogates = 1,
    .remove_control_chars = 1,
};

static const char *const html_name[] = {"auto", "true", "false", NULL};
static const char *const form_name[] = {"null", "NFC",  "NFD",
                                        "NFKC", "NFKD", NULL};

#define CONFIG(kind, field) RULE_PARAM(struct ftfy_config, kind, field)

static const struct rule_param param[] = {
    {"unescape_html", RULE_CHOICE, offsetof(struct ftfy_config, unescape_html),
     html_name},
    CONFIG(RULE_BOOL, remove_terminal_escapes),
    CONFIG(RULE_BOOL, fix_encoding),
    CONFIG(RULE_BOOL, restore_byte_a0),
    CONFIG(RULE_BOOL, replace_lossy_sequences),
    CONFIG(RULE_BOOL, decode_inconsistent_utf8),
    CONFIG(RULE_BOOL, fix_c1_controls),
    CONFIG(RULE_BOOL, fix_latin_ligatures),
    CONFIG(RULE_BOOL, fix_character_width),
    CONFIG(RULE_BOOL, uncurl_quotes),
    CONFIG(RULE_BOOL, fix_line_breaks),
    CONFIG(RULE_BOOL, fix_surrogates),
    CONFIG(RULE_BOOL, remove_control_chars),
    {"normalization", RULE_CHOICE, offsetof(struct ftfy_config, normalization),
     form_name},
    {0},
};

static const char *judge(const void *params, struct document *document,
                         struct measures *out)
{
    struct oy_buffer *draft = document_draft(document);

    oy_buffer_reserve(draft, 1);
    const int changed = ftfy_fix(params, document->text, draft);
    measure_count(out, "fixed", (size_t)changed);
    if (changed)
        document_rewrite(document, (struct oy_text){draft->data, draft->len});
    return NULL;
}

const struct rule rule_fix_text = {
    .name = "fix_text",
    .params_size = sizeof(struct ftfy_config),
    .defaults = &defaults,
    .param = param,
    .judge = judge,
};
