"""What can be in the way of a delivery, phase by phase: address, connect, security, login, folder, write, rename.

What can pass is tried again (connections, answers of 4xx); what cannot, a login or a permission, is not (SPEC 8).
"""

from __future__ import annotations

from typing import ClassVar, Final

from exports.errors.base import RETRIED, RunError

_ASK_SERVER = "ask whoever runs the upload server"
LEAST: Final = 4
HIDDEN: Final = "***"
_PASSES = f"{RETRIED} If it keeps failing, {_ASK_SERVER}."


class TargetError(RunError):
    """The upload server, or the way to it. `phase` is where it happened, filled in by the delivery.

    `offers_key`: the server showed a key or certificate (`fingerprint`) that somebody can accept.
    """

    phase: str = ""
    offers_key: ClassVar[bool] = False

    def hide(self, *secrets: str) -> None:
        """Take out what the server repeats of what it was told: some name the command that they refuse.

        Shorter secrets than LEAST stand in every text by chance.
        """
        for secret in (one for one in secrets if len(one) >= LEAST):
            self.detail = self.detail.replace(secret, HIDDEN)
            for name, value in self.facts.items():
                if isinstance(value, str):
                    self.facts[name] = value.replace(secret, HIDDEN)
        self.args = (self.message,)


# --- address


class AddressBlocked(TargetError):
    """One sentence for every block, so that nobody learns by asking what is inside (RELIABILITY T3)."""

    code = "target.blocked"
    sentence = "This host and port cannot be used for uploads."
    advice = "Use another server, or ask your operator to allow this one."


class HostUnknown(TargetError):
    code = "target.host_unknown"
    sentence = "There is no server called {host}."
    advice = "Correct the host of the connection."


class NamesUnavailable(TargetError):
    code = "target.names_unavailable"
    sentence = "The address of {host} could not be looked up."
    advice = f"{RETRIED} If it keeps failing, ask your operator to check the name server."
    permanent = False


# --- connect


class ConnectionRefused(TargetError):
    code = "target.connection_refused"
    sentence = "The server {host} accepts no connection on port {port}."
    advice = f"{RETRIED} Check the port of the connection, and whether the server's firewall lets us in."
    permanent = False


class HostUnreachable(TargetError):
    code = "target.unreachable"
    sentence = "The server {host} cannot be reached."
    advice = _PASSES
    permanent = False


class ConnectTimeout(TargetError):
    code = "target.connect_timeout"
    sentence = "The server {host} did not answer on port {port} within {limit:.0f} s."
    advice = f"{RETRIED} Check the port of the connection, and whether the server's firewall lets us in."
    permanent = False


class NotFtp(TargetError):
    code = "target.not_ftp"
    sentence = "What answers at {host}, port {port}, is no FTP server."
    advice = "Check the type and the port of the connection."


class NotSftp(TargetError):
    code = "target.not_sftp"
    sentence = "What answers at {host}, port {port}, is no SFTP server."
    advice = "Check the type and the port of the connection."


class ServerBusy(TargetError):
    code = "target.server_busy"
    sentence = "The upload server takes no more connections now: {answer}"
    advice = _PASSES
    permanent = False


# --- security


class TlsNotOffered(TargetError):
    code = "target.tls_not_offered"
    sentence = "The upload server offers no secured connection: {answer}"
    advice = f"Nothing was sent. Choose SFTP, or {_ASK_SERVER} to switch TLS on."


class TlsFailed(TargetError):
    code = "target.tls_failed"
    sentence = "No secured connection could be agreed on with the upload server."
    advice = f"At least TLS 1.2 is needed: {_ASK_SERVER}."


class CertificateExpired(TargetError):
    code = "target.certificate_expired"
    sentence = "The certificate of {host} has expired or is not valid yet."
    advice = f"Nothing was sent. Please {_ASK_SERVER} to renew it. Its fingerprint is {{fingerprint}}."


class CertificateName(TargetError):
    code = "target.certificate_name"
    sentence = "The certificate of the upload server is not for {host}."
    advice = "Nothing was sent. Use the name that the certificate has as the host. Its fingerprint is {fingerprint}."


class CertificateUntrusted(TargetError):
    code = "target.certificate_untrusted"
    sentence = "The certificate of {host} is signed by nobody whom we know."
    advice = (
        "Nothing was sent. Compare its fingerprint with the one that whoever runs the server names, then accept it: "
        "{fingerprint}."
    )
    offers_key = True


class CertificateChanged(TargetError):
    code = "target.certificate_changed"
    sentence = "The certificate of {host} is another one than was accepted."
    advice = "Nothing was sent. Ask an admin to compare and accept the new one: {fingerprint}."
    offers_key = True


class DataUnprotected(TargetError):
    code = "target.data_unprotected"
    sentence = "The upload server refuses to secure the transfer of files: {answer}"
    advice = f"Nothing was sent. Choose SFTP, or {_ASK_SERVER} to allow PROT P."


class SessionNotReused(TargetError):
    code = "target.session_not_reused"
    sentence = "The upload server refused the secured transfer: {answer}"
    advice = f"It may demand that TLS sessions are used again in a way that we cannot: {_ASK_SERVER}."


class HostKeyUnknown(TargetError):
    code = "target.host_key_unknown"
    sentence = "The key of {host} has not been accepted yet."
    advice = "Nothing was sent. Press Test connection, compare the fingerprint and accept it: {fingerprint}."
    offers_key = True


class HostKeyChanged(TargetError):
    code = "target.host_key_changed"
    sentence = "The key of {host} is another one than was accepted."
    advice = (
        "Nothing was sent, no password either: it may be another server. Ask an admin to compare and accept the new "
        "key: {fingerprint}."
    )
    offers_key = True


