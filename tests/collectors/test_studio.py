"""Studio: profiles and spaces are described only where their domain leaves a matter to them."""

from datetime import timedelta
from typing import Any

import pytest
from readers import reader_of

from auditor.demo.state import DemoState
from collectors.collector import Collector
from collectors.model import Gap, Reason, Resource
from collectors.reads import Reads
from collectors.sagemaker.apps import App, apps, spaces_with_apps
from collectors.sagemaker.spaces import Space, spaces
from collectors.sagemaker.studio import Domain
from collectors.sagemaker.user_profiles import UserProfile, profiles_by_domain, user_profiles
from collectors.sample import ACCOUNT, NOW, REGION, sample, snapshot_of
from collectors.view import Region

KEY = "arn:aws:kms:eu-west-1:123456789012:key/k"
NAMED = {"execution_role_identity_config": "USER_PROFILE_NAME"}
TOKEN = "hf_" + "Ab3dEf6hIj9lMn2pQr5tUv8xYz1BcD4Fg"


def idle(**values: Any) -> dict[str, Any]:
    settings = {"lifecycle_management": "ENABLED", "idle_timeout_in_minutes": 60, **values}
    return {"default_user_settings": {"jupyter_lab_app_settings": {"idle_settings": settings}}}


def add_profiles(state: DemoState, domain: str = "d-1", number: int = 2) -> None:
    for i in range(number):
        document = {
            "DomainId": domain,
            "UserProfileArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:user-profile/{domain}/user-{i}",
            "UserProfileName": f"user-{i}",
            "Status": "InService",
            "CreationTime": NOW - timedelta(days=9),
            "LastModifiedTime": NOW - timedelta(days=9),
            "UserSettings": {
                "ExecutionRole": f"arn:aws:iam::{ACCOUNT}:role/user-{i}",
                "JupyterLabAppSettings": {
                    "CodeRepositories": [{"RepositoryUrl": f"https://me:{TOKEN}@git.example.com/a.git"}]
                },
            },
        }
        state.add("UserProfile", REGION, document)


def add_space(state: DemoState, name: str = "notes", domain: str = "d-1", **settings: Any) -> None:
    document = {
        "DomainId": domain,
        "SpaceArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:space/{domain}/{name}",
        "SpaceName": name,
        "Status": "InService",
        "CreationTime": NOW - timedelta(days=9),
        "LastModifiedTime": NOW - timedelta(days=9),
        "SpaceSettings": {"AppType": "JupyterLab", **settings},
        "SpaceSharingSettings": {"SharingType": "Private"},
    }
    state.add("Space", REGION, document)


def collected(
    collector: Collector, state: DemoState, reads: Reads, *domains: Any
) -> tuple[list[Resource], Gap | None]:
    reader = reader_of(collector, state, domains, reads=reads)
    return list(collector.function(reader)), reader.gap


def kept(found: list[Resource]) -> Region:
    snapshot = snapshot_of([])
    for resource in found:
        assert TOKEN not in bytes(resource.documents).decode()
        snapshot.add(resource)
    return Region(snapshot, ACCOUNT, REGION)


PROFILE_READS = Reads(fields={UserProfile.domain_id, UserProfile.user_settings})
SPACE_READS = Reads(fields={Space.domain_id, Space.jupyter_lab_app_settings})


@pytest.mark.parametrize(
    ("domain", "reads", "described"),
    [
        pytest.param({}, PROFILE_READS, 2, id="whose role a call came from"),
        pytest.param(NAMED, PROFILE_READS, 0, id="the domain decides"),
        pytest.param({**NAMED, "kms_key_id": KEY}, PROFILE_READS, 2, id="a profile may share without a key"),
        pytest.param({**NAMED, **idle()}, PROFILE_READS, 2, id="a profile may turn idle shutdown off"),
        pytest.param(
            {"execution_role_identity_config": Gap("x", Reason.DENIED)},
            PROFILE_READS,
            0,
            id="a domain unread",
        ),
        pytest.param({}, Reads(fields={UserProfile.domain_id}), 0, id="no rule reads the settings"),
    ],
)
def test_profiles_are_described_where_their_domain_does_not_decide(
    domain: dict[str, Any], reads: Reads, described: int
) -> None:
    state = DemoState(NOW)
    add_profiles(state)
    add_profiles(state, "d-else")
    found, gap = collected(user_profiles, state, reads, sample(Domain, "d-1", **domain))
    assert (len(found), gap) == (4, None)
    assert state.calls["sagemaker:DescribeUserProfile"] == described
    assert {domain: len(held) for domain, held in profiles_by_domain(kept(found)).items()} == {
        "d-1": 2,
        "d-else": 2,
    }


