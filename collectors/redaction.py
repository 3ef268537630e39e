"""Secrets are found and taken out where responses are read, before anything is kept.

What is kept of a secret is where it was, which detector saw it, a salted hash prefix (so that the
same secret can be recognised within one run), its entropy and its length. Two kinds of detectors:

- shapes that nothing else has (`AKIA…`, `ghp_…`, a private key's header) count wherever they stand;
- values that only their name gives away (`password`, `api_key`) are judged by name and by value:
  references, paths, URLs, numbers, identifiers and the tokens of language models are none.

Every pattern is anchored at the start of a word and bounded or possessive behind it, so that
scanning takes time in proportion to the text, whatever the text is.

    ValueError
    └── Undecodable            a lifecycle script that is no base64 of UTF-8 text
"""

import base64
import binascii
import hashlib
import hmac
import json
import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

REDACTED = "[redacted]"
MIN_ENTROPY = 3.0
"""Bits per character from which a value under a secret's name counts; a rule may ask for more."""
MIN_LENGTH = 8
"""Characters from which a value under a secret's name counts; a rule may ask for more."""
GENERIC = "named-secret"
"""The detector of values that only their name gives away: the one whose thresholds a rule may raise."""


class Undecodable(ValueError):
    """A lifecycle script that is no base64 of UTF-8 text. The message holds none of the content."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What is kept of a secret: 8 hex digits of its hash, bits per character and characters."""

    key: str
    detector: str
    digest: str
    entropy: float
    length: int

    @property
    def mark(self) -> str:
        """What is told of it."""
        return f"{self.key}: {self.detector} #{self.digest}"


_HASH = re.compile(rb"(: [a-z0-9-]++) #[0-9a-f]{8}(?=\")")


def without_hashes(document: bytes) -> bytes:
    """A JSON document whose marks of secrets bear no hash: one secret has another hash in every run."""
    return _HASH.sub(rb"\1", document)


@dataclass(frozen=True, slots=True)
class Detector:
    """One way to know a secret. The group `secret` of the pattern, or all of it, is the secret.

    With `name`, the pattern counts only in a value whose name matches. `floor` is the least entropy.
    """

    id: str
    title: str
    pattern: re.Pattern[str]
    name: re.Pattern[str] | None = None
    floor: float = 0.0


_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
"""A word's start: after anything but a letter or digit, or after an escaped line end inside JSON."""
_BASE64_40 = r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])"
_MIXED_FLOOR = 4.2
"""40 random base64 characters have 4.75 ± 0.12 bits each; paths and hex digests stay below 4.2."""


def _shape(code: str, title: str, pattern: str, name: str = "", floor: float = 0.0) -> Detector:
    return Detector(code, title, re.compile(pattern), re.compile(name) if name else None, floor)


