"""The catalogues: every sentence of the pages in every language, and none that no page says."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import server.web
from server.web.texts import CATALOGUES, LANGUAGES, choose_language, texts_of

WEB = Path(server.web.__file__).parent
TRANSLATED = [language for language in LANGUAGES if language != "en"]
KEYWORDS = {"_": None, "say": None, "mark": None, "plural": (1, 2)}


def sentences() -> set[str | tuple[str, ...]]:
    """Find every sentence in the sources."""
    found = extract_from_dir(
        str(WEB),
        method_map=[("**.py", "python"), ("templates/**.html", "jinja2")],
        keywords=KEYWORDS,
    )
    return {message for _, _, message, _, _ in found}


def catalogue(language: str) -> Catalog:
    with (CATALOGUES / f"{language}.po").open("rb") as source:
        return read_po(source, language)


def test_there_is_a_catalogue_for_each_language_but_english() -> None:
    assert {each.stem for each in CATALOGUES.glob("*.po")} == set(TRANSLATED)


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_sentence_is_missing_and_none_is_unused(language: str) -> None:
    assert {message.id for message in catalogue(language) if message.id} == sentences()


def _all(text: object) -> Sequence[object]:
    return text if isinstance(text, list | tuple) else [text]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_translation_is_made_and_keeps_the_values(language: str) -> None:
    def values(text: str) -> set[str]:
        return set(re.findall(r"%\(\w+\)s", text))

    for message in catalogue(language):
        if not message.id:
            continue
        assert not message.fuzzy
        texts = [str(each) for each in _all(message.string)]
        original = str(_all(message.id)[-1])
        assert all(texts), message.id
        assert all(values(text) == values(original) for text in texts), message.id


@pytest.mark.parametrize(
    ("language", "day", "number"),
    [
        ("en", "3 May 2026", "1,234 more are in the download."),
        ("es", "3 de mayo de 2026", "Hay 1.234 más en la descarga."),
        ("fr", "3 mai 2026", "1\u202f234 autres figurent dans le fichier à télécharger."),
        ("de", "3. Mai 2026", "1.234 weitere Einträge stehen in der Datei zum Herunterladen."),
    ],
)
def test_dates_numbers_and_plurals_are_those_of_the_language(language: str, day: str, number: str) -> None:
    texts = texts_of(language)
    assert texts.day_at(1_777_766_400) == day
    plural = ("%(number)s more is in the download.", "%(number)s more are in the download.")
    assert texts.plural(*plural, 1234) == number
    assert texts.plural(*plural, 1) != texts.plural(*plural, 2).replace("2", "1") or language == "es"


@pytest.mark.parametrize(
    ("asked", "accepted", "chosen"),
    [
        ("", "", "en"),
        ("fr", "de", "fr"),
        ("xx", "de", "de"),
        ("../../etc", "", "en"),
        ("", "de-AT, en;q=0.8", "de"),
        ("", "pt-BR, es;q=0.5, en;q=0.4", "es"),
        ("", "en;q=0.1, fr;q=0.9", "fr"),
        ("", "de;q=0, fr;q=0.1", "fr"),
        ("", "de;q=x, fr", "fr"),
        ("", "*", "en"),
        ("", ";;;,,,=", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_else_the_best_accepted(asked: str, accepted: str, chosen: str) -> None:
    assert choose_language(asked, accepted) == chosen


def test_names_are_those_of_the_language_and_unknown_ones_stay() -> None:
    german = texts_of("de")
    assert [german.country("FR"), german.country("EU"), german.country("??")] == [
        "Frankreich",
        "Europäische Union",
        "??",
    ]
    assert [german.language("pt-BR"), german.language("x!")] == ["Portugiesisch (Brasilien)", "x!"]
    assert len(german.countries()) > 200
    assert ("de", "Deutsch") in german.languages()
