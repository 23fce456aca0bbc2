"""The connection form for Airflow 3.1. Later versions read it from the provider's metadata."""

from __future__ import annotations

from typing import Any

from airflow_dbt_cloud.get_provider_info import get_provider_info


def _declaration() -> dict[str, Any]:
    return dict(get_provider_info()["connection-types"][0])


def field_behaviour() -> dict[str, Any]:
    """Return hidden fields, labels and placeholders under the names that Airflow 3.1 uses."""
    return {key.replace("-", "_"): value for key, value in _declaration()["ui-field-behaviour"].items()}


def widgets() -> dict[str, Any]:
    """Return our own fields as widgets of the form library of Airflow 3.1."""
    from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
    from wtforms import StringField

    return {
        name: StringField(field["label"], description=field["description"], widget=BS3TextFieldWidget())
        for name, field in _declaration()["conn-fields"].items()
    }