# The order is the precedence where two of them see the same text.
DETECTORS: tuple[Detector, ...] = (
    _shape("private-key", "private key", r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"),
    _shape("aws-access-key-id", "AWS access key id", r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"),
    _shape("aws-session-token", "AWS session token", _START + r"(?:IQoJ|FwoG|FQoG)[A-Za-z0-9+/]{60,}={0,2}"),
    _shape(
        "aws-secret-access-key", "AWS secret access key", _BASE64_40, name="secret|aws", floor=_MIXED_FLOOR
    ),
    _shape(
        "json-web-token",
        "JSON Web Token",
        r"(?:(?<![\w-])|(?<=\\[nrt]))eyJ[A-Za-z0-9_-]{8,}+\.eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]*",
    ),
    _shape("huggingface-token", "Hugging Face token", _START + r"(?:hf_|api_org_)[A-Za-z0-9]{30,}"),
    _shape(
        "github-token",
        "GitHub token",
        _START + r"(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{36,}",
    ),
    _shape("gitlab-token", "GitLab token", _START + r"glpat-[A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9_.-]+)?"),
    _shape(
        "slack-token",
        "Slack token",
        _START + r"xox[a-z]-[A-Za-z0-9-]{10,}|(?<=hooks\.slack\.com/services/)[A-Za-z0-9/]{20,}",
    ),
    _shape("anthropic-key", "Anthropic API key", _START + r"sk-ant-[A-Za-z0-9_-]{20,}"),
    _shape(
        "openai-key",
        "OpenAI API key",
        _START + r"sk-(?:(?:proj|svcacct|admin)-[\w-]{32,}|[A-Za-z0-9]{32,})",
    ),
    _shape("google-api-key", "Google API key", _START + r"AIza[A-Za-z0-9_-]{35}"),
    _shape(
        "stripe-key",
        "Stripe key",
        _START + r"(?:[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/]{24,})",
    ),
    _shape("databricks-token", "Databricks token", _START + r"dapi[0-9a-f]{32}(?:-\d+)?(?![A-Za-z0-9])"),
    _shape("azure-storage-key", "Azure storage key", r"(?i)(?<=accountkey=)[A-Za-z0-9+/]{40,}={0,2}"),
    _shape("npm-token", "npm token", _START + r"npm_[A-Za-z0-9]{36,}"),
    _shape(
        "wandb-key",
        "Weights & Biases key",
        r"(?<![A-Za-z0-9])[0-9a-f]{40}(?![A-Za-z0-9])",
        name=r"wandb(?!.*(?:commit|sha|hash|revision|run|project|entity|version))",
    ),
    _shape(
        "wandb-login",
        "Weights & Biases key",
        r"\bwandb login (?:--[\w-]+ ){0,4}(?P<secret>[0-9a-f]{40})(?![A-Za-z0-9])",
    ),
    _shape(
        "authorization-header",
        "Authorization header",
        r"(?i)\bauthorization[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?"
        r"(?:bearer|basic|token) (?P<secret>[^\s\"'`$<{]{8,})",
    ),
    _shape(
        "url-userinfo",
        "user and password in a URL",
        r"(?<=[A-Za-z0-9]://)[^\s/?#@:\"'<>]*:[^\s/?#\"'<>]+(?=@)",
    ),
    _shape(GENERIC, "password, token or key by its name", r"(?s).+", name=".", floor=MIN_ENTROPY),
)
_RANKS = {detector.id: rank for rank, detector in enumerate(DETECTORS)}
_SHAPES = tuple(d for d in DETECTORS if d.name is None and d.id != "private-key")
_NAMED = tuple(d for d in DETECTORS if d.name is not None and d.id != GENERIC)
_PRIVATE_KEY = DETECTORS[0].pattern


def entropy(text: str) -> float:
    """Shannon entropy in bits per character, rounded to 2 digits; 0 for an empty text."""
    size = len(text)
    bits = math.fsum(n / size * math.log2(size / n) for n in Counter(text).values())
    return round(bits, 2)


# ---------------------------------------------------------------------------------------- names


class _Family(Enum):
    """Passwords are chosen by people and may look like words; the others are made by machines."""

    PASSWORD = auto()
    KEY = auto()


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PASSWORD_NAME = re.compile(
    r"password|passwd|passphrase|(?:^|_)pwd(?:_|$)|(?:^|_)(?:db|\w*sql|user|smtp|root)_?pass$"
)
_KEY_NAME = re.compile(
    r"(?:api|access|private|secret|auth|signing)_?keys?(?:_|$)|(?:^|_)secrets?(?:_|$)|secret$"
    r"|credentials?(?:_|$)|(?:^|_)creds?(?:_|$)|(?<!de)token(?:_(?:value|string|prod|dev|test|staging|\d+))?$"
)
_MODEL_TOKENS = re.compile(
    r"(?:^|_)(?:pad|eos|bos|eot|unk|sep|cls|mask|stop|special|start|end|begin|image|audio|video|next|prompt|per|max"
    r"|min|num|new|first|last|separator|class|trigger|placeholder|continuation|instance|end_of_\w+)_token$"
)
_ABOUT = re.compile(
    r"_(?:names?|paths?|file|filename|dir|ids?|arns?|param(?:eter)?s?|ur[il]s?|endpoint|type|field|columns?|col|len"
    r"|length|size|policy|prompt|provider|manager|source|version|region|prefix|suffix|count|limit|ttl|expiry"
    r"|expires|expiration|enabled|required|rotation|host|store|label|hint|message|format|class|index|dim"
    r"|weights?|ratio|rate|seed|alias|ref|reference|pattern|regex|min|max|mode|bucket|model|strategy)$"
)
"""A name with such an end speaks about a secret, as DB_SECRET_ARN and TOKEN_PATH do, and holds none."""


def _normal(name: str) -> str:
    """`--dbPassword` as `db_password`; no more than the last 128 characters."""
    return _CAMEL.sub("_", re.sub(r"[^A-Za-z0-9]+", "_", name[-128:]).strip("_")).lower()


def _own(name: str) -> bool:
    """SageMaker's own settings are long and harmless (`sagemaker_submit_directory`)."""
    return name.startswith("sagemaker_")


def _family(name: str) -> _Family | None:
    """Whether a normal name says that its value is secret."""
    if _ABOUT.search(name) or _MODEL_TOKENS.search(name) or _own(name):
        return None
    if _PASSWORD_NAME.search(name):
        return _Family.PASSWORD
    return _Family.KEY if _KEY_NAME.search(name) else None


# --------------------------------------------------------------------------------------- values

_REFERENCE = re.compile(
    r"(?i)arn:|s3://|\{\{|(?:aws:)?(?:secretsmanager|ssm|ssm-secure|vault|file):|\$[A-Za-z_{(]|%\w+%$|os\.environ|process\.env"
    r"|[a-z][a-z0-9+.-]{0,30}://|<[^<>]*>$|\[[\w .-]*\]$|\{[^{}]*\}$|[*•x]+$|\[redacted"
    r"|(?:your|change|replace|insert|enter|dummy|placeholder|example|todo|redacted|masked|none\b|null\b)"
)
_PATH = re.compile(r"(?:~|\.{1,2})?/(?:[\w.@-]+/)*[\w.@-]*|[A-Za-z]:\\[\w.\\ -]*")
_NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+(?=e))(?:e[-+]?\d+)?", re.IGNORECASE)
_WORD = re.compile(r"[a-z]{1,20}|[A-Z]{1,20}|[A-Z][a-z]{1,20}|\d{1,4}|[a-z]{1,8}\d{1,2}")
_VARIABLE = re.compile(r"[A-Za-z_]+\d{0,2}")
_CALL = re.compile(r"[A-Za-z_][\w.]*[(\[]")
_SEPARATORS = re.compile(r"[-_/.:\s,|]+")


def _harmless(value: str) -> bool:
    """A reference, placeholder, URL, path, decimal number or image URI."""
    if _REFERENCE.match(value) or "${" in value or "$(" in value or "{{" in value:
        return True
    if _PATH.fullmatch(value) or _NUMBER.fullmatch(value):
        return True
    return ".dkr.ecr." in value or "@sha256:" in value


def _wordy(value: str) -> bool:
    """Words joined by separators name a thing: `prod/db/password`, `args.token`, `us-east-1`."""
    parts = [part for part in _SEPARATORS.split(value) if part]
    return len(parts) > 1 and all(_WORD.fullmatch(part) for part in parts)


class _Place(Enum):
    """Where a named value stands: a member of its own, or quoted or bare inside a text."""

    WHOLE = auto()
    QUOTED = auto()
    BARE = auto()
    BARE_AFTER_COLON = auto()


def _secret_by_name(name: str, value: str, place: _Place) -> bool:
    """Judge a value by its name, and by what people write there that is no secret."""
    family = _family(name)
    if family is None or len(value) < MIN_LENGTH or _harmless(value):
        return False
    if entropy(value[:4096]) < MIN_ENTROPY:
        return False
    spaced = any(character.isspace() for character in value)
    if family is not _Family.PASSWORD and (spaced or _wordy(value)):
        return False
    if place is _Place.WHOLE:
        return True
    if spaced or _wordy(value):
        return False
    one_case = value.isalpha() and (value.islower() or value.isupper())
    if place is _Place.QUOTED:
        return not one_case or family is _Family.PASSWORD
    numbered = any(character.isdigit() for character in value)
    if _VARIABLE.fullmatch(value) or _CALL.match(value):
        return False
    return place is _Place.BARE or numbered


# ------------------------------------------------------------------------------------- scanning


@dataclass(frozen=True, slots=True)
class _Match:
    """A secret inside a text: what is replaced, and the part of it that its detector saw."""

    start: int
    end: int
    detector: str
    text: str


_ASSIGNMENT = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]++)"
    r"(?:[\"'\\]{0,2}\]?[ \t]{0,4}(?P<sign>=>|:=|=(?!=)|:(?!:|//))[ \t]{0,4}"
    r"|(?P<space>[ \t]{1,4})(?=[^\s=:-]))"
)
_VALUE = re.compile(
    r"[bru]?(?:\\\"(?P<escaped>[^\"\\\n]+)|\"(?P<double>(?:[^\"\\\n]|\\.)+)|'(?P<single>[^'\n]+))"
    r"|(?P<bare>[^\s\"'`&;,]+)"
)


