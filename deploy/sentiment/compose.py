"""Sentences put together from parts: who did what with an answer, what is (not) in it.

`python -m deploy.sentiment.compose` writes comments/train-composed.jsonl anew, the same each time.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any
from zlib import crc32

from deploy.sentiment.comments_on_file import (
    FOLDER,
    HELD_OUT,
    Written,
    alike,
    by_hand,
    outcomes,
    read,
)

PARTS = FOLDER.with_name("parts.json")
TARGET = FOLDER / "train-composed.jsonl"
KEPT = 60  # of each rule; more would drown what was written by hand


def sentences(rule: Mapping[str, Any], parts: Mapping[str, Sequence[str]]) -> list[Written]:
    """Sentences of one rule, picked by a checksum so that each run picks the same."""
    made = {text for frame in rule["frames"] for text in _filled(frame, parts)}
    told = (rule["sentiment"], rule["lang"], rule["kind"], rule["aspects"])
    return [Written(text, *told) for text in sorted(made, key=_order)[:KEPT]]


def _filled(frame: str, parts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    names = [name for name in parts if f"<{name}>" in frame]
    for chosen in product(*(parts[name] for name in names)):
        text = frame
        for name, part in zip(names, chosen, strict=True):
            text = text.replace(f"<{name}>", part)
        yield text[0].upper() + text[1:]


def _order(text: str) -> int:
    return crc32(text.encode())


def main() -> None:
    """Write all that is not like a held-out comment, and that nobody wrote by hand."""
    told = json.loads(PARTS.read_text("utf-8"))
    made = [text for rule in told["rules"] for text in sentences(rule, told["parts"])]
    known = {comment.text for comment in by_hand() + outcomes()}
    new = [one for one in made if one.text not in known]
    held = alike([one.text for one in new], [comment.text for comment in read(HELD_OUT)])
    kept = [one for one, is_like in zip(new, held, strict=True) if not is_like]
    TARGET.write_text("".join(f"{_row(one)}\n" for one in kept), "utf-8")
    print(f"{len(kept)} of {len(made)} sentences")


def _row(one: Written) -> str:
    fields = ("lang", "kind", "sentiment", "aspects", "text")
    return json.dumps({name: getattr(one, name) for name in fields}, ensure_ascii=False)


if __name__ == "__main__":
    main()
