/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-conv --info: what a model holds, as a table. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/conv_internal.h"
#include "model/model_file.h"
#include "tokenizer/tokenizer_document.h"

enum { MAX_TEXT = 60, N_TYPES = 32 };

static void put_line(struct oy_buffer *out, const char *name, const char *text)
{
    oy_buffer_append_format(out, "%-44s %s\n", name, text);
}

/* ---- sums ---- */

/* How many tensors and bytes are of a type. */
struct totals {
    struct total {
        const char *type;
        uint64_t n, size;
    } row[N_TYPES];
    int n_row;
    uint64_t n_element;
};

static void count(struct totals *totals, const char *type, uint64_t n_element,
                  uint64_t size)
{
    int i = 0;

    while (i < totals->n_row && strcmp(totals->row[i].type, type))
        i++;
    totals->n_element += n_element;
    if (i == N_TYPES)
        return;
    if (i == totals->n_row)
        totals->row[totals->n_row++] = (struct total){.type = type};
    totals->row[i].n++;
    totals->row[i].size += size;
}

static void put_totals(struct oy_buffer *out, const struct totals *totals)
{
    oy_buffer_append_format(out, "\n%" PRIu64 " numbers\n", totals->n_element);
    for (int i = 0; i < totals->n_row; i++)
        oy_buffer_append_format(
            out, "%-8s %6" PRIu64 " tensors %15" PRIu64 " bytes\n",
            totals->row[i].type, totals->row[i].n, totals->row[i].size);
}

static void put_tensor(struct oy_buffer *out, const char *name, size_t len,
                       const char *type, const uint64_t *shape, int n_dim,
                       uint64_t size)
{
    char text[120] = "scalar";
    size_t at = 0;

    for (int i = 0; i < n_dim && at < sizeof text - 24; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%" PRIu64,
                               i ? " x " : "", shape[i]);
    oy_buffer_append_format(out, "%-56.*s %-8s %-20s %13" PRIu64 "\n", (int)len,
                            name, type, text, size);
}

/* ---- a GGUF, whole model or not ---- */

static void put_number(struct oy_buffer *out, const struct oy_gguf_value *value)
{
    struct oy_text text;
    int64_t number;
    double real;
    int truth;

    if (!oy_gguf_int64(value, &number))
        oy_buffer_append_format(out, "%" PRId64, number);
    else if (!oy_gguf_double(value, &real))
        oy_buffer_append_format(out, "%.9g", real);
    else if (!oy_gguf_bool(value, &truth))
        oy_buffer_append_string(out, truth ? "true" : "false");
    else if (!oy_gguf_text(value, &text)) {
        const size_t n = text.len < MAX_TEXT ? text.len : MAX_TEXT;
        oy_json_put_string(out, text.at, n);
        if (n < text.len)
            oy_buffer_append_format(out, "... (%zu bytes)", text.len);
    }
}

static void put_keys(struct oy_buffer *out, const struct oy_gguf *gguf)
{
    struct oy_buffer text = {0};

    for (size_t i = 0; i < gguf->n_pair; i++) {
        const struct oy_gguf_pair *pair = &gguf->pair[i];
        char *name = oy_strndup(pair->key.at, pair->key.len);
        oy_buffer_clear(&text);
        if (pair->value.is_array)
            oy_buffer_append_format(&text, "[%" PRIu64 " values]",
                                    pair->value.n);
        else
            put_number(&text, &pair->value);
        put_line(out, name, oy_buffer_string(&text));
        oy_free(name);
    }
    oy_buffer_release(&text);
}

static void put_gguf_tensors(struct oy_buffer *out,
                             const struct gguf_model *model)
{
    struct totals totals = {0};
    uint64_t shape[OY_GGUF_MAX_DIM];

    oy_buffer_append_char(out, '\n');
    for (int i = 0; i < model->n_part; i++) {
        const struct oy_gguf *gguf = &model->part[i].gguf;
        for (size_t j = 0; j < gguf->n_tensor; j++) {
            const struct oy_gguf_tensor *tensor = &gguf->tensor[j];
            const char *type = oy_gguf_tensor_type_name(tensor->type);
            uint64_t n = 1;
            for (int k = 0; k < tensor->n_dim; k++) {
                shape[k] = tensor->dim[tensor->n_dim - 1 - k];
                n *= shape[k];
            }
            put_tensor(out, tensor->name.at, tensor->name.len, type, shape,
                       tensor->n_dim, tensor->size);
            count(&totals, type, n, tensor->size);
        }
    }
    put_totals(out, &totals);
}

/* A file may be without a tokenizer, but not with half of one. */
static int check_tokenizer(const char *path, const struct oy_gguf *gguf,
                           struct oy_error *err)
{
    struct tokenizer_document document = {0};
    struct oy_error failure = {0};
    int is_there = 0;

    for (size_t i = 0; i < gguf->n_pair; i++) {
        const struct oy_text key = gguf->pair[i].key;
        is_there |= key.len > 15 && !memcmp(key.at, "tokenizer.ggml.", 15);
    }
    if (!is_there)
        return 0;
    const int failed = tokenizer_document_read(path, &document, &failure);
    tokenizer_document_release(&document);
    if (!failed || failure.code == OY_NOINPUT)
        return 0;
    *err = failure;
    return -1;
}

static int inform_gguf(const char *path, struct oy_buffer *out,
                       struct oy_error *err)
{
    struct gguf_model model;

