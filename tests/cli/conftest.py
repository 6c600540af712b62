"""A site that publishes its website with a certificate, for the verbs about certificates."""

from pathlib import Path

import pytest

SITE = Path(__file__).parents[1] / "console" / "tilleuls.toml"


@pytest.fixture
def described(tmp_path: Path) -> Path:
    """Its site.toml; the certificate belongs beside it, in www.pem."""
    file = tmp_path / "site.toml"
    tls = f'port = 8080, tls = {{ certificate = "{tmp_path}/www.pem" }} }}'
    lines = SITE.read_text().splitlines()
    file.write_text(
        "\n".join(line.replace("port = 8080 }", tls) if "www." in line else line for line in lines)
    )
    return file