def test_profiles_come_a_hundred_to_a_page_with_arns_that_the_list_does_not_send() -> None:
    state = DemoState(NOW)
    add_profiles(state, number=101)
    found, _ = collected(user_profiles, state, PROFILE_READS)
    assert (len(found), state.calls["sagemaker:ListUserProfiles"]) == (101, 2)
    assert f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:user-profile/d-1/user-7" in {r.id for r in found}


@pytest.mark.parametrize(("code", "left"), [("AccessDeniedException", 2), ("ResourceNotFound", 0)])
def test_a_refused_describe_is_a_gap_and_a_profile_that_went_is_none(code: str, left: int) -> None:
    state = DemoState(NOW)
    add_profiles(state)
    state.refuse("sagemaker:DescribeUserProfile", code=code)
    found, _ = collected(user_profiles, state, PROFILE_READS, sample(Domain, "d-1"))
    readings = [resource.readings()["sagemaker:DescribeUserProfile"] for resource in found]
    assert [reading.reason for reading in readings if isinstance(reading, Gap)] == [Reason.DENIED] * left
    assert len(found) == left


@pytest.mark.parametrize(
    ("domain", "described"),
    [
        pytest.param({}, 0, id="idle shutdown is off"),
        pytest.param(idle(max_idle_timeout_in_minutes=60), 0, id="nobody may wait for longer"),
        pytest.param(idle(max_idle_timeout_in_minutes=600), 1, id="a space may"),
        pytest.param(idle(), 1, id="without a maximum it may"),
    ],
)
def test_spaces_are_described_where_their_domain_leaves_them_a_choice(
    domain: dict[str, Any], described: int
) -> None:
    state = DemoState(NOW)
    own = {"AppLifecycleManagement": {"IdleSettings": {"IdleTimeoutInMinutes": 480}}}
    volume = {"EbsStorageSettings": {"EbsVolumeSizeInGb": 20}}
    add_space(state, JupyterLabAppSettings=own, SpaceStorageSettings=volume, RemoteAccess="ENABLED")
    found, gap = collected(spaces, state, SPACE_READS, sample(Domain, "d-1", **domain))
    assert gap is None
    assert state.calls["sagemaker:DescribeSpace"] == described
    (space,) = kept(found).known(Space)
    assert (space.app_type, space.remote_access, space.ebs_volume_size_in_gb) == ("JupyterLab", "ENABLED", 20)
    if described:
        assert space.jupyter_lab_app_settings is not None
        assert space.jupyter_lab_app_settings.idle_timeout_in_minutes == 480


def test_apps_are_listed_and_never_described() -> None:
    state = DemoState(NOW)
    for owner in ({"SpaceName": "notes"}, {"UserProfileName": "maya"}):
        app = {
            "AppArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:app/d-1/x/jupyterlab/default",
            "AppType": "JupyterLab",
            "AppName": "default",
            "DomainId": "d-1",
            "Status": "InService",
            "CreationTime": NOW,
            **owner,
        }
        state.add("App", REGION, app)
    found, gap = collected(apps, state, Reads(fields={App.status}))
    assert gap is None
    assert {resource.name for resource in found} == {"notes/JupyterLab/default", "maya/JupyterLab/default"}
    assert {name for name in state.calls if name.startswith("sagemaker:")} == {"sagemaker:ListApps"}
    assert spaces_with_apps(kept(found)) == {("d-1", "notes")}


@pytest.mark.parametrize(
    ("collector", "denied"),
    [
        (user_profiles, "sagemaker:ListUserProfiles"),
        (spaces, "sagemaker:ListSpaces"),
        (apps, "sagemaker:ListApps"),
    ],
)
def test_a_denied_list_marks_its_kind(collector: Collector, denied: str) -> None:
    found, gap = collected(collector, DemoState(NOW, denied=[denied]), Reads())
    assert found == []
    assert gap is not None
    assert (gap.operation, gap.reason) == (denied, Reason.DENIED)
