"""The page for whoever comes without a session: where the link is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from rempart.console.words import Words
from rempart.site.site import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Says nothing of the site, not even its name."""

    language: Annotated[Language, "Language of the page."]
    labels: Annotated[Mapping[str, str], "Headings in the page's language."]


def entry_page(words: Words) -> EntryPage:
    """The page in that language."""
    return EntryPage(language=words.language, labels=words.under("label"))
