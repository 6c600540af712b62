"""Whether somebody can be reached, as site.toml says it: mistakes with their lines, and what a cut would silence."""

import pytest

from rempart.errors import SiteInvalid
from rempart.site import reach
from rempart.site.description import parse
from rempart.site.language import Language
from rempart.site.telling import Channel, QuietHours
from rempart.site.template import _tell

MODEM = '[telling.modem]\ndevice = "/dev/ttyUSB0"\n'
MAIL = """\
[telling.mail]
host = "198.51.100.10"
port = 5060
sender = "rempart@tilleuls.example"
opening = "telephone"
"""


def said(text: str) -> str:
    return "\n".join(map(str, reach.advise(parse(text, "site.toml"))))


def mistakes(text: str) -> str:
    with pytest.raises(SiteInvalid) as fault:
        parse(text, "site.toml")
    return fault.value.diagnostics()


def test_it_reads_whom_to_tell(good: str) -> None:
    telling = parse(good, "site.toml").telling
    (duty,) = telling.recipients
    assert (duty.role, duty.language, duty.text) == ("duty", Language.FRENCH, "+32470000001")
    assert duty.quiet == QuietHours(22 * 60, 7 * 60)
    assert duty.channels == (Channel.TEXT,)
    assert telling.modem is not None


def test_a_site_that_tells_nobody_is_said(good: str) -> None:
    start, end = good.index("[[tell]]"), good.index("[[contacts]]")
    assert "nobody is told" in said(good[:start] + good[end:])


def test_mail_by_a_door_that_the_cut_closes_is_said_and_by_a_lifeline_is_not(good: str) -> None:
    by_mail = good.replace(MODEM, MAIL).replace('text = "+32 470 00 00 01"', 'mail = "duty@tilleuls.example"')
    site = parse(by_mail, "site.toml")
    assert reach.survives_cut(site, Channel.MAIL)
    closed = by_mail.replace("lifeline = true", "lifeline = false")
    assert "no message leaves while the site is cut" in said(closed)
    inside = by_mail.replace('opening = "telephone"\n', "")
    assert "no message leaves while the site is cut" in said(inside)


def test_a_door_that_does_not_lead_to_the_server_is_said(good: str) -> None:
    by_mail = good.replace(MODEM, MAIL + MODEM)
    assert "does not lead to 203.0.113.9" in said(
        by_mail.replace('host = "198.51.100.10"', 'host = "203.0.113.9"')
    )


def test_all_told_late_is_said(good: str) -> None:
    assert "told at once" in said(good.replace('quiet = "22:00-07:00"', "after = 5"))


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ('text = "+32 470 00 00 01"', 'text = "0470 00 00 01"', "no international number"),
        ('text = "+32 470 00 00 01"', 'mail = "duty@tilleuls.example"', "nothing to send a mail with"),
        ('text = "+32 470 00 00 01"', "", "no address"),
        ('text = "+32 470 00 00 01"', 'mail = "a@b.be\\u000aBcc: x@y.be"', "invisible character"),
        ('quiet = "22:00-07:00"', 'quiet = "22-7"', "no quiet hours"),
        ('quiet = "22:00-07:00"', 'quiet = "22:00-25:00"', "no time of day"),
        ('device = "/dev/ttyUSB0"', 'device = "COM1"', "no device"),
        (MODEM, MODEM + MAIL.replace("telephone", "telefone"), "Did you mean `telephone`?"),
        (MODEM, MODEM + '[telling.gateway]\nurl = "http://x.be"\ntoken_file = "/x"\n', "no https address"),
        (MODEM, MODEM + '[telling.webhook]\nsecret_file = "key"\n', "no file"),
    ],
)
def test_mistakes_are_named(good: str, written: str, instead: str, told: str) -> None:
    assert told in mistakes(good.replace(written, instead))


def test_each_role_is_told_once(good: str) -> None:
    twice = good[good.index("[[tell]]") : good.index("[telling.modem]")]
    assert "used twice" in mistakes(good.replace("[telling.modem]", twice + "[telling.modem]", 1))


def test_what_a_template_proposes_is_understood_once_it_is_uncommented(good: str) -> None:
    block = _tell(Language.FRENCH).strip().splitlines()[1:]
    start, end = good.index("[[tell]]"), good.index("[[contacts]]")
    proposed = "\n".join(line.removeprefix("# ") for line in block).replace("mail-out", "telephone")
    site = parse(good[:start] + proposed + "\n" + good[end:], "site.toml")
    assert [each.after for each in site.telling.recipients] == [0, 10]
    assert site.telling.recipients[0].digest
