"""DNS messages from hostile hands, and replies of ours."""

from ipaddress import ip_address

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rempart.adapters.resolve import wire
from rempart.containment.names import LARGEST, Question
from rempart.errors import DecodeError

QUERY = dns.message.make_query("CaRe.Example", "A", use_edns=0, payload=1232, id=7)
ASKED = wire.read_question(QUERY.to_wire())


def answered(*rrsets: dns.rrset.RRset, number: int = 9, rcode: int = 0, name: str = "care.example") -> bytes:
    reply = dns.message.make_response(dns.message.make_query(name, "A", id=number))
    reply.answer.extend(rrsets)
    reply.set_rcode(dns.rcode.Rcode(rcode))
    return reply.to_wire()


def test_a_question_is_compared_in_lower_case_and_repeated_as_it_was_asked() -> None:
    assert ASKED.question == Question("care.example", "A")
    reply = dns.message.from_wire(wire.write_addresses(ASKED, [ip_address("192.0.2.1")], 60))
    assert reply.id == 7
    assert reply.answer[0].to_text() == "CaRe.Example. 60 IN A 192.0.2.1"
    assert reply.flags & dns.flags.RA


def test_what_goes_out_holds_nothing_of_the_asker_but_the_name() -> None:
    """No letter's case, no option, no number: each could carry something out."""
    query = dns.message.make_query("CaRe.Example", "A", use_edns=0, id=7)
    query.use_edns(0, options=[dns.edns.GenericOption(65001, b"secret")])
    out = dns.message.from_wire(wire.write_question(wire.read_question(query.to_wire()), 9))
    assert (out.id, out.options) == (9, ())
    assert out.question[0].name.to_text() == "care.example."


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 11,
        b"\xff" * 600,
        b"\0" * (wire.LONGEST_QUESTION + 1),
        dns.message.make_response(QUERY).to_wire(),
        dns.message.make_query("care.example", "A", rdclass="CH").to_wire(),
        dns.message.Message(id=1).to_wire(),
        # A name that points at itself (a compression loop).
        bytes.fromhex("000101000001000000000000c00c00010001"),
    ],
    ids=range(8),
)
def test_what_is_no_question_gets_no_reply(data: bytes) -> None:
    with pytest.raises(DecodeError):
        wire.read_question(data)


@given(st.binary(max_size=300))
@example(QUERY.to_wire()[:-3])
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for read in (wire.read_question, lambda given: wire.read_answer(ASKED, 9, given)):
        try:
            read(data)
        except DecodeError:
            continue


@given(st.data())
def test_no_flipped_byte_breaks_the_reader(data: st.DataObject) -> None:
    whole = bytearray(answered(dns.rrset.from_text("care.example.", 60, "IN", "A", "192.0.2.1")))
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    try:
        wire.read_answer(ASKED, 9, bytes(whole))
    except DecodeError:
        return


def test_an_answer_tells_aliases_addresses_and_the_shortest_time() -> None:
    heard = wire.read_answer(
        ASKED,
        9,
        answered(
            dns.rrset.from_text("CARE.example.", 300, "IN", "CNAME", "eu.Care.example."),
            dns.rrset.from_text("eu.care.example.", 20, "IN", "A", "192.0.2.1", "192.0.2.2"),
        ),
    )
    assert heard.exists
    assert heard.answer.aliases == (("care.example", "eu.care.example"),)
    assert {str(address) for _, address in heard.answer.addresses} == {"192.0.2.1", "192.0.2.2"}
    assert heard.answer.seconds == 20


@pytest.mark.parametrize(
    "data",
    [
        answered(number=8),
        answered(name="evil.example"),
        answered(rcode=2),
        dns.message.make_query("care.example", "A", id=9).to_wire(),
    ],
    ids=range(4),
)
def test_what_is_no_answer_to_the_question(data: bytes) -> None:
    with pytest.raises(DecodeError):
        wire.read_answer(ASKED, 9, data)


def test_a_name_that_is_not_there() -> None:
    heard = wire.read_answer(ASKED, 9, answered(rcode=3))
    assert not heard.exists
    reply = dns.message.from_wire(wire.write_addresses(ASKED, (), 0, exists=heard.exists))
    assert reply.rcode() == dns.rcode.NXDOMAIN


def test_what_did_not_fit_is_oversized() -> None:
    data = bytearray(answered())
    data[2] |= 0x02  # TC
    assert wire.read_answer(ASKED, 9, bytes(data)).answer.size > LARGEST


def test_a_long_reply_comes_again_over_tcp() -> None:
    many = [ip_address("2001:db8::") + number for number in range(32)]
    asked = wire.read_question(dns.message.make_query("care.example", "AAAA", use_edns=-1).to_wire())
    reply = wire.write_addresses(asked, many, 60)
    short = wire.fitted(asked, reply)
    assert len(short) < 512 < len(reply)
    assert dns.message.from_wire(short).flags & dns.flags.TC


def test_a_refusal_says_that_it_is_on_purpose() -> None:
    reply = dns.message.from_wire(wire.write_refusal(ASKED, "name"))
    assert reply.rcode() == dns.rcode.REFUSED
    assert reply.options == (dns.edns.EDEOption(dns.edns.EDECode.BLOCKED, "name"),)
