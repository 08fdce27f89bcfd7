"""Delivers finished files to FTP, FTP over SSL and SFTP servers (SPEC section 8).

`base` says what each kind of server can be asked for, `ftp` and `sftp` ask it, `sending` delivers and tries out, under
names by `naming`; `earlier` knows what attempts before have left. A new kind is one file and one line in
`sending.session_of`.
"""

from exports.delivery.base import PHASES, Limits, Phase, Server, Step
from exports.delivery.sending import Journal, Parcel, Probe, Receipt, deliver, probe

__all__ = [
    "PHASES",
    "Journal",
    "Limits",
    "Parcel",
    "Phase",
    "Probe",
    "Receipt",
    "Server",
    "Step",
    "deliver",
    "probe",
]
