"""The rate limit: requests per minute, then a cool-down, by the local clock."""


def statuses(api, count):
    return [api.ask("jobs/1/").status_code for _ in range(count)]


def test_beyond_the_limit_an_account_cools_down(api):
    api.control.limit_rate(3, cooldown=300)
    assert statuses(api, 5) == [200, 200, 200, 429, 429]
    api.control.advance(299)
    assert statuses(api, 1) == [429]
    api.control.advance(2)
    assert statuses(api, 1) == [200]
    assert api.control.rate_limit()["refused"] == 3


def test_a_limit_that_is_lifted_refuses_nothing_more(api):
    api.control.limit_rate(1, cooldown=300)
    assert statuses(api, 2) == [200, 429]
    api.control.lift_rate_limit()
    assert statuses(api, 2) == [200, 200]


def test_refused_requests_do_not_count_towards_the_next_minute(api):
    api.control.limit_rate(3, cooldown=10)
    assert statuses(api, 9) == [200] * 3 + [429] * 6
    api.control.advance(11)
    assert statuses(api, 4) == [200] * 3 + [429]


def test_each_minute_has_a_count_of_its_own(api):
    api.control.limit_rate(3)
    assert statuses(api, 3) == [200] * 3
    api.control.advance(61)
    assert statuses(api, 3) == [200] * 3


def test_each_account_counts_for_itself(api):
    api.control.seed(accounts=[{"id": 2, "name": "Other"}])
    api.control.limit_rate(1)
    assert statuses(api, 2) == [200, 429]
    assert api.ask("/api/v2/accounts/2/").status_code == 200


def test_retry_after_is_sent_only_when_wanted(api):
    api.control.limit_rate(0, cooldown=300)
    assert "Retry-After" not in api.ask("jobs/").headers
    api.control.limit_rate(0, cooldown=300, retry_after=True)
    assert api.ask("jobs/").headers["Retry-After"] == "300"


def test_it_is_switched_over_http(api):
    api.ask("/_local/rate_limit", "POST", json={"per_minute": 1, "cooldown": 10})
    assert statuses(api, 2) == [200, 429]
    shown = api.ask("/_local/rate_limit").json()
    assert shown == {"limit": {"per_minute": 1, "cooldown": 10, "retry_after": False}, "refused": 1}
    api.ask("/_local/rate_limit", "DELETE")
    assert statuses(api, 2) == [200, 200]


def test_a_wrong_limit_is_named(api):
    answer = api.ask("/_local/rate_limit", "POST", json={"per_hour": 1})
    assert answer.status_code == 400
    assert "per_minute, cooldown and retry_after" in answer.json()["detail"]


def test_a_limit_that_is_no_number_is_refused_before_it_counts(api):
    answer = api.ask("/_local/rate_limit", "POST", json={"per_minute": "many"})
    assert answer.status_code == 400
    assert "per_minute of a limit is 'many'. It has to be a whole number." in answer.json()["detail"]
    assert statuses(api, 1) == [200]
