/* From a target's kernel table to real NumPy ufuncs.
 *
 * Each ufunc carries its kernels in the `data` field that NumPy leaves to us, and a loop finds
 * them through its caller.  So three loops, one for each dtype, serve every ufunc. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "bridge.h"
#include "sizes.h"

#include <fenv.h>
#include <string.h>

typedef struct {
    const vekt_target *target;
    const vekt_kernel *kernel[VEKT_N_DTYPES];
    vekt_kernel elementary[VEKT_N_DTYPES]; /* what kernel points to where the target's table is that of arithmetic */
    struct {
        PyUFuncGenericFunction loop;
        void *data;
    } numpy[2];         /* NumPy's, of single and double precision, where it has a ufunc of this name */
    PyObject *bfloat16; /* the DType that has a loop, or NULL */
    PyObject *owner;    /* the capsule of this; borrowed */
    int n_params;       /* the last inputs */
    char text[];        /* the name, then the docstring: NumPy keeps pointers to them */
} ufunc_data;

/* NumPy's buffers hold as many elements; fewer take no time. */
enum { INTERRUPTIBLE_ELEMENTS = 8192 };

static int run(PyArrayMethod_Context *context, int dtype, int format, char *const *args, const npy_intp *n,
               const npy_intp *steps) {
    const ufunc_data *u = (const void *)((PyUFuncObject *)context->caller)->data;
    const int is_long = n[0] >= INTERRUPTIBLE_ELEMENTS;
    if (is_long) vekt_connected->call_begins();
    vekt_connected->elementwise(u->target, u->kernel[dtype], format, 0, args, steps, n[0]);
    return is_long && vekt_connected->call_ends() ? -1 : 0;
}

enum { VARYING_PARAMETERS = 256 };

/* 16-bit operands, whose parameters are numbers as Python has them: float32 in the kernel, without rounding to 16
 * bits on the way. */
static int run_with_numbers(PyArrayMethod_Context *context, int format, char *const *args, const npy_intp *n,
                            const npy_intp *steps) {
    const ufunc_data *u = (const void *)((PyUFuncObject *)context->caller)->data;
    const vekt_kernel *kernel = u->kernel[VEKT_F32];
    const int first = kernel->nin - u->n_params;
    float numbers[VEKT_MAX_ARGS][VARYING_PARAMETERS];
    char *at[VEKT_MAX_ARGS];
    npy_intp step[VEKT_MAX_ARGS], part = n[0];
    for (int j = first; j < kernel->nin; j++)
        if (steps[j] != 0 && part > VARYING_PARAMETERS) part = VARYING_PARAMETERS;
    for (npy_intp done = 0; done < n[0]; done += part) {
        const npy_intp m = n[0] - done < part ? n[0] - done : part;
        for (int j = 0; j < kernel->nin + kernel->nout; j++) {
            at[j] = args[j] + done * steps[j];
            step[j] = steps[j];
            if (j < first || j >= kernel->nin) continue;
            for (npy_intp i = 0; i < (steps[j] == 0 ? 1 : m); i++) {
                npy_longdouble value;
                memcpy(&value, at[j] + i * steps[j], sizeof value);
                numbers[j][i] = (float)value;
            }
            at[j] = (char *)numbers[j];
            step[j] = steps[j] == 0 ? 0 : (npy_intp)sizeof(float);
        }
        vekt_connected->elementwise(u->target, kernel, format, u->n_params, at, step, m);
    }
    return 0;
}

static int half_loop(PyArrayMethod_Context *context, char *const *args, const npy_intp *n, const npy_intp *steps,
                     NpyAuxData *unused) {
    (void)unused;
    return run(context, VEKT_F32, VEKT_HALF, args, n, steps);
}

static int float_loop(PyArrayMethod_Context *context, char *const *args, const npy_intp *n, const npy_intp *steps,
                      NpyAuxData *unused) {
    (void)unused;
    return run(context, VEKT_F32, VEKT_NATIVE, args, n, steps);
}

