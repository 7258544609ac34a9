/* vekt_parallel_for: a pool of sleeping workers that help the calling thread.
 *
 * The caller claims pieces of the range like any worker and never waits for a worker that has not
 * begun, so a slow wake-up costs nothing but help.  What keeps this safe:
 *
 *  1. One job at a time.  `busy` is a try-lock; whoever finds it taken runs serially.
 *  2. The job lives in static memory.  Only the holder of `busy` writes it, and only while `gate`
 *     is 0: nobody is inside, nobody can enter.
 *  3. A worker reads the job only between enter() and leave().  enter() is one compare-and-swap of
 *     `gate` that takes a free slot; a closed gate has none.  A worker that wakes late therefore
 *     finds the gate closed or enters the job that is open at that very moment.  It can never
 *     reach a job (or its caller's context) that has ended.
 *  4. The caller closes the gate once all pieces are claimed, and returns when it is empty.
 *  5. `epoch` counts jobs.  Workers sleep on it and try each value once, so a worker that has
 *     left a job does not enter it again.
 *
 *  6. A lower limit makes `surplus` workers end: each that sees a new epoch takes one of these places if any is left.
 *     `n_workers` counts those that stay, and a call that wants more takes places back before it starts threads.
 *
 * A worker that wakes on the caller's processor moves away: Linux may leave both there for seconds, the caller doing
 * all the work, while other processors idle.
 *
 * A forked child has only the forking thread: the handler below forgets the workers, and the next
 * call starts new ones. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "fpenv.h"
#include "interrupt.h"
#include "park.h"
#include "processors.h"
#include "vekt.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

/* Longer than the gap between two calls of a loop, far shorter than a time slice. */
enum { SPIN_NANOSECONDS = 20000 };
enum { MAX_THREADS = 1024 };
/* Kernels need less than a tenth of it, the loops of other libraries in fused functions get the rest. */
enum { STACK_BYTES = 1 << 20 };
/* More pieces than threads, so that one late or slow thread does not hold up the others. */
enum { PIECES_PER_THREAD = 4 };
/* An interruptible call begins with a small piece, from which follows how many of them take this long. */
enum { FIRST_PIECE = 256, PIECE_NANOSECONDS = 50000000 };

/* The fields of `gate`: threads inside, slots still free, and whether the caller sleeps on it. */
#define INSIDE 0x0000ffffu
#define SLOT 0x00010000u
#define WAITING 0x80000000u

static struct {
    vekt_task task;
    void *context;
    ptrdiff_t n, grain, most;      /* of elements in a piece */
    _Atomic ptrdiff_t piece, next; /* next: first index nobody has claimed */
    _Atomic int stopped;
} job;

static _Atomic int busy;
static _Atomic uint32_t gate, epoch, sleepers;
static _Atomic int caller_processor = -1;
static int n_workers; /* written by the holder of `busy` */
static _Atomic int surplus;
static _Atomic int lowered; /* the limit, and nobody has looked after the workers yet */

static _Atomic int process_limit = 1;
static _Thread_local int local_limit;
static _Thread_local int in_task;

static void forget_workers(void) {
    n_workers = 0;
    atomic_store(&surplus, 0);
    atomic_store(&gate, 0);
    atomic_store(&sleepers, 0);
    atomic_store(&busy, 0);
    vekt_park_reset();
}

__attribute__((constructor)) static void register_fork_handler(void) { pthread_atfork(NULL, NULL, forget_workers); }

