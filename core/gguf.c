/* SPDX-License-Identifier: Apache-2.0
 *
 * The container of GGUF files: keys with values, and where tensors lie. */
#include "core/gguf.h"

#include <inttypes.h>
#include <string.h>

#include "core/alloc.h"
#include "core/table.h"
#include "core/utf8.h"

enum {
    MAX_KEY = 65535,      /* docs/gguf.md */
    MAX_TENSOR_NAME = 63, /* GGML_MAX_NAME - 1 of ggml.h */
    DEFAULT_ALIGNMENT = 32,
    MAX_ALIGNMENT = 1 << 16,
    MIN_PAIR_SIZE = 8 + 1 + 4 + 1, /* key, type, value */
    MIN_TENSOR_SIZE = 8 + 4 + 8 + 4 + 8,
    BIG_ENDIAN_3 = 0x03000000, /* version 3 of the other byte order */
};

/* What is known of the types of tensors; n 0: ggml has removed it.
 * GGML_QUANT_SIZES of gguf-py 0.19. */
static const struct {
    const char *name;
    uint32_t n;    /* elements of a block */
    uint32_t size; /* bytes of a block */
} tensor_type[] = {
    [0] = {"F32", 1, 4},         [1] = {"F16", 1, 2},
    [2] = {"Q4_0", 32, 18},      [3] = {"Q4_1", 32, 20},
    [6] = {"Q5_0", 32, 22},      [7] = {"Q5_1", 32, 24},
    [8] = {"Q8_0", 32, 34},      [9] = {"Q8_1", 32, 40},
    [10] = {"Q2_K", 256, 84},    [11] = {"Q3_K", 256, 110},
    [12] = {"Q4_K", 256, 144},   [13] = {"Q5_K", 256, 176},
    [14] = {"Q6_K", 256, 210},   [15] = {"Q8_K", 256, 292},
    [16] = {"IQ2_XXS", 256, 66}, [17] = {"IQ2_XS", 256, 74},
    [18] = {"IQ3_XXS", 256, 98}, [19] = {"IQ1_S", 256, 50},
    [20] = {"IQ4_NL", 32, 18},   [21] = {"IQ3_S", 256, 110},
    [22] = {"IQ2_S", 256, 82},   [23] = {"IQ4_XS", 256, 136},
    [24] = {"I8", 1, 1},         [25] = {"I16", 1, 2},
    [26] = {"I32", 1, 4},        [27] = {"I64", 1, 8},
    [28] = {"F64", 1, 8},        [29] = {"IQ1_M", 256, 56},
    [30] = {"BF16", 1, 2},       [34] = {"TQ1_0", 256, 54},
    [35] = {"TQ2_0", 256, 66},   [39] = {"MXFP4", 32, 17},
    [40] = {"NVFP4", 64, 36},    [41] = {"Q1_0", 128, 18},
};

enum { N_TENSOR_TYPE = sizeof tensor_type / sizeof *tensor_type };

/* Bytes of a value; 0: not fixed. */
static const uint8_t type_size[OY_GGUF_N_TYPE] = {
    [OY_GGUF_U8] = 1,  [OY_GGUF_I8] = 1,  [OY_GGUF_U16] = 2, [OY_GGUF_I16] = 2,
    [OY_GGUF_U32] = 4, [OY_GGUF_I32] = 4, [OY_GGUF_F32] = 4, [OY_GGUF_BOOL] = 1,
    [OY_GGUF_U64] = 8, [OY_GGUF_I64] = 8, [OY_GGUF_F64] = 8,
};

/* ---- bytes ---- */

struct reader {
    const unsigned char *data;
    size_t len, at;
    uint64_t file_size; /* UINT64_MAX: unknown */
    int wants_more;     /* the failure is only that bytes are not here yet */
    struct oy_error *err;
};

static int fail(struct reader *reader, const char *what)
{
    return oy_fail(reader->err, OY_DATA, "byte %zu: %s", reader->at, what);
}

