"""What counts as a secret, what never does, and that nothing of a secret is kept."""

import base64
import copy
import dataclasses
import json
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.redaction import (
    DETECTORS,
    REDACTED,
    Secret,
    Undecodable,
    entropy,
    redact,
    redact_script,
    scrub,
)

SALT = b"0123456789abcdef"
KEY_ID = "AKIA" + "Q3EGRIDZ7WXMT5LN"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
MIXED = "x7Kq9ZmB2vTn4LpR8sWd"
HEX_40 = "0f3a9c5e7b1d2468ace013579bdf2468ace01357"
BASE62_36 = "Zx9Kq7Bm2Vt4Np8Rs6Wd1Lf3Hg5Jc0Ya2Eu4"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dBjftJeZ4CVPmB92K27uhbUJU1p1r_wW1g"
PEM = (
    "-----BEGIN RSA " + "PRIVATE KEY-----\n"
    "MIIEowIBAAKCAQEAx7Kq9ZmB2vTn4LpR8sWdx7Kq9ZmB2vTn4LpR8sWdAAAA\n"
    "q9ZmB2vTn4LpR8sWdx7Kq9ZmB2vTn4LpR8sWdx7Kq9Zm==\n"
    "-----END RSA " + "PRIVATE KEY-----"
)


def kept(key: str, detector: str, text: str) -> Secret:
    """What has to be kept of a secret; the digest is pinned in a test of its own."""
    return Secret(key, detector, digest_of(text), entropy(text), len(text))


def digest_of(text: str) -> str:
    """The digest that the same text has as the password of a member of its own."""
    _, secrets = redact({"E": {"PASSWORD": text}}, ["E"], SALT)
    return secrets[0].digest if secrets else ""


# ---- every detector: name of the member, value, detector, what is left of the value

