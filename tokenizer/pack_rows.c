/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents cut to length, and handed on in rows. */
#include "tokenizer/pack_rows.h"

#include <string.h>

#include "core/alloc.h"
#include "core/log.h"
#include "tokenizer/pack_fit.h"

/* A document in the window; its ids and losses begin at `at`. */
struct piece {
    size_t at;
    uint64_t text_bytes;
    int is_valid;
};

struct count {
    uint64_t document, token, target, row, padding;
    uint64_t cut_document, cut_token; /* truncated */
    uint64_t drop_document, split_document, targetless;
    /* What cutting the documents as they come would make of them. */
    uint64_t concat_token, concat_torn;
};

struct pack_rows {
    struct pack_rows_options options;
    struct pack_sink *sink;
    struct count count;
    int has_mask;

    int32_t *id; /* of the window, or of the document that is cut */
    uint8_t *loss;
    size_t n_token, cap_id, cap_loss;
    struct piece *piece;
    uint32_t *length; /* [n_piece] */
    size_t n_piece, cap_piece, cap_length;
};

struct pack_rows *pack_rows_new(const struct pack_rows_options *options,
                                struct pack_sink *sink)
{
    struct pack_rows *rows = oy_calloc(1, sizeof *rows);

    OY_ASSERT(options->packing != PACK_AUTO);
    OY_ASSERT(options->packing == PACK_CONCAT || options->row_len > 0);
    OY_ASSERT(options->row_len <= UINT32_MAX / 2);
    rows->options = *options;
    rows->sink = sink;
    return rows;
}

void pack_rows_free(struct pack_rows *rows)
{
    if (!rows)
        return;
    oy_free(rows->id);
    oy_free(rows->loss);
    oy_free(rows->piece);
    oy_free(rows->length);
    oy_free(rows);
}

/* Tokens behind the first that are to be learnt. */
static size_t count_targets(const struct pack_document *document)
{
    size_t n = 0;

    if (!document->loss)
        return document->n - 1;
    for (size_t i = 1; i < document->n; i++)
        n += document->loss[i];
    return n;
}

static int emit(struct pack_rows *rows, const struct pack_document *document,
                int begins_row, struct oy_error *err)
{
    rows->count.token += document->n;
    rows->count.target += count_targets(document);
    rows->count.row += (uint64_t)begins_row;
    return rows->sink->add(rows->sink, document, begins_row, err);
}

/* ---- the window ---- */

static struct pack_document document_of(const struct pack_rows *rows, size_t i)
{
    const struct piece *piece = &rows->piece[i];

    return (struct pack_document){
        .id = rows->id + piece->at,
        .loss = rows->has_mask ? rows->loss + piece->at : NULL,
        .n = rows->length[i],
        .text_bytes = piece->text_bytes,
        .is_valid = piece->is_valid,
    };
}

/* Gives the window's rows to the sink, and empties it. */
static int flush(struct pack_rows *rows, struct oy_error *err)
{
    struct pack_fit fit =
        pack_fit(rows->length, rows->n_piece, (uint32_t)rows->options.row_len);
    int failed = 0;

    for (size_t i = 0; i < fit.n_row && !failed; i++) {
        for (size_t j = fit.first[i]; j < fit.first[i + 1] && !failed; j++) {
            const struct pack_document document =
                document_of(rows, fit.piece[j]);
            failed = emit(rows, &document, j == fit.first[i], err);
        }
    }
    pack_fit_release(&fit);
    rows->n_piece = 0;
    rows->n_token = 0;
    return failed;
}

static int keep(struct pack_rows *rows, const struct pack_document *document,
                struct oy_error *err)
{
    const size_t at = rows->n_token, n = document->n;

    OY_GROW(rows->id, rows->cap_id, at + n);
    memcpy(rows->id + at, document->id, n * sizeof *rows->id);
    if (document->loss) {
        OY_GROW(rows->loss, rows->cap_loss, at + n);
        memcpy(rows->loss + at, document->loss, n);
        rows->has_mask = 1;
    }
    OY_ASSERT(document->loss || !rows->has_mask);
    OY_GROW(rows->piece, rows->cap_piece, rows->n_piece + 1);
    OY_GROW(rows->length, rows->cap_length, rows->n_piece + 1);
    rows->piece[rows->n_piece] =
        (struct piece){at, document->text_bytes, document->is_valid};
    rows->length[rows->n_piece++] = (uint32_t)n;
    rows->n_token += n;
    return rows->n_token < rows->options.window ? 0 : flush(rows, err);
}

