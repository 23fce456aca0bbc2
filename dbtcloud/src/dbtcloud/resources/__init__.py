"""The client that people use: `DbtCloudClient` and `AsyncDbtCloudClient` with their resources."""
