"""What a lifecycle script does, as far as its text shows."""

import re

_COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)
_CONTINUED = re.compile(r"\\\r?\n")
_SHELL = r"(?:sudo(?:\s+-\S+)*\s+)?(?:env\s+)?(?:/(?:usr/)?bin/)?(?:ba|z|da|k)?sh\b"
_DOWNLOAD = re.compile(
    # curl URL | sh, with whatever filters in between
    rf"\b(?:curl|wget)\b(?P<piped>(?:[^\n;|&]|&(?!&)|\|(?!\|))*?)\|(?!\|)\s*{_SHELL}"
    # bash <(curl URL), sh -c "$(curl URL)", . <(curl URL)
    rf"|(?:{_SHELL}|\bsource|(?<=\s)\.)\s[^\n;|]*?(?:<\(|\$\(|`)\s*(?:curl|wget)\b(?P<substituted>[^\n;)`]*)"
)
_HOST = re.compile(r"[a-z][a-z0-9+.-]{0,20}://(?:[^\s/?#@\"']*@)?(?P<host>[^\s/?#:\"')]+)", re.IGNORECASE)
_AUTO_STOP = re.compile(r"auto[-_ ]?stop|\bidle|stop[-_]notebook[-_]instance", re.IGNORECASE)


_CLONE = re.compile(r"\bgit\b[^\n;|&]*\sclone\b")


def clones_repository(script: str) -> bool:
    """Whether a script clones a Git repository."""
    return _CLONE.search(commands(script)) is not None


def commands(script: str) -> str:
    """A script without comment lines and with continued lines joined."""
    return _COMMENT.sub("", _CONTINUED.sub(" ", script))


def piped_downloads(script: str) -> list[str]:
    """The host of each download that is piped to a shell, in order; `?` where a variable holds the URL."""
    hosts = []
    for found in _DOWNLOAD.finditer(commands(script)):
        url = _HOST.search(found["piped"] or found["substituted"] or "")
        hosts.append(url["host"].lower() if url and "$" not in url["host"] else "?")
    return hosts


def stops_when_idle(script: str) -> bool:
    """Whether a script arranges for the instance to be stopped."""
    return _AUTO_STOP.search(commands(script)) is not None
