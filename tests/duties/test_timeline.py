from rempart.duties.timeline import Line, Told, lines
from rempart.duties.words import Words
from rempart.incidents.incident import Sentence
from rempart.instants import parse_rfc3339
from rempart.site.language import Language

AT = parse_rfc3339("2026-11-20T15:00:00Z")


def test_each_line_cites_its_entry_in_the_order_of_the_journal(spoken: Words) -> None:
    told = lines(
        [
            Line(entry=12, at=AT, sentence=Sentence("story.normal", {"by": "Anne"})),
            Line(entry=4, at=AT, sentence=Sentence("story.contained", {"by": "rempart"}), late=True),
        ],
        spoken,
        Language.ENGLISH,
    )
    assert told[0] == Told(
        "4",
        "20/11/2026 16:00:00 (UTC+1)",
        "Connections to the outside were cut (decision: the station). [sealed late]",
    )
    assert told[1].entry == "12"
