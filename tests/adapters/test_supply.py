"""Rule sets on disk: real folders, archives and an https server; hostile ones are refused and change nothing."""

import datetime as dt
import gzip
import hashlib
import http.server
import io
import ipaddress
import os
import ssl
import stat
import struct
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rempart.adapters import supply
from rempart.adapters.supply import RuleFiles, Supply
from rempart.errors import InputRefused
from rempart.instants import Instant

NOW = Instant(1_795_000_000_000_000)


@pytest.fixture
def rules(tmp_path: Path) -> Supply:
    return Supply(tmp_path / "state" / "rules")


def install(rules: Supply, source: Path | str, sha256: str | None = None) -> RuleFiles:
    with rules.staged(str(source), sha256=sha256) as staged:
        return rules.switch(staged, NOW)


def folder(path: Path, text: str = "title: One\n") -> Path:
    (path / "web").mkdir(parents=True)
    (path / "web" / "one.yml").write_text(text)
    (path / "LICENSE").write_text("free")
    (path / "run.sh").write_text("#!/bin/sh\n")
    return path


def zipped(path: Path, *files: tuple[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in files:
            packed.writestr(name, text)
    return path


def tarred(path: Path, *entries: tarfile.TarInfo, text: bytes = b"title: One\n") -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for entry in entries:
            entry.size = len(text) if entry.isreg() else 0
            packed.addfile(entry, io.BytesIO(text) if entry.isreg() else None)
    return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def names(found: RuleFiles) -> set[str]:
    return {str(path.relative_to(found.folder)) for path in found.folder.rglob("*") if path.is_file()}


def untouched(rules: Supply) -> bool:
    """Nothing in force, and nothing left lying about."""
    left = {path.name for path in rules.folder.iterdir()} if rules.folder.exists() else set()
    return rules.current is None and left <= {"sets", ".lock"} and not list((rules.folder / "sets").iterdir())


# -- what is in order -------------------------------------------------------------------------------------------------


def test_a_folder_is_copied_without_what_is_no_rule(rules: Supply, tmp_path: Path) -> None:
    made = install(rules, folder(tmp_path / "mine"))
    assert names(made) == {"web/one.yml", "LICENSE"}
    assert (made.kept, made.left_out, made.installed) == (2, 1, NOW)
    assert rules.current == made


def test_the_digest_of_a_folder_can_be_made_by_hand(rules: Supply, tmp_path: Path) -> None:
    made = install(rules, folder(tmp_path / "mine"))
    by_hand = "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    said = subprocess.run(["sh", "-c", by_hand], cwd=made.folder, capture_output=True, check=True)
    assert said.stdout.decode().split()[0] == made.sha256


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_is_unpacked(rules: Supply, tmp_path: Path, kind: str) -> None:
    source = folder(tmp_path / "mine")
    archive = tmp_path / f"set.{kind}"
    if kind == "zip":
        zipped(archive, ("mine/web/one.yml", "title: One\n"), ("mine/run.sh", "x"), ("mine/LICENSE", "free"))
    else:
        flag = "z" if kind == "tar.gz" else ""
        subprocess.run(["tar", f"c{flag}f", archive, "-C", source.parent, "./mine"], check=True)
    made = install(rules, archive, hashlib.sha256(archive.read_bytes()).hexdigest().upper())
    assert names(made) == {"mine/web/one.yml", "mine/LICENSE"}


def test_the_previous_set_is_kept_and_comes_back_and_older_ones_go(rules: Supply, tmp_path: Path) -> None:
    made = [install(rules, folder(tmp_path / str(n), f"title: {n}\n")) for n in range(3)]
    assert (rules.current, rules.previous) == (made[2], made[1])
    assert not made[0].folder.exists()
    assert rules.rollback() == made[1]
    assert (rules.current, rules.previous) == (made[1], made[2])
    assert rules.rollback() == made[2]


def test_the_same_set_again_keeps_the_one_before(rules: Supply, tmp_path: Path) -> None:
    first = install(rules, folder(tmp_path / "a", "title: a\n"))
    second = install(rules, folder(tmp_path / "b", "title: b\n"))
    assert install(rules, tmp_path / "b") == second
    assert rules.previous == first


def test_a_reader_sees_the_old_or_the_new_never_half(rules: Supply, tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder(tmp_path / name, f"title: {name}\n")
    install(rules, tmp_path / "a")
    seen, ended = set(), threading.Event()

    def look() -> None:
        while not ended.is_set():
            now = rules.current
            seen.add(now and (now.folder / "web" / "one.yml").read_text())

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(20):
        install(rules, tmp_path / "b")
        install(rules, tmp_path / "a")
    ended.set()
    reader.join()
    assert seen == {"title: a\n", "title: b\n"}


def test_everybody_may_read_what_was_installed_under_a_narrow_umask(rules: Supply, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        made = install(rules, folder(tmp_path / "mine"))
    finally:
        os.umask(before)
    within = (made.folder.parent, *made.folder.parent.rglob("*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in within} == {0o755, 0o644}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (rules.folder, rules.folder / "sets")} == {0o755}


def test_without_a_set_before_there_is_no_way_back(rules: Supply, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no set was in force before"):
        rules.rollback()
    install(rules, folder(tmp_path / "mine"))
    with pytest.raises(InputRefused, match="no set was in force before"):
        rules.rollback()


def test_a_set_that_was_only_looked_at_leaves_nothing(rules: Supply, tmp_path: Path) -> None:
    with rules.staged(str(folder(tmp_path / "mine"))) as staged:
        assert staged.kept == 2
    assert untouched(rules)


# -- what is hostile --------------------------------------------------------------------------------------------------


def test_another_checksum_is_refused(rules: Supply, tmp_path: Path) -> None:
    archive = zipped(tmp_path / "set.zip", ("one.yml", "title: One\n"))
    with pytest.raises(InputRefused, match="not 0000"):
        install(rules, archive, "0" * 64)
    assert untouched(rules)


HOSTILE = ["../one.yml", "a/../../one.yml", "/etc/one.yml", "a\\..\\one.yml", "a//one.yml", "one\x1b[2J.yml",
           "\u202egnp.yml", "a/./one.yml", "x" * 300 + ".yml"]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_leads_elsewhere_is_refused(rules: Supply, tmp_path: Path, name: str) -> None:
    for archive in (
        zipped(tmp_path / "set.zip", ("fine.yml", "title: One\n"), (name, "x")),
        tarred(tmp_path / "set.tgz", entry("fine.yml"), entry(name)),
    ):
        with pytest.raises(InputRefused, match="does not stay in its folder") as refused:
            install(rules, archive)
        assert refused.value.diagnostics().isascii()
        assert untouched(rules)


def test_links_and_devices_are_left_out(rules: Supply, tmp_path: Path) -> None:
    archive = tarred(
        tmp_path / "set.tgz",
        entry("one.yml"),
        entry("passwd.yml", tarfile.SYMTYPE, "/etc/passwd"),
        entry("hard.yml", tarfile.LNKTYPE, "/etc/passwd"),
        entry("pipe.yml", tarfile.FIFOTYPE),
        entry("disk.yml", tarfile.BLKTYPE),
    )
    made = install(rules, archive)
    assert (names(made), made.left_out) == ({"one.yml"}, 4)


def test_a_link_cannot_be_made_and_then_written_through(rules: Supply, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    made = install(
        rules, tarred(tmp_path / "set.tgz", entry("a", tarfile.SYMTYPE, str(out)), entry("a/one.yml"))
    )
    assert names(made) == {"a/one.yml"}
    assert not list(out.iterdir())


def test_links_of_a_folder_are_not_followed(rules: Supply, tmp_path: Path) -> None:
    source = folder(tmp_path / "mine")
    (source / "passwd.yml").symlink_to("/etc/passwd")
    (source / "all").symlink_to("/etc")
    assert names(install(rules, source)) == {"web/one.yml", "LICENSE"}


def test_a_name_given_twice_is_refused(rules: Supply, tmp_path: Path) -> None:
    for first, second in (("a.yml", "a.yml"), ("a.yml", "./a.yml"), ("a.yml", "a.yml/b.yml")):
        with pytest.raises(InputRefused, match="twice"):
            install(rules, tarred(tmp_path / "set.tgz", entry(first), entry(second)))
        assert untouched(rules)


def test_a_bomb_is_refused_however_it_is_packed(
    rules: Supply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply, "MAX_UNPACKED", 4 << 20)
    monkeypatch.setattr(supply, "MAX_FILE", 1 << 20)
    zeros = "0" * (2 << 20)
    bombs = {
        "one file": zipped(tmp_path / "1.zip", ("a.yml", zeros)),
        "many files": zipped(tmp_path / "2.zip", *((f"{n}.yml", zeros[: 1 << 20]) for n in range(6))),
        "tar": tarred(tmp_path / "3.tgz", entry("a.yml"), text=b"0" * (2 << 20)),
        "skipped": tarred(tmp_path / "4.tgz", *(entry(f"{n}.bin") for n in range(6)), text=b"0" * (1 << 20)),
    }
    endless = tmp_path / "5.tgz"
    endless.write_bytes(gzip.compress(b"\0" * (8 << 20)))
    for archive in bombs.values():
        with pytest.raises(InputRefused, match=r"longer than|more than"):
            install(rules, archive)
        assert untouched(rules)
    with pytest.raises(InputRefused):
        install(rules, endless)


def test_holes_are_no_bytes(rules: Supply, tmp_path: Path) -> None:
    """A sparse entry (tar(5), "GNU tar archives") of one block stands for as much nothing as it likes."""
    hole = tarfile.TarInfo("hole.yml")
    hole.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(hole.tobuf(tarfile.GNU_FORMAT))
    block[483:495] = b"%011o\0" % (supply.MAX_FILE - 1)
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 8 * ord(" "))
    archive = tmp_path / "set.tar"
    archive.write_bytes(bytes(block) + tarfile.TarInfo("one.yml").tobuf() + bytes(2 * tarfile.BLOCKSIZE))
    made = install(rules, archive)
    assert (names(made), made.left_out) == ({"one.yml"}, 1)


def test_a_header_that_never_ends_is_refused(
    rules: Supply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply, "MAX_UNPACKED", 4 << 20)
    long = tarfile.TarInfo("x")
    long.type, long.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    archive = tmp_path / "set.tgz"
    archive.write_bytes(gzip.compress(long.tobuf(tarfile.GNU_FORMAT) + b"a" * (8 << 20)))
    with pytest.raises(InputRefused):
        install(rules, archive)
    assert untouched(rules)


def test_too_many_entries_are_refused(rules: Supply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply, "MAX_FILES", 10)
    with pytest.raises(InputRefused, match="more than 10 entries"):
        install(rules, zipped(tmp_path / "set.zip", *((f"{n}.bin", "") for n in range(11))))


def test_folders_count_as_entries(rules: Supply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply, "MAX_FILES", 10)
    deep = "/".join("abcdefghijk")
    with pytest.raises(InputRefused, match="more than 10 entries"):
        install(rules, zipped(tmp_path / "set.zip", (f"{deep}/one.yml", "title: One\n")))
    assert untouched(rules)
    assert names(install(rules, zipped(tmp_path / "set.zip", ("a/b/one.yml", "title: One\n"))))


def crowded_zip() -> bytes:
    """A directory of as many entries as an archive has room for, and no file."""
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, *[0] * 8, 1, *[0] * 6) + b"a"
    many = (supply.MAX_ARCHIVE - 200) // len(entry)
    listed = entry * many
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, many, many, len(listed), 0)
    end += struct.pack("<4sLQL", b"PK\6\7", 0, len(listed), 1)
    return listed + end + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)


def long_header(kind: bytes) -> bytes:
    """What is said of one entry takes nearly all that may be unpacked."""
    about = tarfile.TarInfo("x")
    about.type, about.size = kind, supply.MAX_UNPACKED - (1 << 20)
    return gzip.compress(about.tobuf(tarfile.GNU_FORMAT) + b"9 a=bcde\n" * (about.size // 9), 1)


def many_holes() -> bytes:
    """A file of holes, whose list goes on and on (tar(5), "GNU tar archives")."""
    block = bytearray(entry("hole.yml", tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT))
    block[482] = 1
    block[148:156] = b"%06o\0 " % (sum(block[:148]) + sum(block[156:]) + 8 * ord(" "))
    hole = (b"%011o\0" % 512) * 2
    more = hole * 21 + b"\1" + bytes(7)
    return gzip.compress(bytes(block) + more * ((supply.MAX_UNPACKED >> 9) - 10), 1)


def many_notes() -> bytes:
    """Notes on all entries that follow, ten thousand at a time."""
    out = io.BytesIO()
    with gzip.open(out, "wb", 1) as packed:
        for turn in range(100):
            about = entry("notes", tarfile.XGLTYPE)
            said = b"".join(b"%d n%03d%05d=x\n" % (15, turn, n) for n in range(10_000))
            about.size = len(said)
            packed.write(about.tobuf(tarfile.GNU_FORMAT) + said + bytes(-len(said) % 512))
            packed.write(entry(f"{turn}.yml").tobuf())
    return out.getvalue()


MEMORY = """
import resource, sys
from pathlib import Path
from rempart.adapters.supply import Supply
from rempart.errors import InputRefused
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    with Supply(Path(sys.argv[1])).staged(sys.argv[2]):
        print("taken")
except InputRefused as refusal:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, refusal)
"""


@pytest.mark.parametrize(
    ("bomb", "why"),
    [
        pytest.param(crowded_zip, "more than 50000 entries", id="a crowded zip"),
        pytest.param(
            lambda: long_header(tarfile.XHDTYPE), "more than 256 KiB of one entry", id="a long note"
        ),
        pytest.param(lambda: long_header(tarfile.GNUTYPE_LONGNAME), "more than 256 KiB", id="a long name"),
        pytest.param(many_holes, "more than 256 KiB of one entry", id="many holes"),
        pytest.param(many_notes, "more than 100 notes", id="many notes"),
    ],
)
def test_what_an_archive_says_of_itself_is_bounded_before_it_is_read(
    tmp_path: Path, bomb: Callable[[], bytes], why: str
) -> None:
    """On the box this runs as root, beside the guard: its memory is the guard's."""
    archive = tmp_path / "set.archive"
    archive.write_bytes(bomb())
    assert archive.stat().st_size <= supply.MAX_ARCHIVE
    said = subprocess.run(
        [sys.executable, "-c", MEMORY, tmp_path / "rules", archive],
        capture_output=True,
        check=True,
        timeout=60,
    )
    kibibytes, _, told = said.stdout.decode().partition(" ")
    assert why in told
    assert int(kibibytes) < 64 << 10


def test_of_an_archive_that_is_not_meant_nothing_is_unpacked(
    rules: Supply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply, "MAX_FILES", 0)  # the first entry would be refused
    with pytest.raises(InputRefused, match="its SHA-256 is"):
        install(rules, zipped(tmp_path / "set.zip", ("one.yml", "title: One\n")), "0" * 64)


def test_an_archive_that_is_too_long_is_refused(
    rules: Supply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply, "MAX_ARCHIVE", 100)
    with pytest.raises(InputRefused, match="longer than"):
        install(rules, zipped(tmp_path / "set.zip", ("one.yml", "title: One\n")))


def test_what_is_no_whole_archive_is_refused(rules: Supply, tmp_path: Path) -> None:
    whole = zipped(tmp_path / "set.zip", ("one.yml", "title: One\n" * 100)).read_bytes()
    tar = tarred(tmp_path / "set.tgz", entry("one.yml"), text=os.urandom(4000)).read_bytes()
    damaged = whole[:40] + bytes(byte ^ 0xFF for byte in whole[40:50]) + whole[50:]
    for content in (b"", b"MZ", whole[: len(whole) // 2], tar[: len(tar) // 2], damaged, os.urandom(2000)):
        (tmp_path / "broken").write_bytes(content)
        with pytest.raises(InputRefused, match=r"whole archive|unpacked|no rule file"):
            install(rules, tmp_path / "broken")
        assert untouched(rules)


WHOLE = ("zip", "tar", "tgz")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    room = tmp_path_factory.mktemp("archives")
    zipped(room / "a", ("one.yml", "title: One\n" * 9), ("two/two.yml", "title: Two\n"))
    tarred(room / "b", entry("one.yml"), entry("x" * 200 + ".yml"), entry("l", tarfile.SYMTYPE, "one.yml"))
    packed = (room / "b").read_bytes()
    return {"zip": (room / "a").read_bytes(), "tgz": packed, "tar": gzip.decompress(packed)}


@given(
    kind=st.sampled_from(WHOLE),
    changes=st.lists(st.tuples(st.integers(0, 20_000), st.binary(min_size=1, max_size=4)), max_size=4),
    cut=st.integers(0, 20_000),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_bytes_an_archive_is_taken_or_refused(
    tmp_path: Path, archives: dict[str, bytes], kind: str, changes: list[tuple[int, bytes]], cut: int
) -> None:
    content = bytearray(archives[kind])
    for at, new in changes:
        place = at % len(content)
        content[place : place + len(new)] = new
    (tmp_path / "changed").write_bytes(content[: max(1, len(content) - cut % len(content))])
    rules = Supply(tmp_path / "rules")
    try:
        with rules.staged(str(tmp_path / "changed")) as staged:
            assert all(path.resolve().is_relative_to(staged.folder) for path in staged.folder.rglob("*"))
    except InputRefused:
        pass
    assert untouched(rules)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_packed_otherwise_is_refused(rules: Supply, tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w", method) as packed:
        packed.writestr("one.yml", "title: One\n")
    with pytest.raises(InputRefused, match="cannot be unpacked"):
        install(rules, tmp_path / "set.zip")


def test_a_set_without_a_rule_is_refused(rules: Supply, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="no rule file"):
        install(rules, zipped(tmp_path / "set.zip", ("README", "hello")))
    with pytest.raises(InputRefused, match="no such file"):
        install(rules, tmp_path / "nowhere")


# -- from an address --------------------------------------------------------------------------------------------------


class Answers(http.server.BaseHTTPRequestHandler):
    """Serves one archive, and redirections to where nobody should be led."""

    archive = b""
    elsewhere = ""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", self.elsewhere)
            self.end_headers()
            return
        self.send_response(200 if self.path == "/set.zip" else 404)
        self.end_headers()
        self.wfile.write(self.archive)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An https server on loopback with a certificate that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    built = built.serial_number(1).not_valid_before(now - dt.timedelta(1))
    built = built.not_valid_after(now + dt.timedelta(1)).add_extension(loopback, critical=False)
    certificate = built.sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "server.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    serving = threading.Thread(target=listening.serve_forever, args=(0.01,))
    serving.start()
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("no_proxy", "*")
    Answers.archive = zipped(tmp_path / "set.zip", ("one.yml", "title: One\n")).read_bytes()
    yield f"https://127.0.0.1:{listening.server_address[1]}"
    listening.shutdown()
    serving.join()
    listening.server_close()


def test_an_address_is_fetched_and_checked(rules: Supply, server: str) -> None:
    made = install(rules, f"{server}/set.zip", hashlib.sha256(Answers.archive).hexdigest())
    assert (names(made), made.source) == ({"one.yml"}, f"{server}/set.zip")


def test_what_is_not_there_is_told(rules: Supply, server: str) -> None:
    with pytest.raises(InputRefused, match="cannot be fetched: Not Found"):
        install(rules, f"{server}/other.zip")
    assert untouched(rules)


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "http://127.0.0.1:9/set.zip", "ftp://127.0.0.1/set.zip"]
)
def test_nobody_is_led_away_from_https(rules: Supply, server: str, to: str) -> None:
    Answers.elsewhere = to
    with pytest.raises(InputRefused, match="cannot be fetched"):
        install(rules, f"{server}/moved")
    with pytest.raises(InputRefused, match="cannot be fetched: unknown url type"):
        install(rules, to)
    assert untouched(rules)


def test_another_host_is_asked_only_for_what_a_checksum_names(
    rules: Supply, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Answers.elsewhere = f"{server}/set.zip"
    assert names(install(rules, f"{server}/moved")) == {"one.yml"}
    Answers.elsewhere = f"{server.replace('127.0.0.1', 'localhost')}/set.zip"  # another name is another host
    with pytest.raises(InputRefused, match=r"it leads on to https://localhost.* give --sha256"):
        install(rules, f"{server}/moved")
    digest = hashlib.sha256(Answers.archive).hexdigest()
    assert names(install(rules, f"{server}/moved", digest)) == {"one.yml"}


def test_an_answer_that_drips_is_given_up(
    rules: Supply, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supply, "_FETCH", 0)
    with pytest.raises(InputRefused, match="takes longer than"):
        install(rules, f"{server}/set.zip")
    assert untouched(rules)


def test_a_server_that_nobody_vouches_for_is_refused(
    rules: Supply, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(InputRefused, match="certificate"):
        install(rules, f"{server}/set.zip")
