"""Templates as plain data, and what CloudFormation makes of a state machine's definition."""

import json
from functools import cache
from typing import Any

from cfnlint.decode.decode import decode_str

from auditor.deploy.templates import Name, template

EXTERNAL_ID = "kestrel-0123456789abcdef"
IMAGE = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/ml/auditor:1.0.0"
Tree = dict[str, Any]


@cache
def _decoded(name: Name) -> str:
    document, errors = decode_str(template(name))
    assert not errors
    return json.dumps(document)


def parsed(name: Name) -> Tree:
    """A template as JSON would have it: `!Ref x` is `{"Ref": "x"}`."""
    tree: Tree = json.loads(_decoded(name))
    return tree


def of_type(tree: Tree, kind: str) -> dict[str, Tree]:
    """The properties of a template's resources of one type, by logical id."""
    return {key: each["Properties"] for key, each in tree["Resources"].items() if each["Type"] == kind}


def definition(**given: str) -> Tree:
    """The state machine of the fan-out after substitution, as Step Functions gets it."""
    machine = parsed("fanout")["Resources"]["StateMachine"]["Properties"]
    values = dict.fromkeys(machine["DefinitionSubstitutions"], "none") | {
        "Partition": "aws",
        "Bucket": "findings",
        "AccountsFrom": "organization",
        "ExcludedAccounts": "",
        "ReaderRoleName": "auditor-reader",
        "MaxConcurrency": "3",
        "ToleratedFailurePercentage": "100",
        "Runtime": "fargate",
        "AssignPublicIp": "DISABLED",
    }
    text = json.dumps(_resolved(machine["Definition"]))
    for key, value in (values | given).items():
        text = text.replace(f"${{{key}}}", value)
    tree: Tree = json.loads(text)
    return tree


def _resolved(node: Any) -> Any:
    match node:
        case {"Fn::Sub": str(text)}:
            return text.replace("${AWS::Partition}", "aws")
        case dict():
            return {key: _resolved(value) for key, value in node.items()}
        case list():
            return [_resolved(value) for value in node]
        case _:
            return node
