/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a SentencePiece model: the message ModelProto of
 * sentencepiece_model.proto (google/sentencepiece), as protobuf writes it. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/utf8.h"
#include "tokenizer/document_internal.h"

/* ---- protobuf ---- */

enum wire {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
};

/* A message that is walked; `base` is the file, for messages. */
struct message {
    const unsigned char *base, *at, *end;
    struct oy_error *err;
};

struct field {
    uint64_t number;
    enum wire wire;
    uint64_t value; /* of the numbers */
    struct message bytes;
};

static int fail(const struct message *message, const char *what)
{
    return oy_fail(message->err, OY_DATA, "byte %td: %s",
                   message->at - message->base, what);
}

static int take_varint(struct message *message, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (message->at == message->end)
            return fail(message, "truncated");
        const unsigned char byte = *message->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return 0;
    }
    return fail(message, "a number that is too long");
}

static int take_fixed(struct message *message, int size, uint64_t *value)
{
    if (message->end - message->at < size)
        return fail(message, "truncated");
    *value = 0;
    for (int i = size; i-- > 0;)
        *value = *value << 8 | message->at[i];
    message->at += size;
    return 0;
}

static int take_bytes(struct message *message, struct field *field)
{
    uint64_t len;

    if (take_varint(message, &len))
        return -1;
    if (len > (uint64_t)(message->end - message->at))
        return fail(message, "truncated, or a length that is too large");
    field->bytes = *message;
    field->bytes.end = message->at + len;
    message->at += len;
    return 0;
}

/* 1 and the next field, 0 at the end, -1 after a failure. */
static int next_field(struct message *message, struct field *field)
{
    uint64_t key;

    if (message->at == message->end)
        return 0;
    if (take_varint(message, &key))
        return -1;
    field->number = key >> 3;
    field->wire = (enum wire)(key & 7);
    int failed = -1;
    switch (field->wire) {
    case WIRE_VARINT: failed = take_varint(message, &field->value); break;
    case WIRE_FIXED64: failed = take_fixed(message, 8, &field->value); break;
    case WIRE_BYTES: failed = take_bytes(message, field); break;
    case WIRE_FIXED32: failed = take_fixed(message, 4, &field->value); break;
    default: fail(message, "a wire type that is not of protobuf 3");
    }
    return failed ? -1 : 1;
}

static int expect(const struct message *message, const struct field *field,
                  enum wire wire)
{
    return field->wire == wire
               ? 0
               : oy_fail(message->err, OY_DATA,
                         "byte %td: field %" PRIu64 " has a wrong wire type",
                         message->at - message->base, field->number);
}

static struct oy_text text_of(const struct field *field)
{
    return (struct oy_text){(const char *)field->bytes.at,
                            (size_t)(field->bytes.end - field->bytes.at)};
}

/* ---- what the message says ---- */

enum { TYPE_UNIGRAM = 1, TYPE_BPE = 2 };

struct model {
    struct draft *draft;
    struct document_pieces pieces;
    size_t cap_type;
    int32_t model_type;
    int treats_whitespace_as_suffix;
    int escapes_whitespaces;
};

struct number {
    uint64_t field;
    int32_t *value;
};

/* A field that is one of the n numbers. 1 if it was. */
static int take_number(const struct message *message, const struct field *field,
                       const struct number *number, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (field->number != number[i].field)
            continue;
        if (expect(message, field, WIRE_VARINT))
            return -1;
        *number[i].value = (int32_t)(uint32_t)field->value;
        return 1;
    }
    return 0;
}

static int read_trainer(struct model *model, struct message message)
{
    struct document_pieces *pieces = &model->pieces;
    const struct number number[] = {
        {3, &model->model_type},      {24, &model->treats_whitespace_as_suffix},
        {35, &pieces->byte_fallback}, {40, &pieces->unk_id},
        {41, &pieces->bos_id},        {42, &pieces->eos_id},
    };
    struct field field;
    int more;

    while ((more = next_field(&message, &field)) > 0) {
        if (take_number(&message, &field, number,
                        sizeof number / sizeof *number) < 0)
            return -1;
    }
    return more;
}

static int read_normalizer(struct model *model, struct message message)
{
    struct document_pieces *pieces = &model->pieces;
    const struct number number[] = {
        {3, &pieces->add_dummy_prefix},
        {4, &pieces->remove_extra_whitespaces},
        {5, &model->escapes_whitespaces},
    };
    struct field field;
    int more;

    while ((more = next_field(&message, &field)) > 0) {
        if (field.number == 2) {
            if (expect(&message, &field, WIRE_BYTES))
                return -1;
            pieces->charsmap = text_of(&field);
        } else if (take_number(&message, &field, number,
                               sizeof number / sizeof *number) < 0) {
            return -1;
        }
    }
    return more;
}

