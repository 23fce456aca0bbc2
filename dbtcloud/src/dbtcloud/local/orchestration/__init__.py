"""The rules of the server: start, queue, schedule, cancel and retry runs, and keep their artifacts."""
