"""Statements of the lessons fail with their values, as tests do."""

import pytest

for _name in ("support.statements", "lessons.statements_1_to_4", "lessons.statements_5_to_9"):
    pytest.register_assert_rewrite(f"tests.{_name}")
