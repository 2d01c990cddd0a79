"""The server of objects."""
import json
import re
import urllib.parse
import urllib.request

from ..process import Failure
from .server import USER, Server

# What a user may do, by the language of AWS.
POLICY = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
# It knows by the signature, which it does not check yet, which service a request is for.
IDENTITY = "AWS4-HMAC-SHA256 Credential=admin/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=none"


class S3(Server):
    """A server of S3's protocol, which keeps everything in memory."""

    package, binary = "moto[server] of PyPI", "moto_server"
    is_of_debian = False
    _key = None

    def command(self):
        return [self.find(), "-H", "127.0.0.1", "-p", self.port]

    def environment(self):
        # Any name of the host may be that of the server.
        return {"S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"}

    def describe(self):
        return super().describe() | {"key": self._key}

    def start(self):
        super().start()
        self.password("first")

    def password(self, password):
        """Begins again, with an object and a user that has a key, which depends on the password."""
        self._ask("/moto-api/reset-auth", b"inf")
        self._ask("/moto-api/reset")
        seed = {"first": 1, "second": 2}[password]
        self._ask(f"/moto-api/seed?a={seed}")
        self._administer("CreateUser")
        self._administer("PutUserPolicy", PolicyName="all", PolicyDocument=json.dumps(POLICY))
        answer = self._administer("CreateAccessKey")
        words = {"id": "AccessKeyId", "secret": "SecretAccessKey"}
        key = {name: re.search(f"<{word}>(.*?)</", answer)[1] for name, word in words.items()}
        if password == "first" and key != (self._key or key):
            raise Failure("the server of objects has made another key for the same seed")
        self._key = self._key or key
        self._ask("/images", method="PUT")
        self._ask("/images/health/present", method="PUT")
        # From now on, it checks signatures.
        self._ask("/moto-api/reset-auth", b"0")

    def _administer(self, action, **options):
        form = {"Version": "2010-05-08", "Action": action, "UserName": USER, **options}
        return self._ask("/", urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded")

    def _ask(self, path, data=b"", kind="text/plain", method="POST"):
        headers = {"Authorization": IDENTITY, "Content-Type": kind} if path == "/" else {"Content-Type": kind}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        # Not by a proxy of the caller.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10) as response:
            return response.read().decode()
