"""Text messages in the network's form: known ones byte for byte, and any text there and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rempart.telling.pdu import _SEPTETS, MOST_PARTS, NotAMessage, delivered, fits, parts, submit

ALPHABET = st.text(st.sampled_from(sorted(_SEPTETS)), max_size=600)
ANY = st.text(st.characters(blacklist_categories=["Cs"]), max_size=300)
SENDER = "32470000001"


def as_delivered(tpdu: str) -> str:
    """A submitted part as the network hands it to a telephone: SMS-DELIVER has a sender and a time instead."""
    raw = bytes.fromhex(tpdu)[1:]
    first = raw[0] & 0x40
    digits = raw[2]
    end = 4 + (digits + 1) // 2
    coding, rest = raw[end + 1], raw[end + 3 :]
    stamp = bytes.fromhex("62112230214500")
    return (b"\0" + bytes((first,)) + raw[2:end] + bytes((0, coding)) + stamp + rest).hex()


def test_a_known_message_byte_for_byte() -> None:
    """ "hellohello" to +27838890001, valid for a day: the worked example of many modem manuals."""
    (part,) = submit("+27838890001", "hellohello", 0)
    assert part.hexadecimal == "0011000B917238880900F10000A70AE8329BFD4697D9EC37"
    assert part.length == 23


def test_a_known_message_is_read() -> None:
    seen = delivered("07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37")
    assert (seen.sender, seen.text) == ("27838890001", "hellohello")


@settings(deadline=None)
@given(ALPHABET)
def test_the_networks_alphabet_goes_there_and_back(text: str) -> None:
    if parts(text) > MOST_PARTS:
        return
    made = submit(f"+{SENDER}", text, 7)
    back = [delivered(as_delivered(part.hexadecimal)) for part in made]
    assert "".join(each.text for each in back) == text
    assert {each.sender for each in back} == {f"+{SENDER}"}
    assert all(len(part.hexadecimal) // 2 == part.length + 1 <= 165 for part in made)


@settings(deadline=None)
@given(ANY)
def test_any_text_goes_there_and_back(text: str) -> None:
    if parts(text) > MOST_PARTS:
        return
    assert (
        "".join(delivered(as_delivered(part.hexadecimal)).text for part in submit("+32471", text, 255))
        == text
    )


def test_french_accents_that_the_alphabet_lacks_need_the_other_one() -> None:
    assert fits("Réouverture à 16 h, où ?")
    assert not fits("fenêtre")
    assert parts("é" * 160) == 1
    assert parts("é" * 161) == 2
    assert parts("ê" * 70) == 1
    assert parts("ê" * 71) == 2


def test_a_text_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="5 parts"):
        submit("+3247", "x" * (153 * 4 + 1), 0)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_hostile_bytes_are_refused_and_nothing_else_happens(raw: bytes) -> None:
    try:
        seen = delivered(raw.hex())
    except NotAMessage:
        return
    assert len(seen.text) <= 300


@pytest.mark.parametrize("junk", ["", "zz", "00", "07917283010010F5", "00110000"])
def test_junk_is_refused(junk: str) -> None:
    with pytest.raises(NotAMessage):
        delivered(junk)
