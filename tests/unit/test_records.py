"""Records of earlier versions: every field is still where it was, by name and number."""

import pytest

from records import FOLDER, MESSAGES, text_of

RECORDS = sorted(FOLDER.glob("*/*.bin"))


def test_there_is_one_of_every_kind():
    assert {path.stem for path in RECORDS} == set(MESSAGES)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_its_fields_have_the_names_and_values_that_they_had(path):
    assert text_of(path.stem, path.read_bytes()) == path.with_suffix(".txt").read_bytes()