static void relax(void) {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

/* Spins for a bounded time while *word is value (under mask); returns what it read last. */
static uint32_t spin_while(_Atomic uint32_t *word, uint32_t mask, uint32_t value) {
    uint32_t now;
    for (int64_t start = vekt_nanoseconds(), tries = 0;; tries++) {
        now = atomic_load(word);
        if ((now & mask) != value) break;
        if (tries % 16 == 15 && vekt_nanoseconds() - start > SPIN_NANOSECONDS) break;
        relax();
    }
    return now;
}

/* Runs a piece of the job; 0 where none is left. */
static int run_piece(void) {
    const ptrdiff_t piece = atomic_load(&job.piece), begin = atomic_fetch_add(&job.next, piece);
    if (begin >= job.n || atomic_load(&job.stopped)) return 0;
    job.task(job.context, begin, job.n - begin < piece ? job.n : begin + piece);
    return 1;
}

static void run_pieces(void) {
    while (run_piece()) continue;
}

static ptrdiff_t first_piece(ptrdiff_t n, ptrdiff_t grain, ptrdiff_t most) {
    const ptrdiff_t piece = n / FIRST_PIECE / grain * grain;
    return piece < grain ? grain : piece > most ? most : piece;
}

/* After one that took so long. */
static ptrdiff_t next_piece(ptrdiff_t piece, ptrdiff_t grain, ptrdiff_t most, int64_t nanoseconds) {
    const double wanted = (double)piece * PIECE_NANOSECONDS / (double)(nanoseconds + 1);
    return wanted >= (double)most ? most : wanted <= (double)grain ? grain : (ptrdiff_t)wanted / grain * grain;
}

/* As the caller, who looks after signals. */
static void run_interruptible_pieces(void) {
    for (int64_t begin = vekt_nanoseconds(), end; run_piece(); begin = end) {
        if (vekt_should_stop()) atomic_store(&job.stopped, 1);
        end = vekt_nanoseconds();
        const ptrdiff_t piece = atomic_load(&job.piece);
        if (piece < job.most || end - begin > PIECE_NANOSECONDS)
            atomic_store(&job.piece, next_piece(piece, job.grain, job.most, end - begin));
    }
}

static void run_alone(vekt_task task, void *context, ptrdiff_t n, ptrdiff_t grain) {
    if (in_task || !vekt_is_interruptible()) {
        task(context, 0, n);
        return;
    }
    ptrdiff_t piece = first_piece(n, grain, n);
    int64_t start = vekt_nanoseconds(), now;
    for (ptrdiff_t begin = 0, m; begin < n && !vekt_should_stop(); begin += m, start = now) {
        m = n - begin < piece ? n - begin : piece;
        task(context, begin, begin + m);
        now = vekt_nanoseconds();
        piece = next_piece(piece, grain, n, now - start);
    }
}

static int enter(void) {
    uint32_t now = atomic_load(&gate);
    while (now >= SLOT && !(now & WAITING)) {
        if (atomic_compare_exchange_weak(&gate, &now, now - SLOT + 1)) return 1;
    }
    return 0;
}

static void leave(void) {
    if (atomic_fetch_sub(&gate, 1) == (WAITING | 1)) vekt_unpark(&gate, 1);
}

static uint32_t next_epoch(uint32_t seen) {
    uint32_t now = spin_while(&epoch, UINT32_MAX, seen);
    if (now != seen) return now;
    atomic_fetch_add(&sleepers, 1); /* before the check: see open_gate */
    while ((now = atomic_load(&epoch)) == seen) vekt_park(&epoch, seen);
    atomic_fetch_sub(&sleepers, 1);
    return now;
}

/* Takes one of the places in `surplus`: 0 where none is left. */
static int take_surplus(void) {
    int left = atomic_load(&surplus);
    while (left > 0) {
        if (atomic_compare_exchange_weak(&surplus, &left, left - 1)) return 1;
    }
    return 0;
}

static void *worker(void *first_epoch) {
    uint32_t seen = (uint32_t)(uintptr_t)first_epoch;
    vekt_fpenv_enter();
    in_task = 1;
    for (;;) {
        seen = next_epoch(seen);
        if (take_surplus()) return NULL;
        vekt_leave_processor(atomic_load(&caller_processor));
        if (enter()) {
            run_pieces();
            leave();
        }
    }
    return NULL;
}

/* Starts workers until there are as many as wanted; fewer where the system refuses. */
static int provide_workers(int wanted) {
    sigset_t all, former;
    while (n_workers < wanted && take_surplus()) n_workers++;
    if (n_workers >= wanted) return wanted;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes)) return n_workers;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former); /* signals stay with the program's own threads */
    while (n_workers < wanted) {
        pthread_t thread;
        void *seen = (void *)(uintptr_t)atomic_load(&epoch);
        if (pthread_create(&thread, &attributes, worker, seen)) break;
        n_workers++;
    }
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    pthread_attr_destroy(&attributes);
    return n_workers;
}

