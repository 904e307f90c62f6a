"""Writes the shell blocks of a page, a script for each section of it, in their order: pages.py PAGE FOLDER."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests/docs"))

from markdown import Document

page, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
document = Document(page.parent, page)
begins = [line for line, text in document.prose if text.startswith("## ")]
for block in document.blocks:
    if block.language == "sh":
        section = sum(line < block.line for line in begins)
        with open(folder / f"{page.stem}-{section}.sh", "a", encoding="utf-8") as script:
            script.write(block.text)
