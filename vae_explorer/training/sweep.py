"""A sweep: one recipe, one or two of its fields varied, a run for every combination."""

import itertools
import math
import re
from dataclasses import dataclass
from functools import cached_property

import tomli_w

from vae_explorer import schema
from vae_explorer.errors import RecipeError
from vae_explorer.number_format import field_value
from vae_explorer.training.recipe import Recipe, Value

MOST_RUNS = 1_000


@dataclass(frozen=True)
class Axis:
    """A field of the recipe and the values that it takes, in order."""

    field: str
    values: tuple[Value, ...]

    @classmethod
    def parse(cls, text: str) -> "Axis":
        """Read ``beta=0.5,1,2`` or ``beta=0,5; 1; 2``, or ``seed=0:4`` for 0, 1, 2 and 3.

        Raises:
            RecipeError: it is neither.
        """
        field, equals, values = (part.strip() for part in text.partition("="))
        if not (field and equals and values):
            raise RecipeError(
                f"'{text}' varies no field; write FIELD=VALUE,VALUE,... or FIELD=FIRST:END."
            )
        ends = re.fullmatch(r"(\d{1,10}):(\d{1,10})", values)
        if not ends:
            return cls(
                field,
                tuple(field_value(value) for value in values.split(";" if ";" in values else ",")),
            )
        numbers = range(int(ends[1]), int(ends[2]))
        if not 1 <= len(numbers) <= MOST_RUNS:
            raise RecipeError(
                f"'{text}' has {len(numbers):,} values; {ends[1]}:{ends[2]} stands for the numbers "
                f"from {ends[1]} to before {ends[2]}, of which there may be 1 to {MOST_RUNS:,}."
            )
        return cls(field, tuple(numbers))


@dataclass(frozen=True)
class _File:
    axes: tuple[Axis, ...]
    recipe: dict[str, Value]


@dataclass(frozen=True)
class Cell:
    """One run of a sweep: its ``number`` counts from 1, ``values`` are its position on the axes."""

    number: int
    values: tuple[tuple[str, Value], ...]
    recipe: Recipe

    @property
    def name(self) -> str:
        """Its position in words, such as "beta=0.5, seed=1"."""
        return ", ".join(f"{field}={value}" for field, value in self.values)


@dataclass(frozen=True)
class Sweep:
    """Every combination of the values on one or two axes; the others are those of ``recipe``.

    Raises:
        RecipeError: no or too many axes or runs, an unknown field, a value out of range, a field
            that no run heeds, or the same run twice.
    """

    recipe: Recipe
    axes: tuple[Axis, ...]

    def __post_init__(self) -> None:
        fields = [axis.field for axis in self.axes]
        if not 1 <= len(fields) <= 2 or len(set(fields)) < len(fields):
            raise RecipeError(
                f"A sweep varies one or two fields, not {', '.join(fields) or 'none'}."
            )
        runs = math.prod(len(axis.values) for axis in self.axes)
        if not 1 <= runs <= MOST_RUNS:
            raise RecipeError(f"This sweep has {runs:,} runs; it may have 1 to {MOST_RUNS:,}.")
        names = [cell.name for cell in self.cells]
        for name in names:
            if names.count(name) > 1:
                raise RecipeError(f"This sweep has the run {name} twice; leave one out.")
        for field in fields:
            spec = Recipe.specs()[field]
            if spec.needs and not any(spec.applies(cell.recipe) for cell in self.cells):
                other = spec.needs[0]
                values = sorted({str(getattr(cell.recipe, other)) for cell in self.cells})
                raise RecipeError(
                    f"'{field}' makes no difference here: {other} is {', '.join(values)}."
                )

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All runs; the last axis varies fastest."""
        fields = [axis.field for axis in self.axes]
        cells: list[Cell] = []
        for values in itertools.product(*(axis.values for axis in self.axes)):
            recipe = self.recipe.replace(**dict(zip(fields, values, strict=True)))
            position = tuple((field, getattr(recipe, field)) for field in fields)
            cells.append(Cell(len(cells) + 1, position, recipe))
        return tuple(cells)

    def to_toml(self) -> str:
        """The sweep as TOML text."""
        axes = [{"field": axis.field, "values": list(axis.values)} for axis in self.axes]
        return tomli_w.dumps({"axes": axes, "recipe": self.recipe.to_dict()})

    @classmethod
    def parse(cls, text: str, source: str = "sweep") -> "Sweep":
        """Read what ``to_toml`` wrote; ``source`` is named in errors.

        Raises:
            RecipeError: the text is not a sweep, or one with a bad field.
        """
        return cls.from_dict(schema.parse_toml(text, source, RecipeError), source)

    @classmethod
    def from_dict(cls, values: dict[str, object], source: str) -> "Sweep":
        """As ``parse``, from the values in the text."""
        file = schema.build(_File, values, source, RecipeError)
        try:
            return cls(Recipe.from_dict(file.recipe), file.axes)
        except RecipeError as error:
            raise RecipeError(f"{source}: {error}") from None
