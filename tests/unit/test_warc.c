/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of web archives and of the HTTP answers inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/codec.h"
#include "core/http_payload.h"
#include "core/warc.h"

static const char GOOD[] =
    "WARC/1.0\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: <urn:uuid:0>\r\n"
    "Content-Length: 3\r\n\r\nabc\r\n\r\n"
    "WARC/1.1\r\nwarc-type: Conversion\r\nWARC-Record-ID:<urn:uuid:1>\r\n"
    "WARC-Target-URI: <http://a.b/c d>\r\nWARC-Date: 2024-02-21T05:00:00Z\r\n"
    "Content-Type: text/plain\r\n  ; folded\r\n"
    "Content-Length: 5\r\n\r\nhe\nlo\r\n\r\n";

/* "type id uri date content_type length|block;" of every record, then the
 * code of the failure. */
static int read_all(const char *data, size_t len, struct oy_buffer *out)
{
    struct oy_error err = {0};
    struct oy_input *input = oy_input_open_memory("mem", data, len, &err);
    struct oy_warc *warc = oy_warc_new(input);
    struct oy_warc_record record;
    int rc;

    oy_buffer_clear(out);
    while ((rc = oy_warc_next(warc, &record, &err)) > 0) {
        oy_buffer_append_format(out, "%s %s %s %s %s %d|", record.type,
                                record.id, record.uri, record.date,
                                record.content_type, (int)record.length);
        rc = oy_warc_read(warc, 100, out, &err);
        if (rc < 0)
            break;
        oy_buffer_append_string(out, rc ? ";" : "TOO LONG;");
    }
    assert_true(rc == 0 || strstr(err.message, "mem"));
    oy_warc_free(warc);
    oy_input_close(input);
    return rc < 0 ? err.code : 0;
}

static void records_and_their_fields(void **state)
{
    struct oy_buffer out = {0};

    (void)state;
    assert_int_equal(read_all(GOOD, strlen(GOOD), &out), 0);
    assert_string_equal(oy_buffer_string(&out),
                        "warcinfo <urn:uuid:0>    3|abc;"
                        "conversion <urn:uuid:1> http://a.b/c d "
                        "2024-02-21T05:00:00Z text/plain   ; folded 5|he\nlo;");
    oy_buffer_release(&out);
}

/* Only behind a whole record is the end an end. */
static void truncation_is_found_at_every_byte(void **state)
{
    const size_t first = (size_t)(strstr(GOOD, "abc") + 3 - GOOD);
    const size_t second = (size_t)(strstr(GOOD, "he\nlo") + 5 - GOOD);
    struct oy_buffer out = {0};

    (void)state;
    for (size_t cut = 1; cut < strlen(GOOD); cut++) {
        const int whole = (cut >= first && cut <= first + 4) || cut >= second;
        assert_int_equal(read_all(GOOD, cut, &out), whole ? 0 : OY_DATA);
    }
    oy_buffer_release(&out);
}

static void bad_lengths_are_refused(void **state)
{
    static const char *const bad[] = {
        "WARC/1.0\r\nContent-Length: -5\r\n\r\nabc",
        "WARC/1.0\r\nContent-Length: 99999999999999999999999\r\n\r\nabc",
        "WARC/1.0\r\nContent-Length: 3x\r\n\r\nabc",
        "WARC/1.0\r\nContent-Length:\r\n\r\nabc",
        "WARC/1.0\r\nWARC-Type: response\r\n\r\nabc",
        "WARC/1.0\r\nContent-Length: 1\r\n\r\nabc\r\n\r\n",
        "WARC/1.0\r\nContent-Length: 4\r\n\r\nabc",
        "<html>",
    };
    struct oy_buffer out = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(read_all(bad[i], strlen(bad[i]), &out), OY_DATA);
    oy_buffer_release(&out);
}

static void lines_may_end_in_lf_alone(void **state)
{
    static const char text[] = "WARC/1.0\nWARC-Type: resource\n"
                               "Content-Length: 2\n\nab\n\n";
    struct oy_buffer out = {0};

    (void)state;
    assert_int_equal(read_all(text, strlen(text), &out), 0);
    assert_string_equal(oy_buffer_string(&out), "resource     2|ab;");
    oy_buffer_release(&out);
}

