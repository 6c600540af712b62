"""What `description.parse` reads, and that it names every mistake with its line."""

import contextlib
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from rempart.errors import SiteInvalid
from rempart.site.description import parse
from rempart.site.group import GroupDoor
from rempart.site.hours import Hours
from rempart.site.opening import Direction, OpeningState, Service, Tls, Transport
from rempart.site.placement import ByHand
from rempart.site.probe import ProbeKind
from rempart.site.site import AssetKind, DowntimePack, Language
from rempart.site.soundness import advise
from rempart.site.staff_page import StaffPage
from rempart.site.trial import TrialLength


def mistakes(text: str) -> list[str]:
    with pytest.raises(SiteInvalid) as caught:
        parse(text, "site.toml")
    return [str(problem) for problem in caught.value.problems]


def test_a_right_site_is_read_whole(good: str) -> None:
    site = parse(good, "site.toml")
    assert site.languages == (Language.FRENCH, Language.DUTCH)
    assert site.uplink.addresses == ("203.0.113.2/24", "2001:db8:1::2/64")
    assert site.known_devices == ("02:00:5e:10:00:01",)
    assert site.zones[2].stays_on is False
    telephone, website = site.openings
    assert telephone.direction is Direction.BOTH
    assert telephone.services == (
        Service(Transport.UDP, 5060, 5061),
        Service(Transport.UDP, 10000, 20000),
    )
    assert [opening.id for opening in site.lifelines()] == ["telephone"]
    assert website.normally is OpeningState.FILTERED
    assert website.fallback.depends_on == ("telephone",)
    assert website.publication is not None
    assert website.publication.port == 8080
    assert site.assets[0].kind is AssetKind.SERVER
    assert site.care_files is not None
    assert [ward.id for ward in site.wards] == ["first-floor"]
    assert site.hours == Hours(days=(1, 6), begins=510, ends=720, shifts=(420, 1140))
    assert (site.probes[0].kind, site.probes[0].opening, site.probes[0].every) == (ProbeKind.HTTP, None, 30)
    assert site.downtime_pack == DowntimePack(path="/srv/pack.pdf", hours=24)


def test_ipv4_written_inside_ipv6_is_read_as_what_it_means(good: str) -> None:
    site = parse(
        good.replace('hosts = ["198.51.100.10"]', 'hosts = ["::ffff:198.51.100.10", "::ffff:c0a8:0/112"]')
        .replace('networks = ["10.0.2.0/24"]', 'networks = ["::ffff:10.0.2.0/120"]')
        .replace('addresses = ["10.0.2.10"]', 'addresses = ["::ffff:a00:20a"]'),
        "site.toml",
    )
    assert site.openings[0].hosts == ("198.51.100.10", "192.168.0.0/16")
    assert site.zones[1].networks == ("10.0.2.0/24",)
    assert site.assets[0].addresses == ("10.0.2.10",)


def test_marks_are_given_in_order_around_those_written(good: str) -> None:
    assert [opening.mark for opening in parse(good, "site.toml").openings] == [7, 1]


def test_a_number_not_yet_known_is_no_number(good: str) -> None:
    site = parse(good.replace('"0470 00 00 03"', '"?"').replace('"0470 00 00 01"', '"?"'), "site.toml")
    assert site.opening("telephone").fallback.phone is None
    assert site.contacts[0].phone == ""


