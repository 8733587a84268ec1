"""The rules, as a table: what each is about, how grave it is, where the specification has it.

Severities: an `error` breaks clients, or a MUST that hardly any real server breaks; a `warning` is a SHOULD, or a MUST
few clients depend on; `info` is what nearly every real server does, or what no specification forbids. A rule that has
a lesser or a graver case names it in `also`.
"""

from __future__ import annotations

from typing import Final

from lookout.probe.rules.catalogue.features import FEATURES
from lookout.probe.rules.catalogue.transport import TRANSPORT

CATALOGUE: Final = (*TRANSPORT, *FEATURES)
