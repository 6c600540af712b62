"""Squares that a camera reads: every square of the code is drawn once, and there is quiet around it."""

import re

import segno

from rempart.console.squares import QUIET, squares

ADDRESS = "otpauth://totp/Les%20Tilleuls:anne?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Les%20Tilleuls"


def drawn(path: str) -> set[tuple[int, int]]:
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", path)
    assert "".join(f"M{x} {y}h{n}v1h-{back}z" for x, y, n, back in runs) == path
    return {(int(x) + step, int(y)) for x, y, n, _ in runs for step in range(int(n))}


def test_what_is_drawn_is_the_code() -> None:
    made = squares(ADDRESS)
    code = segno.make_qr(ADDRESS, error="m").matrix
    dark = {(x + QUIET, y + QUIET) for y, row in enumerate(code) for x, square in enumerate(row) if square}
    assert drawn(made.path) == dark
    assert made.size == len(code) + 2 * QUIET


def test_the_longest_names_fit() -> None:
    long = ADDRESS.replace("anne", "a" * 64).replace("Les%20Tilleuls", "%C3%A9" * 120)
    assert squares(long).size > squares(ADDRESS).size