/* The next n bytes; NULL when they are not there. */
static const unsigned char *take(struct reader *reader, uint64_t n)
{
    const unsigned char *const at = reader->data + reader->at;

    if (n <= reader->len - reader->at) {
        reader->at += (size_t)n;
        return at;
    }
    if (n > reader->file_size - reader->at)
        fail(reader, "truncated, or a length that is too large");
    else
        reader->wants_more = 1;
    return NULL;
}

static uint64_t load(const unsigned char *at, int size)
{
    uint64_t word = 0;

    for (int i = size; i-- > 0;)
        word = word << 8 | at[i];
    return word;
}

static int take_number(struct reader *reader, int size, uint64_t *number)
{
    const unsigned char *const at = take(reader, (uint64_t)size);

    if (!at)
        return -1;
    *number = load(at, size);
    return 0;
}

static int take_text(struct reader *reader, struct oy_text *text)
{
    uint64_t len;

    if (take_number(reader, 8, &len))
        return -1;
    text->at = (const char *)take(reader, len);
    text->len = (size_t)len;
    return text->at ? 0 : -1;
}

/* ---- keys and values ---- */

static int take_type(struct reader *reader, enum oy_gguf_type *type)
{
    uint64_t number;

    if (take_number(reader, 4, &number))
        return -1;
    if (number >= OY_GGUF_N_TYPE)
        return fail(reader, "unknown type of a value");
    *type = (enum oy_gguf_type)number;
    return 0;
}

static int check_bools(struct reader *reader, const struct oy_gguf_value *value)
{
    for (size_t i = 0; i < value->size; i++) {
        if (value->at[i] > 1)
            return fail(reader, "a boolean that is neither 0 nor 1");
    }
    return 0;
}

/* The n elements of a value whose type is known. */
static int take_elements(struct reader *reader, struct oy_gguf_value *value)
{
    const unsigned size = type_size[value->type];
    const size_t start = reader->at;
    struct oy_text text;

    if (value->type == OY_GGUF_ARRAY)
        return fail(reader, "an array of arrays");
    if (size && value->n > UINT64_MAX / size)
        return fail(reader, "an array that is too large");
    if (size && !take(reader, value->n * size))
        return -1;
    for (uint64_t i = 0; !size && i < value->n; i++) {
        if (take_text(reader, &text))
            return -1;
    }
    value->at = reader->data + start;
    value->size = reader->at - start;
    return value->type == OY_GGUF_BOOL ? check_bools(reader, value) : 0;
}

static int take_value(struct reader *reader, struct oy_gguf_value *value)
{
    *value = (struct oy_gguf_value){.n = 1};
    if (take_type(reader, &value->type))
        return -1;
    if (value->type == OY_GGUF_ARRAY) {
        value->is_array = 1;
        if (take_type(reader, &value->type) ||
            take_number(reader, 8, &value->n))
            return -1;
    }
    return take_elements(reader, value);
}

/* Whether the text is new; `seen` holds those before it. */
static int is_new(struct reader *reader, struct oy_table *seen,
                  struct oy_text text)
{
    const int added =
        oy_table_add(seen, oy_hash128(text.at, text.len), 0, NULL, reader->err);

    if (!added)
        oy_fail(reader->err, OY_DATA, "byte %zu: '%.*s' is there twice",
                reader->at, (int)text.len, text.at);
    return added > 0;
}

static int take_pair(struct reader *reader, struct oy_table *seen,
                     struct oy_gguf_pair *pair)
{
    if (take_text(reader, &pair->key))
        return -1;
    if (!pair->key.len || pair->key.len > MAX_KEY ||
        !oy_utf8_valid(pair->key.at, pair->key.len))
        return fail(reader, "a key that is empty, too long or not UTF-8");
    if (take_value(reader, &pair->value)) {
        if (!reader->wants_more)
            oy_fail_at(reader->err, "%.*s", (int)pair->key.len, pair->key.at);
        return -1;
    }
    return is_new(reader, seen, pair->key) ? 0 : -1;
}

