"""Whatever goes wrong while a run is started, dbt Cloud never has two, and the task says what it knows.

docs/explanation.md lists these scenes. If it does not agree, the last test shows the tables that it needs.
"""

import html
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from airflow_dbt_cloud.exceptions import DbtCloudApiException
from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator
from dbtcloud.client.errors import AmbiguousStart
from unreliable_dbt_cloud import JOB, Faults, Killed, UnreliableDbtCloud
from wires.raw import answer, envelope, refusal

PAGE = Path(__file__).parents[3] / "docs" / "explanation.md"

TAKEN, NEXT = "takes the run", "the next try takes the run"
LATER, REFUSED = "starts a run", "fails with dbt Cloud's error"
UNKNOWN = "fails: the outcome is unknown"


@dataclass(frozen=True)
class Scene:
    """What goes wrong in the first try of a task, and what becomes of it.

    Attributes:
        name: What goes wrong.
        faults: The same for the server.
        task: What the task does.
        seconds: How long the start takes in all tries, by the server's clock.
        kill: Where the first try is killed.
        has_store: Whether Airflow stores the task's state, as from 3.3 on.
        retry_delay: Seconds between two tries.
    """

    name: str
    faults: Faults
    task: str
    seconds: float
    kill: str = ""
    has_store: bool = True
    retry_delay: float = 0.0

    @property
    def row(self) -> str:
        return f"| {self.name} | {self.task} | {self.seconds:g} |"


def lost(**faults):
    return Faults(answer=None, **faults)


def answered(status, body=b"<html>no</html>", **faults):
    return Faults(answer=answer(body, status), **faults)


def cause(alter):
    return lambda run: {**run, "trigger": {"cause": alter(run["trigger"]["cause"])}}


def without(name):
    return lambda run: {key: value for key, value in run.items() if key != name}


def with_field(name, value):
    return lambda run: {**run, name: value}


def created(alter):
    return lambda run: {**run, "created_at": alter(run["created_at"])}


LIMITED = answer({}, 429, {"Retry-After": "1"})
DAY_PART = timedelta(hours=6)
LOST_ANSWERS = [
    Scene("the connection is closed", lost(), TAKEN, 1),
    Scene("silence until the request times out", Faults(answer="silence"), TAKEN, 1),
    Scene("500", answered(500), TAKEN, 1),
    Scene("502, a web page", answered(502), TAKEN, 1),
    Scene("408", answered(408, {}), TAKEN, 1),
    Scene("a body that is cut", Faults(answer=answer(envelope({"id": 1000}), cut=9)), TAKEN, 1),
    Scene("an empty 200", answered(200, b""), TAKEN, 1),
    Scene("204", answered(204, b""), TAKEN, 1),
    Scene("a 200 without data", answered(200, envelope(None)), TAKEN, 1),
    Scene("a login page", answered(200), TAKEN, 1),
    Scene("a redirect", Faults(answer=answer(b"", 302, {"Location": "/login"})), TAKEN, 1),
    Scene("429", Faults(answer=LIMITED), TAKEN, 1),
    Scene("429 without `Retry-After`", answered(429, {}), TAKEN, 60),
    Scene("401", Faults(answer=refusal(401, "no")), TAKEN, 0),
    Scene("400", Faults(answer=refusal(400, "no")), TAKEN, 0),
]
NOT_DONE = [
    Scene("502", answered(502, effect_after=None), LATER, 180),
    Scene("502 three times", answered(502, effect_after=None, count=3), REFUSED, 540),
    Scene("429", Faults(answer=LIMITED, effect_after=None), LATER, 180),
    Scene("400", Faults(answer=refusal(400, "no"), effect_after=None, count=9), REFUSED, 0),
]
LATE = [
    *(
        Scene(f"the list shows the run after {lag} s", lost(lag=lag), TAKEN, found)
        for lag, found in ((5, 5), (25, 30), (35, 45), (60, 60), (90, 90))
    ),
    Scene("the run begins after 40 s", answered(502, effect_after=40), TAKEN, 45),
    Scene("the run begins after 60 s", answered(502, effect_after=60), TAKEN, 60),
    Scene("it begins after 60 s and is listed 90 s later", lost(effect_after=60, lag=90), TAKEN, 150),
    Scene("429, and the list shows the run after 90 s", Faults(answer=LIMITED, lag=90), TAKEN, 90),
]
CLOCKS = [
    *(
        Scene(f"dbt Cloud's clock is {text}", lost(clock=clock), TAKEN, 1)
        for text, clock in (
            ("11 minutes behind", timedelta(minutes=-11)),
            ("6 hours behind", -DAY_PART),
            ("6 hours ahead", DAY_PART),
        )
    ),
    Scene("6 hours behind, without `Date`", lost(clock=-DAY_PART, has_date=False), TAKEN, 1),
    Scene("6 hours behind, and 250 newer runs", lost(clock=-DAY_PART, newer=250), TAKEN, 1),
    Scene("6 hours ahead, and 250 newer runs", lost(clock=DAY_PART, newer=250), TAKEN, 1),
]
ROWS = [
    *(
        Scene(f"rows {text}", lost(listed=alter), TAKEN, 1)
        for text, alter in (
            ("without `trigger`", without("trigger")),
            ("whose `trigger` is null", with_field("trigger", None)),
            ("whose `trigger` is a text", with_field("trigger", "x")),
            ("whose cause is cut to 64 characters", cause(lambda text: text[:64])),
            ("whose cause is cut to 100 characters", cause(lambda text: text[:100])),
            ("whose cause is in upper case", cause(str.upper)),
            ("whose cause is escaped for HTML", cause(html.escape)),
            ("without `created_at`", without("created_at")),
            ("whose `created_at` has no offset", created(lambda text: text[:19])),
            ("whose `created_at` has no time", created(lambda text: text[:10])),
            ("without `status`", without("status")),
        )
    ),
    Scene(
        "rows and runs without `trigger`",
        lost(listed=without("trigger"), single=without("trigger")),
        UNKNOWN,
        360,
    ),
    Scene(
        "rows and runs whose cause is cut to 64 characters",
        lost(listed=cause(lambda text: text[:64]), single=cause(lambda text: text[:64])),
        UNKNOWN,
        360,
    ),
    Scene("rows that are not objects", lost(listed=lambda _: "x"), UNKNOWN, 360),
    Scene("lists are refused with 403", lost(list_status=403), UNKNOWN, 1),
]
KILLS = {
    "before it is stored that a run is requested": ("store 1 lost", LATER, 0),
    "after that, before the request": ("store 1", LATER, 180),
    "during the request, before it has its effect": ("request", NEXT, 0),
    "during the request, after it": ("request", NEXT, 0),
    "after the answer, before the id is stored": ("store 2 lost", NEXT, 0),
    "after that": ("store 2", NEXT, 0),
    "before the XCom with the id": ("xcom", NEXT, 0),
    "during the search for the run": ("sleep", NEXT, 0),
}
NOW, LAGGING = "after its effect", 90


