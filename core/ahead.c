/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoding thread and its ring of buffers. */
#include "core/ahead.h"

#include <pthread.h>
#include <string.h>

enum {
    N_SLOT = 8,
    HALF = N_SLOT / 2,
    SLOT_SIZE = 256 << 10,
    TAKE_SIZE = 256 << 10, /* compressed bytes asked for at once */
};

struct slot {
    unsigned char *data;
    size_t len;
    int last; /* the end, or the failure, stands behind these bytes */
};

struct oy_ahead {
    struct oy_decoder *decoder;
    const char *name;
    oy_ahead_source source;
    void *arg;

    /* The thread's own. */
    pthread_t thread;
    unsigned char *taken;
    struct oy_codec_io io;

    /* Shared under `lock`: filled slots are n_read .. n_filled - 1. */
    pthread_mutex_t lock;
    pthread_cond_t filled, freed;
    size_t n_filled, n_read;
    size_t wanted;    /* slots that the reader waits for; 0: it does not */
    int thread_waits; /* for room */
    int ended;        /* the last slot is filled */
    int stop;
    struct slot slot[N_SLOT];
    struct oy_error failure; /* set before its slot is handed over */

    size_t at; /* the reader's place in its slot */
};

static int take_more(struct oy_ahead *ahead)
{
    struct oy_codec_io *io = &ahead->io;
    const ssize_t n =
        ahead->source(ahead->arg, ahead->taken, TAKE_SIZE, &ahead->failure);

    if (n < 0)
        return -1;
    io->in = ahead->taken;
    io->n_in = (size_t)n;
    io->last = n < TAKE_SIZE;
    return 0;
}

static int explain_stop(struct oy_ahead *ahead, enum oy_codec_state state)
{
    if (ahead->io.n_in)
        return oy_fail(&ahead->failure, OY_DATA, "%s: corrupt compressed data",
                       ahead->name);
    if (state == OY_CODEC_INSIDE)
        return oy_fail(&ahead->failure, OY_DATA,
                       "%s: truncated: the compressed data end too early",
                       ahead->name);
    return 0;
}

/* Fills one slot; sets last at the end or after a failure. */
static void fill_slot(struct oy_ahead *ahead, struct slot *slot)
{
    struct oy_codec_io *io = &ahead->io;
    const char *why = "";

    io->out = slot->data;
    io->n_out = SLOT_SIZE;
    slot->last = 1;
    while (io->n_out) {
        if (!io->n_in && !io->last && take_more(ahead))
            break;
        const size_t in_before = io->n_in, out_before = io->n_out;
        const enum oy_codec_state state =
            ahead->decoder->step(ahead->decoder, io, &why);
        if (state == OY_CODEC_BAD) {
            oy_fail(&ahead->failure, OY_DATA, "%s: %s", ahead->name, why);
            break;
        }
        const int idle = io->n_in == in_before && io->n_out == out_before;
        if (idle && (io->last || io->n_in)) {
            explain_stop(ahead, state);
            break;
        }
    }
    if (!io->n_out)
        slot->last = 0;
    slot->len = SLOT_SIZE - io->n_out;
}

static struct slot *wait_for_room(struct oy_ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->stop && ahead->n_filled - ahead->n_read == N_SLOT) {
        ahead->thread_waits = 1;
        pthread_cond_wait(&ahead->freed, &ahead->lock);
    }
    ahead->thread_waits = 0;
    struct slot *slot =
        ahead->stop ? NULL : &ahead->slot[ahead->n_filled % N_SLOT];
    pthread_mutex_unlock(&ahead->lock);
    return slot;
}

/* Signals are given outside the lock: inside, who wakes would only wait for
 * it. */
static void hand_over(struct oy_ahead *ahead, int last)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->n_filled++;
    ahead->ended = last;
    const int wakes =
        ahead->wanted &&
        (last || ahead->n_filled - ahead->n_read >= ahead->wanted);
    pthread_mutex_unlock(&ahead->lock);
    if (wakes)
        pthread_cond_signal(&ahead->filled);
}

