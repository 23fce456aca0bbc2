"""The server: its settings, sockets and files, and how it starts and stops."""
