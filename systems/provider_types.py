"""The kinds of provider that paths, prerequisites and quotas speak of, and how CCN types fall under them."""

from typing import Final

from django.db import models


class ProviderType(models.TextChoices):
    """Provider kinds as the access paths use them (PATH-1 … PATH-13)."""

    NURSING = "nursing", "Nursing facility (SNF/NF)"
    SWING_BED = "swing-bed", "Swing bed"
    LICENSED_ONLY = "licensed-only", "Licensed-only nursing facility (no CCN)"
    HHA = "hha", "Home health agency"
    HOSPICE = "hospice", "Hospice"
    IRF = "irf", "Inpatient rehabilitation facility"
    LTCH = "ltch", "Long-term care hospital"
    HOSPITAL = "hospital", "Hospital"
    CAH = "cah", "Critical access hospital"
    IPF = "ipf", "Inpatient psychiatric facility"
    ASC = "asc", "Ambulatory surgical center"
    DIALYSIS = "dialysis", "Dialysis facility"
    OTHER = "other", "Other provider"


# Types of the CCN range table and its letters -> kind here; a type that is not listed is OTHER.
_KIND_OF_CCN_TYPE: Final = {
    "SNF": ProviderType.NURSING,
    "NF": ProviderType.NURSING,
    "HHA": ProviderType.HHA,
    "HOSPICE": ProviderType.HOSPICE,
    "IRF": ProviderType.IRF,
    "LTCH": ProviderType.LTCH,
    "ACUTE": ProviderType.HOSPITAL,
    "CHILD": ProviderType.HOSPITAL,
    "DEMO": ProviderType.HOSPITAL,
    "CAH": ProviderType.CAH,
    "PSYCH": ProviderType.IPF,
    "ASC": ProviderType.ASC,
    "ESRD-HB": ProviderType.DIALYSIS,
    "ESRD-I": ProviderType.DIALYSIS,
    "ESRD-SP": ProviderType.DIALYSIS,
    "ESRD-HBS": ProviderType.DIALYSIS,
    "ESRD-HBSP": ProviderType.DIALYSIS,
}


def kind_of(ccn_type: str, *, licensed_only: bool = False) -> ProviderType:
    """Return the provider kind of a CCN type code such as ``SNF`` or ``ESRD-I``; OTHER where none fits."""
    if licensed_only:
        return ProviderType.LICENSED_ONLY
    return _KIND_OF_CCN_TYPE.get(ccn_type.upper(), ProviderType.OTHER)
