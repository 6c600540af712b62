from rempart.containment.acl import acl


def test_a_list_has_as_many_lines_as_it_needs() -> None:
    members = [f"192.0.2.{number}" for number in range(120)]
    written = list(acl("callers_5", "src", members))
    assert [line.split()[:3] for line in written] == [["acl", "callers_5", "src"]] * 3
    assert [member for line in written for member in line.split()[3:]] == members
    assert max(len(line.split()) for line in written) < 64  # haproxy reads no more


def test_an_empty_list_never_holds() -> None:
    assert list(acl("callers_5", "src", ())) == ["\tacl callers_5 always_false"]
