"""A mail server of another hand: one port with STARTTLS, one with TLS at once. Both want user and password over TLS.

Prints its ports, then each mail, as lines of JSON. Ends with its input.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

certificate, key = sys.argv[1:]


def check(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b"me", b"p4ss")
    return AuthResult(success=good, handled=False, auth_data=mechanism)


class Inbox:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in mail.iter_parts()}
        seen = {
            "mechanism": session.auth_data,
            "tls": session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "subject": mail["Subject"],
            "date": mail["Date"].datetime.isoformat(),
            "defects": [str(defect) for defect in mail.defects],
            "parts": parts,
        }
        print(json.dumps(seen), flush=True)
        return "250 taken"


async def serve():
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    usual = {"hostname": "here", "authenticator": check, "auth_required": True}
    loop = asyncio.get_running_loop()
    starttls = await loop.create_server(
        lambda: SMTP(Inbox(), tls_context=tls, require_starttls=True, auth_exclude_mechanism=["LOGIN"], **usual), "127.0.0.1", 0)
    implicit = await loop.create_server(
        lambda: SMTP(Inbox(), auth_require_tls=False, auth_exclude_mechanism=["PLAIN"], **usual), "127.0.0.1", 0, ssl=tls)
    ports = [server.sockets[0].getsockname()[1] for server in (starttls, implicit)]
    print(json.dumps({"starttls": ports[0], "implicit": ports[1]}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(serve())
