PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;

-- What lists filter and sort by has columns. The body is JSON with all fields.
CREATE TABLE IF NOT EXISTS definitions (
  kind TEXT NOT NULL,
  id INTEGER NOT NULL,
  account_id INTEGER,
  project_id INTEGER,
  environment_id INTEGER,
  state INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS runs (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  project_id INTEGER NOT NULL,
  environment_id INTEGER NOT NULL,
  job_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  dequeued_at INTEGER,
  started_at INTEGER,
  finished_at INTEGER,
  outcome INTEGER,
  message TEXT,
  retrying_run_id INTEGER,
  docs INTEGER NOT NULL,
  script TEXT,
  sources INTEGER NOT NULL DEFAULT 0,
  dbt_version TEXT,
  git_branch TEXT,
  git_sha TEXT,
  trigger_body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS runs_by_job ON runs (job_id, id);
CREATE INDEX IF NOT EXISTS runs_of_job_by_creation ON runs (job_id, created_at);
CREATE INDEX IF NOT EXISTS runs_by_creation ON runs (created_at);
CREATE INDEX IF NOT EXISTS runs_by_start ON runs (started_at);
CREATE INDEX IF NOT EXISTS runs_by_end ON runs (finished_at, outcome, started_at, dequeued_at, account_id);

CREATE TABLE IF NOT EXISTS scripts (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS steps (
  run_id INTEGER NOT NULL,
  step INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  command TEXT,
  status INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  PRIMARY KEY (run_id, step)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS step_logs (id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL, step INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS step_logs_by_step ON step_logs (run_id, step);
