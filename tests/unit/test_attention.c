/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention in tiles against the definition in double.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/random.h"
#include "model/attention.h"

struct fixture {
    struct attention_shape shape;
    size_t n, stride, out_stride;
    float *qkv, *out, *lse, *dout, *dqkv;
    double *want, *dwant;
};

static void fixture_init(struct fixture *f, struct attention_shape shape,
                         size_t n)
{
    struct oy_random random = oy_random_at(9, n);

    *f = (struct fixture){.shape = shape, .n = n};
    f->out_stride = shape.n_head * shape.head_dim;
    f->stride = f->out_stride + 2 * shape.n_kv_head * shape.head_dim;
    f->qkv = oy_calloc(n * f->stride, sizeof *f->qkv);
    f->out = oy_calloc(n * f->out_stride, sizeof *f->out);
    f->lse = oy_calloc(n * shape.n_head, sizeof *f->lse);
    f->dout = oy_calloc(n * f->out_stride, sizeof *f->dout);
    f->dqkv = oy_calloc(n * f->stride, sizeof *f->dqkv);
    f->want = oy_calloc(n * f->out_stride, sizeof *f->want);
    f->dwant = oy_calloc(n * f->stride, sizeof *f->dwant);
    for (size_t i = 0; i < n * f->stride; i++)
        f->qkv[i] = (float)oy_random_normal(&random);
    for (size_t i = 0; i < n * f->out_stride; i++)
        f->dout[i] = (float)oy_random_normal(&random);
    memset(f->dqkv, 0x7f, n * f->stride * sizeof *f->dqkv);
}

static void fixture_release(struct fixture *f)
{
    oy_free(f->qkv);
    oy_free(f->out);
    oy_free(f->lse);
    oy_free(f->dout);
    oy_free(f->dqkv);
    oy_free(f->want);
    oy_free(f->dwant);
}

static double dot(const float *x, const float *y, size_t n)
{
    double sum = 0.0;

    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * y[i];
    return sum;
}

/* Query `t` of head `h` in a document that begins at `begin`. */
static void naive_query(struct fixture *f, size_t begin, size_t t, size_t h)
{
    const size_t d = f->shape.head_dim;
    const size_t group = h / (f->shape.n_head / f->shape.n_kv_head);
    const size_t q = t * f->stride + h * d, o = t * f->out_stride + h * d;
    const size_t k = (f->shape.n_head + group) * d;
    const size_t v = k + f->shape.n_kv_head * d;
    const double scale = 1.0 / sqrt((double)d);
    double *const p = oy_calloc(t + 1, sizeof *p);
    double sum = 0.0, delta = 0.0;

    for (size_t s = begin; s <= t; s++) {
        p[s] = exp(scale * dot(f->qkv + q, f->qkv + s * f->stride + k, d));
        sum += p[s];
    }
    for (size_t s = begin; s <= t; s++) {
        p[s] /= sum;
        delta += p[s] * dot(f->dout + o, f->qkv + s * f->stride + v, d);
    }
    for (size_t s = begin; s <= t; s++) {
        const size_t row = s * f->stride;
        const double dp = dot(f->dout + o, f->qkv + row + v, d);
        const double ds = p[s] * (dp - delta) * scale;
        for (size_t i = 0; i < d; i++) {
            f->want[o + i] += p[s] * f->qkv[row + v + i];
            f->dwant[row + v + i] += p[s] * f->dout[o + i];
            f->dwant[row + k + i] += ds * f->qkv[q + i];
            f->dwant[q + i] += ds * f->qkv[row + k + i];
        }
    }
    oy_free(p);
}

static void check(struct attention_shape shape, const size_t *first,
                  size_t n_document, int n_thread)
{
    const struct attention_documents documents = {n_document, first};
    struct oy_error err = {0};
    struct oy_pool *const pool = oy_pool_new(n_thread, &err);
    struct gemm *const gemm = gemm_new("packed", pool, &err);
    struct attention *const attention = attention_new(&shape, gemm, &err);
    struct fixture f;

    fixture_init(&f, shape, first[n_document]);
    for (size_t i = 0; i < n_document; i++) {
        for (size_t t = first[i]; t < first[i + 1]; t++) {
            for (size_t h = 0; h < shape.n_head; h++)
                naive_query(&f, first[i], t, h);
        }
    }
    attention_forward(attention, &documents, f.qkv, f.out, f.lse);
    attention_backward(attention, &documents, f.qkv, f.out, f.lse, f.dout,
                       f.dqkv);
    for (size_t i = 0; i < f.n * f.out_stride; i++)
        assert_true(fabs(f.out[i] - f.want[i]) < 1e-5);
    for (size_t i = 0; i < f.n * f.stride; i++)
        assert_true(fabs(f.dqkv[i] - f.dwant[i]) <
                    3e-5 * (1.0 + fabs(f.dwant[i])));
    fixture_release(&f);
    attention_free(attention);
    gemm_free(gemm);
    oy_pool_free(pool);
}

static void test_one_document(void **state)
{
    const size_t first[] = {0, 130};

    (void)state;
    check((struct attention_shape){4, 2, 16}, first, 1, 1);
}

static void test_many_documents(void **state)
{
    const size_t first[] = {0, 1, 2, 66, 67, 132, 200, 215};

    (void)state;
    check((struct attention_shape){3, 3, 10}, first, 7, 2);
    check((struct attention_shape){6, 1, 8}, first, 7, 2);
}

/* Longer than a tile of keys: the running maximum is at work. */
static void test_long_document(void **state)
{
    const size_t first[] = {0, 1100};

    (void)state;
    check((struct attention_shape){2, 1, 8}, first, 1, 2);
}

static void test_nothing(void **state)
{
    const size_t first[] = {0};

    (void)state;
    check((struct attention_shape){2, 1, 8}, first, 0, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_document),
        cmocka_unit_test(test_many_documents),
        cmocka_unit_test(test_long_document),
        cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
