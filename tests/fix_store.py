"""S3 on loopback: moto's, which counts what is sent to it at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BUCKET = "bucket"


@dataclass
class Bucket:
    """A bucket. `parts`: how many parts of uploads came; `at_once`: the most that were on their way together."""

    url: str
    client: Any
    parts: int = 0
    at_once: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def holds(self) -> list[str]:
        """What is in it."""
        return [one["Key"] for one in self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def unfinished(self) -> list[str]:
        """Uploads that were begun, and neither finished nor given up."""
        return [one["Key"] for one in self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])]

    def counted(self, app: Any) -> Any:
        """The server's application, counting."""

        def count(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            if "partNumber=" not in environ.get("QUERY_STRING", ""):
                return app(environ, start)  # type: ignore[no-any-return]
            with self._lock:
                self.parts += 1
                self._now += 1
                self.at_once = max(self.at_once, self._now)
            try:
                return app(environ, start)  # type: ignore[no-any-return]
            finally:
                with self._lock:
                    self._now -= 1

        return count


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket, reached with the usual variables; `s3://bucket/files` is our store."""
    import boto3
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_: Any) -> None:
            """Say nothing."""

    key = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    made = Bucket("s3://bucket/files", None)
    app = made.counted(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    told = {"AWS_ENDPOINT": address, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1"}
    for name, value in {**told, **{name.upper(): value for name, value in key.items()}}.items():
        monkeypatch.setenv(name, value)
    made.client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **key)
    made.client.create_bucket(Bucket=BUCKET)
    try:
        yield made
    finally:
        for one in made.holds():
            made.client.delete_object(Bucket=BUCKET, Key=one)
        made.client.close()
        server.shutdown()
        thread.join()
        server.server_close()
