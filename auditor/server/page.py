"""The report as a page of the server: the same file that `auditor report` writes, of a run of the ledger.

It holds its data, so that it asks the server for nothing more. A browser that is asked for the token takes it as the
password of HTTP Basic, and no script ever sees it.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from auditor.feed_v1 import Feed, FindingV1

MOST = 50_000
"""How many findings a page holds: the worst ones. The feed has them all."""

POLICY = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
"""Beside the page's own policy, which names its one script and its one style by their hashes."""

_MAIN = b'<main class="wide">'


def page(feed: Feed, total: int, most: int = MOST) -> bytes:
    """The page of a feed with so many findings."""
    from auditor.outputs.html import html_chunks

    def worst() -> Iterator[FindingV1]:
        return islice(feed.findings(), most)

    made = b"".join(html_chunks(replace(feed, findings=worst)))
    if total <= most:
        return made
    notice = f'<p class="notice" role="note">These are the worst {most:,} of {total:,} findings; the feed has all.</p>'
    return made.replace(_MAIN, _MAIN + b"\n" + notice.encode(), 1)
