"""A Django site with two views: one lists the projects of a dbt Cloud account, one runs a job.

Start it with `python django_site.py runserver`. It reads DBT_BASE_URL, DBT_TOKEN and DBT_ACCOUNT_ID.
"""

import json
import os
import sys
from collections.abc import Callable

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from dbtcloud import DbtCloudClient
from dbtcloud.errors import BadRequest, DbtCloudError, NotFound, RateLimited, Unprocessable

settings.configure(
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=[f"{__name__}.AnswerErrors"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.getenv("SECRET_KEY", "only for a site on your own machine"),
    DBT_BASE_URL=os.getenv("DBT_BASE_URL", "https://ab123.us1.dbt.com/api"),
    DBT_TOKEN=os.getenv("DBT_TOKEN"),
    DBT_ACCOUNT_ID=os.getenv("DBT_ACCOUNT_ID"),
)

client = DbtCloudClient(
    token=settings.DBT_TOKEN, account_id=settings.DBT_ACCOUNT_ID, host=settings.DBT_BASE_URL
)
"""All threads of the site share the client and its connections."""

PASSED_ON = (BadRequest, NotFound, Unprocessable, RateLimited)
"""What dbt Cloud says about the request of this site's own user. Any other failure is a 502 of this site."""


@require_GET
def list_projects(request: HttpRequest) -> JsonResponse:
    """Answer with one page of the account's projects."""
    page = Paginator(client.projects.list().all(), per_page=20).get_page(request.GET.get("page"))
    projects = [{"id": project.id, "name": project.name} for project in page]
    facts = {"count": page.paginator.count, "pages": page.paginator.num_pages}
    return JsonResponse({**facts, "results": projects})


@csrf_exempt
@require_POST
def trigger_job(request: HttpRequest, job_id: int) -> JsonResponse:
    """Start a run of a job, and answer with its id and its address."""
    cause = json.loads(request.body or "{}").get("cause", "Triggered from Django")
    run = client.jobs.run(job_id, cause=cause)
    return JsonResponse({"run_id": run.id, "url": run.href}, status=201)


class AnswerErrors:
    """A middleware that turns errors of dbt Cloud into answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer to a request."""
        return self.get_response(request)

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the answer to a request whose view has raised an error."""
        if not isinstance(error, DbtCloudError):
            return None
        status = error.status if isinstance(error, PASSED_ON) else 502
        response = JsonResponse({"error": str(error)}, status=status)
        if isinstance(error, RateLimited):
            response["Retry-After"] = round(error.retry_after or 300)
        return response


urlpatterns = [
    path("projects/", list_projects),
    path("jobs/<int:job_id>/run/", trigger_job),
]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
