/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of inputs: codecs, truncation at every byte, garbage, marks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/codec.h"
#include "core/input.h"

static const unsigned char XZ_HELLO[] = {
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4,
    0x46, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00, 0x00, 0x00, 0x74, 0x2f,
    0xe5, 0xa3, 0x01, 0x00, 0x05, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x0a,
    0x00, 0x00, 0x00, 0xa5, 0x60, 0x97, 0xf1, 0x94, 0xf6, 0xfd, 0xe0,
    0x00, 0x01, 0x1e, 0x06, 0xc1, 0x2f, 0xa4, 0x1d, 0x1f, 0xb6, 0xf3,
    0x7d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a};

static const unsigned char BZIP2_HELLO[] = {
    0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0xc1,
    0xc0, 0x80, 0xe2, 0x00, 0x00, 0x01, 0x41, 0x00, 0x00, 0x10, 0x02,
    0x44, 0xa0, 0x00, 0x30, 0xcd, 0x00, 0xc3, 0x46, 0x29, 0x97, 0x17,
    0x72, 0x45, 0x38, 0x50, 0x90, 0xc1, 0xc0, 0x80, 0xe2};

static const char TEXT[] = "hello\n";

/* Reads all in pieces of `step`; the code of the failure, or 0. */
static int read_all(const void *data, size_t len, size_t step,
                    struct oy_buffer *out, enum oy_codec *codec)
{
    struct oy_error err = {0};
    struct oy_input *input = oy_input_open_memory("mem", data, len, &err);
    ssize_t n = 0;

    assert_non_null(input);
    *codec = oy_input_codec(input);
    do {
        char *at = oy_buffer_reserve(out, step);
        n = oy_input_read(input, at, step, &err);
        if (n > 0)
            out->len += (size_t)n;
    } while (n == (ssize_t)step);
    assert_true(n >= 0 || strstr(err.message, "mem"));
    oy_input_close(input);
    return err.code;
}

static void expect(const void *data, size_t len, enum oy_codec codec,
                   const char *want)
{
    for (size_t step = 1; step <= 7; step += 3) {
        struct oy_buffer out = {0};
        enum oy_codec found;
        assert_int_equal(read_all(data, len, step, &out, &found), 0);
        assert_int_equal(found, codec);
        assert_string_equal(oy_buffer_string(&out), want);
        oy_buffer_release(&out);
    }
}

static void pack(struct oy_encoder *encoder, const char *text,
                 struct oy_buffer *out)
{
    encoder->encode(encoder, text, strlen(text), out);
    encoder->free(encoder);
}

/* Whole, twice in a row, cut at every byte, and with garbage behind. */
static void check_codec(const void *data, size_t len, enum oy_codec codec)
{
    struct oy_buffer twice = {0}, out = {0};
    enum oy_codec found;

    expect(data, len, codec, TEXT);
    oy_buffer_append(&twice, data, len);
    oy_buffer_append(&twice, data, len);
    expect(twice.data, twice.len, codec, "hello\nhello\n");
    for (size_t cut = 6; cut < len; cut++) {
        oy_buffer_clear(&out);
        assert_int_equal(read_all(data, cut, 100, &out, &found), OY_DATA);
    }
    twice.len = len;
    oy_buffer_append_string(&twice, "garbage!");
    oy_buffer_clear(&out);
    assert_int_equal(read_all(twice.data, twice.len, 100, &out, &found),
                     OY_DATA);
    oy_buffer_release(&twice);
    oy_buffer_release(&out);
}

static void every_codec_is_known_by_its_magic(void **state)
{
    struct oy_buffer zstd = {0}, gzip = {0};

    (void)state;
    pack(oy_zstd_encoder_new(0), TEXT, &zstd);
    pack(oy_gzip_encoder_new(0), TEXT, &gzip);
    check_codec(zstd.data, zstd.len, OY_CODEC_ZSTD);
    check_codec(gzip.data, gzip.len, OY_CODEC_GZIP);
    check_codec(XZ_HELLO, sizeof XZ_HELLO, OY_CODEC_XZ);
    check_codec(BZIP2_HELLO, sizeof BZIP2_HELLO, OY_CODEC_BZIP2);
    expect(TEXT, strlen(TEXT), OY_CODEC_PLAIN, TEXT);
    expect("", 0, OY_CODEC_PLAIN, "");
    expect("BZh9 is a word", 14, OY_CODEC_PLAIN, "BZh9 is a word");
    oy_buffer_release(&zstd);
    oy_buffer_release(&gzip);
}

