/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates: the language, its limits. What is expected was printed by
 * Jinja2 3.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tokenizer/template.h"

static const char vars_json[] =
    "{\"x\":5,\"y\":-7,\"f\":1.5,\"n\":null,\"b\":true,\"s\":\"Hello World\","
    "\"l\":[\"a\",\"b\",\"c\"],\"d\":{\"k\":1,\"a\":\"z\"},"
    "\"u\":[{\"name\":\"Bob\",\"age\":5},{\"name\":\"al\",\"age\":3}]}"
    "                                                                ";

static int render(unsigned flags, const char *source, struct oy_buffer *out,
                  struct oy_error *err)
{
    const struct template_options options = {.flags = flags};
    struct template *template =
        template_compile(source, strlen(source), &options, err);
    struct oy_arena arena = {0};
    struct template_value vars;
    const char *why;
    int rc = -1;

    assert_int_equal(
        template_parse_json(vars_json, strlen(vars_json), &arena, &vars, &why),
        0);
    if (template)
        rc = template_render(template, &vars, &arena, out, err);
    template_free(template);
    oy_arena_release(&arena);
    return rc;
}

static void assert_renders(unsigned flags, const char *source, const char *want)
{
    struct oy_buffer out = {0};
    struct oy_error err = {0};

    if (render(flags, source, &out, &err))
        fail_msg("%s: %s", source, err.message);
    assert_string_equal(oy_buffer_string(&out), want);
    oy_buffer_release(&out);
}

static void assert_fails(unsigned flags, const char *source, const char *why)
{
    struct oy_buffer out = {0};
    struct oy_error err = {0};

    assert_int_equal(render(flags, source, &out, &err), -1);
    assert_int_equal(err.code, OY_DATA);
    if (!strstr(err.message, why))
        fail_msg("%s: '%s' is not about '%s'", source, err.message, why);
    oy_buffer_release(&out);
}

static void values_print_as_in_python(void **state)
{
    (void)state;
    assert_renders(0, "{{x}} {{y}} {{f}} {{n}} {{b}} {{l}} {{d}}",
                   "5 -7 1.5 None True ['a', 'b', 'c'] {'k': 1, 'a': 'z'}");
    assert_renders(0, "{{ (1,) }}{{ [\"a'b\", 'q\"', '\\n'] }}",
                   "(1,)[\"a'b\", 'q\"', '\\n']");
    assert_renders(0, "{{1e20}} {{1e-7}} {{2.0}} {{zz}}|", "1e+20 1e-07 2.0 |");
}

static void operators(void **state)
{
    (void)state;
    assert_renders(0, "{{x/2}} {{y//2}} {{y%3}} {{2**10}} {{ -x|abs}}",
                   "2.5 -4 2 1024 5");
    assert_renders(0, "{{1 < x <= 5}} {{'k' in d}} {{'a' not in 'bcd'}}",
                   "True True True");
    assert_renders(0, "{{'a' ~ 1 ~ 2.0}} {{[1]+[2]}} {{'ab'*3}}",
                   "a12.0 [1, 2] ababab");
    assert_renders(0, "{{n or 'o'}} {{x and 'y'}} {{not b}}", "o y False");
    assert_renders(0, "{{'a' if x == 5 else 'b'}}{{'q' if n}}", "a");
    assert_fails(0, "{{1/0}}", "division by zero");
    assert_fails(0, "{{9223372036854775807 + 1}}", "64 bits");
    assert_fails(0, "{{1 + 'a'}}", "operands");
}

static void items_slices_methods(void **state)
{
    (void)state;
    assert_renders(0, "{{s[::-1]}} {{s[1:4]}} {{s[-3:]}} {{l[-1]}} {{d.k}}",
                   "dlroW olleH ell rld c 1");
    assert_renders(0, "{{s.split('o')}} {{s.find('W')}} {{'  a '.strip()}}|",
                   "['Hell', ' W', 'rld'] 6 a|");
    assert_renders(0, "{{l.index('b')}} {{d.get('q', 4)}} {{d.items()|list}}",
                   "1 4 [('k', 1), ('a', 'z')]");
    assert_renders(0,
                   "{{'\u01c6x'.capitalize()}} {{'\ufb01x'.capitalize()}} "
                   "{{'\u0391\u03a3'.capitalize()}} {{'\u00df'.upper()}}",
                   "\u01c5x Fix \u0391\u03c2 SS");
    assert_fails(0, "{{l.append(1)}}", "no method");
    assert_fails(0, "{{zz.k}}", "'zz' is undefined");
}

