"""DNS messages as bytes: questions and answers read from hostile hands, replies and questions of ours written.

dnspython reads and writes; nothing of an answer's bytes goes on to whoever asked for addresses: replies are made anew
from the addresses that were admitted. Names are compared in lower case and told as they were asked.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA

from rempart.containment.names import ADDRESS_KINDS, LARGEST, Address, Answer, Question
from rempart.errors import DecodeError

LONGEST_QUESTION = 1024
"""Bytes; a question is a name of at most 255 and a few options."""

_PAYLOAD = 1232
"""Bytes of a datagram that no network on the way splits (DNS flag day 2020); longer replies want TCP."""
_OLD_PAYLOAD = 512
"""What whoever says nothing can take (RFC 1035)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, with the message that carried it: replies repeat its number and its spelling."""

    question: Question
    message: dns.message.Message


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer: what it says of addresses, whether the name exists at all, and records of other kinds as they came."""

    answer: Answer
    exists: bool
    others: tuple[dns.rrset.RRset, ...] = ()


def read_question(data: bytes) -> Asked:
    """A question that can be answered. Raises DecodeError for anything else: such a packet deserves no reply."""
    if len(data) > LONGEST_QUESTION:
        raise DecodeError(f"a question of {len(data)} bytes")
    message = _read(data)
    if message.flags & dns.flags.QR or message.opcode() != dns.opcode.QUERY or len(message.question) != 1:
        raise DecodeError("no single question")
    [asked] = message.question
    if asked.rdclass != dns.rdataclass.IN or message.answer:
        raise DecodeError("no question about the Internet")
    return Asked(Question(_text(asked.name), dns.rdatatype.to_text(asked.rdtype)), message)


def write_question(asked: Asked, number: int) -> bytes:
    """The same question as we ask it: in lower case, with our number, and nothing else of what the asker sent."""
    [rrset] = asked.message.question
    query = dns.message.make_query(
        rrset.name.canonicalize(), rrset.rdtype, use_edns=0, payload=LARGEST, id=number
    )
    return query.to_wire()


def read_answer(asked: Asked, number: int, data: bytes) -> Heard:
    """What came back for ``asked``. Raises DecodeError when it is no answer to it, or a failure."""
    message = _read(data)
    [ours] = asked.message.question
    if message.id != number or not message.flags & dns.flags.QR or len(message.question) != 1:
        raise DecodeError("not the answer to this question")
    if (message.question[0].name, message.question[0].rdtype) != (ours.name, ours.rdtype):
        raise DecodeError("the answer to another question")
    if message.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise DecodeError(f"resolving failed: {dns.rcode.to_text(message.rcode())}")
    # What did not fit its datagram is larger than an answer may be.
    size = LARGEST + 1 if message.flags & dns.flags.TC else len(data)
    exists = message.rcode() == dns.rcode.NOERROR
    others = () if asked.question.kind in ADDRESS_KINDS else tuple(message.answer)
    return Heard(_answer(size, message.answer, asked.question.kind), exists, others)


def write_addresses(
    asked: Asked, addresses: Sequence[Address], seconds: int, *, exists: bool = True
) -> bytes:
    """A reply with these addresses and nothing else."""
    reply = _reply(asked, dns.rcode.NOERROR if exists else dns.rcode.NXDOMAIN)
    if addresses:
        [rrset] = asked.message.question
        make = A if rrset.rdtype == dns.rdatatype.A else AAAA
        records = [make(rrset.rdclass, rrset.rdtype, str(address)) for address in addresses]
        reply.answer.append(dns.rrset.from_rdata_list(rrset.name, seconds, records))
    return reply.to_wire()


def write_records(asked: Asked, heard: Heard) -> bytes:
    """A reply with records of other kinds, as they came."""
    reply = _reply(asked, dns.rcode.NOERROR if heard.exists else dns.rcode.NXDOMAIN)
    reply.answer.extend(heard.others)
    return reply.to_wire(max_size=65535)


def write_refusal(asked: Asked, why: str) -> bytes:
    """A reply that refuses, and says that it is on purpose (RFC 8914, code 15)."""
    reply = _reply(asked, dns.rcode.REFUSED)
    if asked.message.edns >= 0:
        reply.use_edns(0, payload=_PAYLOAD, options=[dns.edns.EDEOption(dns.edns.EDECode.BLOCKED, why)])
    return reply.to_wire()


def write_failure(asked: Asked) -> bytes:
    """A reply that says to ask again later."""
    return _reply(asked, dns.rcode.SERVFAIL).to_wire()


def fitted(asked: Asked, reply: bytes) -> bytes:
    """The reply as a datagram; what is too long for the asker's says to come again over TCP."""
    room = (
        min(max(asked.message.payload, _OLD_PAYLOAD), _PAYLOAD) if asked.message.edns >= 0 else _OLD_PAYLOAD
    )
    if len(reply) <= room:
        return reply
    short = _reply(asked, dns.rcode.NOERROR)
    short.flags |= dns.flags.TC
    return short.to_wire()


def _reply(asked: Asked, code: dns.rcode.Rcode) -> dns.message.Message:
    reply = dns.message.make_response(asked.message, recursion_available=True, our_payload=_PAYLOAD)
    reply.set_rcode(code)
    return reply


def _read(data: bytes) -> dns.message.Message:
    # dnspython names what it foresees; hostile bytes have found ValueError and IndexError too.
    try:
        return dns.message.from_wire(data)
    except (dns.exception.DNSException, ValueError, IndexError, NotImplementedError) as fault:
        raise DecodeError(f"no DNS message: {type(fault).__name__}") from fault


def _text(name: dns.name.Name) -> str:
    """A name in lower case without its last dot; odd bytes in it are written as digits."""
    return name.canonicalize().to_text(omit_final_dot=True)


def _answer(size: int, rrsets: Sequence[dns.rrset.RRset], kind: str) -> Answer:
    aliases: list[tuple[str, str]] = []
    addresses: list[tuple[str, Address]] = []
    lasting: list[int] = []
    for rrset in rrsets:
        if rrset.rdclass != dns.rdataclass.IN:
            continue
        owner = _text(rrset.name)
        lasting.append(rrset.ttl)
        for record in rrset:
            if rrset.rdtype == dns.rdatatype.CNAME:
                aliases.append((owner, _text(record.target)))
            elif dns.rdatatype.to_text(rrset.rdtype) == kind in ADDRESS_KINDS:
                with contextlib.suppress(ValueError):
                    addresses.append((owner, ip_address(record.address)))
    return Answer(
        size=size, aliases=tuple(aliases), addresses=tuple(addresses), seconds=min(lasting, default=0)
    )