def _assignments(text: str) -> Iterator[tuple[str, int, int, _Place]]:
    """Name (normal), start, end and place of each value inside a text that its name may give away.

    A quoted value is scanned again inside, a bare one is not: so no stretch of the text is read
    more than a few times.
    """
    position = 0
    while (found := _ASSIGNMENT.search(text, position)) is not None:
        position = found.end()
        name = _normal(found["name"])
        if found["space"] and not (found["name"].startswith("-") or name == "aws_secret_access_key"):
            continue
        colon = found["sign"] == ":"
        if colon and text[max(0, found.start() - 1) : found.start()] in (":", "/"):
            continue  # a part of an ARN or of another colon-separated reference
        if _family(name) is None and not any(d.name and d.name.search(name) for d in _NAMED):
            continue
        value = _VALUE.match(text, position)
        if value is None:
            continue
        kind = value.lastgroup or "bare"
        start, end = value.span(kind)
        if kind != "bare":
            yield name, start, end, _Place.QUOTED
            continue
        position = end
        trimmed = end if "(" in value["bare"] else start + len(value["bare"].rstrip(")]}"))
        yield name, start, trimmed, _Place.BARE_AFTER_COLON if colon else _Place.BARE


def _named(text: str, name: str) -> Iterator[_Match]:
    """Secrets that a name gives away: that of the member, or one inside the text."""
    whole = [(_normal(name), 0, len(text), _Place.WHOLE)] if name else []
    for normal, start, end, place in (*whole, *_assignments(text)):
        value = text[start:end]
        if _own(normal) or _ABOUT.search(normal):
            continue
        refers = _REFERENCE.match(value) is not None
        for detector in _NAMED:
            if refers or detector.name is None or not detector.name.search(normal):
                continue
            for found in detector.pattern.finditer(value):
                if not detector.floor or _mixed(found[0], detector.floor):
                    yield _Match(start + found.start(), start + found.end(), detector.id, found[0])
        if _secret_by_name(normal, value, place):
            yield _Match(start, end, GENERIC, value)


