"""One page with one row, for the CSRF check of components."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from web.style_samples import samples


@login_not_required
def row(request: HttpRequest) -> HttpResponse:
    """Answer the row on GET, and that the post arrived on POST."""
    if request.method == "POST":
        return HttpResponse("arrived")
    source = "{% include 'components/row_action.html' with row=row only %}"
    return HttpResponse(engines["django"].from_string(source).render({"row": samples()["rows"][1]}, request))


urlpatterns = [path("row/", row), path("auth/", include("allauth.urls"))]