FOUND = [
    ("X", KEY_ID, "aws-access-key-id", REDACTED),
    ("X", "ASIA" + KEY_ID[4:], "aws-access-key-id", REDACTED),
    ("X", f"id={KEY_ID};r=1", "aws-access-key-id", f"id={REDACTED};r=1"),
    ("AWS_SECRET_ACCESS_KEY", SECRET_KEY, "aws-secret-access-key", REDACTED),
    ("aws_creds", SECRET_KEY, "aws-secret-access-key", REDACTED),
    ("AWS_SECRET_ACCESS_KEY", "/Jal7XUtnFEMIaK7MDENGbPxRfiCYEXAMPLEKEYx", "aws-secret-access-key", REDACTED),
    (
        "CMD",
        f"export AWS_SECRET_ACCESS_KEY={SECRET_KEY}",
        "aws-secret-access-key",
        f"export AWS_SECRET_ACCESS_KEY={REDACTED}",
    ),
    ("X", "IQoJb3JpZ2luX2Vj" + 4 * MIXED + "==", "aws-session-token", REDACTED),
    ("X", PEM, "private-key", REDACTED),
    ("X", PEM.replace("\n", "\\n"), "private-key", REDACTED),
    ("X", PEM[:-20], "private-key", REDACTED),
    ("X", "-----BEGIN PRIVATE KEY-----", "private-key", REDACTED),
    ("X", JWT, "json-web-token", REDACTED),
    ("X", '{"k":"a\\n' + JWT + '"}', "json-web-token", '{"k":"a\\n' + REDACTED + '"}'),
    ("HF_TOKEN", "hf_" + BASE62_36[:34], "huggingface-token", REDACTED),
    ("MODEL", "hf_" + BASE62_36[:34], "huggingface-token", REDACTED),
    ("SAGEMAKER_NOTE", "hf_" + BASE62_36[:34], "huggingface-token", REDACTED),
    ("X", "ghp_" + BASE62_36, "github-token", REDACTED),
    ("X", "github_pat_" + BASE62_36 + "_" + MIXED, "github-token", REDACTED),
    ("X", "glpat-" + MIXED, "gitlab-token", REDACTED),
    ("X", "xoxb-" + "123456789012-" + MIXED, "slack-token", REDACTED),
    ("X", "sk-" + BASE62_36 + "T3BlbkFJ", "openai-key", REDACTED),
    ("X", "sk-proj-" + BASE62_36 + "-" + MIXED, "openai-key", REDACTED),
    ("X", "sk-ant-api03-" + BASE62_36, "anthropic-key", REDACTED),
    ("WANDB_API_KEY", HEX_40, "wandb-key", REDACTED),
    ("CMD", f"wandb login --relogin {HEX_40}", "wandb-login", f"wandb login --relogin {REDACTED}"),
    ("X", "AIza" + BASE62_36[:35], "google-api-key", REDACTED),
    ("X", "sk_live_" + BASE62_36[:24], "stripe-key", REDACTED),
    ("X", "dapi" + HEX_40[:32], "databricks-token", REDACTED),
    (
        "X",
        f"AccountName=a;AccountKey={4 * MIXED}AA==;E=c",
        "azure-storage-key",
        f"AccountName=a;AccountKey={REDACTED};E=c",
    ),
    ("X", "npm_" + BASE62_36, "npm-token", REDACTED),
    (
        "X",
        f"curl -H 'Authorization: Bearer {MIXED}'",
        "authorization-header",
        f"curl -H 'Authorization: Bearer {REDACTED}'",
    ),
    ("X", "postgres://u:p@h/db", "url-userinfo", f"postgres://{REDACTED}@h/db"),
    ("X", "git+https://user:p@ss@host/x.git", "url-userinfo", f"git+https://{REDACTED}@host/x.git"),
    ("X", "https://user:password@github.com/a/b", "url-userinfo", f"https://{REDACTED}@github.com/a/b"),
    ("DB_PASSWORD", MIXED, "named-secret", REDACTED),
    ("db_passwd", "correct horse battery", "named-secret", REDACTED),
    ("MYSQL_PWD", MIXED, "named-secret", REDACTED),
    ("MYSQL_PASS", MIXED, "named-secret", REDACTED),
    ("pgpassword", MIXED, "named-secret", REDACTED),
    ("dbPassword", MIXED, "named-secret", REDACTED),
    ("PASSWORD_POSTGRES", MIXED, "named-secret", REDACTED),
    ("MLFLOW_TRACKING_TOKEN", MIXED, "named-secret", REDACTED),
    ("accessToken", MIXED, "named-secret", REDACTED),
    ("client_secret", MIXED, "named-secret", REDACTED),
    ("api_key", MIXED, "named-secret", REDACTED),
    ("apikey", MIXED, "named-secret", REDACTED),
    ("spark.hadoop.fs.s3a.secret.key", MIXED, "named-secret", REDACTED),
    ("access_key", MIXED, "named-secret", REDACTED),
    ("PRIVATE_KEY", MIXED, "named-secret", REDACTED),
    ("credential", MIXED, "named-secret", REDACTED),
    ("API_KEY", "123e4567-e89b-12d3-a456-426614174000", "named-secret", REDACTED),
    ("api_key", json.dumps(MIXED), "named-secret", json.dumps(REDACTED)),
    (
        "config",
        json.dumps(json.dumps({"api_key": MIXED})),
        "named-secret",
        json.dumps(json.dumps({"api_key": REDACTED})),
    ),
    (
        "config",
        json.dumps({"api_key": MIXED, "n": 1}),
        "named-secret",
        json.dumps({"api_key": REDACTED, "n": 1}),
    ),
    ("X", f"--lr 0.1 --password={MIXED} --x", "named-secret", f"--lr 0.1 --password={REDACTED} --x"),
    ("X", f"--api-key {MIXED}", "named-secret", f"--api-key {REDACTED}"),
    (
        "X",
        f"jdbc:mysql://h/d?user=r&password={MIXED}&ssl=1",
        "named-secret",
        f"jdbc:mysql://h/d?user=r&password={REDACTED}&ssl=1",
    ),
    ("X", f"password: {MIXED}", "named-secret", f"password: {REDACTED}"),
    ("X", f'os.environ["API_KEY"] = "{MIXED}"', "named-secret", f'os.environ["API_KEY"] = "{REDACTED}"'),
    ("X", f"token=b'{MIXED}'", "named-secret", f"token=b'{REDACTED}'"),
]


