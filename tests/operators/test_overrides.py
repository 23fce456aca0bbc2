"""Every override reaches dbt Cloud with its own type, wherever it was rendered."""

from datetime import timedelta

import pytest
from airflow.sdk import DAG, task

from airflow_dbt_cloud.operators.dbt import DbtCloudRunJobOperator

OVERRIDES = {
    "git_branch": "main",
    "git_sha": "f00dfeed",
    "schema_override": "trial",
    "target_name_override": "dev",
    "threads_override": 8,
    "dbt_version_override": "1.9.0-latest",
    "generate_docs_override": True,
    "timeout_seconds_override": 900,
    "steps_override": ["dbt seed", "dbt build --select orders"],
}
WAITS = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferred"])
NATIVE = pytest.mark.parametrize("native", [False, True], ids=["text", "native"])


def given(trigger):
    return {name: trigger[name] for name in OVERRIDES if trigger[name] is not None}


def sent(jobs):
    (run,) = jobs.runs()
    return given(run["trigger"])


def test_each_override_arrives(build, jobs):
    build(job_id=jobs.instant, **OVERRIDES)
    assert sent(jobs) == OVERRIDES


@NATIVE
def test_each_override_arrives_from_a_template_with_its_own_type(run_dag, jobs, native):
    with DAG("templated", schedule=None, params=OVERRIDES, render_template_as_native_obj=native) as dag:
        templates = {name: f"{{{{ params.{name} }}}}" for name in OVERRIDES}
        DbtCloudRunJobOperator(task_id="build", job_id=jobs.instant, **templates)
    assert run_dag(dag).state == "success"
    assert sent(jobs) == OVERRIDES


@NATIVE
@pytest.mark.parametrize("nothing", ["", "{{ none }}", "{{ params.get('not there') }}"])
def test_empty_template_values_count_as_not_given(build, jobs, native, nothing):
    outcome = build(
        native=native,
        job_id=jobs.instant,
        account_id=nothing,
        additional_run_config=nothing,
        **dict.fromkeys(OVERRIDES, nothing),
    )
    assert outcome.state == "success"
    assert sent(jobs) == {}


