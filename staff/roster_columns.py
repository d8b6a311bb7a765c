"""What the columns of a roster may be called, and which of them a roster cannot do without."""

from collections.abc import Mapping
from typing import Final

from imports.columns import Field, Guess, column_names, guess_columns

FIELDS: Final = (
    Field(
        "employee_number",
        ("employeenumber", "employeeid", "employeeno", "employeecode", "empnumber", "empid", "empno", "empcode",
         "eenumber", "eeid", "eeno", "workerid", "workernumber", "associateid", "associatenumber", "staffid",
         "staffnumber", "staffno", "personnelnumber", "personnelno", "personnelid", "payrollnumber", "payrollid",
         "filenumber", "fileno", "clocknumber", "badgenumber", "badgeid", "hrid", "personid", "id"),
        ("employee number", "employee id", "emp id", "emp no", "employee no", "employee code", "worker id"),
    ),
    Field(
        "first_name",
        ("firstname", "first", "givenname", "given", "fname", "forename", "legalfirstname", "employeefirstname",
         "preferredfirstname"),
        ("first name", "given name"),
        frozenset({"last"}),
    ),
    Field(
        "last_name",
        ("lastname", "last", "surname", "familyname", "lname", "legallastname", "employeelastname"),
        ("last name", "family name"),
        frozenset({"first"}),
    ),
    Field(
        "full_name",
        ("fullname", "name", "employeename", "employee", "staffname", "staffmember", "workername", "associatename",
         "personname", "lastfirst", "lastnamefirstname", "firstnamelastname", "firstlast", "namelastfirst",
         "payrollname", "legalname", "displayname"),
        ("employee name", "full name", "staff name", "worker name", "name last first", "last name first name"),
        frozenset({"facility", "location", "building", "job", "department", "company"}),
    ),
    Field(
        "email",
        ("workemail", "workemailaddress", "email", "emailaddress", "businessemail", "companyemail", 
         "mail", "employeeemail", "workmail"),
        ("work email", "email", "e mail"),
    ),
    Field(
        "phone",
        ("workphone", "phone", "phonenumber", "workphonenumber", "telephone", "telephonenumber", "tel", "businessphone",
         "officephone", "mobile", "mobilephone", "cell", "cellphone"),
        ("work phone", "phone"),
        frozenset({"facility", "building", "fax"}),
    ),
    Field(
        "job_title",
        ("jobtitle", "job", "title", "position", "positiontitle", "role", "occupation", "jobname", "jobdescription",
         "jobtitledescription", "positiondescription", "jobposition"),
        ("job title", "position title", "job name", "job description"),
        frozenset({"date", "code", "start", "end", "effective", "id", "number"}),
    ),
    Field(
        "ccn",
        ("ccn", "ccnnumber", "facilityccn", "cmscertificationnumber", "cmscertificationnumberccn", "providernumber",
         "medicareprovidernumber", "medicarenumber", "medicareid", "federalprovidernumber", "certificationnumber",
         "oscarnumber", "cmsid"),
        ("ccn", "certification number", "medicare provider number", "provider number"),
    ),
    Field(
        "facility",
        ("facility", "facilityname", "worklocation", "location", "locationname", "worksite", "site", "sitename",
         "building", "buildingname", "center", "community", "communityname", "campus", "workplace", "provider",
         "providername", "nursinghome", "branch", "homefacility", "facilityid", "providerid"),
        ("facility", "work location", "location name", "site name", "building name"),
        frozenset({"phone", "fax", "address", "city", "state", "zip", "code", "type", "id", "number", "email", "date"}),
    ),
    Field(
        "start_date",
        ("startdate", "hiredate", "dateofhire", "datehired", "hired", "startedon", "start", "employmentstartdate",
         "starton", "doh", "mostrecenthiredate", "lasthiredate", "rehiredate", "originalhiredate", "originaldateofhire",
         "positionstartdate", "validfrom", "from"),
        ("hire date", "start date", "date hired", "date of hire"),
        frozenset({"end", "termination", "leave", "benefit", "benefits", "pay"}),
    ),
    Field(
        "end_date",
        ("enddate", "terminationdate", "termdate", "dateoftermination", "separationdate",
         "lastdayworked", "lastday", "lastworkingday", "endedon", "end", "employmentenddate", "leavedate",
         "leavingdate", "exitdate", "dateleft", "termination", "terminated", "termedon", "validto", "until"),
        ("termination date", "term date", "end date", "separation date", "last day worked"),
        frozenset({"start", "hire", "benefit", "benefits", "pay", "leave"}),
    ),
    Field(
        "status",
        ("status", "employmentstatus", "employeestatus", "empstatus", "workstatus", "workerstatus", "staffstatus",
         "positionstatus", "hrstatus", "active", "statuscode", "statusdescription", "currentstatus"),
        ("employment status", "employee status", "position status"),
        frozenset({"date", "marital", "effective", "flsa", "vaccination", "change"}),
    ),
)  # fmt: skip


def guess_roster(header: list[str], chosen: Mapping[str, str] | None = None) -> Guess:
    """Return what the header means; a column with whole names counts only where first and last are not apart.

    ``chosen``: field -> name of its column, where a person said so.
    """
    guess = guess_columns(header, FIELDS, chosen)
    if guess.has("first_name", "last_name") and "full_name" in guess.columns:
        spare = guess.columns["full_name"]
        columns = {name: column for name, column in guess.columns.items() if name != "full_name"}
        return Guess(columns, (*guess.unknown, spare.title), guess.secrets)
    return guess


def missing_from(guess: Guess) -> list[str]:
    """Return in words what a roster cannot do without and this header does not have."""
    missing = []
    if not guess.has("first_name", "last_name") and "full_name" not in guess.columns:
        missing.append("the person's name (columns such as “First Name” and “Last Name”, or “Employee Name”)")
    if "ccn" not in guess.columns and "facility" not in guess.columns:
        missing.append("the facility (a column such as “CCN”, “Facility” or “Location”)")
    return missing


def knows(header: list[str], chosen: Mapping[str, str] | None = None) -> bool:
    """Return whether the header is a roster's: it has every chosen column, or else all that a roster needs."""
    named = set((chosen or {}).values()) - {""}
    if named:
        return named <= set(column_names(header))
    return not missing_from(guess_roster(header, chosen))