def killed(name, lag):
    """The scene in which the first try is killed somewhere, with a list that lags behind."""
    kill, task, seconds = KILLS[name]
    faults = Faults(kill=kill == "request", lag=lag)
    if kill == "sleep":
        faults = lost(lag=lag)
    if "before it has its effect" in name:
        faults, seconds = replace(faults, effect_after=40), 45
    is_known = kill in {"store 2", "xcom"}
    if lag and task == NEXT and not is_known:
        seconds = 150 if faults.effect_after else lag
    late = f", and the list lags {lag} s behind" if lag else ""
    return Scene(f"killed {name}{late}", faults, task, seconds, kill)


KILLED = [killed(name, lag) for lag in (0, LAGGING) for name in KILLS]
RETRIES = [
    *(
        Scene(f"killed while it waits; dbt Cloud's clock is {text}", Faults(clock=clock), NEXT, 0, "xcom")
        for text, clock in (("11 minutes behind", timedelta(minutes=-11)), ("6 hours ahead", DAY_PART))
    ),
    Scene(
        "killed while it waits; rows and runs without `trigger`",
        Faults(listed=without("trigger"), single=without("trigger")),
        NEXT,
        0,
        "xcom",
    ),
]
HIDDEN = Faults(listed=without("trigger"), single=without("trigger"))
EARLIER = [
    Scene(f"killed {name}", faults, task, 300, kill, has_store=False, retry_delay=300)
    for name, faults, kill, task in (
        ("during the request, 60 s before its effect", Faults(kill=True, effect_after=60), "", NEXT),
        ("during the request; the list lags 90 s behind", Faults(kill=True, lag=90), "", NEXT),
        ("while it waits; dbt Cloud's clock is 6 hours behind", Faults(clock=-DAY_PART), "xcom", NEXT),
        ("while it waits; rows without `trigger`", Faults(listed=without("trigger")), "xcom", NEXT),
        ("while it waits; rows and runs without `trigger`", HIDDEN, "xcom", UNKNOWN),
    )
]
GROUPS = {
    "The answer is lost, and the run has started": LOST_ANSWERS,
    "The answer is unclear or a refusal, and no run has started": NOT_DONE,
    "The answer is lost, and the run appears late": LATE,
    "The answer is lost, and clocks differ": CLOCKS,
    "The answer is lost, and the list is incomplete or altered": ROWS,
    "The first try is killed, and the second follows at once": KILLED,
    "The first try is killed, and what dbt Cloud shows is wrong": RETRIES,
    "On Airflow 3.1 and 3.2, with a retry after five minutes": EARLIER,
}
SCENES = [pytest.param(scene, id=scene.name) for scenes in GROUPS.values() for scene in scenes]


