"""Settings: a file, variables and flags; a flag counts over a variable over the file over the default.

The file is `auditor.toml` or the table `[tool.auditor]` of `pyproject.toml`. An unknown key is an
error with a suggestion: a misspelt threshold that is silently ignored audits something else than
its author thinks.

    ValueError
    └── SettingsError          one line: where, which key, what is wrong and what may be meant
"""

import dataclasses
import difflib
import fnmatch
import math
import re
import tomllib
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date as Date
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

FILE = "auditor.toml"
PROJECT_FILE = "pyproject.toml"
SEVERITIES = ("critical", "high", "medium", "low", "info")
PILLARS = ("operations", "security", "reliability", "performance", "cost")
FEW = 6
"""Up to so many words are listed where none of them is near what was written."""
TAGGING_RULE = "OPS-031"
"""The rule whose thresholds `required_tags` and `tag_aliases` are."""

_Text = Annotated[str, Meta(pattern=r"\S")]
_AccountId = Annotated[str, Meta(pattern=r"^[0-9]{12}$")]
_Weight = Annotated[float, Meta(ge=0)]
_Severity = Literal["critical", "high", "medium", "low", "info"]
Key = tuple[str | int, ...]
"""A key inside a file, table by table: `("accepted", 0, "expires")`."""


class SettingsError(ValueError):
    """Settings that cannot be used. `file` is empty and `line` is `None` for a variable or a flag."""

    def __init__(self, message: str, *, file: str = "", line: int | None = None, key: str = "") -> None:
        where = f"{file}:{line}" if line is not None else file
        super().__init__(": ".join(part for part in (where, key, message) if part))
        self.file = file
        self.line = line
        self.key = key


class Attestation(msgspec.Struct, frozen=True):
    """A person's answer to what leaves no trace in any API; an empty text is no answer yet."""

    answer: bool | str
    owner: str
    date: Date

    def __post_init__(self) -> None:
        if self.is_given and not self.owner.strip():
            raise ValueError("an answer needs an owner")

    @property
    def is_given(self) -> bool:
        """Whether there is an answer."""
        return isinstance(self.answer, bool) or bool(self.answer.strip())


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that a person accepts: a rule on resources (ARN glob) or one part of them, until a day.

    Without `part` it covers the resource and all of its parts. It counts on the day `expires`, too.
    """

    rule: _Text
    resource: _Text = "*"
    part: str | None = None
    reason: _Text
    expires: Date


class Matches(msgspec.Struct, frozen=True):
    """What places a resource in one environment: tag values, name globs, 12-digit account ids."""

    tags: tuple[_Text, ...] = ()
    names: tuple[_Text, ...] = ()
    accounts: tuple[_AccountId, ...] = ()


What = Literal["new", "reopened", "resolved", "unconfirmed", "accepted"]
"""What may happen to a finding between two runs."""


class _Channel(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Who is told of what changed: only of findings from `severity` on, only where there are `at_least` so many."""

    name: _Text = ""
    severity: _Severity = "high"
    on: tuple[What, ...] = ("new", "reopened")
    at_least: Annotated[int, Meta(ge=1)] = 1

    def __post_init__(self) -> None:
        if self.name == "securityhub":
            raise ValueError("name: deliveries to Security Hub are called that")