/* ---- length ---- */

/* A document no longer than a row. */
static int place(struct pack_rows *rows, const struct pack_document *document,
                 struct oy_error *err)
{
    if (document->loss && !count_targets(document)) {
        rows->count.targetless++;
        return 0;
    }
    if (rows->options.packing == PACK_BEST_FIT)
        return keep(rows, document, err);
    return emit(rows, document, rows->options.packing == PACK_NONE, err);
}

/* Pieces share a token, so that each but the very first is predicted from
 * another; a piece of one token would have nothing to predict it from. */
static int split(struct pack_rows *rows, const struct pack_document *document,
                 struct oy_error *err)
{
    const size_t most = rows->options.row_len;
    const size_t step = most > 1 ? most - 1 : 1;
    struct pack_document piece = *document;

    rows->count.split_document++;
    for (size_t at = 0; at == 0 || at + (most > 1) < document->n; at += step) {
        piece.id = document->id + at;
        piece.loss = document->loss ? document->loss + at : NULL;
        piece.n = document->n - at < most ? document->n - at : most;
        if (place(rows, &piece, err))
            return -1;
        piece.text_bytes = 0;
    }
    return 0;
}

static int truncate_document(struct pack_rows *rows,
                             const struct pack_document *document,
                             struct oy_error *err)
{
    const size_t n = rows->options.row_len;
    struct pack_document cut = *document;

    rows->count.cut_document++;
    rows->count.cut_token += document->n - n;
    cut.n = n;
    if (rows->options.back < 0 || document->loss)
        return place(rows, &cut, err);
    int32_t *id = oy_alloc_array(n, sizeof *id);
    memcpy(id, document->id, n * sizeof *id);
    id[n - 1] = rows->options.back;
    cut.id = id;
    const int failed = place(rows, &cut, err);
    oy_free(id);
    return failed;
}

int pack_rows_add(struct pack_rows *rows, const struct pack_document *document,
                  struct oy_error *err)
{
    const size_t most = rows->options.row_len;
    struct count *count = &rows->count;

    count->document++;
    if (rows->options.packing == PACK_CONCAT)
        return place(rows, document, err);
    count->concat_torn += count->concat_token / most !=
                          (count->concat_token + document->n - 1) / most;
    count->concat_token += document->n;
    if (document->n <= most)
        return place(rows, document, err);
    switch (rows->options.overlong) {
    case PACK_SPLIT: return split(rows, document, err);
    case PACK_TRUNCATE: return truncate_document(rows, document, err);
    default: count->drop_document++; return 0;
    }
}

int pack_rows_finish(struct pack_rows *rows, struct oy_error *err)
{
    return rows->n_piece ? flush(rows, err) : 0;
}

/* ---- what it cost ---- */

static double share(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static void tell(const struct pack_rows *rows, uint64_t padding)
{
    const struct count *count = &rows->count;
    const uint64_t most = rows->options.row_len;

    oy_note("%llu rows of %llu: %.2f %% padding, %llu of %llu documents split, "
            "%llu truncated by %llu tokens; cut as they come: %llu rows, %llu "
            "documents torn",
            (unsigned long long)count->row, (unsigned long long)most,
            share(padding, count->row * most),
            (unsigned long long)count->split_document,
            (unsigned long long)count->document,
            (unsigned long long)count->cut_document,
            (unsigned long long)count->cut_token,
            (unsigned long long)((count->concat_token + most - 1) / most),
            (unsigned long long)count->concat_torn);
}

static void add_if_any(struct oy_counters *counter, const char *name,
                       uint64_t n)
{
    if (n)
        oy_counter_add(counter, name, n);
}

void pack_rows_report(const struct pack_rows *rows, struct oy_counters *counter)
{
    const struct count *count = &rows->count;

    oy_counter_add(counter, "tokens", count->token);
    if (rows->has_mask || count->targetless)
        oy_counter_add(counter, "targets", count->target);
    add_if_any(counter, "without_target", count->targetless);
    if (rows->options.packing == PACK_CONCAT)
        return;
    const uint64_t padding = count->row * rows->options.row_len - count->token;
    oy_counter_add(counter, "rows", count->row);
    oy_counter_add(counter, "padding_tokens", padding);
    add_if_any(counter, "split_documents", count->split_document);
    add_if_any(counter, "truncated_documents", count->cut_document);
    add_if_any(counter, "truncated_tokens", count->cut_token);
    add_if_any(counter, "overlong_documents", count->drop_document);
    tell(rows, padding);
}
