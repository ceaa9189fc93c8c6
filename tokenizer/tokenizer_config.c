/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer_config.json: names of tokens and the chat template. */
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/input.h"
#include "core/json.h"
#include "tokenizer/tokenizer_document.h"

enum { MAX_CONFIG_SIZE = 64 << 20 };

/* The text of a string value (yours), or NULL. */
static char *copy_text(const struct oy_json_value *value)
{
    struct oy_arena arena = {0};
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why = NULL;
    char *copy = NULL;

    if (value->kind == OY_JSON_STRING &&
        !oy_json_text(value, &arena, &text, &n_repaired, &why))
        copy = oy_strndup(text.at, text.len);
    oy_arena_release(&arena);
    return copy;
}

/* A token is a string, or an object with its content. */
static char *copy_token(const struct oy_json_value *root, const char *name)
{
    struct oy_json_value value = oy_json_member(root, name);

    if (value.kind == OY_JSON_OBJECT)
        value = oy_json_member(&value, "content");
    return copy_text(&value);
}

/* A template is a string, or a list of {name, template} whose "default" is
 * meant. */
static char *copy_template(const struct oy_json_value *root)
{
    const struct oy_json_value value = oy_json_member(root, "chat_template");
    struct oy_json_cursor cursor;
    struct oy_json_value entry;

    if (value.kind != OY_JSON_ARRAY)
        return copy_text(&value);
    oy_json_enter(&cursor, &value);
    while (oy_json_next_element(&cursor, &entry) > 0) {
        if (entry.kind != OY_JSON_OBJECT)
            continue;
        const struct oy_json_value name = oy_json_member(&entry, "name");
        const struct oy_json_value text = oy_json_member(&entry, "template");
        if (oy_json_equals(&name, "default"))
            return copy_text(&text);
    }
    return NULL;
}

/* The first of the two names that exists, or NULL; the caller's. */
static char *find_beside(const char *folder, const char *name)
{
    char *plain = oy_asprintf("%s/%s", folder, name);

    if (!access(plain, F_OK))
        return plain;
    char *packed = oy_asprintf("%s.zst", plain);
    oy_free(plain);
    if (!access(packed, F_OK))
        return packed;
    oy_free(packed);
    return NULL;
}

static int read_json(struct tokenizer_document *document, const char *path,
                     struct oy_error *err)
{
    struct oy_json_value root;
    const char *why = "not an object";
    size_t len;
    char *data = oy_input_slurp(path, MAX_CONFIG_SIZE, &len, err);

    if (!data)
        return -1;
    if (oy_json_value_of(data, len, &root, &why) ||
        root.kind != OY_JSON_OBJECT) {
        oy_free(data);
        return oy_fail(err, OY_DATA, "%s: %s", path, why);
    }
    document->bos_token = copy_token(&root, "bos_token");
    document->eos_token = copy_token(&root, "eos_token");
    document->chat_template = copy_template(&root);
    oy_free(data);
    return 0;
}

int tokenizer_document_read_config(struct tokenizer_document *document,
                                   const char *folder, struct oy_error *err)
{
    char *config = find_beside(folder, "tokenizer_config.json");
    char *template = find_beside(folder, "chat_template.jinja");
    int failed = config ? read_json(document, config, err) : 0;
    size_t len;

    if (!failed && template && !document->chat_template) {
        document->chat_template =
            oy_input_slurp(template, MAX_CONFIG_SIZE, &len, err);
        failed = document->chat_template ? 0 : -1;
    }
    oy_free(config);
    oy_free(template);
    return failed;
}
