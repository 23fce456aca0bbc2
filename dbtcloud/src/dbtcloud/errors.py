"""All errors of this package in one place, by cause.

The tree of those that requests raise is in `dbtcloud.client.errors`.
"""

from __future__ import annotations

from dbtcloud.client.discovery import QueryRefused
from dbtcloud.client.errors import (
    AmbiguousStart,
    ApiError,
    ArtifactError,
    ArtifactMissing,
    BadRequest,
    Conflict,
    ConnectionUnreadable,
    DbtCloudError,
    Forbidden,
    InvalidArgument,
    LogMissing,
    LookupFailed,
    MalformedResponse,
    MethodNotAllowed,
    NotFound,
    NotRetryable,
    RateLimited,
    RequestTimeout,
    RunCancelled,
    RunFailed,
    RunTimedOut,
    ServerError,
    TransportError,
    Unauthorized,
    Unprocessable,
)
from dbtcloud.resources.base.client_errors import (
    ClientClosed,
    CredentialsMissing,
    RunUnfinished,
    ScheduleNotRestored,
    WriteRefused,
)
from dbtcloud.webhooks import InvalidSignature

__all__ = [
    "AmbiguousStart",
    "ApiError",
    "ArtifactError",
    "ArtifactMissing",
    "BadRequest",
    "ClientClosed",
    "Conflict",
    "ConnectionUnreadable",
    "CredentialsMissing",
    "DbtCloudError",
    "Forbidden",
    "InvalidArgument",
    "InvalidSignature",
    "LogMissing",
    "LookupFailed",
    "MalformedResponse",
    "MethodNotAllowed",
    "NotFound",
    "NotRetryable",
    "QueryRefused",
    "RateLimited",
    "RequestTimeout",
    "RunCancelled",
    "RunFailed",
    "RunTimedOut",
    "RunUnfinished",
    "ScheduleNotRestored",
    "ServerError",
    "TransportError",
    "Unauthorized",
    "Unprocessable",
    "WriteRefused",
]
