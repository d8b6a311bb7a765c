"""What the columns of a list of accounts may be called, and what such a list cannot do without. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from imports.columns import Field, Guess, guess_columns
from staff.roster_columns import FIELDS as ROSTER

_PERSON: Final = {field.name: field for field in ROSTER}
_NUMBER: Final = _PERSON["employee_number"]
FIELDS: Final = (
    # "ID" alone is as likely the ID on the system: it is left to a person.
    replace(_NUMBER, titles=tuple(title for title in _NUMBER.titles if title not in {"id", "personid", "badgeid"})),
    _PERSON["first_name"],
    _PERSON["last_name"],
    replace(_PERSON["full_name"], titles=(*_PERSON["full_name"].titles, "user", "userfullname", "username")),
    _PERSON["email"],
    _PERSON["ccn"],
    _PERSON["facility"],
    Field(
        "system",
        ("system", "systemname", "cmssystem", "portal", "portalname", "accounttype", "accountsystem", "site"),
        ("system name", "portal name"),
        frozenset({"id", "date", "status", "login"}),
    ),
    Field("application", ("application", "app", "applicationname", "appname", "module"), ("application name",)),
    Field(
        "user_id",
        ("userid", "loginname", "loginid", "login", "userlogin", "accountid", "cmsuserid", "harpid", "harpuserid",
         "qiesid", "qiesuserid", "idmuserid", "idmid", "eidmuserid", "cmsnetid", "cmsnetuserid", "networkid", "userno",
         "useraccount", "accountname", "logonid", "logonname", "logon", "signinid", "username"),
        ("user id", "login id", "login name", "logon id"),
        frozenset({"last", "date", "type", "status"}),
    ),
    Field(
        "role",
        ("role", "roles", "rolename", "userrole", "userroles", "access", "accesslevel", "permission", "permissions",
         "accesstype", "securityrole", "applicationrole", "accessrole", "rolegroup"),
        ("role name", "user role", "access level", "access role"),
        frozenset({"status", "date", "approver", "granted", "requested"}),
    ),
    Field(
        "role_status",
        ("rolestatus", "accountstatus", "userstatus", "accessstatus", "status", "state", "loginstatus", "acctstatus",
         "currentstatus", "active", "isactive", "enabled", "isenabled"),
        ("role status", "account status", "user status", "access status", "acct status", "status"),
        frozenset({
            "date", "change", "changed", "employment", "employee", "marital", "proofing", "mfa", "license", "training",
        }),
    ),
    Field(
        "requested_on",
        ("requestedon", "requestdate", "daterequested", "requested", "submittedon", "submitted"),
        ("request date", "date requested", "requested on"),
    ),
    Field(
        "granted_on",
        ("grantedon", "granted", "dategranted", "grantdate", "approvedon", "approvaldate", "dateapproved", 
         "activatedon", "activationdate", "accountcreated", "dateadded", "accesssince", "since", "effectivedate",
         "rolegranted"),
        ("date granted", "grant date", "approval date", "date approved", "activation date", "granted on"),
        frozenset({"certified", "last"}),
    ),
    Field(
        "last_login_on",
        ("lastloginon", "lastlogin", "lastlogindate", "datelastlogin", "lastloggedin", "lastlogon", "lastlogondate",
         "lastsignin", "lastsignindate", "lastsignedin", "lastaccess", "lastaccessed", "lastaccessdate", "lastused",
         "lastactivity", "lastactive", "lastseen", "lastlogindatetime", "lastlogintime", "lastsuccessfullogin",
         "lasttimein", "lasttimeloggedin"),
        ("last login", "last logon", "last sign in", "last logged in", "last access", "last activity", "last seen"),
        frozenset({"ip", "address", "failed", "count", "by"}),
    ),
    Field(
        "last_certified_on",
        ("lastcertifiedon", "lastcertified", "certifiedon", "certificationdate", "lastcertification", "recertifiedon"),
        ("last certified", "certification date", "date certified"),
    ),
    Field(
        "approver",
        ("approver", "approvedby", "certifiedby", "approvername", "lastcertifiedby", "grantedby"),
        ("approver name",),
        frozenset({"email", "phone", "date"}),
    ),
)  # fmt: skip
LACKS_SYSTEM: Final = "the system (a column “System”, or one system that the whole list is about)"
DAYS: Final = ("requested_on", "granted_on", "last_login_on", "last_certified_on")


def guess_accounts(header: list[str], chosen: Mapping[str, str] | None = None) -> Guess:
    """Return what the header means; a column with whole names counts only where first and last are not apart."""
    guess = guess_columns(header, FIELDS, chosen)
    if guess.has("first_name", "last_name") and "full_name" in guess.columns:
        spare = guess.columns["full_name"]
        columns = {name: column for name, column in guess.columns.items() if name != "full_name"}
        return Guess(columns, (*guess.unknown, spare.title), guess.secrets)
    return guess


def says_where(guess: Guess) -> bool:
    """Return whether rows name a facility; a list that does not is one of logins."""
    return bool({"ccn", "facility"} & guess.columns.keys())


def missing_from(guess: Guess, *, system_known: bool = False) -> list[str]:
    """Return in words what a list of accounts cannot do without and this header does not have."""
    missing = []
    named = guess.has("first_name", "last_name") or "full_name" in guess.columns
    if not named and not {"email", "employee_number", "user_id"} & guess.columns.keys():
        missing.append("whose account a row is (columns such as “User ID”, “E-mail” or “First Name” and “Last Name”)")
    if not says_where(guess) and "last_login_on" not in guess.columns:
        missing.append("the facility (a column such as “CCN” or “Facility”), or in a list of logins the last login")
    if not system_known and not {"system", "application"} & guess.columns.keys():
        missing.append(LACKS_SYSTEM)
    return missing


def knows(header: list[str], chosen: Mapping[str, str] | None = None) -> bool:
    """Return whether the header is that of a list of accounts; of which system may be said elsewhere."""
    return not missing_from(guess_accounts(header, chosen), system_known=True)
