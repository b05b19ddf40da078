"""Formulas that a person types, computed on arrays without running them as a program."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vae_explorer.errors import UserError
from vae_explorer.types import Float64

MOST_CHARACTERS = 200
LARGEST_POWER = 12

FUNCTIONS: dict[str, tuple[int, Callable[..., Float64]]] = {
    "sin": (1, np.sin),
    "cos": (1, np.cos),
    "tan": (1, np.tan),
    "tanh": (1, np.tanh),
    "exp": (1, np.exp),
    "log": (1, np.log),
    "sqrt": (1, np.sqrt),
    "abs": (1, np.abs),
    "atan2": (2, np.arctan2),
    "hypot": (2, np.hypot),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}
"""By name, how many arguments it takes and what it is."""
CONSTANTS = {"pi": np.pi, "e": np.e}

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.UAdd: np.positive,
    ast.USub: np.negative,
}

_Node = Callable[[Mapping[str, Float64]], Float64]


class ExpressionError(UserError):
    """A formula cannot be read; the message says what is wrong and where."""


@dataclass(frozen=True)
class Expression:
    """A formula of some variables; ``text`` is what was typed."""

    text: str
    _value: _Node

    def __call__(self, **variables: Float64) -> Float64:
        """Its value, of the variables' common shape; inf or NaN where there is none."""
        shape = np.broadcast_shapes(*(np.shape(value) for value in variables.values()))
        with np.errstate(all="ignore"):
            return np.array(np.broadcast_to(self._value(variables), shape), np.float64)


def parse(text: str, variables: tuple[str, ...]) -> Expression:
    """Read a formula: numbers, the variables, + − * / and **, brackets, FUNCTIONS and CONSTANTS.

    Only these are ever computed, in float64; Python's parser reads the text and nothing runs it.

    Raises:
        ExpressionError: it holds anything else, or an exponent that is no number of at most
            ``LARGEST_POWER``.
    """
    text = text.strip()
    if not text:
        raise ExpressionError("The formula is empty; write for example z1 + z2/2.")
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(f"The formula is longer than {MOST_CHARACTERS} characters.")
    if "^" in text:
        raise ExpressionError(_located("Write ** for a power, not ^", text, text.index("^")))
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        at = (error.offset or 1) - 1
        raise ExpressionError(_located("This is not a formula", text, at)) from error
    except (ValueError, MemoryError, RecursionError) as error:
        raise ExpressionError("This is not a formula, or too deeply nested.") from error
    return Expression(text, _Reader(text, variables).read(tree.body))


@dataclass(frozen=True)
class _Reader:
    text: str
    variables: tuple[str, ...]

    def read(self, node: ast.expr) -> _Node:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(node, value)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
                apply, inner = _OPERATORS[type(op)], self.read(operand)
                return lambda values: apply(inner(values))
            case ast.BinOp(left=base, op=ast.Pow(), right=exponent):
                return self._power(base, exponent)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                apply, first, second = _OPERATORS[type(op)], self.read(left), self.read(right)
                return lambda values: apply(first(values), second(values))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                return self._call(node, name, arguments)
        raise self._error("Only arithmetic can be computed here", node)

    def _number(self, node: ast.expr, value: float) -> _Node:
        try:
            number = np.array(float(value))
        except OverflowError:
            number = np.array(np.inf)
        if not np.isfinite(number):
            raise self._error("This number is too large", node)
        return lambda _: number

    def _name(self, node: ast.expr, name: str) -> _Node:
        if name in self.variables:
            return lambda values: values[name]
        if name in CONSTANTS:
            constant = np.array(CONSTANTS[name])
            return lambda _: constant
        known = ", ".join((*self.variables, *CONSTANTS))
        if name in FUNCTIONS:
            raise self._error(f"{name} needs its argument in brackets", node)
        raise self._error(f"There is no '{name}'; known are {known}", node)

    def _power(self, base: ast.expr, exponent: ast.expr) -> _Node:
        sign, number = 1.0, exponent
        if isinstance(number, ast.UnaryOp) and isinstance(number.op, ast.USub):
            sign, number = -1.0, number.operand
        value = number.value if isinstance(number, ast.Constant) else None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._error("An exponent must be a number; write exp for others", exponent)
        if value > LARGEST_POWER:
            raise self._error(f"An exponent can be at most {LARGEST_POWER}", exponent)
        inner, power = self.read(base), sign * float(value)
        return lambda values: np.power(inner(values), power)

    def _call(self, node: ast.expr, name: str, arguments: list[ast.expr]) -> _Node:
        if name not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise self._error(f"There is no function '{name}'; known are {known}", node)
        count, apply = FUNCTIONS[name]
        if len(arguments) != count:
            raise self._error(f"{name} takes {count} argument{'s' * (count > 1)}", node)
        inner = [self.read(argument) for argument in arguments]
        return lambda values: apply(*(one(values) for one in inner))

    def _error(self, message: str, node: ast.expr) -> ExpressionError:
        # The parser counts bytes of UTF-8.
        at = len(self.text.encode()[: node.col_offset].decode(errors="ignore"))
        return ExpressionError(_located(message, self.text, at))


def _located(message: str, text: str, at: int) -> str:
    rest = text[at : at + 12]
    return f"{message} (character {at + 1}, at '{rest}')." if rest else f"{message} (at its end)."