@pytest.mark.parametrize(("name", "value", "detector", "left"), FOUND)
def test_a_secret_is_taken_out_and_named_by_its_detector(
    name: str, value: str, detector: str, left: str
) -> None:
    document, secrets = redact({"Environment": {name: value, "other": "kept"}}, ["Environment"], SALT)
    assert document == {"Environment": {name: left, "other": "kept"}}
    assert [(s.key, s.detector) for s in secrets] == [(f"Environment.{name}", detector)]


def test_every_detector_has_an_example() -> None:
    assert {detector for _, _, detector, _ in FOUND} == {detector.id for detector in DETECTORS}


def test_detector_ids_are_unique_and_kebab_case() -> None:
    ids = [detector.id for detector in DETECTORS]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", code) for code in ids)
    assert all(detector.title for detector in DETECTORS)


# ---- what is no secret: name of the member, value

HARMLESS = [
    ("DB_SECRET", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf"),
    ("X", "see arn:aws:secretsmanager:eu-west-1:123456789012:secret:Prod9/db-AbCdEf"),
    ("ROLE_TOKEN", "arn:aws:iam::123456789012:role/service-role/Role9xK2"),
    ("SECRET_SOURCE", "s3://bucket/prefix/Key9xK2mB7/file.tar.gz"),
    ("TOKEN", "s3://bucket/prefix/Key9xK2mB7/file.tar.gz"),
    ("API_KEY", "https://host.example.com/path/Key9xK2mB7?x=1"),
    ("X", "https://host:8080/a@b"),
    ("X", "ssh://git@github.com/org/repo.git"),
    ("X", "http://127.0.0.1:8080/@scope/name"),
    ("X", "https://${USER}:${TOKEN}@github.com/a/b"),
    ("X", "https://$TOKEN:x-oauth-basic@github.com/a/b"),
    ("X", "https://oauth2:{token}@gitlab.com/a/b"),
    ("X", "https://user:****@host/"),
    ("DB_PASSWORD", "{{resolve:secretsmanager:prod/db:SecretString:password9K}}"),
    ("DB_PASSWORD", "{{resolve:ssm-secure:/prod/db/password9K:1}}"),
    ("DB_PASSWORD", "ssm:/prod/db/Password9K"),
    ("DB_PASSWORD_PARAMETER", "/prod/db/Password9K"),
    ("TOKEN_PATH", "/run/Secrets9K/token-xy"),
    ("SECRET_NAME", "prod-Db9xK2mB7-credentials"),
    ("SECRET_ID", "prod-Db9xK2mB7-credentials"),
    ("API_KEY_ARN", "Db9xK2mB7credentials"),
    ("DB_SECRET", "prod/db/password"),
    ("DB_CREDENTIALS", "my-service-db-credentials-prod"),
    ("DB_PASSWORD", "/run/secrets/db_password.txt"),
    ("DB_PASSWORD", "$DB_PASSWORD_FROM_VAULT9"),
    ("DB_PASSWORD", "<your-password-here9>"),
    ("DB_PASSWORD", "changeme-please-42x"),
    ("DB_PASSWORD", "hunter2"),
    ("DB_PASSWORD", "aaaaaaaaaaaaaaaaaaaa"),
    ("DB_PASSWORD", ""),
    ("SAGEMAKER_SUBMIT_DIRECTORY", "s3://sagemaker-eu-west-1-123456789012/a/source/sourcedir.tar.gz"),
    ("sagemaker_submit_directory", '"s3://sagemaker-eu-west-1-123456789012/a/sourcedir.tar.gz"'),
    ("sagemaker_program", '"train_Token9xK2mB7vT.py"'),
    ("SAGEMAKER_SECRET_TOKEN", MIXED),
    ("X", "123e4567-e89b-12d3-a456-426614174000"),
    ("X", "True"),
    ("X", "0.000123456789"),
    ("secret_sauce_weight", "0.3"),
    ("secret_sauce_weight", "0.123456789012"),
    ("X", HEX_40),
    ("GIT_COMMIT", HEX_40),
    ("WANDB_GIT_COMMIT", HEX_40),
    ("AWS_PREFIX", "some/path/that/is/exactly/forty/chars/ok"),
    ("X", SECRET_KEY),
    ("X", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/image:Tag9xK2"),
    ("TOKEN", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/image:Tag9xK2"),
    ("/opt/ml/code", "/opt/ml/code/Train9xK2.py"),
    ("max_tokens", "512"),
    ("max_token", "1234567890123"),
    ("token_embedding_dim", "1024"),
    ("pad_token", "<pad>"),
    ("pad_token", "<|reserved_special_token_42|>"),
    ("padToken", "Reserved9xK2mB7"),
    ("eos_token", "<|endoftext|>"),
    ("image_token", "Reserved9xK2mB7"),
    ("tokenizer", "mistralai/Mistral-7B-Instruct-v0.2"),
    ("TOKENIZERS_PARALLELISM", "false-Reserved9xK2mB7"),
    ("trigger_word_token", "sks-person-photo"),
    ("X", "--tokenizer=mistralai/Mistral-7B --max-tokens=Ab9xK2mB7v"),
    ("X", "password=config.db.password"),
    ("X", "token=get_token_from_vault()"),
    ("X", "token=response.json()['token']"),
    ("X", "password=getpass1.getpass()"),
    ("X", "api_key=api_key_variable"),
    ("X", "credentials=credentials2"),
    ("X", "token = os.environ['HF_TOKEN_9xK2']"),
    ("X", "curl -H 'X-aws-ec2-metadata-token: $TOKEN_9xK2'"),
    ("X", "X-aws-ec2-metadata-token-ttl-seconds: 21600"),
    ("X", "jupyter lab --ServerApp.token='' --ServerApp.password=''"),
    ("X", "sed -i 's/password=.*/password=${PASSWORD_9xK2}/' file"),
    ("X", "secret = client.get_secret_value(SecretId='Db9xK2mB7')"),
    ("X", "GIT_PASSWORD=`aws secretsmanager get-secret-value --secret-id Db9xK2mB7`"),
    ("X", "--secret-id prod/Db9xK2mB7/main"),
    ("X", "password: stored-in-secrets-manager"),
    ("X", "export TOKEN=$(aws secretsmanager get-secret-value --secret-id Db9xK2mB7)"),
    ("X", 'export TOKEN="$(cat /run/Token9xK2)"'),
    ("X", "Authorization: Bearer ${TOKEN}"),
    ("X", "disk-x7Kq9ZmB2vTn4LpR8sWdx7Kq9ZmB2vTn4LpR8sWd"),
    ("X", "-----BEGIN CERTIFICATE-----\nMIIEowIBAAKCAQEAx7Kq9ZmB2vTn\n-----END CERTIFICATE-----"),
    ("X", '"unterminated json'),
    ("X", "{not json"),
]


@pytest.mark.parametrize(("name", "value"), HARMLESS)
def test_what_is_no_secret_stays(name: str, value: str) -> None:
    document = {"HyperParameters": {name: value}}
    assert redact(document, ["HyperParameters"], SALT) == (document, [])


# ---- where


def test_every_path_is_scanned_and_the_key_says_where() -> None:
    document: dict[str, object] = {
        "Environment": {"DB_PASSWORD": MIXED + "1", "N": "1"},
        "PrimaryContainer": {"Environment": {"TOKEN": MIXED + "2"}, "Image": "i"},
        "Containers": [{"Image": "i"}, {"Environment": {"API_KEY": MIXED + "3"}}],
        "AppSpecification": {
            "ContainerArguments": [
                "--api-key",
                MIXED + "4",
                f"--token={MIXED}5",
                "--token",
                "--x=Ab9xK2mB7v",
            ],
            "ContainerEntrypoint": ["sh", "-c", f"PASSWORD={MIXED}6 ./run"],
        },
        "GitConfig": {"RepositoryUrl": "https://me:" + MIXED + "7@github.com/a/b"},
        "Untouched": {"PASSWORD": "q8Lw3Xz5Cv7Bn9Ma"},
    }
    before = copy.deepcopy(document)
    paths = [
        "Environment",
        "PrimaryContainer.Environment",
        "Containers[].Environment",
        "AppSpecification.ContainerArguments[]",
        "AppSpecification.ContainerEntrypoint[]",
        "GitConfig.RepositoryUrl",
        "TrainingJobDefinitions[].StaticHyperParameters",
        "Absent.Deeply.So",
    ]
    left, secrets = redact(document, paths, SALT)
    assert document == before
    assert left == {
        "Environment": {"DB_PASSWORD": REDACTED, "N": "1"},
        "PrimaryContainer": {"Environment": {"TOKEN": REDACTED}, "Image": "i"},
        "Containers": [{"Image": "i"}, {"Environment": {"API_KEY": REDACTED}}],
        "AppSpecification": {
            "ContainerArguments": ["--api-key", REDACTED, f"--token={REDACTED}", "--token", "--x=Ab9xK2mB7v"],
            "ContainerEntrypoint": ["sh", "-c", f"PASSWORD={REDACTED} ./run"],
        },
        "GitConfig": {"RepositoryUrl": f"https://{REDACTED}@github.com/a/b"},
        "Untouched": {"PASSWORD": "q8Lw3Xz5Cv7Bn9Ma"},
    }
    assert secrets == [
        kept("Environment.DB_PASSWORD", "named-secret", MIXED + "1"),
        kept("PrimaryContainer.Environment.TOKEN", "named-secret", MIXED + "2"),
        kept("Containers[1].Environment.API_KEY", "named-secret", MIXED + "3"),
        kept("AppSpecification.ContainerArguments[1]", "named-secret", MIXED + "4"),
        kept("AppSpecification.ContainerArguments[2]", "named-secret", MIXED + "5"),
        kept("AppSpecification.ContainerEntrypoint[2]", "named-secret", MIXED + "6"),
        kept("GitConfig.RepositoryUrl", "url-userinfo", f"me:{MIXED}7"),
    ]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"Environment": None},
        {"Environment": 5},
        {"Environment": {"PASSWORD": None}},
        {"Environment": [None, 3]},
        {"Containers": {"Environment": {}}},
        {"Containers": [None, "x"]},
    ],
)
def test_documents_of_another_form_stay_as_they_are(document: dict[str, object]) -> None:
    assert redact(document, ["Environment", "Environment.Deeper", "Containers[].Environment"], SALT) == (
        document,
        [],
    )


