"""Speak of a database or a server without telling its password.

An address is a URI such as ``postgresql://user:password@host/database``. Foreign
error messages may repeat any part of it, so they pass through `redact` before they
reach a log.
"""

from __future__ import annotations

import re
import urllib.parse


def scheme(address: str) -> str:
    """Return ``postgresql`` for ``postgresql+psycopg://...``.

    Parameters
    ----------
    address : str
        Address, whole or malformed.

    Returns
    -------
    str
        Lower case, without a driver's name.
    """
    return address.partition(":")[0].partition("+")[0].lower()


def safe_address(address: str) -> str:
    """Return the address without user, password and query.

    Parameters
    ----------
    address : str
        Address, whole or malformed.

    Returns
    -------
    str
        What may be printed.
    """
    name, separator, rest = address.partition("://")
    if not separator:
        return redact(address, address)
    # A password may hold a '/', '?' or '#' that nobody escaped: cut at the last '@' of
    # all. A file's path begins with '/' and may hold an innocent '@'.
    if not rest.startswith("/"):
        rest = rest.rpartition("@")[2]
    return f"{name}://{rest.partition('?')[0].partition('#')[0]}"


def redact(text: str, address: str) -> str:
    """Remove the credentials of an address from a foreign message.

    Parameters
    ----------
    text : str
        Message that may repeat the address or a part of it.
    address : str
        Address whose secrets must not show.

    Returns
    -------
    str
        The message with every secret replaced.
    """
    text = text.replace(address, safe_address(address)) if "://" in address else text
    secrets = []
    userinfo = address.partition("://")[2].rpartition("@")[0]
    if userinfo and not userinfo.startswith("/"):
        secrets += [userinfo, userinfo.partition(":")[2]]
    pairs = address.partition("?")[2].split("&")
    secrets += [pair.partition("=")[2] for pair in pairs]
    for secret in secrets:
        for form in (secret, urllib.parse.unquote(secret)):
            if form:
                text = text.replace(form, "***")
    return re.sub(r"(?<=://)[^/\s@]+@", "***@", text)