static int double_loop(PyArrayMethod_Context *context, char *const *args, const npy_intp *n, const npy_intp *steps,
                       NpyAuxData *unused) {
    (void)unused;
    return run(context, VEKT_F64, VEKT_NATIVE, args, n, steps);
}

static int bfloat16_loop(PyArrayMethod_Context *context, char *const *args, const npy_intp *n, const npy_intp *steps,
                         NpyAuxData *unused) {
    (void)unused;
    return run(context, VEKT_F32, VEKT_BFLOAT16, args, n, steps);
}

/* Quiet, and without a trace in the floating-point state, as vekt's own kernels. */
static int run_complex(PyArrayMethod_Context *context, int which, char *const *args, const npy_intp *n,
                       const npy_intp *steps) {
    const ufunc_data *u = (const void *)((PyUFuncObject *)context->caller)->data;
    fenv_t state;
    feholdexcept(&state);
    u->numpy[which].loop((char **)args, n, steps, u->numpy[which].data);
    fesetenv(&state);
    return 0;
}

static int complex_float_loop(PyArrayMethod_Context *context, char *const *args, const npy_intp *n,
                              const npy_intp *steps, NpyAuxData *unused) {
    (void)unused;
    return run_complex(context, 0, args, n, steps);
}

static int complex_double_loop(PyArrayMethod_Context *context, char *const *args, const npy_intp *n,
                               const npy_intp *steps, NpyAuxData *unused) {
    (void)unused;
    return run_complex(context, 1, args, n, steps);
}

static int half_loop_with_numbers(PyArrayMethod_Context *context, char *const *args, const npy_intp *n,
                                  const npy_intp *steps, NpyAuxData *unused) {
    (void)unused;
    return run_with_numbers(context, VEKT_HALF, args, n, steps);
}

static int bfloat16_loop_with_numbers(PyArrayMethod_Context *context, char *const *args, const npy_intp *n,
                                      const npy_intp *steps, NpyAuxData *unused) {
    (void)unused;
    return run_with_numbers(context, VEKT_BFLOAT16, args, n, steps);
}

/* Integers, bool, and Python's own numbers where no array decides. */
static int computes_as_double(const PyArray_DTypeMeta *dtype) {
    const PyArray_DTypeMeta *const all[] = {
        &PyArray_BoolDType,    &PyArray_ByteDType,     &PyArray_UByteDType,     &PyArray_ShortDType,
        &PyArray_UShortDType,  &PyArray_IntDType,      &PyArray_UIntDType,      &PyArray_LongDType,
        &PyArray_ULongDType,   &PyArray_LongLongDType, &PyArray_ULongLongDType, &PyArray_PyLongDType,
        &PyArray_PyFloatDType,
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (dtype == all[i]) return 1;
    }
    return 0;
}

/* Is there a loop for it, or will there be?  NumPy asks the promoter again about a dtype that has none, for ever. */
static int has_loop(const PyUFuncObject *u, const PyArray_DTypeMeta *dtype, const PyArray_DTypeMeta *bfloat16) {
    const ufunc_data *data = (const void *)u->data;
    if (dtype == &PyArray_DoubleDType) return data->kernel[VEKT_F64] != NULL;
    if (dtype == &PyArray_CFloatDType) return data->numpy[0].loop != NULL;
    if (dtype == &PyArray_CDoubleDType) return data->numpy[1].loop != NULL;
    return data->kernel[VEKT_F32] &&
           (dtype == &PyArray_HalfDType || dtype == &PyArray_FloatDType || dtype == bfloat16);
}

/* The dtype to compute in (borrowed), or NULL without an error where there is none. */
static PyArray_DTypeMeta *computing_dtype(const PyUFuncObject *u, PyArray_DTypeMeta *const operands[],
                                          PyArray_DTypeMeta *const signature[], PyArray_DTypeMeta *bfloat16) {
    PyArray_DTypeMeta *dtype;
    if (!vekt_asked_dtype(u, signature, &dtype)) return NULL;
    if (!dtype) {
        dtype = vekt_common_dtype(u, operands, bfloat16);
        if (dtype && computes_as_double(dtype)) dtype = &PyArray_DoubleDType;
    }
    return dtype && has_loop(u, dtype, bfloat16) ? dtype : NULL;
}

