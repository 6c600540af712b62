"""Whether a described site can be defended."""

from rempart.errors import Problem
from rempart.site import soundness
from rempart.site.description import parse


def said(problems: tuple[Problem, ...]) -> str:
    return "\n".join(map(str, problems))


def test_a_sound_site_is_not_refused(good: str) -> None:
    site = parse(good, "site.toml")
    assert soundness.check(site) == ()
    assert soundness.advise(site) == ()
    assert soundness.blanks(site) == ()


def test_a_site_without_safeguard_is_refused(good: str) -> None:
    start, end = good.index("[[safeguards]]"), good.index("[[logs]]")
    assert "there is no safeguard" in said(soundness.check(parse(good[:start] + good[end:], "site.toml")))


def test_a_safeguard_for_everybody_is_refused(good: str) -> None:
    assert "covers everybody" in said(
        soundness.check(parse(good.replace("10.0.9.0/28", "0.0.0.0/0"), "site.toml"))
    )


def test_a_staff_page_that_outside_could_read_is_refused(good: str) -> None:
    for address in ("0.0.0.0", "203.0.113.2"):
        site = parse(f'{good}[staff_page]\naddress = "{address}"\n', "site.toml")
        assert "reached from outside" in said(soundness.check(site)), address
    assert soundness.check(parse(f'{good}[staff_page]\naddress = "10.0.1.1"\n', "site.toml")) == ()


def test_a_fallback_that_the_cut_closes_is_refused(good: str) -> None:
    text = good.replace("lifeline = true", "lifeline = false")
    assert "which a cut closes as well" in said(soundness.check(parse(text, "site.toml")))


def test_fallbacks_in_a_circle_are_refused(good: str) -> None:
    text = good.replace("care = 5", "care = 5\nlifeline = true").replace(
        'phone = "0470 00 00 03"', 'depends_on = ["website"]'
    )
    told = said(soundness.check(parse(text, "site.toml")))
    assert "telephone → website → telephone" in told
    assert "website → telephone → website" in told


def test_a_lifeline_may_lean_on_another_that_ends_outside(good: str) -> None:
    text = good.replace("care = 5", "care = 5\nlifeline = true")
    assert soundness.check(parse(text, "site.toml")) == ()


def test_what_is_doubtful_is_said_and_not_refused(good: str) -> None:
    site = parse(good.replace('"198.51.100.10"', '"voice.operator.example"'), "site.toml")
    assert soundness.check(site) == ()
    assert "names but no address" in said(soundness.advise(site))
    site = parse(good.replace('"198.51.100.10"', '"*"'), "site.toml")
    assert "leads anywhere" in said(soundness.advise(site))


def test_two_openings_to_one_host_are_said_to_be_one(good: str) -> None:
    twin = good[good.index("[[openings]]") : good.index("[[assets]]")].split("[[openings]]")[1]
    second = "[[openings]]" + twin.replace('"telephone"', '"voice"').replace("mark = 7", "mark = 8")
    told = said(soundness.advise(parse(good + second, "site.toml")))
    assert "shares 198.51.100.10 with 'telephone'" in told


def test_blanks_are_found(good: str) -> None:
    text = good.replace('"04 000 00 10"\nrecords', '"?"\nrecords').replace(
        "198.51.100.10", "operator.invalid"
    )
    told = said(soundness.blanks(parse(text.replace("10.0.3.0/24", "198.18.3.0/24"), "site.toml")))
    assert "number for the public" in told
    assert "operator.invalid" in told
    assert "198.18.3.0/24" in told


RESOLVER = """
[resolver]
opening = "names"
relays = ["files"]
[[openings]]
id = "names"
name = "Noms"
direction = "out"
zones = ["servers"]
hosts = ["198.51.100.53"]
services = ["udp/53", "tcp/53"]
care = 0
fallback = { text = "papier", phone = "0470 00 00 03" }
"""


def test_a_lifeline_by_name_needs_names_while_cut(good: str) -> None:
    by_name = good.replace('"198.51.100.10"', '"voice.operator.example"') + RESOLVER
    assert "a cut closes 'names'" in said(soundness.check(parse(by_name, "site.toml")))
    lifeline = by_name.replace("care = 0", "care = 0\nlifeline = true")
    assert soundness.check(parse(lifeline, "site.toml")) == ()
    assert "passes only while names resolve" in said(soundness.advise(parse(lifeline, "site.toml")))


def test_ports_of_names_are_said_to_stay_closed(good: str) -> None:
    text = good.replace('"udp/10000-20000"', '"tcp/853"')
    assert soundness.advise(parse(text, "site.toml")) == ()
    assert "the station alone asks for names" in said(soundness.advise(parse(text + RESOLVER, "site.toml")))


def test_a_published_service_in_clear_text_or_past_the_filter_is_doubtful(good: str) -> None:
    plain = good.replace('publication.tls = { certificate = "/etc/rempart/www.pem" }', "")
    assert "without encryption" in said(soundness.advise(parse(plain, "site.toml")))
    unfiltered = good.replace('normally = "filtered"\npublication', "publication")
    assert "do not pass the web filter" in said(soundness.advise(parse(unfiltered, "site.toml")))


def test_a_list_of_names_admits_nobody_to_a_published_service(good: str) -> None:
    start = good.index('id = "website"')
    text = good[:start] + good[start:].replace('hosts = ["*"]', 'hosts = ["partner.example"]', 1)
    assert "published to names only" in said(soundness.check(parse(text, "site.toml")))


def test_an_observer_without_a_plan_is_told_to_write_one(good: str) -> None:
    beside = 'placement = "observer"\n' + good
    assert "nobody wrote down how to cut by hand" in said(soundness.advise(parse(beside, "site.toml")))
    planned = beside + '\n[by_hand]\ncut = ["unplug port 1"]\n'
    told = said(soundness.advise(parse(planned, "site.toml")))
    assert "by hand" not in told
    assert "publishes nothing" in told
