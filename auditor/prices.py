"""Prices that outlive a run: the user's own file, and a cache of AWS's price list with its dates."""

import json
import os
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from auditor.files import user_path, write_private
from auditor.settings import Settings, SettingsError, suggestion
from collectors.model import Document, Snapshot
from collectors.pricing import GET_PRODUCTS, Price
from evaluators.money import COMPONENTS, Own, Rate

FRESH = timedelta(days=30)
"""How long a cached list price is taken before AWS is asked again."""

_TYPED = frozenset(
    {"hosting", "notebook", "studio", "training", "processing", "transform", "cluster", "mlflow"}
)
"""Components with a price for each instance type; the others have one price."""


def own_prices(settings: Settings) -> Own:
    """The prices of the file that the settings name; none where they name none. Raises `SettingsError`."""
    return read_price_file(Path(settings.price_file)) if settings.price_file else {}


def read_price_file(path: Path) -> Own:
    """The user's own prices. Raises `SettingsError`.

    A TOML file: `date` and `currency`, then a table for each Region (or "*") with a price for each
    component, or a table of prices by instance type.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", file=str(path)) from error
    except UnicodeDecodeError as error:
        raise SettingsError("is not UTF-8 text", file=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"no valid TOML: {error}", file=str(path)) from error
    currency = document.pop("currency", "USD")
    day = document.pop("date", "")
    if not isinstance(currency, str) or not isinstance(day, date | str):
        raise SettingsError("currency has to be a text and date a day", file=str(path))
    found: dict[tuple[str, str, str], Rate] = {}
    for region, table in document.items():
        if not isinstance(table, dict):
            raise SettingsError("expected a table of prices", file=str(path), key=region)
        for component, value in table.items():
            for type_, amount in _amounts(path, region, component, value):
                found[region, component, type_] = Rate(amount, currency, path.name, str(day))
    return found


def _amounts(path: Path, region: str, component: str, value: Any) -> list[tuple[str, float]]:
    key = f"{region}.{component}"
    if component not in COMPONENTS:
        raise SettingsError(f"unknown key{suggestion(component, COMPONENTS)}", file=str(path), key=key)
    typed = component in _TYPED
    if typed != isinstance(value, dict):
        expected = "a table of prices by instance type" if typed else "a price"
        raise SettingsError(f"expected {expected}", file=str(path), key=key)
    given = value if isinstance(value, dict) else {"": value}
    for name, amount in given.items():
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount < 1e9:
            raise SettingsError(
                "expected a price of 0 or more", file=str(path), key=f"{key}.{name}".strip(".")
            )
    return [(name, float(amount)) for name, amount in given.items()]


def cache_path(environ: Mapping[str, str]) -> Path:
    """Where list prices are kept between runs."""
    base = environ.get("XDG_CACHE_HOME") or os.path.join(environ.get("HOME") or "~", ".cache")  # noqa: PTH118
    return user_path(base) / "sagemaker-auditor" / "prices.json"


def read_cache(path: Path, today: date) -> dict[str, Document]:
    """Cached documents by `REGION/TYPE`, those that are fresh; what cannot be used is left out."""
    held = _held(path)
    return {
        key: {"PriceList": entry["PriceList"]}
        for key, entry in held.items()
        if today - date.fromisoformat(entry["date"]) <= FRESH
    }


def _held(path: Path) -> dict[str, dict[str, Any]]:
    """The entries of the cache that have the form of one."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return {key: entry for key, entry in entries if _is_entry(entry)}


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("PriceList"), list):
        return False
    try:
        return bool(date.fromisoformat(str(entry.get("date"))))
    except ValueError:
        return False


def write_cache(path: Path, snapshot: Snapshot, cached: Mapping[str, Document], today: date) -> None:
    """Keep the prices that a run read beside those that were kept before. Raises `OSError`."""
    new = {}
    for resource in snapshot.resources():
        if resource.kind == Price.kind:
            key = f"{resource.region}/{resource.name}"
            reading = resource.readings().get(str(GET_PRODUCTS))
            if isinstance(reading, dict) and key not in cached:
                new[key] = {"date": today.isoformat(), "PriceList": reading.get("PriceList", [])}
    if new:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = json.dumps({**_held(path), **new}, sort_keys=True)
        write_private(path, [text.encode()])
