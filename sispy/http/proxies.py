"""Which proxy the environment names for an address."""

from __future__ import annotations

import base64
import urllib.request
from urllib.parse import unquote, urlsplit


def proxy_for(url: str) -> str:
    """Return the proxy that HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY choose, "" for none."""
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not proxy or urllib.request.proxy_bypass(parts.netloc):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def proxy_authorization(proxy: str) -> dict[str, str]:
    """Return the header that logs in to a proxy whose address holds a name and a password."""
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
