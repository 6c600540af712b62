"""The units that a site needs follow from its description."""

from pathlib import Path

import pytest

from rempart.__main__ import main
from rempart.errors import ExitCode


def test_a_box_enables_what_its_site_describes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = Path(__file__).parents[2] / "nightly" / "box" / "site.toml"
    assert main(["units", "--site", str(site)]) == ExitCode.OK
    always = capsys.readouterr().out.split()
    assert always[0] == "rempart-boot.service"
    assert {"rempart-guard.service", "rempart-proxy.service", "rempart-logs.timer"} <= set(always)
    assert not {"rempart-prober.service", "rempart-gate.service"} & set(always)
    probing = tmp_path / "site.toml"
    probing.write_text(
        site.read_text()
        + '[[probes]]\nid = "directory"\nname = "Directory"\nkind = "tcp"\naddress = "10.2.0.5"\nport = 389\n'
    )
    assert main(["units", "--site", str(probing)]) == ExitCode.OK
    assert set(capsys.readouterr().out.split()) == {*always, "rempart-prober.service"}
