"""What proves that a pattern found what it looks like: check digits, lengths, addresses."""

import re
from ipaddress import ip_address

# fmt: off
IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BI": 27, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27,
    "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27,
    "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28,
    "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28,
    "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22,
    "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24,
    "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25, "SV": 28,
    "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}
# fmt: on
"""Characters of an account number by country (ISO 13616); of others none is known."""

_IIN = re.compile(
    "4(?:.{15}|.{18})|(?:5[1-5]|2[2-7]).{14}|3[47].{13}|3[0689].{12}|35.{14}|6.{15,18}"
    "|5[0678].{14,17}"
)
_DATE = re.compile(
    r"\+?(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]|[0-3][0-9]([/-])[0-3][0-9]\1[0-9]{2,4}(?![0-9])"
)
_VERSION = re.compile(r"(?:version|release|build|\bv|\bver)[ .:=]{0,2}\Z", re.IGNORECASE)
_NOT_DIGIT = re.compile("[^0-9]+")
_ALPHABET = frozenset({"0123456789", "01234567890"})
_LEAST_DIGITS, _MOST_DIGITS = 9, 15


def card_end(match: re.Match[str]) -> int | None:
    """Its end, if an issuer gives such numbers and the check digit is right (Luhn)."""
    number = _NOT_DIGIT.sub("", match.group())
    if len(set(number)) == 1 or not _IIN.fullmatch(number):
        return None
    doubled = (int(digit) * 2 for digit in number[-2::-2])
    total = sum(map(int, number[-1::-2])) + sum(d - 9 if d > 9 else d for d in doubled)
    return None if total % 10 else match.end()


def iban_end(match: re.Match[str]) -> int | None:
    """Where the account number ends (ISO 13616, mod 97): the match may hold words after it."""
    text, whole = match.group(), ""
    length = IBAN_LENGTHS.get(text[:2].upper(), 0)
    for position, character in enumerate(text, match.start() + 1):
        whole += character if character.isalnum() else ""
        if len(whole) == length:
            is_whole = not match.string[position : position + 1].isalnum()
            return position if is_whole and _remainder(whole) == 1 else None
    return None


def _remainder(iban: str) -> int:
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97


def ip_end(match: re.Match[str]) -> int | None:
    """Its end, if it is an address, and neither a version of four parts nor a piece of code."""
    text = match.group()
    if text.endswith(":") and not text.endswith("::"):
        text = text[:-1]
    try:
        ip_address(text)
    except ValueError:
        return None
    is_meant = _is_long(text) if ":" in text else not _is_version(match)
    return match.start() + len(text) if is_meant else None


def _is_version(match: re.Match[str]) -> bool:
    return bool(_VERSION.search(match.string[max(0, match.start() - 12) : match.start()]))


def _is_long(address: str) -> bool:
    # `a[1::2]`, `abc::def` and `::` are valid addresses as well: what is short is code.
    groups = [group for group in address.split(":") if group]
    is_long = len(groups) > 2 or (len(groups) > 1 and len(groups[0]) == 4)
    return is_long and any(character.isdigit() for character in address)


def phone_end(match: re.Match[str]) -> int | None:
    """Its end, if it has 9 to 15 digits (8 after a `+`) and is no date and no row of digits."""
    text = match.group()
    digits = _NOT_DIGIT.sub("", text)
    least = _LEAST_DIGITS - text.startswith("+")
    if not least <= len(digits) <= _MOST_DIGITS or digits in _ALPHABET or _DATE.match(text):
        return None
    return match.end()


def secret_end(match: re.Match[str]) -> int | None:
    """Its end, if it has a digit: names made of words, such as `sk-learn-compatible`, have none."""
    key = match.group("key")
    is_random = key.startswith(("AKIA", "ASIA")) or any(c in "0123456789" for c in key)
    return match.end() if is_random else None
