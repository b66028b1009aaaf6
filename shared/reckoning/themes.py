"""What comments have in common: words weighed by TF-IDF, and themes by matrix factors.

Non-negative factors of the weights [Lee and Seung 1999], by scikit-learn, from a start that no
chance decides. A comment belongs to the theme it is nearest to, and only if it has one of the words
that the theme is called by: what is said of a theme can be read in each of its comments. Pure, and
the same for comments in any order.
"""

import re
import unicodedata
import warnings
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer

from shared.reckoning.comments import example, readable
from shared.reckoning.stop_words import STOP_WORDS

MOST_COMMENTS: Final = 5_000
LEAST_COMMENTS: Final = 3
"""Of a theme; what fewer say may name them."""
MOST_WORDS: Final = 1_000
MOST_THEMES = 8
PER_THEME = 6
"""So many comments let another theme be looked for."""
LABEL_WORDS = 3
EXAMPLES = 3
ROUNDS = 200
# Of the strongest word of a theme, what another must weigh to be in its name.
WEAK = 0.5
SEED = 7

_PLACEHOLDER = re.compile(r"\[[A-Z0-9_]+\]")  # what redaction left in place of a name
_WORD = re.compile(r"[^\W\d_]{3,}")


class Comments(BaseModel):
    """Comments of one model."""

    texts: Annotated[list[str], Field(max_length=MOST_COMMENTS)]


class Theme(BaseModel):
    """What it is called by, the strongest word first, and which comments belong to it."""

    words: list[str]
    members: list[int]
    examples: list[str]
    """Its first comments in the order given, as others may read them."""


def themes(comments: Comments) -> list[Theme]:
    """The themes of comments, the largest first; none where fewer than three share a word."""
    texts = [readable(text) for text in comments.texts]
    order = sorted(range(len(texts)), key=texts.__getitem__)
    said = [words_of(texts[place]) for place in order]
    if len(said) < LEAST_COMMENTS:
        return []
    weigher = TfidfVectorizer(
        analyzer=list, min_df=LEAST_COMMENTS, max_features=MOST_WORDS, sublinear_tf=True
    )
    try:
        weights = weigher.fit_transform(said)
    except ValueError:  # no word is in three comments
        return []
    of_comments, of_words = _factors(weights, len(said))
    words = weigher.get_feature_names_out()
    found = _members(said, of_comments, [_label(row, words) for row in of_words])
    made = [
        _theme(label, sorted(order[place] for place in places), texts)
        for label, places in found.items()
        if len(places) >= LEAST_COMMENTS
    ]
    return sorted(made, key=lambda one: (-len(one.members), one.words))


def words_of(text: str) -> list[str]:
    """Words of three letters and more, without accents, in the order of the text."""
    plain = unicodedata.normalize("NFKD", _PLACEHOLDER.sub(" ", text)).lower()
    plain = "".join(one for one in plain if not unicodedata.combining(one))
    return [one for one in _WORD.findall(plain) if one not in STOP_WORDS]


def _theme(label: tuple[str, ...], members: list[int], texts: list[str]) -> Theme:
    examples = [example(texts[place]) for place in members[:EXAMPLES]]
    return Theme(words=list(label), members=members, examples=examples)


def _factors(weights: NDArray[np.float64], comments: int) -> tuple[NDArray[np.float64], ...]:
    most = min(weights.shape)
    wanted = max(1, min(MOST_THEMES, comments // PER_THEME, most))
    # NNDSVD needs fewer themes than there are words and comments.
    start = "nndsvda" if wanted < most else "random"
    model = NMF(wanted, init=start, random_state=SEED, max_iter=ROUNDS, tol=1e-3)
    with warnings.catch_warnings():
        # Themes of so many rounds are good enough to be named.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit_transform(weights), model.components_


def _label(row: NDArray[np.float64], words: NDArray[np.str_]) -> tuple[str, ...]:
    strongest = sorted(range(len(row)), key=lambda place: (-row[place], words[place]))
    kept = [place for place in strongest[:LABEL_WORDS] if row[place] > 0]
    return tuple(str(words[place]) for place in kept if row[place] >= WEAK * row[kept[0]])


def _members(
    said: list[list[str]], of_comments: NDArray[np.float64], labels: list[tuple[str, ...]]
) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = {}
    for place, (own, near) in enumerate(zip(said, of_comments, strict=True)):
        there = set(own)
        for theme in sorted(range(len(labels)), key=lambda one: (-near[one], one)):
            if near[theme] > 0 and there.intersection(labels[theme]):
                found.setdefault(labels[theme], []).append(place)
                break
    return found
