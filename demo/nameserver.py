"""The provider's name server: one hosted service has its name here, every other name leads to another address.

Each name that arrives is said on a line of standard output: what came out of the hospital can be read there, and
nowhere else.

Usage: python -m demo.nameserver ADDRESS NAME LEADS-TO
"""

import socket
import sys
import threading

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

_TTL = 60


def answer(question: bytes, own: str, known: str, leads_to: str) -> bytes:
    """The reply to one question: the address of the name that is known; of any other, the server's ``own``."""
    query = dns.message.from_wire(question)
    [asked] = query.question
    name = asked.name.to_text(omit_final_dot=True).lower()
    print(f"asked {name}", flush=True)
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.AA
    match asked.rdtype:
        case dns.rdatatype.A:
            address = leads_to if name == known else own
            reply.answer.append(dns.rrset.from_text(asked.name, _TTL, "IN", "A", address))
        case dns.rdatatype.TXT:
            reply.answer.append(
                dns.rrset.from_text(asked.name, _TTL, "IN", "TXT", '"an answer for a tunnel"')
            )
    return reply.to_wire()


def serve(address: str, known: str, leads_to: str) -> None:
    """Answer for ever, over UDP and TCP."""
    threading.Thread(target=_over_tcp, args=(address, known, leads_to), daemon=True).start()
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind((address, 53))
    while True:
        question, peer = door.recvfrom(4096)
        door.sendto(answer(question, address, known, leads_to), peer)


def _over_tcp(address: str, known: str, leads_to: str) -> None:
    door = socket.create_server((address, 53))
    while True:
        talk, _ = door.accept()
        with talk, talk.makefile("rwb") as stream:
            while len(length := stream.read(2)) == 2:
                reply = answer(stream.read(int.from_bytes(length, "big")), address, known, leads_to)
                stream.write(len(reply).to_bytes(2, "big") + reply)
                stream.flush()


if __name__ == "__main__":
    serve(*sys.argv[1:])
