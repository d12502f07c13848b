"""PyPI's gql: queries and mutations over requests and aiohttp, live streams by both of its WebSocket transports."""

import asyncio
import os

from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport
from gql.transport.websockets import WebsocketsTransport

URL = os.environ["SERVER_URL"]
SOCKET_URL = URL.replace("http", "ws", 1)
HEADERS = {"authorization": "Bearer " + os.environ["SERVER_TOKEN"]}

VIEWER = "query Viewer { viewer { roles } liveCursor }"
UNKNOWN = "query Unknown { nobody }"
ADD = """mutation Add($name: String!, $email: String!) {
  addEngineer(input: { name: $name, email: $email, userType: IAM_USER }) {
    engineer { id channel(kind: EMAIL) { status } }
    userErrors { code }
  }
}"""
CHANGES = """subscription Changes($after: String) {
  confirmationStatusChanged(after: $after) { cursor engineerId to }
}"""


def request(text, variables=None):
    """The text with its variables, as gql wants it."""
    document = gql(text)
    document.variable_values = variables
    return document


def person(name):
    return request(ADD, {"name": name, "email": f"{name}@gql.example"})


def check_viewer(data):
    assert data["viewer"]["roles"] == ["ADMIN"], data


def check_added(data):
    added = data["addEngineer"]
    assert added["userErrors"] == [], data
    assert added["engineer"]["channel"]["status"] == "REQUESTED", data
    return added["engineer"]["id"]


def check_refused(error):
    assert error.errors[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED", error.errors


def play_blocking():
    with Client(transport=RequestsHTTPTransport(url=URL, headers=HEADERS)) as session:
        check_viewer(session.execute(request(VIEWER)))
        check_added(session.execute(person("requests")))
        try:
            session.execute(request(UNKNOWN))
            raise AssertionError("it was taken")
        except TransportQueryError as error:
            check_refused(error)


async def play(transport, name):
    async with Client(transport=transport) as session:
        check_viewer(await session.execute(request(VIEWER)))
        check_added(await session.execute(person(name)))
        try:
            await session.execute(request(UNKNOWN))
            raise AssertionError("it was taken")
        except TransportQueryError as error:
            check_refused(error)


async def follow(transport, name):
    async with Client(transport=transport) as session:
        cursor = (await session.execute(request(VIEWER)))["liveCursor"]
        changes = session.subscribe(request(CHANGES, {"after": cursor}))
        added = check_added(await session.execute(person(name)))
        async for data in changes:
            change = data["confirmationStatusChanged"]
            assert (change["engineerId"], change["to"]) == (added, "REQUESTED"), data
            break
        await changes.aclose()


async def main():
    await play(AIOHTTPTransport(url=URL, headers=HEADERS), "aiohttp")
    sockets = {"websockets": WebsocketsTransport, "aiohttp-websockets": AIOHTTPWebsocketsTransport}
    for name, transport in sockets.items():
        # gql would offer the legacy protocol as well, and takes that for chosen where the answer's header is in lower case.
        speak = {"url": SOCKET_URL, "subprotocols": [transport.GRAPHQLWS_SUBPROTOCOL]}
        # Authorized once by connection_init, once by the header of the upgrade request.
        await play(transport(init_payload=HEADERS, **speak), f"{name}-init")
        await follow(transport(init_payload=HEADERS, **speak), f"{name}-live")
        await follow(transport(headers=HEADERS, **speak), f"{name}-header")
    print("gql: requests, aiohttp, websockets and aiohttp's WebSocket")


play_blocking()
asyncio.run(asyncio.wait_for(main(), timeout=60))
