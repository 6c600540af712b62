import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from rempart.console.public import PublicFace
from rempart.containment.measure import Enforcement, Stand
from rempart.instants import Instant, after, hours
from rempart.site.opening import Fallback, OpeningState
from rempart.site.site import Language, Site

OPEN, FILTERED, CLOSED = OpeningState.OPEN, OpeningState.FILTERED, OpeningState.CLOSED


@pytest.fixture
def cut(now: Instant) -> Enforcement:
    return Enforcement(
        stands={"website": Stand(state=CLOSED), "gp-portal": Stand(state=FILTERED)},
        closed_since={"website": now},
        news_at=after(now, hours(14)),
    )


@pytest.fixture
def belgian(site: Site) -> Site:
    return replace(site, languages=tuple(Language))


def test_the_page(belgian: Site, cut: Enforcement, snapshot: SnapshotAssertion) -> None:
    assert PublicFace(belgian).filled(cut)["website"] == snapshot


def test_the_page_of_a_refused_request(site: Site, snapshot: SnapshotAssertion) -> None:
    assert PublicFace(site).refusal() == snapshot


def test_each_published_service_has_its_own(belgian: Site, cut: Enforcement) -> None:
    pages = PublicFace(belgian).filled(cut)
    assert set(pages) == {"website", "gp-portal"}
    assert belgian.opening("website").name in pages["website"].split("</h2>")[0]


def test_it_is_light_and_loads_nothing(belgian: Site, cut: Enforcement) -> None:
    for page in PublicFace(belgian).filled(cut).values():
        assert len(page.encode()) <= 30_000
        assert not re.search(r"<(?:script|img|link|iframe)|@import|url\(|cookie", page)


def test_every_hole_is_filled(belgian: Site, cut: Enforcement) -> None:
    for wanted in (cut, Enforcement(stands={})):
        for page in PublicFace(belgian).filled(wanted).values():
            assert "\ue000" not in page


def test_since_when_is_not_said_when_it_is_not_known(site: Site) -> None:
    page = PublicFace(site).filled(Enforcement(stands={}))["website"]
    assert (
        PublicFace(site).filled(Enforcement(stands={}, closed_since={"website": Instant(1)}))["website"]
        != page
    )
    assert "Depuis" not in page


def test_no_news_are_promised_that_nobody_announced(site: Site, cut: Enforcement) -> None:
    assert 'class="when none"' in PublicFace(site).filled(replace(cut, news_at=None))["website"]
    assert 'class="when news"' in PublicFace(site).filled(cut)["website"]


def test_a_number_that_needs_another_opening_is_not_given(site: Site) -> None:
    leaning = Fallback(text="", phone="04 999 99 99", depends_on=("telephone",))
    openings = tuple(replace(o, fallback=leaning) if o.id == "website" else o for o in site.openings)
    page = PublicFace(replace(site, openings=openings)).filled(Enforcement(stands={}))["website"]
    assert "04 999 99 99" not in page
    assert site.phone in page


def test_what_fills_the_holes_passes_the_proxys_command_line(belgian: Site, cut: Enforcement) -> None:
    for wanted in (cut, Enforcement(stands={})):
        for name, words in PublicFace(belgian).notices(wanted).items():
            assert re.fullmatch(r"[a-z0-9.:-]+", name)
            assert not re.search(r"[ ;\\\n%<&]", words)
            assert words


HOSTILE = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        ["</h2><script>", "\u202e", "\x1b[2J", "\ue000website.fr\ue001", "%[env(HOME)]", "{{ 7*7 }}"]
    ),
)


@given(text=HOSTILE)
def test_words_of_the_site_are_words(site: Site, text: str) -> None:
    spoken = replace(
        site,
        name=text,
        phone=text,
        openings=tuple(
            replace(o, name=text, fallback=Fallback(text=text, phone=text or None)) for o in site.openings
        ),
    )
    for (_, page, _), (_, plain, _) in zip(PublicFace(spoken).pages(), PublicFace(site).pages(), strict=True):
        if text and re.search(r"[0-9]", text):
            continue  # a number that can be dialled changes a link
        assert set(re.findall(r"<[a-z0-9]+", page)) <= set(re.findall(r"<[a-z0-9]+", plain))
        assert set(re.findall("\ue000[^\ue001]*\ue001", page)) == set(
            re.findall("\ue000[^\ue001]*\ue001", plain)
        )