static void arc_records(void **state)
{
    static const char text[] =
        "filedesc://x.arc 0.0.0.0 20240101000000 text/plain 4\nabc\n\n"
        "http://a.b/c d 1.2.3.4 20240221050000 text/html 2\nhi\n";
    struct oy_buffer out = {0};

    (void)state;
    assert_true(oy_warc_is((const unsigned char *)text, strlen(text)));
    assert_int_equal(read_all(text, strlen(text), &out), 0);
    assert_string_equal(
        oy_buffer_string(&out),
        "warcinfo  filedesc://x.arc 2024-01-01T00:00:00Z application/http "
        "4|abc\n;"
        "response  http://a.b/c d 2024-02-21T05:00:00Z application/http 2|hi;");
    oy_buffer_release(&out);
}

static void long_records_are_passed_over(void **state)
{
    struct oy_buffer text = {0}, out = {0};

    (void)state;
    oy_buffer_append_string(&text,
                            "WARC/1.0\r\nContent-Length: 1000000\r\n\r\n");
    for (int i = 0; i < 100000; i++)
        oy_buffer_append_string(&text, "WARC/1.0\r\n");
    oy_buffer_append_string(&text, "\r\n\r\n");
    oy_buffer_append_string(&text, GOOD);
    assert_int_equal(read_all(text.data, text.len, &out), 0);
    assert_non_null(strstr(oy_buffer_string(&out), "1000000|TOO LONG;"));
    assert_non_null(strstr(oy_buffer_string(&out), "5|he\nlo;"));
    oy_buffer_release(&text);
    oy_buffer_release(&out);
}

/* ---- HTTP ---- */

static void expect_body(const char *head, const char *body, size_t len,
                        int status, const char *want)
{
    struct oy_buffer data = {0}, scratch = {0};
    struct oy_http_payload payload;

    oy_buffer_append_string(&data, head);
    oy_buffer_append(&data, body, len);
    assert_int_equal(
        oy_http_payload_parse(data.data, data.len, 1 << 20, &scratch, &payload),
        0);
    assert_int_equal(payload.status, status);
    assert_int_equal(payload.len, strlen(want));
    assert_memory_equal(payload.body, want, payload.len);
    oy_buffer_release(&data);
    oy_buffer_release(&scratch);
}

static void expect_text(const char *head, const char *body, const char *want)
{
    expect_body(head, body, strlen(body), 200, want);
}

static void bodies_of_answers(void **state)
{
    static const char chunked[] =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    (void)state;
    expect_text("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", "<p>",
                "<p>");
    expect_text("HTTP/1.0 200 OK\n\n", "a\n", "a\n");
    expect_body("HTTP/1.1 404\r\n\r\n", "", 0, 404, "");
    expect_text(chunked, "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "abcde");
    expect_text(chunked, "A\r\n0123456789\r\n0\r\n\r\n", "0123456789");
    expect_text(chunked, "<p>not in chunks", "<p>not in chunks");
    expect_text(chunked, "5\r\nab", "ab"); /* cut by the crawler */
    expect_text(chunked, "3\r\nabc\r\nzz\r\n", "3\r\nabc\r\nzz\r\n");
    expect_text(chunked, "ffffffffffffffffff\r\nab",
                "ffffffffffffffffff\r\nab");
}

static void compressed_bodies(void **state)
{
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n";
    struct oy_encoder *encoder = oy_gzip_encoder_new(0);
    struct oy_buffer gzip = {0};

    (void)state;
    encoder->encode(encoder, "hello", 5, &gzip);
    encoder->free(encoder);
    expect_body(head, gzip.data, gzip.len, 200, "hello");
    expect_text(head, "plain after all", "plain after all");
    oy_buffer_release(&gzip);
}

static void what_is_no_answer(void **state)
{
    struct oy_http_payload payload;
    struct oy_buffer scratch = {0};
    char dns[] = "20240221 example.org", cut[] = "HTTP/1.1 200";

    (void)state;
    assert_int_equal(
        oy_http_payload_parse(dns, strlen(dns), 100, &scratch, &payload), -1);
    assert_int_equal(
        oy_http_payload_parse(cut, strlen(cut), 100, &scratch, &payload), -1);
    assert_int_equal(oy_http_payload_parse(NULL, 0, 100, &scratch, &payload),
                     -1);
    oy_buffer_release(&scratch);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(records_and_their_fields),
        cmocka_unit_test(truncation_is_found_at_every_byte),
        cmocka_unit_test(bad_lengths_are_refused),
        cmocka_unit_test(lines_may_end_in_lf_alone),
        cmocka_unit_test(arc_records),
        cmocka_unit_test(long_records_are_passed_over),
        cmocka_unit_test(bodies_of_answers),
        cmocka_unit_test(compressed_bodies),
        cmocka_unit_test(what_is_no_answer),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}