static void filters_and_tests(void **state)
{
    (void)state;
    assert_renders(0,
                   "{{l|join('-')}} {{u|map(attribute='name')|list}} "
                   "{{u|selectattr('age','gt',4)|list|length}}",
                   "a-b-c ['Bob', 'al'] 1");
    assert_renders(0, "{{u|sort(attribute='name')|map(attribute='age')|list}}",
                   "[3, 5]");
    assert_renders(0, "{{d|tojson}} {{d|tojson(indent=1)}}",
                   "{\"k\": 1, \"a\": \"z\"} {\n \"k\": 1,\n \"a\": \"z\"\n}");
    assert_renders(0,
                   "{{zz is defined}} {{x is odd}} {{n is none}} "
                   "{{x is divisibleby 5}} {{s is not string}}",
                   "False True True True False");
    assert_renders(0, "{{zz|default('e')}} {{'12'|int + 1}} {{2.675|round(2)}}",
                   "e 13 2.67");
    assert_fails(0, "{{x|nothing}}", "unknown filter");
    assert_fails(0, "{{x is nothing}}", "unknown test");
}

static void statements(void **state)
{
    (void)state;
    assert_renders(0,
                   "{% for c in l %}{{loop.index}}{{c}}{{loop.last}} "
                   "{% endfor %}",
                   "1aFalse 2bFalse 3cTrue ");
    assert_renders(0,
                   "{% for c in l if c > 'a' %}{{c}}{% else %}-{% endfor %}"
                   "{% for c in [] %}{% else %}-{% endfor %}",
                   "bc-");
    assert_renders(0,
                   "{% for i in range(9) %}{% if i == 1 %}{% continue %}"
                   "{% endif %}{% if i == 4 %}{% break %}{% endif %}{{i}}"
                   "{% endfor %}",
                   "023");
    assert_renders(0,
                   "{% set v = 1 %}{% for c in l %}{% set v = 2 %}"
                   "{% endfor %}{{v}}",
                   "1");
    assert_renders(0,
                   "{% set ns = namespace(v=1) %}{% for c in l %}"
                   "{% set ns.v = ns.v + 1 %}{% endfor %}{{ns.v}}",
                   "4");
    assert_renders(0,
                   "{% macro m(a, b='y') %}[{{a}}{{b}}]{% endmacro %}"
                   "{{m(1)}}{{m(2, b=3)}}",
                   "[1y][23]");
    assert_renders(0,
                   "{% macro w() %}<{{caller(4)}}>{% endmacro %}"
                   "{% call(q) w() %}in {{q}}{% endcall %}",
                   "<in 4>");
    assert_renders(0,
                   "{% set t %}a{{x}}{% endset %}{{t|upper}}"
                   "{% filter upper %}b{% endfilter %}",
                   "A5B");
    assert_renders(0, "{% if y > 0 %}a{% elif x > 9 %}b{% else %}c{% endif %}",
                   "c");
}

static void white_space(void **state)
{
    (void)state;
    assert_renders(0, "a \n {%- if b -%} \n c {%- endif %} d\n", "ac d");
    assert_renders(TEMPLATE_KEEP_NEWLINE, "a\n", "a\n");
    assert_renders(TEMPLATE_CHAT, "  {% if b %}\n  x\n  {% endif %}\n y\n",
                   "  x\n y");
    assert_renders(TEMPLATE_CHAT, "{%+ if b %}a{% endif +%}\nb", "a\nb");
    assert_renders(0, "{# c #}a{% raw %}{{x}}{% endraw %}\r\nb", "a{{x}}\nb");
}

static void strictness(void **state)
{
    (void)state;
    assert_fails(TEMPLATE_STRICT, "{{zz}}", "'zz' is undefined");
    assert_fails(TEMPLATE_STRICT, "{% if d.q %}{% endif %}", "'q'");
    assert_renders(TEMPLATE_STRICT, "{{zz is defined}}{{zz|d('e')}}", "Falsee");
}

static void mistakes_name_their_line(void **state)
{
    (void)state;
    assert_fails(0, "a\n{{ x", "line 2");
    assert_fails(0, "\n\n{% if x %}", "line 3");
    assert_fails(0, "{% nothing %}", "unknown block");
    assert_fails(0, "{{ x y }}", "line 1");
    assert_fails(0, "{{ raise_exception('no ' ~ x) }}", "no 5");
    assert_fails(0, "\xff", "UTF-8");
}

