"""Make an OpenTelemetry span of each request to dbt Cloud. The callbacks never see the token."""

import time

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from dbtcloud import DbtCloudClient
from dbtcloud.resources.base.tracing import ResponseEvent

tracer = trace.get_tracer("dbtcloud")


def record_span(event: ResponseEvent) -> None:
    """Record a span that ends now and began when the request was sent."""
    end = time.time_ns()
    span = tracer.start_span(
        f"{event.method} {event.path}", kind=SpanKind.CLIENT, start_time=end - int(event.seconds * 1e9)
    )
    span.set_attribute("http.request.method", event.method)
    span.set_attribute("url.path", event.path)
    span.set_attribute("http.request.resend_count", event.attempt - 1)
    if event.status is not None:
        span.set_attribute("http.response.status_code", event.status)
    if event.error is not None:
        span.set_status(Status(StatusCode.ERROR, str(event.error)))
    span.end(end_time=end)


client = DbtCloudClient(on_response=record_span)