/* The content checksum is on, so no flipped bit passes. */
static void flipped_bits_of_zstd_are_found(void **state)
{
    struct oy_buffer zstd = {0};

    (void)state;
    pack(oy_zstd_encoder_new(0), TEXT, &zstd);
    for (size_t bit = 32; bit < zstd.len * 8; bit++) {
        struct oy_buffer out = {0};
        enum oy_codec codec;
        zstd.data[bit / 8] ^= (char)(1 << bit % 8);
        const int code = read_all(zstd.data, zstd.len, 100, &out, &codec);
        zstd.data[bit / 8] ^= (char)(1 << bit % 8);
        /* Some bits of the header may change without a meaning. */
        assert_true(code == OY_DATA ||
                    strcmp(oy_buffer_string(&out), TEXT) == 0);
        oy_buffer_release(&out);
    }
    oy_buffer_release(&zstd);
}

static void skippable_frames_are_passed_over(void **state)
{
    static const unsigned char skippable[] = {0x5e, 0x2a, 0x4d, 0x18, 3, 0,
                                              0,    0,    9,    9,    9};
    struct oy_buffer zstd = {0};

    (void)state;
    oy_buffer_append(&zstd, skippable, sizeof skippable);
    pack(oy_zstd_encoder_new(0), TEXT, &zstd);
    oy_buffer_append(&zstd, skippable, sizeof skippable);
    expect(zstd.data, zstd.len, OY_CODEC_ZSTD, TEXT);
    oy_buffer_release(&zstd);
}

static void a_leading_mark_is_dropped_once(void **state)
{
    struct oy_error err = {0};

    (void)state;
    expect("\xef\xbb\xbfhello\n", 9, OY_CODEC_PLAIN, "hello\n");
    expect("\xef\xbb", 2, OY_CODEC_PLAIN, "\xef\xbb");
    struct oy_input *input =
        oy_input_open_memory("mem", "\xef\xbb\xbf!", 4, &err);
    char c;
    assert_int_equal(oy_input_read(input, &c, 1, &err), 1);
    assert_int_equal(c, '!');
    assert_true(oy_input_had_mark(input));
    oy_input_close(input);
}

static void peeking_takes_nothing(void **state)
{
    struct oy_error err = {0};
    struct oy_input *input = oy_input_open_memory("mem", "abcdef", 6, &err);
    char text[8] = "";
    size_t len;

    (void)state;
    assert_memory_equal(oy_input_peek(input, 2, &len, &err), "ab", 2);
    assert_int_equal(len, 2);
    assert_memory_equal(oy_input_peek(input, 4096, &len, &err), "abcdef", 6);
    assert_int_equal(len, 6);
    assert_int_equal(oy_input_read(input, text, 4, &err), 4);
    assert_memory_equal(oy_input_peek(input, 8, &len, &err), "ef", 2);
    assert_int_equal(oy_input_read(input, text, 8, &err), 2);
    assert_non_null(oy_input_peek(input, 8, &len, &err));
    assert_int_equal(len, 0);
    oy_input_close(input);
}

static void what_cannot_be_opened_is_told(void **state)
{
    struct oy_error err = {0}, other = {0}, third = {0};

    (void)state;
    assert_null(oy_input_open("/no/such/file", &err));
    assert_int_equal(err.code, OY_NOINPUT);
    assert_non_null(strstr(err.message, "/no/such/file"));
    assert_null(oy_input_open("/tmp", &other));
    assert_int_equal(other.code, OY_NOINPUT);
    assert_int_equal(oy_input_check("/tmp", &third), -1);
    assert_int_equal(third.code, OY_NOINPUT);
    assert_int_equal(oy_input_check("-", &third), 0);
}

