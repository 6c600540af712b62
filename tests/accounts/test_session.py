"""How long a session lasts."""

from dataclasses import replace

from rempart.accounts.credential import How, Scope, Session
from rempart.accounts.session import IDLE, LONGEST, NOTED, lives, used
from rempart.instants import Instant, after, seconds

MADE = Instant(1_700_000_000_000_000)
SESSION = Session(
    person="anne",
    digest="ab" * 32,
    how=How.PASSKEY,
    made=MADE,
    seen=MADE,
    ends=after(MADE, LONGEST),
    where="127.0.0.1",
)


def test_silence_ends_it() -> None:
    assert lives(SESSION, after(MADE, seconds(1)))
    assert not lives(SESSION, after(MADE, IDLE))


def test_use_keeps_it_but_not_beyond_a_shift() -> None:
    session, now = SESSION, MADE
    while now < SESSION.ends:
        assert lives(session, now)
        session, now = used(session, now), Instant(now + IDLE // 2)
    assert not lives(session, now)


def test_use_is_noted_once_a_minute() -> None:
    assert used(SESSION, Instant(MADE + NOTED - 1)) is SESSION
    assert used(SESSION, after(MADE, NOTED)).seen == MADE + NOTED


def test_a_program_may_be_silent() -> None:
    token = replace(SESSION, scopes=frozenset({Scope.READ}))
    assert lives(token, Instant(SESSION.ends - 1))
    assert not lives(token, SESSION.ends)
