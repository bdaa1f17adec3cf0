"""Campaign texts are Markdown: rendered without any HTML of the author, without images, links checked."""

from __future__ import annotations

from functools import lru_cache

from markdown_it import MarkdownIt
from markupsafe import Markup


def _renderer() -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": False, "typographer": False})
    return renderer.enable("table").disable(["image", "html_block", "html_inline"])


@lru_cache(maxsize=64)
def rendered(text: str) -> Markup:
    """Markdown as HTML; what the author wrote as HTML is shown as text."""
    return Markup(_renderer().render(text))  # noqa: S704 - the renderer escapes everything that is not Markdown


@lru_cache(maxsize=256)
def first_words(text: str, most: int = 200) -> str:
    """The first paragraph as plain text without its marks, cut at a word."""
    tokens = next((token.children for token in _renderer().parse(text) if token.type == "inline"), None) or []
    paragraph = " ".join("".join(token.content or " " for token in tokens if not token.nesting).split())
    if len(paragraph) <= most:
        return paragraph
    return paragraph[:most].rsplit(" ", 1)[0].rstrip(",;:.") + " …"
