"""What comments have in common: words weighed by TF-IDF, and themes by matrix factors.

Non-negative factors of the weights [Lee and Seung 1999], by scikit-learn, from a start that no
chance decides. The factors only find what a theme is called by: its strongest word, and words that
mostly stand beside that one. To it belong all comments with one of these words, so that its size is
what anybody would count; a comment may belong to several. The same for comments in any order.
"""

import re
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
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
MOST_FACTORS = 16
PER_FACTOR = 6
"""So many comments let another factor be looked for."""
LABEL_WORDS = 3
BESIDE = 0.5
"""Of the comments with a word, the share with another one at which the two say the same."""
OFTEN = 0.25
"""Of the comments with the strongest word, the share in which another one is worth telling."""
EXAMPLES = 3
ROUNDS = 200
SEED = 7

Found = tuple[tuple[str, ...], frozenset[int]]

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
        analyzer=list,
        min_df=LEAST_COMMENTS,
        max_features=MOST_WORDS,
        sublinear_tf=True,
        use_idf=False,
    )
    try:
        weights = weigher.fit_transform(said)
    except ValueError:  # no word is in three comments
        return []
    of_words = _factors(weights, len(said))
    names = weigher.get_feature_names_out()
    there = [frozenset(words) for words in said]
    made = []
    for label, places in _apart(_with(label, there) for label in _labels(of_words, names, there)):
        made.append(_theme(label, sorted(order[place] for place in places), texts))
    return made


def words_of(text: str) -> list[str]:
    """Words of three letters and more, without accents, in the order of the text."""
    plain = unicodedata.normalize("NFKD", _PLACEHOLDER.sub(" ", text)).lower()
    plain = "".join(one for one in plain if not unicodedata.combining(one))
    return [one for one in _WORD.findall(plain) if one not in STOP_WORDS]


def _theme(label: tuple[str, ...], members: list[int], texts: list[str]) -> Theme:
    examples = [example(texts[place]) for place in members[:EXAMPLES]]
    return Theme(words=list(label), members=members, examples=examples)


def _factors(weights: NDArray[np.float64], comments: int) -> NDArray[np.float64]:
    most = min(weights.shape)
    wanted = max(1, min(MOST_FACTORS, comments // PER_FACTOR, most))
    # NNDSVD needs fewer factors than there are words and comments.
    start = "nndsvda" if wanted < most else "random"
    model = NMF(wanted, init=start, random_state=SEED, max_iter=ROUNDS, tol=1e-3)
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        # Themes of so many rounds are good enough to be named; and of a perfect fit scikit-learn
        # may take the root of a rounding error below 0.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(weights)
    found: NDArray[np.float64] = model.components_
    return found


def _labels(
    factors: NDArray[np.float64], names: NDArray[np.str_], said: list[frozenset[str]]
) -> Iterator[tuple[str, ...]]:
    for factor in factors:
        strongest = sorted(range(len(factor)), key=lambda place: (-factor[place], names[place]))
        words = [str(names[place]) for place in strongest[:LABEL_WORDS] if factor[place] > 0]
        if words:
            lead = words[0]
            yield lead, *(word for word in words[1:] if _is_beside(word, lead, said))


def _is_beside(word: str, lead: str, said: list[frozenset[str]]) -> bool:
    own = [one for one in said if word in one]
    together = sum(lead in one for one in own)
    return together >= max(BESIDE * len(own), OFTEN * sum(lead in one for one in said))


def _with(label: tuple[str, ...], said: list[frozenset[str]]) -> Found:
    return label, frozenset(at for at, one in enumerate(said) if one.intersection(label))


def _apart(found: Iterable[Found]) -> list[Found]:
    """The largest themes first, none of which is mostly part of a larger one."""
    kept: list[Found] = []
    for label, places in sorted(found, key=lambda one: (-len(one[1]), one[0])):
        is_inside = any(len(places & larger) > BESIDE * len(places) for _, larger in kept)
        if len(places) >= LEAST_COMMENTS and not is_inside:
            kept.append((label, places))
    return kept[:MOST_THEMES]
