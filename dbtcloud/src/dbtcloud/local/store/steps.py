"""The tables of steps and of their logs, which are only appended to."""

import sqlite3

from dbtcloud.local.model.records import Status, StepRecord


class StepTables:
    """The steps of real runs."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def start(self, step: StepRecord) -> None:
        """Store a step that has started."""
        row = (
            step.run_id,
            step.index,
            step.account_id,
            step.name,
            step.command,
            step.status,
            step.started_at,
        )
        self._database.execute("INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", row)

    def log(self, run_id: int, index: int, text: str) -> None:
        """Append to a step's log."""
        statement = "INSERT INTO step_logs (run_id, step, body) VALUES (?, ?, ?)"
        self._database.execute(statement, (run_id, index, text))

    def finish(self, run_id: int, index: int, status: Status, now: int) -> None:
        """Store the end of a step."""
        statement = "UPDATE steps SET status = ?, finished_at = ? WHERE run_id = ? AND step = ?"
        self._database.execute(statement, (status, now, run_id, index))

    def finish_all(self, run_id: int, status: Status, now: int) -> None:
        """Store the end of the steps of a run that have not finished."""
        statement = "UPDATE steps SET status = ?, finished_at = ? WHERE run_id = ? AND finished_at IS NULL"
        self._database.execute(statement, (status, now, run_id))

    def for_run(self, run_id: int) -> list[StepRecord]:
        """Return a run's steps in order, with their logs."""
        logs = self._logs(run_id)
        statement = (
            "SELECT account_id, step, name, status, command, started_at, finished_at "
            "FROM steps WHERE run_id = ? ORDER BY step"
        )
        return [
            StepRecord(
                run_id, account, index, name, Status(status), command, started, finished, logs.get(index, "")
            )
            for account, index, name, status, command, started, finished in self._database.execute(
                statement, (run_id,)
            )
        ]

    def _logs(self, run_id: int) -> dict[int, str]:
        chunks: dict[int, list[str]] = {}
        statement = "SELECT step, body FROM step_logs WHERE run_id = ? ORDER BY id"
        for index, text in self._database.execute(statement, (run_id,)):
            chunks.setdefault(index, []).append(text)
        return {index: "".join(texts) for index, texts in chunks.items()}
