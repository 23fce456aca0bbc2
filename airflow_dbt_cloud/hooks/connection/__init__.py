"""From an Airflow connection to requests: credentials, sessions, retries."""