def _mixed(text: str, floor: float) -> bool:
    """Capitals, small letters and digits in the disorder of a random key."""
    kinds = (str.isupper, str.islower, str.isdigit)
    return all(any(map(kind, text)) for kind in kinds) and entropy(text) >= floor


_END = re.compile(r"-----END[A-Z0-9 ]{0,40}-----")
_MATERIAL = re.compile(r"[A-Za-z0-9+/]{16,}")
_BODY = re.compile(r"[A-Za-z0-9+/=\s\"'\\,:-]*")


def _private_keys(text: str, whole: bool) -> Iterator[_Match]:
    """Private keys from the header to the end line, or as far as their text goes.

    A header without a key behind it (`grep "BEGIN RSA PRIVATE KEY"`) counts only where it begins a
    `whole` value: there the rest was cut off.
    """
    position, ended = 0, True
    while (header := _PRIVATE_KEY.search(text, position)) is not None:
        end = _END.search(text, header.end()) if ended else None
        ended = end is not None
        if end is None:
            body = _BODY.match(text, header.end())
            position = body.end() if body is not None else header.end()
        else:
            position = end.end()
        cut_off = whole and not text[: header.start()].strip("\"' ")
        if cut_off or _MATERIAL.search(text, header.end(), position):
            yield _Match(header.start(), position, "private-key", text[header.start() : position])