/* A count whose every element has `least` bytes at least. */
static int check_count(struct reader *reader, uint64_t n, uint64_t least,
                       const char *what)
{
    if (n <= (reader->file_size - reader->at) / least)
        return 0;
    return oy_fail(reader->err, OY_DATA,
                   "byte %zu: %" PRIu64 " %s do not fit the file", reader->at,
                   n, what);
}

static int take_pairs(struct reader *reader, uint64_t n, struct oy_gguf *gguf)
{
    struct oy_table seen;
    int failed = 0;

    oy_table_init(&seen, 0, 0);
    while (!failed && gguf->n_pair < n) {
        OY_GROW(gguf->pair, gguf->cap_pair, gguf->n_pair + 1);
        failed = take_pair(reader, &seen, &gguf->pair[gguf->n_pair]);
        gguf->n_pair += !failed;
    }
    oy_table_release(&seen);
    return failed;
}

/* ---- what the container itself asks of its keys ---- */

static int read_alignment(struct oy_gguf *gguf, struct oy_error *err)
{
    const struct oy_gguf_value *value = oy_gguf_find(gguf, "general.alignment");

    gguf->alignment = DEFAULT_ALIGNMENT;
    if (!value)
        return 0;
    if (value->type == OY_GGUF_U32 && !value->is_array)
        gguf->alignment = load(value->at, 4);
    if (value->type != OY_GGUF_U32 || value->is_array || gguf->alignment < 8 ||
        gguf->alignment > MAX_ALIGNMENT ||
        (gguf->alignment & (gguf->alignment - 1)))
        return oy_fail(err, OY_DATA,
                       "general.alignment: not a power of two from 8 to %d",
                       MAX_ALIGNMENT);
    return 0;
}

static int check_general(struct oy_gguf *gguf, struct oy_error *err)
{
    const struct oy_gguf_value *value =
        oy_gguf_find(gguf, "general.architecture");
    struct oy_text text;

    if (value && oy_gguf_text(value, &text))
        return oy_fail(err, OY_DATA, "general.architecture: not a string");
    return read_alignment(gguf, err);
}

/* ---- tensors ---- */

static int take_dims(struct reader *reader, struct oy_gguf_tensor *tensor)
{
    uint64_t n;

    if (take_number(reader, 4, &n))
        return -1;
    if (n > OY_GGUF_MAX_DIM)
        return fail(reader, "a tensor of more than four dimensions");
    tensor->n_dim = (int)n;
    for (int i = 0; i < OY_GGUF_MAX_DIM; i++) {
        tensor->dim[i] = 1;
        if (i < tensor->n_dim && take_number(reader, 8, &tensor->dim[i]))
            return -1;
        if (!tensor->dim[i] || tensor->dim[i] > INT64_MAX)
            return fail(reader, "a tensor with a dimension of nothing");
    }
    return 0;
}

/* Bytes of the tensor, from type and dimensions. */
static int measure(struct reader *reader, struct oy_gguf_tensor *tensor)
{
    uint64_t n = 1;

    if (!oy_gguf_tensor_type_name(tensor->type))
        return fail(reader, "a tensor of an unknown or removed type");
    if (tensor->dim[0] % tensor_type[tensor->type].n)
        return fail(reader, "rows of a tensor are no whole blocks");
    for (int i = 0; i < OY_GGUF_MAX_DIM; i++) {
        if (__builtin_mul_overflow(n, tensor->dim[i], &n) || n > INT64_MAX)
            return fail(reader, "a tensor that is too large");
    }
    n /= tensor_type[tensor->type].n;
    if (__builtin_mul_overflow(n, tensor_type[tensor->type].size,
                               &tensor->size) ||
        tensor->size > INT64_MAX)
        return fail(reader, "a tensor that is too large");
    return 0;
}

static int take_tensor(struct reader *reader, struct oy_table *seen,
                       struct oy_gguf_tensor *tensor)
{
    uint64_t type;

