"""How texts begin, whatever their case: a condition that is one range of an index on both engines."""

from typing import Any, Final

from django.db.models import F, Func, Q, Value
from django.db.models.functions import Upper
from django.db.models.lookups import Exact, GreaterThanOrEqual, LessThan
from django.utils.deconstruct import deconstructible
from django.utils.functional import cached_property

LAST: Final = "\U0010ffff"  # behind everything that can follow a beginning


@deconstructible(path="staff.beginnings.Folded")
class Folded(Func):
    """A text in capitals, compared sign by sign: a language's order would not keep what begins alike together.

    Migrations carry a copy of this class, for they import nothing of ours.
    """

    function = "UPPER"

    @cached_property
    def identity(self) -> tuple[Any, ...]:
        """What makes it equal to another one: the copies count as the same."""
        return ("staff.beginnings.Folded", *super().identity[1:])

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template='(%(function)s(%(expressions)s) COLLATE "C")', **context)


def reads(field: str, text: str) -> Q:
    """Return the condition that a field says exactly this. Capitals do not matter."""
    return Q(Exact(Folded(F(field)), Upper(Value(text))))


def begins(field: str, text: str) -> Q:
    """Return the condition that a field begins so; it uses an index on ``Folded(field)``. Capitals do not matter."""
    folded = Folded(F(field))
    return Q(
        GreaterThanOrEqual(folded, Upper(Value(text))),
        LessThan(folded, Upper(Value(text + LAST))),
    )
