"""Lets a failed assertion of a rule tell its values, as those of test modules do."""

import pytest

pytest.register_assert_rewrite(f"{__package__}.rules")
