/* How a long call ends early: Python's signals want to be looked after by the thread that made the call. */
#ifndef VEKT_INTERRUPT_H
#define VEKT_INTERRUPT_H

#include <stdint.h>

/* Looks after signals; not 0 where the call shall end.  Called by the thread that set it, between pieces of work. */
typedef int (*vekt_poll)(void);
void vekt_set_poll(vekt_poll poll, int64_t nanoseconds);

/* Around a call that may take long.  ends() is not 0 if the call was to end, and may not have finished. */
void vekt_call_begins(void);
int vekt_call_ends(void);

/* Within such a call. */
int vekt_is_interruptible(void);
int vekt_has_stopped(void);
int vekt_should_stop(void); /* polls where it is time to */

int64_t vekt_nanoseconds(void);

#endif
