/* SPDX-License-Identifier: Apache-2.0
 *
 * Decodes documents whose ids lie in memory and prints how long each pass
 * took; tables that are made at the first call are in the first.
 *
 *     decode_bench TOKENIZER TEXTS PASSES
 *
 * TEXTS is what texts.py writes. Its documents are encoded first, then each is
 * decoded into the same buffer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/input.h"
#include "tokenizer/tokenizer.h"

enum { MAX_PASSES = 100 };

struct bench {
    struct tokenizer *tokenizer;
    struct token_ids ids;
    size_t *end; /* [n_document], in ids */
    size_t n_document, cap_document;
    size_t n_byte; /* of text, in one pass */
    double cpu[MAX_PASSES];
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "decode_bench: %s\n", what);
    exit(1);
}

static void encode_all(struct bench *bench, const char *path)
{
    struct tokenizer_worker *worker = tokenizer_worker_new(bench->tokenizer);
    struct oy_error err = {0};
    size_t size;
    char *data = oy_input_slurp(path, (size_t)1 << 32, &size, &err);
    uint32_t len;

    if (!data)
        die(err.message);
    for (size_t at = 0; at + sizeof len <= size; at += len) {
        memcpy(&len, data + at, sizeof len);
        at += sizeof len;
        tokenizer_encode(worker, data + at, len, TOKENIZER_TEXT, &bench->ids,
                         NULL);
        OY_GROW(bench->end, bench->cap_document, bench->n_document + 1);
        bench->end[bench->n_document++] = bench->ids.n;
    }
    tokenizer_worker_free(worker);
    oy_free(data);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run_pass(struct bench *bench, struct oy_buffer *out)
{
    size_t begin = 0;

    bench->n_byte = 0;
    for (size_t i = 0; i < bench->n_document; i++) {
        oy_buffer_clear(out);
        tokenizer_decode(bench->tokenizer, bench->ids.id + begin,
                         bench->end[i] - begin, 0, out);
        bench->n_byte += out->len;
        begin = bench->end[i];
    }
}

int main(int argc, char **argv)
{
    struct oy_error err = {0};
    struct bench bench = {0};
    struct oy_buffer out = {0};

    if (argc < 4)
        die("TOKENIZER TEXTS PASSES");
    const int n_pass = atoi(argv[3]);
    if (n_pass < 1 || n_pass > MAX_PASSES)
        die("a number is out of range");
    bench.tokenizer = tokenizer_load(argv[1], &err);
    if (!bench.tokenizer)
        die(err.message);
    encode_all(&bench, argv[2]);
    for (int i = 0; i < n_pass; i++) {
        const double begin = now();
        run_pass(&bench, &out);
        bench.cpu[i] = now() - begin;
    }
    printf("{\"bytes\": %zu, \"ids\": %zu, \"cpu\": [", bench.n_byte,
           bench.ids.n);
    for (int i = 0; i < n_pass; i++)
        printf("%s%.6f", i ? ", " : "", bench.cpu[i]);
    printf("]}\n");
    oy_buffer_release(&out);
    token_ids_release(&bench.ids);
    oy_free(bench.end);
    tokenizer_free(bench.tokenizer);
    return 0;
}
