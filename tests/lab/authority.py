"""The outside's name servers: answers from a table that is read again at each question, and lies when told to.

The table is a file of JSON: for each name, records as [kind, ttl, text]; a star answers for every name below. What is
asked is appended to the file's log, so that a test can see which names came out.
"""

import json
import socketserver
import struct
import sys
import threading
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

TABLE = Path(sys.argv[1])
LOG = TABLE.with_suffix(".log")


def answer(data: bytes) -> bytes:
    query = dns.message.from_wire(data)
    [asked] = query.question
    name = asked.name.to_text(omit_final_dot=True).lower()
    kind = dns.rdatatype.to_text(asked.rdtype)
    with LOG.open("a") as log:
        log.write(f"{name} {kind}\n")
    table = json.loads(TABLE.read_text())
    reply = dns.message.make_response(query, recursion_available=True)
    reply.flags |= dns.flags.AA
    records = table.get(name) or table.get("*." + name.partition(".")[2])
    if records is None:
        reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire(max_size=65535)
    for owner, record_kind, ttl, text in chain(table, name, records):
        if record_kind in (kind, "CNAME"):
            found = dns.rrset.from_text(owner + ".", ttl, "IN", record_kind, text)
            same = next((each for each in reply.answer if each.match(*_key(found))), None)
            if same is None:
                reply.answer.append(found)
            else:
                same.update(found)
    return reply.to_wire(max_size=65535)


def _key(rrset: dns.rrset.RRset) -> tuple:
    return rrset.name, rrset.rdclass, rrset.rdtype, rrset.covers


def chain(table: dict, name: str, records: list) -> list:
    """The records of a name and of what it is an alias of."""
    found = [(name, *record) for record in records]
    for kind, _, text in records:
        target = text.rstrip(".")
        if kind == "CNAME" and target in table:
            found += chain(table, target, table[target])
    return found


class Datagrams(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, door = self.request
        reply = answer(data)
        if len(reply) > 4000:
            short = dns.message.make_response(dns.message.from_wire(data))
            short.flags |= dns.flags.TC
            reply = short.to_wire()
        door.sendto(reply, self.client_address)


class Streams(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while len(head := self.request.recv(2, 0x100)) == 2:
            reply = answer(self.request.recv(struct.unpack(">H", head)[0], 0x100))
            self.request.sendall(struct.pack(">H", len(reply)) + reply)


def main() -> None:
    socketserver.TCPServer.allow_reuse_address = True
    for address in sys.argv[2:]:
        for server in (
            socketserver.ThreadingUDPServer((address, 53), Datagrams),
            socketserver.ThreadingTCPServer((address, 53), Streams),
        ):
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()


main()