def test_a_value_with_two_secrets_gives_two() -> None:
    left, secrets = redact({"E": {"X": f"{KEY_ID} password={MIXED}"}}, ["E"], SALT)
    assert left == {"E": {"X": f"{REDACTED} password={REDACTED}"}}
    assert [s.detector for s in secrets] == ["aws-access-key-id", "named-secret"]


def test_what_overlaps_is_one_secret_and_goes_as_a_whole() -> None:
    left, secrets = redact({"E": {"PASSWORD": f"ab!{KEY_ID}!cd"}}, ["E"], SALT)
    assert left == {"E": {"PASSWORD": REDACTED}}
    assert [s.detector for s in secrets] == ["aws-access-key-id"]


def test_a_secret_is_replaced_wherever_it_stands_again() -> None:
    document: dict[str, object] = {"A": [f"run {MIXED}", 1], "E": {"PASSWORD": MIXED}, "N": f"name-{MIXED}"}
    left, secrets = redact(document, ["A[]", "E"], SALT)
    assert left == {"A": [f"run {REDACTED}", 1], "E": {"PASSWORD": REDACTED}, "N": f"name-{MIXED}"}
    assert [s.key for s in secrets] == ["E.PASSWORD"]


def test_redacting_again_finds_nothing() -> None:
    document: dict[str, object] = {"E": {name: value for name, value, _, _ in FOUND}}
    once, _ = redact(document, ["E"], SALT)
    assert redact(once, ["E"], SALT) == (once, [])