def _shapes(text: str) -> Iterator[_Match]:
    """Secrets that their shape gives away."""
    for detector in _SHAPES:
        group = "secret" if "secret" in detector.pattern.groupindex else 0
        for found in detector.pattern.finditer(text):
            if detector.id != "url-userinfo" or _is_userinfo(found[0]):
                yield _Match(*found.span(group), detector.id, found[group])


def _is_userinfo(text: str) -> bool:
    """Whether a user and a password are written out, and not taken from variables."""
    user, _, password = text.partition(":")
    judged = user if password == "x-oauth-basic" else password  # noqa: S105 - GitHub's constant
    return not re.match(r"\$[\w{(]|\{|%[\w({]|[*•]+$|x{3,}$|\[redacted", judged)


def _scan(text: str, name: str = "", *, whole: bool = False) -> list[_Match]:
    """The secrets of a text, in its order; of two that overlap, all is one secret of the better detector."""
    if len(text) < MIN_LENGTH:
        return []
    found = [*_private_keys(text, whole), *_shapes(text), *_named(text, name)]
    merged: list[_Match] = []
    for match in sorted(found, key=lambda m: (m.start, m.end)):
        last = merged[-1] if merged else None
        if last is None or match.start >= last.end:
            merged.append(match)
        else:
            best = min(last, match, key=lambda m: _RANKS[m.detector])
            merged[-1] = _Match(last.start, max(last.end, match.end), best.detector, best.text)
    return merged


def _replaced(text: str, matches: Sequence[_Match]) -> str:
    """The text with each match replaced."""
    pieces, position = [], 0
    for match in matches:
        pieces += [text[position : match.start], REDACTED]
        position = match.end
    return "".join([*pieces, text[position:]])


def _secret(match: _Match, key: str, salt: bytes) -> Secret:
    digest = hmac.new(salt, match.text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:8]
    return Secret(key, match.detector, digest, entropy(match.text), len(match.text))


def _tellable(matches: Iterable[_Match]) -> set[str]:
    """The secrets that are long and mixed enough to be told from other text wherever they stand."""
    return {m.text for m in matches if len(m.text) >= MIN_LENGTH and entropy(m.text) >= MIN_ENTROPY}


def _unquoted(value: str) -> str | None:
    """The text inside a JSON-encoded string, as the SageMaker SDK writes hyperparameters; else `None`."""
    if len(value) < 2 or not (value.startswith('"') and value.endswith('"')):
        return None
    try:
        decoded = json.loads(value)
    except json.JSONDecodeError:
        return None
    return decoded if isinstance(decoded, str) else None


# -------------------------------------------------------------------------------------- surface


def _flag(before: Any, value: Any) -> str:
    """The name that an argument has from the one before it, unless it is a flag itself."""
    if isinstance(before, str) and isinstance(value, str) and re.fullmatch(r"--?[A-Za-z][\w.-]*", before):
        return "" if value.startswith("-") else before
    return ""


class _Redaction:
    """One pass over a document: the secrets found, and their texts until the pass is over."""

    def __init__(self, salt: bytes) -> None:
        self.salt = salt
        self.secrets: list[Secret] = []
        self.texts: set[str] = set()

    def text(self, value: str, key: str, name: str) -> str:
        """A value without its secrets; a JSON-encoded string stays one."""
        inner = _unquoted(value)
        if inner is not None:
            cleaned = self.text(inner, key, name)
            return value if cleaned == inner else json.dumps(cleaned)
        matches = _scan(value, name, whole=True)
        self.secrets += dict.fromkeys(_secret(match, key, self.salt) for match in matches)
        self.texts.update(_tellable(matches))
        return _replaced(value, matches) if matches else value

    def target(self, value: Any, key: str, name: str) -> Any:
        """A text, a list of texts or a map to texts, without secrets; anything else as it is.

        In a list a text takes its name from the flag before it: `["--api-key", "…"]`.
        """
        if isinstance(value, str):
            return self.text(value, key, name)
        if isinstance(value, dict):
            return {k: self.target(v, f"{key}.{k}", k) if isinstance(v, str) else v for k, v in value.items()}
        if isinstance(value, list):
            named = zip(value, ["", *value], strict=False)
            return [self.target(v, f"{key}[{i}]", _flag(flag, v)) for i, (v, flag) in enumerate(named)]
        return value

    def again(self, value: Any, _key: str, _name: str) -> Any:
        """A target once more: without the texts that were found to be secret elsewhere."""
        if isinstance(value, str):
            for text in sorted(self.texts, key=len, reverse=True):
                value = value.replace(text, REDACTED)
            return value
        if isinstance(value, dict):
            return {k: self.again(v, "", "") for k, v in value.items()}
        return [self.again(v, "", "") for v in value] if isinstance(value, list) else value


