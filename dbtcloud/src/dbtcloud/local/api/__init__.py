"""dbt Cloud's API over HTTP: the web application, its middleware, routes, requests and responses."""
