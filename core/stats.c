/* SPDX-License-Identifier: Apache-2.0
 *
 * Final counts as JSON. */
#include "core/stats.h"

#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/json.h"
#include "core/output.h"

int oy_stats_write(const char *path, const char *program,
                   const struct oy_counters *counter, struct oy_error *err)
{
    struct oy_buffer out = {0};
    int rc = 0;

    oy_buffer_append_format(&out,
                            "{\n  \"program\": \"%s\",\n"
                            "  \"version\": \"%s\"",
                            program, OYSTER_VERSION);
    for (int i = 0; i < counter->n_item; i++) {
        const struct oy_counter *item = &counter->item[i];
        oy_buffer_append_string(&out, ",\n  ");
        oy_json_put_string(&out, item->name, strlen(item->name));
        oy_buffer_append_format(&out, ": %llu",
                                (unsigned long long)item->count);
    }
    oy_buffer_append_string(&out, "\n}\n");
    if (strcmp(path, "-"))
        rc = oy_output_write_file(path, out.data, out.len, err);
    else if (fwrite(out.data, 1, out.len, stderr) != out.len)
        rc = oy_fail_errno(err, OY_IO, "stderr");
    oy_buffer_release(&out);
    return rc;
}