/* bfloat16's loop is added when the first one comes: `import vekt` shall not import ml_dtypes. */
static int add_bfloat16_loop(PyObject *ufunc, PyArray_DTypeMeta *bfloat16) {
    ufunc_data *data = (void *)((PyUFuncObject *)ufunc)->data;
    int status = 0;
    VEKT_BEGIN_ALONE(data->owner);
    if (data->bfloat16 != (PyObject *)bfloat16 && data->kernel[VEKT_F32]) {
        status = vekt_add_loop(ufunc, bfloat16, 0, bfloat16_loop);
        if (status == 0 && data->n_params)
            status = vekt_add_loop(ufunc, bfloat16, data->n_params, bfloat16_loop_with_numbers);
        if (status == 0) data->bfloat16 = (PyObject *)bfloat16; /* the ufunc's loop keeps it alive */
    }
    VEKT_END_ALONE();
    return status;
}

/* Are there parameters that Python's own numbers give? */
static int has_numbers(const PyUFuncObject *u, PyArray_DTypeMeta *const operands[],
                       PyArray_DTypeMeta *const signature[]) {
    const ufunc_data *data = (const void *)u->data;
    int any = 0;
    for (int j = u->nin - data->n_params; j < u->nin; j++) {
        if (signature[j]) return 0;
        any |= operands[j] == &PyArray_PyFloatDType || operands[j] == &PyArray_PyLongDType;
    }
    return any;
}

/* The loop for these: long double stands for them, as no array of a supported dtype is one. */
static void take_numbers(const PyUFuncObject *u, PyArray_DTypeMeta *promoted[]) {
    const ufunc_data *data = (const void *)u->data;
    for (int j = u->nin - data->n_params; j < u->nin; j++) {
        Py_XDECREF((PyObject *)promoted[j]);
        promoted[j] = &PyArray_LongDoubleDType;
        Py_INCREF((PyObject *)promoted[j]);
    }
}

/* Mixed operands take their common float dtype; integers, bool and Python numbers float64. */
static int promote(PyObject *ufunc, PyArray_DTypeMeta *const operands[], PyArray_DTypeMeta *const signature[],
                   PyArray_DTypeMeta *promoted[]) {
    const PyUFuncObject *u = (const PyUFuncObject *)ufunc;
    PyArray_DTypeMeta *bfloat16 = vekt_find_bfloat16(u, operands, signature);
    PyArray_DTypeMeta *dtype = computing_dtype(u, operands, signature, bfloat16);
    if (!dtype || (dtype == bfloat16 && add_bfloat16_loop(ufunc, bfloat16) < 0)) return -1;
    vekt_promoted_to(u, dtype, operands, promoted);
    if ((dtype == bfloat16 || dtype == &PyArray_HalfDType) && has_numbers(u, operands, signature))
        take_numbers(u, promoted);
    return 0;
}

/* The name of the capsule that owns a ufunc's data, by which others find it. */
static const char OWNER[] = "vekt.ufunc";

const vekt_kernel *vekt_kernel_of(PyObject *ufunc, int type, const vekt_target **target, int *n_params) {
    if (!PyObject_TypeCheck(ufunc, &PyUFunc_Type)) return NULL;
    const PyUFuncObject *u = (const PyUFuncObject *)ufunc;
    if (!u->obj || !PyCapsule_IsValid(u->obj, OWNER)) return NULL;
    const ufunc_data *data = (const void *)u->data;
    *target = data->target;
    *n_params = data->n_params;
    return data->kernel[vekt_dtype_of(type)];
}