def test_every_mistake_is_reported_at_once(good: str, snapshot: SnapshotAssertion) -> None:
    broken = (
        good.replace('phone = "04 000 00 10"\nrecords', "phone = 4\nrecords", 1)
        .replace('interface = "eth0"', 'interfce = "eth0"')
        .replace('networks = ["10.0.2.0/24"]', 'networks = ["10.0.1.128/25", "10.0.2.1/24"]')
        .replace('direction = "in"', 'direction = "inn"')
        .replace('"tcp/443"', '"tcp/443; drop"')
        .replace('depends_on = ["telephone"]', 'depends_on = ["telefone"]')
        .replace('id = "website"', 'id = "telephone"')
        .replace('zone = "servers"\naddresses', 'zone = "server"\naddresses')
        .replace("([0-9]+)", "[0-9]+")
        .replace("records_kept = 480", "records_kept = true")
    )
    assert mistakes(broken) == snapshot


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('id = "wards"', 'id = "wards } drop"', "is no id"),
        ('id = "wards"', 'id = "-wards"', "is no id"),
        ('interface = "eth1"', 'interface = "eth1\\" drop"', "is no network interface"),
        ('interface = "eth1"', 'interface = "averylonginterface"', "is no network interface"),
        ('interface = "eth1"', 'interface = ".."', "is no network interface"),
        ('name = "Soins"', 'name = "Soins\\u001b[2J"', "invisible character"),
        ('name = "Soins"', 'name = "Soins\\u202egnp"', "invisible character"),
        ('name = "Soins"', 'name = " "', "it is empty"),
        ('from = "08:30"', 'from = "8h30"', "is no time of day"),
        ('from = "08:30"', 'from = "12:30"', "12:30 is not before 12:00"),
        ('["mon", "sat"]', '["mon", "saturday"]', "is no day"),
        ('kind = "http"', 'kind = "htpp"', "Did you mean `http`?"),
        ("every = 30", 'every = 30\nopening = "nowhere"', "there is no opening 'nowhere'"),
        ('name = "Soins"', f'name = "{"x" * 201}"', "too many"),
        ('hosts = ["198.51.100.10"]', 'hosts = ["*.example.be"]', "cannot be looked up"),
        ('hosts = ["198.51.100.10"]', 'hosts = ["*", "198.51.100.10"]', "stands beside other hosts"),
        ('hosts = ["198.51.100.10"]', 'hosts = ["198.51.100.300"]', "is no address, network or name"),
        ('hosts = ["198.51.100.10"]', 'hosts = ["fe80::1%eth0"]', "names an interface"),
        ('networks = ["10.0.2.0/24"]', 'networks = ["fe80::%eth0/64"]', "names an interface"),
        ('addresses = ["10.0.2.10"]', 'addresses = ["10.0.2.10", "fe80::1%eth0"]', "names an interface"),
        ('"203.0.113.2/24"', '"fe80::2%eth0/64"', "names an interface"),
        ('"203.0.113.2/24"', '"203.0.113.2/24", "fe80::2/64"', "no address that others can reach"),
        ('"203.0.113.2/24"', '"0.0.0.0"', "no address that others can reach"),
        ('"203.0.113.2/24"', '"ff02::1"', "no address that others can reach"),
        ('"203.0.113.2/24"', '"::ffff:203.0.113.2"', "Did you mean `203.0.113.2`?"),
        (
            'addresses = ["10.0.2.10"]',
            'addresses = ["::ffff:10.0.2.10", "10.0.2.10"]',
            "address of 'files' too",
        ),
        ('hosts = ["198.51.100.10"]', "hosts = []", "the list is empty"),
        ('hosts = ["198.51.100.10"]', 'hosts = "198.51.100.10"', "is no list"),
        ("mark = 7", "mark = 4094", "is no whole number"),
        ("mark = 7", "mark = [7]", "is no whole number"),
        ("care = 5", "care = 5\nmark = 7", "mark 7 is used twice"),
        ("care = 5", "care = 9", "is no whole number from 0 to 6"),
        ('"udp/10000-20000"', '"udp/20000-10000"', "the lower first"),
        ('"udp/10000-20000"', '"udp/99999"', "ports go from 1"),
        ('direction = "in"', 'direction = "out"', "reached from outside"),
        ('address = "10.0.2.20"', 'address = "10.0.1.20"', "lies in no network of zone 'servers'"),
        ('addresses = ["10.0.2.10"]', 'addresses = ["10.0.2.10", "10.0.2.10"]', "address of 'files' too"),
        ('"203.0.113.2/24"', '"10.0.1.2/24"', "lies inside zone 'wards'"),
        ('interface = "eth1"', 'interface = "eth0"', "is the uplink's interface too"),
        ('host = "www.tilleuls.example"', 'host = "www tilleuls"', "is no host name"),
        ('kind = "server"', 'kind = "servers"', "is none of"),
        ("stays_on = false", "stays_on = 0", "neither true nor false"),
        ('languages = ["fr", "nl"]', "languages = []", "no language is named"),
        ("[uplink]", "[[uplink]]", "this is no table"),
        ('decoder = "nginx"', 'decoder = "../nginx"', "is no decoder"),
        ('person = "/dossier/([0-9]+)"', 'person = "(["', "no regular expression"),
        ('"04 000 00 10"\nrecords', '"call me"\nrecords', "is no telephone number"),
        ('decoder = "nginx"', 'decoder = "nginx"\nsilent_after = "6h"', "is no whole number"),
        ('decoder = "nginx"', 'decoder = "nginx"\nwakes = 1', "neither true nor false"),
        ("[[contacts]]", "[[contact]]", "Did you mean `contacts`?"),
        ('reaches = ["servers"]', 'reaches = ["server"]', "Did you mean `servers`?"),
        ('"02:00:5E:10:00:01"', '"02-00"', "is no hardware address"),
    ],
)
def test_each_mistake_is_named(good: str, right: str, wrong: str, said: str) -> None:
    assert right in good
    found = mistakes(good.replace(right, wrong, 1))
    assert any(said in mistake for mistake in found), found


