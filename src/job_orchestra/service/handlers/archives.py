from __future__ import annotations

from starlette.responses import Response

from job_orchestra.service.archive import archive
from job_orchestra.service.call import Call
from job_orchestra.service.handlers.runs import get_run
from job_orchestra.service.parts import ServiceParts
from job_orchestra.service.streams import StreamedResponse, nothing


async def download(parts: ServiceParts, call: Call) -> Response:
    run = await get_run(parts, call)
    name = f"{run.request.project}-{run.request.job}-{run.identifier}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamedResponse(nothing() if call.is_head else archive(parts, run), "application/zip", 200, headers)