static int add_piece(struct model *model, const struct message *message,
                     struct oy_text text, float score, int32_t type)
{
    struct draft *draft = model->draft;
    const size_t id = draft->n_token;

    if (!text.len || !oy_utf8_valid(text.at, text.len))
        return fail(message, "a piece that is empty or not UTF-8");
    if (!isfinite(score))
        return fail(message, "a score that is no number");
    if (type < PIECE_NORMAL || type > PIECE_BYTE)
        return fail(message, "a piece of an unknown type");
    OY_GROW(model->pieces.type, model->cap_type, id + 1);
    model->pieces.type[id] = (uint8_t)type;
    return draft_add_token(draft, text, (int64_t)id, score, message->err);
}

static int read_piece(struct model *model, struct message message)
{
    struct oy_text text = {NULL, 0};
    int32_t type = PIECE_NORMAL;
    float score = 0;
    struct field field;
    int more;

    while ((more = next_field(&message, &field)) > 0) {
        const struct number number = {3, &type};
        if (take_number(&message, &field, &number, 1) < 0)
            return -1;
        if (field.number == 1) {
            if (expect(&message, &field, WIRE_BYTES))
                return -1;
            text = text_of(&field);
        }
        if (field.number == 2) {
            const uint32_t bits = (uint32_t)field.value;
            if (expect(&message, &field, WIRE_FIXED32))
                return -1;
            memcpy(&score, &bits, sizeof score);
        }
    }
    return more ? more : add_piece(model, &message, text, score, type);
}

static int read_model(struct model *model, struct message message)
{
    struct field field;
    int more;

    while ((more = next_field(&message, &field)) > 0) {
        if (field.number < 1 || field.number > 3)
            continue;
        if (expect(&message, &field, WIRE_BYTES))
            return -1;
        const int failed = field.number == 1 ? read_piece(model, field.bytes)
                           : field.number == 2
                               ? read_trainer(model, field.bytes)
                               : read_normalizer(model, field.bytes);
        if (failed)
            return oy_fail_at(message.err, "%s",
                              field.number == 1   ? "pieces"
                              : field.number == 2 ? "trainer_spec"
                                                  : "normalizer_spec");
    }
    return more;
}

/* ---- the whole ---- */

int document_is_sentencepiece(const char *data, size_t len)
{
    const unsigned char *at = (const unsigned char *)data;

    /* The first field is a piece, whose first field is its text. */
    return len > 4 && at[0] == 0x0a && at[1] > 2 && at[1] < 0x80 &&
           at[2] == 0x0a && at[3] > 0;
}

/* The unknown piece is known by its type, as SentencePiece does it. */
static int find_unknown(struct model *model, struct oy_error *err)
{
    int32_t found = -1;

    for (size_t i = 0; i < model->draft->n_token; i++) {
        if (model->pieces.type[i] != PIECE_UNKNOWN)
            continue;
        if (found >= 0)
            return oy_fail(err, OY_DATA, "pieces: two are the unknown one");
        found = (int32_t)i;
    }
    if (found < 0)
        return oy_fail(err, OY_DATA, "pieces: none is the unknown one");
    model->pieces.unk_id = found;
    return 0;
}

static int check(struct model *model, struct oy_error *err)
{
    if (model->model_type != TYPE_UNIGRAM && model->model_type != TYPE_BPE)
        return oy_fail(err, OY_DATA,
                       "trainer_spec.model_type %d (neither UNIGRAM nor BPE) "
                       "is not supported",
                       model->model_type);
    if (model->treats_whitespace_as_suffix)
        return oy_fail(err, OY_DATA,
                       "trainer_spec.treat_whitespace_as_suffix is not "
                       "supported");
    if (!model->escapes_whitespaces)
        return oy_fail(err, OY_DATA,
                       "normalizer_spec.escape_whitespaces = false is not "
                       "supported");
    return find_unknown(model, err);
}

int document_read_sentencepiece(const struct document_source *source,
                                struct draft *draft, struct oy_error *err)
{
    const unsigned char *data = (const unsigned char *)source->data;
    const struct message message = {data, data, data + source->len, err};
    struct model model = {
        .draft = draft,
        .model_type = TYPE_UNIGRAM, /* defaults are those of the .proto */
        .escapes_whitespaces = 1,
        .pieces =
            {
                .bos_id = 1,
                .eos_id = 2,
                .add_dummy_prefix = 1,
                .remove_extra_whitespaces = 1,
            },
    };
    int failed = read_model(&model, message) || check(&model, err);

    model.pieces.is_unigram = model.model_type == TYPE_UNIGRAM;
    model.pieces.add_bos = !model.pieces.is_unigram;
    if (!failed)
        failed =
            document_from_pieces(&model.pieces, source->config, draft, err);
    oy_free(model.pieces.type);
    return failed ? -1 : 0;
}
