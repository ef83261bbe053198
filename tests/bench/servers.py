"""The servers of the benches: each in a directory of its own, on a free loopback port, stopped by its process id."""

import http.cookiejar
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

CACHE = pathlib.Path(os.environ.get("DGP_TOOL_CACHE", pathlib.Path.home() / ".cache/deltaglider-tools"))
PASSWORD = "a-password-for-benches-1"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(name):
    return shutil.which(name, path=f"{CACHE}/bin:/usr/sbin:{os.environ['PATH']}")


def missing(name):
    """Why a server cannot be started here, or nothing."""
    wanted = {"nginx": "nginx", "garage": "garage", "garage-default": "garage"}.get(name)
    return f"{wanted} is not installed" if wanted and not program(wanted) else ""


class Server:
    """A server under way."""

    def __init__(self, name, home, command, env=None):
        self.name, self.key, self.secret, self.files = name, "", "", home / "files"
        self.log = open(home / "log", "wb")
        self.process = subprocess.Popen(command, cwd=home, stdout=self.log, stderr=self.log, env={**os.environ, **(env or {})})

    def wait(self, port):
        self.addr = f"127.0.0.1:{port}"
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"{self.name} did not come up: {pathlib.Path(self.log.name).read_text()[-2000:]}")

    def pids(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [str(self.process.pid), *children]

    def reset_peak(self):
        for pid in self.pids():
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")

    def peak(self):
        """Peak resident memory of all its processes together, in KiB."""
        status = [pathlib.Path(f"/proc/{pid}/status").read_text() for pid in self.pids()]
        return sum(int(text.split("VmHWM:")[1].split()[0]) for text in status)

    def processor_seconds(self):
        ticks = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def start(name, home, ours):
    home.mkdir(parents=True)
    if name == "ours":
        return start_ours(home, ours)
    if name == "nginx":
        return start_nginx(home)
    return start_garage(home, name, "true" if name == "garage" else "false")


def start_ours(home, binary, env=None):
    port = free_port()
    server = Server("ours", home, [binary, "--listen", f"127.0.0.1:{port}"], {"DGP_BOOTSTRAP_PASSWORD": PASSWORD, **(env or {})})
    server.wait(port)
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def post(path, body):
        request = urllib.request.Request(f"http://{server.addr}/_/api/admin/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.load(opener.open(request))

    post("login", {"password": PASSWORD})
    everything = [{"effect": "Allow", "actions": ["*"], "resources": ["*"]}]
    user = post("users", {"name": "bench", "permissions": everything})
    server.key, server.secret = user["access_key_id"], user["secret_access_key"]
    make_bucket(server)
    return server


def make_bucket(server):
    """CreateBucket, signed by curl."""
    subprocess.run(["curl", "-sSf", "-X", "PUT", "--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{server.key}:{server.secret}",
                    "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD", f"http://{server.addr}/bench"], check=True)


def start_nginx(home):
    port = free_port()
    (home / "files").mkdir()
    (home / "nginx.conf").write_text(f"""
worker_processes auto;
daemon off;
pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    {" ".join(f"{kind}_temp_path {home}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))}
    server {{ listen 127.0.0.1:{port}; root {home}/files; }}
}}
""")
    for folder in [home, *home.parents]:
        if folder.stat().st_uid == os.getuid() and not folder.stat().st_mode & 0o001 and folder.is_relative_to(home.parent):
            folder.chmod(0o711)
    user = ["-g", "user root;"] if os.getuid() == 0 else []
    server = Server("nginx", home, [program("nginx"), "-p", home, "-c", home / "nginx.conf", *user])
    server.wait(port)
    return server


def start_garage(home, name, fsync):
    s3, rpc = free_port(), free_port()
    config = home / "garage.toml"
    config.write_text(f"""
metadata_dir = "{home}/meta"
data_dir = "{home}/data"
db_engine = "sqlite"
replication_factor = 1
metadata_fsync = {fsync}
data_fsync = {fsync}
rpc_bind_addr = "127.0.0.1:{rpc}"
rpc_public_addr = "127.0.0.1:{rpc}"
rpc_secret = "{os.urandom(32).hex()}"
[s3_api]
s3_region = "us-east-1"
api_bind_addr = "127.0.0.1:{s3}"
""")
    garage = [program("garage"), "-c", config]
    server = Server(name, home, [*garage, "server"], {"RUST_LOG": "garage=warn"})
    server.wait(s3)

    def command(*arguments):
        return subprocess.run([*garage, *arguments], check=True, capture_output=True, text=True).stdout

    node = command("node", "id", "-q").split("@")[0]
    command("layout", "assign", "-z", "one", "-c", "10G", node)
    command("layout", "apply", "--version", "1")
    made = command("key", "create", "bench")
    server.key, server.secret = (made.split(f"{field}:")[1].split()[0] for field in ("Key ID", "Secret key"))
    command("bucket", "create", "bench")
    command("bucket", "allow", "--read", "--write", "bench", "--key", "bench")
    server.command = command
    return server
