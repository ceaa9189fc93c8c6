/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring of frames: filled by the caller, compressed by threads, written by
 * the caller in order. */
#include "core/frames.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "core/codec.h"

enum {
    FRAME_SIZE = 8 << 20,
    FRAME_MAX = 32 << 20,
    MAX_THREAD = 64,
    SEEK_MAGIC = 0x184D2A5E, /* the skippable frame of a seek table */
    SEEK_ENTRY_SIZE = 8,     /* compressed and decompressed size */
    SEEK_FOOTER_SIZE = 9,    /* number of frames, descriptor, magic */
};

static const uint32_t SEEK_FOOTER_MAGIC = 0x8F92EAB1;

struct frame {
    struct oy_buffer plain;
    struct oy_buffer packed;
    int done;
};

struct oy_frames {
    enum oy_codec codec;
    oy_frames_sink sink;
    void *arg;
    struct oy_buffer table; /* entries of the seek table */
    uint32_t n_entry;

    /* Frame k lives in slot k % n_slot. The caller fills frame `n_full`;
     * threads take `n_taken` .. n_full - 1; `n_written` are handed on. */
    struct frame *slot;
    size_t n_slot;
    size_t n_full, n_taken, n_written;

    int n_thread; /* running; 0: the caller compresses */
    pthread_t thread[MAX_THREAD];
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    int stop;
    struct oy_encoder *encoder; /* of the caller */
    int level;
};

static struct oy_encoder *new_encoder(const struct oy_frames *frames)
{
    return frames->codec == OY_CODEC_ZSTD ? oy_zstd_encoder_new(frames->level)
                                          : oy_gzip_encoder_new(frames->level);
}

static struct frame *frame_at(struct oy_frames *frames, size_t number)
{
    return &frames->slot[number % frames->n_slot];
}

static void pack(struct oy_encoder *encoder, struct frame *frame)
{
    oy_buffer_clear(&frame->packed);
    encoder->encode(encoder, frame->plain.data, frame->plain.len,
                    &frame->packed);
}

/* ---- threads ---- */

static struct frame *take_work(struct oy_frames *frames)
{
    struct frame *frame = NULL;

    pthread_mutex_lock(&frames->lock);
    while (!frames->stop && frames->n_taken == frames->n_full)
        pthread_cond_wait(&frames->work, &frames->lock);
    if (!frames->stop)
        frame = frame_at(frames, frames->n_taken++);
    pthread_mutex_unlock(&frames->lock);
    return frame;
}

static void *pack_frames(void *arg)
{
    struct oy_frames *frames = arg;
    struct oy_encoder *encoder = new_encoder(frames);

    for (;;) {
        struct frame *frame = take_work(frames);
        if (!frame)
            break;
        pack(encoder, frame);
        pthread_mutex_lock(&frames->lock);
        frame->done = 1;
        pthread_cond_signal(&frames->done);
        pthread_mutex_unlock(&frames->lock);
    }
    encoder->free(encoder);
    return NULL;
}

static int start_threads(struct oy_frames *frames, int n, struct oy_error *err)
{
    for (int i = 0; i < n; i++) {
        if (pthread_create(&frames->thread[i], NULL, pack_frames, frames))
            return oy_fail(err, OY_SYSTEM, "cannot start a thread");
        frames->n_thread++;
    }
    return 0;
}

static void stop_threads(struct oy_frames *frames)
{
    pthread_mutex_lock(&frames->lock);
    frames->stop = 1;
    pthread_cond_broadcast(&frames->work);
    pthread_mutex_unlock(&frames->lock);
    for (int i = 0; i < frames->n_thread; i++)
        pthread_join(frames->thread[i], NULL);
}

/* ---- life ---- */

struct oy_frames *oy_frames_new(enum oy_codec codec, int level, int n_thread,
                                oy_frames_sink sink, void *arg,
                                struct oy_error *err)
{
    struct oy_frames *frames = oy_calloc(1, sizeof *frames);

    if (n_thread > MAX_THREAD)
        n_thread = MAX_THREAD;
    frames->codec = codec;
    frames->level = level;
    frames->sink = sink;
    frames->arg = arg;
    frames->n_slot = n_thread > 1 ? (size_t)n_thread + 1 : 1;
    frames->slot = oy_calloc(frames->n_slot, sizeof *frames->slot);
    pthread_mutex_init(&frames->lock, NULL);
    pthread_cond_init(&frames->work, NULL);
    pthread_cond_init(&frames->done, NULL);
    if (n_thread <= 1) {
        frames->encoder = new_encoder(frames);
    } else if (start_threads(frames, n_thread, err)) {
        oy_frames_free(frames);
        return NULL;
    }
    return frames;
}

