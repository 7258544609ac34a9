/* Numbers among the inputs of a Dispatcher's calls, and the types that calls ask for. */
#define NO_IMPORT_ARRAY
#define NO_IMPORT_UFUNC
#include "broadcast.h"

int vekt_take_scalar(PyObject *object, vekt_value *v) {
    if (!PyArray_IsScalar(object, Number) && !PyArray_IsScalar(object, Bool)) return NPY_NOTYPE;
    PyArray_Descr *descr = PyArray_DescrFromScalar(object);
    if (!descr) {
        PyErr_Clear();
        return NPY_NOTYPE;
    }
    const int type = vekt_memory_type(descr->type_num) < 0 ? NPY_NOTYPE : descr->type_num;
    Py_DECREF((PyObject *)descr);
    if (type != NPY_NOTYPE) PyArray_ScalarAsCtype(object, v);
    return type;
}

int vekt_take_weak(PyObject *object, int type, vekt_value *v) {
    if (type == VEKT_TYPE_BOOL) {
        int overflow = 0;
        if (PyLong_CheckExact(object)) PyLong_AsLongLongAndOverflow(object, &overflow);
        v->bytes[0] = (char)PyObject_IsTrue(object);
        return !overflow; /* NumPy's error */
    }
    if (type < VEKT_TYPE_HALF) {
        static const int bits[] = {0, 8, 8, 16, 16, 32, 32, 64, 64};
        const int is_unsigned = type % 2 == 0, b = bits[type];
        int overflow = 0;
        if (!PyLong_CheckExact(object)) return 0;
        vekt_value exact = {.i = PyLong_AsLongLongAndOverflow(object, &overflow)};
        if (overflow > 0 && type == VEKT_TYPE_U64) {
            v->u = PyLong_AsUnsignedLongLong(object);
            if (!PyErr_Occurred()) return 1;
            PyErr_Clear();
            return 0;
        }
        const npy_int64 beyond = b == 64 ? 0 : exact.i >> (is_unsigned ? b : b - 1);
        if (overflow || (is_unsigned ? exact.i < 0 || beyond != 0 : beyond != 0 && beyond != -1)) return 0;
        vekt_connected->convert(vekt_selected, type, v, VEKT_TYPE_I64, &exact, 1);
        return 1;
    }
    if (PyComplex_CheckExact(object)) {
        if (type < VEKT_TYPE_C64) return 0;
        const double parts[2] = {PyComplex_RealAsDouble(object), PyComplex_ImagAsDouble(object)};
        vekt_connected->convert(vekt_selected, type, v, VEKT_TYPE_C128, parts, 1);
        return 1;
    }
    const double x = PyFloat_CheckExact(object) ? PyFloat_AsDouble(object) : PyLong_AsDouble(object);
    if (x == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        return 0;
    }
    vekt_value wide = {.x = x};
    vekt_connected->convert(vekt_selected, type, v, VEKT_TYPE_F64, &wide, 1);
    return 1;
}

int vekt_is_good_exponent(const vekt_target *target, const vekt_value *v, int type, int as) {
    const int is_signed = type % 2 == VEKT_TYPE_I8 % 2;
    vekt_value taken, wide;
    vekt_connected->convert(target, VEKT_TYPE_I64, &wide, type, v, 1);
    if (is_signed && wide.i < 0) return 0;
    if (as % 2 != VEKT_TYPE_I8 % 2) return 1;
    vekt_connected->convert(target, as, &taken, type, v, 1);
    vekt_connected->convert(target, VEKT_TYPE_I64, &wide, as, &taken, 1);
    return wide.i >= 0;
}

int vekt_type_asked(PyObject *dtype) {
    PyArray_Descr *descr = NULL;
    if (!PyArray_DescrConverter(dtype, &descr) || !descr) {
        PyErr_Clear();
        return NPY_NOTYPE;
    }
    const int type =
        PyArray_ISNBO(descr->byteorder) && vekt_memory_type_of(descr) >= 0 ? descr->type_num : NPY_NOTYPE;
    Py_DECREF((PyObject *)descr);
    return type;
}