    if (take_text(reader, &tensor->name))
        return -1;
    if (!tensor->name.len || tensor->name.len > MAX_TENSOR_NAME ||
        !oy_utf8_valid(tensor->name.at, tensor->name.len))
        return fail(reader, "a tensor's name is empty, too long or not UTF-8");
    if (take_dims(reader, tensor) || take_number(reader, 4, &type) ||
        take_number(reader, 8, &tensor->offset))
        return -1;
    tensor->type = (uint32_t)type;
    if (measure(reader, tensor))
        return -1;
    return is_new(reader, seen, tensor->name) ? 0 : -1;
}

static int take_tensors(struct reader *reader, uint64_t n, struct oy_gguf *gguf)
{
    struct oy_table seen;
    int failed = 0;

    oy_table_init(&seen, 0, 0);
    while (!failed && gguf->n_tensor < n) {
        OY_GROW(gguf->tensor, gguf->cap_tensor, gguf->n_tensor + 1);
        failed = take_tensor(reader, &seen, &gguf->tensor[gguf->n_tensor]);
        gguf->n_tensor += !failed;
    }
    oy_table_release(&seen);
    return failed;
}

/* n rounded up to a multiple of the alignment. */
static int pad(const struct oy_gguf *gguf, uint64_t n, uint64_t *padded)
{
    if (__builtin_add_overflow(n, gguf->alignment - 1, padded))
        return -1;
    *padded &= ~(gguf->alignment - 1);
    return 0;
}

/* Tensors follow each other, padded, and end in the file. */
static int place_tensors(struct reader *reader, struct oy_gguf *gguf)
{
    uint64_t start, end = 0, want;

    if (pad(gguf, reader->at, &start))
        return fail(reader, "tensors that are too large");
    for (size_t i = 0; i < gguf->n_tensor; i++) {
        struct oy_gguf_tensor *tensor = &gguf->tensor[i];
        const int failed = pad(gguf, end, &want) || tensor->offset != want ||
                           __builtin_add_overflow(want, tensor->size, &end) ||
                           end > INT64_MAX || start + end > reader->file_size;
        if (failed)
            return oy_fail(reader->err, OY_DATA,
                           "tensor '%.*s': %" PRIu64 " bytes at %" PRIu64
                           " of the data: not where the one before ends, or "
                           "not in the file",
                           (int)tensor->name.len, tensor->name.at, tensor->size,
                           tensor->offset);
        tensor->offset += start;
    }
    return 0;
}

/* ---- the file ---- */

int oy_gguf_is(const void *head, size_t len)
{
    return len >= 4 && !memcmp(head, "GGUF", 4);
}

static int take_version(struct reader *reader, struct oy_gguf *gguf)
{
    uint64_t magic, version;

    if (take_number(reader, 4, &magic))
        return -1;
    if (!oy_gguf_is(reader->data, 4))
        return oy_fail(reader->err, OY_DATA, "not a GGUF");
    if (take_number(reader, 4, &version))
        return -1;
    gguf->version = (uint32_t)version;
    if (version == BIG_ENDIAN_3)
        return oy_fail(reader->err, OY_DATA,
                       "a GGUF of a big-endian machine is not supported");
    if (version != 2 && version != 3)
        return oy_fail(reader->err, OY_DATA,
                       "version %" PRIu64 " of GGUF is not supported", version);
    return 0;
}

static int take_all(struct reader *reader, struct oy_gguf *gguf)
{
    uint64_t n_tensor, n_pair;

    if (take_version(reader, gguf) || take_number(reader, 8, &n_tensor) ||
        take_number(reader, 8, &n_pair) ||
        check_count(reader, n_pair, MIN_PAIR_SIZE, "keys") ||
        check_count(reader, n_tensor, MIN_TENSOR_SIZE, "tensors") ||
        take_pairs(reader, n_pair, gguf) || check_general(gguf, reader->err) ||
        take_tensors(reader, n_tensor, gguf))
        return -1;
    return place_tensors(reader, gguf);
}

