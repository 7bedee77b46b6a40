"""The build hook: the wheel carries the checked knowledge as JSON, made from `codes.yaml` here and never committed."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CodesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds `smtpref/codes.jsonl` to a wheel; an editable install reads the checkout's `codes.yaml` instead."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Check `codes.yaml`, whose mistakes end the build, and write it as JSON."""
        if version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, self.root)
        from smtpref.building import build  # noqa: PLC0415  (found through the line above)
        from smtpref.built import BUILT  # noqa: PLC0415

        built = Path(mkdtemp()) / BUILT
        built.write_bytes(build(root / "codes.yaml"))
        build_data["force_include"][str(built)] = f"smtpref/{BUILT}"
