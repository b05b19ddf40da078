"""One measured figure, as the bench command prints it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Measurement:
    """``metric`` is an interface: scripts read it. ``n`` counts the samples behind ``value``."""

    metric: str
    value: float
    unit: str
    n: int
    details: Mapping[str, int | float | str] = field(default_factory=dict)

    def to_json(self) -> str:
        """One line: metric, value, unit, n and the details."""
        fields = {"metric": self.metric, "value": self.value, "unit": self.unit, "n": self.n}
        return json.dumps(fields | dict(self.details))


def percentiles(
    metric: str, milliseconds: Sequence[float], *names: str, **details: int | float | str
) -> Iterator[Measurement]:
    """The named ones of median, p99 and max of ``milliseconds``, as ``metric.name``."""
    shares = {"median": 50, "p99": 99, "max": 100}
    for name in names:
        value = float(np.percentile(milliseconds, shares[name]))
        yield Measurement(f"{metric}.{name}", value, "ms", len(milliseconds), dict(details))
