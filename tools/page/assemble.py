"""A page as the build makes it: the template with its parts and its data in place. For tests and for work on a page."""

import json
import pathlib
import re

PARTS = pathlib.Path(__file__).parent
PLACEHOLDER = "/*FLOWCAST_DATA*/null"


def template(path):
    """The template with its parts in it."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    return re.sub(r"/\*FLOWCAST_INCLUDE ([\w.]+)\*/", lambda found: (PARTS / found[1]).read_text(encoding="utf-8"), text)


def embed(page, data):
    """The page with the data in it. '<' is written as an escape: a string must not be able to end the script."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    return page.replace(PLACEHOLDER, text)