int oy_gguf_parse(struct oy_gguf *gguf, const void *data, size_t len,
                  int64_t file_size, struct oy_error *err)
{
    struct reader reader = {
        .data = data,
        .len = len,
        .file_size = file_size < 0 ? UINT64_MAX : (uint64_t)file_size,
        .err = err,
    };

    if (!take_all(&reader, gguf))
        return 0;
    return reader.wants_more ? 1 : -1;
}

void oy_gguf_release(struct oy_gguf *gguf)
{
    oy_free(gguf->pair);
    oy_free(gguf->tensor);
    *gguf = (struct oy_gguf){0};
}

/* ---- values ---- */

const struct oy_gguf_value *oy_gguf_find(const struct oy_gguf *gguf,
                                         const char *key)
{
    const size_t len = strlen(key);

    for (size_t i = 0; i < gguf->n_pair; i++) {
        const struct oy_gguf_pair *pair = &gguf->pair[i];
        if (pair->key.len == len && !memcmp(pair->key.at, key, len))
            return &pair->value;
    }
    return NULL;
}

static int is_single(const struct oy_gguf_value *value)
{
    return value && !value->is_array;
}

int oy_gguf_text(const struct oy_gguf_value *value, struct oy_text *text)
{
    size_t at = 0;

    if (!is_single(value) || value->type != OY_GGUF_STRING)
        return -1;
    oy_gguf_next_text(value, &at, text);
    return 0;
}

int oy_gguf_element_int64(const struct oy_gguf_value *array, uint64_t i,
                          int64_t *number)
{
    const unsigned size = type_size[array->type];
    const unsigned char *const at = array->at + i * size;

    switch (array->type) {
    case OY_GGUF_U8:
    case OY_GGUF_U16:
    case OY_GGUF_U32:
    case OY_GGUF_U64: *number = (int64_t)load(at, (int)size); break;
    case OY_GGUF_I8: *number = (int8_t)load(at, 1); break;
    case OY_GGUF_I16: *number = (int16_t)load(at, 2); break;
    case OY_GGUF_I32: *number = (int32_t)load(at, 4); break;
    case OY_GGUF_I64: *number = (int64_t)load(at, 8); break;
    default: return -1;
    }
    return array->type == OY_GGUF_U64 && *number < 0 ? -1 : 0;
}

int oy_gguf_element_double(const struct oy_gguf_value *array, uint64_t i,
                           double *number)
{
    const unsigned char *const at = array->at + i * type_size[array->type];
    float single;

    if (array->type == OY_GGUF_F64) {
        memcpy(number, at, sizeof *number);
        return 0;
    }
    if (array->type != OY_GGUF_F32)
        return -1;
    memcpy(&single, at, sizeof single);
    *number = (double)single;
    return 0;
}

int oy_gguf_int64(const struct oy_gguf_value *value, int64_t *number)
{
    return is_single(value) ? oy_gguf_element_int64(value, 0, number) : -1;
}

int oy_gguf_double(const struct oy_gguf_value *value, double *number)
{
    return is_single(value) ? oy_gguf_element_double(value, 0, number) : -1;
}

int oy_gguf_bool(const struct oy_gguf_value *value, int *truth)
{
    if (!is_single(value) || value->type != OY_GGUF_BOOL)
        return -1;
    *truth = value->at[0];
    return 0;
}

int oy_gguf_next_text(const struct oy_gguf_value *array, size_t *at,
                      struct oy_text *text)
{
    if (*at == array->size)
        return 0;
    text->len = (size_t)load(array->at + *at, 8);
    text->at = (const char *)array->at + *at + 8;
    *at += 8 + text->len;
    return 1;
}

const char *oy_gguf_tensor_type_name(uint32_t type)
{
    return type < N_TENSOR_TYPE ? tensor_type[type].name : NULL;
}