void oy_frames_free(struct oy_frames *frames)
{
    if (!frames)
        return;
    stop_threads(frames);
    if (frames->encoder)
        frames->encoder->free(frames->encoder);
    for (size_t i = 0; i < frames->n_slot; i++) {
        oy_buffer_release(&frames->slot[i].plain);
        oy_buffer_release(&frames->slot[i].packed);
    }
    oy_free(frames->slot);
    oy_buffer_release(&frames->table);
    pthread_cond_destroy(&frames->done);
    pthread_cond_destroy(&frames->work);
    pthread_mutex_destroy(&frames->lock);
    oy_free(frames);
}

/* ---- writing ---- */

static void put_u32(struct oy_buffer *out, uint32_t value)
{
    const unsigned char byte[4] = {
        (unsigned char)value, (unsigned char)(value >> 8),
        (unsigned char)(value >> 16), (unsigned char)(value >> 24)};

    oy_buffer_append(out, byte, sizeof byte);
}

/* Waits for the oldest frame and hands it on. */
static int write_oldest(struct oy_frames *frames, struct oy_error *err)
{
    struct frame *frame = frame_at(frames, frames->n_written);

    if (frames->encoder) {
        pack(frames->encoder, frame);
    } else {
        pthread_mutex_lock(&frames->lock);
        while (!frame->done)
            pthread_cond_wait(&frames->done, &frames->lock);
        pthread_mutex_unlock(&frames->lock);
    }
    put_u32(&frames->table, (uint32_t)frame->packed.len);
    put_u32(&frames->table, (uint32_t)frame->plain.len);
    frames->n_entry++;
    frames->n_written++;
    frame->done = 0;
    oy_buffer_clear(&frame->plain);
    return frames->sink(frames->arg, frame->packed.data, frame->packed.len,
                        err);
}

/* Gives the frame that is being filled to the threads; there is a free slot
 * for the next one afterwards. */
static int end_frame(struct oy_frames *frames, struct oy_error *err)
{
    pthread_mutex_lock(&frames->lock);
    frames->n_full++;
    pthread_cond_signal(&frames->work);
    pthread_mutex_unlock(&frames->lock);
    if (frames->n_full - frames->n_written == frames->n_slot)
        return write_oldest(frames, err);
    return 0;
}

/* How many of these bytes still belong to the frame; *ends when it is full
 * with them. */
static size_t bytes_of_frame(size_t filled, const char *data, size_t len,
                             int *ends)
{
    const size_t room = FRAME_MAX - filled;
    const size_t skip = filled < FRAME_SIZE ? FRAME_SIZE - filled - 1 : 0;

    if (len > skip) {
        const size_t looked = (len < room ? len : room) - skip;
        const char *lf = memchr(data + skip, '\n', looked);
        if (lf) {
            *ends = 1;
            return (size_t)(lf - data) + 1;
        }
    }
    *ends = len >= room;
    return len < room ? len : room;
}

int oy_frames_write(struct oy_frames *frames, const void *data, size_t len,
                    struct oy_error *err)
{
    const char *at = data;

    while (len) {
        struct oy_buffer *plain = &frame_at(frames, frames->n_full)->plain;
        int ends;
        const size_t n = bytes_of_frame(plain->len, at, len, &ends);
        oy_buffer_append(plain, at, n);
        at += n;
        len -= n;
        if (ends && end_frame(frames, err))
            return -1;
    }
    return 0;
}

int oy_frames_flush(struct oy_frames *frames, struct oy_error *err)
{
    if (frame_at(frames, frames->n_full)->plain.len && end_frame(frames, err))
        return -1;
    while (frames->n_written < frames->n_full) {
        if (write_oldest(frames, err))
            return -1;
    }
    return 0;
}

static int write_table(struct oy_frames *frames, struct oy_error *err)
{
    struct oy_buffer out = {0};

    put_u32(&out, SEEK_MAGIC);
    put_u32(&out, frames->n_entry * SEEK_ENTRY_SIZE + SEEK_FOOTER_SIZE);
    oy_buffer_append(&out, frames->table.data, frames->table.len);
    put_u32(&out, frames->n_entry);
    oy_buffer_append_char(&out, '\0'); /* descriptor: entries hold no hash */
    put_u32(&out, SEEK_FOOTER_MAGIC);
    const int rc = frames->sink(frames->arg, out.data, out.len, err);
    oy_buffer_release(&out);
    return rc;
}

int oy_frames_finish(struct oy_frames *frames, struct oy_error *err)
{
    if (frames->n_full == 0 && frames->slot[0].plain.len == 0 &&
        end_frame(frames, err))
        return -1;
    if (oy_frames_flush(frames, err))
        return -1;
    return frames->codec == OY_CODEC_ZSTD ? write_table(frames, err) : 0;
}
