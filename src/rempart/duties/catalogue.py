"""The names of duties and of the questions they hang on, as orders may spell them; ``obligations.toml`` says the rest.

A test holds both against one another.
"""

from enum import StrEnum


class QuestionId(StrEnum):
    """A question that only the institution can answer."""

    NIS2_SCOPE = "nis2-scope"
    FTE = "fte"
    TURNOVER = "turnover-eur"
    BALANCE = "balance-eur"
    CARE_GIVEN = "care-given"
    INDEPENDENT_IT = "independent-it"
    SIGNIFICANT_INCIDENT = "significant-incident"
    NIS2_REPORT_ASKED = "nis2-report-asked"
    NIS2_STILL_RUNNING = "nis2-still-running"
    SERVICE_RECIPIENTS_AFFECTED = "service-recipients-affected"
    PERSONAL_DATA_BREACH = "personal-data-breach"
    RISK_TO_PERSONS = "risk-to-persons"
    HIGH_RISK_TO_PERSONS = "high-risk-to-persons"
    DEVICE_INCIDENT = "device-incident"
    EHEALTH_CERTIFICATE_EXPOSED = "ehealth-certificate-exposed"
    OFFENCE_SUSPECTED = "offence-suspected"
    INSURANCE_POLICY = "insurance-policy"
    INSURANCE_HOURS = "insurance-hours"
    PARTNERS_CONCERNED = "partners-concerned"
    AVIQ_WISHED = "aviq-wished"

    @property
    def number(self) -> bool:
        """Whether the answer is a number."""
        return self in _NUMBERS


_NUMBERS = frozenset({QuestionId.FTE, QuestionId.TURNOVER, QuestionId.BALANCE, QuestionId.INSURANCE_HOURS})

INSTITUTION = frozenset(
    {
        *_NUMBERS,
        QuestionId.NIS2_SCOPE,
        QuestionId.CARE_GIVEN,
        QuestionId.INDEPENDENT_IT,
        QuestionId.INSURANCE_POLICY,
        QuestionId.AVIQ_WISHED,
    }
)
"""Questions about the institution: answered once, the answer holds for every incident."""


class DutyId(StrEnum):
    """An obligation to tell somebody."""

    NIS2_EARLY_WARNING = "nis2-early-warning"
    NIS2_NOTIFICATION = "nis2-notification"
    NIS2_INTERMEDIATE_REPORT = "nis2-intermediate-report"
    NIS2_FINAL_REPORT = "nis2-final-report"
    NIS2_PROGRESS_REPORT = "nis2-progress-report"
    NIS2_RECIPIENTS = "nis2-recipients"
    GDPR_AUTHORITY = "gdpr-authority"
    GDPR_REGISTER = "gdpr-register"
    GDPR_PERSONS = "gdpr-persons"
    POLICE_COMPLAINT = "police-complaint"
    DEVICE_INCIDENT = "device-incident"
    EHEALTH_CERTIFICATE = "ehealth-certificate"
    INSURER = "insurer"
    PARTNERS = "partners"
    AVIQ = "aviq"
