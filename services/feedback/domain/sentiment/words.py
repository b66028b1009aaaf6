"""From a comment to words: what is cleaned away, and what counts as one word."""

import re
import unicodedata
from html import unescape

MAX_CHARACTERS = 4_000  # a comment may hold 8 KiB; its drift is told in less
_TAG = re.compile(r"<(?:[a-zA-Z/!][^<>]{0,200})>")
# Invisible characters (zero-width, direction marks, variation selectors) and skin tones.
_UNSEEN = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\ufeff\U0001f3fb-\U0001f3ff]"
)
_REPEATED = re.compile(r"(.)\1{2,}")
_WORD = re.compile(r"[:;]-?[()D/|]|<3|\d+(?:[.,:/]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?|[^\w\s]")
_NUMBER = re.compile(r"\d")
ACCENTS = dict.fromkeys(range(0x300, 0x370))


def clean(comment: str) -> str:
    """What is readable of a comment, in lower case, without HTML tags and invisible characters."""
    text = comment[:MAX_CHARACTERS]
    if "<" in text or "&" in text:
        text = unescape(_TAG.sub(" ", text))
    text = _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).lower().replace("\u2019", "'")
    return _REPEATED.sub(r"\1\1", text)


def plain(word: str) -> str:
    """A word without accents, as people type it."""
    if word.isascii():
        return word
    return unicodedata.normalize("NFD", word).translate(ACCENTS)


def words(text: str) -> list[str]:
    """The words of a clean text; each emoji and each mark is one."""
    return _WORD.findall(text)


def shape(word: str) -> str:
    """Numbers are told apart by what they look like, not by their value."""
    if not _NUMBER.match(word):
        return word
    if "/" in word and len(word) <= 5:
        return word  # 1/5, 10/10
    return "#" * min(len(word), 4)
