"""The site's file on the disk: a person reads what is wrong with it, and where."""

from pathlib import Path

import pytest

from rempart.adapters.site_file import read_site, read_text
from rempart.errors import InputRefused


def test_a_site_is_read(tmp_path: Path) -> None:
    described = Path(__file__).parents[1] / "console" / "tilleuls.toml"
    assert read_site(described).id == "les-tilleuls"


@pytest.mark.parametrize("content", [None, b"name = \xff"])
def test_what_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "site.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputRefused) as refused:
        read_site(file)
    assert refused.value.where == str(file)
    assert ("No such file" if content is None else "not UTF-8 at byte 7") in refused.value.what
    assert refused.value.now


def test_a_disk_image_named_by_mistake_is_not_read_into_memory() -> None:
    """/dev/zero never ends."""
    with pytest.raises(InputRefused, match="longer than 4 MiB"):
        read_text(Path("/dev/zero"))


def test_lines_written_on_windows_end_as_all_others(tmp_path: Path) -> None:
    file = tmp_path / "exceptions.toml"
    file.write_bytes(b"a = 1\r\nb = 2\r\n")
    assert read_text(file) == "a = 1\nb = 2\n"