/* Ends the workers that the limit of the process leaves without work.  By the holder of `busy`. */
static void retire_workers(void) {
    if (!atomic_exchange(&lowered, 0)) return;
    const int more = n_workers - (atomic_load(&process_limit) - 1);
    if (more <= 0) return;
    n_workers -= more;
    atomic_fetch_add(&surplus, more);
    atomic_fetch_add(&epoch, 1);
    vekt_unpark(&epoch, INT_MAX);
}

/* A worker counts itself as asleep before it reads `epoch` for the last time, and here `epoch`
 * changes before `sleepers` is read: one of the two sees the other, so no wake-up is lost. */
static void open_gate(int slots) {
    atomic_store(&gate, (uint32_t)slots * SLOT);
    atomic_fetch_add(&epoch, 1);
    if (atomic_load(&sleepers)) vekt_unpark(&epoch, slots);
}

static void close_gate(void) {
    uint32_t now = atomic_fetch_and(&gate, INSIDE) & INSIDE;
    for (uint32_t former = 0; now != former;) { /* as long as some worker leaves in time */
        former = now;
        if (now) now = spin_while(&gate, INSIDE, now) & INSIDE;
    }
    while (now & INSIDE) {
        now = atomic_fetch_or(&gate, WAITING) | WAITING;
        if (now & INSIDE) vekt_park(&gate, now);
        now = atomic_load(&gate);
    }
    atomic_store(&gate, 0);
}

void vekt_parallel_for(ptrdiff_t n, ptrdiff_t grain, vekt_task task, void *context) {
    int threads = vekt_get_num_threads();
    int expected = 0;
    if (n <= 0 || vekt_has_stopped()) return;
    if (grain < 1) grain = 1;
    ptrdiff_t grains = vekt_ceil_divide(n, grain);
    if (grains < threads) threads = (int)grains;
    if (threads <= 1 || in_task || !atomic_compare_exchange_strong(&busy, &expected, 1)) {
        run_alone(task, context, n, grain);
        return;
    }
    int helpers = provide_workers(threads - 1);
    ptrdiff_t pieces = (ptrdiff_t)(helpers + 1) * PIECES_PER_THREAD;
    job.task = task;
    job.context = context;
    job.n = n;
    job.grain = grain;
    job.most = vekt_ceil_divide(grains, pieces) * grain;
    const int interruptible = vekt_is_interruptible();
    atomic_store(&job.piece, interruptible ? first_piece(n, grain, job.most) : job.most);
    atomic_store(&job.stopped, 0);
    atomic_store(&job.next, 0);
    atomic_store(&caller_processor, vekt_processor());
    if (helpers) open_gate(helpers);
    in_task = 1;
    interruptible ? run_interruptible_pieces() : run_pieces();
    in_task = 0;
    if (helpers) close_gate();
    retire_workers();
    atomic_store(&busy, 0);
}

/* Visible outside, so that threadpoolctl recognises the library. */
#define EXPORTED __attribute__((visibility("default")))

static int clamp(int n) { return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : n; }

EXPORTED int vekt_get_num_threads(void) { return local_limit ? local_limit : atomic_load(&process_limit); }

EXPORTED void vekt_set_num_threads(int n) {
    int expected = 0;
    const int former = atomic_exchange(&process_limit, clamp(n));
    if (former <= clamp(n)) return;
    atomic_store(&lowered, 1); /* a call that is running looks after the workers when it ends */
    if (!atomic_compare_exchange_strong(&busy, &expected, 1)) return;
    retire_workers();
    atomic_store(&busy, 0);
}

int vekt_set_local_num_threads(int n) {
    int former = local_limit;
    local_limit = n ? clamp(n) : 0;
    return former;
}