def test_the_digest_tells_secrets_apart_and_depends_on_the_salt() -> None:
    def digest(text: str, salt: bytes) -> str:
        return redact({"E": {"PASSWORD": text}}, ["E"], salt)[1][0].digest

    assert digest(MIXED, SALT) == "ec3a4e63"
    assert digest(MIXED, b"other") != digest(MIXED, SALT)
    assert digest(MIXED + "x", SALT) != digest(MIXED, SALT)


def test_a_lone_surrogate_is_hashed_like_other_text() -> None:
    left, secrets = redact({"E": {"PASSWORD": MIXED + "\ud800"}}, ["E"], SALT)
    assert left == {"E": {"PASSWORD": REDACTED}}
    assert secrets[0].length == len(MIXED) + 1


@pytest.mark.parametrize(
    ("text", "bits"),
    [("", 0.0), ("aaaa", 0.0), ("abab", 1.0), ("abcd", 2.0), ("aab", 0.92), ("0123456789abcdef", 4.0)],
)
def test_entropy_is_in_bits_per_character(text: str, bits: float) -> None:
    assert entropy(text) == bits


# ---- scripts


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_script_loses_its_secrets_and_keeps_all_else() -> None:
    script = f"""#!/bin/bash
set -e
export AWS_ACCESS_KEY_ID={KEY_ID}
export AWS_SECRET_ACCESS_KEY="{SECRET_KEY}"
aws configure set aws_secret_access_key {SECRET_KEY}
cat > ~/.ssh/id_rsa <<EOF
{PEM}
EOF
git clone https://me:{MIXED}@github.com/org/repo.git
TOKEN=$(aws secretsmanager get-secret-value --secret-id prod/db --query SecretString)
pip install --index-url https://host.example.com/simple package
mysql --password {MIXED}
curl https://host.example.com/install.sh | sh
"""
    left, secrets = redact_script(encoded(script), "OnStart[0].Content", SALT)
    assert (
        base64.b64decode(left).decode()
        == f"""#!/bin/bash
set -e
export AWS_ACCESS_KEY_ID={REDACTED}
export AWS_SECRET_ACCESS_KEY="{REDACTED}"
aws configure set aws_secret_access_key {REDACTED}
cat > ~/.ssh/id_rsa <<EOF
{REDACTED}
EOF
git clone https://{REDACTED}@github.com/org/repo.git
TOKEN=$(aws secretsmanager get-secret-value --secret-id prod/db --query SecretString)
pip install --index-url https://host.example.com/simple package
mysql --password {REDACTED}
curl https://host.example.com/install.sh | sh
"""
    )
    assert secrets == [
        kept("OnStart[0].Content:3", "aws-access-key-id", KEY_ID),
        kept("OnStart[0].Content:4", "aws-secret-access-key", SECRET_KEY),
        kept("OnStart[0].Content:5", "aws-secret-access-key", SECRET_KEY),
        kept("OnStart[0].Content:7", "private-key", PEM),
        kept("OnStart[0].Content:12", "url-userinfo", f"me:{MIXED}"),
        kept("OnStart[0].Content:15", "named-secret", MIXED),
    ]


