"""The duty page in a real browser, before a real guard: live, orderable, readable by everybody."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.conftest import LIVE, looking, revisit_until, sign_in
from browser.home import Home, finding
from browser.survey import width_of
from rempart.accounts.person import Role as PersonRole
from rempart.care.reply import Reply
from rempart.detection.finding import Kind
from rempart.duties.catalogue import QuestionId
from rempart.engine.orders import AnswerQuestion, OpenVisit

pytestmark = pytest.mark.browser


def test_the_link_works_once(page: Page, chromium: Browser, home: Home) -> None:
    expect(page.locator("h1")).to_have_text("Tout est en ordre.")
    assert page.url.endswith("/")
    stranger = chromium.new_context()
    elsewhere = stranger.new_page()
    answer = elsewhere.goto(page.url)
    assert answer is not None
    assert answer.status == 403
    elsewhere.goto(home.link())
    expect(elsewhere.locator("h1")).to_have_text("All is well.")
    stranger.close()


def test_what_happens_reaches_the_page_by_itself(page: Page, home: Home) -> None:
    expect(page.locator("#proof")).to_contain_text("vérifiées")
    home.see(finding(Kind.RECORDS))
    expect(page.locator(".said")).to_contain_text("dossiers de soins semblent", timeout=LIVE)
    expect(page.locator("h1")).to_contain_text("inhabituel")
    home.contain()
    expect(page.locator("h1")).to_contain_text("Le site est confiné depuis", timeout=LIVE)
    expect(page.locator('[data-key="door-lab"] strong')).to_have_text("fermée")
    expect(page.locator('[data-key="door-telephone"] strong')).to_have_text("filtrée")
    expect(page.locator('g[data-key="shape-lab"] .bar')).to_have_count(1)
    expect(page.locator('[data-key="door-lab"]')).to_have_class(re.compile("changed"))
    expect(page.locator("#proof")).to_contain_text("Coupure vérifiée")
    expect(page).to_have_title(re.compile("confiné"))


def test_a_silent_guard_is_said_at_once_and_forgiven(page: Page, home: Home) -> None:
    home.silence()
    expect(page.locator("h1")).to_contain_text("Nous ne savons plus", timeout=LIVE)
    expect(page.locator('[data-key="door-lab"] strong')).to_have_text("on ne sait pas")
    home.speak()
    expect(page.locator("h1")).to_have_text("Tout est en ordre.", timeout=LIVE)


def test_a_dead_console_leaves_a_page_that_says_so(page: Page, home: Home) -> None:
    expect(page.locator("#lost")).to_be_hidden()
    home.console.kill()
    expect(page.locator("#lost")).to_be_visible(timeout=LIVE)


def test_the_cut_asks_first_and_then_cuts(page: Page, home: Home) -> None:
    page.get_by_role("link", name="Couper le site").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Couper le site de l'extérieur")
    expect(page.get_by_role("region", name="Ce qui s'arrête")).to_contain_text("Laboratoire")
    expect(page.get_by_role("region", name="Ce qui continue")).to_contain_text("Téléphone")
    assert home.guard.status().posture == "normal"
    page.get_by_label("Votre nom").fill("Anne <b>")
    page.get_by_role("button", name="Oui, couper maintenant").click()
    expect(page.locator("h1")).to_contain_text("Le site est confiné")
    assert home.guard.status().posture == "contained"
    expect(page.get_by_role("link", name="Couper le site")).to_have_count(0)


def test_a_visit_during_the_cut_is_ended_by_cutting_again(page: Page, home: Home) -> None:
    home.contain()
    expect(page.locator("h1")).to_contain_text("confiné", timeout=LIVE)
    expect(page.locator("#contain")).to_have_count(0)
    home.order(
        OpenVisit(
            by="Tom",
            opening="remote-maintenance",
            visitor="Vendor",
            minutes=20,
            source="198.51.100.18",
            reason="pump",
            override=True,
        )
    )
    expect(page.locator("#contain")).to_contain_text("Couper de nouveau", timeout=LIVE)
    expect(page.locator("#contain")).to_contain_text("Télémaintenance")
    page.locator("#contain").click()
    expect(page.get_by_role("region", name="Ce qui s'arrête")).to_contain_text("Télémaintenance")
    page.get_by_role("button", name="Oui, couper maintenant").click()
    expect(page.locator('[data-key="door-remote-maintenance"] strong')).to_have_text("fermée")
    expect(page.locator("#contain")).to_have_count(0)


def test_going_back_cuts_nothing(page: Page, home: Home) -> None:
    page.get_by_role("link", name="Couper le site").click()
    page.get_by_role("link", name="Non, revenir").click()
    expect(page.locator("h1")).to_have_text("Tout est en ordre.")
    assert home.guard.status().posture == "normal"


def test_one_press_takes_an_alert_that_came_while_the_page_was_open(chromium: Browser, home: Home) -> None:
    with looking(chromium) as night, looking(chromium) as technician:
        sign_in(night, home, "nuit", PersonRole.DUTY)
        sign_in(technician, home, "tech", PersonRole.TECHNICIAN)
        night.set_viewport_size({"width": 360, "height": 740})
        home.see(finding(Kind.RECORDS))
        expect(night.get_by_role("region", name="Il faut quelqu'un")).to_contain_text(
            "en série", timeout=LIVE
        )
        assert width_of(night) <= 360
        night.get_by_role("button", name="Je m'en charge").click()
        expect(night.locator(".taken")).to_contain_text("Pris en charge")
        expect(night.get_by_role("button", name="Je m'en charge")).to_have_count(0)
        assert home.guard.status().alerts[0].taken_by == "nuit"
        expect(technician.locator(".taken")).to_contain_text("nuit s'en charge", timeout=LIVE)


def test_an_alert_is_taken_without_script(chromium: Browser, home: Home) -> None:
    home.see(finding(Kind.RECORDS))
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    plain = context.new_page()
    plain.goto(home.link())
    taking = plain.get_by_role("button", name="I am taking this")
    revisit_until(plain, plain.url, taking)
    taking.click()
    plain.get_by_label("Your name").fill("Anne")
    plain.get_by_role("button", name="I am taking this").click()
    expect(plain.locator(".taken")).to_contain_text("Taken at")
    assert home.guard.status().alerts[0].taken_by == "Anne"
    context.close()


def test_a_clock_that_runs_is_shown_to_the_director_and_not_to_the_night(
    page: Page, director: Page, home: Home
) -> None:
    home.see(finding(Kind.RECORDS))
    (incident,) = home.guard.status().incidents
    for question in (QuestionId.PERSONAL_DATA_BREACH, QuestionId.RISK_TO_PERSONS):
        home.local(AnswerQuestion(by="Direction", incident=incident.id, question=question, reply=Reply.YES))
    clocks = director.get_by_role("region", name="À déclarer selon la loi")
    expect(clocks).to_contain_text("encore 71 h", timeout=LIVE)
    expect(page.locator(".said")).to_be_visible(timeout=LIVE)
    expect(page.locator("#clocks")).to_have_count(0)
    clocks.get_by_role("link", name="notifier la violation à l'autorité").click()
    expect(director).to_have_url(f"{home.origin}/incidents/{incident.id}#duties")


def test_the_cut_without_a_guard_says_that_nothing_was_cut(page: Page, home: Home) -> None:
    page.get_by_role("link", name="Couper le site").click()
    home.silence()
    page.get_by_role("button", name="Oui, couper maintenant").click()
    expect(page.get_by_role("alert")).to_contain_text("rien n'a été coupé")


def test_a_hostile_name_runs_nothing(director: Page, home: Home) -> None:
    name = "<img src=x onerror=\"document.title='taken'\">\x1b[2J\u202e"
    home.see(finding(Kind.GUESSING, account=name))
    expect(director.locator(".happening")).to_contain_text("mots de passe", timeout=LIVE)
    director.locator("main details").first.locator("summary").click()
    assert director.title() != "taken"
    assert director.locator("img").count() == 0
    assert not re.search("[\x1b\u202e]", director.content())


def test_folds_stay_and_where_a_control_is_gone_the_keyboard_goes_on_from_its_place(
    director: Page, home: Home
) -> None:
    home.see(finding(Kind.RECORDS))
    expect(director.locator(".said")).to_be_visible(timeout=LIVE)
    fold = director.locator("main details").first
    fold.locator("summary").click()
    director.locator("#contain").focus()
    home.contain()
    expect(director.locator("h1")).to_contain_text("confiné", timeout=LIVE)
    expect(fold).to_have_attribute("open", "")
    expect(director.locator("#stance")).to_be_focused()
    director.keyboard.press("Tab")
    expect(director.locator("#stance #call")).to_be_focused()


_LOST_AT_A_SWAP = """
async () => {
  const lost = [];
  for (const { id } of main().querySelectorAll("a, summary, button")) {
    const before = document.getElementById(id);
    before.focus();
    if (document.activeElement !== before) continue;  // folded away
    await swap();
    const now = document.activeElement;
    if (now.id !== id || now === before || getComputedStyle(now).outlineStyle === "none") lost.push(id);
  }
  return lost;
}
"""


def test_whatever_has_the_focus_has_it_after_a_swap(director: Page, home: Home) -> None:
    home.see(finding(Kind.RECORDS))
    home.contain()
    expect(director.locator("h1")).to_contain_text("confiné", timeout=LIVE)
    expect(director.locator("#take")).to_be_visible()
    director.keyboard.press("Tab")  # from now on the focus is shown
    assert director.evaluate(_LOST_AT_A_SWAP) == []


def test_nothing_is_swapped_under_a_finger(page: Page, home: Home) -> None:
    expect(page.locator("#proof")).to_contain_text("vérifiées")
    page.mouse.move(400, 400)
    page.mouse.down()
    home.contain()
    page.wait_for_timeout(2_500)
    expect(page.locator("h1")).to_have_text("Tout est en ordre.")
    page.mouse.up()
    expect(page.locator("h1")).to_contain_text("confiné", timeout=LIVE)


def test_the_language_can_be_chosen(page: Page) -> None:
    for language, sentence in (("Nederlands", "Alles is in orde."), ("Deutsch", "Alles ist in Ordnung.")):
        page.get_by_role("link", name=language).click()
        expect(page.locator("h1")).to_have_text(sentence)
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "de")


# -- readable by everybody -----------------------------------------------------------------------------------------


def test_no_width_scrolls_sideways(page: Page, home: Home) -> None:
    home.see(finding(Kind.RECORDS))
    home.contain()
    expect(page.locator("h1")).to_contain_text("confiné", timeout=LIVE)
    for path in ("", "contain"):
        page.goto(re.sub(r"[^/]*$", path, page.url))
        for width in (320, 390, 768, 1024, 1360):
            page.set_viewport_size({"width": width, "height": 800})
            assert width_of(page) <= width


def test_the_page_works_without_its_script(chromium: Browser, home: Home) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    plain = context.new_page()
    plain.goto(home.link())
    plain.get_by_role("link", name="Cut the site off").click()
    plain.get_by_role("button", name="Yes, cut now").click()
    expect(plain.locator("h1")).to_contain_text("cut off")
    context.close()


def test_everything_can_be_reached_with_the_keyboard(page: Page, home: Home) -> None:
    home.see(finding(Kind.RECORDS))
    expect(page.locator("#take")).to_be_visible(timeout=LIVE)
    reached = []
    while True:
        page.keyboard.press("Tab")
        name, tag, outline = page.evaluate(_FOCUSED)
        if tag == "BODY":  # past the last one
            break
        assert outline != "none", name
        reached.append(name)
    assert reached == page.evaluate(_CONTROLS)
    assert reached[0] == "#content"


_NAME = "const name = (e) => e.id || e.getAttribute('href');"
_FOCUSED = f"""() => {{
  {_NAME} const e = document.activeElement; return [name(e), e.tagName, getComputedStyle(e).outlineStyle];
}}"""
_CONTROLS = f"""() => {{
  {_NAME} const all = document.querySelectorAll("a, summary, button, input:not([type=hidden])");
  return [...all].filter((e) => e.checkVisibility()).map(name);
}}"""


_NAMED = """
[...document.querySelectorAll('a, button')].every(e => e.getAttribute('aria-label') || e.innerText.trim())
&& [...document.querySelectorAll('input:not([type=hidden])')].every(e => e.labels.length === 1)
"""


def test_names_roles_and_headings(page: Page, home: Home) -> None:
    home.see(finding(Kind.RECORDS))
    home.contain()
    expect(page.locator("h1")).to_contain_text("confiné", timeout=LIVE)
    for path in ("", "contain"):
        page.goto(re.sub(r"[^/]*$", path, page.url))
        assert page.evaluate(
            "[...new Set([...document.querySelectorAll('[id]')].map(e => e.id))].length"
        ) == (page.locator("[id]").count())
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(e => +e.tagName[1])")
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert page.evaluate(_NAMED)
        for role in ("main", "banner"):
            assert page.get_by_role(role).count() == 1
        ways = [way.get_attribute("aria-label") for way in page.get_by_role("navigation").all()]
        assert ways == ["Langue", "Pages"]


_CONTRAST = """
() => {
  const channel = (c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const numbers = (text) => text.match(/[0-9.]+/g).map(Number);
  const light = (rgb) => 0.2126 * channel(rgb[0]) + 0.7152 * channel(rgb[1]) + 0.0722 * channel(rgb[2]);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = numbers(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const poor = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !e.checkVisibility() || e.closest("svg")) continue;
    const a = light(numbers(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push([texts.currentNode.data.trim(), ratio]);
  }
  return poor;
}
"""


def test_every_text_has_contrast(page: Page, home: Home) -> None:
    duty = page.url
    for comes, sentence in (
        (lambda: home.see(finding(Kind.RECORDS)), "inhabituel"),
        (home.contain, "confiné"),
        (home.silence, "Nous ne savons plus"),
    ):
        page.goto(duty)
        comes()
        expect(page.locator("h1")).to_contain_text(sentence, timeout=LIVE)
        assert page.evaluate(_CONTRAST) == []  # what has just changed is marked
        for address in (duty, f"{duty}contain"):
            page.goto(address)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two literals
                assert page.evaluate(_CONTRAST) == []


def test_text_twice_as_large_still_fits(page: Page, home: Home) -> None:
    home.contain()
    expect(page.locator("h1")).to_contain_text("confiné", timeout=LIVE)
    twice = "document.documentElement.style.fontSize = '212.5%'"
    page.add_init_script(f"document.addEventListener('DOMContentLoaded', () => {{ {twice} }})")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "34px"
    assert width_of(page) <= 1280


def test_it_prints_the_numbers_without_the_buttons(page: Page, home: Home) -> None:
    home.contain()
    expect(page.locator("h1")).to_contain_text("confiné", timeout=LIVE)
    page.emulate_media(media="print")
    expect(page.get_by_text("0470 00 00 01").first).to_be_visible()
    expect(page.get_by_role("navigation")).to_be_hidden()


def test_the_console_ends_cleanly_and_takes_its_link_along(home: Home) -> None:
    link = home.folder / "console" / "link"
    assert link.stat().st_mode & 0o777 == 0o600
    home.console.terminate()
    assert home.console.wait(60) == 0
    assert not link.exists()
