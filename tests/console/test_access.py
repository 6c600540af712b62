"""The one-time link and the sessions it buys."""

from rempart.console.access import LASTS, Access
from rempart.instants import Instant, after

NOW = Instant(0)


def test_a_link_works_once_and_is_replaced() -> None:
    links: list[str] = []
    access = Access(publish=links.append)
    session = access.enter(links[0], NOW)
    assert session is not None
    assert access.session(session.key, NOW) == session
    assert access.enter(links[0], NOW) is None
    assert len(set(links)) == 2
    assert access.enter(links[1], NOW) is not None


def test_a_wrong_link_buys_nothing_and_spends_nothing() -> None:
    links: list[str] = []
    access = Access(publish=links.append)
    for wrong in ("", "x", links[0][:-1], "é\x00"):
        assert access.enter(wrong, NOW) is None
    assert len(links) == 1
    assert access.enter(links[0], NOW) is not None


def test_a_session_ends_with_the_shift() -> None:
    links: list[str] = []
    access = Access(publish=links.append)
    session = access.enter(links[0], NOW)
    assert session is not None
    assert access.session(session.key, after(NOW, LASTS)) is None
    assert access.session(session.key, NOW) is None


def test_sessions_are_bounded() -> None:
    links: list[str] = []
    access = Access(publish=links.append)
    first = access.enter(links[-1], NOW)
    for _ in range(64):
        access.enter(links[-1], NOW)
    assert first is not None
    assert access.session(first.key, NOW) is None


def test_secrets_do_not_show() -> None:
    links: list[str] = []
    access = Access(publish=links.append)
    session = access.enter(links[0], NOW)
    assert session is not None
    shown = repr(access) + repr(session)
    assert all(secret not in shown for secret in (*links, session.key, session.csrf))
