"""Sentences of the stated vocabulary: for the language model, and 400 that it never sees."""

import random

from speech import DIGITS, PHRASES, WORDS

TEST_SEED = 5
LENGTHS = [1, 2, 3, 4, 5, 6, 7]
WEIGHTS = [8, 12, 24, 25, 19, 8, 4]


def units(rng: random.Random, kind: str, count: int) -> list[str]:
    """`count` words; a fixed phrase counts as its words."""
    words: list[str] = []
    while len(words) < count:
        use = rng.choice(["digits", "words", "words"]) if kind == "mixed" else kind
        if use == "digits":
            words.append(rng.choice(DIGITS))
        elif len(words) + 2 <= count and rng.random() < 0.15:
            words += rng.choice(PHRASES).split()
        else:
            words.append(rng.choice(WORDS))
    return words


def test_sentences(kind: str) -> list[tuple[int, list[str]]]:
    """200 times (speaker, 3 to 5 words), kind "digits" or "words"; no sentence twice."""
    rng = random.Random(f"{TEST_SEED} {kind}")
    found: dict[tuple[str, ...], int] = {}
    while len(found) < 200:
        words = tuple(units(rng, kind, rng.randint(3, 5)))
        if words not in found:
            found[words] = len(found) % 2
    return [(speaker, list(words)) for words, speaker in found.items()]


def held_out() -> set[tuple[str, ...]]:
    return {tuple(words) for kind in ("digits", "words") for _, words in test_sentences(kind)}


def written(rng: random.Random, words: list[str]) -> tuple[str, str]:
    """Words as somebody may type them, and what espeak-ng is given to say: half of the time plain lower case."""
    style = rng.random()
    if style < 0.5:
        text = " ".join(words)
        return text, text
    if style < 0.56 and all(word in DIGITS for word in words):
        return " ".join(str(DIGITS.index(word)) for word in words), " ".join(words)
    if style < 0.59:
        return " ".join(words).upper(), " ".join(words)
    text = words[0]
    for word in words[1:]:
        text += (", " if rng.random() < 0.15 else " ") + word
    said = text
    if rng.random() < 0.7:
        text = text[0].upper() + text[1:]
    mark = rng.choice([".", ".", ".", ".", "!", ""])
    return text + mark, said + mark


def spoken(text: str) -> tuple[str, ...]:
    """The words of a text, however it is written."""
    words = text.lower().replace(",", " ").rstrip(".!").split()
    return tuple(DIGITS[int(word)] if word.isdigit() else word for word in words)


def sentence(rng: random.Random, unseen: set[tuple[str, ...]]) -> tuple[str, str]:
    """One training sentence as (text, what is said); never one of the unseen."""
    while True:
        kind = rng.choices(["digits", "words", "mixed"], [42, 42, 16])[0]
        words = units(rng, kind, rng.choices(LENGTHS, WEIGHTS)[0])
        if tuple(words) not in unseen:
            return written(rng, words)
