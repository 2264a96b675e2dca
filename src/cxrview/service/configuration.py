"""The configuration of the service: one TOML file.

docs/serve.md describes every key.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cxrview.service.records import Form, ImageState
from cxrview.service.toml_file import FieldError, TomlFile, nearest
from cxrview.terms import Agreement
from cxrview.writeback.settings import ConflictingPosition

_AE_TITLE = re.compile(r"(?! )[\x21-\x5b\x5d-\x7e ]{1,16}(?<! )")
"""PS3.5 section 6.2: at most 16 printable characters without backslash."""

_ADDRESS = re.compile(r"\S+:\d{1,5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSettings:
    """[queue]: where images wait."""

    folder: Path
    """On a local disk, for the service alone."""
    keep_days: float = 7.0
    """Images stay for so long after they were classified and stored by all destinations."""
    min_free_mb: int = 500
    """Images are refused as long as less space is free on the disk."""

    def __post_init__(self) -> None:
        _check("keep_days", self.keep_days >= 0, "is 0 or more")
        _check("min_free_mb", self.min_free_mb >= 0, "is 0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTls:
    """[dicom.tls]: TLS of the DICOM entrance."""

    certificate: Path
    """PEM file of the service."""
    key: Path
    """PEM file of its private key."""
    client_ca: Path | None = None
    """PEM file of the authority of the senders' certificates; without it none is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """[destinations.NAME.tls], [poll.NAME.tls]: TLS to another server."""

    ca: Path
    """PEM file of the authority of its certificate."""
    certificate: Path | None = None
    """PEM file of the service, if the destination asks for one."""
    key: Path | None = None
    """PEM file of its private key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomSettings:
    """[dicom]: the C-STORE entrance."""

    senders: tuple[str, ...]
    """Calling AE titles that are accepted; others are rejected."""
    host: str = "127.0.0.1"
    """Address to listen on; `0.0.0.0` for all. That of another network needs a firewall or TLS."""
    port: int = 11112
    """0 for any free one."""
    ae_title: str = "CXRVIEW"
    """Called AE title that senders must use, and by which the service sends."""
    max_associations: int = 10
    """At a time; further ones are rejected."""
    max_pdu_bytes: int = 65536
    """Largest PDU that a sender may send, 4096 to 1048576."""
    max_object_mb: int = 2048
    """A larger object is refused."""
    timeout_seconds: float = 60.0
    """After which an association that sends nothing is ended."""
    commitment: Mapping[str, str] = field(default_factory=dict)
    """[dicom.commitment]: by AE title of a sender, the `"HOST:PORT"` to which reports on storage
    commitment are sent."""
    tls: ServerTls | None = None
    """See [dicom.tls]; none without it."""

    def __post_init__(self) -> None:
        _check("senders", bool(self.senders), "names at least one AE title")
        _check_titles("senders", *self.senders)
        _check_titles("ae_title", self.ae_title)
        for title, address in self.commitment.items():
            is_known = title in self.senders
            _check("commitment", is_known, f"{title} is not one of the senders")
            is_right = bool(_ADDRESS.fullmatch(address))
            _check("commitment", is_right, f'the address of {title} is "HOST:PORT"')
        _check("port", 0 <= self.port <= 65535, "is 0 to 65535")
        _check("max_associations", 1 <= self.max_associations <= 1000, "is 1 to 1000")
        _check("max_pdu_bytes", 4096 <= self.max_pdu_bytes <= 1 << 20, "is 4096 to 1048576")
        _check("max_object_mb", self.max_object_mb >= 1, "is 1 or more")
        _check("timeout_seconds", self.timeout_seconds > 0, "is above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """[http]: REST, STOW-RS, metrics and the status page."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8770
    """0 for any free one."""
    token_file: Path | None = None
    """File with the bearer token; needed unless `host` is a loopback address."""
    certificate: Path | None = None
    """PEM file, for https."""
    key: Path | None = None
    """PEM file of the private key, if the certificate file has none."""
    hosts: tuple[str, ...] = ()
    """Names that clients may call the service by, besides localhost and IP addresses."""
    roots: tuple[Path, ...] = ()
    """Folders of which batch jobs may be started."""
    max_body_mb: int = 512
    """Of one request."""
    max_requests: int = 16
    """Requests that are carried out at a time."""
    timeout_seconds: float = 60.0
    """For a request to arrive, and to be answered."""

    def __post_init__(self) -> None:
        _check("port", 0 <= self.port <= 65535, "is 0 to 65535")
        _check("max_body_mb", self.max_body_mb >= 1, "is 1 or more")
        _check("max_requests", self.max_requests >= 1, "is 1 or more")
        _check("timeout_seconds", self.timeout_seconds > 0, "is above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifySettings:
    """[classify]: how images are read and decided, as the options of `cxrview classify`."""

    model: Path | None = None
    """Folder of a model; that of the package if it is missing."""
    patient_key: Path | None = None
    """File with the key of the patients' pseudonyms; that of `cxrview classify` by default."""
    workers: int | None = None
    """Cores to use; all by default."""
    review_band: tuple[float, float] | None = None
    """[LOW, HIGH]: PFI in percent that is sent to review; that of the model by default."""
    chest_cutoff: float | None = None
    """Least percentage for a chest radiograph; that of the model by default."""
    timeout_seconds: float = 60.0
    """For reading one image."""
    max_file_mb: int = 2048
    """A larger file fails."""
    max_pixel_mb: int = 1024
    """An image with more decoded pixels fails."""

    def __post_init__(self) -> None:
        low, high = self.review_band or (0.0, 100.0)
        _check("review_band", 0 <= low <= high <= 100, "is [LOW, HIGH], 0 to 100")
        _check("chest_cutoff", 0 <= (self.chest_cutoff or 0) <= 100, "is 0 to 100")
        for name in ("timeout_seconds", "max_file_mb", "max_pixel_mb"):
            _check(name, getattr(self, name) > 0, "is above 0")
        _check("workers", self.workers is None or self.workers > 0, "is above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionOptions:
    """[correction]: how copies are corrected, as the options of `cxrview writeback`."""

    keep_uid: bool = False
    """Keep the SOP Instance UID in a corrected copy. Many archives ignore a second object with the
    UID of a first."""
    deidentified: bool = False
    """Leave the history of changes out, as PS3.15 table E.1-1 asks."""
    position: ConflictingPosition = ConflictingPosition.EMPTY
    """`empty` or `keep`: what becomes of a View Position that contradicts the view."""


class DestinationKind(StrEnum):
    """How a destination is reached."""

    DICOM = "dicom"
    """By C-STORE."""
    DICOMWEB = "dicomweb"
    """By STOW-RS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSettings:
    """[destinations.NAME]: where objects are sent."""

    kind: DestinationKind = DestinationKind.DICOM
    """`dicom` or `dicomweb`."""
    host: str = ""
    """Of DICOM."""
    port: int = 0
    """Of DICOM."""
    ae_title: str = ""
    """Called AE title."""
    calling_ae_title: str = ""
    """By which the service sends; that of [dicom] by default."""
    commitment: bool = False
    """Ask for storage commitment, and count an object as stored only once it is committed."""
    commitment_seconds: float = 60.0
    """After which an object that was not committed counts as failed."""
    tls: ClientTls | None = None
    """See [destinations.NAME.tls]; none without it."""
    url: str = ""
    """Of DICOMweb, such as `https://archive.example/dicom-web`."""
    token_file: Path | None = None
    """File with the bearer token for the URL."""
    user: str = ""
    """For the URL."""
    password_file: Path | None = None
    """File with the password of `user` for the URL."""
    timeout_seconds: float = 60.0
    """For each answer."""
    tries: int = 20
    """Failed tries of an object after which it is a dead letter."""
    first_wait_seconds: float = 30.0
    """Before the second try; it doubles with each."""
    longest_wait_seconds: float = 3600.0
    """Between two tries."""

    def __post_init__(self) -> None:
        if self.kind is DestinationKind.DICOM:
            _check("host", bool(self.host), "is missing")
            _check("port", 1 <= self.port <= 65535, "is 1 to 65535")
            _check_titles("ae_title", self.ae_title)
            _check("url", not self.url, 'belongs to kind = "dicomweb"')
        else:
            _check("url", self.url.startswith(("http://", "https://")), "is http(s)://...")
            _check("commitment", not self.commitment, 'belongs to kind = "dicom"')
        if self.calling_ae_title:
            _check_titles("calling_ae_title", self.calling_ae_title)
        _check("tries", self.tries >= 1, "is 1 or more")
        for name in (
            "timeout_seconds",
            "commitment_seconds",
            "first_wait_seconds",
            "longest_wait_seconds",
        ):
            _check(name, getattr(self, name) > 0, "is above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """[[rules]]: which images go where. The first rule that fits an image applies to it."""

    name: str
    """Recorded with each image; no two rules have the same."""
    destinations: tuple[str, ...]
    """Empty if such images are not sent anywhere; they are removed after `keep_days`."""
    send: tuple[Form, ...] = (Form.CORRECTED,)
    """`original`, `corrected`, `sr`, or `sr` with one of the others."""
    decision: tuple[ImageState, ...] = ()
    """`classified`, `review`, `refused`, `failed`; any if it is missing, likewise below."""
    agreement: tuple[Agreement, ...] = ()
    """`agrees`, `disagrees`, `silent`: whether the header names the view that was found."""
    modality: tuple[str, ...] = ()
    """Such as `CR`, `DX`."""
    senders: tuple[str, ...] = ()
    """Calling AE titles of C-STORE."""
    entrance: tuple[str, ...] = ()
    """`dicom`, `stow`, or `poll:NAME`."""

    def __post_init__(self) -> None:
        _check("name", bool(self.name), "is missing")
        _check("send", bool(self.send), "names at least one of original, corrected, sr")
        both = {Form.ORIGINAL, Form.CORRECTED} <= set(self.send)
        _check("send", not both, "is original or corrected, not both")
        _check("send", len(set(self.send)) == len(self.send), "names each form once")
        waiting = ImageState.WAITING in self.decision
        _check("decision", not waiting, "is of classified, review, refused, failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class PollSettings:
    """[poll.NAME]: a DICOMweb server whose new images are taken."""

    url: str
    """Of its DICOMweb service."""
    every_seconds: float = 60.0
    """From one query to the next."""
    days: int = 2
    """Studies of so many last days are looked at."""
    modality: tuple[str, ...] = ("CR", "DX")
    """Of the series that are taken."""
    token_file: Path | None = None
    """File with the bearer token for the URL."""
    user: str = ""
    """For the URL."""
    password_file: Path | None = None
    """File with the password of `user`."""
    tls: ClientTls | None = None
    """Certificates for https."""
    timeout_seconds: float = 60.0
    """For each answer."""

    def __post_init__(self) -> None:
        _check("url", self.url.startswith(("http://", "https://")), "is http(s)://...")
        _check("every_seconds", self.every_seconds > 0, "is above 0")
        _check("days", self.days >= 1, "is 1 or more")
        _check("timeout_seconds", self.timeout_seconds > 0, "is above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The complete configuration."""

    queue: QueueSettings
    dicom: DicomSettings | None = None
    """None if nothing is received by C-STORE; likewise below."""
    http: HttpSettings | None = None
    classify: ClassifySettings = field(default_factory=ClassifySettings)
    correction: CorrectionOptions = field(default_factory=CorrectionOptions)
    destinations: Mapping[str, DestinationSettings] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    poll: Mapping[str, PollSettings] = field(default_factory=dict)


def read_configuration(path: Path) -> Configuration:
    """Read and check a configuration.

    Raises:
        UsageError: with the line and the key of the first mistake.
    """
    file = TomlFile(path)
    configuration = file.read(Configuration, file.values)
    if not (configuration.dicom or configuration.http or configuration.poll):
        raise file.error(("dicom",), "is missing, and so are http and poll: nothing could arrive")
    http = configuration.http
    if http and not http.token_file:
        from cxrview.web.server import is_loopback

        if not is_loopback(http.host):
            reason = "is missing, and other machines reach the address of http.host"
            raise file.error(("http", "token_file"), reason)
    known = list(configuration.destinations)
    for number, rule in enumerate(configuration.rules):
        for position, name in enumerate(rule.destinations):
            if name not in known:
                near = nearest(name, known)
                hint = f"Did you mean {near}?" if near else f"Known: {', '.join(known)}"
                key = ("rules", number, "destinations", position)
                raise file.error(key, f"{name!r} is not a destination. {hint}")
    names = [rule.name for rule in configuration.rules]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise file.error(("rules", number, "name"), "is the name of an earlier rule")
    return configuration


def _check(name: str, is_right: bool, reason: str) -> None:
    if not is_right:
        raise FieldError(name, reason)


def _check_titles(name: str, *titles: str) -> None:
    is_right = all(_AE_TITLE.fullmatch(title) for title in titles)
    _check(name, is_right, "an AE title has 1 to 16 characters, no backslash")
