"""Settings of every process, from the environment (`QUBATOR_…`) or the command line."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from backends.devices.reading import fleet, read_own

_PASSWORD = re.compile(r"((?<=://)[^:/@]*:|[?&]password=)(?:(?<=:).*(?=@)|(?<==)[^&]*)")


class WrongSetting(ValueError):  # noqa: N818 - named for what it says
    """A setting that cannot be meant; the text names each and says what is wrong with it."""


class Settings(BaseSettings):
    """What an operator may set. Sizes and times carry their unit in the name."""

    model_config = SettingsConfigDict(env_prefix="QUBATOR_", extra="ignore")

    data: Path = Field(default=Path("qubator-data"), description="Folder of the database, blobs and spool.")
    database_url: str | None = Field(default=None, description="postgresql://…; without it SQLite in the data folder.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    slots: int = Field(
        default=max(1, (os.cpu_count() or 2) - 1), ge=1, le=1024, description="Jobs at once, one core each."
    )
    pipeline: int = Field(
        default=8, ge=0, le=1024, description="Short jobs that may wait on a worker beyond its slots."
    )
    memory_mib: int = Field(default=4096, ge=256, description="Memory of one job.")
    shadow_share: float = Field(
        default=0.01, ge=0, le=1, description="Share of `ideal` jobs run again on a second engine; 0 for none."
    )
    shadow_share_young: float = Field(
        default=0.1, ge=0, le=1, description="The same of jobs that young engines answer."
    )
    inspectors: int = Field(
        default=min(2, os.cpu_count() or 2), ge=1, le=64, description="Processes that decode and measure payloads."
    )
    inspector_memory_mib: int = Field(default=1024, ge=128, description="Memory of one inspection.")
    inspector_timeout_s: float = Field(default=5.0, gt=0, le=300, description="Time of one inspection.")
    body_max_bytes: int = Field(default=8_000_000, ge=1 << 10, description="The largest request body.")
    blob_max_bytes: int = Field(default=256 << 20, ge=1 << 20, description="The largest payload or result kept.")
    queued_max: int = Field(default=100_000, ge=1, description="Waiting jobs of one project.")
    currency: str = Field(default="CNY", pattern="^[A-Z]{3}$", description="Money of prices, grants and wallets.")
    time_zone: str = Field(default="UTC", description="Hours of rates, days and years of programmes: Asia/Shanghai …")
    facility_name: str = Field(
        default="Qubator", min_length=1, max_length=200, description="Who bills, on exports of cost and usage."
    )
    devices: str = Field(
        default="", description="Snapshots of devices offered beside the fleet: names with commas between, or all."
    )
    device_files: Path | None = Field(
        default=None, description="Folder of devices of your own, a .toml file each, offered beside the fleet."
    )
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$", description="debug to error.")
    log_json: bool = Field(default=False, description="One JSON object a line, for machines.")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, given: str) -> str:
        try:
            ZoneInfo(given)
        except (ZoneInfoNotFoundError, ValueError, OSError) as wrong:
            raise ValueError(f"{given!r} is no time zone; name one such as Asia/Shanghai or UTC") from wrong
        return given

    @field_validator("devices")
    @classmethod
    def _known_devices(cls, given: str) -> str:
        fleet(_names(given))
        return given

    @field_validator("device_files")
    @classmethod
    def _readable_devices(cls, given: Path | None) -> Path | None:
        if given is None:
            return None
        read_own(given)
        return given.resolve()

    @property
    def device_names(self) -> tuple[str, ...]:
        """The snapshots to offer beside the fleet."""
        return _names(self.devices)

    @property
    def url(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.database_file}"

    @property
    def place(self) -> str:
        """Where the data is, to be told to people: a URL without its password, or the data folder."""
        if self.database_url is None:
            return str(self.data)
        return _PASSWORD.sub(r"\1***", self.database_url)

    @property
    def database_file(self) -> Path:
        """Where SQLite's database is, unless another database is set."""
        return self.data.resolve() / "qubator.sqlite3"

    @property
    def blobs(self) -> Path:
        """Folder of payloads and results too large for a database row."""
        return self.data.resolve() / "blobs"

    @property
    def spool(self) -> Path:
        """Folder where workers leave finished results for the service to take over."""
        return self.data.resolve() / "spool"


def _names(given: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in given.split(",") if name.strip())


def settings_from(given: dict[str, Any]) -> Settings:
    """Settings from the environment, overridden by what is `given` and not None. Raises WrongSetting."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as wrong:
        found = (f"QUBATOR_{'_'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in wrong.errors())
        raise WrongSetting("; ".join(found)) from wrong
