"""What a column of a list may be, in the words of the pages."""

from collections.abc import Mapping
from typing import Final

PEOPLE_FIELDS: Final[Mapping[str, str]] = {
    "employee_number": "Employee number",
    "first_name": "First name",
    "last_name": "Last name",
    "full_name": "First and last name in one",
    "email": "Work e-mail",
    "phone": "Phone",
    "job_title": "Job",
    "ccn": "CCN",
    "facility": "Facility",
    "start_date": "First day",
    "end_date": "Last day",
    "status": "Status",
}
ACCOUNT_FIELDS: Final[Mapping[str, str]] = {
    **{
        name: PEOPLE_FIELDS[name]
        for name in ("employee_number", "first_name", "last_name", "full_name", "email", "ccn", "facility")
    },
    "system": "System",
    "application": "Application of a portal",
    "user_id": "User ID",
    "role": "Role",
    "role_status": "Status of the access",
    "requested_on": "Requested on",
    "granted_on": "Granted on",
    "last_login_on": "Last sign-in",
    "last_certified_on": "Last certified on",
    "approver": "Approver",
}