/* Smaller, equal to and larger than the decoder's buffers and their ring. */
static void reads_of_any_size_give_the_same_bytes(void **state)
{
    enum { SIZE = 5000000 };
    static const size_t step[] = {1000,    1 << 18, (1 << 18) + 1, 1 << 20,
                                  3 << 20, SIZE,    SIZE + 1};
    struct oy_buffer text = {0}, zstd = {0};
    struct oy_error err = {0};
    char *got = oy_alloc(2 * SIZE);

    (void)state;
    for (unsigned i = 0; text.len < SIZE; i++)
        oy_buffer_append_format(&text, "%u ", i * 7919 % 100003);
    text.len = SIZE;
    oy_buffer_string(&text);
    pack(oy_zstd_encoder_new(1), text.data, &zstd);
    for (size_t k = 0; k < sizeof step / sizeof *step; k++) {
        struct oy_input *input =
            oy_input_open_memory("memory", zstd.data, zstd.len, &err);
        size_t done = 0;
        ssize_t n = (ssize_t)step[k];
        while (n == (ssize_t)step[k]) {
            n = oy_input_read(input, got + done, step[k], &err);
            assert_true(n >= 0);
            done += (size_t)n;
        }
        assert_int_equal(done, SIZE);
        assert_memory_equal(got, text.data, SIZE);
        oy_input_close(input);
    }
    oy_free(got);
    oy_buffer_release(&zstd);
    oy_buffer_release(&text);
}

/* A full ring does not hold up the end either. */
static void closing_does_not_wait_for_the_decoder(void **state)
{
    struct oy_buffer text = {0}, zstd = {0};
    struct oy_error err = {0};
    char byte;

    (void)state;
    while (text.len < 20000000)
        oy_buffer_append_string(&text, "again and again ");
    oy_buffer_string(&text);
    pack(oy_zstd_encoder_new(1), text.data, &zstd);
    for (int i = 0; i < 20; i++) {
        struct oy_input *input =
            oy_input_open_memory("memory", zstd.data, zstd.len, &err);
        if (i % 2)
            assert_int_equal(oy_input_read(input, &byte, 1, &err), 1);
        oy_input_close(input);
    }
    oy_buffer_release(&zstd);
    oy_buffer_release(&text);
}

/* A decoder that waits for more of a pipe does not hold up the end. */
static void closing_does_not_wait_for_a_pipe(void **state)
{
    struct oy_buffer zstd = {0};
    struct oy_error err = {0};
    int end[2];

    (void)state;
    pack(oy_zstd_encoder_new(0), TEXT, &zstd);
    assert_int_equal(pipe(end), 0);
    assert_int_equal(write(end[1], zstd.data, zstd.len - 1), zstd.len - 1);
    struct oy_input *input = oy_input_open_fd("pipe", end[0], 1, &err);
    assert_non_null(input);
    oy_input_close(input);
    close(end[1]);
    oy_buffer_release(&zstd);
}

static void slurp_bounds_the_size(void **state)
{
    char name[] = "/tmp/oy-test-XXXXXX";
    const int fd = mkstemp(name);
    struct oy_error err = {0};
    size_t len;

    (void)state;
    assert_int_equal(write(fd, "12345", 5), 5);
    close(fd);
    char *text = oy_input_slurp(name, 5, &len, &err);
    assert_string_equal(text, "12345");
    assert_int_equal(len, 5);
    oy_free(text);
    assert_null(oy_input_slurp(name, 4, &len, &err));
    assert_int_equal(err.code, OY_DATA);
    unlink(name);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(every_codec_is_known_by_its_magic),
        cmocka_unit_test(flipped_bits_of_zstd_are_found),
        cmocka_unit_test(skippable_frames_are_passed_over),
        cmocka_unit_test(a_leading_mark_is_dropped_once),
        cmocka_unit_test(peeking_takes_nothing),
        cmocka_unit_test(what_cannot_be_opened_is_told),
        cmocka_unit_test(reads_of_any_size_give_the_same_bytes),
        cmocka_unit_test(closing_does_not_wait_for_the_decoder),
        cmocka_unit_test(closing_does_not_wait_for_a_pipe),
        cmocka_unit_test(slurp_bounds_the_size),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}
