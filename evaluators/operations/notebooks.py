"""How notebooks and Studio apps are set up."""

from collectors.sagemaker.notebooks import NotebookInstance
from collectors.sagemaker.studio import Domain
from collectors.sample import sample
from evaluators.controls import lens
from evaluators.rule import Change, Scope, Severity, Verdict, expect, not_applicable, rule

_CONFIG = "arn:aws:sagemaker:eu-west-1:123456789012:studio-lifecycle-config/packages"


@rule(
    "OPS-032",
    Severity.LOW,
    scope=Scope.NOT_SANDBOX,
    bad=[
        sample(NotebookInstance),
        sample(Domain),
        sample(Domain, default_user_settings={"jupyter_lab_app_settings": {"lifecycle_config_arns": []}}),
    ],
    good=[
        sample(NotebookInstance, notebook_instance_lifecycle_config_name="packages"),
        sample(
            Domain, default_user_settings={"code_editor_app_settings": {"lifecycle_config_arns": [_CONFIG]}}
        ),
        sample(
            Domain,
            default_space_settings={"jupyter_server_app_settings": {"lifecycle_config_arns": [_CONFIG]}},
        ),
        sample(
            Domain,
            default_user_settings={"kernel_gateway_app_settings": {"custom_images": [{"ImageName": "team"}]}},
        ),
        sample(
            Domain, default_user_settings={"r_session_app_settings": {"custom_images": [{"ImageName": "r"}]}}
        ),
    ],
    exempt=[
        sample(NotebookInstance, notebook_instance_status="Failed"),
        sample(NotebookInstance, notebook_instance_status="Deleting"),
        sample(NotebookInstance, tags={"Environment": "sandbox"}),
        sample(Domain, status="Deleting"),
        sample(Domain, tags={"Env": "sandbox"}),
    ],
    remedy="Write the set-up down as a lifecycle configuration or a custom image, and attach it;"
    " a notebook instance has to be stopped for that.",
    change=Change.RESTART,
    maps=[lens("MLSEC04-BP01"), lens("MLCOST04-BP02")],
)
def environment_set_up_by_hand(place: NotebookInstance | Domain) -> Verdict:
    """Notebooks and Studio apps should be set up by lifecycle configurations or images.

    Environments that are made by hand differ. Of a domain its defaults are read: what single
    profiles and spaces add is not seen. AWS's built-in configuration customises nothing.
    """
    if isinstance(place, NotebookInstance):
        if place.notebook_instance_status in ("Deleting", "Failed"):
            return not_applicable("the instance is going or gone")
        config = place.notebook_instance_lifecycle_config_name
        return expect(
            bool(config),
            "no lifecycle configuration is attached",
            NotebookInstanceLifecycleConfigName=config,
        )
    if place.status in ("Deleting", "Failed", "Delete_Failed"):
        return not_applicable("the domain is going or gone")
    settings = [s for s in (place.default_user_settings, place.default_space_settings) if s is not None]
    scripts = [arn for s in settings for app in s.scripted if app for arn in app.lifecycle_config_arns or ()]
    images = [image for s in settings for app in s.imaged if app for image in app.custom_images or ()]
    return expect(
        bool(scripts or images),
        "the domain's defaults name no lifecycle configuration and no custom image",
        LifecycleConfigArns=scripts[:10],
        CustomImages=[image.get("ImageName") for image in images[:10]],
    )
