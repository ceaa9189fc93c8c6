/* SPDX-License-Identifier: Apache-2.0
 *
 * A POST by libcurl. */
#include "core/http.h"

#include <curl/curl.h>
#include <string.h>

#include "core/alloc.h"

enum { MAX_TROUBLE = 600, CONNECT_SECONDS = 30 };

struct transfer {
    const struct oy_http_request *request;
    CURL *curl;
    struct oy_buffer trouble; /* the body of an answer that is no success */
    int is_ended;             /* by its receiver */
};

static long status_of(const struct transfer *transfer)
{
    long status = 0;

    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t receive(char *data, size_t size, size_t n, void *arg)
{
    struct transfer *transfer = arg;
    const struct oy_http_request *request = transfer->request;
    const size_t len = size * n;

    if (status_of(transfer) / 100 != 2) {
        if (transfer->trouble.len < MAX_TROUBLE)
            oy_buffer_append(&transfer->trouble, data,
                             len < MAX_TROUBLE ? len : MAX_TROUBLE);
        return len;
    }
    transfer->is_ended = request->receive(request->arg, data, len);
    return transfer->is_ended ? 0 : len;
}

static int progress(void *arg, curl_off_t to_get, curl_off_t got,
                    curl_off_t to_put, curl_off_t put)
{
    struct transfer *transfer = arg;

    (void)to_get;
    (void)got;
    (void)to_put;
    (void)put;
    transfer->is_ended =
        transfer->request->receive(transfer->request->arg, "", 0);
    return transfer->is_ended;
}

static struct curl_slist *make_headers(const struct oy_http_request *request)
{
    struct curl_slist *list =
        curl_slist_append(NULL, "Content-Type: application/json");

    if (request->token) {
        char *line = oy_asprintf("Authorization: Bearer %s", request->token);
        list = curl_slist_append(list, line);
        oy_free(line);
    }
    return list;
}

static void set_options(struct transfer *transfer, struct curl_slist *headers)
{
    const struct oy_http_request *request = transfer->request;
    CURL *curl = transfer->curl;

    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)request->len);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
}

static int judge(struct transfer *transfer, CURLcode code, struct oy_error *err)
{
    const char *url = transfer->request->url;
    const long status = status_of(transfer);

    if (transfer->is_ended)
        return 0;
    if (code != CURLE_OK)
        return oy_fail(err, OY_UNAVAILABLE, "%s: %s", url,
                       curl_easy_strerror(code));
    if (status / 100 != 2)
        return oy_fail(err, OY_UNAVAILABLE, "%s: status %ld: %s", url, status,
                       oy_buffer_string(&transfer->trouble));
    return 0;
}

int oy_http_post(const struct oy_http_request *request, struct oy_error *err)
{
    struct transfer transfer = {.request = request, .curl = curl_easy_init()};

    if (!transfer.curl)
        return oy_fail(err, OY_SYSTEM, "libcurl does not start");
    struct curl_slist *headers = make_headers(request);
    set_options(&transfer, headers);
    const int status = judge(&transfer, curl_easy_perform(transfer.curl), err);
    curl_slist_free_all(headers);
    curl_easy_cleanup(transfer.curl);
    oy_buffer_release(&transfer.trouble);
    return status;
}
