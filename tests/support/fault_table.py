"""What ``make test-all`` tells at its end: faults, inputs, kills, actions, memory."""

from collections.abc import Iterator

import pytest
from _pytest.terminal import TerminalReporter

from tests.support.faults import FAULTS


def _reports(terminal: TerminalReporter) -> Iterator[pytest.TestReport]:
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminal.stats.get(outcome, []):
            if isinstance(report, pytest.TestReport) and (report.when == "call" or report.failed):
                yield report


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Print the table, if the long tests were run."""
    reports = list(_reports(terminalreporter))
    if not any("long" in report.keywords for report in reports):
        return
    outcomes: dict[str, list[str]] = {}
    for report in reports:
        outcomes.setdefault(report.nodeid.partition("[")[0], []).append(report.outcome)
    terminalreporter.section("faults")
    inputs = 0
    for number, fault in FAULTS.items():
        ran = [outcome for test in fault.tests for outcome in outcomes.get(test, ["not run"])]
        inputs += len(ran) - ran.count("not run") if number <= 30 else 0
        said = ", ".join(f"{ran.count(one)} {one}" for one in sorted(set(ran)))
        terminalreporter.write_line(f"{number:>3}  {fault.what:<58} {said or fault.why_none}")
    figures: dict[str, list[object]] = {}
    for report in reports:
        for name, value in report.user_properties:
            figures.setdefault(name, []).append(value)
    terminalreporter.write_line(f"bad inputs: {inputs}")
    for name in ("kills", "actions"):
        total = sum(value for value in figures.get(name, []) if isinstance(value, int))
        terminalreporter.write_line(f"{name}: {total}")
    for name in ("slowest", "memory"):
        terminalreporter.write_line(
            f"{name}: {', '.join(map(str, figures.get(name, ['not run'])))}"
        )