AMBIGUOUS = {
    "dbt_version_override": "1.10",
    "schema_override": "2026_11_27",
    "git_branch": "2026_11_27",
    "git_sha": "1234e56",
    "target_name_override": "True",
    "trigger_reason": "1.10",
    "project_name": "2_024",
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_native_rendering_starts_no_run_with_another_text_than_the_users(build_alone, jobs, name):
    arguments = {name: AMBIGUOUS[name]}
    if name == "project_name":
        arguments |= {"environment_name": "Production", "job_name": "Nightly"}
    else:
        arguments["job_id"] = jobs.instant
    outcome = build_alone(native=True, **arguments)
    assert outcome.state == "failed"
    assert f"ValueError: {name} is " in outcome.log
    assert jobs.runs() == []


def test_a_quoted_text_stays_what_it_is_under_native_rendering(build_alone, jobs):
    quoted = {name: f"'{AMBIGUOUS[name]}'" for name in OVERRIDES if name in AMBIGUOUS}
    assert build_alone(native=True, job_id=jobs.instant, **quoted).state == "success"
    assert sent(jobs) == {name: AMBIGUOUS[name] for name in quoted}


@NATIVE
def test_steps_that_a_template_left_empty_are_not_sent(build, jobs, native):
    steps = ["{{ none }}", "dbt build", "{{ params.get('not there') }}", "{{ '' }}"]
    build(native=native, job_id=jobs.instant, steps_override=steps)
    assert sent(jobs) == {"steps_override": ["dbt build"]}


@NATIVE
def test_a_dag_runs_configuration_can_be_passed_unchanged(run_dag, jobs, native):
    with DAG("configured", schedule=None, render_template_as_native_obj=native) as dag:
        DbtCloudRunJobOperator(
            task_id="build",
            job_id="{{ dag_run.conf['job'] }}",
            additional_run_config="{{ dag_run.conf['overrides'] }}",
        )
    run_dag(dag, run_conf={"job": str(jobs.instant), "overrides": OVERRIDES})
    assert sent(jobs) == OVERRIDES


def test_overrides_can_be_mapped(run_dag, jobs):
    each = [{"threads_override": 2}, {"git_branch": "trial"}, {"steps_override": ["dbt seed"]}]
    with DAG("mapped", schedule=None) as dag:
        DbtCloudRunJobOperator.partial(task_id="build", job_id=jobs.instant).expand_kwargs(each)
    outcome = run_dag(dag)
    assert outcome.states == {f"build[{index}]": "success" for index in range(3)}
    for run_id, wanted in zip(outcome.xcoms("build")["return_value"], each, strict=True):
        assert given(jobs.run(run_id)["trigger"]) == wanted


def test_ids_and_overrides_come_from_other_tasks_and_from_params(run_dag, jobs):
    @task
    def job():
        return jobs.instant

    @task
    def threads():
        return 3

    with DAG("chained", schedule=None, params={"account": 1}) as dag:
        DbtCloudRunJobOperator(
            task_id="build", job_id=job(), account_id="{{ params.account }}", threads_override=threads()
        )
        DbtCloudRunJobOperator.partial(task_id="mapped", trigger_reason="Mapped").expand(
            job_id=[str(jobs.instant), jobs.instant]
        )
    assert run_dag(dag).state == "success"
    assert [
        trigger.get("threads_override") for trigger in jobs.triggers() if "Mapped" not in trigger["cause"]
    ] == [3]


@WAITS
def test_intervals_can_be_timedeltas(build, jobs, deferrable):
    spans = {"check_interval": timedelta(seconds=0.1), "timeout": timedelta(seconds=30)}
    assert build(job_id=jobs.quick, deferrable=deferrable, **spans).state == "success"


def test_an_id_of_fourteen_digits_can_be_text(build, jobs):
    jobs.control.seed(jobs=[{"id": 70403110257794, "name": "Long ago", "pretend": {}}])
    build(job_id="70403110257794", account_id="1")
    assert [run["job_definition_id"] for run in jobs.runs()] == [70403110257794]


def test_additional_run_config_takes_precedence_over_the_arguments(build, jobs):
    build(
        job_id=jobs.instant,
        schema_override="mine",
        steps_override=["dbt build"],
        threads_override=2,
        additional_run_config={"schema_override": "theirs", "steps_override": ["dbt test"]},
    )
    assert sent(jobs) == {"schema_override": "theirs", "steps_override": ["dbt test"], "threads_override": 2}


@pytest.mark.parametrize("threads", ["{{ 4 }}", 4])
def test_templates_in_additional_run_config_are_parsed_like_the_arguments(build, jobs, threads):
    config = {"threads_override": threads, "git_sha": "{{ 'f00dfeed' }}", "git_branch": "{{ none }}"}
    build(job_id=jobs.instant, additional_run_config=config)
    assert sent(jobs) == {"threads_override": 4, "git_sha": "f00dfeed"}


def test_none_in_additional_run_config_means_the_jobs_own_value(build, jobs):
    build(job_id=jobs.instant, schema_override="mine", additional_run_config={"schema_override": None})
    assert sent(jobs) == {}


@pytest.mark.parametrize("nothing", [None, {}])
def test_additional_run_config_and_steps_can_be_none(build, jobs, nothing):
    build(job_id=jobs.instant, additional_run_config=nothing, steps_override=None)
    assert sent(jobs) == {}


@pytest.mark.parametrize("text", ['{"threads_override": 4}', "{'threads_override': 4}"])
def test_additional_run_config_can_be_text(build, jobs, text):
    build(job_id=jobs.instant, additional_run_config=text)
    assert sent(jobs) == {"threads_override": 4}


UNUSABLE = [
    ("threads_override", "many", "It has to be a whole number"),
    ("threads_override", 2.5, "It has to be a whole number"),
    ("threads_override", True, "It has to be a whole number"),
    ("timeout_seconds_override", "5 minutes", "It has to be a whole number"),
    ("generate_docs_override", "perhaps", "It has to be true or false"),
    ("steps_override", {"dbt": "build"}, "It has to be a list of commands"),
    ("steps_override", [1], "It has to be a list of commands"),
    ("additional_run_config", "threads: 4", "It has to be a dict"),
    ("check_interval", "often", "It has to be a number of seconds"),
    ("timeout", None, "It has to be a number of seconds"),
    ("additional_run_config", ["threads_override"], "It has to be a dict"),
]


@pytest.mark.parametrize(("name", "value", "reason"), UNUSABLE)
def test_an_invalid_value_fails_the_task_before_a_run_is_started(build, jobs, name, value, reason):
    outcome = build(job_id=jobs.instant, **{name: value})
    assert outcome.state == "failed"
    assert f"ValueError: {name} is {value!r}. {reason}" in outcome.log
    assert jobs.runs() == []


def test_an_invalid_value_in_additional_run_config_fails_the_task_before_a_run_is_started(build, jobs):
    outcome = build(job_id=jobs.instant, additional_run_config={"threads_override": "many"})
    assert "ValueError: threads_override is 'many'. It has to be a whole number" in outcome.log
    assert jobs.runs() == []
