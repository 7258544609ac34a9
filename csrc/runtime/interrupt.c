/* The calling thread looks after signals between pieces of work, and what it finds stops all that is left of the
 * call.
 *
 * A signal's handler is Python code, which may call anything.  Such calls have workspaces of their own, and do not
 * look after signals again. */
#include "interrupt.h"

#include "linalg/matmul.h"

#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

/* Loops that come this soon after one another are pieces of one call, as NumPy makes them. */
enum { GAP_NANOSECONDS = 2000000 };

static _Thread_local struct {
    vekt_poll poll;
    int64_t period;
    int64_t polled, left;
    int depth, stopped;
} mine;

int64_t vekt_nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void vekt_set_poll(vekt_poll poll, int64_t nanoseconds) {
    mine.poll = poll;
    mine.period = nanoseconds;
}

void vekt_call_begins(void) {
    if (!mine.poll || mine.depth++) return;
    const int64_t now = vekt_nanoseconds();
    if (now - mine.left > GAP_NANOSECONDS) mine.polled = now;
}

int vekt_call_ends(void) {
    if (!mine.poll) return 0;
    const int stopped = vekt_should_stop(); /* the next call may be a piece of the same one, and as short */
    if (--mine.depth) return 0;
    mine.left = vekt_nanoseconds();
    mine.stopped = 0;
    return stopped;
}

int vekt_is_interruptible(void) { return mine.depth == 1 && mine.poll; }

int vekt_has_stopped(void) { return mine.stopped; }

int vekt_should_stop(void) {
    if (!vekt_is_interruptible() || mine.stopped) return mine.stopped;
    if (vekt_nanoseconds() - mine.polled < mine.period) return 0;
    mine.depth++;
    vekt_workspace_apart(1);
    const int stopped = mine.poll() != 0;
    vekt_workspace_apart(0);
    mine.depth--;
    mine.stopped = stopped;
    mine.polled = vekt_nanoseconds();
    return stopped;
}
