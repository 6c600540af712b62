import pytest

from rempart.adapters import shipped


def test_shipped_data_are_found_by_name() -> None:
    assert "[[duties]]" in shipped.text("duties/obligations.toml")
    with pytest.raises(FileNotFoundError):
        shipped.text("duties/nothing.toml")
