/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates compiled and freed; the parts are in template_*.c. */
#include "tokenizer/template.h"

#include "tokenizer/template_internal.h"

static struct template *compile(const char *source, size_t len,
                                const struct template_options *options,
                                int expression, struct oy_error *err)
{
    struct template *template = oy_calloc(1, sizeof *template);
    struct token_list list = {0};
    int rc;

    template->options = *options;
    rc = template_lex(source, len, options->flags, expression, &template->arena,
                      &list, err);
    if (rc == 0)
        rc = template_parse(&list, expression, &template->arena,
                            &template->root, err);
    oy_free(list.token);
    if (rc == 0)
        return template;
    template_free(template);
    return NULL;
}

struct template *template_compile(const char *source, size_t len,
                                  const struct template_options *options,
                                  struct oy_error *err)
{
    return compile(source, len, options, 0, err);
}

struct template *template_compile_expression(
    const char *source, size_t len, const struct template_options *options,
    struct oy_error *err)
{
    return compile(source, len, options, 1, err);
}

void template_spans_release(struct template_spans *spans)
{
    oy_free(spans->span);
    *spans = (struct template_spans){0};
}

void template_free(struct template *template)
{
    if (!template)
        return;
    oy_arena_release(&template->arena);
    oy_free(template);
}
