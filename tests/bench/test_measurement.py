import json

import pytest

from vae_explorer.bench.measurement import Measurement, percentiles


def test_one_json_object_a_line_with_the_details_beside_the_value() -> None:
    line = Measurement("map.frame_ms", 1.5, "ms", 31, {"points": 70_000}).to_json()
    assert "\n" not in line
    assert json.loads(line) == {
        "metric": "map.frame_ms",
        "value": 1.5,
        "unit": "ms",
        "n": 31,
        "points": 70_000,
    }


def test_percentiles_are_named_after_the_metric() -> None:
    figures = {f.metric: f for f in percentiles("lag", range(101), "median", "p99", "max", k=1)}
    assert {name: figure.value for name, figure in figures.items()} == {
        "lag.median": 50.0,
        "lag.p99": 99.0,
        "lag.max": 100.0,
    }
    assert figures["lag.max"].details == {"k": 1}
    assert figures["lag.max"].n == 101


def test_an_unknown_percentile_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        list(percentiles("lag", [1.0], "p50"))
