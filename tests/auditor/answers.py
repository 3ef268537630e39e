"""What Larkspur's people might have answered, for tests on the demo account."""

from datetime import date, timedelta

from auditor.settings import Attestation

OWNER = "ml-platform@larkspur.example"


def answers(today: date) -> dict[str, Attestation]:
    """What Larkspur's people have answered: some of the questions, one of them long ago, and one with no."""
    recent, old = today - timedelta(days=40), today - timedelta(days=700)
    return {
        "OPS-028": Attestation("retention, precision of churn at 10 %, dashboard retention", OWNER, recent),
        "OPS-030": Attestation(answer=False, owner=OWNER, date=recent),
        "SEC-067": Attestation("HIPAA, compliance@larkspur.example", OWNER, recent),
        "SEC-068": Attestation(answer=True, owner=OWNER, date=recent),
        "REL-024": Attestation("RTO 4 h, rebuilt in eu-central-1, last test in spring", OWNER, old),
    }
