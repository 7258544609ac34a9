/* where=: an operation whose results are taken where a mask holds. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "_broadcast.h"

enum { PART = 512 }; /* elements whose results wait for the mask at a time */

static void run_masked(const vekt_operation *self, char *const *args, const ptrdiff_t *advance, ptrdiff_t n) {
    const vekt_masked *o = (const vekt_masked *)self;
    const int nin = o->all->nin;
    _Alignas(64) char fresh[16 * PART];
    char *operand[VEKT_MAX_OPERANDS];
    ptrdiff_t own_advance[VEKT_MAX_OPERANDS];
    const ptrdiff_t item = advance[nin + 2];
    for (int j = 0; j < nin; j++) own_advance[j] = advance[j];
    own_advance[nin] = item;
    operand[nin] = fresh;
    const ptrdiff_t select_advance[4] = {advance[nin], item, advance[nin + 1], item};
    for (ptrdiff_t done = 0, m; done < n; done += m) {
        m = n - done < PART ? n - done : PART;
        for (int j = 0; j < nin; j++) operand[j] = args[j] + done * advance[j];
        o->all->run(o->all, operand, own_advance, m);
        char *choice[4] = {args[nin] + done * advance[nin], fresh, args[nin + 1] + done * advance[nin + 1],
                           args[nin + 2] + done * item};
        o->select(choice, select_advance, m);
    }
}

int vekt_mask_operation(vekt_masked *masked, const vekt_target *target, vekt_entry *e, int memory_type) {
    const vekt_operation *all = e->operation;
    const int nin = all->nin, type = all->type[nin], in_memory = memory_type & VEKT_TYPE_MASK;
    /* Elements that stay must come through the operation's type as they were. */
    const int widened = type == VEKT_TYPE_F32 && (in_memory == VEKT_TYPE_HALF || in_memory == VEKT_TYPE_BFLOAT16);
    if (in_memory != type && !widened) return 0;
    if (!e->select && !(e->select = vekt_select_loop(target, type))) return 0;
    masked->base = *all;
    masked->base.run = run_masked;
    masked->base.nin = nin + 2;
    masked->base.type[nin] = VEKT_TYPE_BOOL;
    masked->base.type[nin + 1] = masked->base.type[nin + 2] = (uint8_t)type;
    masked->all = all;
    masked->select = e->select;
    return 1;
}
