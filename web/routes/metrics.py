"""`/metrics`: what Prometheus scrapes, with an API key."""

from fastapi import APIRouter, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from web.authentication import RequiresKey
from web.dependencies import Injected

router = APIRouter(tags=["operation"])


@router.get("/metrics", dependencies=[RequiresKey], response_class=Response)
async def expose_metrics(dependencies: Injected) -> Response:
    """Metrics for Prometheus: per handler its backlog, its age and its dead letters.

    All who ask within a second get the numbers of one look.
    """
    return Response(await dependencies.metrics.get(), media_type=CONTENT_TYPE_LATEST)