def test_beside_the_path_one_interface_is_enough(good: str) -> None:
    beside = 'placement = "observer"\n' + good.replace('interface = "eth1"', 'interface = "eth0"')
    site = parse(beside, "site.toml")
    assert site.zones[0].interface == site.uplink.interface == "eth0"


def test_the_line_of_a_mistake_is_its_own(good: str) -> None:
    number = good.splitlines().index("care = 5") + 1
    (mistake,) = mistakes(good.replace("care = 5", "care = 50"))
    assert mistake.startswith(f"site.toml, line {number}: openings 'website': care: 50")


def test_a_file_that_is_no_toml_names_the_line(good: str) -> None:
    (mistake,) = mistakes(good.replace("[uplink]", "[uplink"))
    assert mistake.startswith("site.toml, line 9: ")


def test_an_empty_file_lists_what_a_site_needs() -> None:
    found = "\n".join(mistakes(""))
    for key in ("id", "name", "languages", "phone", "uplink", "zones", "openings"):
        assert key in found


def test_a_message_shows_hostile_text_escaped(good: str) -> None:
    told = "\n".join(mistakes(good.replace('id = "wards"', 'id = "\\u001b[31m\\u202ex"')))
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert r"\x1b[31m\u202ex" in told


def test_an_entry_that_is_no_table_is_told_without_stumbling(good: str) -> None:
    assert any(
        "this is no table" in told for told in mistakes("openings = [1]\n" + good.split("[[openings]]")[0])
    )
    assert any("is no list" in told for told in mistakes("zones = 3\n" + good.split("[uplink]")[0]))


@given(st.data())
def test_whatever_is_in_the_file_only_mistakes_are_raised(good: str, data: st.DataObject) -> None:
    rows = good.splitlines()
    number = data.draw(st.integers(0, len(rows) - 1))
    noise = st.sampled_from(["x = 1", "[[zones]]", "mark = true", "[a.b]", "openings = 1"])
    rows[number] = data.draw(st.text(max_size=20) | noise)
    with contextlib.suppress(SiteInvalid):
        parse("\n".join(rows), "site.toml")


def test_the_groups_door_is_read(good: str) -> None:
    door = '[group]\naddress = "10.9.0.1"\nport = 8443\ncertificate = "/a.pem"\ntrusted = "/b.crt"\n'
    assert parse(good + door, "site.toml").group == GroupDoor(
        address="10.9.0.1", port=8443, certificate="/a.pem", trusted="/b.crt"
    )
    assert mistakes(good + door.replace("8443", "0"))


def test_where_the_staff_page_listens_is_read(good: str) -> None:
    page = '[staff_page]\naddress = "10.0.1.1"\n'
    assert parse(good, "site.toml").staff_page is None
    assert parse(good + page, "site.toml").staff_page == StaffPage(address="10.0.1.1", port=8421)
    assert mistakes(f"{good}{page}port = 80\n")
    assert mistakes(good + page.replace("10.0.1.1", "the box"))