/* A kernel of the table of arithmetic whose operands are all float or all double, as one of the other table. */
static int take_arithmetic(const vekt_typed_kernel *k, vekt_kernel *kernel) {
    if (k->type[0] != VEKT_TYPE_F32 && k->type[0] != VEKT_TYPE_F64) return 0;
    for (int j = 1; j < k->nin + k->nout; j++)
        if (k->type[j] != k->type[0]) return 0;
    *kernel = (vekt_kernel){k->name, vekt_dtype_of(k->type[0]), k->nin, k->nout, k->cost, k->loop};
    return 1;
}

static ufunc_data *new_data(const vekt_target *target, const vekt_kernel *kernel, const char *doc) {
    size_t name_size = strlen(kernel->name) + 1, doc_size = strlen(doc) + 1;
    ufunc_data *data = PyMem_Calloc(1, sizeof *data + name_size + doc_size);
    if (!data) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(data->text, kernel->name, name_size);
    memcpy(data->text + name_size, doc, doc_size);
    data->target = target;
    for (int i = 0; i < target->n_kernels; i++) {
        const vekt_kernel *other = &target->kernels[i];
        if (!strcmp(other->name, kernel->name)) data->kernel[other->dtype] = other;
    }
    for (int i = 0; i < target->n_arithmetic; i++) {
        vekt_kernel other;
        if (strcmp(target->arithmetic[i].name, kernel->name) || !take_arithmetic(&target->arithmetic[i], &other))
            continue;
        data->elementary[other.dtype] = other;
        data->kernel[other.dtype] = &data->elementary[other.dtype];
    }
    return data;
}

/* Complex numbers go through the loops of NumPy's ufunc of the same name, where there is one. */
static int add_complex_loops(PyObject *ufunc, ufunc_data *data) {
    static PyArrayMethod_StridedLoop *const loops[] = {complex_float_loop, complex_double_loop};
    static const char types[] = {NPY_CFLOAT, NPY_CDOUBLE};
    PyArray_DTypeMeta *const dtypes[] = {&PyArray_CFloatDType, &PyArray_CDoubleDType};
    const PyUFuncObject *u = (const PyUFuncObject *)ufunc;
    PyObject *name = PyUnicode_FromString("numpy"), *numpy = name ? PyImport_GetModule(name) : NULL;
    PyObject *found = numpy ? PyObject_GetAttrString(numpy, data->text) : NULL;
    const PyUFuncObject *other = (const PyUFuncObject *)found;
    int status = 0;
    if (found && PyObject_TypeCheck(found, &PyUFunc_Type) && other->nin == u->nin && other->nargs == u->nargs) {
        for (int k = 0; k < 2 && status == 0; k++) {
            for (int i = 0; i < other->ntypes && !data->numpy[k].loop; i++) {
                int same = other->functions[i] != NULL;
                for (int j = 0; j < u->nargs && same; j++) same = other->types[i * u->nargs + j] == types[k];
                if (!same) continue;
                data->numpy[k].loop = other->functions[i];
                data->numpy[k].data = other->data ? other->data[i] : NULL;
                status = vekt_add_loop(ufunc, dtypes[k], 0, loops[k]);
            }
        }
    }
    Py_XDECREF(found);
    Py_XDECREF(numpy);
    Py_XDECREF(name);
    if (status == 0) PyErr_Clear(); /* NumPy has nothing of this name, or Python is shutting down */
    return status;
}

/* ---- calls: a ufunc's vector call is its own ---- */

typedef PyObject *(*vector_call)(PyObject *, PyObject *const *, size_t, PyObject *);

static vector_call call_numpy;

/* Results are of the shape of the largest operand, or larger.  0 where an operand's own code may run. */
static npy_intp bytes_of_results(const PyUFuncObject *u, PyObject *const *args, Py_ssize_t n) {
    npy_intp most = 0;
    for (Py_ssize_t i = 0; i < n && i < u->nin; i++) {
        if (PyArray_CheckExact(args[i])) {
            most = vekt_larger(most, PyArray_NBYTES((PyArrayObject *)args[i]));
        } else if (PyArray_Check(args[i])) {
            return 0;
        }
    }
    return n == u->nin ? most : 0;
}

