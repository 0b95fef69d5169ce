# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules that ask Microsoft's activation service.

Associated with C(plugin_utils/_microsoft/settings.py).
"""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment C(_microsoft)."""

    DOCUMENTATION = r"""
options:
  microsoft_url:
    description:
      - Where Microsoft's BatchActivation service is. Only C(https) is taken, and its certificate is always checked.
      - Left out, the variable C(volume_activation_microsoft_url) or the environment variable E(VOLUME_ACTIVATION_MICROSOFT_URL) stands in.
    type: str
    default: https://activation.sls.microsoft.com/BatchActivation/BatchActivation.asmx
  ca_path:
    description:
      - A PEM file with the authorities that may have issued the service's certificate, such as that of a proxy that looks into TLS.
      - Without it, those that the control node trusts.
      - Left out, the variable C(volume_activation_microsoft_ca_path) or the environment variable E(VOLUME_ACTIVATION_MICROSOFT_CA_PATH) stands in.
    type: path
  http_proxy:
    description:
      - The HTTP proxy on the way to Microsoft, as C(http://host:port). It has to let C(CONNECT) through to port 443.
      - An account is given by O(http_proxy_username) and O(http_proxy_password), and refused here, where it would be seen.
      - Without it, the proxy that E(HTTPS_PROXY) and E(NO_PROXY) of the environment name, if any. With it, they have no effect.
      - Left out, the variable C(volume_activation_microsoft_http_proxy) or the environment variable
        E(VOLUME_ACTIVATION_MICROSOFT_HTTP_PROXY) stands in.
    type: str
  http_proxy_username:
    description:
      - The account for the proxy, by the method Basic.
      - Left out, the variable C(volume_activation_microsoft_http_proxy_username) or the environment variable
        E(VOLUME_ACTIVATION_MICROSOFT_HTTP_PROXY_USERNAME) stands in.
    type: str
  http_proxy_password:
    description:
      - Its password. It appears in no output.
      - Left out, the variable C(volume_activation_microsoft_http_proxy_password) or the environment variable
        E(VOLUME_ACTIVATION_MICROSOFT_HTTP_PROXY_PASSWORD) stands in.
    type: str
  timeout:
    description:
      - Seconds that one request may take, from the resolution of the name to the end of the answer; from 1 to 3600.
    type: float
    default: 60
  retries:
    description:
      - How often a request is repeated after the service or the way to it failed, with growing pauses of up to 30 seconds; from 0 to 10.
      - What Microsoft says about a key or an installation ID is never asked again.
    type: int
    default: 3
  parallel:
    description:
      - How many requests may be under way at once; from 1 to 16.
    type: int
    default: 4
notes:
  - Microsoft has not documented the BatchActivation service. It is the one that VAMT and public clients of Microsoft's customers use, and it may change.
"""