@pytest.mark.parametrize(
    "script",
    [
        "",
        "#!/bin/bash\necho hello\n",
        'grep -q "-----BEGIN RSA PRIVATE KEY-----" key.pem; then\n  echo ok\nfi',
        'echo "-----BEGIN PRIVATE KEY-----" > k\necho "$KEY" >> k\necho "-----END PRIVATE KEY-----" >> k',
        'read -s -p "password: " PASSWORD',
        "# token: ask the platform team\nexport HF_TOKEN=$TOKEN\n",
        'if [ "$TOKEN" == "Ab9xK2mB7v-none" ]; then exit; fi',
        "pip install -r requirements.txt --extra-index-url https://host.example.com/simple",
    ],
)
def test_a_script_without_secrets_is_the_same(script: str) -> None:
    assert redact_script(encoded(script), "Content", SALT) == (encoded(script), [])


def test_base64_with_line_ends_is_read() -> None:
    content = "\n".join(re.findall(".{1,20}", encoded(f"export PASSWORD={MIXED}")))
    left, secrets = redact_script(content, "C", SALT)
    assert left == encoded(f"export PASSWORD={REDACTED}")
    assert secrets == [kept("C:1", "named-secret", MIXED)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not base64!", "the script is not base64"),
        ("abc", "the script is not base64"),
        ("ümlaut", "the script is not base64"),
        (base64.b64encode(b"\x1f\x8b\x08secret").decode(), "the script is not UTF-8 text"),
    ],
)
def test_an_undecodable_script_is_said_so_without_its_content(content: str, message: str) -> None:
    with pytest.raises(Undecodable) as raised:
        redact_script(content, "C", SALT)
    assert str(raised.value) == message
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


