"""Airflow's REST API v2, spoken as a logged-in user."""

from typing import Any

import requests


class Rest:
    """A session with one Airflow, logged in with a password."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._credentials = {"username": user, "password": password}
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Accept"] = "application/json"

    def alive(self) -> bool:
        """Say whether the API server answers and finds its database healthy."""
        try:
            answer = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=5)
        except requests.RequestException:
            return False
        return answer.ok

    def health(self) -> dict[str, str | None]:
        """Give the status of each part: scheduler, triggerer, dag_processor, metadatabase."""
        return {part: state["status"] for part, state in self.get("monitor/health").items()}

    def log_in(self) -> str:
        """Exchange the password for a token, and use it from now on."""
        answer = self._session.post(f"{self.url}/auth/token", json=self._credentials, timeout=30)
        answer.raise_for_status()
        token: str = answer.json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"
        return token

    def get(self, path: str, **query: Any) -> Any:
        """GET `/api/v2/<path>`."""
        return self.call("GET", path, params=query)

    def post(self, path: str, **body: Any) -> Any:
        """POST the keywords as JSON to `/api/v2/<path>`."""
        return self.call("POST", path, json=body)

    def patch(self, path: str, **body: Any) -> Any:
        """PATCH `/api/v2/<path>` with the keywords as JSON."""
        return self.call("PATCH", path, json=body)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request and give the answer's JSON; raise with the answer's text unless it is a success."""
        answer = self._session.request(method, f"{self.url}/api/v2/{path}", timeout=60, **options)
        if not answer.ok:
            msg = f"{method} {path}: {answer.status_code} {answer.text}"
            raise requests.HTTPError(msg, response=answer)
        return answer.json() if answer.content else None
