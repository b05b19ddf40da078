"""The workbench of the session's tests, for real views."""

from tests.session.conftest import failures, inline_jobs, main
from tests.session.lessons.conftest import clock, model, settle, workbench

__all__ = ["clock", "failures", "inline_jobs", "main", "model", "settle", "workbench"]