def test_how_a_service_is_published(good: str) -> None:
    more = (
        "publication.requests = 40\n"
        'publication.hours = { days = ["mon", "sat"], from = "07:30", until = "20:00" }\n'
        "publication.tls = "
        '{ certificate = "/etc/rempart/www.pem", clients = "/etc/rempart/gps.pem", hsts_days = 180 }'
    )
    text = good.replace('publication.tls = { certificate = "/etc/rempart/www.pem" }', more)
    publication = parse(text, "site.toml").opening("website").publication
    assert publication
    assert publication.requests == 40
    assert publication.tls == Tls(
        certificate="/etc/rempart/www.pem", clients="/etc/rempart/gps.pem", hsts_days=180
    )
    assert publication.hours
    assert (publication.hours.days, publication.hours.begins, publication.hours.ends) == ((1, 6), 450, 1200)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('certificate = "www.pem"', "no file on the box"),
        ('certificate = "/etc/a b.pem"', "no file on the box"),
        ('certificate = "/etc/x.pem", hsts_days = 9000', "whole number from 0 to 730"),
        ('certificate = "/etc/x.pem", client = "/etc/y.pem"', "Did you mean `clients`?"),
    ],
)
def test_mistakes_in_how_a_service_is_encrypted(good: str, written: str, told: str) -> None:
    with pytest.raises(SiteInvalid) as refused:
        parse(good.replace('certificate = "/etc/rempart/www.pem"', written), "site.toml")
    assert any(told in f"{problem.what} {problem.mend}" for problem in refused.value.problems)


def test_a_house_that_is_staffed_round_the_clock_says_24_00(good: str) -> None:
    before, _, after = good.partition("[hours]\n")
    head, _, rest = after.partition("\n\n")
    site = parse(f'{before}[hours]\nfrom = "00:00"\nuntil = "24:00"\n\n{rest}', "site.toml")
    assert head
    assert site.hours.staffed(datetime.fromisoformat("2026-11-30T23:59"))
    assert not site.hours.staffed(datetime.fromisoformat("2026-12-25T12:00"))
    holidays = parse(f"{before}[hours]\nholidays = true\n\n{rest}", "site.toml")
    assert holidays.hours.staffed(datetime.fromisoformat("2026-12-25T12:00"))
    (wrong,) = mistakes(f'{before}[hours]\nfrom = "24:00"\nuntil = "24:00"\n\n{rest}')
    assert "no time of day" in wrong


def with_trials(good: str, words: str) -> str:
    before, _, rest = good.partition("[hours]\n")
    return f"{before}[trial]\n{words}\n\n[hours]\n{rest}"


def test_trials_last_one_to_three_days_unless_the_site_says_otherwise(good: str) -> None:
    assert parse(good, "site.toml").trial == TrialLength(shortest=86_400, longest=259_200)
    exercise = parse(with_trials(good, 'shortest = "20s"\nlongest = "90m"'), "site.toml")
    assert exercise.trial == TrialLength(shortest=20, longest=5_400)
    warned = [problem.what for problem in advise(exercise) if problem.where == "trial"]
    assert warned == ["a trial may last from 20 s to 90 min"]


@pytest.mark.parametrize(
    ("words", "mistake"),
    [
        ('shortest = "a day"', "is no length of a trial"),
        ('longest = "400h"', "is no length of a trial"),
        ('shortest = "30h"\nlongest = "2h"', "no trial lasts from 30 h to 2 h"),
    ],
)
def test_what_is_no_length_of_a_trial(good: str, words: str, mistake: str) -> None:
    assert mistake in mistakes(with_trials(good, words))[0]


def test_where_the_station_stands(good: str) -> None:
    assert parse(good, "site.toml").enforces
    plan = '\n[by_hand]\ncut = ["unplug port 1", "call the firm"]\nisolate = ["switch in room 012"]\n'
    beside = parse('placement = "observer"\n' + good + plan, "site.toml")
    assert not beside.enforces
    assert beside.by_hand == ByHand(cut=("unplug port 1", "call the firm"), isolate=("switch in room 012",))
    with pytest.raises(SiteInvalid) as refused:
        parse('placement = "bridge"\n' + good + f'\n[by_hand]\ncut = ["{"x" * 121}"]\n', "site.toml")
    assert len(refused.value.problems) == 2