static void *decode_all(void *arg)
{
    struct oy_ahead *ahead = arg;
    int old, last = 0;

    /* The source enables cancellation around its read(2) alone. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    while (!last) {
        struct slot *slot = wait_for_room(ahead);
        if (!slot)
            break;
        fill_slot(ahead, slot);
        last = slot->last;
        hand_over(ahead, last);
    }
    return NULL;
}

static void release(struct oy_ahead *ahead)
{
    for (int i = 0; i < N_SLOT; i++)
        oy_free(ahead->slot[i].data);
    oy_free(ahead->taken);
    ahead->decoder->free(ahead->decoder);
    pthread_cond_destroy(&ahead->filled);
    pthread_cond_destroy(&ahead->freed);
    pthread_mutex_destroy(&ahead->lock);
    oy_free(ahead);
}

struct oy_ahead *oy_ahead_new(struct oy_decoder *decoder, const char *name,
                              oy_ahead_source source, void *arg,
                              struct oy_error *err)
{
    struct oy_ahead *ahead = oy_calloc(1, sizeof *ahead);

    ahead->decoder = decoder;
    ahead->name = name;
    ahead->source = source;
    ahead->arg = arg;
    ahead->taken = oy_alloc(TAKE_SIZE);
    for (int i = 0; i < N_SLOT; i++)
        ahead->slot[i].data = oy_alloc(SLOT_SIZE);
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->filled, NULL);
    pthread_cond_init(&ahead->freed, NULL);
    if (pthread_create(&ahead->thread, NULL, decode_all, ahead) == 0)
        return ahead;
    oy_fail(err, OY_SYSTEM, "%s: cannot start a thread", name);
    release(ahead);
    return NULL;
}

void oy_ahead_free(struct oy_ahead *ahead)
{
    if (!ahead)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->stop = 1;
    pthread_mutex_unlock(&ahead->lock);
    pthread_cond_signal(&ahead->freed);
    pthread_cancel(ahead->thread);
    pthread_join(ahead->thread, NULL);
    release(ahead);
}

/* The slot in use. Where there is none, the reader sleeps until there are as
 * many as hold `size` bytes, but not more than half the ring: so the thread
 * always has room, or the reader something to read. */
static struct slot *current_slot(struct oy_ahead *ahead, size_t size)
{
    const size_t whole = (size - 1) / SLOT_SIZE + 1;
    const size_t want = whole < HALF ? whole : HALF;

    pthread_mutex_lock(&ahead->lock);
    if (ahead->n_filled == ahead->n_read) {
        ahead->wanted = want;
        while (!ahead->ended && ahead->n_filled - ahead->n_read < want)
            pthread_cond_wait(&ahead->filled, &ahead->lock);
        ahead->wanted = 0;
    }
    pthread_mutex_unlock(&ahead->lock);
    return &ahead->slot[ahead->n_read % N_SLOT];
}

static void give_back(struct oy_ahead *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->n_read++;
    ahead->at = 0;
    const int wakes =
        ahead->thread_waits && ahead->n_filled - ahead->n_read <= HALF;
    pthread_mutex_unlock(&ahead->lock);
    if (wakes)
        pthread_cond_signal(&ahead->freed);
}

ssize_t oy_ahead_read(struct oy_ahead *ahead, void *buf, size_t size,
                      struct oy_error *err)
{
    size_t done = 0;

    while (done < size) {
        const struct slot *slot = current_slot(ahead, size - done);
        const size_t ready = slot->len - ahead->at;
        const size_t n = ready < size - done ? ready : size - done;
        memcpy((char *)buf + done, slot->data + ahead->at, n);
        ahead->at += n;
        done += n;
        if (ahead->at < slot->len)
            break; /* the buffer is full */
        if (slot->last)
            break;
        give_back(ahead);
    }
    /* A short count would be taken for the end. */
    if (done < size && ahead->failure.code)
        return oy_fail(err, ahead->failure.code, "%s", ahead->failure.message);
    return (ssize_t)done;
}
