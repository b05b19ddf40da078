import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import Result

from vae_explorer.bench.measurement import Measurement

Cli = Callable[..., Result]
Refused = Callable[..., str]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names measured; the figures are made up."""
    names: list[str] = []

    def run(name: str) -> Iterator[Measurement]:
        names.append(name)
        yield Measurement("decode.latency_ms.p99", 1.8, "ms", 2_000)
        yield Measurement("map.frame_ms", 4.25, "ms", 100, {"points": 70_000})

    monkeypatch.setattr("vae_explorer.cli.measuring.run", run)
    return names


def test_json_is_one_object_a_line(cli: Cli, measured: list[str]) -> None:
    first, second = map(json.loads, cli("bench", "decode", "--json").stdout.splitlines())
    assert measured == ["decode"]
    assert first == {"metric": "decode.latency_ms.p99", "value": 1.8, "unit": "ms", "n": 2_000}
    assert second["points"] == 70_000


def test_text_is_a_table(cli: Cli, measured: list[str]) -> None:
    first, second = cli("bench", "map").stdout.splitlines()
    assert measured == ["map"]
    assert first.split() == ["decode.latency_ms.p99", "1.8", "ms", "n=2000"]
    assert second.split() == ["map.frame_ms", "4.25", "ms", "n=100", "points=70000"]
    assert first.index("1.8") + 3 == second.index("4.25") + 4
    assert first.index(" ms ") == second.index(" ms ")


def test_several_are_measured_one_after_another(cli: Cli, measured: list[str]) -> None:
    lines = cli("bench", "train", "exact", "--json").stdout.splitlines()
    assert measured == ["train", "exact"]
    assert [json.loads(line)["n"] for line in lines] == [2_000, 100] * 2


def test_none_at_all_is_refused(refused: Refused, measured: list[str]) -> None:
    assert "startup" in refused("bench")
    assert not measured


def test_an_unknown_name_is_refused_with_the_known_ones(refused: Refused) -> None:
    said = refused("bench", "coffee")
    for name in ("startup", "decode", "map", "train", "exact", "responsiveness"):
        assert name in said
