"""How likely a text is what its encoding makes of it, by the letters of languages.

The encodings of one alphabet give the same bytes other letters, all of them valid: only that
people write "přístroj", never "pøístroj" beside "ž", tells cp1250 from cp1252.
"""

from collections import Counter

# Letters beyond ASCII, the frequent ones first, by encoding and language.
LETTERS = {
    "cp1250": (
        "íáéěřčžýšůúňťďó", "áíčéýžúšľťôňďóäĺŕ", "łąęóżśćńź", "áéóőöüíúű", "čšžćđ",
        "ăâîșțşţ", "äöüß",
    ),
    "cp1252": (
        "äöüß", "éèàêçôîûùâïëœ", "áéíóúñü¿¡", "ãçáéóêíõâúàô", "àèéìòù", "äöå", "æøåéöä",
        "éëïöóüè", "ðþáéíóúýæö", "äõöüšž",
    ),
    "cp1251": ("оеаинтсрвлкмдпуяызьбгчйхжшюцщэфъё", "оаиентвсрлкідпмузяьбгчйхжшюцїщєфґ"),
}  # fmt: skip
LETTERS["iso8859-2"] = LETTERS["cp1250"][:6]
# Signs that stand in tables of every language, and are no sign of a wrong encoding.
SIGNS = set("€°µ²³½¼§–—’‘“”„…•×±·«»£¥©®™№\u00a0\u00ad")
BEFORE_WORDS = set("„“”‘’»«‚·…–—€£¥§\u00ad\u00a0°")
LETTERS_LOST = 1.0  # what a sign inside a word, or a letter of no language, takes away


def plausibility(text: str, encoding: str) -> float:
    """Return how well the letters beyond ASCII fit a language of that encoding, up to 1."""
    letters = Counter(mark for mark in text.lower() if ord(mark) > 127 and mark not in SIGNS)
    total = sum(letters.values())
    if total == 0:
        return 0.5 - _signs_in_words(text)
    if encoding in {"cp932", "gb18030"}:
        return _east_asian(letters, total, encoding)
    best = max(_fit(letters, alphabet) for alphabet in LETTERS[encoding])
    return best / total - _signs_in_words(text) - _case_inside_words(text)


def _fit(letters: Counter[str], alphabet: str) -> float:
    fit = 0.0
    for letter, count in letters.items():
        place = alphabet.find(letter)
        # A rare letter is half the evidence of a frequent one: "ŕ" is Slovak, but seldom.
        fit += count * (1 - 0.5 * place / len(alphabet) if place >= 0 else -LETTERS_LOST)
    return fit


def _signs_in_words(text: str) -> float:
    """The share of signs that begin or cut a word, and of Cyrillic letters beside Latin ones."""
    beyond = [i for i, mark in enumerate(text) if ord(mark) > 127]
    inside = sum(1 for i in beyond if _cuts_a_word(text, i))
    controls = sum(1 for i in beyond if 0x80 <= ord(text[i]) < 0xA0)
    return (inside + 2 * controls) / max(1, len(beyond))


def _cuts_a_word(text: str, i: int) -> bool:
    mark, before, after = text[i], text[i - 1 : i], text[i + 1 : i + 2]
    if mark.isalpha():
        return "\u0400" <= mark <= "\u04ff" and any(
            x.isascii() and x.isalpha() for x in (before, after)
        )
    return mark not in BEFORE_WORDS and after.isalpha() and (before.isalpha() or after.islower())


def _case_inside_words(text: str) -> float:
    """The share of capitals beyond ASCII that follow a small letter: `pýíRstroj`."""
    beyond = [i for i, mark in enumerate(text) if ord(mark) > 127]
    wrong = sum(1 for i in beyond if i and text[i].isupper() and text[i - 1].islower())
    return wrong / max(1, len(beyond))


def _east_asian(letters: Counter[str], total: int, encoding: str) -> float:
    """The share of letters that are frequent: kana, and the first level of each standard."""
    return sum(count for letter, count in letters.items() if _frequent(letter, encoding)) / total


def _frequent(letter: str, encoding: str) -> bool:
    if encoding == "cp932":
        if "\u3041" <= letter <= "\u30ff":
            return True
        code = letter.encode("cp932", "ignore")
        # JIS X 0208, level 1: rows 16 to 47.
        return len(code) == 2 and 0x88 <= code[0] <= 0x97
    code = letter.encode("gb18030")
    # GB 2312, level 1: rows 16 to 55; punctuation in rows 1 to 3.
    return len(code) == 2 and (0xB0 <= code[0] <= 0xD7 or 0xA1 <= code[0] <= 0xA3)
