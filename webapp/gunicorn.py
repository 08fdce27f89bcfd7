"""How gunicorn serves the application; read by gunicorn alone."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import socket
import struct
from typing import Any

# Loopback unless told otherwise. A platform's router comes from outside: Heroku sets DYNO, elsewhere BIND=0.0.0.0.
_host = os.environ.get("BIND") or ("0.0.0.0" if "DYNO" in os.environ else "127.0.0.1")  # noqa: S104 - see above
bind = f"{_host}:{os.environ.get('PORT') or 5000}"

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
# Import once, fork then: the second worker costs 15 MB instead of 90 and no time. Nothing is connected before the fork.
preload_app = True
threads = 32  # DESIGN section 6; downloads of slow clients each hold one
# A thread that streams a download for an hour is fine: gthread's worker itself answers the arbiter.
timeout = 60
graceful_timeout = 25  # Heroku kills 30 s after it asked
keepalive = 5
# Gunicorn waits for ever for the rest of a request, and each client that says nothing more would hold a thread.
_silence = int(os.environ.get("CLIENT_SILENCE") or 20)
max_requests = 0
# Workers show that they live by touching a file; on a disk this can block for seconds.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - memory, not a shared secret
# glibc gives threads up to 16 heaps, each of which keeps what a download once needed; few are as quick and smaller.
_HEAPS, _M_ARENA_MAX = 2, -8
accesslog = None
errorlog = "-"
loglevel = "warning"
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Before any worker: lines of the log as they are to be, compressed copies of the static files that an update has
    changed since script/bootstrap, and what the first download would import in each of them.
    """
    with contextlib.suppress(AttributeError):  # another C library has no such setting
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _HEAPS)
    import obstore.exceptions
    import obstore.store  # noqa: F401

    from webapp import config, logs, static_files

    logs.set_up(config.log_format(os.environ))
    if not os.environ.get("DATABASE_URL"):
        config.refuse_public(server.cfg.address)
    with contextlib.suppress(OSError):  # a disk that cannot be written to: they are served as they are
        static_files.build()


def pre_fork(_server: Any, _worker: Any) -> None:
    """Spare the collector what was imported: it would walk through all of it again and again, amid requests,
    and write into every page of memory that the workers share.
    """
    gc.collect()
    gc.freeze()


def when_ready(server: Any) -> None:
    """Bound how long a thread waits for the next bytes of a request. Connections have this from the socket that they
    come in by, and it says nothing of sending: a slow download goes on.
    """
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _silence, 0))


def post_request(_worker: Any, req: Any, environ: dict[str, Any], _response: Any) -> None:
    """Expect nothing more of a client whose request did not come: the worker would wait two seconds for the end of each
    such connection before it takes the next one.
    """
    if getattr(req.body, "failed", False):
        with contextlib.suppress(OSError):  # it is gone by now
            environ["gunicorn.socket"].shutdown(socket.SHUT_RD)
