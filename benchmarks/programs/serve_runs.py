"""Serves a fixed list of runs behind TLS until its standard input ends: what a client that lists runs needs.

The pages are made before the first request, and each answer waits for `delay` seconds, so that what is
measured is the client.
"""

import asyncio
import json
import ssl
import sys
from typing import Any

from aiohttp import web

ROWS, PAGE = 10_000, 100


def run(number: int) -> dict[str, Any]:
    """A finished run as dbt Cloud lists it: about 1.8 KB."""
    texts = (
        "git_branch",
        "git_sha",
        "status_message",
        "owner_thread_id",
        "executed_by_thread_id",
        "dbt_version",
    )
    flags = (
        "artifacts_saved",
        "has_docs_generated",
        "has_sources_generated",
        "notifications_sent",
        "can_retry",
    )
    times = ("created_at", "updated_at", "dequeued_at", "started_at", "finished_at", "last_checked_at")
    spans = ("duration", "queued_duration", "run_duration")
    nothing = ("trigger", "job", "environment", "deprecation", "deferring_run_id", "retrying_run_id", "audit")
    return {
        "id": 70_403_100_000_000 + number,
        "trigger_id": 70_403_200_000_000 + number,
        "account_id": 1,
        "environment_id": 1,
        "project_id": 1,
        "job_definition_id": 7,
        "status": 10,
        "artifact_s3_path": f"prod-us-c1/runs/{number}/artifacts/target",
        "href": f"https://ab123.us1.dbt.com/deploy/1/projects/1/runs/{number}/",
        **{name: f"{name} of run {number}" for name in texts},
        **dict.fromkeys(flags, True),
        **dict.fromkeys(times, "2026-11-28 08:00:00.123456+00:00"),
        **{f"{name}_humanized": "2 hours, 3 minutes ago" for name in (*times, *spans)},
        **dict.fromkeys(spans, "02:03:04"),
        **dict.fromkeys(nothing),
        "run_steps": [],
        "status_humanized": "Success",
        **{
            f"is_{name}": name in {"complete", "success"}
            for name in ("complete", "success", "error", "cancelled")
        },
    }


def pages() -> dict[int, bytes]:
    """The body of each page by its offset."""
    rows = [run(number) for number in range(ROWS)]
    status = {"code": 200, "is_success": True, "user_message": "Success!", "developer_message": ""}
    made = {}
    for offset in range(0, ROWS, PAGE):
        extra = {
            "filters": {"limit": PAGE, "offset": offset},
            "pagination": {"count": PAGE, "total_count": ROWS},
        }
        made[offset] = json.dumps(
            {"status": status, "data": rows[offset : offset + PAGE], "extra": extra}
        ).encode()
    return made


async def serve(told: dict[str, Any]) -> None:
    """Serve until standard input ends, after printing the address."""
    bodies, delay = pages(), told.get("delay", 0.0)

    async def listed(request: web.Request) -> web.Response:
        await asyncio.sleep(delay)
        body = bodies[int(request.query.get("offset", "0"))]
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/api/v2/accounts/1/runs/", listed)
    app.router.add_get("/api/v2/accounts/1/runs", listed)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(told["certificate"])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    assert site._server is not None  # noqa: SLF001 -- the port that was free
    print(f"https://localhost:{site._server.sockets[0].getsockname()[1]}", flush=True)  # noqa: SLF001 -- as above
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
