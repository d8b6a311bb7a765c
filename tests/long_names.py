"""The longest names that people really have, for tests of what fits."""

from facilities.models import Facility, Organization
from staff.models import Person
from users.models import User

SURNAME = "Wolfeschlegelsteinhausenbergerdorffvoralternwarengewissenhaft"[:60]
FACILITY = "The Saint Bartholomew Memorial Rehabilitation and Extended Care Center of Greater Lakeview"
EMAIL = "person{}.wolfeschlegelsteinhausenbergerdorffvoralternwaren@department.of.a.very-long-name.example.org"


def lengthen(organization: Organization) -> None:
    """Give everybody a surname of 60 letters without a blank and a long address, every facility a name of 90 signs."""
    for person in Person.objects.filter(organization=organization):
        email = EMAIL.format(person.pk)
        Person.objects.filter(pk=person.pk).update(last_name=SURNAME, email=email)
        User.objects.filter(pk=person.user_id).update(name=f"{person.first_name} {SURNAME}", email=email)
    Facility.objects.filter(organization=organization).update(name=FACILITY)
