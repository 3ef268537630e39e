"""Studio: apps and spaces that are paid for and not used."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from collectors.sagemaker.apps import App, spaces_with_apps
from collectors.sagemaker.spaces import Space, spaces_by_domain
from collectors.sagemaker.studio import (
    Domain,
    IdleSettings,
    IdlingSettings,
    SpaceSettings,
    StudioLifecycleConfig,
    UserSettings,
)
from collectors.sagemaker.user_profiles import UserProfile, profiles_by_domain
from collectors.sample import NOW, Sample, sample
from collectors.view import moment
from evaluators.controls import lens
from evaluators.money import HOURS, Usage
from evaluators.rule import Change, Severity, Verdict, expect, failed, given, not_applicable, passed, rule
from evaluators.scripts import stops_when_idle
from evaluators.tags import always_on

_SCRIPT = "arn:aws:sagemaker:eu-west-1:123456789012:studio-lifecycle-config/stop"


def _idle(minutes: int | None = 60, most: int | None = 60, *, state: str = "ENABLED") -> dict[str, Any]:
    values = {"idle_timeout_in_minutes": minutes, "max_idle_timeout_in_minutes": most}
    return {"idle_settings": {"lifecycle_management": state, **values}}


def _domain(lab: Any = None, editor: Any = None, shared: Any = None) -> Sample:
    user = {"jupyter_lab_app_settings": lab, "code_editor_app_settings": editor}
    return sample(
        Domain,
        "d-1",
        default_user_settings={name: held for name, held in user.items() if held is not None},
        default_space_settings={"jupyter_lab_app_settings": shared} if shared is not None else {},
    )


def _space(app_type: str = "JupyterLab", **values: Any) -> Sample:
    return sample(Space, "s-1", arn="s-1", domain_id="d-1", app_type=app_type, **values)


def _profile(**settings: Any) -> Sample:
    return sample(UserProfile, "maya", arn="maya", domain_id="d-1", user_settings=settings)


def _script(text: str) -> Sample:
    content = base64.b64encode(text.encode()).decode()
    return sample(StudioLifecycleConfig, "stop", arn=_SCRIPT, studio_lifecycle_config_content=content)


_SCRIPTED = {"lifecycle_config_arns": [_SCRIPT]}


@rule(
    "COST-004",
    Severity.MEDIUM,
    confidence=0.7,
    bad=[
        given(_domain(), _space()),
        given(_domain(_idle(state="DISABLED")), _space()),
        # The value is ENABLED, in capitals.
        given(_domain(_idle(state="Enabled")), _space()),
        given(_domain(_idle(480, 480)), _space()),
        given(_domain(_idle(), editor=_idle(state="DISABLED")), _space("CodeEditor")),
        given(_domain(_SCRIPTED), _space(), _script("pip install pandas")),
        # The defaults of shared spaces are other ones, and know no Code Editor.
        given(_domain(_idle()), _space(sharing_type="Shared")),
        given(_domain(_idle()), _space(), _profile(jupyter_lab_app_settings=_idle(state="DISABLED"))),
        given(_domain(_idle()), _space(), _profile(jupyter_lab_app_settings=_idle(600))),
        given(_domain(_idle(60, 1440)), _space(jupyter_lab_app_settings={"idle_timeout_in_minutes": 1440})),
        given(_domain(_idle(60, None)), _space(jupyter_lab_app_settings={"idle_timeout_in_minutes": 1440})),
    ],
    good=[
        given(_domain(_idle()), _space()),
        given(_domain(_idle(None, 120)), _space(), _profile()),
        given(_domain(_idle(480, 480)), _space(), max_idle_minutes=480),
        # Nobody uses Code Editor, whose settings are off.
        given(_domain(_idle(), editor=_idle(state="DISABLED")), _space()),
        given(_domain(_SCRIPTED), _space(), _script("nohup python auto-stop.py &")),
        given(_domain(_idle(), shared=_idle()), _space(sharing_type="Shared")),
        given(_domain(_idle(60, 1440)), _space(jupyter_lab_app_settings={"idle_timeout_in_minutes": 90})),
        given(_domain(editor=_idle()), _space("CodeEditor", sharing_type="Shared")),
    ],
    exempt=[
        _domain(),
        # Studio Classic alone.
        given(_domain(), _space("JupyterServer")),
        given(_domain(), sample(Space, "else", arn="else", domain_id="d-2", app_type="JupyterLab")),
        sample(Domain, status="Deleting"),
    ],
    remedy="Turn idle shutdown on for JupyterLab and Code Editor, for users and for shared spaces.",
    command="aws sagemaker update-domain --domain-id {name} --default-user-settings file://idle.json",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST04-BP08")],
)
def studio_idle_apps_kept(domain: Domain, *, max_idle_minutes: int = 120) -> Verdict:
    """Studio should shut down apps that idle.

    A forgotten app bills day and night. What the domain's spaces run is judged, JupyterLab and Code
    Editor, by the domain's defaults, then by profiles and spaces with settings of their own; a
    lifecycle script that stops idle apps will do as well. Images before SageMaker Distribution 2.0
    and custom ones may ignore the setting, which no API tells.
    """
    if domain.status not in ("InService", "Updating"):
        return not_applicable("the domain is not in service")
    spaces = [
        space
        for space in spaces_by_domain(domain.region).get(domain.name, ())
        if space.app_type in ("JupyterLab", "CodeEditor")
    ]
    if not spaces:
        return not_applicable("no space of it runs JupyterLab or Code Editor")
    wrong = dict(_defaults(domain, spaces, max_idle_minutes))
    if wrong:
        return failed(
            "its defaults let idle apps run",
            LifecycleManagement=wrong,
            IdleTimeoutInMinutes=_timeouts(domain),
            max_idle_minutes=max_idle_minutes,
        )
    own = sorted({*_profiles(domain, spaces, max_idle_minutes), *_spaces(domain, spaces, max_idle_minutes)})
    return expect(
        not own,
        "profiles or spaces of it let idle apps run",
        IdleTimeoutInMinutes=_timeouts(domain),
        overruled_by=own[:10],
        overruling=len(own),
    )


def _of(settings: UserSettings | None, app_type: str | None) -> IdlingSettings | None:
    if settings is None:
        return None
    lab, editor = settings.jupyter_lab_app_settings, settings.code_editor_app_settings
    return lab if app_type == "JupyterLab" else editor


def _shared_lab(settings: SpaceSettings | None) -> IdlingSettings | None:
    return settings.jupyter_lab_app_settings if settings else None


def _defaults(domain: Domain, spaces: list[Space], most: int) -> Iterator[tuple[str, str]]:
    """What is wrong with the defaults of each kind of app that is used."""
    used: dict[str, IdlingSettings | None] = {}
    for space in spaces:
        if space.sharing_type == "Shared" and space.app_type == "JupyterLab":
            used["JupyterLab in shared spaces"] = _shared_lab(domain.default_space_settings)
        else:
            used[space.app_type or ""] = _of(domain.default_user_settings, space.app_type)
    for name, settings in sorted(used.items()):
        why = _why_kept(settings.idle_settings if settings else None, most)
        if why and not (settings and _has_script(domain, settings)):
            yield name, why


def _why_kept(idle: IdleSettings | None, most: int) -> str:
    """Why idle apps go on; AWS waits for an hour where no time is set."""
    if idle is None or not idle.is_on:
        return (idle.lifecycle_management if idle else None) or "not set"
    minutes = idle.idle_timeout_in_minutes or 60
    return f"waits for {minutes} minutes" if minutes > most else ""


def _has_script(domain: Domain, settings: IdlingSettings) -> bool:
    attached = (
        domain.region.find(StudioLifecycleConfig, arn) for arn in settings.lifecycle_config_arns or []
    )
    return any(config is not None and stops_when_idle(config.text) for config in attached)


def _timeouts(domain: Domain) -> Mapping[str, int | None]:
    user = domain.default_user_settings
    found = {name: _of(user, name) for name in ("JupyterLab", "CodeEditor")}
    return {
        name: settings.idle_settings.idle_timeout_in_minutes
        for name, settings in found.items()
        if settings and settings.idle_settings
    }


def _decided_by_idle_settings(domain: Domain, spaces: list[Space]) -> dict[str, IdleSettings]:
    """The idle settings of the kinds that are used: where a script stops apps, nobody overrules these."""
    found = {}
    for app_type in {space.app_type or "" for space in spaces}:
        settings = _of(domain.default_user_settings, app_type)
        if settings and settings.idle_settings and settings.idle_settings.is_on:
            found[app_type] = settings.idle_settings
    return found


def _profiles(domain: Domain, spaces: list[Space], most: int) -> Iterator[str]:
    """Profiles whose own settings let idle apps run."""
    kinds = _decided_by_idle_settings(domain, spaces)
    for profile in profiles_by_domain(domain.region).get(domain.name, ()) if kinds else ():
        for app_type in kinds:
            settings = _of(profile.user_settings, app_type)
            idle = settings.idle_settings if settings else None
            if idle is not None and _why_kept(idle, most):
                yield f"profile {profile.name}"


def _spaces(domain: Domain, spaces: list[Space], most: int) -> Iterator[str]:
    """Spaces with a time of their own that is too long, where their domain leaves them that choice."""
    open_to_choice = {
        app_type
        for app_type, idle in _decided_by_idle_settings(domain, spaces).items()
        if idle.leaves_a_choice and (idle.max_idle_timeout_in_minutes or most + 1) > most
    }
    for space in spaces:
        if space.app_type in open_to_choice:
            lab, editor = space.jupyter_lab_app_settings, space.code_editor_app_settings
            own = lab if space.app_type == "JupyterLab" else editor
            if own and (own.idle_timeout_in_minutes or 0) > most:
                yield f"space {space.name}"


_BILLED = frozenset({"JupyterLab", "CodeEditor", "KernelGateway", "Canvas", "RSessionGateway", "TensorBoard"})
_OLD = moment("2026-11-17T06:00:00+00:00")


def _app(**values: Any) -> Sample:
    return sample(
        App, "s-1/JupyterLab/default", **{"instance_type": "ml.m5.xlarge", "creation_time": _OLD, **values}
    )


_PLACE = sample(Domain, "d-example")


@rule(
    "COST-005",
    Severity.MEDIUM,
    confidence=0.7,
    bad=[
        given(_app(), _PLACE),
        given(_app(app_type="KernelGateway"), _PLACE),
        # Canvas names no instance of its own, and its session is billed by the hour.
        given(_app(app_type="Canvas", instance_type="system"), _PLACE),
        given(_app(), sample(Domain, "d-example", tags={"24x7": "no"})),
    ],
    good=[
        given(_app(creation_time=moment("2026-11-20T00:00:00+00:00")), _PLACE),
        given(_app(), _PLACE, max_app_hours=100),
    ],
    exempt=[
        _app(app_type="JupyterServer", instance_type="system"),
        _app(app_type="KernelGateway", instance_type="system"),
        _app(app_type="RStudioServerPro", instance_type="ml.t3.medium"),
        # Deleted apps stay in the list for a day.
        _app(status="Deleted"),
        _app(status="Failed"),
        given(_app(), sample(Domain, "d-example", tags={"24x7": "true"})),
    ],
    remedy="Delete the app: its space keeps its storage. Turn idle shutdown on in the domain.",
    command="aws sagemaker delete-app --domain-id DOMAIN --space-name SPACE --app-type TYPE --app-name NAME",
    change=Change.IN_PLACE,
    maps=[lens("MLCOST04-BP08")],
)
def studio_app_left_running(app: App, *, max_app_hours: float = 24) -> Verdict:
    """Studio and Canvas apps should not run for days.

    An app is billed for as long as it is in service. How long it has run is no proof that nobody uses
    it, and AWS's time of last activity is none either: health checks move it. The tag `24x7` or
    `always-on` on its domain exempts an app.
    """
    if app.status != "InService":
        return not_applicable("the app is not running")
    kind, instance = app.app_type, app.instance_type
    if kind not in _BILLED or (kind != "Canvas" and instance == "system"):
        return not_applicable("the app is not billed by its instance")
    since = app.creation_time
    if since >= app.region.ago(max_app_hours / 24):
        return passed("started lately", CreationTime=since)
    if always_on(app.tags):
        return not_applicable("a tag of its domain says that apps run around the clock")
    billed = bool(instance) and instance != "system"
    return failed(
        "it has been running for long",
        waste=[Usage("studio", instance or "", hours=HOURS)] if billed else [],
        CreationTime=since,
        AppType=kind,
        InstanceType=instance,
        hours_running=int((app.region.now - since).total_seconds() // 3600),
    )


def _unused(**values: Any) -> Sample:
    made = {"ebs_volume_size_in_gb": 100, "last_modified_time": moment("2026-08-01T06:00:00+00:00"), **values}
    return sample(Space, "s-1", arn="s-1", space_name="s-1", **made)


def _runs(**values: Any) -> Sample:
    return sample(App, "s-1/JupyterLab/default", **{"space_name": "s-1", **values})


@rule(
    "COST-006",
    Severity.LOW,
    confidence=0.4,
    bad=[
        _unused(),
        # Another domain's space of the same name, and an app of a profile.
        given(_unused(), _runs(domain_id="d-2"), sample(App, "maya/JupyterServer/default", arn="maya")),
    ],
    good=[
        given(_unused(), _runs()),
        # It stopped within the last day.
        given(_unused(), _runs(status="Deleted")),
        _unused(last_modified_time=NOW),
        given(_unused(), unused_days=120),
    ],
    exempt=[
        # Studio Classic keeps its work on the domain's file system.
        _unused(ebs_volume_size_in_gb=None),
        _unused(status="Deleting"),
    ],
    remedy="Have its owner save the work to Git or S3, then delete the space: its data goes with it.",
    command="aws sagemaker delete-space --domain-id DOMAIN --space-name {name}",
    change=Change.RECREATE,
    maps=[lens("MLCOST04-BP08")],
)
def studio_unused_space_storage(space: Space, *, unused_days: float = 60) -> Verdict:
    """Studio spaces that nobody uses should not keep a volume.

    The volume is billed for as long as the space exists. Without an app, and unchanged for long, a
    space looks unused; an app that ran in between leaves no trace in the lists.
    """
    size = space.ebs_volume_size_in_gb
    if space.status != "InService":
        return not_applicable("the space is not in service")
    if not size:
        return not_applicable("it has no volume of its own")
    since = space.last_modified_time
    if since >= space.region.ago(unused_days):
        return passed("changed lately", LastModifiedTime=since)
    if (space.domain_id, space.space_name) in spaces_with_apps(space.region):
        return passed("it has an app", LastModifiedTime=since)
    return failed(
        "it has no app, has not changed for long, and its volume is billed",
        waste=[Usage("studio-volume", gigabytes=size)],
        LastModifiedTime=since,
        EbsVolumeSizeInGb=size,
        OwnerUserProfileName=space.owner_user_profile_name,
        days_unchanged=(space.region.now - since).days,
    )