_Visit = Callable[[Any, str, str], Any]


def _at(value: Any, steps: Sequence[str], key: str, visit: _Visit) -> Any:
    """A copy of a value with what lies at a path visited; what has no such path stays the same object."""
    if not steps:
        return visit(value, key, "")
    step = steps[0]
    name = step.removesuffix("[]")
    if not isinstance(value, dict) or name not in value:
        return value
    inner, place = value[name], f"{key}.{name}".lstrip(".")
    if step.endswith("[]") and len(steps) > 1:
        if not isinstance(inner, list):
            return value
        return {**value, name: [_at(v, steps[1:], f"{place}[{i}]", visit) for i, v in enumerate(inner)]}
    return {**value, name: _at(inner, steps[1:], place, visit)}


def redact(
    document: Mapping[str, object], paths: Sequence[str], salt: bytes
) -> tuple[dict[str, Any], list[Secret]]:
    """A copy of a raw response without the secrets at `paths`, and what is kept of them.

    Paths are dotted, with `[]` for lists: `Environment`, `Containers[].Environment`,
    `AppSpecification.ContainerArguments[]`. What lies there may be a text, a list of texts or a map to
    texts; a path that is absent is fine. A secret found at one path is replaced wherever else it
    stands at any of them. The document itself is never changed.
    """
    redaction = _Redaction(salt)
    copy: dict[str, Any] = dict(document)
    for path in paths:
        copy = _at(copy, path.split("."), "", redaction.target)
    if redaction.texts:
        for path in paths:
            copy = _at(copy, path.split("."), "", redaction.again)
    return copy, redaction.secrets


def redact_script(content_base64: str, key: str, salt: bytes) -> tuple[str, list[Secret]]:
    """A lifecycle script (base64) without its secrets, and what is kept of them: `key:line` is where.

    A private key is one secret, at the line of its header. Raises `Undecodable`.
    """
    script = _decoded(content_base64)
    matches = _scan(script)
    if not matches:
        return content_base64, []
    ends = [i for i, character in enumerate(script) if character == "\n"]
    # Newlines before a match count its line: bisect_right keeps that right at a line's first character.
    secrets = [_secret(match, f"{key}:{bisect_right(ends, match.start) + 1}", salt) for match in matches]
    cleaned = _replaced(script, matches)
    for text in sorted(_tellable(matches), key=len, reverse=True):
        cleaned = cleaned.replace(text, REDACTED)
    return base64.b64encode(cleaned.encode("utf-8")).decode("ascii"), list(dict.fromkeys(secrets))


def _decoded(content: str) -> str:
    """Raises `Undecodable` outside the handlers: Python's own errors carry the content along."""
    try:
        return base64.b64decode("".join(content.split()), validate=True).decode("utf-8")
    except UnicodeDecodeError:
        why = "the script is not UTF-8 text"
    except (binascii.Error, ValueError):
        why = "the script is not base64"
    raise Undecodable(why)


_HEADER = re.compile(r"(?i)(\bauthorization[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?)[^\"'\r\n]+")
_PARAMETER = re.compile(
    r"(?i)(\b(?:x-amz-(?:signature|credential|security-token)|signature|credential|sig)[=:])[^&\s,;\"'<>]+"
)
_KEY_SHAPE = re.compile(_BASE64_40)


def scrub(text: str) -> str:
    """A message for logs and reports without key ids, secrets, tokens, signatures and URL passwords."""
    text = _HEADER.sub(rf"\1{REDACTED}", text)
    text = _PARAMETER.sub(rf"\1{REDACTED}", text)
    text = _KEY_SHAPE.sub(lambda found: REDACTED if _mixed(found[0], _MIXED_FLOOR) else found[0], text)
    return _replaced(text, _scan(text))