    if (gguf_model_open(&model, path, err))
        return -1;
    int status = gguf_model_check(&model, err) ||
                 check_tokenizer(path, gguf_model_keys(&model), err);
    if (!status) {
        oy_buffer_append_format(out, "%-44s GGUF version %u%s\n", "format",
                                gguf_model_keys(&model)->version,
                                model.n_part > 1 ? ", split" : "");
        put_keys(out, gguf_model_keys(&model));
        put_gguf_tensors(out, &model);
    }
    gguf_model_close(&model);
    return status ? -1 : 0;
}

/* ---- safetensors, folders, other files ---- */

static void put_tensors(struct oy_buffer *out,
                        const struct safetensor *const *tensor, size_t n)
{
    struct totals totals = {0};

    oy_buffer_append_char(out, '\n');
    for (size_t i = 0; i < n; i++) {
        put_tensor(out, tensor[i]->name, strlen(tensor[i]->name),
                   tensor[i]->type_name, tensor[i]->shape, tensor[i]->n_dim,
                   tensor[i]->size);
        count(&totals, tensor[i]->type_name, tensor[i]->n_element,
              tensor[i]->size);
    }
    put_totals(out, &totals);
}

static int inform_safetensors(const char *path, struct oy_buffer *out,
                              struct oy_error *err)
{
    struct safetensors file;

    if (safetensors_open(&file, path, err))
        return -1;
    const struct safetensor **list =
        oy_alloc_array((size_t)file.n_tensor, sizeof *list);
    for (int i = 0; i < file.n_tensor; i++)
        list[i] = &file.tensor[i];
    put_line(out, "format", "safetensors");
    put_tensors(out, list, (size_t)file.n_tensor);
    oy_free(list);
    safetensors_close(&file);
    return 0;
}

/* Members of config.json that are no lists or objects. */
static int put_config(struct oy_buffer *out, const struct conv_source *source,
                      struct oy_error *err)
{
    struct oy_buffer text = {0};
    struct oy_json_value all, key, value;
    struct oy_json_cursor cursor;
    const char *why = "";
    size_t where = 0;
    int status = 0;

    oy_buffer_append(&text, source->config.data, source->config.len);
    oy_buffer_reserve(&text, 1);
    if (oy_json_validate(text.data, text.len, &why, &where) ||
        oy_json_value_of(text.data, text.len, &all, &why) ||
        all.kind != OY_JSON_OBJECT)
        status = oy_fail(err, OY_DATA, "%s: config.json: byte %zu: %s",
                         source->path, where, why);
    if (!status)
        oy_json_enter(&cursor, &all);
    while (!status && oy_json_next_member(&cursor, &key, &value) > 0) {
        const int fits = value.len <= MAX_TEXT;
        oy_buffer_append_format(out, "%-44.*s %.*s%s\n", (int)key.len - 2,
                                key.at + 1, fits ? (int)value.len : MAX_TEXT,
                                value.at, fits ? "" : "...");
    }
    oy_buffer_release(&text);
    return status;
}

static int put_tokenizer(struct oy_buffer *out, const char *path,
                         struct oy_error *err)
{
    struct tokenizer_document document = {0};
    struct oy_error failure = {0};
    int status = 0;

    if (!model_file_has_tokenizer(path))
        return 0;
    if (!tokenizer_document_read(path, &document, &failure)) {
        put_line(out, "tokenizer", document.path);
        put_line(out, "chat template", document.chat_template ? "yes" : "none");
    } else if (failure.code == OY_NOINPUT) {
        put_line(out, "tokenizer", "none");
    } else {
        *err = failure;
        status = -1;
    }
    tokenizer_document_release(&document);
    return status;
}

static int inform_model(const char *path, struct oy_buffer *out,
                        struct oy_error *err)
{
    struct conv_source source = {0};
    int status = conv_source_open(&source, path, err);

    if (!status)
        put_line(out, "format",
                 source.is_file ? "a model's file of llama2.c or llm.c"
                                : "a folder of safetensors");
    if (!status)
        status = put_config(out, &source, err) || put_tokenizer(out, path, err);
    if (!status)
        put_tensors(out, source.tensor, source.n_tensor);
    conv_source_close(&source);
    return status ? -1 : 0;
}

static int ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcmp(text + n - m, end);
}

/* The first four bytes decide, then the name. */
static int inform(const char *path, struct oy_buffer *out, struct oy_error *err)
{
    char head[4] = "";
    FILE *file = model_file_is(path) ? fopen(path, "rbe") : NULL;
    const size_t n = file ? fread(head, 1, sizeof head, file) : 0;

    if (file)
        fclose(file);
    if (oy_gguf_is(head, n) || ends_with(path, ".gguf"))
        return inform_gguf(path, out, err);
    if (ends_with(path, ".safetensors"))
        return inform_safetensors(path, out, err);
    return inform_model(path, out, err);
}

int conv_info(const struct conv_settings *settings, struct oy_run *run,
              struct oy_error *err)
{
    struct oy_buffer out = {0};
    struct oy_output *output = NULL;
    int status = inform(settings->in, &out, err);

    if (!status)
        output = oy_run_open_output(run, err);
    if (output && !oy_output_write(output, out.data, out.len, err))
        status = oy_output_commit(output, err);
    else {
        oy_output_discard(output);
        status = -1;
    }
    oy_buffer_release(&out);
    return status;
}
