/* Scratch memory of each thread. */
#include "linalg/matmul.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum { PAGE = 4096 };

typedef struct {
    void *data[VEKT_N_WORKSPACES];
    size_t bytes[VEKT_N_WORKSPACES];
} workspaces;

/* The second one is of calls that a signal's handler makes while another call is under way: see interrupt.c. */
static _Thread_local workspaces sets[2];
static _Thread_local int apart;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void release(void *held) {
    for (workspaces *w = held, *end = w + 2; w < end; w++) {
        for (int i = 0; i < VEKT_N_WORKSPACES; i++) {
            free(w->data[i]);
            w->data[i] = NULL;
            w->bytes[i] = 0;
        }
    }
}

static void make_key(void) { pthread_key_create(&key, release); }

void vekt_workspace_apart(int is_apart) { apart = is_apart; }

void *vekt_workspace(int slot, size_t bytes) {
    workspaces *own = &sets[apart];
    if (own->bytes[slot] < bytes || !own->data[slot]) { /* of 0 bytes, too: NULL says that there is no memory */
        if (bytes > PTRDIFF_MAX - PAGE) return NULL;
        pthread_once(&once, make_key);
        pthread_setspecific(key, sets);
        free(own->data[slot]);
        own->bytes[slot] = 0;
        size_t rounded = (bytes / PAGE + 1) * PAGE;
        own->data[slot] = aligned_alloc(64, rounded);
        if (!own->data[slot]) return NULL;
        own->bytes[slot] = rounded;
    }
    return own->data[slot];
}