class SNSChannel(_Channel, frozen=True, kw_only=True, tag="sns"):
    """A topic of Amazon SNS."""

    topic_arn: Annotated[str, Meta(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:")]


class WebhookChannel(_Channel, frozen=True, kw_only=True, tag="webhook"):
    """A Slack-compatible webhook. Its address is a secret: it stands in the variable that `url_env` names."""

    url_env: _Text


class EmailChannel(_Channel, frozen=True, kw_only=True, tag="email"):
    """E-mail through Amazon SES; without `region` that of the profile or environment."""

    sender: _Text
    recipients: Annotated[tuple[_Text, ...], Meta(min_length=1)]
    region: str = ""


Channel = SNSChannel | WebhookChannel | EmailChannel
CHANNELS: dict[str, type[_Channel]] = {"sns": SNSChannel, "webhook": WebhookChannel, "email": EmailChannel}


class Environments(msgspec.Struct, frozen=True):
    """How resources are placed in environments; the first tag key that has a known value decides."""

    tag_keys: tuple[_Text, ...] = ("Environment", "Env", "Stage")
    production: Matches = Matches(tags=("prod", "production", "prd", "live"))
    staging: Matches = Matches(tags=("staging", "stage", "stg", "uat", "preprod", "pre-prod"))
    development: Matches = Matches(tags=("dev", "development", "test", "testing", "qa"))
    sandbox: Matches = Matches(tags=("sandbox", "sbx", "playground", "experiment", "poc"))


@dataclass(frozen=True, slots=True)
class Source:
    """The file that settings came from, for messages; `prefix` is `("tool", "auditor")` in pyproject.toml."""

    name: str = ""
    text: str = ""
    prefix: Key = ()

    def error(self, key: Key, message: str) -> SettingsError:
        """An error about a key of the file, with its line or that of the nearest table around it."""
        line = line_of(self.text, (*self.prefix, *key)) if self.name else None
        return SettingsError(message, file=self.name, line=line, key=dotted(key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a user may set. Days are whole days; `rate_share` is the part of AWS's published rates in use."""

    thresholds: dict[str, dict[str, Any]] = field(default_factory=dict)
    environments: Environments = field(default_factory=Environments)
    pillar_weights: dict[str, _Weight] = field(default_factory=lambda: dict.fromkeys(PILLARS, 1.0))
    required_tags: tuple[_Text, ...] | None = None
    tag_aliases: dict[str, tuple[_Text, ...]] | None = None
    excluded_buckets: tuple[_Text, ...] = ()
    attestations: dict[str, Attestation] = field(default_factory=dict)
    accepted: tuple[Accepted, ...] = ()
    regions: tuple[_Text, ...] = ()
    exclude_regions: tuple[_Text, ...] = ()
    lookback_days: Annotated[int, Meta(ge=1, le=455)] = 30
    concurrency: Annotated[int, Meta(ge=1, le=256)] = 16
    rate_share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    fail_on: _Severity | None = None
    allow_gaps: bool = False
    search: bool = True
    cost_explorer: bool = False
    pricing: Literal["off", "cache", "api"] = "api"
    price_file: str = ""
    profile: str = ""
    role_arn: str = ""
    external_id: str = ""
    baseline: str = ""
    state: str = ""
    feed: str = ""
    outputs: tuple[_Text, ...] = ()
    push: tuple[Literal["securityhub"], ...] = ()
    notify: tuple[Channel, ...] = ()
    since_last: bool = False
    jitter_seconds: Annotated[int, Meta(ge=0, le=86400)] = 0
    time_limit_minutes: Annotated[int, Meta(ge=0, le=10080)] = 0
    keep_days: Annotated[int, Meta(ge=1, le=36500)] = 400
    health_file: str = ""
    source: Source = field(default_factory=Source, compare=False, repr=False)

    def accepted_for(self, code: str, arn: str, part: str | None, today: Date) -> Accepted | None:
        """The first acceptance that covers a finding today, or `None`."""
        for entry in self.accepted:
            covered = entry.rule == code and fnmatch.fnmatchcase(arn, entry.resource)
            if covered and entry.part in (None, part) and entry.expires >= today:
                return entry
        return None

    def expired(self, today: Date) -> tuple[Accepted, ...]:
        """The acceptances that have run out: what they covered counts again."""
        return tuple(entry for entry in self.accepted if entry.expires < today)


_HINTS = typing.get_type_hints(Settings, include_extras=True)
_KEYS = tuple(f.name for f in dataclasses.fields(Settings) if f.name != "source")
_FROM_TEXT = (
    "regions",
    "exclude_regions",
    "required_tags",
    "excluded_buckets",
    "lookback_days",
    "concurrency",
    "rate_share",
    "fail_on",
    "allow_gaps",
    "search",
    "cost_explorer",
    "pricing",
    "price_file",
    "profile",
    "role_arn",
    "external_id",
    "baseline",
    "state",
    "feed",
    "outputs",
    "push",
    "since_last",
    "jitter_seconds",
    "time_limit_minutes",
    "keep_days",
    "health_file",
)
"""The settings that a variable can give: those that are one value or one list."""
_LISTS = frozenset({"regions", "exclude_regions", "required_tags", "excluded_buckets", "outputs", "push"})
_SWITCHES = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


# ---------------------------------------------------------------------------------------- loading


def load(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, object], cwd: Path) -> Settings:
    """The settings of a run. Raises `SettingsError`.

    `path` is the file of `--config`; without it AUDITOR_CONFIG, then auditor.toml and then
    [tool.auditor] of pyproject.toml in `cwd`. `flags` are by the setting's name; one that is `None`
    or an empty list was not given.
    """
    variables = _variables(environ)
    named = path if path is not None else Path(variables["config"]) if "config" in variables else None
    source, table = _file(named, cwd)
    found = _from_file(source, table)
    for name, text in variables.items():
        if name != "config":
            found[name] = _from_variable(name, text)
    for name, value in flags.items():
        if value not in (None, [], ()):
            found[name] = _from_flag(name, value)
    return dataclasses.replace(Settings(**found), source=source)


def _file(named: Path | None, cwd: Path) -> tuple[Source, dict[str, Any]]:
    """The file and its table of settings; no file is an empty table. A named file has to be there."""
    if named is not None:
        source, table = _read(cwd / named, str(named))
        if table is None:
            raise SettingsError("there is no table [tool.auditor] in it", file=str(named))
        return source, table
    for name in (FILE, PROJECT_FILE):
        if (cwd / name).is_file():
            source, table = _read(cwd / name, name)
            if table is not None:
                return source, table
    return Source(), {}


def _read(path: Path, shown: str) -> tuple[Source, dict[str, Any] | None]:
    """A file's settings, or `None` for a pyproject.toml that has none of ours."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise SettingsError("there is no such settings file", file=shown) from error
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", file=shown) from error
    except UnicodeDecodeError as error:
        raise SettingsError("is not UTF-8 text", file=shown) from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(str(error), shown, text) from error
    if path.name != PROJECT_FILE:
        return Source(shown, text), document
    tool = document.get("tool")
    table = tool.get("auditor") if isinstance(tool, dict) else None
    source = Source(shown, text, ("tool", "auditor"))
    if table is not None and not isinstance(table, dict):
        raise source.error((), "tool.auditor is no table")
    return source, table


def _syntax_error(message: str, shown: str, text: str) -> SettingsError:
    """tomllib says `Invalid value (at line 3, column 5)` or `(at end of document)`."""
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = int(place[1]) if place and place[1] else max(1, len(_lines(text)))
    what = message[: place.start()] if place else message
    return SettingsError(f"no valid TOML: {what[:1].lower()}{what[1:]}", file=shown, line=line)


def _from_file(source: Source, table: Mapping[str, Any]) -> dict[str, Any]:
    _check_keys(source, (), table, _KEYS)
    return {name: _convert_key(source, name, value) for name, value in table.items()}


def _convert_key(source: Source, name: str, value: Any) -> Any:
    """One top-level setting of a file, checked and converted."""
    for key, members in _structs(name, value):
        if isinstance(members, dict):
            _check_keys(source, key, members, _fields_at(key, members))
    try:
        return _convert(name, value)
    except _Invalid as error:
        raise source.error((name, *error.inside), error.message) from error


def _structs(name: str, value: Any) -> Iterator[tuple[Key, Any]]:
    """The tables inside a setting whose keys are ours, with their place."""
    if name == "environments":
        yield (name,), value
        if isinstance(value, dict):
            yield from (((name, key), inner) for key, inner in value.items() if key != "tag_keys")
    elif name in ("accepted", "notify") and isinstance(value, list):
        yield from (((name, i), inner) for i, inner in enumerate(value))
    elif name == "attestations" and isinstance(value, dict):
        yield from (((name, key), inner) for key, inner in value.items())
    elif name == "pillar_weights":
        yield (name,), value


def _fields_at(key: Key, members: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys that a table of ours may have."""
    match key:
        case ("environments",):
            return Environments.__struct_fields__
        case ("environments", _):
            return Matches.__struct_fields__
        case ("accepted", _):
            return Accepted.__struct_fields__
        case ("notify", _):
            channel = CHANNELS.get(str(members.get("kind")))
            return ("kind", *(channel.__struct_fields__ if channel else members))
        case ("attestations", _):
            return Attestation.__struct_fields__
        case _:
            return PILLARS


def _check_keys(source: Source, place: Key, table: Mapping[str, Any], known: Collection[str]) -> None:
    for name in table:
        if name not in known:
            raise source.error((*place, name), f"unknown key{suggestion(name, known)}")


def _from_variable(name: str, text: str) -> Any:
    """A setting from a variable: a comma-separated list, a switch (1, true, yes, on), a number or a word."""
    key = _variable(name)
    value: Any = text.strip()
    if name in _LISTS:
        value = [part.strip() for part in text.split(",") if part.strip()]
    elif _HINTS[name] is bool:
        if value.lower() not in _SWITCHES:
            raise SettingsError(f"expected true or false, got {text!r}", key=key)
        value = _SWITCHES[value.lower()]
    try:
        return _convert(name, value, strict=False)
    except _Invalid as error:
        raise SettingsError(error.message, key=key) from error


def _from_flag(name: str, value: object) -> Any:
    key = "--" + name.replace("_", "-")
    if name not in _KEYS:
        raise SettingsError(f"unknown setting{suggestion(name, _KEYS)}", key=key)
    try:
        return _convert(name, list(value) if isinstance(value, tuple | set) else value)
    except _Invalid as error:
        raise SettingsError(error.message, key=key) from error


def _variable(name: str) -> str:
    return f"AUDITOR_{name.upper()}"


_NO_SETTING = re.compile(r"AUDITOR_(?:\w+_)?(?:COMPLETE|TOKEN|URL)")


def _variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The AUDITOR_* variables by setting; an empty one is as good as unset.

    Variables that end in COMPLETE belong to shell completion, those that end in TOKEN or URL hold secrets for
    `--token-env` and `url_env`. Raises `SettingsError` for others that are no setting.
    """
    known = {_variable(name): name for name in (*_FROM_TEXT, "config")}
    found = {}
    for variable, text in sorted(environ.items()):
        if not variable.startswith("AUDITOR_") or _NO_SETTING.fullmatch(variable):
            continue
        if variable not in known:
            raise SettingsError(f"unknown variable{suggestion(variable, known)}", key=variable)
        if text.strip():
            found[known[variable]] = text.strip()
    return found


# ------------------------------------------------------------------------------------- converting


class _Invalid(Exception):
    """A value of the wrong type or out of range, with its place inside the setting."""

    def __init__(self, message: str, inside: Key = ()) -> None:
        super().__init__(message)
        self.message = message
        self.inside = inside


def _convert(name: str, value: Any, *, strict: bool = True) -> Any:
    """A top-level setting as its type. Raises `_Invalid`."""
    if name == "fail_on":
        return _severity(value)
    if name == "environments":
        value = _merged(msgspec.to_builtins(Environments()), value)
    elif name == "pillar_weights":
        value = _merged(dict.fromkeys(PILLARS, 1.0), value)
    converted = _typed(value, _HINTS[name], strict=strict)
    if name == "attestations":
        converted = {code: given for code, given in converted.items() if given.is_given}
    if name == "pillar_weights" and not any(converted.values()):
        raise _Invalid("at least one weight has to be above 0")
    return converted


def _merged(default: dict[str, Any], given: Any) -> Any:
    """The defaults with what is given put over them, table by table."""
    if not isinstance(given, dict):
        return given
    inner = {k: _merged(default[k], v) if isinstance(default.get(k), dict) else v for k, v in given.items()}
    return {**default, **inner}


def _severity(value: Any) -> str | None:
    """The name of a severity; `none` switches the limit off that a file set."""
    if value is None or (isinstance(value, str) and value.lower() == "none"):
        return None
    if not isinstance(value, str):
        raise _Invalid(f"expected the name of a severity, got {value!r}")
    if value.lower() not in SEVERITIES:
        raise _Invalid(f"unknown severity {value!r}{suggestion(value, SEVERITIES)}")
    return value.lower()


def _typed(value: Any, annotation: Any, *, strict: bool = True) -> Any:
    """A value as a type. Raises `_Invalid` with the place inside the value; no number is infinite or NaN."""
    place = _unfinite(value)
    if place is not None:
        raise _Invalid("expected a finite number", place)
    inner = _value_type(annotation)
    if inner is not None and isinstance(value, dict):
        return {key: _typed_member(key, member, inner, strict=strict) for key, member in value.items()}
    try:
        return msgspec.convert(value, annotation, strict=strict)
    except msgspec.ValidationError as error:
        raise _explained(str(error), value) from error


def _typed_member(key: str, value: Any, annotation: Any, *, strict: bool) -> Any:
    """One entry of a map: msgspec does not tell which key an error is at."""
    try:
        return _typed(value, annotation, strict=strict)
    except _Invalid as error:
        raise _Invalid(error.message, (key, *error.inside)) from error


def _value_type(annotation: Any) -> Any:
    """The type of a map's values, for `dict[str, X]` and `dict[str, X] | None`; else `None`."""
    choices = typing.get_args(annotation) if not isinstance(annotation, type) else ()
    for choice in (annotation, *choices):
        if typing.get_origin(choice) is dict:
            return typing.get_args(choice)[1]
    return None


def _unfinite(value: Any) -> Key | None:
    """Where an infinite number or a NaN stands inside a value; TOML can write both."""
    if isinstance(value, float):
        return None if math.isfinite(value) else ()
    members: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list | tuple):
        members = enumerate(value)
    for key, inner in members:
        place = _unfinite(inner)
        if place is not None:
            return (key, *place)
    return None


def _explained(message: str, value: Any) -> _Invalid:
    """msgspec says ``Expected `int`, got `str` - at `$.a[0]` `` and `[...]` for any key of a map."""
    what, _, path = message.partition(" - at `$")
    inside: list[str | int] = []
    for name, index in re.findall(r"\.([^.\[`]+)|\[(\d+|\.\.\.)\]", path):
        if index == "...":
            break
        inside.append(name or int(index))
    for step in inside:
        value = value[step] if not isinstance(value, dict) or step in value else None
    missing = re.fullmatch(r"Object missing required field `(.+)`", what)
    what = f'missing key "{missing[1]}"' if missing else what.replace("`", "")
    what = re.sub(r"\bobject\b", "table", re.sub(r"\barray\b", "list", what))
    if "matching regex '\\\\S'" in what:
        what = "must not be empty"
    elif "matching regex" in what:
        meant = "the ARN of an SNS topic" if ":sns:" in what else "a 12-digit account id"
        what = f"expected {meant}, got {value!r}"
    elif inside[-1:] == ["kind"]:
        what = f"no channel is of the kind {value!r}{suggestion(str(value), CHANNELS)}"
    elif not missing and "got" not in what and isinstance(value, str | int | float):
        what = f"{what}, got {value!r}"
    return _Invalid(what[:1].lower() + what[1:], tuple(inside))


# ------------------------------------------------------------------------------------- thresholds

Declared = Mapping[str, Mapping[str, tuple[Any, Any]]]
"""The thresholds of each rule by code: name to annotated type and default."""


def check_thresholds(settings: Settings, declared: Declared) -> dict[str, dict[str, Any]]:
    """The thresholds that the settings change, by rule, as the types that the rules declare.

    `required_tags` and `tag_aliases` come out as thresholds of the tagging rule unless its own table
    sets them. Raises `SettingsError` for a code, name or value that no rule knows.
    """
    checked: dict[str, dict[str, Any]] = {}
    for code, given in settings.thresholds.items():
        if code not in declared:
            raise settings.source.error(("thresholds", code), f"unknown rule{suggestion(code, declared)}")
        names = declared[code]
        for name, value in given.items():
            key = ("thresholds", code, name)
            if name not in names:
                hint = suggestion(name, names)
                if not names:
                    hint = "; the rule has no thresholds"
                raise settings.source.error(key, f"unknown key{hint}")
            try:
                converted = _typed(value, names[name][0])
            except _Invalid as error:
                raise settings.source.error((*key, *error.inside), error.message) from error
            checked.setdefault(code, {})[name] = converted
    shared = {"required_tags": settings.required_tags, "aliases": settings.tag_aliases}
    for name, value in shared.items():
        if value is not None and name in declared.get(TAGGING_RULE, {}):
            checked.setdefault(TAGGING_RULE, {}).setdefault(name, value)
    return checked


# --------------------------------------------------------------------------------------- messages


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean "idle_days"?` for the nearest known word in any case, else the words if they are few."""
    by_word = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), by_word, 1)
    begun = [name for name in by_word if name.startswith(word.lower())]
    if close or len(begun) == 1:
        return f'; did you mean "{by_word[(close or begun)[0]]}"?'
    return f"; there are {', '.join(by_word.values())}" if 0 < len(by_word) <= FEW else ""


def dotted(key: Key) -> str:
    """`accepted[0].expires`; a part that TOML would quote is quoted."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if re.fullmatch(r"[\w-]+", part) else f'."{part}"'
    return text.removeprefix(".")


def line_of(text: str, key: Key) -> int:
    """The line of a key in TOML text, or that of the nearest table around it; 1 if there is none.

    tomllib keeps no lines. A key's line begins the first statement with which the parsed text has the
    key; so the text is parsed up to a line found by bisection, which is right for every way that TOML
    has to write a key. Inside a statement over several lines the key itself is looked for.
    """
    lines = _lines(text)
    while key:
        low, high = 0, len(lines)
        if _has(_parsed(lines, high)[1], key):
            while high - low > 1:
                middle = (low + high) // 2
                if _has(_parsed(lines, middle)[1], key):
                    high = middle
                else:
                    low = middle
            return _line_within(lines, _parsed(lines, high - 1)[0], high, key)
        key = key[:-1]
    return 1


def _lines(text: str) -> list[str]:
    """The lines as tomllib counts them: `str.splitlines` also ends them at form feeds and the like."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _parsed(lines: Sequence[str], count: int) -> tuple[int, Any]:
    """How many of the first `count` lines are whole statements, and what they say."""
    while count > 0:
        try:
            return count, tomllib.loads("".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            count -= 1
    return 0, {}


def _has(document: Any, key: Key) -> bool:
    for part in key:
        if isinstance(part, int):
            if not isinstance(document, list) or part >= len(document):
                return False
        elif not isinstance(document, dict) or part not in document:
            return False
        document = document[part]
    return True


def _line_within(lines: Sequence[str], before: int, end: int, key: Key) -> int:
    """The line of a key in the statement that follows line `before` and ends with line `end`."""
    start = before + 1
    names = [part for part in key if isinstance(part, str)]
    if end > start and names:
        assigned = re.compile(rf"(?<![\w-])[\"']?{re.escape(names[-1])}[\"']?\s*=")
        places = [n for n in range(start, end + 1) if assigned.search(lines[n - 1])]
        index = next((part for part in key if isinstance(part, int)), 0)
        if places and (len(places) == 1 or index < len(places)):
            return places[0] if len(places) == 1 else places[index]
    return start
