"""Vectors of eight numbers, for loops whose arithmetic is the same on every path through them.

LLVM vectorizes a loop over single numbers, but may round its body and its remainder differently,
and decides by addresses which of them runs. Loops that are written in vectors have no remainder:
all sizes in the workspace are multiples of `VECTOR`. One vector is one or more registers,
depending on the processor.

A multiply-add is fused where the processor can, and an operator is never: so the result of each
operation is defined, and the order of the operations is the one that is written.
"""

import operator

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

from skl_lstm.engines.native.kernels.tables import VECTOR


class Vector(types.Type):
    """The type of `VECTOR` numbers of one type."""

    def __init__(self, dtype):
        self.dtype = dtype
        super().__init__(name=f"Vector({dtype})")


def _in_llvm(dtype):
    return ir.FloatType() if dtype == types.float32 else ir.DoubleType()


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, ir.VectorType(_in_llvm(vector.dtype), VECTOR))


def _spread(context, builder, value, given, vector):
    """Return a vector, made of one number if a number is given."""
    if isinstance(given, Vector):
        return value
    number = context.cast(builder, value, given, vector.dtype)
    undefined = ir.Constant(context.get_value_type(vector), ir.Undefined)
    one = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    everywhere = ir.Constant(ir.VectorType(ir.IntType(32), VECTOR), [0] * VECTOR)
    return builder.shuffle_vector(one, undefined, everywhere)


def _common(*given):
    """Return the type of the vectors among some types; None if there is none."""
    return next((each for each in given if isinstance(each, Vector)), None)


def _to_common(context, builder, signature, values):
    """Return the operands in the type of the result."""
    kind = signature.return_type
    return [
        _spread(context, builder, value, given, kind)
        if isinstance(kind, Vector)
        else context.cast(builder, value, given, kind)
        for value, given in zip(values, signature.args, strict=True)
    ]


def _pointer(context, builder, array, value, at):
    data = context.make_array(array)(context, builder, value).data
    vector = context.get_value_type(Vector(array.dtype))
    return builder.bitcast(builder.gep(data, [at]), vector.as_pointer())


def _call_llvm(context, builder, name, given, values):
    """Call a function of LLVM, whose operands and result are of one type."""
    kind = context.get_value_type(given)
    vector = isinstance(given, Vector)
    suffix = f"v{VECTOR}f{given.dtype.bitwidth}" if vector else f"f{given.bitwidth}"
    function = builder.module.declare_intrinsic(
        f"llvm.{name}.{suffix}", (), ir.FunctionType(kind, [kind] * len(values))
    )
    return builder.call(function, values)


@intrinsic
def load(typing, array, at):
    """Return the vector that starts at a position of an array."""

    def generate(context, builder, signature, values):
        loaded = builder.load(_pointer(context, builder, signature.args[0], *values))
        loaded.align = array.dtype.bitwidth // 8
        return loaded

    return Vector(array.dtype)(array, types.intp), generate


@intrinsic
def store(typing, array, at, vector):
    """Store a vector from a position of an array on."""

    def generate(context, builder, signature, values):
        pointer = _pointer(context, builder, signature.args[0], *values[:2])
        builder.store(values[2], pointer).align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@intrinsic
def multiply_add(typing, a, b, c):
    """Return ``a * b + c`` of numbers, vectors, or both."""
    result = _common(a, b, c) or a

    def generate(context, builder, signature, values):
        operands = _to_common(context, builder, signature, values)
        return _call_llvm(context, builder, "fmuladd", result, operands)

    return result(a, b, c), generate


@intrinsic
def total(typing, vector):
    """Return the sum of the numbers of a vector: halves are added until one number is left."""

    def generate(context, builder, signature, values):
        (x,) = values
        half = VECTOR // 2
        while half:
            upper = ir.Constant(
                ir.VectorType(ir.IntType(32), VECTOR),
                [(j + half) % VECTOR for j in range(VECTOR)],
            )
            x = builder.fadd(x, builder.shuffle_vector(x, x, upper))
            half //= 2
        return builder.extract_element(x, ir.Constant(ir.IntType(32), 0))

    return vector.dtype(vector), generate


def _of_each_number(name):
    @intrinsic
    def function(typing, x):
        def generate(context, builder, signature, values):
            return _call_llvm(context, builder, name, x, values)

        return x(x), generate

    return function


magnitude, square_root = _of_each_number("fabs"), _of_each_number("sqrt")


def _bound(comparison):
    @intrinsic
    def bound(typing, x, limit):
        def generate(context, builder, signature, values):
            number, bound = _to_common(context, builder, signature, values)
            return builder.select(builder.fcmp_ordered(comparison, number, bound), bound, number)

        return x(x, limit), generate

    return bound


at_most, at_least = _bound(">"), _bound("<")


def _define(operation, instruction):
    """Define an operator for two vectors, and for a vector and a number."""

    @type_callable(operation)
    def type_operation(context):
        def typer(a, b):
            return _common(a, b)

        return typer

    def generate(context, builder, signature, values):
        return getattr(builder, instruction)(*_to_common(context, builder, signature, values))

    for pair in ((Vector, Vector), (Vector, types.Float), (types.Float, Vector)):
        lower_builtin(operation, *pair)(generate)


for _operation, _instruction in {
    operator.add: "fadd",
    operator.sub: "fsub",
    operator.mul: "fmul",
    operator.truediv: "fdiv",
}.items():
    _define(_operation, _instruction)
