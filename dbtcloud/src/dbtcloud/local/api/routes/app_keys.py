"""The keys under which handlers find what they need in the web application."""

from aiohttp import web

from dbtcloud.local.control.control import ControlPlane
from dbtcloud.local.control.tokens import Authenticator
from dbtcloud.local.discovery.graphql_endpoint import DiscoveryEndpoint
from dbtcloud.local.orchestration.cloud import Cloud

CLOUD = web.AppKey("cloud", Cloud)
CONTROL = web.AppKey("control", ControlPlane)
DISCOVERY = web.AppKey("discovery", DiscoveryEndpoint)
AUTHENTICATOR = web.AppKey("guard", Authenticator)