static PyObject *call_one(PyObject *ufunc, PyObject *const *args, size_t n_args, PyObject *names) {
    const Py_ssize_t n = (Py_ssize_t)(n_args & ~VEKT_NAMED_OFFSET);
    PyObject *former = vekt_begin_results(bytes_of_results((const PyUFuncObject *)ufunc, args, n));
    PyObject *result = call_numpy(ufunc, args, n_args, names);
    vekt_end_results(former);
    return result;
}

/* Dask hands a ufunc with one output to its blocks, whatever it is, and has a list of NumPy's own with several. Those
 * of vekt find out themselves. */
static int is_numpy(PyObject *x) {
    return PyArray_CheckExact(x) || PyFloat_CheckExact(x) || PyLong_CheckExact(x) || PyArray_IsScalar(x, Generic);
}

static PyObject *call_several(PyObject *ufunc, PyObject *const *args, size_t n_args, PyObject *names) {
    const Py_ssize_t n = (Py_ssize_t)(n_args & ~VEKT_NAMED_OFFSET);
    Py_ssize_t i = 0;
    while (i < n && is_numpy(args[i])) i++;
    if (i < n) {
        PyObject *several = vekt_python(VEKT_PY_SEVERAL);
        PyObject *result = several ? vekt_call_with(several, ufunc, args, n, names) : NULL;
        if (result != Py_NotImplemented) return result;
        Py_DECREF(result);
    }
    return call_one(ufunc, args, n_args, names);
}

static PyObject *new_ufunc(const vekt_target *target, const vekt_kernel *kernel, const char *doc, int n_params) {
    ufunc_data *data = new_data(target, kernel, doc);
    if (!data) return NULL;
    data->n_params = n_params;
    PyObject *owner = vekt_owner_of(data, OWNER);
    if (!owner) return NULL;
    const char *text = data->text + strlen(data->text) + 1;
    PyObject *ufunc = PyUFunc_FromFuncAndData(NULL, (void **)data, NULL, 0, kernel->nin, kernel->nout, PyUFunc_None,
                                              data->text, text, 0);
    if (!ufunc) {
        Py_DECREF(owner);
        return NULL;
    }
    PyUFuncObject *u = (PyUFuncObject *)ufunc;
    u->obj = data->owner = owner; /* released with the ufunc */
    call_numpy = (vector_call)u->vectorcall;
    u->vectorcall = (void *)(kernel->nout > 1 ? call_several : call_one);
    int status = vekt_add_promoter(ufunc, promote);
    if (status == 0 && data->kernel[VEKT_F32]) {
        status = vekt_add_loop(ufunc, &PyArray_HalfDType, 0, half_loop);
        if (status == 0 && n_params)
            status = vekt_add_loop(ufunc, &PyArray_HalfDType, n_params, half_loop_with_numbers);
        if (status == 0) status = vekt_add_loop(ufunc, &PyArray_FloatDType, 0, float_loop);
    }
    if (status == 0 && data->kernel[VEKT_F64]) {
        status = vekt_add_loop(ufunc, &PyArray_DoubleDType, 0, double_loop);
    }
    if (status == 0) status = add_complex_loops(ufunc, data);
    if (status < 0) Py_CLEAR(ufunc);
    return ufunc;
}

PyObject *vekt_build_ufunc(const vekt_target *target, const char *name, const char *doc, int n_params) {
    for (int i = 0; i < target->n_kernels; i++) {
        if (!strcmp(target->kernels[i].name, name)) return new_ufunc(target, &target->kernels[i], doc, n_params);
    }
    for (int i = 0; i < target->n_arithmetic; i++) {
        vekt_kernel kernel;
        if (!strcmp(target->arithmetic[i].name, name) && take_arithmetic(&target->arithmetic[i], &kernel))
            return new_ufunc(target, &kernel, doc, n_params);
    }
    return PyErr_Format(PyExc_KeyError, "no kernel %s", name);
}