# ---- messages

UNTOUCHED = [
    "",
    f"commit {HEX_40}",
    "The security token included in the request is invalid.",
    "User: arn:aws:sts::123456789012:assumed-role/Auditor/session is not authorized to perform: sagemaker:Search",
]
SCRUBBED = [
    (f"The key {KEY_ID} is unknown", f"The key {REDACTED} is unknown"),
    (f"signed with {SECRET_KEY}.", f"signed with {REDACTED}."),
    (f"token IQoJb3JpZ2luX2Vj{4 * MIXED}== expired", f"token {REDACTED} expired"),
    (
        f"Authorization: AWS4-HMAC-SHA256 Credential={KEY_ID}/2026/x, Signature=ab12",
        f"Authorization: {REDACTED}",
    ),
    (f"{{'Authorization': 'Bearer {MIXED}', 'b': 1}}", f"{{'Authorization': '{REDACTED}', 'b': 1}}"),
    (
        "GET https://b.example.com/k?X-Amz-Credential=A%2F1&X-Amz-Date=1&X-Amz-Signature=0f3a&x=1",
        f"GET https://b.example.com/k?X-Amz-Credential={REDACTED}&X-Amz-Date=1&X-Amz-Signature={REDACTED}&x=1",
    ),
    ("x-amz-security-token:IQoJabc", f"x-amz-security-token:{REDACTED}"),
    (f"proxy http://me:{MIXED}@proxy:3128 refused", f"proxy http://{REDACTED}@proxy:3128 refused"),
    (f"aws_session_token={MIXED}", f"aws_session_token={REDACTED}"),
    *((text, text) for text in UNTOUCHED),
]


@pytest.mark.parametrize(("text", "expected"), SCRUBBED)
def test_messages_are_scrubbed(text: str, expected: str) -> None:
    assert scrub(text) == expected


# ---- properties