static void limits_hold(void **state)
{
    char deep[4000] = "{{ ";

    (void)state;
    for (int i = 0; i < 1500; i++)
        strcat(deep, "(");
    strcat(deep, "1");
    for (int i = 0; i < 1500; i++)
        strcat(deep, ")");
    strcat(deep, "}}");
    assert_fails(0, deep, "nested too deep");
    assert_fails(0, "{% for i in range(99999999) %}{% endfor %}", "steps");
    assert_fails(0,
                 "{% for i in range(9999) %}{% for j in range(9999) %}"
                 "{% endfor %}{% endfor %}",
                 "steps");
    assert_fails(0, "{{ 'aaaaaaaa' * 99999999 }}", "bytes");
    assert_fails(0,
                 "{% set ns = namespace(v='aaaaaaaaaaaaaaaa') %}"
                 "{% for i in range(99) %}{% set ns.v = ns.v ~ ns.v %}"
                 "{% endfor %}",
                 "bytes");
    assert_fails(0, "{% macro m() %}{{m()}}{% endmacro %}{{m()}}",
                 "nested too deep");
    assert_fails(0,
                 "{% set ns = namespace(v=[]) %}{% for i in range(9999) %}"
                 "{% set ns.v = [ns.v] %}{% endfor %}{{ns.v}}",
                 "nested too deep");
}

static void expressions_keep_their_type(void **state)
{
    static const char source[] = "d.k + x";
    const struct template_options options = {0};
    struct oy_error err = {0};
    struct oy_arena arena = {0};
    struct template_value vars, value;
    const char *why;
    struct template *template =
        template_compile_expression(source, strlen(source), &options, &err);

    (void)state;
    assert_non_null(template);
    assert_int_equal(
        template_parse_json(vars_json, strlen(vars_json), &arena, &vars, &why),
        0);
    assert_int_equal(template_evaluate(template, &vars, &arena, &value, &err),
                     0);
    assert_int_equal(value.kind, TEMPLATE_INT);
    assert_int_equal(value.integer, 6);
    template_free(template);
    oy_arena_release(&arena);
}

static void json_comes_back_as_python_writes_it(void **state)
{
    static const char text[] =
        "{\"a\":[1,2.50,1e3,123456789012345678901],\"b\":{\"c\":null,"
        "\"c\":\"\\u00e9\\n\"},\"e\":{},\"f\":[]}"
        "                                                                ";
    const struct template_json_style flat = {.indent = -1}, two = {.indent = 2};
    struct oy_arena arena = {0};
    struct oy_buffer out = {0};
    struct template_value value;
    const char *why;

    (void)state;
    assert_int_equal(
        template_parse_json(text, strlen(text), &arena, &value, &why), 0);
    template_put_json(&value, &flat, &out);
    assert_string_equal(
        oy_buffer_string(&out),
        "{\"a\": [1, 2.5, 1000.0, 123456789012345678901], \"b\": {\"c\": "
        "\"\u00e9\\n\"}, \"e\": {}, \"f\": []}");
    oy_buffer_clear(&out);
    template_put_json(template_get(&value, "b"), &two, &out);
    assert_string_equal(oy_buffer_string(&out), "{\n  \"c\": \"\u00e9\\n\"\n}");
    oy_buffer_release(&out);
    oy_arena_release(&arena);
}

static void generators_are_read_once(void **state)
{
    (void)state;
    assert_renders(0,
                   "{% set g = l|select('in', 'ab') %}{{ g|join }}-{{ g|join }}"
                   "{% if [] |select('odd') %}true{% endif %}",
                   "ab-true");
    assert_renders(0, "{{n|map('upper')|list}}{{l|reverse|first}}", "[]c");
    assert_fails(0, "{{ (l|map('upper'))|length }}", "no length");
    assert_fails(0, "{{ l|map('upper')|tojson }}", "'generator' has no JSON");
    assert_fails(0, "{{ zz|tojson }}", "'Undefined' has no JSON");
}

static void markup_escapes_what_joins_it(void **state)
{
    (void)state;
    assert_renders(0, "{{'<'|safe + '<'}} {{'<' + '<'|e}} {{'<'|e|e}}",
                   "<&lt; &lt;&lt; &lt;");
    assert_renders(0, "{{'<'|safe ~ '<'}} {{'<'|e|forceescape}}",
                   "<< &amp;lt;");
}

static void formats(void **state)
{
    (void)state;
    assert_renders(
        0, "{{'%s=%d'|format('a', 3)}} {{'%s' % s}} {{'%s%s' % (1, 2)}}",
        "a=3 Hello World 12");
    assert_renders(0, "{{'{} {x!r} {{}}'.format(1, x='q')}}", "1 'q' {}");
    assert_fails(0, "{{'%s' % (1, 2)}}", "more values");
    assert_fails(0, "{{'{}'.format()}}", "format");
}