class NoCommonSecurity(TargetError):
    code = "target.no_common_security"
    sentence = "The server {host} and we know no common way to secure the connection."
    advice = f"Its software may be out of date: {_ASK_SERVER}."


# --- login


class LoginRefused(TargetError):
    code = "target.login_refused"
    sentence = "The upload server refused the login of {username}."
    advice = "Correct the username, or replace the password or key of the connection."


class LoginMethod(TargetError):
    code = "target.login_method"
    sentence = "The upload server does not accept a {kind} for {username}, but: {methods}."
    advice = "Replace the credential of the connection by one that it accepts."


class PasswordChangeDemanded(TargetError):
    code = "target.password_change"
    sentence = "The upload server demands a new password or a further step for {username}."
    advice = f"Log in there by hand once, or {_ASK_SERVER}."


class PrivateKeyUnreadable(TargetError):
    code = "target.private_key"
    sentence = "The private key of the connection cannot be used: {reason}."
    advice = "Replace the credential of the connection."


class CredentialUnreadable(TargetError):
    code = "target.credential_unreadable"
    sentence = "The credential of the connection can't be read."
    advice = "Replace it in the connection, or ask your operator to check CREDENTIAL_KEYS."


class CredentialMissing(TargetError):
    code = "target.credential_missing"
    sentence = "The connection has no password or key."
    advice = "Enter one in the connection."


class ConnectionGone(TargetError):
    code = "target.connection_gone"
    sentence = "The connection of this export is not there any more."
    advice = "Edit the export and choose another one."
    in_definition = True


class PathUnusable(TargetError):
    code = "target.path_unusable"
    sentence = "The path of this export cannot be used: {reason}."
    advice = "Edit the export and correct its path."
    in_definition = True


class PlainFtpOff(TargetError):
    code = "target.plain_ftp_off"
    sentence = "FTP without security is switched off here."
    advice = "Use FTP over SSL or SFTP, or ask an admin."


# --- folder


class SftpNotOffered(TargetError):
    code = "target.sftp_not_offered"
    sentence = "The upload server let {username} in, but offers no file transfer."
    advice = f"Please {_ASK_SERVER} to switch SFTP on for this user."


class FolderRefused(TargetError):
    code = "target.folder_refused"
    sentence = "The folder {folder} cannot be opened or made: {answer}"
    advice = f"Correct the path of the export, or {_ASK_SERVER} for the right to write there."
    in_definition = True


# --- write


class WriteRefused(TargetError):
    code = "target.write_refused"
    sentence = "No file may be written into {folder}: {answer}"
    advice = f"Correct the path of the export, or {_ASK_SERVER} for the right to write there."
    in_definition = True


class NameRefused(TargetError):
    code = "target.name_refused"
    sentence = "The upload server does not take the name {name}: {answer}"
    advice = "Choose another name in the path of the export."
    in_definition = True


class TargetFull(TargetError):
    code = "target.full"
    sentence = "There is no room left on the upload server: {answer}"
    advice = f"Make room there, or {_ASK_SERVER}. Then press Upload again."


class DataConnectionFailed(TargetError):
    code = "target.data_connection"
    sentence = "The upload server's connection for files (passive mode) could not be opened."
    advice = f"{RETRIED} If it keeps failing, {_ASK_SERVER} to open its passive ports in the firewall."
    permanent = False


class ConnectionLost(TargetError):
    code = "target.connection_lost"
    sentence = "The connection to the upload server broke."
    advice = _PASSES
    permanent = False


class TargetSilent(TargetError):
    code = "target.silent"
    sentence = "The upload server did not answer for {limit:.0f} s."
    advice = _PASSES
    permanent = False


class TargetSlow(TargetError):
    code = "target.slow"
    sentence = "The upload took longer than {limit:.0f} s, the most that a file of this size may take."
    advice = _PASSES
    permanent = False


class SizeDiffers(TargetError):
    code = "target.size_differs"
    sentence = "Only {there:,} of {size:,} bytes arrived at the upload server, although it said that all had."
    advice = f"Nothing is there under the final name. {_PASSES}"
    permanent = False


class TryLater(TargetError):
    code = "target.try_later"
    sentence = "The upload server cannot do it now: {answer}"
    advice = _PASSES
    permanent = False


class CommandRefused(TargetError):
    code = "target.refused"
    sentence = "The upload server refused it: {answer}"
    advice = f"What it said may tell you why; else {_ASK_SERVER}."


class NotUnderstood(TargetError):
    code = "target.not_understood"
    sentence = "The upload server answered something that makes no sense: {answer}"
    advice = _PASSES
    permanent = False


# --- rename


class RenameRefused(TargetError):
    code = "target.rename_refused"
    sentence = "The whole file is there, but could not get its final name: {answer}"
    advice = f"Please {_ASK_SERVER} for the right to rename files in this folder."


class ReplaceRefused(TargetError):
    code = "target.replace_refused"
    sentence = "The file {name} is there already, and the upload server does not let us replace it: {answer}"
    advice = f"Choose “add a number” under If the file exists, or {_ASK_SERVER} for the right to delete files."
    in_definition = True


class NoFile(TargetError):
    code = "target.no_file"
    sentence = "The file {name} cannot get its name: a folder has it, or something else that is no file."
    advice = "Take it away, or use another name in the path. It was left as it is."


class FileExists(TargetError):
    code = "target.exists"
    sentence = "A file {name} is there already, and this export is to fail then."
    advice = "Take it away, or choose otherwise under If the file exists. It was left as it is."


class NoNumberLeft(TargetError):
    code = "target.no_number"
    sentence = "There are already {number:,} files of this name with a number."
    advice = "Take some away, or use placeholders such as %Y%m%d in the path."
