# SPDX-License-Identifier: Apache-2.0
"""A small Kubernetes API server, written from the API's description (Kubernetes API Concepts): objects of any collection are
listed in pages and watched, for whoever has the token. It can go away, come back, and forget its past."""

import http.server
import json
import socket
import ssl
import threading
import time
import urllib.parse

from .child import Child
from .ports import free_port
from .wait import wait_for


def _status(code, reason, message):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": reason, "code": code}


def _selected(labels, selector):
    for term in filter(None, (selector or "").split(",")):
        name, _, value = term.partition("=")
        if labels.get(name) != value.lstrip("="):
            return False
    return True


def endpoint_slice(name, service, endpoints, namespace="default", **more):
    """An EndpointSlice of (address, ready, hostname or None)."""
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": ready, "serving": ready, "terminating": False},
                       **({"hostname": hostname} if hostname else {})} for address, ready, hostname in endpoints],
        "ports": [{"name": "otlp", "port": 4317, "protocol": "TCP"}], **more}


class ApiServer:
    """`token` is what clients must show; `certificate` a pair of files, None for a server without TLS. `asked` has (path,
    parameters) of all requests, `watches` counts those under way."""

    def __init__(self, certificate, token, host="127.0.0.1"):
        self.token = token
        self.asked = []
        self.watches = 0
        self.bookmark_seconds = 60.0
        self._certificate = certificate
        self._address = (host, 0)
        self._changed = threading.Condition()
        self._objects = {}  # (group, collection): {(namespace, name): object}
        self._events = []   # (version, group, collection, type, object)
        self._version = 1000
        self._forgotten = 0  # what came before is not known any more
        self._server = None
        self.open()

    @property
    def port(self):
        return self._address[1]

    # --- what there is ---

    def put(self, api_version, collection, kind, obj):
        """Creates or changes an object."""
        with self._changed:
            self._version += 1
            key = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            objects = self._objects.setdefault((api_version, collection), {})
            made = {"kind": kind, "apiVersion": api_version, **obj}
            made["metadata"] = {**obj["metadata"], "resourceVersion": str(self._version)}
            event = "MODIFIED" if key in objects else "ADDED"
            objects[key] = made
            self._events.append((self._version, api_version, collection, event, made))
            self._changed.notify_all()

    def delete(self, api_version, collection, namespace, name):
        with self._changed:
            self._version += 1
            gone = self._objects[api_version, collection].pop((namespace, name))
            gone = {**gone, "metadata": {**gone["metadata"], "resourceVersion": str(self._version)}}
            self._events.append((self._version, api_version, collection, "DELETED", gone))
            self._changed.notify_all()

    def put_slice(self, name, service, endpoints, namespace="default"):
        self.put("discovery.k8s.io/v1", "endpointslices", "EndpointSlice",
                 endpoint_slice(name, service, endpoints, namespace))

    def delete_slice(self, name, namespace="default"):
        self.delete("discovery.k8s.io/v1", "endpointslices", namespace, name)

    def forget(self):
        """Versions of the past are too old from now on."""
        with self._changed:
            self._version += 1
            self._forgotten = self._version
            self._events.clear()

    # --- the server ---

    def open(self):
        self._server = http.server.ThreadingHTTPServer(self._address, self._handler())
        self._server.daemon_threads = True
        self._address = self._server.server_address
        if self._certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, self._certificate))
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True,
                                                      do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        """Goes away, with all connections."""
        server, self._server = self._server, None
        if not server:
            return
        with self._changed:
            self._changed.notify_all()
        server.shutdown()
        server.server_close()

    def _handler(self):
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def log_message(self, *_):
                pass

            def do_GET(self):
                api._answer(self)

        return Handler

    def _answer(self, request):
        url = urllib.parse.urlsplit(request.path)
        parameters = dict(urllib.parse.parse_qsl(url.query))
        self.asked.append((url.path, parameters))
        if self._server is None:
            request.close_connection = True
            return
        if request.headers["Authorization"] != f"Bearer {self.token}":
            self._send(request, 401, _status(401, "Unauthorized", "Unauthorized"))
            return
        parts = url.path.strip("/").split("/")
        api_version, rest = ("/".join(parts[1:3]), parts[3:]) if parts[0] == "apis" else (parts[1], parts[2:])
        namespace, rest = (rest[1], rest[2:]) if rest[0] == "namespaces" and len(rest) > 2 else (None, rest)

        def wanted(obj):
            metadata = obj["metadata"]
            return (namespace in (None, metadata.get("namespace")) and
                    _selected(metadata.get("labels", {}), parameters.get("labelSelector")))

        answer = self._watch if parameters.get("watch") in ("true", "1", "True") else self._list
        answer(request, api_version, rest[0], wanted, parameters)

    @staticmethod
    def _send(request, code, body):
        data = json.dumps(body).encode()
        request.send_response(code)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def _list(self, request, api_version, collection, wanted, parameters):
        with self._changed:
            objects = self._objects.get((api_version, collection), {})
            found = [objects[key] for key in sorted(objects) if wanted(objects[key])]
            version = self._version
        first = int(parameters.get("continue", "0"))
        last = first + int(parameters.get("limit") or len(found) + 1)
        metadata = {"resourceVersion": str(version)}
        if last < len(found):
            metadata["continue"] = str(last)
        self._send(request, 200, {"kind": "List", "apiVersion": api_version, "metadata": metadata,
                                  "items": found[first:last]})

    def _watch(self, request, api_version, collection, wanted, parameters):
        request.close_connection = True
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        self.watches += 1
        try:
            self._stream(request, api_version, collection, wanted, parameters)
            request.wfile.write(b"0\r\n\r\n")
        except OSError:
            pass
        finally:
            self.watches -= 1

    def _stream(self, request, api_version, collection, wanted, parameters):
        def say(event, obj):
            line = json.dumps({"type": event, "object": obj}).encode() + b"\n"
            request.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

        def bookmark():
            obj = {"metadata": {"resourceVersion": str(self._version)}}
            return [(self._version, api_version, collection, "BOOKMARK", obj)]

        seen = int(parameters.get("resourceVersion") or 0)
        bookmarks = parameters.get("allowWatchBookmarks") == "true"
        end = time.monotonic() + float(parameters.get("timeoutSeconds", 1800))
        while self._server is not None and time.monotonic() < end:
            with self._changed:
                expired = seen < self._forgotten
                news = [e for e in self._events if e[0] > seen]
                left = min(self.bookmark_seconds, end - time.monotonic())
                if not news and not expired and not self._changed.wait(max(left, 0)) and bookmarks:
                    news = bookmark()
            if self._server is None:
                raise ConnectionError
            if expired:
                say("ERROR", _status(410, "Expired", f"too old resource version: {seen} ({self._forgotten})"))
                return
            for version, event_api, event_collection, event, obj in news:
                seen = version
                if (event_api, event_collection) == (api_version, collection) and (event == "BOOKMARK" or wanted(obj)):
                    say(event, obj)


class Http2Front:
    """nghttpx with TLS and HTTP/2, which is what the real API server speaks, before an ApiServer without TLS."""

    def __init__(self, api, certificate):
        self.port = free_port()
        file, key = certificate
        self._child = Child(["nghttpx", "--no-ocsp", "--single-process", "--workers=1", "--errorlog-file=/dev/stderr", "--accesslog-file=/dev/stdout",
                             f"--frontend=127.0.0.1,{self.port}", f"--backend=127.0.0.1,{api.port}", key, file], "nghttpx")
        try:
            wait_for(self._listens, 20, "nghttpx listens")
        except BaseException:
            self.close()
            raise

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def log(self):
        """A line for each request that has ended, with its protocol."""
        return self._child.stdout.splitlines()

    def close(self):
        self._child.kill()
