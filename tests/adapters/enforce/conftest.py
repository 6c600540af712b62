"""What enforcers are tested in: a network namespace of the test's own."""

import ctypes
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

CLONE_NEWNET = 0x40000000


@pytest.fixture
def alone() -> Iterator[None]:
    """This thread in a fresh network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as home:
        if libc.unshare(CLONE_NEWNET):
            pytest.skip("needs a network namespace: run as root, or under unshare -Urn")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield
        libc.setns(home.fileno(), CLONE_NEWNET)
