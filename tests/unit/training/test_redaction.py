"""What is hidden in texts, and what survives."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.training.redaction import PatternRedactor, finds_any, redact, redact_row
from tests.unit.training.made import made

HIDDEN = [
    ("mail a.b+c@ex-ample.co.uk, now", "mail [EMAIL], now"),
    ("jürgen@müller.de", "[EMAIL]"),
    ("two: a@b.de b@c.org.", "two: [EMAIL] [EMAIL]."),
    ("call +49 (0) 151 1234-5678!", "call [PHONE]!"),
    ("+4915112345678", "[PHONE]"),
    ("0049 151 12345678", "[PHONE]"),
    ("(555) 123-4567 or 555-123-4567 or 555.123.4567", "[PHONE] or [PHONE] or [PHONE]"),
    ("1-800-555-0199", "[PHONE]"),
    ("030/1234567, 0151-23456789", "[PHONE], [PHONE]"),
    ("06 12 34 56 78 et 07911 123456", "[PHONE] et [PHONE]"),
    ("card 4111 1111 1111 1111.", "card [CARD]."),
    ("4111-1111-1111-1111 4111111111111111", "[CARD] [CARD]"),
    ("amex 378282246310005 or 3782 822463 10005", "amex [CARD] or [CARD]"),
    ("1234 4111 1111 1111 1111", "1234 [CARD]"),
    ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [IBAN] please"),
    ("GB82WEST12345698765432", "[IBAN]"),
    ("ab12 de89370400440532013000", "ab12 [IBAN]"),
    ("from 192.168.1.1:80 to 10.0.0.0/8", "from [IP]:80 to [IP]/8"),
    ("2001:db8::1, fe80::1ff:fe23:4567:890a", "[IP], [IP]"),
    ("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "[IP]"),
    ("2001:db8:1:2:3:4:192.0.2.1", "[IP]"),
    ("::ffff:192.0.2.1 and ip:2001:db8::1: up", "[IP] and ip:[IP]: up"),
    ("key=sk-proj-abc123def456ghi789jkl", "key=[KEY]"),
    ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[KEY]"),
    ("github_pat_11AAAAAAA0abcdefghij_klmnop", "[KEY]"),
    ("AKIAIOSFODNN7EXAMPLE AKIAIOSFODNNXEXAMPLE", "[KEY] [KEY]"),
    ("xoxb-123456789012-abcdef", "[KEY]"),
    ("assay_ab12cd34ef56_0123456789abcdefghijABCDEFGHIJ", "[KEY]"),
    ("Authorization: Bearer abcdef1234567890abcd==", "Authorization: Bearer [KEY]"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_DEF-1", "[KEY]"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIa+/b=\n-----END RSA PRIVATE KEY-----", "[KEY]"),
    ("ruf +49\xa0151\xa01234\u202f5678 an", "ruf [PHONE] an"),
    (
        "555\u2011123\u20114567, 555\u2013123\u20134567, 555\u2212123\u22124567",
        "[PHONE], [PHONE], [PHONE]",
    ),
    ("4111\u20091111\u20091111\u20091111", "[CARD]"),
    ("DE89\u202f3704\u202f0044\u202f0532\u202f0130\u202f00", "[IBAN]"),
    ("\u200b4111\u200b1111\u200b1111\u200b1111\u200b.", "\u200b[CARD]\u200b."),
    ("x\u200by@b\u2060.de, \u00ada.b@c.de", "[EMAIL], \u00ad[EMAIL]"),
    ("a.b\uff20c.de \uff41\uff20\uff42\uff0e\uff44\uff45", "[EMAIL] [EMAIL]"),
    ("\uff0b\uff14\uff19 151 \uff11\uff12\uff13\uff14567", "[PHONE]"),
    ("\u5730\u5740\uff1a2001:db8::1\u3002", "\u5730\u5740\uff1a[IP]\u3002"),
    ("a\u200b4111111111111111", "a\u200b[CARD]"),
    ("sk\u2011proj\u2011abc123def456ghi789jkl", "[KEY]"),
    ('{"a": "+49\xa0151\xa012345678", "b": 1}', '{"a": "[PHONE]", "b": 1}'),
]

SURVIVORS = [
    "",
    "order 123456, order 1234567, order #12345678",
    "2026-11-28T12:22:26.123456Z and 2026-11-28 12:22:26+00:00 and 2026-11-28T12:22:26+05:30",
    "28.11.2026, 28/11/2026, 1/2/2026, 01/02/2026 15:30, 03-04-2026 10:11, 2026/11/28",
    "+2026-11-28 in a diff",
    "12:30:45, 16:9, 9:00-17:00",
    "version 10.0.19041.1, version 1.2.3.4, v1.2.3.4, 2.3.1, release 4.3.2.1, 1.2.3-rc.1",
    "3.14159265358979 and 0.4111111111111111 and 1e10 and -1.5e+10",
    "$1,234,567.89 and 1 234 567,89 and 1.234.567,89 EUR and 1,234,567,890",
    "550e8400-e29b-41d4-a716-446655440000",
    "12345678-0412-4123-8123-123456789012",
    "00000000-0000-4716-4111-111111111111",
    "1767268800 and 1767268800000 and 18446744073709551616",
    "a[1::2], std::vector<int>, abc::def, dead::beef, aa:bb:cc:dd:ee:ff",
    "100 200 300 400 500 and 0123456789",
    "package@1.2.3 and @property and user@host",
    "sk-learn-compatible-estimators and task-force-of-many-people and snake_case_of_long_names",
    "978-3-16-148410-0",
    "d41d8cd98f00b204e9800998ecf8427e",
    "ORD-0123-456789 and 4111 1111 1111 1112",
    "bearer of good news and responsibilities",
    "0x1234567890 and 0000000000000000",
    "[EMAIL] [PHONE] [CARD] [IBAN] [IP] [KEY]",
    "1\u202f234\u202f567,89\xa0EUR \u2013 28.11.2026\u201329.11.2026, 9:00\u201317:00",
    "\U0001f469\u200d\U0001f4bb \uff12\uff10\uff12\uff16\u5e74\uff0c",
    "\uff11\uff12\uff1a\uff13\uff10\uff1a\uff14\uff15",
    '{"a": 1767268800000, "b": [1.5, null, "c"]}',
]

ALPHABET = st.sampled_from(
    [
        *"0123456789",
        *" .-/()+:@,_\n\"\\[]{}'",
        *"aAbBeEfFzé",
        *"\xa0\u202f\u2011\u2013\u200b\xad\uff20\uff11\uff1a\uff0b",
        *("a@b.de", "+49 151 1234567", "::"),
        *("4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "sk-", "Bearer ", "1.2.3.4", "eyJ"),
        *("[EMAIL]", "\\u0040", '":"', "2026-01-01", "4111111111111111", "ghp_", "0049", "AKIA"),
    ]
)
TEXTS = st.lists(ALPHABET, max_size=60).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 10**19) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(("text", "redacted"), HIDDEN)
def test_it_is_hidden(text: str, redacted: str) -> None:
    assert redact(text)[0] == redacted
    assert finds_any(text)


@pytest.mark.parametrize("text", SURVIVORS)
def test_it_survives(text: str) -> None:
    assert redact(text) == (text, Counter())
    assert not finds_any(text)


def test_kinds_are_counted() -> None:
    _, found = redact("a@b.de, c@d.de, 192.168.1.1 and +49 151 12345678")
    assert found == {"EMAIL": 2, "IP": 1, "PHONE": 1}


@given(TEXTS)
def test_a_second_time_changes_nothing(text: str) -> None:
    once, found = redact(text)
    assert redact(once) == (once, Counter())
    assert finds_any(text) == (once != text) == bool(found)
    assert not finds_any(once)


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    once, _ = redact(text)
    assert redact(once)[0] == once


@given(JSON.filter(lambda value: isinstance(value, list | dict)), st.booleans())
def test_json_stays_json(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    once, _ = redact(text)
    json.loads(once)
    assert finds_any(text) == (once != text)
    assert redact(once)[0] == once


def test_a_line_break_before_an_address_in_json_is_no_part_of_it() -> None:
    text = json.dumps({"a": "from:\nme@example.com", "n": 4111111111111111, "f": 1.10})
    assert redact(text)[0] == '{"a": "from:\\n[EMAIL]", "n": "[CARD]", "f": 1.1}'


def test_escapes_hide_nothing() -> None:
    assert redact('["a\\u0040b.com"]')[0] == '["[EMAIL]"]'
    inner = json.dumps({"to": "a@b.com"})
    assert json.loads(json.loads(redact(json.dumps([inner]))[0])[0]) == {"to": "[EMAIL]"}


def test_all_else_of_a_json_text_keeps_its_bytes() -> None:
    text = '[ 1.10,\t"\\u00e9", {"a" :"x@y.org"} ]'
    assert redact(text)[0] == '[ 1.10,\t"\\u00e9", {"a" :"[EMAIL]"} ]'


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        *(
            "a",
            "1",
            "1 ",
            "1-",
            "+1",
            "a.",
            "a@",
            "a@a.",
            "a.b@c.d.",
            "sk-",
            "sk-a",
            "eyJaaaaaaaaaaa.",
        ),
        *(
            "SG.",
            "Bearer ",
            "Bearer a",
            "::",
            "a:",
            "1:",
            "1.",
            "DE89",
            "DE89 3704 ",
            "4111 ",
            "(0",
        ),
        *(
            "01 ",
            "+49 1",
            "(",
            "[",
            "[[1],",
            '{"a":',
            "\\u0040",
            "-----BEGIN PRIVATE KEY-----",
            "-",
        ),
        *("_", "é", "-sk_live_aaaaaaaaaaaaaaaaaaaaaé", '"', "\\", '"\\"', "@", "4111111111111111-"),
        *("0049 1511234567 ", "a@b.com,", "4111 1111 1111 1111 ", "1.1.1.1 ", "2001:db8::1 "),
    ],
)
def test_hostile_texts_of_64_kib_come_to_an_end(piece: str) -> None:
    # Only the test's timeout: time that grew with the square would need minutes.
    size = 64 * 1024
    for text in ((piece * size)[:size], "[" + (piece * size)[:size], (piece * size)[:size] + "!"):
        assert not finds_any(redact(text)[0])


def test_rows_without_a_flag_are_left_alone() -> None:
    row = made(1, input="a@b.de", output="x", correction=None)
    assert redact_row(row, PatternRedactor(), Counter()) is row


def test_all_three_texts_of_a_row_are_redacted() -> None:
    row = made(1, input="a@b.de", output="+49 151 12345678", correction="192.168.1.1", has_pii=True)
    found: Counter[str] = Counter()
    clean = redact_row(row, PatternRedactor(), found)
    assert (clean.input, clean.output, clean.correction) == ("[EMAIL]", "[PHONE]", "[IP]")
    assert found == {"EMAIL": 1, "PHONE": 1, "IP": 1}
    bare = redact_row(made(2, input=None, output="", has_pii=True), PatternRedactor(), found)
    assert (bare.input, bare.output) == (None, "")
