"""Where things stand in a TOML file."""

from rempart.site.page import lines


def test_long_strings_do_not_move_lines() -> None:
    found = lines('a = """\n[b]\nc = 1\n"""\n[[d]]\ne = 1\n[[d]]\n  f.g = 2\n[d.h]\ni = 1\n')
    assert found == {
        (): 1,
        ("a",): 1,
        ("d", 0): 5,
        ("d", 0, "e"): 6,
        ("d", 1): 7,
        ("d", 1, "f", "g"): 8,
        ("d", 1, "h"): 9,
        ("d", 1, "h", "i"): 10,
    }