_FILLER = st.text(string.ascii_lowercase + " _-./:=\"'{}[],;&<>\\$\n0123456789", max_size=40)
_RANDOM = st.text(string.ascii_letters + string.digits + "+!#%*", min_size=20, max_size=60).filter(
    # Words, variables and placeholders are no secrets whatever their name; the tables above say so.
    lambda text: entropy(text) >= 3.5 and re.match("[A-Za-z][0-9]", text) and not text.isalnum()
)
_BASE62 = st.text(string.ascii_letters + string.digits, min_size=40, max_size=40)
_SHAPED = st.one_of(
    st.text(string.ascii_uppercase + string.digits, min_size=16, max_size=16).map("AKIA".__add__),
    *(
        _BASE62.map(prefix.__add__)
        for prefix in ("hf_", "ghp_", "glpat-", "xoxb-", "sk-ant-", "npm_", "sk-proj-")
    ),
)
_NAMES = st.sampled_from(
    ["PASSWORD", "db_passwd", "API_KEY", "accessToken", "client-secret", "AWS_SECRET_ACCESS_KEY"]
)


@st.composite
def _planted(draw: st.DrawFn) -> tuple[str, str, str]:
    """A member's name, its value, and the secret in it."""
    if draw(st.booleans()):
        secret = draw(_SHAPED)
        return (
            draw(st.sampled_from(["X", "model", "TOKEN"])),
            f"{draw(_FILLER)} {secret} {draw(_FILLER)}",
            secret,
        )
    secret = draw(_RANDOM)
    name = draw(_NAMES)
    value = draw(
        st.sampled_from(
            [
                secret,
                json.dumps(secret),
                f"--x {name}={secret} ",
                f'{{"{name}": "{secret}"}}',
                f"export {name}='{secret}'",
            ]
        )
    )
    return name, value, secret


@given(st.lists(_planted(), min_size=1, max_size=4), st.binary(min_size=1, max_size=16))
@settings(max_examples=300, deadline=None)
def test_nothing_of_a_planted_secret_is_kept(planted: list[tuple[str, str, str]], salt: bytes) -> None:
    document: dict[str, object] = {
        "Environment": {name: value for name, value, _ in planted[:1]},
        "Containers": [{"Environment": {name: value}} for name, value, _ in planted],
        "Arguments": [
            value for name, value, secret in planted if value != secret and value != json.dumps(secret)
        ],
    }
    before = copy.deepcopy(document)
    left, secrets = redact(document, ["Environment", "Containers[].Environment", "Arguments[]"], salt)
    assert document == before
    kept_text = json.dumps([left, [dataclasses.asdict(secret) for secret in secrets]])
    assert [secret for _, _, secret in planted if secret in kept_text] == []
    assert len(secrets) >= len(planted)


@given(st.text(max_size=300), st.sampled_from(["X", "PASSWORD", "aws", "wandb", ""]))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_scanned(text: str, name: str) -> None:
    document: dict[str, object] = {"E": {name: text}}
    left, secrets = redact(document, ["E"], SALT)
    assert (left == document) == (not secrets)
    scrub(text)


ADVERSARIAL = [
    "a",
    "eyJ",
    "-eyJ",
    'password="',
    'password=\\"',
    "password='",
    "password=",
    "password:",
    "password ",
    "--password ",
    "x://a:",
    "x://:@",
    "://",
    "AKIA",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ",
    "-----END",
    "authorization: bearer ",
    "wandb login --a ",
    "AccountKey=",
    "hf_",
    '\\"',
    '"',
    "[",
    "/a",
    "A1b/",
    "=",
    " ",
    "\n",
    "x7Kq9ZmB2vTn4LpR8sWd,token=",
]


@pytest.mark.parametrize("piece", ADVERSARIAL)
def test_a_long_hostile_value_is_scanned_to_its_end(piece: str) -> None:
    text = (piece * (65536 // len(piece) + 1))[:65536]
    left, _ = redact({"E": {"PASSWORD": text}, "A": [text]}, ["E", "A[]"], SALT)
    assert set(left) == {"E", "A"}
    assert len(scrub(text)) <= len(text) * 10
    redact_script(encoded(text), "C", SALT)
