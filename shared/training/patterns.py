"""What personal data and secrets look like. Every pattern needs time linear in the text.

Runs without a bound are possessive or begin only where no such character stands before; all else
is bounded. So that redacting twice changes nothing, no placeholder holds a digit or an `@`.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from shared.training.checks import card_end, iban_end, ip_end, phone_end, secret_end

_FREE = r"(?<![^\W_])"  # no letter or digit before
_END = r"(?![^\W_])"

EMAIL = re.compile(r"(?<![\w.%+'-])[\w.%+'-]++@(?:[\w-]++\.)+[^\W\d_]{2,63}")

KEY = re.compile(
    r"""(?<![A-Za-z0-9_-])(?P<keep>[Bb]earer[ \t]{1,3})?+
    (?P<key>
      (?(keep)[A-Za-z0-9._~+/-]{16,}+=*+|(?:
        sk-[A-Za-z0-9_-]{16,}+
      | (?:sk|pk|rk|whsec)_[A-Za-z0-9_]{16,}+
      | gh[opusr]_[A-Za-z0-9]{16,}+
      | github_pat_[A-Za-z0-9_]{16,}+
      | glpat-[A-Za-z0-9_-]{16,}+
      | (?:AKIA|ASIA)[A-Z0-9]{16}
      | xox[a-z]-[A-Za-z0-9-]{10,}+
      | AIza[A-Za-z0-9_-]{30,}+
      | (?:hf|npm|assay)_[A-Za-z0-9_-]{20,}+
      | SG\.[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+
      | eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+)?
      ))
    )"""
    + _END,
    re.VERBOSE,
)
PEM = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s]*+"
    r"(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
)
IBAN = re.compile(_FREE + r"[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,29}")
# These three begin with a set of characters and look behind it afterwards: a search for a set is
# several times as fast as one that looks behind at every place.
CARD = re.compile(
    r"[0-9](?<![^\W_].)(?<!\+.)(?<![0-9][.,].)"
    r"(?:[0-9]{3}([ -]?)[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}|[0-9]{3}([ -])[0-9]{6}\2[0-9]{4,5})"
    r"(?![.,][0-9])" + _END
)
IPV4 = re.compile(r"[0-9](?<![\w.].)[0-9]{0,2}\.(?:[0-9]{1,3}\.){2}[0-9]{1,3}(?![\w]|\.[0-9])")
IPV6 = re.compile(r"(?:(?<![\w:.\]])|(?<=[G-Zg-z]:))[0-9A-Fa-f:]{3,45}+(?:[0-9.]{2,13}+)?(?![\w:])")
PHONE = re.compile(
    r"[+(0-9](?<![^\W_].)(?<!\].)(?<![0-9][.,].)(?<![^\W_]-.)(?:"
    r"(?:(?<=\+)|(?<=0)0)[1-9](?:[ ().\-/]{0,2}[0-9]){7,13}"  # with a country
    r"|(?:(?<=1)[ .-](?:\([2-9][0-9]{2}\)[ ]?|[2-9][0-9]{2}[ .-])"
    r"|(?<=\()[2-9][0-9]{2}\)[ ]?|(?<=[2-9])[0-9]{2}[ .-])[0-9]{3}[ .-][0-9]{4}"
    r"|(?:(?<=\()0|(?<=0))[1-9][0-9]{0,4}(?:\)[ ]?|[ /-])(?:[0-9]{2,9}[ /-]){0,4}[0-9]{2,9}"
    r"|(?<=0)[1-9][0-9]{8,9}"
    r")(?!-?[^\W_]|[:.,][0-9])"
)


class Pass(NamedTuple):
    """One kind of data: its pattern, and what proves that it is that."""

    placeholder: str
    pattern: re.Pattern[str]
    end: Callable[[re.Match[str]], int | None]  # where the proven part ends; `None` if nothing is
    is_bounded: bool = False  # so that what begins inside a refused match can be looked at too

    def found(self, text: str) -> Iterator[tuple[int, int]]:
        """From where to where it stands in a text, from left to right, never overlapping."""
        position = 0
        while match := self.pattern.search(text, position):
            start, end = match.span(self.pattern.groupindex.get("key", 0))
            if (proven := self.end(match)) is not None:
                yield start, proven
                position = proven
            else:
                position = start + 1 if self.is_bounded else end


EMAIL_PASS = Pass("[EMAIL]", EMAIL, re.Match.end)
KEY_PASSES = (Pass("[KEY]", PEM, re.Match.end), Pass("[KEY]", KEY, secret_end))
IBAN_PASS = Pass("[IBAN]", IBAN, iban_end, is_bounded=True)
CARD_PASS = Pass("[CARD]", CARD, card_end, is_bounded=True)
IPV6_PASS = Pass("[IP]", IPV6, ip_end)
IPV4_PASS = Pass("[IP]", IPV4, ip_end)
PHONE_PASS = Pass("[PHONE]", PHONE, phone_end, is_bounded=True)
NUMBER_PASSES = (IBAN_PASS, CARD_PASS, IPV4_PASS, PHONE_PASS)

# Cheap questions first: on ordinary text none of the patterns above is run.
# (A pattern that begins with a set of characters is searched ten times as fast as one that begins
# by looking behind.)
_MAY_BE_NUMBER = re.compile(
    r"[0-9](?<![0-9][0-9])"
    r"(?!(?:(?<=1)9|(?<=2)0)[0-9]{2}-[01][0-9]-[0-3][0-9](?![0-9]))"  # a date
    r"(?:(?:[ ().\-/]{0,2}[0-9]){6}|[0-9]{0,2}\.(?:[0-9]{1,3}\.){2}[0-9])"
).search
_MAY_BE_KEY = re.compile(r"[-_][A-Za-z0-9_-]{9}").search
_HAS_DIGIT = re.compile("[0-9]").search
_LEAST_COLONS = 6  # of an address without `::`, whose end may be one of version 4
_MAY_BE_IPV6 = re.compile(":[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:").search


def passes(text: str) -> list[Pass]:
    """Which of them could find something at all, in the order in which they are to be run."""
    held = list(KEY_PASSES) if _may_hold_key(text) else []
    if "@" in text:
        held.append(EMAIL_PASS)
    if "::" in text or (text.count(":") >= _LEAST_COLONS and _MAY_BE_IPV6(text)):
        held.append(IPV6_PASS)
    if _MAY_BE_NUMBER(text):
        held += NUMBER_PASSES
    return held


def _may_hold_key(text: str) -> bool:
    if ("-" in text or "_" in text) and _MAY_BE_KEY(text):
        return True
    if "AKIA" in text or "ASIA" in text or "AIza" in text:
        return True
    return ("eyJ" in text or "earer" in text or "SG." in text) and bool(_HAS_DIGIT(text))