class Store:
    """Airflow's store of a task's state. The task is killed before or after it has stored something."""

    def __init__(self, kill=""):
        self.values, self.kill, self.sets = {}, kill, 0

    def get(self, key):
        return json.loads(self.values.get(key, "null"))

    def set(self, key, value):
        self.sets += 1
        if self.kill == f"store {self.sets} lost":
            raise Killed
        self.values[key] = json.dumps(value)
        if self.kill == f"store {self.sets}":
            raise Killed

    def delete(self, key):
        self.values.pop(key, None)


class Task:
    """A task with one retry that starts a run, without waiting for its end."""

    def __init__(self, cloud, scene):
        self.cloud, self.scene = cloud, scene
        self.store = Store(scene.kill)
        self.began = datetime.now(UTC)

    def outcome(self):
        """What the task does, and after how many seconds it has a run or has failed for good."""
        first = self.execute(1)
        if first in {"killed", UNKNOWN, REFUSED}:
            self.cloud.now += self.scene.retry_delay
            second = self.execute(2) if first != REFUSED else first
            return {TAKEN: NEXT}.get(second, second), self.cloud.now
        return first, self.cloud.now

    def execute(self, attempt):
        posts = self.cloud.posts
        kill = self.scene.kill if attempt == 1 else ""
        self.store.kill = kill
        try:
            run_id = self.operator().execute(self.context(attempt, kill))
        except Killed:
            return "killed"
        except DbtCloudApiException as error:
            return UNKNOWN if isinstance(error.error, AmbiguousStart) else REFUSED
        assert run_id == self.cloud.runs[-1]["id"]
        started = self.cloud.posts - posts
        return LATER if started and self.cloud.answered else TAKEN

    def operator(self):
        return DbtCloudRunJobOperator(task_id="build", job_id=JOB, wait_for_termination=False, retries=1)

    def context(self, attempt, kill):
        def xcom_push(**_):
            if kill == "xcom":
                raise Killed

        names = {"dag_id": "nightly", "run_id": self.scene.name, "task_id": "build", "map_index": -1}
        task = SimpleNamespace(retries=1)
        ti = SimpleNamespace(**names, task=task, try_number=attempt, max_tries=1, xcom_push=xcom_push)
        store = {"task_state_store": self.store} if self.scene.has_store else {}
        return {"ti": ti, "dag_run": SimpleNamespace(start_date=self.began), **store}


@pytest.fixture
def cloud_with(raw_server, monkeypatch):
    """Makes the server of a scene, on which time passes when the task sleeps."""

    def make(scene):
        cloud = UnreliableDbtCloud(raw_server, scene.faults)

        def sleep(seconds):
            if scene.kill == "sleep" and not cloud.killed.is_set():
                cloud.killed.set()
                raise Killed
            cloud.sleep(seconds)

        monkeypatch.setattr("time.sleep", sleep)
        extra = {"timeout": 1 if scene.faults.answer == "silence" else 30}
        connection = {"conn_type": "dbt_cloud", "host": raw_server.url, "login": "1", "password": "secret"}
        monkeypatch.setenv("AIRFLOW_CONN_DBT_CLOUD_DEFAULT", json.dumps({**connection, "extra": extra}))
        return cloud

    return make


@pytest.mark.parametrize("scene", SCENES)
def test_there_is_never_a_second_run(cloud_with, scene):
    cloud = cloud_with(scene)
    task, seconds = Task(cloud, scene).outcome()
    assert len(cloud.runs) <= 1
    assert (task, seconds) == (scene.task, scene.seconds)


def test_a_start_whose_answer_arrives_is_one_request(cloud_with, raw_server):
    cloud = cloud_with(Scene("nothing goes wrong", Faults(), LATER, 0))
    assert Task(cloud, Scene("nothing goes wrong", Faults(), LATER, 0)).outcome() == (LATER, 0)
    assert len(raw_server.received) == 1


def test_the_timeout_of_the_task_ends_the_search(cloud_with, monkeypatch):
    scene = Scene("a timeout", lost(effect_after=None), UNKNOWN, 0)
    cloud = cloud_with(scene)
    monkeypatch.setattr("time.time", lambda: cloud.now)
    operator = DbtCloudRunJobOperator(task_id="build", job_id=JOB, timeout=40)
    with pytest.raises(DbtCloudApiException, match="The timeout ended the search for the run"):
        operator.execute(Task(cloud, scene).context(1, ""))
    assert (cloud.now, cloud.posts) == (40, 1)


def table():
    lines = []
    for title, scenes in GROUPS.items():
        lines += [f"**{title}**", "", "| what goes wrong | the task | after s |", "|---|---|---|"]
        lines += [*(scene.row for scene in scenes), ""]
    return "\n".join(lines).strip()


def test_the_page_has_these_tables():
    assert table() in PAGE.read_text(), table()
