from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from rempart.config import Places
from rempart.containment.render.ulogd import config
from rempart.errors import InputRefused


def places(run: str) -> Places:
    return Places(site=Path("/etc/site.toml"), state=Path("/var/lib/r"), run=Path(run), rules=())


def test_the_configuration(snapshot: SnapshotAssertion) -> None:
    assert config(places("/run/r")) == snapshot


def test_a_folder_that_would_break_out_is_refused() -> None:
    with pytest.raises(InputRefused):
        config(places('/run/a"\nplugin="/tmp/evil.so'))
