"""A provider as a plugin process: the gRPC server, its errors, and its end.

The CLI starts the plugin with its own address and reads the port from stdout. When it is done it sends
SIGINT; a CLI that is killed cannot, so the plugin also watches its parent and ends by itself.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Sequence
from typing import Any

import grpc
import grpc.aio
from google.protobuf import empty_pb2
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from plugins.errors import HalfMade, Refused, one_line
from plugins.provider import HALF_MADE, OLD_INPUTS, Provider

PARENT_SECONDS = 0.2
"""How often the plugin looks whether the CLI that started it still lives."""


class Servicer(ProviderServicer):
    """The SDK's servicer with errors of one line, half-made resources, old inputs and a handshake."""

    async def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    async def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    async def GetMapping(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetMappingResponse()

    async def GetMappings(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetMappingsResponse()

    async def GetSchema(self, request: Any, context: Any) -> Any:
        return await answer_or_abort(refuse("this plugin has no schema; the official plugin has"), context)

    async def Parameterize(self, request: Any, context: Any) -> Any:
        return await answer_or_abort(refuse("this plugin takes no parameters"), context)

    async def Construct(self, request: Any, context: Any) -> Any:
        return await answer_or_abort(refuse("this plugin serves no components"), context)

    async def Call(self, request: Any, context: Any) -> Any:
        return await answer_or_abort(refuse("this plugin serves no methods"), context)

    async def List(self, request: Any, context: Any) -> Any:  # type: ignore[override]
        return await answer_or_abort(refuse("this plugin lists no resources"), context)

    async def CheckConfig(self, request: Any, context: Any) -> Any:
        return await answer_or_abort(super().CheckConfig(request, context), context)

    async def DiffConfig(self, request: Any, context: Any) -> Any:
        # Unknown: the engine then compares the settings itself.
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_UNKNOWN)

    async def Configure(self, request: Any, context: Any) -> Any:
        return await answer_or_abort(super().Configure(request, context), context)

    async def Invoke(self, request: Any, context: Any) -> Any:
        return await answer_or_abort(super().Invoke(request, context), context)

    async def Check(self, request: Any, context: Any) -> Any:
        drop_all_but(request.olds, ("name",))
        return await answer_or_abort(super().Check(request, context), context)

    async def Diff(self, request: Any, context: Any) -> Any:
        # The SDK hands on the old outputs only, of which one matters; the old inputs travel beside it.
        drop_all_but(request.olds, (HALF_MADE,))
        request.olds.fields[OLD_INPUTS].struct_value.CopyFrom(request.old_inputs)
        return await answer_or_abort(super().Diff(request, context), context)

    async def Create(self, request: Any, context: Any) -> Any:
        return await answer_or_abort(super().Create(request, context), context)  # type: ignore[no-untyped-call]

    async def Read(self, request: Any, context: Any) -> Any:
        return await answer_or_abort(super().Read(request, context), context)  # type: ignore[no-untyped-call]

    async def Update(self, request: Any, context: Any) -> Any:
        return await answer_or_abort(super().Update(request, context), context)  # type: ignore[no-untyped-call]

    async def Delete(self, request: Any, context: Any) -> Any:
        return await answer_or_abort(super().Delete(request, context), context)  # type: ignore[no-untyped-call]


def drop_all_but(values: Any, names: tuple[str, ...]) -> None:
    """Take all but `names` out of a message's values: what is not there need not be unpacked."""
    for name in [each for each in values.fields if each not in names]:
        del values.fields[name]


async def refuse(reason: str) -> None:
    """Raises Refused, as the answer to a request that this plugin does not take."""
    raise Refused(reason)


async def answer_or_abort(answer: Awaitable[Any], context: Any) -> Any:
    """Return the awaited answer, or end the call with an error of one line."""
    try:
        return await answer
    except HalfMade as half:
        details = (("grpc-status-details-bin", half_made_status(half)),)
        await context.abort(grpc.StatusCode.UNKNOWN, str(half), details)
    except Refused as reason:
        await context.abort(grpc.StatusCode.UNKNOWN, str(reason))
    except Exception as error:  # noqa: BLE001
        # Whatever it is, a user is told in one line and never shown a traceback.
        await context.abort(grpc.StatusCode.UNKNOWN, f"{type(error).__name__}: {one_line(str(error))}")


def half_made_status(half: HalfMade) -> bytes:
    """Return the status details by which the engine records a resource with an initialisation error."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=half.resource_id,
        properties=PropertyValue.marshal_map(half.outputs),
        reasons=[str(half)],
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(half))
    status.details.add().Pack(detail)
    return bytes(status.SerializeToString())


def main(version: str, provider: Provider) -> None:
    """Serve `provider` until the CLI ends the process or dies itself."""
    engine_address = next((each for each in sys.argv[1:] if not each.startswith("-")), "")
    if not engine_address:
        sys.exit("this is a Pulumi plugin: the Pulumi CLI starts it, with its own address as argument")
    asyncio.run(serve(version, provider, engine_address))


async def listening(
    version: str, provider: Provider, engine_address: str = "", args: Sequence[str] = ()
) -> tuple[Any, int]:
    """Serve on a free port of the loopback address; the server and its port."""
    server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
    servicer = Servicer(list(args), version, provider, engine_address)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port


async def serve(version: str, provider: Provider, engine_address: str) -> None:
    """Serve as a process of its own, and tell the port on stdout."""
    parent, ending = os.getppid(), asyncio.Event()
    # A Ctrl-C does not come here: the CLI keeps its plugins in process groups of their own.
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, ending.set)
    _server, port = await listening(version, provider, engine_address, sys.argv[1:])
    print(port, flush=True)
    while os.getppid() == parent and not ending.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), PARENT_SECONDS)
    await provider.abandoned()
    # Threads that still wait for the engine must not keep the process.
    os._exit(0)