static void names_behind_a_dot_are_methods_first(void **state)
{
    (void)state;
    assert_renders(0,
                   "{% set q = {'items': 1, 'k': 2} %}{{q['items']}} {{q.k}} "
                   "{% for k, v in q.items() %}{{k}}{{v}} {% endfor %}"
                   "{% set f = s.upper %}{{f()}}",
                   "1 2 items1 k2 HELLO WORLD");
    assert_fails(0, "{% set q = namespace() %}{% set q._a = 1 %}", "_a");
}

static void loops_call_themselves(void **state)
{
    (void)state;
    assert_renders(0,
                   "{% for n in [1, [2, [3]]] recursive %}{% if n is number %}"
                   "{{n}}d{{loop.depth}}{% else %}[{{loop(n)}}]{% endif %}"
                   "{% endfor %}",
                   "1d1[2d2[3d3]]");
    assert_fails(0, "{% for n in l %}{{loop(l)}}{% endfor %}",
                 "cannot be called");
    assert_renders(0,
                   "{% for k, v in u|groupby('age') %}{{k}}{{v|length}} "
                   "{% endfor %}{{dict([('a', 1)])}}",
                   "31 51 {'a': 1}");
    assert_fails(0, "{% macro m(a) %}{% endmacro %}{{m(b=1)}}",
                 "no argument 'b'");
}

/* Each would take hours, or the whole memory. */
static void hostile_templates_end(void **state)
{
    static const char *const grow =
        "{% set q = namespace(s=[1]) %}{% for i in range(60) %}"
        "{% set q.s = [q.s, q.s] %}{% endfor %}";
    static const char *const use[] = {"{{q.s}}",
                                      "{{q.s|tojson}}",
                                      "{{q.s == [[1], [q.s]]}}",
                                      "{{[q.s, q.s]|sort}}",
                                      "{{'%s' % (q.s,)}}",
                                      "{{q.s ~ 'a'}}",
                                      "{{q.s is eq q.s}}"};
    static const char *const search[] = {
        "{% if 'ab' in t %}{% endif %}",   "{% set x = t.count('b') %}",
        "{% set x = t.strip('b') %}",      "{% set x = t|length %}",
        "{% if t == t ~ '' %}{% endif %}", "{% if t is upper %}{% endif %}"};
    char source[400];

    (void)state;
    for (size_t i = 0; i < sizeof use / sizeof *use; i++) {
        snprintf(source, sizeof source, "%s%s", grow, use[i]);
        assert_fails(0, source, "steps");
    }
    for (size_t i = 0; i < sizeof search / sizeof *search; i++) {
        snprintf(source, sizeof source,
                 "{%% set t = 'a' * 1000000 %%}{%% for i in range(500000) %%}"
                 "%s{%% endfor %%}",
                 search[i]);
        assert_fails(0, source, "steps");
    }
    assert_fails(0, "{{('a' * 1000000).join('b' * 99999)}}", "few texts");
    assert_fails(0, "{{('a\n' * 99999)|indent('b' * 99999)}}", "bytes");
}

static void keys_are_found_among_many(void **state)
{
    (void)state;
    assert_renders(
        0,
        "{% set q = namespace(d={}) %}{% for i in range(300) %}"
        "{% set q.d = dict(q.d, **{i|string: i}) %}{% endfor %}"
        "{{q.d|length}} {{q.d['299']}} {{q.d['17']}} {{q.d['300']}}|",
        "300 299 17 |");
    assert_renders(0,
                   "{% set q = dict(range(40)|map('string')|list|batch(2)) %}"
                   "{{q|length}} {{q['38']}}",
                   "20 39");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generators_are_read_once),
        cmocka_unit_test(markup_escapes_what_joins_it),
        cmocka_unit_test(formats),
        cmocka_unit_test(names_behind_a_dot_are_methods_first),
        cmocka_unit_test(loops_call_themselves),
        cmocka_unit_test(hostile_templates_end),
        cmocka_unit_test(keys_are_found_among_many),
        cmocka_unit_test(values_print_as_in_python),
        cmocka_unit_test(operators),
        cmocka_unit_test(items_slices_methods),
        cmocka_unit_test(filters_and_tests),
        cmocka_unit_test(statements),
        cmocka_unit_test(white_space),
        cmocka_unit_test(strictness),
        cmocka_unit_test(mistakes_name_their_line),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(expressions_keep_their_type),
        cmocka_unit_test(json_comes_back_as_python_writes_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
