/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors of an output, made one after the other. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/conv_internal.h"

/* Elements that are compared at once after packing. */
enum { CHUNK = 4096 };

struct conv_item *conv_items_add(struct conv_items *items, char *name)
{
    OY_GROW(items->item, items->cap, items->n + 1);
    struct conv_item *item = &items->item[items->n++];

    *item = (struct conv_item){.name = name};
    return item;
}

void conv_items_release(struct conv_items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        oy_free(items->item[i].name);
        oy_free(items->item[i].from);
    }
    oy_free(items->item);
    *items = (struct conv_items){0};
}

const struct quant_type *conv_own_type(const struct safetensor *tensor)
{
    switch (tensor->type) {
    case TENSOR_PACKED: return tensor->packed;
    case TENSOR_F16: return quant_by_name("F16");
    case TENSOR_BF16:
    case TENSOR_E4M3:
    case TENSOR_E5M2: return quant_by_name("BF16");
    case TENSOR_F32:
    case TENSOR_F64: return quant_by_name("F32");
    default: return NULL;
    }
}

/* tensor_type_fallback() of llama.cpp's src/llama-quant.cpp. */
static const struct quant_type *fall_back(const struct quant_type *type,
                                          uint64_t row)
{
    static const char *const other[][2] = {
        {"Q4_K", "Q5_0"}, {"Q5_K", "Q5_1"}, {"Q6_K", "Q8_0"}};

    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        if (row % type->n && !strcmp(type->name, other[i][0]))
            type = quant_by_name(other[i][1]);
    }
    return row % type->n ? quant_by_name("F16") : type;
}

void conv_item_measure(struct conv_item *item, const struct quant_type *type)
{
    item->n_element = 1;
    for (int i = 0; i < item->n_dim; i++)
        item->n_element *= item->shape[i];
    const uint64_t row = item->n_dim ? item->shape[item->n_dim - 1] : 1;
    item->type = row ? fall_back(type, row) : quant_by_name("F32");
    item->size = item->n_element / item->type->n * item->type->size;
}

/* ---- making ---- */

static int reserve(struct conv_maker *maker, const struct conv_item *item,
                   struct oy_error *err)
{
    const size_t n = (size_t)item->n_element;

    if (item->size > maker->n_byte) {
        oy_free(maker->bytes);
        maker->n_byte = (size_t)item->size;
        maker->bytes = oy_try_alloc(maker->n_byte, 1);
    }
    if (n > maker->n_value) {
        oy_free(maker->value);
        oy_free(maker->turned);
        maker->n_value = n;
        maker->value = oy_try_alloc(n, sizeof *maker->value);
        maker->turned = oy_try_alloc(n, sizeof *maker->turned);
    }
    if (!n || (maker->bytes && maker->value && maker->turned))
        return 0;
    maker->n_byte = maker->n_value = 0;
    return oy_fail(err, OY_SYSTEM, "no memory for tensor '%s'", item->name);
}

/* The values of one part in the output's order. */
static int load_part(struct conv_maker *maker, const struct conv_item *item,
                     const struct safetensor *from, float *to,
                     struct oy_error *err)
{
    const int is_turned = item->turned.turn != TURN_NONE;
    float *value = is_turned ? maker->turned : to;

    if (safetensor_to_f32(from, 0, from->n_element, value))
        return oy_fail(err, OY_DATA, "tensor '%s' is of type %s", from->name,
                       from->type_name);
    if (maker->lora && !item->is_plain)
        conv_lora_apply(maker->lora, from, value);
    if (is_turned)
        tensor_turn_write(&item->turned, value, to);
    return 0;
}

/* Whether the bytes can be taken as they are: of this type, and in the order
 * that is wanted. */
static int is_same(const struct conv_item *item, const struct safetensor *from)
{
    const int is_packed = from->type == TENSOR_PACKED;
    const enum tensor_turn turn = is_packed ? from->turned.turn : TURN_NONE;

    return from->type != TENSOR_F64 && from->type != TENSOR_E4M3 &&
           from->type != TENSOR_E5M2 && conv_own_type(from) == item->type &&
           turn == item->turned.turn &&
           (turn == TURN_NONE || turn == TURN_TRANSPOSE ||
            from->turned.n_head == item->turned.n_head);
}

static int are_same(const struct conv_maker *maker,
                    const struct conv_item *item)
{
    for (size_t i = 0; i < item->n_from; i++) {
        if (!is_same(item, item->from[i]))
            return 0;
    }
    return item->n_from && (!maker->lora || item->is_plain);
}

static const void *copy_parts(struct conv_maker *maker,
                              const struct conv_item *item)
{
    unsigned char *to = maker->bytes;

    for (size_t i = 0; i < item->n_from; i++) {
        memcpy(to, item->from[i]->data, (size_t)item->from[i]->size);
        to += item->from[i]->size;
    }
    return maker->bytes;
}

static void measure_error(struct conv_maker *maker,
                          const struct conv_item *item, const float *value)
{
    float back[CHUNK];

    maker->error = (struct conv_error){.n = item->n_element};
    for (uint64_t i = 0; i < item->n_element; i += CHUNK) {
        const uint64_t left = item->n_element - i;
        const uint64_t n = left < CHUNK ? left : CHUNK;
        quant_read(item->type, maker->bytes, i, n, back);
        for (uint64_t j = 0; j < n; j++) {
            const double off = fabs((double)back[j] - (double)value[i + j]);
            maker->error.sum += off * off;
            if (off > maker->error.max)
                maker->error.max = off;
        }
    }
}

const void *conv_make(struct conv_maker *maker, const struct conv_item *item,
                      struct oy_error *err)
{
    const float *value = item->values;

    maker->error = (struct conv_error){.n = item->n_element};
    if (!item->n_element)
        return "";
    const int same = are_same(maker, item);
    if (same && item->n_from == 1)
        return item->from[0]->data;
    if (!same && !item->type->pack) {
        oy_fail(err, OY_USAGE, "tensor '%s': type %s can be read, not written",
                item->name, item->type->name);
        return NULL;
    }
    if (reserve(maker, item, err))
        return NULL;
    if (same)
        return copy_parts(maker, item);
    float *to = maker->value;
    for (size_t i = 0; i < item->n_from; i++) {
        if (load_part(maker, item, item->from[i], to, err))
            return NULL;
        to += item->from[i]->n_element;
    }
    if (!value)
        value = maker->value;
    item->type->pack(value, item->n_element / item->type->n, maker->bytes);
    measure_error(maker, item, value);
    return maker->bytes;
}

void conv_maker_release(struct conv_maker *maker)
{
    oy_free(maker->bytes);
    oy_free(maker->value);
    oy_free(maker->turned);
    *maker = (struct conv_maker){0};
}

void conv_report_add(struct conv_report *report, const struct conv_item *item,
                     const struct conv_error *error)
{
    if (error->sum == 0)
        return;
    if (!report->text.len)
        oy_buffer_append_format(&report->text, "%-56s %-6s %12s %12s\n",
                                "tensor", "type", "rmse", "max");
    oy_buffer_append_format(&report->text, "%-56s %-6s %12.4e %12.4e\n",
                            item->name, item->type->name,
                            sqrt(error->sum / (double)error->n), error->max);
}
