/* SPDX-License-Identifier: Apache-2.0
 *
 * Special tokens and templates that make a tokenizer folder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/json.h"
#include "tokenizer/bpe_chat.h"

/* The configuration for a template's file of this text (NULL: none) and the
 * special tokens <s> and </s>. */
static int make_config(const char *file, const char *eos, struct oy_buffer *out,
                       struct oy_error *err)
{
    static const char *item[] = {"<s>", "</s>"};
    const struct oy_list special = {.item = item, .n_item = 2};
    char path[] = "/tmp/oyster-test-XXXXXX";
    struct bpe_chat chat = {0};
    struct word_store none = {0};
    struct bpe_trained trained = {0};
    int rc;

    if (file) {
        const int fd = mkstemp(path);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, file, strlen(file)), strlen(file));
        close(fd);
    }
    rc = bpe_chat_init(&chat,
                       &(struct bpe_chat_options){.name = file ? path : NULL,
                                                  .special = &special,
                                                  .eos = eos},
                       err);
    if (!rc) {
        const struct bpe_train_options options = {
            .special = chat.special.item,
            .n_special = chat.special.n_item,
        };
        const char *why = NULL;
        size_t where;

        assert_int_equal(bpe_train(&options, &none, &trained, err), 0);
        oy_buffer_clear(out);
        bpe_chat_put_config(&chat, &trained, out);
        oy_buffer_string(out);
        assert_int_equal(oy_json_validate(out->data, out->len, &why, &where),
                         0);
    }
    if (file)
        unlink(path);
    bpe_trained_release(&trained);
    bpe_chat_release(&chat);
    return rc;
}

static void assert_has(const struct oy_buffer *config, const char *text)
{
    if (!strstr(config->data, text))
        fail_msg("no %s in %s", text, config->data);
}

static void texts_are_framed(void **state)
{
    struct oy_buffer config = {0};
    struct oy_error err = {0};

    (void)state;
    assert_int_equal(make_config(NULL, NULL, &config, &err), 0);
    assert_has(&config, "\"bos_token\": \"<s>\"");
    assert_has(&config, "\"eos_token\": \"<s>\"");
    assert_null(strstr(config.data, "chat_template"));
    assert_int_equal(make_config(NULL, "</s>", &config, &err), 0);
    assert_has(&config, "\"eos_token\": \"</s>\"");
    assert_has(&config, "\"pad_token\": \"</s>\"");
    assert_int_equal(make_config(NULL, "<x>", &config, &err), -1);
    assert_int_equal(err.code, OY_USAGE);
    oy_buffer_release(&config);
}

static void templates_come_in_three_forms(void **state)
{
    struct oy_buffer config = {0};
    struct oy_error err = {0};

    (void)state;
    assert_int_equal(make_config("{{ \"hi\" }}\n", NULL, &config, &err), 0);
    assert_has(&config, "\"chat_template\": \"{{ \\\"hi\\\" }}\\n\"");
    assert_int_equal(make_config("{\"a\":1,\"eos_token\":\"q\","
                                 "\"chat_template\":\"{{ 1 }}\"}",
                                 NULL, &config, &err),
                     0);
    assert_has(&config, "\"chat_template\": \"{{ 1 }}\"");
    assert_has(&config, "\"eos_token\": \"<s>\"");
    assert_int_equal(
        make_config("{\"special_tokens\":[\"<a>\",\"<b>\"],"
                    "\"plain_tokens\":[\"<b>\"],\"config\":{\"eos_token\":"
                    "\"<a>\",\"extra\":[1,2],\"chat_template\":\"{{ 2 }}\"}}",
                    NULL, &config, &err),
        0);
    assert_has(&config, "\"0\": {\n      \"content\": \"<a>\"");
    assert_has(&config, "\"2\": {\n      \"content\": \"<s>\"");
    assert_has(&config, "\"special\": false");
    assert_has(&config, "\"eos_token\": \"<a>\"");
    assert_has(&config, "\"extra\": [1,2]");
    assert_int_equal(err.code, 0);
    oy_buffer_release(&config);
}

static void malformed_files_are_told(void **state)
{
    static const char *const bad[] = {
        "{% for x in y %}",
        "\xff",
        "{\"a\":1}",
        "{\"chat_template\":7}",
        "{\"chat_template\":\"{{\"}",
        "{\"config\":[]}",
        "{\"config\":{}}",
        "{\"config\":{\"chat_template\":\"x\"},\"special_tokens\":{}}",
        "{\"config\":{\"chat_template\":\"x\"},\"special_tokens\":[\"\"]}",
        "{\"config\":{\"chat_template\":\"x\"},\"plain_tokens\":[5]}",
    };
    struct oy_buffer config = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct oy_error err = {0};

        assert_int_equal(make_config(bad[i], NULL, &config, &err), -1);
        assert_int_equal(err.code, OY_DATA);
    }
    oy_buffer_release(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_framed),
        cmocka_unit_test(templates_come_in_three_forms),
        cmocka_unit_test(malformed_files_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
