/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a trained vocabulary as a tokenizer.json.
 */
#include "tokenizer/tokenizer_write.h"

#include <string.h>

#include "core/error.h"
#include "core/json.h"

/* A text with lines; those behind the first are indented by `depth` levels. */
static void put_lines(struct oy_buffer *out, const char *text, int depth)
{
    for (const char *line = text; *line;) {
        const size_t len = strcspn(line, "\n");

        oy_buffer_append(out, line, len);
        line += len;
        if (!*line)
            break;
        line++;
        oy_buffer_append_char(out, '\n');
        for (int i = 0; i < depth; i++)
            oy_buffer_append(out, "  ", 2);
    }
}

static void put_token(struct oy_buffer *out, const struct bpe_trained *trained,
                      size_t id)
{
    const struct oy_text token = bpe_trained_token(trained, id);

    oy_json_put_string(out, token.at, token.len);
}

static int is_plain(const struct tokenizer_write_options *options,
                    struct oy_text token)
{
    for (size_t i = 0; i < options->n_plain; i++) {
        const char *const plain = options->plain[i];

        if (strlen(plain) == token.len && !memcmp(plain, token.at, token.len))
            return 1;
    }
    return 0;
}

static void put_added_tokens(struct oy_buffer *out,
                             const struct tokenizer_write_options *options,
                             const struct bpe_trained *trained)
{
    oy_buffer_append_string(out, "[");
    for (size_t id = 0; id < trained->n_special; id++) {
        oy_buffer_append_format(out, "%s\n    {\n      \"id\": %zu,\n",
                                id ? "," : "", id);
        oy_buffer_append_string(out, "      \"content\": ");
        put_token(out, trained, id);
        oy_buffer_append_format(
            out,
            ",\n"
            "      \"single_word\": false,\n"
            "      \"lstrip\": false,\n"
            "      \"rstrip\": false,\n"
            "      \"normalized\": false,\n"
            "      \"special\": %s\n"
            "    }",
            is_plain(options, bpe_trained_token(trained, id)) ? "false"
                                                              : "true");
    }
    oy_buffer_append_string(out, trained->n_special ? "\n  ]" : "]");
}

/* ---- pre-tokenisers ---- */

static void put_byte_level(struct oy_buffer *out, int use_regex, int depth)
{
    put_lines(out,
              use_regex ? "{\n"
                          "  \"type\": \"ByteLevel\",\n"
                          "  \"add_prefix_space\": false,\n"
                          "  \"trim_offsets\": true,\n"
                          "  \"use_regex\": true\n"
                          "}"
                        : "{\n"
                          "  \"type\": \"ByteLevel\",\n"
                          "  \"add_prefix_space\": false,\n"
                          "  \"trim_offsets\": true,\n"
                          "  \"use_regex\": false\n"
                          "}",
              depth);
}

static void put_split(struct oy_buffer *out, const char *regex)
{
    oy_buffer_append_string(out, "{\n"
                                 "        \"type\": \"Split\",\n"
                                 "        \"pattern\": {\n"
                                 "          \"Regex\": ");
    oy_json_put_string(out, regex, strlen(regex));
    oy_buffer_append_string(out, "\n"
                                 "        },\n"
                                 "        \"behavior\": \"Isolated\",\n"
                                 "        \"invert\": false\n"
                                 "      },\n      ");
}

/* Whether a ByteLevel that cuts by itself ends the sequence. */
static int cuts_in_byte_level(enum split_kind kind)
{
    return kind == SPLIT_GPT2 || kind == SPLIT_SMOLLM;
}

static void put_pre_tokenizer(struct oy_buffer *out, enum split_kind kind,
                              const char *pattern)
{
    if (!pattern && kind == SPLIT_WHITESPACE) {
        put_lines(out, "{\n  \"type\": \"Whitespace\"\n}", 1);
        return;
    }
    if (!pattern && (kind == SPLIT_GPT2 || kind == SPLIT_NONE)) {
        put_byte_level(out, cuts_in_byte_level(kind), 1);
        return;
    }
    oy_buffer_append_string(out, "{\n    \"type\": \"Sequence\",\n"
                                 "    \"pretokenizers\": [\n      ");
    if (pattern) {
        put_split(out, pattern);
    } else if (kind == SPLIT_SMOLLM) {
        put_lines(out,
                  "{\n  \"type\": \"Digits\",\n"
                  "  \"individual_digits\": true\n},\n",
                  3);
    } else {
        for (int part = 0; split_regex(kind, part); part++)
            put_split(out, split_regex(kind, part));
    }
    put_byte_level(out, !pattern && cuts_in_byte_level(kind), 3);
    oy_buffer_append_string(out, "\n    ]\n  }");
}

/* ---- the model ---- */

static void put_vocab(struct oy_buffer *out, const struct bpe_trained *trained)
{
    oy_buffer_append_string(out, "    \"vocab\": {");
    for (size_t id = 0; id < trained->n_token; id++) {
        oy_buffer_append_string(out, id ? ",\n      " : "\n      ");
        put_token(out, trained, id);
        oy_buffer_append(out, ": ", 2);
        oy_json_put_int(out, (int64_t)id);
    }
    oy_buffer_append_string(out, trained->n_token ? "\n    }" : "}");
}

static void put_merges(struct oy_buffer *out, const struct bpe_trained *trained)
{
    oy_buffer_append_string(out, ",\n    \"merges\": [");
    for (size_t i = 0; i < trained->n_merge; i++) {
        oy_buffer_append_string(out, i ? ",\n      [\n        "
                                       : "\n      [\n        ");
        put_token(out, trained, trained->merge[i][0]);
        oy_buffer_append_string(out, ",\n        ");
        put_token(out, trained, trained->merge[i][1]);
        oy_buffer_append_string(out, "\n      ]");
    }
    oy_buffer_append_string(out, trained->n_merge ? "\n    ]" : "]");
}

void tokenizer_write(const struct tokenizer_write_options *options,
                     const struct bpe_trained *trained, struct oy_buffer *out)
{
    oy_buffer_append_string(out, "{\n  \"version\": \"1.0\",\n"
                                 "  \"truncation\": null,\n"
                                 "  \"padding\": null,\n"
                                 "  \"added_tokens\": ");
    put_added_tokens(out, options, trained);
    oy_buffer_append_string(out, ",\n  \"normalizer\": null,\n"
                                 "  \"pre_tokenizer\": ");
    put_pre_tokenizer(out, options->kind, options->pattern);
    oy_buffer_append_string(out, ",\n  \"post_processor\": null,\n"
                                 "  \"decoder\": {\n"
                                 "    \"type\": \"ByteLevel\",\n"
                                 "    \"add_prefix_space\": true,\n"
                                 "    \"trim_offsets\": true,\n"
                                 "    \"use_regex\": true\n"
                                 "  },\n"
                                 "  \"model\": {\n"
                                 "    \"type\": \"BPE\",\n"
                                 "    \"dropout\": null,\n"
                                 "    \"unk_token\": null,\n"
                                 "    \"continuing_subword_prefix\": null,\n"
                                 "    \"end_of_word_suffix\": null,\n"
                                 "    \"fuse_unk\": false,\n"
                                 "    \"byte_fallback\": false,\n"
                                 "    \"ignore_merges\": false,\n");
    put_vocab(out, trained);
    put_merges(out, trained);
    oy_buffer_append_string(out, "\n  }\n}");
}
