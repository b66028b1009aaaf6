"""Words that are in every comment and name no theme, in the scorer's five languages.

English is scikit-learn's list, without the words that say what is wrong; the others are short lists
of articles, pronouns, prepositions and auxiliaries of our own, as they are without accents.
"""

from typing import Final

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

_SAYS_SOMETHING = frozenset({"empty", "bill", "system", "fire", "cry", "interest", "detail"})
_MORE_ENGLISH = "answer answers response did does just really very don didn doesn isn wasn got get"
_GERMAN = """
    der die das den dem des ein eine einen einem einer eines und oder aber ist war sind waren wird
    wurde hat habe haben ich du er sie es wir ihr mir mich dich sich mein dein sein von zu zum zur
    mit auf fur im in an am bei aus nach uber als wie so auch noch nur sehr dass was wer wo wenn da
    hier dies diese dieser dieses antwort
"""
_FRENCH = """
    le la les un une des du de et ou mais est sont etait a ont ce cette ces il elle on nous vous ils
    elles je tu me te se mon ma mes ton sa ses son en dans sur pour par avec au aux que qui quoi ne
    pas plus tres c d j l n s qu reponse
"""
_SPANISH = """
    el la los las un una unos unas y o pero es son era fue ha han este esta esto estos estas yo tu
    me te se mi su sus nos en de del al a por para con sobre que quien como muy mas ya lo le les
    respuesta
"""
_PORTUGUESE = """
    o a os as um uma uns umas e ou mas foi sao era esta este isto eu voce ele ela nos me te se meu
    minha seu sua em no na nos nas do da dos das de ao por para com sobre que quem como muito mais
    ja lhe resposta
"""
STOP_WORDS: Final = (ENGLISH_STOP_WORDS - _SAYS_SOMETHING).union(
    _MORE_ENGLISH.split(), _GERMAN.split(), _FRENCH.split(), _SPANISH.split(), _PORTUGUESE.split()
)
