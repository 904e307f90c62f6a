"""A Markdown document, as the checks need it: its headings, links, code spans and code blocks."""

import re
import textwrap
from dataclasses import dataclass
from functools import cached_property

FENCE = re.compile(r"( *)```(\w*)\s*$")
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"(#{1,6}) (.+?) *$")


@dataclass(frozen=True)
class Block:
    """A code block: where it begins, its language, the last line before it, its text."""

    line: int
    language: str
    lead: str
    text: str


class Document:
    def __init__(self, root, path):
        self.path = path
        self.name = path.relative_to(root).as_posix()
        self.blocks = []
        # The lines outside of code blocks, by their numbers.
        self.prose = []
        fence, lead, inside = None, "", []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = FENCE.match(line)
            if fence is None and match:
                fence, inside = (number, match[2]), []
            elif fence is not None and match and not match[2]:
                self.blocks.append(Block(*fence, lead, textwrap.dedent("\n".join(inside)) + "\n"))
                fence = None
            elif fence is not None:
                inside.append(line)
            else:
                self.prose.append((number, line))
                lead = line.strip() or lead
        if fence is not None:
            raise SystemExit(f"error: {self.name}:{fence[0]}: the code block has no end")

    @cached_property
    def headings(self):
        """Level and text of each."""
        return [(len(match[1]), match[2]) for _, line in self.prose if (match := HEADING.match(line))]

    @cached_property
    def anchors(self):
        """The fragments that GitHub makes of the headings."""
        seen, anchors = {}, set()
        for _, text in self.headings:
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).lower()
            slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
            count = seen.get(slug, 0)
            seen[slug] = count + 1
            anchors.add(f"{slug}-{count}" if count else slug)
        return anchors

    @cached_property
    def links(self):
        return [(number, target) for number, line in self.prose for target in LINK.findall(CODE.sub("code", line))]

    @cached_property
    def code(self):
        """The text between backticks."""
        return [(number, text) for number, line in self.prose for text in CODE.findall(line)]
