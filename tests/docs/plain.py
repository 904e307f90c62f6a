"""Plain English, held by figures: the length of sentences, how they begin, and the phrases of words.txt."""

import re
from dataclasses import dataclass

WORDS = 25
SEMICOLONS = 1
# A sentence that begins so points backwards, or is a riddle; the reader should not have to look for what is meant.
OPENINGS = ("It", "That")
# The same at the beginning of a comment that documents an item.
COMMENT_OPENINGS = ("What", "Whether", "Who", "Those", "That", "As", "It")
# Where a sentence ends: before a capital letter, a quotation, code or a link.
END = re.compile(r"(?<=[.!?])[)*_\"]*\s+(?=[(*_\"\[]*[A-Z\d«]|[(*_\"\[]*code)")


@dataclass(frozen=True)
class Unit:
    """A paragraph, item of a list, cell of a table, comment or message, and where it begins."""

    place: str
    text: str
    openings: tuple[str, ...] = OPENINGS


def plain(line):
    """Without code and addresses."""
    # Each is a word of its own: two are no repetition.
    line = re.sub(r"`([^`]*)`", lambda code: "code" + re.sub(r"[^a-z]", "", code[1].lower()), line)
    return re.sub(r"\]\([^)]*\)|<https?:[^>]*>", "]", line)


def of_document(document):
    """The text outside of code blocks."""
    begin, lines = None, []
    for number, line in [*document.prose, (0, "")]:
        if lines and (not line.strip() or re.match(r"\s*([-*|#]\s|\||#|\d+\.\s)", line)):
            yield from cells(f"{document.name}:{begin}", " ".join(lines))
            lines = []
        if line.strip():
            begin = begin if lines else number
            lines.append(plain(line).strip())


def cells(place, text):
    if text.startswith("|"):
        yield from (Unit(place, cell.strip()) for cell in re.split(r"(?<!\\)\|", text) if cell.strip(" -:"))
    else:
        yield Unit(place, re.sub(r"^([-*]|#+|\d+\.)\s+", "", text))


def sentences(text):
    return [sentence for sentence in END.split(text) if sentence and re.search(r"[A-Za-z]", sentence)]


def words(sentence):
    return len(re.findall(r"[^\s|=→÷×–-]+(?:-[^\s]+)*", sentence))


def faults(units, phrases):
    """Each sentence that is too long, has too many semicolons, begins badly or has a phrase of the list."""
    for unit in units:
        for number, sentence in enumerate(sentences(unit.text)):
            shown = sentence if len(sentence) < 80 else f"{sentence[:77]}…"
            if words(sentence) > WORDS:
                yield f"{unit.place}: {words(sentence)} words in one sentence: {shown}"
            if sentence.count(";") > SEMICOLONS:
                yield f"{unit.place}: {sentence.count(';')} semicolons in one sentence: {shown}"
            first = re.match(r"[*_\"(\[]*(\w+)\b(?!')", sentence)
            if first and first[1] in (unit.openings if number == 0 else OPENINGS):
                yield f"{unit.place}: a sentence begins with {first[1]!r}: {shown}"
        for pattern, advice in phrases:
            for match in pattern.finditer(unit.text):
                yield f"{unit.place}: {match[0]!r}: {advice}"


def figures(units):
    """Sentences, words a sentence, share above the limit, the longest."""
    lengths = [words(sentence) for unit in units for sentence in sentences(unit.text)]
    if not lengths:
        return "no sentences"
    above = sum(length > WORDS for length in lengths)
    return f"{len(lengths)} sentences of {sum(lengths) / len(lengths):.1f} words, {above} ({100 * above / len(lengths):.1f} %) above {WORDS}, the longest of {max(lengths)}"
