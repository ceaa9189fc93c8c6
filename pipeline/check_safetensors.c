/* SPDX-License-Identifier: Apache-2.0
 *
 * The structure of a safetensors file: its header must describe its bytes
 * exactly, without gaps or overlaps (as the format's own library demands). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/json.h"
#include "pipeline/check_internal.h"

/* The library's MAX_HEADER_SIZE. */
enum { MAX_HEADER = 100000000 };

struct extent {
    uint64_t begin, end;
};

struct layout {
    struct extent *item;
    size_t n_item, cap_item;
    const char *why; /* of the first fault */
};

static const struct {
    const char *name;
    unsigned n_bit;
} dtype[] = {
    {"BOOL", 8}, {"U8", 8},      {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8},
    {"I16", 16}, {"U16", 16},    {"F16", 16}, {"BF16", 16},   {"I32", 32},
    {"U32", 32}, {"F32", 32},    {"F64", 64}, {"I64", 64},    {"U64", 64},
    {"C64", 64}, {"F8_E8M0", 8}, {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6},
};

static unsigned bits_of(const struct oy_json_value *name)
{
    for (size_t i = 0; i < sizeof dtype / sizeof *dtype; i++) {
        if (name->kind == OY_JSON_STRING && oy_json_equals(name, dtype[i].name))
            return dtype[i].n_bit;
    }
    return 0;
}

static int next_size(struct oy_json_cursor *cursor, uint64_t *size)
{
    struct oy_json_value value;
    int64_t number;

    const int status = oy_json_next_element(cursor, &value);
    if (status <= 0)
        return status;
    if (oy_json_int64(&value, &number) || number < 0)
        return -1;
    *size = (uint64_t)number;
    return 1;
}

/* Product of the shape in bits; -1 when malformed or too large. */
static int shape_bits(const struct oy_json_value *shape, unsigned n_bit,
                      uint64_t *bits)
{
    struct oy_json_cursor cursor;
    uint64_t size;
    int status;

    *bits = n_bit;
    oy_json_enter(&cursor, shape);
    while ((status = next_size(&cursor, &size)) > 0) {
        if (__builtin_mul_overflow(*bits, size, bits))
            return -1;
    }
    return status;
}

static const char *read_tensor(const struct oy_json_value *tensor,
                               struct extent *extent)
{
    const struct oy_json_value type = oy_json_member(tensor, "dtype");
    const struct oy_json_value shape = oy_json_member(tensor, "shape");
    const struct oy_json_value place = oy_json_member(tensor, "data_offsets");
    const unsigned n_bit = bits_of(&type);
    struct oy_json_cursor cursor;
    uint64_t bits, more;

    if (!n_bit)
        return "unknown dtype";
    if (shape.kind != OY_JSON_ARRAY || shape_bits(&shape, n_bit, &bits))
        return "bad shape";
    if (place.kind != OY_JSON_ARRAY)
        return "no data_offsets";
    oy_json_enter(&cursor, &place);
    if (next_size(&cursor, &extent->begin) <= 0 ||
        next_size(&cursor, &extent->end) <= 0 ||
        next_size(&cursor, &more) != 0 || extent->end < extent->begin)
        return "bad data_offsets";
    if (bits % 8 || bits / 8 != extent->end - extent->begin)
        return "data_offsets do not fit the shape";
    return NULL;
}

/* "__metadata__" holds strings only. */
static int is_metadata(const struct oy_json_value *value)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, text;

    if (value->kind != OY_JSON_OBJECT)
        return 0;
    oy_json_enter(&cursor, value);
    while (oy_json_next_member(&cursor, &key, &text) > 0) {
        if (text.kind != OY_JSON_STRING)
            return 0;
    }
    return 1;
}

static void read_layout(const struct oy_json_value *header,
                        struct layout *layout, char *name, size_t name_size)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;

    oy_json_enter(&cursor, header);
    while (!layout->why && oy_json_next_member(&cursor, &key, &value) > 0) {
        struct extent extent;
        snprintf(name, name_size, "%.*s", (int)key.len, key.at);
        if (oy_json_equals(&key, "__metadata__")) {
            if (!is_metadata(&value))
                layout->why = "holds more than strings";
            continue;
        }
        if (value.kind != OY_JSON_OBJECT) {
            layout->why = "not an object";
            return;
        }
        layout->why = read_tensor(&value, &extent);
        OY_GROW(layout->item, layout->cap_item, layout->n_item + 1);
        layout->item[layout->n_item++] = extent;
    }
}

static int compare_extents(const void *a, const void *b)
{
    const struct extent *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* Side by side from 0 to `size`. */
static const char *check_cover(struct layout *layout, uint64_t size)
{
    uint64_t at = 0;

    if (layout->n_item)
        qsort(layout->item, layout->n_item, sizeof *layout->item,
              compare_extents);
    for (size_t i = 0; i < layout->n_item; i++) {
        if (layout->item[i].begin != at)
            return "tensors overlap or leave gaps";
        at = layout->item[i].end;
    }
    if (at > size)
        return "truncated: tensors lie behind the end";
    return at < size ? "bytes behind the last tensor" : NULL;
}

/* Reads the header into a new block with padding; NULL with a reason. */
static char *read_header(FILE *file, uint64_t size, uint64_t *len,
                         const char **why)
{
    unsigned char prefix[8];

    *why = "too short for a safetensors file";
    if (fread(prefix, 1, sizeof prefix, file) != sizeof prefix)
        return NULL;
    *len = 0;
    for (int i = 7; i >= 0; i--)
        *len = *len << 8 | prefix[i];
    *why = "header too long";
    if (*len > MAX_HEADER || *len > size - sizeof prefix)
        return NULL;
    char *header = oy_calloc((size_t)*len + OY_PADDING, 1);
    if (fread(header, 1, (size_t)*len, file) == *len)
        return header;
    *why = "header cannot be read";
    oy_free(header);
    return NULL;
}

static int check_header(struct check *check, const char *path,
                        const char *header, uint64_t len, uint64_t size,
                        struct oy_error *err)
{
    struct oy_json_value value;
    struct layout layout = {0};
    char name[200] = "";
    const char *why;
    size_t where;
    int status = 0;

    if (oy_json_validate(header, (size_t)len, &why, &where))
        return check_fault(check, err, "%s: header: %s at byte %zu", path, why,
                           where + 1);
    if (*header != '{' || oy_json_value_of(header, (size_t)len, &value, &why))
        return check_fault(check, err, "%s: header is not an object", path);
    read_layout(&value, &layout, name, sizeof name);
    if (layout.why) {
        status = check_fault(check, err, "%s: %s: %s", path, name, layout.why);
    } else {
        why = check_cover(&layout, size - 8 - len);
        if (why)
            status = check_fault(check, err, "%s: %s", path, why);
    }
    oy_free(layout.item);
    return status;
}

int check_safetensors(struct check *check, const char *path,
                      struct oy_error *err)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    uint64_t len;
    const char *why;
    int status;

    if (!file || fstat(fileno(file), &st)) {
        status = oy_fail_errno(err, OY_NOINPUT, "%s", path);
        goto out;
    }
    const uint64_t size = (uint64_t)st.st_size;
    char *header = read_header(file, size, &len, &why);
    if (header)
        status = check_header(check, path, header, len, size, err);
    else
        status = check_fault(check, err, "%s: %s", path, why);
    oy_free(header);
out:
    if (file)
        fclose(file);
    return status;
}
