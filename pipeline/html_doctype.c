/* SPDX-License-Identifier: Apache-2.0
 *
 * Which doctypes ask for quirks (13.2.6.4.1 of the HTML standard). */
#include <string.h>
#include <strings.h>

#include "pipeline/html_build_internal.h"

/* Public identifiers begin so; case is ignored. */
static const char *const old_public[] = {
    "+//Silmaril//dtd html Pro v0r11 19970101//",
    "-//AS//DTD HTML 3.0 asWedit + extensions//",
    "-//AdvaSoft Ltd//DTD HTML 3.0 asWedit + extensions//",
    "-//IETF//DTD HTML 2.0 Level 1//",
    "-//IETF//DTD HTML 2.0 Level 2//",
    "-//IETF//DTD HTML 2.0 Strict Level 1//",
    "-//IETF//DTD HTML 2.0 Strict Level 2//",
    "-//IETF//DTD HTML 2.0 Strict//",
    "-//IETF//DTD HTML 2.0//",
    "-//IETF//DTD HTML 2.1E//",
    "-//IETF//DTD HTML 3.0//",
    "-//IETF//DTD HTML 3.2 Final//",
    "-//IETF//DTD HTML 3.2//",
    "-//IETF//DTD HTML 3//",
    "-//IETF//DTD HTML Level 0//",
    "-//IETF//DTD HTML Level 1//",
    "-//IETF//DTD HTML Level 2//",
    "-//IETF//DTD HTML Level 3//",
    "-//IETF//DTD HTML Strict Level 0//",
    "-//IETF//DTD HTML Strict Level 1//",
    "-//IETF//DTD HTML Strict Level 2//",
    "-//IETF//DTD HTML Strict Level 3//",
    "-//IETF//DTD HTML Strict//",
    "-//IETF//DTD HTML//",
    "-//Metrius//DTD Metrius Presentational//",
    "-//Microsoft//DTD Internet Explorer 2.0 HTML Strict//",
    "-//Microsoft//DTD Internet Explorer 2.0 HTML//",
    "-//Microsoft//DTD Internet Explorer 2.0 Tables//",
    "-//Microsoft//DTD Internet Explorer 3.0 HTML Strict//",
    "-//Microsoft//DTD Internet Explorer 3.0 HTML//",
    "-//Microsoft//DTD Internet Explorer 3.0 Tables//",
    "-//Netscape Comm. Corp.//DTD HTML//",
    "-//Netscape Comm. Corp.//DTD Strict HTML//",
    "-//O'Reilly and Associates//DTD HTML 2.0//",
    "-//O'Reilly and Associates//DTD HTML Extended 1.0//",
    "-//O'Reilly and Associates//DTD HTML Extended Relaxed 1.0//",
    "-//SQ//DTD HTML 2.0 HoTMetaL + extensions//",
    "-//SoftQuad Software//DTD HoTMetaL PRO 6.0::19990601::extensions to HTML "
    "4.0//",
    "-//SoftQuad//DTD HoTMetaL PRO 4.0::19971010::extensions to HTML 4.0//",
    "-//Spyglass//DTD HTML 2.0 Extended//",
    "-//Sun Microsystems Corp.//DTD HotJava HTML//",
    "-//Sun Microsystems Corp.//DTD HotJava Strict HTML//",
    "-//W3C//DTD HTML 3 1995-03-24//",
    "-//W3C//DTD HTML 3.2 Draft//",
    "-//W3C//DTD HTML 3.2 Final//",
    "-//W3C//DTD HTML 3.2//",
    "-//W3C//DTD HTML 3.2S Draft//",
    "-//W3C//DTD HTML 4.0 Frameset//",
    "-//W3C//DTD HTML 4.0 Transitional//",
    "-//W3C//DTD HTML Experimental 19960712//",
    "-//W3C//DTD HTML Experimental 970421//",
    "-//W3C//DTD W3 HTML//",
    "-//W3O//DTD W3 HTML 3.0//",
    "-//WebTechs//DTD Mozilla HTML 2.0//",
    "-//WebTechs//DTD Mozilla HTML//",
};

struct text {
    const char *at;
    size_t len;
    int is_there;
};

static int begins(struct text text, const char *what)
{
    const size_t n = strlen(what);

    return text.len >= n && strncasecmp(text.at, what, n) == 0;
}

static int is(struct text text, const char *what)
{
    return text.len == strlen(what) && begins(text, what);
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && html_is_space(*at))
        at++;
    return at;
}

static int is_keyword(const char *at, const char *end, const char *word)
{
    return end - at >= 6 && strncasecmp(at, word, 6) == 0;
}

/* A quoted text at `at`; *broken when it does not end. */
static struct text quoted(const char **at, const char *end, int *broken)
{
    const char *p = skip_space(*at, end);
    struct text text = {0};

    *at = p;
    if (p == end || (*p != '"' && *p != '\''))
        return text;
    const char *close = memchr(p + 1, *p, (size_t)(end - p - 1));
    *broken |= close == NULL;
    text = (struct text){p + 1, (size_t)((close ? close : end) - p - 1), 1};
    *at = close ? close + 1 : end;
    return text;
}

static int ids_have_quirks(struct text public, struct text system)
{
    if (is(public, "-//W3O//DTD W3 HTML Strict 3.0//EN//") ||
        is(public, "-/W3C/DTD HTML 4.0 Transitional/EN") ||
        is(public, "HTML") ||
        is(system,
           "http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd"))
        return 1;
    for (size_t i = 0; i < sizeof old_public / sizeof *old_public; i++) {
        if (begins(public, old_public[i]))
            return 1;
    }
    return !system.is_there &&
           (begins(public, "-//W3C//DTD HTML 4.01 Frameset//") ||
            begins(public, "-//W3C//DTD HTML 4.01 Transitional//"));
}

/* `text` is what stands between "<!doctype" and '>', with it. */
int html_doctype_has_quirks(const char *text, size_t len)
{
    const int is_whole = len && text[len - 1] == '>';
    const char *const end = text + len - is_whole;
    const char *at = skip_space(text, end);
    const char *const name = at;
    struct text public = {0}, system = {0};
    int broken = !is_whole;

    while (at < end && !html_is_space(*at))
        at++;
    if (at - name != 4 || strncasecmp(name, "html", 4) != 0)
        return 1;
    at = skip_space(at, end);
    if (is_keyword(at, end, "public")) {
        at += 6;
        public = quoted(&at, end, &broken);
        broken |= !public.is_there;
        system = quoted(&at, end, &broken);
        broken |= !system.is_there && at < end;
    } else if (is_keyword(at, end, "system")) {
        at += 6;
        system = quoted(&at, end, &broken);
        broken |= !system.is_there;
    } else if (at < end) {
        broken = 1;
    }
    return broken || ids_have_quirks(public, system);
}
